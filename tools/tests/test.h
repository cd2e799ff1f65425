/* SPDX-License-Identifier: MIT */
/* What cmocka.h needs before it, in the order it needs it. */
#ifndef CLB_TESTS_TEST_H
#define CLB_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* CLB_TESTS_TEST_H */
