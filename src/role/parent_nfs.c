/*
 * What NFS has of the parent: the key of its handles, and doors that open when the
 * first medium comes that cannot do without them.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "role/parent.h"

static bool read_key(const char *path, uint8_t ret[static SIPHASH_KEY]) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        bool is_whole = fd >= 0 && read(fd, ret, SIPHASH_KEY) == SIPHASH_KEY;

        if (fd >= 0)
                close(fd);
        return is_whole;
}

/* All of it or nothing, and no other's. */
static void write_key(const char *path, const uint8_t key[static SIPHASH_KEY]) {
        char made[PATH_MAX + 8];
        bool is_whole;
        int fd;

        snprintf(made, sizeof(made), "%s.new", path);
        (void)unlink(made);
        fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return;
        is_whole = write(fd, key, SIPHASH_KEY) == SIPHASH_KEY && fsync(fd) == 0;
        close(fd);
        if (!is_whole || rename(made, path) < 0)
                (void)unlink(made);
}

void parent_read_nfs_key(struct parent *parent) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/nfs.key", parent->conf->state);
        if (read_key(path, parent->nfs_key))
                return;
        if (getrandom(parent->nfs_key, sizeof(parent->nfs_key), 0) < 0)
                return;
        write_key(path, parent->nfs_key);
}

void parent_send_nfs_key(struct parent *parent, struct parent_child *child) {
        if (child->kind == IPC_FILES)
                (void)ipc_send(child->channel, IPC_NFS_KEY, NULL, parent->nfs_key,
                               sizeof(parent->nfs_key), NULL, 0);
}

void parent_on_need(struct parent *parent, enum ipc_door door) {
        if (door != IPC_DOOR_NFS || parent->nfs_is_needed)
                return;
        parent->nfs_is_needed = true;
        if (parent->conf->nfs.mode == CONF_WHEN_NEEDED)
                (void)parent_open_doors(parent, false);
}
