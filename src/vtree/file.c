/*
 * Open files of the tree: host files, extents of images, and folders, all one
 * struct with a count. The descriptor of an image is shared and counted, too, so a
 * medium may go while a transfer still reads the old one to its end.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "vtree/internal.h"

uint64_t vtree_mix(uint64_t hash, uint64_t v) {
        /* The finaliser of MurmurHash3: every bit of v reaches every bit of the hash.
         */
        v *= 0xff51afd7ed558ccdULL;
        v ^= v >> 33;
        hash = (hash ^ v) * 0xc4ceb9fe1a85ec53ULL;
        return hash ^ hash >> 33;
}

uint64_t vtree_etag(const struct stat *st, uint64_t offset, uint64_t size) {
        uint64_t hash = vtree_mix(0x9e3779b97f4a7c15ULL, (uint64_t)st->st_dev);

        hash = vtree_mix(hash, (uint64_t)st->st_ino);
        hash = vtree_mix(hash, (uint64_t)st->st_size);
        hash = vtree_mix(hash, (uint64_t)st->st_mtim.tv_sec);
        hash = vtree_mix(hash, (uint64_t)st->st_mtim.tv_nsec);
        return vtree_mix(vtree_mix(hash, offset), size);
}

nsec_t vtree_mtime(const struct stat *st) {
        return (nsec_t)st->st_mtim.tv_sec * NSEC_PER_SEC + (nsec_t)st->st_mtim.tv_nsec;
}

int vtree_file_new(const char *path, int fd, size_t n_extents,
                   struct vtree_file **ret) {
        struct vtree_file *file = calloc(1, sizeof(*file));

        if (file) {
                file->fd = fd;
                file->owns_fd = true;
                file->n_refs = 1;
                file->n_extents = n_extents;
                file->path = strdup(path);
                file->extents = calloc(n_extents + 1, sizeof(*file->extents));
        }
        if (!file || !file->path || !file->extents) {
                if (!file && fd >= 0)
                        close(fd);
                vtree_file_unref(file);
                return -ENOMEM;
        }
        *ret = file;
        return 0;
}

int vtree_file_from_fd(int fd, const char *path, struct vtree_file **ret) {
        struct vtree_file *file;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        if (S_ISDIR(st.st_mode))
                return vtree_folder_new(path, fd, vtree_mtime(&st), ret);
        if (!S_ISREG(st.st_mode)) {
                close(fd);
                return VTREE_REFUSED;
        }
        r = vtree_file_new(path, fd, 1, &file);
        if (r < 0)
                return r;
        file->size = file->host_size = (uint64_t)st.st_size;
        file->mtime = file->host_mtime = vtree_mtime(&st);
        file->etag = file->host_id = vtree_etag(&st, 0, file->size);
        file->device = (uint64_t)st.st_dev;
        file->extents[0] = (struct vtree_extent){ 0, file->size };
        *ret = file;
        return VTREE_OK;
}

int vtree_folder_new(const char *path, int fd, nsec_t mtime, struct vtree_file **ret) {
        struct vtree_file *file;
        int r;

        if (fd >= 0)
                close(fd);
        r = vtree_file_new(path, -1, 0, &file);
        if (r < 0)
                return r;
        file->is_folder = true;
        file->mtime = mtime;
        *ret = file;
        return VTREE_OK;
}

struct vtree_file *vtree_file_ref(struct vtree_file *file) {
        file->n_refs++;
        return file;
}

struct vtree_image *vtree_image_new(int fd) {
        struct vtree_image *image = calloc(1, sizeof(*image));

        if (!image) {
                close(fd);
                return NULL;
        }
        *image = (struct vtree_image){ .n_refs = 1, .fd = fd };
        return image;
}

struct vtree_image *vtree_image_unref(struct vtree_image *image) {
        if (!image || --image->n_refs > 0)
                return NULL;
        close(image->fd);
        free(image);
        return NULL;
}

struct vtree_file *vtree_file_unref(struct vtree_file *file) {
        if (!file || --file->n_refs > 0)
                return NULL;
        vtree_image_unref(file->image);
        if (file->owns_fd && file->fd >= 0)
                close(file->fd);
        for (size_t i = 0; i < file->n_pieces; i++)
                vtree_file_unref(file->pieces[i].file);
        free(file->pieces);
        free(file->content);
        free(file->extents);
        free(file->path);
        free(file);
        return NULL;
}

/* What is known here of a file on a network; whoever reads it in advance asks anew. */
static bool is_unchanged_remotely(const struct vtree_file *file) {
        struct statx now;

        return statx(file->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
                     STATX_SIZE | STATX_MTIME, &now) == 0 &&
               now.stx_size == file->host_size &&
               (nsec_t)now.stx_mtime.tv_sec * NSEC_PER_SEC + now.stx_mtime.tv_nsec ==
                       file->host_mtime;
}

bool vtree_file_is_unchanged(const struct vtree_file *file) {
        struct stat now;

        for (size_t i = 0; i < file->n_pieces; i++)
                if (!vtree_file_is_unchanged(file->pieces[i].file))
                        return false;
        if (file->fd < 0)
                return true;
        if (file->image && file->image->is_gone)
                return false;
        if (file->storage == VTREE_STORAGE_OPAQUE)
                return is_unchanged_remotely(file);
        return fstat(file->fd, &now) == 0 && (uint64_t)now.st_size == file->host_size &&
               vtree_mtime(&now) == file->host_mtime;
}

const char *vtree_file_why_changed(const struct vtree_file *file) {
        for (size_t i = 0; i < file->n_pieces; i++)
                if (!vtree_file_is_unchanged(file->pieces[i].file))
                        return vtree_file_why_changed(file->pieces[i].file);
        return file->image && file->image->is_gone
                       ? "its medium was removed or replaced while it was read"
                       : "the file was replaced while it was read";
}

/* By what a read with RWF_NOWAIT came to. */
static void learn_storage(struct vtree_file *file, int64_t r) {
        struct statfs fs;

        if (r != -EOPNOTSUPP)
                file->storage = VTREE_STORAGE_ASKABLE;
        else if (fstatfs(file->fd, &fs) == 0 &&
                 (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC))
                file->storage = VTREE_STORAGE_MEMORY;
        else
                file->storage = VTREE_STORAGE_OPAQUE;
}

enum vtree_storage vtree_file_storage(struct vtree_file *file) {
        struct iovec one = { &(uint8_t){ 0 }, 1 };

        if (file->content || file->fd < 0)
                return VTREE_STORAGE_MEMORY;
        if (file->storage == VTREE_STORAGE_UNKNOWN)
                learn_storage(file, preadv2(file->fd, &one, 1, 0, RWF_NOWAIT) < 0
                                            ? -errno
                                            : 0);
        return file->storage;
}

struct vtree_place vtree_file_place(const struct vtree_file *file, uint64_t offset) {
        for (size_t i = 0; i < file->n_pieces; i++) {
                const struct vtree_piece *piece = &file->pieces[i];
                struct vtree_place place;

                if (offset < piece->length) {
                        place = vtree_file_place(piece->file, piece->offset + offset);
                        place.length = min_u64(place.length, piece->length - offset);
                        return place;
                }
                offset -= piece->length;
        }
        for (size_t i = 0; i < file->n_extents; i++) {
                struct vtree_extent e = file->extents[i];

                if (offset < e.length)
                        return (struct vtree_place){ file->fd, e.offset + offset,
                                                     e.length - offset };
                offset -= e.length;
        }
        return (struct vtree_place){ file->fd, 0, 0 };
}

struct vtree_file *vtree_file_part(struct vtree_file *file, uint64_t *offset,
                                   uint64_t *n) {
        uint64_t at = *offset;

        for (size_t i = 0; i < file->n_pieces; i++) {
                const struct vtree_piece *piece = &file->pieces[i];

                if (at < piece->length) {
                        *offset = piece->offset + at;
                        *n = min_u64(*n, piece->length - at);
                        return piece->file;
                }
                at -= piece->length;
        }
        if (file->n_pieces > 0)
                *n = 0;
        return file;
}

static int64_t read_by(const struct vtree_file *file, uint64_t offset, void *buffer,
                       size_t n, int flags) {
        uint8_t *p = buffer;
        size_t done = 0;

        if (file->content) {
                n = (size_t)min_u64(n, file->size - min_u64(offset, file->size));
                if (n > 0)
                        memcpy(buffer, file->content + offset, n);
                return (int64_t)n;
        }
        while (done < n) {
                struct vtree_place e = vtree_file_place(file, offset + done);
                size_t wanted = (size_t)min_u64(n - done, e.length);
                ssize_t got;

                if (wanted == 0)
                        break;
                got = preadv2(e.fd, &(struct iovec){ p + done, wanted }, 1,
                              (off_t)e.offset, flags);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0 && done > 0 && errno == EAGAIN)
                        break;
                if (got < 0)
                        return -errno;
                if (got == 0) /* shorter than it was when it was opened */
                        return -ESTALE;
                done += (size_t)got;
        }
        return (int64_t)done;
}

int64_t vtree_file_read(const struct vtree_file *file, uint64_t offset, void *buffer,
                        size_t n) {
        return read_by(file, offset, buffer, n, 0);
}

/* Each piece knows for itself whether it would wait. */
static int64_t read_pieces_now(struct vtree_file *file, uint64_t offset, void *buffer,
                               size_t n) {
        uint8_t *p = buffer;
        size_t done = 0;

        while (done < n) {
                uint64_t at = offset + done, some = n - done;
                struct vtree_file *part = vtree_file_part(file, &at, &some);
                int64_t r;

                if (some == 0)
                        break;
                r = vtree_file_read_now(part, at, p + done, (size_t)some);
                if (r < 0)
                        return r == -EAGAIN && done > 0 ? (int64_t)done : r;
                done += (size_t)r;
                if ((uint64_t)r < some)
                        break;
        }
        return (int64_t)done;
}

int64_t vtree_file_read_now(struct vtree_file *file, uint64_t offset, void *buffer,
                            size_t n) {
        int64_t r;

        if (file->n_pieces > 0)
                return read_pieces_now(file, offset, buffer, n);
        if (file->content || file->fd < 0 || file->storage == VTREE_STORAGE_MEMORY)
                return read_by(file, offset, buffer, n, 0);
        if (file->storage == VTREE_STORAGE_OPAQUE)
                return -EAGAIN;
        r = read_by(file, offset, buffer, n, RWF_NOWAIT);
        if (file->storage == VTREE_STORAGE_UNKNOWN)
                learn_storage(file, r);
        return r == -EOPNOTSUPP ? vtree_file_read_now(file, offset, buffer, n) : r;
}
