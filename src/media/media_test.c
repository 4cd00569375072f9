/*
 * What a medium is: every file of test/golden/media describes one and says what must
 * come of it, both as an ISO image and as an extracted tree.
 *
 *     volume NAME            the image's; such a medium is tried as an image only
 *     PATH                   an empty file
 *     PATH = TEXT            with this content; \n is a line's end
 *     PATH = kernel: TEXT    a Linux kernel's header with this version
 *     PATH = program: TEXT   the same, and a UEFI program
 *     =>                     what follows is what must come out
 */
#include "media/media.h"

#include <dirent.h>
#include <sys/mman.h>

#include "media/index.h"
#include "media/iso.h"

#include "test/check.h"
#include "test/tree.h"

static struct media_recipes *recipes;

static void load_recipes(void) {
        struct text problems = { 0 };
        const char *folder = getenv("RECIPES");

        assert(folder && media_recipes_load(folder, &recipes, &problems) == 0);
        if (problems.n)
                printf("# %s\n", problems.s);
        assert(problems.n == 0);
}

/* ---- a description into a folder ---- */

static void write_kernel(const char *top, const char *path, const char *version,
                         bool is_program) {
        uint8_t data[1024] = { 0 };

        if (is_program)
                memcpy(data, "MZ", 2);
        memcpy(data + 0x202, "HdrS", 4);
        data[0x20e] = 0x40;
        memcpy(data + 0x240, version, strlen(version));
        tree_bytes(top, path, data, sizeof(data));
}

static void unescape(char *s) {
        char *to = s;

        for (; *s; s++)
                if (s[0] == '\\' && s[1] == 'n') {
                        *to++ = '\n';
                        s++;
                } else {
                        *to++ = *s;
                }
        *to = '\0';
}

static void write_line(const char *top, char *line) {
        char *content = strstr(line, " = ");

        if (content) {
                *content = '\0';
                content += 3;
                unescape(content);
        }
        if (content && strncmp(content, "kernel: ", 8) == 0)
                write_kernel(top, line, content + 8, false);
        else if (content && strncmp(content, "program: ", 9) == 0)
                write_kernel(top, line, content + 9, true);
        else
                tree_file(top, line, content ? content : "");
}

/* Returns what is expected: the rest of `text`. */
static const char *write_all(const char *top, char *text, char volume[static 33]) {
        char *line = text;

        volume[0] = '\0';
        for (;;) {
                char *end = strchr(line, '\n');

                assert_non_null(end);
                *end = '\0';
                if (strcmp(line, "=>") == 0)
                        return end + 1;
                if (strncmp(line, "volume ", 7) == 0)
                        strncpy(volume, line + 7, 32)[32] = '\0';
                else if (*line && *line != '#')
                        write_line(top, line);
                line = end + 1;
        }
}

/* ---- what was found, as text ---- */

static void describe_entry(const struct medium_entry *e, struct text *out) {
        text_add(out, "\nentry ");
        text_add(out, e->id);
        text_add(out, ": ");
        text_add(out, e->title);
        text_add(out, "\n  kernel ");
        text_add(out, e->kernel);
        for (uint32_t i = 0; i < e->n_initrd; i++) {
                text_add(out, "\n  initrd ");
                text_add(out, e->initrd[i]);
                if (*e->initrd_name[i]) {
                        text_add(out, " as ");
                        text_add(out, e->initrd_name[i]);
                }
                if (*e->initrd_args[i]) {
                        text_add(out, " with ");
                        text_add(out, e->initrd_args[i]);
                }
        }
        text_add(out, "\n  args ");
        text_add(out, e->args);
        if (e->boot > MEDIUM_PROGRAM) {
                text_add(out, "\n  as ");
                text_add(out, medium_boot_name(e->boot));
        }
        for (uint32_t i = 0; i < e->n_ways; i++) {
                text_add(out, "\n  way ");
                text_add(out, medium_transport_name(
                                      (unsigned)__builtin_ctz(e->ways[i].transport)));
                text_add(out, ": ");
                text_add(out, e->ways[i].args);
        }
        if (*e->answer_kind) {
                text_add(out, "\n  answer ");
                text_add(out, e->answer_args);
        }
        text_add(out, "\n  on");
        for (unsigned i = 0; medium_firmware_name(i); i++)
                if (e->firmware >> i & 1) {
                        text_char(out, ' ');
                        text_add(out, medium_firmware_name(i));
                }
        text_add(out, " by");
        for (unsigned i = 0; medium_transport_name(i); i++)
                if (e->transports >> i & 1) {
                        text_char(out, ' ');
                        text_add(out, medium_transport_name(i));
                }
        text_char(out, '\n');
        if (*e->why_not) {
                text_add(out, "  why not: ");
                text_add(out, e->why_not);
                text_char(out, '\n');
        }
        if (*e->remedy) {
                text_add(out, "  remedy: ");
                text_add(out, e->remedy);
                text_char(out, '\n');
        }
}

static void describe_loader(const char *firmware, const char *what, const char *path,
                            struct text *out) {
        if (!*path)
                return;
        text_add(out, what);
        text_add(out, firmware);
        text_char(out, ' ');
        text_add(out, path);
        text_char(out, '\n');
}

static void describe(const struct medium *m, struct text *out) {
        medium_describe(m, out);
        text_char(out, '\n');
        for (uint32_t i = 0; i < m->n_recognised_by; i++) {
                text_add(out, "by ");
                text_add(out, m->recognised_by[i]);
                text_char(out, '\n');
        }
        for (uint32_t i = 0; i < m->n_problems; i++) {
                text_add(out, "problem ");
                text_add(out, m->problems[i]);
                text_char(out, '\n');
        }
        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++) {
                const char *name = medium_firmware_name(i);

                describe_loader(name, "shim ", m->loaders[i].shim, out);
                describe_loader(name, "grub ", m->loaders[i].grub, out);
        }
        for (uint32_t i = 0; i < m->n_entries; i++)
                describe_entry(&m->entries[i], out);
}

struct mapped {
        struct media_found found;
        struct media_index index;
        void *data;
        size_t n;
        struct medium medium;
};

static void map_found(struct mapped *m) {
        struct stat st;

        assert_int_equal(fstat(m->found.index_fd, &st), 0);
        m->n = (size_t)st.st_size;
        m->data = mmap(NULL, m->n, PROT_READ, MAP_SHARED, m->found.index_fd, 0);
        assert_ptr_not_equal(m->data, MAP_FAILED);
        assert_int_equal(media_index_open(m->data, m->n, &m->index), 0);
        media_index_medium(&m->index, &m->medium);
}

static void unmap(struct mapped *m) {
        munmap(m->data, m->n);
        close(m->found.index_fd);
        close(m->found.fd);
}

static void inspect(const char *path, struct mapped *ret) {
        struct text why = { 0 };
        int r = media_inspect(path, path, "name", recipes, &ret->found, &why);

        if (r != MEDIA_OK)
                fail_msg("%s: %d %s", path, r, text_string(&why));
        text_done(&why);
        map_found(ret);
}

/* With GOLDEN_UPDATE=1 what came out is written where what was expected stood: for
 * whoever changed a recipe and will read the difference. */
static void update(const char *file, const char *out) {
        size_t n;
        char *text = (char *)tree_read(file, &n), *end = strstr(text, "\n=>\n");
        FILE *f = fopen(file, "w");

        assert_non_null(f);
        assert_non_null(end);
        fprintf(f, "%.*s%s", (int)(end + 4 - text), text, out);
        assert_int_equal(fclose(f), 0);
        free(text);
}

static void assert_described(const char *file, const char *path, bool is_tree,
                             const char *expected) {
        struct mapped m;
        struct text out = { 0 };

        inspect(path, &m);
        assert_int_equal(m.found.is_tree, is_tree);
        assert_int_equal(m.medium.kind, is_tree ? MEDIUM_TREE : MEDIUM_ISO);
        assert_string_equal(m.medium.name, "name");
        assert_string_equal(m.medium.path, path);
        describe(&m.medium, &out);
        if (strcmp(text_string(&out), expected) != 0 && !is_tree &&
            getenv("GOLDEN_UPDATE"))
                update(file, text_string(&out));
        else if (strcmp(text_string(&out), expected) != 0)
                fail_msg("%s is described as\n%s\nnot as\n%s", is_tree ? "tree" : "ISO",
                         text_string(&out), expected);
        text_done(&out);
        unmap(&m);
}

static void cut_all(char *s, const char *from, const char *to) {
        char *at, *end;

        while ((at = strstr(s, from))) {
                end = strstr(at + strlen(from), to);
                memmove(at, end, strlen(end) + 1);
        }
}

static void cut_word(char *s, const char *word) {
        for (char *at; (at = strstr(s, word));)
                memmove(at, at + strlen(word), strlen(at + strlen(word)) + 1);
}

/* The same without what only an image has: a way to hand it over. */
static char *without_image(const char *expected) {
        char *copy = strdup(expected);

        cut_all(copy, "\n  way http-iso:", "\n");
        cut_all(copy, "\n  way nfs-iso:", "\n");
        cut_word(copy, " http-iso");
        cut_word(copy, " nfs-iso");
        return copy;
}

static void a_medium_is_what_its_description_says(void **state) {
        char top[TREE_PATH_MAX], tree[TREE_PATH_MAX], iso[TREE_PATH_MAX], volume[33];
        const char *expected;
        size_t n;
        char *text = (char *)tree_read(*state, &n), *of_tree;

        tree_new(top);
        tree_path(top, "tree", tree);
        tree_path(top, "some.iso", iso);
        assert_int_equal(mkdir(tree, 0755), 0);
        expected = write_all(tree, text, volume);
        tree_iso(tree, *volume ? volume : "A VOLUME", TREE_ROCK_RIDGE, iso);
        assert_described(*state, iso, false, expected);
        of_tree = without_image(expected);
        if (!*volume)
                assert_described(*state, tree, true, of_tree);
        tree_remove(top);
        free(of_tree);
        free(text);
}

/* ---- the rest of the interface ---- */

static void an_unknown_medium_is_served_without_entries(void **state) {
        char top[TREE_PATH_MAX], tree[TREE_PATH_MAX], iso[TREE_PATH_MAX];
        struct mapped m;
        struct media_node node;

        tree_new(top);
        tree_file(tree_path(top, "tree", tree), "some/file", "content");
        tree_iso(tree, "X", TREE_JOLIET, tree_path(top, "x.iso", iso));
        inspect(iso, &m);
        assert_string_equal(m.medium.system, "unknown");
        assert_int_equal(m.medium.n_entries, 0);
        assert_int_equal(m.medium.n_recognised_by, 0);
        assert_true(m.medium.size > 0);
        assert_true(media_index_lookup(&m.index, "some/file", 9, &node));
        unmap(&m);
        tree_remove(top);
}

static void what_cannot_be_served_is_refused_or_failed(void **state) {
        char top[TREE_PATH_MAX], path[TREE_PATH_MAX];
        struct media_found found;
        struct text why = { 0 };

        tree_new(top);
        tree_file(top, "text.iso", "not an image at all");
        assert_int_equal(media_inspect(tree_path(top, "text.iso", path), "s", "n",
                                       recipes, &found, &why),
                         MEDIA_REFUSED);
        assert_string_equal(text_string(&why),
                            "not an ISO image: too short to hold a volume descriptor");
        assert_int_equal(media_inspect(tree_path(top, "nothing", path), "s", "n",
                                       recipes, &found, &why),
                         -ENOENT);
        assert_int_equal(mkfifo(tree_path(top, "fifo", path), 0600), 0);
        text_done(&why);
        assert_int_equal(media_inspect(path, "s", "n", recipes, &found, &why),
                         MEDIA_REFUSED);
        text_done(&why);
        tree_remove(top);
}

static void assert_boots(const char *path, const char *id, const char *kernel) {
        struct mapped m;

        inspect(path, &m);
        assert_int_equal(m.medium.n_entries, 1);
        assert_string_equal(m.medium.entries[0].id, id);
        assert_string_equal(m.medium.entries[0].kernel, kernel);
        assert_string_equal(m.medium.entries[0].why_not, "");
        assert_int_equal(m.medium.entries[0].firmware, MEDIUM_BIOS | MEDIUM_UEFI_X64);
        unmap(&m);
}

/* Debian's packages, when they are installed: the descriptions say what we believe of
 * them, these are what they are. */
static void the_real_netboot_package_is_recognised(void **state) {
        static const char folder[] = "/usr/lib/debian-installer/images/12/amd64/text";
        static const char kernel[] = "debian-installer/amd64/linux";
        char top[TREE_PATH_MAX], iso[TREE_PATH_MAX];

        if (access(folder, R_OK) < 0)
                skip();
        tree_new(top);
        tree_iso(folder, "X", TREE_ROCK_RIDGE, tree_path(top, "renamed.iso", iso));
        assert_boots(folder, "debian-12", kernel);
        assert_boots(iso, "debian-12", kernel);
        tree_remove(top);
}

static void the_real_memtest_image_is_recognised(void **state) {
        static const char iso[] = "/usr/lib/memtest86+/memtest86+x64.iso";

        if (access(iso, R_OK) < 0)
                skip();
        assert_boots(iso, "memtest86plus", "EFI/BOOT/bootx64.efi");
}

static bool is_12_or_12_2(const char *id, void *userdata) {
        return strcmp(id, "debian-12") == 0 || strcmp(id, "debian-12-2") == 0;
}

static void an_id_that_is_taken_gets_the_next_number(void **state) {
        const struct media_as as = { .name = "n",
                                     .shown = "/what/people/call/it",
                                     .is_taken = is_12_or_12_2 };
        char top[TREE_PATH_MAX];
        struct text why = { 0 };
        struct mapped m;

        tree_new(top);
        tree_file(top, "debian-installer/amd64/linux", "");
        tree_file(top, "debian-installer/amd64/initrd.gz", "");
        tree_file(top, "version.info", "Debian version:  12 (bookworm)\n");
        assert_int_equal(media_inspect_as(top, &as, recipes, &m.found, &why), MEDIA_OK);
        map_found(&m);
        assert_int_equal(m.medium.n_entries, 1);
        assert_string_equal(m.medium.entries[0].id, "debian-12-3");
        assert_string_equal(m.medium.path, "/what/people/call/it");
        unmap(&m);
        tree_remove(top);
}

/* Hostile values must not lead anywhere: a kernel outside, a line's end in a name. */
static void a_treeinfo_that_points_outside_yields_nothing_bootable(void **state) {
        static const char *const kernels[] = { "../../../../../../etc/passwd",
                                               "/etc/passwd", "images/*", "link" };
        struct mapped m;

        for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
                char top[TREE_PATH_MAX], text[512];

                tree_new(top);
                snprintf(text, sizeof(text),
                         "[general]\nfamily = Fedora\x1b[2J\nversion = 39\n"
                         "arch = x86_64\n[images-x86_64]\nkernel = %s\n"
                         "initrd = images/initrd\n",
                         kernels[i]);
                tree_file(top, ".treeinfo", text);
                tree_file(top, "images/initrd", "");
                tree_link(top, "link", "/etc/passwd");
                inspect(top, &m);
                assert_true(m.medium.n_entries > 0);
                for (uint32_t j = 0; j < m.medium.n_entries; j++) {
                        assert_non_null(strstr(m.medium.entries[j].why_not,
                                               "not on the medium"));
                        assert_null(strchr(m.medium.entries[j].title, '\x1b'));
                }
                unmap(&m);
                tree_remove(top);
        }
}

/* What a medium says of itself may end no word of the kernel's arguments. */
static void no_medium_can_add_an_argument(void **state) {
        static const char recipe[] =
                "system: s\nmatch:\n  - file: says\n    text: '^(.*)$'\n    set: said\n"
                "entries:\n  - id: '${said}'\n    title: 'T ${said}'\n    kernel: "
                "says\n"
                "    args: 'root=${said} x'\n    firmware: bios\n";
        char top[TREE_PATH_MAX], folder[TREE_PATH_MAX];
        struct text why = { 0 };
        struct media_recipes *one;
        struct mapped m;

        tree_new(top);
        tree_file(tree_path(top, "recipes", folder), "10-it.yaml", recipe);
        tree_file(top, "says", "a init=/bin/sh;${server}\xff\"&\x1b[2J\n");
        assert_int_equal(media_recipes_load(folder, &one, &why), 0);
        assert_int_equal(media_inspect(top, top, "n", one, &m.found, &why), 0);
        map_found(&m);
        assert_string_equal(m.medium.entries[0].args,
                            "root=a_init_/bin/sh___server______2J x");
        assert_string_equal(m.medium.entries[0].id, "a-init-bin-sh-server-2j");
        assert_string_equal(m.medium.entries[0].title,
                            "T a init=/bin/sh;${server}\\xff\"&?[2J");
        unmap(&m);
        media_recipes_free(one);
        tree_remove(top);
}

struct seen {
        struct text paths; /* relative, each with a blank behind it */
        size_t n_top;
        uint64_t what; /* of the last */
};

static void on_candidate(const struct media_candidate *c, void *userdata) {
        struct seen *seen = userdata;

        assert_true(strlen(c->path) >= seen->n_top);
        text_add(&seen->paths, *(c->path + seen->n_top) ? c->path + seen->n_top : ".");
        text_add(&seen->paths, c->is_tree ? "/ " : " ");
        seen->what = c->what;
}

static uint64_t assert_scanned(const char *path, size_t n_top, const char *expected) {
        struct seen seen = { .n_top = n_top };

        assert_int_equal(media_scan(path, recipes, on_candidate, &seen), 0);
        assert_string_equal(text_string(&seen.paths), expected);
        text_done(&seen.paths);
        return seen.what;
}

static void a_scan_finds_images_and_known_trees(void **state) {
        char top[TREE_PATH_MAX], path[TREE_PATH_MAX];
        size_t n;
        uint64_t before;

        tree_new(top);
        n = strlen(top);
        tree_file(top, "b.iso", "x");
        tree_file(top, "A.ISO", "x");
        tree_file(top, ".hidden.iso", "x");
        tree_file(top, "notes.txt", "x");
        tree_file(top, "deeper/c.iso", "x");
        tree_file(top, "net/debian-installer/amd64/linux", "");
        tree_link(top, "dangling.iso", "nowhere.iso");
        assert_scanned(top, n, "/A.ISO /b.iso ");
        tree_file(top, "net/debian-installer/amd64/initrd.gz", "");
        assert_scanned(top, n, "/A.ISO /b.iso /net/ ");
        /* An unpacked tree beside images does not hide them. */
        tree_file(top, "install/netboot/debian-installer/amd64/linux", "");
        tree_file(top, "install/netboot/debian-installer/amd64/initrd.gz", "");
        assert_scanned(top, n, "/A.ISO /b.iso /install/ /net/ ");
        tree_path(top, "net", path);
        before = assert_scanned(path, strlen(path), "./ ");
        tree_file(top, "net/version.info", "Debian version: 12 (bookworm)");
        assert_int_not_equal(assert_scanned(path, strlen(path), "./ "), before);
        tree_path(top, "b.iso", path);
        before = assert_scanned(path, strlen(path), ". ");
        tree_file(top, "b.iso", "xy");
        assert_int_not_equal(assert_scanned(path, strlen(path), ". "), before);
        assert_int_equal(
                media_scan(tree_path(top, "none", path), recipes, on_candidate, NULL),
                -ENOENT);
        tree_remove(top);
}

static void a_wrong_recipe_is_left_out_and_said(void **state) {
        char top[TREE_PATH_MAX];
        struct text problems = { 0 };
        struct media_recipes *few;

        tree_new(top);
        tree_file(top, "10-good.yaml", "system: s\nmatch: [{file: f}]\n");
        tree_file(top, "20-bad.yaml", "system: s\nmacth: [{file: f}]\n");
        tree_file(top, "30-not.yaml", "{");
        tree_file(top, "readme.txt", "{");
        assert_int_equal(media_recipes_load(top, &few, &problems), 0);
        assert_non_null(strstr(text_string(&problems), "20-bad.yaml:2:1: unknown key"));
        assert_non_null(strstr(text_string(&problems), "'match'"));
        assert_non_null(strstr(text_string(&problems), "30-not.yaml:"));
        assert_null(strstr(text_string(&problems), "10-good"));
        media_recipes_free(few);
        text_done(&problems);
        tree_remove(top);
        assert_int_equal(media_recipes_load(top, &few, &problems), -ENOENT);
}

static void ones_own_recipes_win(void **state) {
        char top[TREE_PATH_MAX], ours[TREE_PATH_MAX], own[TREE_PATH_MAX],
                medium[TREE_PATH_MAX];
        struct media_recipes *both;
        struct text problems = { 0 };
        struct media_found found;
        struct mapped m;

        tree_new(top);
        tree_path(top, "ours", ours);
        tree_path(top, "own", own);
        tree_path(top, "medium", medium);
        tree_file(medium, "f", "");
        tree_file(ours, "10-a.yaml", "system: ours\nmatch: [{file: f}]\n");
        tree_file(ours, "50-b.yaml", "system: old\nmatch: [{file: f}]\n");
        tree_file(own, "50-b.yaml", "system: new\nmatch: [{file: g}]\n");
        tree_file(own, "90-c.yaml", "system: own\nmatch: [{file: f}]\n");
        tree_file(own, "91-d.yaml", "system: own\nmatch: [{fiel: f}]\n");
        assert_int_equal(media_recipes_load(ours, &both, &problems), 0);
        assert_int_equal(media_recipes_add(both, own, "/my/own", &problems), 0);
        assert_string_equal(
                text_string(&problems),
                "/my/own/91-d.yaml:2:10: unknown key; the nearest is 'file'\n");
        text_done(&problems);
        assert_int_equal(media_inspect(medium, medium, "n", both, &found, &problems),
                         MEDIA_OK);
        m.found = found;
        map_found(&m);
        assert_string_equal(m.medium.system, "own");
        unmap(&m);
        /* Of the two named alike only the new one is left. */
        tree_file(medium, "g", "");
        assert_int_equal(media_inspect(medium, medium, "n", both, &found, &problems),
                         MEDIA_OK);
        m.found = found;
        map_found(&m);
        assert_string_equal(m.medium.system, "new");
        unmap(&m);
        assert_int_equal(media_recipes_add(both, "/nowhere", "/nowhere", &problems),
                         -ENOENT);
        media_recipes_free(both);
        tree_remove(top);
}

static int is_golden(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

enum { TESTS_MAX = 1000, FIXED = 10 };

static struct CMUnitTest tests[TESTS_MAX] = {
        cmocka_unit_test(an_unknown_medium_is_served_without_entries),
        cmocka_unit_test(what_cannot_be_served_is_refused_or_failed),
        cmocka_unit_test(the_real_netboot_package_is_recognised),
        cmocka_unit_test(the_real_memtest_image_is_recognised),
        cmocka_unit_test(an_id_that_is_taken_gets_the_next_number),
        cmocka_unit_test(a_treeinfo_that_points_outside_yields_nothing_bootable),
        cmocka_unit_test(no_medium_can_add_an_argument),
        cmocka_unit_test(a_scan_finds_images_and_known_trees),
        cmocka_unit_test(a_wrong_recipe_is_left_out_and_said),
        cmocka_unit_test(ones_own_recipes_win),
};

int main(void) {
        static char paths[TESTS_MAX][TREE_PATH_MAX], names[TESTS_MAX][300];
        const char *folder = getenv("GOLDEN");
        struct dirent **entries;
        size_t n = FIXED;
        int r, n_entries =
                       folder ? scandir(folder, &entries, is_golden, alphasort) : -1;

        assert(n_entries > 0);
        for (int i = 0; i < n_entries; i++) {
                assert(n < TESTS_MAX);
                tree_path(folder, entries[i]->d_name, paths[n]);
                snprintf(names[n], sizeof(names[n]), "a_medium_is_what_%s_says",
                         entries[i]->d_name);
                tests[n] = (struct CMUnitTest){
                        .name = names[n],
                        .test_func = a_medium_is_what_its_description_says,
                        .initial_state = paths[n]
                };
                n++;
                free(entries[i]);
        }
        free(entries);
        load_recipes();
        cmocka_set_message_output(CM_OUTPUT_TAP);
        r = _cmocka_run_group_tests("media/media", tests, n, NULL, NULL);
        media_recipes_free(recipes);
        return r;
}
