/*
 * DHCP messages: any bytes are parsed or refused, every option lies within the message,
 * and what is built again from what was read is read as the same.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "wire/dhcp4.h"

static void check_options(const struct dhcp4_message *m) {
        size_t sum = 0;

        for (unsigned code = 0; code < 256; code++) {
                struct span value = dhcp4_option(m, (uint8_t)code);
                char text[300];

                assert(value.data >= m->bytes);
                assert(value.data + value.n <= m->bytes + sizeof(m->bytes));
                assert(m->has[code] || value.n == 0);
                dhcp4_option_text(m, (uint8_t)code, text, sizeof(text));
                assert(strlen(text) <= value.n);
                (void)dhcp4_option_be32(m, (uint8_t)code);
                (void)dhcp4_option_be16(m, (uint8_t)code);
                sum += value.n;
        }
        assert(sum <= sizeof(m->bytes));
        assert(m->type < DHCP4_N_TYPES);
        assert(m->type == DHCP4_BOOTP || m->has[DHCP4_MESSAGE_TYPE]);
        assert(strlen(m->file) <= 128 && strlen(m->sname) <= 64);
}

/* Options of one field, as nothing is overloaded any more. */
static size_t build(const struct dhcp4_message *m, uint8_t *ret, size_t n) {
        struct writer w = writer_of(ret, n);

        dhcp4_build_head(&w, m);
        for (unsigned code = 1; code < DHCP4_END; code++) {
                struct span value = dhcp4_option(m, (uint8_t)code);

                if (m->has[code] && code != DHCP4_OVERLOAD)
                        dhcp4_build_option(&w, (uint8_t)code, value.data, value.n);
        }
        dhcp4_build_end(&w);
        assert(!w.failed && w.at >= DHCP4_BOOTP_MIN);
        return w.at;
}

static void check_same(const struct dhcp4_message *a, const struct dhcp4_message *b) {
        assert(a->op == b->op && a->htype == b->htype && a->hlen == b->hlen);
        assert(a->hops == b->hops && a->xid == b->xid && a->secs == b->secs);
        assert(a->flags == b->flags && a->ciaddr == b->ciaddr);
        assert(a->yiaddr == b->yiaddr && a->siaddr == b->siaddr);
        assert(a->giaddr == b->giaddr && a->type == b->type);
        assert(memcmp(a->chaddr, b->chaddr, sizeof(a->chaddr)) == 0);
        assert(strcmp(a->file, b->file) == 0 && strcmp(a->sname, b->sname) == 0);
        for (unsigned code = 1; code < DHCP4_END; code++) {
                struct span one = dhcp4_option(a, (uint8_t)code);
                struct span other = dhcp4_option(b, (uint8_t)code);

                if (code == DHCP4_OVERLOAD)
                        continue;
                assert(a->has[code] == b->has[code] && one.n == other.n);
                assert(memcmp(one.data, other.data, one.n) == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static uint8_t bytes[8192];
        struct dhcp4_message message, again;
        struct text out = { 0 };

        if (dhcp4_parse(data, n, &message) != DHCP4_OK)
                return 0;
        check_options(&message);
        assert(dhcp4_parse(bytes, build(&message, bytes, sizeof(bytes)), &again) ==
               DHCP4_OK);
        check_same(&message, &again);
        dhcp4_format(&message, &out);
        text_done(&out);
        return 0;
}
