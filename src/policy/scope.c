#include "policy/scope.h"

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Bytes two digits each, colons between them or not; a '*' at the end for any more. */
static bool match_bytes(const char *p, struct span value) {
        size_t at = 0;

        for (; *p && *p != '*'; at++) {
                int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);

                if (low < 0 || at >= value.n || value.data[at] != (high << 4 | low))
                        return false;
                p += 2;
                p += *p == ':';
        }
        return *p == '*' ? p[1] == '\0' : at == value.n;
}

/* One '*' is remembered at a time: after a failure it takes one byte more, and those
 * before it need not be looked at again. */
bool scope_glob(const char *pattern, struct span value) {
        const char *star = NULL;
        size_t at = 0, star_at = 0;

        if (pattern[0] == '0' && (pattern[1] == 'x' || pattern[1] == 'X'))
                return match_bytes(pattern + 2, value);
        while (at < value.n) {
                if (*pattern == '*') {
                        star = pattern++;
                        star_at = at;
                } else if (*pattern == '?' ||
                           (*pattern && (uint8_t)*pattern == value.data[at])) {
                        pattern++;
                        at++;
                } else if (star) {
                        pattern = star + 1;
                        at = ++star_at;
                } else {
                        return false;
                }
        }
        while (*pattern == '*')
                pattern++;
        return *pattern == '\0';
}

static bool any_text(const struct scope_texts *texts, struct span value) {
        for (size_t i = 0; i < texts->n; i++)
                if (value.n > 0 && scope_glob(texts->items[i], value))
                        return true;
        return texts->n == 0;
}

/* RFC 3004: classes each behind its length; many clients send the bare word. */
static bool any_user_class(const struct scope_texts *texts, struct span value) {
        struct reader r = reader_of(value.data, value.n);

        if (any_text(texts, value))
                return true;
        while (reader_left(&r) > 0) {
                struct span one = reader_span(&r, reader_u8(&r));

                if (!r.failed && any_text(texts, one))
                        return true;
        }
        return false;
}

static bool any_arch(const struct scope_numbers *numbers,
                     const struct policy_facts *facts) {
        for (size_t i = 0; i < numbers->n; i++)
                if (facts->has_arch && facts->arch == numbers->items[i])
                        return true;
        return numbers->n == 0;
}

static bool any_prefix(const struct scope_prefixes *prefixes, struct mac mac) {
        for (size_t i = 0; i < prefixes->n; i++)
                if (memcmp(prefixes->items[i].b, mac.b, prefixes->items[i].n) == 0)
                        return true;
        return prefixes->n == 0;
}

static bool any_network(const struct scope_networks *networks, ip4_t address) {
        for (size_t i = 0; i < networks->n; i++)
                if (address &&
                    (address & networks->items[i].mask) == networks->items[i].network)
                        return true;
        return networks->n == 0;
}

static bool is_empty(const struct scope_match *m) {
        return m->vendor_class.n + m->user_class.n + m->client_id.n + m->circuit_id.n +
                       m->remote_id.n + m->host.n + m->arch.n + m->mac.n + m->relay.n +
                       m->subnet.n ==
               0;
}

static struct span span_of(const char *s) {
        return (struct span){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

bool scope_matches(const struct scope_match *match, const struct scope_client *client) {
        const struct policy_facts *facts = client->facts;

        return !is_empty(match) && any_arch(&match->arch, facts) &&
               any_prefix(&match->mac, facts->mac) &&
               any_network(&match->relay, client->relay) &&
               any_network(&match->subnet, client->address) &&
               any_text(&match->vendor_class, span_of(facts->vendor_class)) &&
               any_user_class(&match->user_class, client->user_class) &&
               any_text(&match->client_id, client->client_id) &&
               any_text(&match->circuit_id, client->circuit_id) &&
               any_text(&match->remote_id, client->remote_id) &&
               any_text(&match->host, span_of(client->host));
}
