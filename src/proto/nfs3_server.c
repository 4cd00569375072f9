/*
 * From a call to its program, and from a handle to what it stands for.
 *
 * A handle by trail is walked from the top: each folder on the way is listed and the
 * names that leave the same mark are followed, until one leads to what has the
 * identity. That is dear, so the path is remembered; what is remembered is looked at
 * again each time, and costs nothing when it is wrong but the walk.
 */
#include <stdlib.h>

#include "proto/nfs3_internal.h"

enum { CANDIDATES_MAX = 4, LISTS_MAX = 64, PORTMAP_OLDEST = 2, RPCBIND_NEWEST = 4 };

int nfs3_server_new(const struct nfs3_server_config *config, struct nfs3_server **ret) {
        struct nfs3_server *server = calloc(1, sizeof(*server));

        if (!server)
                return -ENOMEM;
        server->config = *config;
        *ret = server;
        return 0;
}

void nfs3_forget(struct nfs3_server *server) {
        for (size_t i = 0; i < NFS3_LISTINGS; i++)
                nfs3_listing_done(&server->listings[i]);
        for (size_t i = 0; i < NFS3_PATHS; i++) {
                free(server->paths[i].path);
                server->paths[i] = (struct nfs3_path){ 0 };
        }
}

struct nfs3_server *nfs3_server_free(struct nfs3_server *server) {
        if (!server)
                return NULL;
        nfs3_forget(server);
        free(server);
        return NULL;
}

enum nfs3_status nfs3_heed(struct nfs3_exchange *x, enum nfs3_status status) {
        x->must_wait |= (int)status == NFS3_LATER;
        x->is_short |= status == NFS3ERR_JUKEBOX;
        return status;
}

enum nfs3_status nfs3_look(struct nfs3_exchange *x, const char *path,
                           struct nfs3_node *ret) {
        return nfs3_heed(x, x->server->config.tree.look(x->request->asker, path, ret));
}

bool nfs3_join(const char *folder, const char *name, size_t n,
               char ret[static PATH_MAX_BYTES]) {
        size_t at = strlen(folder);

        if (at + n + 2 > PATH_MAX_BYTES)
                return false;
        memmove(ret, folder, at);
        if (at > 0)
                ret[at++] = '/';
        memcpy(ret + at, name, n);
        ret[at + n] = '\0';
        return true;
}

void nfs3_parent(const char *path, char ret[static PATH_MAX_BYTES]) {
        const char *slash = strrchr(path, '/');
        size_t n = slash ? (size_t)(slash - path) : 0;

        memmove(ret, path, n);
        ret[n] = '\0';
}

struct nfs3_attributes nfs3_attributes_of(const struct nfs3_node *node) {
        return (struct nfs3_attributes){
                .type = node->kind == NFS3_NODE_FOLDER ? NFS3_FOLDER
                        : node->kind == NFS3_NODE_LINK ? NFS3_LINKED
                                                       : NFS3_FILE,
                .mode = node->mode,
                .size = node->size,
                .fileid = node->id,
                .time = node->mtime,
        };
}

bool nfs3_put_handle(struct nfs3_exchange *x, const char *path,
                     const struct nfs3_node *node) {
        struct nfs3_handle handle = { .kind = NFS3_BY_NUMBER,
                                      .identity = node->image,
                                      .number = node->number };
        uint8_t bytes[NFS3_HANDLE_MAX];
        size_t n;

        if (node->image == 0 && !nfs3_handle_of_path(path, node->id, &handle))
                return false;
        n = nfs3_handle_build(&handle, x->server->config.key, bytes);
        writer_be32(&x->w, (uint32_t)n); /* always a multiple of four */
        writer_bytes(&x->w, bytes, n);
        return true;
}

/* ---- handles ---- */

struct walk {
        struct nfs3_exchange *x;
        const struct nfs3_handle *handle;
        unsigned n_lists;
};

struct candidates {
        uint16_t mark;
        size_t n;
        char names[CANDIDATES_MAX][NFS3_NAME_MAX + 1];
};

static void consider(const char *name, const struct nfs3_node *node, void *userdata) {
        struct candidates *c = userdata;
        size_t n = strlen(name);

        if (c->n < CANDIDATES_MAX && n <= NFS3_NAME_MAX &&
            nfs3_trail_mark(name, n) == c->mark)
                memcpy(c->names[c->n++], name, n + 1);
}

static bool is_it(struct walk *walk, struct nfs3_place *place) {
        return nfs3_look(walk->x, place->path, &place->node) == NFS3_OK &&
               place->node.id == walk->handle->identity;
}

/* Goes on from the folder in `place`; on success it is the node. */
static bool follow(struct walk *walk, size_t depth, struct nfs3_place *place) {
        struct nfs3_exchange *x = walk->x;
        struct candidates c;
        size_t n_path = strlen(place->path);

        if (depth == walk->handle->depth)
                return is_it(walk, place);
        if (++walk->n_lists > LISTS_MAX)
                return false;
        c.n = 0;
        c.mark = walk->handle->trail[depth];
        if (nfs3_heed(x, x->server->config.tree.list(x->request->asker, place->path,
                                                     consider, &c)) != NFS3_OK)
                return false;
        for (size_t i = 0; i < c.n; i++) {
                if (nfs3_join(place->path, c.names[i], strlen(c.names[i]),
                              place->path) &&
                    follow(walk, depth + 1, place))
                        return true;
                place->path[n_path] = '\0';
        }
        return false;
}

static enum nfs3_status find_by_trail(struct nfs3_exchange *x,
                                      const struct nfs3_handle *handle,
                                      struct nfs3_place *ret) {
        struct nfs3_path *known = &x->server->paths[handle->identity % NFS3_PATHS];
        struct walk walk = { .x = x, .handle = handle };
        char *copy;

        if (known->path && known->id == handle->identity) {
                memcpy(ret->path, known->path, strlen(known->path) + 1);
                if (is_it(&walk, ret))
                        return NFS3_OK;
                if (x->must_wait || x->is_short)
                        return NFS3ERR_JUKEBOX;
        }
        ret->path[0] = '\0';
        if (!follow(&walk, 0, ret))
                return x->must_wait || x->is_short ? NFS3ERR_JUKEBOX : NFS3ERR_STALE;
        copy = strdup(ret->path);
        if (copy) {
                free(known->path);
                *known = (struct nfs3_path){ handle->identity, copy };
        }
        return NFS3_OK;
}

static enum nfs3_status find_by_number(struct nfs3_exchange *x,
                                       const struct nfs3_handle *handle,
                                       struct nfs3_place *ret) {
        enum nfs3_status status = x->server->config.tree.find(
                x->request->asker, handle->identity, handle->number, ret->path);

        if (status != NFS3_OK)
                return status;
        status = nfs3_look(x, ret->path, &ret->node);
        /* Root's own files win over media: then something else has this path. */
        if (status == NFS3_OK &&
            (ret->node.image != handle->identity || ret->node.number != handle->number))
                status = NFS3ERR_STALE;
        return status == NFS3_OK || status == NFS3ERR_JUKEBOX ? status : NFS3ERR_STALE;
}

enum nfs3_status nfs3_resolve(struct nfs3_exchange *x, struct span bytes,
                              struct nfs3_place *ret) {
        struct nfs3_handle handle;

        if (!nfs3_handle_parse(bytes, x->server->config.key, &handle))
                return NFS3ERR_BADHANDLE;
        return handle.kind == NFS3_BY_NUMBER ? find_by_number(x, &handle, ret)
                                             : find_by_trail(x, &handle, ret);
}

/* ---- calls ---- */

struct program {
        enum nfs3_door door;
        uint32_t number, oldest, newest, n_procedures;
        bool (*serve)(struct nfs3_exchange *x);
};

static const struct program programs[] = {
        { NFS3_DOOR_NFS, NFS3_PROGRAM, NFS3_VERSION, NFS3_VERSION, NFS3_N_PROCEDURES,
          nfs3_serve_files },
        { NFS3_DOOR_NFS, NFS3_MOUNT_PROGRAM, NFS3_VERSION, NFS3_VERSION,
          NFS3_MOUNT_EXPORT + 1, nfs3_serve_mount },
        { NFS3_DOOR_PORTMAP, PORTMAP_PROGRAM, PORTMAP_OLDEST, RPCBIND_NEWEST,
          PORTMAP_DUMP + 1, nfs3_serve_portmap },
};

static const struct program *find_program(const struct nfs3_exchange *x) {
        for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
                if (programs[i].number == x->call.program &&
                    programs[i].door == x->request->door)
                        return &programs[i];
        return NULL;
}

/* RFC 5531 9: what an accepted call may still come to. */
static enum rpc_accept serve(struct nfs3_exchange *x) {
        const struct program *program = find_program(x);

        if (!program)
                return RPC_PROG_UNAVAIL;
        if (x->call.version < program->oldest || x->call.version > program->newest) {
                rpc_build_mismatch(&x->w, x->call.xid, program->oldest,
                                   program->newest);
                return RPC_PROG_MISMATCH;
        }
        if (x->call.procedure >= program->n_procedures)
                return RPC_PROC_UNAVAIL;
        rpc_build_accepted(&x->w, x->call.xid, RPC_SUCCESS);
        if (!program->serve(x))
                return RPC_GARBAGE_ARGS;
        return x->w.failed ? RPC_SYSTEM_ERR : RPC_SUCCESS;
}

enum nfs3_outcome nfs3_server_call(struct nfs3_server *server,
                                   const struct nfs3_request *request, const void *data,
                                   size_t n, uint8_t buffer[static NFS3_HEAD_MAX],
                                   struct nfs3_reply *ret) {
        struct nfs3_exchange x = { .server = server,
                                   .request = request,
                                   .w = writer_of(buffer, NFS3_HEAD_MAX),
                                   .reply = ret };
        enum rpc_verdict verdict = rpc_parse_call(data, n, &x.call);
        enum rpc_accept accept;

        *ret = (struct nfs3_reply){ 0 };
        if (verdict == RPC_IS_NO_CALL)
                return NFS3_NO_REPLY;
        /* RFC 1833 3.2: a call by proxy is answered only when it succeeds. Here it
         * never does: it would let anybody speak in our name. */
        if (verdict == RPC_IS_CALL && request->door == NFS3_DOOR_PORTMAP &&
            x.call.program == PORTMAP_PROGRAM && x.call.procedure == PORTMAP_CALLIT)
                return NFS3_NO_REPLY;
        if (verdict != RPC_IS_CALL) {
                rpc_build_denied(&x.w, &x.call, verdict);
                ret->n_head = x.w.at;
                return NFS3_REPLY;
        }
        accept = serve(&x);
        if (x.must_wait)
                return NFS3_WAIT;
        if (accept != RPC_SUCCESS && accept != RPC_PROG_MISMATCH) {
                x.w = writer_of(buffer, NFS3_HEAD_MAX);
                rpc_build_accepted(&x.w, x.call.xid, accept);
        }
        ret->n_head = x.w.at;
        return NFS3_REPLY;
}
