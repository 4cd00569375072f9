#pragma once
/*
 * NFS version 3 and its MOUNT protocol (RFC 1813): what calls carry and what replies
 * are built of. A server that only reads: of the procedures that change something, it
 * knows how long their refusal is. Pure.
 */
#include "base/cursor.h"

enum {
        NFS3_PROGRAM = 100003,
        NFS3_MOUNT_PROGRAM = 100005,
        NFS3_VERSION = 3, /* of both */
        NFS3_PORT = 2049,
        NFS3_HANDLE_MAX = 64,
        NFS3_NAME_MAX = 255,
        NFS3_PATH_MAX = 1024,
};

enum nfs3_procedure {
        NFS3_NULL,
        NFS3_GETATTR,
        NFS3_SETATTR,
        NFS3_LOOKUP,
        NFS3_ACCESS,
        NFS3_READLINK,
        NFS3_READ,
        NFS3_WRITE,
        NFS3_CREATE,
        NFS3_MKDIR,
        NFS3_SYMLINK,
        NFS3_MKNOD,
        NFS3_REMOVE,
        NFS3_RMDIR,
        NFS3_RENAME,
        NFS3_LINK,
        NFS3_READDIR,
        NFS3_READDIRPLUS,
        NFS3_FSSTAT,
        NFS3_FSINFO,
        NFS3_PATHCONF,
        NFS3_COMMIT,
        NFS3_N_PROCEDURES,
};

enum nfs3_mount_procedure {
        NFS3_MOUNT_NULL,
        NFS3_MOUNT_MNT,
        NFS3_MOUNT_DUMP,
        NFS3_MOUNT_UMNT,
        NFS3_MOUNT_UMNTALL,
        NFS3_MOUNT_EXPORT,
};

/* RFC 1813 2.6; those of MOUNT (5.1.5) have the same numbers. */
enum nfs3_status {
        NFS3_OK = 0,
        NFS3ERR_NOENT = 2,
        NFS3ERR_IO = 5,
        NFS3ERR_ACCES = 13,
        NFS3ERR_NOTDIR = 20,
        NFS3ERR_ISDIR = 21,
        NFS3ERR_INVAL = 22,
        NFS3ERR_ROFS = 30,
        NFS3ERR_NAMETOOLONG = 63,
        NFS3ERR_STALE = 70,
        NFS3ERR_BADHANDLE = 10001,
        NFS3ERR_BAD_COOKIE = 10003,
        NFS3ERR_TOOSMALL = 10005,
        NFS3ERR_SERVERFAULT = 10006,
        NFS3ERR_JUKEBOX = 10008, /* not now; ask again later */
};

enum nfs3_access { /* RFC 1813 3.3.4 */
                   NFS3_ACCESS_READ = 1,
                   NFS3_ACCESS_LOOKUP = 2,
                   NFS3_ACCESS_EXECUTE = 0x20,
};

enum nfs3_type { NFS3_FILE = 1, NFS3_FOLDER = 2, NFS3_LINKED = 5 };

struct nfs3_attributes {
        enum nfs3_type type;
        uint32_t mode;
        uint64_t size, fileid;
        nsec_t time;
};

/* Of a call; what a procedure does not have stays zero. Spans are borrowed. */
struct nfs3_arguments {
        struct span handle, name;
        uint64_t offset; /* or the cookie */
        uint64_t verifier;
        uint32_t access;
        uint32_t count;     /* bytes; of READDIR(PLUS) the whole answer */
        uint32_t dir_count; /* of READDIRPLUS: names and numbers alone */
};

/* Of the procedures that read. Others have only their first handle looked at. */
MUST_USE bool nfs3_parse(uint32_t procedure, struct span bytes,
                         struct nfs3_arguments *ret);

enum { NFS3_ATTRIBUTES_SIZE = 84 };
void nfs3_put_attributes(struct writer *w, const struct nfs3_attributes *a);
/* post_op_attr: NULL for none. */
void nfs3_put_post_op(struct writer *w, const struct nfs3_attributes *a);
/* What follows the status when a procedure that changes something is refused. */
void nfs3_put_refusal(struct writer *w, uint32_t procedure);
