/* Other servers' lease files from any bytes: the first says which kind. */
#include "fuzz/fuzz.h"
#include "leasefile/leasefile.h"

static void on_lease(const struct lease_record *lease, size_t line, void *userdata) {
        struct text out = { 0 };

        assert(line > 0 && memchr(lease->hostname, '\0', LEASE_HOSTNAME_MAX));
        assert(lease->state <= LEASE_EXPIRED);
        lease_json(lease, &out);
        text_done(&out);
}

static void on_problem(size_t line, const char *why, void *userdata) {
        assert(line > 0 && why[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const struct leasefile_reader reader = { on_lease, on_problem, NULL };

        if (n == 0)
                return 0;
        (void)leasefile_recognise((const char *)data + 1, n - 1);
        leasefile_read((enum leasefile_format)(data[0] % LEASEFILE_N_FORMATS),
                       (const char *)data + 1, n - 1, &reader);
        return 0;
}
