#pragma once
/*
 * What a machine of one firmware would be given to start the entries of one medium:
 * which loader, and what its menu says. The decision is policy_decide()'s, the model
 * menu_model_new()'s and the words the renderer's, so that what is shown before
 * anybody boots is what will be served. For a machine of which nothing but its firmware
 * is known. No I/O.
 */
#include "policy/loader.h"
#include "render/render.h"
#include "role/menu_model.h"

struct menu_preview_wish {
        const struct conf *conf;
        uint64_t loaders; /* mask of those that are there to be served */
        const struct menu_medium *medium;
        ip4_t server;         /* 0: not known */
        unsigned firmware;    /* number of a bit of medium_firmware */
        enum policy_kind pin; /* AUTO: what the configuration says */
        bool is_secure;       /* as of a machine that the medium is assigned to */
};

struct menu_preview {
        struct policy_decision decision;
        bool is_missing;          /* its loader is not there; all is as if it were */
        struct menu_model *model; /* NULL: such a machine boots nothing, decision.why */
};

/* -ENOMEM. */
MUST_USE int menu_preview_new(const struct menu_preview_wish *wish,
                              struct menu_preview *ret);
void menu_preview_done(struct menu_preview *preview);

/* The entry by id, as its model has it; NULL when this firmware is not offered it. */
const struct menu_entry *menu_preview_entry(const struct menu_preview *preview,
                                            const char *id);
/* The lines of the menu that start it; false when this loader cannot. */
MUST_USE bool menu_preview_lines(const struct menu_preview *preview,
                                 const struct menu_entry *entry, struct text *out);

/* The firmware for which the medium's own signed chain boots by network, and for which
 * of them beside another DHCP server, too: masks of 1 << enum policy_firmware. */
uint32_t menu_chain_firmware(const struct medium *medium, uint32_t *ret_by_proxy);
/* That on which what is assigned (an entry's id, or the medium's name) starts as one
 * program: the same kind of mask, 0 when it is no Linux system. */
uint32_t menu_uki_firmware(const struct medium *medium, const char *name,
                           const char *boot);
