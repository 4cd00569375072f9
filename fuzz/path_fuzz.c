/*
 * Path cleaning: whatever comes in, what comes out is relative, has no "." or ".."
 * and no empty segment, and is its own clean form.
 */
#include "base/path.h"
#include "fuzz/fuzz.h"

static void check_segments(const char *clean) {
        for (const char *p = clean; *p;) {
                size_t n = strcspn(p, "/");

                assert(n > 0);
                assert(!(n == 1 && p[0] == '.'));
                assert(!(n == 2 && p[0] == '.' && p[1] == '.'));
                p += n + (p[n] == '/' && p[n + 1]);
                assert(p[0] != '/');
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        char clean[PATH_MAX_BYTES], again[PATH_MAX_BYTES];

        if (path_clean((const char *)data, n, clean) != PATH_OK)
                return 0;
        assert(strlen(clean) < sizeof(clean));
        assert(!strchr(clean, '\\'));
        check_segments(clean);
        /* Cleaning may uncover a drive: ".\C:" is taken for a name, then for one. */
        if (path_clean(clean, strlen(clean), again) == PATH_OK)
                assert(strcmp(clean, again) == 0);
        return 0;
}
