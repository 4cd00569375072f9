/*
 * TCP with the options a file server wants: TCP_NODELAY, because heads and small
 * files must not wait for an ACK; a deep backlog, because boots come in storms.
 */
#include "io/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, SENDFILE_MAX = 1 << 30 };

static struct udp_endpoint endpoint_of(const struct sockaddr_in *name) {
        return (struct udp_endpoint){ ntohl(name->sin_addr.s_addr),
                                      ntohs(name->sin_port) };
}

int tcp_listen(struct udp_endpoint at, unsigned flags, int *ret_fd) {
        struct sockaddr_in name = { .sin_family = AF_INET,
                                    .sin_port = htons(at.port),
                                    .sin_addr.s_addr = htonl(at.address) };
        const int on = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r = 0;

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            (flags & UDP_REUSEPORT &&
             setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
            bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
            listen(fd, BACKLOG) < 0)
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
        struct sockaddr_in peer, local;
        socklen_t n_peer = sizeof(peer), n_local = sizeof(local);
        const int on = 1;
        int accepted = accept4(fd, (struct sockaddr *)&peer, &n_peer,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (accepted < 0)
                return errno == EINTR || errno == ECONNABORTED ? -EAGAIN : -errno;
        if (getsockname(accepted, (struct sockaddr *)&local, &n_local) < 0) {
                close(accepted);
                return -EAGAIN; /* it has gone already */
        }
        (void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        *ret_fd = accepted;
        *ret_peer = endpoint_of(&peer);
        *ret_local = endpoint_of(&local);
        return 0;
}

int64_t tcp_sendfile(int fd, int file, uint64_t offset, uint64_t n) {
        off_t at = (off_t)offset;
        ssize_t sent = sendfile(fd, file, &at, (size_t)min_u64(n, SENDFILE_MAX));

        return sent < 0 ? (errno == EINTR ? -EAGAIN : -errno) : sent;
}
