/* The importer's reader of dnsmasq.conf; what must hold is in import_fuzz.h. */
#include "fuzz/import_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        import_fuzz_run(data, n, IMPORT_DNSMASQ);
        return 0;
}
