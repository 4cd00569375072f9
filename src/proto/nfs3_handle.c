/* RFC 1813 2.6: a handle is what the server makes of it, and the client keeps it. */
#include "proto/nfs3_handle.h"

enum { HASHED_FROM = 12, KEYLESS = 16 };

/* Only to find a name again among its neighbours: the identity is what counts. */
uint16_t nfs3_trail_mark(const char *name, size_t n) {
        static const uint8_t key[SIPHASH_KEY] = "a trail of names";
        uint64_t hash = siphash(key, name, n);

        return (uint16_t)(hash ^ hash >> KEYLESS ^ hash >> 32 ^ hash >> 48);
}

bool nfs3_handle_of_path(const char *path, uint64_t identity, struct nfs3_handle *ret) {
        struct nfs3_handle handle = { .kind = NFS3_BY_TRAIL, .identity = identity };

        while (*path) {
                size_t n = strcspn(path, "/");

                if (handle.depth == NFS3_TRAIL_MAX)
                        return false;
                handle.trail[handle.depth++] = nfs3_trail_mark(path, n);
                path += n + (path[n] == '/');
        }
        *ret = handle;
        return true;
}

/* Under the hash lie the kind and the depth as well. */
static uint64_t hash_of(const uint8_t *bytes, size_t n,
                        const uint8_t key[static SIPHASH_KEY]) {
        uint8_t hashed[NFS3_HANDLE_MAX];

        memcpy(hashed, bytes, 4);
        memcpy(hashed + 4, bytes + HASHED_FROM, n - HASHED_FROM);
        return siphash(key, hashed, n - HASHED_FROM + 4);
}

size_t nfs3_handle_build(const struct nfs3_handle *handle,
                         const uint8_t key[static SIPHASH_KEY],
                         uint8_t ret[static NFS3_HANDLE_MAX]) {
        struct writer w = writer_of(ret, NFS3_HANDLE_MAX);

        writer_u8(&w, (uint8_t)handle->kind);
        writer_u8(&w, (uint8_t)handle->depth);
        writer_zeros(&w, 2 + 8);
        writer_be64(&w, handle->identity);
        if (handle->kind == NFS3_BY_NUMBER)
                writer_be32(&w, handle->number);
        for (size_t i = 0; i < handle->depth; i++)
                writer_be16(&w, handle->trail[i]);
        writer_zeros(&w, w.at % 4); /* two, or none: all of it is even */
        assert(!w.failed);
        store_be64(ret + 4, hash_of(ret, w.at, key));
        return w.at;
}

static bool is_whole(const struct nfs3_handle *handle, const struct reader *r) {
        return !r->failed && reader_left(r) < 4 &&
               (handle->kind == NFS3_BY_TRAIL ||
                (handle->kind == NFS3_BY_NUMBER && handle->depth == 0));
}

bool nfs3_handle_parse(struct span bytes, const uint8_t key[static SIPHASH_KEY],
                       struct nfs3_handle *ret) {
        struct reader r = reader_of(bytes.data, bytes.n);
        struct nfs3_handle handle;
        uint64_t hash;

        if (bytes.n < HASHED_FROM + 8 || bytes.n > NFS3_HANDLE_MAX)
                return false;
        handle = (struct nfs3_handle){ .kind = reader_u8(&r), .depth = reader_u8(&r) };
        (void)reader_be16(&r);
        hash = reader_be64(&r);
        if (hash != hash_of(bytes.data, bytes.n, key))
                return false;
        handle.identity = reader_be64(&r);
        if (handle.kind == NFS3_BY_NUMBER)
                handle.number = reader_be32(&r);
        if (handle.depth > NFS3_TRAIL_MAX)
                return false;
        for (size_t i = 0; i < handle.depth; i++)
                handle.trail[i] = reader_be16(&r);
        if (!is_whole(&handle, &r))
                return false;
        *ret = handle;
        return true;
}
