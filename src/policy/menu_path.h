#pragma once
/*
 * The names by which loaders ask for their menu, and what such a name tells: in which
 * language the answer is wanted, and from some of them who asks.
 *
 *     pxelinux.cfg/UUID, 01-MAC, C0A80106, C0A8010 ... C, default
 *     efi64/pxelinux.cfg/...            syslinux.efi, below the folder it came from
 *     pxelinux.cfg/default-arm64-...    U-Boot
 *     extlinux/extlinux.conf            U-Boot's sysboot
 *     FOLDER/grub.cfg-UUID, -01-MAC, -C0A80106 ..., and FOLDER/grub.cfg
 *     boot.ipxe
 *     bootjack/...                      ours under fixed names, for including
 *     bootjack/memory/SIZES/boot.ipxe   iPXE, and which memory it found (memory.h)
 *     bootjack/uki/MAC.efi              firmware, what is assigned to a machine
 *
 * Loaders ask from the most special to the most common name; is_last says that this is
 * the most common one. Pure.
 */
#include "policy/policy.h"

enum menu_page {
        MENU_PAGE_MENU,
        MENU_PAGE_ENTRIES,    /* without what can stand in a file only once */
        MENU_PAGE_IPXE_SHELL, /* for iPXE, started by another loader for its shell */
        MENU_PAGE_IPXE_GRUB,  /* for iPXE, to become GRUB */
        MENU_PAGE_UNLOCKED,   /* one entry, for who knows the password */
        MENU_PAGE_UKI,        /* no menu: what is assigned to `mac`, in one program */
};

struct menu_path {
        enum menu_page page;
        enum policy_dialect dialect;
        enum policy_firmware firmware; /* that this name is for; UNKNOWN: any */
        size_t n_folder; /* bytes of the path before the name, without the slash */
        bool is_last;
        struct mac mac; /* zero: the name has none */
        bool has_uuid;
        struct uuid uuid;
        bool has_memory; /* this name tells it: 0 when the loader found none */
        uint64_t memory;
};

/* `path` is clean (base/path.h). False: no loader asks so. */
MUST_USE bool menu_path_parse(const char *path, struct menu_path *ret);

/* The value of `key` in "a=1&b=2", percent-decoded, without a NUL in it; false when it
 * is not there or does not fit. */
MUST_USE bool menu_path_query(const char *query, const char *key, char *ret, size_t n);

/* The names of bootjack/, for a listing; NULL ends them. */
extern const char *const menu_path_ours[];
