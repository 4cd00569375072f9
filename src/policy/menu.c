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

void menu_server(const struct menu *menu, struct text *out) {
        if (menu->server)
                text_ip4(out, menu->server);
        else
                text_add(out, "SERVER");
}

static void add_url(const struct menu *menu, const char *folder, const char *medium,
                    const char *suffix, struct text *out) {
        text_add(out, "http://");
        menu_server(menu, out);
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
                menu_server(menu, out);
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
                const char *dollar = memchr(s + i, '$', n - i);
                size_t plain = dollar ? (size_t)(dollar - s) - i : n - i, taken;

                text_bytes(out, s + i, plain);
                i += plain;
                if (i == n)
                        break;
                taken = add_placeholder(s + i, medium, menu, out);
                if (taken == 0)
                        text_char(out, s[i++]);
                else
                        i += taken;
        }
}

void menu_fill(const char *s, const char *medium, const struct menu *menu,
               struct text *out) {
        add_filled(s, strlen(s), medium, menu, out);
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

/* Something follows: part it from what is there. */
static void add_blank(struct text *out) {
        if (out->n > 0 && out->s[out->n - 1] != ' ')
                text_char(out, ' ');
}

void menu_args(const char *args, const char *way, const char *medium,
               const struct menu *menu, bool with_console, struct text *out) {
        const char *dashes = find_dashes(args);

        add_filled(args, (size_t)(dashes - args), medium, menu, out);
        if (*way) {
                add_blank(out);
                menu_fill(way, medium, menu, out);
        }
        if (with_console && menu->serial.is_on) {
                add_blank(out);
                add_console(menu, out);
        }
        if (*dashes) {
                add_blank(out);
                menu_fill(dashes, medium, menu, out);
        }
}

size_t menu_way(const uint64_t *needs, size_t n, uint64_t memory) {
        size_t i = 0;

        while (i < n && memory != 0 && needs[i] > memory)
                i++;
        return i;
}

size_t menu_find(const struct menu *menu, const char *id) {
        bool is_first = strcmp(id, "first") == 0;

        for (size_t i = 0; i < menu->n_entries; i++)
                if (is_first ? menu->entries[i].kind != MENU_LOCAL &&
                                       !menu->entries[i].is_tool
                             : strcmp(menu->entries[i].id, id) == 0)
                        return i;
        for (size_t i = 0; i < menu->n_entries; i++)
                if (strcmp(menu_text(menu->entries[i].medium), id) == 0)
                        return i;
        return menu->n_entries;
}

/* Moves an entry up to a place before its own. */
static void move_up(struct menu *menu, size_t from, size_t to) {
        struct menu_entry entry = menu->entries[from];

        memmove(&menu->entries[to + 1], &menu->entries[to],
                (from - to) * sizeof(entry));
        menu->entries[to] = entry;
        if (menu->initial == from)
                menu->initial = to;
        else if (menu->initial >= to && menu->initial < from)
                menu->initial++;
}

static void raise_initial(struct menu *menu) {
        size_t to = menu->n_entries > 0 && menu->entries[0].kind == MENU_LOCAL;

        if (menu->initial >= menu->n_entries || menu->entries[menu->initial].group == 0)
                return;
        menu->entries[menu->initial].group = 0;
        move_up(menu, menu->initial, to);
}

void menu_arrange(struct menu *menu) {
        size_t end[MENU_GROUPS_MAX + 1] = { 0 }; /* behind the last of each group */

        raise_initial(menu);
        for (size_t i = 0; i < menu->n_entries; i++) {
                unsigned group = menu->entries[i].group;

                assert(group <= menu->n_groups);
                if (group == 0)
                        continue;
                if (end[group] == 0) {
                        end[group] = i + 1;
                        continue;
                }
                move_up(menu, i, end[group]);
                for (size_t j = 1; j <= menu->n_groups; j++)
                        if (j != group && end[j] > end[group])
                                end[j]++;
                end[group]++;
        }
}
