/*
 * Configurations of dhcpd and dnsmasq as people have them, and broken ones, and what
 * becomes of each: NAME.conf is read; NAME.yaml and NAME.remarks, or NAME.refused, are
 * what comes of it.
 *
 *     import_golden FOLDER          compares
 *     import_golden FOLDER write    writes these files anew: look at the difference
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf.h"
#include "import/import.h"
#include "test/check.h"

static bool writes;

static int load(const char *path, char **ret_text, size_t *ret_n, void *userdata) {
        struct text text = { 0 };
        char buffer[4096];
        FILE *file = fopen(path, "re");
        size_t n;

        if (!file)
                return -errno;
        while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
                text_bytes(&text, buffer, n);
        fclose(file);
        *ret_text = text.s;
        *ret_n = text.n;
        return 0;
}

static int list(const char *path, char **ret_names, size_t *ret_n, void *userdata) {
        struct text names = { 0 };
        DIR *folder = opendir(path);

        if (!folder)
                return -errno;
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
                text_bytes(&names, entry->d_name, strlen(entry->d_name) + 1);
        closedir(folder);
        *ret_names = names.s;
        *ret_n = names.n;
        return 0;
}

static const struct import_files files = { load, list, NULL };

/* NAME.suffix holds this, and does not exist when this is empty. */
static void compare(const char *name, const char *suffix, const struct text *made) {
        struct text path = { 0 };
        char *expected = NULL;
        size_t n = 0;
        FILE *file;

        text_add(&path, name);
        text_add(&path, suffix);
        if (writes) {
                unlink(text_string(&path));
                file = made->n ? fopen(text_string(&path), "we") : NULL;
                if (file) {
                        fwrite(made->s, 1, made->n, file);
                        fclose(file);
                }
        } else {
                if (load(text_string(&path), &expected, &n, NULL) != 0)
                        assert_int_equal(made->n, 0);
                if (strcmp(expected ? expected : "", text_string(made)) != 0)
                        print_message("# %s\n", text_string(&path));
                assert_string_equal(text_string(made), expected ? expected : "");
        }
        free(expected);
        text_done(&path);
}

/* What we make is what we take. */
static void check(const struct text *yaml) {
        static const struct conf_flags no_flags;
        struct conf_problems problems = { 0 };
        struct conf *conf = NULL;
        struct text out = { 0 };
        int r = conf_parse("made", yaml->s, yaml->n, &no_flags, &conf, &problems);

        conf_problems_format(&problems, &out);
        conf_problems_done(&problems);
        conf_free(conf);
        if (r != 0 || out.n)
                fail_msg("%s%s", text_string(yaml), text_string(&out));
        text_done(&out);
}

static void convert(const char *name) {
        struct text path = { 0 }, remarks = { 0 };
        struct import_result result;
        int r;

        text_add(&path, name);
        text_add(&path, ".conf");
        r = import_convert(text_string(&path), IMPORT_ANY, &files, &result);
        assert_true(r == 0 || r == IMPORT_REFUSED);
        for (size_t i = 0; r == 0 && i < result.n_remarks; i++) {
                text_add(&remarks, result.remarks[i].file);
                text_char(&remarks, ':');
                text_u64(&remarks, result.remarks[i].line);
                text_add(&remarks, ": ");
                text_add(&remarks, result.remarks[i].message);
                text_char(&remarks, '\n');
        }
        if (result.problem.n)
                text_char(&result.problem, '\n');
        assert_true((r == 0) == (result.problem.n == 0));
        if (r == 0)
                check(&result.yaml);
        compare(name, ".yaml", &result.yaml);
        compare(name, ".remarks", &remarks);
        compare(name, ".refused", &result.problem);
        import_result_done(&result);
        text_done(&remarks);
        text_done(&path);
}

static int is_configuration(const struct dirent *entry) {
        const char *dot = strrchr(entry->d_name, '.');

        return entry->d_name[0] != '.' && dot && strcmp(dot, ".conf") == 0;
}

static void configurations_become_what_they_became_before(void **state) {
        struct dirent **entries;
        int n = scandir(".", &entries, is_configuration, alphasort);

        assert_true(n >= 12);
        for (int i = 0; i < n; i++) {
                *strrchr(entries[i]->d_name, '.') = '\0';
                convert(entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(configurations_become_what_they_became_before),
        };

        if (chdir(argc > 1 ? argv[1] : "test/golden/import") < 0)
                return 1;
        writes = argc > 2 && strcmp(argv[2], "write") == 0;
        return check_run("golden/import", tests);
}
