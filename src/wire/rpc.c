/*
 * RFC 5531. Who calls says who he is by AUTH_SYS or AUTH_NONE, and we believe neither:
 * everything behind these doors may be read by everybody. A credential still has to be
 * well formed, and what asks for more than these two is told that it will not do.
 */
#include "wire/rpc.h"

#include "wire/xdr.h"

enum { CALL = 0, REPLY = 1, VERSION = 2 };
enum { MSG_ACCEPTED = 0, MSG_DENIED = 1 };
enum { RPC_MISMATCH = 0, AUTH_ERROR = 1 };
enum { AUTH_NONE = 0, AUTH_SYS = 1 };

/* RFC 5531 8.2 and its appendix A: stamp, machine name, user, group and at most 16
 * groups. */
static bool is_good_auth_sys(struct span body) {
        struct reader r = reader_of(body.data, body.n);
        uint32_t n_groups;

        (void)reader_be32(&r);
        (void)xdr_opaque(&r, 255);
        (void)reader_be64(&r);
        n_groups = reader_be32(&r);
        if (n_groups > 16)
                return false;
        (void)reader_span(&r, 4 * (size_t)n_groups);
        return !r.failed;
}

static enum rpc_auth judge(uint32_t flavor, struct span body) {
        switch (flavor) {
        case AUTH_NONE:
                return RPC_AUTH_OK;
        case AUTH_SYS:
                return is_good_auth_sys(body) ? RPC_AUTH_OK : RPC_AUTH_BADCRED;
        default:
                return RPC_AUTH_REJECTEDCRED;
        }
}

/* RFC 5531 9: the call body. */
enum rpc_verdict rpc_parse_call(const void *data, size_t n, struct rpc_call *ret) {
        struct reader r = reader_of(data, n);
        uint32_t type, version, flavor;
        struct span credential;

        *ret = (struct rpc_call){ .xid = reader_be32(&r) };
        type = reader_be32(&r);
        version = reader_be32(&r);
        if (r.failed || type != CALL)
                return RPC_IS_NO_CALL;
        if (version != VERSION)
                return RPC_OTHER_VERSION;
        ret->program = reader_be32(&r);
        ret->version = reader_be32(&r);
        ret->procedure = reader_be32(&r);
        if (r.failed)
                return RPC_IS_NO_CALL;
        flavor = reader_be32(&r);
        credential = xdr_opaque(&r, RPC_AUTH_MAX);
        ret->auth = r.failed ? RPC_AUTH_BADCRED : judge(flavor, credential);
        if (ret->auth != RPC_AUTH_OK)
                return RPC_BAD_AUTH;
        /* Of a verifier, which means nothing with these two, only the shape counts. */
        (void)reader_be32(&r);
        (void)xdr_opaque(&r, RPC_AUTH_MAX);
        if (r.failed) {
                ret->auth = RPC_AUTH_BADVERF;
                return RPC_BAD_AUTH;
        }
        ret->arguments = (struct span){ r.data + r.at, r.n - r.at };
        return RPC_IS_CALL;
}

void rpc_build_accepted(struct writer *w, uint32_t xid, enum rpc_accept accept) {
        writer_be32(w, xid);
        writer_be32(w, REPLY);
        writer_be32(w, MSG_ACCEPTED);
        writer_be32(w, AUTH_NONE);
        writer_be32(w, 0);
        writer_be32(w, accept);
}

void rpc_build_mismatch(struct writer *w, uint32_t xid, uint32_t low, uint32_t high) {
        rpc_build_accepted(w, xid, RPC_PROG_MISMATCH);
        writer_be32(w, low);
        writer_be32(w, high);
}

void rpc_build_denied(struct writer *w, const struct rpc_call *call,
                      enum rpc_verdict verdict) {
        writer_be32(w, call->xid);
        writer_be32(w, REPLY);
        writer_be32(w, MSG_DENIED);
        if (verdict == RPC_OTHER_VERSION) {
                writer_be32(w, RPC_MISMATCH);
                writer_be32(w, VERSION);
                writer_be32(w, VERSION);
        } else {
                writer_be32(w, AUTH_ERROR);
                writer_be32(w, call->auth);
        }
}

/* RFC 5531 11: the highest bit of the mark says that a fragment is the last one. */
static enum rpc_record_state begin_fragment(struct rpc_record *record) {
        uint32_t mark = load_be32(record->mark);

        record->n_mark = 0;
        record->is_last = mark >> 31;
        record->left = mark & 0x7fffffff;
        record->total += record->left;
        if (record->total > RPC_RECORD_MAX || ++record->n_fragments > RPC_FRAGMENTS_MAX)
                return RPC_RECORD_TOO_LONG;
        return record->left == 0 && record->is_last ? RPC_RECORD_WHOLE
                                                    : RPC_RECORD_MORE;
}

static size_t take(struct rpc_record *record, const uint8_t *data, size_t n) {
        size_t taken = min_size(n, record->left);
        size_t kept = min_size(taken, RPC_CALL_MAX - record->n);

        if (kept > 0)
                memcpy(record->data + record->n, data, kept);
        record->n += kept;
        record->left -= (uint32_t)taken;
        return taken;
}

enum rpc_record_state rpc_record_feed(struct rpc_record *record, const uint8_t *data,
                                      size_t n, size_t *ret_taken) {
        enum rpc_record_state state = RPC_RECORD_MORE;
        size_t at = 0;

        while (at < n && state == RPC_RECORD_MORE) {
                if (record->left == 0) {
                        record->mark[record->n_mark++] = data[at++];
                        if (record->n_mark == 4)
                                state = begin_fragment(record);
                        continue;
                }
                at += take(record, data + at, n - at);
                if (record->left == 0 && record->is_last)
                        state = RPC_RECORD_WHOLE;
        }
        *ret_taken = at;
        return state;
}

void rpc_record_next(struct rpc_record *record) {
        record->n = 0;
        record->total = 0;
        record->left = 0;
        record->n_mark = record->n_fragments = 0;
        record->is_last = false;
}

void rpc_record_mark(uint8_t ret[static 4], size_t n) {
        store_be32(ret, 0x80000000 | (uint32_t)n);
}
