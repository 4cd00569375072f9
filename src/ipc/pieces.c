/*
 * A piece is a byte for its kind, two numbers and a path that a NUL ends.
 */
#include "ipc/pieces.h"

enum { HEAD = 1 + 8 + 8 };

void ipc_pieces_add(struct text *tail, const struct ipc_piece *piece) {
        uint8_t head[HEAD];
        struct writer w = writer_of(head, sizeof(head));

        writer_u8(&w, (uint8_t)piece->kind);
        writer_be64(&w, piece->offset);
        writer_be64(&w, piece->length);
        assert(!w.failed);
        text_bytes(tail, head, sizeof(head));
        if (piece->path)
                text_add(tail, piece->path);
        text_char(tail, '\0');
}

static bool is_sound(const struct ipc_piece *piece) {
        switch (piece->kind) {
        case IPC_PIECE_BYTES:
                return true;
        case IPC_PIECE_FILE:
        case IPC_PIECE_SECTION:
                return piece->path[0] != '\0';
        case IPC_PIECE_ZEROS:
                return piece->length > 0 && piece->length <= IPC_PIECE_ALIGN_MAX;
        }
        return false;
}

bool ipc_pieces_next(struct reader *tail, struct ipc_piece *ret) {
        struct ipc_piece piece;

        if (reader_left(tail) == 0)
                return false;
        piece.kind = (enum ipc_piece_kind)reader_u8(tail);
        piece.offset = reader_be64(tail);
        piece.length = reader_be64(tail);
        piece.path = (const char *)reader_cstring(tail).data;
        if (!tail->failed && !is_sound(&piece))
                tail->failed = true;
        if (!tail->failed)
                *ret = piece;
        return !tail->failed;
}
