#include "media/medium.h"

#include "test/check.h"

static void a_name_is_fit_for_a_url(void **state) {
        static const struct {
                const char *path, *name;
        } rows[] = {
                { "/srv/isos/debian-12.0.0-amd64-DVD-1.iso",
                  "debian-12.0.0-amd64-dvd-1" },
                { "CentOS 6 (final).ISO", "centos-6-final" },
                { "/srv/tree/", "tree" },
                { "/", "medium" },
                { "", "medium" },
                { "..iso", "medium" },
                { ".iso", "iso" },
                { "/a/\xc3\xa9t\xc3\xa9.iso", "t" },
                { "a%2f..\\b.iso", "a-2f..-b" },
                { "/x/--.iso", "medium" },
                { "floppy.img", "floppy" },
                { "netboot.tar.gz", "netboot" },
                { "debian-12.tar", "debian-12" },
                { "no-suffix.bin", "no-suffix.bin" },
                { "01234567890123456789012345678901234567890123456789012345678901234567"
                  "89",
                  "012345678901234567890123456789012345678901234567890123456789012" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char name[MEDIUM_NAME_MAX];

                medium_name_from_path(rows[i].path, name);
                assert_string_equal(name, rows[i].name);
        }
}

static const struct medium sample = {
        .kind = MEDIUM_ISO,
        .name = "a",
        .path = "/a\"b.iso",
        .system = "debian",
        .version = "12",
        .edition = "",
        .arch = "amd64",
        .size = 4096,
        .n_recognised_by = 1,
        .recognised_by = { "file x" },
        .n_entries = 1,
        .entries = { { .id = "debian-12",
                       .title = "Debian",
                       .kernel = "linux",
                       .initrd = { "initrd.gz" },
                       .n_initrd = 1,
                       .boot = MEDIUM_LINUX,
                       .help = "asks before it writes",
                       .n_ways = 2,
                       .ways = { { MEDIUM_HTTP_ISO, "url=${iso}", 4096 },
                                 { MEDIUM_NFS, "", 0 } },
                       .answer_kind = "preseed",
                       .answer_args = "url=${answer}",
                       .remedy = "bootjack media add-netboot",
                       .secure_why_not = "the kernel is not signed",
                       .firmware = MEDIUM_BIOS | MEDIUM_UEFI_X64,
                       .transports = MEDIUM_TFTP | MEDIUM_HTTP,
                       .args = "quiet",
                       .memory = 1024,
                       .why_not = "" } },
        .loaders = { { NULL, NULL }, { "EFI/BOOT/BOOTX64.EFI", "", "it is no shim" } },
};

static void json_has_the_fields_that_were_promised(void **state) {
        struct text out = { 0 };

        medium_json(&sample, &out);
        assert_string_equal(
                text_string(&out),
                "{\"name\":\"a\",\"path\":\"/"
                "a\\\"b.iso\",\"kind\":\"iso\",\"size\":4096,"
                "\"system\":\"debian\",\"version\":\"12\",\"edition\":null,"
                "\"arch\":\"amd64\",\"recognised_by\":[\"file x\"],\"problems\":[],"
                "\"entries\":[{\"id\":\"debian-12\",\"title\":\"Debian\","
                "\"kernel\":\"linux\",\"initrd\":[\"initrd.gz\"],\"args\":\"quiet "
                "url=${iso}\","
                "\"loaders\":{\"bios\":\"pxelinux\",\"uefi-x64\":\"grub\"},"
                "\"transports\":[\"tftp\",\"http\"],\"memory\":1024,\"why_not\":null,"
                "\"boot\":\"linux\",\"help\":\"asks before it writes\","
                "\"ways\":[{\"transport\":\"http-iso\",\"args\":\"quiet url=${iso}\","
                "\"memory\":4096},{\"transport\":\"nfs\",\"args\":\"quiet\",\"memory\":"
                "null}"
                "],"
                "\"remedy\":\"bootjack media add-netboot\","
                "\"secure_boot\":{\"passes\":false,\"why\":\"the kernel is not "
                "signed\"},\"answer\":{\"kind\":\"preseed\",\"args\":\"url=${answer}\"}"
                "}],"
                "\"loaders\":{\"uefi-x64\":{\"shim\":\"EFI/BOOT/BOOTX64.EFI\","
                "\"grub\":null,\"why_not\":\"it is no shim\","
                "\"proxy_why_not\":null}}}");
        text_done(&out);
}

static void a_way_stands_before_what_is_for_the_installed_system(void **state) {
        static const struct {
                const char *args, *way, *all;
        } rows[] = {
                { "", "", "" },
                { "a b", "", "a b" },
                { "", "c=d", "c=d" },
                { "a", "c=d", "a c=d" },
                { "---", "c", "c ---" },
                { "a --- b", "c", "a c --- b" },
                { "a --- b", "", "a --- b" },
                { "a=--- ---b", "c", "a=--- ---b c" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct medium_entry e = { .args = rows[i].args, .n_ways = 1 };
                struct text out = { 0 };

                e.ways[0] = (struct medium_way){ MEDIUM_HTTP, rows[i].way, 0 };
                medium_entry_args(&e, 0, &out);
                assert_string_equal(text_string(&out), rows[i].all);
                text_done(&out);
                medium_entry_args(&e, 1, &out);
                assert_string_equal(text_string(&out), rows[i].args);
                text_done(&out);
        }
}

static void a_medium_is_described_in_a_few_words(void **state) {
        struct medium m = sample;
        struct text out = { 0 };

        m.edition = "net\x1b";
        medium_describe(&m, &out);
        text_add(&out, ", ");
        m.system = "unknown";
        medium_describe(&m, &out);
        assert_string_equal(text_string(&out),
                            "debian 12 net\\x1b (amd64), unknown system");
        text_done(&out);
}

static void masks_have_names(void **state) {
        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++)
                assert_int_equal(medium_firmware_parse(medium_firmware_name(i)),
                                 1u << i);
        for (unsigned i = 0; i < MEDIUM_N_TRANSPORTS; i++)
                assert_int_equal(medium_transport_parse(medium_transport_name(i)),
                                 1u << i);
        assert_int_equal(medium_firmware_parse("efi"), 0);
        for (unsigned i = 0; i < MEDIUM_N_BOOTS; i++) {
                enum medium_boot boot;

                assert_true(medium_boot_parse(medium_boot_name(i), &boot));
                assert_int_equal(boot, i);
        }
        assert_null(medium_boot_name(MEDIUM_N_BOOTS));
        assert_null(medium_firmware_name(MEDIUM_N_FIRMWARE));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_is_fit_for_a_url),
                cmocka_unit_test(json_has_the_fields_that_were_promised),
                cmocka_unit_test(a_way_stands_before_what_is_for_the_installed_system),
                cmocka_unit_test(a_medium_is_described_in_a_few_words),
                cmocka_unit_test(masks_have_names),
        };

        return check_run("media/medium", tests);
}
