#include "leasefile/leasefile.h"

#include "test/check.h"

struct found {
        struct lease_record leases[16];
        size_t lines[16];
        size_t n, n_problems, last_problem;
        const char *why;
};

static void on_lease(const struct lease_record *lease, size_t line, void *userdata) {
        struct found *found = userdata;

        assert_true(found->n < 16);
        found->lines[found->n] = line;
        found->leases[found->n++] = *lease;
}

static void on_problem(size_t line, const char *why, void *userdata) {
        struct found *found = userdata;

        found->n_problems++;
        found->last_problem = line;
        found->why = why;
}

static struct found read_text(enum leasefile_format expected, const char *text) {
        struct found found = { 0 };
        const struct leasefile_reader reader = { on_lease, on_problem, &found };
        size_t n = strlen(text);
        char *copy = test_malloc(n + 1); /* so that a byte too far is seen */

        memcpy(copy, text, n);
        assert_int_equal(leasefile_recognise(copy, n), expected);
        leasefile_read(expected, copy, n, &reader);
        test_free(copy);
        return found;
}

static void dhcpd_leases_are_read(void **state) {
        struct found f = read_text(
                LEASEFILE_ISC,
                "# The format of this file is documented in dhcpd.leases(5)\n"
                "authoring-byte-order little-endian;\n"
                "server-duid \"\\000\\001\\000\\001{;}\";\n"
                "failover peer \"a\" state { my state normal at 1 2020/01/01 00:00:00; "
                "}\n"
                "lease 192.168.1.20 {\n"
                "  starts 2 2023/11/14 22:13:20;\n"
                "  ends 2 2023/11/14 23:13:20;\n"
                "  cltt 2 2023/11/14 22:13:20;\n"
                "  binding state active;\n"
                "  next binding state free;\n"
                "  hardware ethernet 52:54:00:12:34:56;\n"
                "  uid \"\\001RT\\000\\0224V\";\n"
                "  set vendor-class-identifier = \"PXE}Client\";\n"
                "  client-hostname \"node1\";\n"
                "}\n"
                "lease 192.168.1.21 { starts epoch 5; ends never; binding state "
                "active;\n"
                "  hardware ethernet 2:0:0:0:0:1; uid ff:01:2; }\n"
                "lease 192.168.1.22 { ends never; binding state abandoned; }\n"
                "lease 192.168.1.23 { ends epoch 9; binding state free;\n"
                "  hardware ethernet 02:00:00:00:00:02; }\n"
                "lease 192.168.1.24 { ends never; binding state active;\n"
                "  hardware token-ring 02:00:00:00:00:02; }\n");

        assert_int_equal(f.n_problems, 0);
        assert_int_equal(f.n, 3);
        assert_int_equal(f.lines[0], 5);
        assert_int_equal(f.leases[0].address, 0xc0a80114);
        assert_true(f.leases[0].starts == 1700000000 * NSEC_PER_SEC);
        assert_true(f.leases[0].ends == 1700003600 * NSEC_PER_SEC);
        assert_int_equal(f.leases[0].state, LEASE_BOUND);
        assert_int_equal(f.leases[0].mac.b[5], 0x56);
        assert_int_equal(f.leases[0].n_client_id, 7);
        assert_memory_equal(f.leases[0].client_id,
                            "\1RT\0\x12"
                            "4V",
                            7);
        assert_string_equal(f.leases[0].hostname, "node1");
        assert_true(f.leases[1].ends == NSEC_NEVER);
        assert_int_equal(f.leases[1].n_client_id, 3);
        assert_int_equal(f.leases[1].mac.b[0], 2);
        assert_int_equal(f.leases[2].state, LEASE_DECLINED);
}

static void kea_leases_are_read_by_their_columns(void **state) {
        struct found f = read_text(
                LEASEFILE_KEA,
                "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,"
                "fqdn_rev,hostname,state,user_context,pool_id\n"
                "10.0.0.20,52:54:00:12:34:56,01:52:54:00:12:34:56,3600,1700003600,1,0,"
                "0,"
                "node1,0,,0\n"
                "10.0.0.21,02:00:00:00:00:01,,4294967295,4294967295,1,0,0,,0,,0\r\n"
                "10.0.0.22,,,3600,1700003600,1,0,0,,1,,0\n"
                "10.0.0.23,02:00:00:00:00:03,,3600,1700003600,1,0,0,,2,,0\n"
                "\n"
                "fe80::1,02:00:00:00:00:03,,3600,1700003600,1,0,0,,2,,0\n"
                "10.0.0.24,02:00:00:00:00:03,,x,1700003600,1,0,0,,0,,0\n"
                "10.0.0.25\n");

        assert_int_equal(f.n, 4);
        assert_int_equal(f.n_problems, 3);
        assert_int_equal(f.last_problem, 9);
        assert_true(f.leases[0].starts == 1700000000 * NSEC_PER_SEC);
        assert_int_equal(f.leases[0].n_client_id, 7);
        assert_string_equal(f.leases[0].hostname, "node1");
        assert_true(f.leases[1].ends == NSEC_NEVER);
        assert_int_equal(f.leases[2].state, LEASE_DECLINED);
        assert_int_equal(f.leases[3].state, LEASE_EXPIRED);
}

static void dnsmasq_leases_are_read(void **state) {
        struct found f = read_text(LEASEFILE_DNSMASQ,
                                   "1700003600 52:54:00:12:34:56 10.0.0.20 node1 "
                                   "01:52:54:00:12:34:56\n"
                                   "0 02:00:00:00:00:01 10.0.0.21 * *\n"
                                   "duid 00:01:00:01:2c\n"
                                   "1700003600 1234 fd00::1 * 00:01\n"
                                   "soon 02:00:00:00:00:01 10.0.0.22 * *\n"
                                   "1700003600 zz 10.0.0.23 * *\n");

        assert_int_equal(f.n, 2);
        assert_int_equal(f.n_problems, 2);
        assert_string_equal(f.leases[0].hostname, "node1");
        assert_int_equal(f.leases[0].n_client_id, 7);
        assert_true(f.leases[1].ends == NSEC_NEVER);
        assert_string_equal(f.leases[1].hostname, "");
}

static void what_is_broken_is_named_by_its_line(void **state) {
        static const struct {
                enum leasefile_format format;
                const char *text, *why;
                size_t line;
        } table[] = {
                { LEASEFILE_ISC, "\nlease 10.0.0.1 {\n binding state active;\n",
                  "the file ends in it", 2 },
                { LEASEFILE_ISC, "lease ten { }\n", "IPv4 address", 1 },
                { LEASEFILE_ISC, "lease 10.0.0.1 x\n", "'{'", 1 },
                { LEASEFILE_ISC, "lease 10.0.0.1 { ends soon; }\n", "ends has no time",
                  1 },
                { LEASEFILE_ISC, "lease 10.0.0.1 { ends 2 2023/13/01 00:00:00; }\n",
                  "ends has no time", 1 },
                { LEASEFILE_ISC, "lease 10.0.0.1 { uid zz; }\n", "uid", 1 },
                { LEASEFILE_KEA, "address,hwaddr,client_id\n", "columns", 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                struct found f = read_text(table[i].format, table[i].text);

                assert_true(f.n_problems > 0);
                assert_non_null(strstr(f.why, table[i].why));
                assert_int_equal(f.last_problem, table[i].line);
        }
}

static void what_is_no_lease_file_is_not_recognised(void **state) {
        static const char *const texts[] = { "",       "\n\n",  "hello",
                                             "<html>", "1 2 3", "# only a comment" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_int_equal(leasefile_recognise(texts[i], strlen(texts[i])),
                                 LEASEFILE_UNKNOWN);
        for (unsigned i = 1; i < LEASEFILE_N_FORMATS; i++) {
                enum leasefile_format parsed;

                assert_true(leasefile_format_parse(
                        leasefile_format_name((enum leasefile_format)i), &parsed));
                assert_int_equal(parsed, i);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(dhcpd_leases_are_read),
                cmocka_unit_test(kea_leases_are_read_by_their_columns),
                cmocka_unit_test(dnsmasq_leases_are_read),
                cmocka_unit_test(what_is_broken_is_named_by_its_line),
                cmocka_unit_test(what_is_no_lease_file_is_not_recognised),
        };

        return check_run("leasefile/leasefile", tests);
}
