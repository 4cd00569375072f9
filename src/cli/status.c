/* bootjack status: is a server there, what does it serve, and is anything wrong. */
#include "cli/cli.h"
#include "cli/client.h"

enum { LABEL_WIDTH = 12, DOOR_WIDTH = 16 };

static void add_label(struct text *out, const char *label) {
        text_add(out, label);
        for (size_t n = strlen(label); n < LABEL_WIDTH; n++)
                text_char(out, ' ');
}

static void add_member(struct text *out, const json_t *object, const char *name,
                       const char *otherwise) {
        char scratch[24];
        const char *s = client_member(object, name, scratch);

        client_add_safe(out, s ? s : otherwise);
}

static void add_duration(struct text *out, json_int_t seconds) {
        static const struct {
                const char *unit;
                json_int_t seconds;
        } units[] = { { " d ", 86400 }, { " h ", 3600 }, { " min ", 60 }, { " s", 1 } };
        bool begun = false;

        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                json_int_t n = seconds / units[i].seconds;

                seconds %= units[i].seconds;
                if (n == 0 && !begun && i + 1 < ARRAY_SIZE(units))
                        continue;
                begun = true;
                text_u64(out, (uint64_t)n);
                text_add(out, units[i].unit);
        }
}

static void add_head(struct text *out, const json_t *status) {
        json_int_t uptime = json_integer_value(json_object_get(status, "uptime"));

        text_add(out, "bootjack ");
        add_member(out, status, "version", "of an unknown version");
        text_add(out, " is serving, for ");
        add_duration(out, uptime < 0 ? 0 : uptime);
        text_char(out, '\n');
        add_label(out, "DHCP");
        add_member(out, status, "mode", "unknown");
        text_char(out, '\n');
}

static void add_six(struct text *out, const json_t *interface) {
        const json_t *address;
        size_t i;

        json_array_foreach(json_object_get(interface, "addresses6"), i, address) {
                text_add(out, ", ");
                text_add(out, json_string_value(address));
        }
}

static void add_interfaces(struct text *out, const json_t *status) {
        const json_t *interface;
        size_t i;

        json_array_foreach(json_object_get(status, "interfaces"), i, interface) {
                add_label(out, i == 0 ? "interfaces" : "");
                add_member(out, interface, "name", "?");
                text_char(out, ' ');
                add_member(out, interface, "address", "without an address");
                add_six(out, interface);
                text_char(out, '\n');
        }
}

/* "tftp 69, http 80" */
static void add_ports(struct text *out, const json_t *status) {
        const char *name;
        const json_t *port;
        bool begun = false;

        add_label(out, "ports");
        json_object_foreach((json_t *)(uintptr_t)json_object_get(status, "ports"), name,
                            port) {
                text_add(out, begun ? ", " : "");
                begun = true;
                client_add_safe(out, name);
                if (json_integer_value(port) > 0) {
                        text_char(out, ' ');
                        text_u64(out, (uint64_t)json_integer_value(port));
                } else {
                        text_add(out, " off");
                }
        }
        text_char(out, '\n');
}

/* "ftp 21/tcp 192.168.1.6": one line for each that is open. */
static void add_doors(struct text *out, const json_t *status) {
        const json_t *door;
        size_t i;

        json_array_foreach(json_object_get(status, "doors"), i, door) {
                struct text what = { 0 };

                add_member(&what, door, "door", "?");
                text_char(&what, ' ');
                add_member(&what, door, "port", "?");
                text_char(&what, '/');
                add_member(&what, door, "protocol", "?");
                while (what.n < DOOR_WIDTH && !what.failed)
                        text_char(&what, ' ');
                add_label(out, i == 0 ? "open" : "");
                text_add(out, text_string(&what));
                text_char(out, ' ');
                add_member(out, door, "address", "?");
                text_add(out, " on ");
                add_member(out, door, "interface", "?");
                text_char(out, '\n');
                text_done(&what);
        }
}

static void add_counts(struct text *out, const json_t *status) {
        add_label(out, "media");
        add_member(out, status, "media", "?");
        text_char(out, '\n');
        add_label(out, "leases");
        add_member(out, status, "leases", "?");
        text_char(out, '\n');
        add_label(out, "menus made");
        add_member(out, status, "menus", "?");
        text_char(out, '\n');
        if (json_is_string(json_object_get(status, "root"))) {
                add_label(out, "root");
                add_member(out, status, "root", "");
                text_char(out, '\n');
        }
}

/* A loader that is missing has the name of its package as its value. */
static void add_loaders(struct text *out, const json_t *status) {
        const char *name;
        const json_t *value;
        bool begun = false;

        json_object_foreach((json_t *)(uintptr_t)json_object_get(status, "loaders"),
                            name, value) {
                const char *package = json_string_value(value);

                add_label(out, begun ? "" : "loaders");
                begun = true;
                client_add_safe(out, name);
                if (package && strcmp(package, "present") != 0) {
                        text_add(out, ": missing, it is in the package ");
                        client_add_safe(out, package);
                }
                text_char(out, '\n');
        }
}

/* The core is there, or nobody would have answered. */
static void add_roles(struct text *out, const json_t *status) {
        const char *name;
        const json_t *value;

        add_label(out, "processes");
        text_add(out, "core");
        json_object_foreach((json_t *)(uintptr_t)json_object_get(status, "roles"), name,
                            value) {
                text_add(out, ", ");
                client_add_safe(out, name);
                if (json_is_false(value))
                        text_add(out, " (not there)");
        }
        text_char(out, '\n');
}

static void add_drops(struct text *out, const json_t *status) {
        const json_t *dropped =
                json_object_get(json_object_get(status, "dhcp"), "dropped");
        const char *reason;
        const json_t *count;
        bool begun = false;

        json_object_foreach((json_t *)(uintptr_t)dropped, reason, count) {
                add_label(out, begun ? "" : "dropped");
                begun = true;
                text_u64(out, (uint64_t)json_integer_value(count));
                text_char(out, ' ');
                client_add_safe(out, reason);
                text_char(out, '\n');
        }
}

static void show(const json_t *status, struct text *out) {
        add_head(out, status);
        add_interfaces(out, status);
        add_ports(out, status);
        add_doors(out, status);
        add_counts(out, status);
        add_loaders(out, status);
        add_roles(out, status);
        add_drops(out, status);
        if (json_is_false(json_object_get(status, "state_writable")))
                text_add(out,
                         "\nThe state cannot be written: no address is given until "
                         "it can. See the log.\n");
}

int cli_status(int argc, char **argv) {
        struct client_flags flags = { 0 };
        struct option_row rows[CLIENT_ROWS + 1] = { 0 };
        const struct options options = {
                "status", "Show whether a server is there, and what it serves.", NULL,
                0, rows
        };
        struct options_found found;
        struct text out = { 0 };
        json_t *answer = NULL;
        int r;

        client_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        r = client_ask(&flags, "status", "", &answer);
        if (r == CLI_DONE && !flags.json) {
                show(answer, &out);
                r = client_print(&out);
        }
        json_decref(answer);
        return r;
}
