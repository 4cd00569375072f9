#include "policy/adapt.h"

#include "test/check.h"

#define SECONDS *NSEC_PER_SEC

static const nsec_t start = 1700000000 SECONDS;

static struct policy_facts machine(uint8_t vendor, uint8_t n) {
        return (struct policy_facts){ .mac = { { 2, 0, vendor, 0, 0, n } },
                                      .has_arch = true,
                                      .arch = 7,
                                      .is_pxe = true };
}

static struct adapt *new_adapt(void) {
        struct adapt *adapt;

        assert_int_equal(adapt_new(&adapt), 0);
        return adapt;
}

/* The number of the form that a DISCOVER is answered in. */
static unsigned discover(struct adapt *adapt, uint8_t vendor, uint8_t n, uint32_t xid,
                         nsec_t now) {
        struct policy_facts facts = machine(vendor, n);
        struct adapt_choice choice;

        adapt_choose(adapt, ADAPT_PXE, &facts, xid, true, now, &choice);
        assert_non_null(choice.form);
        return choice.number;
}

static void every_form_says_why_and_where_that_is_written(void **state) {
        for (unsigned client = 0; client < ADAPT_N_CLIENTS; client++) {
                const struct adapt_form *forms;
                size_t n = adapt_forms((enum adapt_client)client, &forms);

                assert_true(n >= 2 && n < 10); /* one digit is kept of its number */
                for (size_t i = 0; i < n; i++) {
                        assert_true(strlen(forms[i].name) > 0);
                        assert_true(strlen(forms[i].reason) > 0);
                        assert_true(strlen(forms[i].source) > 0);
                        for (size_t j = 0; j < i; j++)
                                assert_true(forms[i].flags != forms[j].flags);
                }
        }
}

static void two_discovers_without_a_step_change_the_form(void **state) {
        struct adapt *adapt = new_adapt();
        struct policy_facts facts = machine(1, 1);
        struct adapt_choice choice;

        assert_int_equal(discover(adapt, 1, 1, 7, start), 1);
        assert_int_equal(discover(adapt, 1, 1, 7, start + 4 SECONDS), 1);
        adapt_choose(adapt, ADAPT_PXE, &facts, 7, true, start + 12 SECONDS, &choice);
        assert_true(choice.is_new);
        assert_int_equal(choice.number, 2);
        assert_int_equal(choice.n_discovers, 2);
        assert_true(choice.before->flags & ADAPT_CONTROL_FILE);
        assert_false(choice.has_tried_all);
        /* what is no DISCOVER changes nothing */
        for (unsigned i = 0; i < 9; i++) {
                adapt_choose(adapt, ADAPT_PXE, &facts, 7, false,
                             start + (13 + i) SECONDS, &choice);
                assert_int_equal(choice.number, 2);
                assert_false(choice.is_new);
        }
        adapt_free(adapt);
}

static void copies_of_one_discover_count_once(void **state) {
        struct adapt *adapt = new_adapt();

        for (unsigned i = 0; i < 9; i++) /* two relays, a loop, a broken switch */
                assert_int_equal(discover(adapt, 1, 1, 7, start + i * NSEC_PER_MSEC),
                                 1);
        assert_int_equal(discover(adapt, 1, 1, 7, start + 4 SECONDS), 1);
        assert_int_equal(discover(adapt, 1, 1, 7, start + 8 SECONDS), 2);
        adapt_free(adapt);
}

static void after_the_last_form_comes_the_first_again(void **state) {
        struct adapt *adapt = new_adapt();
        const struct adapt_form *forms;
        size_t n = adapt_forms(ADAPT_PXE, &forms);
        struct policy_facts facts = machine(1, 1);
        struct adapt_choice choice = { 0 };
        nsec_t now = start;

        for (size_t i = 0; i < 2 * n; i++, now += 4 SECONDS)
                assert_int_equal(discover(adapt, 1, 1, 7, now), i / 2 + 1);
        adapt_choose(adapt, ADAPT_PXE, &facts, 7, true, now, &choice);
        assert_int_equal(choice.number, 1);
        assert_true(choice.has_tried_all);
        adapt_free(adapt);
}

static void a_step_keeps_the_form(void **state) {
        struct adapt *adapt = new_adapt();
        struct adapt_habit habit;
        struct policy_facts facts = machine(1, 1);

        for (unsigned i = 0; i < 20; i++) {
                assert_int_equal(discover(adapt, 1, 1, i, start + i * 20 SECONDS), 1);
                assert_false(
                        adapt_step(adapt, facts.mac, ADAPT_REQUESTED, start, &habit));
                assert_false(adapt_step(adapt, facts.mac,
                                        i % 2 ? ADAPT_FETCHED : ADAPT_ASKED_4011, start,
                                        &habit));
        }
        adapt_free(adapt);
}

/* Was decided so: an address taken says nothing of the boot file beside it. */
static void taking_the_address_alone_is_no_step(void **state) {
        struct adapt *adapt = new_adapt();
        struct policy_facts facts = machine(1, 1);
        struct adapt_habit habit;

        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(discover(adapt, 1, 1, i, start + i * 20 SECONDS), 1);
                assert_false(
                        adapt_step(adapt, facts.mac, ADAPT_REQUESTED, start, &habit));
        }
        assert_int_equal(discover(adapt, 1, 1, 9, start + 60 SECONDS), 2);
        adapt_free(adapt);
}

static void what_worked_is_begun_with_for_that_vendor_and_architecture(void **state) {
        struct adapt *adapt = new_adapt();
        struct policy_facts facts = machine(1, 1), other = machine(1, 2);
        struct adapt_habit habit;
        struct adapt_choice choice;

        for (unsigned i = 0; i < 3; i++)
                discover(adapt, 1, 1, 7, start + i * 4 SECONDS);
        assert_true(adapt_step(adapt, facts.mac, ADAPT_FETCHED, start, &habit));
        assert_int_equal(habit.form, 2);
        assert_int_equal(habit.arch, 7);
        assert_memory_equal(habit.vendor, facts.mac.b, 3);
        /* known already */
        assert_false(adapt_step(adapt, facts.mac, ADAPT_FETCHED, start, &habit));
        adapt_choose(adapt, ADAPT_PXE, &other, 1, true, start, &choice);
        assert_int_equal(choice.number, 2);
        assert_true(choice.is_new && choice.is_from_habit && !choice.before);
        assert_int_equal(discover(adapt, 2, 1, 1, start), 1); /* another vendor */
        other = machine(1, 3);
        other.arch = 11;
        adapt_choose(adapt, ADAPT_PXE, &other, 1, true, start, &choice);
        assert_int_equal(choice.number, 1);
        adapt_free(adapt);
}

static void an_idle_machine_begins_anew(void **state) {
        struct adapt *adapt = new_adapt();

        for (unsigned i = 0; i < 3; i++)
                discover(adapt, 1, 1, 7, start + i * 4 SECONDS);
        assert_int_equal(discover(adapt, 1, 1, 8, start + 500 SECONDS), 1);
        /* and so does one whose clock went back */
        for (unsigned i = 0; i < 2; i++)
                discover(adapt, 1, 1, 7, start + (510 + i * 4) SECONDS);
        assert_int_equal(discover(adapt, 1, 1, 9, start), 1);
        adapt_free(adapt);
}

static void the_machine_longest_silent_makes_room(void **state) {
        struct adapt *adapt = new_adapt();
        struct policy_facts facts = machine(1, 0);
        struct adapt_choice choice;

        for (unsigned i = 0; i < ADAPT_MACHINES_MAX + 100; i++) {
                facts.mac.b[3] = (uint8_t)(i >> 8);
                facts.mac.b[4] = (uint8_t)i;
                for (unsigned j = 0; j < 3; j++)
                        adapt_choose(adapt, ADAPT_PXE, &facts, j, true, start + i,
                                     &choice);
                assert_int_equal(choice.number, 2);
        }
        facts.mac.b[3] = facts.mac.b[4] = 0; /* forgotten */
        adapt_choose(adapt, ADAPT_PXE, &facts, 9, true, start, &choice);
        assert_int_equal(choice.number, 1);
        adapt_free(adapt);
}

static void habits_survive_as_text(void **state) {
        static const char *const wrong[][2] = {
                { "form 525400 0007 pxe", "0" },  { "form 525400 0007 pxe", "x" },
                { "form 525400 0007 pxe", "12" }, { "form 52540 00007 pxe", "1" },
                { "form 525400 0007 ftp", "1" },  { "form 5254zz 0007 pxe", "1" },
                { "dorm 525400 0007 pxe", "1" },  { "", "" },
        };
        const struct adapt_habit habit = { { 0x52, 0x54, 0 }, 0x10, ADAPT_HTTP, 2 };
        char key[ADAPT_KEY_MAX], value[ADAPT_KEY_MAX];
        struct adapt_habit parsed;
        struct adapt *adapt = new_adapt();

        adapt_habit_format(&habit, key, value);
        assert_string_equal(key, "form 525400 0010 http");
        assert_string_equal(value, "2");
        assert_true(adapt_habit_parse(key, value, &parsed));
        assert_memory_equal(parsed.vendor, habit.vendor, 3);
        assert_int_equal(parsed.arch, habit.arch);
        assert_int_equal(parsed.client, habit.client);
        assert_int_equal(parsed.form, habit.form);
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                assert_false(adapt_habit_parse(wrong[i][0], wrong[i][1], &parsed));
        /* a form that a later version no longer has */
        parsed.client = ADAPT_PXE;
        parsed.arch = 7;
        parsed.form = 9;
        adapt_load(adapt, &parsed);
        assert_int_equal(discover(adapt, 1, 1, 1, start), 1);
        adapt_free(adapt);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_form_says_why_and_where_that_is_written),
                cmocka_unit_test(two_discovers_without_a_step_change_the_form),
                cmocka_unit_test(copies_of_one_discover_count_once),
                cmocka_unit_test(after_the_last_form_comes_the_first_again),
                cmocka_unit_test(a_step_keeps_the_form),
                cmocka_unit_test(taking_the_address_alone_is_no_step),
                cmocka_unit_test(
                        what_worked_is_begun_with_for_that_vendor_and_architecture),
                cmocka_unit_test(an_idle_machine_begins_anew),
                cmocka_unit_test(the_machine_longest_silent_makes_room),
                cmocka_unit_test(habits_survive_as_text),
        };
        return check_run("policy/adapt", tests);
}
