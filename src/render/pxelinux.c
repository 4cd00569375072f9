/*
 * syslinux's configuration. A keyword begins each line and takes the rest of it, so the
 * only escapes are: no line ends, no '^' in a label (it marks a hot key), no help that
 * is the word ENDTEXT, and nothing but ASCII, because menu.c32 draws in the screen's
 * own code page.
 *
 * LINUX instead of KERNEL: the latter goes by the file's extension, and would start a
 * kernel named memtest.bin as a boot sector.
 *
 * lpxelinux takes URLs where pxelinux takes names; it asks for them as they are
 * written, so they are percent-encoded here.
 *
 * U-Boot reads the same language with a parser of its own (doc/README.pxe of its
 * source): no modules, no sub-menus, no helps.
 */
#include "render/internal.h"

static void add_label(struct text *out, const char *s) {
        for (; *s; s++)
                text_char(out, *s < 0x20 || *s > 0x7e || *s == '^' ? '?' : *s);
}

/* A word or the rest of a line; a control character would end it. */
static void add_rest(struct text *out, const char *s) {
        while (*s) {
                size_t n = 0;

                while (s[n] && !render_is_control(s[n]))
                        n++;
                text_bytes(out, s, n);
                s += n;
                if (*s) {
                        text_char(out, ' ');
                        s++;
                }
        }
}

static void add_name(struct text *out, const char *s) {
        for (; *s; s++)
                text_char(out, (unsigned char)*s <= 0x20 || *s == 0x7f || *s == ',' ||
                                               *s == '@'
                                       ? '-'
                                       : *s);
}

/* A path ends at a blank, commas part initrds and '@' a file from its name: there is no
 * way to write such a file's name here. */
static bool is_writable_path(const char *path) {
        for (; *path; path++)
                if ((unsigned char)*path <= 0x20 || *path == ',' || *path == '@' ||
                    *path == 0x7f)
                        return false;
        return true;
}

static bool are_writable(const struct menu *menu, const struct menu_entry *entry) {
        if (menu->by_http)
                return true;
        for (size_t i = 0; i < entry->n_files; i++)
                if (!is_writable_path(entry->files[i].path))
                        return false;
        return is_writable_path(menu_text(entry->kernel));
}

static bool needs_names(const struct menu_entry *entry) {
        for (size_t i = 0; i < entry->n_files; i++)
                if (render_has(entry->files[i].name))
                        return true;
        return false;
}

static bool can_start(const struct menu *menu, const struct menu_entry *entry) {
        switch (entry->kind) {
        case MENU_EFI: /* an EFI program, on BIOS */
        case MENU_IMAGE:
        case MENU_GRUB:
        case MENU_SHELL:
        case MENU_SETTINGS:
                return false;
        default:
                return are_writable(menu, entry);
        }
}

static void add_path(struct text *out, const struct menu *menu, const char *path) {
        if (menu->by_http)
                render_url(out, menu, path, true);
        else
                text_add(out, path);
}

static void add_append(struct text *out, const char *args) {
        if (!render_has(args))
                return;
        text_add(out, "  APPEND ");
        add_rest(out, args);
        text_char(out, '\n');
}

static void add_files(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        for (size_t i = 0; i < entry->n_files; i++) {
                text_add(out, i == 0 ? "" : ",");
                add_path(out, menu, entry->files[i].path);
        }
}

static void add_linux(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        text_add(out, "  LINUX ");
        add_path(out, menu, entry->kernel);
        if (entry->n_files > 0) {
                text_add(out, "\n  INITRD ");
                add_files(out, menu, entry);
        }
        text_char(out, '\n');
        add_append(out, entry->args);
}

/* The files with a name, or those without: " KEYWORD FILE@NAME,FILE@NAME". */
static void add_some_files(struct text *out, const struct menu *menu,
                           const struct menu_entry *entry, bool with_name,
                           const char *keyword) {
        const char *before = keyword;

        for (size_t i = 0; i < entry->n_files; i++) {
                const struct menu_file *file = &entry->files[i];

                if (render_has(file->name) != with_name)
                        continue;
                text_add(out, before);
                add_path(out, menu, file->path);
                if (with_name) {
                        text_char(out, '@');
                        add_name(out, file->name);
                }
                before = ",";
        }
}

/* linux.c32 packs files under names of their own. */
static void add_linux_with_names(struct text *out, const struct menu *menu,
                                 const struct menu_entry *entry) {
        text_add(out, "  COM32 linux.c32\n  APPEND ");
        add_path(out, menu, entry->kernel);
        add_some_files(out, menu, entry, false, " initrd=");
        add_some_files(out, menu, entry, true, " initrdfile=");
        if (render_has(entry->args)) {
                text_char(out, ' ');
                add_rest(out, entry->args);
        }
        text_char(out, '\n');
}

/* The word `---` would begin a module. */
static void add_module_args(struct text *out, const char *args) {
        while (*args) {
                size_t n = strcspn(args, " \t\r\n");

                if (n > 0 && !(n == 3 && memcmp(args, "---", 3) == 0)) {
                        struct text word = { 0 };

                        text_bytes(&word, args, n);
                        text_char(out, ' ');
                        add_rest(out, text_string(&word));
                        out->failed |= word.failed;
                        text_done(&word);
                }
                args += n + (args[n] != '\0');
        }
}

static void add_multiboot(struct text *out, const struct menu *menu,
                          const struct menu_entry *entry) {
        text_add(out, "  COM32 mboot.c32\n  APPEND ");
        add_path(out, menu, entry->kernel);
        add_module_args(out, menu_text(entry->args));
        for (size_t i = 0; i < entry->n_files; i++) {
                text_add(out, " --- ");
                add_path(out, menu, entry->files[i].path);
                add_module_args(out, menu_text(entry->files[i].args));
        }
        text_char(out, '\n');
}

static void add_program(struct text *out, const char *keyword, const struct menu *menu,
                        const struct menu_entry *entry) {
        text_add(out, keyword);
        add_path(out, menu, entry->kernel);
        text_char(out, '\n');
        add_append(out, entry->args);
}

static void add_start(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        switch (entry->kind) {
        case MENU_LOCAL:
                text_add(out, "  LOCALBOOT 0\n");
                break;
        case MENU_MULTIBOOT:
                add_multiboot(out, menu, entry);
                break;
        case MENU_NBP:
                add_program(out, "  PXE ", menu, entry);
                break;
        case MENU_ESXI:
                add_program(out, "  COM32 ", menu, entry);
                break;
        case MENU_REBOOT:
                text_add(out, "  COM32 reboot.c32\n");
                break;
        case MENU_POWEROFF:
                text_add(out, "  COM32 poweroff.c32\n");
                break;
        default:
                if (entry->kind == MENU_WIM || needs_names(entry))
                        add_linux_with_names(out, menu, entry);
                else
                        add_linux(out, menu, entry);
        }
}

static bool begins_with_endtext(const char *s) {
        static const char word[] = "endtext";
        size_t n = 0;

        s += strspn(s, " \t\r\n\v\f");
        while (word[n] && (s[n] | 0x20) == word[n])
                n++;
        return word[n] == '\0';
}

/* One line that is not the end of the help. */
static void add_help(struct text *out, const char *help) {
        if (!render_has(help))
                return;
        text_add(out, "  TEXT HELP\n   ");
        if (begins_with_endtext(help))
                text_add(out, "- ");
        add_label(out, help);
        text_add(out, "\n  ENDTEXT\n");
}

static void add_entry(struct text *out, const struct menu *menu, size_t i) {
        const struct menu_entry *entry = &menu->entries[i];

        text_add(out, "\nLABEL ");
        add_name(out, entry->id);
        text_add(out, "\n  MENU LABEL ");
        add_label(out, entry->title);
        text_add(out, "\n");
        if (i == menu->initial && !menu->is_fragment)
                text_add(out, "  MENU DEFAULT\n");
        /* Nothing behind it: the master password opens it. */
        if (entry->is_locked)
                text_add(out, "  MENU PASSWD\n");
        add_help(out, entry->help);
        add_start(out, menu, entry);
}

static void begin_group(struct text *out, const struct menu *menu, unsigned group) {
        text_add(out, "\nMENU BEGIN group");
        text_u64(out, group);
        text_add(out, "\nMENU TITLE ");
        add_label(out, menu->groups[group - 1]);
        text_add(out, "\n\nLABEL back");
        text_u64(out, group);
        text_add(out, "\n  MENU LABEL Back\n  MENU EXIT\n");
}

static void add_entries(struct text *out, const struct menu *menu) {
        unsigned group = 0;

        for (size_t i = 0; i < menu->n_entries; i++) {
                const struct menu_entry *entry = &menu->entries[i];

                if (!can_start(menu, entry))
                        continue;
                if (entry->group != group && group != 0)
                        text_add(out, "\nMENU END\n");
                if (entry->group != group && entry->group != 0)
                        begin_group(out, menu, entry->group);
                group = entry->group;
                add_entry(out, menu, i);
        }
        if (group != 0)
                text_add(out, "\nMENU END\n");
}

static void add_timeout(struct text *out, const struct menu *menu) {
        text_add(out, "TIMEOUT ");
        text_u64(out, render_timeout(menu, NSEC_PER_SEC / 10));
        text_add(out, "\n");
}

/* The command line behind the menu (Esc) and the arguments of entries (Tab) ask for the
 * master password; where none fits, there is neither. */
static void add_password(struct text *out, const struct menu *menu) {
        if (!menu->password.is_on)
                return;
        text_add(out, "NOESCAPE 1\n");
        if (render_has(menu->password.pxelinux)) {
                text_add(out, "MENU MASTER PASSWD ");
                add_rest(out, menu->password.pxelinux);
        } else {
                text_add(out, "ALLOWOPTIONS 0\nMENU MASTER PASSWD $6$");
        }
        text_char(out, '\n');
}

static void add_head(struct text *out, const struct menu *menu) {
        if (menu->serial.is_on) { /* must be the first line of all */
                text_add(out, "SERIAL ");
                text_u64(out, menu->serial.unit);
                text_char(out, ' ');
                text_u64(out, menu->serial.speed);
                text_char(out, '\n');
        }
        text_add(out, "DEFAULT menu.c32\nPROMPT 0\n");
        add_password(out, menu);
        if (menu->timeout > 0 && menu->initial < menu->n_entries &&
            can_start(menu, &menu->entries[menu->initial])) {
                add_timeout(out, menu);
                text_add(out, "ONTIMEOUT ");
                add_name(out, menu->entries[menu->initial].id);
                text_char(out, '\n');
        }
        text_add(out, "MENU TITLE ");
        add_label(out, menu->title);
        text_char(out, '\n');
}

void render_pxelinux(const struct menu *menu, struct text *out) {
        if (!menu->is_fragment)
                add_head(out, menu);
        add_entries(out, menu);
}

bool render_pxelinux_start(const struct menu *menu, size_t i, struct text *out) {
        if (!can_start(menu, &menu->entries[i]))
                return false;
        add_start(out, menu, &menu->entries[i]);
        return true;
}

/* ---- U-Boot ---- */

static bool uboot_can_start(const struct menu_entry *entry) {
        if (entry->kind == MENU_LOCAL)
                return true;
        return (entry->kind == MENU_LINUX || entry->kind == MENU_PROGRAM) &&
               !entry->is_tool && entry->n_files <= 1 &&
               is_writable_path(menu_text(entry->kernel)) &&
               (entry->n_files == 0 || is_writable_path(entry->files[0].path));
}

static void add_uboot_start(struct text *out, const struct menu_entry *entry) {
        if (entry->kind == MENU_LOCAL) {
                text_add(out, "  LOCALBOOT 1\n");
                return;
        }
        text_add(out, "  LINUX ");
        text_add(out, entry->kernel);
        text_char(out, '\n');
        if (entry->n_files > 0) {
                text_add(out, "  INITRD ");
                text_add(out, entry->files[0].path);
                text_char(out, '\n');
        }
        if (render_has(entry->device_trees) && is_writable_path(entry->device_trees)) {
                text_add(out, "  FDTDIR ");
                text_add(out, entry->device_trees);
                text_char(out, '\n');
        }
        add_append(out, entry->args);
}

static void add_uboot_entry(struct text *out, const struct menu_entry *entry) {
        text_add(out, "\nLABEL ");
        add_name(out, entry->id);
        text_add(out, "\n  MENU LABEL ");
        add_label(out, entry->title);
        text_char(out, '\n');
        add_uboot_start(out, entry);
}

/* A default that is given is started when the time is up, without PROMPT at once;
 * paths are looked for beside the boot file, so they are no absolute ones. */
static void add_uboot_head(struct text *out, const struct menu *menu) {
        text_add(out, "MENU TITLE ");
        add_label(out, menu->title);
        text_add(out, "\nPROMPT 1\n");
        if (menu->initial < menu->n_entries &&
            uboot_can_start(&menu->entries[menu->initial])) {
                if (menu->timeout > 0)
                        add_timeout(out, menu);
                text_add(out, "DEFAULT ");
                add_name(out, menu->entries[menu->initial].id);
                text_char(out, '\n');
        }
}

void render_extlinux(const struct menu *menu, struct text *out) {
        if (!menu->is_fragment)
                add_uboot_head(out, menu);
        for (size_t i = 0; i < menu->n_entries; i++)
                if (uboot_can_start(&menu->entries[i]))
                        add_uboot_entry(out, &menu->entries[i]);
}

bool render_extlinux_start(const struct menu *menu, size_t i, struct text *out) {
        if (!uboot_can_start(&menu->entries[i]))
                return false;
        add_uboot_start(out, &menu->entries[i]);
        return true;
}
