#include "io/loop.h"
#include "io/net.h"
#include "io/tcp.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/check.h"

static const ip4_t loopback = 0x7f000001;

static uint16_t port_of(int fd) {
        struct sockaddr_in name;
        socklen_t n = sizeof(name);

        assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &n), 0);
        return ntohs(name.sin_port);
}

static struct loop *loop;
static struct udp_batch *batch;
static size_t n_received, n_bytes, last_size;
static ip4_t last_to, last_local;

static void count_datagrams(int fd, unsigned ready, void *userdata) {
        const struct udp_received *received;
        size_t wanted = *(size_t *)userdata;
        int n = udp_recv(fd, batch, &received);

        assert_true(ready & LOOP_READABLE);
        assert_true(n >= 0);
        for (int i = 0; i < n; i++) {
                n_received++;
                n_bytes += received[i].n;
                last_size = received[i].n;
                last_to = received[i].to;
                last_local = received[i].local;
        }
        if (n_received == wanted)
                loop_stop(loop);
}

static void segments_arrive_as_datagrams(void **state) {
        static uint8_t data[100 * 1000 + 7];
        struct loop_watch *watch;
        size_t wanted = 101;
        int in, out;

        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(udp_batch_new(2000, &batch), 0);
        assert_int_equal(udp_open((struct udp_endpoint){ loopback, 0 }, NULL, 0, &in),
                         0);
        assert_int_equal(udp_connect((struct udp_endpoint){ loopback, 0 },
                                     (struct udp_ports){ 0 },
                                     (struct udp_endpoint){ loopback, port_of(in) },
                                     &out),
                         0);
        assert_int_equal(loop_watch_new(loop, in, LOOP_READABLE, count_datagrams,
                                        &wanted, &watch),
                         0);
        assert_int_equal(udp_send_segments(out, NULL, data, sizeof(data), 1000), 101);
        loop_run(loop);
        assert_int_equal(n_bytes, sizeof(data));
        assert_int_equal(last_size, 7);
        assert_int_equal(last_to, loopback);
        assert_int_equal(last_local, loopback);

        /* The same from a socket that is not connected. */
        n_received = n_bytes = 0;
        assert_int_equal(udp_send_segments(
                                 in,
                                 &(struct udp_route){ .to = { loopback, port_of(in) } },
                                 data, sizeof(data), 1000),
                         101);
        loop_run(loop);
        assert_int_equal(n_bytes, sizeof(data));

        loop_watch_free(watch);
        udp_batch_free(batch);
        loop_free(loop);
        close(in);
        close(out);
}

static void the_loopback_interface_is_known(void **state) {
        struct net_interface all[64];
        int n = net_interfaces(all, ARRAY_SIZE(all));
        bool seen = false;

        assert_true(n > 0);
        for (int i = 0; i < n; i++)
                if (all[i].is_loopback) {
                        assert_string_equal(all[i].name, "lo");
                        assert_int_equal(all[i].ifindex, 1);
                        seen = true;
                }
        assert_true(seen);
}

static void every_address_of_an_interface_counts(void **state) {
        const struct net_interface interface = {
                .address = 0xc0a80106,
                .mask = 0xffffff00,
                .more = { { 0x0a000001, 0xff000000 }, { 0xac100001, 0xffff0000 } },
                .n_more = 2,
        };
        static const struct {
                ip4_t address;
                bool is_own, is_near;
        } rows[] = {
                { 0xc0a80106, true, true },   { 0x0a000001, true, true },
                { 0xac100001, true, true },   { 0xc0a801fe, false, true },
                { 0x0a636363, false, true },  { 0xac10ffff, false, true },
                { 0xac110001, false, false }, { 0xc0a80001, false, false },
                { 0, false, false },
        };

        assert_int_equal(net_n_addresses(&interface), 3);
        assert_int_equal(net_address(&interface, 0).address, interface.address);
        assert_int_equal(net_address(&interface, 2).mask, 0xffff0000);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_int_equal(net_has_address(&interface, rows[i].address),
                                 rows[i].is_own);
                assert_int_equal(net_is_near(&interface, rows[i].address),
                                 rows[i].is_near);
        }
        assert_int_equal(net_n_addresses(&(struct net_interface){ 0 }), 0);
}

static void a_timer_fires_once_and_may_free_itself(void **state);
static struct loop_timer *timer;
static int n_fired;

static void fire(void *userdata) {
        n_fired++;
        timer = loop_timer_free(timer);
        loop_stop(userdata);
}

static void a_timer_fires_once_and_may_free_itself(void **state) {
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(loop_timer_new(loop, fire, loop, &timer), 0);
        loop_timer_set(timer, loop_now());
        loop_run(loop);
        assert_int_equal(n_fired, 1);
        loop_free(loop);
}

static void sendfile_sends_the_extent_alone(void **state) {
        char path[] = "/tmp/bootjack-io-XXXXXX", got[16] = { 0 };
        int file = mkstemp(path), listening, accepted, client;
        struct udp_endpoint peer, local;
        struct sockaddr_in name = { .sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(loopback) };

        assert_true(file >= 0);
        unlink(path);
        assert_int_equal(write(file, "0123456789", 10), 10);
        assert_int_equal(
                tcp_listen((struct udp_endpoint){ loopback, 0 }, 0, &listening), 0);
        name.sin_port = htons(port_of(listening));
        client = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
        assert_int_equal(tcp_accept(listening, &accepted, &peer, &local), 0);
        assert_int_equal(peer.address, loopback);
        assert_int_equal(local.port, port_of(listening));
        assert_int_equal(tcp_sendfile(accepted, file, 3, 4), 4);
        assert_int_equal(tcp_sendfile(accepted, file, 10, 4), 0);
        close(accepted);
        assert_int_equal(recv(client, got, sizeof(got), MSG_WAITALL), 4);
        assert_string_equal(got, "3456");
        close(client);
        close(listening);
        close(file);
}

/* As FTP's data connections have it: each port of a range, until there is none. */
static void ports_of_a_range_are_given_and_given_back(void **state) {
        const struct udp_ports ports = { 39990, 39992 };
        struct udp_endpoint peer;
        uint16_t port, seen = 0;
        int fds[3], none, client, accepted;

        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(tcp_listen_between(loopback, ports, 7, &fds[i], &port),
                                 0);
                assert_true(port >= 39990 && port <= 39992);
                assert_int_equal(port, port_of(fds[i]));
                seen |= (uint16_t)(1 << (port - 39990));
        }
        assert_int_equal(seen, 7);
        assert_int_equal(tcp_listen_between(loopback, ports, 0, &none, &port),
                         -EADDRINUSE);
        assert_int_equal(tcp_accept(fds[0], &accepted, &peer, NULL), -EAGAIN);
        port = port_of(fds[0]);
        assert_int_equal(
                tcp_connect(loopback, (struct udp_endpoint){ loopback, port }, &client),
                0);
        assert_int_equal(tcp_connected(client), 0);
        assert_int_equal(tcp_accept(fds[0], &accepted, &peer, NULL), 0);
        assert_int_equal(peer.port, port_of(client));
        close(accepted);
        close(fds[0]);
        /* Its connection is remembered by the kernel; the port is free all the same. */
        assert_int_equal(tcp_listen_between(loopback, ports, 0, &fds[0], &port), 0);
        tcp_close_at_once(client);
        for (size_t i = 0; i < 3; i++)
                close(fds[i]);
        assert_int_equal(
                tcp_connect(loopback, (struct udp_endpoint){ loopback, port }, &client),
                0);
        assert_int_equal(tcp_connected(client), -ECONNREFUSED);
        close(client);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ports_of_a_range_are_given_and_given_back),
                cmocka_unit_test(segments_arrive_as_datagrams),
                cmocka_unit_test(the_loopback_interface_is_known),
                cmocka_unit_test(every_address_of_an_interface_counts),
                cmocka_unit_test(a_timer_fires_once_and_may_free_itself),
                cmocka_unit_test(sendfile_sends_the_extent_alone),
        };
        return check_run("io/io", tests);
}
