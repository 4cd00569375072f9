/*
 * Facts → decision and trace, in full. A case is a line of the table below; what is
 * decided for it stands in policy/NAME.txt, a file for a group of cases:
 *
 *     policy_golden FOLDER NAME     prints what NAME.txt should be
 */
#include <stdio.h>
#include <stdlib.h>

#include "policy/loader.h"
#include "test/check.h"

static const char *folder;

enum { PXE = 1, HTTP = 2, IPXE = 4, PROXY = 8, UBOOT = 16, PI = 32, APPLE = 64 };

#define ALL            (POLICY_BIT(POLICY_N_LOADERS) - 1)
#define WITHOUT(which) (ALL & ~POLICY_BIT(which))
/* Debian 12 with what tools/deps installs, and with all that it could. */
#define DEBIAN                                                                         \
        (POLICY_BIT(POLICY_PXELINUX) | POLICY_BIT(POLICY_LPXELINUX) |                  \
         POLICY_BIT(POLICY_UNDIONLY) | POLICY_BIT(POLICY_IPXE_BIOS) |                  \
         POLICY_BIT(POLICY_GRUB_X64) | POLICY_BIT(POLICY_SNPONLY) |                    \
         POLICY_BIT(POLICY_IPXE_EFI))
#define DEBIAN_WHOLE                                                                   \
        (DEBIAN | POLICY_BIT(POLICY_SHIM_X64) | POLICY_BIT(POLICY_SYSLINUX_X64) |      \
         POLICY_BIT(POLICY_SYSLINUX_IA32) | POLICY_BIT(POLICY_GRUB_IA32) |             \
         POLICY_BIT(POLICY_GRUB_ARM64) | POLICY_BIT(POLICY_SHIM_ARM64))

static const struct row {
        const char *group, *what;
        uint64_t loaders;
        int arch; /* -1: it does not say */
        unsigned is;
        enum policy_kind pin;
        enum policy_secure secure;
        const char *filename, *iso, *chain;
        bool by_proxy, no_http;
        uint16_t https;
} rows[] = {
        { "bios", "a PC", DEBIAN, 0, PXE },
        { "bios", "a PC that names no architecture", DEBIAN, -1, PXE },
        { "bios", "a PC with an iPXE ROM", DEBIAN, 0, PXE | IPXE },
        { "bios", "a PC beside another server", DEBIAN, 0, PXE | PROXY },
        { "bios", "a PC without pxelinux", WITHOUT(POLICY_PXELINUX), 0, PXE },
        { "bios", "a PC with iPXE and nothing else", POLICY_BIT(POLICY_UNDIONLY), 0,
          PXE },
        { "bios", "iPXE on a PC with nothing else", POLICY_BIT(POLICY_UNDIONLY), 0,
          PXE | IPXE },
        { "bios", "a PC and no loader", 0, 0, PXE },
        { "bios", "a PC by HTTP", ALL, 20, HTTP },
        { "bios", "an old number: Intel Lean Client", DEBIAN, 5, PXE },
        { "bios", "Secure Boot wished for a BIOS", ALL, 0, PXE,
          .secure = POLICY_SECURE_ON },

        { "uefi", "x64", DEBIAN, 7, PXE },
        { "uefi", "x64 as byte code", DEBIAN, 9, PXE },
        { "uefi", "x64 with an iPXE ROM", DEBIAN, 7, PXE | IPXE },
        { "uefi", "x64 without GRUB", WITHOUT(POLICY_GRUB_X64), 7, PXE },
        { "uefi", "x64, no loader", 0, 7, PXE },
        { "uefi", "ia32", DEBIAN_WHOLE, 6, PXE },
        { "uefi", "ia32 with the least", DEBIAN, 6, PXE },
        { "uefi", "arm64", DEBIAN_WHOLE, 11, PXE },
        { "uefi", "arm64 with the least", DEBIAN, 11, PXE },
        { "uefi", "arm32", ALL, 10, PXE },
        { "uefi", "arm32 as XScale", ALL, 8, PXE },
        { "uefi", "riscv64", ALL, 27, PXE },
        { "uefi", "riscv64 with the least", DEBIAN, 27, PXE },
        { "uefi", "loong64", ALL, 39, PXE },

        { "proxy", "x64", DEBIAN, 7, PXE | PROXY },
        { "proxy", "x64 with an iPXE ROM", DEBIAN, 7, PXE | IPXE | PROXY },
        { "proxy", "x64 without HTTP", DEBIAN_WHOLE, 7, PXE | PROXY, .no_http = true },
        { "proxy", "x64 without HTTP and syslinux", DEBIAN, 7, PXE | PROXY,
          .no_http = true },
        { "proxy", "ia32", DEBIAN_WHOLE, 6, PXE | PROXY },
        { "proxy", "ia32 with the least", DEBIAN, 6, PXE | PROXY },
        { "proxy", "arm64 with GRUB only", DEBIAN_WHOLE, 11, PXE | PROXY },
        { "proxy", "arm64 with iPXE", ALL, 11, PXE | PROXY },
        { "proxy", "an ordinary client", DEBIAN, -1, PROXY },

        { "http", "x64", DEBIAN, 16, HTTP },
        { "http", "x64 as byte code", DEBIAN, 17, HTTP },
        { "http", "x64 beside another server", DEBIAN, 16, HTTP | PROXY },
        { "http", "x64, HTTP is off", DEBIAN, 16, HTTP, .no_http = true },
        { "http", "ia32", ALL, 15, HTTP },
        { "http", "ia32 of Debian", DEBIAN_WHOLE, 15, HTTP },
        { "http", "arm64", ALL, 19, HTTP },
        { "http", "arm64 of Debian", DEBIAN_WHOLE, 19, HTTP },
        { "http", "riscv64", ALL, 28, HTTP },
        { "http", "the image as a disk", DEBIAN, 16, HTTP, POLICY_KIND_ISO,
          .iso = "iso/debian.iso" },
        { "http", "the image by HTTPS, HTTP is off", DEBIAN, 16, HTTP, POLICY_KIND_ISO,
          .iso = "iso/debian.iso", .no_http = true, .https = 443 },
        { "http", "a file of the configuration by HTTPS, on another port", DEBIAN_WHOLE,
          16, HTTP, .no_http = true, .https = 8443, .filename = "my/loader.efi" },
        { "http", "the image, but none is assigned", DEBIAN, 16, HTTP,
          POLICY_KIND_ISO },
        { "http", "the image for a machine that boots by TFTP", DEBIAN, 7, PXE,
          POLICY_KIND_ISO, .iso = "iso/debian.iso" },

        { "secure", "x64", DEBIAN_WHOLE, 7, PXE, .secure = POLICY_SECURE_ON },
        { "secure", "x64 with an iPXE ROM", DEBIAN_WHOLE, 7, PXE | IPXE,
          .secure = POLICY_SECURE_ON },
        { "secure", "x64 without shim", DEBIAN, 7, PXE, .secure = POLICY_SECURE_ON },
        { "secure", "x64, pinned to what is unsigned", DEBIAN_WHOLE, 7, PXE,
          POLICY_KIND_IPXE, POLICY_SECURE_ON },
        { "secure", "a file of the configuration that is unsigned", DEBIAN_WHOLE, 7,
          PXE, .secure = POLICY_SECURE_ON, .filename = "ipxe.efi" },
        { "secure", "a file of the configuration that may be signed", DEBIAN_WHOLE, 7,
          PXE, .secure = POLICY_SECURE_ON, .filename = "mine/shim.efi" },
        { "secure", "arm64", DEBIAN_WHOLE, 11, PXE, .secure = POLICY_SECURE_ON },
        { "secure", "arm64 by HTTP", DEBIAN_WHOLE, 19, HTTP,
          .secure = POLICY_SECURE_ON },
        { "secure", "x64 by HTTP", DEBIAN_WHOLE, 16, HTTP, .secure = POLICY_SECURE_ON },
        { "secure", "x64 beside another server", DEBIAN_WHOLE, 7, PXE | PROXY,
          .secure = POLICY_SECURE_ON },
        { "secure", "riscv64", ALL, 27, PXE, .secure = POLICY_SECURE_ON },
        { "secure", "x64, and the assigned medium has a chain", DEBIAN, 7, PXE,
          .secure = POLICY_SECURE_ON, .chain = "secure/fedora" },
        { "secure", "arm64, and the assigned medium has one for x64", DEBIAN, 11, PXE,
          .secure = POLICY_SECURE_ON, .chain = "secure/fedora" },
        { "secure", "beside another server, and its chain's GRUB knows of proxies",
          DEBIAN_WHOLE, 7, PXE | PROXY, .secure = POLICY_SECURE_ON,
          .chain = "secure/fedora", .by_proxy = true },
        { "secure", "beside another server, and its chain's GRUB does not",
          DEBIAN_WHOLE, 7, PXE | PROXY, .secure = POLICY_SECURE_ON,
          .chain = "secure/old" },
        { "secure", "beside another server by an iPXE ROM, with such a chain",
          DEBIAN_WHOLE, 7, PXE | PROXY | IPXE, .secure = POLICY_SECURE_ON,
          .chain = "secure/fedora", .by_proxy = true },
        { "secure", "said not to be", DEBIAN_WHOLE, 7, PXE,
          .secure = POLICY_SECURE_OFF },

        { "pinned", "a PC to iPXE", ALL, 0, PXE, POLICY_KIND_IPXE },
        { "pinned", "a PC to undionly", ALL, 0, PXE, POLICY_KIND_SNPONLY },
        { "pinned", "a PC to lpxelinux", ALL, 0, PXE, POLICY_KIND_LPXELINUX },
        { "pinned", "a PC to GRUB", ALL, 0, PXE, POLICY_KIND_GRUB },
        { "pinned", "a PC to GRUB, which is not there", DEBIAN, 0, PXE,
          POLICY_KIND_GRUB },
        { "pinned", "x64 to iPXE", ALL, 7, PXE, POLICY_KIND_IPXE },
        { "pinned", "x64 to iPXE, and it is iPXE by now", ALL, 7, PXE | IPXE,
          POLICY_KIND_IPXE },
        { "pinned", "x64 to syslinux", ALL, 7, PXE, POLICY_KIND_SYSLINUX },
        { "pinned", "x64 to shim", ALL, 7, PXE, POLICY_KIND_SHIM },
        { "pinned", "x64 to pxelinux, which is for BIOS", ALL, 7, PXE,
          POLICY_KIND_PXELINUX },
        { "pinned", "x64 to GRUB beside another server", ALL, 7, PXE | PROXY,
          POLICY_KIND_GRUB },
        { "pinned", "x64 to iPXE without HTTP", ALL, 7, PXE, POLICY_KIND_IPXE,
          .no_http = true },

        { "others", "U-Boot on arm64", DEBIAN, 22, UBOOT },
        { "others", "U-Boot that says nothing more", DEBIAN, -1, UBOOT },
        { "others", "U-Boot beside another server", DEBIAN, 22, UBOOT | PROXY },
        { "others", "U-Boot by HTTP", DEBIAN, 24, UBOOT },
        { "others", "a Raspberry Pi", DEBIAN, 0, PXE | PI },
        { "others", "a Raspberry Pi beside another server", DEBIAN, 0,
          PXE | PI | PROXY },
        { "others", "a Raspberry Pi by its number", DEBIAN, 41, PXE },
        { "others", "a Mac", ALL, -1, APPLE },
        { "others", "Itanium", ALL, 2, PXE },
        { "others", "POWER", ALL, 14, PXE },
        { "others", "s390", ALL, 31, PXE },
        { "others", "MIPS", ALL, 34, PXE },
        { "others", "Sunway", ALL, 36, PXE },
        { "others", "a number of nobody's", ALL, 4711, PXE },
        { "others", "an ordinary client", ALL, -1, 0 },
        { "others", "a configured file", ALL, 7, PXE, .filename = "my/loader.efi" },
        { "others", "a configured file by HTTP", ALL, 16, HTTP,
          .filename = "my/loader.efi" },
        { "others", "iPXE that is told to load iPXE", ALL, 7, PXE | IPXE,
          .filename = "ipxe.efi" },
};

static void decide(const struct row *row, struct policy_decision *ret) {
        const struct policy_machine machine = {
                .mac = { { 2, 0, 0, 0, 0, 1 } },
                .boot = "debian-12",
                .iso = row->iso,
                .chain = row->chain,
                .chain_firmware = 1u << POLICY_UEFI_X64,
                .chain_by_proxy = row->by_proxy ? 1u << POLICY_UEFI_X64 : 0
        };
        const struct policy_rules rules = { .loaders = row->loaders,
                                            .http_port = row->no_http ? 0 : 80,
                                            .https_port = row->https,
                                            .machines = &machine,
                                            .n_machines = row->iso || row->chain };
        const struct policy_facts facts = {
                .mac = machine.mac,
                .has_arch = row->arch >= 0,
                .arch = (uint16_t)row->arch,
                .is_pxe = row->is & PXE,
                .is_http = row->is & HTTP,
                .is_ipxe = row->is & IPXE,
                .ipxe_features = row->is & IPXE ? POLICY_IPXE_HTTP : 0,
                .is_proxy = row->is & PROXY,
                .is_uboot = row->is & UBOOT,
                .is_pi = row->is & PI,
                .is_apple = row->is & APPLE,
                .server = 0x0a000001,
                .filename = row->filename,
                .loader = (uint8_t)row->pin,
                .secure_boot = row->secure,
        };

        policy_decide(&rules, &facts, ret);
}

static void add_case(const struct row *row, struct text *out) {
        static const char *const verdicts[] = { "boots ", "does not ask", "cannot" };
        struct policy_decision d;

        decide(row, &d);
        text_add(out, "== ");
        text_add(out, row->what);
        text_char(out, '\n');
        for (size_t i = 0; i < d.n_trace; i++) {
                text_add(out, "   ");
                text_add(out, d.trace[i].rule);
                text_add(out, ": ");
                text_add(out, d.trace[i].outcome);
                text_char(out, '\n');
        }
        text_add(out, verdicts[d.verdict]);
        text_add(out, d.file);
        if (d.dialect != POLICY_NO_DIALECT) {
                text_add(out, ", menu for ");
                text_add(out, policy_dialect_name(d.dialect));
        }
        text_add(out, d.is_http ? ", by HTTP Boot" : "");
        text_add(out, ": ");
        text_add(out, d.why);
        text_char(out, '\n');
}

static void add_group(const char *group, struct text *out) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].group, group) == 0)
                        add_case(&rows[i], out);
}

static void is_as_written(const char *group) {
        char path[4096], *expected = calloc(1, 65536);
        struct text out = { 0 };
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s.txt", folder, group);
        file = fopen(path, "re");
        assert_non_null(expected);
        if (file) {
                fread(expected, 1, 65535, file);
                fclose(file);
        }
        add_group(group, &out);
        if (strcmp(text_string(&out), expected) != 0)
                fail_msg("%s is not what is decided now:\n%s", path, text_string(&out));
        text_done(&out);
        free(expected);
}

#define GROUP(name)                                                                    \
        static void name##_is_as_written(void **state) {                               \
                is_as_written(#name);                                                  \
        }
GROUP(bios)
GROUP(uefi)
GROUP(proxy)
GROUP(http)
GROUP(secure)
GROUP(pinned)
GROUP(others)

/* Whatever the firmware, nothing unsigned goes where a signed chain was asked for. */
static void nothing_unsigned_under_secure_boot(void **state) {
        for (int arch = -1; arch < 50; arch++)
                for (unsigned is = 0; is < 128; is++)
                        for (unsigned pin = 0; pin < POLICY_KIND_HELPER; pin++) {
                                const struct row row = {
                                        .loaders = ALL,
                                        .arch = arch,
                                        .is = is,
                                        .pin = (enum policy_kind)pin,
                                        .secure = POLICY_SECURE_ON,
                                };
                                struct policy_decision d;

                                decide(&row, &d);
                                if (d.loader != POLICY_LOADER_NONE &&
                                    policy_loader_info(d.loader)->kind !=
                                            POLICY_KIND_SHIM)
                                        fail_msg("arch %d, is %u, pin %u: %s", arch, is,
                                                 pin, d.file);
                        }
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bios_is_as_written),
                cmocka_unit_test(uefi_is_as_written),
                cmocka_unit_test(proxy_is_as_written),
                cmocka_unit_test(http_is_as_written),
                cmocka_unit_test(secure_is_as_written),
                cmocka_unit_test(pinned_is_as_written),
                cmocka_unit_test(others_is_as_written),
                cmocka_unit_test(nothing_unsigned_under_secure_boot),
        };
        struct text out = { 0 };

        folder = argv[1];
        if (argc < 3)
                return check_run("policy", tests);
        add_group(argv[2], &out);
        fputs(text_string(&out), stdout);
        text_done(&out);
        return 0;
}
