/* UTF-16 and Latin-1 into UTF-8, for the names of Joliet and UDF. */
#include "media/bytes.h"

enum { REPLACEMENT = 0xfffd };

static bool is_high(uint32_t c) {
        return c >= 0xd800 && c < 0xdc00;
}

static bool is_low(uint32_t c) {
        return c >= 0xdc00 && c < 0xe000;
}

static void add_utf8(uint32_t c, struct text *out) {
        if (c < 0x80) {
                text_char(out, (char)c);
                return;
        }
        if (c >= 0x10000) {
                text_char(out, (char)(0xf0 | c >> 18));
                text_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        } else if (c >= 0x800) {
                text_char(out, (char)(0xe0 | c >> 12));
        }
        if (c >= 0x800)
                text_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        else
                text_char(out, (char)(0xc0 | c >> 6));
        text_char(out, (char)(0x80 | (c & 0x3f)));
}

bool media_add_characters(const uint8_t *p, size_t n, size_t each, struct text *out) {
        while (n >= each) {
                uint32_t c = each == 2 ? load_be16(p) : p[0];

                p += each, n -= each;
                if (is_high(c) && n >= 2 && is_low(load_be16(p))) {
                        c = 0x10000 + ((c & 0x3ff) << 10) + (load_be16(p) & 0x3ff);
                        p += 2, n -= 2;
                } else if (is_high(c) || is_low(c)) {
                        c = REPLACEMENT;
                }
                if (c == 0)
                        return false;
                add_utf8(c, out);
        }
        return true;
}
