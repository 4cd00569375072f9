#pragma once
/*
 * The control connection of FTP as values: command lines (RFC 959 4.1, 5.3), the
 * arguments that have a form of their own, and the texts that are sent by either
 * connection. Spans point into the caller's bytes.
 */
#include "base/text.h"

enum ftp_verb {
        FTP_UNKNOWN,
        /* Known, and answered with one sentence. */
        FTP_WRITES, /* STOR, DELE, ...: this server is read-only */
        FTP_ABSENT, /* SMNT, AUTH, ...: known, not here */
        FTP_ABOR,
        FTP_ACCT,
        FTP_ALLO,
        FTP_CDUP,
        FTP_CLNT,
        FTP_CWD,
        FTP_EPRT,
        FTP_EPSV,
        FTP_FEAT,
        FTP_HELP,
        FTP_LIST,
        FTP_MDTM,
        FTP_MLSD,
        FTP_MLST,
        FTP_MODE,
        FTP_NLST,
        FTP_NOOP,
        FTP_OPTS,
        FTP_PASS,
        FTP_PASV,
        FTP_PORT,
        FTP_PWD,
        FTP_QUIT,
        FTP_REIN,
        FTP_REST,
        FTP_RETR,
        FTP_SIZE,
        FTP_STAT,
        FTP_STRU,
        FTP_SYST,
        FTP_TYPE,
        FTP_USER,
};

enum { FTP_LINE_MAX = 1200, FTP_VERB_TEXT_MAX = 8 };

struct ftp_command {
        enum ftp_verb verb;
        char name[FTP_VERB_TEXT_MAX + 1]; /* in capitals; "" when it is no word */
        struct span argument; /* without the space before it; may be empty */
};

enum ftp_verdict {
        FTP_OK,
        FTP_MORE,     /* no line end yet */
        FTP_TOO_LONG, /* more than FTP_LINE_MAX bytes without a line end */
};

/* The first line of what came; its end is CR LF, or LF alone. TELNET's own commands are
 * left out (RFC 959 3.1, RFC 1123 4.1.2.10): what remains is put into `line`, into
 * which the argument points. *ret_n: how many bytes there were, the end included. On
 * anything but FTP_OK nothing is touched. */
enum ftp_verdict ftp_parse_line(const uint8_t *data, size_t n,
                                uint8_t line[static FTP_LINE_MAX],
                                struct ftp_command *ret, size_t *ret_n);

/* RFC 959 5.3.2: h1,h2,h3,h4,p1,p2. Nothing but that is taken. */
MUST_USE bool ftp_parse_port(struct span s, ip4_t *ret_address, uint16_t *ret_port);
enum ftp_extended {
        FTP_EXTENDED_OK,
        FTP_EXTENDED_WRONG,    /* not of that form */
        FTP_EXTENDED_PROTOCOL, /* of another network protocol than IPv4 */
};
/* RFC 2428 2: <d>protocol<d>address<d>port<d>. */
enum ftp_extended ftp_parse_eprt(struct span s, ip4_t *ret_address, uint16_t *ret_port);
/* Digits alone. */
MUST_USE bool ftp_parse_u64(struct span s, uint64_t *ret);
/* Whether it is that word, in capitals or not. */
bool ftp_is_word(struct span s, const char *word);

/* RFC 959 3.1.1.1, 3.4: each line of a text ends in CR LF on the wire. Bytes written,
 * at most 2 n. What was split anywhere gives the same. */
size_t ftp_to_ascii(const uint8_t *data, size_t n, uint8_t *out);
/* How many that would be. */
uint64_t ftp_ascii_size(const uint8_t *data, size_t n);

/* RFC 3659 2.3: YYYYMMDDHHMMSS, in UTC. `time` since 1970. */
void ftp_add_time(struct text *out, nsec_t time);

struct ftp_entry {
        const char *name;
        bool is_folder;
        uint64_t size;
        nsec_t mtime; /* since 1970 */
};
/* A line as ls -l has it, in UTC, with its CR LF. Clients know it by heart; no RFC
 * does. A time of more than half a year ago has its year instead of its hour. */
void ftp_add_ls(struct text *out, const struct ftp_entry *entry, nsec_t now);

/* RFC 3659 7.5 */
enum {
        FTP_FACT_TYPE = 1,
        FTP_FACT_SIZE = 2,
        FTP_FACT_MODIFY = 4,
        FTP_FACT_PERM = 8,
        FTP_FACTS_ALL = 15,
};
/* "type*;size*;modify;": those chosen have a star; or only the chosen ones. */
void ftp_add_fact_names(struct text *out, unsigned chosen, bool is_feature);
unsigned ftp_parse_facts(struct span s);
/* "type=file;size=12; NAME", without a line end. */
void ftp_add_facts(struct text *out, const struct ftp_entry *entry, unsigned facts);

/* RFC 959 4.1.1 (PWD), 7: in quotes, and those inside doubled. */
void ftp_add_quoted(struct text *out, const char *path);
/* '*' and '?', as a shell has them. */
bool ftp_matches(const char *pattern, const char *name);
