#pragma once
/*
 * SipHash-2-4: a short keyed hash. Who does not have the key can neither make a pair
 * of bytes and hash nor find two inputs of one hash. Pure.
 */
#include "base/base.h"

enum { SIPHASH_KEY = 16 };

uint64_t siphash(const uint8_t key[static SIPHASH_KEY], const void *data, size_t n);
