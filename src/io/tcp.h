#pragma once
/*
 * TCP listening sockets and accepted connections, and the one way in which file
 * bytes leave: sendfile from an extent.
 */
#include "io/udp.h"

MUST_USE int tcp_listen(struct udp_endpoint at, unsigned flags, int *ret_fd);
/* The next connection, non-blocking; -EAGAIN when none waits. */
MUST_USE int tcp_accept(int fd, int *ret_fd, struct udp_endpoint *ret_peer,
                        struct udp_endpoint *ret_local);
/* Bytes sent (>0), -EAGAIN, or -errno; 0 means that the file ended too early. */
int64_t tcp_sendfile(int fd, int file, uint64_t offset, uint64_t n);
