/*
 * Bytes as a program for UEFI, with everything that is read of one: its head, sections,
 * signatures and their names, shim's certificate, GRUB's modules. What comes out stays
 * within what went in, and names are texts.
 */
#include "wire/authenticode.h"
#include "wire/grub_image.h"
#include "wire/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_name(const char *name) {
        assert(strnlen(name, AUTHENTICODE_NAME_MAX) < AUTHENTICODE_NAME_MAX);
        for (; *name; name++)
                assert((uint8_t)*name >= 0x20);
}

static void check_signers(struct span pkcs7) {
        struct authenticode_signer signers[AUTHENTICODE_SIGNERS_MAX];
        size_t n = authenticode_signers(pkcs7, signers, ARRAY_SIZE(signers));

        assert(n <= ARRAY_SIZE(signers));
        for (size_t i = 0; i < n; i++) {
                check_name(signers[i].subject);
                check_name(signers[i].issuer);
        }
}

static void check_section(struct span all, const struct pe_section *section) {
        struct authenticode_signer signer;
        struct grub_image image;
        struct span content, certificate;

        assert(section->offset <= all.n && section->n <= all.n - section->offset);
        content = (struct span){ all.data + section->offset, (size_t)section->n };
        certificate = pe_vendor_certificate(content);
        assert(certificate.n <= content.n);
        if (authenticode_certificate(certificate, &signer))
                check_name(signer.subject);
        if (grub_image_parse(content, &image))
                assert(strnlen(image.prefix, sizeof(image.prefix)) <
                       sizeof(image.prefix));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct span all = { data, n }, pkcs7;
        struct pe_section section;
        struct grub_image image;
        struct reader table;
        struct pe pe;

        check_signers(all);
        (void)!grub_image_parse(all, &image);
        if (!pe_parse((struct span){ data, min_size(n, PE_HEAD_MAX) }, n, &pe))
                return 0;
        for (uint32_t i = 0; pe_section(all, n, &pe, i, &section); i++)
                check_section(all, &section);
        assert(pe.signatures_at <= n && pe.n_signatures <= n - pe.signatures_at);
        table = reader_of(data + pe.signatures_at, (size_t)pe.n_signatures);
        while (pe_next_signature(&table, &pkcs7))
                check_signers(pkcs7);
        return 0;
}
