/*
 * bootjack import: somebody else's configuration as ours. The files are read here and
 * nowhere else; a path in them that is not absolute is looked for beside the first.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/server.h"
#include "import/import.h"

struct source {
        const char *first; /* as given on the command line */
};

/* The path in a text that the caller frees. */
static void find(const struct source *source, const char *path, struct text *ret) {
        const char *slash = strrchr(source->first, '/');

        if (path[0] != '/' && slash && strcmp(path, source->first) != 0 &&
            access(path, F_OK) != 0)
                text_bytes(ret, source->first, (size_t)(slash + 1 - source->first));
        text_add(ret, path);
}

static int read_all(int fd, struct text *text) {
        char buffer[16384];
        ssize_t n;

        while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
                text_bytes(text, buffer, (size_t)n);
                if (text->n > IMPORT_BYTES_MAX)
                        return -EFBIG;
        }
        if (n < 0)
                return -errno;
        return text->failed ? -ENOMEM : 0;
}

static int load(const char *path, char **ret_text, size_t *ret_n, void *userdata) {
        struct text where = { 0 }, text = { 0 };
        int fd, r;

        find(userdata, path, &where);
        fd = open(text_string(&where), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        r = fd < 0 ? -errno : read_all(fd, &text);
        if (fd >= 0)
                close(fd);
        text_done(&where);
        if (r == 0) {
                *ret_n = text.n;
                *ret_text = TAKE(text.s);
        }
        text_done(&text);
        return r;
}

static int list(const char *path, char **ret_names, size_t *ret_n, void *userdata) {
        struct text where = { 0 }, names = { 0 };
        struct dirent *entry;
        DIR *folder;

        find(userdata, path, &where);
        folder = opendir(text_string(&where));
        text_done(&where);
        if (!folder)
                return -errno;
        while ((entry = readdir(folder)) != NULL)
                if (entry->d_name[0] != '.' && entry->d_type != DT_DIR)
                        text_bytes(&names, entry->d_name, strlen(entry->d_name) + 1);
        closedir(folder);
        if (names.failed) {
                text_done(&names);
                return -ENOMEM;
        }
        *ret_n = names.n;
        *ret_names = TAKE(names.s);
        return 0;
}

static void add_json(const char *path, const struct import_result *result,
                     struct text *out) {
        text_char(out, '{');
        text_json_pair(out, "file", path);
        text_json_pair(out, "from", import_kind_name(result->kind));
        text_json_pair(out, "yaml", text_string(&result->yaml));
        text_json_key(out, "remarks");
        text_char(out, '[');
        for (size_t i = 0; i < result->n_remarks; i++) {
                const struct import_remark *remark = &result->remarks[i];

                text_json_next(out);
                text_char(out, '{');
                text_json_pair(out, "file", remark->file);
                text_json_pair_u64(out, "line", remark->line);
                text_json_pair(out, "message", remark->message);
                text_char(out, '}');
        }
        text_add(out, "]}\n");
}

static void say_remarks(const struct import_result *result) {
        for (size_t i = 0; i < result->n_remarks; i++)
                fprintf(stderr, "%s:%u: %s\n", result->remarks[i].file,
                        result->remarks[i].line, result->remarks[i].message);
}

static int convert(const char *path, enum import_kind kind, bool json) {
        struct source source = { path };
        const struct import_files files = { load, list, &source };
        struct import_result result;
        struct text out = { 0 };
        int r = import_convert(path, kind, &files, &result);

        if (r != 0) {
                fprintf(stderr, "%s\n",
                        r < 0 ? "bootjack: out of memory"
                              : text_string(&result.problem));
                import_result_done(&result);
                return CLI_FAILED;
        }
        if (json)
                add_json(path, &result, &out);
        else
                text_bytes(&out, result.yaml.s, result.yaml.n);
        if (!json)
                say_remarks(&result);
        import_result_done(&result);
        return print_text(&out);
}

int cli_import(int argc, char **argv) {
        bool json = false;
        const char *from = NULL;
        const struct option_row rows[] = {
                { "from", 0, OPTION_TEXT, "dhcpd|dnsmasq",
                  "what FILE is; else found out by its content", &from, 0 },
                { "json", 0, OPTION_FLAG, NULL,
                  "the configuration and the remarks as JSON", &json, 0 },
                { 0 },
        };
        const struct options options = {
                "import",
                "Turn a dhcpd.conf or dnsmasq.conf into a configuration on standard "
                "output, and say line by line what could not be carried.",
                "FILE", 1, rows
        };
        struct options_found found;
        enum import_kind kind = IMPORT_ANY;
        int r = options_parse(&options, argc, argv, &found);

        if (r != OPTIONS_GO_ON)
                return r;
        if (found.n_operands != 1)
                return options_wrong(&options, "name the file to convert");
        if (from && !import_kind_parse(from, &kind))
                return options_wrong(&options, "--from is dhcpd or dnsmasq");
        return convert(found.operands[0], kind, json);
}
