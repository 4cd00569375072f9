#include "test/story/dhcp4_world.h"

#include <stdlib.h>

/* ---- the world ---- */

static void world_init(struct world *w) {
        *w = (struct world){
                .now = 1700000000 SECONDS,
                .interfaces = { { "lan0", LAN, NET(1), 0xffffff00 } },
                .near = { { .first = NET(10), .last = NET(19) } },
                .far = { .first = FAR(10), .last = FAR(19) },
                .options = { OPTION(3, 4, "\xc0\xa8\1\xfe"),
                             OPTION(6, 4, "\xc0\xa8\1\x35"), OPTION(15, 7, "example") },
                .config = { .authoritative = true,
                            .decline_time = 86400 SECONDS,
                            .offer_time = 60 SECONDS,
                            .n_interfaces = 1,
                            .n_subnets = 2,
                            .rules = { .loaders = POLICY_BIT(POLICY_N_LOADERS) - 1,
                                       .http_port = 80 } },
        };
        w->subnets[0] =
                (struct scope_subnet){ .network = NET(0),
                                       .mask = 0xffffff00,
                                       .n_pools = 1,
                                       .scope = { .lease_time = 3600 SECONDS,
                                                  .max_lease_time = 7200 SECONDS,
                                                  .n_options = 3 } };
        w->subnets[1] = w->subnets[0];
        w->subnets[1].network = FAR(0);
}

/* The pointers into a world, which moves only before this. */
static const struct dhcp4_config *world_config(struct world *w) {
        w->subnets[0].pools = w->near;
        w->subnets[1].pools = &w->far;
        w->subnets[0].scope.options = w->subnets[1].scope.options = w->options;
        w->config.interfaces = w->interfaces;
        w->config.subnets = w->subnets;
        w->config.classes = w->classes;
        w->config.hosts = w->hosts;
        return &w->config;
}

void world_start(struct world *w) {
        assert_int_equal(dhcp4_server_new(world_config(w), &w->server), 0);
        for (size_t i = 0; i < w->n_disk; i++)
                assert_int_equal(dhcp4_server_load(w->server, &w->disk[i]), 0);
}

void world_reload(struct world *w) {
        assert_int_equal(dhcp4_server_configure(w->server, world_config(w)), 0);
}

void world_restart(struct world *w) {
        dhcp4_server_free(w->server);
        world_start(w);
}

struct world *new_world(void) {
        struct world *w = test_malloc(sizeof(*w));

        world_init(w);
        return w;
}

struct world *new_started(void) {
        struct world *w = new_world();

        world_start(w);
        return w;
}

void world_free(struct world *w) {
        dhcp4_server_free(w->server);
        test_free(w);
}

/* ---- what must always be true ---- */

static void keep(struct world *w, const struct lease_record *record) {
        size_t i = 0;

        while (i < w->n_disk && w->disk[i].address != record->address)
                i++;
        assert_true(i < DISK_MAX);
        /* nobody's address is given to another before it ends */
        if (i < w->n_disk && w->disk[i].state == LEASE_BOUND &&
            record->state == LEASE_BOUND && w->disk[i].ends > w->now)
                assert_memory_equal(w->disk[i].mac.b, record->mac.b, 6);
        w->disk[i] = *record;
        w->n_disk += i == w->n_disk;
}

static bool is_kept(const struct world *w, ip4_t address, const uint8_t *mac) {
        for (size_t i = 0; i < w->n_disk; i++)
                if (w->disk[i].address == address)
                        return w->disk[i].state == LEASE_BOUND &&
                               memcmp(w->disk[i].mac.b, mac, 6) == 0 &&
                               w->disk[i].ends > w->now;
        return false;
}

static bool is_ours(const struct world *w, ip4_t address) {
        for (size_t i = 0; i < w->config.n_interfaces; i++)
                if (w->interfaces[i].address == address)
                        return true;
        return false;
}

static void check_send(struct world *w, const struct dhcp4_send *send) {
        assert_true(send->n >= DHCP4_BOOTP_MIN && send->n <= DHCP4_MESSAGE_MAX);
        assert_int_equal(dhcp4_parse(send->data, send->n, &w->answer), DHCP4_OK);
        assert_int_equal(w->answer.op, DHCP4_BOOTREPLY);
        assert_true(send->ifindex >= LAN);
        assert_true(is_ours(w, send->from));
        if (w->answer.type != DHCP4_BOOTP)
                assert_true(dhcp4_option_be32(&w->answer, DHCP4_SERVER_ID) != 0);
        if (w->config.is_proxy)
                assert_int_equal(w->answer.yiaddr, 0);
        /* nobody is told that an address is his before the disk knows it */
        if (w->answer.yiaddr && w->answer.type != DHCP4_OFFER) {
                assert_true(send->durable);
                assert_true(is_kept(w, w->answer.yiaddr, w->answer.chaddr));
        } else {
                assert_false(send->durable);
        }
        assert_null(w->send);
        w->send = send;
}

void check_actions(struct world *w) {
        struct text line = { 0 };

        w->send = NULL;
        w->probed = 0;
        assert_true(w->actions.n <= DHCP4_ACTIONS_MAX);
        for (size_t i = 0; i < w->actions.n; i++) {
                const struct dhcp4_action *action = &w->actions.items[i];

                if (action->kind == DHCP4_PROBE) {
                        assert_int_equal(action->probe.ifindex, LAN);
                        w->probed = action->probe.address;
                } else if (action->kind == DHCP4_PERSIST) {
                        keep(w, &action->record);
                } else if (action->kind == DHCP4_SEND) {
                        check_send(w, &action->send);
                } else if (action->kind == DHCP4_EVENT) {
                        event_line(&action->event, 0, &line);
                        assert_null(strchr(text_string(&line), '?'));
                        text_done(&line);
                }
        }
}

const struct event *find_event(const struct world *w, enum event_kind kind) {
        for (size_t i = 0; i < w->actions.n; i++)
                if (w->actions.items[i].kind == DHCP4_EVENT &&
                    w->actions.items[i].event.kind == kind)
                        return &w->actions.items[i].event;
        return NULL;
}

void pass(struct world *w, nsec_t time) {
        nsec_t end = w->now + time;

        while (dhcp4_server_next(w->server) <= end) {
                w->now = max_u64(w->now, dhcp4_server_next(w->server));
                dhcp4_server_tick(w->server, w->now, &w->actions);
                check_actions(w);
                if (w->send) /* one that was held back: time stops to hear it */
                        return;
        }
        w->now = end;
}

char *sentence_of(const struct world *w, enum event_kind kind) {
        const struct event *event = find_event(w, kind);
        struct text out = { 0 };
        char *copy;

        if (event)
                event_sentence(event, &out);
        copy = test_malloc(out.n + 1);
        memcpy(copy, text_string(&out), out.n + 1);
        text_done(&out);
        return copy;
}

/* ---- clients ---- */

const uint8_t uuid[17] = { 0,    0x44, 0x45, 0x4c, 0x4c, 0x37, 0x00, 0x10, 0x31,
                           0x80, 0x50, 0xc4, 0xc0, 0x4f, 0x4b, 0x33, 0x32 };

struct mac mac_of(unsigned client) {
        return (struct mac){ { 0x52, 0x54, 0, 0, (uint8_t)(client >> 8),
                               (uint8_t)client } };
}

static void build_texts(struct writer *w, const struct asking *a) {
        if (a->vendor_class)
                dhcp4_build_option(w, DHCP4_VENDOR_CLASS, a->vendor_class,
                                   strlen(a->vendor_class));
        if (a->user_class)
                dhcp4_build_option(w, DHCP4_USER_CLASS, a->user_class,
                                   strlen(a->user_class));
        if (a->hostname)
                dhcp4_build_option(w, DHCP4_HOST_NAME, a->hostname,
                                   strlen(a->hostname));
        if (a->list)
                dhcp4_build_option(w, DHCP4_PARAMETER_LIST, a->list, strlen(a->list));
        if (a->ipxe_feature)
                dhcp4_build_option(w, DHCP4_IPXE,
                                   (const uint8_t[]){ a->ipxe_feature, 1, 1 }, 3);
}

static void build_options(struct writer *w, const struct asking *a) {
        uint8_t be16[2];

        if (a->type != DHCP4_BOOTP)
                dhcp4_build_option(w, DHCP4_MESSAGE_TYPE,
                                   &(uint8_t){ (uint8_t)a->type }, 1);
        if (a->n_id)
                dhcp4_build_option(w, DHCP4_CLIENT_ID, a->id, a->n_id);
        if (a->wanted)
                dhcp4_build_be32(w, DHCP4_REQUESTED_ADDRESS, a->wanted);
        if (a->server)
                dhcp4_build_be32(w, DHCP4_SERVER_ID, a->server);
        if (a->lease_time)
                dhcp4_build_be32(w, DHCP4_LEASE_TIME, a->lease_time);
        store_be16(be16, a->max_size);
        if (a->max_size)
                dhcp4_build_option(w, DHCP4_MAX_SIZE, be16, 2);
        store_be16(be16, a->arch);
        if (a->has_arch)
                dhcp4_build_option(w, DHCP4_ARCHITECTURE, be16, 2);
        if (a->has_uuid)
                dhcp4_build_option(w, DHCP4_UUID, uuid, sizeof(uuid));
        build_texts(w, a);
        if (a->selected)
                dhcp4_build_be32(w, DHCP4_SUBNET_SELECTION, a->selected);
        if (a->n_vendor)
                dhcp4_build_option(w, DHCP4_VENDOR_OPTIONS, a->vendor, a->n_vendor);
        if (a->n_relay)
                dhcp4_build_option(w, DHCP4_RELAY_INFORMATION, a->relay, a->n_relay);
}

size_t build_request(const struct asking *a, uint8_t bytes[REQUEST_MAX]) {
        struct dhcp4_message head = { .op = DHCP4_BOOTREQUEST,
                                      .htype = 1,
                                      .hlen = 6,
                                      .xid = a->xid ? a->xid : 0x1000 + a->client,
                                      .flags = a->flags,
                                      .ciaddr = a->ciaddr,
                                      .giaddr = a->giaddr };
        struct writer w = writer_of(bytes, REQUEST_MAX);

        memcpy(head.chaddr, mac_of(a->client).b, 6);
        dhcp4_build_head(&w, &head);
        build_options(&w, a);
        dhcp4_build_end(&w);
        assert_false(w.failed);
        return w.at;
}

int say(struct world *w, const struct asking *a) {
        uint8_t bytes[REQUEST_MAX];
        struct dhcp4_received received = {
                .data = bytes,
                .n = build_request(a, bytes),
                .ifindex = a->ifindex ? a->ifindex : LAN,
                .from = a->from     ? a->from
                        : a->giaddr ? a->giaddr
                                    : a->ciaddr,
                .to = a->to ? a->to : UINT32_MAX,
                .from_port = a->from_port ? a->from_port
                             : a->giaddr  ? DHCP4_SERVER_PORT
                                          : DHCP4_CLIENT_PORT,
                .port = a->port ? a->port : DHCP4_SERVER_PORT,
                .now = w->now,
        };

        dhcp4_server_recv(w->server, &received, &w->actions);
        check_actions(w);
        if (!w->send)
                return -1;
        assert_int_equal(w->answer.xid, a->xid ? a->xid : 0x1000 + a->client);
        assert_memory_equal(w->answer.chaddr, mac_of(a->client).b, 6);
        return (int)w->answer.type;
}

int discover(struct world *w, unsigned client, ip4_t wanted) {
        return say(w, &(struct asking){ .type = DHCP4_DISCOVER,
                                        .client = client,
                                        .wanted = wanted });
}

int request(struct world *w, unsigned client, ip4_t wanted) {
        return say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                        .client = client,
                                        .wanted = wanted,
                                        .server = us });
}

int init_reboot(struct world *w, unsigned client, ip4_t wanted) {
        return say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                        .client = client,
                                        .wanted = wanted });
}

int renew(struct world *w, unsigned client, ip4_t address) {
        return say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                        .client = client,
                                        .ciaddr = address,
                                        .to = us });
}

int release(struct world *w, unsigned client, ip4_t address) {
        return say(w, &(struct asking){ .type = DHCP4_RELEASE,
                                        .client = client,
                                        .ciaddr = address,
                                        .server = us,
                                        .to = us });
}

int decline(struct world *w, unsigned client, ip4_t address) {
        return say(w, &(struct asking){ .type = DHCP4_DECLINE,
                                        .client = client,
                                        .wanted = address,
                                        .server = us });
}

ip4_t dora(struct world *w, unsigned client) {
        ip4_t offered;

        if (discover(w, client, 0) != DHCP4_OFFER)
                return 0;
        offered = w->answer.yiaddr;
        assert_int_equal(request(w, client, offered), DHCP4_ACK);
        assert_int_equal(w->answer.yiaddr, offered);
        return offered;
}

struct asking pxe(enum dhcp4_type type, uint16_t arch) {
        return (struct asking){ .type = type,
                                .client = 1,
                                .vendor_class = "PXEClient:Arch:00000:UNDI:002001",
                                .has_arch = true,
                                .arch = arch,
                                .has_uuid = true };
}

bool answer_has(const struct world *w, uint8_t code, const void *data, size_t n) {
        struct span value = dhcp4_option(&w->answer, code);

        return w->answer.has[code] && value.n == n && memcmp(value.data, data, n) == 0;
}
