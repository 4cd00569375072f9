/* bootjack media inspect --files: every file of an image, where it lies in it. */
#include "cli/media.h"
#include "media/index.h"

struct listing {
        const struct media_index *index;
        bool json;
        struct text *out;
        char path[4096];
};

static void add_extents(struct listing *l, const struct media_node *node) {
        text_json_key(l->out, "extents");
        text_char(l->out, '[');
        for (uint32_t i = 0; i < node->n_extents; i++) {
                struct media_extent e = media_index_extent(l->index, node, i);

                text_add(l->out, i ? ",[" : "[");
                text_u64(l->out, e.offset);
                text_char(l->out, ',');
                text_u64(l->out, e.length);
                text_char(l->out, ']');
        }
        text_char(l->out, ']');
}

static const char *kind_of(const struct media_node *node) {
        return node->is_link                     ? "link"
               : node->kind == MEDIA_NODE_FOLDER ? "folder"
                                                 : "file";
}

static void add_json(struct listing *l, const struct media_node *node) {
        text_json_next(l->out);
        text_char(l->out, '{');
        text_json_pair(l->out, "path", l->path);
        text_json_pair(l->out, "kind", kind_of(node));
        text_json_pair_u64(l->out, "mode", node->mode);
        text_json_pair_u64(l->out, "mtime", node->mtime / NSEC_PER_SEC);
        if (node->is_link) {
                text_json_pair(l->out, "link", node->link);
                text_json_pair_bool(l->out, "leads_out",
                                    node->kind == MEDIA_NODE_DEAD_LINK);
        } else if (node->kind == MEDIA_NODE_FILE) {
                text_json_pair_u64(l->out, "size", node->size);
                add_extents(l, node);
        }
        text_char(l->out, '}');
}

static void add_line(struct listing *l, const struct media_node *node) {
        struct text size = { 0 };

        if (node->kind == MEDIA_NODE_FILE && !node->is_link)
                text_u64(&size, node->size);
        for (size_t n = size.n; n < 12; n++)
                text_char(l->out, ' ');
        text_add(l->out, text_string(&size));
        text_add(l->out, "  ");
        text_printable(l->out, l->path, strlen(l->path));
        if (node->is_link) {
                text_add(l->out, " -> ");
                text_printable(l->out, node->link, strlen(node->link));
        } else if (node->kind == MEDIA_NODE_FOLDER) {
                text_char(l->out, '/');
        }
        text_char(l->out, '\n');
        text_done(&size);
}

/* As deep as an index can be: MEDIA_BUILD_DEPTH_MAX. */
static void add_folder(struct listing *l, const struct media_node *folder, size_t n) {
        for (uint32_t i = 0; i < folder->n_children; i++) {
                struct media_node node = media_index_child(l->index, folder, i);
                size_t n_name = strlen(node.name);

                if (n + n_name + 2 > sizeof(l->path))
                        continue;
                memcpy(l->path + n, node.name, n_name + 1);
                (l->json ? add_json : add_line)(l, &node);
                if (node.kind != MEDIA_NODE_FOLDER || node.is_link)
                        continue;
                l->path[n + n_name] = '/';
                add_folder(l, &node, n + n_name + 1);
        }
}

void media_files_add(const struct media_index *index, bool json, struct text *out) {
        struct listing l = { .index = index, .json = json, .out = out };
        struct media_node top;

        if (json) {
                text_json_key(out, "files");
                text_char(out, '[');
        }
        if (media_index_lookup(index, "", 0, &top))
                add_folder(&l, &top, 0);
        if (json)
                text_char(out, ']');
}
