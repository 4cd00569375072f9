/*
 * The NFS server under calls of any kind: well formed ones with handles that it gave
 * itself, forged ones, and bytes that are no call, while the tree changes under it.
 * What must hold: a reply answers its call, is whole words and no longer than its room
 * or than the client said; file bytes lie in the file; what waits has no file open.
 */
#include "fuzz/fuzz.h"
#include "test/nfs_tree.h"
#include "wire/xdr.h"

enum { STEPS_MAX = 300, HANDLES = 8 };

struct handle {
        size_t n;
        uint8_t bytes[NFS3_HANDLE_MAX];
};

static struct nfs_test_tree tree;
static uint8_t buffer[NFS3_HEAD_MAX];

struct run {
        struct nfs3_server *server;
        struct reader in;
        struct handle handles[HANDLES];
        size_t n_handles;
        nsec_t now;
        uint32_t xid;
};

/* Whatever looks like a handle behind the status is one. */
static void keep_handle(struct run *r, uint32_t program, uint32_t procedure) {
        struct reader reply = reader_of(buffer + 24, 4 + 4 + NFS3_HANDLE_MAX);
        struct handle *h = &r->handles[r->n_handles % HANDLES];
        struct span s;

        if (!(program == NFS3_MOUNT_PROGRAM && procedure == NFS3_MOUNT_MNT) &&
            !(program == NFS3_PROGRAM && procedure == NFS3_LOOKUP))
                return;
        if (reader_be32(&reply) != NFS3_OK)
                return;
        s = xdr_opaque(&reply, NFS3_HANDLE_MAX);
        assert(s.n > 0);
        h->n = s.n;
        memcpy(h->bytes, s.data, s.n);
        r->n_handles++;
}

static enum nfs3_outcome put(struct run *r, const uint8_t *data, size_t n, uint8_t how,
                             struct nfs3_reply *reply) {
        const struct nfs3_request request = {
                .door = how & 1 ? NFS3_DOOR_PORTMAP : NFS3_DOOR_NFS,
                .is_tcp = how & 2,
                .local = 0x0a000001,
                .port = 2049,
                .portmap_port = how & 4 ? 111 : 0,
                .now = r->now += NSEC_PER_SEC,
                .asker = &tree,
        };
        enum nfs3_outcome outcome =
                nfs3_server_call(r->server, &request, data, n, buffer, reply);

        if (outcome != NFS3_REPLY) {
                assert(reply->n_file == 0 || outcome == NFS3_WAIT);
                return outcome;
        }
        assert(reply->n_head >= 20 && reply->n_head <= NFS3_HEAD_MAX);
        assert(reply->n_head % 4 == 0 && memcmp(buffer, data, 4) == 0);
        assert(!reply->n_file || reply->file);
        assert(reply->n_file <= (how & 2 ? NFS3_READ_TCP : NFS3_READ_UDP));
        assert(reply->n_file == 0 || (reply->offset < reply->size &&
                                      reply->n_file <= reply->size - reply->offset));
        assert(nfs3_reply_size(reply) % 4 == 0);
        return outcome;
}

static void put_arguments(struct run *r, struct writer *w, uint32_t program,
                          uint32_t procedure) {
        uint8_t which = reader_u8(&r->in);
        size_t n = min_size(reader_u8(&r->in), reader_left(&r->in));
        struct span raw = reader_span(&r->in, n);

        if (program == NFS3_PROGRAM && which < HANDLES)
                xdr_put_opaque(w, r->handles[which].bytes, r->handles[which].n);
        if ((program == NFS3_PROGRAM && procedure == NFS3_LOOKUP) ||
            (program == NFS3_MOUNT_PROGRAM && which < 128))
                xdr_put_opaque(w, raw.data, raw.n);
        else
                writer_bytes(w, raw.data, raw.n);
}

static void call(struct run *r, uint8_t how) {
        static const uint32_t programs[] = { NFS3_PROGRAM, NFS3_PROGRAM,
                                             NFS3_MOUNT_PROGRAM, PORTMAP_PROGRAM };
        uint8_t data[1024];
        struct writer w = writer_of(data, sizeof(data));
        uint32_t program = programs[how >> 3 & 3], procedure = reader_u8(&r->in) % 24;
        struct nfs3_reply reply;

        writer_be32(&w, ++r->xid);
        writer_be32(&w, 0);
        writer_be32(&w, 2);
        writer_be32(&w, program);
        writer_be32(&w, program == PORTMAP_PROGRAM ? 2 + (how >> 6 & 1) : 3);
        writer_be32(&w, procedure);
        writer_zeros(&w, 16);
        put_arguments(r, &w, program, procedure);
        if (put(r, data, w.at, how, &reply) == NFS3_REPLY &&
            load_be32(buffer + 20) == RPC_SUCCESS && load_be32(buffer + 8) == 0 &&
            reply.n_head > 28)
                keep_handle(r, program, procedure);
}

static void raw_call(struct run *r, uint8_t how) {
        size_t n = min_size(reader_u8(&r->in), reader_left(&r->in));
        struct span raw = reader_span(&r->in, n);
        struct nfs3_reply reply;

        (void)put(r, raw.data, raw.n, how, &reply);
}

static void change_tree(struct run *r) {
        struct nfs_tree_node *n = &tree.nodes[reader_u8(&r->in) % tree.n];
        uint8_t what = reader_u8(&r->in);

        if (what & 1)
                n->node.id += 1000;
        if (what & 2 && n != tree.nodes)
                n->is_gone = !n->is_gone;
        if (what & 4)
                n->is_late = true;
        if (what & 8)
                n->node.image++;
        if (what & 16)
                n->node.kind = (what >> 6) % 3;
        tree.has_settled = what & 32;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const struct nfs3_server_config config = nfs_tree_config(1);
        static struct run r;

        r = (struct run){ .in = reader_of(data, n) };
        nfs_tree_fill(&tree);
        if (nfs3_server_new(&config, &r.server) < 0)
                return 0;
        for (int i = 0; i < STEPS_MAX && reader_left(&r.in) > 0; i++) {
                uint8_t how = reader_u8(&r.in);

                if (how == 0xff)
                        change_tree(&r);
                else if (how == 0xfe)
                        raw_call(&r, reader_u8(&r.in));
                else
                        call(&r, how);
        }
        nfs3_server_free(r.server);
        return 0;
}
