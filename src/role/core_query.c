/*
 * Questions from the command line, answered as one JSON value each. An answer longer
 * than a message goes in pieces.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "role/core.h"

#ifndef BOOTJACK_VERSION
#define BOOTJACK_VERSION "0.1.0"
#endif

enum { PIECE = 32 * 1024, LEASES_PAGE = 1000 };

static void answer(struct ipc_channel *channel, uint64_t ticket,
                   const struct text *text) {
        struct ipc_answer head = { .ticket = ticket };
        size_t at = 0;

        do {
                size_t n = min_size(text->n - at, PIECE);

                head.last = at + n == text->n;
                (void)ipc_send(channel, IPC_ANSWER, &head, text->s + at, n, NULL, 0);
                at += n;
        } while (at < text->n);
}

/* ---- answers that wait for the disk ---- */

struct promise {
        struct list link;
        struct ipc_channel *channel;
        uint64_t query;
        int64_t ticket;
        struct text text;
};

static void forget(struct promise *promise) {
        list_remove(&promise->link);
        text_done(&promise->text);
        free(promise);
}

/* Takes the text over. Without memory nothing is said, and the client asks again. */
static void answer_when_durable(struct core *core, struct ipc_channel *channel,
                                uint64_t query, struct text *text) {
        struct promise *promise = calloc(1, sizeof(*promise));

        if (!promise)
                return;
        promise->channel = channel;
        promise->query = query;
        promise->ticket = core->last_ticket;
        promise->text = *text;
        *text = (struct text){ 0 };
        list_append(&core->promises, &promise->link);
        core_query_durable(core);
}

void core_query_durable(struct core *core) {
        LIST_FOR_EACH(pos, &core->promises) {
                struct promise *promise = CONTAINER_OF(pos, struct promise, link);

                if (promise->ticket > core->done_ticket)
                        return;
                answer(promise->channel, promise->query, &promise->text);
                forget(promise);
        }
}

void core_query_gone(struct core *core, struct ipc_channel *channel) {
        LIST_FOR_EACH(pos, &core->promises) {
                struct promise *promise = CONTAINER_OF(pos, struct promise, link);

                if (promise->channel == channel)
                        forget(promise);
        }
}

static void refuse(struct text *out, const char *why) {
        text_char(out, '{');
        text_json_pair(out, "error", why);
        text_char(out, '}');
}

/* The value of `key` in "a=1 b=2", copied; false when it is not there. */
static bool argument(const char *arguments, const char *key, char *ret, size_t n) {
        size_t n_key = strlen(key);

        while (*arguments) {
                size_t word = strcspn(arguments, " ");

                if (word > n_key && strncmp(arguments, key, n_key) == 0 &&
                    arguments[n_key] == '=' && word - n_key - 1 < n) {
                        memcpy(ret, arguments + n_key + 1, word - n_key - 1);
                        ret[word - n_key - 1] = '\0';
                        return true;
                }
                arguments += word + (arguments[word] == ' ');
        }
        return false;
}

static size_t from_hex(const char *s, uint8_t *ret, size_t room) {
        static const char digits[] = "0123456789abcdef";
        size_t n = 0;

        while (n < room && s[0] && s[1] && strchr(digits, s[0]) &&
               strchr(digits, s[1])) {
                ret[n++] = (uint8_t)((strchr(digits, s[0]) - digits) << 4 |
                                     (strchr(digits, s[1]) - digits));
                s += 2;
        }
        return n;
}

/* ---- leases, media, machines ---- */

static void add_lease(const struct lease_record *lease, void *userdata) {
        struct text *out = userdata;

        text_json_next(out);
        lease_json(lease, out);
}

/* after=ADDRESS n=COUNT: a page of them, so that a million are listed without anybody
 * waiting for an address meanwhile. */
static void query_leases(struct core *core, const char *arguments, struct text *out) {
        char word[24];
        ip4_t after = 0;
        size_t n = LEASES_PAGE;

        if (argument(arguments, "after", word, sizeof(word)))
                (void)!ip4_parse(word, &after);
        if (argument(arguments, "n", word, sizeof(word)))
                n = min_size(strtoul(word, NULL, 10), LEASES_PAGE);
        text_char(out, '[');
        dhcp4_server_leases_page(core->dhcp, after, n, add_lease, out);
        text_char(out, ']');
}

/* address=ADDRESS */
static void query_release(struct core *core, const char *arguments, struct text *out) {
        char word[24];
        ip4_t address;

        if (!argument(arguments, "address", word, sizeof(word)) ||
            !ip4_parse(word, &address)) {
                refuse(out, "release needs an address");
                return;
        }
        if (dhcp4_server_release(core->dhcp, address, core_time(core), core->actions) <
            0) {
                refuse(out, "nobody has a lease of that address");
                return;
        }
        core_dhcp_execute(core);
        text_char(out, '{');
        text_json_pair(out, "released", word);
        text_char(out, '}');
}

/* ADDRESS MAC CLIENT-ID STATE STARTS ENDS NAME, identifier and name in hexadecimal or
 * '-', times in seconds or '-' for no end. */
static bool parse_import(char *line, struct lease_record *ret) {
        char *words[7];

        *ret = (struct lease_record){ 0 };
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                words[i] = line;
                line += strcspn(line, " ");
                if (*line)
                        *line++ = '\0';
        }
        ret->n_client_id =
                (uint8_t)from_hex(words[2], ret->client_id, sizeof(ret->client_id));
        (void)from_hex(words[6], (uint8_t *)ret->hostname, sizeof(ret->hostname) - 1);
        ret->starts = strtoull(words[4], NULL, 10) * NSEC_PER_SEC;
        ret->ends = words[5][0] == '-' ? NSEC_NEVER
                                       : strtoull(words[5], NULL, 10) * NSEC_PER_SEC;
        return ip4_parse(words[0], &ret->address) && mac_parse(words[1], &ret->mac) &&
               lease_state_parse(words[3], &ret->state);
}

static void import_one(struct core *core, char *line, struct text *out) {
        struct lease_record record;
        char address[IP4_TEXT_MAX];
        int r;

        if (!parse_import(line, &record))
                return;
        r = dhcp4_server_import(core->dhcp, &record, core_time(core), core->actions);
        if (r == 0) {
                core_dhcp_execute(core);
                return;
        }
        text_json_next(out);
        text_char(out, '{');
        text_json_pair(out, "address", ip4_format(record.address, address));
        text_json_pair(out, "why",
                       r == -EEXIST ? "another client holds that address here"
                       : r == -EDOM ? "it is in no subnet of the configuration"
                                    : "out of memory");
        text_char(out, '}');
}

/* A line a lease; what could not be taken is told. */
static void query_import(struct core *core, char *lines, struct text *out) {
        text_add(out, "{\"refused\":[");
        while (*lines) {
                char *end = lines + strcspn(lines, "\n");
                bool is_last = *end == '\0';

                *end = '\0';
                import_one(core, lines, out);
                lines = end + !is_last;
        }
        text_add(out, "]}");
}

static void query_media(struct core *core, struct text *out) {
        text_char(out, '[');
        for (size_t i = 0; i < core->n_media; i++) {
                struct medium medium;

                media_index_medium(&core->media[i].index, &medium);
                text_json_next(out);
                medium_json(&medium, out);
        }
        text_char(out, ']');
}

static void query_known(const struct core *core, const struct machine *m,
                        struct text *out) {
        const struct conf_machine *row = core_menu_assigned(core, m);
        uint64_t memory = core_machines_memory(core, m);

        text_json_key(out, "memory");
        if (memory > 0)
                text_u64(out, memory);
        else
                text_add(out, "null");
        text_json_pair(out, "boot", row && row->boot[0] ? row->boot : NULL);
        text_json_pair(out, "once",
                       !row || !row->once                               ? NULL
                       : core_machines_is_over(core, row, m->facts.mac) ? "done"
                                                                        : "waiting");
}

static void query_machines(struct core *core, struct text *out) {
        text_char(out, '[');
        for (struct machine *m = machines_first(core->machines); m;
             m = machines_next(core->machines, m)) {
                char text[MAC_TEXT_MAX], address[IP4_TEXT_MAX];

                text_json_next(out);
                text_char(out, '{');
                text_json_pair(out, "mac",
                               mac_is_zero(m->facts.mac)
                                       ? NULL
                                       : mac_format(m->facts.mac, text));
                text_json_pair(out, "address",
                               m->address ? ip4_format(m->address, address) : NULL);
                text_json_pair(out, "firmware",
                               m->has_facts ? policy_facts_arch(&m->facts)->name
                                            : NULL);
                query_known(core, m, out);
                text_json_pair_u64(out, "story", m->story);
                text_json_pair_u64(out, "last", m->last / NSEC_PER_SEC);
                text_char(out, '}');
        }
        text_char(out, ']');
}

/* ---- status ---- */

struct lease_count {
        uint64_t bound, all;
};
static void count_lease(const struct lease_record *lease, void *userdata) {
        struct lease_count *count = userdata;

        count->all++;
        count->bound += lease->state == LEASE_BOUND;
}

static void add_six(const struct net_interface *interface, struct text *out) {
        char address[IP6_TEXT_MAX];

        text_json_key(out, "addresses6");
        text_char(out, '[');
        for (size_t i = 0; i < interface->n_six; i++) {
                text_json_next(out);
                ip6_format(interface->six[i], address);
                text_json_string(out, address, strlen(address));
        }
        text_char(out, ']');
}

static void add_interfaces(const struct core *core, struct text *out) {
        char address[IP4_TEXT_MAX], mac[MAC_TEXT_MAX];

        text_json_key(out, "interfaces");
        text_char(out, '[');
        for (size_t i = 0; i < core->n_interfaces; i++) {
                text_json_next(out);
                text_char(out, '{');
                text_json_pair(out, "name", core->interfaces[i].name);
                text_json_pair(out, "address",
                               ip4_format(core->interfaces[i].address, address));
                text_json_pair(out, "mac", mac_format(core->interfaces[i].mac, mac));
                add_six(&core->interfaces[i], out);
                text_char(out, '}');
        }
        text_char(out, ']');
}

static void add_roles(const struct core *core, struct text *out) {
        text_json_key(out, "roles");
        text_char(out, '{');
        text_json_pair_bool(out, "library", core->library != NULL);
        text_json_pair_bool(out, "admin", core->admin != NULL);
        for (size_t i = 0; i < core->role->conf->workers; i++) {
                char name[32];

                snprintf(name, sizeof(name), "files-%zu", i + 1);
                text_json_pair_bool(out, name, core->files[i] != NULL);
        }
        text_char(out, '}');
}

static void add_loaders(const struct core *core, struct text *out) {
        text_json_key(out, "loaders");
        text_char(out, '{');
        for (unsigned i = POLICY_LOADER_NONE + 1; i < POLICY_N_LOADERS; i++)
                text_json_pair(out, policy_loader_file((enum policy_loader)i),
                               core->rules.loaders & POLICY_BIT(i)
                                       ? "present"
                                       : policy_loader_package((enum policy_loader)i));
        text_char(out, '}');
}

static bool is_nfs_open(const struct core *core) {
        enum conf_when mode = core->role->conf->nfs.mode;

        return mode == CONF_ON || (mode == CONF_WHEN_NEEDED && core->nfs_is_needed);
}

static void query_status(struct core *core, struct text *out) {
        static const char *const modes[] = { "proxy", "server", "off" };
        const struct conf *conf = core->role->conf;
        struct lease_count leases = { 0 };

        dhcp4_server_leases(core->dhcp, count_lease, &leases);
        text_char(out, '{');
        text_json_pair(out, "version", BOOTJACK_VERSION);
        text_json_pair_u64(out, "uptime", (loop_now() - core->started) / NSEC_PER_SEC);
        text_json_pair(out, "mode", modes[conf->dhcp.mode]);
        add_interfaces(core, out);
        text_json_key(out, "ports");
        text_char(out, '{');
        text_json_pair_u64(out, "tftp", conf->tftp.port);
        text_json_pair_u64(out, "http", conf->http.port);
        text_json_pair_u64(out, "https", conf->https.port);
        text_json_pair_u64(out, "ftp", conf->ftp.port);
        text_json_pair_u64(out, "nfs", is_nfs_open(core) ? conf->nfs.port : 0);
        text_char(out, '}');
        text_json_key(out, "doors");
        text_add(out, core->doors.n > 0 ? text_string(&core->doors) : "[]");
        text_json_pair(out, "root", conf->root[0] ? conf->root : NULL);
        text_json_pair_u64(out, "media", core->n_media);
        text_json_pair_u64(out, "leases", leases.bound);
        text_json_pair_u64(out, "menus", core->n_menus);
        text_json_pair_bool(out, "state_writable", !core->store_has_failed);
        add_loaders(core, out);
        add_roles(core, out);
        text_json_key(out, "dhcp");
        dhcp4_server_json(core->dhcp, out);
        text_char(out, '}');
}

/* ---- explain ---- */

static const struct net_interface *explain_interface(const struct core *core,
                                                     const char *arguments) {
        char name[NET_NAME_MAX];

        if (!argument(arguments, "interface", name, sizeof(name)))
                return core->n_interfaces ? &core->interfaces[0] : NULL;
        for (size_t i = 0; i < core->n_interfaces; i++)
                if (strcmp(core->interfaces[i].name, name) == 0)
                        return &core->interfaces[i];
        return NULL;
}

/* What is known of the machine, and what the question says instead. */
static bool explain_facts(struct core *core, const char *arguments,
                          struct policy_facts *ret) {
        struct policy_facts facts = { .is_pxe = true };
        struct machine *machine;
        char text[64];
        uint16_t arch;

        if (!argument(arguments, "mac", text, sizeof(text)) ||
            !mac_parse(text, &facts.mac))
                return false;
        machine = machines_by_mac(core->machines, facts.mac);
        if (machine && machine->has_facts)
                facts = machine->facts;
        if (argument(arguments, "arch", text, sizeof(text)) &&
            policy_arch_parse(text, &arch)) {
                facts.has_arch = true;
                facts.arch = arch;
                facts.is_http = policy_arch(arch)->is_http;
                facts.is_pxe = !facts.is_http;
                facts.is_ipxe = facts.is_uboot = facts.is_apple = false;
                facts.is_pi = arch == POLICY_ARCH_PI;
                facts.ipxe_features = 0;
        }
        *ret = facts;
        return true;
}

static void add_script(const struct menu *menu, const struct machine *machine,
                       enum policy_dialect dialect, struct text *out) {
        struct text script = { 0 };

        if (dialect != POLICY_NO_DIALECT)
                core_menu_render(menu, machine, dialect, &script);
        text_json_pair(out, "script", text_string(&script));
        out->failed |= script.failed;
        text_done(&script);
}

static void add_menu(struct core *core, const struct policy_facts *facts,
                     const struct policy_decision *d, bool wants_script,
                     struct text *out) {
        struct machine *machine = machines_by_mac(core->machines, facts->mac);
        struct menu_model *m = NULL;

        text_json_key(out, "menu");
        text_char(out, '[');
        if (core_menu_new(core, machine, facts->server, core_menu_firmware(d->firmware),
                          d->dialect, &m) == 0)
                for (size_t i = 0; i < m->menu.n_entries; i++) {
                        text_json_next(out);
                        text_char(out, '{');
                        text_json_pair(out, "id", m->menu.entries[i].id);
                        text_json_pair(out, "title", m->menu.entries[i].title);
                        text_json_pair_bool(out, "default", i == m->menu.initial);
                        text_char(out, '}');
                }
        text_char(out, ']');
        if (m && wants_script)
                add_script(&m->menu, machine, d->dialect, out);
        menu_model_free(m);
}

static void query_explain(struct core *core, const char *arguments, struct text *out) {
        const struct net_interface *interface = explain_interface(core, arguments);
        struct policy_facts facts;
        struct policy_decision decision;
        char script[4];

        if (!interface) {
                refuse(out, "that interface is not served");
                return;
        }
        if (!explain_facts(core, arguments, &facts)) {
                refuse(out, "explain needs a MAC address: --mac 52:54:00:12:34:56");
                return;
        }
        dhcp4_server_explain(core->dhcp, interface->ifindex, &facts, &decision);
        text_char(out, '{');
        policy_json(&facts, &decision, out);
        add_menu(core, &facts, &decision,
                 argument(arguments, "script", script, sizeof(script)), out);
        text_char(out, '}');
}

static void query_reload(struct core *core, struct text *out) {
        (void)ipc_send(core->role->parent, IPC_RELOAD, NULL, NULL, 0, NULL, 0);
        text_char(out, '{');
        text_json_pair(out, "asked", "reload");
        text_char(out, '}');
}

static void query_history(struct core *core, const char *arguments, struct text *out) {
        char text[16];
        size_t n = 100;

        if (argument(arguments, "n", text, sizeof(text)))
                n = strtoul(text, NULL, 10);
        if (store_events(core->store, min_size(n, 10000), out) < 0)
                refuse(out, "the history cannot be read");
}

void core_query(struct core *core, struct ipc_channel *channel,
                const struct ipc_message *message) {
        const struct ipc_query *query = message->body;
        struct text line = { 0 }, out = { 0 };
        const char *verb, *arguments;

        text_bytes(&line, message->tail, message->n_tail);
        verb = text_string(&line);
        arguments = strlen(verb) < line.n ? verb + strlen(verb) + 1 : "";
        if (!core->dhcp)
                refuse(&out, "the server is still starting; ask again");
        else if (strcmp(verb, "status") == 0)
                query_status(core, &out);
        else if (strcmp(verb, "leases") == 0)
                query_leases(core, arguments, &out);
        else if (strcmp(verb, "lease-release") == 0)
                query_release(core, arguments, &out);
        else if (strcmp(verb, "lease-import") == 0)
                query_import(core, (char *)(uintptr_t)arguments, &out);
        else if (strcmp(verb, "media") == 0)
                query_media(core, &out);
        else if (strcmp(verb, "machines") == 0)
                query_machines(core, &out);
        else if (strcmp(verb, "explain") == 0)
                query_explain(core, arguments, &out);
        else if (strcmp(verb, "reload") == 0)
                query_reload(core, &out);
        else if (strcmp(verb, "history") == 0)
                query_history(core, arguments, &out);
        else
                refuse(&out, "this server does not know that question");
        if (strncmp(verb, "lease-", 6) == 0)
                answer_when_durable(core, channel, query->ticket, &out);
        else
                answer(channel, query->ticket, &out);
        text_done(&line);
        text_done(&out);
}
