/*
 * The options of a message may lie in three fields and each in several pieces; they are
 * measured in a first walk and copied together in a second, after which nobody needs to
 * know. Of options that fit together to more than the message itself there are none, so
 * the copy always has room.
 */
#include "wire/dhcp4.h"

enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2, COOKIE = 0x63825363 };

const char *dhcp4_type_name(enum dhcp4_type type) {
        static const char *const names[DHCP4_N_TYPES] = {
                "BOOTP", "DISCOVER", "OFFER",   "REQUEST", "DECLINE",
                "ACK",   "NAK",      "RELEASE", "INFORM",
        };

        return (unsigned)type < DHCP4_N_TYPES ? names[type] : "unknown";
}

/* One walk over the fields, measuring or copying. */
struct walk {
        struct dhcp4_message *message;
        bool is_copying;
        uint16_t filled[256];
};

static bool walk_field(struct walk *w, const uint8_t *data, size_t n) {
        struct reader r = reader_of(data, n);

        while (reader_left(&r) > 0) {
                uint8_t code = reader_u8(&r);
                struct span value;

                if (code == DHCP4_PAD)
                        continue;
                if (code == DHCP4_END)
                        return true;
                value = reader_span(&r, reader_u8(&r));
                if (r.failed)
                        return false;
                if (w->is_copying && value.n > 0)
                        memcpy(w->message->bytes + w->message->at[code] +
                                       w->filled[code],
                               value.data, value.n);
                w->filled[code] = (uint16_t)(w->filled[code] + value.n);
                w->message->has[code] = true;
        }
        return true; /* without an END: some ROMs forget it */
}

struct fields {
        const uint8_t *options, *sname, *file;
        size_t n_options;
        uint8_t overload;
};

/* RFC 2131 4.1: the options field, then `file`, then `sname`. */
static bool walk_all(struct walk *w, const struct fields *f) {
        memset(w->filled, 0, sizeof(w->filled));
        return walk_field(w, f->options, f->n_options) &&
               (!(f->overload & OVERLOAD_FILE) || walk_field(w, f->file, 128)) &&
               (!(f->overload & OVERLOAD_SNAME) || walk_field(w, f->sname, 64));
}

static uint8_t find_overload(const uint8_t *data, size_t n) {
        struct reader r = reader_of(data, n);

        while (reader_left(&r) > 0) {
                uint8_t code = reader_u8(&r);
                struct span value;

                if (code == DHCP4_PAD)
                        continue;
                if (code == DHCP4_END)
                        break;
                value = reader_span(&r, reader_u8(&r));
                if (code == DHCP4_OVERLOAD && value.n == 1)
                        return value.data[0];
        }
        return 0;
}

static bool parse_options(struct dhcp4_message *message, struct fields *f) {
        struct walk walk = { .message = message };
        size_t at = 0;

        f->overload = find_overload(f->options, f->n_options);
        if (!walk_all(&walk, f))
                return false;
        for (unsigned code = 0; code < 256; code++) {
                message->at[code] = (uint16_t)at;
                message->length[code] = walk.filled[code];
                at += walk.filled[code];
        }
        if (at > sizeof(message->bytes))
                return false;
        walk.is_copying = true;
        return walk_all(&walk, f);
}

static void copy_text(char *out, const uint8_t *data, size_t n) {
        size_t length = strnlen((const char *)data, n);

        memcpy(out, data, length);
        out[length] = '\0';
}

static void parse_head(struct reader *r, struct dhcp4_message *m, struct fields *f) {
        struct span chaddr;

        m->op = reader_u8(r);
        m->htype = reader_u8(r);
        m->hlen = reader_u8(r);
        m->hops = reader_u8(r);
        m->xid = reader_be32(r);
        m->secs = reader_be16(r);
        m->flags = reader_be16(r);
        m->ciaddr = reader_be32(r);
        m->yiaddr = reader_be32(r);
        m->siaddr = reader_be32(r);
        m->giaddr = reader_be32(r);
        chaddr = reader_span(r, 16);
        memcpy(m->chaddr, chaddr.data, 16);
        f->sname = reader_span(r, 64).data;
        f->file = reader_span(r, 128).data;
}

enum dhcp4_verdict dhcp4_parse(const void *data, size_t n, struct dhcp4_message *ret) {
        struct reader r = reader_of(data, n);
        struct fields f = { 0 };
        uint32_t cookie;
        struct span type;

        if (n < DHCP4_HEADER)
                return DHCP4_TOO_SHORT;
        memset(ret, 0, sizeof(*ret));
        parse_head(&r, ret, &f);
        cookie = n >= DHCP4_HEADER + 4 ? reader_be32(&r) : 0;
        /* RFC 951: a vendor area without anything in it. */
        if (cookie != COOKIE && cookie != 0)
                return DHCP4_NO_COOKIE;
        if (cookie == COOKIE) {
                f.n_options = reader_left(&r);
                f.options = f.n_options ? reader_span(&r, f.n_options).data : NULL;
                if (!parse_options(ret, &f))
                        return DHCP4_BAD_OPTIONS;
        }
        if (!(f.overload & OVERLOAD_FILE))
                copy_text(ret->file, f.file, 128);
        if (!(f.overload & OVERLOAD_SNAME))
                copy_text(ret->sname, f.sname, 64);
        type = dhcp4_option(ret, DHCP4_MESSAGE_TYPE);
        if (type.n == 1 && type.data[0] > DHCP4_BOOTP && type.data[0] < DHCP4_N_TYPES)
                ret->type = (enum dhcp4_type)type.data[0];
        else if (ret->has[DHCP4_MESSAGE_TYPE])
                return DHCP4_BAD_OPTIONS;
        return DHCP4_OK;
}

struct span dhcp4_option(const struct dhcp4_message *message, uint8_t code) {
        return (struct span){ message->bytes + message->at[code],
                              message->length[code] };
}

uint32_t dhcp4_option_be32(const struct dhcp4_message *message, uint8_t code) {
        struct span value = dhcp4_option(message, code);

        return value.n == 4 ? load_be32(value.data) : 0;
}

uint16_t dhcp4_option_be16(const struct dhcp4_message *message, uint8_t code) {
        struct span value = dhcp4_option(message, code);

        return value.n == 2 ? load_be16(value.data) : 0;
}

void dhcp4_option_text(const struct dhcp4_message *message, uint8_t code, char *ret,
                       size_t n) {
        struct span value = dhcp4_option(message, code);
        size_t length = strnlen((const char *)value.data, min_size(value.n, n - 1));

        memcpy(ret, value.data, length);
        ret[length] = '\0';
}

bool dhcp4_wants(const struct dhcp4_message *message, uint8_t code) {
        struct span list = dhcp4_option(message, DHCP4_PARAMETER_LIST);

        return list.n == 0 || memchr(list.data, code, list.n) != NULL;
}

void dhcp4_build_head(struct writer *w, const struct dhcp4_message *head) {
        size_t sname = strlen(head->sname), file = strlen(head->file);

        writer_u8(w, head->op);
        writer_u8(w, head->htype);
        writer_u8(w, head->hlen);
        writer_u8(w, head->hops);
        writer_be32(w, head->xid);
        writer_be16(w, head->secs);
        writer_be16(w, head->flags);
        writer_be32(w, head->ciaddr);
        writer_be32(w, head->yiaddr);
        writer_be32(w, head->siaddr);
        writer_be32(w, head->giaddr);
        writer_bytes(w, head->chaddr, sizeof(head->chaddr));
        writer_bytes(w, head->sname, min_size(sname, 64));
        writer_zeros(w, 64 - min_size(sname, 64));
        writer_bytes(w, head->file, min_size(file, 128));
        writer_zeros(w, 128 - min_size(file, 128));
        writer_be32(w, COOKIE);
}

void dhcp4_build_option(struct writer *w, uint8_t code, const void *data, size_t n) {
        size_t at = 0;

        do {
                size_t piece = min_size(n - at, 255);

                writer_u8(w, code);
                writer_u8(w, (uint8_t)piece);
                if (piece > 0)
                        writer_bytes(w, (const uint8_t *)data + at, piece);
                at += piece;
        } while (at < n);
}

void dhcp4_build_be32(struct writer *w, uint8_t code, uint32_t value) {
        uint8_t bytes[4];

        store_be32(bytes, value);
        dhcp4_build_option(w, code, bytes, sizeof(bytes));
}

void dhcp4_build_end(struct writer *w) {
        writer_u8(w, DHCP4_END);
        if (!w->failed && w->at < DHCP4_BOOTP_MIN)
                writer_zeros(w, min_size(DHCP4_BOOTP_MIN, w->n) - w->at);
}

/* ---- for people ---- */

static void add_hex(struct text *out, const uint8_t *data, size_t n) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                text_char(out, digits[data[i] >> 4]);
                text_char(out, digits[data[i] & 15]);
        }
}

static bool is_text(uint8_t code) {
        return code == DHCP4_HOST_NAME || code == 15 || code == DHCP4_ERROR_TEXT ||
               code == DHCP4_VENDOR_CLASS || code == DHCP4_TFTP_SERVER ||
               code == DHCP4_BOOT_FILE;
}

static void add_pair(struct text *out, const char *name, ip4_t address) {
        if (address == 0)
                return;
        text_char(out, ' ');
        text_add(out, name);
        text_char(out, ' ');
        text_ip4(out, address);
}

static void format_head(const struct dhcp4_message *m, struct text *out) {
        struct mac mac;

        memcpy(mac.b, m->chaddr, sizeof(mac.b));
        text_add(out, dhcp4_type_name(m->type));
        text_add(out, m->op == DHCP4_BOOTREPLY ? " reply" : " request");
        text_add(out, " xid ");
        add_hex(out,
                (const uint8_t[]){ (uint8_t)(m->xid >> 24), (uint8_t)(m->xid >> 16),
                                   (uint8_t)(m->xid >> 8), (uint8_t)m->xid },
                4);
        text_add(out, " secs ");
        text_u64(out, m->secs);
        text_add(out,
                 m->flags & DHCP4_FLAG_BROADCAST ? " broadcast chaddr " : " chaddr ");
        text_mac(out, mac);
        add_pair(out, "ciaddr", m->ciaddr);
        add_pair(out, "yiaddr", m->yiaddr);
        add_pair(out, "siaddr", m->siaddr);
        add_pair(out, "giaddr", m->giaddr);
        if (m->file[0]) {
                text_add(out, " file ");
                text_printable(out, m->file, strlen(m->file));
        }
        text_char(out, '\n');
}

void dhcp4_format(const struct dhcp4_message *message, struct text *out) {
        format_head(message, out);
        for (unsigned code = 1; code < DHCP4_END; code++) {
                struct span value = dhcp4_option(message, (uint8_t)code);

                if (!message->has[code])
                        continue;
                text_add(out, "  ");
                text_u64(out, code);
                text_char(out, ' ');
                if (is_text((uint8_t)code))
                        text_printable(out, (const char *)value.data, value.n);
                else
                        add_hex(out, value.data, value.n);
                text_char(out, '\n');
        }
}
