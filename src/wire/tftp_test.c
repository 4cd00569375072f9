#include "wire/tftp.h"

#include "test/check.h"

#define BYTES(text) (text), sizeof(text) - 1

static void requests_are_read(void **state) {
        static const struct {
                const char *bytes;
                size_t n;
                enum tftp_opcode opcode;
                enum tftp_mode mode;
                const char *file;
                struct tftp_options options;
        } rows[] = {
                { BYTES("\0\1pxelinux.0\0octet\0"),
                  TFTP_OP_RRQ,
                  TFTP_MODE_OCTET,
                  "pxelinux.0",
                  { 0 } },
                { BYTES("\0\1a\0NetASCII\0"),
                  TFTP_OP_RRQ,
                  TFTP_MODE_NETASCII,
                  "a",
                  { 0 } },
                { BYTES("\0\2a\0MAIL\0"), TFTP_OP_WRQ, TFTP_MODE_MAIL, "a", { 0 } },
                { BYTES("\0\1a\0octet\0tsize\0"
                        "0\0BLKSIZE\0"
                        "1408\0windowsize\0"
                        "16\0timeout\0"
                        "3\0"),
                  TFTP_OP_RRQ,
                  TFTP_MODE_OCTET,
                  "a",
                  { .blksize = 1408,
                    .windowsize = 16,
                    .timeout = 3,
                    .has_tsize = true } },
                /* unknown, senseless, repeated and cut options are as if absent */
                { BYTES("\0\1a\0octet\0multicast\0\0blksize\0"
                        "7\0timeout\0"
                        "256\0windowsize\0"
                        "65536\0tsize\0-1\0"),
                  TFTP_OP_RRQ,
                  TFTP_MODE_OCTET,
                  "a",
                  { 0 } },
                { BYTES("\0\1a\0octet\0blksize\0"
                        "1024\0blksize\0"
                        "2048\0"),
                  TFTP_OP_RRQ,
                  TFTP_MODE_OCTET,
                  "a",
                  { .blksize = 1024 } },
                { BYTES("\0\1a\0octet\0blksize\0"
                        "1024"),
                  TFTP_OP_RRQ,
                  TFTP_MODE_OCTET,
                  "a",
                  { 0 } },
                { BYTES("\0\1a\0octet\0tsize\0"
                        "18446744073709551616\0"),
                  TFTP_OP_RRQ,
                  TFTP_MODE_OCTET,
                  "a",
                  { 0 } },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct tftp_packet p;

                assert_int_equal(tftp_parse(rows[i].bytes, rows[i].n, &p), TFTP_OK);
                assert_int_equal(p.opcode, rows[i].opcode);
                assert_int_equal(p.mode, rows[i].mode);
                assert_int_equal(p.file.n, strlen(rows[i].file));
                assert_memory_equal(p.file.data, rows[i].file, p.file.n);
                assert_int_equal(p.options.blksize, rows[i].options.blksize);
                assert_int_equal(p.options.windowsize, rows[i].options.windowsize);
                assert_int_equal(p.options.timeout, rows[i].options.timeout);
                assert_int_equal(p.options.has_tsize, rows[i].options.has_tsize);
                assert_int_equal(p.options.tsize, rows[i].options.tsize);
        }
}

static void what_is_no_packet_has_its_reason(void **state) {
        static const struct {
                const char *bytes;
                size_t n;
                enum tftp_verdict verdict;
        } rows[] = {
                { BYTES(""), TFTP_SHORT },
                { BYTES("\0"), TFTP_SHORT },
                { BYTES("\0\4\0"), TFTP_SHORT },
                { BYTES("\0\3\1"), TFTP_SHORT },
                { BYTES("\0\5\0"), TFTP_SHORT },
                { BYTES("\0\0"), TFTP_UNKNOWN_OPCODE },
                { BYTES("\0\7\0\0"), TFTP_UNKNOWN_OPCODE },
                { BYTES("\1\1a\0octet\0"), TFTP_UNKNOWN_OPCODE },
                { BYTES("\0\1"), TFTP_NO_FILE },
                { BYTES("\0\1\0octet\0"), TFTP_NO_FILE },
                { BYTES("\0\1file"), TFTP_NO_FILE },
                { BYTES("\0\1file\0"), TFTP_NO_MODE },
                { BYTES("\0\1file\0octet"), TFTP_NO_MODE },
                { BYTES("\0\1file\0octets\0"), TFTP_NO_MODE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct tftp_packet p;

                assert_int_equal(tftp_parse(rows[i].bytes, rows[i].n, &p),
                                 rows[i].verdict);
                assert_non_null(tftp_verdict_text(rows[i].verdict));
        }
}

static void an_error_needs_no_nul(void **state) {
        struct tftp_packet p;

        assert_int_equal(tftp_parse(BYTES("\0\5\0\0User aborted"), &p), TFTP_OK);
        assert_int_equal(p.message.n, 12);
        assert_int_equal(tftp_parse(BYTES("\0\5\0\10no\0junk"), &p), TFTP_OK);
        assert_int_equal(p.error, TFTP_ERROR_OPTION);
        assert_int_equal(p.message.n, 2);
}

static void what_is_built_is_read_back(void **state) {
        const struct tftp_options options = { .blksize = 65464,
                                              .windowsize = 65535,
                                              .timeout = 255,
                                              .has_tsize = true,
                                              .tsize = UINT64_MAX };
        uint8_t bytes[600];
        struct tftp_packet p;
        size_t n = tftp_build_oack(bytes, TFTP_OACK_MAX, &options);

        assert_true(n > 0);
        assert_int_equal(tftp_parse(bytes, n, &p), TFTP_OK);
        assert_int_equal(p.opcode, TFTP_OP_OACK);
        assert_int_equal(p.options.blksize, 65464);
        assert_int_equal(p.options.windowsize, 65535);
        assert_int_equal(p.options.timeout, 255);
        assert_true(p.options.tsize == UINT64_MAX);

        n = tftp_build_request(bytes, sizeof(bytes), "a/b", &options);
        assert_int_equal(tftp_parse(bytes, n, &p), TFTP_OK);
        assert_memory_equal(p.file.data, "a/b", 3);

        n = tftp_build_ack(bytes, sizeof(bytes), 0xfffe);
        assert_int_equal(tftp_parse(bytes, n, &p), TFTP_OK);
        assert_int_equal(p.block, 0xfffe);

        tftp_build_data_head(bytes, 0x8001);
        assert_int_equal(tftp_parse(bytes, TFTP_HEAD, &p), TFTP_OK);
        assert_int_equal(p.opcode, TFTP_OP_DATA);
        assert_int_equal(p.block, 0x8001);
        assert_int_equal(p.data.n, 0);
}

static void a_long_message_is_cut_and_terminated(void **state) {
        uint8_t bytes[16];
        size_t n = tftp_build_error(bytes, sizeof(bytes), TFTP_ERROR_NOT_FOUND,
                                    "File not found: pxelinux.0");

        assert_int_equal(n, sizeof(bytes));
        assert_memory_equal(bytes, "\0\5\0\1File not fo", sizeof(bytes));
        assert_int_equal(tftp_build_error(bytes, 4, TFTP_ERROR_NOT_FOUND, "x"), 0);
        assert_int_equal(tftp_build_error(bytes, 3, TFTP_ERROR_NOT_FOUND, "x"), 0);
}

static void text_is_netascii_on_the_wire(void **state) {
        static const struct {
                const char *text, *wire;
                size_t n, n_wire;
        } rows[] = {
                { "", "", 0, 0 },
                { "ab", "ab", 2, 2 },
                { "a\nb\n", "a\r\nb\r\n", 4, 6 },
                { "a\rb", "a\r\0b", 3, 4 },
                { "\r\n", "\r\0\r\n", 2, 4 },
                { "\0\n\n", "\0\r\n\r\n", 3, 5 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint8_t out[16];
                size_t n = 0;

                assert_int_equal(
                        tftp_to_netascii((const uint8_t *)rows[i].text, rows[i].n, out),
                        rows[i].n_wire);
                assert_memory_equal(out, rows[i].wire, rows[i].n_wire);
                for (size_t k = 0; k < rows[i].n; k++) /* piece by piece */
                        n += tftp_to_netascii((const uint8_t *)rows[i].text + k, 1,
                                              out + n);
                assert_int_equal(n, rows[i].n_wire);
                assert_memory_equal(out, rows[i].wire, n);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(requests_are_read),
                cmocka_unit_test(what_is_no_packet_has_its_reason),
                cmocka_unit_test(an_error_needs_no_nul),
                cmocka_unit_test(what_is_built_is_read_back),
                cmocka_unit_test(a_long_message_is_cut_and_terminated),
                cmocka_unit_test(text_is_netascii_on_the_wire),
        };
        return check_run("wire/tftp", tests);
}
