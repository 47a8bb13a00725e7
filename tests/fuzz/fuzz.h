// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_FUZZ_FUZZ_H
#define WALRAS_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "sim/core/context.h"

/* What the three fuzz targets share. A target is a function LLVMFuzzerTestOneInput() that libFuzzer
 * calls with one input after the other; it must not crash, leak into the next call, or break what
 * it says by FUZZ_CHECK. */

/** A context on this lone process. */
wal_ctx *fuzz_ctx(void);

/** Path of this process's file number `i`, in memory where the system has such a folder. */
const char *fuzz_path(int i);

/** Writes a whole file. */
void fuzz_write(const char *path, const void *bytes, size_t count);

/** Ends the program, which libFuzzer counts as a find, unless the condition holds. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_failed(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_failed(const char *condition, const char *file, int line);

/** A failure that a bad input may have: told in one line, without bytes that a terminal would take
 *  for more. */
void fuzz_check_failure(const wal_ctx *ctx, wal_status status);

/* What libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#endif
