/*
 * Lines of the control connection and the arguments that have a form. What must hold: a
 * line is no longer than it was, its argument lies inside it, and cutting the rest off
 * changes nothing; what is told of a name is one line.
 */
#include "fuzz/fuzz.h"
#include "wire/ftp.h"

static void check_arguments(struct span s) {
        ip4_t address;
        uint16_t port;
        uint64_t v;
        uint8_t out[2 * FTP_LINE_MAX];
        size_t n = s.n > 0 ? ftp_to_ascii(s.data, s.n, out) : 0;

        (void)!ftp_parse_port(s, &address, &port);
        if (ftp_parse_eprt(s, &address, &port) == FTP_EXTENDED_OK)
                assert(port > 0);
        if (ftp_parse_u64(s, &v))
                assert(s.n > 0);
        assert(ftp_parse_facts(s) <= FTP_FACTS_ALL);
        assert(s.n == 0 || n == ftp_ascii_size(s.data, s.n));
}

static void check_name(struct span s) {
        char name[FTP_LINE_MAX + 1];
        struct ftp_entry entry = { name, s.n & 1, s.n, s.n * NSEC_PER_SEC };
        struct text out = { 0 };

        if (s.n > 0)
                memcpy(name, s.data, s.n);
        name[s.n] = '\0';
        (void)ftp_matches(name, "a.rpm");
        (void)ftp_matches("*a?b*", name);
        assert(ftp_matches("*", name));
        ftp_add_quoted(&out, name);
        assert(out.failed || (out.s[0] == '"' && out.s[out.n - 1] == '"'));
        ftp_add_ls(&out, &entry, 0);
        ftp_add_facts(&out, &entry, FTP_FACTS_ALL);
        text_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        size_t at = 0, taken;
        uint8_t line[FTP_LINE_MAX];
        struct ftp_command command;

        while (ftp_parse_line(data + at, n - at, line, &command, &taken) == FTP_OK) {
                struct span s = command.argument;

                assert(taken > 0 && taken <= n - at && taken <= FTP_LINE_MAX + 1);
                assert(data[at + taken - 1] == '\n');
                assert(s.n == 0 || (s.data > line && s.data + s.n <= line + taken));
                assert(strlen(command.name) <= FTP_VERB_TEXT_MAX);
                check_arguments(s);
                check_name(s);
                at += taken;
        }
        return 0;
}
