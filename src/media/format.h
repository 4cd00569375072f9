#pragma once
/*
 * How an index lies in memory; private to the two files that write and read it.
 * Machine byte order: an index never leaves the machine it was built on. A reader
 * copies records out, so nothing needs to be aligned.
 *
 *     header | nodes | extents | strings | info
 *
 * Nodes stand level by level: the children of every folder are one range, sorted,
 * and the ranges follow each other in the order of their folders. So do extents in
 * the order of their files. A reader can therefore demand the one place where each
 * range must begin, and with that cycles and sharing cannot be expressed at all.
 */
#include "base/base.h"

#define FORMAT_MAGIC "bjmedia\3"

enum format_kind { FORMAT_FILE, FORMAT_FOLDER, FORMAT_DEAD_LINK, FORMAT_LINK };

enum { FORMAT_NAME_MAX = 255, FORMAT_LINK_MAX = 1023 };

struct format_header {
        char magic[8];
        uint64_t n; /* all of it */
        uint64_t image_size;
        uint32_t is_tree, n_nodes, n_extents, unused;
        uint64_t nodes_at, extents_at, strings_at, n_strings, info_at, n_info;
};

struct format_node {
        uint32_t name; /* in the strings */
        uint16_t kind;
        uint16_t mode;  /* permission bits; 0: the image does not say */
        uint32_t first; /* child, extent, or the node a link leads to */
        uint32_t count; /* of these; of a link: its text, in the strings */
        uint64_t size, mtime;
};

struct format_extent {
        uint64_t offset, length;
};

/* Strings of the info are offsets from its own beginning. */
struct format_way {
        uint32_t transport, args;
        uint64_t memory;
};

struct format_entry {
        uint32_t id, title, help, boot, kernel, args, why_not, remedy, secure_why_not;
        uint32_t answer_kind, answer_args;
        uint32_t initrd[8], initrd_name[8], initrd_args[8], n_initrd;
        uint32_t firmware, transports, n_ways;
        struct format_way ways[4];
        uint64_t memory;
};

struct format_loader {
        uint32_t shim, grub, why_not, proxy_why_not;
};

struct format_info {
        uint32_t name, path, system, version, edition, arch;
        uint32_t n_recognised_by, recognised_by[16];
        uint32_t n_problems, problems[16];
        uint32_t n_entries, kind;
        uint64_t size, mtime;
        struct format_loader loaders[4];
        struct format_entry entries[16];
};
