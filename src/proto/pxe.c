#include "proto/pxe.h"

static bool begins_with(struct span value, const char *prefix) {
        return value.n >= strlen(prefix) &&
               memcmp(value.data, prefix, strlen(prefix)) == 0;
}

/* RFC 3004 wants each class behind its length; iPXE sends the bare word, and other
 * clients the former: understand both. */
static bool has_user_class(struct span value, const char *class) {
        struct reader r = reader_of(value.data, value.n);
        size_t n = strlen(class);

        if (value.n == n && memcmp(value.data, class, n) == 0)
                return true;
        while (reader_left(&r) > 0) {
                struct span one = reader_span(&r, reader_u8(&r));

                if (!r.failed && one.n == n && memcmp(one.data, class, n) == 0)
                        return true;
        }
        return false;
}

/* iPXE's encapsulated options: features are present when their sub-option is there
 * with a value that is not zero. */
static uint32_t ipxe_features(struct span value) {
        static const struct {
                uint8_t code;
                uint32_t feature;
        } features[] = {
                { 0x13, POLICY_IPXE_HTTP },    { 0x14, POLICY_IPXE_HTTPS },
                { 0x18, POLICY_IPXE_BZIMAGE }, { 0x24, POLICY_IPXE_IS_EFI },
                { 0x27, POLICY_IPXE_MENU },
        };
        struct reader r = reader_of(value.data, value.n);
        uint32_t found = 0;

        while (reader_left(&r) > 0) {
                uint8_t code = reader_u8(&r);
                struct span one;

                if (code == DHCP4_PAD)
                        continue;
                if (code == DHCP4_END)
                        break;
                one = reader_span(&r, reader_u8(&r));
                if (r.failed || one.n == 0 || one.data[0] == 0)
                        continue;
                for (size_t i = 0; i < ARRAY_SIZE(features); i++)
                        if (features[i].code == code)
                                found |= features[i].feature;
        }
        return found;
}

/* IEEE's blocks of Raspberry Pi's maker; the newest boards have the last. */
static bool is_pi_mac(struct mac mac) {
        static const uint8_t blocks[][3] = {
                { 0xb8, 0x27, 0xeb }, { 0xdc, 0xa6, 0x32 }, { 0xe4, 0x5f, 0x01 },
                { 0x28, 0xcd, 0xc1 }, { 0xd8, 0x3a, 0xdd }, { 0x2c, 0xcf, 0x67 },
                { 0x88, 0xa2, 0x9e },
        };

        for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
                if (memcmp(blocks[i], mac.b, 3) == 0)
                        return true;
        return false;
}

/*
 * A Raspberry Pi's own boot loader sends the class and the number of a PC with a BIOS.
 * Newer ones have a UUID that begins with the board's name ("RPi4", "RPi5": the option
 * DHCP_OPTION97 of its EEPROM's configuration); of older ones only the MAC says what
 * they are. UEFI or U-Boot on such a board sends numbers of its own.
 */
static bool is_pi(const struct policy_facts *f) {
        if (!f->is_pxe || f->is_ipxe)
                return false;
        if (f->has_arch && f->arch == POLICY_ARCH_PI)
                return true;
        if (f->has_arch && f->arch != 0)
                return false;
        return (f->has_uuid && memcmp(f->uuid.b, "RPi", 3) == 0) || is_pi_mac(f->mac);
}

/* PXE 2.1 table of option 60: "PXEClient:Arch:00007:UNDI:003000". What it says counts
 * when there is no option 93. */
static bool arch_of_class(const char *class, uint16_t *ret) {
        const char *at = strstr(class, "Client:Arch:");
        uint32_t number = 0;

        if (!at)
                return false;
        at += 12;
        for (size_t i = 0; i < 5; i++) {
                if (at[i] < '0' || at[i] > '9')
                        return false;
                number = number * 10 + (uint32_t)(at[i] - '0');
        }
        if (number > UINT16_MAX)
                return false;
        *ret = (uint16_t)number;
        return true;
}

void pxe_facts(const struct dhcp4_message *message, struct policy_facts *ret) {
        struct span vendor = dhcp4_option(message, DHCP4_VENDOR_CLASS);
        struct span uuid = dhcp4_option(message, DHCP4_UUID);
        struct span arch = dhcp4_option(message, DHCP4_ARCHITECTURE);
        struct policy_facts f = { 0 };

        memcpy(f.mac.b, message->chaddr, sizeof(f.mac.b));
        f.is_bootp = message->type == DHCP4_BOOTP;
        f.is_pxe = begins_with(vendor, "PXEClient");
        f.is_http = begins_with(vendor, "HTTPClient");
        f.is_uboot = begins_with(vendor, "U-Boot");
        f.is_apple = begins_with(vendor, "AAPLBSDPC");
        f.is_ipxe = has_user_class(dhcp4_option(message, DHCP4_USER_CLASS), "iPXE");
        f.ipxe_features = ipxe_features(dhcp4_option(message, DHCP4_IPXE));
        f.is_ipxe |= f.ipxe_features != 0;
        /* RFC 4578 2.3: type 0, then 16 bytes. */
        if (uuid.n == 17 && uuid.data[0] == 0) {
                f.has_uuid = true;
                memcpy(f.uuid.b, uuid.data + 1, 16);
        }
        /* RFC 4578 2.1: a list; the first is the one that asks. */
        if (arch.n >= 2) {
                f.has_arch = true;
                f.arch = load_be16(arch.data);
        }
        dhcp4_option_text(message, DHCP4_VENDOR_CLASS, f.vendor_class,
                          sizeof(f.vendor_class));
        dhcp4_option_text(message, DHCP4_USER_CLASS, f.user_class,
                          sizeof(f.user_class));
        if (!f.has_arch)
                f.has_arch = arch_of_class(f.vendor_class, &f.arch);
        f.is_pi = is_pi(&f);
        *ret = f;
}

enum { /* sub-options of 43 */
       PXE_DISCOVERY_CONTROL = 6,
       PXE_BOOT_SERVERS = 8,
       PXE_BOOT_MENU = 9,
       PXE_MENU_PROMPT = 10,
       PXE_BOOT_ITEM = 71,
};

static const struct scope_pxe_item only_item = { .type = PXE_ITEM_OURS,
                                                 .title = "Bootjack" };
static const struct scope_pxe only_menu = { .items = &only_item, .n_items = 1 };

static size_t title_size(const struct scope_pxe_item *item) {
        return min_size(strlen(item->title ? item->title : ""), 60);
}

/* How many items fit beside the rest: each is a server of 7 bytes and a title. */
static size_t count_items(const struct scope_pxe *menu, size_t room) {
        size_t n = 0;

        for (; n < menu->n_items; n++) {
                size_t size = 7 + 3 + title_size(&menu->items[n]);

                if (size > room)
                        break;
                room -= size;
        }
        return n;
}

static void build_servers(struct writer *w, const struct scope_pxe *menu, size_t n,
                          ip4_t ours) {
        writer_u8(w, PXE_BOOT_SERVERS);
        writer_u8(w, (uint8_t)(n * 7));
        for (size_t i = 0; i < n; i++) {
                writer_be16(w, menu->items[i].type);
                writer_u8(w, 1);
                writer_be32(w, menu->items[i].server ? menu->items[i].server : ours);
        }
}

static void build_menu(struct writer *w, const struct scope_pxe *menu, size_t n) {
        size_t size = 0;

        for (size_t i = 0; i < n; i++)
                size += 3 + title_size(&menu->items[i]);
        writer_u8(w, PXE_BOOT_MENU);
        writer_u8(w, (uint8_t)size);
        for (size_t i = 0; i < n; i++) {
                size_t title = title_size(&menu->items[i]);

                writer_be16(w, menu->items[i].type);
                writer_u8(w, (uint8_t)title);
                if (title > 0)
                        writer_bytes(w, menu->items[i].title, title);
        }
}

/* A timeout of 0 takes the first item at once; 255 waits for a key. */
static void build_prompt(struct writer *w, const struct scope_pxe *menu, size_t n) {
        uint64_t seconds = menu->timeout / NSEC_PER_SEC;

        writer_u8(w, PXE_MENU_PROMPT);
        writer_u8(w, (uint8_t)(1 + n));
        writer_u8(w,
                  (uint8_t)(menu->timeout == NSEC_NEVER ? 255 : min_u64(seconds, 254)));
        if (n > 0)
                writer_bytes(w, menu->prompt, n);
}

/*
 * What a Raspberry Pi looks for before it takes us for its boot server: the text, with
 * three blanks behind it that only its first ROMs want (its network boot documentation
 * and LTSP's configuration of dnsmasq), as the one item of a menu.
 */
static void build_pi(struct writer *w) {
        static const struct scope_pxe_item item = { .title = "Raspberry Pi Boot   " };
        static const struct scope_pxe menu = { .prompt = "PXE",
                                               .items = &item,
                                               .n_items = 1 };

        writer_u8(w, PXE_DISCOVERY_CONTROL);
        writer_u8(w, 1);
        writer_u8(w, 1 | 2);
        build_prompt(w, &menu, strlen(menu.prompt));
        build_menu(w, &menu, 1);
        writer_u8(w, DHCP4_END);
}

void pxe_build_vendor(struct writer *w, const struct pxe_vendor *vendor) {
        const struct scope_pxe *menu = vendor->menu;
        size_t prompt, n;

        if (vendor->is_pi) {
                build_pi(w);
                return;
        }
        if (vendor->control) {
                writer_u8(w, PXE_DISCOVERY_CONTROL);
                writer_u8(w, 1);
                writer_u8(w, vendor->control);
        }
        if (vendor->has_item) {
                writer_u8(w, PXE_BOOT_ITEM);
                writer_u8(w, 4);
                writer_be16(w, vendor->item);
                writer_be16(w, vendor->layer);
        }
        if (menu) {
                if (menu->n_items == 0)
                        menu = &only_menu;
                prompt = min_size(strlen(menu->prompt ? menu->prompt : ""), 60);
                /* Beside it: control, two heads, the prompt with its head, the end. */
                n = count_items(menu, 255 - 3 - 2 - 2 - 3 - prompt - 1);
                build_servers(w, menu, n, vendor->server);
                build_menu(w, menu, n);
                build_prompt(w, menu, prompt);
        }
        writer_u8(w, DHCP4_END);
}

bool pxe_parse_item(struct span vendor_options, uint16_t *ret_item,
                    uint16_t *ret_layer) {
        struct reader r = reader_of(vendor_options.data, vendor_options.n);

        while (reader_left(&r) > 0) {
                uint8_t code = reader_u8(&r);
                struct span value;

                if (code == DHCP4_PAD)
                        continue;
                if (code == DHCP4_END)
                        break;
                value = reader_span(&r, reader_u8(&r));
                if (r.failed || code != PXE_BOOT_ITEM || value.n != 4)
                        continue;
                *ret_item = load_be16(value.data);
                *ret_layer = load_be16(value.data + 2);
                return true;
        }
        return false;
}
