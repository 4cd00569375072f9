#include "wire/rpc.h"

#include "test/check.h"
#include "wire/xdr.h"

struct call {
        uint8_t data[1024];
        struct writer w;
};

static void begin(struct call *c, uint32_t type, uint32_t version) {
        c->w = writer_of(c->data, sizeof(c->data));
        writer_be32(&c->w, 77);
        writer_be32(&c->w, type);
        writer_be32(&c->w, version);
        writer_be32(&c->w, 100003);
        writer_be32(&c->w, 3);
        writer_be32(&c->w, 1);
}

static void add_auth_sys(struct call *c, uint32_t n_groups) {
        uint8_t body[256];
        struct writer w = writer_of(body, sizeof(body));

        writer_be32(&w, 1);
        xdr_put_string(&w, "client");
        writer_be64(&w, 0);
        writer_be32(&w, n_groups);
        for (uint32_t i = 0; i < n_groups; i++)
                writer_be32(&w, i);
        writer_be32(&c->w, 1);
        xdr_put_opaque(&c->w, body, w.at);
}

static void add_none(struct call *c) {
        writer_be64(&c->w, 0);
}

static enum rpc_verdict parse(const struct call *c, struct rpc_call *ret) {
        return rpc_parse_call(c->data, c->w.at, ret);
}

/* RFC 5531 9 */
static void a_call_is_read(void **state) {
        struct rpc_call call;
        struct call c;

        begin(&c, 0, 2);
        add_auth_sys(&c, 3);
        add_none(&c);
        writer_be32(&c.w, 5);
        assert_int_equal(parse(&c, &call), RPC_IS_CALL);
        assert_int_equal(call.xid, 77);
        assert_int_equal(call.program, 100003);
        assert_int_equal(call.procedure, 1);
        assert_int_equal(call.arguments.n, 4);
        for (size_t n = 0; n < c.w.at - 4; n++)
                assert_int_not_equal(rpc_parse_call(c.data, n, &call), RPC_IS_CALL);
}

static void a_reply_is_no_call(void **state) {
        struct rpc_call call;
        struct call c;

        begin(&c, 1, 2);
        add_none(&c);
        add_none(&c);
        assert_int_equal(parse(&c, &call), RPC_IS_NO_CALL);
}

static void check_denied(const struct rpc_call *call, enum rpc_verdict verdict,
                         uint32_t kind, uint32_t why) {
        uint8_t data[64];
        struct writer w = writer_of(data, sizeof(data));

        rpc_build_denied(&w, call, verdict);
        assert_int_equal(load_be32(data), 77);
        assert_int_equal(load_be32(data + 4), 1);
        assert_int_equal(load_be32(data + 8), 1);
        assert_int_equal(load_be32(data + 12), kind);
        assert_int_equal(load_be32(data + 16), why);
}

/* RFC 5531 8.2, 9 */
static void other_versions_and_flavors_are_denied(void **state) {
        struct rpc_call call;
        struct call c;

        begin(&c, 0, 3);
        assert_int_equal(parse(&c, &call), RPC_OTHER_VERSION);
        check_denied(&call, RPC_OTHER_VERSION, 0, 2);

        begin(&c, 0, 2);
        writer_be32(&c.w, 6); /* RPCSEC_GSS */
        xdr_put_string(&c.w, "secret");
        add_none(&c);
        assert_int_equal(parse(&c, &call), RPC_BAD_AUTH);
        check_denied(&call, RPC_BAD_AUTH, 1, RPC_AUTH_REJECTEDCRED);

        begin(&c, 0, 2);
        add_auth_sys(&c, 17);
        add_none(&c);
        assert_int_equal(parse(&c, &call), RPC_BAD_AUTH);
        check_denied(&call, RPC_BAD_AUTH, 1, RPC_AUTH_BADCRED);

        begin(&c, 0, 2);
        writer_be32(&c.w, 0);
        writer_be32(&c.w, 401);
        writer_zeros(&c.w, 404);
        assert_int_equal(parse(&c, &call), RPC_BAD_AUTH);
}

/* RFC 5531 11 */
static void a_record_is_put_together_however_it_is_cut(void **state) {
        static const uint8_t bytes[] = { 0, 0, 0,    2, 'a', 'b', 0,   0,
                                         0, 0, 0x80, 0, 0,   1,   'c', 0x80 };
        for (size_t piece = 1; piece <= sizeof(bytes); piece++) {
                struct rpc_record record = { 0 };
                enum rpc_record_state got = RPC_RECORD_MORE;
                size_t at = 0, taken;

                while (got == RPC_RECORD_MORE) {
                        got = rpc_record_feed(&record, bytes + at,
                                              min_size(piece, sizeof(bytes) - at),
                                              &taken);
                        at += taken;
                }
                assert_int_equal(got, RPC_RECORD_WHOLE);
                assert_int_equal(at, sizeof(bytes) - 1);
                assert_int_equal(record.n, 3);
                assert_memory_equal(record.data, "abc", 3);
                rpc_record_next(&record);
                assert_int_equal(record.n, 0);
        }
}

static void of_a_long_record_the_beginning_is_kept(void **state) {
        static uint8_t bytes[20004] = { 0x80, 0, 20000 >> 8, 20000 & 0xff, 'x' };
        static struct rpc_record record;
        size_t taken;

        assert_int_equal(rpc_record_feed(&record, bytes, sizeof(bytes), &taken),
                         RPC_RECORD_WHOLE);
        assert_int_equal(taken, sizeof(bytes));
        assert_int_equal(record.n, RPC_CALL_MAX);
        assert_int_equal(record.data[0], 'x');
}

static void endless_records_are_found_out(void **state) {
        static const uint8_t nothing[4], huge[4] = { 0x7f, 0xff, 0xff, 0xff };
        static struct rpc_record record, other;
        enum rpc_record_state got = RPC_RECORD_MORE;
        size_t taken;

        for (unsigned i = 0; i <= RPC_FRAGMENTS_MAX; i++)
                got = rpc_record_feed(&record, nothing, sizeof(nothing), &taken);
        assert_int_equal(got, RPC_RECORD_TOO_LONG);
        assert_int_equal(rpc_record_feed(&other, huge, sizeof(huge), &taken),
                         RPC_RECORD_TOO_LONG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_call_is_read),
                cmocka_unit_test(a_reply_is_no_call),
                cmocka_unit_test(other_versions_and_flavors_are_denied),
                cmocka_unit_test(a_record_is_put_together_however_it_is_cut),
                cmocka_unit_test(of_a_long_record_the_beginning_is_kept),
                cmocka_unit_test(endless_records_are_found_out),
        };

        return check_run("wire/rpc", tests);
}
