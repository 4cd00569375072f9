#include "wire/nfs3.h"

#include "test/check.h"
#include "wire/portmap.h"
#include "wire/xdr.h"

/* RFC 4506 4.10 */
static void opaque_bytes_are_padded_to_four(void **state) {
        uint8_t data[32];

        for (size_t n = 0; n < 9; n++) {
                struct writer w = writer_of(data, sizeof(data));
                struct reader r;
                struct span s;

                xdr_put_opaque(&w, "12345678", n);
                assert_int_equal(w.at % 4, 0);
                r = reader_of(data, w.at);
                s = xdr_opaque(&r, n);
                assert_int_equal(s.n, n);
                assert_int_equal(reader_left(&r), 0);
                assert_false(r.failed);
                r = reader_of(data, w.at);
                if (n > 0)
                        (void)xdr_opaque(&r, n - 1);
                assert_int_equal(r.failed, n > 0);
        }
}

/* RFC 1813 3.3 */
static void arguments_are_read_and_nothing_less(void **state) {
        static const size_t sizes[NFS3_N_PROCEDURES] = {
                [NFS3_GETATTR] = 12,     [NFS3_LOOKUP] = 20, [NFS3_ACCESS] = 16,
                [NFS3_READLINK] = 12,    [NFS3_READ] = 24,   [NFS3_READDIR] = 32,
                [NFS3_READDIRPLUS] = 36, [NFS3_FSSTAT] = 12, [NFS3_FSINFO] = 12,
                [NFS3_PATHCONF] = 12
        };
        uint8_t data[64];
        struct writer w = writer_of(data, sizeof(data));
        struct nfs3_arguments a;

        xdr_put_opaque(&w, "handle!!", 8);
        xdr_put_opaque(&w, "name", 4);
        writer_zeros(&w, 32);
        for (uint32_t i = 0; i < NFS3_N_PROCEDURES; i++) {
                if (sizes[i] == 0)
                        continue;
                assert_true(nfs3_parse(i, (struct span){ data, sizes[i] }, &a));
                assert_int_equal(a.handle.n, 8);
                assert_false(nfs3_parse(i, (struct span){ data, sizes[i] - 4 }, &a));
        }
        data[3] = NFS3_HANDLE_MAX + 1;
        assert_false(nfs3_parse(NFS3_GETATTR, (struct span){ data, 60 }, &a));
}

/* RFC 1813 2.6 */
static void attributes_have_their_size(void **state) {
        const struct nfs3_attributes a = { NFS3_FILE, 0444, 5, 9,
                                           7 * NSEC_PER_SEC + 3 };
        uint8_t data[128];
        struct writer w = writer_of(data, sizeof(data));

        nfs3_put_attributes(&w, &a);
        assert_int_equal(w.at, NFS3_ATTRIBUTES_SIZE);
        assert_int_equal(load_be32(data + 60), 7);
        assert_int_equal(load_be32(data + 64), 3);
        w = writer_of(data, sizeof(data));
        nfs3_put_post_op(&w, NULL);
        assert_int_equal(w.at, 4);
}

/* RFC 1833 2.1, 3.1 */
static void mappings_are_read_and_written(void **state) {
        uint8_t data[128];
        struct writer w = writer_of(data, sizeof(data));
        const struct portmap_mapping mapping = { NFS3_PROGRAM, 3, PORTMAP_TCP, 2049 };
        struct portmap_mapping got;
        struct reader r;
        struct span s;

        portmap_build(&w, &mapping);
        assert_true(portmap_parse((struct span){ data, w.at }, &got));
        assert_memory_equal(&got, &mapping, sizeof(got));
        assert_false(portmap_parse((struct span){ data, w.at - 1 }, &got));
        w = writer_of(data, sizeof(data));
        rpcbind_build(&w, &mapping, 0x0a4d0001);
        assert_true(rpcbind_parse((struct span){ data, w.at }, &got));
        assert_int_equal(got.protocol, PORTMAP_TCP);
        w = writer_of(data, sizeof(data));
        rpcbind_build_address(&w, 0x0a4d0001, 2049);
        r = reader_of(data, w.at);
        s = xdr_opaque(&r, 64);
        assert_int_equal(s.n, 13);
        assert_memory_equal(s.data, "10.77.0.1.8.1", 13);
        w = writer_of(data, sizeof(data));
        rpcbind_build_address(&w, 0x0a4d0001, 0);
        assert_int_equal(w.at, 4);
}

/* RFC 1833 3.1, RFC 5531 9 */
static void a_port_mapper_is_asked_and_understood(void **state) {
        static const uint8_t reply[] = { 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
                                         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
        const struct portmap_mapping mapping = { NFS3_PROGRAM, 3, PORTMAP_TCP, 2049 };
        uint8_t data[64], wrong[sizeof(reply)];
        uint32_t answer = 0;

        assert_int_equal(portmap_build_call(data, 55, 7, PORTMAP_SET, &mapping), 0);
        assert_int_equal(portmap_build_call(data, 64, 7, PORTMAP_SET, &mapping), 56);
        assert_int_equal(load_be32(data), 7);
        assert_int_equal(load_be32(data + 12), PORTMAP_PROGRAM);
        assert_int_equal(load_be32(data + 20), PORTMAP_SET);
        assert_int_equal(load_be32(data + 52), 2049);
        assert_true(portmap_parse_answer(reply, sizeof(reply), 7, &answer));
        assert_int_equal(answer, 1);
        assert_false(portmap_parse_answer(reply, sizeof(reply), 8, &answer));
        assert_false(portmap_parse_answer(reply, sizeof(reply) - 1, 7, &answer));
        for (size_t i = 0; i < 4; i++) {
                static const size_t at[] = { 7, 11, 19, 23 };

                memcpy(wrong, reply, sizeof(reply));
                wrong[at[i]] ^= 1; /* a call; denied; a verifier; not done */
                assert_false(portmap_parse_answer(wrong, sizeof(wrong), 7, &answer));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_port_mapper_is_asked_and_understood),
                cmocka_unit_test(opaque_bytes_are_padded_to_four),
                cmocka_unit_test(arguments_are_read_and_nothing_less),
                cmocka_unit_test(attributes_have_their_size),
                cmocka_unit_test(mappings_are_read_and_written),
        };

        return check_run("wire/nfs3", tests);
}
