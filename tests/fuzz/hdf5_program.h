// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_FUZZ_HDF5_PROGRAM_H
#define WALRAS_TESTS_FUZZ_HDF5_PROGRAM_H

#include <hdf5.h>

#include "tests/fuzz/fuzz.h"

/* The HDF5 library itself does not stand every damaged file, and its faults are not ours to find.
 * So an input is not the bytes of a file but a program that the library carries out on a sound one:
 * datasets, groups, links and attributes are removed, renamed, replaced and filled, with types,
 * shapes and numbers that the input chooses. What comes out is sound HDF5 and may be anything to
 * us.
 */

/** The names that programs work on; of them `count`. */
typedef struct hdf5_names {
  const char *const *names;
  size_t count;
} hdf5_names;

/** Carries a program out on an open file. Steps that HDF5 refuses are passed over. */
void hdf5_program_run(hid_t file, hdf5_names names, const uint8_t *bytes, size_t count);

#endif
