#pragma once
/*
 * Who signed: the names in an Authenticode signature (PKCS #7 SignedData in DER) and in
 * a certificate (X.509). Names only: nothing is verified here, firmware does that, and
 * nobody is let in for what is read here. Pure, bounded, no recursion.
 */
#include "base/cursor.h"

enum { AUTHENTICODE_NAME_MAX = 96, AUTHENTICODE_SIGNERS_MAX = 4 };

struct authenticode_signer {
        /* The certificate's own name and that of who issued it: the common name, else
         * the unit's or the organisation's. Terminated, printable; "" when unknown. */
        char subject[AUTHENTICODE_NAME_MAX], issuer[AUTHENTICODE_NAME_MAX];
};

/* The signers of one PKCS #7, at most `max` of them: how many there were. */
size_t authenticode_signers(struct span pkcs7, struct authenticode_signer *ret,
                            size_t max);
/* The names in one certificate; false when it is none. */
MUST_USE bool authenticode_certificate(struct span der,
                                       struct authenticode_signer *ret);
