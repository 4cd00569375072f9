/*
 * Lines of the control connection, and what is said there that has a form of its own.
 *
 * The connection is one of TELNET (RFC 959 3.1): an interrupt and a data mark come
 * before ABOR, options may be offered by terminals. All of it is taken out and nothing
 * answered, which is to refuse (RFC 854). An argument is a span of what is left.
 */
#include "wire/ftp.h"

#include "wire/calendar.h"

static const struct {
        char name[FTP_VERB_TEXT_MAX + 1];
        enum ftp_verb verb;
} verbs[] = {
        { "ABOR", FTP_ABOR },   { "ACCT", FTP_ACCT },   { "ADAT", FTP_ABSENT },
        { "ALLO", FTP_ALLO },   { "APPE", FTP_WRITES }, { "AUTH", FTP_ABSENT },
        { "CCC", FTP_ABSENT },  { "CDUP", FTP_CDUP },   { "CLNT", FTP_CLNT },
        { "CONF", FTP_ABSENT }, { "CWD", FTP_CWD },     { "DELE", FTP_WRITES },
        { "ENC", FTP_ABSENT },  { "EPRT", FTP_EPRT },   { "EPSV", FTP_EPSV },
        { "FEAT", FTP_FEAT },   { "HELP", FTP_HELP },   { "HOST", FTP_ABSENT },
        { "LANG", FTP_ABSENT }, { "LIST", FTP_LIST },   { "LPRT", FTP_ABSENT },
        { "LPSV", FTP_ABSENT }, { "MDTM", FTP_MDTM },   { "MFMT", FTP_WRITES },
        { "MIC", FTP_ABSENT },  { "MKD", FTP_WRITES },  { "MLSD", FTP_MLSD },
        { "MLST", FTP_MLST },   { "MODE", FTP_MODE },   { "NLST", FTP_NLST },
        { "NOOP", FTP_NOOP },   { "OPTS", FTP_OPTS },   { "PASS", FTP_PASS },
        { "PASV", FTP_PASV },   { "PBSZ", FTP_ABSENT }, { "PORT", FTP_PORT },
        { "PROT", FTP_ABSENT }, { "PWD", FTP_PWD },     { "QUIT", FTP_QUIT },
        { "REIN", FTP_REIN },   { "REST", FTP_REST },   { "RETR", FTP_RETR },
        { "RMD", FTP_WRITES },  { "RNFR", FTP_WRITES }, { "RNTO", FTP_WRITES },
        { "SITE", FTP_ABSENT }, { "SIZE", FTP_SIZE },   { "SMNT", FTP_ABSENT },
        { "STAT", FTP_STAT },   { "STOR", FTP_WRITES }, { "STOU", FTP_WRITES },
        { "STRU", FTP_STRU },   { "SYST", FTP_SYST },   { "TYPE", FTP_TYPE },
        { "USER", FTP_USER },   { "XCUP", FTP_CDUP },   { "XCWD", FTP_CWD },
        { "XMKD", FTP_WRITES }, { "XPWD", FTP_PWD },    { "XRMD", FTP_WRITES },
};

static char upper(uint8_t c) {
        return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

bool ftp_is_word(struct span s, const char *word) {
        if (s.n != strlen(word))
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (upper(s.data[i]) != word[i])
                        return false;
        return true;
}

/* RFC 854: IAC and one byte, or two from WILL on; IAC IAC is a byte of the text. */
static size_t without_telnet(const uint8_t *data, size_t n, uint8_t *line) {
        enum { IAC = 255, WILL = 251 };
        size_t to = 0;

        for (size_t i = 0; i < n; i++) {
                if (data[i] != IAC) {
                        line[to++] = data[i];
                } else if (i + 1 < n && data[i + 1] == IAC) {
                        line[to++] = data[++i];
                } else {
                        i += i + 1 < n && data[i + 1] >= WILL ? 2 : 1;
                }
        }
        return to;
}

static void read_name(struct span word, struct ftp_command *ret) {
        bool is_word = word.n > 0 && word.n <= FTP_VERB_TEXT_MAX;

        for (size_t i = 0; is_word && i < word.n; i++)
                is_word = upper(word.data[i]) >= 'A' && upper(word.data[i]) <= 'Z';
        if (!is_word)
                return;
        for (size_t i = 0; i < word.n; i++)
                ret->name[i] = upper(word.data[i]);
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                if (strcmp(ret->name, verbs[i].name) == 0)
                        ret->verb = verbs[i].verb;
}

enum ftp_verdict ftp_parse_line(const uint8_t *data, size_t n,
                                uint8_t line[static FTP_LINE_MAX],
                                struct ftp_command *ret, size_t *ret_n) {
        struct ftp_command command = { .verb = FTP_UNKNOWN };
        const uint8_t *end = n > 0 ? memchr(data, '\n', n) : NULL, *space;
        size_t length, word;

        if (!end && n <= FTP_LINE_MAX)
                return FTP_MORE;
        if (!end || end - data > FTP_LINE_MAX)
                return FTP_TOO_LONG;
        length = (size_t)(end - data);
        *ret_n = length + 1;
        if (length > 0 && data[length - 1] == '\r')
                length--;
        length = without_telnet(data, length, line);
        space = length > 0 ? memchr(line, ' ', length) : NULL;
        word = space ? (size_t)(space - line) : length;
        read_name((struct span){ line, word }, &command);
        if (space)
                command.argument = (struct span){ space + 1, length - word - 1 };
        *ret = command;
        return FTP_OK;
}

static bool read_number(struct span *s, uint64_t most, uint64_t *ret) {
        uint64_t v = 0;
        size_t i = 0;

        for (; i < s->n && s->data[i] >= '0' && s->data[i] <= '9'; i++) {
                uint64_t digit = (uint64_t)(s->data[i] - '0');

                if (v > (most - digit) / 10 || digit > most)
                        return false;
                v = v * 10 + digit;
        }
        if (i == 0)
                return false;
        *s = (struct span){ s->data + i, s->n - i };
        *ret = v;
        return true;
}

static bool skip_byte(struct span *s, uint8_t c) {
        if (s->n == 0 || s->data[0] != c)
                return false;
        *s = (struct span){ s->data + 1, s->n - 1 };
        return true;
}

bool ftp_parse_u64(struct span s, uint64_t *ret) {
        uint64_t v;

        if (!read_number(&s, UINT64_MAX, &v) || s.n > 0)
                return false;
        *ret = v;
        return true;
}

bool ftp_parse_port(struct span s, ip4_t *ret_address, uint16_t *ret_port) {
        uint64_t v[6];

        for (size_t i = 0; i < 6; i++)
                if (!read_number(&s, 255, &v[i]) || (i < 5 && !skip_byte(&s, ',')))
                        return false;
        if (s.n > 0)
                return false;
        *ret_address = (ip4_t)(v[0] << 24 | v[1] << 16 | v[2] << 8 | v[3]);
        *ret_port = (uint16_t)(v[4] << 8 | v[5]);
        return true;
}

/* Up to the delimiter, which is skipped. */
static bool read_field(struct span *s, uint8_t delimiter, struct span *ret) {
        const uint8_t *end = s->n > 0 ? memchr(s->data, delimiter, s->n) : NULL;

        if (!end)
                return false;
        *ret = (struct span){ s->data, (size_t)(end - s->data) };
        *s = (struct span){ end + 1, s->n - ret->n - 1 };
        return true;
}

enum ftp_extended ftp_parse_eprt(struct span s, ip4_t *ret_address,
                                 uint16_t *ret_port) {
        struct span protocol, address, port;
        uint64_t number;
        ip4_t ip;
        uint8_t d;

        /* RFC 2428 2: the delimiter is any of the printable characters. */
        if (s.n == 0 || s.data[0] < 33 || s.data[0] > 126)
                return FTP_EXTENDED_WRONG;
        d = s.data[0];
        s = (struct span){ s.data + 1, s.n - 1 };
        if (!read_field(&s, d, &protocol) || !read_field(&s, d, &address) ||
            !read_field(&s, d, &port) || s.n > 0 || !ftp_parse_u64(protocol, &number))
                return FTP_EXTENDED_WRONG;
        if (number != 1)
                return FTP_EXTENDED_PROTOCOL;
        if (!ip4_parse_n((const char *)address.data, address.n, &ip) ||
            !ftp_parse_u64(port, &number) || number == 0 || number > UINT16_MAX)
                return FTP_EXTENDED_WRONG;
        *ret_address = ip;
        *ret_port = (uint16_t)number;
        return FTP_EXTENDED_OK;
}

size_t ftp_to_ascii(const uint8_t *data, size_t n, uint8_t *out) {
        size_t to = 0;

        for (size_t i = 0; i < n; i++) {
                if (data[i] == '\n')
                        out[to++] = '\r';
                out[to++] = data[i];
        }
        return to;
}

uint64_t ftp_ascii_size(const uint8_t *data, size_t n) {
        uint64_t size = n;

        for (size_t i = 0; i < n; i++)
                size += data[i] == '\n';
        return size;
}

void ftp_add_time(struct text *out, nsec_t time) {
        struct calendar d = calendar_of(time / NSEC_PER_SEC);

        text_u64_padded(out, d.year, 4);
        text_u64_padded(out, d.month, 2);
        text_u64_padded(out, d.day, 2);
        text_u64_padded(out, d.hour, 2);
        text_u64_padded(out, d.minute, 2);
        text_u64_padded(out, d.second, 2);
}

static void add_right(struct text *out, uint64_t v, size_t width) {
        size_t digits = 1;

        for (uint64_t rest = v; rest >= 10; rest /= 10)
                digits++;
        for (; digits < width; digits++)
                text_char(out, ' ');
        text_u64(out, v);
}

void ftp_add_ls(struct text *out, const struct ftp_entry *entry, nsec_t now) {
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        const nsec_t half_a_year = 182 * 86400 * NSEC_PER_SEC;
        struct calendar d = calendar_of(entry->mtime / NSEC_PER_SEC);
        bool is_recent = entry->mtime <= now && now - entry->mtime < half_a_year;

        text_add(out, entry->is_folder ? "dr-xr-xr-x   2" : "-r--r--r--   1");
        text_add(out, " ftp      ftp      ");
        add_right(out, entry->size, 12);
        text_char(out, ' ');
        text_bytes(out, months + (d.month - 1) * 3, 3);
        text_char(out, ' ');
        text_u64_padded(out, d.day, 2);
        text_char(out, ' ');
        if (is_recent) {
                text_u64_padded(out, d.hour, 2);
                text_char(out, ':');
                text_u64_padded(out, d.minute, 2);
        } else {
                add_right(out, d.year, 5);
        }
        text_char(out, ' ');
        text_add(out, entry->name);
        text_add(out, "\r\n");
}

static const struct {
        const char *name;
        const char *word;
        unsigned fact;
} facts_known[] = {
        { "type", "TYPE", FTP_FACT_TYPE },
        { "size", "SIZE", FTP_FACT_SIZE },
        { "modify", "MODIFY", FTP_FACT_MODIFY },
        { "perm", "PERM", FTP_FACT_PERM },
};

void ftp_add_fact_names(struct text *out, unsigned chosen, bool is_feature) {
        for (size_t i = 0; i < ARRAY_SIZE(facts_known); i++) {
                if (!is_feature && !(chosen & facts_known[i].fact))
                        continue;
                text_add(out, facts_known[i].name);
                text_add(out, is_feature && chosen & facts_known[i].fact ? "*;" : ";");
        }
}

unsigned ftp_parse_facts(struct span s) {
        unsigned facts = 0;
        struct span word;

        /* RFC 3659 7.9: what is not known here is passed over. */
        while (read_field(&s, ';', &word))
                for (size_t i = 0; i < ARRAY_SIZE(facts_known); i++)
                        if (ftp_is_word(word, facts_known[i].word))
                                facts |= facts_known[i].fact;
        return facts;
}

void ftp_add_facts(struct text *out, const struct ftp_entry *entry, unsigned facts) {
        if (facts & FTP_FACT_TYPE)
                text_add(out, entry->is_folder ? "type=dir;" : "type=file;");
        if (facts & FTP_FACT_SIZE && !entry->is_folder) {
                text_add(out, "size=");
                text_u64(out, entry->size);
                text_char(out, ';');
        }
        if (facts & FTP_FACT_MODIFY) {
                text_add(out, "modify=");
                ftp_add_time(out, entry->mtime);
                text_char(out, ';');
        }
        /* RFC 3659 7.5.5: e and l of a folder, r of a file. */
        if (facts & FTP_FACT_PERM)
                text_add(out, entry->is_folder ? "perm=el;" : "perm=r;");
        text_char(out, ' ');
        text_add(out, entry->name);
}

void ftp_add_quoted(struct text *out, const char *path) {
        text_char(out, '"');
        for (; *path; path++) {
                if (*path == '"')
                        text_char(out, '"');
                text_char(out, *path);
        }
        text_char(out, '"');
}

bool ftp_matches(const char *pattern, const char *name) {
        const char *star = NULL, *star_at = NULL;

        while (*name) {
                if (*pattern == '*') {
                        star = pattern++;
                        star_at = name;
                } else if (*pattern == '?' || *pattern == *name) {
                        pattern++;
                        name++;
                } else if (star) {
                        pattern = star + 1;
                        name = ++star_at;
                } else {
                        return false;
                }
        }
        while (*pattern == '*')
                pattern++;
        return *pattern == '\0';
}
