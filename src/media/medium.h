#pragma once
/*
 * What is known about one medium (an ISO image or an extracted tree): which system
 * it carries, why we think so, and what can be booted from it. A plain value; every
 * string is borrowed from whoever filled it (an index, or an arena of the reader)
 * and lives as long as that does. Pure.
 *
 * Paths are relative to the medium's top. Arguments may hold the placeholders
 * ${tree}, ${iso} and ${server}, which only a menu can fill in, because only it
 * knows at which address the client sees us.
 */
#include "base/text.h"

enum medium_kind {
        MEDIUM_ISO,     /* ISO 9660 or UDF */
        MEDIUM_TREE,    /* a folder */
        MEDIUM_ARCHIVE, /* a tar, read in place */
        MEDIUM_DISK,    /* the image of a disk or a floppy: one file, offered whole */
};

/* What an entry's files are and how a loader starts them. */
enum medium_boot {
        MEDIUM_LINUX,     /* a kernel, its initrds and arguments */
        MEDIUM_PROGRAM,   /* a file with a kernel's header and nothing beside it */
        MEDIUM_MULTIBOOT, /* a multiboot kernel; the initrds are its modules */
        MEDIUM_EFI,       /* an EFI program, started as such */
        MEDIUM_NBP,       /* a network boot program of BIOS, started as such */
        MEDIUM_WIM,       /* wimboot; the initrds are its files, by their names */
        MEDIUM_ESXI,      /* VMware's own loader with a boot.cfg made for it */
        MEDIUM_MEMDISK,   /* an image that memdisk shows as a disk (BIOS) */
        MEDIUM_IMAGE,     /* the image as it is: sanboot, or HTTP Boot's RAM disk */
        MEDIUM_N_BOOTS,
};

/* The firmware that an entry can be started from: a mask. */
enum medium_firmware {
        MEDIUM_BIOS = 1 << 0,
        MEDIUM_UEFI_X64 = 1 << 1,
        MEDIUM_UEFI_IA32 = 1 << 2,
        MEDIUM_UEFI_ARM64 = 1 << 3,
        MEDIUM_N_FIRMWARE = 4,
};

/* How the system that was started gets the rest of the medium: a mask. */
enum medium_transport {
        MEDIUM_TFTP = 1 << 0, /* kernel and initrd are all it needs */
        MEDIUM_HTTP = 1 << 1, /* the files of the medium, by URL */
        MEDIUM_FTP = 1 << 2,
        MEDIUM_NFS = 1 << 3,      /* the files of the medium, mounted */
        MEDIUM_HTTP_ISO = 1 << 4, /* the image, copied into memory */
        MEDIUM_NFS_ISO = 1 << 5,  /* the image, in a mounted folder */
        MEDIUM_N_TRANSPORTS = 6,
};

enum {
        MEDIUM_NAME_MAX = 64, /* with its NUL: the NAME of /media/NAME */
        MEDIUM_TEXTS_MAX = 16,
        MEDIUM_ENTRIES_MAX = 16,
        MEDIUM_INITRDS_MAX = 8,
        MEDIUM_WAYS_MAX = 4,
};

/* One of several ways in which the started system can get the rest; the menu takes the
 * first whose memory the machine has. */
struct medium_way {
        uint32_t transport; /* one bit of medium_transport */
        const char *args;   /* follow the entry's own, before its `---` */
        uint64_t memory;    /* bytes; 0 is not known */
};

#define MEDIUM_OWN_SHIM                                                                \
        "it starts by the medium's own shim only: assign it to the machine "           \
        "(machines: boot)"

struct medium_entry {
        const char *id; /* such as debian-12; unique among all media once published */
        const char *title;
        const char *help; /* a line about it for the menu; "" */
        enum medium_boot boot;
        /* A path that begins with '/' is one of the served tree, for what is made on
         * the way (/made/${name}/...) or is a loader (/wimboot). */
        const char *kernel;
        const char *initrd[MEDIUM_INITRDS_MAX];
        /* By which name the system asks for it, and a module's arguments; "" mostly. */
        const char *initrd_name[MEDIUM_INITRDS_MAX];
        const char *initrd_args[MEDIUM_INITRDS_MAX];
        uint32_t n_initrd;
        uint32_t firmware; /* mask of medium_firmware */
        uint32_t
                transports; /* mask of medium_transport: of its ways, when it has any */
        const char *args;
        uint64_t memory; /* bytes the machine should have; 0 is not known */
        uint32_t n_ways;
        struct medium_way ways[MEDIUM_WAYS_MAX];
        /* How it takes an unattended answer file: of which kind ("preseed",
         * "kickstart", "autoyast"...; "" when it takes none) and by which arguments,
         * which may hold
         * ${answer}, the file's URL. */
        const char *answer_kind, *answer_args;
        const char *why_not; /* "" when it boots; else why it is only listed */
        const char *remedy;  /* the one command or file that mends it; "" */
        /* Under Secure Boot: "" when it passes with Debian's shim, by what was read of
         * its signatures; MEDIUM_OWN_SHIM when it does with the medium's own alone. */
        const char *secure_why_not;
};

/* Loaders that the medium brings along for one firmware: paths, "" when there is none.
 */
struct medium_loader {
        const char *shim, *grub;
        /* Of a shim: why this chain does not boot by network, or not beside another
         * DHCP server; "" when it does. */
        const char *why_not, *proxy_why_not;
};

struct medium {
        enum medium_kind kind;
        const char *name;   /* URL-safe and unique: /media/NAME, /iso/NAME.iso */
        const char *path;   /* where it was found on this host */
        const char *system; /* such as debian; "unknown" when no recipe fits */
        const char *version;
        const char *edition;
        const char *arch;
        uint64_t size; /* of the image in bytes; 0 for a tree */
        nsec_t mtime;  /* of the image or the tree's top, since 1970 */
        uint32_t n_recognised_by, n_problems, n_entries;
        const char *recognised_by[MEDIUM_TEXTS_MAX];
        const char *problems[MEDIUM_TEXTS_MAX];
        struct medium_entry entries[MEDIUM_ENTRIES_MAX];
        struct medium_loader loaders[MEDIUM_N_FIRMWARE]; /* by the bit's number */
};

/* "bios", "uefi-x64"...; NULL past the last. `i` is the bit's number. */
const char *medium_firmware_name(unsigned i);
const char *medium_transport_name(unsigned i);
/* "linux", "program"...; NULL past the last. */
const char *medium_boot_name(unsigned boot);
/* False when it is none's name. */
MUST_USE bool medium_boot_parse(const char *name, enum medium_boot *ret);
/* The mask bit of a name, or 0. */
uint32_t medium_firmware_parse(const char *name);
uint32_t medium_transport_parse(const char *name);

/* The arguments of an entry that takes the way `way`: its own, the way's, and then what
 * follows `---`, which belongs to the system that is installed. Where there are no ways
 * its own alone. */
void medium_entry_args(const struct medium_entry *e, uint32_t way, struct text *out);

/* One JSON object with the fields of `bootjack media list|inspect --json`. */
void medium_json(const struct medium *m, struct text *out);
/* "debian 12 netinst (amd64)", or "unknown system". */
void medium_describe(const struct medium *m, struct text *out);

/* "iso", "tree"... */
const char *medium_kind_name(enum medium_kind kind);
/* What /iso/NAME ends with: ".iso", ".img"; NULL: such a medium is not offered whole.
 */
const char *medium_image_suffix(enum medium_kind kind);
/* How long that end of a file's name is which says that a medium is in it: ".iso",
 * ".img",
 * ".tar", ".tar.gz"...; 0: none is. */
size_t medium_suffix_length(const char *name, size_t n);
/* Whether a name is of an archive, and of a compressed one. */
bool medium_is_archive_name(const char *name, bool *ret_is_compressed);

/* A file's name made into the NAME of a URL: the last segment without its suffix, in
 * lower case, anything but a-z 0-9 . _ - turned into one '-'; never empty, never
 * starting with a dot, at most MEDIUM_NAME_MAX - 1 bytes. */
void medium_name_from_path(const char *path, char ret[static MEDIUM_NAME_MAX]);
