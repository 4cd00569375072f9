#pragma once
/*
 * Private to the core: the state that its files share. core.c wires, core_dhcp.c
 * executes what the DHCP server wants, core_rules.c tells it of loaders and machines,
 * core_delay.c sends later, core_probe.c asks the wire, core_menu.c
 * makes the files that are generated for a client, core_made.c those that are made of
 * a medium, core_query.c answers the command line.
 */
#include "base/event.h"
#include "base/list.h"
#include "io/net.h"
#include "io/udp.h"
#include "media/index.h"
#include "policy/machine.h"
#include "policy/menu.h"
#include "policy/password.h"
#include "proto/dhcp4_server.h"
#include "proto/no_router.h"
#include "role/menu_model.h"
#include "role/role.h"
#include "store/store.h"

enum {
        CORE_INTERFACES_MAX = 32,
        CORE_ADDRESSES_MAX = CORE_INTERFACES_MAX * (1 + NET_MORE_MAX),
        CORE_SOCKETS_MAX = 128,
        CORE_MEDIA_MAX = 512,
        PXE_TYPE_MENU = 0x8001, /* PXE 2.1 table 2-3: from 32768 on the vendor's own */
};

struct core;

struct core_socket {
        struct core *core;
        struct ipc_socket at;
        int fd; /* -1: free */
        struct loop_watch *watch;
};

struct core_medium {
        uint64_t id;
        char name[MEDIUM_NAME_MAX];
        void *mapping;
        size_t n_mapping;
        struct media_index index;
        const char *system, *version; /* of the index */
};

/* A message that waits for its lease to be on disk. */
struct core_pending {
        struct list link;
        int64_t ticket;
        struct dhcp4_send send;
};

/* Single machines, in the order of their MACs, and the image of each. */
enum { CORE_IMAGE_PATH_MAX = MEDIUM_NAME_MAX + 16 };
struct core_machine_rules {
        struct policy_machine *items;
        char (*images)[CORE_IMAGE_PATH_MAX];
        char (*chains)[CORE_IMAGE_PATH_MAX];
        size_t n;
};

/* What is remembered of a machine for good. */
struct core_known {
        struct mac mac;
        uint64_t memory; /* 0: it has not told */
        char booted[64]; /* the entry that it booted for once; "": none */
};

struct core {
        struct role *role;
        struct net_interface interfaces[CORE_INTERFACES_MAX];
        size_t n_interfaces;
        struct core_socket sockets[CORE_SOCKETS_MAX];
        bool can_probe; /* the sockets for it are there */
        unsigned probes;
        struct probe *probe;
        int raw, routed;            /* frames, and datagrams with a header of our own */
        struct no_router no_router; /* core_router.c */
        struct udp_batch *batch;
        struct packet_batch *overheard;

        nsec_t clock_ahead; /* of loop_now(): see core_time() */
        struct dhcp4_server *dhcp;
        struct dhcp4_interface dhcp_interfaces[CORE_ADDRESSES_MAX];
        struct scope_subnet *dhcp_subnets;  /* that the server borrows */
        struct scope_pxe_item pxe_items[2]; /* the same; of dhcp.pxe.automatic */
        struct policy_rules rules;
        struct core_machine_rules machine_rules; /* that the server borrows */
        struct dhcp4_actions *actions;
        struct loop_timer *dhcp_timer;
        struct list pending;
        struct list delayed; /* core_delay.c */
        struct loop_timer *delay_timer;
        size_t n_delayed;
        struct list promises; /* answers to the command line: core_query.c */
        nsec_t telling_since; /* of loop_now(): DHCP events of this second */
        uint32_t n_told, n_untold;
        size_t n_pending;

        struct store *store;
        struct loop_watch *store_watch;
        int64_t last_ticket, done_ticket;
        bool store_has_failed;

        struct text doors; /* that are open: a JSON array, from the parent */
        struct machines *machines;
        struct core_known *known; /* by MAC: core_machines.c */
        size_t n_known;
        struct core_medium media[CORE_MEDIA_MAX];
        size_t n_media;
        struct menu_tools tools; /* that are there */
        struct password password;
        bool nfs_is_needed; /* a medium came that needs it */
        bool is_settled;    /* the library has looked at everything once */
        struct loop_timer *settle_timer;

        struct ipc_channel *library, *admin, *files[CONF_WORKERS_MAX];
        nsec_t started;
        uint64_t n_menus;
};

/* Stamps an event with time, story, MAC and address, and sends it to the log, the
 * history and the live view. */
void core_event(struct core *core, struct event *event);

/* The interface with this address, or whose network `address` is in; NULL. */
const struct net_interface *core_interface_of(const struct core *core, ip4_t address);

/* The time for leases: that of the calendar, but never going back while we live, or
 * everything that waits for a time would wait for as long as the clock was set back. */
nsec_t core_time(struct core *core);

/* DHCP: builds its configuration anew from conf and interfaces. */
MUST_USE int core_dhcp_configure(struct core *core);
/* The same while serving. */
void core_dhcp_refresh(struct core *core);
MUST_USE int core_dhcp_start(struct core *core);
void core_dhcp_socket(struct core *core, const struct ipc_socket *at, int fd);
void core_dhcp_socket_gone(struct core *core, const struct ipc_socket *at);
void core_dhcp_stop(struct core *core);
/* What the actions say; with them a lease may wait for the disk: core->last_ticket. */
void core_dhcp_execute(struct core *core);
/* Executes core->actions, which the DHCP server has just filled. */
void core_dhcp_act(struct core *core);
/* A machine fetched a file: the DHCP answer that sent it there was understood. */
void core_dhcp_fetched(struct core *core, struct mac mac);
/* Now, and by which way the message says. */
void core_dhcp_transmit(struct core *core, const struct dhcp4_send *send);
/* The same, send->delay later. */
MUST_USE int core_delay_start(struct core *core);
void core_delay(struct core *core, const struct dhcp4_send *send);
void core_delay_stop(struct core *core);

/* core->rules from the configuration, the loaders and the media; -ENOMEM. What they
 * pointed to before goes to the caller, for core_machine_rules_done(). */
MUST_USE int core_rules_build(struct core *core, struct core_machine_rules *ret_before);
/* Whether a loader or a helper of this name can be served. */
bool core_rules_has_file(const struct core *core, const char *name);
void core_machine_rules_done(struct core_machine_rules *rules);
/* The media have changed: what is assigned to machines is there now, or has gone. */
void core_rules_media(struct core *core);

/* Probes (DHCP4_PROBE); the sockets are given away. */
MUST_USE int core_probe_start(struct core *core);
void core_probe_socket(struct core *core, const struct ipc_socket *at, int fd);
void core_probe(struct core *core, ip4_t address, int ifindex, bool is_on_link);
void core_probe_stop(struct core *core);
/* Something came by a socket of IPC_DOOR_ICMP6: 0, or -errno. */
MUST_USE int core_router(struct core *core, int fd, int ifindex);
/* The menu for one machine, seen from the address that it knows us by, in whose
 * loader's language. For menu_model_free(). */
MUST_USE int core_menu_new(struct core *core, struct machine *machine, ip4_t server,
                           unsigned firmware, enum policy_dialect dialect,
                           struct menu_model **ret);
/* In the language of the loader that will ask for it first. */
void core_menu_render(const struct menu *menu, const struct machine *machine,
                      enum policy_dialect dialect, struct text *out);
/* Looks for the tools that menus offer. */
void core_menu_configure(struct core *core);
/* A machine has begun to fetch a file: what that tells of its loader. */
void core_menu_fetched(struct core *core, struct machine *machine,
                       const struct event *event);
/* The bit of menu.h for a firmware; 0 when no entry can be for it. */
unsigned core_menu_firmware(enum policy_firmware firmware);
void core_generate(struct core *core, struct ipc_channel *channel,
                   const struct ipc_message *message);

/* What is remembered of a machine by its MAC, in the store: the memory that it told,
 * and what it has booted of an assignment that holds once. */
bool core_machines_load(struct core *core, const char *key, const char *value);
/* Its memory, as configured, told or remembered; 0: unknown. */
uint64_t core_machines_memory(const struct core *core, const struct machine *machine);
void core_machines_told(struct core *core, struct machine *machine, uint64_t memory);
/* The row of the configuration that says what it boots (NULL: none), and whether its
 * `once` is over. */
const struct conf_machine *core_menu_assigned(const struct core *core,
                                              const struct machine *machine);
bool core_machines_is_over(const struct core *core, const struct conf_machine *row,
                           struct mac mac);
/* Whether this machine has booted this, which it was to boot once. */
bool core_machines_is_done(const struct core *core, struct mac mac, const char *boot);
/* A machine has all of a file. */
void core_machines_fetched(struct core *core, const struct event *event);
/* An assignment that is no more is forgotten, so that it can be made again. */
void core_machines_reconfigured(struct core *core);

/* Files made of a medium: false when the request is for none. */
bool core_made(struct core *core, struct ipc_channel *channel,
               const struct ipc_message *message);

void core_media_add(struct core *core, const struct ipc_message *message);
void core_media_remove(struct core *core, uint64_t id);

/* Answers wait here for what they tell of to be on disk. */
void core_query_durable(struct core *core);
/* Nobody is there any more to hear those for this channel. */
void core_query_gone(struct core *core, struct ipc_channel *channel);
void core_query(struct core *core, struct ipc_channel *channel,
                const struct ipc_message *message);
