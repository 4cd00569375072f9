/*
 * Open files of the tree: host files, extents of images, and folders, all one
 * struct with a count. The descriptor of an image is shared and counted, too, so a
 * medium may go while a transfer still reads the old one to its end.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
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
        file->etag = vtree_etag(&st, 0, file->size);
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
        if (file->image)
                vtree_image_unref(file->image);
        else if (file->fd >= 0)
                close(file->fd);
        free(file->content);
        free(file->extents);
        free(file->path);
        free(file);
        return NULL;
}

bool vtree_file_is_unchanged(const struct vtree_file *file) {
        struct stat now;

        return file->fd < 0 || (fstat(file->fd, &now) == 0 &&
                                (uint64_t)now.st_size == file->host_size &&
                                vtree_mtime(&now) == file->host_mtime);
}

struct vtree_extent vtree_file_extent(const struct vtree_file *file, uint64_t offset) {
        for (size_t i = 0; i < file->n_extents; i++) {
                struct vtree_extent e = file->extents[i];

                if (offset < e.length)
                        return (struct vtree_extent){ e.offset + offset,
                                                      e.length - offset };
                offset -= e.length;
        }
        return (struct vtree_extent){ 0, 0 };
}

int64_t vtree_file_read(const struct vtree_file *file, uint64_t offset, void *buffer,
                        size_t n) {
        uint8_t *p = buffer;
        size_t done = 0;

        if (file->content) {
                n = (size_t)min_u64(n, file->size - min_u64(offset, file->size));
                memcpy(buffer, file->content + min_u64(offset, file->size), n);
                return (int64_t)n;
        }
        while (done < n) {
                struct vtree_extent e = vtree_file_extent(file, offset + done);
                size_t wanted = (size_t)min_u64(n - done, e.length);
                ssize_t got;

                if (wanted == 0)
                        break;
                got = pread(file->fd, p + done, wanted, (off_t)e.offset);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0) /* shorter than it was when it was opened */
                        return -ESTALE;
                done += (size_t)got;
        }
        return (int64_t)done;
}
