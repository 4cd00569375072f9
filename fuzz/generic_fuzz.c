/*
 * A stranger's menus: every one that is looked for on a small medium has the input as
 * its content, and so includes itself. Nothing that comes of it may mean something to a
 * loader's script, and it ends.
 */
#include <ctype.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "media/build.h"
#include "media/generic.h"

static const char *const folders[] = { "boot", "boot/grub", "isolinux", "loader",
                                       "loader/entries" };
static const char *const files[] = { "k",
                                     "boot/k",
                                     "boot/grub/grub.cfg",
                                     "isolinux/isolinux.cfg",
                                     "isolinux/k",
                                     "loader/entries/a.conf" };

static uint32_t folder_of(const char *path, const uint32_t *nodes) {
        const char *slash = strrchr(path, '/');

        for (size_t i = 0; slash && i < ARRAY_SIZE(folders); i++)
                if (strlen(folders[i]) == (size_t)(slash - path) &&
                    memcmp(folders[i], path, (size_t)(slash - path)) == 0)
                        return nodes[i];
        return 0;
}

static const char *name_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static struct media_index build_tree(size_t n, unsigned without, void **ret_data) {
        uint32_t nodes[ARRAY_SIZE(folders)], node;
        struct media_build *build;
        struct media_index index;
        size_t n_index;

        assert(media_build_new(n, &build) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                assert(media_build_folder(build, folder_of(folders[i], nodes),
                                          name_of(folders[i]), 0, &nodes[i]) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                /* The first menu that there is counts: each gets its turn. */
                if (strchr(files[i], '.') && without & 1u << i)
                        continue;
                assert(media_build_file(build, folder_of(files[i], nodes),
                                        name_of(files[i]), 0, &node) == 0);
                assert(media_build_extent(build, node, 0, n) == 0);
        }
        assert(media_build_finish(build, ret_data, &n_index) == 0);
        media_build_free(build);
        assert(media_index_open(*ret_data, n_index, &index) == 0);
        return index;
}

static void check_args(const char *args, bool may_have_holes) {
        for (const char *c = args; *c; c++)
                assert((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f &&
                       !strchr("`\\;&|<>", *c) && (may_have_holes || *c != '$'));
}

static void check_entry(const struct medium_entry *e) {
        check_args(e->args, false);
        assert(*e->id && *e->kernel && *e->help);
        for (uint32_t i = 0; i < e->n_initrd; i++)
                check_args(e->initrd_args[i], false);
        for (uint32_t i = 0; i < e->n_ways; i++)
                check_args(e->ways[i].args, true);
        for (const char *c = e->title; *c; c++)
                assert(!iscntrl((unsigned char)*c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static const unsigned without[] = { 0, 1u << 2, 1u << 2 | 1u << 3 };
        int fd = memfd_create("image", MFD_CLOEXEC);

        assert(fd >= 0 && pwrite(fd, data, n, 0) == (ssize_t)n);
        for (size_t turn = 0; turn < ARRAY_SIZE(without); turn++) {
                struct recipe_found found;
                void *index_data;
                struct media_index index = build_tree(n, without[turn], &index_data);
                const struct media_tree tree = { .index = &index, .fd = fd };

                assert(generic_match(&tree, "V", &found) >= 0);
                for (uint32_t i = 0; i < found.medium.n_entries; i++)
                        check_entry(&found.medium.entries[i]);
                recipe_found_done(&found);
                free(index_data);
        }
        close(fd);
        return 0;
}
