/* The names that loaders ask by, and who asks with them. */
#include "policy/menu_path.h"

#include "test/check.h"

#define PXELINUX POLICY_DIALECT_PXELINUX
#define GRUB     POLICY_DIALECT_GRUB
#define IPXE     POLICY_DIALECT_IPXE
#define EXTLINUX POLICY_DIALECT_EXTLINUX

static void loaders_names_are_known(void **state) {
        static const struct {
                const char *path;
                enum policy_dialect dialect; /* NO_DIALECT: no loader asks so */
                bool is_last;
                const char *mac;
        } rows[] = {
                { "pxelinux.cfg/default", PXELINUX, true, NULL },
                { "pxelinux.cfg/01-52-54-00-12-34-56", PXELINUX, false,
                  "52:54:00:12:34:56" },
                { "pxelinux.cfg/01-52-54-00-AB-cd-ef", PXELINUX, false,
                  "52:54:00:ab:cd:ef" },
                { "pxelinux.cfg/20-52-54-00-12-34-56", POLICY_NO_DIALECT, false, NULL },
                { "pxelinux.cfg/C0A80106", PXELINUX, false, NULL },
                { "pxelinux.cfg/C", PXELINUX, false, NULL },
                { "pxelinux.cfg/C0A801060", POLICY_NO_DIALECT, false, NULL },
                { "pxelinux.cfg/nonsense", POLICY_NO_DIALECT, false, NULL },
                { "pxelinux.cfg", POLICY_NO_DIALECT, false, NULL },
                { "pxelinux.cfg/a/default", POLICY_NO_DIALECT, false, NULL },
                { "sub/pxelinux.cfg/default", POLICY_NO_DIALECT, false, NULL },
                { "efi64/pxelinux.cfg/default", PXELINUX, true, NULL },
                { "efi32/pxelinux.cfg/01-52-54-00-12-34-56", PXELINUX, false,
                  "52:54:00:12:34:56" },
                { "pxelinux.cfg/default-arm-bcm283x-rpi", EXTLINUX, false, NULL },
                { "pxelinux.cfg/default-", POLICY_NO_DIALECT, false, NULL },
                { "extlinux/extlinux.conf", EXTLINUX, true, NULL },
                { "extlinux/other.conf", POLICY_NO_DIALECT, false, NULL },
                { "grub/grub.cfg", GRUB, true, NULL },
                { "grub/grub.cfg-01-52-54-00-12-34-56", GRUB, false,
                  "52:54:00:12:34:56" },
                { "grub/grub.cfg-0A4D0014", GRUB, false, NULL },
                { "grub/grub.cfg-0A4", GRUB, false, NULL },
                { "grub/grub.cfg-", POLICY_NO_DIALECT, false, NULL },
                { "grub/grub.cfg.bak", POLICY_NO_DIALECT, false, NULL },
                { "grub.cfg", GRUB, true, NULL },
                { "boot/grub/grub.cfg", GRUB, true, NULL },
                { "boot/grub2/grub.cfg", GRUB, true, NULL },
                { "debian-installer/amd64/grub/grub.cfg", GRUB, true, NULL },
                { "debian-installer/arm64/grub/grub.cfg-0A4D00", GRUB, false, NULL },
                { "debian-installer/grub/grub.cfg", POLICY_NO_DIALECT, false, NULL },
                { "debian-installer/a/b/grub/grub.cfg", POLICY_NO_DIALECT, false,
                  NULL },
                { "EFI/fedora/grub.cfg", GRUB, true, NULL },
                { "efi/boot/grub.cfg", GRUB, true, NULL },
                { "secure/fedora/grub.cfg", GRUB, true, NULL },
                { "secure/grub.cfg", POLICY_NO_DIALECT, false, NULL },
                { "secure/a/b/grub.cfg", POLICY_NO_DIALECT, false, NULL },
                { "EFI/a/b/grub.cfg", POLICY_NO_DIALECT, false, NULL },
                /* A medium's own menu stays its own; a machine's name is nobody's. */
                { "media/f/EFI/BOOT/grub.cfg", POLICY_NO_DIALECT, false, NULL },
                { "media/f/EFI/BOOT/grub.cfg-01-52-54-00-12-34-56", GRUB, false,
                  "52:54:00:12:34:56" },
                { "media/f/EFI/BOOT/grub.cfg-0A4D0014", GRUB, false, NULL },
                { "media/f/EFI/BOOT/grub.cfg-0A4D", POLICY_NO_DIALECT, false, NULL },
                { "boot.ipxe", IPXE, true, NULL },
                { "x/boot.ipxe", POLICY_NO_DIALECT, false, NULL },
                { "bootjack/pxelinux.cfg", PXELINUX, true, NULL },
                { "bootjack/grub.cfg", GRUB, true, NULL },
                { "bootjack/boot.ipxe", IPXE, true, NULL },
                { "bootjack/nothing", POLICY_NO_DIALECT, false, NULL },
                { "bootjack", POLICY_NO_DIALECT, false, NULL },
                { "", POLICY_NO_DIALECT, false, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct menu_path path = { 0 };
                char mac[MAC_TEXT_MAX];
                bool is = menu_path_parse(rows[i].path, &path);

                if (is != (rows[i].dialect != POLICY_NO_DIALECT) ||
                    path.dialect != rows[i].dialect || path.is_last != rows[i].is_last)
                        fail_msg("%s: %d, dialect %d, last %d", rows[i].path, is,
                                 path.dialect, path.is_last);
                assert_string_equal(mac_is_zero(path.mac) ? ""
                                                          : mac_format(path.mac, mac),
                                    rows[i].mac ? rows[i].mac : "");
        }
}

static void a_uuid_is_read_as_it_is_written(void **state) {
        static const char *const folders[] = { "pxelinux.cfg/", "grub/grub.cfg-",
                                               "media/x/EFI/BOOT/grub.cfg-" };
        static const char uuid[] = "564d5a3c-9f1b-2b7d-8c3e-00112233aabb";

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                struct menu_path path = { 0 };
                struct text name = { 0 };
                char text[UUID_TEXT_MAX];

                text_add(&name, folders[i]);
                text_add(&name, uuid);
                assert_true(menu_path_parse(text_string(&name), &path));
                assert_true(path.has_uuid);
                assert_string_equal(uuid_format(path.uuid, text), uuid);
                text_char(&name, '0');
                assert_false(menu_path_parse(text_string(&name), &path));
                text_done(&name);
        }
}

static void a_program_is_for_the_machine_in_its_name(void **state) {
        static const char *const wrong[] = {
                "bootjack/uki/52-54-00-12-34-56",
                "bootjack/uki/52-54-00-12-34.efi",
                "bootjack/uki/.efi",
                "uki/52-54-00-12-34-56.efi",
                "bootjack/uki/x/52-54-00-12-34-56.efi",
        };
        struct menu_path path;
        char mac[MAC_TEXT_MAX];

        assert_true(menu_path_parse("bootjack/uki/52-54-00-12-34-56.efi", &path));
        assert_int_equal(path.page, MENU_PAGE_UKI);
        assert_string_equal(mac_format(path.mac, mac), "52:54:00:12:34:56");
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                assert_false(menu_path_parse(wrong[i], &path));
}

static void the_folder_tells_the_firmware(void **state) {
        struct menu_path path;

        assert_true(menu_path_parse("efi64/pxelinux.cfg/default", &path));
        assert_int_equal(path.firmware, POLICY_UEFI_X64);
        assert_int_equal(path.n_folder, strlen("efi64/pxelinux.cfg"));
        assert_true(menu_path_parse("efi32/pxelinux.cfg/default", &path));
        assert_int_equal(path.firmware, POLICY_UEFI_IA32);
        assert_true(menu_path_parse("pxelinux.cfg/default", &path));
        assert_int_equal(path.firmware, POLICY_FIRMWARE_UNKNOWN);
}

/* What a listing of bootjack/ shows can be had. */
static void every_name_of_ours_is_known(void **state) {
        for (size_t i = 0; menu_path_ours[i]; i++) {
                struct menu_path path;
                struct text name = { 0 };

                text_add(&name, "bootjack/");
                text_add(&name, menu_path_ours[i]);
                assert_true(menu_path_parse(text_string(&name), &path));
                assert_true(path.is_last);
                text_done(&name);
        }
}

static void a_query_is_decoded_once(void **state) {
        static const struct {
                const char *query, *want; /* of `p`; NULL: it is not there */
        } rows[] = {
                { "p=secret", "secret" },
                { "e=1&p=a%26b%3d%2525", "a&b=%25" },
                { "p=", "" },
                { "xp=1&p=2", "2" },
                { "p=1&p=2", "1" },
                { "p", NULL },
                { "", NULL },
                { "p=%", NULL },
                { "p=%4", NULL },
                { "p=%zz", NULL },
                { "p=a%00b", NULL },
                { "p=0123456789", NULL }, /* does not fit */
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char value[10] = "?";

                assert_int_equal(menu_path_query(rows[i].query, "p", value, 10),
                                 rows[i].want != NULL);
                if (rows[i].want)
                        assert_string_equal(value, rows[i].want);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(loaders_names_are_known),
                cmocka_unit_test(a_uuid_is_read_as_it_is_written),
                cmocka_unit_test(a_program_is_for_the_machine_in_its_name),
                cmocka_unit_test(the_folder_tells_the_firmware),
                cmocka_unit_test(every_name_of_ours_is_known),
                cmocka_unit_test(a_query_is_decoded_once),
        };

        return check_run("menu_path", tests);
}
