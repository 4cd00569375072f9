/*
 * A whole tar file, refused with a reason or with a sound index. Heads get the sum that
 * they should have: it keeps out accidents, not attackers.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "media/tar.h"

enum { BLOCK = 512, MOST = 64 << 10 };

static void mend(uint8_t *p) {
        unsigned sum = 0;

        memset(p + 148, ' ', 8);
        for (size_t i = 0; i < BLOCK; i++)
                sum += p[i];
        for (int i = 5; i >= 0; i--, sum >>= 3)
                p[148 + i] = (uint8_t)('0' + (sum & 7));
        p[154] = '\0';
}

static void check_index(const struct media_iso *iso, size_t n) {
        struct media_index index;
        struct media_node node;

        assert(media_index_open(iso->data, iso->n, &index) == 0);
        for (uint32_t i = 0; media_index_node(&index, i, &node); i++)
                for (uint32_t j = 0; j < node.n_extents; j++) {
                        struct media_extent e = media_index_extent(&index, &node, j);

                        assert(e.offset <= n && e.length <= n - e.offset);
                }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static uint8_t file[MOST];
        int fd = memfd_create("tar", MFD_CLOEXEC), r;
        struct media_iso iso = { 0 };
        struct text why = { 0 };

        n = min_size(n, MOST);
        memcpy(file, data, n);
        for (size_t at = 0; at + BLOCK <= n; at += BLOCK)
                if (file[at])
                        mend(file + at);
        assert(fd >= 0 && write(fd, file, n) == (ssize_t)n);
        r = media_tar_read(fd, n, &iso, &why);
        assert(r == MEDIA_ISO_OK || r == MEDIA_ISO_REFUSED);
        assert((why.n > 0) == (r == MEDIA_ISO_REFUSED));
        if (r == MEDIA_ISO_OK)
                check_index(&iso, n);
        media_iso_done(&iso);
        text_done(&why);
        close(fd);
        return 0;
}
