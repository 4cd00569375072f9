#pragma once
/*
 * A recipe says how to recognise a system and how to start it: one YAML file, data
 * alone. The language, by example:
 *
 *     system: debian                  # templates may hold ${variables}
 *     match:                          # all must hold, in this order
 *       - file: live/vmlinuz?         # wildcards, the first match in byte order; it
 *         as: kernel                  # becomes a variable
 *       - file: .disk/info            # a line of a text file, by POSIX extended
 *         text: '^Debian .* ([0-9]+)' # regular expression
 *         set: [major]                # variables: its groups
 *       - ini: .treeinfo              # the value of a key
 *         section: general
 *         key: family
 *         text: CentOS
 *       - volume: '^MT86'             # the image's volume name
 *       - kernel: '${kernel}'         # the version in a Linux kernel's header
 *         text: Memtest
 *       - var: major                  # a variable found before
 *         text: '^[2-6]$'
 *         let: {style: old}           # when it held: variables from templates
 *       - any: [ … ]                  # the first of these that holds
 *       - none: [ … ]                 # not one of these
 *     find:                           # the same, but each may fail; a variable that
 *       - …                           # is set stays as it is
 *     entries:
 *       - when: [ … ]                 # listed when all hold; sets for itself alone
 *         id: debian-${major}
 *         title: Debian ${major} installer (${arch})
 *         kernel: ${kernel}
 *         initrd: [ … ]
 *         args: "---"                 # ${tree}, ${iso} and ${server} are the menu's
 *         firmware: [bios, uefi-x64]  # by default what ${arch} starts on
 *         transports: [tftp]
 *         memory: 512M                # and of the size of `memory_of`, a file
 *         why_not: …                  # listed, but not in the menu
 *     own_menu: {id: …, title: …}     # then those of the medium's own menu, so called
 *
 * The variables `version`, `edition` and `arch` describe the medium; `volume` is given,
 * and `image_suffix`, with which /iso/${name} of it ends.
 */
#include "media/tree.h"

enum recipe_answer { RECIPE_OK, RECIPE_REFUSED };

struct recipe;

/* `name` is for messages. RECIPE_REFUSED appends a line to `problems`; -ENOMEM. */
MUST_USE int recipe_parse(const char *name, const char *text, size_t n,
                          struct recipe **ret, struct text *problems);
struct recipe *recipe_free(struct recipe *recipe);

/* What a recipe makes of a tree: system, version, edition, arch, the reasons and the
 * entries of `medium`; the rest of it is left alone. Its texts live until done(). */
struct recipe_found {
        struct medium medium;
        char **texts;
        size_t n_texts, texts_room;
};

/* 1: it is that system; 0: it is not; -ENOMEM. */
MUST_USE int recipe_match(const struct recipe *recipe, const struct media_tree *tree,
                          const char *volume, struct recipe_found *ret);
void recipe_found_done(struct recipe_found *found);
/* A copy that lives as long as `found`; NULL without memory. */
const char *recipe_found_keep(struct recipe_found *found, const char *s);
