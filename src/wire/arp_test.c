#include "wire/arp.h"

#include "test/check.h"

static const struct mac ours = { { 2, 0, 0, 0, 0, 1 } },
                        theirs = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };

/* Both as another implementation (scapy) writes them. */
static const char probe[] =
        "\x00\x01\x08\x00\x06\x04\x00\x01\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x00\xc0\xa8\x01\x14";
static const char reply[] =
        "\x00\x01\x08\x00\x06\x04\x00\x02\x52\x54\x00\x12\x34\x56\xc0\xa8\x01\x14"
        "\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00";

static void a_probe_is_what_others_make_of_it(void **state) {
        uint8_t bytes[ARP_SIZE];

        arp_build(bytes, &(struct arp){ .operation = ARP_REQUEST,
                                        .sender_mac = ours,
                                        .target = 0xc0a80114 });
        assert_memory_equal(bytes, probe, ARP_SIZE);
}

static void a_reply_says_whose_the_address_is(void **state) {
        char padded[60] = { 0 };
        struct arp arp;

        memcpy(padded, reply, ARP_SIZE);
        assert_true(arp_parse(padded, sizeof(padded), &arp));
        assert_int_equal(arp.operation, ARP_REPLY);
        assert_int_equal(arp.sender, 0xc0a80114);
        assert_true(mac_is_equal(arp.sender_mac, theirs));
        assert_int_equal(arp.target, 0);
        assert_true(mac_is_equal(arp.target_mac, ours));
}

static void what_is_no_arp_of_ethernet_and_ipv4_is_none(void **state) {
        static const struct {
                size_t at;
                char byte;
        } rows[] = { { 1, 6 }, { 2, 0x06 }, { 4, 8 }, { 5, 16 }, { 7, 0 }, { 7, 3 } };
        struct arp arp = { .sender = 42 };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char bytes[ARP_SIZE];

                memcpy(bytes, reply, ARP_SIZE);
                bytes[rows[i].at] = rows[i].byte;
                assert_false(arp_parse(bytes, ARP_SIZE, &arp));
        }
        for (size_t n = 0; n < ARP_SIZE; n++)
                assert_false(arp_parse(reply, n, &arp));
        assert_int_equal(arp.sender, 42);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_probe_is_what_others_make_of_it),
                cmocka_unit_test(a_reply_says_whose_the_address_is),
                cmocka_unit_test(what_is_no_arp_of_ethernet_and_ipv4_is_none),
        };
        return check_run("wire/arp", tests);
}
