/*
 * The registry of processor architecture types as a table: what a number of option 93
 * (DHCPv6: option 61) says of the firmware that sends it. The numbers are IANA's
 * ("Processor Architecture Types" of the DHCPv6 registry, which serves both protocols,
 * begun by RFC 4578 2.1 and RFC 5970 3.3); 0 and 7 to 11 are what machines send most.
 *
 * Firmware that sends a wrong number has a row of its own, or a line in
 * policy_facts_arch().
 */
#include "policy/policy.h"

#define HTTP true

static const struct policy_arch archs[] = {
        { 0, POLICY_BIOS, false, "BIOS" },
        { 1, POLICY_FIRMWARE_UNKNOWN, false, "NEC PC-98" },
        { 2, POLICY_UEFI_OTHER, false, "UEFI Itanium" },
        { 3, POLICY_FIRMWARE_UNKNOWN, false, "DEC Alpha" },
        /* 4 "Arc x86" and 5 "Intel Lean Client" are PCs with a BIOS, gone from the
         * registry's living; who still says so can run what a BIOS can. */
        { 4, POLICY_BIOS, false, "BIOS (as Arc x86)" },
        { 5, POLICY_BIOS, false, "BIOS (as Intel Lean Client)" },
        { 6, POLICY_UEFI_IA32, false, "UEFI ia32" },
        /* RFC 4578 2.1 had 7 for byte code and 9 for x64; its erratum 4624 and the
         * registry have it the other way round. Nobody sells byte-code-only firmware:
         * both are x64. */
        { 7, POLICY_UEFI_X64, false, "UEFI x64" },
        { 8, POLICY_UEFI_ARM32, false, "UEFI arm32 (as XScale)" },
        { 9, POLICY_UEFI_X64, false, "UEFI x64 (as EBC)" },
        { 10, POLICY_UEFI_ARM32, false, "UEFI arm32" },
        { 11, POLICY_UEFI_ARM64, false, "UEFI arm64" },
        { 12, POLICY_POWER, false, "PowerPC Open Firmware" },
        { 13, POLICY_POWER, false, "PowerPC ePAPR" },
        { 14, POLICY_POWER, false, "POWER OPAL" },
        { 15, POLICY_UEFI_IA32, HTTP, "UEFI ia32 HTTP" },
        { 16, POLICY_UEFI_X64, HTTP, "UEFI x64 HTTP" },
        { 17, POLICY_UEFI_X64, HTTP, "UEFI x64 HTTP (as EBC)" },
        { 18, POLICY_UEFI_ARM32, HTTP, "UEFI arm32 HTTP" },
        { 19, POLICY_UEFI_ARM64, HTTP, "UEFI arm64 HTTP" },
        { 20, POLICY_BIOS, HTTP, "BIOS HTTP" },
        { 21, POLICY_UBOOT, false, "U-Boot arm32" },
        { 22, POLICY_UBOOT, false, "U-Boot arm64" },
        { 23, POLICY_UBOOT, HTTP, "U-Boot arm32 HTTP" },
        { 24, POLICY_UBOOT, HTTP, "U-Boot arm64 HTTP" },
        { 25, POLICY_UEFI_OTHER, false, "UEFI RISC-V 32" },
        { 26, POLICY_UEFI_OTHER, HTTP, "UEFI RISC-V 32 HTTP" },
        { 27, POLICY_UEFI_RISCV64, false, "UEFI RISC-V 64" },
        { 28, POLICY_UEFI_RISCV64, HTTP, "UEFI RISC-V 64 HTTP" },
        { 29, POLICY_UEFI_OTHER, false, "UEFI RISC-V 128" },
        { 30, POLICY_UEFI_OTHER, HTTP, "UEFI RISC-V 128 HTTP" },
        { 31, POLICY_S390, false, "s390 basic" },
        { 32, POLICY_S390, false, "s390 extended" },
        { 33, POLICY_UEFI_OTHER, false, "UEFI MIPS 32" },
        { 34, POLICY_UEFI_OTHER, false, "UEFI MIPS 64" },
        { 35, POLICY_UEFI_OTHER, false, "UEFI Sunway 32" },
        { 36, POLICY_UEFI_OTHER, false, "UEFI Sunway 64" },
        { 37, POLICY_UEFI_OTHER, false, "UEFI LoongArch 32" },
        { 38, POLICY_UEFI_OTHER, HTTP, "UEFI LoongArch 32 HTTP" },
        { 39, POLICY_UEFI_LOONG64, false, "UEFI LoongArch 64" },
        { 40, POLICY_UEFI_LOONG64, HTTP, "UEFI LoongArch 64 HTTP" },
        { POLICY_ARCH_PI, POLICY_PI, false, "Raspberry Pi" },
};

static const struct {
        const char *word;
        uint16_t number;
} arch_words[] = {
        { "bios", 0 },          { "x86", 0 },
        { "x64", 7 },           { "uefi", 7 },
        { "uefi-x64", 7 },      { "ia32", 6 },
        { "uefi-ia32", 6 },     { "arm64", 11 },
        { "uefi-arm64", 11 },   { "arm32", 10 },
        { "uefi-arm32", 10 },   { "ia32-http", 15 },
        { "x64-http", 16 },     { "arm32-http", 18 },
        { "arm64-http", 19 },   { "uboot-arm32", 21 },
        { "uboot-arm64", 22 },  { "riscv64", 27 },
        { "riscv64-http", 28 }, { "loong64", 39 },
        { "loong64-http", 40 }, { "raspberry-pi", POLICY_ARCH_PI },
};

const char *const policy_arch_words[] = {
        "bios",        "x64",          "ia32",         "arm64",     "arm32",
        "riscv64",     "loong64",      "x64-http",     "ia32-http", "arm64-http",
        "arm32-http",  "riscv64-http", "loong64-http", "uefi-x64",  "uefi-ia32",
        "uefi-arm64",  "uefi-arm32",   "uefi",         "x86",       "uboot-arm32",
        "uboot-arm64", "raspberry-pi", NULL,
};

const struct policy_arch *policy_arch(uint16_t number) {
        static const struct policy_arch unknown = { .number = UINT16_MAX,
                                                    .name = "unknown" };

        for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
                if (archs[i].number == number)
                        return &archs[i];
        return &unknown;
}

/* A Raspberry Pi says it is a BIOS (0), for want of a number when its ROM was made
 * (raspberrypi/firmware; its network boot documentation). */
const struct policy_arch *policy_facts_arch(const struct policy_facts *facts) {
        if (facts->is_pi)
                return policy_arch(POLICY_ARCH_PI);
        return policy_arch(facts->has_arch ? facts->arch : 0);
}

const char *policy_firmware_name(enum policy_firmware firmware) {
        static const char *const names[POLICY_N_FIRMWARE] = {
                [POLICY_FIRMWARE_UNKNOWN] = "unknown",
                [POLICY_BIOS] = "bios",
                [POLICY_UEFI_X64] = "uefi-x64",
                [POLICY_UEFI_IA32] = "uefi-ia32",
                [POLICY_UEFI_ARM64] = "uefi-arm64",
                [POLICY_UEFI_ARM32] = "uefi-arm32",
                [POLICY_UEFI_OTHER] = "uefi-other",
                [POLICY_UBOOT] = "uboot",
                [POLICY_UEFI_RISCV64] = "uefi-riscv64",
                [POLICY_UEFI_LOONG64] = "uefi-loong64",
                [POLICY_PI] = "raspberry-pi",
                [POLICY_POWER] = "power",
                [POLICY_S390] = "s390",
        };

        return names[(unsigned)firmware < POLICY_N_FIRMWARE ? firmware : 0];
}

bool policy_arch_parse(const char *name, uint16_t *ret) {
        for (size_t i = 0; i < ARRAY_SIZE(arch_words); i++)
                if (strcmp(arch_words[i].word, name) == 0) {
                        *ret = arch_words[i].number;
                        return true;
                }
        return false;
}
