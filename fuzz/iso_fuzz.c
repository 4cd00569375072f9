/*
 * A whole image of half a MiB, refused with a reason or with a sound index. The input
 * is pieces of it, the rest is zeros: how many sectors to go on from the piece before
 * (the first counts from sector 16), how many bytes (two bytes), and those.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "media/iso.h"
#include "media/pvd.h"

enum { IMAGE_SIZE = 512 << 10 };

static void check_index(const struct media_iso *iso) {
        struct media_index index;
        struct media_node node;

        assert(media_index_open(iso->data, iso->n, &index) == 0);
        for (uint32_t i = 0; media_index_node(&index, i, &node); i++)
                for (uint32_t j = 0; j < node.n_extents; j++) {
                        struct media_extent e = media_index_extent(&index, &node, j);

                        assert(e.offset <= IMAGE_SIZE &&
                               e.length <= IMAGE_SIZE - e.offset);
                }
}

static void write_pieces(int fd, struct reader input) {
        size_t sector = PVD_FIRST;

        while (reader_left(&input) >= 3) {
                size_t at, n;

                sector += reader_u8(&input);
                n = reader_be16(&input);
                n = min_size(n, reader_left(&input));
                at = sector * PVD_SECTOR;
                if (at >= IMAGE_SIZE)
                        return;
                n = min_size(n, IMAGE_SIZE - at);
                assert(pwrite(fd, reader_span(&input, n).data, n, (off_t)at) ==
                       (ssize_t)n);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        int fd = memfd_create("image", MFD_CLOEXEC), r;
        struct media_iso iso = { 0 };
        struct text why = { 0 };

        assert(fd >= 0 && ftruncate(fd, IMAGE_SIZE) == 0);
        write_pieces(fd, reader_of(data, n));
        r = media_iso_read(fd, IMAGE_SIZE, &iso, &why);
        assert(r == MEDIA_ISO_OK || r == MEDIA_ISO_REFUSED);
        assert((why.n > 0) == (r == MEDIA_ISO_REFUSED));
        if (r == MEDIA_ISO_OK)
                check_index(&iso);
        media_iso_done(&iso);
        text_done(&why);
        close(fd);
        return 0;
}
