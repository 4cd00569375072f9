/*
 * The decision. Each rule is one function that looks, writes what it saw into the
 * trace, and either decides or leaves it to the next; the order is that of decide().
 *
 * Firmware differs most in what comes after the first file. GRUB takes its server from
 * whoever gave the address, so beside somebody else's DHCP it ends at its prompt; iPXE
 * keeps the server that gave the file. Hence GRUB when we are the DHCP server, iPXE
 * when we are the proxy.
 */
#include "policy/policy.h"

#include <stdarg.h>

/* The registry of processor architecture types (RFC 4578 2.1, RFC 5970 3.3 and IANA's
 * list since). 7 and 9 were swapped between RFC 4578's text and its errata, and
 * firmware for x64 uses both. */
static const struct policy_arch archs[] = {
        { 0, POLICY_BIOS, false, "BIOS" },
        { 2, POLICY_UEFI_OTHER, false, "UEFI Itanium" },
        { 6, POLICY_UEFI_IA32, false, "UEFI ia32" },
        { 7, POLICY_UEFI_X64, false, "UEFI x64" },
        { 9, POLICY_UEFI_X64, false, "UEFI x64 (as EBC)" },
        { 10, POLICY_UEFI_ARM32, false, "UEFI arm32" },
        { 11, POLICY_UEFI_ARM64, false, "UEFI arm64" },
        { 15, POLICY_UEFI_IA32, true, "UEFI ia32 HTTP" },
        { 16, POLICY_UEFI_X64, true, "UEFI x64 HTTP" },
        { 17, POLICY_UEFI_X64, true, "UEFI x64 HTTP (as EBC)" },
        { 18, POLICY_UEFI_ARM32, true, "UEFI arm32 HTTP" },
        { 19, POLICY_UEFI_ARM64, true, "UEFI arm64 HTTP" },
        { 20, POLICY_BIOS, true, "BIOS HTTP" },
        { 21, POLICY_UBOOT, false, "U-Boot arm32" },
        { 22, POLICY_UBOOT, false, "U-Boot arm64" },
        { 23, POLICY_UBOOT, true, "U-Boot arm32 HTTP" },
        { 24, POLICY_UBOOT, true, "U-Boot arm64 HTTP" },
        { 25, POLICY_UEFI_OTHER, false, "UEFI RISC-V 32" },
        { 26, POLICY_UEFI_OTHER, true, "UEFI RISC-V 32 HTTP" },
        { 27, POLICY_UEFI_OTHER, false, "UEFI RISC-V 64" },
        { 28, POLICY_UEFI_OTHER, true, "UEFI RISC-V 64 HTTP" },
        { 37, POLICY_UEFI_OTHER, false, "UEFI LoongArch 32" },
        { 38, POLICY_UEFI_OTHER, true, "UEFI LoongArch 32 HTTP" },
        { 39, POLICY_UEFI_OTHER, false, "UEFI LoongArch 64" },
        { 40, POLICY_UEFI_OTHER, true, "UEFI LoongArch 64 HTTP" },
};

static const struct {
        const char *word;
        uint16_t number;
} arch_words[] = {
        { "bios", 0 },         { "x86", 0 },         { "x64", 7 },
        { "uefi", 7 },         { "uefi-x64", 7 },    { "ia32", 6 },
        { "uefi-ia32", 6 },    { "arm64", 11 },      { "uefi-arm64", 11 },
        { "arm32", 10 },       { "uefi-arm32", 10 }, { "ia32-http", 15 },
        { "x64-http", 16 },    { "arm64-http", 19 }, { "uboot-arm32", 21 },
        { "uboot-arm64", 22 },
};

const char *const policy_arch_words[] = {
        "bios",        "x64",        "ia32",       "arm64",    "arm32",
        "x64-http",    "ia32-http",  "arm64-http", "uefi-x64", "uefi-ia32",
        "uefi-arm64",  "uefi-arm32", "uefi",       "x86",      "uboot-arm32",
        "uboot-arm64", NULL,
};

#define SYSLINUX(name)                                                                 \
        {                                                                              \
                name, "/usr/lib/syslinux/modules/bios/" name, "syslinux-common",       \
                        POLICY_LOADER_NONE                                             \
        }

const struct policy_file policy_files[] = {
        { "pxelinux.0", "/usr/lib/PXELINUX/pxelinux.0", "pxelinux", POLICY_PXELINUX },
        { "lpxelinux.0", "/usr/lib/PXELINUX/lpxelinux.0", "pxelinux",
          POLICY_LOADER_NONE },
        SYSLINUX("ldlinux.c32"),
        SYSLINUX("libutil.c32"),
        SYSLINUX("libcom32.c32"),
        SYSLINUX("libgpl.c32"),
        SYSLINUX("libmenu.c32"),
        SYSLINUX("liblua.c32"),
        SYSLINUX("menu.c32"),
        SYSLINUX("vesamenu.c32"),
        SYSLINUX("chain.c32"),
        SYSLINUX("mboot.c32"),
        SYSLINUX("linux.c32"),
        SYSLINUX("pxechn.c32"),
        SYSLINUX("reboot.c32"),
        SYSLINUX("poweroff.c32"),
        SYSLINUX("hdt.c32"),
        SYSLINUX("ifcpu64.c32"),
        SYSLINUX("cmd.c32"),
        SYSLINUX("config.c32"),
        SYSLINUX("ls.c32"),
        { "memdisk", "/usr/lib/syslinux/memdisk", "syslinux-common",
          POLICY_LOADER_NONE },
        { "grubx64.efi", "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
          "grub-efi-amd64-signed", POLICY_GRUB_X64 },
        { "grubaa64.efi", "/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed",
          "grub-efi-arm64-signed", POLICY_GRUB_ARM64 },
        { "snponly.efi", "/usr/lib/ipxe/snponly.efi", "ipxe", POLICY_SNPONLY },
        { "ipxe.efi", "/usr/lib/ipxe/ipxe.efi", "ipxe", POLICY_IPXE_EFI },
        { "ipxe.efi", "/boot/ipxe.efi", "ipxe", POLICY_IPXE_EFI },
        { "undionly.kpxe", "/usr/lib/ipxe/undionly.kpxe", "ipxe", POLICY_LOADER_NONE },
        { "ipxe.lkrn", "/usr/lib/ipxe/ipxe.lkrn", "ipxe", POLICY_LOADER_NONE },
};
const size_t policy_n_files = ARRAY_SIZE(policy_files);

const struct policy_arch *policy_arch(uint16_t number) {
        static const struct policy_arch unknown = { .number = UINT16_MAX,
                                                    .name = "unknown" };

        for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
                if (archs[i].number == number)
                        return &archs[i];
        return &unknown;
}

const char *policy_firmware_name(enum policy_firmware firmware) {
        static const char *const names[POLICY_N_FIRMWARE] = {
                "unknown",    "bios",       "uefi-x64",   "uefi-ia32",
                "uefi-arm64", "uefi-arm32", "uefi-other", "uboot",
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

static const struct policy_file *file_of(enum policy_loader loader) {
        for (size_t i = 0; i < policy_n_files; i++)
                if (loader != POLICY_LOADER_NONE && policy_files[i].loader == loader)
                        return &policy_files[i];
        return NULL;
}

const char *policy_loader_file(enum policy_loader loader) {
        const struct policy_file *file = file_of(loader);

        return file ? file->name : "";
}

const char *policy_loader_package(enum policy_loader loader) {
        const struct policy_file *file = file_of(loader);

        return file ? file->package : "";
}

const char *policy_dialect_name(enum policy_dialect dialect) {
        static const char *const names[] = { "none", "pxelinux", "grub", "ipxe" };

        return names[(size_t)dialect < ARRAY_SIZE(names) ? dialect : 0];
}

/* What is being decided. */
struct decider {
        const struct policy_rules *rules;
        const struct policy_facts *facts;
        const struct policy_arch *arch;
        struct policy_decision *d;
};

/* Texts one after the other, up to a NULL; what does not fit is cut. */
static void join(char *out, size_t n, const char *first, ...) {
        size_t at = 0;
        va_list parts;

        va_start(parts, first);
        for (const char *part = first; part; part = va_arg(parts, const char *)) {
                size_t take = min_size(strlen(part), n - 1 - at);

                memcpy(out + at, part, take);
                at += take;
        }
        va_end(parts);
        out[at] = '\0';
}

#define JOIN(out, ...) join((out), sizeof(out), __VA_ARGS__, NULL)
#define TRACE(p, what, ...)                                                            \
        do {                                                                           \
                struct policy_decision *d_ = (p)->d;                                   \
                assert(d_->n_trace < POLICY_TRACE_MAX);                                \
                d_->trace[d_->n_trace].rule = (what);                                  \
                JOIN(d_->trace[d_->n_trace++].outcome, __VA_ARGS__);                   \
        } while (0)
#define WHY(p, ...) JOIN((p)->d->why, __VA_ARGS__)

static bool has_loader(const struct decider *p, enum policy_loader loader) {
        bool has = p->rules->loaders & 1u << loader;

        if (has)
                TRACE(p, "loader", policy_loader_file(loader), " is there");
        else
                TRACE(p, "loader", policy_loader_file(loader),
                      " is missing: install the package ",
                      policy_loader_package(loader));
        return has;
}

static void boot_loader(struct decider *p, enum policy_loader loader,
                        enum policy_dialect dialect) {
        p->d->verdict = POLICY_BOOT;
        p->d->loader = loader;
        p->d->dialect = dialect;
        JOIN(p->d->file, policy_loader_file(loader));
}

static void cannot_boot_without(struct decider *p, enum policy_loader loader) {
        p->d->verdict = POLICY_CANNOT_BOOT;
        WHY(p, "no ", policy_loader_file(loader), " for ", p->arch->name,
            ": install the package ", policy_loader_package(loader));
}

static void format_port(uint16_t port, char out[static 8]) {
        struct writer w = writer_of(out, 7);
        unsigned divisor = 10000;

        while (divisor > port && divisor > 1)
                divisor /= 10;
        if (port != 80) {
                writer_u8(&w, ':');
                for (; divisor > 0; divisor /= 10)
                        writer_u8(&w, (uint8_t)('0' + port / divisor % 10));
        }
        out[w.at] = '\0';
}

static void set_url(struct decider *p, const char *path) {
        char address[IP4_TEXT_MAX], port[8];

        format_port(p->rules->http_port, port);
        JOIN(p->d->file, "http://", ip4_format(p->facts->server, address), port, "/",
             path);
}

static bool has_http(struct decider *p) {
        if (p->rules->http_port != 0)
                return true;
        p->d->verdict = POLICY_CANNOT_BOOT;
        WHY(p, p->arch->name, " needs HTTP here, and HTTP is off (http.port)");
        return false;
}

static void boot_script(struct decider *p, const char *because) {
        if (!has_http(p))
                return;
        p->d->verdict = POLICY_BOOT;
        p->d->dialect = POLICY_DIALECT_IPXE;
        set_url(p, "boot.ipxe");
        WHY(p, because);
}

/* iPXE that can go on to a script by itself; a maker's crippled build cannot, and is
 * given a whole one first. */
static bool is_able_ipxe(const struct decider *p) {
        return p->facts->is_ipxe && p->facts->ipxe_features & POLICY_IPXE_HTTP;
}

static void boot_ipxe(struct decider *p, const char *because) {
        enum policy_loader loader = POLICY_SNPONLY;

        if (is_able_ipxe(p)) {
                TRACE(p, "client", "is iPXE with HTTP: never iPXE again");
                boot_script(p, "iPXE gets the menu as a script over HTTP");
                return;
        }
        if (!has_http(p))
                return;
        /* snponly.efi goes through the firmware's own driver for the very card that the
         * machine booted from; ipxe.efi may find another card, or none. */
        if (!has_loader(p, POLICY_SNPONLY)) {
                if (!has_loader(p, POLICY_IPXE_EFI)) {
                        cannot_boot_without(p, POLICY_SNPONLY);
                        return;
                }
                loader = POLICY_IPXE_EFI;
        }
        boot_loader(p, loader, POLICY_DIALECT_IPXE);
        WHY(p, because);
}

static void boot_http(struct decider *p) {
        p->d->is_http = true;
        if (p->arch->firmware != POLICY_UEFI_X64) {
                p->d->verdict = POLICY_CANNOT_BOOT;
                WHY(p, "no loader for ", p->arch->name);
                return;
        }
        boot_ipxe(p, "UEFI HTTP Boot gets iPXE by its URL");
        if (p->d->verdict == POLICY_BOOT && p->d->loader != POLICY_LOADER_NONE)
                set_url(p, policy_loader_file(p->d->loader));
}

static void boot_uefi(struct decider *p, enum policy_loader grub) {
        if (p->facts->is_proxy) {
                TRACE(p, "mode",
                      "proxy: GRUB would ask the other server for its menu, so not "
                      "GRUB");
                if (p->arch->firmware == POLICY_UEFI_X64) {
                        boot_ipxe(p, "UEFI beside another DHCP server gets iPXE");
                        return;
                }
                p->d->verdict = POLICY_CANNOT_BOOT;
                WHY(p, "no loader for ", p->arch->name, " in proxy mode");
                return;
        }
        if (has_loader(p, grub)) {
                boot_loader(p, grub, POLICY_DIALECT_GRUB);
                WHY(p, p->arch->name, " gets GRUB");
        } else if (p->arch->firmware == POLICY_UEFI_X64 &&
                   (is_able_ipxe(p) || p->rules->loaders & 1u << POLICY_SNPONLY)) {
                boot_ipxe(p, "UEFI gets iPXE, as there is no GRUB");
        } else {
                cannot_boot_without(p, grub);
        }
}

static void boot_bios(struct decider *p) {
        if (!has_loader(p, POLICY_PXELINUX)) {
                cannot_boot_without(p, POLICY_PXELINUX);
                return;
        }
        boot_loader(p, POLICY_PXELINUX, POLICY_DIALECT_PXELINUX);
        WHY(p, p->facts->is_ipxe ? "iPXE on BIOS gets pxelinux" : "BIOS gets pxelinux");
}

static void boot_by_firmware(struct decider *p) {
        if (p->facts->is_http || p->arch->is_http) {
                boot_http(p);
                return;
        }
        switch (p->arch->firmware) {
        case POLICY_BIOS:
                boot_bios(p);
                break;
        case POLICY_UEFI_X64:
                boot_uefi(p, POLICY_GRUB_X64);
                break;
        case POLICY_UEFI_ARM64:
                boot_uefi(p, POLICY_GRUB_ARM64);
                break;
        default:
                p->d->verdict = POLICY_CANNOT_BOOT;
                WHY(p, "no loader for ", p->arch->name);
        }
}

static bool is_ipxe_file(const char *name) {
        return strstr(name, "ipxe") || strstr(name, "snponly") ||
               strstr(name, "undionly");
}

/* `filename` of the subnet: what the administrator wrote wins, but for the commonest
 * trap of hand-made set-ups, an iPXE that is told to load iPXE for ever. */
static bool decide_configured(struct decider *p) {
        const char *name = p->facts->filename;

        if (!name || name[0] == '\0') {
                TRACE(p, "filename", "none in the configuration");
                return false;
        }
        if (is_able_ipxe(p) && is_ipxe_file(name) && p->rules->http_port != 0) {
                TRACE(p, "filename", name,
                      " is iPXE, and so is the client: passed over");
                boot_script(p, "iPXE gets the menu as a script over HTTP");
                return true;
        }
        TRACE(p, "filename", name, " is configured for this subnet");
        p->d->verdict = POLICY_BOOT;
        p->d->dialect = strstr(name, "pxelinux") ? POLICY_DIALECT_PXELINUX
                        : strstr(name, "grub")   ? POLICY_DIALECT_GRUB
                        : is_ipxe_file(name)     ? POLICY_DIALECT_IPXE
                                                 : POLICY_NO_DIALECT;
        if (p->facts->is_http && !strstr(name, "://"))
                set_url(p, name[0] == '/' ? name + 1 : name);
        else
                JOIN(p->d->file, name);
        p->d->is_http = p->facts->is_http;
        WHY(p, "the configuration names this file");
        return true;
}

static bool is_booting(const struct policy_facts *f) {
        return f->is_pxe || f->is_http || f->is_ipxe;
}

static void trace_client(struct decider *p) {
        const struct policy_facts *f = p->facts;

        if (f->has_arch)
                TRACE(p, "firmware", p->arch->name, " (option 93)");
        else
                TRACE(p, "firmware", "no option 93: taken for BIOS");
        TRACE(p, "client",
              f->is_ipxe    ? "iPXE"
              : f->is_http  ? "UEFI HTTP Boot"
              : f->is_pxe   ? "PXE firmware"
              : f->is_bootp ? "BOOTP"
                            : "an ordinary DHCP client");
        TRACE(p, "mode",
              f->is_proxy ? "proxy: somebody else gives addresses" : "server");
}

void policy_decide(const struct policy_rules *rules, const struct policy_facts *facts,
                   struct policy_decision *ret) {
        struct decider p = { rules, facts,
                             policy_arch(facts->has_arch ? facts->arch : 0), ret };
        char address[IP4_TEXT_MAX];

        *ret = (struct policy_decision){ .verdict = POLICY_NOT_A_BOOT,
                                         .firmware = p.arch->firmware,
                                         .next_server = facts->next_server
                                                                ? facts->next_server
                                                                : facts->server };
        trace_client(&p);
        /* An old ROM or board names no class but takes the file it is told. */
        if ((is_booting(facts) || !facts->is_proxy) && decide_configured(&p))
                goto traced;
        if (!is_booting(facts)) {
                WHY(&p, "it does not ask to boot");
                goto traced;
        }
        boot_by_firmware(&p);
traced:
        if (ret->verdict == POLICY_BOOT)
                TRACE(&p, "answer", ret->file, " from ",
                      ip4_format(ret->next_server, address));
        else
                TRACE(&p, "answer", "no file: ", ret->why);
}

static void add_facts(const struct policy_facts *f, struct text *out) {
        char mac[MAC_TEXT_MAX], address[IP4_TEXT_MAX], uuid[UUID_TEXT_MAX];

        text_json_key(out, "facts");
        text_char(out, '{');
        text_json_pair(out, "mac", mac_format(f->mac, mac));
        text_json_pair(out, "uuid", f->has_uuid ? uuid_format(f->uuid, uuid) : NULL);
        text_json_key(out, "arch");
        if (f->has_arch)
                text_u64(out, f->arch);
        else
                text_add(out, "null");
        text_json_pair(out, "firmware", policy_arch(f->has_arch ? f->arch : 0)->name);
        text_json_pair_bool(out, "pxe", f->is_pxe);
        text_json_pair_bool(out, "http", f->is_http);
        text_json_pair_bool(out, "ipxe", f->is_ipxe);
        text_json_pair_bool(out, "bootp", f->is_bootp);
        text_json_pair_bool(out, "proxy", f->is_proxy);
        text_json_pair(out, "vendor_class", f->vendor_class);
        text_json_pair(out, "user_class", f->user_class);
        text_json_pair(out, "server", ip4_format(f->server, address));
        text_char(out, '}');
}

void policy_json(const struct policy_facts *facts, const struct policy_decision *d,
                 struct text *out) {
        static const char *const verdicts[] = { "boot", "not-a-boot", "cannot-boot" };
        char address[IP4_TEXT_MAX];

        add_facts(facts, out);
        text_json_key(out, "decision");
        text_char(out, '{');
        text_json_pair(out, "verdict", verdicts[d->verdict]);
        text_json_pair(out, "file", d->file);
        text_json_pair(out, "next_server", ip4_format(d->next_server, address));
        text_json_pair(out, "loader", policy_loader_file(d->loader));
        text_json_pair(out, "dialect", policy_dialect_name(d->dialect));
        text_json_pair(out, "why", d->why);
        text_char(out, '}');
        text_json_key(out, "trace");
        text_char(out, '[');
        for (size_t i = 0; i < d->n_trace; i++) {
                text_json_next(out);
                text_char(out, '{');
                text_json_pair(out, "rule", d->trace[i].rule);
                text_json_pair(out, "outcome", d->trace[i].outcome);
                text_char(out, '}');
        }
        text_char(out, ']');
}
