/*
 * Names taken apart from their end: the last segment says what is asked for, the folder
 * whether it is one that some loader looks in.
 */
#include "policy/menu_path.h"

#include "policy/memory.h"

const char *const menu_path_ours[] = { "boot.ipxe", "extlinux.conf", "grub.cfg",
                                       "grub.ipxe", "pxelinux.cfg",  "shell.ipxe",
                                       NULL };

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The folder, in any case: FAT's names and EFI/ are written as people like. */
static bool is_folder(const char *path, size_t n, const char *folder) {
        if (strlen(folder) != n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (lower(path[i]) != folder[i])
                        return false;
        return true;
}

static int hex_value(char c) {
        c = lower(c);
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                      : -1;
}

static bool is_hex(const char *s, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (hex_value(s[i]) < 0)
                        return false;
        return n > 0;
}

static bool parse_uuid(const char *s, struct uuid *ret) {
        struct uuid uuid;

        for (size_t i = 0; i < sizeof(uuid.b); i++) {
                if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
                        return false;
                if (!is_hex(s, 1) || !is_hex(s + 1, 1))
                        return false;
                uuid.b[i] = (uint8_t)(hex_value(s[0]) << 4 | hex_value(s[1]));
                s += 2;
        }
        if (*s != '\0')
                return false;
        *ret = uuid;
        return true;
}

/* UUID, ARP type and MAC, the address in hexadecimal and shorter and shorter. */
static bool parse_who(const char *s, struct menu_path *ret) {
        size_t n = strlen(s);

        if (parse_uuid(s, &ret->uuid)) {
                ret->has_uuid = true;
                return true;
        }
        /* RFC 1700: hardware type 1 is Ethernet. */
        if (n == 20 && strncmp(s, "01-", 3) == 0 && mac_parse(s + 3, &ret->mac))
                return true;
        return n <= 8 && is_hex(s, n);
}

/* U-Boot: default-ARCH-SOC-BOARD, shorter and shorter. */
static bool is_uboot_name(const char *s) {
        return strncmp(s, "default-", 8) == 0 && s[8] != '\0';
}

static bool parse_pxelinux(const char *folder, size_t n_folder, const char *name,
                           struct menu_path *ret) {
        if (n_folder > 6 &&
            (strncmp(folder, "efi64/", 6) == 0 || strncmp(folder, "efi32/", 6) == 0)) {
                ret->firmware = folder[3] == '6' ? POLICY_UEFI_X64 : POLICY_UEFI_IA32;
                folder += 6;
                n_folder -= 6;
        }
        if (!is_folder(folder, n_folder, "pxelinux.cfg"))
                return false;
        ret->dialect =
                is_uboot_name(name) ? POLICY_DIALECT_EXTLINUX : POLICY_DIALECT_PXELINUX;
        ret->is_last = strcmp(name, "default") == 0;
        return ret->is_last || is_uboot_name(name) || parse_who(name, ret);
}

/*
 * Where GRUB images look, by what was built into them:
 *   grub               Debian's and Ubuntu's grubnet (-p /grub)
 *   boot/grub          grub-mknetdir's
 *   boot/grub2, grub2  openSUSE's and Fedora's grub2-mknetdir
 *   debian-installer/ARCH/grub   that of Debian's installer
 *   EFI/VENDOR, EFI/BOOT         Fedora's, Red Hat's and SUSE's, which look first
 * beside the file that they came from: the top, or secure/NAME for a medium's own chain
 */
static bool is_grub_folder(const char *path, size_t n) {
        static const char *const folders[] = { "", "grub", "boot/grub", "boot/grub2",
                                               "grub2" };
        static const char installer[] = "debian-installer/";

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                if (is_folder(path, n, folders[i]))
                        return true;
        if (n > 4 && is_folder(path, 4, "efi/"))
                return !memchr(path + 4, '/', n - 4);
        if (n > 7 && strncmp(path, "secure/", 7) == 0)
                return !memchr(path + 7, '/', n - 7);
        if (n <= strlen(installer) + 5 ||
            strncmp(path, installer, strlen(installer)) != 0)
                return false;
        path += strlen(installer);
        n -= strlen(installer);
        return memchr(path, '/', n) == path + n - 5 &&
               memcmp(path + n - 5, "/grub", 5) == 0;
}

/* With a machine's own name behind it, it is nobody else's file in any folder: so a
 * GRUB that was taken out of a medium finds us before the medium's own menu. */
static bool parse_grub(const char *folder, size_t n_folder, const char *name,
                       struct menu_path *ret) {
        static const char file[] = "grub.cfg";

        if (strncmp(name, file, strlen(file)) != 0)
                return false;
        name += strlen(file);
        ret->dialect = POLICY_DIALECT_GRUB;
        ret->is_last = *name == '\0';
        if (ret->is_last)
                return is_grub_folder(folder, n_folder);
        if (*name++ != '-' || !parse_who(name, ret))
                return false;
        return is_grub_folder(folder, n_folder) || strlen(name) >= 8;
}

static bool parse_ours(const char *name, struct menu_path *ret) {
        static const struct {
                const char *name;
                enum menu_page page;
                enum policy_dialect dialect;
        } rows[] = {
                { "pxelinux.cfg", MENU_PAGE_ENTRIES, POLICY_DIALECT_PXELINUX },
                { "extlinux.conf", MENU_PAGE_ENTRIES, POLICY_DIALECT_EXTLINUX },
                { "grub.cfg", MENU_PAGE_ENTRIES, POLICY_DIALECT_GRUB },
                { "boot.ipxe", MENU_PAGE_MENU, POLICY_DIALECT_IPXE },
                { "shell.ipxe", MENU_PAGE_IPXE_SHELL, POLICY_DIALECT_IPXE },
                { "grub.ipxe", MENU_PAGE_IPXE_GRUB, POLICY_DIALECT_IPXE },
                { "unlock.ipxe", MENU_PAGE_UNLOCKED, POLICY_DIALECT_IPXE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].name, name) == 0) {
                        ret->page = rows[i].page;
                        ret->dialect = rows[i].dialect;
                        ret->is_last = true;
                        return true;
                }
        return false;
}

static bool decode(const char *s, size_t length, char *ret, size_t n) {
        size_t at = 0;

        for (size_t i = 0; i < length; i++) {
                char c = s[i];

                if (c == '%') {
                        if (i + 2 >= length || !is_hex(s + i + 1, 2))
                                return false;
                        c = (char)(hex_value(s[i + 1]) << 4 | hex_value(s[i + 2]));
                        i += 2;
                }
                if (c == '\0' || at + 1 >= n)
                        return false;
                ret[at++] = c;
        }
        ret[at] = '\0';
        return true;
}

bool menu_path_query(const char *query, const char *key, char *ret, size_t n) {
        size_t n_key = strlen(key);

        while (*query) {
                size_t length = strcspn(query, "&");

                if (length > n_key && strncmp(query, key, n_key) == 0 &&
                    query[n_key] == '=')
                        return decode(query + n_key + 1, length - n_key - 1, ret, n);
                query += length + (query[length] == '&');
        }
        return false;
}

static bool parse_memory(const char *folder, size_t n, const char *name,
                         struct menu_path *ret) {
        static const char top[] = "bootjack/memory/";

        ret->dialect = POLICY_DIALECT_IPXE;
        ret->is_last = ret->has_memory = true;
        return n >= strlen(top) && strncmp(folder, top, strlen(top)) == 0 &&
               strcmp(name, "boot.ipxe") == 0 &&
               memory_parse(folder + strlen(top), n - strlen(top), &ret->memory);
}

static bool parse_uki(const char *name, struct menu_path *ret) {
        char mac[MAC_TEXT_MAX] = "";

        if (strlen(name) != sizeof(mac) - 1 + strlen(".efi") ||
            strcmp(name + sizeof(mac) - 1, ".efi") != 0)
                return false;
        memcpy(mac, name, sizeof(mac) - 1);
        ret->page = MENU_PAGE_UKI;
        ret->is_last = true;
        return mac_parse(mac, &ret->mac);
}

bool menu_path_parse(const char *path, struct menu_path *ret) {
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        size_t n = slash ? (size_t)(slash - path) : 0;
        struct menu_path found = { .n_folder = n };
        bool is;

        if (strcmp(path, "boot.ipxe") == 0) {
                found.dialect = POLICY_DIALECT_IPXE;
                is = found.is_last = true;
        } else if (strncmp(path, "bootjack/memory/", 16) == 0) {
                is = parse_memory(path, n, name, &found);
        } else if (n + 1 == strlen(POLICY_UKI_FOLDER) &&
                   strncmp(path, POLICY_UKI_FOLDER, n) == 0) {
                is = parse_uki(name, &found);
        } else if (is_folder(path, n, "bootjack")) {
                is = parse_ours(name, &found);
        } else if (is_folder(path, n, "extlinux")) {
                found.dialect = POLICY_DIALECT_EXTLINUX;
                is = found.is_last = strcmp(name, "extlinux.conf") == 0;
        } else {
                is = parse_grub(path, n, name, &found) ||
                     parse_pxelinux(path, n, name, &found);
        }
        if (is)
                *ret = found;
        return is;
}
