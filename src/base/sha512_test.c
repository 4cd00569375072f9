/* Vectors of FIPS 180-4's examples and RFC 4231, and every length around a block. */
#include "base/sha512.h"

#include <stdio.h>

#include "test/check.h"

static const char *hex(const uint8_t *bytes, char out[static 2 * SHA512_BYTES + 1]) {
        for (size_t i = 0; i < SHA512_BYTES; i++)
                sprintf(out + 2 * i, "%02x", bytes[i]);
        return out;
}

static void is_digest(const char *s, size_t times, const char *want) {
        uint8_t digest[SHA512_BYTES];
        char text[2 * SHA512_BYTES + 1];
        struct sha512 sha;

        sha512_init(&sha);
        for (size_t i = 0; i < times; i++)
                sha512_add(&sha, s, strlen(s));
        sha512_end(&sha, digest);
        assert_string_equal(hex(digest, text), want);
}

static void known_texts_have_known_digests(void **state) {
        is_digest("", 1,
                  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0"
                  "d13c"
                  "5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
        is_digest("abc", 1,
                  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192"
                  "992a"
                  "274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
        is_digest("a", 1000000,
                  "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0f"
                  "f244"
                  "877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

/* RFC 4231 4.3 and 4.7: a short key, and one longer than a block. */
static void keys_of_any_length_make_a_code(void **state) {
        uint8_t code[SHA512_BYTES], key[131];
        char text[2 * SHA512_BYTES + 1];
        static const char first[] = "what do ya want for nothing?";
        static const char large[] =
                "Test Using Larger Than Block-Size Key - Hash Key First";

        sha512_hmac("Jefe", 4, first, strlen(first), code);
        assert_string_equal(hex(code, text),
                            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea"
                            "2505549758bf75"
                            "c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
        memset(key, 0xaa, sizeof(key));
        sha512_hmac(key, sizeof(key), large, strlen(large), code);
        assert_string_equal(hex(code, text),
                            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783"
                            "f8f3526b56d037"
                            "e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
}

/* Where a block ends, the padding needs another one. */
static void pieces_do_not_matter(void **state) {
        uint8_t data[300], whole[SHA512_BYTES], parts[SHA512_BYTES];

        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t)i;
        for (size_t n = 0; n <= sizeof(data); n++) {
                struct sha512 sha;

                sha512_init(&sha);
                sha512_add(&sha, data, n);
                sha512_end(&sha, whole);
                sha512_init(&sha);
                for (size_t i = 0; i < n; i++)
                        sha512_add(&sha, data + i, 1);
                sha512_end(&sha, parts);
                assert_memory_equal(whole, parts, sizeof(whole));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_texts_have_known_digests),
                cmocka_unit_test(keys_of_any_length_make_a_code),
                cmocka_unit_test(pieces_do_not_matter),
        };

        return check_run("sha512", tests);
}
