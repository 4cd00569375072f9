/*
 * Six wires with two pools each, the second one on some of them in a subnet of its own;
 * reservations in and beside the pools. A world goes through variants: the pools move,
 * lease times change, and some addresses become somebody's own.
 */
#include <stdlib.h>

#include "test/story/sim.h"

enum { VARIANTS = 3 };

struct area {
        ip4_t first, last;
};

/* One configuration as the server has it, which borrows it until it has the next. */
struct given {
        struct dhcp4_config config;
        struct dhcp4_interface interfaces[2];
        struct scope_pool pools[WIRES][2];
        struct scope_subnet subnets[WIRES * 2];
        struct scope_option options[2];
        struct scope_class class;
        struct scope_host *hosts;
};

struct sim_config {
        unsigned variant, n;
        unsigned size[WIRES]; /* of a pool */
        const struct sim_params *params;
        struct area areas[WIRES][2];
        struct given given[2];
        unsigned now; /* index of `given` */
};

struct sim_config *sim_config_new(const struct sim_params *params,
                                  const unsigned per_wire[WIRES], unsigned n) {
        struct sim_config *c = calloc(1, sizeof(*c));

        c->params = params;
        c->n = n;
        for (unsigned i = 0; i < 2; i++)
                c->given[i].hosts = calloc(n + 1, sizeof(struct scope_host));
        for (unsigned i = 0; i < WIRES; i++) {
                /* two identities a machine, squatters, and what others left behind */
                unsigned clients = per_wire[i] * 2 + 4;
                unsigned room =
                        params->room ? clients * params->room / 100 : clients * 3 + 64;

                room = room * 100 / (100 - params->squatters / 10000);
                c->size[i] = (unsigned)min_size(room / 2 + 1, 0x6000);
        }
        return c;
}

struct sim_config *sim_config_free(struct sim_config *config) {
        for (unsigned i = 0; config && i < 2; i++)
                free(config->given[i].hosts);
        free(config);
        return NULL;
}

/* Some from the beginning, some in a later variant, when another may have it. */
static bool is_reserved(const struct sim_config *c, uint32_t machine) {
        return machine % RESERVED_EACH == 7 ||
               (c->variant == 1 && machine % RESERVED_EACH == 27);
}

/* Inside the first pool or beside it. */
ip4_t sim_config_reserved(const struct sim_config *config, uint32_t machine) {
        bool is_late = machine % RESERVED_EACH == 27;
        uint32_t nth = machine / RESERVED_EACH;

        if (machine >= config->n || !is_reserved(config, machine))
                return 0;
        return wire_base(machine % WIRES) |
               ((is_late || nth % 2 ? 0x100 : 0x7000) + nth * 2 + is_late);
}

uint32_t sim_config_owner(const struct sim_config *config, ip4_t address) {
        const struct dhcp4_config *now = sim_config_now(config);

        for (size_t i = 0; i < now->n_hosts; i++)
                if (now->hosts[i].address == address)
                        return load_be16(now->hosts[i].mac.b + 4);
        return NOBODY;
}

static void place_pools(struct sim_config *c) {
        for (unsigned i = 0; i < WIRES; i++) {
                ip4_t shift = c->variant * (c->size[i] / 3);
                ip4_t second = wire_base(i) | (wire_is_shared(i) ? 0x10100 : 0x8000);

                c->areas[i][0] =
                        (struct area){ (wire_base(i) | 0x100) + shift,
                                       (wire_base(i) | 0xff) + shift + c->size[i] };
                c->areas[i][1] = (struct area){ second + shift,
                                                second + shift + c->size[i] - 1 };
        }
}

bool sim_config_has(const struct sim_config *config, unsigned wire, ip4_t address,
                    enum sim_client client) {
        if (wire >= WIRES || (client == SIM_BOOTP && !wire_has_bootp(wire)))
                return false;
        for (unsigned i = 0; i < 2; i++)
                if (address >= config->areas[wire][i].first &&
                    address <= config->areas[wire][i].last)
                        return i == 0 || client == SIM_FIRMWARE ||
                               !wire_is_choosy(wire);
        return false;
}

/* ---- in the server's terms ---- */

static nsec_t lease_time(const struct sim_config *c) {
        return c->params->lease_time * (c->variant == 2 ? 1 : 2) / 2;
}

static void fill_subnet(const struct sim_config *c, struct given *given, unsigned wire,
                        bool is_second) {
        static const char *const names[WIRES] = { [1] = "one", [4] = "four" };
        bool is_shared = wire_is_shared(wire);

        given->subnets[given->config.n_subnets++] = (struct scope_subnet){
                .network = wire_base(wire) | (is_second ? 0x10000 : 0),
                .mask = 0xffff0000,
                .pools = &given->pools[wire][is_second],
                .n_pools = is_shared ? 1 : 2,
                .bootp = wire == 0,
                .shared_network = is_shared ? names[wire] : "",
                .interface = "",
                .scope = { .lease_time = lease_time(c),
                           .max_lease_time = lease_time(c) * 2,
                           .options = given->options,
                           .n_options = ARRAY_SIZE(given->options) },
        };
}

static void fill_subnets(const struct sim_config *c, struct given *given) {
        static const char *const vendors[] = { "PXEClient*" }, *const names_of[] = {
                "firmware"
        };
        static const uint8_t router[] = { 10, 0, 0, 1 }, names[] = { 10, 0, 0, 2 };

        given->options[0] = (struct scope_option){ 3, false, 4, router };
        given->options[1] = (struct scope_option){ 6, false, 4, names };
        given->class = (struct scope_class){ .name = names_of[0],
                                             .match.vendor_class = { vendors, 1 } };
        given->config.classes = &given->class;
        given->config.n_classes = 1;
        for (unsigned i = 0; i < WIRES; i++) {
                for (unsigned j = 0; j < 2; j++)
                        given->pools[i][j] =
                                (struct scope_pool){ .first = c->areas[i][j].first,
                                                     .last = c->areas[i][j].last,
                                                     .bootp = wire_has_bootp(i) };
                if (wire_is_choosy(i))
                        given->pools[i][1].only = (struct scope_texts){ names_of, 1 };
                fill_subnet(c, given, i, false);
                if (wire_is_shared(i))
                        fill_subnet(c, given, i, true);
        }
}

static void fill_hosts(const struct sim_config *c, struct given *given) {
        size_t n = 0;

        for (uint32_t i = 0; i < c->n; i++)
                if (is_reserved(c, i))
                        given->hosts[n++] = (struct scope_host){
                                .mac = machine_mac(i),
                                .address = sim_config_reserved(c, i),
                                .hostname = "",
                        };
        given->config.n_hosts = n;
        given->config.hosts = given->hosts;
}

const struct dhcp4_config *sim_config_use(struct sim_config *config, unsigned variant) {
        struct sim_config *c = config;
        struct given *given = &c->given[c->now ^= 1];

        c->variant = variant % VARIANTS;
        place_pools(c);
        given->config = (struct dhcp4_config){
                .authoritative = !c->params->is_silent,
                .probe_time = c->params->probe_time,
                .decline_time = SIM_DECLINE_TIME,
                .offer_time = 60 SECONDS,
                .interfaces = given->interfaces,
                .n_interfaces = ARRAY_SIZE(given->interfaces),
                .scope = { .lease_time = lease_time(c),
                           .max_lease_time = lease_time(c) * 2 },
                .subnets = given->subnets,
                .rules = { .loaders = POLICY_BIT(POLICY_N_LOADERS) - 1,
                           .http_port = 80 },
        };
        for (unsigned i = 0; i < ARRAY_SIZE(given->interfaces); i++)
                given->interfaces[i] =
                        (struct dhcp4_interface){ { 'l', 'a', 'n', (char)('0' + i) },
                                                  wire_ifindex(i),
                                                  wire_gateway(i),
                                                  0xffff0000 };
        fill_subnets(c, given);
        fill_hosts(c, given);
        return &given->config;
}

const struct dhcp4_config *sim_config_now(const struct sim_config *config) {
        return &config->given[config->now].config;
}
