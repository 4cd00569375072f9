/*
 * Options into a message. What is said is gathered first and written at the end, when
 * it is known whether all of it fits: then in the order that the client asked for
 * (RFC 2132 9.8), else what comes last goes into the fields `file` and `sname` as far
 * as these are free (RFC 2131 4.1, RFC 2132 9.3), else it is left out.
 */
#include "proto/dhcp4_internal.h"

enum {
        SNAME_AT = 44,
        SNAME_SIZE = 64,
        FILE_AT = 108,
        FILE_SIZE = 128,
        OVERLOAD_SIZE = 3,
        OVERLOAD_FILE = 1,
        OVERLOAD_SNAME = 2,
};

bool said_has(const struct said_list *list, uint8_t code) {
        return list->has[code / 32] & 1u << code % 32;
}

void said_borrow(struct said_list *list, uint8_t code, const void *data, size_t n) {
        if (said_has(list, code) || list->n == SAID_MAX || n > UINT16_MAX)
                return;
        list->has[code / 32] |= 1u << code % 32;
        list->items[list->n++] =
                (struct said){ .code = code, .n = (uint16_t)n, .data = data };
}

void said_add(struct said_list *list, uint8_t code, const void *data, size_t n) {
        uint8_t *copy = list->bytes + list->n_bytes;

        if (said_has(list, code) || n > SAID_BYTES_MAX - list->n_bytes)
                return;
        memcpy(copy, data, n);
        list->n_bytes += n;
        said_borrow(list, code, copy, n);
}

void said_first(struct said_list *list) {
        for (size_t i = 0; i < list->n; i++)
                list->items[i].is_first = true;
}

/* RFC 3396: what is longer than 255 goes in pieces, each with a head of its own. */
static size_t size_of(const struct said *said) {
        return said->n + 2 * max_u64((said->n + 254u) / 255u, 1);
}

struct order {
        const struct said *items[SAID_MAX];
        size_t n;
};

static const struct said *find(const struct said_list *list, uint8_t code) {
        for (size_t i = 0; i < list->n; i++)
                if (list->items[i].code == code)
                        return &list->items[i];
        return NULL;
}

static void put_next(struct order *order, const struct said *said) {
        if (!said)
                return;
        for (size_t i = 0; i < order->n; i++)
                if (order->items[i] == said)
                        return;
        order->items[order->n++] = said;
}

/* First what is first, then the client's list, then the rest. RFC 2132 3.3: the mask
 * comes before the routers, whatever the list says. */
static void put_in_order(const struct said_list *list,
                         const struct dhcp4_message *request, struct order *ret) {
        struct span wanted = dhcp4_option(request, DHCP4_PARAMETER_LIST);

        ret->n = 0;
        for (size_t i = 0; i < list->n; i++)
                if (list->items[i].is_first)
                        ret->items[ret->n++] = &list->items[i];
        for (size_t i = 0; i < wanted.n; i++) {
                if (!said_has(list, wanted.data[i]))
                        continue;
                if (wanted.data[i] == DHCP4_ROUTERS)
                        put_next(ret, find(list, DHCP4_SUBNET_MASK));
                put_next(ret, find(list, wanted.data[i]));
        }
        put_next(ret, find(list, DHCP4_SUBNET_MASK));
        for (size_t i = 0; i < list->n; i++)
                put_next(ret, &list->items[i]);
}

static void write_one(struct writer *w, const struct said *said) {
        dhcp4_build_option(w, said->code, said->data, said->n);
}

/* Into a field of the head, which is written already: what fits of those not taken. */
static bool fill_field(const struct order *order, uint8_t *taken, uint8_t *field,
                       size_t n) {
        struct writer w = writer_of(field, n - 1);
        bool any = false;

        for (size_t i = 0; i < order->n; i++) {
                const struct said *said = order->items[i];

                if (taken[i] || said->n > 255 || w.n - w.at < size_of(said))
                        continue;
                write_one(&w, said);
                taken[i] = any = true;
        }
        if (any)
                field[w.at] = DHCP4_END;
        return any;
}

/* The main field, in order, what fits beside `kept` bytes. */
static void fill_main(const struct order *order, uint8_t *taken, struct writer *w,
                      size_t kept) {
        for (size_t i = 0; i < order->n; i++)
                if (w->at + size_of(order->items[i]) + kept <= w->n) {
                        write_one(w, order->items[i]);
                        taken[i] = true;
                }
}

uint8_t said_write(const struct said_list *list, const struct dhcp4_message *request,
                   struct writer *w, bool may_overload) {
        uint8_t taken[SAID_MAX] = { 0 };
        struct order order;
        size_t total = 1; /* END */
        uint8_t overload = 0;

        put_in_order(list, request, &order);
        for (size_t i = 0; i < order.n; i++)
                total += size_of(order.items[i]);
        if (w->at + total <= w->n)
                may_overload = false; /* all of it fits as it is */
        fill_main(&order, taken, w, 1 + (may_overload ? OVERLOAD_SIZE : 0));
        if (may_overload) {
                if (w->data[FILE_AT] == 0 &&
                    fill_field(&order, taken, w->data + FILE_AT, FILE_SIZE))
                        overload |= OVERLOAD_FILE;
                if (w->data[SNAME_AT] == 0 &&
                    fill_field(&order, taken, w->data + SNAME_AT, SNAME_SIZE))
                        overload |= OVERLOAD_SNAME;
                if (overload)
                        dhcp4_build_option(w, DHCP4_OVERLOAD, &overload, 1);
        }
        for (size_t i = 0; i < order.n; i++)
                if (!taken[i])
                        return order.items[i]->code;
        return 0;
}
