#pragma once
/*
 * X.509 certificates for the HTTPS door: looked at when somebody gives them, made when
 * nobody does. All of them and their keys are PEM texts (RFC 7468).
 *
 * What we make is RSA of 2048 bits, signed with SHA-256: the TLS of firmware and of
 * older loaders knows no elliptic curves.
 */
#include "base/text.h"

/* A certificate, or a chain that begins with it, and its key. The callers own the
 * texts. */
struct certificate_pair {
        struct text chain, key;
};
void certificate_pair_done(struct certificate_pair *pair);

/* For whom a certificate is: what stands in its subjectAltName (RFC 5280, 4.2.1.6).
 * Firmware compares the address of its URL with that. */
struct certificate_names {
        const char *host; /* "": none */
        const ip4_t *addresses;
        size_t n_addresses;
        const struct ip6 *six;
        size_t n_six;
};

/* A new RSA key. -ENOMEM, or -EIO when the library has no randomness. */
MUST_USE int certificate_make_key(struct text *ret);
/* A root of its own for 20 years, signed with the pair's key; `name` is what a person
 * sees who enrols it. -ENOMEM, -EINVAL: the key cannot be read. */
MUST_USE int certificate_make_authority(const char *name, nsec_t realtime,
                                        struct certificate_pair *pair);
/* For a server and ten years, signed by `authority`; the pair's key is there already,
 * the chain is made. -ENOMEM, -EINVAL. */
MUST_USE int certificate_make(const struct certificate_pair *authority,
                              const struct certificate_names *names, nsec_t realtime,
                              struct certificate_pair *pair);

/* Whether the pair is usable: a chain that can be read, a key that is the first
 * certificate's own. Appends a sentence to `why` otherwise. */
bool certificate_is_pair(const struct certificate_pair *pair, struct text *why);
/* Whether it was signed by `authority`, holds every name, and lives for 30 days more.
 */
bool certificate_serves(const struct certificate_pair *pair,
                        const struct certificate_pair *authority,
                        const struct certificate_names *names, nsec_t realtime);

struct certificate_facts {
        struct text subject, issuer, names; /* "10.0.0.1, boot.example" */
        nsec_t not_before, not_after;       /* since 1970 */
        char fingerprint[32 * 3];           /* SHA-256: AB:CD:... */
};
/* Of the first certificate. -EINVAL, -ENOMEM; done() in any case. */
MUST_USE int certificate_read(const struct text *chain, struct certificate_facts *ret);
void certificate_facts_done(struct certificate_facts *facts);

/* The first certificate as DER, which is what firmware enrols. */
MUST_USE int certificate_der(const struct text *chain, struct text *ret);
