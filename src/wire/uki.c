/*
 * Offsets into the head as Microsoft's "PE Format" has them. A stub comes with room for
 * more section headers, because its sections begin at a multiple of the alignment of
 * the file: systemd's have room for seven.
 */
#include "wire/uki.h"

#include "wire/pe.h"

enum {
        AT_PE = 0x3c, /* where the offset of the PE header stands */
        /* From the PE header on: */
        AT_N_SECTIONS = 6,
        AT_OPTIONAL = 24,
        /* From the optional header on; the same in both of its forms: */
        AT_SECTION_ALIGNMENT = 32,
        AT_FILE_ALIGNMENT = 36,
        AT_SIZE_OF_IMAGE = 56,
        AT_SIZE_OF_HEADERS = 60,
        AT_CHECKSUM = 64,
        OPTIONAL_MIN = 68,
        SECTION_HEADER = 40,
        /* IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ */
        READABLE_DATA = 0x40000040,
};

static uint32_t get32(const uint8_t *p) {
        return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
               (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint64_t v) {
        for (unsigned i = 0; i < 4; i++)
                p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t align(uint64_t n, uint64_t to) {
        return (n + to - 1) / to * to;
}

static bool is_alignment(uint32_t n) {
        return n > 0 && n <= UKI_ALIGN && UKI_ALIGN % n == 0;
}

size_t uki_head(struct span stub) {
        const uint8_t *optional;
        struct pe pe;
        size_t n;

        if (!pe_parse(stub, UINT32_MAX, &pe) || !pe.is_efi || pe.signatures_at != 0)
                return 0;
        optional = stub.data + get32(stub.data + AT_PE) + AT_OPTIONAL;
        if (optional + OPTIONAL_MIN > stub.data + stub.n)
                return 0;
        n = get32(optional + AT_SIZE_OF_HEADERS);
        if (n > min_size(stub.n, UKI_HEAD_MAX) || pe.n_sections == 0 ||
            pe.sections_at + (uint64_t)pe.n_sections * SECTION_HEADER > n ||
            !is_alignment(get32(optional + AT_SECTION_ALIGNMENT)) ||
            !is_alignment(get32(optional + AT_FILE_ALIGNMENT)))
                return 0;
        return n;
}

static void write_section(uint8_t *at, const struct uki_section *section,
                          uint64_t address, uint64_t n_in_file) {
        memset(at, 0, SECTION_HEADER);
        memcpy(at, section->name, strnlen(section->name, 8));
        put32(at + 8, section->n);
        put32(at + 12, address);
        put32(at + 16, n_in_file);
        put32(at + 20, section->offset);
        put32(at + 36, READABLE_DATA);
}

bool uki_add(uint8_t *head, size_t n_head, const struct uki_section *sections,
             size_t n) {
        uint8_t *base, *optional;
        uint64_t image, file_alignment;
        struct pe pe;

        if (uki_head((struct span){ head, n_head }) != n_head ||
            !pe_parse((struct span){ head, n_head }, UINT32_MAX, &pe) ||
            pe.n_sections + n > PE_SECTIONS_MAX ||
            pe.sections_at + (pe.n_sections + n) * SECTION_HEADER > n_head)
                return false;
        base = head + get32(head + AT_PE);
        optional = base + AT_OPTIONAL;
        file_alignment = get32(optional + AT_FILE_ALIGNMENT);
        image = get32(optional + AT_SIZE_OF_IMAGE);
        for (size_t i = 0; i < n; i++) {
                uint64_t address = align(image, UKI_ALIGN);
                uint64_t n_in_file = align(sections[i].n, file_alignment);

                image = address + align(sections[i].n, UKI_ALIGN);
                if (image > UINT32_MAX || sections[i].offset % UKI_ALIGN != 0 ||
                    sections[i].offset > UINT32_MAX - n_in_file)
                        return false;
                write_section(head + pe.sections_at +
                                      (pe.n_sections + i) * SECTION_HEADER,
                              &sections[i], address, n_in_file);
        }
        base[AT_N_SECTIONS] = (uint8_t)(pe.n_sections + n);
        base[AT_N_SECTIONS + 1] = 0;
        put32(optional + AT_SIZE_OF_IMAGE, image);
        put32(optional + AT_CHECKSUM, 0); /* nobody asks for it but drivers of NT */
        return true;
}
