/*
 * syslinux's configuration. A keyword begins each line and takes the rest of it, so the
 * only escapes are: no line ends, no '^' in a label (it marks a hot key), and nothing
 * but ASCII, because menu.c32 draws in the screen's own code page.
 *
 * LINUX instead of KERNEL: the latter goes by the file's extension, and would start a
 * kernel named memtest.bin as a boot sector.
 */
#include "render/render.h"

static void add_label(struct text *out, const char *s) {
        for (; *s; s++)
                text_char(out, *s < 0x20 || *s > 0x7e || *s == '^' ? '?' : *s);
}

/* A word or the rest of a line; a control character would end it. */
static void add_rest(struct text *out, const char *s) {
        for (; *s; s++)
                text_char(out, (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s);
}

static void add_name(struct text *out, const char *s) {
        for (; *s; s++)
                text_char(out, (unsigned char)*s <= 0x20 || *s == 0x7f ? '-' : *s);
}

/* A path ends at a blank, and commas part initrds: there is no way to write such a
 * file's name here. */
static bool is_writable_path(const char *path) {
        for (; *path; path++)
                if ((unsigned char)*path <= 0x20 || *path == ',' || *path == 0x7f)
                        return false;
        return true;
}

static bool can_start(const struct menu_entry *entry) {
        for (size_t i = 0; i < entry->n_initrd; i++)
                if (!is_writable_path(entry->initrd[i]))
                        return false;
        return entry->kind == MENU_LOCAL || is_writable_path(entry->kernel);
}

static void add_linux(struct text *out, const struct menu_entry *entry) {
        text_add(out, "  LINUX ");
        text_add(out, entry->kernel);
        for (size_t i = 0; i < entry->n_initrd; i++) {
                text_add(out, i == 0 ? "\n  INITRD " : ",");
                text_add(out, entry->initrd[i]);
        }
        if (entry->args[0] != '\0') {
                text_add(out, "\n  APPEND ");
                add_rest(out, entry->args);
        }
        text_add(out, "\n");
}

static void add_entry(struct text *out, const struct menu *menu, size_t i) {
        const struct menu_entry *entry = &menu->entries[i];

        text_add(out, "\nLABEL ");
        add_name(out, entry->id);
        text_add(out, "\n  MENU LABEL ");
        add_label(out, entry->title);
        text_add(out, "\n");
        if (i == menu->initial)
                text_add(out, "  MENU DEFAULT\n");
        if (entry->kind == MENU_LOCAL)
                text_add(out, "  LOCALBOOT 0\n");
        else
                add_linux(out, entry);
}

void render_pxelinux(const struct menu *menu, struct text *out) {
        if (menu->serial.is_on) { /* must be the first line of all */
                text_add(out, "SERIAL ");
                text_u64(out, menu->serial.unit);
                text_char(out, ' ');
                text_u64(out, menu->serial.speed);
                text_char(out, '\n');
        }
        text_add(out, "DEFAULT menu.c32\nPROMPT 0\n");
        if (menu->timeout > 0 && menu->initial < menu->n_entries) {
                text_add(out, "TIMEOUT ");
                text_u64(out, max_u64(menu->timeout / (NSEC_PER_SEC / 10), 1));
                text_add(out, "\nONTIMEOUT ");
                add_name(out, menu->entries[menu->initial].id);
                text_char(out, '\n');
        }
        text_add(out, "MENU TITLE ");
        add_label(out, menu->title);
        text_char(out, '\n');
        for (size_t i = 0; i < menu->n_entries; i++)
                if (can_start(&menu->entries[i]))
                        add_entry(out, menu, i);
}
