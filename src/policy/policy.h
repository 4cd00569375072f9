#pragma once
/*
 * "What does this machine boot, and how?": one pure function from facts to a decision
 * with its reasons. DHCP, proxyDHCP, the menu and `bootjack explain` all ask here, so
 * an explanation cannot differ from what was done.
 */
#include "base/text.h"

/* Processor and firmware family; a row of the table of option 93 leads here. */
enum policy_firmware {
        POLICY_FIRMWARE_UNKNOWN,
        POLICY_BIOS,
        POLICY_UEFI_X64,
        POLICY_UEFI_IA32,
        POLICY_UEFI_ARM64,
        POLICY_UEFI_ARM32,
        POLICY_UEFI_OTHER,
        POLICY_UBOOT,
        POLICY_UEFI_RISCV64,
        POLICY_UEFI_LOONG64,
        POLICY_PI, /* a Raspberry Pi's own boot loader */
        POLICY_POWER,
        POLICY_S390,
        POLICY_N_FIRMWARE,
};

enum { POLICY_ARCH_PI = 41 };

/* RFC 4578 2.1 and its registry. */
struct policy_arch {
        uint16_t number;
        enum policy_firmware firmware;
        bool is_http;     /* fetches its first file by HTTP (UEFI HTTP Boot) */
        const char *name; /* "BIOS", "UEFI x64", "UEFI arm64 HTTP" */
};
/* Never NULL: an unlisted number has firmware UNKNOWN and the name "unknown". */
const struct policy_arch *policy_arch(uint16_t number);
/* What a client's facts say it is, some of which say the wrong number. */
struct policy_facts;
const struct policy_arch *policy_facts_arch(const struct policy_facts *facts);
const char *policy_firmware_name(enum policy_firmware firmware); /* "uefi-x64" */
/* The number of a name such as bios, x64, uefi-x64, arm64, x64-http. */
MUST_USE bool policy_arch_parse(const char *name, uint16_t *ret);
extern const char *const policy_arch_words[]; /* those names; NULL ends them */

/* Features from iPXE's option 175 that matter to a choice. */
enum {
        POLICY_IPXE_HTTP = 1 << 0,
        POLICY_IPXE_HTTPS = 1 << 1,
        POLICY_IPXE_BZIMAGE = 1 << 2,
        POLICY_IPXE_IS_EFI = 1 << 3,
        POLICY_IPXE_MENU = 1 << 4,
};

/* What the configuration knows of a machine; "unknown" can start what is unsigned. */
enum policy_secure { POLICY_SECURE_UNKNOWN, POLICY_SECURE_ON, POLICY_SECURE_OFF };

/* What is known about one client at one moment. Texts are terminated, raw from the
 * wire: print them through text_printable(). */
struct policy_facts {
        struct mac mac;
        bool has_uuid, has_arch;
        struct uuid uuid;       /* option 97 */
        uint16_t arch;          /* option 93 */
        bool is_pxe;            /* option 60 begins with PXEClient */
        bool is_http;           /* option 60 begins with HTTPClient */
        bool is_ipxe;           /* option 77 or 175 says iPXE */
        uint32_t ipxe_features; /* 0 with is_ipxe: it did not say */
        bool is_bootp;          /* no option 53 at all */
        bool is_uboot;          /* option 60 begins with U-Boot */
        bool is_pi;             /* a Raspberry Pi's ROM or EEPROM */
        bool is_apple;          /* option 60 begins with AAPLBSDPC: NetBoot of a Mac */
        bool is_proxy;          /* somebody else gives the address */
        ip4_t server;           /* ours, on the wire the client is on */
        /* What the configuration of its subnet says; 0 and "" when it says nothing. */
        ip4_t next_server;
        const char *filename; /* borrowed; NULL as "" */
        uint8_t loader;       /* enum policy_kind: what it is pinned to */
        enum policy_secure secure_boot;
        char vendor_class[64], user_class[64];
};

/* The loaders we know by name; policy/loader.h knows the rest of them. */
enum policy_loader {
        POLICY_LOADER_NONE,
        POLICY_PXELINUX,
        POLICY_LPXELINUX,
        POLICY_GRUB_BIOS,
        POLICY_UNDIONLY,
        POLICY_IPXE_BIOS,
        POLICY_GRUB_X64,
        POLICY_SHIM_X64,
        POLICY_SNPONLY,  /* iPXE upon the firmware's own driver; x64 */
        POLICY_IPXE_EFI, /* iPXE with its own drivers; x64 */
        POLICY_SYSLINUX_X64,
        POLICY_UKI_X64, /* systemd's stub, for what is assigned to a machine */
        POLICY_UKI_IA32,
        POLICY_UKI_ARM64,
        POLICY_GRUB_IA32,
        POLICY_SHIM_IA32,
        POLICY_SNPONLY_IA32,
        POLICY_IPXE_IA32,
        POLICY_SYSLINUX_IA32,
        POLICY_GRUB_ARM64,
        POLICY_SHIM_ARM64,
        POLICY_SNPONLY_ARM64,
        POLICY_IPXE_ARM64,
        POLICY_GRUB_ARM32,
        POLICY_IPXE_ARM32,
        POLICY_GRUB_RISCV64,
        POLICY_IPXE_RISCV64,
        POLICY_GRUB_LOONG64,
        POLICY_IPXE_LOONG64,
        POLICY_MEMDISK,
        POLICY_MBOOT,
        POLICY_WIMBOOT,
        POLICY_IPXE_KERNEL,
        POLICY_SYSTEMD_BOOT_X64,
        POLICY_SYSTEMD_BOOT_IA32,
        POLICY_SYSTEMD_BOOT_ARM64,
        POLICY_N_LOADERS,
};
const char *policy_loader_file(enum policy_loader loader);    /* "pxelinux.0" */
const char *policy_loader_package(enum policy_loader loader); /* of Debian; "" */

/* A machine by name: what the configuration says of it and of nobody else. */
struct policy_machine {
        struct mac mac; /* zero: known by its UUID */
        bool has_uuid;
        struct uuid uuid;
        uint8_t loader; /* enum policy_kind; AUTO: nothing said */
        enum policy_secure secure_boot;
        const char *boot; /* "": nothing assigned */
        bool waits;       /* for a person who chooses; else it boots that by itself */
        const char *iso;  /* the served path of the assigned medium's image; "": none */
        const char *chain;       /* of its own signed chain, a folder; "": none */
        uint32_t chain_firmware; /* for which: mask 1 << enum policy_firmware */
        uint32_t chain_by_proxy; /* for which of them beside another DHCP server, too */
        uint32_t uki_firmware;   /* what is assigned can be one program for these */
};

struct policy_rules {
        uint64_t loaders;    /* mask of POLICY_BIT(): there to be served */
        uint16_t http_port;  /* 0: no HTTP */
        uint16_t https_port; /* 0: no HTTPS; used by URLs when there is no HTTP */
        enum policy_secure secure_boot; /* of who is not told otherwise */
        const struct policy_machine
                *machines; /* in the order of their MACs; borrowed */
        size_t n_machines;
};

/* Where what is assigned to a machine is served as one program, as MAC.efi. */
#define POLICY_UKI_FOLDER "bootjack/uki/"

#define POLICY_BIT(loader) ((uint64_t)1 << (loader))

enum policy_dialect {
        POLICY_NO_DIALECT,
        POLICY_DIALECT_PXELINUX,
        POLICY_DIALECT_GRUB,
        POLICY_DIALECT_IPXE,
        POLICY_DIALECT_EXTLINUX, /* U-Boot */
};
const char *policy_dialect_name(enum policy_dialect dialect);

enum policy_verdict {
        POLICY_BOOT,
        POLICY_NOT_A_BOOT,  /* an ordinary DHCP client: an address and no file */
        POLICY_CANNOT_BOOT, /* asks to boot and we have nothing for it: see why */
};

enum { POLICY_FILE_MAX = 128, POLICY_WHY_MAX = 240, POLICY_TRACE_MAX = 24 };

struct policy_trace {
        const char *rule; /* static text: what was looked at */
        char outcome[POLICY_WHY_MAX];
};

struct policy_decision {
        enum policy_verdict verdict;
        enum policy_firmware firmware;
        enum policy_loader loader;   /* NONE for a configured filename or a script */
        enum policy_dialect dialect; /* in which the menu will be asked for */
        char file[POLICY_FILE_MAX];  /* option 67 and `file`; a URL for HTTP and iPXE */
        ip4_t next_server;           /* siaddr */
        bool is_http;                /* answer with option 60 HTTPClient */
        enum policy_secure secure_boot; /* what is wished for this machine */
        char why[POLICY_WHY_MAX];       /* a clause: "BIOS firmware gets pxelinux" */
        size_t n_trace;
        struct policy_trace trace[POLICY_TRACE_MAX];
};

/* Whether who says this asks to be booted: firmware or a loader, no ordinary client. */
bool policy_is_booting(const struct policy_facts *facts);
void policy_decide(const struct policy_rules *rules, const struct policy_facts *facts,
                   struct policy_decision *ret);

/* {"facts":{...},"decision":{...},"trace":[{"rule","outcome"}...]} without the braces,
 * so that a caller may add members. */
void policy_json(const struct policy_facts *facts, const struct policy_decision *d,
                 struct text *out);
