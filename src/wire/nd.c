#include "wire/nd.h"

enum { SOLICITATION_SIZE = 8, SOURCE_LINK_ADDRESS = 1, UNIT = 8 };

/* RFC 4861 6.1.1, 6.1.2: all options have a length that is not zero. */
static bool read_options(struct reader *r, struct mac *ret_source) {
        while (!r->failed && r->at < r->n) {
                uint8_t type = reader_u8(r), units = reader_u8(r);
                struct span value = reader_span(r, (size_t)units * UNIT - 2);

                if (units == 0 || r->failed)
                        return false;
                if (type == SOURCE_LINK_ADDRESS && units == 1)
                        memcpy(ret_source->b, value.data, sizeof(ret_source->b));
        }
        return !r->failed;
}

bool nd_parse(const void *data, size_t n, struct nd_message *ret) {
        struct nd_message message = { 0 };
        struct reader r = reader_of(data, n);
        uint8_t type = reader_u8(&r), code = reader_u8(&r);

        message.is_advertisement = type == ND_ROUTER_ADVERTISEMENT;
        if ((type != ND_ROUTER_SOLICITATION && !message.is_advertisement) || code != 0)
                return false;
        if (message.is_advertisement) {
                (void)reader_be32(&r); /* checksum, hop limit, flags */
                message.lifetime = reader_be16(&r);
                (void)reader_be64(&r); /* how long who can be reached */
        } else {
                (void)reader_span(&r, SOLICITATION_SIZE - 2);
        }
        if (r.failed || !read_options(&r, &message.mac))
                return false;
        if (message.is_advertisement)
                message.mac = (struct mac){ { 0 } };
        *ret = message;
        return true;
}

void nd_build_no_router(uint8_t ret[static ND_ADVERTISEMENT_SIZE]) {
        memset(ret, 0, ND_ADVERTISEMENT_SIZE);
        ret[0] = ND_ROUTER_ADVERTISEMENT;
}
