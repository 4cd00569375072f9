/* The option table for people and for programs. */
#include "conf/internal.h"

static void add_limits(const struct option *option, struct text *out) {
        if (option->least) {
                text_add(out, option->most ? ", from " : ", at least ");
                text_add(out, option->least);
        }
        if (option->most) {
                text_add(out, option->least ? " to " : ", at most ");
                text_add(out, option->most);
        }
}

static void add_markdown(const struct option *keys, const char *prefix,
                         struct text *out) {
        for (; keys->key; keys++) {
                struct text path = { 0 };

                text_add(&path, prefix);
                text_add(&path, keys->key);
                if (!keys->keys) {
                        text_add(out, "| `");
                        text_add(out, text_string(&path));
                        text_add(out, "` | ");
                        text_add(out, keys->type->name);
                        add_limits(keys, out);
                        text_add(out, " | ");
                        if (keys->fallback && keys->fallback[0]) {
                                text_char(out, '`');
                                text_add(out, keys->fallback);
                                text_char(out, '`');
                        }
                        text_add(out, " | ");
                        if (keys->type == &type_later)
                                text_add(out, "accepted; this version does not ");
                        text_add(out, keys->help);
                        text_add(out, " |\n");
                } else {
                        text_add(&path, keys->type == &type_maps ? "[]." : ".");
                        add_markdown(keys->keys, text_string(&path), out);
                }
                text_done(&path);
        }
}

void conf_options_markdown(struct text *out) {
        text_add(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
        add_markdown(conf_options, "", out);
}

static void add_json(const struct option *keys, const char *prefix, struct text *out) {
        for (; keys->key; keys++) {
                struct text path = { 0 };

                text_add(&path, prefix);
                text_add(&path, keys->key);
                if (keys->keys) {
                        text_add(&path, keys->type == &type_maps ? "[]." : ".");
                        add_json(keys->keys, text_string(&path), out);
                } else {
                        text_json_next(out);
                        text_char(out, '{');
                        text_json_pair(out, "key", text_string(&path));
                        text_json_pair(out, "type", keys->type->json);
                        text_json_pair(out, "default", keys->fallback);
                        text_json_pair(out, "meaning", keys->help);
                        text_char(out, '}');
                }
                text_done(&path);
        }
}

void conf_options_json(struct text *out) {
        text_char(out, '[');
        add_json(conf_options, "", out);
        text_char(out, ']');
}
