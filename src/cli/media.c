/*
 * bootjack media: what was found on the media, and what can be booted from it; and the
 * verbs that bring media, check them and take them away.
 */
#include "cli/media.h"

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/media_starts.h"
#include "cli/table.h"
#include "policy/menu.h"

/* "debian 12 netinst (amd64)" */
static void add_system(struct text *out, const json_t *medium) {
        const char *system = client_text(medium, "system"),
                   *arch = client_text(medium, "arch");
        const char *version = client_text(medium, "version");
        const char *edition = client_text(medium, "edition");

        if (!system || strcmp(system, "unknown") == 0) {
                text_add(out, "unknown system");
                return;
        }
        text_add(out, system);
        if (version) {
                text_char(out, ' ');
                text_add(out, version);
        }
        if (edition) {
                text_char(out, ' ');
                text_add(out, edition);
        }
        if (arch) {
                text_add(out, " (");
                text_add(out, arch);
                text_char(out, ')');
        }
}

/* ---- one medium ---- */

static void add_line(struct text *out, const char *label, const char *value) {
        if (!value)
                return;
        text_add(out, "  ");
        text_add(out, label);
        for (size_t n = strlen(label); n < 12; n++)
                text_char(out, ' ');
        client_add_safe(out, value);
        text_char(out, '\n');
}

static void add_strings(struct text *out, const char *label, const json_t *strings) {
        const json_t *s;
        size_t i;

        json_array_foreach(strings, i, s)
                add_line(out, i == 0 ? label : "", json_string_value(s));
}

/* The keys of an object, or the strings of a list, in one line. */
static void add_words(struct text *out, const char *label, const json_t *words) {
        struct text line = { 0 };
        const char *key;
        const json_t *value;
        size_t i;

        json_array_foreach(words, i, value) {
                text_add(&line, line.n ? ", " : "");
                text_add(&line, json_is_string(value) ? json_string_value(value) : "?");
        }
        json_object_foreach((json_t *)(uintptr_t)words, key, value) {
                text_add(&line, line.n ? ", " : "");
                text_add(&line, key);
        }
        add_line(out, label, line.n ? line.s : NULL);
        out->failed |= line.failed;
        text_done(&line);
}

static void add_memory(struct text *out, json_int_t memory) {
        struct text size = { 0 };

        if (memory <= 0)
                return;
        text_size(&size, (uint64_t)memory);
        add_line(out, "memory", text_string(&size));
        text_done(&size);
}

/* Each way with its whole line, and what it needs of the machine. */
static void add_ways(struct text *out, const json_t *ways) {
        const json_t *way;
        size_t i;

        json_array_foreach(ways, i, way) {
                json_int_t memory = json_integer_value(json_object_get(way, "memory"));
                const char *transport = client_text(way, "transport");
                const char *args = client_text(way, "args");
                struct text label = { 0 }, line = { 0 };

                text_add(&label, "by ");
                text_add(&label, transport ? transport : "?");
                text_add(&line, args ? args : "");
                if (memory > 0) {
                        text_add(&line, " (");
                        text_size(&line, (uint64_t)memory);
                        text_char(&line, ')');
                }
                add_line(out, text_string(&label), text_string(&line));
                text_done(&label);
                text_done(&line);
        }
}

static void add_loaders(struct text *out, const json_t *loaders) {
        static const char *const names[] = { "shim", "grub" };
        const char *firmware;
        const json_t *both;

        json_object_foreach((json_t *)(uintptr_t)loaders, firmware, both) {
                for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                        struct text line = { 0 };

                        if (!client_text(both, names[i]))
                                continue;
                        text_add(&line, client_text(both, names[i]));
                        text_add(&line, " on ");
                        text_add(&line, firmware);
                        add_line(out, names[i], text_string(&line));
                        text_done(&line);
                }
        }
}

/* Which loader is not said where it goes without saying. */
static const char *unusual_boot(const json_t *entry) {
        const char *boot = client_text(entry, "boot");

        return boot && strcmp(boot, "linux") != 0 && strcmp(boot, "program") != 0
                       ? boot
                       : NULL;
}

/* Why it does not pass, or who signed what does. */
static void add_secure(struct text *out, const json_t *secure) {
        const json_t *signers = json_object_get(secure, "kernel_signers");
        struct text line = { 0 };

        if (!client_text(secure, "why") && json_array_size(signers) > 0) {
                text_add(&line, "its kernel is signed by ");
                text_add(&line,
                         menu_text(json_string_value(json_array_get(signers, 0))));
                add_line(out, "Secure Boot", text_string(&line));
        } else {
                add_line(out, "Secure Boot", client_text(secure, "why"));
        }
        text_done(&line);
}

static void add_entry(struct text *out, const json_t *entry) {
        const char *title = client_text(entry, "title"), *id = client_text(entry, "id");
        const json_t *ways = json_object_get(entry, "ways");

        text_char(out, '\n');
        client_add_safe(out, title ? title : "?");
        if (id) {
                text_add(out, " [");
                client_add_safe(out, id);
                text_char(out, ']');
        }
        text_char(out, '\n');
        add_line(out, "about", client_text(entry, "help"));
        add_line(out, "cannot boot", client_text(entry, "why_not"));
        add_line(out, "mended by", client_text(entry, "remedy"));
        add_secure(out, json_object_get(entry, "secure_boot"));
        add_line(out, "started as", unusual_boot(entry));
        add_line(out, "kernel", client_text(entry, "kernel"));
        add_strings(out, "initrd", json_object_get(entry, "initrd"));
        if (json_array_size(ways) > 0)
                add_ways(out, ways);
        else if (json_array_size(json_object_get(entry, "starts")) == 0)
                add_line(out, "arguments", client_text(entry, "args"));
        media_starts_show_args(entry, out);
        add_line(out, "answers", client_text(json_object_get(entry, "answer"), "args"));
        add_words(out, "firmware", json_object_get(entry, "loaders"));
        add_words(out, "fetched by", json_object_get(entry, "transports"));
        if (json_array_size(ways) == 0)
                add_memory(out, json_integer_value(json_object_get(entry, "memory")));
        media_starts_show(entry, out);
}

void media_show(const json_t *medium, struct text *out) {
        struct text system = { 0 };
        const char *name = client_text(medium, "name");
        const json_t *entry;
        size_t i;

        add_system(&system, medium);
        client_add_safe(out, name ? name : "?");
        text_add(out, ": ");
        client_add_safe(out, text_string(&system));
        text_char(out, '\n');
        add_line(out, "path", client_text(medium, "path"));
        add_strings(out, "known by", json_object_get(medium, "recognised_by"));
        add_strings(out, "problem", json_object_get(medium, "problems"));
        add_loaders(out, json_object_get(medium, "loaders"));
        media_starts_show_chains(medium, out);
        json_array_foreach(json_object_get(medium, "entries"), i, entry)
                add_entry(out, entry);
        if (i == 0)
                text_add(out, "  Its files are served; nothing on it is known how to "
                              "boot.\n");
        text_done(&system);
}

/* ---- all of them ---- */

static size_t count_bootable(const json_t *entries) {
        const json_t *entry;
        size_t i, n = 0;

        json_array_foreach(entries, i, entry) n +=
                client_text(entry, "why_not") == NULL;
        return n;
}

static void add_problems(const json_t *media, struct text *out) {
        const json_t *medium, *problem;
        size_t i, k;

        json_array_foreach(media, i, medium)
                json_array_foreach(json_object_get(medium, "problems"), k, problem) {
                const char *name = client_text(medium, "name");
                const char *s = json_string_value(problem);

                client_add_safe(out, name ? name : "?");
                text_add(out, ": ");
                client_add_safe(out, s ? s : "?");
                text_char(out, '\n');
        }
}

static void show_all(const json_t *media, struct text *out) {
        static const char *const headings[] = { "NAME", "SYSTEM", "BOOTS", "PATH",
                                                NULL };
        struct table table;
        const json_t *medium;
        size_t i;

        table_init(&table, headings);
        json_array_foreach(media, i, medium) {
                struct text system = { 0 }, count = { 0 };

                add_system(&system, medium);
                text_u64(&count, count_bootable(json_object_get(medium, "entries")));
                table_cell(&table, client_text(medium, "name"));
                table_cell(&table, text_string(&system));
                table_cell(&table, text_string(&count));
                table_cell(&table, client_text(medium, "path"));
                text_done(&system);
                text_done(&count);
        }
        if (table_is_empty(&table))
                text_add(out, "No media. Put ISO images into a folder that the server "
                              "was given with --media.\n");
        else
                table_format(&table, out);
        table_done(&table);
        add_problems(media, out);
}

static int list(const struct client_flags *flags) {
        struct text out = { 0 };
        json_t *answer = NULL;
        int r = client_ask(flags, "media", "", &answer);

        if (r == CLI_DONE && !flags->json) {
                show_all(answer, &out);
                r = client_print(&out);
        }
        json_decref(answer);
        return r;
}

static int wrong_verb(const struct options *options, const char *verb) {
        static const char *const verbs[] = { "list",   "inspect", "add", "add-netboot",
                                             "remove", "verify",  NULL };
        const char *nearest = text_nearest(verb, verbs);
        struct text why = { 0 };
        int r;

        text_add(&why, "unknown word '");
        client_add_safe(&why, verb);
        text_char(&why, '\'');
        if (nearest) {
                text_add(&why, "; did you mean '");
                text_add(&why, nearest);
                text_add(&why, "'?");
        }
        r = options_wrong(options, text_string(&why));
        text_done(&why);
        return r;
}

static void fill_rows(struct media_wish *wish, struct option_row *rows) {
        const struct option_row own[] = {
                { "files", 0, OPTION_FLAG, NULL, "inspect: every file of an image, too",
                  &wish->files, 0 },
                { "to", 0, OPTION_TEXT, "DIR",
                  "add: into this folder; else the first of the configuration",
                  &wish->to, 0 },
                { "name", 0, OPTION_TEXT, "FILE", "add: under this name", &wish->name,
                  0 },
                { "checksum", 0, OPTION_TEXT, "WHAT",
                  "add: a checksum, or a list with it; else SHA256SUMS beside it",
                  &wish->checksum, 0 },
                { "no-checksum", 0, OPTION_FLAG, NULL, "add: look for none",
                  &wish->no_checksum, 0 },
                { "link", 0, OPTION_FLAG, NULL, "add: a hard link instead of a copy",
                  &wish->link, 0 },
                { "replace", 0, OPTION_FLAG, NULL,
                  "add: in place of the one of this name", &wish->replace, 0 },
                { "yes", 0, OPTION_FLAG, NULL, "remove: do not ask", &wish->yes, 0 },
                { "config", 'c', OPTION_TEXT, "FILE",
                  "which folders of media there are; " CONF_FILE_DEFAULT
                  " if it exists",
                  &wish->conf.file, 0 },
                { "media", 'm', OPTION_TEXTS, "PATH",
                  "these folders instead; may be repeated", wish->conf.media,
                  CONF_FLAG_REPEAT_MAX },
        };

        client_rows(&wish->flags, rows);
        memcpy(rows + CLIENT_ROWS, own, sizeof(own));
}

static int run(const struct options *options, const struct media_wish *wish,
               const struct options_found *found) {
        const char *verb = found->n_operands ? found->operands[0] : "list";
        const char *const *operands = found->operands + 1;
        size_t n = found->n_operands ? found->n_operands - 1 : 0;

        if (strcmp(verb, "list") == 0)
                return n == 0 ? list(&wish->flags)
                              : options_wrong(options,
                                              "list takes no name; try inspect "
                                              "PATH");
        if (strcmp(verb, "inspect") == 0)
                return n == 1 ? media_inspect_path(wish, operands[0])
                              : options_wrong(
                                        options,
                                        "inspect needs the path of an image or of "
                                        "an extracted tree");
        if (strcmp(verb, "add") == 0)
                return n == 1 ? media_add(wish, operands[0])
                              : options_wrong(options, "add needs a path or a URL");
        if (strcmp(verb, "add-netboot") == 0)
                return n == 2 ? media_add_netboot(wish, operands[0], operands[1])
                              : options_wrong(options, "add-netboot needs a name, such "
                                                       "as debian-12, and an archive");
        if (strcmp(verb, "remove") == 0)
                return n > 0 ? media_remove(wish, operands)
                             : options_wrong(options,
                                             "remove needs the name or path of "
                                             "a medium");
        if (strcmp(verb, "verify") == 0)
                return n > 0 ? media_verify(wish, operands)
                             : options_wrong(options,
                                             "verify needs the name or path of "
                                             "a medium");
        return wrong_verb(options, verb);
}

int cli_media(int argc, char **argv) {
        struct media_wish wish = { 0 };
        struct option_row rows[CLIENT_ROWS + 11] = { 0 };
        const struct options options = {
                "media",
                "Show the media that the server has found; or, without a server, read "
                "one, add,\nverify or remove some. Folders of media are those of the "
                "configuration.",
                "[list | inspect PATH | add PATH|URL | add-netboot NAME ARCHIVE |\n"
                "                verify NAME... | remove NAME...]",
                OPTIONS_OPERANDS_MAX, rows
        };
        struct options_found found;
        int r;

        fill_rows(&wish, rows);
        r = options_parse(&options, argc, argv, &found);
        return r == OPTIONS_GO_ON ? run(&options, &wish, &found) : r;
}
