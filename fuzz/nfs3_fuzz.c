/*
 * The arguments of every procedure of NFS, and those of the port mapper: the first byte
 * says which. Spans lie within what was given.
 */
#include "fuzz/fuzz.h"
#include "wire/nfs3.h"
#include "wire/portmap.h"

static void check_span(struct span s, const uint8_t *data, size_t n) {
        assert(s.n == 0 || (s.data >= data && s.data + s.n <= data + n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct nfs3_arguments a;
        struct portmap_mapping mapping;
        uint8_t bytes[256];
        struct writer w = writer_of(bytes, sizeof(bytes));
        struct span rest;

        if (n == 0)
                return 0;
        rest = (struct span){ data + 1, n - 1 };
        if (nfs3_parse(data[0] % NFS3_N_PROCEDURES, rest, &a)) {
                assert(a.handle.n <= NFS3_HANDLE_MAX);
                check_span(a.handle, data, n);
                check_span(a.name, data, n);
        }
        nfs3_put_refusal(&w, data[0]);
        if (portmap_parse(rest, &mapping)) {
                w.at = 0;
                portmap_build(&w, &mapping);
                assert(w.at == 16 && memcmp(bytes, rest.data, 16) == 0);
        }
        if (rpcbind_parse(rest, &mapping)) {
                w.at = 0;
                rpcbind_build(&w, &mapping, mapping.program);
                assert(!w.failed && w.at % 4 == 0);
        }
        return 0;
}
