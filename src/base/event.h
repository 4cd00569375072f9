#pragma once
/*
 * The one stream of events: every step of every boot is a typed record, and the
 * log, the history, the live view and `bootjack events` are renderers of it.
 *
 * A kind is one row in event.c: its name, its level, its sentence and its fields.
 * A sentence names fields in braces; the type of a field says how it is printed.
 */
#include "base/text.h"

enum event_kind {
        EVENT_NONE,
        /* service */
        EVENT_SERVICE_READY,
        EVENT_SERVICE_STOPPING,
        EVENT_SERVICE_RELOADED,
        EVENT_RELOAD_REFUSED,
        EVENT_ROLE_STARTED,
        EVENT_ROLE_DIED,
        EVENT_INTERFACE_UP,
        EVENT_INTERFACE_DOWN,
        EVENT_STORE_FAILED,
        EVENT_STORE_RECOVERED,
        /* media */
        EVENT_MEDIUM_ADDED,
        EVENT_MEDIUM_REMOVED,
        EVENT_MEDIUM_REFUSED,
        EVENT_MEDIUM_UNPACKING,
        EVENT_RECIPES_READ,
        EVENT_RECIPES_REFUSED,
        /* DHCP and proxyDHCP */
        EVENT_DHCP_RECEIVED, /* one line a message: what was asked */
        EVENT_DHCP_SENT,     /* what was answered */
        EVENT_DHCP_SILENT,   /* not answered, and why */
        EVENT_DHCP_DROPPED,  /* not a message, and why */
        EVENT_LEASE_BOUND,
        EVENT_LEASE_RELEASED,
        EVENT_LEASE_DECLINED,
        EVENT_LEASE_EXPIRED,
        EVENT_POOL_EXHAUSTED,
        EVENT_BOOT_DECIDED,
        EVENT_NO_ROUTER,        /* told to an iPXE that waits for one of IPv6 */
        EVENT_ANSWER_ADAPTED,   /* firmware is answered in another form */
        EVENT_ADDRESS_CONFLICT, /* a probe was answered */
        EVENT_OTHER_SERVER,     /* another DHCP server was heard */
        EVENT_EVENTS_THINNED,   /* too many to tell each */
        /* files */
        EVENT_FILE_STARTED,
        EVENT_FILE_PROGRESS,
        EVENT_FILE_DONE,
        EVENT_FILE_FAILED,
        EVENT_FILE_REFUSED,
        EVENT_FILE_OPTIONAL,
        EVENT_FILE_DROPPED,
        EVENT_MENU_RENDERED,
        EVENT_MENU_REFUSED,
        EVENT_HTTP_AVOIDED,
        /* sockets */
        EVENT_DOOR_FAILED,
        EVENT_CERTIFICATE_USED,
        EVENT_CERTIFICATE_KEPT, /* at a reload that could not read it */
        EVENT_CERTIFICATE_FAILED,
        EVENT_DOOR_BESIDE, /* the port is another server's on this host */
        EVENT_FOLDER_MOUNTED,
        EVENT_MADE_REFUSED,
        EVENT_BOOTED_ONCE,
        EVENT_DOOR_REGISTERED, /* with the port mapper that runs on this host */
        EVENT_N_KINDS,
};

enum event_level {
        EVENT_DEBUG,
        EVENT_INFO,
        EVENT_NOTICE,
        EVENT_WARNING,
        EVENT_ERROR,
};

enum event_type {
        EVENT_TYPE_NONE, /* the field is absent from this record */
        EVENT_TYPE_TEXT,
        EVENT_TYPE_U64,
        EVENT_TYPE_IP4,
        EVENT_TYPE_BYTES,    /* printed as a size */
        EVENT_TYPE_RATE,     /* bytes a second */
        EVENT_TYPE_DURATION, /* nsec_t */
};

struct event_value {
        enum event_type type;
        union {
                const char *text; /* borrowed */
                uint64_t u64;
        };
};

#define EVENT_TEXT(v)                                                                  \
        { .type = EVENT_TYPE_TEXT, .text = (v) }
#define EVENT_U64(v)                                                                   \
        { .type = EVENT_TYPE_U64, .u64 = (v) }
#define EVENT_IP4(v)                                                                   \
        { .type = EVENT_TYPE_IP4, .u64 = (v) }
#define EVENT_BYTES(v)                                                                 \
        { .type = EVENT_TYPE_BYTES, .u64 = (v) }
#define EVENT_RATE(v)                                                                  \
        { .type = EVENT_TYPE_RATE, .u64 = (v) }
#define EVENT_DURATION(v)                                                              \
        { .type = EVENT_TYPE_DURATION, .u64 = (v) }

enum { EVENT_FIELDS_MAX = 8, EVENT_PACKED_MAX = 4096 };

/*
 * One record. `values` stand in the order of the kind's fields; an absent one has
 * type NONE. Texts are borrowed: a record lives no longer than what it points to.
 */
struct event {
        enum event_kind kind;
        nsec_t time;         /* since 1970; 0 until the role that saw it stamps it */
        uint64_t story;      /* one boot of one machine; 0 when none or not yet known */
        struct mac mac;      /* zero when unknown */
        ip4_t address;       /* of the machine; 0 when unknown */
        struct ip6 address6; /* when it is known by that alone */
        struct event_value values[EVENT_FIELDS_MAX];
};

/* Whether either is known, and as text ("" if not). */
bool event_has_address(const struct event *e);
void event_address(const struct event *e, struct text *out);
const char *event_name(enum event_kind kind);
enum event_level event_level(enum event_kind kind);
const char *event_level_name(enum event_level level);
/* The name of field i of a kind, or NULL past the last. */
const char *event_field(enum event_kind kind, size_t i);

/* The sentence alone: "sent pxelinux.0: 42.2 KiB in 0.012 s (3.4 MiB/s)". Texts are
 * made printable; at most one line whatever a stranger put into a field. */
void event_sentence(const struct event *e, struct text *out);
/* One JSON object: time (RFC 3339, UTC), event, level, story, mac, address, fields,
 * and `message`, the sentence. */
void event_json(const struct event *e, struct text *out);
/* A readable line: "14:02:11.204 52:54:00:12:34:56 192.168.1.20  sentence". Time in
 * UTC shifted by `zone` seconds, which the caller knows. */
void event_line(const struct event *e, long zone, struct text *out);

/* Between processes. pack: bytes written, or 0 when it does not fit in `n`; long
 * texts are cut so that EVENT_PACKED_MAX always fits. unpack: false on bytes that
 * are no record; texts in *ret point into `data`, which must outlive it. */
size_t event_pack(const struct event *e, void *data, size_t n);
MUST_USE bool event_unpack(const void *data, size_t n, struct event *ret);
