/* bootjack explain: what would this machine boot, and why? */
#include "cli/cli.h"
#include "cli/client.h"
#include "policy/policy.h"

static void add_line(struct text *out, const char *label, const char *value) {
        if (!value)
                return;
        text_add(out, "  ");
        text_add(out, label);
        for (size_t n = strlen(label); n < 13; n++)
                text_char(out, ' ');
        client_add_safe(out, value);
        text_char(out, '\n');
}

static void add_verdict(struct text *out, const json_t *facts, const json_t *decision) {
        const char *verdict = client_text(decision, "verdict"),
                   *mac = client_text(facts, "mac");
        const char *firmware = client_text(facts, "firmware"),
                   *why = client_text(decision, "why");

        client_add_safe(out, mac ? mac : "the machine");
        if (firmware) {
                text_add(out, " (");
                client_add_safe(out, firmware);
                text_char(out, ')');
        }
        if (verdict && strcmp(verdict, "boot") == 0)
                text_add(out, " boots");
        else if (verdict && strcmp(verdict, "not-a-boot") == 0)
                text_add(out, " gets an address and nothing to boot");
        else
                text_add(out, " cannot boot");
        if (why) {
                text_add(out, ": ");
                client_add_safe(out, why);
        }
        text_char(out, '\n');
        add_line(out, "file", client_text(decision, "file"));
        add_line(out, "next server", client_text(decision, "next_server"));
        add_line(out, "menu for", client_text(decision, "dialect"));
}

static void add_trace(struct text *out, const json_t *trace) {
        const json_t *step;
        size_t i;

        if (json_array_size(trace) > 0)
                text_add(out, "\nHow that was found:\n");
        json_array_foreach(trace, i, step) {
                const char *rule = client_text(step, "rule"),
                           *outcome = client_text(step, "outcome");

                text_add(out, i < 9 ? "   " : "  ");
                text_u64(out, i + 1);
                text_add(out, ". ");
                client_add_safe(out, rule ? rule : "?");
                text_add(out, ": ");
                client_add_safe(out, outcome ? outcome : "?");
                text_char(out, '\n');
        }
}

static void add_menu(struct text *out, const json_t *menu) {
        const json_t *entry;
        size_t i;

        if (json_array_size(menu) > 0)
                text_add(out, "\nThe menu that it will see:\n");
        json_array_foreach(menu, i, entry) {
                const char *title = client_text(entry, "title"),
                           *id = client_text(entry, "id");

                text_add(out, json_is_true(json_object_get(entry, "default"))
                                      ? "   * "
                                      : "     ");
                client_add_safe(out, title ? title : "?");
                if (id) {
                        text_add(out, " [");
                        client_add_safe(out, id);
                        text_char(out, ']');
                }
                text_char(out, '\n');
        }
}

/* As it is: lines of a script, whose texts have no control characters any more. */
static void add_script(struct text *out, const char *script) {
        while (script && *script) {
                size_t n = strcspn(script, "\n");

                text_printable(out, script, n);
                text_char(out, '\n');
                script += n + (script[n] == '\n');
        }
}

static void show(const json_t *answer, struct text *out) {
        if (json_object_get(answer, "script")) {
                add_script(out, json_string_value(json_object_get(answer, "script")));
                return;
        }
        add_verdict(out, json_object_get(answer, "facts"),
                    json_object_get(answer, "decision"));
        add_trace(out, json_object_get(answer, "trace"));
        add_menu(out, json_object_get(answer, "menu"));
}

static int wrong_arch(const struct options *options, const char *arch) {
        const char *nearest = text_nearest(arch, policy_arch_words);
        struct text why = { 0 };
        int r;

        text_add(&why, "--arch: there is no '");
        client_add_safe(&why, arch);
        text_add(&why, nearest ? "'; did you mean '" : "'; it is one of");
        if (nearest) {
                text_add(&why, nearest);
                text_add(&why, "'?");
        }
        for (size_t i = 0; !nearest && policy_arch_words[i]; i++) {
                text_add(&why, i ? ", " : " ");
                text_add(&why, policy_arch_words[i]);
        }
        r = options_wrong(options, text_string(&why));
        text_done(&why);
        return r;
}

struct question {
        struct client_flags client;
        struct mac mac;
        const char *arch, *interface;
        bool menu;
};

static int ask(const struct question *question) {
        struct text arguments = { 0 }, out = { 0 };
        json_t *answer = NULL;
        int r;

        text_add(&arguments, "mac=");
        text_mac(&arguments, question->mac);
        if (question->arch) {
                text_add(&arguments, " arch=");
                text_add(&arguments, question->arch);
        }
        if (question->interface) {
                text_add(&arguments, " interface=");
                text_add(&arguments, question->interface);
        }
        if (question->menu)
                text_add(&arguments, " script=1");
        r = client_ask(&question->client, "explain", text_string(&arguments), &answer);
        if (r == CLI_DONE && !question->client.json) {
                show(answer, &out);
                r = client_print(&out);
        }
        json_decref(answer);
        text_done(&arguments);
        return r;
}

int cli_explain(int argc, char **argv) {
        struct question question = { 0 };
        struct option_row rows[4 + CLIENT_ROWS + 1] = {
                { "mac", 0, OPTION_MAC, "MAC", "the machine", &question.mac, 0 },
                { "arch", 0, OPTION_TEXT, "ARCH",
                  "its firmware: bios, x64, arm64, x64-http ...", &question.arch, 0 },
                { "interface", 0, OPTION_TEXT, "IF", "the network that it is on",
                  &question.interface, 0 },
                { "menu", 0, OPTION_FLAG, NULL,
                  "show the menu as its loader would be given it", &question.menu, 0 },
        };
        const struct options options = { "explain",
                                         "Say what a machine boots, and why.", NULL, 0,
                                         rows };
        struct options_found found;
        uint16_t arch;
        int r;

        client_rows(&question.client, rows + 4);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        if (mac_is_zero(question.mac))
                return options_wrong(&options, "which machine? Give its --mac MAC");
        if (question.arch && !policy_arch_parse(question.arch, &arch))
                return wrong_arch(&options, question.arch);
        if (question.interface && strchr(question.interface, ' '))
                return options_wrong(&options, "--interface: a name has no blanks");
        return ask(&question);
}
