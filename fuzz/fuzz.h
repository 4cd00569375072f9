#pragma once
/*
 * What a fuzz target defines: one function that feeds a stranger's bytes to one
 * codec or one state machine and asserts what must hold. It returns 0, keeps no state
 * between calls and frees what it allocates. Link it with libFuzzer
 * (-Dfuzzing=true, clang) or with replay_main.c (any compiler).
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
