#pragma once
/*
 * Private to the parent: what its files share. parent.c starts and ends everything,
 * parent_doors.c knows interfaces and opens sockets, parent_roles.c keeps the other
 * processes alive.
 */
#include "base/event.h"
#include "base/siphash.h"
#include "io/certificate.h"
#include "io/net.h"
#include "io/tls.h"
#include "role/role.h"

enum {
        PARENT_INTERFACES_MAX = 32,
        PARENT_DOORS_MAX = 1024,
        PARENT_CHILDREN = 4 + CONF_WORKERS_MAX,
        PARENT_WAITING_MAX = 16,
};

/* One open socket, kept open here too: a role that is started again goes on with what
 * its predecessor left waiting in it. */
struct parent_door {
        struct ipc_socket socket;
        enum ipc_role role;
        uint32_t index;
        int fd;
        bool is_new; /* its role is still to be told */
};

struct parent_child {
        struct parent *parent;
        enum ipc_role kind;
        uint32_t index;
        int pid; /* 0: not running */
        struct ipc_channel *channel;
        bool is_ready, is_sent_away; /* told to end, to begin anew */
        unsigned n_starts;
        nsec_t started, wait;
        struct loop_timer *timer;
};

/* Below the state folder, to be owned by who we run as. */
#define PARENT_TLS_FILES                                                               \
        "/tls", "/tls/ca.pem", "/tls/ca.cer", "/tls/ca-key.pem", "/tls/server.pem",    \
                "/tls/server-key.pem"

struct parent_waiting {
        size_t n;
        uint8_t packed[EVENT_PACKED_MAX];
};

struct parent {
        struct loop *loop;
        struct conf_flags *flags;
        struct conf *conf;
        int conf_text; /* sealed, for the roles */

        struct net_interface interfaces[PARENT_INTERFACES_MAX]; /* those we serve */
        size_t n_interfaces;
        struct parent_door doors[PARENT_DOORS_MAX];
        size_t n_doors;
        int netlink;
        struct loop_watch *netlink_watch;
        struct loop_timer *netlink_timer;

        struct parent_child children[PARENT_CHILDREN];
        size_t n_children;  /* of which there are so many */
        uint32_t n_workers; /* of files; for good */
        struct role_folder folders[ROLE_FOLDERS_MAX];
        size_t n_folders;
        int executable;    /* this program, opened while it could be */
        char control[108]; /* the path of the control socket; "" */

        struct certificate_pair certificate; /* empty: HTTPS is off */
        uint8_t nfs_key[SIPHASH_KEY];        /* of its handles */
        bool nfs_is_needed;                  /* by a medium in the menu */
        uint16_t registered; /* NFS, with another's port mapper: its port */
        uint8_t tickets[TLS_TICKET_BYTES]; /* new with each certificate */

        struct parent_waiting waiting[PARENT_WAITING_MAX]; /* events, for the core */
        size_t n_waiting;

        struct loop_signal *terminate, *interrupt, *hangup, *child;
        struct loop_timer *stop_timer;
        bool is_serving, is_stopping;
        int exit_code;
};

/* Says what went wrong, once, on stderr; returns the exit code. */
int parent_fail(const char *format, ...) PRINTF(1, 2);
void parent_event(struct parent *parent, struct event *event);
void parent_send_waiting(struct parent *parent, struct ipc_channel *core);

/* Finds the interfaces to serve and checks the configuration against them. 0, or what
 * parent_fail() returned. */
int parent_choose_interfaces(struct parent *parent);
/* Opens every door that is not open and closes what should not be. With `strict` the
 * first failure is said and returned; otherwise it becomes an event. */
int parent_open_doors(struct parent *parent, bool strict);
void parent_send_doors(struct parent *parent, struct parent_child *child);
void parent_tell_interfaces(struct parent *parent, enum ipc_role kind);
/* To the core, for whoever asks. */
void parent_tell_doors(struct parent *parent);
void parent_close_doors(struct parent *parent);
void parent_close_log(struct parent *parent);
MUST_USE int parent_watch_interfaces(struct parent *parent);
/* The control socket, at its path for this state folder. */
MUST_USE int parent_open_control(struct parent *parent);

/* The certificate of HTTPS that somebody gives; at the start this needs root's rights.
 * 0 and *ret empty when none is given. Says what is wrong, as parent_fail(). */
MUST_USE int parent_read_certificate(const struct conf *conf,
                                     struct certificate_pair *ret);
/* The same at a reload. Files that only root may read cannot be read any more: what
 * there is goes on, and an event says so. */
MUST_USE int parent_reread_certificate(struct parent *parent, const struct conf *conf,
                                       struct certificate_pair *ret);
/* The pair, taken over, from now on; the workers are told. */
void parent_take_certificate(struct parent *parent, struct certificate_pair *pair);
/* Where none is given, sees to it that there is one of our own for all addresses. A
 * failure becomes an event: the other doors are not hurt. */
void parent_certify(struct parent *parent);
/* Tells which one is used, if any. */
void parent_say_certificate(struct parent *parent);
void parent_send_certificate(struct parent *parent, struct parent_child *child);

/* The key of NFS handles, from the state folder, where it is put when it is new: so
 * handles live through a restart. Without a folder that can be written they do not. */
void parent_read_nfs_key(struct parent *parent);
void parent_send_nfs_key(struct parent *parent, struct parent_child *child);
/* Tells the ports of NFS to the port mapper that has its port already. 0, or -errno:
 * nobody is there who would take them. */
int parent_register_nfs(struct parent *parent);
void parent_unregister_nfs(struct parent *parent);
/* The core says that a medium needs this door. */
void parent_on_need(struct parent *parent, enum ipc_door door);

MUST_USE int parent_start_children(struct parent *parent);
struct parent_child *parent_child(struct parent *parent, enum ipc_role kind,
                                  uint32_t index);
/* Ends a role so that it begins anew, with what is configured now. */
void parent_renew(struct parent *parent, enum ipc_role kind);
void parent_on_child_signal(int number, void *userdata);
bool parent_is_any_running(const struct parent *parent);
void parent_signal_children(struct parent *parent, int number);
void parent_free_children(struct parent *parent);
/* All roles are ready for the first time. */
void parent_on_serving(struct parent *parent);
void parent_stop(struct parent *parent, int exit_code);
/* Reads the configuration again: the whole of it is taken, or nothing. */
void parent_reload(struct parent *parent);
