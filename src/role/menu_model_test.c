/*
 * From media to a menu: order, sub-menus, ways by memory, marks, tools. Written as
 * lines that people can read.
 */
#include "role/menu_model.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/build.h"
#include "test/check.h"

enum { MEDIA = 40 };

static struct {
        struct menu_medium at[MEDIA];
        struct media_index index[MEDIA];
        void *mapping[MEDIA];
        size_t n_mapping[MEDIA], n;
} media;

static void add(const struct medium *medium) {
        struct stat st;
        size_t i = media.n++;
        int fd;

        assert_true(i < MEDIA);
        assert_int_equal(media_build_seal(NULL, 0, medium, &fd), 0);
        assert_int_equal(fstat(fd, &st), 0);
        media.n_mapping[i] = (size_t)st.st_size;
        media.mapping[i] = mmap(NULL, media.n_mapping[i], PROT_READ, MAP_SHARED, fd, 0);
        assert_ptr_not_equal(media.mapping[i], MAP_FAILED);
        close(fd);
        assert_int_equal(
                media_index_open(media.mapping[i], media.n_mapping[i], &media.index[i]),
                0);
        media.at[i] = (struct menu_medium){ medium->name, &media.index[i],
                                            medium->system, medium->version };
}

static void add_linux(const char *name, const char *system, const char *version,
                      const char *title) {
        struct medium medium = { .kind = MEDIUM_TREE,
                                 .name = name,
                                 .path = "/x",
                                 .system = system,
                                 .version = version,
                                 .edition = "",
                                 .arch = "amd64",
                                 .n_entries = 1,
                                 .entries = {
                                         { .id = name,
                                           .title = title,
                                           .kernel = "linux",
                                           .initrd = { "initrd" },
                                           .n_initrd = 1,
                                           .firmware = MEDIUM_BIOS | MEDIUM_UEFI_X64,
                                           .args = "",
                                           .why_not = "" } } };

        add(&medium);
}

static int tear_down(void **state) {
        for (size_t i = 0; i < media.n; i++)
                munmap(media.mapping[i], media.n_mapping[i]);
        media.n = 0;
        return 0;
}

static struct menu_wish wish(void) {
        return (struct menu_wish){ .title = "Title",
                                   .initial = "local",
                                   .serial = "",
                                   .server = 0x0a4d0001,
                                   .http_port = 80,
                                   .transports = UINT32_MAX,
                                   .firmware = MENU_BIOS,
                                   .dialect = POLICY_DIALECT_PXELINUX,
                                   .media = media.at,
                                   .n_media = media.n };
}

/* "id id > Group: id id > Group: ..."; the default with a star. */
static void is_menu(const struct menu_wish *w, const char *want) {
        struct menu_model *model;
        struct text out = { 0 };
        unsigned group = 0;

        assert_int_equal(menu_model_new(w, &model), 0);
        for (size_t i = 0; i < model->menu.n_entries; i++) {
                const struct menu_entry *entry = &model->menu.entries[i];

                text_add(&out, i ? " " : "");
                if (entry->group != group) {
                        text_add(&out, "> ");
                        text_add(&out, entry->group
                                               ? model->menu.groups[entry->group - 1]
                                               : "");
                        text_add(&out, ": ");
                }
                group = entry->group;
                text_add(&out, entry->id);
                text_add(&out, i == model->menu.initial ? "*" : "");
        }
        assert_string_equal(text_string(&out), want);
        text_done(&out);
        menu_model_free(model);
}

static void systems_stand_together_and_the_newest_first(void **state) {
        struct menu_wish w;

        add_linux("a", "ubuntu", "22.04", "Ubuntu 22.04");
        add_linux("b", "debian", "9", "Debian 9");
        add_linux("c", "debian", "12", "Debian 12");
        add_linux("d", "ubuntu", "24.04", "Ubuntu 24.04");
        add_linux("e", "debian", "12.4", "Debian 12.4");
        add_linux("f", "debian", "12.10", "Debian 12.10");
        w = wish();
        is_menu(&w, "local* f e c b d a");
        w.initial = "first";
        is_menu(&w, "local f* e c b d a");
        w.initial = "gone";
        is_menu(&w, "local* f e c b d a");
        w.always_nests = true;
        w.initial = "b";
        is_menu(&w, "local b* > Debian: f e c > Ubuntu: d a");
}

static void many_entries_get_sub_menus_by_themselves(void **state) {
        static const char *const ids[] = { "a", "b", "c", "d", "e", "f",
                                           "g", "h", "i", "j", "k", "l" };
        struct menu_wish w;

        for (size_t i = 0; i < 11; i++)
                add_linux(ids[i], i < 6 ? "rocky" : "suse", "1",
                          i < 6 ? "Rocky Linux 9" : "openSUSE Leap");
        w = wish();
        is_menu(&w, "local* a b c d e f g h i j k");
        add_linux("l", "memtest86plus", "7", "Memtest86+ 7");
        w = wish();
        is_menu(&w, "local* l > Rocky Linux: a b c d e f > openSUSE Leap: g h i j k");
        w.never_nests = true;
        is_menu(&w, "local* l a b c d e f g h i j k");
}

/* Whatever else has been written there. */
static void other_firmwares_entries_are_not_there(void **state) {
        struct menu_wish w;

        add_linux("a", "debian", "12", "Debian 12");
        w = wish();
        w.firmware = MENU_UEFI_ARM64;
        is_menu(&w, "local*");
        w.firmware = MENU_UEFI_X64;
        is_menu(&w, "local* a");
}

static void tools_suit_the_loader(void **state) {
        struct menu_wish w = wish();

        w.tools = (struct menu_tools){ true, "memtest86+x64.bin", "ipxe.lkrn",
                                       "bootjack/shell.ipxe", true };
        w.initial = "first";
        is_menu(&w, "local* > Tools: memory-test ipxe reboot poweroff");
        w.dialect = POLICY_DIALECT_GRUB;
        w.firmware = MENU_UEFI_X64;
        w.tools.ipxe = NULL;
        is_menu(&w, "local* > Tools: memory-test shell settings reboot poweroff");
        w.dialect = POLICY_DIALECT_IPXE;
        is_menu(&w, "local* > Tools: memory-test shell grub reboot poweroff");
        w.dialect = POLICY_DIALECT_EXTLINUX;
        is_menu(&w, "local*");
        w.dialect = POLICY_DIALECT_PXELINUX;
        w.tools.are_wanted = false;
        is_menu(&w, "local*");
}

static void a_mediums_memory_test_is_the_one(void **state) {
        struct menu_wish w;

        add_linux("m", "memtest86plus", "7", "Memtest86+ 7");
        w = wish();
        w.tools = (struct menu_tools){ .are_wanted = true,
                                       .memory_test = "memtest86+x64.bin" };
        is_menu(&w, "local* m > Tools: reboot poweroff");
}

static void an_assigned_medium_is_its_first_entry(void **state) {
        struct menu_wish w;

        add_linux("a", "debian", "12", "Debian 12");
        add_linux("b", "debian", "11", "Debian 11");
        w = wish();
        w.initial = "b";
        is_menu(&w, "local a b*");
}

/* ---- one entry ---- */

static struct menu_model *model_of(const struct menu_wish *w) {
        struct menu_model *model;

        assert_int_equal(menu_model_new(w, &model), 0);
        assert_int_equal(model->menu.n_entries, 2);
        return model;
}

static void add_live(void) {
        struct medium live = {
                .kind = MEDIUM_TREE,
                .name = "live",
                .path = "/x",
                .system = "live",
                .version = "",
                .edition = "",
                .arch = "amd64",
                .n_entries = 1,
                .entries = { {
                        .id = "live",
                        .title = "Live",
                        .help = "A desktop.",
                        .kernel = "/made/${name}/kernel",
                        .initrd = { "initrd", "/made/${name}/extra" },
                        .initrd_name = { "", "extra" },
                        .n_initrd = 2,
                        .firmware = MEDIUM_BIOS,
                        .args = "a --- z",
                        .memory = UINT64_C(512) << 20,
                        .why_not = "",
                        .secure_why_not = "its kernel is not signed",
                        .n_ways = 3,
                        .ways = { { MEDIUM_HTTP_ISO, "iso=${iso}", UINT64_C(4) << 30 },
                                  { MEDIUM_HTTP, "http", UINT64_C(2) << 30 },
                                  { MEDIUM_NFS, "nfs", UINT64_C(1) << 30 } },
                } },
        };

        add(&live);
}

static void the_way_fits_the_memory(void **state) {
        static const struct {
                uint64_t memory; /* MiB */
                uint16_t http_port;
                const char *args, *title;
                bool nfs;
        } rows[] = {
                { 0, 80, "a iso=http://10.77.0.1/iso/live.iso --- z", "Live", false },
                { 8192, 80, "a iso=http://10.77.0.1/iso/live.iso --- z", "Live",
                  false },
                { 3000, 80, "a http --- z", "Live", false },
                { 1500, 80, "a nfs --- z", "Live", true },
                { 1000, 80, "a nfs --- z", "Live (needs 1 GiB)", true },
                { 8192, 0, "a nfs --- z", "Live", true }, /* there is no HTTP */
        };

        add_live();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct menu_wish w = wish();
                struct menu_model *model;

                w.memory = rows[i].memory << 20;
                w.http_port = rows[i].http_port;
                if (!w.http_port)
                        w.transports &= ~(uint32_t)(MEDIUM_HTTP | MEDIUM_HTTP_ISO);
                model = model_of(&w);
                assert_string_equal(model->menu.entries[1].args, rows[i].args);
                assert_string_equal(model->menu.entries[1].title, rows[i].title);
                assert_int_equal(model->needs_nfs, rows[i].nfs);
                menu_model_free(model);
        }
}

static void a_kernel_of_u_boot_was_told_a_console_of_pcs(void **state) {
        static const struct {
                enum policy_dialect dialect;
                const char *args;
        } rows[] = {
                { POLICY_DIALECT_GRUB, "a http console=ttyS0,115200n8 --- z" },
                { POLICY_DIALECT_EXTLINUX, "a http --- z" },
        };

        add_live();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct menu_wish w = wish();
                struct menu_model *model;

                w.memory = UINT64_C(3000) << 20;
                w.serial = "ttyS0,115200";
                w.dialect = rows[i].dialect;
                model = model_of(&w);
                assert_string_equal(model->menu.entries[1].args, rows[i].args);
                menu_model_free(model);
        }
}

/* iPXE's sanboot took it for a second address of the disk, and no image was found. */
static void a_whole_image_was_given_a_console(void **state) {
        static const struct {
                enum medium_boot boot;
                const char *want;
        } rows[] = {
                { MEDIUM_LINUX, "a console=ttyS0,115200n8" },
                { MEDIUM_PROGRAM, "a console=ttyS0,115200n8" },
                { MEDIUM_IMAGE, "a" },
                { MEDIUM_MEMDISK, "a" },
                { MEDIUM_EFI, "a" },
                { MEDIUM_WIM, "a" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct medium medium = { .name = "m",
                                         .path = "/x",
                                         .system = "unknown",
                                         .version = "",
                                         .edition = "",
                                         .arch = "",
                                         .n_entries = 1,
                                         .entries = { { .id = "m",
                                                        .title = "m",
                                                        .kernel = "/iso/${name}.iso",
                                                        .boot = rows[i].boot,
                                                        .firmware = MEDIUM_BIOS,
                                                        .args = "a",
                                                        .why_not = "" } } };
                struct menu_model *model;
                struct menu_wish w;

                add(&medium);
                w = wish();
                w.serial = "ttyS0,115200";
                assert_int_equal(menu_model_new(&w, &model), 0);
                assert_string_equal(model->menu.entries[1].args, rows[i].want);
                menu_model_free(model);
                tear_down(NULL);
        }
}

static void an_entry_whose_doors_are_all_shut_is_left_out(void **state) {
        struct menu_wish w;

        add_live();
        w = wish();
        w.transports = MEDIUM_TFTP | MEDIUM_FTP;
        is_menu(&w, "local*");
}

static void what_stands_in_the_way_is_said(void **state) {
        struct menu_wish w;
        struct menu_model *model;
        const struct menu_entry *entry;

        add_live();
        w = wish();
        model = model_of(&w);
        assert_string_equal(model->menu.entries[1].help, "A desktop.");
        menu_model_free(model);
        w.is_secure = true;
        model = model_of(&w);
        entry = &model->menu.entries[1];
        assert_string_equal(entry->title, "Live (not with Secure Boot)");
        assert_string_equal(entry->help, "Secure Boot: its kernel is not signed");
        menu_model_free(model);
        /* By the shim of another medium nothing here starts. */
        w.chain = "fedora";
        model = model_of(&w);
        assert_string_equal(model->menu.entries[1].help,
                            "Secure Boot: the machine starts by the shim of fedora");
        menu_model_free(model);
        w.is_secure = false;
        w.memory = UINT64_C(700) << 20;
        model = model_of(&w);
        entry = &model->menu.entries[1];
        assert_string_equal(entry->title, "Live (needs 1 GiB)");
        assert_string_equal(entry->help,
                            "This machine has 700 MiB of memory; it may run "
                            "out of it.");
        menu_model_free(model);
}

static void paths_are_of_the_medium_or_of_the_tree(void **state) {
        struct menu_wish w;
        struct menu_model *model;
        const struct menu_entry *entry;

        add_live();
        w = wish();
        model = model_of(&w);
        entry = &model->menu.entries[1];
        assert_string_equal(entry->kernel, "made/live/kernel");
        assert_int_equal(entry->n_files, 2);
        assert_string_equal(entry->files[0].path, "media/live/initrd");
        assert_string_equal(entry->files[1].path, "made/live/extra");
        assert_string_equal(entry->files[1].name, "extra");
        menu_model_free(model);
}

/* "id id": those that ask for the password. */
static void locks(const struct menu_wish *w, const char *want) {
        struct menu_model *model;
        struct text out = { 0 };

        assert_int_equal(menu_model_new(w, &model), 0);
        for (size_t i = 0; i < model->menu.n_entries; i++)
                if (model->menu.entries[i].is_locked) {
                        text_add(&out, out.n ? " " : "");
                        text_add(&out, model->menu.entries[i].id);
                }
        assert_string_equal(text_string(&out), want);
        assert_int_equal(model->menu.password.is_on, w->password != NULL);
        text_done(&out);
        menu_model_free(model);
}

static void a_password_locks_all_but_the_disk_and_the_default(void **state) {
        static const struct password password = { .is_on = true };
        struct menu_wish w;

        add_linux("a", "debian", "12", "Debian 12");
        add_linux("b", "debian", "11", "Debian 11");
        w = wish();
        w.dialect = POLICY_DIALECT_IPXE;
        w.tools.are_wanted = true;
        w.locks_entries = true;
        locks(&w, "");
        w.password = &password;
        locks(&w, "a b shell");
        /* Nobody sits there to type it. */
        w.initial = "b";
        w.timeout = NSEC_PER_SEC;
        locks(&w, "a shell");
        /* But who waits for ever waits for a person. */
        w.timeout = 0;
        locks(&w, "a b shell");
        w.locks_entries = false;
        locks(&w, "shell");
}

/* A medium says how long its own texts are. */
static void a_text_of_any_length_is_kept(void **state) {
        static char args[100000];
        struct medium medium = { .kind = MEDIUM_TREE,
                                 .name = "m",
                                 .path = "/x",
                                 .system = "s",
                                 .version = "",
                                 .edition = "",
                                 .arch = "",
                                 .n_entries = 1,
                                 .entries = { { .id = "m",
                                                .title = "M",
                                                .kernel = "k",
                                                .why_not = "",
                                                .firmware = MEDIUM_BIOS,
                                                .args = args } } };
        struct menu_wish w;
        struct menu_model *model;

        memset(args, 'x', sizeof(args) - 1);
        add(&medium);
        w = wish();
        model = model_of(&w);
        assert_true(strlen(model->menu.entries[1].args) > 30000);
        menu_model_free(model);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, NULL, tear_down)
        const struct CMUnitTest tests[] = {
                T(systems_stand_together_and_the_newest_first),
                T(many_entries_get_sub_menus_by_themselves),
                T(other_firmwares_entries_are_not_there),
                T(tools_suit_the_loader),
                T(a_mediums_memory_test_is_the_one),
                T(an_assigned_medium_is_its_first_entry),
                T(the_way_fits_the_memory),
                T(a_kernel_of_u_boot_was_told_a_console_of_pcs),
                T(a_whole_image_was_given_a_console),
                T(an_entry_whose_doors_are_all_shut_is_left_out),
                T(what_stands_in_the_way_is_said),
                T(paths_are_of_the_medium_or_of_the_tree),
                T(a_password_locks_all_but_the_disk_and_the_default),
                T(a_text_of_any_length_is_kept),
        };

        return check_run("menu_model", tests);
}
