/*
 * Probes and what is overheard, on the loopback; what only a real wire has is fed in by
 * hand, through a pair of sockets in place of the packet socket. Without the right to
 * open raw sockets the tests that need them are skipped.
 */
#include "io/probe.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/packet.h"
#include "test/check.h"
#include "wire/arp.h"

static const ip4_t loopback = 0x7f000001;
static struct loop *loop;

static struct {
        size_t n, wanted;
        ip4_t address;
        struct mac who;
        bool seen[256];
} told;

static void tell(ip4_t address, struct mac who, int ifindex, void *userdata) {
        assert_ptr_equal(userdata, &told);
        told.n++;
        told.address = address;
        told.who = who;
        told.seen[address & 255] = true;
        if (told.n >= told.wanted)
                loop_stop(loop);
}

static struct probe *start(unsigned how, int fd, size_t wanted) {
        struct probe *probe;

        memset(&told, 0, sizeof(told));
        told.wanted = wanted;
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(probe_new(loop, tell, &told, &probe), 0);
        assert_int_equal(probe_add(probe, how, fd), 0);
        return probe;
}

static void end(struct probe *probe) {
        assert_null(probe_free(probe));
        loop_free(loop);
}

static void say_arp(int fd, ip4_t sender, size_t n) {
        uint8_t bytes[ARP_SIZE];

        arp_build(bytes, &(struct arp){ .operation = ARP_REPLY,
                                        .sender = sender,
                                        .sender_mac = { { 2, 0, 0, 0, 0, 7 } } });
        assert_int_equal(send(fd, bytes, n, 0), n);
}

static void whoever_says_by_arp_that_he_has_an_address_is_told(void **state) {
        struct probe *probe;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
        probe = start(PROBE_ARP, fds[0], 1);
        say_arp(fds[1], 0, ARP_SIZE);              /* a probe of somebody else's */
        say_arp(fds[1], 0x0a000009, ARP_SIZE - 1); /* cut */
        say_arp(fds[1], 0x0a000007, ARP_SIZE);
        loop_run(loop);
        assert_int_equal(told.n, 1);
        assert_int_equal(told.address, 0x0a000007);
        assert_int_equal(told.who.b[5], 7);
        end(probe);
        close(fds[1]);
}

static void two_hundred_echoes_at_once_are_all_answered(void **state) {
        struct probe *probe;
        int fd, r = probe_open_icmp(&fd);

        if (r == -EPERM)
                skip();
        assert_int_equal(r, 0);
        probe = start(PROBE_ICMP, fd, 200);
        for (unsigned i = 0; i < 200; i++)
                assert_int_equal(probe_send(probe, PROBE_ICMP, 0x7f090000 + i, NULL),
                                 0);
        loop_run(loop);
        for (unsigned i = 0; i < 200; i++)
                assert_true(told.seen[i]);
        assert_true(mac_is_zero(told.who));
        end(probe);
}

/* The second one pings the same loopback: its answers come to both. */
static void an_echo_of_somebody_else_is_no_answer(void **state) {
        struct probe *probe, *other;
        int fd, other_fd, r = probe_open_icmp(&fd);

        if (r == -EPERM)
                skip();
        assert_int_equal(r, 0);
        assert_int_equal(probe_open_icmp(&other_fd), 0);
        probe = start(PROBE_ICMP, fd, 1);
        assert_int_equal(probe_new(loop, tell, &told, &other), 0);
        assert_int_equal(probe_add(other, PROBE_ICMP, other_fd), 0);
        for (unsigned i = 0; i < 5; i++)
                assert_int_equal(probe_send(probe, PROBE_ICMP, 0x7f090000 + i, NULL),
                                 0);
        told.wanted = 5;
        loop_run(loop);
        /* Each was told once; the other's copies, read before or now, were not. */
        assert_int_equal(probe_send(other, PROBE_ICMP, 0x7f0900ff, NULL), 0);
        told.wanted = 6;
        loop_run(loop);
        assert_int_equal(told.n, 6);
        assert_true(told.seen[255]);
        probe_free(other);
        end(probe);
}

static void what_cannot_be_asked_is_said(void **state) {
        const struct net_interface none = { .ifindex = 1 };
        struct probe *probe;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
        probe = start(PROBE_ARP, fds[0], 1);
        assert_int_equal(probe_send(probe, PROBE_ARP, loopback, &none), -ENODEV);
        assert_int_equal(probe_send(probe, PROBE_ARP, loopback, NULL), -ENODEV);
        assert_int_equal(probe_send(probe, PROBE_ICMP, loopback, &none), -ENOTCONN);
        end(probe);
        close(fds[1]);
}

static struct packet_batch *batch;
static size_t n_heard, n_wanted;
static struct udp_received heard[8];
static char heard_text[8][32];

static void hear(int fd, unsigned ready, void *userdata) {
        const struct udp_received *received;
        int n = packet_recv_udp(fd, 1, batch, &received);

        assert_true(n >= 0);
        for (int i = 0; i < n && n_heard < ARRAY_SIZE(heard); i++, n_heard++) {
                heard[n_heard] = received[i];
                assert_true(received[i].n < sizeof(heard_text[0]));
                memcpy(heard_text[n_heard], received[i].data, received[i].n);
        }
        if (n_heard >= n_wanted)
                loop_stop(loop);
}

/* The last of what is said is for us, so that all of it has passed by then. */
static void what_goes_to_another_s_port_is_overheard(void **state) {
        static const struct {
                uint16_t port;
                const char *text;
        } said[] = {
                { 68, "\001not the port" }, { 67, "\002a reply" },  { 67, "" },
                { 67, "\001first" },        { 69, "\001nor this" }, { 67, "\001second" }
        };
        struct loop_watch *watch;
        int fd, out, r = packet_open_dhcp(1, 67, &fd);

        if (r == -EPERM)
                skip();
        assert_int_equal(r, 0);
        n_wanted = 2;
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(packet_batch_new(2000, &batch), 0);
        assert_int_equal(udp_open((struct udp_endpoint){ loopback, 0 }, NULL, 0, &out),
                         0);
        assert_int_equal(loop_watch_new(loop, fd, LOOP_READABLE, hear, NULL, &watch),
                         0);
        for (size_t i = 0; i < ARRAY_SIZE(said); i++)
                assert_int_equal(
                        udp_send(out, said[i].text, strlen(said[i].text),
                                 (struct udp_endpoint){ loopback, said[i].port }, 0, 0),
                        0);
        loop_run(loop);
        assert_int_equal(n_heard, 2);
        assert_string_equal(heard_text[0], "\001first");
        assert_string_equal(heard_text[1], "\001second");
        assert_int_equal(heard[1].from.address, loopback);
        assert_int_equal(heard[1].to, loopback);
        assert_int_equal(heard[1].ifindex, 1);
        loop_watch_free(watch);
        assert_null(packet_batch_free(batch));
        loop_free(loop);
        close(fd);
        close(out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whoever_says_by_arp_that_he_has_an_address_is_told),
                cmocka_unit_test(two_hundred_echoes_at_once_are_all_answered),
                cmocka_unit_test(an_echo_of_somebody_else_is_no_answer),
                cmocka_unit_test(what_cannot_be_asked_is_said),
                cmocka_unit_test(what_goes_to_another_s_port_is_overheard),
        };
        return check_run("io/probe", tests);
}
