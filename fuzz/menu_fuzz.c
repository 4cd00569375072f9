/*
 * A stranger's texts in every field of a menu: lines of the input are titles, helps,
 * paths, names, arguments in turn. Whatever they are, no renderer puts a control
 * character into its script, and lines are as many as the model makes them: no text
 * begins one. The first line is a path that a loader may ask for.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "policy/menu_path.h"
#include "render/render.h"

enum { TEXTS = 96, ENTRIES = 12 };

struct input {
        char *copy;
        const char *texts[TEXTS];
        size_t n, next;
};

/* Lines end at a newline only now and then: a byte of 0xff parts them as well, so that
 * texts may have newlines in them. */
static void part(struct input *in, const uint8_t *data, size_t n) {
        char *s = in->copy = calloc(1, n + 1);

        assert(s);
        if (n > 0)
                memcpy(s, data, n);
        for (size_t i = 0, from = 0; i <= n && in->n < TEXTS; i++)
                if (i == n || data[i] == 0xff) {
                        s[i] = '\0';
                        in->texts[in->n++] = s + from;
                        from = i + 1;
                }
}

static const char *text(struct input *in) {
        return in->texts[in->next++ % in->n];
}

static void look(const char *path) {
        struct menu_path found;
        char value[64];

        if (menu_path_parse(path, &found)) {
                assert(found.dialect != POLICY_NO_DIALECT);
                assert(found.n_folder < strlen(path));
        }
        (void)!menu_path_query(path, "p", value, sizeof(value));
}

/* Nothing of the texts: as many lines as they must not change. */
static size_t lines(void (*render)(const struct menu *, struct text *),
                    const struct menu *menu, bool is_hostile) {
        struct text out = { 0 };
        size_t n = 0;

        render(menu, &out);
        for (size_t i = 0; i < out.n; i++) {
                unsigned char c = (unsigned char)out.s[i];

                n += c == '\n';
                assert(!is_hostile || c == '\n' || (c >= 0x20 && c != 0x7f));
        }
        text_done(&out);
        return n;
}

static void (*const renderers[])(const struct menu *,
                                 struct text *) = { render_pxelinux, render_extlinux,
                                                    render_grub, render_ipxe };

/* The same model with texts of one harmless letter where there are any. */
static const char *tame(const char *s) {
        return s && *s ? "x" : "";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static struct menu hostile, harmless;
        static struct menu_file files[ENTRIES][2], tame_files[ENTRIES][2];
        struct input in = { 0 };

        part(&in, data, n);
        look(text(&in));
        hostile = (struct menu){ .title = text(&in),
                                 .server = 0x0a000001,
                                 .http_port = 80,
                                 .by_http = n % 2,
                                 .password = { n % 3 == 0, "", "" },
                                 .groups = { text(&in) },
                                 .n_groups = 1,
                                 .n_entries = ENTRIES };
        harmless = hostile;
        harmless.title = tame(hostile.title);
        harmless.groups[0] = tame(hostile.groups[0]);
        for (size_t i = 0; i < ENTRIES; i++) {
                struct menu_entry *entry = &hostile.entries[i];

                files[i][0] = (struct menu_file){ text(&in), "", text(&in) };
                files[i][1] = (struct menu_file){ text(&in), text(&in), "" };
                *entry = (struct menu_entry){ .kind = (enum menu_kind)i,
                                              .group = i > ENTRIES / 2,
                                              .is_locked = n % 3 == 0 && i % 2,
                                              .id = text(&in),
                                              .title = text(&in),
                                              .help = text(&in),
                                              .kernel = text(&in),
                                              .args = text(&in),
                                              .files = files[i],
                                              .n_files = 2 };
                harmless.entries[i] = *entry;
                harmless.entries[i].id = tame(entry->id);
                harmless.entries[i].title = tame(entry->title);
                harmless.entries[i].help = tame(entry->help);
                harmless.entries[i].args = tame(entry->args);
                for (size_t j = 0; j < 2; j++)
                        tame_files[i][j] = (struct menu_file){ files[i][j].path,
                                                               tame(files[i][j].name),
                                                               tame(files[i][j].args) };
                harmless.entries[i].files = tame_files[i];
        }
        for (size_t i = 0; i < ARRAY_SIZE(renderers); i++) {
                size_t hostile_lines = lines(renderers[i], &hostile, true);

                /* An argument of blanks alone may be no argument. */
                assert(hostile_lines <= lines(renderers[i], &harmless, false));
        }
        free(in.copy);
        return 0;
}
