// SPDX-License-Identifier: GPL-3.0-or-later
/* Files for the game `tabulated`, with numbers drawn at random. */
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/random.h"
#include "tests/conformance/settings.h"

enum { SEED = 21, MOST_PAIRS = 700, MOST_STAGES = 5, TARGETS = 4 };

typedef struct sizes {
  int states, actions, horizon, kernels;
} sizes;

static double draw(int64_t i, uint32_t what) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)i, what, 0);
}

static void write_reals(hid_t file, const char *name, int rank, const hsize_t *extent,
                        const double *numbers) {
  assert_true(H5LTmake_dataset_double(file, name, rank, extent, numbers) >= 0);
}

enum { KERNEL, OF_ALL, OF_OWN };  // rows of a kernel; of any weights, for all states or the own one

/** Rows with up to TARGETS entries. */
static void write_rows(hid_t file, const char *name, sizes z, int stages, int what) {
  static double data[MOST_STAGES * MOST_PAIRS * TARGETS];
  static int indices[MOST_STAGES * MOST_PAIRS * TARGETS], indptr[MOST_STAGES * MOST_PAIRS + 1];
  const int rows = stages * z.states * z.actions;
  int used = 0;
  assert_true(rows <= MOST_STAGES * MOST_PAIRS);
  for (int row = 0; row < rows; row++) {
    const int count = 1 + (int)(draw(row, 1) * TARGETS), first = used;
    double total = 0;
    for (int e = 0; e < count; e++, used++) {
      indices[used] = what == OF_OWN ? row / z.actions % z.states : (int)(draw(used, 2) * z.states);
      data[used] = what == KERNEL ? draw(used, 3) : 2 * draw(used, 4) - 1.5;
      total += data[used];
    }
    for (int e = first; what == KERNEL && e < used; e++) data[e] /= total;
    indptr[row + 1] = used;
  }
  const hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t entries = (hsize_t)used, starts = (hsize_t)rows + 1;
  write_reals(group, "data", 1, &entries, data);
  assert_true(H5LTmake_dataset_int(group, "indices", 1, &entries, indices) >= 0);
  assert_true(H5LTmake_dataset_int(group, "indptr", 1, &starts, indptr) >= 0);
  H5Gclose(group);
}

static void write_numbers(hid_t file, sizes z, bool second) {
  static double numbers[MOST_STAGES * MOST_PAIRS];
  double total = 0;
  const hsize_t states = (hsize_t)z.states;
  for (int s = 0; s < z.states; s++) total += numbers[s] = draw(s, 5);
  for (int s = 0; s < z.states; s++) numbers[s] /= total;
  write_reals(file, "initial", 1, &states, numbers);
  const hsize_t extent[3] = {(hsize_t)z.horizon, states, (hsize_t)z.actions};
  const int stages = second ? z.horizon : 1;
  for (int i = 0; i < stages * z.states * z.actions; i++) numbers[i] = draw(i, 6);
  write_reals(file, "reward", second ? 3 : 2, second ? extent : extent + 1, numbers);
  write_rows(file, "kernel", z, z.kernels, KERNEL);
  write_rows(file, "reward_mass", z, stages, second ? OF_ALL : OF_OWN);
  assert_true(H5LTset_attribute_int(file, "/", "horizon", &z.horizon, 1) >= 0);
}

/** What is optional: which actions are legal, a grid, names. */
static void write_options(hid_t file, sizes z) {
  static signed char legal[MOST_PAIRS];
  const int grid[2] = {10, z.states / 10};
  const hsize_t extent[2] = {(hsize_t)z.states, (hsize_t)z.actions}, two = 2;
  for (int i = 0; i < z.states * z.actions; i++)
    legal[i] = i % z.actions == i / z.actions % z.actions || draw(i, 7) < 0.7;
  assert_true(H5LTmake_dataset_char(file, "legal", 2, extent, (const char *)legal) >= 0);
  assert_true(H5LTmake_dataset_int(file, "axis_sizes", 1, &two, grid) >= 0);
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &two, NULL);
  H5Tset_size(type, 6);
  const hid_t names =
      H5Dcreate2(file, "axis_names", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(names, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, "row\0\0\0column") >= 0);
  H5Dclose(names);
  H5Sclose(space);
  H5Tclose(type);
}

void settings_write_tables(wal_node *component, bool second) {
  const sizes z = second ? (sizes){170, 4, 5, 4} : (sizes){7, 3, 4, 1};
  char path[64];
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  snprintf(path, sizeof path, "tables-%d-%d.h5", second, rank);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(file >= 0);
  write_numbers(file, z, second);
  if (second) write_options(file, z);
  H5Fclose(file);
  wal_node *name = wal_node_create(WAL_NODE_TEXT, 1);
  wal_node_set_text(name, path, strlen(path));
  wal_node_set_field(component, "file", name);
}
