#include "vtree/vtree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/build.h"
#include "test/check.h"

static char top[] = "/tmp/bootjack-vtree-XXXXXX";
static struct vtree *tree;
static int top_fd;

static void put(const char *path, const char *content) {
        int fd = openat(top_fd, path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, content, strlen(content)), strlen(content));
        close(fd);
}

static void add_image(uint64_t id, const char *name) {
        struct media_build *build;
        struct medium medium = { .name = name,
                                 .path = "x",
                                 .system = "unknown",
                                 .version = "",
                                 .edition = "",
                                 .arch = "",
                                 /* as if that were a shim */
                                 .loaders = {
                                         [1] = { "boot/both", "boot/both", "" } } };
        uint32_t folder, file;
        int index_fd, image_fd;
        void *data;
        size_t n;

        put("image", "....kernel..initrd");
        image_fd = openat(top_fd, "image", O_RDONLY);
        assert_int_equal(media_build_new(18, &build), 0);
        assert_int_equal(media_build_folder(build, 0, "boot", 0, &folder), 0);
        assert_int_equal(media_build_file(build, folder, "both", 0, &file), 0);
        assert_int_equal(media_build_extent(build, file, 12, 6), 0);
        assert_int_equal(media_build_extent(build, file, 4, 6), 0);
        assert_int_equal(media_build_link(build, 0, "out", 0, "/../../etc/passwd"), 0);
        assert_int_equal(media_build_finish(build, &data, &n), 0);
        assert_int_equal(media_build_seal(data, n, &medium, &index_fd), 0);
        free(data);
        media_build_free(build);
        assert_int_equal(vtree_add_medium(tree, id, name, false, index_fd, image_fd),
                         0);
}

static void assert_content(const char *path, const char *content) {
        char buffer[64] = { 0 };
        struct vtree_file *file;

        assert_int_equal(vtree_open(tree, path, &file), VTREE_OK);
        assert_int_equal(file->size, strlen(content));
        assert_int_equal(vtree_file_read(file, 0, buffer, sizeof(buffer)),
                         strlen(content));
        assert_string_equal(buffer, content);
        vtree_file_unref(file);
}

static void root_wins_and_the_inside_of_an_image_is_read_by_extents(void **state) {
        struct vtree_file *file;
        struct vtree_place e;

        put("pxelinux.0", "mine");
        put("loader", "system's");
        assert_int_equal(vtree_add_file(tree, "pxelinux.0", "/etc/passwd"), 0);
        assert_content("pxelinux.0", "mine");
        add_image(1, "debian");
        assert_content("media/debian/boot/both", "initrdkernel");
        assert_content("iso/debian.iso", "....kernel..initrd");
        assert_int_equal(vtree_open(tree, "media/debian/boot/both", &file), VTREE_OK);
        e = vtree_file_place(file, 8);
        assert_int_equal(e.offset, 6);
        assert_int_equal(e.length, 4);

        /* An open file can be read when its medium has gone, but says so. */
        assert_true(vtree_file_is_unchanged(file));
        vtree_remove_medium(tree, 1);
        assert_false(vtree_file_is_unchanged(file));
        assert_int_equal(vtree_file_read(file, 0, (char[1]){ 0 }, 1), 1);
        vtree_file_unref(file);
        assert_int_equal(vtree_open(tree, "media/debian/boot/both", &file),
                         VTREE_NOT_FOUND);
}

static void nothing_leads_out_of_the_tree(void **state) {
        static const char *const refused[] = { "absolute", "climbing", "folder/passwd",
                                               "pipe", "proc/self/environ" };
        struct vtree_file *file;

        assert_int_equal(symlinkat("/etc/passwd", top_fd, "absolute"), 0);
        assert_int_equal(symlinkat("../../../../etc/passwd", top_fd, "climbing"), 0);
        assert_int_equal(symlinkat("/etc", top_fd, "folder"), 0);
        assert_int_equal(symlinkat("/proc", top_fd, "proc"), 0);
        assert_int_equal(mkfifoat(top_fd, "pipe", 0644), 0);
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
                assert_int_equal(vtree_open(tree, refused[i], &file), VTREE_REFUSED);

        assert_int_equal(symlinkat("loader", top_fd, "inside"), 0);
        put("loader", "x");
        assert_content("inside", "x");
        add_image(1, "debian");
        assert_int_equal(vtree_open(tree, "media/debian/out", &file), VTREE_NOT_FOUND);
}

static void append(const struct vtree_entry *entry, void *userdata) {
        char *all = userdata;

        strcat(strcat(all, entry->name), entry->is_folder ? "/ " : " ");
}

static void generated_names_give_way_to_roots_own(void **state) {
        struct vtree_file *file;

        assert_int_equal(vtree_open(tree, "pxelinux.cfg/01-52-54-00-12-34-56", &file),
                         VTREE_GENERATED);
        assert_int_equal(vtree_open(tree, "grub/grub.cfg", &file), VTREE_GENERATED);
        assert_int_equal(vtree_open(tree, "boot.ipxe", &file), VTREE_GENERATED);
        assert_int_equal(mkdirat(top_fd, "pxelinux.cfg", 0755), 0);
        put("pxelinux.cfg/default", "mine");
        assert_int_equal(vtree_open(tree, "pxelinux.cfg/01-52-54-00-12-34-56", &file),
                         VTREE_NOT_FOUND);
        assert_content("pxelinux.cfg/default", "mine");
}

/* syslinux.efi asks for everything below its own folder, and a Raspberry Pi below one
 * that is named for its number, where only what is different for it need be. */
static void
the_tree_is_there_once_more_below_the_folders_of_some_loaders(void **state) {
        struct vtree_file *file;
        char all[512] = "";

        put("loader", "system's");
        assert_int_equal(mkdirat(top_fd, "1234abcd", 0755), 0);
        put("1234abcd/cmdline.txt", "its own");
        put("cmdline.txt", "everybody's");
        put("start4.elf", "common");
        assert_int_equal(vtree_add_file(tree, "efi64/menu.c32", "/etc/hostname"), 0);
        assert_int_equal(vtree_add_file(tree, "menu.c32", "/etc/passwd"), 0);
        assert_content("efi64/loader", "system's");
        assert_int_equal(vtree_open(tree, "efi64/menu.c32", &file), VTREE_OK);
        assert_string_equal(file->path, "efi64/menu.c32");
        vtree_file_unref(file);
        assert_int_equal(vtree_open(tree, "efi64/pxelinux.cfg/default", &file),
                         VTREE_GENERATED);
        assert_int_equal(vtree_open(tree, "efi64/efi64/loader", &file),
                         VTREE_NOT_FOUND);
        assert_int_equal(vtree_list(tree, "efi64", append, all), VTREE_OK);
        assert_string_equal(all, "menu.c32 ");

        assert_content("1234abcd/cmdline.txt", "its own");
        assert_content("1234abcd/start4.elf", "common");
        assert_content("dc-a6-32-01-02-03/start4.elf", "common");
        assert_int_equal(vtree_open(tree, "1234abcg/start4.elf", &file),
                         VTREE_NOT_FOUND);
        assert_int_equal(vtree_open(tree, "1234abcd/no.such", &file), VTREE_NOT_FOUND);
}

/* A folder for single machines: theirs come first, ours is for all others. */
static void the_last_name_is_ours_beside_roots_own(void **state) {
        struct vtree_file *file;

        assert_int_equal(mkdirat(top_fd, "pxelinux.cfg", 0755), 0);
        assert_int_equal(mkdirat(top_fd, "grub", 0755), 0);
        put("pxelinux.cfg/01-52-54-00-12-34-56", "mine");
        put("grub/grub.cfg-01-52-54-00-12-34-56", "mine");
        assert_content("pxelinux.cfg/01-52-54-00-12-34-56", "mine");
        assert_int_equal(vtree_open(tree, "pxelinux.cfg/0A4D0014", &file),
                         VTREE_NOT_FOUND);
        assert_int_equal(vtree_open(tree, "pxelinux.cfg/default", &file),
                         VTREE_GENERATED);
        assert_content("grub/grub.cfg-01-52-54-00-12-34-56", "mine");
        assert_int_equal(vtree_open(tree, "grub/grub.cfg-0A4D0014", &file),
                         VTREE_NOT_FOUND);
        assert_int_equal(vtree_open(tree, "grub/grub.cfg", &file), VTREE_GENERATED);
        assert_int_equal(vtree_open(tree, "grub.cfg-0A4D0014", &file), VTREE_GENERATED);
        put("grub.cfg", "mine");
        assert_int_equal(vtree_open(tree, "grub.cfg-0A4D0014", &file), VTREE_NOT_FOUND);
        assert_content("grub.cfg", "mine");
        /* syslinux.efi, below its folder: the same files. */
        assert_content("efi64/pxelinux.cfg/01-52-54-00-12-34-56", "mine");
        assert_int_equal(vtree_open(tree, "efi64/pxelinux.cfg/default", &file),
                         VTREE_GENERATED);
        put("pxelinux.cfg/default", "mine");
        assert_content("efi64/pxelinux.cfg/default", "mine");
}

/* A GRUB out of a medium looks beside itself; the medium's own menu is for its disk. */
static void a_machines_own_menu_is_found_inside_a_medium(void **state) {
        struct vtree_file *file;

        add_image(1, "debian");
        assert_int_equal(vtree_open(tree,
                                    "media/debian/boot/grub.cfg-01-52-54-00-12-34-56",
                                    &file),
                         VTREE_GENERATED);
        assert_int_equal(vtree_open(tree, "media/debian/boot/grub.cfg", &file),
                         VTREE_NOT_FOUND);
}

/* Whatever root has, ours can be included. */
static void ours_has_a_name_for_including(void **state) {
        struct vtree_file *file;
        char all[512] = "";

        put("boot.ipxe", "mine");
        assert_int_equal(vtree_open(tree, "bootjack/boot.ipxe", &file),
                         VTREE_GENERATED);
        assert_int_equal(vtree_open(tree, "bootjack/pxelinux.cfg", &file),
                         VTREE_GENERATED);
        assert_int_equal(vtree_list(tree, "bootjack", append, all), VTREE_OK);
        assert_string_equal(all, "boot.ipxe extlinux.conf grub.cfg grub.ipxe "
                                 "pxelinux.cfg shell.ipxe ");
}

/* The signed chain of a medium, apart from what lies beside it there. */
static void a_mediums_chain_has_a_folder_of_its_own(void **state) {
        static const char *const absent[] = {
                "secure/debian/shimaa64.efi",
                "secure/debian/nothing.efi",
                "secure/other/shimx64.efi",
                "secure/debian/a/shimx64.efi",
        };
        struct vtree_node node;
        struct vtree_file *file;

        add_image(1, "debian");
        assert_content("secure/debian/shimx64.efi", "initrdkernel");
        assert_content("secure/debian/GRUBX64.EFI", "initrdkernel");
        assert_content("secure/debian/both", "initrdkernel"); /* as mmx64.efi would */
        assert_int_equal(vtree_look(tree, "secure/debian/shimx64.efi", &node),
                         VTREE_OK);
        assert_int_equal(vtree_open(tree, "secure/debian/grub.cfg", &file),
                         VTREE_GENERATED);
        for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
                assert_int_equal(vtree_open(tree, absent[i], &file), VTREE_NOT_FOUND);
}

static void a_changed_image_is_not_served_any_more(void **state) {
        struct vtree_file *file;

        add_image(1, "debian");
        put("image", "other");
        assert_int_equal(vtree_open(tree, "media/debian/boot/both", &file),
                         VTREE_UNREADABLE);
        assert_int_equal(vtree_open(tree, "iso/debian.iso", &file), VTREE_UNREADABLE);
}

static void a_listing_shows_each_name_once_in_order(void **state) {
        char all[512] = "", near[PATH_MAX_BYTES];

        put("zeta", "x");
        put("boot.ipxe", "mine");
        assert_int_equal(vtree_add_file(tree, "menu.c32", "/etc/passwd"), 0);
        assert_int_equal(vtree_list(tree, "", append, all), VTREE_OK);
        assert_string_equal(all,
                            "boot.ipxe bootjack/ efi32/ efi64/ grub/ iso/ made/ media/ "
                            "menu.c32 pxelinux.cfg/ zeta ");
        all[0] = '\0';
        add_image(1, "debian");
        assert_int_equal(vtree_list(tree, "media", append, all), VTREE_OK);
        assert_int_equal(vtree_list(tree, "media/debian", append, all), VTREE_OK);
        assert_string_equal(all, "debian/ boot/ ");
        assert_int_equal(vtree_list(tree, "media/none", append, all), VTREE_NOT_FOUND);
        assert_true(vtree_nearest(tree, "media/debian/boot/bath", near));
        assert_string_equal(near, "media/debian/boot/both");
        assert_false(vtree_nearest(tree, "media/debian/zebra", near));
        assert_true(vtree_find_any_case(tree, "MEDIA/Debian/BOOT/both", near));
        assert_string_equal(near, "media/debian/boot/both");
        assert_true(vtree_find_any_case(tree, "PXELINUX.CFG/Default", near));
        assert_string_equal(near, "pxelinux.cfg/default");
        assert_false(vtree_find_any_case(tree, "media/debian/boot/bath", near));
        assert_false(vtree_find_any_case(tree, "media/debian/boot/bot", near));
        assert_false(vtree_find_any_case(tree, "media/debian/boot/both/x", near));
}

static int set_up(void **state) {
        strcpy(top + strlen(top) - 6, "XXXXXX");
        if (!mkdtemp(top))
                return -1;
        top_fd = open(top, O_PATH | O_DIRECTORY);
        if (top_fd < 0 || vtree_new(&tree) < 0)
                return -1;
        vtree_set_root(tree, dup(top_fd));
        return 0;
}

static int tear_down(void **state) {
        char command[64];

        tree = vtree_free(tree);
        close(top_fd);
        snprintf(command, sizeof(command), "rm -r %s", top);
        return system(command);
}

static void count_links(const struct vtree_entry *entry, void *userdata) {
        unsigned *n = userdata;

        *n += entry->node.kind == VTREE_LINK;
        assert_true(entry->node.id != 0);
}

static void a_look_shows_links_and_what_a_node_is(void **state) {
        struct vtree_node node, again;
        char text[PATH_MAX_BYTES];
        unsigned n = 0;

        put("file", "1234");
        assert_int_equal(symlinkat("../out", top_fd, "link"), 0);
        add_image(1, "debian");
        assert_int_equal(vtree_look(tree, "link", &node), VTREE_OK);
        assert_int_equal(node.kind, VTREE_LINK);
        assert_int_equal(vtree_read_link(tree, "link", text), VTREE_OK);
        assert_string_equal(text, "../out");
        assert_int_equal(vtree_look(tree, "file", &node), VTREE_OK);
        assert_int_equal(node.kind, VTREE_FILE);
        assert_int_equal(node.size, 4);
        assert_int_equal(node.mode, 0644);
        assert_int_equal(vtree_look(tree, "media/debian/out", &node), VTREE_OK);
        assert_int_equal(node.kind, VTREE_LINK);
        assert_int_equal(vtree_read_link(tree, "media/debian/out", text), VTREE_OK);
        assert_string_equal(text, "/../../etc/passwd");
        assert_int_equal(vtree_look(tree, "media/debian/boot/both", &node), VTREE_OK);
        assert_int_equal(node.mode, 0444);
        assert_int_equal(vtree_find_node(tree, node.image, node.number, text),
                         VTREE_OK);
        assert_string_equal(text, "media/debian/boot/both");
        assert_int_equal(vtree_find_node(tree, node.image, 0, text), VTREE_OK);
        assert_string_equal(text, "media/debian");
        assert_int_equal(vtree_find_node(tree, node.image + 1, 0, text),
                         VTREE_NOT_FOUND);
        assert_int_equal(vtree_find_node(tree, node.image, 99, text), VTREE_NOT_FOUND);
        assert_int_equal(vtree_scan(tree, "", count_links, &n), VTREE_OK);
        assert_int_equal(vtree_scan(tree, "media/debian", count_links, &n), VTREE_OK);
        assert_int_equal(n, 2);
        assert_int_equal(vtree_look(tree, "boot.ipxe", &node), VTREE_OK);
        assert_int_equal(node.kind, VTREE_MADE);
        assert_int_equal(vtree_look(tree, "media", &again), VTREE_OK);
        assert_int_equal(again.kind, VTREE_FOLDER);
}

static void another_file_of_the_same_name_has_another_number(void **state) {
        struct vtree_node before, after;

        put("file", "1");
        assert_int_equal(vtree_look(tree, "file", &before), VTREE_OK);
        put("file", "22");
        assert_int_equal(vtree_look(tree, "file", &after), VTREE_OK);
        assert_true(before.id == after.id);
        put("other", "333");
        assert_int_equal(renameat(top_fd, "other", top_fd, "file"), 0);
        assert_int_equal(vtree_look(tree, "file", &after), VTREE_OK);
        assert_true(before.id != after.id);

        add_image(1, "debian");
        assert_int_equal(vtree_look(tree, "media/debian/boot", &before), VTREE_OK);
        assert_int_equal(unlinkat(top_fd, "image", 0), 0);
        add_image(2, "debian");
        assert_int_equal(vtree_look(tree, "media/debian/boot", &after), VTREE_OK);
        assert_true(before.image != after.image);
        assert_int_equal(before.number, after.number);
}

/* Long enough ago that its content is kept in memory, too. */
static void make_old(const char *path, time_t by) {
        const struct timespec times[2] = { { 1700000000 - by, 0 },
                                           { 1700000000 - by, 0 } };

        assert_int_equal(utimensat(top_fd, path, times, 0), 0);
}

static void a_file_that_is_asked_for_again_is_the_one_that_is_there(void **state) {
        struct vtree_file *file;

        for (int i = 0; i < 3; i++) {
                char content[16];

                snprintf(content, sizeof(content), "number %d", i);
                put("again", content);
                make_old("again", 7); /* the same times, the same size */
                assert_content("again", content);
                assert_content("again", content);
        }
        assert_int_equal(unlinkat(top_fd, "again", 0), 0);
        assert_int_equal(vtree_open(tree, "again", &file), VTREE_NOT_FOUND);
        put("again", "number 9");
        assert_content("again", "number 9");
        assert_int_equal(unlinkat(top_fd, "again", 0), 0);
        assert_int_equal(symlinkat("/etc/passwd", top_fd, "again"), 0);
        assert_int_equal(vtree_open(tree, "again", &file), VTREE_REFUSED);
}

/* A burst of requests for one file is one look; the next burst looks again. */
static void what_is_of_one_moment_is_looked_at_once(void **state) {
        for (nsec_t moment = 1; moment <= 3; moment++) {
                char content[16];

                snprintf(content, sizeof(content), "moment %d", (int)moment);
                (void)unlinkat(top_fd, "burst", 0);
                put("burst", content);
                vtree_set_moment(tree, moment);
                assert_content("burst", content);
                assert_int_equal(unlinkat(top_fd, "burst", 0), 0);
                put("burst", "meanwhile");
                assert_content("burst", content);
        }
        vtree_set_moment(tree, 0);
        assert_content("burst", "meanwhile");
        assert_int_equal(unlinkat(top_fd, "burst", 0), 0);
        put("burst", "and after");
        assert_content("burst", "and after");
}

static void a_folder_that_becomes_a_link_outwards_is_refused(void **state) {
        struct vtree_file *file;

        assert_int_equal(mkdirat(top_fd, "mine", 0755), 0);
        put("mine/passwd", "mine");
        assert_content("mine/passwd", "mine");
        assert_int_equal(renameat(top_fd, "mine", top_fd, "other"), 0);
        assert_int_equal(symlinkat("/etc", top_fd, "mine"), 0);
        assert_int_equal(vtree_open(tree, "mine/passwd", &file), VTREE_REFUSED);
        assert_content("other/passwd", "mine");
}

/* Of a file that has long been the same: one of the system's. */
static void what_is_kept_in_memory_is_what_the_file_holds(void **state) {
        char kept[512], real[512];
        struct vtree_file *file;
        ssize_t n;
        int fd;

        vtree_set_root(tree, open("/etc", O_PATH | O_DIRECTORY));
        for (int i = 0; i < 2; i++) {
                assert_int_equal(vtree_open(tree, "passwd", &file), VTREE_OK);
                assert_non_null(file->content);
                fd = open("/etc/passwd", O_RDONLY);
                n = pread(fd, real, sizeof(real), 7);
                close(fd);
                assert_true(n > 0);
                assert_int_equal(vtree_file_read(file, 7, kept, sizeof(kept)), n);
                assert_memory_equal(kept, real, (size_t)n);
                assert_int_equal(vtree_file_read(file, file->size, kept, 1), 0);
                assert_int_equal(vtree_file_read(file, UINT64_MAX, kept, 1), 0);
                /* Who wants nothing has no room for it. */
                assert_int_equal(vtree_file_read(file, 0, NULL, 0), 0);
                vtree_file_unref(file);
        }
}

static struct vtree_file *made_bytes(const char *s) {
        struct vtree_file *file;
        char path[] = "/tmp/bootjack-vtree-bytes-XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        unlink(path);
        assert_int_equal(write(fd, s, strlen(s)), strlen(s));
        assert_int_equal(vtree_file_from_fd(fd, "", &file), VTREE_OK);
        return file;
}

/* "<" initrdkernel "-" 234 ">": bytes, two extents, and part of a file of root. */
static struct vtree_file *compose(const char *before) {
        struct vtree_piece pieces[5] = { { made_bytes(before), 0, 1, true },
                                         { NULL, 0, 12, false },
                                         { made_bytes("?->"), 1, 1, true },
                                         { NULL, 2, 3, false },
                                         { NULL, 2, 1, true } };
        struct vtree_file *file;

        assert_int_equal(vtree_open(tree, "media/debian/boot/both", &pieces[1].file),
                         VTREE_OK);
        assert_int_equal(vtree_open(tree, "digits", &pieces[3].file), VTREE_OK);
        pieces[4].file = vtree_file_ref(pieces[2].file);
        assert_int_equal(vtree_file_compose("made/it", pieces, 5, &file), VTREE_OK);
        for (size_t i = 0; i < 5; i++)
                vtree_file_unref(pieces[i].file);
        return file;
}

static void a_composed_file_reads_as_one_at_every_offset(void **state) {
        static const char whole[] = "<initrdkernel-234>";
        struct vtree_file *file;
        char some[32];

        put("digits", "0123456789");
        add_image(1, "debian");
        file = compose("<");
        assert_int_equal(file->size, strlen(whole));
        assert_string_equal(file->path, "made/it");
        for (size_t at = 0; at <= strlen(whole); at++)
                for (size_t n = 0; n <= strlen(whole) + 1 - at; n++) {
                        size_t wanted = n < strlen(whole) - at ? n : strlen(whole) - at;

                        assert_int_equal(vtree_file_read(file, at, some, n), wanted);
                        assert_memory_equal(some, whole + at, wanted);
                        assert_int_equal(vtree_file_read_now(file, at, some, n),
                                         wanted);
                        assert_memory_equal(some, whole + at, wanted);
                }
        assert_int_equal(vtree_file_read(file, UINT64_MAX, some, 1), 0);
        /* As sendfile goes: place by place. */
        for (size_t at = 0, n_places = 0;; n_places++) {
                struct vtree_place place = vtree_file_place(file, at);

                if (place.length == 0) {
                        assert_int_equal(at, strlen(whole));
                        assert_int_equal(n_places, 6);
                        break;
                }
                assert_int_equal(
                        pread(place.fd, some, place.length, (off_t)place.offset),
                        place.length);
                assert_memory_equal(some, whole + at, place.length);
                at += place.length;
        }
        vtree_file_unref(file);
}

static void a_composed_file_is_the_same_when_its_pieces_are(void **state) {
        struct vtree_file *a, *b, *c;

        put("digits", "0123456789");
        add_image(1, "debian");
        a = compose("<");
        b = compose("<");
        c = compose("(");
        assert_int_equal(a->etag, b->etag);
        assert_int_equal(a->mtime, b->mtime);
        assert_true(a->etag != c->etag);
        assert_true(vtree_file_is_unchanged(a));
        put("digits", "9876543210123");
        assert_false(vtree_file_is_unchanged(a));
        assert_string_equal(vtree_file_why_changed(a),
                            "the file was replaced while it was read");
        vtree_file_unref(b);
        put("digits", "0123456789");
        b = compose("<");
        assert_true(a->etag != b->etag); /* of another time */
        vtree_remove_medium(tree, 1);
        assert_false(vtree_file_is_unchanged(b));
        assert_string_equal(vtree_file_why_changed(b),
                            "its medium was removed or replaced while it was read");
        vtree_file_unref(a);
        vtree_file_unref(b);
        vtree_file_unref(c);
}

static void pieces_outside_of_their_file_are_refused(void **state) {
        struct vtree_file *file = made_bytes("123"), *folder, *made;
        const struct vtree_piece bad[] = {
                { file, 0, 4, false },          { file, 4, 0, false },
                { file, 1, 3, true },           { file, UINT64_MAX, 2, false },
                { file, 2, UINT64_MAX, false },
        };
        struct vtree_piece many[VTREE_PIECES_MAX + 1];

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(vtree_file_compose("x", &bad[i], 1, &made),
                                 VTREE_UNREADABLE);
        for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                many[i] = (struct vtree_piece){ file, 0, 1, true };
        assert_int_equal(vtree_file_compose("x", many, ARRAY_SIZE(many), &made),
                         VTREE_UNREADABLE);
        assert_int_equal(vtree_file_compose("x", many, VTREE_PIECES_MAX, &made),
                         VTREE_OK);
        many[0].file = made; /* not of a composed one, */
        assert_int_equal(vtree_file_compose("x", many, 1, &folder), VTREE_UNREADABLE);
        vtree_file_unref(made);
        assert_int_equal(vtree_open(tree, "media", &folder), VTREE_OK);
        many[0] = (struct vtree_piece){ folder, 0, 0, false }; /* nor of a folder */
        assert_int_equal(vtree_file_compose("x", many, 1, &made), VTREE_UNREADABLE);
        vtree_file_unref(folder);
        assert_int_equal(vtree_file_compose("x", many, 0, &made), VTREE_OK);
        assert_int_equal(made->size, 0);
        assert_int_equal(vtree_file_place(made, 0).length, 0);
        vtree_file_unref(made);
        vtree_file_unref(file);
}

static void names_that_are_made_of_a_medium_are_there_with_it(void **state) {
        static const char *const none[] = { "made/debian/nothing/initrd",
                                            "made/other/a.cpio", "made/debian/x",
                                            "made/debian/boot.cfg", "made/other" };
        struct vtree_file *file;
        struct vtree_node node, again;

        assert_int_equal(vtree_open(tree, "made/debian/a.cpio", &file),
                         VTREE_NOT_FOUND);
        add_image(1, "debian");
        assert_int_equal(vtree_open(tree, "made/debian/a.cpio", &file),
                         VTREE_GENERATED);
        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                assert_int_equal(vtree_open(tree, none[i], &file), VTREE_NOT_FOUND);
        assert_int_equal(vtree_look(tree, "made/debian", &node), VTREE_OK);
        assert_int_equal(node.kind, VTREE_FOLDER);
        assert_int_equal(vtree_look(tree, "made/debian/a.cpio", &node), VTREE_OK);
        assert_int_equal(node.kind, VTREE_MADE);
        assert_int_equal(vtree_look(tree, "made/debian/a.cpio", &again), VTREE_OK);
        assert_int_equal(node.id, again.id);
        assert_int_equal(mkdirat(top_fd, "made", 0755), 0);
        assert_int_equal(mkdirat(top_fd, "made/debian", 0755), 0);
        put("made/debian/a.cpio", "mine");
        assert_content("made/debian/a.cpio", "mine");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        root_wins_and_the_inside_of_an_image_is_read_by_extents, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(a_look_shows_links_and_what_a_node_is,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        another_file_of_the_same_name_has_another_number, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(
                        a_file_that_is_asked_for_again_is_the_one_that_is_there, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(what_is_of_one_moment_is_looked_at_once,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_folder_that_becomes_a_link_outwards_is_refused, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(
                        what_is_kept_in_memory_is_what_the_file_holds, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(
                        a_composed_file_reads_as_one_at_every_offset, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(
                        a_composed_file_is_the_same_when_its_pieces_are, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(
                        pieces_outside_of_their_file_are_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        names_that_are_made_of_a_medium_are_there_with_it, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(nothing_leads_out_of_the_tree, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(the_last_name_is_ours_beside_roots_own,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_machines_own_menu_is_found_inside_a_medium, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(ours_has_a_name_for_including, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(generated_names_give_way_to_roots_own,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_mediums_chain_has_a_folder_of_its_own,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        the_tree_is_there_once_more_below_the_folders_of_some_loaders,
                        set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_changed_image_is_not_served_any_more,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_listing_shows_each_name_once_in_order,
                                                set_up, tear_down),
        };
        return check_run("vtree/vtree", tests);
}
