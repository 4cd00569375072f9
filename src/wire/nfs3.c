/* RFC 1813 2.6 and 3.3: structures in the order in which they stand on the wire. */
#include "wire/nfs3.h"

#include "wire/xdr.h"

bool nfs3_parse(uint32_t procedure, struct span bytes, struct nfs3_arguments *ret) {
        struct reader r = reader_of(bytes.data, bytes.n);

        *ret = (struct nfs3_arguments){ 0 };
        if (procedure == NFS3_NULL)
                return true;
        ret->handle = xdr_opaque(&r, NFS3_HANDLE_MAX);
        switch (procedure) {
        case NFS3_LOOKUP:
                /* A name that is too long has an error of its own. */
                ret->name = xdr_opaque(&r, bytes.n);
                break;
        case NFS3_ACCESS:
                ret->access = reader_be32(&r);
                break;
        case NFS3_READ:
                ret->offset = reader_be64(&r);
                ret->count = reader_be32(&r);
                break;
        case NFS3_READDIR:
                ret->offset = reader_be64(&r);
                ret->verifier = reader_be64(&r);
                ret->count = reader_be32(&r);
                break;
        case NFS3_READDIRPLUS:
                ret->offset = reader_be64(&r);
                ret->verifier = reader_be64(&r);
                ret->dir_count = reader_be32(&r);
                ret->count = reader_be32(&r);
                break;
        default:
                break;
        }
        return !r.failed;
}

static void put_time(struct writer *w, nsec_t t) {
        writer_be32(w, (uint32_t)(t / NSEC_PER_SEC));
        writer_be32(w, (uint32_t)(t % NSEC_PER_SEC));
}

/* RFC 1813 2.6, fattr3. A folder has one link, as where nobody counts them: two would
 * say that no folder is in it. */
void nfs3_put_attributes(struct writer *w, const struct nfs3_attributes *a) {
        writer_be32(w, a->type);
        writer_be32(w, a->mode);
        writer_be32(w, 1);
        writer_be32(w, 0); /* uid */
        writer_be32(w, 0); /* gid */
        writer_be64(w, a->size);
        writer_be64(w, a->size);
        writer_be64(w, 0); /* rdev */
        writer_be64(w, 1); /* fsid: the tree is one file system */
        writer_be64(w, a->fileid);
        put_time(w, a->time);
        put_time(w, a->time);
        put_time(w, a->time);
}

void nfs3_put_post_op(struct writer *w, const struct nfs3_attributes *a) {
        writer_be32(w, a != NULL);
        if (a)
                nfs3_put_attributes(w, a);
}

void nfs3_put_refusal(struct writer *w, uint32_t procedure) {
        /* wcc_data without either half, for each folder that it names. */
        unsigned n = procedure == NFS3_RENAME ? 4 : procedure == NFS3_LINK ? 3 : 2;

        while (n-- > 0)
                writer_be32(w, 0);
}
