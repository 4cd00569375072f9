/*
 * From nodes in the order of discovery to an index in the order of format.h: sort
 * the children of every folder together, number the folders level by level, then
 * resolve links on the finished graph.
 *
 * Links are followed inside the image only. An absolute link would be read against
 * the root of whoever mounts the image, so it leads out of it, as does a ".." above
 * the top. Steps are counted over the whole image: a web of links that lead through
 * links must not cost more than reading it did.
 */
#include "media/build.h"

#include "media/format.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINK_HOPS_MAX = 40, LINK_STEPS_MAX = 8 << 20 };

#define NODE_NONE UINT32_MAX

struct build_node {
        uint32_t parent, depth;
        uint32_t name, link; /* in the strings */
        enum format_kind kind;
        uint32_t first_extent, n_extents;
        uint32_t first_child, n_children; /* in `sorted` */
        uint32_t number;                  /* in the index */
        uint64_t size, mtime;
        uint16_t mode;
};

struct media_build {
        uint64_t image_size;
        struct build_node *nodes;
        struct format_extent *extents;
        uint32_t *sorted; /* all nodes but the top, by parent and name */
        struct text strings;
        uint32_t n_nodes, nodes_room;
        uint32_t n_extents, extents_room;
        uint32_t link_steps;
};

struct media_build *media_build_free(struct media_build *build) {
        if (!build)
                return NULL;
        free(build->nodes);
        free(build->extents);
        free(build->sorted);
        text_done(&build->strings);
        free(build);
        return NULL;
}

static int grow(void **array, uint32_t *room, uint32_t n, size_t each) {
        uint32_t wanted = *room ? *room * 2 : 64;
        void *grown;

        if (n < *room)
                return 0;
        grown = reallocarray(*array, wanted, each);
        if (!grown)
                return -ENOMEM;
        *array = grown;
        *room = wanted;
        return 0;
}

static int add_string(struct media_build *build, const char *s, uint32_t *ret) {
        size_t n = strlen(s), at = build->strings.n;

        if (n + 1 > MEDIA_BUILD_STRING_BYTES_MAX - at)
                return MEDIA_BUILD_TOO_MANY;
        text_bytes(&build->strings, s, n + 1);
        if (build->strings.failed)
                return -ENOMEM;
        *ret = (uint32_t)at;
        return 0;
}

static bool name_is_good(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= FORMAT_NAME_MAX && !strchr(name, '/') &&
               strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int add_node(struct media_build *build, uint32_t parent, const char *name,
                    struct build_node node, uint32_t *ret) {
        int r;

        assert(parent < build->n_nodes && build->nodes[parent].kind == FORMAT_FOLDER);
        if (!name_is_good(name))
                return MEDIA_BUILD_BAD_NAME;
        if (build->n_nodes >= MEDIA_BUILD_NODES_MAX)
                return MEDIA_BUILD_TOO_MANY;
        node.parent = parent;
        node.depth = build->nodes[parent].depth + 1;
        if (node.depth > MEDIA_BUILD_DEPTH_MAX)
                return MEDIA_BUILD_TOO_DEEP;
        r = add_string(build, name, &node.name);
        if (r)
                return r;
        r = grow((void **)&build->nodes, &build->nodes_room, build->n_nodes,
                 sizeof(*build->nodes));
        if (r)
                return r;
        *ret = build->n_nodes++;
        build->nodes[*ret] = node;
        return 0;
}

int media_build_new(uint64_t image_size, struct media_build **ret) {
        struct media_build *build = calloc(1, sizeof(*build));

        if (!build)
                return -ENOMEM;
        build->image_size = image_size;
        text_bytes(&build->strings, "", 1);
        if (build->strings.failed || grow((void **)&build->nodes, &build->nodes_room, 0,
                                          sizeof(*build->nodes)) < 0) {
                media_build_free(build);
                return -ENOMEM;
        }
        build->nodes[0] = (struct build_node){ .kind = FORMAT_FOLDER };
        build->n_nodes = 1;
        *ret = build;
        return 0;
}

int media_build_folder(struct media_build *build, uint32_t parent, const char *name,
                       nsec_t mtime, uint32_t *ret_node) {
        struct build_node node = { .kind = FORMAT_FOLDER, .mtime = mtime };

        return add_node(build, parent, name, node, ret_node);
}

int media_build_file(struct media_build *build, uint32_t parent, const char *name,
                     nsec_t mtime, uint32_t *ret_node) {
        struct build_node node = { .kind = FORMAT_FILE,
                                   .mtime = mtime,
                                   .first_extent = build->n_extents };

        return add_node(build, parent, name, node, ret_node);
}

int media_build_link(struct media_build *build, uint32_t parent, const char *name,
                     nsec_t mtime, const char *target) {
        struct build_node node = { .kind = FORMAT_LINK, .mtime = mtime };
        uint32_t ignored;
        int r = strlen(target) > FORMAT_LINK_MAX
                        ? MEDIA_BUILD_BAD_NAME
                        : add_string(build, target, &node.link);

        return r ? r : add_node(build, parent, name, node, &ignored);
}

void media_build_mode(struct media_build *build, uint32_t mode) {
        build->nodes[build->n_nodes - 1].mode = mode & 07777;
}

int media_build_extent(struct media_build *build, uint32_t file, uint64_t offset,
                       uint64_t length) {
        struct build_node *node = &build->nodes[file];
        struct format_extent *last;
        int r;

        assert(node->kind == FORMAT_FILE &&
               node->first_extent + node->n_extents == build->n_extents);
        if (offset > build->image_size || length > build->image_size - offset)
                return MEDIA_BUILD_OUTSIDE;
        if (length == 0)
                return 0;
        /* Every piece lies inside the image and there are at most 2^32 of them, but
         * pieces may overlap: their sum is what could wrap. */
        if (length > INT64_MAX - node->size ||
            build->n_extents >= MEDIA_BUILD_NODES_MAX)
                return MEDIA_BUILD_TOO_MANY;
        last = node->n_extents ? &build->extents[build->n_extents - 1] : NULL;
        node->size += length;
        if (last && last->offset + last->length == offset) {
                last->length += length;
                return 0;
        }
        r = grow((void **)&build->extents, &build->extents_room, build->n_extents,
                 sizeof(*build->extents));
        if (r)
                return r;
        build->extents[build->n_extents++] = (struct format_extent){ offset, length };
        node->n_extents++;
        return 0;
}

uint64_t media_build_size_at(const struct media_build *build, uint64_t offset) {
        for (uint32_t i = 0; i < build->n_nodes; i++) {
                const struct build_node *node = &build->nodes[i];

                if (node->kind == FORMAT_FILE && node->n_extents > 0 &&
                    build->extents[node->first_extent].offset == offset)
                        return node->size;
        }
        return 0;
}

static const char *string_at(const struct media_build *build, uint32_t at) {
        return build->strings.s + at;
}

static int compare_nodes(const void *a, const void *b, void *userdata) {
        const struct media_build *build = userdata;
        uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
        const struct build_node *x = &build->nodes[i], *y = &build->nodes[j];
        int order;

        if (x->parent != y->parent)
                return x->parent < y->parent ? -1 : 1;
        order = strcmp(string_at(build, x->name), string_at(build, y->name));
        return order ? order : i < j ? -1 : 1;
}

/* Sorts, drops second comers, and tells every folder its range. */
static int sort_children(struct media_build *build) {
        uint32_t kept = 0, n = build->n_nodes - 1;

        free(build->sorted);
        build->sorted = calloc(n + 1, sizeof(*build->sorted));
        if (!build->sorted)
                return -ENOMEM;
        for (uint32_t i = 0; i < n; i++)
                build->sorted[i] = i + 1;
        qsort_r(build->sorted, n, sizeof(*build->sorted), compare_nodes, build);
        for (uint32_t i = 0; i < n; i++) {
                struct build_node *node = &build->nodes[build->sorted[i]];
                struct build_node *before =
                        kept ? &build->nodes[build->sorted[kept - 1]] : NULL;
                struct build_node *folder = &build->nodes[node->parent];

                if (before && before->parent == node->parent &&
                    strcmp(string_at(build, before->name),
                           string_at(build, node->name)) == 0)
                        continue;
                if (folder->n_children++ == 0)
                        folder->first_child = kept;
                build->sorted[kept++] = build->sorted[i];
        }
        return 0;
}

/* Numbers level by level; `order` receives the node of every number. What hung below
 * a second comer is reached by nobody and gets none. */
static uint32_t number_nodes(struct media_build *build, uint32_t *order) {
        uint32_t n = 1;

        for (uint32_t i = 0; i < build->n_nodes; i++)
                build->nodes[i].number = NODE_NONE;
        order[0] = 0;
        build->nodes[0].number = 0;
        for (uint32_t i = 0; i < n; i++) {
                const struct build_node *folder = &build->nodes[order[i]];

                for (uint32_t j = 0; j < folder->n_children; j++) {
                        uint32_t child = build->sorted[folder->first_child + j];

                        build->nodes[child].number = n;
                        order[n++] = child;
                }
        }
        return n;
}

static uint32_t find_child(const struct media_build *build, uint32_t folder,
                           const char *name, size_t n) {
        const struct build_node *f = &build->nodes[folder];
        uint32_t low = f->first_child, high = f->first_child + f->n_children;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                uint32_t node = build->sorted[middle];
                const char *other = string_at(build, build->nodes[node].name);
                int order = strncmp(name, other, n);

                if (order == 0 && other[n])
                        order = -1;
                if (order == 0)
                        return node;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NODE_NONE;
}

static uint32_t follow(struct media_build *build, uint32_t link, unsigned hops);

/* One segment on from `at`, which is a folder. */
static uint32_t step(struct media_build *build, uint32_t at, const char *segment,
                     size_t n, unsigned hops) {
        uint32_t child;

        if (n == 0 || (n == 1 && segment[0] == '.'))
                return at;
        if (n == 2 && segment[0] == '.' && segment[1] == '.')
                return at == 0 ? NODE_NONE : build->nodes[at].parent;
        child = find_child(build, at, segment, n);
        if (child != NODE_NONE && build->nodes[child].kind == FORMAT_LINK)
                return follow(build, child, hops + 1);
        return child;
}

static uint32_t follow(struct media_build *build, uint32_t link, unsigned hops) {
        const char *text = string_at(build, build->nodes[link].link);
        uint32_t at = build->nodes[link].parent;

        if (hops > LINK_HOPS_MAX || *text == '/' || *text == '\0')
                return NODE_NONE;
        while (*text) {
                size_t n = strcspn(text, "/");

                if (at == NODE_NONE || build->nodes[at].kind != FORMAT_FOLDER ||
                    build->link_steps++ > LINK_STEPS_MAX)
                        return NODE_NONE;
                at = step(build, at, text, n, hops);
                text += n + (text[n] == '/');
        }
        return at;
}

static struct format_node finished_node(struct media_build *build, uint32_t i) {
        const struct build_node *node = &build->nodes[i];
        struct format_node out = { .name = node->name,
                                   .kind = (uint16_t)node->kind,
                                   .mode = node->mode,
                                   .size = node->size,
                                   .mtime = node->mtime };

        if (node->kind == FORMAT_LINK) {
                uint32_t target = follow(build, i, 0);

                out.count = node->link;
                if (target == NODE_NONE || build->nodes[target].number == NODE_NONE)
                        out.kind = FORMAT_DEAD_LINK;
                else
                        out.first = build->nodes[target].number;
        }
        return out;
}

static uint32_t count_extents(const struct media_build *build, const uint32_t *order,
                              uint32_t n) {
        uint32_t count = 0;

        for (uint32_t i = 0; i < n; i++)
                count += build->nodes[order[i]].n_extents;
        return count;
}

static struct format_header plan(const struct media_build *build, uint32_t n_nodes,
                                 uint32_t n_extents) {
        struct format_header h = { .magic = FORMAT_MAGIC,
                                   .image_size = build->image_size,
                                   .n_nodes = n_nodes,
                                   .n_extents = n_extents,
                                   .n_strings = build->strings.n,
                                   .n_info = sizeof(struct format_info) + 1 };

        h.nodes_at = sizeof(h);
        h.extents_at = h.nodes_at + (uint64_t)n_nodes * sizeof(struct format_node);
        h.strings_at =
                h.extents_at + (uint64_t)n_extents * sizeof(struct format_extent);
        h.info_at = h.strings_at + h.n_strings;
        h.n = h.info_at + h.n_info;
        return h;
}

static void write_nodes(struct media_build *build, const uint32_t *order,
                        const struct format_header *header, uint8_t *out) {
        uint32_t n_children = 1, n_extents = 0;

        for (uint32_t i = 0; i < header->n_nodes; i++) {
                const struct build_node *node = &build->nodes[order[i]];
                struct format_node record = finished_node(build, order[i]);

                if (record.kind == FORMAT_FOLDER) {
                        record.first = n_children;
                        record.count = node->n_children;
                        n_children += node->n_children;
                } else if (record.kind == FORMAT_FILE) {
                        record.first = n_extents;
                        record.count = node->n_extents;
                        if (node->n_extents > 0)
                                memcpy(out + header->extents_at +
                                               n_extents * sizeof(struct format_extent),
                                       build->extents + node->first_extent,
                                       node->n_extents * sizeof(struct format_extent));
                        n_extents += node->n_extents;
                }
                memcpy(out + header->nodes_at + (uint64_t)i * sizeof(record), &record,
                       sizeof(record));
        }
}

int media_build_finish(struct media_build *build, void **ret_data, size_t *ret_n) {
        struct format_header header;
        uint32_t *order, n;
        uint8_t *out;
        int r;

        for (uint32_t i = 0; i < build->n_nodes; i++)
                build->nodes[i].n_children = 0;
        r = sort_children(build);
        if (r < 0)
                return r;
        order = calloc(build->n_nodes, sizeof(*order));
        if (!order)
                return -ENOMEM;
        n = number_nodes(build, order);
        header = plan(build, n, count_extents(build, order, n));
        out = calloc(1, header.n);
        if (out) {
                memcpy(out, &header, sizeof(header));
                memcpy(out + header.strings_at, build->strings.s, header.n_strings);
                build->link_steps = 0;
                write_nodes(build, order, &header, out);
                *ret_data = out;
                *ret_n = header.n;
        }
        free(order);
        return out ? 0 : -ENOMEM;
}

/* The info under construction: strings gather behind the record. */
static uint32_t info_string(struct text *out, const char *s) {
        uint32_t at = (uint32_t)(sizeof(struct format_info) + out->n);

        text_bytes(out, s ? s : "", s ? strlen(s) + 1 : 1);
        return at;
}

static struct format_entry entry_record(const struct medium_entry *e,
                                        struct text *strings) {
        struct format_entry record = { .boot = e->boot,
                                       .n_initrd = e->n_initrd,
                                       .firmware = e->firmware,
                                       .transports = e->transports,
                                       .n_ways = e->n_ways,
                                       .memory = e->memory };

        record.id = info_string(strings, e->id);
        record.title = info_string(strings, e->title);
        record.help = info_string(strings, e->help);
        record.kernel = info_string(strings, e->kernel);
        record.args = info_string(strings, e->args);
        record.why_not = info_string(strings, e->why_not);
        record.remedy = info_string(strings, e->remedy);
        record.secure_why_not = info_string(strings, e->secure_why_not);
        record.answer_kind = info_string(strings, e->answer_kind);
        record.answer_args = info_string(strings, e->answer_args);
        for (uint32_t i = 0; i < e->n_initrd; i++) {
                record.initrd[i] = info_string(strings, e->initrd[i]);
                record.initrd_name[i] = info_string(strings, e->initrd_name[i]);
                record.initrd_args[i] = info_string(strings, e->initrd_args[i]);
        }
        for (uint32_t i = 0; i < e->n_ways; i++) {
                record.ways[i].transport = e->ways[i].transport;
                record.ways[i].args = info_string(strings, e->ways[i].args);
                record.ways[i].memory = e->ways[i].memory;
        }
        return record;
}

static struct format_info info_record(const struct medium *m, struct text *strings) {
        struct format_info info = { .name = info_string(strings, m->name),
                                    .path = info_string(strings, m->path),
                                    .system = info_string(strings, m->system),
                                    .version = info_string(strings, m->version),
                                    .edition = info_string(strings, m->edition),
                                    .arch = info_string(strings, m->arch),
                                    .n_recognised_by = m->n_recognised_by,
                                    .n_problems = m->n_problems,
                                    .n_entries = m->n_entries,
                                    .size = m->size,
                                    .mtime = m->mtime };

        for (uint32_t i = 0; i < m->n_recognised_by; i++)
                info.recognised_by[i] = info_string(strings, m->recognised_by[i]);
        for (uint32_t i = 0; i < m->n_problems; i++)
                info.problems[i] = info_string(strings, m->problems[i]);
        for (uint32_t i = 0; i < MEDIUM_N_FIRMWARE; i++) {
                info.loaders[i].shim = info_string(strings, m->loaders[i].shim);
                info.loaders[i].grub = info_string(strings, m->loaders[i].grub);
                info.loaders[i].why_not = info_string(strings, m->loaders[i].why_not);
                info.loaders[i].proxy_why_not =
                        info_string(strings, m->loaders[i].proxy_why_not);
        }
        for (uint32_t i = 0; i < m->n_entries; i++)
                info.entries[i] = entry_record(&m->entries[i], strings);
        return info;
}

static int write_all(int fd, const void *data, size_t n) {
        while (n > 0) {
                ssize_t r = write(fd, data, n);

                if (r < 0)
                        return -errno;
                data = (const uint8_t *)data + r;
                n -= (size_t)r;
        }
        return 0;
}

static int write_sealed(const struct format_header *header, const void *body,
                        const struct format_info *info, const struct text *strings,
                        int *ret_fd) {
        int fd = memfd_create("bootjack-medium", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, header, sizeof(*header));
        if (r == 0)
                r = write_all(fd, body, header->info_at - sizeof(*header));
        if (r == 0)
                r = write_all(fd, info, sizeof(*info));
        if (r == 0)
                r = write_all(fd, strings->s, strings->n);
        if (r == 0 &&
            fcntl(fd, F_ADD_SEALS,
                  F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

int media_build_seal(const void *data, size_t n, const struct medium *medium,
                     int *ret_fd) {
        struct format_header header = { .magic = FORMAT_MAGIC,
                                        .is_tree = 1,
                                        .nodes_at = sizeof(header),
                                        .extents_at = sizeof(header),
                                        .strings_at = sizeof(header),
                                        .info_at = sizeof(header) };
        struct text strings = { 0 };
        struct format_info info;
        const uint8_t *body = NULL;
        int r = -ENOMEM;

        if (data) {
                assert(n >= sizeof(header));
                memcpy(&header, data, sizeof(header));
                body = (const uint8_t *)data + sizeof(header);
        }
        info = info_record(medium, &strings);
        info.kind = (uint32_t)(data ? medium->kind : MEDIUM_TREE);
        header.n_info = sizeof(info) + strings.n;
        header.n = header.info_at + header.n_info;
        if (!strings.failed)
                r = write_sealed(&header, body, &info, &strings, ret_fd);
        text_done(&strings);
        return r;
}
