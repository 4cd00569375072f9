#include "policy/scope.h"

#include "test/check.h"

static struct span span(const char *s, size_t n) {
        return (struct span){ (const uint8_t *)s, n };
}

static void patterns_are_those_of_a_shell(void **state) {
        static const struct {
                const char *pattern, *value;
                size_t n;
                bool matches;
        } rows[] = {
                { "PXEClient*", "PXEClient:Arch:00007", 20, true },
                { "PXEClient*", "PXEClient", 9, true },
                { "PXEClient*", "HTTPClient", 10, false },
                { "PXEClient", "PXEClient:", 10, false },
                { "*Arch:?0007*", "PXEClient:Arch:00007:UNDI", 25, true },
                { "*a*a*b", "aaaaaaab", 8, true },
                { "*a*a*b", "aaaaaaac", 8, false },
                { "a?c", "abc", 3, true },
                { "a?c", "ac", 2, false },
                { "*", "x", 1, true },
                { "**", "x", 1, true },
                { "", "x", 1, false },
                { "0x0102*", "\1\2\3", 3, true },
                { "0x01:02*", "\1\2", 2, true },
                { "0x0102", "\1\2\3", 3, false },
                { "0x0102ff", "\1\2\xff", 3, true },
                { "0x010", "\1", 1, false },
                { "0x01*2", "\1\2", 2, false },
                { "a\\*", "a*", 2, false }, /* no escapes: '?' says the same */
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(
                        scope_glob(rows[i].pattern, span(rows[i].value, rows[i].n)),
                        rows[i].matches);
}

/* Each row changes one thing of a client that matches all of it. */
static void every_list_that_is_not_empty_must_have_something_that_fits(void **state) {
        const char *const vendor[] = { "nobody", "PXEClient*" };
        const char *const user[] = { "iPXE" }, *const circuit[] = { "eth0/*" };
        const char *const hosts[] = { "node?" };
        const uint16_t archs[] = { 7, 9 };
        const struct scope_prefix macs[] = { { 3, { 0x52, 0x54, 0 } } };
        const struct scope_network relays[] = { { 0x0a010000, 0xffff0000 } };
        const struct scope_match match = { .vendor_class = { vendor, 2 },
                                           .user_class = { user, 1 },
                                           .circuit_id = { circuit, 1 },
                                           .host = { hosts, 1 },
                                           .arch = { archs, 2 },
                                           .mac = { macs, 1 },
                                           .relay = { relays, 1 } };
        struct policy_facts facts = { .mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
                                      .has_arch = true,
                                      .arch = 9,
                                      .vendor_class = "PXEClient:Arch:00009" };
        const struct scope_client whole = { .facts = &facts,
                                            .user_class = span("\4iPXE", 5),
                                            .circuit_id = span("eth0/7", 6),
                                            .relay = 0x0a010203,
                                            .host = "node1" };
        struct scope_client c = whole;

        assert_true(scope_matches(&match, &c));
        c.user_class = span("\3foo\4iPXE", 9);
        assert_true(scope_matches(&match, &c));
        c.user_class = span("iPXE", 4);
        assert_true(scope_matches(&match, &c));
        c.user_class = span("iPX", 3);
        assert_false(scope_matches(&match, &c));
        c = whole;
        c.circuit_id = span("eth1/7", 6);
        assert_false(scope_matches(&match, &c));
        c.circuit_id = span(NULL, 0);
        assert_false(scope_matches(&match, &c));
        c = whole;
        c.relay = 0;
        assert_false(scope_matches(&match, &c));
        c = whole;
        c.host = NULL;
        assert_false(scope_matches(&match, &c));
        c = whole;
        facts.arch = 0;
        assert_false(scope_matches(&match, &c));
        facts.arch = 7;
        facts.mac.b[2] = 1;
        assert_false(scope_matches(&match, &c));
        facts.mac.b[2] = 0;
        facts.vendor_class[0] = 'p';
        assert_false(scope_matches(&match, &c));
}

static void a_match_without_a_condition_means_nobody(void **state) {
        const struct policy_facts facts = { 0 };
        const struct scope_match match = { 0 };

        assert_false(scope_matches(&match, &(struct scope_client){ .facts = &facts }));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(patterns_are_those_of_a_shell),
                cmocka_unit_test(
                        every_list_that_is_not_empty_must_have_something_that_fits),
                cmocka_unit_test(a_match_without_a_condition_means_nobody),
        };
        return check_run("policy/scope", tests);
}
