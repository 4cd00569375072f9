/*
 * Reading an index that somebody else built. All trust is earned in
 * media_index_open(); the accessors after it only copy records out. The idea that
 * makes one pass enough is in format.h: every range has one place where it may begin.
 */
#include "media/index.h"

#include "media/format.h"

static_assert(sizeof((struct format_info *)0)->entries /
                              sizeof((struct format_info *)0)->entries[0] ==
                      MEDIUM_ENTRIES_MAX,
              "the format holds what a medium holds");
static_assert(ARRAY_SIZE(((struct format_entry *)0)->initrd) == MEDIUM_INITRDS_MAX,
              "the format holds what an entry holds");
static_assert(ARRAY_SIZE(((struct format_entry *)0)->ways) == MEDIUM_WAYS_MAX,
              "the format holds what an entry holds");
static_assert(ARRAY_SIZE(((struct format_info *)0)->loaders) == MEDIUM_N_FIRMWARE,
              "the format holds what a medium holds");
static_assert(ARRAY_SIZE(((struct format_info *)0)->problems) == MEDIUM_TEXTS_MAX,
              "the format holds what a medium holds");

static struct format_header header_of(const struct media_index *index) {
        struct format_header header;

        memcpy(&header, index->data, sizeof(header));
        return header;
}

static struct format_node node_at(const struct media_index *index,
                                  const struct format_header *header, uint32_t i) {
        struct format_node node;

        memcpy(&node, index->data + header->nodes_at + (uint64_t)i * sizeof(node),
               sizeof(node));
        return node;
}

static struct format_extent extent_at(const struct media_index *index,
                                      const struct format_header *header, uint32_t i) {
        struct format_extent extent;

        memcpy(&extent, index->data + header->extents_at + (uint64_t)i * sizeof(extent),
               sizeof(extent));
        return extent;
}

static const char *name_at(const struct media_index *index,
                           const struct format_header *header, uint32_t at) {
        return (const char *)index->data + header->strings_at + at;
}

static bool section_fits(uint64_t at, uint64_t count, uint64_t each, uint64_t n) {
        return at <= n && count <= (n - at) / each;
}

static bool header_is_sound(const struct format_header *header, size_t n) {
        return memcmp(header->magic, FORMAT_MAGIC, sizeof(header->magic)) == 0 &&
               header->n == n &&
               section_fits(header->nodes_at, header->n_nodes,
                            sizeof(struct format_node), n) &&
               section_fits(header->extents_at, header->n_extents,
                            sizeof(struct format_extent), n) &&
               section_fits(header->strings_at, header->n_strings, 1, n) &&
               section_fits(header->info_at, header->n_info, 1, n) &&
               header->n_info > sizeof(struct format_info) &&
               header->n_info <= UINT32_MAX;
}

/* A name must end inside the strings, soon, and be one segment of a path. */
static bool name_is_sound(const struct media_index *index,
                          const struct format_header *header, uint32_t at,
                          bool is_top) {
        const char *name;
        size_t room, n;

        if (at >= header->n_strings)
                return false;
        name = name_at(index, header, at);
        room = min_size(header->n_strings - at, FORMAT_NAME_MAX + 1);
        n = strnlen(name, room);
        if (n == room)
                return false;
        if (is_top)
                return n == 0;
        return n > 0 && !memchr(name, '/', n) && strcmp(name, ".") != 0 &&
               strcmp(name, "..") != 0;
}

/* How far the ranges of children and of extents have come. */
struct progress {
        uint32_t children, extents;
};

static bool folder_is_sound(const struct format_header *header,
                            const struct format_node *node, struct progress *progress) {
        if (node->first != progress->children ||
            node->count > header->n_nodes - progress->children)
                return false;
        progress->children += node->count;
        return true;
}

static bool file_is_sound(const struct media_index *index,
                          const struct format_header *header,
                          const struct format_node *node, struct progress *progress) {
        uint64_t left = node->size;

        if (node->first != progress->extents ||
            node->count > header->n_extents - progress->extents)
                return false;
        for (uint32_t i = 0; i < node->count; i++) {
                struct format_extent e = extent_at(index, header, node->first + i);

                if (e.length == 0 || e.length > left || e.offset > header->image_size ||
                    e.length > header->image_size - e.offset)
                        return false;
                left -= e.length;
        }
        progress->extents += node->count;
        return left == 0;
}

static bool link_is_sound(const struct media_index *index,
                          const struct format_header *header,
                          const struct format_node *node) {
        return node->first < header->n_nodes &&
               node_at(index, header, node->first).kind <= FORMAT_FOLDER;
}

static bool link_text_is_sound(const struct media_index *index,
                               const struct format_header *header,
                               const struct format_node *node) {
        size_t room;

        if (node->count >= header->n_strings)
                return false;
        room = min_size(header->n_strings - node->count, FORMAT_LINK_MAX + 1);
        return strnlen(name_at(index, header, node->count), room) < room;
}

static bool node_is_sound(const struct media_index *index,
                          const struct format_header *header, uint32_t i,
                          struct progress *progress) {
        struct format_node node = node_at(index, header, i);

        if (!name_is_sound(index, header, node.name, i == 0))
                return false;
        /* Children come after their folder, so a node that no range has reached yet
         * when its turn comes has no parent. */
        if (i >= progress->children || (i == 0 && node.kind != FORMAT_FOLDER))
                return false;
        switch (node.kind) {
        case FORMAT_FOLDER:
                return folder_is_sound(header, &node, progress);
        case FORMAT_FILE:
                return file_is_sound(index, header, &node, progress);
        case FORMAT_LINK:
                return link_is_sound(index, header, &node) &&
                       link_text_is_sound(index, header, &node);
        case FORMAT_DEAD_LINK:
                return link_text_is_sound(index, header, &node);
        default:
                return false;
        }
}

/* Only after every name was found to end where it should. */
static bool children_are_sorted(const struct media_index *index,
                                const struct format_header *header, uint32_t folder) {
        struct format_node node = node_at(index, header, folder);

        if (node.kind != FORMAT_FOLDER)
                return true;
        for (uint32_t i = 1; i < node.count; i++) {
                struct format_node a = node_at(index, header, node.first + i - 1);
                struct format_node b = node_at(index, header, node.first + i);

                if (strcmp(name_at(index, header, a.name),
                           name_at(index, header, b.name)) >= 0)
                        return false;
        }
        return true;
}

static bool nodes_are_sound(const struct media_index *index,
                            const struct format_header *header) {
        struct progress progress = { .children = 1 };

        if (header->is_tree || header->n_nodes == 0)
                return header->is_tree && header->n_nodes == 0;
        for (uint32_t i = 0; i < header->n_nodes; i++)
                if (!node_is_sound(index, header, i, &progress))
                        return false;
        for (uint32_t i = 0; i < header->n_nodes; i++)
                if (!children_are_sorted(index, header, i))
                        return false;
        return progress.children == header->n_nodes &&
               progress.extents == header->n_extents;
}

static struct format_info info_of(const struct media_index *index,
                                  const struct format_header *header) {
        struct format_info info;

        memcpy(&info, index->data + header->info_at, sizeof(info));
        return info;
}

static bool strings_are_sound(const uint32_t *at, size_t count, uint64_t n) {
        for (size_t i = 0; i < count; i++)
                if (at[i] >= n)
                        return false;
        return true;
}

/* A way is one transport that there is. */
static bool way_is_sound(const struct format_way *way, uint64_t n) {
        uint32_t bit = way->transport;

        return bit != 0 && (bit & (bit - 1)) == 0 && bit >> MEDIUM_N_TRANSPORTS == 0 &&
               way->args < n;
}

static bool entry_is_sound(const struct format_entry *e, uint64_t n) {
        const uint32_t texts[] = { e->id,         e->title,          e->help,
                                   e->kernel,     e->args,           e->why_not,
                                   e->remedy,     e->secure_why_not, e->answer_kind,
                                   e->answer_args };

        if (e->n_initrd > MEDIUM_INITRDS_MAX || e->n_ways > MEDIUM_WAYS_MAX ||
            e->boot >= MEDIUM_N_BOOTS)
                return false;
        for (uint32_t i = 0; i < e->n_ways; i++)
                if (!way_is_sound(&e->ways[i], n))
                        return false;
        return strings_are_sound(texts, ARRAY_SIZE(texts), n) &&
               strings_are_sound(e->initrd, e->n_initrd, n) &&
               strings_are_sound(e->initrd_name, e->n_initrd, n) &&
               strings_are_sound(e->initrd_args, e->n_initrd, n);
}

static bool info_is_sound(const struct media_index *index,
                          const struct format_header *header) {
        struct format_info info = info_of(index, header);
        const uint32_t texts[] = { info.name,    info.path,    info.system,
                                   info.version, info.edition, info.arch };

        /* The last byte ends whatever string begins anywhere before it. */
        if (index->data[header->info_at + header->n_info - 1] != '\0' ||
            info.kind > MEDIUM_DISK ||
            (info.kind == MEDIUM_TREE) != (header->is_tree != 0) ||
            info.n_recognised_by > MEDIUM_TEXTS_MAX ||
            info.n_problems > MEDIUM_TEXTS_MAX || info.n_entries > MEDIUM_ENTRIES_MAX ||
            !strings_are_sound(texts, ARRAY_SIZE(texts), header->n_info) ||
            !strings_are_sound(info.recognised_by, info.n_recognised_by,
                               header->n_info) ||
            !strings_are_sound(info.problems, info.n_problems, header->n_info))
                return false;
        for (uint32_t i = 0; i < MEDIUM_N_FIRMWARE; i++)
                if (info.loaders[i].shim >= header->n_info ||
                    info.loaders[i].grub >= header->n_info ||
                    info.loaders[i].why_not >= header->n_info ||
                    info.loaders[i].proxy_why_not >= header->n_info)
                        return false;
        for (uint32_t i = 0; i < info.n_entries; i++)
                if (!entry_is_sound(&info.entries[i], header->n_info))
                        return false;
        return true;
}

int media_index_open(const void *data, size_t n, struct media_index *ret) {
        struct media_index index = { .data = data, .n = n };
        struct format_header header;

        if (n < sizeof(header))
                return -EBADMSG;
        header = header_of(&index);
        if (!header_is_sound(&header, n) || !nodes_are_sound(&index, &header) ||
            !info_is_sound(&index, &header))
                return -EBADMSG;
        *ret = index;
        return 0;
}

bool media_index_is_tree(const struct media_index *index) {
        return header_of(index).is_tree != 0;
}

enum medium_kind media_index_kind(const struct media_index *index) {
        struct format_header header = header_of(index);

        return (enum medium_kind)info_of(index, &header).kind;
}

uint32_t media_index_count(const struct media_index *index) {
        return header_of(index).n_nodes;
}

static struct media_node public_node(const struct media_index *index,
                                     const struct format_header *header,
                                     struct format_node node) {
        struct media_node public = {
                .is_link = node.kind == FORMAT_LINK || node.kind == FORMAT_DEAD_LINK,
                .name = name_at(index, header, node.name),
                .link = "",
        };

        if (public.is_link)
        public.link = name_at(index, header, node.count);
        if (node.kind == FORMAT_LINK)
                node = node_at(index, header, node.first);
        public.kind = node.kind == FORMAT_FILE     ? MEDIA_NODE_FILE
                      : node.kind == FORMAT_FOLDER ? MEDIA_NODE_FOLDER
                                                   : MEDIA_NODE_DEAD_LINK;
        public.size = node.kind == FORMAT_FILE ? node.size : 0;
        public.mtime = node.mtime;
        public.mode = node.mode;
        public.first = node.first;
        public.n_extents = node.kind == FORMAT_FILE ? node.count : 0;
        public.n_children = node.kind == FORMAT_FOLDER ? node.count : 0;
        return public;
}

/* strcmp() of a segment that is not terminated with a name that is. */
static int compare_segment(const char *segment, size_t n, const char *name) {
        int order = strncmp(segment, name, n);

        return order ? order : name[n] ? -1 : 0;
}

static bool find_child(const struct media_index *index,
                       const struct format_header *header,
                       const struct format_node *folder, const char *segment, size_t n,
                       uint32_t *ret) {
        uint32_t low = folder->first, high = folder->first + folder->count;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                struct format_node node = node_at(index, header, middle);
                int order =
                        compare_segment(segment, n, name_at(index, header, node.name));

                if (order == 0) {
                        *ret = middle;
                        return true;
                }
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return false;
}

bool media_index_find(const struct media_index *index, const char *path, size_t n,
                      uint32_t *ret) {
        struct format_header header = header_of(index);
        uint32_t number = 0;

        if (header.n_nodes == 0)
                return false;
        for (size_t at = 0; at < n;) {
                const char *slash = memchr(path + at, '/', n - at);
                size_t n_segment = slash ? (size_t)(slash - path) - at : n - at;
                struct format_node node = node_at(index, &header, number);

                if (node.kind == FORMAT_LINK)
                        node = node_at(index, &header, node.first);
                if (node.kind != FORMAT_FOLDER || n_segment == 0 ||
                    memchr(path + at, '\0', n_segment) ||
                    !find_child(index, &header, &node, path + at, n_segment, &number))
                        return false;
                at += n_segment + (slash ? 1 : 0);
        }
        *ret = number;
        return true;
}

uint64_t media_index_hash(const struct media_index *index) {
        struct format_header header = header_of(index);
        uint64_t hash = header.n_nodes, word;
        size_t n = header.info_at;

        /* Multiply and fold: it only has to tell images apart, not to resist. */
        for (size_t at = sizeof(header); at + sizeof(word) <= n; at += sizeof(word)) {
                memcpy(&word, index->data + at, sizeof(word));
                hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
                hash ^= hash >> 29;
        }
        for (size_t at = n - n % sizeof(word); at < n; at++)
                hash = (hash ^ index->data[at]) * 0x9e3779b97f4a7c15ULL;
        return hash ^ hash >> 32;
}

bool media_index_lookup(const struct media_index *index, const char *path, size_t n,
                        struct media_node *ret) {
        struct format_header header = header_of(index);
        struct format_node node;
        uint32_t number;

        if (!media_index_find(index, path, n, &number))
                return false;
        node = node_at(index, &header, number);
        if (node.kind == FORMAT_DEAD_LINK)
                return false;
        *ret = public_node(index, &header, node);
        return true;
}

bool media_index_node(const struct media_index *index, uint32_t i,
                      struct media_node *ret) {
        struct format_header header = header_of(index);

        if (i >= header.n_nodes)
                return false;
        *ret = public_node(index, &header, node_at(index, &header, i));
        return true;
}

struct media_node media_index_child(const struct media_index *index,
                                    const struct media_node *folder, uint32_t i) {
        struct format_header header = header_of(index);

        assert(i < folder->n_children);
        return public_node(index, &header, node_at(index, &header, folder->first + i));
}

struct media_extent media_index_extent(const struct media_index *index,
                                       const struct media_node *file, uint32_t i) {
        struct format_header header = header_of(index);
        struct format_extent extent;

        assert(i < file->n_extents);
        extent = extent_at(index, &header, file->first + i);
        return (struct media_extent){ extent.offset, extent.length };
}

static void copy_strings(const char *base, const uint32_t *at, uint32_t count,
                         const char **ret) {
        for (uint32_t i = 0; i < count; i++)
                ret[i] = base + at[i];
}

static struct medium_entry public_entry(const char *base,
                                        const struct format_entry *e) {
        struct medium_entry entry = {
                .id = base + e->id,
                .title = base + e->title,
                .help = base + e->help,
                .boot = (enum medium_boot)e->boot,
                .kernel = base + e->kernel,
                .n_initrd = e->n_initrd,
                .firmware = e->firmware,
                .transports = e->transports,
                .args = base + e->args,
                .memory = e->memory,
                .n_ways = e->n_ways,
                .answer_kind = base + e->answer_kind,
                .answer_args = base + e->answer_args,
                .why_not = base + e->why_not,
                .remedy = base + e->remedy,
                .secure_why_not = base + e->secure_why_not,
        };

        copy_strings(base, e->initrd, e->n_initrd, entry.initrd);
        copy_strings(base, e->initrd_name, e->n_initrd, entry.initrd_name);
        copy_strings(base, e->initrd_args, e->n_initrd, entry.initrd_args);
        for (uint32_t i = 0; i < e->n_ways; i++)
                entry.ways[i] = (struct medium_way){ e->ways[i].transport,
                                                     base + e->ways[i].args,
                                                     e->ways[i].memory };
        return entry;
}

void media_index_medium(const struct media_index *index, struct medium *ret) {
        struct format_header header = header_of(index);
        struct format_info info = info_of(index, &header);
        const char *base = (const char *)index->data + header.info_at;

        *ret = (struct medium){
                .kind = (enum medium_kind)info.kind,
                .name = base + info.name,
                .path = base + info.path,
                .system = base + info.system,
                .version = base + info.version,
                .edition = base + info.edition,
                .arch = base + info.arch,
                .size = info.size,
                .mtime = info.mtime,
                .n_recognised_by = info.n_recognised_by,
                .n_problems = info.n_problems,
                .n_entries = info.n_entries,
        };
        copy_strings(base, info.recognised_by, info.n_recognised_by,
                     ret->recognised_by);
        copy_strings(base, info.problems, info.n_problems, ret->problems);
        for (uint32_t i = 0; i < MEDIUM_N_FIRMWARE; i++)
                ret->loaders[i] =
                        (struct medium_loader){ base + info.loaders[i].shim,
                                                base + info.loaders[i].grub,
                                                base + info.loaders[i].why_not,
                                                base + info.loaders[i].proxy_why_not };
        for (uint32_t i = 0; i < info.n_entries; i++)
                ret->entries[i] = public_entry(base, &info.entries[i]);
}
