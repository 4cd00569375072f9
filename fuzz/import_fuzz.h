#pragma once
/*
 * What both readers of the importer promise of any bytes: an answer, a message with a
 * refusal, and YAML that our own parser takes as it is. A NUL parts the input into
 * files; the first is the one that is named, the others go by their numbers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "fuzz/fuzz.h"
#include "import/import.h"

struct import_fuzz {
        const char *data;
        size_t n;
};

static int import_fuzz_load(const char *path, char **ret_text, size_t *ret_n,
                            void *userdata) {
        const struct import_fuzz *input = userdata;
        const char *at = input->data, *end = at + input->n, *nul;
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        int which = name[0] - '0';

        if (which < 0 || which > 9 || name[1])
                return -ENOENT;
        for (; which > 0; which--, at = nul + 1) {
                nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
                if (!nul)
                        return -ENOENT;
        }
        nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        *ret_n = (size_t)((nul ? nul : end) - at);
        *ret_text = malloc(*ret_n + 1);
        if (!*ret_text)
                return -ENOMEM;
        if (*ret_n)
                memcpy(*ret_text, at, *ret_n);
        return 0;
}

static int import_fuzz_list(const char *path, char **ret_names, size_t *ret_n,
                            void *userdata) {
        static const char names[] = "1\0002\0003";

        *ret_n = sizeof(names);
        *ret_names = malloc(sizeof(names));
        if (!*ret_names)
                return -ENOMEM;
        memcpy(*ret_names, names, sizeof(names));
        return 0;
}

static void import_fuzz_check(const struct text *yaml) {
        static const struct conf_flags no_flags;
        struct conf_problems problems = { 0 };
        struct conf *conf = NULL;
        int r = conf_parse("made", yaml->s, yaml->n, &no_flags, &conf, &problems);

        if (r != 0) {
                struct text out = { 0 };

                conf_problems_format(&problems, &out);
                fprintf(stderr, "%s%s", text_string(yaml), text_string(&out));
        }
        assert(r == 0);
        conf_problems_done(&problems);
        conf_free(conf);
}

static void import_fuzz_run(const uint8_t *data, size_t n, enum import_kind kind) {
        struct import_fuzz input = { (const char *)data, n };
        const struct import_files files = { import_fuzz_load, import_fuzz_list,
                                            &input };
        struct import_result result;
        int r = import_convert("0", kind, &files, &result);

        assert(r == 0 || r == IMPORT_REFUSED);
        assert((r == 0) == (result.problem.n == 0));
        assert((r == 0) == (result.yaml.n > 0));
        for (size_t i = 0; i < result.n_remarks; i++)
                assert(!strchr(result.remarks[i].message, '\n'));
        if (r == 0)
                import_fuzz_check(&result.yaml);
        import_result_done(&result);
}
