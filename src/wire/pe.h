#pragma once
/*
 * The outside of a program for UEFI (PE/COFF: Microsoft's "PE Format"): for which
 * machine it is, where its sections are, where its signatures are; and the two sections
 * that say something about its loader: SBAT's and shim's. Pure; reads no further than
 * it is given, never loops on what the file says.
 */
#include "base/cursor.h"

enum {
        PE_IA32 = 0x014c,
        PE_X64 = 0x8664,
        PE_ARM32 = 0x01c2,
        PE_ARM64 = 0xaa64,
        PE_RISCV64 = 0x5064,
        PE_LOONG64 = 0x6264,
};
const char *pe_machine_name(uint16_t machine); /* "x64"; "unknown" */

/* Everything of the head lies in this many bytes, in every loader there is. */
enum { PE_HEAD_MAX = 4096, PE_SECTIONS_MAX = 64 };

struct pe {
        uint16_t machine;
        bool is_efi;            /* its subsystem is one of UEFI's */
        uint32_t n_sections;    /* those whose headers were there */
        uint64_t sections_at;   /* in the file */
        uint64_t strings_at;    /* of the long names; 0: none */
        uint64_t signatures_at; /* the certificate table; 0: it is not signed */
        uint64_t n_signatures;  /* bytes */
};

/* False: no PE. A table that ends behind the file (`size`) is none. */
MUST_USE bool pe_parse(struct span head, uint64_t size, struct pe *ret);

struct pe_section {
        char name[9];
        uint64_t name_at;   /* in the file, of a name longer than 8; 0: `name` is it */
        uint64_t offset, n; /* in the file; within its size */
};
/* Section i; false when its header is not there. */
MUST_USE bool pe_section(struct span head, uint64_t size, const struct pe *pe,
                         uint32_t i, struct pe_section *ret);

/* The next PKCS #7 of a certificate table; false at its end. */
MUST_USE bool pe_next_signature(struct reader *table, struct span *ret);

/* shim's ".vendor_cert": the certificate (DER) of who signs what shim starts. Empty: a
 * list of several, or none. */
struct span pe_vendor_certificate(struct span section);
