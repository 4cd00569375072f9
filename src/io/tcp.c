/*
 * TCP with the options a file server wants: TCP_NODELAY, because heads and small
 * files must not wait for an ACK; a deep backlog, because boots come in storms.
 */
#include "io/tcp.h"

#include "io/internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, BACKLOG_OF_ONE = 16, SENDFILE_MAX = 1 << 30 };

int tcp_listen(struct udp_endpoint at, unsigned flags, int *ret_fd) {
        struct sockaddr_in6 name;
        socklen_t n = udp_to_name(&at, &name);
        const int on = 1;
        int fd =
                socket(name.sin6_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r = 0;

        if (fd < 0)
                return -errno;
        if (udp_is_six(&at))
                r = udp_prepare_six(fd);
        if (r == 0 &&
            (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
             (flags & UDP_REUSEPORT &&
              setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
             bind(fd, (struct sockaddr *)&name, n) < 0 || listen(fd, BACKLOG) < 0))
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

int tcp_accept(int fd, int *ret_fd, struct udp_endpoint *ret_peer,
               struct udp_endpoint *ret_local) {
        struct sockaddr_in6 peer, local = { 0 };
        socklen_t n_peer = sizeof(peer), n_local = sizeof(local);
        const int on = 1;
        int accepted = accept4(fd, (struct sockaddr *)&peer, &n_peer,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (accepted < 0)
                return errno == EINTR || errno == ECONNABORTED ? -EAGAIN : -errno;
        if (ret_local &&
            getsockname(accepted, (struct sockaddr *)&local, &n_local) < 0) {
                close(accepted);
                return -EAGAIN; /* it has gone already */
        }
        (void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        *ret_fd = accepted;
        *ret_peer = udp_of_name(&peer);
        if (ret_local)
                *ret_local = udp_of_name(&local);
        return 0;
}

int64_t tcp_sendfile(int fd, int file, uint64_t offset, uint64_t n) {
        off_t at = (off_t)offset;
        ssize_t sent = sendfile(fd, file, &at, (size_t)min_u64(n, SENDFILE_MAX));

        return sent < 0 ? (errno == EINTR ? -EAGAIN : -errno) : sent;
}

static struct sockaddr_in name_of(ip4_t address, uint16_t port) {
        return (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_port = htons(port),
                                     .sin_addr.s_addr = htonl(address) };
}

static int bind_between(int fd, ip4_t local, struct udp_ports ports, uint32_t random) {
        uint32_t n = (uint32_t)(ports.last - ports.first) + 1;

        for (uint32_t i = 0; i < n; i++) {
                struct sockaddr_in name =
                        name_of(local, (uint16_t)(ports.first + (random % n + i) % n));

                /* Two may be bound before one of them listens. */
                if (bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
                        return listen(fd, BACKLOG_OF_ONE) == 0 ? 0 : -errno;
                if (errno != EADDRINUSE)
                        return -errno;
        }
        return -EADDRINUSE;
}

int tcp_listen_between(ip4_t local, struct udp_ports ports, uint32_t random,
                       int *ret_fd, uint16_t *ret_port) {
        struct sockaddr_in name;
        socklen_t n_name = sizeof(name);
        const int on = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

        if (fd < 0)
                return -errno;
        /* Connections of before that are only remembered must not hold the port. */
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        r = bind_between(fd, local, ports, random);
        if (r == 0 && getsockname(fd, (struct sockaddr *)&name, &n_name) < 0)
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        *ret_port = ntohs(name.sin_port);
        return 0;
}

int tcp_connect(ip4_t local, struct udp_endpoint to, int *ret_fd) {
        struct sockaddr_in from = name_of(local, 0),
                           name = name_of(to.address, to.port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r = 0;
        const int on = 1;

        if (fd < 0)
                return -errno;
        /* The port is chosen when it is known to whom: then there are more of them. */
        (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
            (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 &&
             errno != EINPROGRESS))
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

int tcp_connected(int fd) {
        struct sockaddr_in name;
        socklen_t n_name = sizeof(name), n_error = sizeof(int);
        int error = 0;

        if (getpeername(fd, (struct sockaddr *)&name, &n_name) == 0)
                return 0;
        if (errno != ENOTCONN)
                return -errno;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n_error) < 0)
                return -errno;
        return error == 0 ? -EAGAIN : -error;
}

void tcp_close_at_once(int fd) {
        const struct linger none = { .l_onoff = 1 };

        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        close(fd);
}
