#pragma once
/*
 * DHCPv4 messages (RFC 2131 2, RFC 2132, RFC 951): bytes to a struct whose options are
 * linearised once (RFC 3396), so that any option is one lookup; and a builder. Pure.
 */
#include "base/addr.h"
#include "base/cursor.h"
#include "base/text.h"

enum {
        DHCP4_SERVER_PORT = 67,
        DHCP4_CLIENT_PORT = 68,
        DHCP4_BINL_PORT = 4011,
        DHCP4_HEADER = 236,
        DHCP4_BOOTP_MIN = 300, /* RFC 951: old relays and ROMs drop what is shorter */
        DHCP4_MESSAGE_MAX = 1472,
        DHCP4_FLAG_BROADCAST = 0x8000,
};

enum dhcp4_op { DHCP4_BOOTREQUEST = 1, DHCP4_BOOTREPLY = 2 };

enum dhcp4_type {
        DHCP4_BOOTP, /* no option 53 */
        DHCP4_DISCOVER,
        DHCP4_OFFER,
        DHCP4_REQUEST,
        DHCP4_DECLINE,
        DHCP4_ACK,
        DHCP4_NAK,
        DHCP4_RELEASE,
        DHCP4_INFORM,
        DHCP4_N_TYPES,
};
const char *dhcp4_type_name(enum dhcp4_type type); /* "DISCOVER" */

enum { /* option codes */
       DHCP4_PAD = 0,
       DHCP4_SUBNET_MASK = 1,
       DHCP4_ROUTERS = 3,
       DHCP4_HOST_NAME = 12,
       DHCP4_VENDOR_OPTIONS = 43,
       DHCP4_REQUESTED_ADDRESS = 50,
       DHCP4_LEASE_TIME = 51,
       DHCP4_OVERLOAD = 52,
       DHCP4_MESSAGE_TYPE = 53,
       DHCP4_SERVER_ID = 54,
       DHCP4_PARAMETER_LIST = 55,
       DHCP4_ERROR_TEXT = 56,
       DHCP4_MAX_SIZE = 57,
       DHCP4_RENEWAL_TIME = 58,
       DHCP4_REBINDING_TIME = 59,
       DHCP4_VENDOR_CLASS = 60,
       DHCP4_CLIENT_ID = 61,
       DHCP4_TFTP_SERVER = 66,
       DHCP4_BOOT_FILE = 67,
       DHCP4_USER_CLASS = 77,
       DHCP4_RELAY_INFORMATION = 82,
       DHCP4_ARCHITECTURE = 93,
       DHCP4_NETWORK_INTERFACE = 94,
       DHCP4_UUID = 97,
       DHCP4_SUBNET_SELECTION = 118,
       DHCP4_IPXE = 175,
       DHCP4_END = 255,
};

struct dhcp4_message {
        uint8_t op, htype, hlen, hops;
        uint32_t xid;
        uint16_t secs, flags;
        ip4_t ciaddr, yiaddr, siaddr, giaddr;
        uint8_t chaddr[16];
        char sname[65], file[129]; /* terminated; "" when they carry options */
        enum dhcp4_type type;
        uint16_t at[256], length[256]; /* of each option in `bytes` */
        bool has[256];
        uint8_t bytes[DHCP4_MESSAGE_MAX];
};

enum dhcp4_verdict {
        DHCP4_OK,
        DHCP4_TOO_SHORT,
        DHCP4_NO_COOKIE,
        DHCP4_BAD_OPTIONS, /* one runs past the end, or the type is none */
};

/* Never fails otherwise. A BOOTP message with an empty vendor area has no options. */
enum dhcp4_verdict dhcp4_parse(const void *data, size_t n, struct dhcp4_message *ret);

/* An option's bytes; empty when it is absent or has none. */
struct span dhcp4_option(const struct dhcp4_message *message, uint8_t code);
/* Its value when it has exactly that length, else 0. */
uint32_t dhcp4_option_be32(const struct dhcp4_message *message, uint8_t code);
uint16_t dhcp4_option_be16(const struct dhcp4_message *message, uint8_t code);
/* As a terminated text, cut at a NUL or at n - 1 bytes. */
void dhcp4_option_text(const struct dhcp4_message *message, uint8_t code, char *ret,
                       size_t n);
/* Whether the client asks for it (option 55); true for all when it sent no list. */
bool dhcp4_wants(const struct dhcp4_message *message, uint8_t code);

/* Building: the head, options in the order wanted, the end. An option longer than 255
 * bytes is split (RFC 3396); one that does not fit leaves the writer failed. */
void dhcp4_build_head(struct writer *w, const struct dhcp4_message *head);
void dhcp4_build_option(struct writer *w, uint8_t code, const void *data, size_t n);
void dhcp4_build_be32(struct writer *w, uint8_t code, uint32_t value);
/* END, and zeros up to DHCP4_BOOTP_MIN. */
void dhcp4_build_end(struct writer *w);

/* One line for the head and one an option, for people and tests. */
void dhcp4_format(const struct dhcp4_message *message, struct text *out);
