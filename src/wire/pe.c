/*
 * Numbers are little-endian throughout. All offsets are checked against the file's size
 * before anybody goes there.
 */
#include "wire/pe.h"

static const struct {
        uint16_t machine;
        const char *name;
} machines[] = {
        { PE_IA32, "ia32" },   { PE_X64, "x64" },         { PE_ARM32, "arm32" },
        { PE_ARM64, "arm64" }, { PE_RISCV64, "riscv64" }, { PE_LOONG64, "loong64" },
};

const char *pe_machine_name(uint16_t machine) {
        for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
                if (machines[i].machine == machine)
                        return machines[i].name;
        return "unknown";
}

static uint16_t le16(struct reader *r) {
        uint8_t low = reader_u8(r);

        return (uint16_t)(low | reader_u8(r) << 8);
}

static uint32_t le32(struct reader *r) {
        uint32_t low = le16(r);

        return low | (uint32_t)le16(r) << 16;
}

static void skip(struct reader *r, size_t n) {
        (void)reader_span(r, n);
}

enum { MAGIC_32 = 0x10b, MAGIC_64 = 0x20b, SIGNATURES = 4 /* of the directories */ };

/* The optional header: the subsystem, and the directory of signatures. */
static void parse_optional(struct reader *r, uint64_t size, struct pe *pe) {
        uint16_t magic = le16(r), subsystem;
        uint32_t n_directories;
        uint64_t at, n;

        skip(r, 66);
        subsystem = le16(r);
        pe->is_efi = subsystem >= 10 && subsystem <= 13;
        skip(r, magic == MAGIC_64 ? 38 : 22);
        n_directories = le32(r);
        if (r->failed || n_directories <= SIGNATURES)
                return;
        skip(r, SIGNATURES * 8);
        at = le32(r);
        n = le32(r);
        if (r->failed || at == 0 || n == 0 || at > size || n > size - at)
                return;
        pe->signatures_at = at;
        pe->n_signatures = n;
}

bool pe_parse(struct span head, uint64_t size, struct pe *ret) {
        struct reader r = reader_of(head.data, head.n), ahead;
        struct pe pe = { 0 };
        uint16_t n_sections, n_optional, magic;
        uint32_t at, symbols_at, n_symbols;

        if (le16(&r) != 0x5a4d) /* "MZ" */
                return false;
        skip(&r, 0x3c - 2);
        at = le32(&r);
        if (r.failed || at >= head.n)
                return false;
        r = reader_of(head.data + at, head.n - at);
        if (le32(&r) != 0x00004550) /* "PE\0\0" */
                return false;
        pe.machine = le16(&r);
        n_sections = le16(&r);
        skip(&r, 4);
        symbols_at = le32(&r);
        n_symbols = le32(&r);
        n_optional = le16(&r);
        skip(&r, 2);
        ahead = r;
        magic = le16(&ahead);
        if (magic != MAGIC_32 && magic != MAGIC_64)
                return false;
        pe.sections_at = at + 24u + n_optional;
        if (symbols_at)
                pe.strings_at = symbols_at + (uint64_t)n_symbols * 18;
        pe.n_sections = (uint32_t)min_size(n_sections, PE_SECTIONS_MAX);
        r = reader_of(r.data + r.at, min_size(n_optional, reader_left(&r)));
        parse_optional(&r, size, &pe);
        *ret = pe;
        return true;
}

static uint32_t decimal(const char *s) {
        uint32_t v = 0;

        for (size_t i = 0; i < 7 && s[i] >= '0' && s[i] <= '9'; i++)
                v = v * 10 + (uint32_t)(s[i] - '0');
        return v;
}

bool pe_section(struct span head, uint64_t size, const struct pe *pe, uint32_t i,
                struct pe_section *ret) {
        struct pe_section section = { 0 };
        uint64_t at = pe->sections_at + (uint64_t)i * 40, n_virtual;
        struct reader r;
        struct span name;

        if (i >= pe->n_sections || at > head.n)
                return false;
        r = reader_of(head.data + at, head.n - (size_t)at);
        name = reader_span(&r, 8);
        n_virtual = le32(&r);
        skip(&r, 4);
        section.n = le32(&r);
        section.offset = le32(&r);
        if (r.failed)
                return false;
        memcpy(section.name, name.data, 8);
        /* A longer name stands in the table of strings, at "/123". */
        if (section.name[0] == '/' && pe->strings_at)
                section.name_at = pe->strings_at + decimal(section.name + 1);
        if (section.offset > size || section.n > size - section.offset)
                section.offset = section.n = 0;
        /* What is behind the virtual size is padding. */
        if (n_virtual && n_virtual < section.n)
                section.n = n_virtual;
        *ret = section;
        return true;
}

/* WIN_CERTIFICATE: its length with this head, a revision, a type (2: PKCS #7). Each
 * begins at a multiple of 8. */
bool pe_next_signature(struct reader *table, struct span *ret) {
        while (reader_left(table) >= 8) {
                uint32_t n = le32(table);
                uint16_t type;
                struct span value;

                skip(table, 2);
                type = le16(table);
                if (n < 8)
                        return false;
                value = reader_span(table, n - 8);
                if (table->failed)
                        return false;
                skip(table, min_size((8 - n % 8) % 8, reader_left(table)));
                if (type == 2) {
                        *ret = value;
                        return true;
                }
        }
        return false;
}

/* Four numbers: the sizes of what is trusted and of what is not, and where each is from
 * the beginning of the section (rhboot/shim, shim.c: struct cert_table). */
struct span pe_vendor_certificate(struct span section) {
        struct reader r = reader_of(section.data, section.n);
        uint32_t n = le32(&r), at;

        skip(&r, 4);
        at = le32(&r);
        if (r.failed || n == 0 || at > section.n || n > section.n - at ||
            section.data[at] != 0x30)
                return (struct span){ 0 };
        return (struct span){ section.data + at, n };
}
