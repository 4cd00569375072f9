#pragma once
/*
 * dhcpd.conf in three steps: its text becomes a tree of statements (dhcpd_tree.c),
 * these become frames, each with what it says and who is inside (dhcpd_frame.c), and
 * the frames become the flat scopes of our model (dhcpd.c). Conditions are read by
 * dhcpd_condition.c.
 */
#include "import/internal.h"

/* ---- statements ---- */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_SIGN };

struct token {
        enum token_kind kind;
        const char *s; /* a string without its quotes and escapes; NUL after it */
        size_t n;
        struct place at;
};

/* `tokens... ;` or `tokens... { inner }` */
struct statement {
        struct token *tokens; /* one of TOKEN_END after the last */
        size_t n;
        bool has_block;
        struct statement *inner; /* the first in the block */
        struct statement *next;
};

/* NULL with an empty file, too: look at im->failed. */
struct statement *dhcpd_parse(struct import *im, const struct import_text *text,
                              const struct open_file *open);

bool token_is(const struct token *token, const char *word);

/* ---- options that the file defines ---- */

struct definition {
        const char *space; /* NULL: the message's own */
        const char *name;
        unsigned code;
        const char *format;   /* see option_row */
        const char *encloses; /* the space whose options are its value; NULL */
        struct definition *next;
};

struct dhcpd {
        struct import *im;
        struct definition *definitions;
        size_t n_definitions;
        struct frame *classes; /* by next_class */
        size_t n_classes;
        bool has_known;   /* it matters who has a host entry */
        bool needs_known; /* there must be a class of those */
};

/* By "name" or "space.name"; false: there is none. */
bool dhcpd_find_option(const struct dhcpd *d, const char *name, struct definition *ret);

/* ---- conditions ---- */

struct condition {
        bool is_known;   /* it could be understood */
        bool is_negated; /* it holds for everybody but `matches` */
        struct matches matches;
        const char *why; /* it could not; a phrase */
        bool is_about;   /* it is not quite the same; said already */
};
/* Tokens up to `end`, which is not read. */
void dhcpd_condition(struct dhcpd *d, const struct token *tokens,
                     const struct token *end, struct condition *ret);

/* What a class is matched by ("match hardware;"), for its subclasses. */
struct operand {
        enum { OPERAND_UNKNOWN, OPERAND_CONSTANT, OPERAND_FIELD } kind;
        struct span bytes; /* of a constant */
        bool is_number;
        uint64_t number;
        enum match_key key; /* of a field */
        size_t offset;      /* the first byte of it that counts */
        size_t length;      /* SIZE_MAX: to its end */
        bool is_suffix;     /* the last `length` bytes */
        unsigned radix;     /* 0: bytes; else in digits, with `separator` between */
        unsigned width;
        const char *separator;
        const char *why;
};
void dhcpd_operand(struct dhcpd *d, const struct token *tokens, const struct token *end,
                   struct operand *ret);
/* Whom field = constant fits. False: *ret_why says why that cannot be said. */
bool dhcpd_equal(struct dhcpd *d, const struct operand *field,
                 const struct operand *constant, struct matches *ret,
                 const char **ret_why);

/* ---- frames ---- */

enum frame_kind {
        FRAME_GLOBAL,
        FRAME_GROUP,
        FRAME_SHARED,
        FRAME_SUBNET,
        FRAME_POOL,
        FRAME_CLASS,
        FRAME_SUBCLASS,
        FRAME_HOST,
        FRAME_BRANCH,
};

struct ladder;

struct branch {
        struct condition condition; /* of `else`: nothing, is_else */
        bool is_else;
        struct frame *frame;
        struct branch *next;
};

struct ladder { /* if, elsif, else */
        struct branch *branches;
        struct place at;
        struct ladder *next; /* the one that stands before it: the last one wins */
};

struct range {
        ip4_t first, last;
        bool bootp;
        struct place at;
        struct range *next;
};

struct permit { /* allow and deny of a pool */
        enum {
                PERMIT_MEMBERS,
                PERMIT_KNOWN,
                PERMIT_UNKNOWN,
                PERMIT_BOOTP,
                PERMIT_ALL
        } kind;
        bool is_denied;
        const char *name;
        struct place at;
        struct permit *next;
};

struct frame {
        enum frame_kind kind;
        const char *name;
        struct place at;
        struct frame *parent, *inner, **inner_end, *next;
        struct scope scope;
        struct ladder *ladders;
        /* switches; UNSAID: as outside */
        enum answer use_host_names, known_only, is_ignored;
        const char *vendor_space, *site_space;
        /* shared networks and subnets */
        ip4_t network, mask;
        const char *interface;
        struct range *ranges, **ranges_end;
        struct permit *permits, **permits_end;
        /* hosts */
        bool has_mac;
        struct mac mac;
        const char *client_id, *circuit_id, *uuid;
        ip4_t address;
        /* classes and subclasses */
        bool has_condition, has_operand;
        struct condition condition;
        struct operand operand;
        struct matches members; /* of its subclasses */
        struct frame *next_class;
        struct words made; /* the names of the classes that it became */
};

struct frame *dhcpd_frames(struct dhcpd *d, const struct statement *statements);
/* The value of "option NAME ..." as a statement says it. */
void dhcpd_option(struct dhcpd *d, struct frame *frame, const struct statement *s);
/* "option NAME code N = ..." and "option space NAME". False: it is none of these. */
bool dhcpd_define(struct dhcpd *d, const struct statement *s);
