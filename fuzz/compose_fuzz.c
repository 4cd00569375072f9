/* Pieces as the core sends them, of any bytes; what is sound is composed over two files
 * and read back against a copy: at once, from any place, and place by place. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "ipc/pieces.h"
#include "vtree/vtree.h"

enum { SIZE = 300 };

static struct vtree_file *files[2];
static uint8_t contents[2][SIZE];

static void set_up(void) {
        for (int i = 0; i < 2 && !files[i]; i++) {
                int fd = memfd_create("fuzz", MFD_CLOEXEC);

                for (int j = 0; j < SIZE; j++)
                        contents[i][j] = (uint8_t)(i * 128 + j % 97);
                assert(fd >= 0 && write(fd, contents[i], SIZE) == SIZE);
                assert(vtree_file_from_fd(fd, "x", &files[i]) == VTREE_OK);
        }
}

static void read_back(struct vtree_file *file, const uint8_t *copy, size_t n,
                      size_t from) {
        uint8_t *got = malloc(n + 1);
        struct vtree_place place;

        assert(got && file->size == n);
        assert(vtree_file_read(file, 0, got, n + 1) == (int64_t)n);
        assert(memcmp(got, copy, n) == 0);
        from = from % (n + 1);
        assert(vtree_file_read_now(file, from, got, n) == (int64_t)(n - from));
        assert(memcmp(got, copy + from, n - from) == 0);
        for (size_t at = 0; (place = vtree_file_place(file, at)).length > 0;) {
                assert(place.length <= n - at);
                assert(pread(place.fd, got, place.length, (off_t)place.offset) ==
                       (ssize_t)place.length);
                assert(memcmp(got, copy + at, place.length) == 0);
                at += place.length;
                assert(at <= n);
        }
        free(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static uint8_t copy[VTREE_PIECES_MAX * SIZE];
        struct vtree_piece pieces[VTREE_PIECES_MAX];
        struct reader left = reader_of(data, n);
        struct ipc_piece piece;
        struct vtree_file *file;
        size_t n_pieces = 0, n_copy = 0;

        set_up();
        while (n_pieces < VTREE_PIECES_MAX && ipc_pieces_next(&left, &piece)) {
                int which = piece.kind == IPC_PIECE_FILE;

                assert(strlen(piece.path) < n);
                if (piece.offset <= SIZE && piece.length <= SIZE - piece.offset) {
                        memcpy(copy + n_copy, contents[which] + piece.offset,
                               piece.length);
                        n_copy += piece.length;
                }
                pieces[n_pieces++] = (struct vtree_piece){ files[which], piece.offset,
                                                           piece.length, !which };
        }
        if (vtree_file_compose("x", pieces, n_pieces, &file) != VTREE_OK)
                return 0;
        read_back(file, copy, n_copy, n);
        vtree_file_unref(file);
        assert(files[0]->n_refs == 1 && files[1]->n_refs == 1);
        return 0;
}
