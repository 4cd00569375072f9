/*
 * TLS by OpenSSL. Its socket BIO writes every record of 16 KiB by itself; ours gathers
 * the records of a call into one buffer, the same for all connections, and sends them
 * together. Only what a full socket leaves over is copied to the connection.
 */
#include "io/tls.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        /* A piece as records: RFC 8446, 5.2 allows 256 bytes more for each. And what a
         * handshake answers with, which is a chain at the most. */
        GATHERED_MAX = TLS_PIECE_MAX + TLS_PIECE_MAX / 16384 * 512 + 128 * 1024,
};

/* Forward secrecy first; RSA key exchange last, for firmware and loaders that know
 * nothing else. AES-128 before AES-256: a quarter faster, and none of them is broken.
 */
static const char suites_12[] = "ECDHE+AES128+AESGCM:ECDHE+AESGCM:ECDHE+CHACHA20:DHE+"
                                "AESGCM:ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:"
                                "!aNULL:!PSK:!SRP:!DSS";
static const char suites_13[] =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

struct tls_server {
        SSL_CTX *context;
        BIO_METHOD *method;
        bool in_kernel;
        unsigned n_refs;
};

struct tls {
        SSL *ssl;
        struct tls_server *server;
        int fd;
        int error; /* of the socket, from within a BIO */
        bool is_gathered;
        bool is_dry;   /* the socket had nothing when it was last asked */
        uint8_t *left; /* what the socket did not take */
        size_t n_left, left_sent;
        const char *why;
};

/* ---- what is gathered ---- */

static uint8_t gathered[GATHERED_MAX];
static size_t n_gathered;

static int bio_write(BIO *bio, const char *data, size_t n, size_t *ret_n) {
        *ret_n = 0;
        if (n > sizeof(gathered) - n_gathered)
                return 0;
        memcpy(gathered + n_gathered, data, n);
        n_gathered += n;
        *ret_n = n;
        return 1;
}

static int bio_read(BIO *bio, char *buffer, size_t n, size_t *ret_n) {
        struct tls *tls = BIO_get_data(bio);
        ssize_t got = recv(tls->fd, buffer, n, 0);

        BIO_clear_retry_flags(bio);
        *ret_n = got > 0 ? (size_t)got : 0;
        if (got > 0)
                return 1;
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
                BIO_set_retry_read(bio);
        } else if (got < 0) {
                tls->error = errno;
        } else {
                BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        }
        return 0;
}

static long bio_control(BIO *bio, int command, long n, void *p) {
        switch (command) {
        case BIO_CTRL_FLUSH:
                return 1;
        case BIO_CTRL_EOF:
                return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
        default:
                return 0;
        }
}

static BIO_METHOD *make_method(void) {
        BIO_METHOD *method =
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gathering");

        if (!method)
                return NULL;
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_ctrl(method, bio_control);
        return method;
}

/* -EAGAIN: it would have blocked. */
static int64_t push(struct tls *tls, const uint8_t *data, size_t n) {
        size_t sent = 0;

        while (sent < n) {
                ssize_t r = send(tls->fd, data + sent, n - sent, MSG_NOSIGNAL);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0 && errno == EAGAIN)
                        break;
                if (r < 0)
                        return -errno;
                sent += (size_t)r;
        }
        return (int64_t)sent;
}

int tls_flush(struct tls *tls) {
        int64_t n;

        if (tls->n_left == 0)
                return 0;
        n = push(tls, tls->left + tls->left_sent, tls->n_left - tls->left_sent);
        if (n < 0)
                return (int)n;
        tls->left_sent += (size_t)n;
        if (tls->left_sent < tls->n_left)
                return -EAGAIN;
        free(tls->left);
        tls->left = NULL;
        tls->n_left = tls->left_sent = 0;
        return 0;
}

/* After every call into the library: what it wrote must leave, or be kept. */
static int send_gathered(struct tls *tls) {
        size_t n = n_gathered;
        int64_t sent;
        int r = tls_flush(tls);
        uint8_t *more;

        n_gathered = 0;
        if (n == 0 || (r < 0 && r != -EAGAIN))
                return n == 0 ? 0 : r;
        sent = r == 0 ? push(tls, gathered, n) : 0;
        if (sent < 0)
                return (int)sent;
        if ((size_t)sent == n)
                return 0;
        more = realloc(tls->left, tls->n_left + n - (size_t)sent);
        if (!more)
                return -ENOMEM;
        memcpy(more + tls->n_left, gathered + sent, n - (size_t)sent);
        tls->left = more;
        tls->n_left += n - (size_t)sent;
        return 0;
}

/* ---- the server ---- */

bool tls_kernel_has(void) {
        int fd = open("/proc/sys/net/ipv4/tcp_available_ulp", O_RDONLY | O_CLOEXEC);
        char names[256];
        ssize_t n = fd >= 0 ? read(fd, names, sizeof(names) - 1) : -1;
        bool found = false;

        if (fd >= 0)
                close(fd);
        names[n > 0 ? n : 0] = '\0';
        for (char *rest = names, *name; (name = strsep(&rest, " \n"));)
                found |= strcmp(name, "tls") == 0;
        return found;
}

static int no_passphrase(char *buffer, int n, int is_writing, void *userdata) {
        return -1;
}

static BIO *reader(const char *s, size_t n) {
        return BIO_new_mem_buf(s, (int)n);
}

/* The first certificate is ours, the others lead to somebody's root. */
static bool use_chain(SSL_CTX *context, const char *chain, size_t n) {
        BIO *bio = reader(chain, n);
        X509 *x = bio ? PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL) : NULL;
        bool good = x && SSL_CTX_use_certificate(context, x) == 1;

        X509_free(x);
        while (good && (x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
                good = SSL_CTX_add0_chain_cert(context, x) == 1;
                if (!good)
                        X509_free(x);
        }
        BIO_free(bio);
        return good;
}

static bool use_key(SSL_CTX *context, const char *key, size_t n) {
        BIO *bio = reader(key, n);
        EVP_PKEY *k =
                bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
        bool good = k && SSL_CTX_use_PrivateKey(context, k) == 1 &&
                    SSL_CTX_check_private_key(context) == 1;

        EVP_PKEY_free(k);
        BIO_free(bio);
        return good;
}

/* RFC 7301. A client that wants h2 alone is not refused: it may speak 1.1 after all. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n_out,
                           const unsigned char *in, unsigned n_in, void *userdata) {
        static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
        unsigned char *chosen;

        if (SSL_select_next_proto(&chosen, n_out, ours, sizeof(ours) - 1, in, n_in) !=
            OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_NOACK;
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
}

static bool set_rules(SSL_CTX *context, const uint8_t *tickets, bool in_kernel) {
        static const unsigned char session[] = "bootjack";
        uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                           SSL_OP_IGNORE_UNEXPECTED_EOF;

        if (in_kernel)
                options |= SSL_OP_ENABLE_KTLS;
        SSL_CTX_set_options(context, options);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                          SSL_MODE_RELEASE_BUFFERS);
        /* Resumption is by ticket alone: a cache would be another one in each worker.
         */
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
        SSL_CTX_set_dh_auto(context, 1);
        SSL_CTX_set_read_ahead(context, 1); /* a record with one call, not with two */
        return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
               SSL_CTX_set_cipher_list(context, suites_12) &&
               SSL_CTX_set_ciphersuites(context, suites_13) &&
               SSL_CTX_set_session_id_context(context, session, sizeof(session) - 1) &&
               SSL_CTX_set_tlsext_ticket_keys(context, (void *)(uintptr_t)tickets,
                                              TLS_TICKET_BYTES) == 1 &&
               SSL_CTX_set_num_tickets(context, 1);
}

int tls_server_new(const char *chain, size_t n_chain, const char *key, size_t n_key,
                   const uint8_t tickets[static TLS_TICKET_BYTES], bool in_kernel,
                   struct tls_server **ret, struct text *why) {
        struct tls_server *server = calloc(1, sizeof(*server));
        int r = -ENOMEM;

        if (!server)
                return -ENOMEM;
        *server = (struct tls_server){ .context = SSL_CTX_new(TLS_server_method()),
                                       .method = make_method(),
                                       .in_kernel = in_kernel,
                                       .n_refs = 1 };
        if (server->context && server->method) {
                r = -EINVAL;
                if (!use_chain(server->context, chain, n_chain))
                        text_add(why, "the certificate cannot be used");
                else if (!use_key(server->context, key, n_key))
                        text_add(why, "the key cannot be used with the certificate");
                else
                        r = set_rules(server->context, tickets, in_kernel) ? 0
                                                                           : -ENOMEM;
        }
        ERR_clear_error();
        if (r == 0)
                *ret = server;
        else
                tls_server_free(server);
        return r;
}

struct tls_server *tls_server_free(struct tls_server *server) {
        if (!server || --server->n_refs > 0)
                return NULL;
        SSL_CTX_free(server->context);
        BIO_meth_free(server->method);
        free(server);
        return NULL;
}

/* ---- a connection ---- */

static bool attach(struct tls *tls) {
        BIO *bio;

        if (!tls->is_gathered)
                return SSL_set_fd(tls->ssl, tls->fd) == 1;
        bio = BIO_new(tls->server->method);
        if (!bio)
                return false;
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
        SSL_set_bio(tls->ssl, bio, bio);
        return true;
}

int tls_new(struct tls_server *server, int fd, struct tls **ret) {
        struct tls *tls = calloc(1, sizeof(*tls));

        if (!tls)
                return -ENOMEM;
        *tls = (struct tls){ .server = server,
                             .fd = fd,
                             .is_gathered = !server->in_kernel,
                             .ssl = SSL_new(server->context) };
        server->n_refs++;
        if (!tls->ssl || !attach(tls)) {
                tls_free(tls);
                ERR_clear_error();
                return -ENOMEM;
        }
        SSL_set_accept_state(tls->ssl);
        *ret = tls;
        return 0;
}

struct tls *tls_free(struct tls *tls) {
        if (!tls)
                return NULL;
        SSL_free(tls->ssl);
        tls_server_free(tls->server);
        free(tls->left);
        free(tls);
        return NULL;
}

static const char *sentence_of(unsigned long error) {
        switch (ERR_GET_REASON(error)) {
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
                return "plain HTTP came to the HTTPS port: use https:// in the address";
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
                return "the client does not trust our certificate: give it "
                       "/bootjack-ca.cer, or use a certificate that it knows "
                       "(https.certificate)";
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
                return "the client takes our certificate for expired: look at its "
                       "clock";
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_UNKNOWN_PROTOCOL:
                return "the client speaks no TLS 1.2 or later";
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
                return "the client and we have no cipher in common";
        case SSL_R_WRONG_VERSION_NUMBER:
                return "what the client says is not TLS";
        default:
                return "the client broke the rules of TLS";
        }
}

/* What a call into the library came to, when it moved nothing. */
static int64_t outcome(struct tls *tls, int n) {
        int error = SSL_get_error(tls->ssl, n);
        unsigned long reason = ERR_peek_error();

        switch (error) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
                return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        case SSL_ERROR_SYSCALL:
                return tls->error ? -tls->error : 0;
        default:
                tls->why = sentence_of(reason);
                return -EPROTO;
        }
}

int64_t tls_recv(struct tls *tls, void *buffer, size_t n) {
        int64_t r;
        size_t got = 0;
        int sent;

        ERR_clear_error();
        errno = 0;
        n_gathered = 0;
        r = SSL_read_ex(tls->ssl, buffer, n, &got) ? (int64_t)got : outcome(tls, 0);
        tls->is_dry = r == -EAGAIN;
        /* An alert leaves even when the handshake has failed. */
        sent = tls->is_gathered ? send_gathered(tls) : 0;
        ERR_clear_error();
        return r == -EAGAIN && sent < 0 && sent != -EAGAIN ? sent : r;
}

bool tls_has_more(const struct tls *tls) {
        return SSL_pending(tls->ssl) > 0 || (!tls->is_dry && SSL_has_pending(tls->ssl));
}

bool tls_is_waiting(const struct tls *tls) {
        return tls->n_left > 0;
}

int64_t tls_send(struct tls *tls, const void *data, size_t n) {
        size_t sent = 0, taken = min_size(n, TLS_PIECE_MAX);
        int r = tls_flush(tls);

        if (r < 0)
                return r;
        ERR_clear_error();
        n_gathered = 0;
        /* Partial writes are on: one call would return after one record. */
        while (sent < taken) {
                size_t once = 0;

                if (!SSL_write_ex(tls->ssl, (const char *)data + sent, taken - sent,
                                  &once)) {
                        r = (int)outcome(tls, 0);
                        break;
                }
                sent += once;
        }
        if (tls->is_gathered && r == 0)
                r = send_gathered(tls);
        ERR_clear_error();
        if (r < 0 && (r != -EAGAIN || sent == 0))
                return r;
        return (int64_t)sent;
}

int64_t tls_send_file(struct tls *tls, int file, uint64_t offset, uint64_t n) {
        static uint8_t piece[TLS_PIECE_MAX]; /* nothing of it outlives the call */
        ssize_t got;
        int r;

        if (!tls->is_gathered && BIO_get_ktls_send(SSL_get_wbio(tls->ssl))) {
                ERR_clear_error();
                got = SSL_sendfile(tls->ssl, file, (off_t)offset,
                                   (size_t)min_u64(n, 1 << 30), 0);
                return got >= 0 ? got : outcome(tls, (int)got);
        }
        r = tls_flush(tls);
        if (r < 0)
                return r;
        got = pread(file, piece, (size_t)min_u64(n, sizeof(piece)), (off_t)offset);
        if (got <= 0)
                return got < 0 ? -errno : 0;
        return tls_send(tls, piece, (size_t)got);
}

int tls_shutdown(struct tls *tls) {
        int r = tls_flush(tls);

        if (r < 0)
                return r;
        if (!SSL_is_init_finished(tls->ssl))
                return 0; /* nobody is there who would understand it */
        ERR_clear_error();
        n_gathered = 0;
        (void)SSL_shutdown(tls->ssl);
        ERR_clear_error();
        r = tls->is_gathered ? send_gathered(tls) : 0;
        return r < 0 ? r : tls_is_waiting(tls) ? -EAGAIN : 0;
}

const char *tls_why(const struct tls *tls) {
        return tls->why ? tls->why : "the client broke the rules of TLS";
}
