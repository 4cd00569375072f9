/*
 * The worlds that the DHCP server is tried in, and the command line:
 *
 *   dhcp4_sim                       every world once, as a test (TAP)
 *   dhcp4_sim --small               the same but for the largest two: for a build with
 *                                   sanitizers
 *   dhcp4_sim --world NAME --seed N [--trace] [--hours H] [--machines M]
 *                                   one of them, again; `any` draws one by its seed
 *   dhcp4_sim --soak SECONDS [--seed N]
 *                                   one `any` after another until the time is over
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/check.h"
#include "test/story/sim.h"

static void calm(struct sim_params *p) {
        p->machines = 200;
        p->length = 2 HOURS;
        p->delay = 20 MSECS;
        p->down = 10 SECONDS;
        p->jump = 2 HOURS;
        p->disk_delay = 10 MSECS;
        p->disk_fails_for = 2 MINUTES;
        p->probe_time = 500 MSECS;
        p->lease_time = 10 MINUTES;
        p->up = 20 MINUTES;
        p->off = 3 MINUTES;
        p->bootp = 50000;
        p->broadcast = 100000;
        p->firmware = 600000;
        p->asks_time = 100000;
        p->moves = 50000;
        p->rivals = 10000;
        p->init_reboots = 700000;
        p->strays = 200000;
        p->garbage = 100000;
}

static void rough(struct sim_params *p) {
        calm(p);
        p->delay = 3 SECONDS;
        p->loss = 30000;
        p->twice = 20000;
}

/* A few machines that do nothing but start. */
static void million(struct sim_params *p) {
        calm(p);
        p->machines = 256;
        p->exchanges = 1000000;
        p->length = 100000 HOURS;
        p->loss = p->twice = 100;
        p->delay = 2 MSECS;
        p->disk_delay = 0;
        p->crash = 1;
        p->up = p->off = 20 MSECS;
        p->bootp = p->firmware = p->moves = p->rivals = p->init_reboots = 0;
        p->strays = 0;
        p->probe_time = 0;
}

/* Everything at once. */
static void crowd(struct sim_params *p) {
        rough(p);
        p->machines = 10000;
        p->length = 1 HOURS;
        p->crash = 60;
        p->restart_each = 10 MINUTES;
        p->jump_each = 20 MINUTES;
        p->reload_each = 7 MINUTES;
        p->disk_delay = 500 MSECS;
        p->disk_fails_each = 20 MINUTES;
        p->squatters = 20000;
        p->invented = 5;
}

static void wires(struct sim_params *p) {
        rough(p);
        p->loss = 250000;
        p->twice = 200000;
        p->delay = 4900 MSECS;
}

static void crashes(struct sim_params *p) {
        rough(p);
        p->crash = 10000;
        p->disk_delay = 200 MSECS;
        p->restart_each = 3 MINUTES;
}

static void clocks(struct sim_params *p) {
        rough(p);
        p->jump_each = 2 MINUTES;
        p->crash = 500;
}

static void slow_disk(struct sim_params *p) {
        rough(p);
        p->disk_delay = 20 SECONDS;
        p->crash = 1000;
}

static void failing_disk(struct sim_params *p) {
        rough(p);
        p->disk_delay = 1 SECONDS;
        p->disk_fails_each = 3 MINUTES;
        p->crash = 2000;
}

static void strangers(struct sim_params *p) {
        rough(p);
        p->squatters = 100000;
        p->crash = 500;
}

static void unprobed(struct sim_params *p) {
        strangers(p);
        p->probe_time = 0;
}

static void reloads(struct sim_params *p) {
        rough(p);
        p->reload_each = 20 SECONDS;
        p->crash = 500;
}

/* Not enough for all: addresses go from hand to hand. */
static void scarce(struct sim_params *p) {
        rough(p);
        p->room = 45;
        p->squatters = 50000;
        p->lease_time = 3 MINUTES;
        p->crash = 2000;
        p->reload_each = 10 MINUTES;
}

static void invented(struct sim_params *p) {
        calm(p);
        p->machines = 60;
        p->length = 1 HOURS;
        p->invented = 10;
        p->off = 20 MINUTES;
}

static void one_port(struct sim_params *p) {
        invented(p);
        p->invented = 200;
        p->length = 20 MINUTES;
        p->is_one_port = true;
        p->patience = 1 MINUTES;
}

static void silent(struct sim_params *p) {
        rough(p);
        p->is_silent = true;
        p->crash = 1000;
}

static void any(struct sim_params *p) {
        struct chance c = { p->seed ^ 0x5eed };
        static const unsigned rates[] = { 0, 0, 100, 1000, 10000 };
        static const nsec_t means[] = { 0, 0, 30 SECONDS, 5 MINUTES, 20 MINUTES };
        static const nsec_t leases[] = { 2 MINUTES, 10 MINUTES, 1 HOURS };

        rough(p);
        p->machines = 5 + (unsigned)chance_time(&c, 600);
        p->length = 30 MINUTES + chance_below(&c, 4 HOURS);
        p->loss = (unsigned)chance_time(&c, 250000);
        p->twice = (unsigned)chance_time(&c, 200000);
        p->delay = 1 MSECS + chance_time(&c, 4900 MSECS);
        p->crash = rates[chance_below(&c, ARRAY_SIZE(rates))];
        p->restart_each = means[chance_below(&c, ARRAY_SIZE(means))];
        p->jump_each = means[chance_below(&c, ARRAY_SIZE(means))];
        p->reload_each = means[chance_below(&c, ARRAY_SIZE(means))];
        p->disk_fails_each = means[chance_below(&c, ARRAY_SIZE(means))] * 5;
        p->disk_delay = chance_time(&c, 20 SECONDS);
        p->lease_time = leases[chance_below(&c, ARRAY_SIZE(leases))];
        p->probe_time = chance_next(&c) % 3 ? 500 MSECS : 0;
        p->up = 10 SECONDS + chance_time(&c, 1 HOURS);
        p->off = 1 SECONDS + chance_time(&c, 20 MINUTES);
        p->squatters = (unsigned)chance_time(&c, 100000);
        p->room = chance_next(&c) % 4 ? 0 : 35 + (unsigned)chance_below(&c, 60);
        p->invented = chance_next(&c) % 4 ? 0 : (unsigned)chance_time(&c, 20);
        p->is_silent = chance_next(&c) % 5 == 0;
        p->moves = (unsigned)chance_time(&c, 300000);
        p->asks_time = (unsigned)chance_time(&c, 500000);
}

static const struct sim_world {
        const char *name;
        void (*fill)(struct sim_params *p);
} worlds[] = {
        { "million", million },
        { "crowd", crowd },
        { "wires", wires },
        { "crashes", crashes },
        { "clocks", clocks },
        { "slow-disk", slow_disk },
        { "failing-disk", failing_disk },
        { "strangers", strangers },
        { "unprobed", unprobed },
        { "reloads", reloads },
        { "scarce", scarce },
        { "invented", invented },
        { "one-port", one_port },
        { "silent", silent },
        { "any", any },
};

/* A try succeeds when all four datagrams come through; so many in a row that all fail
 * only once in 10^12, each up to 65 seconds long. Where pools are too small for all,
 * nothing can be said. */
static nsec_t patience_of(const struct sim_params *p) {
        double arrives = 1 - p->loss / 1e6;
        double tries = log(1e-12) / log(1 - 0.7 * pow(arrives, 4));

        return p->room ? 0 : (nsec_t)(tries * 65e9) + 5 MINUTES;
}

static bool fill(const char *name, uint64_t seed, struct sim_params *ret) {
        for (size_t i = 0; i < ARRAY_SIZE(worlds); i++)
                if (strcmp(worlds[i].name, name) == 0) {
                        *ret = (struct sim_params){ .name = name, .seed = seed };
                        worlds[i].fill(ret);
                        if (ret->patience == 0)
                                ret->patience = patience_of(ret);
                        return true;
                }
        return false;
}

/* ---- running ---- */

static const char *program = "dhcp4_sim";

static void print_counts(const struct sim_params *p, const struct sim_result *r,
                         double seconds) {
        printf("# %s, seed %llu: %u machines, %llu exchanges, %llu renewals, "
               "%llu refusals, %llu releases, %llu declines, %llu informs, %llu by "
               "BOOTP, longest "
               "wait %.0f s\n",
               p->name, (unsigned long long)p->seed, p->machines,
               (unsigned long long)r->exchanges, (unsigned long long)r->renewals,
               (unsigned long long)r->refusals, (unsigned long long)r->released,
               (unsigned long long)r->declined, (unsigned long long)r->informed,
               (unsigned long long)r->bootp, (double)r->longest_wait / 1e9);
        printf("#   %llu datagrams, %llu lost, %llu doubled, %llu unheard, %llu "
               "invented; %llu records, %llu commits; %llu crashes, %llu restarts, "
               "%llu reloads, %llu jumps; %llu probes, %llu found; %llu times "
               "exhausted; %llu steps in %.2f s\n",
               (unsigned long long)r->sent, (unsigned long long)r->lost,
               (unsigned long long)r->doubled, (unsigned long long)r->deaf,
               (unsigned long long)r->invented, (unsigned long long)r->persisted,
               (unsigned long long)r->commits, (unsigned long long)r->crashes,
               (unsigned long long)r->restarts, (unsigned long long)r->reloads,
               (unsigned long long)r->jumps, (unsigned long long)r->probes,
               (unsigned long long)r->squatted, (unsigned long long)r->exhausted,
               (unsigned long long)r->steps, seconds);
}

static void print_failure(const struct sim_params *p, const struct sim_result *r) {
        printf("# seed %llu of %s failed after %.3f s: %s\n"
               "# again: %s --world %s --seed %llu --trace\n",
               (unsigned long long)p->seed, p->name, (double)r->at / 1e9, r->why,
               program, p->name, (unsigned long long)p->seed);
}

static bool run(const struct sim_params *p, bool trace, struct sim_result *r) {
        clock_t began = clock();

        sim_run(p, trace, r);
        print_counts(p, r, (double)(clock() - began) / CLOCKS_PER_SEC);
        if (r->failed)
                print_failure(p, r);
        fflush(stdout);
        return !r->failed;
}

static unsigned n_seeds = 10; /* of each world but the large ones */

static void check_world(const char *name, uint64_t seed) {
        struct sim_params p;
        struct sim_result r;

        assert_true(fill(name, seed, &p));
        assert_true(run(&p, false, &r));
        assert_true(r.exchanges > 0);
}

static void check_seeds(const char *name, unsigned n) {
        for (uint64_t seed = 1; seed <= n; seed++)
                check_world(name, seed);
}

#define WORLD(function, name, n)                                                       \
        static void function(void **state) {                                           \
                check_seeds(name, n);                                                  \
        }
WORLD(a_million_exchanges_end_with_an_address, "million", 1)
WORLD(ten_thousand_machines_on_a_bad_day, "crowd", 1)
WORLD(wires_lose_double_and_reorder, "wires", n_seeds)
WORLD(the_server_crashes_between_any_two_actions, "crashes", n_seeds)
WORLD(the_clock_jumps, "clocks", n_seeds)
WORLD(a_slow_disk_delays_and_never_breaks_a_word, "slow-disk", n_seeds)
WORLD(a_failing_disk_stops_acknowledgements, "failing-disk", n_seeds)
WORLD(strangers_sit_on_addresses, "strangers", n_seeds)
WORLD(strangers_are_found_by_those_who_get_their_address, "unprobed", n_seeds)
WORLD(pools_move_while_machines_ask, "reloads", n_seeds)
WORLD(scarce_addresses_go_from_hand_to_hand, "scarce", n_seeds)
WORLD(invented_clients_keep_nobody_out, "invented", n_seeds)
WORLD(a_flood_from_one_port_keeps_nobody_out, "one-port", n_seeds)
WORLD(a_silent_server_keeps_its_word_too, "silent", n_seeds)
WORLD(worlds_drawn_by_chance, "any", n_seeds * 2)

#define SMALL_TESTS                                                                    \
        cmocka_unit_test(wires_lose_double_and_reorder),                               \
                cmocka_unit_test(the_server_crashes_between_any_two_actions),          \
                cmocka_unit_test(the_clock_jumps),                                     \
                cmocka_unit_test(a_slow_disk_delays_and_never_breaks_a_word),          \
                cmocka_unit_test(a_failing_disk_stops_acknowledgements),               \
                cmocka_unit_test(strangers_sit_on_addresses),                          \
                cmocka_unit_test(strangers_are_found_by_those_who_get_their_address),  \
                cmocka_unit_test(pools_move_while_machines_ask),                       \
                cmocka_unit_test(scarce_addresses_go_from_hand_to_hand),               \
                cmocka_unit_test(invented_clients_keep_nobody_out),                    \
                cmocka_unit_test(a_flood_from_one_port_keeps_nobody_out),              \
                cmocka_unit_test(a_silent_server_keeps_its_word_too),                  \
                cmocka_unit_test(worlds_drawn_by_chance)

static int test_worlds(bool is_small) {
        const struct CMUnitTest small[] = { SMALL_TESTS };
        const struct CMUnitTest all[] = {
                cmocka_unit_test(a_million_exchanges_end_with_an_address),
                cmocka_unit_test(ten_thousand_machines_on_a_bad_day),
                SMALL_TESTS,
        };

        if (is_small)
                n_seeds = 2;
        return is_small ? check_run("story/dhcp4_sim_checked", small)
                        : check_run("story/dhcp4_sim", all);
}

struct soaked {
        uint64_t first, n_worlds, exchanges, renewals, crashes;
        double hours; /* virtual ones */
};

static void add(struct soaked *s, const struct sim_params *p,
                const struct sim_result *r) {
        s->n_worlds++;
        s->exchanges += r->exchanges;
        s->renewals += r->renewals;
        s->crashes += r->crashes;
        s->hours += (double)p->length / 3600e9;
}

static void print_soaked(const struct soaked *s) {
        printf("%llu worlds from seed %llu on, %.0f hours in them: %llu exchanges, "
               "%llu "
               "renewals, %llu crashes, nothing broken\n",
               (unsigned long long)s->n_worlds, (unsigned long long)s->first, s->hours,
               (unsigned long long)s->exchanges, (unsigned long long)s->renewals,
               (unsigned long long)s->crashes);
        fflush(stdout);
}

static int soak(double seconds, uint64_t seed) {
        struct soaked soaked = { .first = seed };
        time_t now = time(NULL), end = now + (time_t)seconds, said = now;

        for (; now < end; seed++, now = time(NULL)) {
                struct sim_params p;
                struct sim_result r;

                fill("any", seed, &p);
                sim_run(&p, false, &r);
                if (r.failed) {
                        print_counts(&p, &r, 0);
                        print_failure(&p, &r);
                        return 1;
                }
                add(&soaked, &p, &r);
                if (now >= said + 5) {
                        print_soaked(&soaked);
                        said = now;
                }
        }
        print_soaked(&soaked);
        return 0;
}

/* ---- the command line ---- */

struct arguments {
        const char *world;
        uint64_t seed;
        double hours, soak;
        unsigned machines;
        bool trace, is_small;
};

static bool parse(int argc, char **argv, struct arguments *ret) {
        for (int i = 1; i < argc; i++) {
                const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

                if (strcmp(name, "--trace") == 0) {
                        ret->trace = true;
                        continue;
                }
                if (strcmp(name, "--small") == 0) {
                        ret->is_small = true;
                        continue;
                }
                if (!value)
                        return false;
                i++;
                if (strcmp(name, "--world") == 0)
                        ret->world = value;
                else if (strcmp(name, "--seed") == 0)
                        ret->seed = strtoull(value, NULL, 10);
                else if (strcmp(name, "--hours") == 0)
                        ret->hours = strtod(value, NULL);
                else if (strcmp(name, "--machines") == 0)
                        ret->machines = (unsigned)strtoul(value, NULL, 10);
                else if (strcmp(name, "--soak") == 0)
                        ret->soak = strtod(value, NULL);
                else
                        return false;
        }
        return ret->machines <= MACHINES_MAX;
}

int main(int argc, char **argv) {
        struct arguments arguments = { .seed = 1 };
        struct sim_params p;
        struct sim_result r;

        program = argv[0];
        if (!parse(argc, argv, &arguments) ||
            (arguments.world && !fill(arguments.world, arguments.seed, &p))) {
                fprintf(stderr, "usage: see the head of test/story/dhcp4_sim.c\n");
                return 2;
        }
        if (arguments.soak > 0)
                return soak(arguments.soak, arguments.seed);
        if (!arguments.world)
                return test_worlds(arguments.is_small);
        if (arguments.hours > 0)
                p.length = (nsec_t)(arguments.hours * 3600e9);
        if (arguments.machines)
                p.machines = arguments.machines;
        return run(&p, arguments.trace, &r) ? 0 : 1;
}
