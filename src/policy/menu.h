#pragma once
/*
 * The menu as a model, before any loader's language: title, entries in groups, timeout,
 * default, serial console, password. Built for one client by the core; every renderer
 * reads the same.
 *
 * A plain value; texts are borrowed from whoever fills it, and a text that is NULL says
 * as much as an empty one. Pure.
 */
#include "base/text.h"

enum menu_kind {
        MENU_LOCAL,     /* on with the local disk */
        MENU_LINUX,     /* kernel, initrds, arguments */
        MENU_PROGRAM,   /* a kernel-like file with nothing beside it: memtest86+ */
        MENU_MULTIBOOT, /* a multiboot kernel and its modules */
        MENU_EFI,       /* an EFI program */
        MENU_NBP,       /* a network boot program of BIOS */
        MENU_WIM,       /* wimboot, and its files by their names */
        MENU_ESXI,      /* VMware's loader, told its boot.cfg by the arguments */
        MENU_MEMDISK,   /* memdisk, and the image that it shows as a disk */
        MENU_IMAGE,     /* the image as it is */
        MENU_IPXE,      /* iPXE, started from another loader: at its shell if it can */
        MENU_GRUB,      /* GRUB, started from another loader */
        MENU_SHELL,     /* the command line of the loader that shows the menu */
        MENU_SETTINGS,  /* of the firmware */
        MENU_REBOOT,
        MENU_POWEROFF,
        MENU_N_KINDS,
};

/* The firmware an entry can start on; the bits of media/medium.h. */
enum {
        MENU_BIOS = 1 << 0,
        MENU_UEFI_X64 = 1 << 1,
        MENU_UEFI_IA32 = 1 << 2,
        MENU_UEFI_ARM64 = 1 << 3,
        MENU_ANY = 0xff,
};

enum { MENU_FILES_MAX = 8, MENU_ENTRIES_MAX = 256, MENU_GROUPS_MAX = 32 };

/* An initrd, a module, a file for wimboot. */
struct menu_file {
        const char *path; /* from the tree's top, without a leading slash */
        const char *name; /* what the system calls it; "": it does not ask */
        const char *args; /* of a module */
};

struct menu_entry {
        enum menu_kind kind;
        unsigned group; /* 0: the menu itself; else groups[group - 1], a sub-menu */
        bool is_tool;   /* of the menu's own: never what "first" means */
        bool is_locked; /* asks for the password */
        const char *id, *title, *help;
        const char *medium; /* its name in /media/NAME */
        const char *kernel; /* from the tree's top, without a leading slash */
        const char *args;   /* complete: placeholders and console are in */
        const struct menu_file *files;
        size_t n_files;
        const char *device_trees; /* their folder, for U-Boot */
};

struct menu {
        const char *title;
        nsec_t timeout; /* 0: wait for ever */
        size_t initial; /* index of the default entry */
        struct {
                bool is_on;
                unsigned unit;       /* 0 is ttyS0 */
                unsigned long speed; /* bits a second */
        } serial;
        ip4_t server;       /* 0: not known; see menu_server() */
        uint16_t http_port; /* 0: none */
        bool by_http;       /* large files by HTTP rather than TFTP */
        bool is_fragment;   /* entries only, to be included in somebody's own file */
        struct {
                bool is_on; /* the command line and arguments are not for everybody */
                const char
                        *pxelinux; /* as MENU MASTER PASSWD takes it; "": none fits */
                const char *grub;  /* grub.pbkdf2...; "": none fits */
        } password;
        const char *groups[MENU_GROUPS_MAX]; /* their titles */
        size_t n_groups;
        struct menu_entry entries[MENU_ENTRIES_MAX]; /* those of a group in a row */
        size_t n_entries;
};

/* "ttyS0,115200" or "ttyS1"; false when it is neither. */
MUST_USE bool menu_serial_parse(const char *s, unsigned *ret_unit,
                                unsigned long *ret_speed);

/* The server's address as every menu writes it: SERVER where it is not known, in a menu
 * that nobody boots from. */
void menu_server(const struct menu *menu, struct text *out);
/* ${tree}, ${iso}, ${server} and ${name} filled in; unknown ones stay as they are. */
void menu_fill(const char *s, const char *medium, const struct menu *menu,
               struct text *out);
/* Arguments for one client, filled in: an entry's own, those of the way in which its
 * system gets the rest, and `with_console`, where there is a serial one,
 * console=ttyS0,115200n8; the latter two before `---` if there is one (what follows
 * that belongs to the system that Debian's installer leaves behind). */
void menu_args(const char *args, const char *way, const char *medium,
               const struct menu *menu, bool with_console, struct text *out);

/* Which of several ways, each with the memory it needs (0: any), a machine with so much
 * memory (0: unknown) takes: the first that fits; n when none does. */
size_t menu_way(const uint64_t *needs, size_t n, uint64_t memory);

/* The entry by id, "local" or "first", or the first of the medium of this name;
 * n_entries when there is none. */
size_t menu_find(const struct menu *menu, const char *id);

/* Puts the default entry out of its sub-menu, behind the local disk, and what is in
 * groups in a row, a group where its first entry was. */
void menu_arrange(struct menu *menu);

/* NULL as "". */
static inline const char *menu_text(const char *s) {
        return s ? s : "";
}
