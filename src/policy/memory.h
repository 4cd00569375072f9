#pragma once
/*
 * How much memory a machine says that it has, by what its loader reads in SMBIOS. Pure.
 */
#include "base/base.h"

enum { MEMORY_SLOTS = 16 }; /* modules that a loader is asked about */

/* The field "size" of the memory devices, two bytes each in hexadecimal as they lie in
 * SMBIOS, with a '.' between; empty where there is none: "0008.0008..". False when it
 * is something else. */
MUST_USE bool memory_parse(const char *s, size_t n, uint64_t *ret);
