#pragma once
/*
 * Moving in: what ISC dhcpd's dhcpd.conf or dnsmasq's dnsmasq.conf says, as our YAML,
 * and a remark for each line that could not be carried. Text in, text out: files are
 * read by the caller's functions, nothing is looked up, resolved or guessed silently.
 *
 * What is read is somebody else's: size, nesting and the memory it makes us use are
 * limited. Does not block but for what the caller's functions do.
 */
#include "base/text.h"

enum import_kind {
        IMPORT_ANY, /* by content */
        IMPORT_DHCPD,
        IMPORT_DNSMASQ,
};

/* Where files come from. Both return 0 or -errno; *ret_text is for free(), and may
 * hold any bytes. A path is as it is written in the file that names it. */
struct import_files {
        int (*load)(const char *path, char **ret_text, size_t *ret_n, void *userdata);
        /* The names in a folder, each ended by a NUL; NULL: no folder can be read. */
        int (*list)(const char *path, char **ret_names, size_t *ret_n, void *userdata);
        void *userdata;
};

struct import_remark {
        char *file;
        unsigned line;
        char *message; /* what, why, and what to do; one line, printable */
        unsigned order;
};

struct import_result {
        enum import_kind kind; /* what it was taken for */
        struct text yaml;
        struct import_remark *remarks; /* in the order of the files and their lines */
        size_t n_remarks;
        struct text
                problem; /* with IMPORT_REFUSED: FILE:LINE:COLUMN: what was expected */
};

enum import_answer { IMPORT_REFUSED = 1 };

enum {
        IMPORT_BYTES_MAX = 8 << 20, /* all files together */
        IMPORT_FILES_MAX = 256,
        IMPORT_DEPTH_MAX = 16, /* files in files */
};

/* Reads `path` by files->load. IMPORT_REFUSED: it cannot be read or is not sound, and
 * ret->problem says where; -ENOMEM. import_result_done() after either. */
MUST_USE int import_convert(const char *path, enum import_kind kind,
                            const struct import_files *files,
                            struct import_result *ret);
void import_result_done(struct import_result *result);

/* "dhcpd", "dnsmasq"; false when it is neither. */
MUST_USE bool import_kind_parse(const char *name, enum import_kind *ret);
const char *import_kind_name(enum import_kind kind);
