/*
 * A signature by its names, as media/signature.h reads them: nothing is verified here.
 * Devices and pipes in a folder of loaders are no loaders.
 */
#include "cli/signed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_fd(void *userdata, uint64_t offset, void *buffer, size_t n) {
        ssize_t got = pread(*(int *)userdata, buffer, n, (off_t)offset);

        return got < 0 ? -errno : (int)got;
}

bool signed_read_host(const char *path, struct signature *ret) {
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct signature_source source = { .read = read_fd, .userdata = &fd };
        bool is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

        *ret = (struct signature){ 0 };
        if (is_file) {
                source.size = (uint64_t)st.st_size;
                (void)!signature_read(&source, ret);
        }
        if (fd >= 0)
                close(fd);
        return is_file;
}

struct inside {
        const struct media_tree *tree;
        const char *path;
};

static int read_inside(void *userdata, uint64_t offset, void *buffer, size_t n) {
        const struct inside *at = userdata;

        return media_tree_read(at->tree, at->path, offset, buffer, n);
}

bool signed_read_inside(const struct media_tree *tree, const char *path,
                        struct signature *ret) {
        struct inside at = { tree, path };
        const struct signature_source source = {
                .read = read_inside,
                .userdata = &at,
                .size = path && path[0] ? media_tree_size(tree, path) : 0
        };

        *ret = (struct signature){ 0 };
        return source.size > 0 && signature_read(&source, ret) == 0;
}

void signed_add(const struct signature *s, struct text *out) {
        if (!s->is_pe)
                return;
        for (size_t i = 0; i < s->n_signers; i++) {
                text_add(out, i > 0 ? ", " : "");
                text_add(out, s->signers[i].issuer);
        }
        text_add(out, s->n_signers ? "" : "nobody");
        if (s->is_shim && s->vendor.subject[0]) {
                text_add(out, "; trusts ");
                text_add(out, s->vendor.subject);
        }
        if (s->sbat[0]) {
                text_add(out, " (");
                text_add(out, s->sbat);
                text_char(out, ')');
        }
}
