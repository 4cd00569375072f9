/*
 * The decision. Each rule is one function that looks, writes what it saw into the
 * trace, and either decides or leaves it to the next; the order is that of
 * policy_decide(). What is to be had for a firmware is a list of kinds in the order in
 * which we would rather have them (`orders` below); the first whose loader is there is
 * taken.
 *
 * Firmware differs most in what comes after the first file. GRUB takes its server from
 * whoever gave the address, so beside somebody else's DHCP it ends at its prompt; iPXE
 * and syslinux keep the server that gave the file. Hence GRUB when we are the DHCP
 * server, iPXE when we are the proxy. By HTTP Boot GRUB finds no root either.
 */
#include "policy/policy.h"

#include <stdarg.h>

#include "policy/loader.h"

const char *policy_dialect_name(enum policy_dialect dialect) {
        static const char *const names[] = { "none", "pxelinux", "grub", "ipxe",
                                             "extlinux" };

        return names[(size_t)dialect < ARRAY_SIZE(names) ? dialect : 0];
}

/* What is being decided. */
struct decider {
        const struct policy_rules *rules;
        const struct policy_facts *facts;
        const struct policy_arch *arch;
        const struct policy_machine *machine; /* NULL: it has no name */
        enum policy_kind pin;
        enum policy_secure secure;
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

/* ---- what is there ---- */

static void trace_missing(struct decider *p, enum policy_loader loader) {
        const struct policy_loader_info *info = policy_loader_info(loader);

        if (info->package[0])
                TRACE(p, "loader", info->file, " is missing: install the package ",
                      info->package);
        else
                TRACE(p, "loader", info->file,
                      " is missing: no package has it, put it into a folder of "
                      "`loaders`");
}

static bool has_loader(struct decider *p, enum policy_loader loader) {
        bool has = p->rules->loaders & POLICY_BIT(loader);

        if (has)
                TRACE(p, "loader", policy_loader_file(loader), " is there");
        else
                trace_missing(p, loader);
        return has;
}

static void refuse(struct decider *p) {
        p->d->verdict = POLICY_CANNOT_BOOT;
        p->d->file[0] = '\0';
        p->d->is_http = false;
        p->d->loader = POLICY_LOADER_NONE;
        p->d->dialect = POLICY_NO_DIALECT;
}

static void refuse_without(struct decider *p, enum policy_loader loader) {
        const struct policy_loader_info *info = policy_loader_info(loader);

        refuse(p);
        if (loader == POLICY_LOADER_NONE)
                WHY(p, "no loader for ", p->arch->name);
        else if (info->package[0])
                WHY(p, "no ", info->file, " for ", p->arch->name,
                    ": install the package ", info->package);
        else
                WHY(p, "no ", info->file, " for ", p->arch->name,
                    ": put it into a folder of `loaders`, no package has it");
}

/* ---- what is answered ---- */

static void format_port(uint16_t port, uint16_t usual, char out[static 8]) {
        struct writer w = writer_of(out, 7);
        unsigned divisor = 10000;

        while (divisor > port && divisor > 1)
                divisor /= 10;
        if (port != usual) {
                writer_u8(&w, ':');
                for (; divisor > 0; divisor /= 10)
                        writer_u8(&w, (uint8_t)('0' + port / divisor % 10));
        }
        out[w.at] = '\0';
}

/* By HTTPS only where there is no HTTP: firmware has to know our authority first. */
static void set_url(struct decider *p, const char *path) {
        bool is_plain = p->rules->http_port != 0;
        char address[IP4_TEXT_MAX], port[8];

        if (is_plain)
                format_port(p->rules->http_port, 80, port);
        else
                format_port(p->rules->https_port, 443, port);
        JOIN(p->d->file, is_plain ? "http://" : "https://",
             ip4_format(p->facts->server, address), port, "/", path);
}

static bool is_by_url(const struct decider *p) {
        return p->facts->is_http || p->arch->is_http;
}

static void boot_loader(struct decider *p, enum policy_loader loader) {
        const struct policy_loader_info *info = policy_loader_info(loader);

        p->d->verdict = POLICY_BOOT;
        p->d->loader = loader;
        p->d->dialect = info->dialect;
        if (p->d->is_http)
                set_url(p, info->file);
        else
                JOIN(p->d->file, info->file);
}

static void boot_script(struct decider *p) {
        p->d->verdict = POLICY_BOOT;
        p->d->dialect = POLICY_DIALECT_IPXE;
        set_url(p, "boot.ipxe");
        WHY(p, "iPXE gets the menu as a script over HTTP");
}

/* iPXE that can go on to a script by itself; a maker's crippled build cannot, and is
 * given a whole one first. */
static bool is_able_ipxe(const struct decider *p) {
        return p->facts->is_ipxe && p->facts->ipxe_features & POLICY_IPXE_HTTP;
}

/* The kernel of what is assigned to it; by its MAC, so that what it is told does not
 * change with what is assigned. */
static void boot_uki(struct decider *p, enum policy_loader stub) {
        char mac[MAC_TEXT_MAX], path[POLICY_FILE_MAX];

        mac_format(p->facts->mac, mac);
        for (char *c = mac; *c; c++)
                *c = *c == ':' ? '-' : *c;
        JOIN(path, POLICY_UKI_FOLDER, mac, ".efi");
        boot_loader(p, stub);
        if (p->d->is_http || (is_able_ipxe(p) && p->rules->http_port != 0))
                set_url(p, path);
        else
                JOIN(p->d->file, path);
}

/* ---- which kind ---- */

static bool is_ipxe_kind(enum policy_kind kind) {
        return kind == POLICY_KIND_IPXE || kind == POLICY_KIND_SNPONLY;
}

/* A Linux system, so that a menu would only cost time. */
static bool is_assigned(const struct decider *p) {
        return p->machine && p->machine->uki_firmware & 1u << p->arch->firmware &&
               (!p->machine->waits || p->pin == POLICY_KIND_UKI);
}

/* Takes this kind if it is to be had. *missing is the first that would have done, of
 * those that a package has. */
static bool try_kind(struct decider *p, enum policy_kind kind,
                     enum policy_loader *missing) {
        enum policy_loader loader = policy_loader_of(kind, p->arch->firmware);

        if (is_ipxe_kind(kind) && is_able_ipxe(p) && p->rules->http_port != 0) {
                TRACE(p, "client", "is iPXE with HTTP: never iPXE again");
                boot_script(p);
                return true;
        }
        if (loader == POLICY_LOADER_NONE)
                return false;
        if (kind == POLICY_KIND_UKI && !is_assigned(p))
                return false;
        if (is_ipxe_kind(kind) && p->rules->http_port == 0) {
                TRACE(p, "loader", policy_loader_file(loader),
                      " would need HTTP for its menu, and HTTP is off (http.port)");
                return false;
        }
        if (*missing == POLICY_LOADER_NONE ||
            policy_loader_package(*missing)[0] == '\0')
                *missing = loader;
        if (!has_loader(p, loader))
                return false;
        if (kind == POLICY_KIND_UKI)
                boot_uki(p, loader);
        else
                boot_loader(p, loader);
        return true;
}

enum { ORDER_MAX = 6 };

/* Lists of kinds, the best first; AUTO ends them. */
static const struct order {
        const char *because; /* for the trace: why in this order */
        const enum policy_kind kinds[ORDER_MAX];
} bios_order = { "pxelinux shows the menu with the least of everything",
                 { POLICY_KIND_PXELINUX, POLICY_KIND_LPXELINUX, POLICY_KIND_SNPONLY,
                   POLICY_KIND_IPXE } },
  uefi_order = { "GRUB is signed, small and needs no HTTP",
                 { POLICY_KIND_GRUB, POLICY_KIND_SNPONLY, POLICY_KIND_IPXE,
                   POLICY_KIND_SYSLINUX, POLICY_KIND_UKI } },
  /* GRUB 2.06 here ends at its prompt: it asks who gave the address for its menu. */
        uefi_proxy_order = { "proxy: GRUB would ask the other server for its menu, so "
                             "not "
                             "GRUB",
                             { POLICY_KIND_SNPONLY, POLICY_KIND_IPXE,
                               POLICY_KIND_SYSLINUX, POLICY_KIND_UKI } },
  /* snponly.efi goes through the firmware's own driver for the very card that the
   * machine booted from; ipxe.efi may find another card, or none (ipxe/ipxe#541, #972,
   * #1211). */
        http_order = { "HTTP Boot: what is assigned needs no loader; else iPXE goes on "
                       "by the firmware's own driver",
                       { POLICY_KIND_UKI, POLICY_KIND_SNPONLY, POLICY_KIND_IPXE } };

static const struct order *order_of(const struct decider *p) {
        switch (p->arch->firmware) {
        case POLICY_BIOS:
                return is_by_url(p) ? NULL : &bios_order;
        case POLICY_UEFI_X64:
        case POLICY_UEFI_IA32:
        case POLICY_UEFI_ARM32:
        case POLICY_UEFI_ARM64:
        case POLICY_UEFI_RISCV64:
        case POLICY_UEFI_LOONG64:
                if (is_by_url(p))
                        return &http_order;
                return p->facts->is_proxy ? &uefi_proxy_order : &uefi_order;
        default:
                return NULL;
        }
}

static bool is_uefi(enum policy_firmware firmware) {
        return firmware == POLICY_UEFI_X64 || firmware == POLICY_UEFI_IA32 ||
               firmware == POLICY_UEFI_ARM64 || firmware == POLICY_UEFI_ARM32 ||
               firmware == POLICY_UEFI_RISCV64 || firmware == POLICY_UEFI_LOONG64;
}

/* "UEFI x64 gets GRUB", "UEFI arm64 beside another DHCP server gets iPXE". */
static void say_chosen(struct decider *p) {
        WHY(p, p->facts->is_ipxe ? "iPXE on " : "", p->arch->name,
            p->facts->is_proxy && is_uefi(p->arch->firmware)
                    ? " beside another DHCP server"
                    : "",
            " gets ", policy_loader_info(p->d->loader)->what,
            p->d->is_http ? " by its URL" : "");
}

static void boot_in_order(struct decider *p, const struct order *order) {
        enum policy_loader missing = POLICY_LOADER_NONE;
        enum policy_loader stub = policy_loader_of(POLICY_KIND_UKI, p->arch->firmware);

        TRACE(p, "order", order->because);
        for (size_t i = 0; i < ORDER_MAX && order->kinds[i] != POLICY_KIND_AUTO; i++) {
                if (!try_kind(p, order->kinds[i], &missing))
                        continue;
                if (p->d->loader != POLICY_LOADER_NONE)
                        say_chosen(p);
                return;
        }
        refuse_without(p, missing);
        if (p->rules->loaders & POLICY_BIT(stub) && !is_assigned(p))
                WHY(p, "no loader with a menu for ", p->arch->name,
                    is_by_url(p)         ? " by HTTP"
                    : p->facts->is_proxy ? " beside another DHCP server"
                                         : "",
                    ": assign a system to it (machines: boot), which starts without "
                    "one");
        if (p->rules->http_port == 0 && order != &bios_order && order != &uefi_order)
                WHY(p, p->arch->name,
                    " would get iPXE, which needs HTTP, and HTTP is off (http.port)");
}

/* ---- rules, in their order ---- */

static bool is_of(const struct policy_machine *m, const struct policy_facts *f) {
        return m->has_uuid ? f->has_uuid && memcmp(m->uuid.b, f->uuid.b, 16) == 0
                           : !mac_is_zero(m->mac) && mac_is_equal(m->mac, f->mac);
}

/* By MAC in a sorted list; those known by their UUID stand before all, their MAC is
 * zero. */
static const struct policy_machine *find_machine(const struct policy_rules *rules,
                                                 const struct policy_facts *facts) {
        size_t low = 0, high = rules->n_machines;

        for (size_t i = 0; i < high && mac_is_zero(rules->machines[i].mac); i++)
                if (is_of(&rules->machines[i], facts))
                        return &rules->machines[i];
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct policy_machine *m = &rules->machines[middle];
                int order = memcmp(m->mac.b, facts->mac.b, sizeof(m->mac.b));

                if (order == 0)
                        return m;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

static void find_wishes(struct decider *p) {
        const struct policy_machine *m = p->machine = find_machine(p->rules, p->facts);

        p->pin = m && m->loader ? (enum policy_kind)m->loader
                                : (enum policy_kind)p->facts->loader;
        p->secure = m && m->secure_boot     ? m->secure_boot
                    : p->facts->secure_boot ? p->facts->secure_boot
                                            : p->rules->secure_boot;
        if (m && m->boot && m->boot[0])
                TRACE(p, "machine", "is to boot ", m->boot);
        if (p->pin != POLICY_KIND_AUTO)
                TRACE(p, "pinned", "to ", policy_kind_word(p->pin),
                      m && m->loader ? " (machines)" : " (dhcp)");
        if (p->secure == POLICY_SECURE_ON)
                TRACE(p, "secure boot", "is asked for: only a signed chain will do");
        p->d->secure_boot = p->secure;
}

static bool is_ipxe_file(const char *name) {
        return strstr(name, "ipxe") || strstr(name, "snponly") ||
               strstr(name, "undionly");
}

/* A loader of ours that nobody signs, under a name that says so. */
static bool is_unsigned_file(const char *name) {
        const char *last = strrchr(name, '/');
        enum policy_loader loader = policy_loader_by_file(last ? last + 1 : name);

        return loader != POLICY_LOADER_NONE &&
               policy_loader_info(loader)->kind != POLICY_KIND_SHIM &&
               policy_loader_info(loader)->kind != POLICY_KIND_GRUB;
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
                boot_script(p);
                return true;
        }
        TRACE(p, "filename", name, " is configured for this subnet");
        if (p->secure == POLICY_SECURE_ON && is_unsigned_file(name)) {
                refuse(p);
                WHY(p, "the configuration names ", name,
                    ", which nobody signs, and asks for Secure Boot");
                return true;
        }
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

/* Apple's NetBoot: a list of images by BSDP, an INFORM with options of its own, and
 * then TFTP of a booter that only Apple makes. */
static void refuse_apple(struct decider *p) {
        refuse(p);
        WHY(p, "a Mac's NetBoot (BSDP) starts nothing but Apple's own images: hold "
               "Option and start it from a stick");
}

/* A Raspberry Pi asks for its files by names of its own, below a folder named for its
 * serial number first; the name that it is told is not used. */
static void boot_pi(struct decider *p) {
        p->d->verdict = POLICY_BOOT;
        JOIN(p->d->file, "bootcode.bin");
        TRACE(p, "files",
              "its own boot loader asks for SERIAL/start4.elf or "
              "bootcode.bin, and on from there, without a menu");
        WHY(p, "a Raspberry Pi gets the files of its own boot loader");
}

/* U-Boot's `pxe get` looks for pxelinux.cfg/ in the folder of the file that it was
 * told; `dhcp` fetches that file and does not start it. */
static void boot_uboot(struct decider *p) {
        if (p->facts->is_proxy) {
                /* It takes the first offer, and ours has no address. */
                refuse(p);
                WHY(p, "U-Boot knows no proxyDHCP: let the other server say "
                       "next-server and filename, or `setenv serverip`");
                return;
        }
        p->d->is_http = false; /* there is no HTTPClient in its requests */
        p->d->verdict = POLICY_BOOT;
        p->d->dialect = POLICY_DIALECT_PXELINUX;
        JOIN(p->d->file, "pxelinux.0");
        WHY(p, "U-Boot's `pxe get` finds the menu beside this file, which it does not "
               "start");
}

/* The image itself: UEFI 2.10 3.5.2, HTTP Boot of a disk image into memory. */
static void boot_image(struct decider *p) {
        const char *iso = p->machine && p->machine->iso ? p->machine->iso : "";

        if (iso[0] == '\0') {
                refuse(p);
                WHY(p, "it is pinned to an image as a disk, and no image is assigned "
                       "to it (machines: boot)");
        } else if (!p->d->is_http || !is_uefi(p->arch->firmware)) {
                refuse(p);
                WHY(p, "an image as a disk is for UEFI HTTP Boot, and this is ",
                    p->arch->name);
        } else {
                p->d->verdict = POLICY_BOOT;
                set_url(p, iso);
                WHY(p, "HTTP Boot gets the image itself, as a disk in memory");
        }
}

/* What the administrator chose is not replaced by something else. */
static void boot_pinned(struct decider *p) {
        enum policy_loader missing = POLICY_LOADER_NONE;

        if (p->pin == POLICY_KIND_ISO) {
                boot_image(p);
                return;
        }
        if (p->pin == POLICY_KIND_UKI && !is_assigned(p)) {
                refuse(p);
                WHY(p,
                    "it is pinned to kernel and initrd in one program, and no Linux "
                    "system that is here and starts on ",
                    p->arch->name, " is assigned to it (machines: boot)");
                return;
        }
        if (p->pin == POLICY_KIND_GRUB && p->facts->is_proxy)
                TRACE(p, "mode",
                      "proxy: GRUB may ask the other server for its menu; it was "
                      "pinned to GRUB");
        if (try_kind(p, p->pin, &missing)) {
                if (p->d->loader != POLICY_LOADER_NONE)
                        WHY(p, "it is pinned to ", policy_kind_word(p->pin));
                return;
        }
        refuse_without(p, missing);
        if (missing == POLICY_LOADER_NONE)
                WHY(p, "it is pinned to ", policy_kind_word(p->pin),
                    ", which there is none of for ", p->arch->name,
                    is_ipxe_kind(p->pin) && p->rules->http_port == 0
                            ? ", or HTTP is off (http.port)"
                            : "");
}

/* A medium's own chain is for the kernel of that medium, whoever signed it. */
static bool try_chain(struct decider *p, enum policy_loader shim) {
        const struct policy_machine *m = p->machine;
        char path[POLICY_FILE_MAX];

        if (!m || !m->chain || !m->chain[0] ||
            !((p->facts->is_proxy ? m->chain_by_proxy : m->chain_firmware) &
              1u << p->arch->firmware))
                return false;
        if (p->facts->is_proxy)
                TRACE(p, "mode",
                      "proxy: the GRUB of this medium keeps the proxy's address");
        JOIN(path, m->chain, "/", policy_loader_file(shim));
        TRACE(p, "loader", path, " is there, of the assigned medium's vendor");
        boot_loader(p, shim);
        if (p->d->is_http)
                set_url(p, path);
        else
                JOIN(p->d->file, path);
        WHY(p, p->arch->name,
            " with Secure Boot gets the signed chain of the medium "
            "that is assigned to it");
        return true;
}

static void say_packages(struct decider *p, enum policy_loader shim) {
        const char *of_shim = policy_loader_package(shim);
        const char *of_grub = policy_loader_package(
                policy_loader_of(POLICY_KIND_GRUB, p->arch->firmware));

        if (strcmp(of_shim, of_grub) == 0)
                WHY(p, "Secure Boot is asked for: install the package ", of_shim);
        else
                WHY(p, "Secure Boot is asked for: install the packages ", of_shim,
                    " and ", of_grub);
}

/* Nothing but a chain that firmware verifies from its first link on. */
static void boot_secure(struct decider *p) {
        enum policy_loader shim = policy_loader_of(POLICY_KIND_SHIM, p->arch->firmware);

        if (shim == POLICY_LOADER_NONE) {
                refuse(p);
                WHY(p, "Secure Boot is asked for, and there is no signed loader for ",
                    p->arch->name);
        } else if (p->facts->is_proxy) {
                /* iPXE hands no proxy's packet on to what it starts. */
                if (!p->facts->is_ipxe && !p->d->is_http && try_chain(p, shim))
                        return;
                refuse(p);
                WHY(p, "Secure Boot is asked for, and beside another DHCP server the "
                       "signed GRUB asks that server for its menu: let Bootjack give "
                       "the addresses, or assign a medium whose GRUB knows proxies "
                       "(Fedora, Red Hat)");
        } else if (p->d->is_http) {
                refuse(p);
                WHY(p, "Secure Boot is asked for, and the signed GRUB finds no menu by "
                       "HTTP Boot: let this machine boot by PXE");
        } else if (try_chain(p, shim)) {
                return;
        } else if (!has_loader(p, shim)) {
                refuse_without(p, shim);
                say_packages(p, shim);
        } else {
                boot_loader(p, shim);
                WHY(p, p->arch->name,
                    " with Secure Boot gets shim, which fetches the "
                    "signed GRUB beside it");
        }
}

bool policy_is_booting(const struct policy_facts *f) {
        return f->is_pxe || f->is_http || f->is_ipxe || f->is_uboot || f->is_apple;
}

static void boot_by_firmware(struct decider *p) {
        const struct order *order = order_of(p);

        p->d->is_http = is_by_url(p);
        if (p->facts->is_apple)
                refuse_apple(p);
        else if (p->arch->firmware == POLICY_PI)
                boot_pi(p);
        else if (p->facts->is_uboot || p->arch->firmware == POLICY_UBOOT)
                boot_uboot(p);
        else if (p->d->is_http && p->rules->http_port == 0 &&
                 p->rules->https_port == 0) {
                refuse(p);
                WHY(p, p->arch->name, " needs HTTP, and HTTP is off (http.port)");
        } else if (p->secure == POLICY_SECURE_ON && p->pin != POLICY_KIND_ISO)
                boot_secure(p);
        else if (p->pin != POLICY_KIND_AUTO)
                boot_pinned(p);
        else if (order)
                boot_in_order(p, order);
        else
                refuse_without(p, POLICY_LOADER_NONE);
}

static void trace_client(struct decider *p) {
        const struct policy_facts *f = p->facts;

        if (f->is_pi)
                TRACE(p, "firmware", p->arch->name,
                      " (its class, UUID and MAC; option 93 says BIOS)");
        else if (f->has_arch)
                TRACE(p, "firmware", p->arch->name, " (option 93)");
        else
                TRACE(p, "firmware", "no option 93: taken for BIOS");
        TRACE(p, "client",
              f->is_apple   ? "Apple's NetBoot (BSDP)"
              : f->is_ipxe  ? "iPXE"
              : f->is_pi    ? "a Raspberry Pi's boot loader"
              : f->is_uboot ? "U-Boot"
              : f->is_http  ? "UEFI HTTP Boot"
              : f->is_pxe   ? "PXE firmware"
              : f->is_bootp ? "BOOTP"
                            : "an ordinary DHCP client");
        TRACE(p, "mode",
              f->is_proxy ? "proxy: somebody else gives addresses" : "server");
}

void policy_decide(const struct policy_rules *rules, const struct policy_facts *facts,
                   struct policy_decision *ret) {
        struct decider p = { .rules = rules,
                             .facts = facts,
                             .arch = policy_facts_arch(facts),
                             .d = ret };
        char address[IP4_TEXT_MAX];

        *ret = (struct policy_decision){ .verdict = POLICY_NOT_A_BOOT,
                                         .firmware = p.arch->firmware,
                                         .next_server = facts->next_server
                                                                ? facts->next_server
                                                                : facts->server };
        trace_client(&p);
        find_wishes(&p);
        /* An old ROM or board names no class but takes the file it is told. */
        if ((policy_is_booting(facts) || !facts->is_proxy) && decide_configured(&p))
                goto traced;
        if (!policy_is_booting(facts)) {
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
