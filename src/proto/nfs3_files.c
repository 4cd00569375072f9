/* RFC 1813 3.3: the procedures, as far as they read. */
#include "proto/nfs3_internal.h"
#include "wire/xdr.h"

enum { FSF3_SYMLINK = 2, FSF3_HOMOGENEOUS = 8 };
enum { LINKS_MAX = 32000, PREFERRED_LIST = 32768, WRITE_NEVER = 32768 };

static void put_status(struct nfs3_exchange *x, enum nfs3_status status,
                       const struct nfs3_node *node) {
        struct nfs3_attributes attributes;

        writer_be32(&x->w, status);
        if (!node) {
                nfs3_put_post_op(&x->w, NULL);
                return;
        }
        attributes = nfs3_attributes_of(node);
        nfs3_put_post_op(&x->w, &attributes);
}

/* RFC 1813 3.3.1: the only reply that has attributes without saying so. */
static void getattr(struct nfs3_exchange *x, const struct nfs3_arguments *a) {
        struct nfs3_attributes attributes;
        struct nfs3_place place;
        enum nfs3_status status = nfs3_resolve(x, a->handle, &place);

        writer_be32(&x->w, status);
        if (status != NFS3_OK)
                return;
        attributes = nfs3_attributes_of(&place.node);
        nfs3_put_attributes(&x->w, &attributes);
}

/* To the name in a folder; "." and ".." are names like others (RFC 1813 3.2), but none
 * leads out of the tree. */
static enum nfs3_status step(struct nfs3_exchange *x, const struct nfs3_place *folder,
                             struct span name, struct nfs3_place *ret) {
        if (folder->node.kind != NFS3_NODE_FOLDER)
                return NFS3ERR_NOTDIR;
        if (name.n > NFS3_NAME_MAX)
                return NFS3ERR_NAMETOOLONG;
        if (name.n == 0 || memchr(name.data, '/', name.n) ||
            memchr(name.data, '\0', name.n))
                return NFS3ERR_ACCES;
        if (name.n == 1 && name.data[0] == '.')
                memcpy(ret->path, folder->path, PATH_MAX_BYTES);
        else if (name.n == 2 && memcmp(name.data, "..", 2) == 0)
                nfs3_parent(folder->path, ret->path);
        else if (!nfs3_join(folder->path, (const char *)name.data, name.n, ret->path))
                return NFS3ERR_NAMETOOLONG;
        return nfs3_look(x, ret->path, &ret->node);
}

/* RFC 1813 3.3.3 */
static void lookup(struct nfs3_exchange *x, const struct nfs3_arguments *a) {
        struct nfs3_attributes attributes;
        struct nfs3_place folder, found;
        size_t start = x->w.at;
        enum nfs3_status status = nfs3_resolve(x, a->handle, &folder);

        if (status != NFS3_OK) {
                put_status(x, status, NULL);
                return;
        }
        status = step(x, &folder, a->name, &found);
        if (status == NFS3_OK) {
                writer_be32(&x->w, NFS3_OK);
                if (!nfs3_put_handle(x, found.path, &found.node))
                        status = NFS3ERR_NAMETOOLONG;
        }
        if (status != NFS3_OK) {
                x->w.at = start;
                put_status(x, status, &folder.node);
                return;
        }
        attributes = nfs3_attributes_of(&found.node);
        nfs3_put_post_op(&x->w, &attributes);
        attributes = nfs3_attributes_of(&folder.node);
        nfs3_put_post_op(&x->w, &attributes);
}

/* RFC 1813 3.3.4: everybody may read everything, and change nothing. */
static void access(struct nfs3_exchange *x, const struct nfs3_arguments *a) {
        struct nfs3_place place;
        enum nfs3_status status = nfs3_resolve(x, a->handle, &place);
        uint32_t granted = NFS3_ACCESS_READ;

        put_status(x, status, status == NFS3_OK ? &place.node : NULL);
        if (status != NFS3_OK)
                return;
        if (place.node.kind == NFS3_NODE_FOLDER)
                granted |= NFS3_ACCESS_LOOKUP | NFS3_ACCESS_EXECUTE;
        else if (place.node.mode & 0111)
                granted |= NFS3_ACCESS_EXECUTE;
        writer_be32(&x->w, a->access & granted);
}

/* RFC 1813 3.3.5 */
static void readlink(struct nfs3_exchange *x, const struct nfs3_arguments *a) {
        struct nfs3_place place;
        char text[PATH_MAX_BYTES];
        enum nfs3_status status = nfs3_resolve(x, a->handle, &place);
        bool is_found = status == NFS3_OK;

        if (is_found && place.node.kind != NFS3_NODE_LINK)
                status = NFS3ERR_INVAL;
        if (status == NFS3_OK)
                status = x->server->config.tree.read_link(x->request->asker, place.path,
                                                          text);
        put_status(x, status, is_found ? &place.node : NULL);
        if (status == NFS3_OK)
                xdr_put_string(&x->w, text);
}

/* RFC 1813 3.3.6: at the most what was asked, what is there and what fits. */
static void read(struct nfs3_exchange *x, const struct nfs3_arguments *a) {
        struct nfs3_reply *reply = x->reply;
        struct nfs3_place place;
        enum nfs3_status status = nfs3_resolve(x, a->handle, &place);
        bool is_found = status == NFS3_OK;
        uint64_t left, most = x->request->is_tcp ? NFS3_READ_TCP : NFS3_READ_UDP;

        if (is_found && place.node.kind != NFS3_NODE_FILE)
                status = place.node.kind == NFS3_NODE_FOLDER ? NFS3ERR_ISDIR
                                                             : NFS3ERR_INVAL;
        left = is_found && a->offset < place.node.size ? place.node.size - a->offset
                                                       : 0;
        most = min_u64(min_u64(most, a->count), left);
        if (status == NFS3_OK && most > 0)
                status = x->server->config.tree.open(x->request->asker, place.path,
                                                     place.node.id, &reply->file);
        (void)nfs3_heed(x, status);
        put_status(x, status, is_found ? &place.node : NULL);
        if (status != NFS3_OK)
                return;
        writer_be32(&x->w, (uint32_t)most);
        writer_be32(&x->w, most == left);
        writer_be32(&x->w, (uint32_t)most);
        reply->n_file = (uint32_t)most;
        reply->offset = a->offset;
        reply->size = place.node.size;
        reply->id = place.node.id;
        reply->told = NFS3_TOLD_READ;
        memcpy(reply->path, place.path, PATH_MAX_BYTES);
}

/* RFC 1813 3.3.16, 3.3.17 */
static void readdir(struct nfs3_exchange *x, const struct nfs3_arguments *a) {
        struct nfs3_place folder;
        size_t start = x->w.at;
        enum nfs3_status status = nfs3_resolve(x, a->handle, &folder);
        bool is_found = status == NFS3_OK;

        if (is_found && folder.node.kind != NFS3_NODE_FOLDER)
                status = NFS3ERR_NOTDIR;
        if (status == NFS3_OK) {
                put_status(x, NFS3_OK, &folder.node);
                status = nfs3_readdir(x, a, &folder);
        }
        if (status == NFS3_OK)
                return;
        x->w.at = start;
        put_status(x, status, is_found ? &folder.node : NULL);
}

/* RFC 1813 3.3.18: nothing is free here. */
static void fsstat(struct nfs3_exchange *x) {
        writer_zeros(&x->w, (size_t)6 * 8);
        writer_be32(&x->w, 0);
}

/* RFC 1813 3.3.19 */
static void fsinfo(struct nfs3_exchange *x) {
        struct writer *w = &x->w;
        uint32_t most = x->request->is_tcp ? NFS3_READ_TCP : NFS3_READ_UDP;

        writer_be32(w, most);
        writer_be32(w, most);
        writer_be32(w, 4096);
        writer_be32(w, WRITE_NEVER);
        writer_be32(w, WRITE_NEVER);
        writer_be32(w, 4096);
        writer_be32(w, PREFERRED_LIST);
        writer_be64(w, INT64_MAX);
        writer_be32(w, 0);
        writer_be32(w, 1); /* times are exact to a nanosecond */
        writer_be32(w, FSF3_SYMLINK | FSF3_HOMOGENEOUS);
}

/* RFC 1813 3.3.20 */
static void pathconf(struct nfs3_exchange *x) {
        writer_be32(&x->w, LINKS_MAX);
        writer_be32(&x->w, NFS3_NAME_MAX);
        writer_be32(&x->w, true);  /* no_trunc */
        writer_be32(&x->w, true);  /* chown_restricted */
        writer_be32(&x->w, false); /* case_insensitive */
        writer_be32(&x->w, true);  /* case_preserving */
}

/* Those that only look whether the handle is good. */
static void about(struct nfs3_exchange *x, const struct nfs3_arguments *a,
                  void (*tell)(struct nfs3_exchange *x)) {
        struct nfs3_place place;
        enum nfs3_status status = nfs3_resolve(x, a->handle, &place);

        put_status(x, status, status == NFS3_OK ? &place.node : NULL);
        if (status == NFS3_OK)
                tell(x);
}

bool nfs3_serve_files(struct nfs3_exchange *x) {
        struct nfs3_arguments a;

        if (!nfs3_parse(x->call.procedure, x->call.arguments, &a))
                return false;
        switch (x->call.procedure) {
        case NFS3_NULL:
                break;
        case NFS3_GETATTR:
                getattr(x, &a);
                break;
        case NFS3_LOOKUP:
                lookup(x, &a);
                break;
        case NFS3_ACCESS:
                access(x, &a);
                break;
        case NFS3_READLINK:
                readlink(x, &a);
                break;
        case NFS3_READ:
                read(x, &a);
                break;
        case NFS3_READDIR:
        case NFS3_READDIRPLUS:
                readdir(x, &a);
                break;
        case NFS3_FSSTAT:
                about(x, &a, fsstat);
                break;
        case NFS3_FSINFO:
                about(x, &a, fsinfo);
                break;
        case NFS3_PATHCONF:
                about(x, &a, pathconf);
                break;
        default:
                /* RFC 1813 2.6: the file system is read-only. */
                writer_be32(&x->w, NFS3ERR_ROFS);
                nfs3_put_refusal(&x->w, x->call.procedure);
        }
        return true;
}
