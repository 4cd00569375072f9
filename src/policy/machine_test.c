/* Which boot a packet belongs to. */
#include "policy/machine.h"

#include "test/check.h"

static const nsec_t minute = 60 * NSEC_PER_SEC;

static struct policy_facts facts(uint8_t last, bool is_pxe, bool is_ipxe) {
        return (struct policy_facts){ .mac = { { 0x52, 0x54, 0, 0, 0, last } },
                                      .is_pxe = is_pxe,
                                      .is_ipxe = is_ipxe };
}

static void one_boot_is_one_story(void **state) {
        struct policy_facts rom = facts(1, true, false), ipxe = facts(1, true, true),
                            installer = facts(1, false, false);
        struct machines *m;
        uint64_t story;

        assert_int_equal(machines_new(100, &m), 0);
        story = machines_seen(m, &rom, true, minute)->story;
        assert_int_equal(story, 100);
        assert_int_equal(machines_seen(m, &rom, true, minute + 1)->story, story);
        machines_bind(m, rom.mac, 0x0a000001);
        assert_int_equal(machines_fetched(m, 0x0a000001, minute + 2)->story, story);
        assert_int_equal(machines_seen(m, &ipxe, true, minute + 3)->story, story);
        assert_int_equal(machines_seen(m, &installer, true, minute + 4)->story, story);
        machines_free(m);
}

static void firmware_that_asks_again_after_files_was_switched_on_again(void **state) {
        struct policy_facts rom = facts(1, true, false);
        struct machines *m;

        assert_int_equal(machines_new(1, &m), 0);
        machines_seen(m, &rom, true, minute);
        machines_bind(m, rom.mac, 0x0a000001);
        machines_fetched(m, 0x0a000001, minute);
        assert_int_equal(machines_seen(m, &rom, true, minute + 1)->story, 2);
        assert_false(machines_by_mac(m, rom.mac)->has_fetched);
        machines_free(m);
}

static void five_idle_minutes_end_a_story(void **state) {
        struct policy_facts plain = facts(1, false, false);
        struct machines *m;

        assert_int_equal(machines_new(1, &m), 0);
        machines_seen(m, &plain, true, minute);
        assert_int_equal(machines_seen(m, &plain, true, 6 * minute)->story, 1);
        assert_int_equal(machines_seen(m, &plain, true, 11 * minute + 1)->story, 2);
        machines_free(m);
}

/* It says neither PXEClient nor iPXE, and got the menu of pxelinux. */
static void u_boot_was_not_remembered_for_what_it_is(void **state) {
        struct policy_facts uboot = facts(1, false, false);
        struct machines *m;

        uboot.is_uboot = true;
        assert_int_equal(machines_new(1, &m), 0);
        assert_true(machines_seen(m, &uboot, true, minute)->has_facts);
        assert_true(machines_by_mac(m, uboot.mac)->facts.is_uboot);
        machines_free(m);
}

static void an_address_has_one_machine(void **state) {
        struct policy_facts a = facts(1, true, false), b = facts(2, true, false);
        struct machines *m;

        assert_int_equal(machines_new(1, &m), 0);
        machines_seen(m, &a, true, 1);
        machines_seen(m, &b, true, 2);
        machines_bind(m, a.mac, 7);
        machines_bind(m, b.mac, 7);
        assert_true(machines_by_address(m, 7) == machines_by_mac(m, b.mac));
        assert_int_equal(machines_by_mac(m, a.mac)->address, 0);
        machines_free(m);
}

static void the_one_not_heard_of_longest_goes_first(void **state) {
        struct machines *m;
        struct policy_facts f = facts(0, true, false);

        assert_int_equal(machines_new(1, &m), 0);
        for (unsigned i = 0; i <= MACHINES_MAX; i++) {
                store_be32(f.mac.b + 2, i + 1);
                assert_non_null(machines_seen(m, &f, true, i));
        }
        store_be32(f.mac.b + 2, 1);
        assert_null(machines_by_mac(m, f.mac));
        store_be32(f.mac.b + 2, 2);
        assert_non_null(machines_by_mac(m, f.mac));
        assert_int_equal(machines_first(m)->last, MACHINES_MAX);
        machines_free(m);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_boot_is_one_story),
                cmocka_unit_test(
                        firmware_that_asks_again_after_files_was_switched_on_again),
                cmocka_unit_test(five_idle_minutes_end_a_story),
                cmocka_unit_test(u_boot_was_not_remembered_for_what_it_is),
                cmocka_unit_test(an_address_has_one_machine),
                cmocka_unit_test(the_one_not_heard_of_longest_goes_first),
        };

        return check_run("machine", tests);
}
