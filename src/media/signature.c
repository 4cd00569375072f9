/*
 * A few reads of bounded size: the head, the certificate table, and of the sections
 * those that say something.
 */
#include "media/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/medium.h"
#include "media/tree.h"
#include "wire/pe.h"

enum { TABLE_MAX = 64 << 10, SBAT_MAX = 16 << 10, VENDOR_MAX = 64 << 10 };
enum { MODULES_MAX = 16 << 20 };

/* A part of the file in memory; less when the file has less. The caller frees. */
static int load(const struct signature_source *source, uint64_t offset, uint64_t n,
                uint8_t **ret, struct span *ret_span) {
        uint8_t *data = malloc((size_t)n + 1);
        int got;

        if (!data)
                return -ENOMEM;
        got = source->read(source->userdata, offset, data, (size_t)n);
        *ret = data;
        *ret_span = (struct span){ data, got > 0 ? (size_t)got : 0 };
        return 0;
}

/* ---- sections ---- */

static bool is_named(const struct signature_source *source,
                     const struct pe_section *section, const char *name) {
        char long_name[16] = "";

        if (section->name_at == 0)
                return strcmp(section->name, name) == 0;
        if (source->read(source->userdata, section->name_at, long_name,
                         sizeof(long_name) - 1) <= 0)
                return false;
        return strcmp(long_name, name) == 0;
}

/* *ret_data is NULL when there is no such section. */
static int load_section(const struct signature_source *source, struct span head,
                        const struct pe *pe, const char *name, size_t max,
                        uint8_t **ret_data, struct span *ret) {
        struct pe_section section;

        *ret_data = NULL;
        for (uint32_t i = 0; pe_section(head, source->size, pe, i, &section); i++)
                if (is_named(source, &section, name))
                        return load(source, section.offset, min_u64(section.n, max),
                                    ret_data, ret);
        return 0;
}

/* SBAT.md of rhboot/shim: lines of component, generation, vendor and more; the first is
 * about the format itself. */
static void read_sbat(struct span csv, char out[static SIGNATURE_SBAT_MAX]) {
        size_t at = 0, n = 0;

        for (unsigned line = 0; at < csv.n && csv.data[at]; line++) {
                size_t commas = 0, begin = n;

                for (; at < csv.n && csv.data[at] && csv.data[at] != '\n'; at++) {
                        uint8_t c = csv.data[at];

                        commas += c == ',';
                        if (line == 0 || commas > 1 || n + 4 >= SIGNATURE_SBAT_MAX)
                                continue;
                        if (n == begin && n > 0) {
                                out[n++] = ',';
                                out[n++] = ' ';
                        }
                        out[n++] = (char)(c == ','               ? ' '
                                          : c < 0x20 || c > 0x7e ? '?'
                                                                 : c);
                }
                at++;
        }
        out[n] = '\0';
}

static int read_sections(const struct signature_source *source, struct span head,
                         const struct pe *pe, struct signature *s) {
        struct span found, certificate;
        uint8_t *data;
        int r = load_section(source, head, pe, ".sbat", SBAT_MAX, &data, &found);

        if (r == 0 && data)
                read_sbat(found, s->sbat);
        free(data);
        if (r == 0)
                r = load_section(source, head, pe, ".vendor_cert", VENDOR_MAX, &data,
                                 &found);
        if (r < 0)
                return r;
        if (data) {
                certificate = pe_vendor_certificate(found);
                s->is_shim = true;
                (void)!authenticode_certificate(certificate, &s->vendor);
        }
        free(data);
        r = load_section(source, head, pe, "mods", MODULES_MAX, &data, &found);
        if (r == 0 && data)
                s->is_grub = grub_image_parse(found, &s->grub);
        free(data);
        return r;
}

/* ---- signatures ---- */

static int read_signatures(const struct signature_source *source, const struct pe *pe,
                           struct signature *s) {
        struct span table, pkcs7;
        struct reader r;
        uint8_t *data;

        if (pe->n_signatures == 0)
                return 0;
        if (load(source, pe->signatures_at, min_u64(pe->n_signatures, TABLE_MAX), &data,
                 &table) < 0)
                return -ENOMEM;
        r = reader_of(table.data, table.n);
        while (s->n_signers < AUTHENTICODE_SIGNERS_MAX && pe_next_signature(&r, &pkcs7))
                s->n_signers +=
                        authenticode_signers(pkcs7, s->signers + s->n_signers,
                                             AUTHENTICODE_SIGNERS_MAX - s->n_signers);
        free(data);
        return 0;
}

int signature_read(const struct signature_source *source, struct signature *ret) {
        struct signature s = { 0 };
        struct span head;
        struct pe pe;
        uint8_t *data;
        int r = load(source, 0, PE_HEAD_MAX, &data, &head);

        if (r < 0)
                return r;
        s.is_pe = pe_parse(head, source->size, &pe);
        if (s.is_pe) {
                s.machine = pe.machine;
                r = read_signatures(source, &pe, &s);
                if (r == 0)
                        r = read_sections(source, head, &pe, &s);
        }
        free(data);
        if (r == 0)
                *ret = s;
        return r;
}

/* ---- will it pass? ---- */

static bool is_signed_by(const struct signature *program,
                         const struct authenticode_signer *vendor) {
        for (size_t i = 0; i < program->n_signers; i++)
                if (strcmp(program->signers[i].issuer, vendor->subject) == 0 ||
                    strcmp(program->signers[i].subject, vendor->subject) == 0)
                        return true;
        return false;
}

static bool is_microsofts(const struct signature *program) {
        for (size_t i = 0; i < program->n_signers; i++)
                if (strncmp(program->signers[i].issuer, "Microsoft ", 10) == 0)
                        return true;
        return false;
}

void signature_why_not(const struct signature *shim, const struct signature *program,
                       const char *what, char ret_why[static SIGNATURE_WHY_MAX]) {
        ret_why[0] = '\0';
        if (!program->is_pe)
                snprintf(ret_why, SIGNATURE_WHY_MAX, "the %s is no UEFI program", what);
        else if (program->n_signers == 0)
                snprintf(ret_why, SIGNATURE_WHY_MAX, "the %s is not signed", what);
        else if (is_microsofts(program))
                return; /* firmware takes it by itself */
        else if (!shim || !shim->is_shim)
                snprintf(ret_why, SIGNATURE_WHY_MAX,
                         "the %s is signed by %s, and no shim here trusts that", what,
                         program->signers[0].issuer);
        else if (shim->vendor.subject[0] && !is_signed_by(program, &shim->vendor))
                snprintf(ret_why, SIGNATURE_WHY_MAX,
                         "the %s is signed by %s, and the shim here trusts %s", what,
                         program->signers[0].issuer, shim->vendor.subject);
}

/* ---- a medium ---- */

struct inside {
        const struct media_tree *tree;
        const char *path;
};

static int read_inside(void *userdata, uint64_t offset, void *buffer, size_t n) {
        const struct inside *at = userdata;

        return media_tree_read(at->tree, at->path, offset, buffer, n);
}

int signature_read_inside(const struct media_tree *tree, const char *path,
                          struct signature *ret) {
        struct inside at = { tree, path };
        const struct signature_source source = {
                .read = read_inside,
                .userdata = &at,
                .size = path && *path ? media_tree_size(tree, path) : 0,
        };

        *ret = (struct signature){ 0 };
        return source.size > 0 ? signature_read(&source, ret) : SIGNATURE_NONE;
}

/* Debian's shim, when its package is installed: it starts what Debian signs from any
 * medium. The same places as in policy/loader.c. */
static const struct {
        enum medium_firmware firmware;
        const char *path;
} own_shims[] = {
        { MEDIUM_UEFI_X64, "/usr/lib/shim/shimx64.efi.signed" },
        { MEDIUM_UEFI_IA32, "/usr/lib/shim/shimia32.efi.signed" },
        { MEDIUM_UEFI_ARM64, "/usr/lib/shim/shimaa64.efi.signed" },
        { MEDIUM_UEFI_ARM64, "/usr/lib/debian-installer/images/12/arm64/text/"
                             "debian-installer/arm64/bootnetaa64.efi" },
        { MEDIUM_UEFI_ARM64, "/usr/lib/debian-installer/images/13/arm64/text/"
                             "debian-installer/arm64/bootnetaa64.efi" },
};

static int read_fd(void *userdata, uint64_t offset, void *buffer, size_t n) {
        ssize_t got = pread(*(int *)userdata, buffer, n, (off_t)offset);

        return got < 0 ? -errno : (int)got;
}

int signature_read_host(const char *path, struct signature *ret) {
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = SIGNATURE_NONE;
        struct signature_source source = { .read = read_fd, .userdata = &fd };

        *ret = (struct signature){ 0 };
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
                source.size = (uint64_t)st.st_size;
                r = signature_read(&source, ret);
        }
        if (fd >= 0)
                close(fd);
        return r;
}

/* Why the chain of a medium does not boot by network: its links fit, and GRUB, which
 * can load no module under Secure Boot, has TFTP in it. */
static int judge_chain(const struct media_tree *tree, const struct medium_loader *chain,
                       struct signature *ret_shim, bool *ret_keeps_proxy,
                       char why[static SIGNATURE_WHY_MAX]) {
        struct signature grub = { 0 };
        int r = signature_read_inside(tree, chain->shim, ret_shim);

        if (r >= 0)
                r = signature_read_inside(tree, chain->grub, &grub);
        *ret_keeps_proxy = grub.grub.keeps_proxy;
        if (r < 0)
                return r;
        if (!ret_shim->is_shim)
                snprintf(why, SIGNATURE_WHY_MAX, "the first loader is no shim");
        else if (!is_microsofts(ret_shim))
                snprintf(why, SIGNATURE_WHY_MAX, "the shim is not signed by Microsoft");
        else if (!grub.is_grub)
                snprintf(why, SIGNATURE_WHY_MAX, "what the shim starts is no GRUB");
        else if (!grub.grub.has_tftp || !grub.grub.has_net)
                snprintf(why, SIGNATURE_WHY_MAX,
                         "the medium's GRUB reads discs only: it has no TFTP in it");
        else
                signature_why_not(ret_shim, &grub, "GRUB", why);
        return 0;
}

struct marking {
        const struct media_tree *tree;
        struct medium *medium;
        signature_keep_fn keep;
        void *userdata;
        struct signature debians[MEDIUM_N_FIRMWARE], own[MEDIUM_N_FIRMWARE];
};

static int keep_text(const struct marking *m, const char *text, const char **ret) {
        *ret = text[0] ? m->keep(m->userdata, text) : "";
        return *ret ? 0 : -ENOMEM;
}

/* Debian's shim, and the medium's own where that chain boots by network. */
static int find_shims(struct marking *m, unsigned firmware) {
        struct medium_loader *chain = &m->medium->loaders[firmware];
        char why[SIGNATURE_WHY_MAX] = "";
        bool keeps_proxy;
        int r = 0;

        if (chain->shim && chain->shim[0]) {
                r = judge_chain(m->tree, chain, &m->own[firmware], &keeps_proxy, why);
                if (r == 0)
                        r = keep_text(m, why, &chain->why_not);
                if (r == 0)
                        r = keep_text(m,
                                      why[0]        ? why
                                      : keeps_proxy ? ""
                                                    : "its GRUB asks whoever gave the "
                                                      "address for its menu",
                                      &chain->proxy_why_not);
                if (why[0])
                        m->own[firmware] = (struct signature){ 0 };
        }
        for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(own_shims); i++)
                if (own_shims[i].firmware == 1u << firmware &&
                    !m->debians[firmware].is_shim)
                        r = signature_read_host(own_shims[i].path,
                                                &m->debians[firmware]);
        return r < 0 ? r : 0;
}

static int mark_entry(const struct marking *m, struct medium_entry *entry) {
        struct signature kernel;
        char why[SIGNATURE_WHY_MAX], own_why[SIGNATURE_WHY_MAX] = "no";
        unsigned i = 1;
        int r = signature_read_inside(m->tree, entry->kernel, &kernel);

        if (r < 0)
                return r;
        while (i < MEDIUM_N_FIRMWARE - 1 && !(entry->firmware & 1u << i))
                i++;
        signature_why_not(&m->debians[i], &kernel, "kernel", why);
        if (why[0] && m->own[i].is_shim)
                signature_why_not(&m->own[i], &kernel, "kernel", own_why);
        if (!own_why[0]) {
                entry->secure_why_not = MEDIUM_OWN_SHIM;
                return 0;
        }
        return keep_text(m, why, &entry->secure_why_not);
}

int signature_mark(const struct media_tree *tree, struct medium *medium,
                   signature_keep_fn keep, void *userdata) {
        struct marking *m = calloc(1, sizeof(*m));
        int r = 0;

        if (!m)
                return -ENOMEM;
        m->tree = tree;
        m->medium = medium;
        m->keep = keep;
        m->userdata = userdata;
        for (unsigned i = 1; i < MEDIUM_N_FIRMWARE && r == 0 && medium->n_entries; i++)
                r = find_shims(m, i);
        for (uint32_t i = 0; i < medium->n_entries && r == 0; i++) {
                struct medium_entry *entry = &medium->entries[i];

                if (!(entry->firmware & ~(uint32_t)MEDIUM_BIOS))
                        entry->secure_why_not = "it is for BIOS";
                else if (!entry->kernel || !entry->kernel[0])
                        entry->secure_why_not = "it has no kernel of its own";
                else if (entry->kernel[0] == '/')
                        entry->secure_why_not = "its loader is not signed";
                else
                        r = mark_entry(m, entry);
        }
        free(m);
        return r;
}
