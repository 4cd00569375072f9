/*
 * Listings (RFC 1813 3.3.16, 3.3.17).
 *
 * A cookie is a hash of the name behind which it stands, and entries come in the order
 * of their cookies. So a cookie stays good whatever is added or taken away meanwhile,
 * and in every worker: going on means to begin with the first entry above it. The
 * verifier is the folder's own number; a cookie from another folder is refused by it.
 */
#include <stdlib.h>

#include "proto/nfs3_internal.h"
#include "wire/xdr.h"

enum { SELF = 1, PARENT = 2, COOKIE_LEAST = 3, ENTRIES_MAX = 1 << 20 };

static const nsec_t fresh = 2 * NSEC_PER_SEC;

void nfs3_listing_done(struct nfs3_listing *listing) {
        for (size_t i = 0; i < listing->n; i++)
                free(listing->entries[i].name);
        free(listing->entries);
        *listing = (struct nfs3_listing){ 0 };
}

/* Some clients take a cookie for a signed number. */
static uint64_t cookie_of(const struct nfs3_server *server, const char *name) {
        uint64_t cookie = siphash(server->config.key, name, strlen(name)) >> 1;

        return max_u64(cookie, COOKIE_LEAST);
}

struct filling {
        const struct nfs3_server *server;
        struct nfs3_listing *listing;
};

static void add(const char *name, const struct nfs3_node *node, void *userdata) {
        struct filling *filling = userdata;
        struct nfs3_listing *l = filling->listing;
        char *copy;

        if (l->failed || l->n == ENTRIES_MAX || strlen(name) > NFS3_NAME_MAX)
                return;
        if (l->n == l->room) {
                size_t room = l->room ? 2 * l->room : 64;
                struct nfs3_entry *grown =
                        realloc(l->entries, room * sizeof(*l->entries));

                l->failed = !grown;
                if (!grown)
                        return;
                l->entries = grown;
                l->room = room;
        }
        copy = strdup(name);
        l->failed = !copy;
        if (copy)
                l->entries[l->n++] =
                        (struct nfs3_entry){ copy, cookie_of(filling->server, name),
                                             *node };
}

static int by_cookie(const void *a, const void *b) {
        const struct nfs3_entry *x = a, *y = b;

        return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* The listing is made where the one stands that was not used for longest. */
static struct nfs3_listing *place_for(struct nfs3_server *server) {
        struct nfs3_listing last = server->listings[NFS3_LISTINGS - 1];

        nfs3_listing_done(&last);
        memmove(server->listings + 1, server->listings,
                (NFS3_LISTINGS - 1) * sizeof(last));
        server->listings[0] = last;
        return &server->listings[0];
}

static bool is_good(const struct nfs3_listing *l, const struct nfs3_node *node,
                    nsec_t now) {
        return l->id == node->id && l->mtime == node->mtime &&
               (l->is_lasting || now - l->made < fresh);
}

enum nfs3_status nfs3_list(struct nfs3_exchange *x, const struct nfs3_place *folder,
                           const struct nfs3_listing **ret) {
        struct nfs3_server *server = x->server;
        struct filling filling = { .server = server };
        enum nfs3_status status;

        for (size_t i = 0; i < NFS3_LISTINGS; i++)
                if (is_good(&server->listings[i], &folder->node, x->request->now)) {
                        *ret = &server->listings[i];
                        return NFS3_OK;
                }
        filling.listing = place_for(server);
        status = server->config.tree.list(x->request->asker, folder->path, add,
                                          &filling);
        if (status == NFS3_OK && filling.listing->failed)
                status = NFS3ERR_SERVERFAULT;
        if (status != NFS3_OK) {
                nfs3_listing_done(filling.listing);
                return status;
        }
        if (filling.listing->n > 0)
                qsort(filling.listing->entries, filling.listing->n,
                      sizeof(struct nfs3_entry), by_cookie);
        filling.listing->id = folder->node.id;
        filling.listing->mtime = folder->node.mtime;
        filling.listing->made = x->request->now;
        filling.listing->is_lasting = folder->node.image != 0;
        *ret = filling.listing;
        return NFS3_OK;
}

/* A reply that is being filled. */
struct page {
        struct nfs3_exchange *x;
        const char *folder;
        bool is_plus;
        size_t limit;    /* where the writer has to stop */
        size_t dir_left; /* of names and numbers */
        unsigned n;
        bool is_full;
};

static void put_plus(struct page *page, const char *path,
                     const struct nfs3_node *node) {
        struct nfs3_attributes attributes = nfs3_attributes_of(node);
        struct writer *w = &page->x->w;
        size_t at;

        if (node->is_unknown) { /* the client asks for it when it needs it */
                writer_be32(w, false);
                writer_be32(w, false);
                return;
        }
        nfs3_put_post_op(w, &attributes);
        at = w->at;
        writer_be32(w, true);
        if (!nfs3_put_handle(page->x, path, node)) {
                w->at = at;
                writer_be32(w, false);
        }
}

/* All of an entry, or nothing of it. */
static void put_entry(struct page *page, const char *name, uint64_t cookie,
                      const char *path, const struct nfs3_node *node) {
        struct writer *w = &page->x->w;
        size_t n = strlen(name), start = w->at;
        size_t dir_size = 4 + 8 + 4 + n + xdr_padding(n) + 8;

        if (page->is_full)
                return;
        writer_be32(w, true);
        writer_be64(w, node->id);
        xdr_put_opaque(w, name, n);
        writer_be64(w, cookie);
        if (page->is_plus)
                put_plus(page, path, node);
        /* The end of the list and the word at its end must still fit. */
        if (w->at + 8 > page->limit || dir_size > page->dir_left) {
                w->at = start;
                page->is_full = true;
                return;
        }
        page->dir_left -= dir_size;
        page->n++;
}

static void put_dots(struct page *page, const struct nfs3_place *folder,
                     uint64_t after) {
        struct nfs3_place parent;

        if (after < SELF)
                put_entry(page, ".", SELF, folder->path, &folder->node);
        if (after >= PARENT)
                return;
        nfs3_parent(folder->path, parent.path);
        if (nfs3_look(page->x, parent.path, &parent.node) != NFS3_OK)
                return;
        put_entry(page, "..", PARENT, parent.path, &parent.node);
}

static size_t first_above(const struct nfs3_listing *l, uint64_t cookie) {
        size_t low = 0, high = l->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (l->entries[middle].cookie <= cookie)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* RFC 1813 3.3.16: count is the size of everything behind the status, attributes
 * included; 3.3.17: dircount that of names and numbers alone. */
static struct page begin(struct nfs3_exchange *x, const struct nfs3_arguments *a,
                         const char *folder) {
        size_t so_far = 4 + NFS3_ATTRIBUTES_SIZE;
        bool is_plus = x->call.procedure == NFS3_READDIRPLUS;
        size_t count = min_size(a->count, NFS3_READ_UDP);

        return (struct page){
                .x = x,
                .folder = folder,
                .is_plus = is_plus,
                .limit = x->w.at - so_far + count,
                .dir_left = is_plus && a->dir_count > 0 ? a->dir_count : SIZE_MAX,
        };
}

enum nfs3_status nfs3_readdir(struct nfs3_exchange *x, const struct nfs3_arguments *a,
                              struct nfs3_place *folder) {
        struct page page = begin(x, a, folder->path);
        const struct nfs3_listing *l;
        enum nfs3_status status;
        char path[PATH_MAX_BYTES];
        size_t i;

        if (a->offset != 0 && a->verifier != folder->node.id)
                return NFS3ERR_BAD_COOKIE;
        status = nfs3_list(x, folder, &l);
        if (status != NFS3_OK)
                return status;
        writer_be64(&x->w, folder->node.id);
        put_dots(&page, folder, a->offset);
        for (i = first_above(l, a->offset); i < l->n && !page.is_full; i++)
                if (nfs3_join(folder->path, l->entries[i].name,
                              strlen(l->entries[i].name), path))
                        put_entry(&page, l->entries[i].name, l->entries[i].cookie, path,
                                  &l->entries[i].node);
        if ((page.is_full && page.n == 0) || x->w.at + 8 > page.limit)
                return NFS3ERR_TOOSMALL;
        writer_be32(&x->w, false);
        writer_be32(&x->w, !page.is_full);
        return NFS3_OK;
}
