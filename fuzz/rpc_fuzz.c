/*
 * Records of RPC from any bytes, in pieces of any size: what is kept stays within its
 * room, every record has an end, and each is a call or is not.
 */
#include "fuzz/fuzz.h"
#include "wire/rpc.h"

static void parse(const struct rpc_record *record) {
        uint8_t bytes[64];
        struct writer w = writer_of(bytes, sizeof(bytes));
        struct rpc_call call;
        enum rpc_verdict verdict = rpc_parse_call(record->data, record->n, &call);

        if (verdict == RPC_IS_CALL) {
                assert(call.arguments.n <= record->n);
                assert(call.arguments.n == 0 ||
                       call.arguments.data + call.arguments.n ==
                               record->data + record->n);
                rpc_build_accepted(&w, call.xid, RPC_SUCCESS);
        } else if (verdict != RPC_IS_NO_CALL) {
                rpc_build_denied(&w, &call, verdict);
        }
        assert(!w.failed && w.at % 4 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static struct rpc_record record;
        struct reader r = reader_of(data, n);
        size_t piece = 1 + reader_u8(&r), taken;

        record = (struct rpc_record){ 0 };
        while (reader_left(&r) > 0) {
                size_t left = min_size(piece, reader_left(&r));
                enum rpc_record_state state =
                        rpc_record_feed(&record, r.data + r.at, left, &taken);

                assert(taken <= left && (taken == left || state != RPC_RECORD_MORE));
                assert(record.n <= RPC_CALL_MAX && record.n <= record.total);
                r.at += taken;
                if (state == RPC_RECORD_TOO_LONG)
                        return 0;
                if (state == RPC_RECORD_WHOLE) {
                        parse(&record);
                        rpc_record_next(&record);
                }
        }
        return 0;
}
