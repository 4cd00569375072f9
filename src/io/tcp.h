#pragma once
/*
 * TCP listening sockets and accepted connections, and the one way in which file
 * bytes leave: sendfile from an extent.
 */
#include "io/udp.h"

MUST_USE int tcp_listen(struct udp_endpoint at, unsigned flags, int *ret_fd);
/* The next connection, non-blocking; -EAGAIN when none waits. Who knows its own end, or
 * does not care, gives NULL for it. */
MUST_USE int tcp_accept(int fd, int *ret_fd, struct udp_endpoint *ret_peer,
                        struct udp_endpoint *ret_local);
/* For one connection: at one of the ports, looked through from a place that `random`
 * chooses; first 0: the kernel's choice. -EADDRINUSE: all are. */
MUST_USE int tcp_listen_between(ip4_t local, struct udp_ports ports, uint32_t random,
                                int *ret_fd, uint16_t *ret_port);
/* Begins to connect; the socket becomes writable when it is decided. */
MUST_USE int tcp_connect(ip4_t local, struct udp_endpoint to, int *ret_fd);
/* 0: connected; -EAGAIN: not yet; -errno: it failed. */
MUST_USE int tcp_connected(int fd);
/* What is not on its way yet is thrown away, and the peer learns that it is not all. */
void tcp_close_at_once(int fd);
/* Bytes sent (>0), -EAGAIN, or -errno; 0 means that the file ended too early. */
int64_t tcp_sendfile(int fd, int file, uint64_t offset, uint64_t n);
