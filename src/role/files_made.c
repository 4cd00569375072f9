/*
 * The pieces are opened like what any client asks for, so a file in root wins here,
 * too, and whatever leads out of the tree is refused here as well.
 */
#include "role/files_made.h"

#include <sys/mman.h>
#include <unistd.h>

#include "wire/uki.h"

/* What the core names, and the padding of the last section. */
enum { ASSEMBLY_MAX = IPC_PIECES_MAX + 1 };

struct assembly {
        struct vtree *tree;
        struct vtree_file *bytes; /* of the core */
        struct vtree_piece pieces[ASSEMBLY_MAX];
        size_t n;
        uint64_t size;
        struct uki_section sections[UKI_SECTIONS_MAX];
        size_t n_sections;
};

int files_made_open(struct vtree *tree, const char *path, struct vtree_file **ret) {
        char found[PATH_MAX_BYTES];
        int r = vtree_open(tree, path, ret);

        /* ISO 9660 knows capitals only, and who wrote it down may have known others. */
        if (r == VTREE_NOT_FOUND && vtree_find_any_case(tree, path, found))
                r = vtree_open(tree, found, ret);
        return r == VTREE_GENERATED ? VTREE_NOT_FOUND : r;
}

static void append(struct assembly *a, const struct vtree_piece *piece) {
        a->pieces[a->n++] = *piece;
        a->size += piece->length;
}

/* Zeros are the end of a file that is longer than what is in it. */
static int add_zeros(struct assembly *a, uint64_t alignment) {
        uint64_t n = (alignment - a->size % alignment) % alignment;
        struct vtree_file *file;
        int fd, r;

        if (n == 0)
                return VTREE_OK;
        fd = memfd_create("zeros", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t)n) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        r = vtree_file_from_fd(fd, "", &file);
        if (r == VTREE_OK)
                append(a, &(struct vtree_piece){
                                  .file = file, .length = n, .is_made = true });
        return r;
}

static int add_file(struct assembly *a, const struct ipc_piece *piece) {
        struct vtree_file *file;
        uint64_t rest;
        int r = files_made_open(a->tree, piece->path, &file);

        if (r != VTREE_OK)
                return r;
        rest = file->size - min_u64(piece->offset, file->size);
        /* A header before it says how long it is. */
        if (file->is_folder ||
            (piece->length != IPC_PIECE_REST && piece->length != rest)) {
                vtree_file_unref(file);
                return VTREE_NOT_FOUND;
        }
        append(a, &(struct vtree_piece){ .file = file,
                                         .offset = piece->offset,
                                         .length = min_u64(piece->length, rest) });
        return VTREE_OK;
}

static void end_section(struct assembly *a) {
        struct uki_section *last =
                a->n_sections ? &a->sections[a->n_sections - 1] : NULL;

        if (last)
                last->n = a->size - last->offset;
}

static int begin_section(struct assembly *a, const char *name) {
        struct uki_section *section = &a->sections[a->n_sections];
        size_t n = strlen(name);
        int r;

        if (a->n == 0 || a->n_sections == UKI_SECTIONS_MAX ||
            n >= sizeof(section->name))
                return VTREE_NOT_FOUND;
        end_section(a);
        r = add_zeros(a, UKI_ALIGN);
        if (r != VTREE_OK)
                return r;
        *section = (struct uki_section){ .offset = a->size };
        memcpy(section->name, name, n);
        a->n_sections++;
        return VTREE_OK;
}

/* The first piece anew, now that it is known how long everything is. */
static int end_program(struct assembly *a) {
        struct vtree_piece *head = &a->pieces[0];
        uint8_t bytes[UKI_HEAD_MAX];
        struct vtree_file *file;
        int fd, r;

        if (a->n_sections == 0)
                return VTREE_OK;
        end_section(a);
        r = add_zeros(a, UKI_ALIGN);
        if (r != VTREE_OK)
                return r;
        if (!head->is_made || head->length > sizeof(bytes) ||
            vtree_file_read(head->file, head->offset, bytes, head->length) !=
                    (int64_t)head->length ||
            !uki_add(bytes, head->length, a->sections, a->n_sections))
                return VTREE_NOT_FOUND;
        fd = memfd_create("head", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (write(fd, bytes, head->length) != (ssize_t)head->length) {
                close(fd);
                return -EIO;
        }
        r = vtree_file_from_fd(fd, "", &file);
        if (r != VTREE_OK)
                return r;
        vtree_file_unref(head->file);
        head->file = file;
        head->offset = 0;
        return VTREE_OK;
}

static int add(struct assembly *a, const struct ipc_piece *piece) {
        switch (piece->kind) {
        case IPC_PIECE_FILE:
                return add_file(a, piece);
        case IPC_PIECE_ZEROS:
                return add_zeros(a, piece->length);
        case IPC_PIECE_SECTION:
                return begin_section(a, piece->path);
        case IPC_PIECE_BYTES:
                append(a, &(struct vtree_piece){ .file = vtree_file_ref(a->bytes),
                                                 .offset = piece->offset,
                                                 .length = piece->length,
                                                 .is_made = true });
                return VTREE_OK;
        }
        return VTREE_NOT_FOUND;
}

int files_made(struct vtree *tree, const char *path, int fd, const void *tail,
               size_t n_tail, struct vtree_file **ret) {
        struct assembly a = { .tree = tree };
        struct reader left = reader_of(tail, n_tail);
        struct ipc_piece piece;
        int r = vtree_file_from_fd(fd, path, &a.bytes);

        if (r != VTREE_OK)
                return r;
        while (r == VTREE_OK && a.n < IPC_PIECES_MAX && ipc_pieces_next(&left, &piece))
                r = add(&a, &piece);
        if (r == VTREE_OK && (left.failed || reader_left(&left) > 0))
                r = VTREE_NOT_FOUND;
        if (r == VTREE_OK)
                r = end_program(&a);
        if (r == VTREE_OK)
                r = vtree_file_compose(path, a.pieces, a.n, ret);
        for (size_t i = 0; i < a.n; i++)
                vtree_file_unref(a.pieces[i].file);
        vtree_file_unref(a.bytes);
        return r;
}
