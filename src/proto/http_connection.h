#pragma once
/*
 * One HTTP connection as a value: bytes and time in, one action at a time out. No
 * socket, no file, no clock. The caller carries out what next() says, reports it, and
 * asks again; next() goes on saying the same until something changes.
 *
 * A request becomes LOOKUP; the caller finds the file and says what it found with
 * http_connection_answer(). Everything else (ranges, conditions, keep-alive, pipelined
 * requests, refusals, deadlines) is decided here.
 */
#include "base/path.h"
#include "base/text.h"
#include "wire/http.h"

enum http_action_kind {
        HTTP_WAIT,      /* for bytes, or until .deadline: then tick() */
        HTTP_LOOKUP,    /* path, has_slash: find it, then answer() */
        HTTP_SEND,      /* .data, .n; .is_followed: file bytes come right after */
        HTTP_SEND_FILE, /* .n bytes of the file from .offset */
        HTTP_ANSWERED,  /* the answer has left: log it, then http_connection_logged() */
        HTTP_SHUTDOWN,  /* no more will be sent: say so to the peer, then shut() */
        HTTP_CLOSE,
};

struct http_action {
        enum http_action_kind kind;
        const char *data;
        bool is_followed;
        uint64_t offset, n;
        nsec_t deadline; /* WAIT, LOOKUP, SEND and SEND_FILE: call tick() then */
};

enum http_found_kind {
        HTTP_FOUND_FILE,
        HTTP_FOUND_LISTING, /* `text` is the page */
        HTTP_FOUND_FOLDER,  /* asked for without its slash */
        HTTP_FOUND_NOTHING, /* `status` and `text`, a sentence */
};

struct http_found {
        enum http_found_kind kind;
        uint64_t size, etag;
        nsec_t mtime;      /* since 1970 */
        bool is_generated; /* for this client, now: it must not be cached */
        unsigned status;
        const char *text; /* copied */
};

struct http_deadlines {
        nsec_t head;  /* for a request's head, from its first byte */
        nsec_t idle;  /* between requests */
        nsec_t stall; /* without a byte taken by the client */
};
extern const struct http_deadlines http_deadlines_default; /* 15 s, 60 s, 60 s */

enum http_state {
        HTTP_STATE_READING,
        HTTP_STATE_LOOKUP,
        HTTP_STATE_SENDING,
        HTTP_STATE_ANSWERED,
        HTTP_STATE_SHUTDOWN,
        HTTP_STATE_LINGER, /* the peer reads our last words before we close */
        HTTP_STATE_CLOSED,
};

struct http_connection {
        enum http_state state;
        const struct http_deadlines *deadlines;
        nsec_t deadline;
        size_t n_head;    /* bytes of `head` that are filled */
        size_t n_request; /* of which the current request */
        bool at_eof, will_close;
        uint32_t min_rate; /* bytes a second that the client must take, on average, once
                              `stall` has passed; 0, as after init(): any */
        nsec_t sending_since;

        /* The current request; its spans point into `head`. */
        struct http_request request;
        bool has_slash; /* asked for as a folder */

        /* The current answer. */
        unsigned status;
        const char *why; /* of a refusal decided here; NULL otherwise */
        struct text out; /* head, and body when it is not a file */
        size_t out_sent;
        uint64_t offset, left; /* of the file */
        uint64_t body_sent;
        struct http_piece pieces[HTTP_PIECES_MAX]; /* of a multipart answer */
        size_t n_pieces, next_piece;               /* n_pieces is 0 when it is none */
        uint64_t size, etag;

        /* Last, and untouched until bytes come: ten thousand idle connections are no
         * eighty megabytes. */
        char path[PATH_MAX_BYTES]; /* clean */
        uint8_t head[HTTP_REQUEST_HEAD_MAX];
};

void http_connection_init(struct http_connection *ret, nsec_t now);
void http_connection_done(struct http_connection *c);

/* How many bytes recv() would take now; while 0, leave them in the socket. */
size_t http_connection_room(const struct http_connection *c);
/* At most room() bytes. */
void http_connection_recv(struct http_connection *c, const void *data, size_t n,
                          nsec_t now, nsec_t realtime);
/* The peer will send no more. It may still be reading. */
void http_connection_eof(struct http_connection *c);

struct http_action http_connection_next(const struct http_connection *c);

/* After LOOKUP, at once or later. */
void http_connection_answer(struct http_connection *c, const struct http_found *found,
                            nsec_t now, nsec_t realtime);
/* After SEND or SEND_FILE: bytes that the socket took. */
void http_connection_sent(struct http_connection *c, uint64_t n, nsec_t now);
/* For so long nothing was sent, and not for the client's sake. */
void http_connection_held_up(struct http_connection *c, nsec_t time);
/* After ANSWERED. */
void http_connection_logged(struct http_connection *c, nsec_t now, nsec_t realtime);
/* After SHUTDOWN. */
void http_connection_shut(struct http_connection *c, nsec_t now);
/* Time has passed; may be called at any time. */
void http_connection_tick(struct http_connection *c, nsec_t now, nsec_t realtime);
/* The socket or the file failed: CLOSE. */
void http_connection_fail(struct http_connection *c);

/* Between requests with nothing under way: may be closed to make room. */
bool http_connection_is_idle(const struct http_connection *c);
/* The answered request as a line of the "common" format, or with referer and user agent
 * of the "combined" one, with its newline. */
void http_connection_log(const struct http_connection *c, const char *peer,
                         nsec_t realtime, bool is_combined, struct text *out);
