/*
 * iPXE's script. It has no quotes: blanks part words, `${` expands a setting anywhere
 * in a line, and the words ||, &&, ; and # mean something. So labels are numbers, files
 * are percent-encoded URLs, and texts lose what could be taken for a command.
 */
#include "render/render.h"

static bool is_operator(const char *s, size_t n) {
        return (n == 2 && (memcmp(s, "||", 2) == 0 || memcmp(s, "&&", 2) == 0)) ||
               (n == 1 && *s == ';') || (n > 0 && *s == '#');
}

/* Words up to the end, each printable, none an operator, none expanding. */
static void add_words(struct text *out, const char *s) {
        while (*s) {
                size_t n = strcspn(s, " \t\r\n");

                if (n > 0 && !is_operator(s, n)) {
                        text_char(out, ' ');
                        for (size_t i = 0; i < n; i++)
                                if (s[i] == '$' && s[i + 1] == '{')
                                        continue;
                                else
                                        text_char(out, (unsigned char)s[i] < 0x20 ||
                                                                       s[i] == 0x7f
                                                               ? '?'
                                                               : s[i]);
                }
                s += n + (s[n] != '\0');
        }
}

/* RFC 3986 2.3: what is not unreserved is encoded; '/' parts the segments. */
static void add_url(struct text *out, const struct menu *menu, const char *path) {
        static const char hex[] = "0123456789ABCDEF";

        text_add(out, "http://");
        text_ip4(out, menu->server);
        if (menu->http_port != 80) {
                text_char(out, ':');
                text_u64(out, menu->http_port);
        }
        text_char(out, '/');
        for (; *path; path++) {
                unsigned char c = (unsigned char)*path;

                if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                    (c >= 'A' && c <= 'Z') || strchr("-._~/", c)) {
                        text_char(out, *path);
                } else {
                        text_char(out, '%');
                        text_char(out, hex[c >> 4]);
                        text_char(out, hex[c & 15]);
                }
        }
}

static void add_linux(struct text *out, const struct menu *menu,
                      const struct menu_entry *entry) {
        text_add(out, "kernel ");
        add_url(out, menu, entry->kernel);
        /* On UEFI the kernel's own stub finds its initrds by these names. */
        for (size_t i = 0; i < entry->n_initrd; i++) {
                text_add(out, " initrd=initrd");
                text_u64(out, i);
        }
        add_words(out, entry->args);
        text_add(out, " || goto failed\n");
        for (size_t i = 0; i < entry->n_initrd; i++) {
                text_add(out, "initrd --name initrd");
                text_u64(out, i);
                text_char(out, ' ');
                add_url(out, menu, entry->initrd[i]);
                text_add(out, " || goto failed\n");
        }
        text_add(out, "boot || goto failed\n");
}

static void add_choice(struct text *out, const struct menu *menu) {
        text_add(out, ":menu\nmenu");
        add_words(out, menu->title);
        text_char(out, '\n');
        for (size_t i = 0; i < menu->n_entries; i++) {
                text_add(out, "item e");
                text_u64(out, i);
                add_words(out, menu->entries[i].title);
                text_char(out, '\n');
        }
        text_add(out, "choose");
        if (menu->initial < menu->n_entries) {
                if (menu->timeout > 0) {
                        text_add(out, " --timeout ");
                        text_u64(out, max_u64(menu->timeout / NSEC_PER_MSEC, 1));
                }
                text_add(out, " --default e");
                text_u64(out, menu->initial);
        }
        text_add(out, " selected && goto ${selected} || goto local\n");
}

/*
 * On UEFI an iPXE that ends has ended well, and the boot manager takes that for the end
 * of booting (UEFI 3.1.1). So GRUB, which can look for a loader on the disks, is loaded
 * after all; told here who its server is, it finds us although the address came from
 * another.
 */
static void add_local(struct text *out, const struct menu *menu) {
        text_add(out,
                 "\n:local\n"
                 "iseq ${platform} pcbios && sanboot --no-describe --drive 0x80 ||\n"
                 "set netX/next-server ");
        text_ip4(out, menu->server);
        text_add(out, "\nset netX/filename grubx64.efi\nchain tftp://");
        text_ip4(out, menu->server);
        text_add(out, "/grubx64.efi ||\nexit\n");
}

void render_ipxe(const struct menu *menu, struct text *out) {
        text_add(out, "#!ipxe\n");
        add_choice(out, menu);
        for (size_t i = 0; i < menu->n_entries; i++) {
                text_add(out, "\n:e");
                text_u64(out, i);
                text_char(out, '\n');
                if (menu->entries[i].kind == MENU_LOCAL)
                        text_add(out, "goto local\n");
                else
                        add_linux(out, menu, &menu->entries[i]);
        }
        text_add(out, "\n:failed\n"
                      "echo That did not work; the menu comes again.\n"
                      "prompt --timeout 5000 Press a key to go on ||\n"
                      "goto menu\n");
        add_local(out, menu);
}
