/*
 * iPXE's script. It has no quotes: blanks part words, `${` expands a setting anywhere
 * in a line, and the words ||, &&, ; and # mean something. So labels are numbers, files
 * are percent-encoded URLs, and texts lose what could be taken for a command.
 *
 * An item has one line and no place for a help; what fits stands behind its title, and
 * all of it is told when the item was chosen.
 */
#include "policy/memory.h"
#include "render/internal.h"

enum { ITEM_WIDTH = 74 }; /* what iPXE's menu shows of 80 columns */

static bool is_operator(const char *s, size_t n) {
        return (n == 2 && (memcmp(s, "||", 2) == 0 || memcmp(s, "&&", 2) == 0)) ||
               (n == 1 && *s == ';') || (n > 0 && *s == '#');
}

static void add_word(struct text *out, const char *s, size_t n) {
        size_t from = 0;

        text_char(out, ' ');
        for (size_t i = 0; i < n; i++) {
                bool expands = s[i] == '$' && s[i + 1] == '{';

                if (!expands && !render_is_control(s[i]))
                        continue;
                text_bytes(out, s + from, i - from);
                text_add(out, expands ? "" : "?");
                from = i + 1;
        }
        text_bytes(out, s + from, n - from);
}

/* Words up to the end, each printable, none an operator, none expanding. */
static void add_words(struct text *out, const char *s) {
        while (*s) {
                size_t n = strcspn(s, " \t\r\n");

                if (n > 0 && !is_operator(s, n))
                        add_word(out, s, n);
                s += n + (s[n] != '\0');
        }
}

/* A title or a help; one that begins with dashes would be an option. */
static void add_shown(struct text *out, const char *s) {
        struct text shown = { 0 };

        s += strspn(s, "- \t");
        if (render_is_plain(s)) {
                add_words(out, s);
                return;
        }
        render_shown(&shown, s, strlen(s), ' ');
        add_words(out, text_string(&shown));
        out->failed |= shown.failed;
        text_done(&shown);
}

/* A name of a file in a command: one word. */
static void add_name(struct text *out, const char *s) {
        for (; *s; s++)
                text_char(out, (unsigned char)*s <= 0x20 || *s == 0x7f || *s == '$' ||
                                               *s == '#'
                                       ? '-'
                                       : *s);
}

static void add_url(struct text *out, const struct menu *menu, const char *path) {
        render_url(out, menu, path, menu->by_http && menu->http_port != 0);
}

static void end_line(struct text *out) {
        text_add(out, " || goto failed\n");
}

/* By a number: on UEFI the kernel's own stub finds its initrds by these names. One that
 * the system calls by a name is packed under it (its arguments are that name). */
static void add_initrd(struct text *out, const struct menu *menu,
                       const struct menu_file *file, size_t i, bool is_by_name) {
        text_add(out, "initrd --name ");
        if (is_by_name && render_has(file->name)) {
                add_name(out, file->name);
        } else {
                text_add(out, "initrd");
                text_u64(out, i);
        }
        text_char(out, ' ');
        add_url(out, menu, file->path);
        if (render_has(file->name)) {
                text_char(out, ' ');
                add_name(out, file->name);
        }
        end_line(out);
}

static void add_linux(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        bool is_wim = entry->kind == MENU_WIM;

        text_add(out, "kernel ");
        add_url(out, menu, entry->kernel);
        for (size_t i = 0; i < entry->n_files && !is_wim; i++) {
                text_add(out, " initrd=initrd");
                text_u64(out, i);
        }
        add_words(out, menu_text(entry->args));
        end_line(out);
        for (size_t i = 0; i < entry->n_files; i++)
                add_initrd(out, menu, &entry->files[i], i, is_wim);
        text_add(out, "boot || goto failed\n");
}

static void add_multiboot(struct text *out, const struct menu *menu,
                          const struct menu_entry *entry) {
        text_add(out, "kernel ");
        add_url(out, menu, entry->kernel);
        add_words(out, menu_text(entry->args));
        end_line(out);
        for (size_t i = 0; i < entry->n_files; i++) {
                text_add(out, "module ");
                add_url(out, menu, entry->files[i].path);
                add_words(out, menu_text(entry->files[i].args));
                end_line(out);
        }
        text_add(out, "boot || goto failed\n");
}

static void add_memdisk(struct text *out, const struct menu *menu,
                        const struct menu_entry *entry) {
        text_add(out, "kernel ");
        add_url(out, menu, entry->kernel);
        add_words(out, menu_text(entry->args));
        end_line(out);
        for (size_t i = 0; i < entry->n_files; i++) {
                text_add(out, "initrd ");
                add_url(out, menu, entry->files[i].path);
                end_line(out);
        }
        text_add(out, "boot || goto failed\n");
}

static void add_one_file(struct text *out, const char *command, const struct menu *menu,
                         const struct menu_entry *entry) {
        text_add(out, command);
        add_url(out, menu, entry->kernel);
        add_words(out, menu_text(entry->args));
        end_line(out);
}

static void add_start(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        switch (entry->kind) {
        case MENU_LOCAL:
                text_add(out, "goto local\n");
                break;
        case MENU_MULTIBOOT:
                add_multiboot(out, menu, entry);
                break;
        case MENU_MEMDISK:
                add_memdisk(out, menu, entry);
                break;
        case MENU_EFI:
        case MENU_NBP:
        case MENU_ESXI:
                add_one_file(out, "chain --autofree ", menu, entry);
                text_add(out, "goto menu\n");
                break;
        case MENU_IMAGE:
                add_one_file(out, "sanboot ", menu, entry);
                break;
        case MENU_SHELL:
                text_add(out, "shell\ngoto menu\n");
                break;
        case MENU_GRUB:
                text_add(out, "chain ");
                add_url(out, menu, "bootjack/grub.ipxe");
                end_line(out);
                break;
        case MENU_REBOOT:
                text_add(out, "reboot\n");
                break;
        case MENU_POWEROFF:
                text_add(out, "poweroff\n");
                break;
        default:
                add_linux(out, menu, entry);
        }
}

/* iPXE cannot ask the firmware for its settings. */
static bool can_start(const struct menu_entry *entry) {
        return entry->kind != MENU_SETTINGS && entry->kind != MENU_IPXE;
}

static void add_title(struct text *out, const struct menu_entry *entry) {
        add_shown(out, entry->title);
        if (render_has(entry->help) &&
            strlen(entry->title) + 3 + strlen(entry->help) <= ITEM_WIDTH) {
                text_add(out, " -");
                add_shown(out, entry->help);
        }
        text_add(out, entry->is_locked ? " *\n" : "\n");
}

static void add_item(struct text *out, const struct menu *menu, size_t i) {
        text_add(out, "item e");
        text_u64(out, i);
        add_title(out, &menu->entries[i]);
}

/* The sub-menus first, so that the order of labels does not matter to who reads. */
static void add_choice(struct text *out, const struct menu *menu) {
        unsigned group = 0;

        text_add(out, ":menu\nmenu");
        add_shown(out, menu->title);
        text_char(out, '\n');
        for (size_t i = 0; i < menu->n_entries; i++) {
                const struct menu_entry *entry = &menu->entries[i];

                if (!can_start(entry))
                        continue;
                if (entry->group == 0) {
                        add_item(out, menu, i);
                } else if (entry->group != group) {
                        text_add(out, "item g");
                        text_u64(out, entry->group);
                        add_shown(out, menu->groups[entry->group - 1]);
                        text_add(out, " ...\n");
                }
                group = entry->group;
        }
        text_add(out, "choose");
        if (menu->initial < menu->n_entries) {
                if (menu->timeout > 0) {
                        text_add(out, " --timeout ");
                        text_u64(out, render_timeout(menu, NSEC_PER_MSEC));
                }
                text_add(out, " --default e");
                text_u64(out, menu->initial);
        }
        text_add(out, " selected && goto ${selected} || goto local\n");
}

static void add_groups(struct text *out, const struct menu *menu) {
        for (unsigned group = 1; group <= menu->n_groups; group++) {
                text_add(out, "\n:g");
                text_u64(out, group);
                text_add(out, "\nmenu");
                add_shown(out, menu->groups[group - 1]);
                text_char(out, '\n');
                for (size_t i = 0; i < menu->n_entries; i++)
                        if (menu->entries[i].group == group &&
                            can_start(&menu->entries[i]))
                                add_item(out, menu, i);
                text_add(out, "item menu Back\n"
                              "choose selected && goto ${selected} || goto menu\n");
        }
}

static void add_help_and_start(struct text *out, const struct menu *menu,
                               const struct menu_entry *entry) {
        if (render_has(entry->help)) {
                text_add(out, "echo");
                add_shown(out, entry->help);
                text_char(out, '\n');
        }
        add_start(out, menu, entry);
}

/* iPXE compares nothing that it could not show, so that the server has to: it gives the
 * entry to who knows the password. Without HTTP nobody can ask it. */
static void add_lock(struct text *out, const struct menu *menu,
                     const struct menu_entry *entry) {
        if (menu->http_port == 0) {
                text_add(out, "goto failed\n");
                return;
        }
        /* What was typed before would stand in the fields already. */
        text_add(out, "clear username ||\nclear password ||\nlogin || goto menu\n"
                      "chain --autofree ");
        render_url(out, menu, "bootjack/unlock.ipxe", true);
        text_add(out, "?entry=");
        render_encoded(out, entry->id);
        text_add(out, "&password=${password:uristring} || goto failed\ngoto menu\n");
}

static void add_entry(struct text *out, const struct menu *menu, size_t i) {
        const struct menu_entry *entry = &menu->entries[i];

        text_add(out, "\n:e");
        text_u64(out, i);
        text_char(out, '\n');
        if (entry->is_locked)
                add_lock(out, menu, entry);
        else
                add_help_and_start(out, menu, entry);
}

/* GRUB takes its server from whoever gave the address; told here who that is, it finds
 * us although the address came from another. */
static void add_grub(struct text *out, const struct menu *menu) {
        text_add(out, "set netX/next-server ");
        menu_server(menu, out);
        text_add(out, "\nset netX/filename grubx64.efi\nchain tftp://");
        menu_server(menu, out);
        text_add(out, "/grubx64.efi ||\n");
}

/*
 * On UEFI an iPXE that ends has ended well, and the boot manager takes that for the end
 * of booting (UEFI 3.1.1). So GRUB, which can look for a loader on the disks, is loaded
 * after all.
 */
static void add_local(struct text *out, const struct menu *menu) {
        text_add(out,
                 "\n:local\n"
                 "iseq ${platform} pcbios && sanboot --no-describe --drive 0x80 ||\n");
        add_grub(out, menu);
        text_add(out, "exit\n");
}

void render_ipxe(const struct menu *menu, struct text *out) {
        text_add(out, "#!ipxe\n");
        add_choice(out, menu);
        add_groups(out, menu);
        for (size_t i = 0; i < menu->n_entries; i++)
                if (can_start(&menu->entries[i]))
                        add_entry(out, menu, i);
        text_add(out, "\n:failed\n"
                      "imgfree\n"
                      "echo That did not work; the menu comes again.\n"
                      "prompt --timeout 5000 Press a key to go on ||\n"
                      "goto menu\n");
        add_local(out, menu);
}

void render_ipxe_entry(const struct menu *menu, size_t i, struct text *out) {
        text_add(out, "#!ipxe\n");
        if (menu->entries[i].kind == MENU_LOCAL || !can_start(&menu->entries[i]))
                text_add(out, "exit 0\n");
        else
                add_help_and_start(out, menu, &menu->entries[i]);
        text_add(out, "\n:failed\n"
                      "imgfree\n"
                      "echo That did not work; the menu comes again.\n"
                      "prompt --timeout 5000 Press a key to go on ||\n"
                      "\n:menu\n"
                      "exit 0\n");
}

void render_ipxe_refusal(struct text *out) {
        text_add(out, "#!ipxe\n"
                      "echo That is not the password.\n"
                      "prompt --timeout 3000 Press a key to go on ||\n"
                      "exit 0\n");
}

void render_ipxe_memory(const struct menu *menu, struct text *out) {
        text_add(out, "#!ipxe\nchain ");
        add_url(out, menu, "bootjack/memory/");
        for (unsigned i = 0; i < MEMORY_SLOTS; i++) {
                text_add(out, i > 0 ? ".${smbios/" : "${smbios/");
                text_u64(out, i);
                text_add(out, ".17.12.2:hexraw}");
        }
        text_add(out, "/boot.ipxe || chain ");
        add_url(out, menu, "bootjack/memory/0000/boot.ipxe");
        text_char(out, '\n');
}

void render_ipxe_grub(const struct menu *menu, struct text *out) {
        text_add(out, "#!ipxe\n");
        add_grub(out, menu);
        text_add(out, "exit\n");
}

void render_ipxe_shell(struct text *out) {
        text_add(out, "#!ipxe\nshell\n");
}

bool render_ipxe_start(const struct menu *menu, size_t i, struct text *out) {
        if (!can_start(&menu->entries[i]))
                return false;
        add_start(out, menu, &menu->entries[i]);
        return true;
}
