/* Certificates, by OpenSSL. Its own error queue is emptied here; ours are sentences. */
#include "io/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

enum { KEY_BITS = 2048, SERIAL_BITS = 127 };

static const time_t day = 86400;

void certificate_pair_done(struct certificate_pair *pair) {
        if (pair->key.s)
                explicit_bzero(pair->key.s, pair->key.n);
        text_done(&pair->chain);
        text_done(&pair->key);
        *pair = (struct certificate_pair){ 0 };
}

static BIO *reader(const struct text *t) {
        return BIO_new_mem_buf(text_string(t), (int)t->n);
}

static X509 *read_certificate(const struct text *chain) {
        BIO *bio = reader(chain);
        X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

        BIO_free(bio);
        ERR_clear_error();
        return x;
}

/* A key with a passphrase would ask for it on the terminal. */
static int no_passphrase(char *buffer, int n, int is_writing, void *userdata) {
        return -1;
}

static EVP_PKEY *read_key(const struct text *key) {
        BIO *bio = reader(key);
        EVP_PKEY *k =
                bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

        BIO_free(bio);
        ERR_clear_error();
        return k;
}

/* What a memory BIO holds, at the end of `ret`. */
static int take_bio(BIO *bio, struct text *ret) {
        char *data;
        long n = BIO_get_mem_data(bio, &data);

        if (n > 0)
                text_bytes(ret, data, (size_t)n);
        return n > 0 && !ret->failed ? 0 : -ENOMEM;
}

static int write_certificate(X509 *x, struct text *ret) {
        BIO *bio = BIO_new(BIO_s_mem());
        int r = bio && PEM_write_bio_X509(bio, x) ? take_bio(bio, ret) : -ENOMEM;

        BIO_free(bio);
        return r;
}

int certificate_make_key(struct text *ret) {
        EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
        BIO *bio = BIO_new(BIO_s_secmem());
        int r = -EIO;

        if (key && bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
                r = take_bio(bio, ret);
        BIO_free(bio);
        EVP_PKEY_free(key);
        ERR_clear_error();
        return r;
}

static bool set_serial(X509 *x) {
        BIGNUM *n = BN_new();
        bool good = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));

        BN_free(n);
        return good;
}

/* The clocks of machines that are being installed are often wrong: what we make was
 * valid a year ago. */
static bool set_validity(X509 *x, nsec_t realtime, time_t days) {
        time_t now = (time_t)(realtime / NSEC_PER_SEC);

        return ASN1_TIME_set(X509_getm_notBefore(x), now - 365 * day) &&
               ASN1_TIME_set(X509_getm_notAfter(x), now + days * day);
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value) {
        X509_EXTENSION *extension;
        X509V3_CTX context;
        bool good;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        good = extension && X509_add_ext(x, extension, -1);
        X509_EXTENSION_free(extension);
        return good;
}

static bool set_name(X509 *x, const char *name) {
        X509_NAME *subject = X509_get_subject_name(x);

        return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                                          (const unsigned char *)"Bootjack", -1, -1,
                                          0) &&
               X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                          (const unsigned char *)name, -1, -1, 0);
}

static X509 *begin(const char *name, EVP_PKEY *key, nsec_t realtime, time_t days) {
        X509 *x = X509_new();

        if (x && X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
            set_validity(x, realtime, days) && set_name(x, name) &&
            X509_set_pubkey(x, key))
                return x;
        X509_free(x);
        return NULL;
}

/* RFC 5280, 4.2.1: the extensions that a root carries. */
static bool finish_authority(X509 *x, EVP_PKEY *key) {
        return X509_set_issuer_name(x, X509_get_subject_name(x)) &&
               add_extension(x, x, NID_basic_constraints,
                             "critical,CA:TRUE,pathlen:0") &&
               add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
               add_extension(x, x, NID_subject_key_identifier, "hash") &&
               X509_sign(x, key, EVP_sha256());
}

int certificate_make_authority(const char *name, nsec_t realtime,
                               struct certificate_pair *pair) {
        EVP_PKEY *key = read_key(&pair->key);
        X509 *x = key ? begin(name, key, realtime, 20 * 365) : NULL;
        int r = !key ? -EINVAL : -ENOMEM;

        if (x && finish_authority(x, key))
                r = write_certificate(x, &pair->chain);
        X509_free(x);
        EVP_PKEY_free(key);
        ERR_clear_error();
        return r;
}

/* ---- of a server ---- */

static bool add_name(GENERAL_NAMES *all, int type, ASN1_STRING *value) {
        GENERAL_NAME *name = GENERAL_NAME_new();

        if (!value || !name) {
                ASN1_STRING_free(value);
                GENERAL_NAME_free(name);
                return false;
        }
        GENERAL_NAME_set0_value(name, type, value);
        if (sk_GENERAL_NAME_push(all, name))
                return true;
        GENERAL_NAME_free(name);
        return false;
}

static ASN1_STRING *string_of(int type, const void *data, size_t n) {
        ASN1_STRING *s = ASN1_STRING_type_new(type);

        if (s && !ASN1_STRING_set(s, data, (int)n)) {
                ASN1_STRING_free(s);
                return NULL;
        }
        return s;
}

static bool add_names(X509 *x, const struct certificate_names *names) {
        GENERAL_NAMES *all = GENERAL_NAMES_new();
        bool good = all != NULL;

        for (size_t i = 0; good && i < names->n_addresses; i++) {
                uint32_t wire = htonl(names->addresses[i]);

                good = add_name(all, GEN_IPADD,
                                string_of(V_ASN1_OCTET_STRING, &wire, sizeof(wire)));
        }
        for (size_t i = 0; good && i < names->n_six; i++)
                good = add_name(all, GEN_IPADD,
                                string_of(V_ASN1_OCTET_STRING, names->six[i].b,
                                          sizeof(names->six[i].b)));
        if (good && names->host[0])
                good = add_name(
                        all, GEN_DNS,
                        string_of(V_ASN1_IA5STRING, names->host, strlen(names->host)));
        if (good && sk_GENERAL_NAME_num(all) > 0)
                good = X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0,
                                         X509V3_ADD_DEFAULT) == 1;
        GENERAL_NAMES_free(all);
        return good;
}

static bool finish_server(X509 *x, X509 *authority, EVP_PKEY *key,
                          const struct certificate_names *names) {
        return X509_set_issuer_name(x, X509_get_subject_name(authority)) &&
               add_extension(x, authority, NID_basic_constraints, "CA:FALSE") &&
               add_extension(x, authority, NID_key_usage,
                             "critical,digitalSignature,keyEncipherment") &&
               add_extension(x, authority, NID_ext_key_usage, "serverAuth") &&
               add_extension(x, authority, NID_subject_key_identifier, "hash") &&
               add_extension(x, authority, NID_authority_key_identifier, "keyid") &&
               add_names(x, names) && X509_sign(x, key, EVP_sha256());
}

int certificate_make(const struct certificate_pair *authority,
                     const struct certificate_names *names, nsec_t realtime,
                     struct certificate_pair *pair) {
        X509 *root = read_certificate(&authority->chain), *x = NULL;
        EVP_PKEY *root_key = read_key(&authority->key), *key = read_key(&pair->key);
        int r = root && root_key && key ? -ENOMEM : -EINVAL;

        if (r == -ENOMEM)
                x = begin(names->host[0] ? names->host : "boot server", key, realtime,
                          10 * 365);
        if (x && finish_server(x, root, root_key, names))
                r = write_certificate(x, &pair->chain);
        X509_free(x);
        X509_free(root);
        EVP_PKEY_free(root_key);
        EVP_PKEY_free(key);
        ERR_clear_error();
        return r;
}

/* ---- looking at one ---- */

bool certificate_is_pair(const struct certificate_pair *pair, struct text *why) {
        X509 *x = read_certificate(&pair->chain);
        EVP_PKEY *key = read_key(&pair->key);
        bool good = x && key && X509_check_private_key(x, key) == 1;

        if (!x)
                text_add(why, "the certificate is not in PEM form, or is damaged");
        else if (!key)
                text_add(why, "the key is not in PEM form, is damaged, or needs a "
                              "passphrase, which nobody could type");
        else if (!good)
                text_add(why, "the key does not belong to the certificate");
        X509_free(x);
        EVP_PKEY_free(key);
        ERR_clear_error();
        return good;
}

static bool has_address(const GENERAL_NAMES *all, const void *wire, size_t n) {
        for (int i = 0; all && i < sk_GENERAL_NAME_num(all); i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

                if (name->type == GEN_IPADD &&
                    (size_t)ASN1_STRING_length(name->d.iPAddress) == n &&
                    memcmp(ASN1_STRING_get0_data(name->d.iPAddress), wire, n) == 0)
                        return true;
        }
        return false;
}

static bool holds(X509 *x, const struct certificate_names *names) {
        GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
        bool good = !names->host[0] ||
                    X509_check_host(x, names->host, strlen(names->host), 0, NULL) == 1;

        for (size_t i = 0; good && i < names->n_addresses; i++) {
                uint32_t wire = htonl(names->addresses[i]);

                good = has_address(all, &wire, sizeof(wire));
        }
        for (size_t i = 0; good && i < names->n_six; i++)
                good = has_address(all, names->six[i].b, sizeof(names->six[i].b));
        GENERAL_NAMES_free(all);
        return good;
}

bool certificate_serves(const struct certificate_pair *pair,
                        const struct certificate_pair *authority,
                        const struct certificate_names *names, nsec_t realtime) {
        X509 *x = read_certificate(&pair->chain),
             *root = read_certificate(&authority->chain);
        time_t then = (time_t)(realtime / NSEC_PER_SEC) + 30 * day;
        struct text ignored = { 0 };
        bool good = x && root && certificate_is_pair(pair, &ignored) &&
                    X509_verify(x, X509_get0_pubkey(root)) == 1 && holds(x, names) &&
                    X509_cmp_time(X509_get0_notAfter(x), &then) > 0;

        text_done(&ignored);
        X509_free(x);
        X509_free(root);
        ERR_clear_error();
        return good;
}

static nsec_t time_of(const ASN1_TIME *time) {
        struct tm tm;
        time_t then;

        if (!ASN1_TIME_to_tm(time, &tm))
                return 0;
        then = timegm(&tm);
        return then > 0 ? (nsec_t)then * NSEC_PER_SEC : 0;
}

static void describe_name(const X509_NAME *name, struct text *ret) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *data;

        if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE) >= 0) {
                long n = BIO_get_mem_data(bio, &data);

                text_bytes(ret, data, n > 0 ? (size_t)n : 0);
        }
        BIO_free(bio);
}

static void describe_names(const X509 *x, struct text *ret) {
        GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

        for (int i = 0; all && i < sk_GENERAL_NAME_num(all); i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
                const ASN1_STRING *value = name->d.ia5;
                char text[IP6_TEXT_MAX];
                struct ip6 six;
                uint32_t wire;

                if (name->type != GEN_IPADD && name->type != GEN_DNS)
                        continue;
                text_add(ret, ret->n ? ", " : "");
                if (name->type == GEN_DNS) {
                        text_printable(ret, (const char *)ASN1_STRING_get0_data(value),
                                       (size_t)ASN1_STRING_length(value));
                } else if (ASN1_STRING_length(value) == sizeof(wire)) {
                        memcpy(&wire, ASN1_STRING_get0_data(value), sizeof(wire));
                        text_ip4(ret, ntohl(wire));
                } else if (ASN1_STRING_length(value) == sizeof(six.b)) {
                        memcpy(six.b, ASN1_STRING_get0_data(value), sizeof(six.b));
                        text_add(ret, ip6_format(six, text));
                }
        }
        GENERAL_NAMES_free(all);
}

int certificate_read(const struct text *chain, struct certificate_facts *ret) {
        X509 *x = read_certificate(chain);
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        *ret = (struct certificate_facts){ 0 };
        if (!x)
                return -EINVAL;
        describe_name(X509_get_subject_name(x), &ret->subject);
        describe_name(X509_get_issuer_name(x), &ret->issuer);
        describe_names(x, &ret->names);
        ret->not_before = time_of(X509_get0_notBefore(x));
        ret->not_after = time_of(X509_get0_notAfter(x));
        if (X509_digest(x, EVP_sha256(), digest, &n))
                for (unsigned i = 0; i < n && i < 32; i++)
                        snprintf(ret->fingerprint + 3 * i, 4, "%02X%s", digest[i],
                                 i + 1 < n ? ":" : "");
        X509_free(x);
        ERR_clear_error();
        return n && !ret->subject.failed && !ret->names.failed ? 0 : -ENOMEM;
}

void certificate_facts_done(struct certificate_facts *facts) {
        text_done(&facts->subject);
        text_done(&facts->issuer);
        text_done(&facts->names);
}

int certificate_der(const struct text *chain, struct text *ret) {
        X509 *x = read_certificate(chain);
        unsigned char *der = NULL;
        int n = x ? i2d_X509(x, &der) : -1;

        if (n > 0)
                text_bytes(ret, der, (size_t)n);
        OPENSSL_free(der);
        X509_free(x);
        return !x ? -EINVAL : n > 0 && !ret->failed ? 0 : -ENOMEM;
}
