/*
 * One model, three languages, compared with files that people can read:
 * render_test GOLDEN_FOLDER. Hostile texts are a model of their own.
 */
#include "render/render.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/check.h"

static const char *folder;

#define FILES(...)                                                                     \
        .files = (const struct menu_file[]){ __VA_ARGS__ },                            \
        .n_files = sizeof((const struct menu_file[]){ __VA_ARGS__ }) /                 \
                   sizeof(struct menu_file)

static const struct menu plain = {
        .title = "PXE Menu",
        .timeout = 10 * NSEC_PER_SEC,
        .serial = { true, 0, 115200 },
        .server = 0xc0a80106,
        .http_port = 80,
        .n_entries = 4,
        .entries = { { .kind = MENU_LOCAL,
                       .id = "local",
                       .title = "Boot from the local disk" },
                     { .kind = MENU_LINUX,
                       .id = "debian-12",
                       .title = "Debian 12 installer (amd64)",
                       .kernel = "media/debian/debian-installer/amd64/linux",
                       FILES({ "media/debian/debian-installer/amd64/initrd.gz" }),
                       .args = "console=ttyS0,115200n8 --- quiet" },
                     { .kind = MENU_LINUX,
                       .id = "two",
                       .title = "Two initrds",
                       .kernel = "media/two/a b+c/vmlinuz",
                       FILES({ "media/two/one" }, { "media/two/two" }),
                       .args = "" },
                     { .kind = MENU_PROGRAM,
                       .id = "memtest",
                       .title = "memtest86+",
                       .kernel = "media/memtest/boot/memtest.bin",
                       .args = "" } },
};

/* Every kind, with sub-menus, helps and large files by HTTP. */
static const struct menu kinds = {
        .title = "All kinds",
        .timeout = 1500 * NSEC_PER_MSEC,
        .initial = 1,
        .server = 0xc0a80106,
        .http_port = 80,
        .by_http = true,
        .groups = { "VMware", "Tools" },
        .n_groups = 2,
        .n_entries = 17,
        .entries = {
                { .kind = MENU_LOCAL, .id = "local", .title = "Disk" },
                { .kind = MENU_LINUX,
                  .id = "linux",
                  .title = "Linux",
                  .help = "A system that is installed.",
                  .kernel = "media/l/vmlinuz",
                  FILES({ "media/l/initrd" },
                        { .path = "made/l/preseed", .name = "preseed.cfg" }),
                  .args = "a=b --- quiet",
                  .device_trees = "media/l/dtbs" },
                { .kind = MENU_PROGRAM,
                  .id = "program",
                  .title = "Program",
                  .kernel = "media/p/it's 1" },
                { .kind = MENU_WIM,
                  .id = "wim",
                  .title = "Windows",
                  .help = "A help that is too long to stand behind its title in a line "
                          "of eighty columns.",
                  .kernel = "wimboot",
                  FILES({ .path = "media/w/bootmgr", .name = "bootmgr" },
                        { .path = "media/w/boot/bcd", .name = "BCD" },
                        { .path = "media/w/sources/boot.wim", .name = "boot.wim" }) },
                { .kind = MENU_NBP, .id = "nbp", .title = "NBP", .kernel = "x/pxe.0" },
                { .kind = MENU_MEMDISK,
                  .id = "floppy",
                  .title = "Floppy",
                  .kernel = "memdisk",
                  .args = "floppy",
                  FILES({ "media/f/dos.img" }) },
                { .kind = MENU_IMAGE,
                  .id = "image",
                  .title = "Image",
                  .kernel = "iso/i.iso" },
                { .kind = MENU_MULTIBOOT,
                  .group = 1,
                  .id = "xen",
                  .title = "Xen",
                  .kernel = "media/x/xen.gz",
                  .args = "dom0_mem=1G",
                  FILES({ .path = "media/x/vmlinuz", .args = "root=/dev/x quiet" },
                        { .path = "media/x/initrd" }) },
                { .kind = MENU_ESXI,
                  .group = 1,
                  .id = "esxi",
                  .title = "ESXi",
                  .kernel = "media/e/mboot.c32",
                  .args = "-c /made/e/boot.cfg" },
                { .kind = MENU_EFI,
                  .group = 1,
                  .id = "efi",
                  .title = "EFI program",
                  .kernel = "media/e/shell.efi",
                  .args = "one two" },
                { .kind = MENU_PROGRAM,
                  .group = 2,
                  .is_tool = true,
                  .id = "memory-test",
                  .title = "Memory test",
                  .kernel = "memtest86+x64.bin" },
                { .kind = MENU_IPXE,
                  .group = 2,
                  .is_tool = true,
                  .id = "ipxe",
                  .title = "iPXE shell",
                  .kernel = "ipxe.lkrn",
                  FILES({ "bootjack/shell.ipxe" }) },
                { .kind = MENU_GRUB, .group = 2, .id = "grub", .title = "GRUB" },
                { .kind = MENU_SHELL, .group = 2, .id = "shell", .title = "Shell" },
                { .kind = MENU_SETTINGS, .group = 2, .id = "set", .title = "Settings" },
                { .kind = MENU_REBOOT, .group = 2, .id = "reboot", .title = "Restart" },
                { .kind = MENU_POWEROFF, .group = 2, .id = "off", .title = "Off" },
        },
};

/* A password: the disk and what starts by itself ask for none. */
static const struct menu locked = {
        .title = "Locked",
        .timeout = 10 * NSEC_PER_SEC,
        .server = 0xc0a80106,
        .http_port = 80,
        .password = { true, "$6$salt$hash", "grub.pbkdf2.sha512.10000.AA.BB" },
        .groups = { "Debian" },
        .n_groups = 1,
        .n_entries = 3,
        .entries = { { .kind = MENU_LOCAL, .id = "local", .title = "Disk" },
                     { .kind = MENU_LINUX,
                       .group = 1,
                       .is_locked = true,
                       .id = "debian-12",
                       .title = "Debian 12",
                       .kernel = "media/d/linux",
                       FILES({ "media/d/initrd" }) },
                     { .kind = MENU_SHELL,
                       .is_locked = true,
                       .id = "shell",
                       .title = "Shell" } },
};

#define EVIL "a'; halt ${net0/mac} \n} || shell\x1b[2J"

static const struct menu hostile = {
        .title = EVIL,
        .initial = 1,
        .timeout = 0,
        .server = 0xc0a80106,
        .http_port = 8080,
        .groups = { EVIL "\nMENU END" },
        .n_groups = 1,
        .n_entries = 6,
        .entries = { { .kind = MENU_LOCAL, .id = "local", .title = "Disk" },
                     { .kind = MENU_LINUX,
                       .id = "x'y z\nREBOOT",
                       .title = "^Hot' } menuentry 'x' { halt } \nLABEL owned && shell "
                                "# \xc3\xa9",
                       .help = " \t EndText\nLABEL owned\x9b[2J ; reboot' # ${x}",
                       .kernel = "media/x/${uuid}/it's;halt",
                       FILES({ "media/x/i" }),
                       .args = "a='b c' ;halt $(x) ${mac}\nLABEL evil || shell && x # "
                               "y" },
                     { .kind = MENU_WIM,
                       .group = 1,
                       .id = EVIL,
                       .title = EVIL,
                       .kernel = "w",
                       FILES({ .path = "media/x/'$(b)",
                               .name = "it's ${n}\n#@,; || x",
                               .args = EVIL }) },
                     { .kind = MENU_MULTIBOOT,
                       .group = 1,
                       .id = "m",
                       .title = "m",
                       .kernel = "media/x/m",
                       .args = EVIL,
                       FILES({ .path = "media/x/n", .args = EVIL " --- x" }) },
                     { .kind = MENU_EFI,
                       .group = 1,
                       .id = "e",
                       .title = "--unrestricted",
                       .help = "-n",
                       .kernel = "e\n' }",
                       .args = EVIL },
                     { .kind = MENU_ESXI,
                       .group = 1,
                       .id = "v",
                       .title = "v",
                       .kernel = "media/x/v",
                       .args = EVIL } },
};

static char *read_file(const char *name) {
        char path[512];
        char *s = calloc(1, 65536);
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        f = fopen(path, "r");
        assert_non_null(f);
        assert_non_null(s);
        assert_true(fread(s, 1, 65535, f) < 65535);
        fclose(f);
        return s;
}

static void matches(void (*render)(const struct menu *, struct text *),
                    const struct menu *menu, const char *golden) {
        struct text out = { 0 };
        char *want = read_file(golden);

        render(menu, &out);
        assert_string_equal(text_string(&out), want);
        free(want);
        text_done(&out);
}

/* iPXE has its files by HTTP where there is any. */
static void render_ipxe_by_http(const struct menu *menu, struct text *out) {
        struct menu copy = *menu;

        copy.by_http = true;
        render_ipxe(&copy, out);
}

static void render_entries(const struct menu *menu, struct text *out) {
        struct menu copy = *menu;

        copy.is_fragment = true;
        render_pxelinux(&copy, out);
        text_add(out, "----\n");
        render_grub(&copy, out);
        text_add(out, "----\n");
        render_extlinux(&copy, out);
}

/* Nobody gave a hash that this loader could check. */
static void render_without_hash(const struct menu *menu, struct text *out) {
        struct menu copy = *menu;

        copy.password.pxelinux = copy.password.grub = "";
        render_pxelinux(&copy, out);
        text_add(out, "----\n");
        render_grub(&copy, out);
}

static void render_unlocked(const struct menu *menu, struct text *out) {
        render_ipxe_entry(menu, 1, out);
        text_add(out, "----\n");
        render_ipxe_entry(menu, 0, out);
        text_add(out, "----\n");
        render_ipxe_refusal(out);
}

static const struct {
        const char *name;
        void (*render)(const struct menu *menu, struct text *out);
} dialects[] = {
        { "pxelinux", render_pxelinux }, { "grub", render_grub },
        { "ipxe", render_ipxe_by_http }, { "extlinux", render_extlinux },
        { "local", render_grub_local },  { "ipxegrub", render_ipxe_grub },
        { "fragment", render_entries },  { "nohash", render_without_hash },
        { "unlocked", render_unlocked },
};

static const struct {
        const char *name;
        const struct menu *menu;
} models[] = { { "plain", &plain },
               { "kinds", &kinds },
               { "hostile", &hostile },
               { "locked", &locked } };

/* The name of a golden file is MODEL.DIALECT. */
static void is_golden(const char *model, const char *dialect) {
        struct text name = { 0 };

        text_add(&name, model);
        text_char(&name, '.');
        text_add(&name, dialect);
        for (size_t i = 0; i < ARRAY_SIZE(models); i++)
                for (size_t j = 0; j < ARRAY_SIZE(dialects); j++)
                        if (strcmp(models[i].name, model) == 0 &&
                            strcmp(dialects[j].name, dialect) == 0)
                                matches(dialects[j].render, models[i].menu,
                                        text_string(&name));
        text_done(&name);
}

static void every_loader_reads_the_menu(void **state) {
        is_golden("plain", "pxelinux");
        is_golden("plain", "grub");
        is_golden("plain", "ipxe");
        is_golden("plain", "extlinux");
}
static void every_kind_is_started_in_its_loaders_way(void **state) {
        is_golden("kinds", "pxelinux");
        is_golden("kinds", "grub");
        is_golden("kinds", "ipxe");
        is_golden("kinds", "extlinux");
}
static void grub_goes_straight_to_the_disk(void **state) {
        is_golden("plain", "local");
}
static void ipxe_becomes_grub(void **state) {
        is_golden("plain", "ipxegrub");
}
static void entries_alone_can_be_included(void **state) {
        is_golden("plain", "fragment");
}
static void a_password_guards_in_each_loaders_way(void **state) {
        is_golden("locked", "pxelinux");
        is_golden("locked", "grub");
        is_golden("locked", "ipxe");
        is_golden("locked", "unlocked");
}
static void without_a_hash_that_fits_nobody_enters(void **state) {
        is_golden("locked", "nohash");
}
static void a_label_is_no_command_anywhere(void **state) {
        is_golden("hostile", "pxelinux");
        is_golden("hostile", "grub");
        is_golden("hostile", "ipxe");
        is_golden("hostile", "extlinux");
}

/* Whatever a medium says of itself: nothing moves a cursor. */
static void no_control_character_is_rendered(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
                struct text out = { 0 };

                dialects[i].render(&hostile, &out);
                for (size_t at = 0; at < out.n; at++) {
                        unsigned char c = (unsigned char)out.s[at];

                        if ((c < 0x20 && c != '\n') || c == 0x7f || c == 0x9b)
                                fail_msg("%s has %02x", dialects[i].name, c);
                }
                text_done(&out);
        }
}

/* For writing the files anew: render_test FOLDER DIALECT MODEL */
static int show(const char *dialect, const char *model) {
        struct text out = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(models); i++)
                for (size_t j = 0; j < ARRAY_SIZE(dialects); j++)
                        if (strcmp(models[i].name, model) == 0 &&
                            strcmp(dialects[j].name, dialect) == 0)
                                dialects[j].render(models[i].menu, &out);
        fputs(text_string(&out), stdout);
        text_done(&out);
        return 0;
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_loader_reads_the_menu),
                cmocka_unit_test(every_kind_is_started_in_its_loaders_way),
                cmocka_unit_test(grub_goes_straight_to_the_disk),
                cmocka_unit_test(ipxe_becomes_grub),
                cmocka_unit_test(entries_alone_can_be_included),
                cmocka_unit_test(a_password_guards_in_each_loaders_way),
                cmocka_unit_test(without_a_hash_that_fits_nobody_enters),
                cmocka_unit_test(a_label_is_no_command_anywhere),
                cmocka_unit_test(no_control_character_is_rendered),
        };

        folder = argc > 1 ? argv[1] : "test/golden/menu";
        if (argc == 4)
                return show(argv[2], argv[3]);
        return check_run("render", tests);
}
