/*
 * The event table and its renderers. Adding an event is one row here and one name
 * in the header; every renderer and the wire between the roles follow from the row.
 */
#include "base/event.h"

enum { PACKED_TEXT_MAX = 400 };

struct event_row {
        const char *name;
        enum event_level level;
        const char *sentence; /* [in brackets]: left out when a field of it is absent */
        struct {
                const char *name;
                enum event_type type;
        } fields[EVENT_FIELDS_MAX];
};

#define T EVENT_TYPE_TEXT
#define U EVENT_TYPE_U64
#define A EVENT_TYPE_IP4
#define B EVENT_TYPE_BYTES
#define R EVENT_TYPE_RATE
#define D EVENT_TYPE_DURATION

static const struct event_row rows[EVENT_N_KINDS] = {
        [EVENT_NONE] = { "none", EVENT_DEBUG, "nothing", { { 0 } } },
        [EVENT_SERVICE_READY] = { "service-ready",
                                  EVENT_NOTICE,
                                  "ready: {mode} on {interfaces}, {media} media",
                                  { { "mode", T },
                                    { "interfaces", T },
                                    { "media", U } } },
        [EVENT_SERVICE_STOPPING] = { "service-stopping",
                                     EVENT_NOTICE,
                                     "stopping: {why}",
                                     { { "why", T } } },
        [EVENT_SERVICE_RELOADED] = { "service-reloaded",
                                     EVENT_NOTICE,
                                     "configuration reloaded: {what}",
                                     { { "what", T } } },
        [EVENT_RELOAD_REFUSED] = { "reload-refused",
                                   EVENT_ERROR,
                                   "reload refused, the old configuration goes on: "
                                   "{why}",
                                   { { "why", T } } },
        [EVENT_ROLE_STARTED] = { "role-started",
                                 EVENT_DEBUG,
                                 "{role} started (pid {pid})",
                                 { { "role", T }, { "pid", U } } },
        [EVENT_ROLE_DIED] = { "role-died",
                              EVENT_ERROR,
                              "{role} died ({how}); it is started again",
                              { { "role", T }, { "how", T } } },
        [EVENT_DOOR_FAILED] = { "door-failed", EVENT_ERROR, "{why}", { { "why", T } } },
        [EVENT_CERTIFICATE_USED] = { "certificate-used",
                                     EVENT_NOTICE,
                                     "HTTPS has a certificate for {names}, by "
                                     "{issuer}, "
                                     "until {until}",
                                     { { "names", T },
                                       { "issuer", T },
                                       { "until", T },
                                       { "fingerprint", T } } },
        [EVENT_CERTIFICATE_KEPT] = { "certificate-kept",
                                     EVENT_WARNING,
                                     "HTTPS goes on with the certificate it has: {why}",
                                     { { "why", T } } },
        [EVENT_CERTIFICATE_FAILED] = { "certificate-failed",
                                       EVENT_ERROR,
                                       "HTTPS has no certificate and closes every "
                                       "connection: {why}",
                                       { { "why", T } } },
        [EVENT_DOOR_BESIDE] = { "door-beside",
                                EVENT_NOTICE,
                                "port {port} on {interface} is used by another DHCP "
                                "server on this host; listening beside it",
                                { { "port", U }, { "interface", T } } },
        [EVENT_DOOR_REGISTERED] = { "door-registered",
                                    EVENT_NOTICE,
                                    "NFS is registered with the port mapper that runs "
                                    "here on port {port}",
                                    { { "port", U } } },
        [EVENT_INTERFACE_UP] = { "interface-up",
                                 EVENT_NOTICE,
                                 "{interface} is up at {at}",
                                 { { "interface", T }, { "at", A } } },
        [EVENT_INTERFACE_DOWN] = { "interface-down",
                                   EVENT_WARNING,
                                   "{interface} is down",
                                   { { "interface", T } } },
        [EVENT_STORE_FAILED] = { "store-failed",
                                 EVENT_ERROR,
                                 "the state cannot be written, no address is given: "
                                 "{why}",
                                 { { "why", T } } },
        [EVENT_STORE_RECOVERED] = { "store-recovered",
                                    EVENT_NOTICE,
                                    "the state can be written again",
                                    { { 0 } } },
        [EVENT_MEDIUM_ADDED] = { "medium-added",
                                 EVENT_NOTICE,
                                 "medium {medium}: {system}, {entries} in the menu",
                                 { { "medium", T },
                                   { "system", T },
                                   { "entries", U } } },
        [EVENT_MEDIUM_REMOVED] = { "medium-removed",
                                   EVENT_NOTICE,
                                   "medium {medium} has gone",
                                   { { "medium", T } } },
        [EVENT_MEDIUM_REFUSED] = { "medium-refused",
                                   EVENT_WARNING,
                                   "medium {medium} is not served: {why}",
                                   { { "medium", T }, { "why", T } } },
        [EVENT_MEDIUM_UNPACKING] = { "medium-unpacking",
                                     EVENT_INFO,
                                     "unpacking {medium}: {done} of {size} read",
                                     { { "medium", T },
                                       { "done", B },
                                       { "size", B } } },
        [EVENT_RECIPES_READ] = { "recipes-read",
                                 EVENT_NOTICE,
                                 "the recipes are read again, and {media} media seen "
                                 "otherwise",
                                 { { "media", U } } },
        [EVENT_RECIPES_REFUSED] = { "recipes-refused",
                                    EVENT_WARNING,
                                    "the recipes of before stay: {why}",
                                    { { "why", T } } },
        [EVENT_DHCP_RECEIVED] = { "dhcp-received",
                                  EVENT_INFO,
                                  "{type} from {firmware}{detail} on {interface}",
                                  { { "type", T },
                                    { "firmware", T },
                                    { "detail", T },
                                    { "interface", T },
                                    { "class", T } } },
        [EVENT_DHCP_SENT] = { "dhcp-sent",
                              EVENT_INFO,
                              "{type} {offered}{detail}",
                              { { "type", T },
                                { "offered", A },
                                { "detail", T },
                                { "file", T },
                                { "server", A } } },
        [EVENT_DHCP_SILENT] = { "dhcp-silent",
                                EVENT_INFO,
                                "{type} not answered: {why}",
                                { { "type", T }, { "why", T } } },
        [EVENT_DHCP_DROPPED] = { "dhcp-dropped",
                                 EVENT_INFO,
                                 "dropped {size} on {interface}: {why}",
                                 { { "size", B }, { "interface", T }, { "why", T } } },
        [EVENT_LEASE_BOUND] = { "lease-bound",
                                EVENT_INFO,
                                "{leased} leased for {lifetime}",
                                { { "leased", A },
                                  { "lifetime", D },
                                  { "hostname", T } } },
        [EVENT_LEASE_RELEASED] = { "lease-released",
                                   EVENT_INFO,
                                   "{leased} released",
                                   { { "leased", A } } },
        [EVENT_LEASE_DECLINED] = { "lease-declined",
                                   EVENT_WARNING,
                                   "{leased} declined: somebody else uses it; "
                                   "it rests for {rest}",
                                   { { "leased", A }, { "rest", D } } },
        [EVENT_LEASE_EXPIRED] = { "lease-expired",
                                  EVENT_DEBUG,
                                  "{leased} expired",
                                  { { "leased", A } } },
        [EVENT_POOL_EXHAUSTED] = { "pool-exhausted",
                                   EVENT_WARNING,
                                   "no free address in {subnet}",
                                   { { "subnet", T } } },
        [EVENT_BOOT_DECIDED] = { "boot-decided",
                                 EVENT_INFO,
                                 "boots {file}: {why}",
                                 { { "file", T }, { "why", T }, { "firmware", T } } },
        [EVENT_NO_ROUTER] = { "no-router",
                              EVENT_INFO,
                              "its iPXE waits for a router of IPv6: there is none, and "
                              "it "
                              "is told so",
                              { { 0 } } },
        [EVENT_ANSWER_ADAPTED] = { "answer-adapted",
                                   EVENT_NOTICE,
                                   "answered in form {number}: {form}, {after}",
                                   { { "number", U },
                                     { "form", T },
                                     { "after", T },
                                     { "reason", T } } },
        [EVENT_ADDRESS_CONFLICT] = { "address-conflict",
                                     EVENT_WARNING,
                                     "{contested} is used by {holder}, who did not get "
                                     "it here; it rests for {rest}",
                                     { { "contested", A },
                                       { "holder", T },
                                       { "rest", D } } },
        [EVENT_OTHER_SERVER] = { "other-server",
                                 EVENT_NOTICE,
                                 "another DHCP server on {interface}: {server} offers "
                                 "{offer}",
                                 { { "server", A },
                                   { "interface", T },
                                   { "offer", T } } },
        [EVENT_EVENTS_THINNED] = { "events-thinned",
                                   EVENT_WARNING,
                                   "{dropped} {kind} events of the last second were "
                                   "not "
                                   "written: more than {limit} of them",
                                   { { "dropped", U },
                                     { "limit", U },
                                     { "kind", T } } },
        [EVENT_FILE_STARTED] = { "file-started",
                                 EVENT_INFO,
                                 "{door} {file}: {size}{detail}",
                                 { { "door", T },
                                   { "file", T },
                                   { "size", B },
                                   { "detail", T } } },
        [EVENT_FILE_PROGRESS] = { "file-progress",
                                  EVENT_DEBUG,
                                  "{door} {file}: {sent} of {size} at {rate}",
                                  { { "door", T },
                                    { "file", T },
                                    { "sent", B },
                                    { "size", B },
                                    { "rate", R } } },
        [EVENT_FILE_DONE] = { "file-done",
                              EVENT_INFO,
                              "{door} {file}: sent {sent} in {took}, {rate}",
                              { { "door", T },
                                { "file", T },
                                { "sent", B },
                                { "took", D },
                                { "rate", R },
                                { "resent", U },
                                { "agent", T } } },
        [EVENT_FILE_FAILED] = { "file-failed",
                                EVENT_WARNING,
                                "{door} {file}: ended after {sent}: {why}",
                                { { "door", T },
                                  { "file", T },
                                  { "sent", B },
                                  { "why", T } } },
        [EVENT_FILE_REFUSED] = { "file-refused",
                                 EVENT_WARNING,
                                 "{door} {file}: {why}[; the nearest name is "
                                 "{nearest}]",
                                 { { "door", T },
                                   { "file", T },
                                   { "why", T },
                                   { "nearest", T } } },
        [EVENT_FILE_OPTIONAL] = { "file-optional",
                                  EVENT_INFO,
                                  "{door} {file}: {why}, and {who} does without",
                                  { { "door", T },
                                    { "file", T },
                                    { "why", T },
                                    { "who", T } } },
        [EVENT_FILE_DROPPED] = { "file-dropped",
                                 EVENT_DEBUG,
                                 "{door} dropped {size}: {why}",
                                 { { "door", T }, { "size", B }, { "why", T } } },
        [EVENT_MENU_REFUSED] = { "menu-refused",
                                 EVENT_WARNING,
                                 "menu entry {entry}: {why}",
                                 { { "entry", T }, { "why", T } } },
        [EVENT_HTTP_AVOIDED] = { "http-avoided",
                                 EVENT_INFO,
                                 "its loader was offered HTTP and took TFTP: its menus "
                                 "say TFTP for a day",
                                 { { 0 } } },
        [EVENT_MENU_RENDERED] = { "menu-rendered",
                                  EVENT_INFO,
                                  "menu {file}: {entries} entries for {firmware}",
                                  { { "file", T },
                                    { "entries", U },
                                    { "firmware", T } } },
        [EVENT_FOLDER_MOUNTED] = { "folder-mounted",
                                   EVENT_INFO,
                                   "{door} /{file}: mounted",
                                   { { "door", T }, { "file", T } } },
        [EVENT_MADE_REFUSED] = { "made-refused",
                                 EVENT_WARNING,
                                 "{file} cannot be made: {why}",
                                 { { "file", T }, { "why", T } } },
        [EVENT_BOOTED_ONCE] = { "booted-once",
                                EVENT_INFO,
                                "it has {entry}; next time it boots from its disk",
                                { { "entry", T } } },
};

#undef T
#undef U
#undef A
#undef B
#undef R
#undef D

static const struct event_row *row_of(enum event_kind kind) {
        return &rows[(unsigned)kind < EVENT_N_KINDS ? kind : EVENT_NONE];
}

const char *event_name(enum event_kind kind) {
        return row_of(kind)->name;
}

enum event_level event_level(enum event_kind kind) {
        return row_of(kind)->level;
}

const char *event_level_name(enum event_level level) {
        static const char *const names[] = { "debug", "info", "notice", "warning",
                                             "error" };
        return (size_t)level < ARRAY_SIZE(names) ? names[level] : "error";
}

const char *event_field(enum event_kind kind, size_t i) {
        return i < EVENT_FIELDS_MAX ? row_of(kind)->fields[i].name : NULL;
}

static void print_duration(struct text *out, nsec_t time) {
        uint64_t seconds = time / NSEC_PER_SEC;

        if (time == NSEC_NEVER) {
                text_add(out, "ever");
        } else if (seconds >= 7200) {
                text_u64(out, seconds / 3600);
                text_add(out, " h");
        } else if (seconds >= 120) {
                text_u64(out, seconds / 60);
                text_add(out, " min");
        } else {
                text_u64(out, seconds);
                text_char(out, '.');
                text_u64_padded(out, time % NSEC_PER_SEC / NSEC_PER_MSEC, 3);
                text_add(out, " s");
        }
}

static void print_value(struct text *out, const struct event_value *v) {
        switch (v->type) {
        case EVENT_TYPE_NONE:
                break;
        case EVENT_TYPE_TEXT:
                if (v->text)
                        text_printable(out, v->text, strlen(v->text));
                break;
        case EVENT_TYPE_U64:
                text_u64(out, v->u64);
                break;
        case EVENT_TYPE_IP4:
                text_ip4(out, (ip4_t)v->u64);
                break;
        case EVENT_TYPE_BYTES:
                text_size(out, v->u64);
                break;
        case EVENT_TYPE_RATE:
                text_size(out, v->u64);
                text_add(out, "/s");
                break;
        case EVENT_TYPE_DURATION:
                print_duration(out, v->u64);
                break;
        }
}

static const struct event_value *value_named(const struct event *e, const char *name,
                                             size_t n) {
        const struct event_row *row = row_of(e->kind);

        for (size_t i = 0; i < EVENT_FIELDS_MAX && row->fields[i].name; i++)
                if (strlen(row->fields[i].name) == n &&
                    memcmp(row->fields[i].name, name, n) == 0)
                        return &e->values[i];
        return NULL;
}

static bool is_absent(const struct event_value *v) {
        return v->type == EVENT_TYPE_NONE ||
               (v->type == EVENT_TYPE_TEXT && (!v->text || v->text[0] == '\0'));
}

/* The value of the field whose `{name}` begins there, and where that ends. */
static const struct event_value *field_at(const struct event *e, const char *p,
                                          const char **ret_end) {
        size_t n = strcspn(p, "}");
        const struct event_value *v = value_named(e, p + 1, n - 1);

        assert(v); /* the table's own slip, found by its unit test */
        *ret_end = p + n + 1;
        return v;
}

static bool is_optional_absent(const struct event *e, const char *p) {
        const char *end = strchr(p, ']');
        bool is = false;

        assert(end);
        while ((p = strchr(p, '{')) && p < end)
                is |= is_absent(field_at(e, p, &p));
        return is;
}

void event_sentence(const struct event *e, struct text *out) {
        const char *p = row_of(e->kind)->sentence;

        while (*p) {
                size_t n = strcspn(p, "{[]");

                text_bytes(out, p, n);
                p += n;
                if (*p == '{')
                        print_value(out, field_at(e, p, &p));
                else if (*p == '[' && is_optional_absent(e, p))
                        p = strchr(p, ']') + 1;
                else if (*p)
                        p++;
        }
}

/* Civil date from days since 1970 (Gregorian, proleptic): eras of 400 years that
 * begin on 1 March, so that the leap day is the last of its year. */
static void civil_from_days(uint64_t days, unsigned *ret_year, unsigned *ret_month,
                            unsigned *ret_day) {
        uint64_t z = days + 719468, era = z / 146097, in_era = z % 146097;
        uint64_t year =
                (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
        uint64_t in_year = in_era - (365 * year + year / 4 - year / 100);
        uint64_t shifted = (5 * in_year + 2) / 153;

        *ret_day = (unsigned)(in_year - (153 * shifted + 2) / 5 + 1);
        *ret_month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
        *ret_year = (unsigned)(year + era * 400 + (*ret_month <= 2));
}

static void print_clock(struct text *out, nsec_t time) {
        uint64_t seconds = time / NSEC_PER_SEC;

        text_u64_padded(out, seconds / 3600 % 24, 2);
        text_char(out, ':');
        text_u64_padded(out, seconds / 60 % 60, 2);
        text_char(out, ':');
        text_u64_padded(out, seconds % 60, 2);
        text_char(out, '.');
        text_u64_padded(out, time % NSEC_PER_SEC / NSEC_PER_MSEC, 3);
}

static void print_date(struct text *out, nsec_t time) {
        unsigned year, month, day;

        civil_from_days(time / NSEC_PER_SEC / 86400, &year, &month, &day);
        text_u64_padded(out, year, 4);
        text_char(out, '-');
        text_u64_padded(out, month, 2);
        text_char(out, '-');
        text_u64_padded(out, day, 2);
}

static void json_value(struct text *out, const char *name,
                       const struct event_value *v) {
        switch (v->type) {
        case EVENT_TYPE_NONE:
                break;
        case EVENT_TYPE_TEXT:
                text_json_pair(out, name, v->text);
                break;
        case EVENT_TYPE_IP4:
                text_json_key(out, name);
                text_char(out, '"');
                text_ip4(out, (ip4_t)v->u64);
                text_char(out, '"');
                break;
        case EVENT_TYPE_DURATION: /* seconds, with its fraction */
                text_json_key(out, name);
                text_u64(out, v->u64 / NSEC_PER_SEC);
                text_char(out, '.');
                text_u64_padded(out, v->u64 % NSEC_PER_SEC / NSEC_PER_MSEC, 3);
                break;
        case EVENT_TYPE_U64:
        case EVENT_TYPE_BYTES:
        case EVENT_TYPE_RATE:
                text_json_pair_u64(out, name, v->u64);
                break;
        }
}

static void json_head(const struct event *e, struct text *out) {
        text_json_key(out, "time");
        text_char(out, '"');
        print_date(out, e->time);
        text_char(out, 'T');
        print_clock(out, e->time);
        text_add(out, "Z\"");
        text_json_pair(out, "event", event_name(e->kind));
        text_json_pair(out, "level", event_level_name(event_level(e->kind)));
        text_json_pair_u64(out, "story", e->story);
        text_json_key(out, "mac");
        if (mac_is_zero(e->mac)) {
                text_add(out, "null");
        } else {
                text_char(out, '"');
                text_mac(out, e->mac);
                text_char(out, '"');
        }
        text_json_key(out, "address");
        if (!event_has_address(e)) {
                text_add(out, "null");
        } else {
                text_char(out, '"');
                event_address(e, out);
                text_char(out, '"');
        }
}

bool event_has_address(const struct event *e) {
        return e->address != 0 || !ip6_is_zero(e->address6);
}

void event_address(const struct event *e, struct text *out) {
        char text[IP6_TEXT_MAX];

        if (e->address)
                text_ip4(out, e->address);
        else if (event_has_address(e))
                text_add(out, ip6_format(e->address6, text));
}

void event_json(const struct event *e, struct text *out) {
        const struct event_row *row = row_of(e->kind);
        struct text sentence = { 0 };

        text_char(out, '{');
        json_head(e, out);
        for (size_t i = 0; i < EVENT_FIELDS_MAX && row->fields[i].name; i++)
                json_value(out, row->fields[i].name, &e->values[i]);
        event_sentence(e, &sentence);
        text_json_pair(out, "message", text_string(&sentence));
        text_char(out, '}');
        out->failed |= sentence.failed;
        text_done(&sentence);
}

void event_line(const struct event *e, long zone, struct text *out) {
        nsec_t shift = (nsec_t)(zone < 0 ? -zone : zone) * NSEC_PER_SEC;

        print_clock(out, zone < 0 ? e->time - shift : e->time + shift);
        text_char(out, ' ');
        if (!mac_is_zero(e->mac)) {
                text_char(out, ' ');
                text_mac(out, e->mac);
        }
        if (event_has_address(e)) {
                text_char(out, ' ');
                event_address(e, out);
        }
        text_char(out, ' ');
        if (event_level(e->kind) >= EVENT_WARNING) {
                text_add(out, event_level_name(event_level(e->kind)));
                text_add(out, ": ");
        }
        event_sentence(e, out);
}

static void pack_text(struct writer *w, const char *s) {
        size_t n = s ? min_size(strlen(s), PACKED_TEXT_MAX) : 0;

        writer_bytes(w, s, n);
        writer_u8(w, 0);
}

size_t event_pack(const struct event *e, void *data, size_t n) {
        const struct event_row *row = row_of(e->kind);
        struct writer w = writer_of(data, n);

        writer_be16(&w, (uint16_t)e->kind);
        writer_be64(&w, e->time);
        writer_be64(&w, e->story);
        writer_bytes(&w, e->mac.b, sizeof(e->mac.b));
        writer_be32(&w, e->address);
        writer_bytes(&w, e->address6.b, sizeof(e->address6.b));
        for (size_t i = 0; i < EVENT_FIELDS_MAX && row->fields[i].name; i++) {
                const struct event_value *v = &e->values[i];

                /* A value of another type than its field's is our own bug. */
                assert(v->type == EVENT_TYPE_NONE || v->type == row->fields[i].type);
                writer_u8(&w, (uint8_t)v->type);
                if (v->type == EVENT_TYPE_TEXT)
                        pack_text(&w, v->text);
                else if (v->type != EVENT_TYPE_NONE)
                        writer_be64(&w, v->u64);
        }
        return w.failed ? 0 : w.at;
}

bool event_unpack(const void *data, size_t n, struct event *ret) {
        struct reader r = reader_of(data, n);
        struct event e = { .kind = (enum event_kind)reader_be16(&r) };
        const struct event_row *row = row_of(e.kind);
        struct span mac, address6;

        e.time = reader_be64(&r);
        e.story = reader_be64(&r);
        mac = reader_span(&r, sizeof(e.mac.b));
        e.address = reader_be32(&r);
        address6 = reader_span(&r, sizeof(e.address6.b));
        for (size_t i = 0; i < EVENT_FIELDS_MAX && row->fields[i].name; i++) {
                struct event_value *v = &e.values[i];

                v->type = (enum event_type)reader_u8(&r);
                if (v->type == EVENT_TYPE_NONE)
                        continue;
                if (v->type != row->fields[i].type)
                        return false;
                if (v->type == EVENT_TYPE_TEXT)
                        v->text = (const char *)reader_cstring(&r).data;
                else
                        v->u64 = reader_be64(&r);
        }
        if (r.failed || r.at != r.n || e.kind == EVENT_NONE || e.kind >= EVENT_N_KINDS)
                return false;
        memcpy(e.mac.b, mac.data, sizeof(e.mac.b));
        memcpy(e.address6.b, address6.data, sizeof(e.address6.b));
        *ret = e;
        return true;
}
