/*
 * A stranger's files under a recipe that asks everything a recipe can ask: every file
 * of a small medium has the input as its content. Also the input as a recipe, as long
 * as it brings no regular expression: those are the administrator's, and some take for
 * ever.
 */
#include <ctype.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "media/build.h"
#include "media/recipe.h"

static const char recipe_text[] =
        "system: ${label}\n"
        "match:\n"
        "  - any:\n"
        "      - {ini: .treeinfo, section: general, key: family, as: label}\n"
        "      - {file: .disk/info, text: '^([A-Za-z/ ]+) ([0-9.]+)', set: [label, "
        "version]}\n"
        "      - {kernel: boot/*, text: 'v([0-9.]+)', set: version, let: {label: "
        "kernel}}\n"
        "      - {file: boot/linux, starts: MZ, let: {label: program}}\n"
        "      - {volume: '^X', let: {label: volume}}\n"
        "find:\n"
        "  - {ini: .treeinfo, section: 'images-${arch}', key: kernel, as: kernel}\n"
        "  - {ini: .treeinfo, section: general, key: arch, as: arch}\n"
        "  - {ini: .treeinfo, section: 'images-${arch}', key: kernel, as: kernel}\n"
        "  - {file: '${kernel}', as: found}\n"
        "  - {file: boot/linux, as: kernel}\n"
        "  - {var: label, text: '^(.)(.*)$', set: [first, rest]}\n"
        "entries:\n"
        "  - when: [{none: [{var: first, text: Q}]}]\n"
        "    id: ${label}-${version}\n"
        "    title: ${label} ${version} (${arch}) ${rest}\n"
        "    kernel: ${kernel}\n"
        "    help: ${rest}\n"
        "    initrd:\n"
        "      - {file: '${found}', name: '${label}', args: 'a=${label} b=${rest} c'}\n"
        "      - /made/${name}/${label}\n"
        "    args: 'a=${label} b=${tree}/${rest} c'\n"
        "    memory: 1M\n"
        "    memory_of: ${kernel}\n"
        "    ways:\n"
        "      - {transport: nfs, args: 'a=${label} b=${name} c=${server}'}\n"
        "      - {transport: http-iso, when: [{var: rest}], args: 'a=${rest} b c', "
        "memory: 1G}\n"
        "    answer: {kind: k, args: 'a=${answer} b=${label} c'}\n"
        "loaders: {uefi-x64: {shim: 'boot/*', grub: '${kernel}'}}\n"
        "problems: [{when: [{var: rest}], say: '${rest} is missing'}]\n";

static struct media_index build_tree(size_t n, void **ret_data) {
        static const char *const folders[] = { ".disk", "boot" };
        static const char *const files[] = { ".treeinfo", "info", "linux" };
        struct media_build *build;
        struct media_index index;
        uint32_t node, folder = 0;
        size_t n_index;

        assert(media_build_new(n, &build) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                if (i > 0)
                        assert(media_build_folder(build, 0, folders[i - 1], 0,
                                                  &folder) == 0);
                assert(media_build_file(build, folder, files[i], 0, &node) == 0);
                assert(media_build_extent(build, node, 0, n) == 0);
        }
        assert(media_build_finish(build, ret_data, &n_index) == 0);
        media_build_free(build);
        assert(media_index_open(*ret_data, n_index, &index) == 0);
        return index;
}

/* What reaches a menu: words cannot be added, ids are ids, titles move no cursor. */
static void check_args(const char *args) {
        unsigned blanks = 0;

        for (const char *c = args; *c; c++) {
                assert(!iscntrl((unsigned char)*c) && *c != '"' && *c != ';');
                blanks += *c == ' ';
        }
        assert(blanks == 2);
}

static void check_entry(const struct medium_entry *entry) {
        check_args(entry->args);
        check_args(entry->answer_args);
        check_args(entry->initrd_args[0]);
        for (uint32_t i = 0; i < entry->n_ways; i++)
                check_args(entry->ways[i].args);
        assert(strncmp(entry->initrd[1], "/made/${name}/", 14) == 0);
        for (const char *c = entry->id; *c; c++)
                assert(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
                       strchr("._-", *c));
        for (const char *c = entry->title; *c; c++)
                assert(!iscntrl((unsigned char)*c));
        assert(*entry->id);
}

static void match(const uint8_t *data, size_t n, const struct recipe *recipe) {
        int fd = memfd_create("image", MFD_CLOEXEC);
        struct recipe_found found;
        void *index_data;
        struct media_index index = build_tree(n, &index_data);
        const struct media_tree tree = { .index = &index, .fd = fd };

        assert(fd >= 0 && pwrite(fd, data, n, 0) == (ssize_t)n);
        if (recipe_match(recipe, &tree, "", &found) == 1) {
                assert(found.medium.n_recognised_by > 0);
                for (uint32_t i = 0; i < found.medium.n_entries; i++)
                        check_entry(&found.medium.entries[i]);
                recipe_found_done(&found);
        }
        free(index_data);
        close(fd);
}

static bool has_word(const uint8_t *data, size_t n, const char *word) {
        return memmem(data, n, word, strlen(word)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct text problems = { 0 };
        struct recipe *recipe;

        assert(recipe_parse("r", recipe_text, sizeof(recipe_text) - 1, &recipe,
                            &problems) == 0);
        match(data, n, recipe);
        recipe_free(recipe);
        if (!has_word(data, n, "text") && !has_word(data, n, "volume") &&
            !has_word(data, n, "\\")) {
                int r = recipe_parse("r", (const char *)data, n, &recipe, &problems);

                assert(r == 0 || problems.n > 0);
                if (r == 0)
                        recipe_free(recipe);
        }
        text_done(&problems);
        return 0;
}
