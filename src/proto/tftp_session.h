#pragma once
/*
 * One TFTP read as a value: RFC 1350, 2347, 2348, 2349, 7440. No socket, no file, no
 * clock. The caller feeds packets and time in, asks tftp_session_next() what to do and
 * says with tftp_session_sent() what it has done; a full socket is answered by saying
 * it later. next() goes on saying the same until something changes.
 */
#include "wire/tftp.h"

enum tftp_action_kind {
        TFTP_WAIT,       /* for a packet, or until .deadline: then tick() */
        TFTP_SEND,       /* .count blocks from .first: .length bytes from .offset */
        TFTP_SEND_OACK,  /* tftp_session_oack() builds it */
        TFTP_SEND_ERROR, /* .error and .message, once; the session is over after it */
        TFTP_DONE,       /* over, and nothing is wrong; .end says how */
        TFTP_FAILED,     /* over; .end says why */
};

enum tftp_end {
        TFTP_END_NONE,
        TFTP_END_SENT,        /* DONE: the last block was acknowledged */
        TFTP_END_SIZE_ASKED,  /* DONE: only the size was wanted */
        TFTP_END_CLOSED,      /* DONE: the client closed the file before its end */
        TFTP_END_TIMEOUT,     /* the client fell silent */
        TFTP_END_LAST_ACK,    /* all was sent, the last ACK never came */
        TFTP_END_ERROR,       /* the client sent an ERROR */
        TFTP_END_UNREACHABLE, /* the client's port is closed */
        TFTP_END_OURS,        /* tftp_session_fail() */
};

struct tftp_action {
        enum tftp_action_kind kind;
        uint64_t first; /* SEND: counts from 1 and never wraps */
        uint32_t count;
        uint64_t offset, length; /* the last block may be short or empty */
        nsec_t deadline;         /* WAIT */
        enum tftp_error error;   /* SEND_ERROR */
        const char *message;     /* SEND_ERROR: as given to tftp_session_fail() */
        enum tftp_end end;       /* DONE, FAILED */
};

/* What the server is willing to do, whatever is asked. */
struct tftp_limits {
        uint16_t blksize;      /* at most this; never below 512 */
        uint16_t windowsize;   /* at most this; 1 to 32767 */
        uint32_t window_bytes; /* a window's bytes, at most; one block is always allowed
                                */
};

enum {
        TFTP_BLKSIZE_ETHERNET = 1468, /* 1500 less 20 (IPv4), 8 (UDP) and 4 (TFTP) */
        TFTP_WINDOWSIZE_SERVED = 64,  /* a burst that network cards' rings hold */
        TFTP_WINDOW_BYTES_SERVED = 98304, /* and that a socket's usual buffer holds */
};

enum { TFTP_CLIENT_MESSAGE_MAX = 128 };

/* Invariants: acked <= next <= sent <= n_blocks, sent - acked <= windowsize. */
struct tftp_session {
        uint64_t size, n_blocks; /* including the short, maybe empty, last one */
        uint64_t acked;          /* the highest block acknowledged */
        uint64_t next;           /* blocks up to here need not be sent now */
        uint64_t sent;           /* the highest block ever sent */
        uint64_t resent;         /* blocks sent more than once, for the report */
        uint32_t blksize, windowsize;
        uint32_t window;             /* what leaves at once now: windowsize, or 1 */
        struct tftp_options options; /* those granted */
        enum tftp_action_kind
                state;     /* SEND_OACK until ACK 0, then SEND until the end */
        bool answer_due;   /* the OACK or ERROR has still to leave */
        bool is_answered;  /* the OACK has left once */
        bool is_heard;     /* the client has acknowledged something */
        bool is_probe_due; /* the last block sent has to leave once more */
        bool is_probed, is_repeated; /* since the client last moved */
        bool is_complaint_answered;  /* the same */
        bool do_duplicates_lie;      /* one was no complaint: none is believed again */
        unsigned tries; /* left before a client not yet heard is given up */
        nsec_t silent_since;
        nsec_t timeout, timeout_max; /* the wait now, and its ceiling */
        nsec_t deadline;
        nsec_t window_sent; /* when the window in flight left; NEVER: no telling */
        nsec_t first_left;  /* when the first block not acknowledged left last */
        nsec_t hurried; /* when a duplicate was believed; NEVER: not since it moved */
        nsec_t round_trip; /* smoothed, of windows that were sent once; 0: not known */
        nsec_t round_trip_varies;
        enum tftp_end end;
        enum tftp_error error;
        const char *message;
        uint16_t client_error; /* TFTP_END_ERROR */
        char client_message[TFTP_CLIENT_MESSAGE_MAX];
};

/* `asked` are the options of an RRQ. */
void tftp_session_init(struct tftp_session *ret, const struct tftp_options *asked,
                       uint64_t size, const struct tftp_limits *limits, nsec_t now);

struct tftp_action tftp_session_next(const struct tftp_session *s);
/* The first `count` blocks of the SEND that next() returned have left; for OACK and
 * ERROR count is 1. 0 is allowed and means that nothing could be sent. */
void tftp_session_sent(struct tftp_session *s, uint32_t count, nsec_t now);

/* A datagram from the client's own port. Anything that is not for a session is
 * ignored: bytes from the network are never an error. */
void tftp_session_recv(struct tftp_session *s, const void *data, size_t n, nsec_t now);
/* Time has passed; may be called at any time. */
void tftp_session_tick(struct tftp_session *s, nsec_t now);

/* The client's machine says that nobody listens on its port. */
void tftp_session_unreachable(struct tftp_session *s);
/* Our side cannot go on: an ERROR, then FAILED. `message` must outlive the session. */
void tftp_session_fail(struct tftp_session *s, enum tftp_error error,
                       const char *message);

/* The bytes written. */
size_t tftp_session_oack(const struct tftp_session *s,
                         uint8_t out[static TFTP_OACK_MAX]);
/* Bytes that the client has acknowledged. */
uint64_t tftp_session_acked_bytes(const struct tftp_session *s);
/* A sentence's end: "the client fell silent". */
const char *tftp_end_text(enum tftp_end end);
