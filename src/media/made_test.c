#include "media/made.h"

#include "test/check.h"

static void names_say_what_is_made(void **state) {
        static const struct {
                const char *path;
                enum made_kind kind;
                const char *medium, *name;
        } rows[] = {
                { "made/pve/proxmox.iso.cpio", MADE_CPIO, "pve", "proxmox.iso" },
                { "made/pve/x.cpio", MADE_CPIO, "pve", "x" },
                { "made/deb/debian-12/initrd", MADE_INITRD, "deb", "debian-12" },
                { "made/esx/boot.cfg", MADE_BOOT_CFG, "esx", "" },
                { "made/esx/mboot.efi", MADE_MBOOT_EFI, "esx", "" },
                { "made/esx/crypto64.efi", MADE_CRYPTO_EFI, "esx", "" },
                { "made/win/winpeshl.ini", MADE_WINPESHL, "win", "" },
                { "made/win/startnet.cmd", MADE_STARTNET, "win", "" },
                /* An entry may be called like a file. */
                { "made/esx/boot.cfg/initrd", MADE_INITRD, "esx", "boot.cfg" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct made made;

                assert_true(made_parse(rows[i].path, &made));
                assert_int_equal(made.kind, rows[i].kind);
                assert_int_equal(made.n_medium, strlen(rows[i].medium));
                assert_memory_equal(made.medium, rows[i].medium, made.n_medium);
                assert_int_equal(made.n_name, strlen(rows[i].name));
                if (made.n_name > 0)
                        assert_memory_equal(made.name, rows[i].name, made.n_name);
        }
}

static void other_names_are_nothing(void **state) {
        static const char *const paths[] = {
                "",
                "made",
                "made/pve",
                "made/pve/.cpio",
                "made/pve/cpio",
                "made/pve/proxmox.iso",
                "made/deb/debian-12",
                "made/deb/debian-12/kernel",
                "made/deb/debian-12/initrd/x",
                "made/esx/boot.cfg/x",
                "makes/esx/boot.cfg",
                "media/esx/boot.cfg",
        };
        struct made made = { .kind = MADE_NOTHING };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                assert_false(made_parse(paths[i], &made));
        assert_int_equal(made.kind, MADE_NOTHING);
}

/* `userdata` are all paths that there are, one after the other. */
static bool has(const char *path, void *userdata) {
        return strstr(userdata, path);
}

static void assert_shown(const struct medium *medium, const char *paths,
                         const char *names) {
        struct text all = { 0 }, name = { 0 };
        bool is_folder;

        for (size_t i = 0;
             made_name(medium, has, (void *)(uintptr_t)paths, i, &name, &is_folder);
             i++) {
                text_add(&all, text_string(&name));
                text_add(&all, is_folder ? "/ " : " ");
                text_done(&name);
                name = (struct text){ 0 };
        }
        assert_string_equal(text_string(&all), names);
        text_done(&all);
        text_done(&name);
}

static void a_medium_shows_what_its_system_asks_for(void **state) {
        struct medium medium = { .kind = MEDIUM_ISO, .name = "a", .system = "esxi" };

        assert_shown(&medium, "boot.cfg efi/boot/bootx64.efi efi/boot/crypto64.efi",
                     "a.iso.cpio boot.cfg mboot.efi crypto64.efi ");
        medium.kind = MEDIUM_TREE;
        assert_shown(&medium, "sources/boot.wim", "winpeshl.ini startnet.cmd ");
        medium.kind = MEDIUM_ISO;
        medium.system = "proxmox";
        medium.n_entries = 2;
        medium.entries[0] = (struct medium_entry){ .id = "pve", .n_initrd = 1 };
        medium.entries[1] = (struct medium_entry){ .id = "memtest" };
        assert_shown(&medium, "", "proxmox.iso.cpio pve/ ");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_say_what_is_made),
                cmocka_unit_test(other_names_are_nothing),
                cmocka_unit_test(a_medium_shows_what_its_system_asks_for),
        };

        return check_run("media/made", tests);
}
