#pragma once
/*
 * TFTP packets as structs: RFC 1350, options of RFC 2347, 2348 (blksize), 2349 (tsize,
 * timeout) and 7440 (windowsize). Spans point into the caller's packet.
 */
#include "base/cursor.h"

enum tftp_opcode {
        TFTP_OP_RRQ = 1,
        TFTP_OP_WRQ = 2,
        TFTP_OP_DATA = 3,
        TFTP_OP_ACK = 4,
        TFTP_OP_ERROR = 5,
        TFTP_OP_OACK = 6,
};

enum tftp_error {
        TFTP_ERROR_UNDEFINED = 0, /* the message says what */
        TFTP_ERROR_NOT_FOUND = 1,
        TFTP_ERROR_ACCESS = 2,
        TFTP_ERROR_ILLEGAL = 4,
        TFTP_ERROR_UNKNOWN_TID = 5,
        TFTP_ERROR_OPTION = 8,
};

enum tftp_mode { TFTP_MODE_OCTET, TFTP_MODE_NETASCII, TFTP_MODE_MAIL };

/* Text as netascii has it on the wire (RFC 1350 1, RFC 764): LF becomes CR LF, and a CR
 * that is not about that becomes CR NUL. Bytes written, at most 2 n. What was split
 * anywhere gives the same. */
size_t tftp_to_netascii(const uint8_t *data, size_t n, uint8_t *out);

enum tftp_verdict {
        TFTP_OK,
        TFTP_SHORT,          /* ends inside its fixed part */
        TFTP_UNKNOWN_OPCODE, /* not 1 to 6 */
        TFTP_NO_FILE,        /* a request without a terminated name */
        TFTP_NO_MODE,        /* a request without a mode, or with an unknown one */
};

enum {
        TFTP_PORT = 69,
        TFTP_HEAD = 4, /* of DATA */
        TFTP_BLKSIZE_DEFAULT = 512,
        TFTP_BLKSIZE_MIN = 8,
        TFTP_BLKSIZE_MAX = 65464,
        TFTP_WINDOWSIZE_MAX = 65535,
        TFTP_OACK_MAX = 128, /* enough for every option that is known here */
};

/* An option that is absent, or whose value no RFC allows, is 0 (and has_tsize false):
 * it is then ignored, as RFC 2347 wants it for what a server does not know. */
struct tftp_options {
        uint32_t blksize; /* 8.. as asked, maybe above TFTP_BLKSIZE_MAX */
        uint32_t windowsize;
        uint8_t timeout; /* seconds */
        bool has_tsize;
        uint64_t tsize;
};

struct tftp_packet {
        enum tftp_opcode opcode;
        /* RRQ, WRQ */
        struct span file;
        enum tftp_mode mode;
        struct tftp_options options; /* OACK too */
        /* DATA, ACK */
        uint16_t block;
        struct span data;
        /* ERROR */
        uint16_t error;
        struct span message; /* what there is of it; its NUL is often missing */
};

/* On anything but TFTP_OK *ret is untouched. */
enum tftp_verdict tftp_parse(const void *data, size_t n, struct tftp_packet *ret);
/* A sentence's end: "the request has no mode". */
const char *tftp_verdict_text(enum tftp_verdict verdict);

/* Each returns the bytes written, or 0 when they do not fit. */
size_t tftp_build_request(void *out, size_t n, const char *file,
                          const struct tftp_options *options); /* RRQ, octet */
size_t tftp_build_oack(void *out, size_t n, const struct tftp_options *options);
size_t tftp_build_ack(void *out, size_t n, uint16_t block);
/* The message is cut rather than refused. */
size_t tftp_build_error(void *out, size_t n, enum tftp_error error,
                        const char *message);
void tftp_build_data_head(uint8_t out[static TFTP_HEAD], uint16_t block);
