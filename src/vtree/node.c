/*
 * What a name of the host stands for, without opening what it leads to, and by which
 * number it is known for good.
 *
 * An inode's number is given away again when its file has gone, so the time of birth
 * belongs to it where the file system keeps one. The device is left out: its number
 * may be another after a restart, and paths tell apart what two file systems call the
 * same.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vtree/internal.h"

uint64_t vtree_id_of_path(const char *path) {
        uint64_t id = 0x6a09e667f3bcc908ULL;

        for (; *path; path++)
                id = vtree_mix(id, (uint8_t)*path);
        return id ? id : 1;
}

struct vtree_node vtree_node_of_folder(const char *path) {
        return (struct vtree_node){ .kind = VTREE_FOLDER,
                                    .mode = 0555,
                                    .id = vtree_id_of_path(path) };
}

static int from_statx(const struct statx *st, struct vtree_node *ret) {
        uint64_t id = vtree_mix(0xbb67ae8584caa73bULL, st->stx_ino);
        bool is_folder = S_ISDIR(st->stx_mode);

        if (!is_folder && !S_ISREG(st->stx_mode) && !S_ISLNK(st->stx_mode))
                return VTREE_REFUSED;
        if (st->stx_mask & STATX_BTIME) {
                id = vtree_mix(id, (uint64_t)st->stx_btime.tv_sec);
                id = vtree_mix(id, st->stx_btime.tv_nsec);
        }
        *ret = (struct vtree_node){
                .kind = is_folder               ? VTREE_FOLDER
                        : S_ISLNK(st->stx_mode) ? VTREE_LINK
                                                : VTREE_FILE,
                .mode = st->stx_mode & 07777,
                .size = is_folder ? 0 : st->stx_size,
                .mtime = (nsec_t)st->stx_mtime.tv_sec * NSEC_PER_SEC +
                         st->stx_mtime.tv_nsec,
                .id = id ? id : 1,
        };
        return VTREE_OK;
}

int vtree_look_at(int folder, const char *name, struct vtree_node *ret) {
        struct statx st;

        if (statx(folder, name, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH),
                  STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
                return errno == ENOENT || errno == ENOTDIR ? VTREE_NOT_FOUND
                       : errno == EACCES                   ? VTREE_UNREADABLE
                                                           : -errno;
        return from_statx(&st, ret);
}

int vtree_look_beneath(int folder, const char *below, struct vtree_node *ret) {
        int fd, r = vtree_fd_beneath(folder, below, O_PATH | O_NOFOLLOW, &fd);

        if (r != VTREE_OK)
                return r;
        r = vtree_look_at(fd, "", ret);
        close(fd);
        return r;
}

int vtree_read_link_beneath(int folder, const char *below,
                            char ret[static PATH_MAX_BYTES]) {
        int fd, r = vtree_fd_beneath(folder, below, O_PATH | O_NOFOLLOW, &fd);
        ssize_t n;

        if (r != VTREE_OK)
                return r;
        n = readlinkat(fd, "", ret, PATH_MAX_BYTES - 1);
        close(fd);
        if (n < 0)
                return errno == EINVAL || errno == ENOENT ? VTREE_NOT_FOUND : -errno;
        ret[n] = '\0';
        return VTREE_OK;
}
