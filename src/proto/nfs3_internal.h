#pragma once
/* What the files of the NFS server share; nobody else includes it. */
#include "proto/nfs3_server.h"

enum { NFS3_PATHS = 1024, NFS3_LISTINGS = 2 };

struct nfs3_entry {
        char *name;
        uint64_t cookie;
        struct nfs3_node node;
};

/* A folder's entries in the order of their cookies. */
struct nfs3_listing {
        uint64_t id; /* of the folder; 0: free */
        nsec_t mtime, made;
        bool is_lasting; /* of an image: it cannot change */
        struct nfs3_entry *entries;
        size_t n, room;
        bool failed;
};

struct nfs3_path {
        uint64_t id;
        char *path;
};

struct nfs3_server {
        struct nfs3_server_config config;
        struct nfs3_listing
                listings[NFS3_LISTINGS]; /* the one used last stands first */
        struct nfs3_path paths[NFS3_PATHS];
};

/* One call on its way. */
struct nfs3_exchange {
        struct nfs3_server *server;
        const struct nfs3_request *request;
        struct rpc_call call;
        struct writer w;
        struct nfs3_reply *reply;
        bool must_wait; /* some answer of the tree was NFS3_LATER */
        bool is_short;  /* or NFS3ERR_JUKEBOX: what was not found may be there */
};

/* A node and how to come to it. */
struct nfs3_place {
        struct nfs3_node node;
        char path[PATH_MAX_BYTES];
};

/* Remembers what an answer of the tree says about later ones. */
enum nfs3_status nfs3_heed(struct nfs3_exchange *x, enum nfs3_status status);
/* The tree's answer, heeded. */
enum nfs3_status nfs3_look(struct nfs3_exchange *x, const char *path,
                           struct nfs3_node *ret);
/* What a handle stands for now. */
enum nfs3_status nfs3_resolve(struct nfs3_exchange *x, struct span handle,
                              struct nfs3_place *ret);
/* Puts the handle of a node; false when its path is too deep for one. */
MUST_USE bool nfs3_put_handle(struct nfs3_exchange *x, const char *path,
                              const struct nfs3_node *node);
/* "a" and "b" to "a/b"; false when it is too long. */
MUST_USE bool nfs3_join(const char *folder, const char *name, size_t n,
                        char ret[static PATH_MAX_BYTES]);
void nfs3_parent(const char *path, char ret[static PATH_MAX_BYTES]);
struct nfs3_attributes nfs3_attributes_of(const struct nfs3_node *node);
void nfs3_forget(struct nfs3_server *server);

/* The entries of a folder; `ret` lives until the next call. */
enum nfs3_status nfs3_list(struct nfs3_exchange *x, const struct nfs3_place *folder,
                           const struct nfs3_listing **ret);
void nfs3_listing_done(struct nfs3_listing *listing);

/* The programs: they write everything behind the head of an accepted call. False: the
 * arguments make no sense. */
bool nfs3_serve_files(struct nfs3_exchange *x);
bool nfs3_serve_mount(struct nfs3_exchange *x);
bool nfs3_serve_portmap(struct nfs3_exchange *x);
enum nfs3_status nfs3_readdir(struct nfs3_exchange *x, const struct nfs3_arguments *a,
                              struct nfs3_place *folder);
