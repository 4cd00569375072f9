#pragma once
/*
 * TLS 1.2 and 1.3 (RFC 5246, 8446) for a server, over connected non-blocking sockets.
 *
 * What a call encrypts leaves in one piece; what the socket does not take of it is kept
 * and leaves first at the next call. Where the kernel encrypts (Linux kTLS), records
 * are its own and files go by sendfile.
 *
 * Calls that move bytes return how many, -EAGAIN (for reading, or for writing while
 * tls_is_waiting()), or -EPROTO with a sentence in tls_why(), or the socket's -errno.
 */
#include "base/text.h"
#include "io/udp.h"

struct tls_server; /* certificate, key and rules; counted */
struct tls;        /* one connection */

enum { TLS_TICKET_BYTES = 80 };

/* Takes PEM texts. `tickets` is random and the same in all processes behind one port,
 * so that a session begun with one may be resumed with another (RFC 5077, 8446 2.2).
 * `in_kernel`: tls_kernel_has(). -ENOMEM; -EINVAL with a sentence in `why`. */
MUST_USE int tls_server_new(const char *chain, size_t n_chain, const char *key,
                            size_t n_key,
                            const uint8_t tickets[static TLS_TICKET_BYTES],
                            bool in_kernel, struct tls_server **ret, struct text *why);
/* Takes NULL. Connections go on with the certificate that they began with. */
struct tls_server *tls_server_free(struct tls_server *server);

/* Whether the kernel encrypts by itself (CONFIG_TLS): what
 * /proc/sys/net/ipv4/tcp_available_ulp says. */
bool tls_kernel_has(void);

/* `fd` is borrowed. The handshake runs with the first tls_recv(). */
MUST_USE int tls_new(struct tls_server *server, int fd, struct tls **ret);
/* Takes NULL; the descriptor stays open. */
struct tls *tls_free(struct tls *tls);

/* 0: the peer has ended its side, with or without saying so (RFC 8446, 6.1). */
int64_t tls_recv(struct tls *tls, void *buffer, size_t n);
/* Bytes were received that no call has returned yet: the socket will not say so. */
bool tls_has_more(const struct tls *tls);
/* At most TLS_PIECE_MAX at a time. */
int64_t tls_send(struct tls *tls, const void *data, size_t n);
/* From a file, through this process or not. 0: the file ended too early. */
int64_t tls_send_file(struct tls *tls, int file, uint64_t offset, uint64_t n);
/* Sends what is left from before: 0 when nothing is, -EAGAIN, -errno. */
int tls_flush(struct tls *tls);
/* We shall send no more (close_notify, RFC 8446, 6.1); -EAGAIN while some of it waits.
 */
int tls_shutdown(struct tls *tls);

bool tls_is_waiting(const struct tls *tls); /* something waits to be written */
/* Of the last -EPROTO: a sentence about the client, with the remedy. Static text. */
const char *tls_why(const struct tls *tls);

enum { TLS_PIECE_MAX = 128 * 1024 };
