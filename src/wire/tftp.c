/*
 * The codec of TFTP. A request is a row of NUL-terminated texts: name, mode, then
 * pairs of option and value. Firmware pads requests and cuts the last pair short, so
 * what follows the last whole pair is ignored; name and mode must be whole.
 *
 * A value is decimal digits and nothing else. RFC 2347 lets a server leave out an
 * option it does not like, so a senseless value is an absent option, not an error:
 * the client goes on with the default.
 */
#include "wire/tftp.h"

static bool text_is(struct span s, const char *word) {
        if (s.n != strlen(word))
                return false;
        for (size_t i = 0; i < s.n; i++) {
                uint8_t c = s.data[i];

                /* RFC 1350 5, RFC 2347: modes and options in any case. */
                if (c >= 'A' && c <= 'Z')
                        c = (uint8_t)(c + ('a' - 'A'));
                if (c != (uint8_t)word[i])
                        return false;
        }
        return true;
}

static bool parse_number(struct span s, uint64_t *ret) {
        uint64_t v = 0;

        if (s.n == 0)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                unsigned digit = s.data[i] - (unsigned)'0';

                if (digit > 9 || v > (UINT64_MAX - digit) / 10)
                        return false;
                v = v * 10 + digit;
        }
        *ret = v;
        return true;
}

static uint32_t in_range(uint64_t v, uint64_t min, uint64_t max) {
        return v >= min && v <= max ? (uint32_t)v : 0;
}

static void parse_option(struct tftp_options *o, struct span name, struct span value) {
        uint64_t v;

        if (!parse_number(value, &v))
                return;
        /* RFC 2347: an option comes once; of two the first counts. */
        if (text_is(name, "blksize") && !o->blksize) {
                o->blksize = in_range(v, TFTP_BLKSIZE_MIN, UINT16_MAX);
        } else if (text_is(name, "windowsize") && !o->windowsize) {
                o->windowsize = in_range(v, 1, TFTP_WINDOWSIZE_MAX);
        } else if (text_is(name, "timeout") && !o->timeout) {
                o->timeout = (uint8_t)in_range(v, 1, UINT8_MAX);
        } else if (text_is(name, "tsize") && !o->has_tsize) {
                o->has_tsize = true;
                o->tsize = v;
        }
}

static void parse_options(struct reader *r, struct tftp_options *ret) {
        while (reader_left(r) > 0) {
                struct span name = reader_cstring(r), value = reader_cstring(r);

                if (r->failed)
                        return;
                parse_option(ret, name, value);
        }
}

size_t tftp_to_netascii(const uint8_t *data, size_t n, uint8_t *out) {
        uint8_t *p = out;

        for (size_t i = 0; i < n; i++) {
                if (data[i] == '\n')
                        *p++ = '\r';
                *p++ = data[i];
                if (data[i] == '\r')
                        *p++ = '\0';
        }
        return (size_t)(p - out);
}

static bool parse_mode(struct span s, enum tftp_mode *ret) {
        static const char *const names[] = {
                [TFTP_MODE_OCTET] = "octet",
                [TFTP_MODE_NETASCII] = "netascii",
                [TFTP_MODE_MAIL] = "mail",
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (!text_is(s, names[i]))
                        continue;
                *ret = (enum tftp_mode)i;
                return true;
        }
        return false;
}

static enum tftp_verdict parse_request(struct reader *r, struct tftp_packet *p) {
        struct span mode;

        p->file = reader_cstring(r);
        if (r->failed || p->file.n == 0)
                return TFTP_NO_FILE;
        mode = reader_cstring(r);
        if (r->failed || !parse_mode(mode, &p->mode))
                return TFTP_NO_MODE;
        parse_options(r, &p->options);
        return TFTP_OK;
}

static struct span rest_of(struct reader *r) {
        return reader_span(r, reader_left(r));
}

static void parse_error(struct reader *r, struct tftp_packet *p) {
        const uint8_t *end;

        p->error = reader_be16(r);
        p->message = rest_of(r);
        end = p->message.n ? memchr(p->message.data, 0, p->message.n) : NULL;
        if (end)
                p->message.n = (size_t)(end - p->message.data);
}

enum tftp_verdict tftp_parse(const void *data, size_t n, struct tftp_packet *ret) {
        struct reader r = reader_of(data, n);
        struct tftp_packet p = { .opcode = (enum tftp_opcode)reader_be16(&r) };
        enum tftp_verdict verdict = TFTP_OK;

        if (r.failed)
                return TFTP_SHORT;
        switch (p.opcode) {
        case TFTP_OP_RRQ:
        case TFTP_OP_WRQ:
                verdict = parse_request(&r, &p);
                break;
        case TFTP_OP_DATA:
                p.block = reader_be16(&r);
                p.data = rest_of(&r);
                verdict = r.failed ? TFTP_SHORT : TFTP_OK;
                break;
        case TFTP_OP_ACK: /* some firmware pads it */
                p.block = reader_be16(&r);
                verdict = r.failed ? TFTP_SHORT : TFTP_OK;
                break;
        case TFTP_OP_ERROR:
                parse_error(&r, &p);
                verdict = r.failed ? TFTP_SHORT : TFTP_OK;
                break;
        case TFTP_OP_OACK:
                parse_options(&r, &p.options);
                break;
        default:
                verdict = TFTP_UNKNOWN_OPCODE;
        }
        if (verdict == TFTP_OK)
                *ret = p;
        return verdict;
}

const char *tftp_verdict_text(enum tftp_verdict verdict) {
        switch (verdict) {
        case TFTP_OK:
                return "the packet is whole";
        case TFTP_SHORT:
                return "the packet is cut short";
        case TFTP_UNKNOWN_OPCODE:
                return "the packet has an unknown opcode";
        case TFTP_NO_FILE:
                return "the request names no file";
        case TFTP_NO_MODE:
                return "the request has no mode, or one that no RFC knows";
        }
        return "the packet is not TFTP";
}

static void write_number(struct writer *w, const char *name, uint64_t v) {
        char digits[21];
        size_t at = sizeof(digits);

        digits[--at] = '\0';
        do {
                digits[--at] = (char)('0' + v % 10);
                v /= 10;
        } while (v);
        writer_cstring(w, name);
        writer_cstring(w, digits + at);
}

static void write_options(struct writer *w, const struct tftp_options *o) {
        if (o->blksize)
                write_number(w, "blksize", o->blksize);
        if (o->has_tsize)
                write_number(w, "tsize", o->tsize);
        if (o->timeout)
                write_number(w, "timeout", o->timeout);
        if (o->windowsize)
                write_number(w, "windowsize", o->windowsize);
}

size_t tftp_build_request(void *out, size_t n, const char *file,
                          const struct tftp_options *options) {
        struct writer w = writer_of(out, n);

        writer_be16(&w, TFTP_OP_RRQ);
        writer_cstring(&w, file);
        writer_cstring(&w, "octet");
        write_options(&w, options);
        return w.failed ? 0 : w.at;
}

size_t tftp_build_oack(void *out, size_t n, const struct tftp_options *options) {
        struct writer w = writer_of(out, n);

        writer_be16(&w, TFTP_OP_OACK);
        write_options(&w, options);
        return w.failed ? 0 : w.at;
}

size_t tftp_build_ack(void *out, size_t n, uint16_t block) {
        struct writer w = writer_of(out, n);

        writer_be16(&w, TFTP_OP_ACK);
        writer_be16(&w, block);
        return w.failed ? 0 : w.at;
}

size_t tftp_build_error(void *out, size_t n, enum tftp_error error,
                        const char *message) {
        struct writer w = writer_of(out, n);

        writer_be16(&w, TFTP_OP_ERROR);
        writer_be16(&w, (uint16_t)error);
        if (!w.failed && w.at < n)
                writer_bytes(&w, message, min_size(strlen(message), n - w.at - 1));
        writer_u8(&w, 0);
        return w.failed ? 0 : w.at;
}

void tftp_build_data_head(uint8_t out[static TFTP_HEAD], uint16_t block) {
        store_be16(out, TFTP_OP_DATA);
        store_be16(out + 2, block);
}
