/* A decision, its facts and its trace as JSON: what `bootjack explain` shows. */
#include "policy/loader.h"

static void add_facts(const struct policy_facts *f, struct text *out) {
        char mac[MAC_TEXT_MAX], address[IP4_TEXT_MAX], uuid[UUID_TEXT_MAX];

        text_json_key(out, "facts");
        text_char(out, '{');
        text_json_pair(out, "mac", mac_format(f->mac, mac));
        text_json_pair(out, "uuid", f->has_uuid ? uuid_format(f->uuid, uuid) : NULL);
        text_json_key(out, "arch");
        if (f->has_arch)
                text_u64(out, f->arch);
        else
                text_add(out, "null");
        text_json_pair(out, "firmware", policy_facts_arch(f)->name);
        text_json_pair_bool(out, "pxe", f->is_pxe);
        text_json_pair_bool(out, "http", f->is_http);
        text_json_pair_bool(out, "ipxe", f->is_ipxe);
        text_json_pair_bool(out, "uboot", f->is_uboot);
        text_json_pair_bool(out, "raspberry_pi", f->is_pi);
        text_json_pair_bool(out, "apple", f->is_apple);
        text_json_pair_bool(out, "bootp", f->is_bootp);
        text_json_pair_bool(out, "proxy", f->is_proxy);
        text_json_pair(out, "vendor_class", f->vendor_class);
        text_json_pair(out, "user_class", f->user_class);
        text_json_pair(out, "server", ip4_format(f->server, address));
        text_char(out, '}');
}

void policy_json(const struct policy_facts *facts, const struct policy_decision *d,
                 struct text *out) {
        static const char *const verdicts[] = { "boot", "not-a-boot", "cannot-boot" };
        static const char *const secure[] = { "unknown", "on", "off" };
        char address[IP4_TEXT_MAX];

        add_facts(facts, out);
        text_json_key(out, "decision");
        text_char(out, '{');
        text_json_pair(out, "verdict", verdicts[d->verdict]);
        text_json_pair(out, "file", d->file);
        text_json_pair(out, "next_server", ip4_format(d->next_server, address));
        text_json_pair(out, "loader", policy_loader_file(d->loader));
        text_json_pair(out, "dialect", policy_dialect_name(d->dialect));
        text_json_pair(out, "secure_boot", secure[d->secure_boot]);
        text_json_pair(out, "why", d->why);
        text_char(out, '}');
        text_json_key(out, "trace");
        text_char(out, '[');
        for (size_t i = 0; i < d->n_trace; i++) {
                text_json_next(out);
                text_char(out, '{');
                text_json_pair(out, "rule", d->trace[i].rule);
                text_json_pair(out, "outcome", d->trace[i].outcome);
                text_char(out, '}');
        }
        text_char(out, ']');
}
