/*
 * GRUB's script. Everything that is not ours stands in single quotes, where nothing has
 * a meaning but the quote itself; each word of the arguments is quoted by itself, so
 * that blanks still part them.
 *
 * Files come by HTTP where GRUB has it, which it says by failing to open them: then the
 * same again by TFTP. It asks by HTTP for what is written, so there the path is
 * percent-encoded.
 *
 * GRUB's text menu shows no help; it is told when an entry was chosen.
 */
#include "render/internal.h"

/* Control characters become blanks: a line end would only be ugly, an escape sequence
 * would reach the terminal. */
static void add_inside_quotes(struct text *out, const char *s, size_t n) {
        size_t from = 0;

        for (size_t i = 0; i < n; i++) {
                if (s[i] != '\'' && !render_is_control(s[i]))
                        continue;
                text_bytes(out, s + from, i - from);
                text_add(out, s[i] == '\'' ? "'\\''" : " ");
                from = i + 1;
        }
        text_bytes(out, s + from, n - from);
}

static void add_quoted(struct text *out, const char *s, size_t n) {
        text_char(out, '\'');
        add_inside_quotes(out, s, n);
        text_char(out, '\'');
}

/* A title or a help; one that begins with a dash would be an option. */
static void add_shown(struct text *out, const char *s) {
        struct text shown = { 0 };

        if (*s != '-' && render_is_plain(s)) {
                add_quoted(out, s, strlen(s));
                return;
        }
        if (*s == '-')
                text_char(&shown, ' ');
        render_shown(&shown, s, strlen(s), ' ');
        add_quoted(out, text_string(&shown), shown.n);
        out->failed |= shown.failed;
        text_done(&shown);
}

static void add_words(struct text *out, const char *s) {
        while (*s) {
                size_t n = strcspn(s, " \t\r\n");

                if (n > 0) {
                        text_char(out, ' ');
                        add_quoted(out, s, n);
                }
                s += n + (s[n] != '\0');
        }
}

/* Where files come from, and how far a line is indented. */
struct place {
        const struct menu *menu;
        bool by_http;
        const char *indent;
};

static void add_path(struct text *out, const struct place *place, const char *path) {
        text_char(out, '\'');
        if (place->by_http) {
                text_add(out, "(http,");
                menu_server(place->menu, out);
                text_add(out, ")/");
                render_encoded(out, path);
        } else {
                text_char(out, '/');
                add_inside_quotes(out, path, strlen(path));
        }
        text_char(out, '\'');
}

static void add_line(struct text *out, const struct place *place, const char *command) {
        text_add(out, place->indent);
        text_add(out, command);
}

/* `initrd` takes several, and a name before each: newc:NAME:PATH packs the file. */
static void add_initrds(struct text *out, const struct place *place,
                        const struct menu_entry *entry, const char *command) {
        if (entry->n_files == 0)
                return;
        add_line(out, place, "echo 'Loading the initial ramdisk ...'\n");
        add_line(out, place, command);
        for (size_t i = 0; i < entry->n_files; i++) {
                const struct menu_file *file = &entry->files[i];

                text_char(out, ' ');
                if (render_has(file->name)) {
                        text_add(out, "newc:");
                        add_quoted(out, file->name, strlen(file->name));
                        text_char(out, ':');
                }
                add_path(out, place, file->path);
        }
        text_char(out, '\n');
}

static void add_modules(struct text *out, const struct place *place,
                        const struct menu_entry *entry, const char *command) {
        for (size_t i = 0; i < entry->n_files; i++) {
                add_line(out, place, command);
                text_char(out, ' ');
                add_path(out, place, entry->files[i].path);
                add_words(out, menu_text(entry->files[i].args));
                text_char(out, '\n');
        }
}

static void add_kernel(struct text *out, const struct place *place,
                       const struct menu_entry *entry, const char *command) {
        text_add(out, command);
        text_char(out, ' ');
        add_path(out, place, entry->kernel);
        add_words(out, menu_text(entry->args));
}

/* How a kind's first file is loaded, and what follows it. */
static const struct starter {
        const char *command;
        const char *rest; /* of its other files: a command for all, or one for each */
        bool is_module;
} starters[MENU_N_KINDS] = {
        [MENU_LINUX] = { "linux", "initrd", false },
        [MENU_PROGRAM] = { "linux", "initrd", false },
        [MENU_WIM] = { "linux", "initrd", false },
        [MENU_MULTIBOOT] = { "multiboot", "module", true },
        [MENU_EFI] = { "chainloader", NULL, false },
        [MENU_ESXI] = { "chainloader", NULL, false },
        [MENU_NBP] = { "pxechainloader", NULL, false },
        [MENU_MEMDISK] = { "linux16", "initrd16", false },
        [MENU_IPXE] = { "chainloader", NULL, false },
};
/* What a multiboot kernel is, only its first bytes tell. */
static const struct starter multiboot2 = { "multiboot2", "module2", true };

static void add_rest(struct text *out, const struct place *place,
                     const struct menu_entry *entry, const struct starter *starter,
                     bool is_more) {
        if (starter->is_module)
                add_modules(out, place, entry, starter->rest);
        else if (starter->rest)
                add_initrds(out, place, entry, starter->rest);
        if (is_more && entry->n_files == 0) /* there is no empty `then` */
                add_line(out, place, "true\n");
}

/* An EFI program may look for more beside itself, in the way it came. */
static bool can_come_by_http(const struct menu_entry *entry) {
        return entry->kind == MENU_LINUX || entry->kind == MENU_PROGRAM ||
               entry->kind == MENU_WIM || entry->kind == MENU_MULTIBOOT ||
               entry->kind == MENU_MEMDISK;
}

/* if FIRST WAY; then ... elif NEXT; then ... else LAST ... fi */
static void add_ways(struct text *out, const struct menu *menu,
                     const struct menu_entry *entry) {
        const struct starter *starter = &starters[entry->kind];
        bool by_http[4];
        const struct starter *with[4];
        size_t n = 0;

        for (int http = menu->by_http && can_come_by_http(entry); http >= 0; http--) {
                if (entry->kind == MENU_MULTIBOOT) {
                        by_http[n] = http;
                        with[n++] = &multiboot2;
                }
                by_http[n] = http;
                with[n++] = starter;
        }
        for (size_t i = 0; i < n; i++) {
                struct place place = { menu, by_http[i],
                                       n > 1 ? "                " : "        " };

                if (n == 1)
                        text_add(out, "        ");
                else if (i + 1 < n)
                        text_add(out, i == 0 ? "        if " : "        elif ");
                else
                        text_add(out, "        else\n                ");
                add_kernel(out, &place, entry, with[i]->command);
                text_add(out, i + 1 < n ? "; then\n" : "\n");
                add_rest(out, &place, entry, with[i], i + 1 < n);
        }
        if (n > 1)
                text_add(out, "        fi\n");
}

/*
 * `exit` gives the machine back to the firmware, which may go on to its next boot
 * option; but an option that ended well is the end of booting (UEFI 3.1.1), and EDK2
 * then shows its set-up. So look for a system's own loader on the disks first. The name
 * for removable media comes last: installed systems may keep a program under it that
 * mends the boot options and restarts, which would bring the machine here again.
 */
static void add_local(struct text *out) {
        static const char *const loaders[] = {
                "debian/shimx64.efi",
                "debian/grubx64.efi",
                "ubuntu/shimx64.efi",
                "fedora/shimx64.efi",
                "redhat/shimx64.efi",
                "centos/shimx64.efi",
                "rocky/shimx64.efi",
                "almalinux/shimx64.efi",
                "opensuse/shim.efi",
                "sles/shim.efi",
                "systemd/systemd-bootx64.efi",
                "Microsoft/Boot/bootmgfw.efi",
                "BOOT/BOOTX64.EFI",
        };

        text_add(out, "        for file in");
        for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
                text_add(out, " /EFI/");
                text_add(out, loaders[i]);
        }
        text_add(out, "; do\n"
                      "                for disk in (hd*,gpt*) (hd*,msdos*); do\n"
                      "                        if [ -f $disk$file ]; then\n"
                      "                                chainloader $disk$file\n"
                      "                                boot\n"
                      "                        fi\n"
                      "                done\n"
                      "        done\n"
                      "        exit\n");
}

static bool can_start(const struct menu_entry *entry) {
        return entry->kind != MENU_IMAGE && entry->kind != MENU_GRUB;
}

static void add_start(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        switch (entry->kind) {
        case MENU_LOCAL:
                add_local(out);
                break;
        case MENU_SHELL: /* a menu without entries ends at the prompt */
                text_add(out, "        normal /bootjack/none\n");
                break;
        case MENU_SETTINGS:
                text_add(out, "        fwsetup\n");
                break;
        case MENU_REBOOT:
                text_add(out, "        reboot\n");
                break;
        case MENU_POWEROFF:
                text_add(out, "        halt\n");
                break;
        default:
                text_add(out, "        echo 'Loading the kernel ...'\n");
                add_ways(out, menu, entry);
        }
}

static void add_entry(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        text_add(out, "\nmenuentry ");
        add_shown(out, entry->title);
        text_add(out, " --id ");
        add_quoted(out, entry->id, strlen(entry->id));
        /* Where there are superusers, nobody else may start what is not unrestricted.
         */
        if (menu->password.is_on && !entry->is_locked)
                text_add(out, " --unrestricted");
        text_add(out, " {\n");
        if (render_has(entry->help)) {
                text_add(out, "        echo ");
                add_shown(out, entry->help);
                text_char(out, '\n');
        }
        add_start(out, menu, entry);
        text_add(out, "}\n");
}

static void begin_group(struct text *out, const struct menu *menu, unsigned group) {
        text_add(out, "\nsubmenu ");
        add_shown(out, menu->groups[group - 1]);
        text_add(out, " --id 'group");
        text_u64(out, group);
        text_add(out, menu->password.is_on ? "' --unrestricted {\n" : "' {\n");
}

static void add_entries(struct text *out, const struct menu *menu) {
        unsigned group = 0;

        for (size_t i = 0; i < menu->n_entries; i++) {
                const struct menu_entry *entry = &menu->entries[i];

                if (!can_start(entry))
                        continue;
                if (entry->group != group && group != 0)
                        text_add(out, "}\n");
                if (entry->group != group && entry->group != 0)
                        begin_group(out, menu, entry->group);
                group = entry->group;
                add_entry(out, menu, entry);
        }
        if (group != 0)
                text_add(out, "}\n");
}

static void add_serial(struct text *out, const struct menu *menu) {
        text_add(out, "serial --unit=");
        text_u64(out, menu->serial.unit);
        text_add(out, " --speed=");
        text_u64(out, menu->serial.speed);
        text_add(out, "\nterminal_input console serial\n"
                      "terminal_output console serial\n");
}

/* Without a hash that fits there is a superuser who cannot log in. Exported: sub-menus
 * see nothing else of what is set here. */
static void add_password(struct text *out, const struct menu *menu) {
        if (!menu->password.is_on)
                return;
        text_add(out, "set superusers=admin\nexport superusers\n");
        if (render_has(menu->password.grub)) {
                text_add(out, "password_pbkdf2 admin ");
                add_quoted(out, menu->password.grub, strlen(menu->password.grub));
                text_char(out, '\n');
        }
}

static void add_head(struct text *out, const struct menu *menu) {
        if (menu->serial.is_on)
                add_serial(out, menu);
        add_password(out, menu);
        if (menu->initial < menu->n_entries) {
                const char *id = menu->entries[menu->initial].id;

                text_add(out, "set default=");
                add_quoted(out, id, strlen(id));
                text_add(out, "\nset timeout=");
                if (menu->timeout > 0)
                        text_u64(out, render_timeout(menu, NSEC_PER_SEC));
                else
                        text_add(out, "-1");
                text_char(out, '\n');
        }
}

void render_grub(const struct menu *menu, struct text *out) {
        if (!menu->is_fragment)
                add_head(out, menu);
        add_entries(out, menu);
}

void render_grub_local(const struct menu *menu, struct text *out) {
        if (menu->serial.is_on)
                add_serial(out, menu);
        add_local(out);
}

bool render_grub_start(const struct menu *menu, size_t i, struct text *out) {
        if (!can_start(&menu->entries[i]))
                return false;
        add_start(out, menu, &menu->entries[i]);
        return true;
}
