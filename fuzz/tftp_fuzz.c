/* TFTP packets: what is read is within the packet and means the same built again. */
#include "fuzz/fuzz.h"
#include "wire/tftp.h"

static void check_within(const uint8_t *data, size_t n, struct span s) {
        assert(s.n == 0 || (s.data >= data && s.data + s.n <= data + n));
}

static bool options_are_equal(const struct tftp_options *a,
                              const struct tftp_options *b) {
        return a->blksize == b->blksize && a->windowsize == b->windowsize &&
               a->timeout == b->timeout && a->has_tsize == b->has_tsize &&
               (!a->has_tsize || a->tsize == b->tsize);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct tftp_packet p, again;
        uint8_t built[TFTP_OACK_MAX];
        size_t n_built;

        if (tftp_parse(data, n, &p) != TFTP_OK)
                return 0;
        check_within(data, n, p.file);
        check_within(data, n, p.data);
        check_within(data, n, p.message);
        assert(!p.options.blksize || p.options.blksize >= TFTP_BLKSIZE_MIN);
        n_built = tftp_build_oack(built, sizeof(built), &p.options);
        assert(n_built >= 2);
        assert(tftp_parse(built, n_built, &again) == TFTP_OK);
        assert(options_are_equal(&p.options, &again.options));
        return 0;
}
