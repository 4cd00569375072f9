#pragma once
/*
 * The loaders we know: for which firmware, under which name they are served, in which
 * language their menu is, where packages put them. Tables, and what is looked up in
 * them; the choice among them is policy.c's. Pure.
 */
#include "policy/policy.h"

/* What a person pins a machine to; together with the firmware it is one loader. */
enum policy_kind {
        POLICY_KIND_AUTO,
        POLICY_KIND_PXELINUX,
        POLICY_KIND_LPXELINUX,
        POLICY_KIND_GRUB,
        POLICY_KIND_SHIM,    /* a signed chain: shim, then GRUB */
        POLICY_KIND_IPXE,    /* iPXE with drivers of its own */
        POLICY_KIND_SNPONLY, /* iPXE upon the driver of the firmware */
        POLICY_KIND_SYSLINUX,
        POLICY_KIND_UKI, /* no loader: kernel and initrd of what is assigned, in one */
        POLICY_KIND_ISO, /* no loader: the firmware starts the image as a disk */
        POLICY_KIND_HELPER, /* what loaders start, or what boots disks: never chosen */
        POLICY_N_KINDS,
};
/* "grub"; NULL for HELPER. */
const char *policy_kind_word(enum policy_kind kind);
MUST_USE bool policy_kind_parse(const char *word, enum policy_kind *ret);
extern const char *const policy_kind_words[]; /* NULL ends them */

struct policy_loader_info {
        enum policy_kind kind;
        enum policy_firmware firmware;
        enum policy_dialect dialect;
        const char *file;    /* as it is served, from the tree's top */
        const char *package; /* of Debian, or a hint; "" when no package has it */
        const char *what;    /* "GRUB", "iPXE upon the firmware's driver" */
};
/* Never NULL: of NONE everything is empty. */
const struct policy_loader_info *policy_loader_info(enum policy_loader loader);
/* NONE: there is none for this firmware. */
enum policy_loader policy_loader_of(enum policy_kind kind,
                                    enum policy_firmware firmware);
/* That of a served name; NONE. */
enum policy_loader policy_loader_by_file(const char *file);

/* A file that a loader or menu needs in the tree and where packages put it. Several
 * rows may have one name: the first path that exists is taken. */
struct policy_file {
        const char *name;
        const char *host_path;
        const char *package;       /* of Debian, or Fedora's with its name before it */
        enum policy_loader loader; /* NONE: a module */
        bool is_signed; /* the package's file has a signature that shim or firmware
                           takes */
};
extern const struct policy_file policy_files[];
extern const size_t policy_n_files;
/* Who asks for this file and goes on without it: nothing to be warned of. NULL: nobody
 * known. */
const char *policy_file_optional(const char *path);

/* The folders above are in, and single files beside them: what who serves them must be
 * able to read. NULL ends them. */
extern const char *const policy_places[];
