#pragma once
/*
 * How the core tells a files worker what a made file consists of: the tail of an
 * IPC_GENERATED. Pieces in order, each of the bytes that the descriptor beside it
 * holds, of a file of the served tree, or zeros up to a multiple of something.
 *
 * The worker trusts the shape no more than any message's: pieces_next() checks it.
 */
#include "base/text.h"

enum ipc_piece_kind {
        IPC_PIECE_BYTES, /* `length` bytes of the descriptor, from `offset` on */
        IPC_PIECE_FILE,  /* of the file `path` all from `offset` on: `length` bytes */
        IPC_PIECE_ZEROS, /* until the whole is a multiple of `length`, at most 4096 */
        /* What follows is the section `path` of a program (wire/uki.h), whose head is
         * the first piece and knows nothing of it yet. */
        IPC_PIECE_SECTION,
};

enum { IPC_PIECES_MAX = 32, IPC_PIECE_ALIGN_MAX = 4096 };
#define IPC_PIECE_REST UINT64_MAX /* as length: however many there are */

struct ipc_piece {
        enum ipc_piece_kind kind;
        uint64_t offset, length;
        const char *path; /* FILE, SECTION; borrowed from the tail; terminated */
};

void ipc_pieces_add(struct text *tail, const struct ipc_piece *piece);
/* The next one; false at the end, and with `failed` set when the rest is malformed. */
MUST_USE bool ipc_pieces_next(struct reader *tail, struct ipc_piece *ret);
