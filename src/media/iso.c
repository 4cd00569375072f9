/*
 * ISO images by libisofs: its tree of nodes goes into the builder, its file sections
 * become extents. The library reads blocks through our own source, which serves from
 * a descriptor, keeps within the image, and counts: whatever loops a hostile image
 * has in its directories, they end where the blocks do.
 *
 * The three trees of an image are preferred as everywhere: Rock Ridge (real names
 * and links), then Joliet, then the bare names in lower case as Linux shows them.
 */
#include "media/iso.h"

#include "media/pvd.h"

#define LIBISOFS_WITHOUT_LIBBURN
#include <libisofs/libisofs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/* 64 MiB of directories: a DVD with sixty thousand packages has 10. The library goes
 * down into folders by recursion and walks back up for each, so its stack is bounded
 * too: a folder that contains itself would take it minutes to spend the blocks. */
enum { ISO_BLOCKS_MAX = 32768, ISO_STACK_MAX = 128 << 10 };

struct source {
        int fd;
        uint64_t size;
        unsigned n_blocks;
        uintptr_t stack; /* where it was when the library was called */
        bool is_spent, is_outside;
        IsoDataSource
                blocks; /* the library's view of this; it lives as long as a node */
};

static int source_open(IsoDataSource *src) {
        return ISO_SUCCESS;
}

static int source_close(IsoDataSource *src) {
        return ISO_SUCCESS;
}

static uintptr_t stack_used(const struct source *s) {
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);

        return here < s->stack ? s->stack - here : here - s->stack;
}

static int source_read(IsoDataSource *src, uint32_t lba, uint8_t *buffer) {
        struct source *s = src->data;
        uint64_t at = (uint64_t)lba * PVD_SECTOR;

        if (++s->n_blocks > ISO_BLOCKS_MAX || stack_used(s) > ISO_STACK_MAX) {
                s->is_spent = true;
                return (int)ISO_DATA_SOURCE_FATAL;
        }
        if (at > s->size || PVD_SECTOR > s->size - at) {
                s->is_outside = true;
                return (int)ISO_DATA_SOURCE_FATAL;
        }
        if (pread(s->fd, buffer, PVD_SECTOR, (off_t)at) != PVD_SECTOR)
                return (int)ISO_DATA_SOURCE_FAILURE;
        return ISO_SUCCESS;
}

static void source_free(IsoDataSource *src) {}

static nsec_t node_mtime(IsoNode *node) {
        time_t t = iso_node_get_mtime(node);

        return t > 0 && t < INT32_MAX * (time_t)64 ? (nsec_t)t * NSEC_PER_SEC : 0;
}

static int add_extents(struct media_build *build, IsoFile *file, uint32_t node) {
        struct iso_file_section *sections = NULL;
        int n = 0, r = 0;

        if (iso_file_get_old_image_sections(file, &n, &sections, 0) != 1)
                return 0;
        for (int i = 0; r == 0 && i < n; i++)
                if (sections[i].size > 0)
                        r = media_build_extent(build, node,
                                               (uint64_t)sections[i].block * PVD_SECTOR,
                                               sections[i].size);
        free(sections);
        return r;
}

static int add_children(struct media_build *build, IsoDir *dir, uint32_t parent,
                        struct text *why);

static int add_node(struct media_build *build, IsoNode *node, uint32_t parent,
                    struct text *why) {
        const char *name = iso_node_get_name(node);
        uint32_t mode = iso_node_get_permissions(node), added;
        int r;

        switch (iso_node_get_type(node)) {
        case LIBISO_DIR:
                r = media_build_folder(build, parent, name, node_mtime(node), &added);
                if (r == 0) {
                        media_build_mode(build, mode);
                        return add_children(build, (IsoDir *)node, added, why);
                }
                break;
        case LIBISO_FILE:
                r = media_build_file(build, parent, name, node_mtime(node), &added);
                if (r == 0) {
                        media_build_mode(build, mode);
                        r = add_extents(build, (IsoFile *)node, added);
                }
                break;
        case LIBISO_SYMLINK:
                r = media_build_link(build, parent, name, node_mtime(node),
                                     iso_symlink_get_dest((IsoSymlink *)node));
                break;
        default:
                return 0; /* device files and the boot catalogue */
        }
        /* A name that no path can hold hides its file and nothing else. */
        if (r == MEDIA_BUILD_BAD_NAME)
                return 0;
        if (r > 0 && why->n == 0) {
                text_add(why, r == MEDIA_BUILD_OUTSIDE
                                      ? "damaged: a file lies outside the "
                                        "image: "
                              : r == MEDIA_BUILD_TOO_DEEP ? "folders nested too deep: "
                                                          : "too many files: ");
                text_printable(why, name, strlen(name));
        }
        return r;
}

static int add_children(struct media_build *build, IsoDir *dir, uint32_t parent,
                        struct text *why) {
        IsoDirIter *iter;
        IsoNode *node;
        int r = 0;

        if (iso_dir_get_children(dir, &iter) < 0)
                return -ENOMEM;
        while (r == 0 && iso_dir_iter_next(iter, &node) == 1)
                r = add_node(build, node, parent, why);
        iso_dir_iter_free(iter);
        return r;
}

static IsoReadOpts *new_options(void) {
        IsoReadOpts *opts;

        if (iso_read_opts_new(&opts, 0) < 0)
                return NULL;
        iso_read_opts_set_input_charset(opts, "UTF-8");
        iso_read_opts_set_no_aaip(opts, 1);
        iso_read_opts_set_no_md5(opts, 1);
        iso_read_opts_set_new_inos(opts, 1);
        iso_read_opts_set_ecma119_map(opts, 3);
        iso_read_opts_load_system_area(opts, 0);
        return opts;
}

/* The library's own words for what it stumbled over. */
static void add_reason(struct text *why, const struct source *s, int code) {
        const char *said = iso_error_to_msg(code);

        if (s->is_spent) {
                text_add(why, "damaged: its folders go round in circles or never end");
                return;
        }
        if (s->is_outside) {
                text_add(why, "damaged: a folder lies outside the image");
                return;
        }
        text_add(why, "damaged: ");
        text_printable(why, said ? said : "unreadable",
                       strlen(said ? said : "unreadable"));
}

static int import(IsoImage *image, struct source *s, bool *ret_has_rock_ridge,
                  struct text *why) {
        IsoReadOpts *opts = new_options();
        IsoReadImageFeatures *features = NULL;
        int r;

        if (!opts)
                return -ENOMEM;
        s->stack = (uintptr_t)__builtin_frame_address(0);
        r = iso_image_import(image, &s->blocks, opts, &features);
        iso_read_opts_free(opts);
        if (features) {
                *ret_has_rock_ridge = iso_read_image_features_has_rockridge(features);
                iso_read_image_features_destroy(features);
        }
        if (r == (int)ISO_OUT_OF_MEM)
                return -ENOMEM;
        if (r < 0 || s->is_spent || s->is_outside) {
                add_reason(why, s, r);
                return MEDIA_ISO_REFUSED;
        }
        return 0;
}

/* El Torito's boot images, of which some are in no folder of the image. No name of
 * theirs can be in the way: "[" is not a character of ISO 9660, and what Rock Ridge has
 * under the same name comes first and stays. */
enum { BOOT_IMAGES_MAX = 32, PLATFORM_BIOS = 0, PLATFORM_UEFI = 0xef };

static int add_boot_image(struct media_build *build, uint32_t folder, int i,
                          int platform, IsoFile *file) {
        char name[32];
        uint32_t node;
        int r;

        snprintf(name, sizeof(name), "%d-%s.img", i + 1,
                 platform == PLATFORM_BIOS   ? "BIOS"
                 : platform == PLATFORM_UEFI ? "UEFI"
                                             : "other");
        r = media_build_file(build, folder, name, 0, &node);
        return r == 0 ? add_extents(build, file, node) : r;
}

static int add_boot_images(struct media_build *build, IsoImage *image) {
        ElToritoBootImage **boots = NULL;
        IsoFile **files = NULL;
        uint32_t folder;
        int n = 0, r;

        if (iso_image_get_all_boot_imgs(image, &n, &boots, &files, 0) != 1 || n == 0)
                return 0;
        r = media_build_folder(build, 0, "[BOOT]", 0, &folder);
        for (int i = 0; r == 0 && i < n && i < BOOT_IMAGES_MAX; i++)
                if (files[i])
                        r = add_boot_image(build, folder, i,
                                           el_torito_get_boot_platform_id(boots[i]),
                                           files[i]);
        free(boots);
        free(files);
        /* One that lies outside of the image is nothing to boot from, and nothing to
         * refuse the rest for. */
        return r == MEDIA_BUILD_OUTSIDE ? 0 : r;
}

static int build_index(IsoImage *image, uint64_t size, struct media_iso *ret,
                       struct text *why) {
        struct media_build *build;
        int r = media_build_new(size, &build);

        if (r < 0)
                return r;
        r = add_children(build, iso_image_get_root(image), 0, why);
        if (r == 0)
                r = add_boot_images(build, image);
        if (r == 0)
                r = media_build_finish(build, &ret->data, &ret->n);
        media_build_free(build);
        return r > 0 ? MEDIA_ISO_REFUSED : r;
}

static int read_descriptors(int fd, uint64_t size, struct pvd *ret, struct text *why) {
        uint8_t *data = malloc(PVD_BYTES);
        ssize_t n;
        int r;

        if (!data)
                return -ENOMEM;
        n = pread(fd, data, PVD_BYTES, (off_t)PVD_FIRST * PVD_SECTOR);
        if (n < 0)
                r = -errno;
        else
                r = pvd_parse(data, (size_t)n, size, ret, why) == PVD_OK
                            ? 0
                            : MEDIA_ISO_REFUSED;
        free(data);
        return r;
}

int media_iso_read(int fd, uint64_t size, struct media_iso *ret, struct text *why) {
        struct source source = { .fd = fd,
                                 .size = size,
                                 .blocks = { .version = 0,
                                             .refcount = 2, /* ours never goes */
                                             .open = source_open,
                                             .close = source_close,
                                             .read_block = source_read,
                                             .free_data = source_free,
                                             .data = &source } };
        struct media_iso iso = { 0 };
        IsoImage *image = NULL;
        struct pvd pvd;
        int r = read_descriptors(fd, size, &pvd, why);

        if (r)
                return r;
        memcpy(iso.volume, pvd.volume, sizeof(iso.volume));
        if (iso_init_with_flag(1) < 0)
                return -ENOMEM;
        iso_set_msgs_severities("NEVER", "NEVER", "");
        iso_set_local_charset("UTF-8", 0);
        r = iso_image_new("", &image) < 0
                    ? -ENOMEM
                    : import(image, &source, &iso.has_rock_ridge, why);
        if (r == 0)
                r = build_index(image, size, &iso, why);
        if (image)
                iso_image_unref(image);
        iso_finish();
        if (r == 0)
                *ret = iso;
        return r;
}

void media_iso_done(struct media_iso *iso) {
        free(iso->data);
        *iso = (struct media_iso){ 0 };
}
