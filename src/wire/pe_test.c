/* A program of three sections, made here, and what happens when it lies. */
#include "wire/pe.h"

#include "test/check.h"
#include "wire/grub_image.h"

enum { N = 1024, HEADS = 0x80 + 24 + 240 };

static void put(uint8_t *at, uint64_t v, size_t n) {
        for (size_t i = 0; i < n; i++)
                at[i] = (uint8_t)(v >> 8 * i);
}

static void put_section(uint8_t *data, size_t i, const char *name, uint32_t at,
                        uint32_t n, uint32_t n_virtual) {
        uint8_t *head = data + HEADS + i * 40;

        memcpy(head, name, strlen(name));
        put(head + 8, n_virtual, 4);
        put(head + 16, n, 4);
        put(head + 20, at, 4);
}

static void make(uint8_t data[N]) {
        uint8_t *pe = data + 0x80;

        memset(data, 0, N);
        memcpy(data, "MZ", 2);
        put(data + 0x3c, 0x80, 4);
        memcpy(pe, "PE\0\0", 4);
        put(pe + 4, PE_X64, 2);
        put(pe + 6, 3, 2);
        put(pe + 12, 900, 4); /* the table of symbols, of one, and strings behind it */
        put(pe + 16, 1, 4);
        put(pe + 20, 240, 2);
        put(pe + 24, 0x20b, 2);
        put(pe + 24 + 68, 10, 2);
        put(pe + 24 + 108, 16, 4);
        put(pe + 24 + 112 + 4 * 8, 600, 4);
        put(pe + 24 + 112 + 4 * 8 + 4, 48, 4);
        put_section(data, 0, ".sbat", 512, 64, 5);
        put_section(data, 1, "/14", 576, 24, 0);
        put_section(data, 2, "mods", 10000, 64, 0);
        put(data + 600, 20, 4); /* the first signature, of 12 bytes and 4 of padding */
        put(data + 606, 2, 2);
        put(data + 624, 16, 4); /* one of another type, then one more */
        put(data + 630, 1, 2);
        put(data + 640, 8, 4);
        put(data + 646, 2, 2);
}

static void the_head_says_where_everything_is(void **state) {
        struct span head, found;
        struct pe_section s;
        struct reader table;
        uint8_t data[N];
        struct pe pe;

        make(data);
        head = (struct span){ data, N };
        assert_true(pe_parse(head, N, &pe));
        assert_int_equal(pe.machine, PE_X64);
        assert_true(pe.is_efi);
        assert_int_equal(pe.signatures_at, 600);
        assert_true(pe_section(head, N, &pe, 0, &s));
        assert_string_equal(s.name, ".sbat");
        assert_int_equal(s.offset, 512);
        assert_int_equal(s.n, 5);
        assert_int_equal(s.name_at, 0);
        assert_true(pe_section(head, N, &pe, 1, &s));
        assert_int_equal(s.name_at, 900 + 18 + 14);
        assert_int_equal(s.n, 24);
        assert_true(pe_section(head, N, &pe, 2, &s));
        assert_int_equal(s.n, 0); /* it would lie behind the file */
        assert_false(pe_section(head, N, &pe, 3, &s));
        table = reader_of(data + pe.signatures_at, (size_t)pe.n_signatures);
        assert_true(pe_next_signature(&table, &found));
        assert_ptr_equal(found.data, data + 608);
        assert_int_equal(found.n, 12);
        assert_true(pe_next_signature(&table, &found));
        assert_int_equal(found.n, 0);
        assert_false(pe_next_signature(&table, &found));
}

static void a_table_behind_the_end_is_none(void **state) {
        uint8_t data[N];
        struct pe pe;

        make(data);
        assert_true(pe_parse((struct span){ data, N }, 620, &pe));
        assert_int_equal(pe.n_signatures, 0);
        make(data);
        put(data + 0x80 + 24 + 108, 4, 4); /* as many directories, and no more */
        assert_true(pe_parse((struct span){ data, N }, N, &pe));
        assert_int_equal(pe.n_signatures, 0);
}

static void a_head_that_is_cut_is_read_no_further(void **state) {
        uint8_t data[N];

        make(data);
        for (size_t n = 0; n < HEADS + 130; n++) {
                uint8_t *exact = test_malloc(n + 1);
                struct span head = { exact, n };
                struct pe_section s;
                struct pe pe;

                memcpy(exact, data, n);
                if (pe_parse(head, N, &pe))
                        for (uint32_t i = 0; pe_section(head, N, &pe, i, &s); i++)
                                assert_true(n >= HEADS + i * 40 + 24);
                test_free(exact);
        }
}

static void other_files_are_no_programs(void **state) {
        static const char kernel[] =
                "MZ no PE follows, and what is at 0x3c is text.....!!";
        struct pe pe;

        assert_false(pe_parse((struct span){ (const uint8_t *)kernel, sizeof(kernel) },
                              sizeof(kernel), &pe));
        assert_false(pe_parse((struct span){ (const uint8_t *)"\177ELF", 4 }, 4, &pe));
        assert_false(pe_parse((struct span){ NULL, 0 }, 0, &pe));
}

static void shim_has_a_certificate_or_a_list(void **state) {
        uint8_t section[32] = { 0 };
        struct span found;

        put(section, 8, 4);
        put(section + 8, 16, 4);
        section[16] = 0x30;
        found = pe_vendor_certificate((struct span){ section, 32 });
        assert_ptr_equal(found.data, section + 16);
        assert_int_equal(found.n, 8);
        section[16] = 0xa1; /* EFI_SIGNATURE_LIST */
        assert_int_equal(pe_vendor_certificate((struct span){ section, 32 }).n, 0);
        section[16] = 0x30;
        put(section, 17, 4);
        assert_int_equal(pe_vendor_certificate((struct span){ section, 32 }).n, 0);
}

/* An ELF object of 64 bits with a table of two sections behind its head. */
static size_t put_module(uint8_t *at, const char *name, const char *text) {
        enum {
                TABLE = 64,
                NAMES = TABLE + 2 * 64,
                NAME = NAMES + 16,
                TEXT = NAME + 16,
                SIZE = TEXT + 48
        };
        uint8_t *elf = at + 8;

        put(at, 0, 4);
        put(at + 4, 8 + SIZE, 4);
        memcpy(elf, "\177ELF\2", 5);
        put(elf + 40, TABLE, 8);
        put(elf + 58, 64, 2);
        put(elf + 60, 2, 2);
        put(elf + 62, 0, 2); /* the names are in section 0 */
        put(elf + TABLE + 24, NAMES, 8);
        put(elf + TABLE + 32, 16, 8);
        memcpy(elf + NAMES, "\0.modname", 10);
        put(elf + TABLE + 64, 1, 4);
        put(elf + TABLE + 64 + 24, NAME, 8);
        put(elf + TABLE + 64 + 32, strlen(name) + 1, 8);
        memcpy(elf + NAME, name, strlen(name) + 1);
        memcpy(elf + TEXT, text, strlen(text) + 1);
        return 8 + SIZE;
}

static size_t make_modules(uint8_t data[N], const char *in_efinet,
                           const char *in_tftp) {
        size_t n = 24;

        memset(data, 0, N);
        n += put_module(data + n, "efinet", in_efinet);
        n += put_module(data + n, "tftp", in_tftp);
        put(data + n, 3, 4);
        put(data + n + 4, 14, 4);
        memcpy(data + n + 8, "/grub", 6);
        n += 14;
        memcpy(data, "mimg", 4);
        put(data + 8, 24, 8);
        put(data + 16, n, 8);
        return n;
}

static void a_grub_is_known_by_its_modules(void **state) {
        struct grub_image image;
        uint8_t data[N];
        size_t n = make_modules(data, "", "");

        assert_true(grub_image_parse((struct span){ data, n }, &image));
        assert_int_equal(image.n_modules, 2);
        assert_true(image.has_net && image.has_tftp);
        assert_false(image.has_http || image.has_config || image.keeps_proxy);
        assert_string_equal(image.prefix, "/grub");
        assert_false(grub_image_parse((struct span){ data + 4, n - 4 }, &image));
        for (size_t cut = 0; cut < n; cut++) {
                uint8_t *exact = test_malloc(cut + 1);

                memcpy(exact, data, cut);
                (void)!grub_image_parse((struct span){ exact, cut }, &image);
                test_free(exact);
        }
}

static void a_grub_that_knows_proxies_is_known_by_what_it_would_say(void **state) {
        static const char said[] = "setting values from proxy offer";
        struct grub_image image;
        uint8_t data[N];
        size_t n = make_modules(data, said, "");

        assert_true(grub_image_parse((struct span){ data, n }, &image));
        assert_true(image.keeps_proxy);
        n = make_modules(data, "setting values from proxy of", said);
        assert_true(grub_image_parse((struct span){ data, n }, &image));
        assert_false(image.keeps_proxy);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_head_says_where_everything_is),
                cmocka_unit_test(a_table_behind_the_end_is_none),
                cmocka_unit_test(a_head_that_is_cut_is_read_no_further),
                cmocka_unit_test(other_files_are_no_programs),
                cmocka_unit_test(shim_has_a_certificate_or_a_list),
                cmocka_unit_test(a_grub_is_known_by_its_modules),
                cmocka_unit_test(
                        a_grub_that_knows_proxies_is_known_by_what_it_would_say),
        };

        return check_run("pe", tests);
}
