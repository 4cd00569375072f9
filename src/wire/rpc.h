#pragma once
/*
 * ONC RPC version 2 (RFC 5531): calls read, replies written, records put together. A
 * call is never an error: it has a verdict, and every verdict but one has a reply.
 * Pure, allocates nothing.
 */
#include "base/cursor.h"

enum {
        RPC_CALL_MAX = 4096,      /* more of a call is read by nobody here */
        RPC_RECORD_MAX = 4 << 20, /* longer ones are no call of a program of ours */
        RPC_FRAGMENTS_MAX = 1024, /* of a record */
        RPC_AUTH_MAX = 400,       /* RFC 5531 8.2: of a credential */
};

enum rpc_verdict {
        RPC_IS_CALL,
        RPC_IS_NO_CALL,    /* too short, or a reply: there is nobody to answer */
        RPC_OTHER_VERSION, /* of RPC itself */
        RPC_BAD_AUTH,      /* `auth` says why */
};

enum rpc_auth {
        RPC_AUTH_OK = 0,
        RPC_AUTH_BADCRED = 1,
        RPC_AUTH_REJECTEDCRED = 2,
        RPC_AUTH_BADVERF = 3,
};

enum rpc_accept {
        RPC_SUCCESS = 0,
        RPC_PROG_UNAVAIL = 1,
        RPC_PROG_MISMATCH = 2,
        RPC_PROC_UNAVAIL = 3,
        RPC_GARBAGE_ARGS = 4,
        RPC_SYSTEM_ERR = 5,
};

struct rpc_call {
        uint32_t xid, program, version, procedure;
        enum rpc_auth auth;
        struct span arguments; /* borrowed */
};

/* Fills what it can of *ret; the xid whenever the verdict has a reply. */
enum rpc_verdict rpc_parse_call(const void *data, size_t n, struct rpc_call *ret);

/* An accepted call's reply up to where the results begin. */
void rpc_build_accepted(struct writer *w, uint32_t xid, enum rpc_accept accept);
/* The program is here, in these versions. */
void rpc_build_mismatch(struct writer *w, uint32_t xid, uint32_t low, uint32_t high);
/* What RPC_OTHER_VERSION and RPC_BAD_AUTH are answered with. */
void rpc_build_denied(struct writer *w, const struct rpc_call *call,
                      enum rpc_verdict verdict);

/* RFC 5531 11: over TCP a message is a record, of fragments with a length before each.
 * The first RPC_CALL_MAX bytes are kept and the rest is let pass. */
struct rpc_record {
        uint8_t data[RPC_CALL_MAX];
        size_t n;       /* kept */
        uint64_t total; /* seen */
        uint32_t left;  /* of the fragment */
        unsigned n_mark, n_fragments;
        uint8_t mark[4];
        bool is_last;
};

enum rpc_record_state { RPC_RECORD_MORE, RPC_RECORD_WHOLE, RPC_RECORD_TOO_LONG };

/* Takes bytes up to the end of a record and tells how many in *ret_taken. After a whole
 * one, rpc_record_next() begins another. */
enum rpc_record_state rpc_record_feed(struct rpc_record *record, const uint8_t *data,
                                      size_t n, size_t *ret_taken);
void rpc_record_next(struct rpc_record *record);
/* The mark before a reply that is one fragment. */
void rpc_record_mark(uint8_t ret[static 4], size_t n);
