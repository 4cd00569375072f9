#pragma once
/*
 * What every C test includes: cmocka with its prerequisites, and one way to run a
 * group. Output is TAP, so that the count of cases (not of programs) is reported.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define check_run(name, tests)                                                         \
        (cmocka_set_message_output(CM_OUTPUT_TAP),                                     \
         _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]),      \
                                 NULL, NULL))
