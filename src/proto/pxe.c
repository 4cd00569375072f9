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

void pxe_facts(const struct dhcp4_message *message, struct policy_facts *ret) {
        struct span vendor = dhcp4_option(message, DHCP4_VENDOR_CLASS);
        struct span uuid = dhcp4_option(message, DHCP4_UUID);
        struct span arch = dhcp4_option(message, DHCP4_ARCHITECTURE);
        struct policy_facts f = { 0 };

        memcpy(f.mac.b, message->chaddr, sizeof(f.mac.b));
        f.is_bootp = message->type == DHCP4_BOOTP;
        f.is_pxe = begins_with(vendor, "PXEClient");
        f.is_http = begins_with(vendor, "HTTPClient");
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
        *ret = f;
}

void pxe_build_vendor_options(struct writer *w) {
        static const uint8_t control[] = { 6, 1, 8, DHCP4_END };

        dhcp4_build_option(w, DHCP4_VENDOR_OPTIONS, control, sizeof(control));
}
