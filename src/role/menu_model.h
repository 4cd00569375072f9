#pragma once
/*
 * The menu model (policy/menu.h) out of media and of what is known about a machine:
 * which entries its firmware can start, in which of their ways, in which order and
 * sub-menu, and what is said of those that will not do well. No I/O.
 *
 * An entry that needs more memory than the machine has, or that Secure Boot will not
 * let pass, stays and says so. One that is for other firmware is not there.
 */
#include "conf/conf.h"
#include "media/index.h"
#include "policy/menu.h"
#include "policy/password.h"
#include "policy/policy.h"

struct menu_medium {
        const char *name; /* of /media/NAME */
        const struct media_index *index;
        const char *system, *version; /* of the index, which is only read for entries */
};

/* What can be offered beside the media: files that are served, NULL when not. */
struct menu_tools {
        bool are_wanted;
        const char *memory_test; /* when no medium has one */
        const char *ipxe;        /* for a loader that is not iPXE */
        const char *ipxe_script; /* started with it, where it takes one; NULL */
        bool has_grub;           /* for iPXE */
};

/* Texts are borrowed until the model is freed. */
struct menu_wish {
        const char *title, *initial, *serial;
        nsec_t timeout;
        ip4_t server;
        uint16_t http_port;
        uint32_t transports; /* of medium.h, whose doors are open or can be opened */
        bool by_http;
        unsigned firmware; /* mask of MENU_BIOS... */
        enum policy_dialect dialect;
        uint64_t memory; /* of the machine; 0: unknown */
        bool is_secure;  /* Secure Boot is asked for */
        const char
                *chain;   /* then: the medium whose shim it starts by; NULL: Debian's */
        bool never_nests; /* no sub-menus */
        bool always_nests;
        const struct password *password; /* NULL: none */
        bool locks_entries;              /* not command lines alone */
        struct menu_tools tools;
        const struct menu_medium *media;
        size_t n_media;
};

/* What a configuration says of every menu: texts, doors, whether sub-menus are wanted.
 */
void menu_wish_configure(struct menu_wish *wish, const struct conf *conf);
/* Whether a loader gets large files by HTTP rather than TFTP. `is_lpxelinux` is for
 * pxelinux's language. */
bool menu_can_http(const struct conf *conf, enum policy_dialect dialect,
                   bool is_lpxelinux);
/* For a machine that starts by this file under Secure Boot: the medium whose shim it
 * is; "" when it is none's. */
void menu_chain_medium(const char *file, char ret_name[static POLICY_FILE_MAX]);

struct menu_model {
        struct menu menu;
        bool needs_nfs; /* an entry was given a way that goes by NFS */
        struct menu_chunk *chunks;
};

/* -ENOMEM. */
MUST_USE int menu_model_new(const struct menu_wish *wish, struct menu_model **ret);
struct menu_model *menu_model_free(struct menu_model *model);
