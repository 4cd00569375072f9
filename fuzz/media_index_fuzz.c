/* Any bytes as an index: refused, or every reading of it stays inside. */
#include "fuzz/fuzz.h"
#include "media/index.h"

static void read_node(const struct media_index *index, const struct media_node *node) {
        uint64_t size = 0;

        for (uint32_t i = 0; i < node->n_children; i++)
                assert(strlen(media_index_child(index, node, i).name) > 0);
        for (uint32_t i = 0; i < node->n_extents; i++)
                size += media_index_extent(index, node, i).length;
        assert(node->kind != MEDIA_NODE_FILE || size == node->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static const char path[] = "boot/linux";
        struct media_index index;
        struct media_node node;
        struct medium medium;
        struct text out = { 0 };

        if (media_index_open(data, n, &index) != 0)
                return 0;
        for (uint32_t i = 0; i < media_index_count(&index); i++)
                if (media_index_node(&index, i, &node))
                        read_node(&index, &node);
        if (media_index_lookup(&index, path, sizeof(path) - 1, &node))
                read_node(&index, &node);
        media_index_medium(&index, &medium);
        medium_json(&medium, &out);
        medium_describe(&medium, &out);
        text_done(&out);
        return 0;
}
