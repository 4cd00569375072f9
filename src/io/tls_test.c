#include "io/certificate.h"
#include "io/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/check.h"

static const nsec_t now = 1700000000 * NSEC_PER_SEC;
static const ip4_t ours[] = { 0x0a4d0001, 0xc0a80106 };
static const struct certificate_names names = { "boot.example", ours,
                                                ARRAY_SIZE(ours) };
static struct certificate_pair authority, server, other;

static int set_up(void **state) {
        assert_int_equal(certificate_make_key(&authority.key), 0);
        assert_int_equal(certificate_make_authority("test", now, &authority), 0);
        assert_int_equal(certificate_make_key(&server.key), 0);
        assert_int_equal(certificate_make(&authority, &names, now, &server), 0);
        assert_int_equal(certificate_make_key(&other.key), 0);
        assert_int_equal(certificate_make_authority("other", now, &other), 0);
        return 0;
}

static int tear_down(void **state) {
        certificate_pair_done(&authority);
        certificate_pair_done(&server);
        certificate_pair_done(&other);
        return 0;
}

/* ---- certificates ---- */

static void a_certificate_says_whose_it_is(void **state) {
        struct certificate_facts facts;

        assert_int_equal(certificate_read(&server.chain, &facts), 0);
        assert_string_equal(text_string(&facts.names),
                            "10.77.0.1, 192.168.1.6, boot.example");
        assert_non_null(strstr(text_string(&facts.issuer), "CN = test"));
        assert_true(facts.not_before < now - 300 * 86400 * NSEC_PER_SEC);
        assert_true(facts.not_after > now + 3000 * 86400 * NSEC_PER_SEC);
        assert_int_equal(strlen(facts.fingerprint), 32 * 3 - 1);
        certificate_facts_done(&facts);
}

static void a_certificate_serves_its_names_until_it_ends(void **state) {
        static const ip4_t more[] = { 0x0a4d0001, 0x0a4d0002 };
        struct certificate_names others = { "boot.example", more, ARRAY_SIZE(more) };
        struct certificate_names host = { "other.example", ours, ARRAY_SIZE(ours) };
        struct certificate_pair mixed = { server.chain, other.key };
        const nsec_t year = 365 * 86400 * NSEC_PER_SEC;

        assert_true(certificate_serves(&server, &authority, &names, now));
        assert_false(certificate_serves(&server, &authority, &others, now));
        assert_false(certificate_serves(&server, &authority, &host, now));
        assert_false(certificate_serves(&server, &other, &names, now));
        assert_false(certificate_serves(&mixed, &authority, &names, now));
        assert_true(certificate_serves(&server, &authority, &names, now + 9 * year));
        assert_false(certificate_serves(&server, &authority, &names, now + 10 * year));
}

static void a_pair_that_is_none_is_refused_with_a_sentence(void **state) {
        static const char nonsense[] = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        struct text bad = { (char *)(uintptr_t)nonsense, sizeof(nonsense) - 1, 0,
                            false };
        const struct {
                struct certificate_pair pair;
                const char *why;
        } rows[] = {
                { { server.chain, other.key }, "does not belong" },
                { { bad, server.key }, "the certificate is not" },
                { { server.chain, bad }, "the key is not" },
                { { { 0 }, { 0 } }, "the certificate is not" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct text why = { 0 };

                assert_false(certificate_is_pair(&rows[i].pair, &why));
                assert_non_null(strstr(text_string(&why), rows[i].why));
                text_done(&why);
        }
}

static void the_authority_is_what_firmware_enrols(void **state) {
        struct text der = { 0 };

        assert_int_equal(certificate_der(&authority.chain, &der), 0);
        assert_int_equal((uint8_t)der.s[0], 0x30); /* a SEQUENCE with a long length */
        assert_int_equal((uint8_t)der.s[1], 0x82);
        assert_int_equal(((uint8_t)der.s[2] << 8 | (uint8_t)der.s[3]) + 4, der.n);
        text_done(&der);
}

/* ---- connections ---- */

struct wire {
        struct tls_server *server;
        struct tls *tls;
        SSL_CTX *context;
        SSL *client;
        int ours, theirs;
};

static const uint8_t tickets[TLS_TICKET_BYTES] = "the same for all";

static void wire_init(struct wire *w) {
        struct text why = { 0 };
        BIO *bio = BIO_new_mem_buf(authority.chain.s, (int)authority.chain.n);
        X509 *root = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        int fds[2], small = 4096;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(
                setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
        *w = (struct wire){ .ours = fds[0], .theirs = fds[1] };
        assert_int_equal(tls_server_new(server.chain.s, server.chain.n, server.key.s,
                                        server.key.n, tickets, false, &w->server, &why),
                         0);
        assert_int_equal(tls_new(w->server, w->ours, &w->tls), 0);
        w->context = SSL_CTX_new(TLS_client_method());
        assert_true(X509_STORE_add_cert(SSL_CTX_get_cert_store(w->context), root));
        SSL_CTX_set_verify(w->context, SSL_VERIFY_PEER, NULL);
        w->client = SSL_new(w->context);
        assert_true(SSL_set_fd(w->client, w->theirs));
        SSL_set_connect_state(w->client);
        X509_VERIFY_PARAM_set_time(SSL_get0_param(w->client),
                                   (time_t)(now / NSEC_PER_SEC));
        X509_free(root);
        BIO_free(bio);
        text_done(&why);
}

static void wire_done(struct wire *w) {
        SSL_free(w->client);
        SSL_CTX_free(w->context);
        tls_free(w->tls);
        tls_server_free(w->server);
        close(w->ours);
        close(w->theirs);
}

/* Both sides in turn, until the client has its handshake and we its first bytes. */
static void shake_hands(struct wire *w) {
        char got[16];
        int64_t n = -EAGAIN;

        for (int i = 0; i < 1000 && n == -EAGAIN; i++) {
                if (SSL_is_init_finished(w->client))
                        (void)SSL_write(w->client, "hello", 5);
                else
                        (void)SSL_do_handshake(w->client);
                assert_true(tls_flush(w->tls) == 0 || tls_is_waiting(w->tls));
                n = tls_recv(w->tls, got, sizeof(got));
        }
        assert_int_equal(n, 5);
        assert_memory_equal(got, "hello", 5);
}

/* What the client has by now, all of it; at its end *ret_ended. */
static size_t drink(struct wire *w, uint8_t *data, size_t room, bool *ret_ended) {
        size_t n = 0;
        int r;

        while ((r = SSL_read(w->client, data + n, (int)min_size(room - n, 65536))) > 0)
                n += (size_t)r;
        *ret_ended = SSL_get_error(w->client, r) == SSL_ERROR_ZERO_RETURN;
        ERR_clear_error();
        return n;
}

static void a_large_answer_passes_a_small_socket(void **state) {
        enum { N = 3 * TLS_PIECE_MAX + 17 };
        uint8_t *data = malloc(N), *got = malloc(N);
        size_t sent = 0, n_got = 0, n_full = 0;
        struct wire w;
        bool ended;

        for (size_t i = 0; i < N; i++)
                data[i] = (uint8_t)(i * 7 ^ i >> 8);
        wire_init(&w);
        shake_hands(&w);
        while (n_got < N) {
                int64_t n = sent < N ? tls_send(w.tls, data + sent, N - sent)
                                     : tls_flush(w.tls);

                assert_true(n >= 0 || n == -EAGAIN);
                n_full += n == -EAGAIN;
                sent += n > 0 && sent < N ? (size_t)n : 0;
                n_got += drink(&w, got + n_got, N - n_got, &ended);
                assert_false(ended);
        }
        assert_memory_equal(got, data, N);
        assert_true(n_full > 0); /* or the test is about nothing */
        assert_false(tls_is_waiting(w.tls));
        wire_done(&w);
        free(data);
        free(got);
}

static void a_file_leaves_as_it_is(void **state) {
        enum { N = TLS_PIECE_MAX + 1000 };
        char path[] = "/tmp/bootjack-tls-XXXXXX";
        int fd = mkstemp(path);
        uint8_t *data = malloc(N), *got = malloc(N);
        uint64_t sent = 0;
        size_t n_got = 0;
        struct wire w;
        bool ended;

        for (size_t i = 0; i < N; i++)
                data[i] = (uint8_t)(i * 13 ^ i >> 7);
        assert_int_equal(write(fd, data, N), N);
        wire_init(&w);
        shake_hands(&w);
        while (n_got < N - 3) {
                int64_t n = sent < N - 3
                                    ? tls_send_file(w.tls, fd, 3 + sent, N - 3 - sent)
                                    : tls_flush(w.tls);

                assert_true(n >= 0 || n == -EAGAIN);
                sent += n > 0 && sent < N - 3 ? (uint64_t)n : 0;
                n_got += drink(&w, got + n_got, N - n_got, &ended);
        }
        assert_memory_equal(got, data + 3, N - 3);
        /* Past its end: it was cut short. */
        assert_int_equal(tls_send_file(w.tls, fd, N, 10), 0);
        wire_done(&w);
        unlink(path);
        close(fd);
        free(data);
        free(got);
}

static void the_end_is_said(void **state) {
        uint8_t got[16];
        struct wire w;
        bool ended;

        wire_init(&w);
        shake_hands(&w);
        assert_int_equal(tls_send(w.tls, "bye", 3), 3);
        assert_int_equal(tls_shutdown(w.tls), 0);
        assert_int_equal(drink(&w, got, sizeof(got), &ended), 3);
        assert_true(ended);
        SSL_shutdown(w.client);
        assert_int_equal(tls_recv(w.tls, got, sizeof(got)), 0);
        wire_done(&w);
}

static void bytes_of_one_record_are_not_lost(void **state) {
        char got[4];
        struct wire w;

        wire_init(&w);
        shake_hands(&w);
        assert_int_equal(SSL_write(w.client, "1234567", 7), 7);
        assert_int_equal(tls_recv(w.tls, got, 4), 4);
        assert_true(tls_has_more(w.tls));
        assert_int_equal(tls_recv(w.tls, got, 4), 3);
        assert_false(tls_has_more(w.tls));
        assert_int_equal(tls_recv(w.tls, got, 4), -EAGAIN);
        wire_done(&w);
}

static void who_is_no_tls_client_is_told_apart(void **state) {
        static const struct {
                const char *bytes, *why;
        } rows[] = {
                { "GET / HTTP/1.1\r\n\r\n", "plain HTTP" },
                { "SSH-2.0-OpenSSH_9.2\r\n", "not TLS" },
        };
        char got[16];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct wire w;

                wire_init(&w);
                assert_true(write(w.theirs, rows[i].bytes, strlen(rows[i].bytes)) > 0);
                assert_int_equal(tls_recv(w.tls, got, sizeof(got)), -EPROTO);
                assert_non_null(strstr(tls_why(w.tls), rows[i].why));
                wire_done(&w);
        }
}

static void an_old_version_is_refused(void **state) {
        char got[16];
        struct wire w;

        wire_init(&w);
        SSL_set_security_level(w.client, 0);
        assert_true(SSL_set_min_proto_version(w.client, TLS1_VERSION));
        assert_true(SSL_set_max_proto_version(w.client, TLS1_1_VERSION));
        assert_true(SSL_do_handshake(w.client) < 0);
        assert_int_equal(tls_recv(w.tls, got, sizeof(got)), -EPROTO);
        assert_non_null(strstr(tls_why(w.tls), "no TLS 1.2"));
        wire_done(&w);
}

static void a_client_without_elliptic_curves_is_served(void **state) {
        struct wire w;

        wire_init(&w);
        assert_true(SSL_set_max_proto_version(w.client, TLS1_2_VERSION));
        assert_true(SSL_set_cipher_list(w.client, "AES128-SHA256:AES256-SHA256"));
        shake_hands(&w);
        assert_int_equal(SSL_version(w.client), TLS1_2_VERSION);
        wire_done(&w);
}

static void a_client_that_does_not_trust_us_is_named(void **state) {
        char got[16];
        struct wire w;
        int64_t n = -EAGAIN;

        wire_init(&w);
        SSL_set0_verify_cert_store(w.client, X509_STORE_new());
        for (int i = 0; i < 1000 && n == -EAGAIN; i++) {
                (void)SSL_do_handshake(w.client);
                ERR_clear_error();
                n = tls_recv(w.tls, got, sizeof(got));
        }
        assert_int_equal(n, -EPROTO);
        assert_non_null(strstr(tls_why(w.tls), "/bootjack-ca.cer"));
        wire_done(&w);
}

static void a_connection_outlives_its_certificate(void **state) {
        uint8_t got[16];
        struct wire w;
        bool ended;

        wire_init(&w);
        shake_hands(&w);
        w.server = tls_server_free(w.server);
        assert_int_equal(tls_send(w.tls, "on", 2), 2);
        assert_int_equal(drink(&w, got, sizeof(got), &ended), 2);
        wire_done(&w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_certificate_says_whose_it_is),
                cmocka_unit_test(a_certificate_serves_its_names_until_it_ends),
                cmocka_unit_test(a_pair_that_is_none_is_refused_with_a_sentence),
                cmocka_unit_test(the_authority_is_what_firmware_enrols),
                cmocka_unit_test(a_large_answer_passes_a_small_socket),
                cmocka_unit_test(a_file_leaves_as_it_is),
                cmocka_unit_test(the_end_is_said),
                cmocka_unit_test(bytes_of_one_record_are_not_lost),
                cmocka_unit_test(who_is_no_tls_client_is_told_apart),
                cmocka_unit_test(an_old_version_is_refused),
                cmocka_unit_test(a_client_without_elliptic_curves_is_served),
                cmocka_unit_test(a_client_that_does_not_trust_us_is_named),
                cmocka_unit_test(a_connection_outlives_its_certificate),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return _cmocka_run_group_tests("io/tls", tests, ARRAY_SIZE(tests), set_up,
                                       tear_down);
}
