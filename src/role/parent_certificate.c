/*
 * The certificate of HTTPS. One that is given is read at the start, while we may be
 * root, and again at each reload, when we are not. Where none is given there is an
 * authority of our own in the state folder: people enrol it once, and it signs a new
 * certificate whenever our addresses change. The workers get chain and key as sealed
 * texts and never see the folder.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ipc/sealed.h"
#include "role/parent.h"

enum { FILE_MAX = 1 << 20, ADDRESSES_MAX = 256, HOST_MAX = 64 };

/* ---- files ---- */

static int read_file(const char *path, struct text *ret) {
        int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
        char buffer[4096];
        ssize_t n;

        if (fd < 0)
                return -errno;
        do {
                n = read(fd, buffer, sizeof(buffer));
                if (n > 0)
                        text_bytes(ret, buffer, (size_t)n);
        } while (n > 0 && ret->n <= FILE_MAX && !ret->failed);
        if (n < 0)
                r = -errno;
        else if (n > 0)
                r = ret->failed ? -ENOMEM : -EFBIG;
        explicit_bzero(buffer, sizeof(buffer));
        close(fd);
        return r;
}

/* The whole file or the old one; a power cut does not leave half a key. */
static int write_file(const char *path, const struct text *data, mode_t mode) {
        char made[PATH_MAX];
        size_t n = 0;
        int fd, r = 0;

        snprintf(made, sizeof(made), "%s.new", path);
        (void)unlink(made);
        fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd < 0)
                return -errno;
        while (r == 0 && n < data->n) {
                ssize_t written = write(fd, data->s + n, data->n - n);

                if (written < 0 && errno != EINTR)
                        r = -errno;
                n += written > 0 ? (size_t)written : 0;
        }
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        close(fd);
        if (r == 0 && rename(made, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(made);
        return r;
}

/* Below the state folder. */
static const char *path_of(const struct parent *parent, const char *name) {
        static char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/tls/%s", parent->conf->state, name);
        return path;
}

/* ---- one that is given ---- */

/* The name of what cannot be read goes to *ret_path. */
static int read_given(const struct conf *conf, struct certificate_pair *ret,
                      const char **ret_path) {
        const char *key =
                conf->https.key[0] ? conf->https.key : conf->https.certificate;
        int r;

        *ret_path = conf->https.certificate;
        r = read_file(conf->https.certificate, &ret->chain);
        if (r == 0) {
                *ret_path = key;
                r = read_file(key, &ret->key);
        }
        return r;
}

static bool is_given(const struct conf *conf) {
        return conf->https.port != 0 && conf->https.certificate[0] != '\0';
}

static int refuse_pair(const struct conf *conf, struct certificate_pair *pair) {
        struct text why = { 0 };
        bool good = certificate_is_pair(pair, &why);
        int r = good ? 0
                     : parent_fail("https.certificate %s, https.key %s: %s",
                                   conf->https.certificate,
                                   conf->https.key[0] ? conf->https.key
                                                      : "(in the same file)",
                                   text_string(&why));

        text_done(&why);
        if (!good)
                certificate_pair_done(pair);
        return r;
}

int parent_read_certificate(const struct conf *conf, struct certificate_pair *ret) {
        const char *path;
        int r = is_given(conf) ? read_given(conf, ret, &path) : 0;

        if (r < 0) {
                certificate_pair_done(ret);
                return parent_fail("https.certificate or https.key: cannot read %s: %s",
                                   path, strerror(-r));
        }
        return is_given(conf) ? refuse_pair(conf, ret) : 0;
}

static void say_kept(struct parent *parent, const char *path) {
        struct event event = { .kind = EVENT_CERTIFICATE_KEPT };
        struct text why = { 0 };

        text_add(&why, "after the start only the user '");
        text_add(&why, parent->conf->user);
        text_add(&why, "' reads, and may not read ");
        text_add(&why, path);
        text_add(&why, "; let it (setfacl -m u:");
        text_add(&why, parent->conf->user);
        text_add(&why, ":r), or restart");
        event.values[0] = (struct event_value)EVENT_TEXT(text_string(&why));
        parent_event(parent, &event);
        text_done(&why);
}

int parent_reread_certificate(struct parent *parent, const struct conf *conf,
                              struct certificate_pair *ret) {
        bool has_one = parent->certificate.chain.n > 0 && is_given(parent->conf);
        const char *path;
        int r = is_given(conf) ? read_given(conf, ret, &path) : 0;

        if (r == -EACCES && has_one) {
                certificate_pair_done(ret);
                say_kept(parent, path);
                return 0;
        }
        if (r < 0) {
                certificate_pair_done(ret);
                return parent_fail("https.certificate or https.key: cannot read %s: %s",
                                   path, strerror(-r));
        }
        return is_given(conf) ? refuse_pair(conf, ret) : 0;
}

/* ---- what is used ---- */

static bool is_same(const struct text *a, const struct text *b) {
        return a->n == b->n && (a->n == 0 || memcmp(a->s, b->s, a->n) == 0);
}

void parent_say_certificate(struct parent *parent) {
        struct event event = { .kind = EVENT_CERTIFICATE_USED };
        struct certificate_facts facts;
        char until[32] = "";
        struct tm tm;
        time_t end;

        if (parent->certificate.chain.n == 0)
                return;
        if (certificate_read(&parent->certificate.chain, &facts) == 0) {
                end = (time_t)(facts.not_after / NSEC_PER_SEC);
                if (gmtime_r(&end, &tm))
                        strftime(until, sizeof(until), "%Y-%m-%d", &tm);
                event.values[0] = (struct event_value)EVENT_TEXT(
                        facts.names.n ? text_string(&facts.names)
                                      : text_string(&facts.subject));
                event.values[1] =
                        (struct event_value)EVENT_TEXT(text_string(&facts.issuer));
                event.values[2] = (struct event_value)EVENT_TEXT(until);
                event.values[3] = (struct event_value)EVENT_TEXT(facts.fingerprint);
                parent_event(parent, &event);
        }
        certificate_facts_done(&facts);
}

void parent_send_certificate(struct parent *parent, struct parent_child *child) {
        struct ipc_certificate body;
        int fds[2] = { -1, -1 };

        if (child->kind != IPC_FILES || parent->certificate.chain.n == 0)
                return;
        memcpy(body.tickets, parent->tickets, sizeof(body.tickets));
        if (sealed_new(parent->certificate.chain.s, parent->certificate.chain.n,
                       &fds[0]) == 0 &&
            sealed_new(parent->certificate.key.s, parent->certificate.key.n, &fds[1]) ==
                    0)
                (void)ipc_send(child->channel, IPC_CERTIFICATE, &body, NULL, 0, fds, 2);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                if (fds[i] >= 0)
                        close(fds[i]);
}

void parent_take_certificate(struct parent *parent, struct certificate_pair *pair) {
        if (pair->chain.n == 0 || (is_same(&pair->chain, &parent->certificate.chain) &&
                                   is_same(&pair->key, &parent->certificate.key))) {
                certificate_pair_done(pair);
                return;
        }
        certificate_pair_done(&parent->certificate);
        parent->certificate = *pair;
        *pair = (struct certificate_pair){ 0 };
        /* Without them every worker makes its own: a resumption fails, no more. */
        (void)getrandom(parent->tickets, sizeof(parent->tickets), 0);
        for (size_t i = 0; i < parent->n_children; i++)
                if (parent->children[i].channel)
                        parent_send_certificate(parent, &parent->children[i]);
        if (parent->is_serving)
                parent_say_certificate(parent);
}

/* ---- one of our own ---- */

/* From its file, or made and kept there. */
static int get_key(const struct parent *parent, const char *name, struct text *ret) {
        int r = read_file(path_of(parent, name), ret);

        if (r != -ENOENT)
                return r;
        r = certificate_make_key(ret);
        return r == 0 ? write_file(path_of(parent, name), ret, 0600) : r;
}

static int get_authority(const struct parent *parent, const char *host,
                         struct certificate_pair *ret) {
        char name[HOST_MAX + 32];
        struct text der = { 0 };
        int r = get_key(parent, "ca-key.pem", &ret->key);

        if (r == 0)
                r = read_file(path_of(parent, "ca.pem"), &ret->chain);
        if (r != -ENOENT)
                return r;
        snprintf(name, sizeof(name), "boot authority%s%s", host[0] ? " of " : "", host);
        r = certificate_make_authority(name, loop_realtime(), ret);
        if (r == 0)
                r = certificate_der(&ret->chain, &der);
        if (r == 0)
                r = write_file(path_of(parent, "ca.cer"), &der, 0644);
        if (r == 0)
                r = write_file(path_of(parent, "ca.pem"), &ret->chain, 0644);
        text_done(&der);
        return r;
}

static size_t list_addresses(const struct parent *parent, ip4_t *ret) {
        size_t n = 0;

        for (size_t i = 0; i < parent->n_interfaces; i++)
                for (size_t j = 0; j < net_n_addresses(&parent->interfaces[i]); j++)
                        if (n < ADDRESSES_MAX)
                                ret[n++] =
                                        net_address(&parent->interfaces[i], j).address;
        return n;
}

/* Those of one wire alone come and go with cards, and are in no URL. */
static size_t list_six(const struct parent *parent, struct ip6 *ret) {
        size_t n = 0;

        for (size_t i = 0; i < parent->n_interfaces; i++)
                for (size_t j = 0; j < parent->interfaces[i].n_six; j++)
                        if (n < ADDRESSES_MAX &&
                            !ip6_is_link_local(parent->interfaces[i].six[j]))
                                ret[n++] = parent->interfaces[i].six[j];
        return n;
}

static int get_server(const struct parent *parent, struct certificate_pair *authority,
                      const struct certificate_names *names,
                      struct certificate_pair *ret) {
        nsec_t now = loop_realtime();
        int r = get_key(parent, "server-key.pem", &ret->key);

        if (r == 0)
                r = read_file(path_of(parent, "server.pem"), &ret->chain);
        if (r != 0 && r != -ENOENT)
                return r;
        if (r == 0 && certificate_serves(ret, authority, names, now))
                return 0;
        text_done(&ret->chain);
        ret->chain = (struct text){ 0 };
        r = certificate_make(authority, names, now, ret);
        return r == 0 ? write_file(path_of(parent, "server.pem"), &ret->chain, 0644)
                      : r;
}

static void say_failed(struct parent *parent, int r) {
        struct event event = { .kind = EVENT_CERTIFICATE_FAILED };
        struct text why = { 0 };

        text_add(&why, path_of(parent, ""));
        text_add(&why, ": ");
        text_add(&why, r == -EINVAL ? "what is kept there cannot be read; move it away "
                                      "and a new authority is made"
                                    : strerror(-r));
        event.values[0] = (struct event_value)EVENT_TEXT(text_string(&why));
        parent_event(parent, &event);
        text_done(&why);
}

void parent_certify(struct parent *parent) {
        struct certificate_pair authority = { 0 }, pair = { 0 };
        ip4_t addresses[ADDRESSES_MAX];
        char host[HOST_MAX + 1] = "";
        struct ip6 six[ADDRESSES_MAX];
        struct certificate_names names = { .host = host,
                                           .addresses = addresses,
                                           .six = six };
        int r = 0;

        if (parent->conf->https.port == 0 || is_given(parent->conf))
                return;
        if (gethostname(host, sizeof(host) - 1) < 0 ||
            strspn(host, "-.abcdefghijklmnopqrs"
                         "tuvwxyzABCDEFGHIJKLMNOP"
                         "QRSTUVWXYZ0123456789") != strlen(host))
                host[0] = '\0';
        names.n_addresses = list_addresses(parent, addresses);
        names.n_six = list_six(parent, six);
        if (mkdir(path_of(parent, ""), 0700) < 0 && errno != EEXIST)
                r = -errno;
        if (r == 0)
                r = get_authority(parent, host, &authority);
        if (r == 0)
                r = get_server(parent, &authority, &names, &pair);
        if (r == 0)
                parent_take_certificate(parent, &pair);
        else
                say_failed(parent, r);
        certificate_pair_done(&authority);
        certificate_pair_done(&pair);
}
