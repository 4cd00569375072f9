/*
 * Takes the compression off archives, once each, into the folder `unpacked` of the
 * state: what comes out is one plain tar under the archive's identity, which the
 * library reads in place as it reads an image. No name out of an archive ever becomes a
 * file's.
 *
 * This is the one role that runs a decompressor over a stranger's bytes, so it has
 * nothing else: it may write that folder and read what the library hands it, and talks
 * to nobody but the library.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "expand/expand.h"
#include "role/role.h"
#include "sandbox/sandbox.h"

enum { NAME_BYTES = 32, IDENTITY_DIGITS = 16 };

static const uint64_t bytes_max = 16ULL << 30, free_at_least = 256ULL << 20;
static const nsec_t tell_every = NSEC_PER_SEC;

struct unpack {
        struct role *role;
        struct ipc_channel *library;
        int folder; /* -1: there is none */
        struct ipc_unpack request;
        nsec_t told;
};

static void name_of(uint64_t identity, const char *suffix,
                    char out[static NAME_BYTES]) {
        snprintf(out, NAME_BYTES, "%016llx%s", (unsigned long long)identity, suffix);
}

static void answer(struct unpack *unpack, const char *why, int fd) {
        const struct ipc_unpack body = { .identity = unpack->request.identity,
                                         .n = fd >= 0 };

        (void)ipc_send(unpack->library, IPC_UNPACKED, &body, why, why ? strlen(why) : 0,
                       &fd, fd >= 0 ? 1 : 0);
}

static bool on_progress(uint64_t n_read, void *userdata) {
        struct unpack *unpack = userdata;
        const struct ipc_unpack body = { .identity = unpack->request.identity,
                                         .n = n_read };
        nsec_t now = loop_realtime();

        if (now - unpack->told >= tell_every) {
                unpack->told = now;
                (void)ipc_send(unpack->library, IPC_UNPACKING, &body, NULL, 0, NULL, 0);
        }
        return true;
}

/* What is left free is at least this, and a twentieth of the disk. */
static struct expand_limits limits_for(int folder) {
        struct expand_limits limits = { .bytes = bytes_max,
                                        .free_bytes = free_at_least };
        struct statvfs st;

        if (fstatvfs(folder, &st) == 0)
                limits.free_bytes = max_u64(free_at_least,
                                            (uint64_t)st.f_blocks * st.f_frsize / 20);
        return limits;
}

/* The file, open for reading, complete and under its name; -errno, or 1 with a reason.
 */
static int expand(struct unpack *unpack, int from, struct text *why, int *ret_fd) {
        const struct expand_limits limits = limits_for(unpack->folder);
        char part[NAME_BYTES], name[NAME_BYTES];
        int to, r;

        name_of(unpack->request.identity, ".part", part);
        name_of(unpack->request.identity, ".tar", name);
        (void)unlinkat(unpack->folder, part, 0);
        to = openat(unpack->folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                    0640);
        if (to < 0)
                return -errno;
        unpack->told = loop_realtime();
        r = expand_archive(from, to, &limits, on_progress, unpack, why);
        /* Durable before it has its name: half of one must not be found after a crash.
         */
        if (r == 0 && fsync(to) < 0)
                r = -errno;
        close(to);
        if (r == 0 && renameat(unpack->folder, part, unpack->folder, name) < 0)
                r = -errno;
        if (r != 0)
                (void)unlinkat(unpack->folder, part, 0);
        else if ((*ret_fd = openat(unpack->folder, name, O_RDONLY | O_CLOEXEC)) < 0)
                r = -errno;
        return r;
}

static void on_unpack(struct unpack *unpack, int from) {
        char name[NAME_BYTES];
        struct text why = { 0 };
        int fd = -1, r = 0;

        name_of(unpack->request.identity, ".tar", name);
        if (unpack->folder < 0)
                r = -ENOENT;
        else
                fd = openat(unpack->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (r == 0 && fd < 0)
                r = expand(unpack, from, &why, &fd);
        if (r < 0) {
                text_add(&why, "it cannot be unpacked into the state folder: ");
                text_add(&why, strerror(-r));
        }
        answer(unpack, r == 0 ? NULL : text_string(&why), fd);
        if (fd >= 0)
                close(fd);
        text_done(&why);
}

static bool is_kept(const char *name, const struct ipc_message *message) {
        char kept[NAME_BYTES];

        for (size_t i = 0; i + sizeof(uint64_t) <= message->n_tail;
             i += sizeof(uint64_t)) {
                uint64_t identity;

                memcpy(&identity, message->tail + i, sizeof(identity));
                name_of(identity, ".tar", kept);
                if (strcmp(name, kept) == 0)
                        return true;
        }
        return false;
}

/* Only what we call so ourselves is ours to remove. */
static bool is_ours(const char *name) {
        size_t n = strspn(name, "0123456789abcdef");

        return n == IDENTITY_DIGITS &&
               (strcmp(name + n, ".tar") == 0 || strcmp(name + n, ".part") == 0);
}

static void on_keep(struct unpack *unpack, const struct ipc_message *message) {
        int fd = unpack->folder < 0 ? -1
                                    : openat(unpack->folder, ".",
                                             O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (is_ours(entry->d_name) && !is_kept(entry->d_name, message))
                        (void)unlinkat(unpack->folder, entry->d_name, 0);
        if (dir)
                closedir(dir);
        else if (fd >= 0)
                close(fd);
}

/* ---- the role ---- */

static void on_message(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata) {
        struct unpack *unpack = userdata;

        if (message->kind == IPC_NONE) {
                unpack->library = NULL;
                ipc_channel_free(channel);
        } else if (message->kind == IPC_UNPACK && message->n_fds == 1) {
                unpack->request = *(const struct ipc_unpack *)message->body;
                on_unpack(unpack, message->fds[0]);
        } else if (message->kind == IPC_UNPACK_KEEP) {
                on_keep(unpack, message);
        }
}

static void unpack_message(struct role *role, const struct ipc_message *message) {
        struct unpack *unpack = role->userdata;
        const struct ipc_peer *peer = message->body;

        if (message->kind != IPC_PEER || peer->role != IPC_LIBRARY ||
            message->n_fds != 1)
                return;
        unpack->library = ipc_channel_free(unpack->library);
        if (ipc_channel_new(role->loop, message->fds[0], on_message, unpack,
                            &unpack->library) < 0)
                unpack->library = NULL;
        message->fds[0] = -1;
}

static int unpack_start(struct role *role) {
        struct unpack *unpack = calloc(1, sizeof(*unpack));

        if (!unpack)
                return -ENOMEM;
        unpack->role = role;
        unpack->folder = -1;
        role->userdata = unpack;
        return 0;
}

static int unpack_go(struct role *role) {
        struct unpack *unpack = role->userdata;
        char path[PATH_MAX];
        struct sandbox_path paths[] = { { path, SANDBOX_WRITE } };
        int r;

        snprintf(path, sizeof(path), "%s/unpacked", role->conf->state);
        unpack->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* Serving comes first. */
        (void)setpriority(PRIO_PROCESS, 0, 10);
        r = sandbox_enter(paths, ARRAY_SIZE(paths));
        return r < 0 ? r : 0;
}

static void unpack_reconfigured(struct role *role, const struct conf *old) {}

static void unpack_stop(struct role *role) {
        struct unpack *unpack = role->userdata;

        ipc_channel_free(unpack->library);
        if (unpack->folder >= 0)
                close(unpack->folder);
        free(unpack);
}

const struct role_methods unpack_methods = {
        .start = unpack_start,
        .message = unpack_message,
        .go = unpack_go,
        .reconfigured = unpack_reconfigured,
        .stop = unpack_stop,
};
