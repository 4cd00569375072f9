#include "wire/uki.h"

#include "test/check.h"
#include "wire/pe.h"

enum { HEAD = 1024, PE_AT = 0x80, OPTIONAL = PE_AT + 24, SECTIONS = OPTIONAL + 240 };

static void put16(uint8_t *p, unsigned v) {
        p[0] = (uint8_t)v;
        p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v) {
        put16(p, v);
        put16(p + 2, v >> 16);
}

static uint32_t get32(const uint8_t *p) {
        return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
               (uint32_t)p[3] << 24;
}

/* As objcopy leaves systemd's stub: alignments of 512 throughout, one section. */
static void make_stub(uint8_t head[static HEAD]) {
        memset(head, 0, HEAD);
        memcpy(head, "MZ", 2);
        put32(head + 0x3c, PE_AT);
        memcpy(head + PE_AT, "PE\0", 4);
        put16(head + PE_AT + 4, PE_X64);
        put16(head + PE_AT + 6, 1);
        put16(head + PE_AT + 20, 240);
        put16(head + OPTIONAL, 0x20b);
        put32(head + OPTIONAL + 32, 512);
        put32(head + OPTIONAL + 36, 512);
        put32(head + OPTIONAL + 56, 0x19300);
        put32(head + OPTIONAL + 60, HEAD);
        put32(head + OPTIONAL + 64, 0xdeadbeef);
        put16(head + OPTIONAL + 68, 10); /* an application for UEFI */
        put32(head + OPTIONAL + 108, 16);
        memcpy(head + SECTIONS, ".text", 5);
}

static void a_section_is_described_where_it_is(void **state) {
        const struct uki_section sections[] = { { ".cmdline", 0x15000, 13 },
                                                { ".linux", 0x16000, 7000 } };
        uint8_t head[HEAD];
        struct pe pe;
        struct pe_section section;
        const uint8_t *at = head + SECTIONS + 40;

        make_stub(head);
        assert_int_equal(uki_head((struct span){ head, HEAD }), HEAD);
        assert_true(uki_add(head, HEAD, sections, 2));
        assert_true(pe_parse((struct span){ head, HEAD }, 0x20000, &pe));
        assert_int_equal(pe.n_sections, 3);
        assert_true(pe_section((struct span){ head, HEAD }, 0x20000, &pe, 2, &section));
        assert_string_equal(section.name, ".linux");
        assert_int_equal(section.offset, 0x16000);
        assert_int_equal(section.n, 7000);
        assert_memory_equal(at, ".cmdline", 8);
        assert_int_equal(get32(at + 8), 13);       /* in memory */
        assert_int_equal(get32(at + 12), 0x1a000); /* behind what there was */
        assert_int_equal(get32(at + 16), 512);     /* in the file */
        assert_int_equal(get32(at + 40 + 12), 0x1b000);
        assert_int_equal(get32(at + 40 + 16), 7168);
        assert_int_equal(get32(head + OPTIONAL + 56), 0x1d000);
        assert_int_equal(get32(head + OPTIONAL + 64), 0);
}

static void what_does_not_fit_is_refused(void **state) {
        struct uki_section sections[UKI_SECTIONS_MAX] = { 0 };
        uint8_t head[HEAD];
        size_t room = (HEAD - SECTIONS) / 40 - 1;

        make_stub(head);
        for (size_t i = 0; i < UKI_SECTIONS_MAX; i++)
                sections[i] = (struct uki_section){ ".x", UKI_ALIGN, 1 };
        assert_true(room > UKI_SECTIONS_MAX);
        put32(head + OPTIONAL + 60, SECTIONS + 3 * 40);
        assert_true(uki_add(head, SECTIONS + 3 * 40, sections, 2));
        make_stub(head);
        put32(head + OPTIONAL + 60, SECTIONS + 3 * 40);
        assert_false(uki_add(head, SECTIONS + 3 * 40, sections, 3));
        make_stub(head);
        sections[0].offset = 100;
        assert_false(uki_add(head, HEAD, sections, 1));
        make_stub(head);
        sections[0] = (struct uki_section){ ".initrd", UKI_ALIGN, UINT64_C(1) << 32 };
        assert_false(uki_add(head, HEAD, sections, 1));
        make_stub(head);
        sections[0] = (struct uki_section){ ".initrd", UINT32_MAX - 4095, 4096 };
        assert_false(uki_add(head, HEAD, sections, 1));
}

static void only_an_unsigned_program_for_uefi_is_a_stub(void **state) {
        uint8_t head[HEAD];

        make_stub(head);
        assert_int_equal(uki_head((struct span){ head, HEAD - 1 }), 0);
        put16(head + OPTIONAL + 68, 3); /* for a console of Windows */
        assert_int_equal(uki_head((struct span){ head, HEAD }), 0);
        make_stub(head);
        put32(head + OPTIONAL + 112 + 4 * 8, 0x11000);
        put32(head + OPTIONAL + 112 + 4 * 8 + 4, 2000); /* a signature */
        assert_int_equal(uki_head((struct span){ head, HEAD }), 0);
        make_stub(head);
        put32(head + OPTIONAL + 32, 0x3000);
        assert_int_equal(uki_head((struct span){ head, HEAD }), 0);
        make_stub(head);
        put32(head + OPTIONAL + 36, 0);
        assert_int_equal(uki_head((struct span){ head, HEAD }), 0);
        assert_int_equal(uki_head((struct span){ (const uint8_t *)"#!/bin/sh", 9 }), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_section_is_described_where_it_is),
                cmocka_unit_test(what_does_not_fit_is_refused),
                cmocka_unit_test(only_an_unsigned_program_for_uefi_is_a_stub),
        };

        return check_run("uki", tests);
}
