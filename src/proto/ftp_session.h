#pragma once
/*
 * One client of FTP as a value: bytes of its control connection and time in, one action
 * at a time out. No socket, no file, no clock. RFC 959, 1123 4.1, 2428 and 3659, for
 * reading only.
 *
 * The caller carries out what next() says, reports it, and asks again. While a transfer
 * runs, data() says what the data connection should carry next; both go on side by
 * side.
 */
#include "base/path.h"
#include "base/text.h"
#include "wire/ftp.h"

enum ftp_action_kind {
        FTP_WAIT,   /* for bytes of the client, or until .deadline: then tick() */
        FTP_SEND,   /* .data, .n by the control connection; then sent() */
        FTP_LOOKUP, /* s->path, .wants; then answer(), at once or later */
        FTP_LISTEN, /* for one data connection, of the peer alone; then listening() */
        FTP_DROP,   /* close the listener; then dropped() */
        FTP_FINISH, /* close the data connection and tell of it; then finished() */
        FTP_CLOSE,
};

enum ftp_wants {
        FTP_WANTS_ENTRY,  /* what it is */
        FTP_WANTS_LENGTH, /* and how long it is as ASCII */
        FTP_WANTS_FILE,   /* keep it open until FINISH */
        FTP_WANTS_LIST,   /* every entry of a folder, to list(), before the answer */
};

struct ftp_action {
        enum ftp_action_kind kind;
        enum ftp_wants wants;
        const char *data;
        size_t n;
        nsec_t deadline; /* of any kind but CLOSE: call tick() then */
};

enum ftp_data_kind {
        FTP_DATA_NONE,
        FTP_DATA_ACCEPT,  /* take the peer's connection; then connected() */
        FTP_DATA_CONNECT, /* to s->data_port of the peer; then connected() */
        FTP_DATA_TEXT,    /* .text, .n; then moved() */
        FTP_DATA_FILE,    /* .n bytes of the file from .offset; then moved() */
        FTP_DATA_ASCII,   /* the same as lines: without the first .skip bytes of what
                             they become; then moved_lines() */
};

struct ftp_data {
        enum ftp_data_kind kind;
        const char *text;
        uint64_t offset, n, skip;
};

enum ftp_found_kind { FTP_FOUND_FILE, FTP_FOUND_FOLDER, FTP_FOUND_NOTHING };

struct ftp_found {
        enum ftp_found_kind kind;
        uint64_t size;
        uint64_t ascii_size; /* when wanted; UINT64_MAX: too long to be counted */
        nsec_t mtime;        /* since 1970; 0: generated */
        const char *text;    /* of NOTHING: a sentence */
        bool is_temporary;   /* of NOTHING: it may be there later */
};

enum ftp_end {
        FTP_END_DONE,
        FTP_END_ABORTED,  /* by ABOR */
        FTP_END_UNOPENED, /* there was no data connection in time */
        FTP_END_LOST,     /* the client closed it */
        FTP_END_STALLED,  /* it took nothing, or too little */
        FTP_END_FILE,     /* could not be read, or is another one by now */
        FTP_END_GONE,     /* the control connection ended */
};

struct ftp_limits {
        nsec_t login; /* until somebody is logged in */
        nsec_t idle;  /* between commands; RFC 1123 4.1.3.2: five minutes and more */
        nsec_t open;  /* for a data connection to come about */
        nsec_t stall; /* without a byte taken */
        uint32_t min_rate; /* bytes a second after that; 0: any */
};
extern const struct ftp_limits ftp_limits_default; /* 1 min, 5 min, 30 s, 1 min, 0 */

enum ftp_state {
        FTP_STATE_READY,
        FTP_STATE_LOOKUP,
        FTP_STATE_LISTEN,
        FTP_STATE_LEAVING, /* the last words are sent, then it is closed */
        FTP_STATE_CLOSED,
};

enum ftp_way { FTP_WAY_NONE, FTP_WAY_PASSIVE, FTP_WAY_ACTIVE };
enum ftp_transfer { FTP_IDLE, FTP_OPENING, FTP_MOVING, FTP_FINISHING };

enum { FTP_IN_MAX = 2 * FTP_LINE_MAX };

struct ftp_session {
        enum ftp_state state;
        struct ftp_limits limits;
        ip4_t peer, local;

        /* The control connection. */
        uint8_t in[FTP_IN_MAX], line[FTP_LINE_MAX];
        size_t n_in;
        bool at_eof, is_skipping; /* the rest of a line that was too long */
        unsigned n_wrong;         /* commands in a row that made no sense */
        struct text out;
        size_t out_sent;
        nsec_t out_deadline, idle_deadline;

        /* Who, where, how. */
        bool has_name, is_logged_in, is_ascii, only_epsv;
        unsigned facts;
        uint64_t rest;
        char cwd[PATH_MAX_BYTES];

        /* The command in work. */
        enum ftp_verb verb;
        char path[PATH_MAX_BYTES];    /* clean */
        char pattern[PATH_MAX_BYTES]; /* of names in it; "": all */
        char prefix[PATH_MAX_BYTES];  /* before names of NLST */
        bool is_extended;             /* EPSV */

        /* The data connection. */
        enum ftp_way way;
        uint16_t data_port; /* of the peer */
        bool must_drop;
        enum ftp_transfer transfer;
        enum ftp_end end;
        struct text list; /* what is sent, when it is no file */
        bool is_file;
        uint64_t offset, left, skip, moved; /* moved: on the wire */
        nsec_t moving_since, data_deadline;
        const char *warning;
};

void ftp_session_init(struct ftp_session *ret, const struct ftp_limits *limits,
                      ip4_t peer, ip4_t local, nsec_t now);
void ftp_session_done(struct ftp_session *s);

/* How many bytes recv() would take now; while 0, leave them in the socket. */
size_t ftp_session_room(const struct ftp_session *s);
/* At most room() bytes. */
void ftp_session_recv(struct ftp_session *s, const void *data, size_t n, nsec_t now);
/* The peer will send no more. */
void ftp_session_eof(struct ftp_session *s, nsec_t now);

struct ftp_action ftp_session_next(const struct ftp_session *s);
struct ftp_data ftp_session_data(const struct ftp_session *s);

/* After SEND: bytes that the socket took. */
void ftp_session_sent(struct ftp_session *s, size_t n, nsec_t now);
/* An entry of the folder that is looked up; `realtime` since 1970. */
void ftp_session_list(struct ftp_session *s, const struct ftp_entry *entry,
                      nsec_t realtime);
void ftp_session_answer(struct ftp_session *s, const struct ftp_found *found,
                        nsec_t now, nsec_t realtime);
/* After LISTEN: at that port; 0: it could not be done. */
void ftp_session_listening(struct ftp_session *s, uint16_t port, nsec_t now);
void ftp_session_dropped(struct ftp_session *s);
void ftp_session_connected(struct ftp_session *s, nsec_t now);
/* After TEXT and FILE: bytes that the socket took. */
void ftp_session_moved(struct ftp_session *s, uint64_t n, nsec_t now);
/* After ASCII: the bytes of the file that were looked at, and how many of what they
 * become, behind .skip, the socket took. */
void ftp_session_moved_lines(struct ftp_session *s, const uint8_t *data, size_t n,
                             uint64_t sent, nsec_t now);
/* For so long nothing was sent, and not for the client's sake. */
void ftp_session_held_up(struct ftp_session *s, nsec_t time);
/* The data connection or the file failed: UNOPENED, LOST or FILE. */
void ftp_session_data_failed(struct ftp_session *s, enum ftp_end end, nsec_t now);
/* After FINISH. */
void ftp_session_finished(struct ftp_session *s, nsec_t now);
/* Time has passed; may be called at any time. */
void ftp_session_tick(struct ftp_session *s, nsec_t now);
/* The control connection failed: CLOSE follows, after FINISH. */
void ftp_session_fail(struct ftp_session *s);

/* Waiting for a command, with no transfer: may be closed to make room. */
bool ftp_session_is_idle(const struct ftp_session *s);
/* What the administrator should hear of, once: a bounce that was tried; or NULL. */
const char *ftp_session_take_warning(struct ftp_session *s);
/* How a transfer ended: a sentence's end. */
const char *ftp_end_text(enum ftp_end end);
