/*
 * The tables of loaders. A loader is served from the tree's top under the name that it
 * or its second stage asks for; syslinux.efi has modules of the same names as those of
 * the BIOS, so it lives in a folder of its own, and the tree shows the rest below that
 * folder once more (vtree).
 *
 * Places: Debian 12's packages first, then newer Debian's, then Fedora's. Where two
 * rows have one name, what is signed comes first.
 */
#include "policy/loader.h"

static const struct {
        const char *word;
        enum policy_kind kind;
} kind_table[] = {
        { "auto", POLICY_KIND_AUTO },
        { "pxelinux", POLICY_KIND_PXELINUX },
        { "lpxelinux", POLICY_KIND_LPXELINUX },
        { "grub", POLICY_KIND_GRUB },
        { "shim", POLICY_KIND_SHIM },
        { "ipxe", POLICY_KIND_IPXE },
        { "snponly", POLICY_KIND_SNPONLY },
        { "undionly", POLICY_KIND_SNPONLY }, /* what it is called on a BIOS */
        { "syslinux", POLICY_KIND_SYSLINUX },
        { "uki", POLICY_KIND_UKI },
        { "iso", POLICY_KIND_ISO },
};

const char *const policy_kind_words[] = {
        "auto",    "pxelinux", "lpxelinux", "grub", "shim", "ipxe",
        "snponly", "undionly", "syslinux",  "uki",  "iso",  NULL,
};

const char *policy_kind_word(enum policy_kind kind) {
        for (size_t i = 0; i < ARRAY_SIZE(kind_table); i++)
                if (kind_table[i].kind == kind)
                        return kind_table[i].word;
        return NULL;
}

bool policy_kind_parse(const char *word, enum policy_kind *ret) {
        for (size_t i = 0; i < ARRAY_SIZE(kind_table); i++)
                if (strcmp(kind_table[i].word, word) == 0) {
                        *ret = kind_table[i].kind;
                        return true;
                }
        return false;
}

#define GRUB(firmware, file, package)                                                  \
        { POLICY_KIND_GRUB, firmware, POLICY_DIALECT_GRUB, file, package, "GRUB" }
#define SHIM(firmware, file, package)                                                  \
        {                                                                              \
                POLICY_KIND_SHIM, firmware, POLICY_DIALECT_GRUB, file, package,        \
                        "shim and a signed GRUB"                                       \
        }
#define IPXE(firmware, file, package)                                                  \
        { POLICY_KIND_IPXE, firmware, POLICY_DIALECT_IPXE, file, package, "iPXE" }
#define SNPONLY(firmware, file, package)                                               \
        {                                                                              \
                POLICY_KIND_SNPONLY, firmware, POLICY_DIALECT_IPXE, file, package,     \
                        "iPXE upon the firmware's driver"                              \
        }
/* What is served for the stub is core_made.c's. */
#define UKI(firmware, file)                                                            \
        {                                                                              \
                POLICY_KIND_UKI, firmware, POLICY_NO_DIALECT, file,                    \
                        "systemd-boot-efi", "kernel and initrd in one program"         \
        }
#define HELPER(firmware, file, package, what)                                          \
        { POLICY_KIND_HELPER, firmware, POLICY_NO_DIALECT, file, package, what }

static const struct policy_loader_info loaders[POLICY_N_LOADERS] = {
        [POLICY_LOADER_NONE] = { .file = "", .package = "", .what = "" },
        [POLICY_PXELINUX] = { POLICY_KIND_PXELINUX, POLICY_BIOS,
                              POLICY_DIALECT_PXELINUX, "pxelinux.0", "pxelinux",
                              "pxelinux" },
        [POLICY_LPXELINUX] = { POLICY_KIND_LPXELINUX, POLICY_BIOS,
                               POLICY_DIALECT_PXELINUX, "lpxelinux.0", "pxelinux",
                               "lpxelinux, pxelinux with HTTP" },
        /* No package has it made: grub-mknetdir makes it. */
        [POLICY_GRUB_BIOS] = GRUB(POLICY_BIOS, "core.0",
                                  "grub-pc-bin, and let grub-mknetdir make it"),
        [POLICY_UNDIONLY] = SNPONLY(POLICY_BIOS, "undionly.kpxe", "ipxe"),
        [POLICY_IPXE_BIOS] = IPXE(POLICY_BIOS, "ipxe.pxe", "ipxe"),

        [POLICY_GRUB_X64] =
                GRUB(POLICY_UEFI_X64, "grubx64.efi", "grub-efi-amd64-signed"),
        [POLICY_SHIM_X64] = SHIM(POLICY_UEFI_X64, "shimx64.efi", "shim-signed"),
        [POLICY_SNPONLY] = SNPONLY(POLICY_UEFI_X64, "snponly.efi", "ipxe"),
        [POLICY_IPXE_EFI] = IPXE(POLICY_UEFI_X64, "ipxe.efi", "ipxe"),
        [POLICY_SYSLINUX_X64] = { POLICY_KIND_SYSLINUX, POLICY_UEFI_X64,
                                  POLICY_DIALECT_PXELINUX, "efi64/syslinux.efi",
                                  "syslinux-efi", "syslinux" },

        [POLICY_UKI_X64] = UKI(POLICY_UEFI_X64, "linuxx64.efi.stub"),
        [POLICY_UKI_IA32] = UKI(POLICY_UEFI_IA32, "linuxia32.efi.stub"),
        [POLICY_UKI_ARM64] = UKI(POLICY_UEFI_ARM64, "linuxaa64.efi.stub"),

        [POLICY_GRUB_IA32] =
                GRUB(POLICY_UEFI_IA32, "grubia32.efi", "grub-efi-ia32-bin"),
        [POLICY_SHIM_IA32] = SHIM(POLICY_UEFI_IA32, "shimia32.efi", "shim-signed:i386"),
        [POLICY_SNPONLY_IA32] = SNPONLY(POLICY_UEFI_IA32, "snponly-i386.efi", ""),
        [POLICY_IPXE_IA32] = IPXE(POLICY_UEFI_IA32, "ipxe-i386.efi", ""),
        [POLICY_SYSLINUX_IA32] = { POLICY_KIND_SYSLINUX, POLICY_UEFI_IA32,
                                   POLICY_DIALECT_PXELINUX, "efi32/syslinux.efi",
                                   "syslinux-efi", "syslinux" },

        [POLICY_GRUB_ARM64] = GRUB(POLICY_UEFI_ARM64, "grubaa64.efi",
                                   "debian-installer-12-netboot-arm64"),
        [POLICY_SHIM_ARM64] = SHIM(POLICY_UEFI_ARM64, "shimaa64.efi",
                                   "debian-installer-12-netboot-arm64"),
        [POLICY_SNPONLY_ARM64] = SNPONLY(POLICY_UEFI_ARM64, "snponly-arm64.efi", ""),
        [POLICY_IPXE_ARM64] =
                IPXE(POLICY_UEFI_ARM64, "ipxe-arm64.efi", "ipxe of Debian 13"),

        [POLICY_GRUB_ARM32] = GRUB(POLICY_UEFI_ARM32, "grubarm.efi",
                                   "grub-efi-arm-bin, and let grub-mknetdir make it"),
        [POLICY_IPXE_ARM32] = IPXE(POLICY_UEFI_ARM32, "ipxe-arm32.efi", ""),
        [POLICY_GRUB_RISCV64] =
                GRUB(POLICY_UEFI_RISCV64, "grubriscv64.efi",
                     "grub-efi-riscv64-bin, and let grub-mknetdir make it"),
        [POLICY_IPXE_RISCV64] =
                IPXE(POLICY_UEFI_RISCV64, "ipxe-riscv64.efi", "ipxe of Debian 13"),
        [POLICY_GRUB_LOONG64] =
                GRUB(POLICY_UEFI_LOONG64, "grubloongarch64.efi",
                     "grub-efi-loong64-bin, and let grub-mknetdir make it"),
        [POLICY_IPXE_LOONG64] =
                IPXE(POLICY_UEFI_LOONG64, "ipxe-loong64.efi", "ipxe of Debian 13"),

        [POLICY_MEMDISK] = HELPER(POLICY_BIOS, "memdisk", "syslinux-common",
                                  "starts disk images from memory"),
        [POLICY_MBOOT] = HELPER(POLICY_BIOS, "mboot.c32", "syslinux-common",
                                "starts multiboot kernels (ESXi, Xen)"),
        /* Debian 12 has no package of it. */
        [POLICY_WIMBOOT] = HELPER(POLICY_FIRMWARE_UNKNOWN, "wimboot", "",
                                  "starts Windows from boot.wim"),
        [POLICY_IPXE_KERNEL] = HELPER(POLICY_BIOS, "ipxe.lkrn", "ipxe",
                                      "iPXE in the form of a kernel"),
        [POLICY_SYSTEMD_BOOT_X64] =
                HELPER(POLICY_UEFI_X64, "systemd-bootx64.efi", "systemd-boot-efi",
                       "systemd-boot: for disks, it reads nothing by network"),
        [POLICY_SYSTEMD_BOOT_IA32] =
                HELPER(POLICY_UEFI_IA32, "systemd-bootia32.efi", "systemd-boot-efi",
                       "systemd-boot: for disks, it reads nothing by network"),
        [POLICY_SYSTEMD_BOOT_ARM64] =
                HELPER(POLICY_UEFI_ARM64, "systemd-bootaa64.efi", "systemd-boot-efi",
                       "systemd-boot: for disks, it reads nothing by network"),
};

const struct policy_loader_info *policy_loader_info(enum policy_loader loader) {
        return &loaders[(unsigned)loader < POLICY_N_LOADERS ? loader : 0];
}

const char *policy_loader_file(enum policy_loader loader) {
        return policy_loader_info(loader)->file;
}

const char *policy_loader_package(enum policy_loader loader) {
        return policy_loader_info(loader)->package;
}

enum policy_loader policy_loader_of(enum policy_kind kind,
                                    enum policy_firmware firmware) {
        for (unsigned i = POLICY_LOADER_NONE + 1; i < POLICY_N_LOADERS; i++)
                if (loaders[i].kind == kind && loaders[i].firmware == firmware)
                        return (enum policy_loader)i;
        return POLICY_LOADER_NONE;
}

enum policy_loader policy_loader_by_file(const char *file) {
        for (unsigned i = POLICY_LOADER_NONE + 1; i < POLICY_N_LOADERS; i++)
                if (strcmp(loaders[i].file, file) == 0)
                        return (enum policy_loader)i;
        return POLICY_LOADER_NONE;
}

/* ---- where packages put them ---- */

#define FILE_OF(name, path, package, loader)                                           \
        { name, path, package, loader, false }
#define SIGNED(name, path, package, loader)                                            \
        { name, path, package, loader, true }
#define MODULE(folder, debian, fedora, package, name)                                  \
        { folder name, debian name, package, POLICY_LOADER_NONE, false }, {            \
                folder name, fedora name, "syslinux", POLICY_LOADER_NONE, false        \
        }
/* One name for BIOS, UEFI x64 and UEFI ia32: three files that know nothing of each
 * other. */
#define SYSLINUX(name)                                                                 \
        MODULE("", "/usr/lib/syslinux/modules/bios/", "/usr/share/syslinux/",          \
               "syslinux-common", name),                                               \
                MODULE("efi64/", "/usr/lib/syslinux/modules/efi64/",                   \
                       "/usr/share/syslinux/efi64/", "syslinux-common", name),         \
                MODULE("efi32/", "/usr/lib/syslinux/modules/efi32/",                   \
                       "/usr/share/syslinux/efi32/", "syslinux-common", name)
/* The installer's images are for every architecture in every Debian: the only way to
 * arm64's GRUB and shim on a server that is none. */
#define INSTALLER_ARM64(version)                                                       \
        "/usr/lib/debian-installer/images/" version                                    \
        "/arm64/text/debian-installer/arm64/"

const struct policy_file policy_files[] = {
        FILE_OF("pxelinux.0", "/usr/lib/PXELINUX/pxelinux.0", "pxelinux",
                POLICY_PXELINUX),
        FILE_OF("pxelinux.0", "/usr/share/syslinux/pxelinux.0", "syslinux",
                POLICY_PXELINUX),
        FILE_OF("lpxelinux.0", "/usr/lib/PXELINUX/lpxelinux.0", "pxelinux",
                POLICY_LPXELINUX),
        FILE_OF("lpxelinux.0", "/usr/share/syslinux/lpxelinux.0", "syslinux",
                POLICY_LPXELINUX),
        MODULE("", "/usr/lib/syslinux/modules/bios/", "/usr/share/syslinux/",
               "syslinux-common", "ldlinux.c32"),
        MODULE("efi64/", "/usr/lib/syslinux/modules/efi64/",
               "/usr/share/syslinux/efi64/", "syslinux-common", "ldlinux.e64"),
        MODULE("efi32/", "/usr/lib/syslinux/modules/efi32/",
               "/usr/share/syslinux/efi32/", "syslinux-common", "ldlinux.e32"),
        FILE_OF("efi64/syslinux.efi", "/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi",
                "syslinux-efi", POLICY_SYSLINUX_X64),
        FILE_OF("efi64/syslinux.efi", "/usr/share/syslinux/efi64/syslinux.efi",
                "syslinux-efi64", POLICY_SYSLINUX_X64),
        FILE_OF("efi32/syslinux.efi", "/usr/lib/SYSLINUX.EFI/efi32/syslinux.efi",
                "syslinux-efi", POLICY_SYSLINUX_IA32),
        SYSLINUX("libutil.c32"),
        SYSLINUX("libcom32.c32"),
        SYSLINUX("libgpl.c32"),
        SYSLINUX("libmenu.c32"),
        SYSLINUX("liblua.c32"),
        SYSLINUX("menu.c32"),
        SYSLINUX("vesamenu.c32"),
        SYSLINUX("chain.c32"),
        SYSLINUX("linux.c32"),
        SYSLINUX("reboot.c32"),
        SYSLINUX("poweroff.c32"),
        SYSLINUX("hdt.c32"),
        SYSLINUX("ifcpu64.c32"),
        SYSLINUX("cmd.c32"),
        SYSLINUX("config.c32"),
        SYSLINUX("ls.c32"),
        FILE_OF("mboot.c32", "/usr/lib/syslinux/modules/bios/mboot.c32",
                "syslinux-common", POLICY_MBOOT),
        FILE_OF("mboot.c32", "/usr/share/syslinux/mboot.c32", "syslinux", POLICY_MBOOT),
        FILE_OF("pxechn.c32", "/usr/lib/syslinux/modules/bios/pxechn.c32",
                "syslinux-common", POLICY_LOADER_NONE),
        FILE_OF("memdisk", "/usr/lib/syslinux/memdisk", "syslinux-common",
                POLICY_MEMDISK),
        FILE_OF("memdisk", "/usr/share/syslinux/memdisk", "syslinux", POLICY_MEMDISK),

        SIGNED("grubx64.efi", "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
               "grub-efi-amd64-signed", POLICY_GRUB_X64),
        SIGNED("grubx64.efi", "/boot/efi/EFI/fedora/grubx64.efi", "grub2-efi-x64",
               POLICY_GRUB_X64),
        FILE_OF("grubx64.efi", "/usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi",
                "grub-efi-amd64-bin", POLICY_GRUB_X64),
        SIGNED("shimx64.efi", "/usr/lib/shim/shimx64.efi.signed", "shim-signed",
               POLICY_SHIM_X64),
        SIGNED("shimx64.efi", "/boot/efi/EFI/fedora/shimx64.efi", "shim-x64",
               POLICY_SHIM_X64),
        SIGNED("mmx64.efi", "/usr/lib/shim/mmx64.efi.signed",
               "shim-helpers-amd64-signed", POLICY_LOADER_NONE),
        SIGNED("mmx64.efi", "/boot/efi/EFI/fedora/mmx64.efi", "shim-x64",
               POLICY_LOADER_NONE),

        SIGNED("grubia32.efi", "/usr/lib/grub/i386-efi-signed/grubnetia32.efi.signed",
               "grub-efi-ia32-signed", POLICY_GRUB_IA32),
        FILE_OF("grubia32.efi", "/usr/lib/grub/i386-efi/monolithic/grubnetia32.efi",
                "grub-efi-ia32-bin", POLICY_GRUB_IA32),
        SIGNED("shimia32.efi", "/usr/lib/shim/shimia32.efi.signed", "shim-signed:i386",
               POLICY_SHIM_IA32),

        SIGNED("grubaa64.efi", "/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed",
               "grub-efi-arm64-signed", POLICY_GRUB_ARM64),
        SIGNED("grubaa64.efi", INSTALLER_ARM64("12") "grubaa64.efi",
               "debian-installer-12-netboot-arm64", POLICY_GRUB_ARM64),
        SIGNED("grubaa64.efi", INSTALLER_ARM64("13") "grubaa64.efi",
               "debian-installer-13-netboot-arm64", POLICY_GRUB_ARM64),
        FILE_OF("grubaa64.efi", "/usr/lib/grub/arm64-efi/monolithic/grubnetaa64.efi",
                "grub-efi-arm64-bin", POLICY_GRUB_ARM64),
        SIGNED("shimaa64.efi", "/usr/lib/shim/shimaa64.efi.signed", "shim-signed:arm64",
               POLICY_SHIM_ARM64),
        SIGNED("shimaa64.efi", INSTALLER_ARM64("12") "bootnetaa64.efi",
               "debian-installer-12-netboot-arm64", POLICY_SHIM_ARM64),
        SIGNED("shimaa64.efi", INSTALLER_ARM64("13") "bootnetaa64.efi",
               "debian-installer-13-netboot-arm64", POLICY_SHIM_ARM64),

        FILE_OF("snponly.efi", "/usr/lib/ipxe/snponly.efi", "ipxe", POLICY_SNPONLY),
        FILE_OF("snponly.efi", "/usr/share/ipxe/ipxe-snponly-x86_64.efi",
                "ipxe-bootimgs-x86", POLICY_SNPONLY),
        FILE_OF("ipxe.efi", "/usr/lib/ipxe/ipxe.efi", "ipxe", POLICY_IPXE_EFI),
        FILE_OF("ipxe.efi", "/boot/ipxe.efi", "ipxe", POLICY_IPXE_EFI),
        FILE_OF("ipxe.efi", "/usr/lib/ipxe/ipxe-amd64.efi", "ipxe", POLICY_IPXE_EFI),
        FILE_OF("ipxe.efi", "/usr/share/ipxe/ipxe-x86_64.efi", "ipxe-bootimgs-x86",
                POLICY_IPXE_EFI),
        FILE_OF("ipxe-i386.efi", "/usr/share/ipxe/ipxe-i386.efi", "ipxe-bootimgs-x86",
                POLICY_IPXE_IA32),
        FILE_OF("snponly-arm64.efi", "/usr/share/ipxe/arm64-efi/snponly.efi",
                "ipxe-bootimgs-aarch64", POLICY_SNPONLY_ARM64),
        FILE_OF("ipxe-arm64.efi", "/usr/lib/ipxe/ipxe-arm64.efi", "ipxe",
                POLICY_IPXE_ARM64),
        FILE_OF("ipxe-arm64.efi", "/usr/share/ipxe/arm64-efi/ipxe.efi",
                "ipxe-bootimgs-aarch64", POLICY_IPXE_ARM64),
        FILE_OF("ipxe-riscv64.efi", "/usr/lib/ipxe/ipxe-riscv64.efi", "ipxe",
                POLICY_IPXE_RISCV64),
        FILE_OF("ipxe-loong64.efi", "/usr/lib/ipxe/ipxe-loong64.efi", "ipxe",
                POLICY_IPXE_LOONG64),
        FILE_OF("undionly.kpxe", "/usr/lib/ipxe/undionly.kpxe", "ipxe",
                POLICY_UNDIONLY),
        FILE_OF("undionly.kpxe", "/usr/share/ipxe/undionly.kpxe", "ipxe-bootimgs-x86",
                POLICY_UNDIONLY),
        FILE_OF("ipxe.pxe", "/usr/lib/ipxe/ipxe.pxe", "ipxe", POLICY_IPXE_BIOS),
        FILE_OF("ipxe.lkrn", "/usr/lib/ipxe/ipxe.lkrn", "ipxe", POLICY_IPXE_KERNEL),
        FILE_OF("ipxe.lkrn", "/usr/share/ipxe/ipxe.lkrn", "ipxe-bootimgs-x86",
                POLICY_IPXE_KERNEL),

        FILE_OF("memtest86+x64.bin", "/boot/memtest86+x64.bin", "memtest86+",
                POLICY_LOADER_NONE),
        FILE_OF("memtest86+x64.efi", "/boot/memtest86+x64.efi", "memtest86+",
                POLICY_LOADER_NONE),

        FILE_OF("linuxx64.efi.stub", "/usr/lib/systemd/boot/efi/linuxx64.efi.stub",
                "systemd-boot-efi", POLICY_UKI_X64),
        FILE_OF("linuxia32.efi.stub", "/usr/lib/systemd/boot/efi/linuxia32.efi.stub",
                "systemd-boot-efi", POLICY_UKI_IA32),
        FILE_OF("linuxaa64.efi.stub", "/usr/lib/systemd/boot/efi/linuxaa64.efi.stub",
                "systemd-boot-efi", POLICY_UKI_ARM64),
        FILE_OF("systemd-bootx64.efi", "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
                "systemd-boot-efi", POLICY_SYSTEMD_BOOT_X64),
        FILE_OF("systemd-bootia32.efi",
                "/usr/lib/systemd/boot/efi/systemd-bootia32.efi", "systemd-boot-efi",
                POLICY_SYSTEMD_BOOT_IA32),
        FILE_OF("systemd-bootaa64.efi",
                "/usr/lib/systemd/boot/efi/systemd-bootaa64.efi", "systemd-boot-efi",
                POLICY_SYSTEMD_BOOT_ARM64),
};
const size_t policy_n_files = ARRAY_SIZE(policy_files);

const char *const policy_places[] = {
        "/usr/lib/PXELINUX",
        "/usr/lib/SYSLINUX.EFI",
        "/usr/lib/syslinux",
        "/usr/lib/grub",
        "/usr/lib/shim",
        "/usr/lib/ipxe",
        "/usr/lib/systemd/boot/efi",
        "/usr/lib/debian-installer/images",
        "/usr/share/syslinux",
        "/usr/share/ipxe",
        "/boot/ipxe.efi",
        "/boot/ipxe.lkrn",
        "/boot/memtest86+x64.bin",
        "/boot/memtest86+x64.efi",
        "/boot/efi/EFI/fedora",
        NULL,
};

/* ---- what loaders do without ---- */

static const struct {
        const char *begins, *ends, *who;
} optional_files[] = {
        /* rhboot/shim, shim.c and load-options: lists of what is revoked, and more
         * certificates, looked for beside it since 15.8. */
        { "revocations", ".efi", "shim" },
        { "shim_certificate", ".efi", "shim" },
        /* Its network boot documentation: "not found" is what usually happens. */
        { "bootsig", ".bin", "a Raspberry Pi" },
        { "autoboot", ".txt", "a Raspberry Pi" },
        { "dt-blob", ".bin", "a Raspberry Pi" },
        /* Lists of modules that could be loaded, of an image that has them in it. */
        { "command", ".lst", "GRUB" },
        { "crypto", ".lst", "GRUB" },
        { "fs", ".lst", "GRUB" },
        { "terminal", ".lst", "GRUB" },
};

const char *policy_file_optional(const char *path) {
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        size_t n = strlen(name);

        for (size_t i = 0; i < ARRAY_SIZE(optional_files); i++) {
                size_t n_begin = strlen(optional_files[i].begins);
                size_t n_end = strlen(optional_files[i].ends);

                if (n >= n_begin + n_end &&
                    strncmp(name, optional_files[i].begins, n_begin) == 0 &&
                    strcmp(name + n - n_end, optional_files[i].ends) == 0)
                        return optional_files[i].who;
        }
        return NULL;
}
