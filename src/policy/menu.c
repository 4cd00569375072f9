/* Filling a menu in: placeholders, the console, the default. */
#include "policy/menu.h"

bool menu_serial_parse(const char *s, unsigned *ret_unit, unsigned long *ret_speed) {
        unsigned unit;
        unsigned long speed = 0;

        if (strncmp(s, "ttyS", 4) != 0 || s[4] < '0' || s[4] > '9')
                return false;
        unit = (unsigned)(s[4] - '0');
        s += 5;
        if (*s == '\0') {
                speed = 115200;
        } else {
                if (*s++ != ',')
                        return false;
                for (; *s >= '0' && *s <= '9' && speed < 10000000; s++)
                        speed = speed * 10 + (unsigned long)(*s - '0');
                if (*s != '\0' || speed < 50 || speed > 4000000)
                        return false;
        }
        *ret_unit = unit;
        *ret_speed = speed;
        return true;
}

static void add_url(const struct menu *menu, const char *folder, const char *medium,
                    const char *suffix, struct text *out) {
        text_add(out, "http://");
        text_ip4(out, menu->server);
        if (menu->http_port != 80) {
                text_char(out, ':');
                text_u64(out, menu->http_port);
        }
        text_add(out, folder);
        text_add(out, medium);
        text_add(out, suffix);
}

/* Returns the length of the placeholder at `s`, 0 when it is none that we know. */
static size_t add_placeholder(const char *s, const char *medium,
                              const struct menu *menu, struct text *out) {
        if (strncmp(s, "${tree}", 7) == 0) {
                add_url(menu, "/media/", medium, "", out);
                return 7;
        }
        if (strncmp(s, "${iso}", 6) == 0) {
                add_url(menu, "/iso/", medium, ".iso", out);
                return 6;
        }
        if (strncmp(s, "${server}", 9) == 0) {
                text_ip4(out, menu->server);
                return 9;
        }
        if (strncmp(s, "${name}", 7) == 0) {
                text_add(out, medium);
                return 7;
        }
        return 0;
}

static void add_filled(const char *s, size_t n, const char *medium,
                       const struct menu *menu, struct text *out) {
        for (size_t i = 0; i < n;) {
                size_t taken =
                        s[i] == '$' ? add_placeholder(s + i, medium, menu, out) : 0;

                if (taken == 0)
                        text_char(out, s[i++]);
                else
                        i += taken;
        }
}

/* The word `---` of Debian's installer: what follows goes to the installed system. */
static const char *find_dashes(const char *args) {
        for (const char *at = args; (at = strstr(at, "---")); at += 3)
                if ((at == args || at[-1] == ' ') && (at[3] == '\0' || at[3] == ' '))
                        return at;
        return args + strlen(args);
}

static void add_console(const struct menu *menu, struct text *out) {
        text_add(out, "console=ttyS");
        text_u64(out, menu->serial.unit);
        text_char(out, ',');
        text_u64(out, menu->serial.speed);
        text_add(out, "n8");
}

void menu_args(const char *args, const char *medium, const struct menu *menu,
               struct text *out) {
        const char *dashes = find_dashes(args);

        add_filled(args, (size_t)(dashes - args), medium, menu, out);
        if (menu->serial.is_on) {
                if (out->n > 0 && out->s[out->n - 1] != ' ')
                        text_char(out, ' ');
                add_console(menu, out);
                if (*dashes)
                        text_char(out, ' ');
        }
        add_filled(dashes, strlen(dashes), medium, menu, out);
}

size_t menu_find(const struct menu *menu, const char *id) {
        bool is_first = strcmp(id, "first") == 0;

        for (size_t i = 0; i < menu->n_entries; i++)
                if (is_first ? menu->entries[i].kind != MENU_LOCAL
                             : strcmp(menu->entries[i].id, id) == 0)
                        return i;
        return menu->n_entries;
}
