#pragma once
/*
 * What a boot program says of itself: for which machine it is, who signed it, which
 * generations of what it is (SBAT), whom a shim trusts, and what a GRUB can do. Names
 * are read, nothing is verified: firmware and shim do that.
 *
 * Reads through a function, from the disk or from inside an image; may block there.
 */
#include "wire/authenticode.h"
#include "wire/grub_image.h"

enum { SIGNATURE_SBAT_MAX = 160 };

struct signature {
        bool is_pe;
        uint16_t machine; /* PE_X64...; see wire/pe.h */
        size_t n_signers; /* 0: it is not signed */
        struct authenticode_signer signers[AUTHENTICODE_SIGNERS_MAX];
        bool is_shim; /* it has a certificate for what it starts: */
        struct authenticode_signer vendor;
        bool is_grub;
        struct grub_image grub;
        char sbat[SIGNATURE_SBAT_MAX]; /* "shim 4, shim.debian 1"; "" */
};

struct signature_source {
        /* How many bytes were there, or -errno. */
        int (*read)(void *userdata, uint64_t offset, void *buffer, size_t n);
        void *userdata;
        uint64_t size;
};
/* 0 with is_pe false for anything that is no PE; -ENOMEM. What cannot be read is as if
 * it were not there. */
MUST_USE int signature_read(const struct signature_source *source,
                            struct signature *ret);

/* Of a file on this host, or inside a medium. SIGNATURE_NONE: there is no such file,
 * and *ret says as much. */
enum signature_answer { SIGNATURE_OK, SIGNATURE_NONE };
struct media_tree;
MUST_USE int signature_read_host(const char *path, struct signature *ret);
MUST_USE int signature_read_inside(const struct media_tree *tree, const char *path,
                                   struct signature *ret);

/* Would a chain that begins with this shim start it? By the names: it is signed by the
 * shim's vendor, or its signer's certificate is. Writes why not, "" when it would. */
enum { SIGNATURE_WHY_MAX = 256 };
void signature_why_not(const struct signature *shim, const struct signature *program,
                       const char *what, char ret_why[static SIGNATURE_WHY_MAX]);

/* What the loaders and kernels of a medium say of themselves: why_not of its chains,
 * and secure_why_not of its entries. Texts are kept by `keep`; -ENOMEM. */
struct medium;
typedef const char *(*signature_keep_fn)(void *userdata, const char *text);
MUST_USE int signature_mark(const struct media_tree *tree, struct medium *medium,
                            signature_keep_fn keep, void *userdata);
