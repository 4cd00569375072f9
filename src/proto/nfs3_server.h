#pragma once
/*
 * An NFS version 3 server that only reads, with its MOUNT protocol and port mapper: one
 * call in, one reply out (RFC 1813, 1833). It keeps no client: what it remembers are
 * two listings and some paths, and it answers the same without them.
 *
 * The tree is the caller's, asked through a table. A tree that must wait for something
 * answers NFS3_LATER; then the whole call is put again when it is there, because every
 * call may be repeated. File bytes are named in the reply and never pass through here.
 */
#include "proto/nfs3_handle.h"
#include "wire/portmap.h"
#include "wire/rpc.h"

enum {
        NFS3_LATER = 0x7fffffff,  /* among the answers of a tree: enum nfs3_status */
        NFS3_HEAD_MAX = 40000,    /* of a reply without file bytes */
        NFS3_READ_TCP = 1 << 20,  /* file bytes in one reply */
        NFS3_READ_UDP = 32 << 10, /* in one datagram, which is cut into packets */
};

enum nfs3_kind { NFS3_NODE_FILE, NFS3_NODE_FOLDER, NFS3_NODE_LINK };

struct nfs3_node {
        enum nfs3_kind kind;
        bool is_unknown; /* its size and time are not known yet: a look has to tell */
        uint32_t mode;
        uint64_t size;
        nsec_t mtime;
        uint64_t id;    /* the fileid; another one's after a replacement */
        uint64_t image; /* 0: not inside an image */
        uint32_t number;
};

typedef void (*nfs3_list_fn)(const char *name, const struct nfs3_node *node,
                             void *userdata);

/* Paths are clean, "" is the top. `asker` is the request's own userdata. */
struct nfs3_tree {
        enum nfs3_status (*look)(void *asker, const char *path, struct nfs3_node *ret);
        enum nfs3_status (*list)(void *asker, const char *path, nfs3_list_fn fn,
                                 void *userdata);
        enum nfs3_status (*read_link)(void *asker, const char *path,
                                      char ret[static PATH_MAX_BYTES]);
        /* The path of a node of an image: NFS3ERR_STALE when it is there no more,
         * NFS3ERR_JUKEBOX when it may yet come. */
        enum nfs3_status (*find)(void *asker, uint64_t image, uint32_t number,
                                 char ret[static PATH_MAX_BYTES]);
        /* The file that has this id, for the caller of nfs3_server_call() to read from
         * and to close. */
        enum nfs3_status (*open)(void *asker, const char *path, uint64_t id,
                                 void **ret);
};

struct nfs3_server;
struct nfs3_server_config {
        struct nfs3_tree tree;
        uint8_t key[SIPHASH_KEY];
};
MUST_USE int nfs3_server_new(const struct nfs3_server_config *config,
                             struct nfs3_server **ret);
struct nfs3_server *nfs3_server_free(struct nfs3_server *server);

enum nfs3_door { NFS3_DOOR_NFS /* and MOUNT */, NFS3_DOOR_PORTMAP };

struct nfs3_request {
        enum nfs3_door door;
        bool is_tcp;
        ip4_t local;                 /* by which the client knows us */
        uint32_t port, portmap_port; /* what the port mapper tells */
        nsec_t now;
        void *asker;
};

enum nfs3_outcome {
        NFS3_REPLY,
        NFS3_NO_REPLY, /* nothing that could be answered */
        NFS3_WAIT,     /* the tree said NFS3_LATER */
};

enum nfs3_told {
        NFS3_TOLD_NOTHING,
        NFS3_TOLD_READ,
        NFS3_TOLD_MOUNT,
        NFS3_TOLD_REFUSED
};

/* The head, which is in the caller's buffer; then n_file bytes at `offset` of `file`,
 * then zeros up to a multiple of four. */
struct nfs3_reply {
        size_t n_head;
        void *file; /* NULL when n_file is 0 */
        uint64_t offset, size;
        uint32_t n_file;
        uint64_t id;         /* of the file */
        enum nfs3_told told; /* worth an event: */
        const char *why;     /* of what was refused */
        char path[PATH_MAX_BYTES];
};
static inline size_t nfs3_reply_size(const struct nfs3_reply *reply) {
        return reply->n_head + reply->n_file + (4 - reply->n_file % 4) % 4;
}

enum nfs3_outcome nfs3_server_call(struct nfs3_server *server,
                                   const struct nfs3_request *request, const void *data,
                                   size_t n, uint8_t buffer[static NFS3_HEAD_MAX],
                                   struct nfs3_reply *ret);
