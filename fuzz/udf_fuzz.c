/*
 * A whole UDF image of two MiB, refused with a reason or with a sound index. The input
 * is pieces of it, the rest is zeros: how many blocks of 512 bytes to go on from the
 * piece before (two bytes), how many bytes (two bytes), and those. Whatever begins a
 * block or a file identifier with the number of a tag gets the sums of one: they keep
 * out accidents, not attackers.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "media/udf.h"

enum { IMAGE_SIZE = 2 << 20, UNIT = 512, BLOCK = 2048 };

static uint8_t image[IMAGE_SIZE];

static uint16_t crc_of(const uint8_t *p, size_t n) {
        uint16_t crc = 0;

        while (n-- > 0) {
                crc ^= (uint16_t)(*p++ << 8);
                for (int i = 0; i < 8; i++)
                        crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
        }
        return crc;
}

/* Its place is left as it is, or else no partition could begin behind the first block.
 */
static void mend(uint8_t *p, size_t room) {
        size_t n = (size_t)(p[10] | p[11] << 8);
        uint16_t crc;
        uint8_t sum = 0;

        if (n > room - 16)
                return;
        crc = crc_of(p + 16, n);
        p[8] = (uint8_t)crc;
        p[9] = (uint8_t)(crc >> 8);
        for (int i = 0; i < 16; i++)
                sum = (uint8_t)(sum + (i == 4 ? 0 : p[i]));
        p[4] = sum;
}

static void mend_all(uint8_t *p, size_t n) {
        for (size_t i = 0; i + 38 <= n; i += 4) {
                unsigned tag = (unsigned)(p[i] | p[i + 1] << 8);

                if (tag == 257 || (i % UNIT == 0 && ((tag > 0 && tag < 10) ||
                                                     (tag >= 256 && tag <= 266))))
                        mend(p + i, n - i);
        }
}

static void write_pieces(struct reader input) {
        size_t at = 0;

        while (reader_left(&input) >= 4) {
                size_t n;

                at += (size_t)reader_be16(&input) * UNIT;
                n = reader_be16(&input);
                n = min_size(min_size(n, reader_left(&input)), BLOCK);
                if (at >= IMAGE_SIZE || n > IMAGE_SIZE - at)
                        return;
                memcpy(image + at, reader_span(&input, n).data, n);
                mend_all(image + at, min_size(BLOCK, IMAGE_SIZE - at));
        }
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        int fd = memfd_create("image", MFD_CLOEXEC), r;
        struct media_iso iso = { 0 };
        struct text why = { 0 };

        memset(image, 0, sizeof(image));
        write_pieces(reader_of(data, n));
        assert(fd >= 0 && write(fd, image, IMAGE_SIZE) == IMAGE_SIZE);
        r = media_udf_read(fd, IMAGE_SIZE, &iso, &why);
        assert(r == MEDIA_ISO_OK || r == MEDIA_ISO_REFUSED);
        assert((why.n > 0) == (r == MEDIA_ISO_REFUSED));
        if (r == MEDIA_ISO_OK)
                check_index(&iso);
        media_iso_done(&iso);
        text_done(&why);
        close(fd);
        return 0;
}
