/* Lists of checksums as publishers write them. */
#include "cli/checksums.h"

#include "test/check.h"

#define MD5  "d41d8cd98f00b204e9800998ecf8427e"
#define SHA2 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void every_way_to_write_a_line_is_read(void **state) {
        static const struct {
                const char *line, *name;
                enum digest_kind kind;
        } rows[] = {
                { MD5 "  pool/a.deb\n", "pool/a.deb", DIGEST_MD5 },
                { MD5 " *a b.iso\r\n", "a b.iso", DIGEST_MD5 },
                { SHA2 "  ./boot/vmlinuz", "boot/vmlinuz", DIGEST_SHA256 },
                { "SHA256 (Fedora (x).iso) = " SHA2 "\n", "Fedora (x).iso",
                  DIGEST_SHA256 },
                { "images/boot.iso = sha256:" SHA2 "\n", "images/boot.iso",
                  DIGEST_SHA256 },
                { "-----BEGIN PGP-----\n# a: b\n\n" MD5 "\tx\n", "x", DIGEST_MD5 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *at = rows[i].line, *end = at + strlen(at);
                struct checksum c;

                assert_true(checksums_next(&at, end, &c));
                assert_int_equal(c.kind, rows[i].kind);
                assert_int_equal(c.n_name, strlen(rows[i].name));
                assert_memory_equal(c.name, rows[i].name, c.n_name);
                assert_false(checksums_next(&at, end, &c));
        }
}

static void what_is_no_checksum_is_passed_over(void **state) {
        static const char *const lines[] = {
                "",           "\n\n",          "abc  x\n",       "zz" MD5 "  x\n",
                MD5 "x  y\n", "MD5 (x = " MD5, "= sha256:" SHA2, ")(",
                "() = ",
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                const char *at = lines[i];
                struct checksum c;

                assert_false(checksums_next(&at, at + strlen(at), &c));
        }
}

static void the_strongest_of_a_name_is_found(void **state) {
        static const char list[] =
                MD5 "  x.iso\n" SHA2 "  dir/x.iso\n" MD5 "  xx.iso\n";
        static const char alone[] = SHA2 "\n";
        struct checksum c;

        assert_true(checksums_find(list, strlen(list), "x.iso", &c));
        assert_int_equal(c.kind, DIGEST_SHA256);
        assert_false(checksums_find(list, strlen(list), "iso", &c));
        assert_true(checksums_find(alone, strlen(alone), "any.iso", &c));
        assert_string_equal(c.hex, SHA2);
}

static void a_checksum_is_one_word(void **state) {
        struct checksum c;

        assert_true(checksum_parse(SHA2, &c));
        assert_true(checksum_parse("sha256:" SHA2, &c));
        assert_false(checksum_parse("md5:" SHA2, &c));
        assert_false(checksum_parse("https://example.org/SHA256SUMS", &c));
        assert_false(checksum_parse("", &c));
}

static void digests_are_those_of_the_standards(void **state) {
        static const struct {
                enum digest_kind kind;
                const char *hex;
        } rows[] = {
                { DIGEST_MD5, "900150983cd24fb0d6963f7d28e17f72" },
                { DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
                { DIGEST_SHA256,
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
                  "f20015ad" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct digest *digest;
                char hex[DIGEST_HEX_MAX];

                assert_int_equal(digest_new(rows[i].kind, &digest), 0);
                digest_add(digest, "a", 1);
                digest_add(digest, "bc", 2);
                digest_hex(digest, hex);
                digest_free(digest);
                assert_string_equal(hex, rows[i].hex);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_way_to_write_a_line_is_read),
                cmocka_unit_test(what_is_no_checksum_is_passed_over),
                cmocka_unit_test(the_strongest_of_a_name_is_found),
                cmocka_unit_test(a_checksum_is_one_word),
                cmocka_unit_test(digests_are_those_of_the_standards),
        };

        return check_run("cli/checksums", tests);
}
