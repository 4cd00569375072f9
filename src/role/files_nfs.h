#pragma once
/*
 * Private to the NFS door: files_nfs.c has the calls and what is told of them,
 * files_nfs_tcp.c the connections, files_nfs_udp.c the datagrams, files_nfs_tree.c the
 * tree as proto/nfs3_server wants it. What is generated is asked of the core and kept
 * for some seconds, for the client it was made for.
 */
#include "proto/nfs3_server.h"
#include "role/files.h"
#include "role/files_disk.h"
#include "role/files_listen.h"
#include "role/files_source.h"

struct nfs_tree;
struct nfs_socket;
struct nfs_waiting;

enum {
        NFS_SOCKETS_MAX = 256,
        NFS_WAITING_MAX = 64,      /* datagrams whose answer is being made */
        NFS_COPIED_MAX = 64 << 10, /* a reply this small leaves in one piece */
        NFS_BUFFER = 4 + NFS3_HEAD_MAX + NFS_COPIED_MAX + 4,
        NFS_TRANSFERS = 512,
};

/* What one client reads of one file, so that it is told once and not for every read. */
struct nfs_transfer {
        ip4_t client;
        uint64_t id, n_read;
        nsec_t started;
        bool is_told;
};

struct files_nfs {
        struct files *files;
        struct nfs_tree *tree;
        struct nfs3_server *server;                  /* NULL until the key is here */
        struct files_listen listen;                  /* by TCP */
        struct nfs_socket *sockets[NFS_SOCKETS_MAX]; /* by UDP */
        size_t n_sockets;
        struct list connections; /* the one that was served longest ago comes first */
        size_t n_connections;
        struct files_sources sources;
        struct udp_batch *batch;
        struct nfs_waiting *waiting[NFS_WAITING_MAX];
        size_t n_waiting;
        struct nfs_transfer transfers[NFS_TRANSFERS];
        uint8_t buffer[NFS_BUFFER]; /* of the reply in work; nothing outlives the call
                                     */
};

/* ---- files_nfs.c ---- */

void nfs_tell_refused(struct files_nfs *door, ip4_t client, const char *what,
                      const char *why);
/* What a reply that leaves is worth telling. */
void nfs_tell(struct files_nfs *door, ip4_t client, const struct nfs3_reply *reply);
/* The head stands in the buffer behind the room for a mark. */
enum nfs3_outcome nfs_call(struct files_nfs *door, enum nfs3_door kind, bool is_tcp,
                           ip4_t client, ip4_t local, const uint8_t *data, size_t n,
                           struct nfs3_reply *ret);
/* File bytes and padding behind the head: the length of all of it; -EAGAIN: they are
 * fetched, and `wait` is called; or another -errno. */
int64_t nfs_copy_file(struct files_nfs *door, const struct nfs3_reply *reply,
                      struct files_wait *wait);

/* ---- files_nfs_tcp.c ---- */

extern const struct files_listen_methods nfs_tcp_methods;
/* Something was made: who waits for it or for something else is put again. */
void nfs_tcp_made(struct files_nfs *door);
void nfs_tcp_done(struct files_nfs *door);

/* ---- files_nfs_udp.c ---- */

MUST_USE int nfs_udp_new(struct files_nfs *door);
int nfs_udp_listen(struct files_nfs *door, enum nfs3_door kind, ip4_t local, int fd);
void nfs_udp_unlisten(struct files_nfs *door, struct udp_endpoint at);
void nfs_udp_made(struct files_nfs *door);
void nfs_udp_done(struct files_nfs *door);

/* ---- files_nfs_tree.c ---- */

/* Who asks, through the table below. */
struct nfs_asker {
        struct nfs_tree *tree;
        ip4_t client, server;
};

/* `fn` is called, never from within a request, when something came that was waited for.
 */
typedef void (*nfs_tree_fn)(void *userdata);
MUST_USE int nfs_tree_new(struct files *files, nfs_tree_fn fn, void *userdata,
                          struct nfs_tree **ret);
struct nfs_tree *nfs_tree_free(struct nfs_tree *tree);
/* All media there are have been told: another handle is stale now. */
void nfs_tree_settled(struct nfs_tree *tree);

extern const struct nfs3_tree nfs_tree_methods;
