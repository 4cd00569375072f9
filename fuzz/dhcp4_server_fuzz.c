/*
 * The DHCP server and proxy under any sequence of messages, time steps, reloads and
 * restarts. The input is a mode, then steps: a byte that says what happens, and its
 * bytes. Most messages are made near the truth (a few clients, addresses and servers),
 * so that leases are really given, renewed and fought for; others are any bytes.
 *
 * What must hold: no two clients are bound to one address, an address is confirmed only
 * behind the record that will be on disk, a message is never shorter than old clients
 * take nor longer than a frame, a proxy gives no address, and a restart from the disk
 * knows every lease.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "proto/dhcp4_server.h"
#include "wire/dhcp4.h"

enum { LAN = 2, DISK_MAX = 64, REQUEST_MAX = 1472, STEPS_MAX = 300 };

static const ip4_t us = 0x0a000001;
static const char *const patterns[] = { "PXE*Client", "0x50*" };
static const struct scope_pxe_item items[] = { { 1, "One", "one.0", 0 },
                                               { 0, "Disk", "", 0x0a000009 } };

struct run {
        struct dhcp4_server *server;
        struct dhcp4_config config;
        struct dhcp4_interface interface;
        struct scope_pool pool, far_pool;
        struct scope_option options[2];
        struct scope_subnet subnets[2];
        struct scope_class class;
        struct scope_host hosts[2];
        nsec_t now;
        struct lease_record disk[DISK_MAX];
        size_t n_disk;
        struct dhcp4_actions actions;
};

static void must(int r) {
        if (r != 0)
                abort();
}

/* ---- what must hold ---- */

static bool is_same_client(const struct lease_record *a, const struct lease_record *b) {
        return mac_is_equal(a->mac, b->mac) ||
               (a->n_client_id > 0 && a->n_client_id == b->n_client_id &&
                memcmp(a->client_id, b->client_id, a->n_client_id) == 0);
}

static void check_taken(const struct run *r, const struct lease_record *old,
                        const struct lease_record *record) {
        if (old->state == LEASE_BOUND && old->ends > r->now &&
            record->state == LEASE_BOUND)
                assert(is_same_client(old, record));
}

static void keep(struct run *r, const struct lease_record *record) {
        size_t i = 0;

        while (i < r->n_disk && r->disk[i].address != record->address)
                i++;
        assert(i < DISK_MAX); /* no more than the pools and the host */
        if (i < r->n_disk)
                check_taken(r, &r->disk[i], record);
        r->disk[i] = *record;
        r->n_disk += i == r->n_disk;
}

static const struct lease_record *find_on_disk(const struct run *r, ip4_t address) {
        for (size_t i = 0; i < r->n_disk; i++)
                if (r->disk[i].address == address)
                        return &r->disk[i];
        return NULL;
}

static void check_send(struct run *r, const struct dhcp4_send *send) {
        const struct lease_record *kept;
        struct dhcp4_message m;

        assert(send->n >= DHCP4_BOOTP_MIN && send->n <= DHCP4_MESSAGE_MAX);
        assert(dhcp4_parse(send->data, send->n, &m) == DHCP4_OK);
        assert(m.op == DHCP4_BOOTREPLY && send->from == us && send->to != 0);
        assert(m.type == DHCP4_OFFER || m.type == DHCP4_ACK || m.type == DHCP4_NAK ||
               m.type == DHCP4_BOOTP);
        assert(!r->config.is_proxy || m.yiaddr == 0);
        assert(send->durable == (m.yiaddr != 0 && m.type != DHCP4_OFFER));
        if (!send->durable)
                return;
        kept = find_on_disk(r, m.yiaddr);
        assert(kept && kept->state == LEASE_BOUND && kept->ends > r->now);
        assert(memcmp(kept->mac.b, m.chaddr, 6) == 0);
}

static void check_event(const struct event *event) {
        struct text out = { 0 };

        event_sentence(event, &out);
        assert(out.n > 0 && memchr(out.s, '\n', out.n) == NULL);
        text_done(&out);
}

static void check_actions(struct run *r) {
        assert(r->actions.n <= DHCP4_ACTIONS_MAX);
        assert(r->actions.n_texts < DHCP4_TEXTS_MAX);
        for (size_t i = 0; i < r->actions.n; i++) {
                const struct dhcp4_action *action = &r->actions.items[i];

                assert(!r->config.is_proxy || action->kind != DHCP4_PERSIST);
                if (action->kind == DHCP4_PERSIST) {
                        keep(r, &action->record);
                } else if (action->kind == DHCP4_SEND) {
                        check_send(r, &action->send);
                } else if (action->kind == DHCP4_EVENT) {
                        check_event(&action->event);
                }
        }
}

/* What the server believes is what the disk says. */
static void check_lease(const struct lease_record *lease, void *userdata) {
        const struct run *r = userdata;
        size_t i = 0, n = 0;

        if (lease->state != LEASE_BOUND)
                return;
        for (; i < r->n_disk; i++)
                if (r->disk[i].address == lease->address) {
                        assert(r->disk[i].state == LEASE_BOUND);
                        assert(r->disk[i].ends == lease->ends);
                        assert(mac_is_equal(r->disk[i].mac, lease->mac));
                        n++;
                }
        assert(n == 1);
}

/* ---- steps ---- */

static void tick(struct run *r, nsec_t until) {
        while (dhcp4_server_next(r->server) <= until) {
                r->now = max_u64(r->now, dhcp4_server_next(r->server));
                dhcp4_server_tick(r->server, r->now, &r->actions);
                check_actions(r);
        }
        r->now = max_u64(r->now, until);
}

static ip4_t address_of(uint8_t b) {
        static const ip4_t nets[] = { 0x0a000000, 0x0a090000, 0, 0x0a000000 };

        return b == 0 ? 0 : nets[b >> 6] + (b & 7);
}

static void build_random_option(struct writer *w, struct reader *in) {
        uint8_t code = reader_u8(in);
        uint8_t n = reader_u8(in);
        struct span value = reader_span(in, min_size(n, reader_left(in)));

        if (value.n > 0)
                dhcp4_build_option(w, code, value.data, value.n);
}

/* A request near the truth: a type, a client, addresses by a byte each, and options. */
static size_t make_request(struct reader *in, uint8_t bytes[REQUEST_MAX]) {
        uint8_t type = reader_u8(in) % (DHCP4_N_TYPES + 1), flags = reader_u8(in);
        struct dhcp4_message head = { .op = DHCP4_BOOTREQUEST, .htype = 1, .hlen = 6 };
        struct writer w = writer_of(bytes, REQUEST_MAX);
        ip4_t wanted;

        head.flags = flags & 1 ? DHCP4_FLAG_BROADCAST : 0;
        head.chaddr[5] = flags >> 1 & 3;
        head.ciaddr = address_of(reader_u8(in));
        head.giaddr = flags & 8 ? address_of(reader_u8(in)) : 0;
        dhcp4_build_head(&w, &head);
        if (type != DHCP4_BOOTP)
                dhcp4_build_option(&w, DHCP4_MESSAGE_TYPE, &type, 1);
        wanted = address_of(reader_u8(in));
        if (wanted)
                dhcp4_build_be32(&w, DHCP4_REQUESTED_ADDRESS, wanted);
        if (flags & 16)
                dhcp4_build_be32(&w, DHCP4_SERVER_ID, flags & 32 ? us : us + 1);
        if (flags & 64)
                dhcp4_build_option(&w, DHCP4_VENDOR_CLASS, "PXEClient", 9);
        if (flags & 128)
                dhcp4_build_option(&w, DHCP4_CLIENT_ID, &flags, 1);
        for (uint8_t n = reader_u8(in) % 8; n > 0; n--)
                build_random_option(&w, in);
        dhcp4_build_end(&w);
        return w.at;
}

static void receive(struct run *r, const uint8_t *data, size_t n, uint8_t how) {
        struct dhcp4_received received = {
                .data = data,
                .n = n,
                .ifindex = how & 16 ? LAN + 1 : LAN,
                .from = n >= 16 && how & 1 ? load_be32(data + 12) : 0,
                .to = how & 2 ? us : UINT32_MAX,
                .from_port = how & 4 ? DHCP4_BINL_PORT : DHCP4_CLIENT_PORT,
                .port = how & 8 ? DHCP4_BINL_PORT : DHCP4_SERVER_PORT,
                .now = r->now,
        };

        dhcp4_server_recv(r->server, &received, &r->actions);
        check_actions(r);
}

static void configure(struct run *r, uint8_t how) {
        r->config.authoritative = how & 1;
        r->config.n_hosts = how & 2 ? 2 : 0;
        r->config.n_classes = how & 16 ? 1 : 0;
        r->subnets[0].shared_network = r->subnets[1].shared_network =
                how & 1 ? "floor" : NULL;
        r->subnets[0].bootp = how & 4;
        r->pool.last = r->pool.first + (how >> 3 & 3);
        r->subnets[0].scope.filename = how & 32 ? "a/file" : NULL;
        r->config.rules.loaders = how & 64 ? 0 : POLICY_BIT(POLICY_N_LOADERS) - 1;
        r->config.rules.http_port = how & 128 ? 0 : 80;
}

static void restart(struct run *r) {
        dhcp4_server_free(r->server);
        must(dhcp4_server_new(&r->config, &r->server));
        for (size_t i = 0; i < r->n_disk; i++)
                must(dhcp4_server_load(r->server, &r->disk[i]));
}

static void step(struct run *r, struct reader *in) {
        uint8_t what = reader_u8(in), bytes[REQUEST_MAX];
        struct span packet;

        switch (what % 8) {
        case 0:
                packet = reader_span(in, min_size(reader_be16(in), reader_left(in)));
                receive(r, packet.data, packet.n, what >> 3);
                break;
        case 1:
                tick(r, r->now + reader_u8(in) * 100 * NSEC_PER_SEC);
                break;
        case 4: /* somebody answers a probe, or a file is fetched */
                if (what & 128)
                        dhcp4_server_probed(r->server, address_of(reader_u8(in)),
                                            (struct mac){ { 0 } }, r->now, &r->actions);
                else
                        dhcp4_server_fetched(r->server, (struct mac){ { 0 } }, r->now,
                                             &r->actions);
                check_actions(r);
                break;
        case 2: /* the clock goes on and nobody ticks */
                r->now += reader_u8(in) * 10 * NSEC_PER_SEC;
                break;
        case 3:
                if (what & 128) {
                        restart(r);
                } else {
                        configure(r, reader_u8(in));
                        must(dhcp4_server_configure(r->server, &r->config));
                }
                break;
        default:
                receive(r, bytes, make_request(in, bytes), what >> 3);
        }
        dhcp4_server_leases(r->server, check_lease, r);
}

static void init(struct run *r, uint8_t mode) {
        *r = (struct run){
                .now = 1700000000 * NSEC_PER_SEC,
                .interface = { "lan0", LAN, us, 0xffffff00 },
                .pool = { 0x0a000002, 0x0a000003 },
                .far_pool = { 0x0a090002, 0x0a090003 },
                .options = { { 3, false, 4, (const uint8_t *)"\n\0\0\t" },
                             { 66, true, 4, (const uint8_t *)"tftp" } },
                .class = { .name = "class",
                           .match = { .vendor_class = { patterns, 2 } } },
                .hosts = { { .mac = { { 0, 0, 0, 0, 0, 3 } },
                             .address = 0x0a000003,
                             .hostname = "host" },
                           { .client_id = { (const uint8_t *)"\x80", 1 },
                             .circuit_id = { (const uint8_t *)"p", 1 },
                             .has_uuid = true,
                             .address = 0x0a090003 } },
                .config = { .pxe = { "Go", NSEC_PER_SEC, items, mode & 8 ? 2 : 0 },
                            .is_proxy = mode & 1,
                            .n_interfaces = 1,
                            .n_subnets = 2,
                            .decline_time = 3600 * NSEC_PER_SEC,
                            .offer_time = 60 * NSEC_PER_SEC,
                            .probe_time = mode & 4 ? NSEC_PER_SEC / 2 : 0 },
        };
        r->subnets[0] =
                (struct scope_subnet){ .network = 0x0a000000,
                                       .mask = 0xffffff00,
                                       .pools = &r->pool,
                                       .n_pools = 1,
                                       .scope = { .lease_time = 3600 * NSEC_PER_SEC,
                                                  .max_lease_time = 7200 * NSEC_PER_SEC,
                                                  .options = r->options,
                                                  .n_options =
                                                          mode >> 1 & 1 ? 2 : 0 } };
        r->subnets[1] = r->subnets[0];
        r->subnets[1].network = 0x0a090000;
        r->subnets[1].pools = &r->far_pool;
        r->config.interfaces = &r->interface;
        r->config.subnets = r->subnets;
        r->class.scope = r->subnets[0].scope;
        r->class.scope.filename = "class/file";
        r->config.classes = &r->class;
        r->config.hosts = r->hosts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static struct run r;
        struct reader in = reader_of(data, n);

        init(&r, reader_u8(&in));
        configure(&r, reader_u8(&in));
        must(dhcp4_server_new(&r.config, &r.server));
        for (unsigned i = 0; i < STEPS_MAX && reader_left(&in) > 0; i++)
                step(&r, &in);
        tick(&r, r.now + 40 * 24 * 3600 * NSEC_PER_SEC);
        r.server = dhcp4_server_free(r.server);
        return 0;
}
