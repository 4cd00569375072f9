/* Hashes that others made, and which form is for whom. */
#include "policy/password.h"

#include "test/check.h"

static void crypt_is_everybodys(void **state) {
        static const struct {
                const char *typed, *salt;
                unsigned rounds;
                const char *want; /* by the examples of the specification, and libc */
        } rows[] = {
                { "Hello world!", "saltstring", 5000,
                  "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
                  "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1" },
                { "Hello world!", "saltstringsaltstring", 10000,
                  "$6$rounds=10000$saltstringsaltst$OW1/"
                  "O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/"
                  "YTBmSK6H9qs/y3RnOaw5v." },
                { "x", "a", 5000,
                  "$6$a$AvQLBHPFSbE4d9QOBrglBdXuv."
                  "jRoEFLHgWJlsZ6XhNHrxkMbotj9kAr0GGhdZ5XM6DM29/LJ9jZin3Aj8Tph0" },
                { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  "0123456789abcdef", 5000,
                  "$6$0123456789abcdef$ipFGTT/73.BzXmo/SjfZu/hf2Tof5c.WyJX64QD1bg3N/"
                  "ZixJRkkPm3OILYn2zHr72.okDV8nsvtmRxuAfyTA/" },
                { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  "s", 5000,
                  "$6$s$rKIFf36U8QHwzVezr2."
                  "b8ooIdwyjNXpiQhA5b0vKHEMvibJLTqdx46XC6sq8KYrzKiLt240J/"
                  "ZBV8u4q9rGy30" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct text out = { 0 };

                password_crypt(rows[i].typed, rows[i].salt, rows[i].rounds, &out);
                assert_string_equal(text_string(&out), rows[i].want);
                text_done(&out);
        }
}

static void pbkdf2_is_everybodys(void **state) {
        struct text out = { 0 };

        password_pbkdf2("secret", (const uint8_t *)"0123456789abcdef", 16, 1000, &out);
        assert_string_equal(
                text_string(&out),
                "grub.pbkdf2.sha512.1000.30313233343536373839616263646566."
                "BE016F53BCD62038030148BB77C6B2B7E71F4623D655559FBFC89046C199699BE25B3B"
                "123605985C41393E6BC8FD510B32C3A611BA8BCF43CAB9E3CD8CE938D4");
        text_done(&out);
}

static void a_clear_text_is_for_every_loader(void **state) {
        static const uint8_t salt[PASSWORD_SALT] = { 1, 2, 3, 250 };
        static const char *const written[] = { "secret" };
        struct password password, of_hash;
        const char *forms[1];

        password_make(written, 1, salt, &password);
        assert_true(password.is_on);
        assert_int_equal(password_kind(password.syslinux), PASSWORD_SYSLINUX);
        assert_int_equal(password_kind(password.grub), PASSWORD_GRUB);
        assert_true(password_is(&password, "secret"));
        assert_false(password_is(&password, "secre"));
        assert_false(password_is(&password, "secrets"));
        assert_false(password_is(&password, ""));
        /* What was made of it is as good as it, and for its own loader only. */
        forms[0] = password.syslinux;
        password_make(forms, 1, salt, &of_hash);
        assert_string_equal(of_hash.syslinux, password.syslinux);
        assert_string_equal(of_hash.grub, "");
        assert_true(password_is(&of_hash, "secret"));
        assert_false(password_is(&of_hash, "Secret"));
        forms[0] = password.grub;
        password_make(forms, 1, salt, &of_hash);
        assert_string_equal(of_hash.syslinux, "");
        assert_true(password_is(&of_hash, "secret"));
        assert_false(password_is(&of_hash, "Secret"));
}

static void none_is_none_and_a_bad_one_lets_nobody_in(void **state) {
        static const uint8_t salt[PASSWORD_SALT] = { 0 };
        static const char *const none[] = { "", NULL };
        static const char *const bad[] = { "caf\xc3\xa9", "$1$x$y",
                                           "grub.pbkdf2.sha512.999999999.00.00" };
        struct password password;

        password_make(none, 2, salt, &password);
        assert_false(password.is_on);
        assert_false(password_is(&password, ""));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                password_make(&bad[i], 1, salt, &password);
                assert_true(password.is_on);
                assert_false(password_is(&password, bad[i]));
                assert_false(password_is(&password, ""));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(crypt_is_everybodys),
                cmocka_unit_test(pbkdf2_is_everybodys),
                cmocka_unit_test(a_clear_text_is_for_every_loader),
                cmocka_unit_test(none_is_none_and_a_bad_one_lets_nobody_in),
        };

        return check_run("password", tests);
}
