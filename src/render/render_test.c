/*
 * One model, three languages, compared with files that people can read:
 * render_test GOLDEN_FOLDER. Hostile texts are a model of their own.
 */
#include "render/render.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/check.h"

static const char *folder;

static const struct menu plain = {
        .title = "PXE Menu",
        .timeout = 10 * NSEC_PER_SEC,
        .serial = { true, 0, 115200 },
        .server = 0xc0a80106,
        .http_port = 80,
        .n_entries = 4,
        .entries = { { MENU_LOCAL,
                       "local",
                       "Boot from the local disk",
                       "",
                       { 0 },
                       0,
                       "" },
                     { MENU_LINUX,
                       "debian-12",
                       "Debian 12 installer (amd64)",
                       "media/debian/debian-installer/amd64/linux",
                       { "media/debian/debian-installer/amd64/initrd.gz" },
                       1,
                       "console=ttyS0,115200n8 --- quiet" },
                     { MENU_LINUX,
                       "two",
                       "Two initrds",
                       "media/two/a b+c/vmlinuz",
                       { "media/two/one", "media/two/two" },
                       2,
                       "" },
                     { MENU_PROGRAM,
                       "memtest",
                       "memtest86+",
                       "media/memtest/boot/memtest.bin",
                       { 0 },
                       0,
                       "" } },
};

static const struct menu hostile = {
        .title = "a'; halt ${net0/mac} \n} || shell\x1b[2J",
        .initial = 1,
        .timeout = 0,
        .server = 0xc0a80106,
        .http_port = 8080,
        .n_entries = 2,
        .entries = { { MENU_LOCAL, "local", "Disk", "", { 0 }, 0, "" },
                     { MENU_LINUX,
                       "x'y z\nREBOOT",
                       "^Hot' } menuentry 'x' { halt } \nLABEL owned && shell # "
                       "\xc3\xa9",
                       "media/x/${uuid}/it's;halt",
                       { "media/x/i" },
                       1,
                       "a='b c' ;halt $(x) ${mac}\nLABEL evil || shell && x # y" } },
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

static void pxelinux_reads_the_menu(void **state) {
        matches(render_pxelinux, &plain, "plain.pxelinux");
}
static void grub_reads_the_menu(void **state) {
        matches(render_grub, &plain, "plain.grub");
}
static void ipxe_reads_the_menu(void **state) {
        matches(render_ipxe, &plain, "plain.ipxe");
}
static void grub_goes_straight_to_the_disk(void **state) {
        matches(render_grub_local, &plain, "local.grub");
}
static void a_label_is_no_command_in_pxelinux(void **state) {
        matches(render_pxelinux, &hostile, "hostile.pxelinux");
}
static void a_label_is_no_command_in_grub(void **state) {
        matches(render_grub, &hostile, "hostile.grub");
}
static void a_label_is_no_command_in_ipxe(void **state) {
        matches(render_ipxe, &hostile, "hostile.ipxe");
}

/* For writing the files anew: render_test FOLDER pxelinux|grub|local|ipxe plain|hostile
 */
static int show(const char *dialect, const char *model) {
        struct text out = { 0 };
        const struct menu *menu = model[0] == 'p' ? &plain : &hostile;

        if (dialect[0] == 'p')
                render_pxelinux(menu, &out);
        else if (dialect[0] == 'l')
                render_grub_local(menu, &out);
        else if (dialect[0] == 'g')
                render_grub(menu, &out);
        else
                render_ipxe(menu, &out);
        fputs(text_string(&out), stdout);
        text_done(&out);
        return 0;
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pxelinux_reads_the_menu),
                cmocka_unit_test(grub_reads_the_menu),
                cmocka_unit_test(ipxe_reads_the_menu),
                cmocka_unit_test(grub_goes_straight_to_the_disk),
                cmocka_unit_test(a_label_is_no_command_in_pxelinux),
                cmocka_unit_test(a_label_is_no_command_in_grub),
                cmocka_unit_test(a_label_is_no_command_in_ipxe),
        };

        folder = argc > 1 ? argv[1] : "test/golden/menu";
        if (argc == 4)
                return show(argv[2], argv[3]);
        return check_run("render", tests);
}
