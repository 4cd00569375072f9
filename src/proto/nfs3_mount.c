/*
 * Where a client begins: the port mapper tells it the port (RFC 1833), MOUNT gives the
 * first handle (RFC 1813 5). Every folder of the tree can be mounted, and who has
 * mounted one is remembered nowhere.
 */
#include "proto/nfs3_internal.h"
#include "wire/xdr.h"

enum { AUTH_NONE = 0, AUTH_SYS = 1, EXPORTS_ROOM = 16384 };

static const char *why_not(enum nfs3_status status) {
        switch (status) {
        case NFS3ERR_NOENT:
                return "not found";
        case NFS3ERR_NOTDIR:
                return "not a folder";
        case NFS3ERR_ACCES:
                return "it leads out of the tree, or the server may not read it";
        case NFS3ERR_NAMETOOLONG:
                return "the path is too long";
        default:
                return "it cannot be read now";
        }
}

static enum nfs3_status find_folder(struct nfs3_exchange *x, struct span path,
                                    struct nfs3_place *ret) {
        enum path_verdict verdict =
                path_clean((const char *)path.data, path.n, ret->path);
        enum nfs3_status status;

        if (verdict != PATH_OK)
                return verdict == PATH_TOO_LONG ? NFS3ERR_NAMETOOLONG : NFS3ERR_ACCES;
        status = nfs3_look(x, ret->path, &ret->node);
        if (status == NFS3_OK && ret->node.kind != NFS3_NODE_FOLDER)
                status = NFS3ERR_NOTDIR;
        return status;
}

/* RFC 1813 5.2.1 */
static bool mount(struct nfs3_exchange *x) {
        struct reader r = reader_of(x->call.arguments.data, x->call.arguments.n);
        struct span path = xdr_opaque(&r, NFS3_PATH_MAX);
        struct nfs3_reply *reply = x->reply;
        struct nfs3_place folder = { 0 };
        size_t start = x->w.at;
        enum nfs3_status status;

        if (r.failed)
                return false;
        status = find_folder(x, path, &folder);
        if (status == NFS3_OK) {
                writer_be32(&x->w, NFS3_OK);
                if (!nfs3_put_handle(x, folder.path, &folder.node))
                        status = NFS3ERR_NAMETOOLONG;
        }
        memcpy(reply->path, folder.path, PATH_MAX_BYTES);
        reply->told = status == NFS3_OK ? NFS3_TOLD_MOUNT : NFS3_TOLD_REFUSED;
        reply->why = why_not(status);
        if (status != NFS3_OK) {
                x->w.at = start;
                /* RFC 1813 5.1.5: MOUNT knows fewer errors. */
                writer_be32(&x->w, (int)status > NFS3ERR_NAMETOOLONG
                                           ? NFS3ERR_SERVERFAULT
                                           : status);
                return true;
        }
        writer_be32(&x->w, 2);
        writer_be32(&x->w, AUTH_SYS);
        writer_be32(&x->w, AUTH_NONE);
        return true;
}

static void put_export(struct writer *w, const char *folder, const char *name) {
        size_t n = strlen(folder) + strlen(name);

        writer_be32(w, true);
        writer_be32(w, (uint32_t)n);
        writer_text(w, folder);
        writer_text(w, name);
        writer_zeros(w, xdr_padding(n));
        writer_be32(w, false); /* for everybody */
}

static void export_medium(const char *name, const struct nfs3_node *node,
                          void *userdata) {
        struct writer *w = userdata;

        if (node->kind == NFS3_NODE_FOLDER && w->at < EXPORTS_ROOM)
                put_export(w, "/media/", name);
}

/* RFC 1813 5.2.5: the top, and what a client is most likely to look for. */
static void export(struct nfs3_exchange *x) {
        put_export(&x->w, "/", "");
        (void)x->server->config.tree.list(x->request->asker, "media", export_medium,
                                          &x->w);
        writer_be32(&x->w, false);
}

bool nfs3_serve_mount(struct nfs3_exchange *x) {
        switch (x->call.procedure) {
        case NFS3_MOUNT_MNT:
                return mount(x);
        case NFS3_MOUNT_DUMP: /* RFC 1813 5.2.2: nobody */
                writer_be32(&x->w, false);
                return true;
        case NFS3_MOUNT_EXPORT:
                export(x);
                return true;
        default: /* NULL, UMNT and UMNTALL have nothing to say. */
                return true;
        }
}

/* ---- port mapper ---- */

struct services {
        struct portmap_mapping items[10];
        size_t n;
};

static void add_service(struct services *s, uint32_t program, uint32_t version,
                        uint32_t port) {
        static const uint32_t protocols[] = { PORTMAP_TCP, PORTMAP_UDP };

        for (size_t i = 0; i < ARRAY_SIZE(protocols) && port; i++)
                s->items[s->n++] = (struct portmap_mapping){ program, version,
                                                             protocols[i], port };
}

static struct services services_of(const struct nfs3_request *request) {
        struct services s = { .n = 0 };

        for (uint32_t version = 4; version >= 2; version--)
                add_service(&s, PORTMAP_PROGRAM, version, request->portmap_port);
        add_service(&s, NFS3_MOUNT_PROGRAM, NFS3_VERSION, request->port);
        add_service(&s, NFS3_PROGRAM, NFS3_VERSION, request->port);
        return s;
}

static uint32_t port_of(const struct services *s, const struct portmap_mapping *asked) {
        for (size_t i = 0; i < s->n; i++)
                if (s->items[i].program == asked->program &&
                    s->items[i].version == asked->version &&
                    s->items[i].protocol == asked->protocol)
                        return s->items[i].port;
        return 0;
}

/* RFC 1833 3.2: 0 is the port of what is not here. */
static bool get_port(struct nfs3_exchange *x, const struct services *s) {
        struct portmap_mapping asked;

        if (!portmap_parse(x->call.arguments, &asked))
                return false;
        writer_be32(&x->w, port_of(s, &asked));
        return true;
}

/* RFC 1833 2.2.1. Who names no network that we know means the one he asks by. */
static bool get_address(struct nfs3_exchange *x, const struct services *s) {
        struct portmap_mapping asked;

        if (!rpcbind_parse(x->call.arguments, &asked))
                return false;
        if (asked.protocol == 0)
                asked.protocol = x->request->is_tcp ? PORTMAP_TCP : PORTMAP_UDP;
        rpcbind_build_address(&x->w, x->request->local, port_of(s, &asked));
        return true;
}

static void dump(struct nfs3_exchange *x, const struct services *s) {
        for (size_t i = 0; i < s->n; i++) {
                writer_be32(&x->w, true);
                if (x->call.version == 2)
                        portmap_build(&x->w, &s->items[i]);
                else
                        rpcbind_build(&x->w, &s->items[i], x->request->local);
        }
        writer_be32(&x->w, false);
}

bool nfs3_serve_portmap(struct nfs3_exchange *x) {
        struct services s = services_of(x->request);

        switch (x->call.procedure) {
        case PORTMAP_SET:
        case PORTMAP_UNSET: /* nobody registers anything with us */
                writer_be32(&x->w, false);
                return true;
        case PORTMAP_GETPORT:
                return x->call.version == 2 ? get_port(x, &s) : get_address(x, &s);
        case PORTMAP_DUMP:
                dump(x, &s);
                return true;
        default:
                return true;
        }
}
