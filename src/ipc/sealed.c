#include "ipc/sealed.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int write_all(int fd, const uint8_t *data, size_t n) {
        while (n > 0) {
                ssize_t r = write(fd, data, n);

                if (r < 0 && errno != EINTR)
                        return -errno;
                data += r > 0 ? r : 0;
                n -= r > 0 ? (size_t)r : 0;
        }
        return 0;
}

int sealed_new(const void *data, size_t n, int *ret_fd) {
        int fd = memfd_create("bootjack-text", MFD_CLOEXEC | MFD_ALLOW_SEALING), r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, data, n);
        if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

int sealed_open(int fd, size_t most, struct sealed *ret) {
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat st;
        void *data;

        if (seals < 0 || fstat(fd, &st) < 0)
                return -errno;
        if ((seals & SEALS) != SEALS)
                return -EPERM;
        if ((size_t)st.st_size > most)
                return -EFBIG;
        if (st.st_size == 0) {
                *ret = (struct sealed){ "", 0 };
                return 0;
        }
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return -errno;
        *ret = (struct sealed){ data, (size_t)st.st_size };
        return 0;
}

void sealed_done(struct sealed *sealed) {
        if (sealed->n > 0)
                munmap((void *)(uintptr_t)sealed->data, sealed->n);
        *sealed = (struct sealed){ 0 };
}
