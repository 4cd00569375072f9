/*
 * GRUB's script. Everything that is not ours stands in single quotes, where nothing has
 * a meaning but the quote itself; each word of the arguments is quoted by itself, so
 * that blanks still part them.
 */
#include "render/render.h"

/* Control characters become blanks: a line end would only be ugly, an escape sequence
 * would reach the terminal. */
static void add_quoted(struct text *out, const char *s, size_t n) {
        text_char(out, '\'');
        for (size_t i = 0; i < n; i++)
                if (s[i] == '\'')
                        text_add(out, "'\\''");
                else
                        text_char(out, (unsigned char)s[i] < 0x20 || s[i] == 0x7f
                                               ? ' '
                                               : s[i]);
        text_char(out, '\'');
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

static void add_path(struct text *out, const char *path) {
        struct text slashed = { 0 };

        text_char(&slashed, '/');
        text_add(&slashed, path);
        text_char(out, ' ');
        add_quoted(out, text_string(&slashed), slashed.n);
        out->failed |= slashed.failed;
        text_done(&slashed);
}

static void add_linux(struct text *out, const struct menu_entry *entry) {
        text_add(out, "        echo 'Loading the kernel ...'\n        linux");
        add_path(out, entry->kernel);
        add_words(out, entry->args);
        text_char(out, '\n');
        if (entry->n_initrd > 0) {
                text_add(out, "        echo 'Loading the initial ramdisk ...'\n        "
                              "initrd");
                for (size_t i = 0; i < entry->n_initrd; i++)
                        add_path(out, entry->initrd[i]);
                text_char(out, '\n');
        }
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

static void add_entry(struct text *out, const struct menu_entry *entry) {
        text_add(out, "\nmenuentry ");
        add_quoted(out, entry->title, strlen(entry->title));
        text_add(out, " --id ");
        add_quoted(out, entry->id, strlen(entry->id));
        text_add(out, " {\n");
        if (entry->kind == MENU_LOCAL)
                add_local(out);
        else
                add_linux(out, entry);
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

void render_grub(const struct menu *menu, struct text *out) {
        if (menu->serial.is_on)
                add_serial(out, menu);
        if (menu->initial < menu->n_entries) {
                const char *id = menu->entries[menu->initial].id;

                text_add(out, "set default=");
                add_quoted(out, id, strlen(id));
                text_add(out, "\nset timeout=");
                if (menu->timeout > 0)
                        text_u64(out, max_u64(menu->timeout / NSEC_PER_SEC, 1));
                else
                        text_add(out, "-1");
                text_char(out, '\n');
        }
        for (size_t i = 0; i < menu->n_entries; i++)
                add_entry(out, &menu->entries[i]);
}

void render_grub_local(const struct menu *menu, struct text *out) {
        if (menu->serial.is_on)
                add_serial(out, menu);
        add_local(out);
}
