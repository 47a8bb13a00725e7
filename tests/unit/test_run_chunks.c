// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

/* The checksums of chunks against those of HDF5, and how its driver puts chunks aside. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/fletcher.h"
#include "io/hdf5_driver.h"
#include "tests/support/harness.h"

enum { LONGEST = 70001 };

/** What HDF5's filter keeps behind a chunk of these bytes, from a file in memory. */
static uint32_t of_hdf5(const unsigned char *bytes, size_t count, size_t *kept) {
  const hsize_t extent = count, at = 0;
  unsigned char chunk[LONGEST + 4];
  unsigned mask = 0;
  hsize_t size = 0;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fapl_core(access, 1 << 16, false);
  H5Pset_chunk(list, 1, &extent);
  H5Pset_fletcher32(list);
  hid_t file = H5Fcreate("/dev/null/fletcher", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  hid_t space = H5Screate_simple(1, &extent, NULL);
  hid_t dataset = H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
  H5Dflush(dataset);
  H5Dget_chunk_storage_size(dataset, &at, &size);
  memset(chunk, 0, sizeof chunk);
  if (size <= sizeof chunk) H5Dread_chunk(dataset, H5P_DEFAULT, &at, &mask, chunk);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Fclose(file);
  H5Pclose(list);
  H5Pclose(access);
  *kept = (size_t)size;
  const unsigned char *sum = chunk + count;
  return sum[0] | (uint32_t)sum[1] << 8 | (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24;
}

static void fill(unsigned char *bytes, size_t count, int content) {
  uint32_t state = 12345;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    bytes[i] = content == 0   ? (unsigned char)(state >> 24)
               : content == 1 ? 0
               : content == 2 ? 255
               : content == 3 ? (unsigned char)(i + 1 == count)
               : content == 4 ? (unsigned char)(i == 0)
                              : (unsigned char)(i % 2 ? 1 : 0);
  }
}

static void checksums_are_those_of_hdf5(void **state) {
  (void)state;
  // About the block of 8192 words, and about odd ends.
  const size_t counts[] = {1,     2,     3,     4,     5,     7,     8,     16,    31,    359,
                           720,   721,   4096,  8191,  8192,  8193,  8194,  8195,  16383, 16384,
                           16385, 24577, 32768, 65534, 65535, 65536, 65537, 70000, 70001};
  static unsigned char bytes[LONGEST + 1];
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    for (int content = 0; content < 6; content++) {
      size_t kept = 0;
      // Not aligned, too.
      unsigned char *at = bytes + (content == 0 ? i % 2 : 0);
      fill(at, counts[i], content);
      const uint32_t expected = of_hdf5(at, counts[i], &kept), sum = wal_fletcher32(at, counts[i]);
      assert_int_equal(kept, counts[i] + 4);
      if (sum != expected)
        print_error("%zu bytes, content %d: %08x, HDF5 %08x\n", counts[i], content, sum, expected);
      assert_int_equal(sum, expected);
    }
  }
  assert_int_equal(wal_fletcher32(bytes, 0), 0);
}

/** Sums that are a multiple of 65535, which are not 0. */
static void multiples_of_the_modulus_are_not_zero(void **state) {
  (void)state;
  static unsigned char bytes[32768];
  size_t kept = 0;
  memset(bytes, 0, sizeof bytes);
  bytes[0] = bytes[1] = 255;  // one word of 65535
  assert_int_equal(wal_fletcher32(bytes, sizeof bytes), 0xFFFFFFFFu);
  assert_int_equal(of_hdf5(bytes, sizeof bytes, &kept), 0xFFFFFFFFu);
}

/** Chunks that are put aside get places one after the other; what is written there is what HDF5's
 *  own driver reads. */
static void chunks_put_aside_are_read_back(void **state) {
  (void)state;
  enum { CHUNKS = 100, ITEMS = 1000, BYTES = 8 * ITEMS };
  char folder[] = "run-chunks-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/x.h5", folder);
  const hsize_t extent = (hsize_t)CHUNKS * ITEMS, chunk = ITEMS;
  static double values[CHUNKS * ITEMS], back[CHUNKS * ITEMS];
  static unsigned char nothing[BYTES + 4];
  static uint64_t places[CHUNKS];
  for (int i = 0; i < CHUNKS * ITEMS; i++) values[i] = 1.0 / (i + 1);

  hid_t access = H5Pcreate(H5P_FILE_ACCESS), list = H5Pcreate(H5P_DATASET_CREATE);
  assert_true(wal_hdf5_driver_use(access) >= 0);
  H5Pset_chunk(list, 1, &chunk);
  H5Pset_fletcher32(list);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  hid_t space = H5Screate_simple(1, &extent, NULL);
  hid_t dataset = H5Dcreate2(file, "x", H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  hid_t small = H5Dcreate2(file, "y", H5T_IEEE_F64LE, H5Screate(H5S_SCALAR), H5P_DEFAULT,
                           H5P_DEFAULT, H5P_DEFAULT);
  wal_hdf5_aside *aside = wal_hdf5_driver_aside(file);
  assert_non_null(aside);
  aside->on = true;
  for (int i = 0; i < CHUNKS; i++) {
    const hsize_t at = (hsize_t)i * ITEMS;
    aside->writes = 0;
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &at, sizeof nothing, nothing) >= 0);
    assert_int_equal(aside->writes, 1);
    assert_int_equal(aside->size, sizeof nothing);
    places[i] = aside->at;
    assert_true(i == 0 || places[i] >= places[i - 1] + sizeof nothing);
  }
  aside->on = false;
  H5Dwrite(small, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &values[7]);
  H5Dclose(small);
  H5Dclose(dataset);
  H5Fclose(file);
  H5Pclose(access);
  H5Pclose(list);

  int handle = open(path, O_WRONLY);
  for (int i = 0; i < CHUNKS; i++) {
    const double *data = values + i * ITEMS;
    const uint32_t sum = wal_fletcher32(data, BYTES);
    const unsigned char check[4] = {(unsigned char)sum, (unsigned char)(sum >> 8),
                                    (unsigned char)(sum >> 16), (unsigned char)(sum >> 24)};
    assert_int_equal(pwrite(handle, data, BYTES, (off_t)places[i]), BYTES);
    assert_int_equal(pwrite(handle, check, 4, (off_t)places[i] + BYTES), 4);
  }
  close(handle);

  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  dataset = H5Dopen2(file, "x", H5P_DEFAULT);
  assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, back) >= 0);
  assert_memory_equal(values, back, sizeof values);
  H5Dclose(dataset);
  dataset = H5Dopen2(file, "y", H5P_DEFAULT);
  assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, back) >= 0);
  assert_true(back[0] == values[7]);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Fclose(file);
  assert_int_equal(remove(path), 0);
  assert_int_equal(rmdir(folder), 0);
}

/** Failures to write are those of unit.run_file_abort. */
static void failures_to_open_are_told(void **state) {
  (void)state;
  char why[400];
  wal_hdf5_quiet();
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  assert_true(wal_hdf5_driver_use(access) >= 0);
  assert_true(H5Fcreate("no/such/folder/x.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access) < 0);
  wal_hdf5_reason(why, sizeof why);
  WAL_ASSERT_CONTAINS(why, "No such file or directory");
  H5Pclose(access);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(checksums_are_those_of_hdf5),
    cmocka_unit_test(multiples_of_the_modulus_are_not_zero),
    cmocka_unit_test(chunks_put_aside_are_read_back),
    cmocka_unit_test(failures_to_open_are_told),
};

WAL_TEST_MAIN(TESTS)
