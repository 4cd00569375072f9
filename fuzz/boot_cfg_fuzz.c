/* A boot.cfg of any bytes, rewritten: no path of it leads elsewhere than below the
 * prefix, which stands there once, before any path; and to rewrite what was rewritten
 * changes nothing. */
#include "fuzz/fuzz.h"
#include "render/made.h"

static bool has(const char *path, size_t n, void *userdata) {
        return n % 2 == 0;
}

static bool begins(const char *line, const char *name) {
        return strncmp(line, name, strlen(name)) == 0;
}

static void look_at(const char *line, unsigned *n_prefixes) {
        const char *end = line + strcspn(line, "\n");

        if (begins(line, "prefix=")) {
                assert(begins(line, "prefix=http://h/media/x\n"));
                ++*n_prefixes;
        }
        if (!begins(line, "kernel=") && !begins(line, "modules="))
                return;
        assert(*n_prefixes == 1);
        for (const char *s = strchr(line, '=') + 1; s < end; s++)
                assert(*s != '/' || (s[-1] != '=' && s[-1] != ' '));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct text out = { 0 }, again = { 0 };
        unsigned n_prefixes = 0;
        bool is_one = made_boot_cfg((const char *)data, n, "http://h/media/x",
                                    "runweasel", has, NULL, &out);

        if (is_one && !memchr(out.s, '\0', out.n)) {
                for (const char *line = out.s; line && *line;) {
                        look_at(line, &n_prefixes);
                        line = strchr(line, '\n');
                        line = line ? line + 1 : NULL;
                }
                assert(n_prefixes == 1);
                assert(made_boot_cfg(out.s, out.n, "http://h/media/x", "runweasel", has,
                                     NULL, &again));
        }
        text_done(&again);
        text_done(&out);
        return 0;
}
