#pragma once
/*
 * Messages between roles: typed, length-checked, with descriptors, over a pair of
 * SOCK_SEQPACKET sockets. A message is a fixed body by kind and a tail of bytes.
 *
 * Sending never blocks: what the socket does not take at once waits in a queue of
 * bounded length; when that is full the message is dropped and the sender told
 * (-ENOBUFS), because no role may be stalled by another.
 */
#include "base/addr.h"
#include "io/loop.h"
#include "io/udp.h"

enum ipc_role {
        IPC_PARENT,
        IPC_CORE,
        IPC_LIBRARY,
        IPC_FILES,
        IPC_ADMIN,
        IPC_UNPACK_ROLE,
        IPC_N_ROLES
};
const char *ipc_role_name(enum ipc_role role);

enum ipc_kind {
        IPC_NONE,
        IPC_START,  /* parent → role: struct ipc_start; fd: configuration, sealed */
        IPC_PEER,   /* parent → role: struct ipc_peer; fd: the channel to it */
        IPC_SOCKET, /* parent → role: struct ipc_socket; fd */
        IPC_SOCKET_GONE, /* parent → role: struct ipc_socket: close that one */
        IPC_FOLDER, /* parent → role: tail: a path of the configuration; fd: it, open */
        IPC_INTERFACES, /* parent → role: tail: array of struct net_interface */
        IPC_GO,         /* parent → role: you have everything; begin */
        IPC_READY,      /* role → parent: serving */
        IPC_CONFIG,     /* parent → role: fd: the new configuration, sealed */
        IPC_RELOAD,     /* admin → core → parent: read the file again */
        IPC_EVENT,      /* any → core → admin: tail: packed event */
        IPC_MEDIUM, /* library → core, files: struct ipc_medium; fds: index, image */
        IPC_MEDIUM_GONE,   /* library → core, files: struct ipc_medium */
        IPC_MEDIA_SETTLED, /* library → core, files: the first scan is over */
        IPC_GENERATE, /* files → core: struct ipc_generate; tail: path?query, and when
                         the core asked for a file: NUL and what that holds */
        IPC_GENERATED,   /* core → files: struct ipc_generated; fd: memfd; tail: by
                            what was found */
        IPC_QUERY,       /* admin → core: struct ipc_query; tail: verb NUL args */
        IPC_ANSWER,      /* core → admin: struct ipc_answer; tail: JSON text */
        IPC_STATUS,      /* parent → core: tail: the open doors, a JSON array */
        IPC_CERTIFICATE, /* parent → files: struct ipc_certificate; fds: the chain and
                            its key as PEM, sealed */
        IPC_NEED,        /* core → parent: struct ipc_need: open that door */
        IPC_NFS_KEY,     /* parent → files: tail: the key of NFS handles */
        IPC_UNPACK,      /* library → unpack: struct ipc_unpack (n: its size); fd: a
                            compressed archive */
        IPC_UNPACKING,   /* unpack → library: struct ipc_unpack (n: how far it is) */
        IPC_UNPACKED, /* unpack → library: struct ipc_unpack (n 1: fd: a tar; n 0: tail:
                         why not) */
        IPC_UNPACK_KEEP, /* library → unpack: tail: array of identities: all others go
                          */
        IPC_N_KINDS,
};

enum ipc_door {
        IPC_DOOR_DHCP,
        IPC_DOOR_BINL,   /* PXE's port 4011 */
        IPC_DOOR_BESIDE, /* port 67, overheard: it is another server's on this host */
        IPC_DOOR_HEARD,  /* port 68, overheard: what other servers answer */
        IPC_DOOR_RAW,
        IPC_DOOR_ROUTED,
        IPC_DOOR_ICMP6, /* who asks for a router of IPv6 */
        IPC_DOOR_ARP,   /* probes */
        IPC_DOOR_ICMP,
        IPC_DOOR_TFTP,
        IPC_DOOR_HTTP,
        IPC_DOOR_HTTPS,
        IPC_DOOR_CONTROL,
        IPC_DOOR_LOG, /* the HTTP access log: a file to append to */
        IPC_DOOR_NFS,
        IPC_DOOR_NFS_UDP,
        IPC_DOOR_PORTMAP,
        IPC_DOOR_PORTMAP_UDP,
        IPC_DOOR_FTP,
        IPC_N_DOORS,
};
const char *ipc_door_name(enum ipc_door door);

enum { IPC_FDS_MAX = 4, IPC_MESSAGE_MAX = 60000 };

struct ipc_start {
        uint32_t role, index, n_files; /* n_files: how many files workers there are */
        uint32_t is_restart;           /* 1: another of its kind ended before it */
};
struct ipc_peer {
        uint32_t role, index;
};
struct ipc_socket {
        uint32_t door;
        int32_t ifindex;
        ip4_t address;
        uint32_t port;
        char interface[16];
        struct ip6 address6; /* when there is no `address` */
};
struct udp_endpoint ipc_socket_at(const struct ipc_socket *socket);
struct ipc_need {
        uint32_t door, reserved;
};
struct ipc_medium {
        uint64_t id;      /* unique for the life of the library role */
        char name[64];    /* as in /media/NAME */
        uint64_t is_tree; /* 1: the second fd is a folder, not an image */
};
struct ipc_generate {
        uint64_t ticket;
        ip4_t client, server;
};
enum ipc_found {
        IPC_FOUND_NOTHING, /* no such file for this client */
        IPC_FOUND_BYTES,   /* the fd holds it */
        IPC_FOUND_PIECES,  /* tail: what it is made of (ipc/pieces.h); fd: its bytes */
        IPC_FOUND_SOURCE,  /* tail: a path; ask again with what that file holds */
};
enum { IPC_SOURCE_MAX = 48 << 10 }; /* of such a file; a larger one is cut */
struct ipc_generated {
        uint64_t ticket;
        uint64_t found; /* enum ipc_found */
};
struct ipc_query {
        uint64_t ticket;
};
struct ipc_answer {
        uint64_t ticket;
        uint64_t last; /* 1: nothing follows */
};

struct ipc_unpack {
        uint64_t identity, n;
};

struct ipc_certificate {
        uint8_t tickets[80]; /* random, the same for all workers: io/tls.h */
};

struct ipc_message {
        enum ipc_kind kind;
        const void *body; /* of the kind's struct, aligned; its length is checked */
        const uint8_t *tail;
        size_t n_tail;
        int *fds; /* take one by setting it to -1; the rest are closed after the call */
        size_t n_fds;
};

struct ipc_channel;
/* A message that does not have the shape of its kind never reaches `fn`: the channel
 * is closed instead, as it is when the peer goes; then `fn` gets IPC_NONE, once. */
typedef void (*ipc_fn)(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata);

MUST_USE int ipc_pair(int ret_fds[static 2]);
/* Owns fd from here on, also on failure. */
MUST_USE int ipc_channel_new(struct loop *loop, int fd, ipc_fn fn, void *userdata,
                             struct ipc_channel **ret);
/* Takes NULL; may be called from within fn. */
struct ipc_channel *ipc_channel_free(struct ipc_channel *channel);

/* Descriptors stay the caller's. `channel` may be NULL (a peer that is just not
 * there): then -ENOTCONN. */
int ipc_send(struct ipc_channel *channel, enum ipc_kind kind, const void *body,
             const void *tail, size_t n_tail, const int *fds, size_t n_fds);

/* The command line speaks the same format on the control socket, blocking and without
 * descriptors. recv: 1 and a message inside `buffer`, 0 at the end, or -errno. */
int ipc_send_blocking(int fd, enum ipc_kind kind, const void *body, const void *tail,
                      size_t n_tail);
int ipc_recv_blocking(int fd, void *buffer, size_t n, struct ipc_message *ret);
