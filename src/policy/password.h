#pragma once
/*
 * The menu's password in the forms that loaders check: SHA-512 as crypt(3) writes it
 * for syslinux ($6$SALT$...), PBKDF2 with HMAC-SHA-512 for GRUB
 * (grub.pbkdf2.sha512.N.SALT. HASH). Both are made of a clear text; one that was
 * written as a hash already is for its own loader, and there is none for the other.
 * iPXE checks nothing by itself: what was typed there is compared here. Pure; the salt
 * is an argument.
 */
#include "base/text.h"

enum { PASSWORD_FORM_MAX = 400, PASSWORD_SALT = 16 };

struct password {
        bool is_on;
        char clear[128];                  /* "": not known */
        char syslinux[PASSWORD_FORM_MAX]; /* "": there is none */
        char grub[PASSWORD_FORM_MAX];
};

enum password_kind {
        PASSWORD_CLEAR,
        PASSWORD_SYSLINUX, /* begins with $1$, $4$, $5$ or $6$ */
        PASSWORD_GRUB,     /* begins with grub.pbkdf2.sha512. */
        PASSWORD_BAD,      /* empty, too long, or with a character nobody can type */
};
enum password_kind password_kind(const char *written);

/* One or several ways of writing it; "" and NULL are no password. Takes tens of
 * milliseconds for a clear text. */
void password_make(const char *const *written, size_t n,
                   const uint8_t salt[static PASSWORD_SALT], struct password *ret);
bool password_is(const struct password *password, const char *typed);

/* The two hashes. `rounds` 5000 is crypt's own number and not written. */
void password_crypt(const char *typed, const char *salt, unsigned rounds,
                    struct text *out);
void password_pbkdf2(const char *typed, const uint8_t *salt, size_t n_salt,
                     unsigned rounds, struct text *out);
