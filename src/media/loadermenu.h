#pragma once
/*
 * The menus that a medium brings along for its own loaders, in three languages:
 * ISOLINUX and its kin, GRUB 2, and the files of the Boot Loader Specification. Only
 * what names a kernel is taken out of them: title, kernel, initrds, arguments. Nothing
 * is run: conditions are read as if all held, loops once, functions not at all, and a
 * variable counts when it was set to a literal.
 *
 * Pure: the files that a menu includes come from a callback. Whatever the bytes are,
 * the numbers of files, of entries and of steps are bounded, and texts are cut.
 */
#include "media/medium.h"

enum {
        LOADERMENU_FILES_MAX = 24, /* that are read, with all includes */
        LOADERMENU_DEPTH_MAX = 6,  /* of them inside each other */
        LOADERMENU_WORD_MAX = 1024,
        LOADERMENU_ARGS_MAX = 2048,
};

struct loadermenu_entry {
        char *title, *kernel, *args;
        char *initrd[MEDIUM_INITRDS_MAX];
        char *initrd_args[MEDIUM_INITRDS_MAX]; /* of multiboot's modules */
        uint32_t n_initrd;
        enum medium_boot boot; /* LINUX, MULTIBOOT, EFI or MEMDISK */
};

/* The text of a file, for free(), or NULL when there is none. `path` is as the menu has
 * it, made absolute: it begins with '/', and may hold "..". */
typedef char *(*loadermenu_read_fn)(const char *path, size_t *ret_n, void *userdata);

struct loadermenu {
        loadermenu_read_fn read;
        void *userdata;
        struct loadermenu_entry entries[MEDIUM_ENTRIES_MAX];
        size_t n_entries;
        unsigned n_files;
        bool failed; /* without memory; what is there stays good */
};

/* Each adds the entries of one menu. `path` is the file's own. Relative paths of
 * ISOLINUX are read from the first file's folder. */
void loadermenu_syslinux(struct loadermenu *menu, const char *path);
void loadermenu_grub(struct loadermenu *menu, const char *path);
/* One file, one entry. */
void loadermenu_bls(struct loadermenu *menu, const char *path);
void loadermenu_done(struct loadermenu *menu);

/* ---- between its files ---- */

/* The next entry, empty; NULL when there is no room. */
struct loadermenu_entry *loadermenu_add(struct loadermenu *menu);
/* Drops one that has no kernel. */
void loadermenu_settle(struct loadermenu *menu, struct loadermenu_entry *entry);
/* A word appended to a text of an entry, after a blank. */
void loadermenu_append(struct loadermenu *menu, char **text, const char *s, size_t n);
void loadermenu_set(struct loadermenu *menu, char **text, const char *s, size_t n);
void loadermenu_add_initrd(struct loadermenu *menu, struct loadermenu_entry *entry,
                           const char *s, size_t n);
/* What read() gives, while there are files left to read. */
char *loadermenu_file(struct loadermenu *menu, const char *path, size_t *ret_n);
