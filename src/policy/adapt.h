#pragma once
/*
 * Answers that adapt. Firmware differs in what it will accept, and silence is its only
 * complaint: a machine that asks again without having taken the next step did not like
 * the form of the answer. Kept per machine: which form was tried, how often it asked,
 * what followed; kept per vendor (the first three bytes of its MAC) and architecture:
 * the form that worked, with which the next such machine is begun.
 *
 * The forms, their order, reasons and sources are a table. Memory is bounded:
 * ADAPT_MACHINES_MAX, the one not heard of for longest goes first. Pure; times are
 * nanoseconds since 1970 and may jump.
 */
#include "policy/policy.h"

enum { ADAPT_MACHINES_MAX = 4096, ADAPT_HABITS_MAX = 1024 };

/* Who asks: each kind has forms of its own. */
enum adapt_client {
        ADAPT_PXE,  /* option 60 PXEClient */
        ADAPT_HTTP, /* option 60 HTTPClient */
        ADAPT_N_CLIENTS,
};

/* How an answer is written; bits of a form. */
enum {
        ADAPT_CONTROL_FILE = 1 << 0, /* option 43: discovery control 8, "this file" */
        ADAPT_BOOT_SERVERS = 1 << 1, /* option 43: boot servers, menu and prompt; the
                                        file is asked for at port 4011 */
        ADAPT_NO_VENDOR = 1 << 2,    /* no option 43: firmware asks port 4011 */
        ADAPT_FILE_FIELD = 1 << 3,   /* the name in the header's file field */
        ADAPT_FILE_OPTION = 1 << 4,  /* in option 67, asked for or not */
        ADAPT_SHORT = 1 << 5,        /* nothing that was not asked for; no overload; at
                                        most 312 bytes of options */
        ADAPT_WAITS_4011 = 1 << 6,   /* the next step is a question to port 4011 */
};

struct adapt_form {
        const char *name; /* "option 43 with discovery control 8" */
        unsigned flags;
        const char *reason; /* for which firmware, and why it comes here in the order */
        const char *source; /* where that is written */
};
/* In the order in which they are tried. */
size_t adapt_forms(enum adapt_client client, const struct adapt_form **ret);

struct adapt;
MUST_USE int adapt_new(struct adapt **ret);
struct adapt *adapt_free(struct adapt *adapt);

enum adapt_step {
        ADAPT_REQUESTED,  /* took the address: says nothing of what else we said */
        ADAPT_ASKED_4011, /* asked the boot server */
        ADAPT_FETCHED,    /* a file by TFTP or HTTP: the form worked */
};

struct adapt_choice {
        const struct adapt_form *form;
        unsigned number;    /* of the form, from 1, in the table's order */
        bool is_new;        /* another form than before, or the machine's first */
        bool is_from_habit; /* because it worked for this vendor and architecture */
        const struct adapt_form *before; /* with is_new: that one; NULL: none */
        unsigned n_discovers;            /* that no step followed in the form before */
        bool has_tried_all; /* every form was tried without a step: begun again */
};

/* A DISCOVER of this machine: which form its answer takes. Two DISCOVERs that are no
 * copies of each other (another xid, or at least a second apart) without a step change
 * it. Also for the REQUEST and for port 4011: there with is_discover false, which
 * changes nothing. */
void adapt_choose(struct adapt *adapt, enum adapt_client client,
                  const struct policy_facts *facts, uint32_t xid, bool is_discover,
                  nsec_t now, struct adapt_choice *ret);

/* What worked for a vendor and architecture. */
struct adapt_habit {
        uint8_t vendor[3];
        uint16_t arch;
        enum adapt_client client;
        unsigned form; /* from 1 */
};

/* A step was taken. True when that teaches something new: *ret is to be remembered
 * over restarts. */
MUST_USE bool adapt_step(struct adapt *adapt, struct mac mac, enum adapt_step step,
                         nsec_t now, struct adapt_habit *ret);
/* At the start; a form that there is no more is passed over. -ENOMEM is not possible:
 * the memory is taken once. */
void adapt_load(struct adapt *adapt, const struct adapt_habit *habit);

/* "form 525400 0007 pxe" and "2", for the store. */
enum { ADAPT_KEY_MAX = 40 };
void adapt_habit_format(const struct adapt_habit *habit, char key[static ADAPT_KEY_MAX],
                        char value[static ADAPT_KEY_MAX]);
MUST_USE bool adapt_habit_parse(const char *key, const char *value,
                                struct adapt_habit *ret);
