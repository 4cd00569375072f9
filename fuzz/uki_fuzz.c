/*
 * Bytes as a stub: with sections added its head is a program's again, which has them
 * where they were put.
 */
#include "wire/pe.h"
#include "wire/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const struct uki_section sections[] = { { ".cmdline", 1 * UKI_ALIGN, 12 },
                                                { ".linux", 2 * UKI_ALIGN, 70000 },
                                                { ".initrd", 20 * UKI_ALIGN, 0 } };
        size_t n_head = uki_head((struct span){ data, n });
        struct pe_section section;
        uint8_t head[UKI_HEAD_MAX];
        struct pe pe;

        assert(n_head <= n && n_head <= sizeof(head));
        memcpy(head, data, n_head);
        if (n_head == 0 || !uki_add(head, n_head, sections, ARRAY_SIZE(sections)))
                return 0;
        assert(uki_head((struct span){ head, n_head }) == n_head);
        assert(pe_parse((struct span){ head, n_head }, UINT32_MAX, &pe));
        assert(pe.n_sections > ARRAY_SIZE(sections));
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
                uint32_t at = pe.n_sections - (uint32_t)(ARRAY_SIZE(sections) - i);

                assert(pe_section((struct span){ head, n_head }, UINT32_MAX, &pe, at,
                                  &section));
                assert(strcmp(section.name, sections[i].name) == 0);
                assert(section.offset == sections[i].offset);
        }
        return 0;
}
