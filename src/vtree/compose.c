/*
 * Files of pieces: bytes of ours, stretches of images and of host files, read as one.
 * Nothing is copied; every piece stays an open file of its own, with its own
 * descriptor, and is asked for itself whether it is still what it was.
 */
#include <stdlib.h>

#include "vtree/internal.h"

/* FNV-1a, then mixed: what two workers were given for the same question is the same. */
static int hash_of(const struct vtree_piece *piece, uint64_t *ret) {
        uint64_t hash = 0xcbf29ce484222325ULL, at = 0;
        uint8_t some[4096];

        while (at < piece->length) {
                size_t wanted = (size_t)min_u64(sizeof(some), piece->length - at);
                int64_t n =
                        vtree_file_read(piece->file, piece->offset + at, some, wanted);

                if (n <= 0)
                        return n < 0 ? (int)n : -ESTALE;
                for (int64_t i = 0; i < n; i++)
                        hash = (hash ^ some[i]) * 0x100000001b3ULL;
                at += (uint64_t)n;
        }
        *ret = hash;
        return 0;
}

static bool is_sound(const struct vtree_piece *piece) {
        const struct vtree_file *file = piece->file;

        return !file->is_folder && file->n_pieces == 0 && piece->offset <= file->size &&
               piece->length <= file->size - piece->offset &&
               (!piece->is_made || piece->length <= VTREE_MADE_MAX);
}

static int add(struct vtree_file *file, const struct vtree_piece *piece) {
        uint64_t hash = piece->file->etag;
        int r = piece->is_made ? hash_of(piece, &hash) : 0;

        if (r < 0)
                return r;
        file->etag = vtree_mix(vtree_mix(file->etag, hash), piece->length);
        if (!piece->is_made) {
                file->etag = vtree_mix(file->etag, piece->offset);
                if (piece->file->mtime > file->mtime)
                        file->mtime = piece->file->mtime;
        }
        file->size += piece->length;
        file->pieces[file->n_pieces] = *piece;
        file->pieces[file->n_pieces++].file = vtree_file_ref(piece->file);
        return 0;
}

int vtree_file_compose(const char *path, const struct vtree_piece *pieces, size_t n,
                       struct vtree_file **ret) {
        struct vtree_file *file;
        uint64_t size = 0;
        int r;

        for (size_t i = 0; i < n; i++) {
                size += pieces[i].length;
                if (!is_sound(&pieces[i]) || size > INT64_MAX)
                        return VTREE_UNREADABLE;
        }
        if (n > VTREE_PIECES_MAX)
                return VTREE_UNREADABLE;
        r = vtree_file_new(path, -1, 0, &file);
        if (r < 0)
                return r;
        file->pieces = calloc(n + 1, sizeof(*file->pieces));
        if (!file->pieces)
                r = -ENOMEM;
        for (size_t i = 0; i < n && r == 0; i++)
                if (pieces[i].length > 0)
                        r = add(file, &pieces[i]);
        if (r < 0) {
                vtree_file_unref(file);
                return r;
        }
        *ret = file;
        return VTREE_OK;
}
