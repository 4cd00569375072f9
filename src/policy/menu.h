#pragma once
/*
 * The menu as a model, before any loader's language: title, entries, timeout, default,
 * serial console. Built for one client by the core; every renderer reads the same.
 *
 * A plain value; texts are borrowed from whoever fills it. Pure.
 */
#include "base/text.h"

enum menu_kind {
        MENU_LOCAL,   /* on with the local disk */
        MENU_LINUX,   /* kernel, initrd, arguments */
        MENU_PROGRAM, /* a kernel-like file with nothing beside it: memtest86+ */
};

/* The firmware an entry can start on; the bits of media/medium.h. */
enum {
        MENU_BIOS = 1 << 0,
        MENU_UEFI_X64 = 1 << 1,
        MENU_UEFI_IA32 = 1 << 2,
        MENU_UEFI_ARM64 = 1 << 3,
        MENU_ANY = 0xff,
};

enum { MENU_INITRDS_MAX = 8, MENU_ENTRIES_MAX = 256 };

struct menu_entry {
        enum menu_kind kind;
        const char *id, *title;
        const char *kernel; /* from the tree's top, without a leading slash */
        const char *initrd[MENU_INITRDS_MAX];
        size_t n_initrd;
        const char *args; /* complete: placeholders and console are in */
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
        ip4_t server;
        uint16_t http_port; /* 0: none */
        struct menu_entry entries[MENU_ENTRIES_MAX];
        size_t n_entries;
};

/* "ttyS0,115200" or "ttyS1"; false when it is neither. */
MUST_USE bool menu_serial_parse(const char *s, unsigned *ret_unit,
                                unsigned long *ret_speed);

/* Arguments for one client: ${tree}, ${iso}, ${server} and ${name} filled in and,
 * with a serial console, console=ttyS0,115200n8 put before `---` if there is one (what
 * follows that belongs to the system that Debian's installer leaves behind). Unknown
 * placeholders stay as they are. */
void menu_args(const char *args, const char *medium, const struct menu *menu,
               struct text *out);

/* The entry by id, "local" or "first"; n_entries when there is none. */
size_t menu_find(const struct menu *menu, const char *id);
