#include "lease/lease.h"

static const char *const names[] = { "bound", "released", "declined", "expired" };

const char *lease_state_name(enum lease_state state) {
        return (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

bool lease_state_parse(const char *name, enum lease_state *ret) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strcmp(names[i], name) == 0) {
                        *ret = (enum lease_state)i;
                        return true;
                }
        return false;
}

static void add_client_id(const struct lease_record *lease, struct text *out) {
        static const char digits[] = "0123456789abcdef";

        text_json_key(out, "client_id");
        if (lease->n_client_id == 0) {
                text_add(out, "null");
                return;
        }
        text_char(out, '"');
        for (size_t i = 0; i < lease->n_client_id; i++) {
                text_char(out, digits[lease->client_id[i] >> 4]);
                text_char(out, digits[lease->client_id[i] & 15]);
        }
        text_char(out, '"');
}

static void add_time(const char *key, nsec_t time, struct text *out) {
        text_json_key(out, key);
        if (time == NSEC_NEVER)
                text_add(out, "null");
        else
                text_u64(out, time / NSEC_PER_SEC);
}

void lease_json(const struct lease_record *lease, struct text *out) {
        char address[IP4_TEXT_MAX], mac[MAC_TEXT_MAX];

        text_char(out, '{');
        text_json_pair(out, "address", ip4_format(lease->address, address));
        text_json_pair(out, "mac", mac_format(lease->mac, mac));
        add_client_id(lease, out);
        text_json_pair(out, "hostname", lease->hostname);
        text_json_pair(out, "state", lease_state_name(lease->state));
        add_time("starts", lease->starts, out);
        add_time("ends", lease->ends, out);
        text_json_pair(out, "subnet", ip4_format(lease->subnet, address));
        text_char(out, '}');
}
