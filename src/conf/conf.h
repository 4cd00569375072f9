#pragma once
/*
 * The configuration: one YAML file and the flags that override it, read into one
 * immutable snapshot. A reload builds a second one and swaps, or keeps the first.
 *
 * Everything a snapshot points to belongs to it. Every key is optional; what is not
 * given has its default here already, so that nobody else knows a default.
 */
#include "base/text.h"
#include "policy/scope.h"

enum conf_when { CONF_WHEN_NEEDED, CONF_ON, CONF_OFF };
enum conf_dhcp_mode { CONF_DHCP_PROXY, CONF_DHCP_SERVER, CONF_DHCP_OFF };

struct conf_texts {
        char **items;
        size_t n;
};

struct conf_machine {
        struct mac mac; /* zero: known by its UUID alone */
        bool has_uuid;
        struct uuid uuid;
        uint8_t loader; /* enum policy_kind */
        enum policy_secure secure_boot;
        char *class;     /* "": known by its MAC or UUID */
        char *boot;      /* an entry's id */
        nsec_t timeout;  /* until that starts; 0: wait for ever */
        bool once;       /* and after that the local disk */
        uint64_t memory; /* bytes; 0: what the machine says */
};

struct conf_ports {
        uint16_t first, last;
};

enum { CONF_WORKERS_MAX = 16 };

struct conf {
        struct conf_texts interfaces;        /* none: all that are up */
        char *state, *user, *root, *recipes; /* root "": none */
        struct conf_texts media, loaders;
        enum policy_secure secure_boot;
        uint32_t workers; /* processes that serve files */
        struct {
                enum conf_dhcp_mode mode;
                bool authoritative;
                bool no_router; /* tell iPXE that there is none of IPv6 */
                bool probe;
                nsec_t probe_time;   /* how long an answer to a probe is waited for */
                nsec_t decline_time; /* how long an address in use by others rests */
                nsec_t offer_time;   /* how long an offer holds an address */
                struct scope scope;  /* around all others */
                struct scope_subnet *subnets;
                size_t n_subnets;
                struct scope_class *classes;
                size_t n_classes;
                struct scope_host *hosts;
                size_t n_hosts;
                struct scope_pxe pxe;
        } dhcp;
        struct {
                uint16_t port;       /* 0: off, as for all ports */
                uint32_t per_source; /* transfers at a time from one address */
                uint32_t rate;       /* new requests a second from one address */
                uint32_t max_blksize;
                struct conf_ports port_range; /* of the transfers; 0: any */
                bool single_port;             /* all from `port` */
        } tftp;
        struct {
                uint16_t port;
                bool index;       /* list folders */
                char *access_log; /* "": none */
                bool log_is_combined;
                uint32_t per_source;  /* connections of one address; 0: any number */
                uint32_t connections; /* of a worker; 0: any number */
                uint32_t min_rate;    /* bytes a second; 0: any */
                char *root; /* a path not found at the top is looked for below this */
        } http;
        struct {
                uint16_t port;
                char *certificate; /* "": one that we make ourselves */
                char *key;         /* "": in the file of the certificate */
        } https;
        struct {
                uint16_t port;
                struct conf_ports port_range; /* of data connections; 0: any */
                uint32_t per_source;          /* connections at a time */
                nsec_t idle_timeout;
                uint32_t min_rate; /* bytes a second; 0: any */
                char *root; /* a path not found at the top is looked for below this */
        } ftp;
        struct {
                enum conf_when mode;
                uint16_t port;    /* of NFS and MOUNT */
                uint16_t portmap; /* of the port mapper */
        } nfs;
        struct {
                char *title;
                nsec_t timeout; /* 0: wait for ever */
                char *initial;  /* the key `default`: local, first or an entry's id */
                char *serial;   /* "ttyS0,115200"; "": none */
                enum conf_when submenus;
                bool tools;
                struct conf_texts password; /* in several forms of one; none: no */
                bool locks_entries;         /* else only command lines and arguments */
        } menu;
        struct conf_machine *machines;
        size_t n_machines;
};

/* What the command line says; it wins over the file. Strings are argv's. */
enum { CONF_FLAG_REPEAT_MAX = 64 };
struct conf_flags {
        const char *file; /* -c; NULL: the default one if it exists */
        const char *interfaces[CONF_FLAG_REPEAT_MAX + 1];
        const char *media[CONF_FLAG_REPEAT_MAX + 1];
        const char *root, *state, *dhcp, *user;
};

#define CONF_FILE_DEFAULT "/etc/bootjack/bootjack.yaml"

struct conf_problem {
        int line, column; /* from 1; 0: not about a place */
        bool is_warning;  /* said, but the configuration stands */
        char *message;    /* what was read, what was expected, the nearest word */
        char *source;     /* the line, for showing with a caret; "" */
};

struct conf_problems {
        char *file;
        struct conf_problem *items;
        size_t n, n_errors;
};

enum conf_answer { CONF_REFUSED = 1 };

/* `name` is for messages. All problems are collected before CONF_REFUSED is returned;
 * with 0 there may be warnings. -ENOMEM. */
MUST_USE int conf_parse(const char *name, const char *text, size_t n,
                        const struct conf_flags *flags, struct conf **ret,
                        struct conf_problems *problems);
struct conf *conf_free(struct conf *conf);
void conf_problems_done(struct conf_problems *problems);
/* "FILE:12:9: unknown key 'pols'; did you mean 'pools'?", the line and a caret. */
void conf_problems_format(const struct conf_problems *problems, struct text *out);

enum { CONF_BYTES_MAX = 16 << 20 }; /* a site with 100,000 hosts */

/* The text of the file that the flags name, for free(); "" when no file was named and
 * the default one does not exist. Appends to `why` and returns CONF_REFUSED when it
 * cannot be read or is larger than CONF_BYTES_MAX. *ret_name is static or the flag's.
 */
MUST_USE int conf_load(const struct conf_flags *flags, char **ret_text, size_t *ret_n,
                       const char **ret_name, struct text *why);

/* What a reload changes, as words for the event ("menu, dhcp"; "nothing"), and whether
 * it can be taken without opening sockets or folders anew. */
enum {
        CONF_DIFF_DHCP = 1 << 0,
        CONF_DIFF_MENU = 1 << 1,
        CONF_DIFF_DOORS = 1 << 2,   /* interfaces and ports: sockets */
        CONF_DIFF_FOLDERS = 1 << 3, /* root, media, loaders, logs: sandboxes */
        CONF_DIFF_RESTART = 1 << 4, /* state, user: only a restart takes them */
        CONF_DIFF_SERVING = 1 << 5, /* limits, http.root, http.index */
};
unsigned conf_diff(const struct conf *a, const struct conf *b);
void conf_diff_format(unsigned diff, struct text *out);

/* Every option, its type, its default and what it does: JSON, or a Markdown table. */
void conf_options_json(struct text *out);
void conf_options_markdown(struct text *out);
/* The same for the names that a map of DHCP options knows. */
void conf_dhcp_options_json(struct text *out);
void conf_dhcp_options_markdown(struct text *out);
