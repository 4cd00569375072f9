/* Volume descriptors of any bytes: the first eight are the file's size. */
#include "fuzz/fuzz.h"
#include "media/pvd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct text why = { 0 };
        struct pvd pvd;
        uint64_t n_file;

        if (n < 8)
                return 0;
        n_file = load_be64(data);
        if (pvd_parse(data + 8, n - 8, n_file, &pvd, &why) == PVD_OK) {
                assert(pvd.size <= n_file && pvd.size > 0);
                assert(memchr(pvd.volume, '\0', sizeof(pvd.volume)));
                assert(why.n == 0);
        } else {
                assert(why.n > 0);
        }
        text_done(&why);
        return 0;
}
