/*
 * The image of a disk, with or without partitions and a file system: always a sound
 * index, whose every extent lies inside.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "media/disk.h"

enum { MOST = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        int fd = memfd_create("disk", MFD_CLOEXEC), r;
        struct media_iso iso = { 0 };
        struct text why = { 0 };
        struct media_index index;
        struct media_node node;
        uint64_t size;

        /* The first bytes say how much of nothing follows the rest. */
        if (n < 2) {
                close(fd);
                return 0;
        }
        size = (uint64_t)data[0] << 10 | (uint64_t)data[1] << 2;
        data += 2, n = min_size(n - 2, MOST);
        assert(fd >= 0 && write(fd, data, n) == (ssize_t)n);
        size = max_u64(size, n);
        assert(ftruncate(fd, (off_t)size) == 0);
        r = media_disk_read(fd, size, "x.img", &iso, &why);
        assert(r == MEDIA_ISO_OK || (r == MEDIA_ISO_REFUSED && why.n > 0));
        if (r == MEDIA_ISO_OK) {
                assert(media_index_open(iso.data, iso.n, &index) == 0);
                for (uint32_t i = 0; media_index_node(&index, i, &node); i++)
                        for (uint32_t j = 0; j < node.n_extents; j++) {
                                struct media_extent e =
                                        media_index_extent(&index, &node, j);

                                assert(e.offset <= size && e.length <= size - e.offset);
                        }
        }
        media_iso_done(&iso);
        text_done(&why);
        close(fd);
        return 0;
}
