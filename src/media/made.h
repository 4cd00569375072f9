#pragma once
/*
 * The names of files that are made on the way, from a medium and never on disk:
 *
 *     made/NAME/FILE.cpio      an archive that holds the image as one file, FILE
 *     made/NAME/ENTRY/initrd   all initrds of an entry, one after the other
 *     made/NAME/boot.cfg       ESXi's, for the network, and its loaders beside it
 *     made/NAME/mboot.efi
 *     made/NAME/crypto64.efi
 *     made/NAME/winpeshl.ini   what Windows PE is to run, and how it goes on
 *     made/NAME/startnet.cmd
 *
 * The tree has to know which names there are, and the core what they mean: both ask
 * here. Pure; whether there is such a medium or entry, the callers know.
 */
#include "media/medium.h"

enum made_kind {
        MADE_NOTHING,
        MADE_CPIO,
        MADE_INITRD,
        MADE_BOOT_CFG,
        MADE_MBOOT_EFI,
        MADE_CRYPTO_EFI,
        MADE_WINPESHL,
        MADE_STARTNET,
};

/* Pieces of the path that was parsed: valid as long as it. */
struct made {
        enum made_kind kind;
        const char *medium; /* NAME */
        size_t n_medium;
        const char *name; /* FILE of a cpio, ENTRY of an initrd */
        size_t n_name;
};

/* `path` is clean, from the tree's top. False when it is none of the names. */
MUST_USE bool made_parse(const char *path, struct made *ret);

/* The file of the medium without which there is no such made one; NULL: none. */
const char *made_needs(enum made_kind kind);

typedef bool (*made_has_fn)(const char *path,
                            void *userdata); /* is it on the medium? */
/* What a folder of a medium shows: the names below made/NAME, where those of entries
 * are folders (true in *ret_is_folder). FILE of an archive may be anything; what is
 * shown is what the medium's own system asks for. False past the last. */
MUST_USE bool made_name(const struct medium *medium, made_has_fn has, void *userdata,
                        size_t i, struct text *ret, bool *ret_is_folder);
