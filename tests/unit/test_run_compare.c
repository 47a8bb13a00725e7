// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/run_compare.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/run_describe.h"
#include "io/run_file.h"
#include "tests/support/harness.h"

static wal_ctx *ctx;
static char folder[32], path_a[64], path_b[64];

static int set_up(void **state) {
  (void)state;
  ctx = wal_test_ctx(1);
  snprintf(folder, sizeof folder, "run-compare-XXXXXX");
  if (!mkdtemp(folder)) return -1;
  snprintf(path_a, sizeof path_a, "%s/a.h5", folder);
  snprintf(path_b, sizeof path_b, "%s/b.h5", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  remove(path_a);
  remove(path_b);
  rmdir(folder);
  wal_ctx_destroy(&ctx);
  return 0;
}

/* ---- two files that differ in what a test says ---- */

typedef struct content {
  int64_t seed;
  bool seed_is_text, no_task, other_task, extra, other_scale, other_run, flat, column;
  wal_stored stored;
  const char *label;
  double value;     /**< of /solution/policy[0,3,1] */
  double value_far; /**< of /zone/large[1,20000] */
  double trace;     /**< of /trace/exploitability[1] */
} content;

static const content USUAL = {
    .seed = 1, .label = "left", .value = 0.25, .value_far = 4, .trace = NAN};

static void fill_large(void *user, int64_t i, double *out) {
  const content *c = user;
  for (int64_t k = 0; k < 40000; k++) out[k] = (double)k;
  if (i == 1) out[20000] = c->value_far;
}

static wal_dataset dataset(const char *path, const char *long_name, int rank, int64_t e0,
                           int64_t e1, int64_t e2) {
  return (wal_dataset){
      .path = path, .units = "1", .long_name = long_name, .rank = rank, .extent = {e0, e1, e2}};
}

static wal_status write_axes(wal_run_file *file, const content *c) {
  const int64_t numbers[5] = {0, 1, 2, 3, 4};
  const char *labels[2] = {c->label, "right"};
  WAL_TRY(wal_run_file_group(file, "/axes"));
  wal_dataset d = dataset("/axes/state", "state", 1, 5, 0, 0);
  d.is_scale = true;
  WAL_TRY(wal_run_file_integers(file, &d, numbers));
  d.path = "/axes/place";
  WAL_TRY(wal_run_file_integers(file, &d, numbers));
  d = dataset("/axes/action", "action", 1, 2, 0, 0);
  d.is_scale = true;
  return wal_run_file_texts(file, &d, labels);
}

static wal_status write_solution(wal_run_file *file, const content *c) {
  double policy[40] = {0};
  for (int i = 0; i < 20; i++) policy[i] = 0.5 + i;
  policy[7] = c->value;
  WAL_TRY(wal_run_file_group(file, "/solution"));
  wal_dataset d = dataset("/solution/policy", "probability of the action", 3, 2, 5, 2);
  if (c->flat) d = dataset("/solution/policy", "probability of the action", 2, 4, 5, 0);
  d.stored = c->stored;
  if (!c->flat) {
    d.scale[1] = c->other_scale ? "/axes/place" : "/axes/state";
    d.scale[2] = "/axes/action";
  }
  WAL_TRY(wal_run_file_reals(file, &d, policy));
  return wal_run_file_link(file, "/axes/state", "/solution/state");
}

static wal_status write_rest(wal_run_file *file, const content *c) {
  const double trace[3] = {-0.0, c->trace, 0.125};
  const double clock = c->other_run ? 2 : 1;
  wal_dataset d = dataset("/trace/exploitability", "exploitability", 1, 3, 0, 0);
  WAL_TRY(wal_run_file_group(file, "/trace"));
  WAL_TRY(wal_run_file_reals(file, &d, trace));
  if (c->column) {
    d.path = "/trace/column";
    WAL_TRY(wal_run_file_reals(file, &d, trace));
  }
  WAL_TRY(wal_run_file_group(file, "/zone"));
  d = dataset("/zone/large", "large", 2, 3, 40000, 0);
  content copy = *c;
  WAL_TRY(wal_run_file_spread(file, &d, 1, 0, 40000, fill_large, &copy));
  WAL_TRY(wal_run_file_group(file, "/run"));
  d = dataset("/run/clock", "clock", 0, 0, 0, 0);
  WAL_TRY(wal_run_file_reals(file, &d, &clock));
  if (c->other_run) WAL_TRY(wal_run_file_attribute_text(file, "/run", "host", "elsewhere"));
  if (c->extra) WAL_TRY(wal_run_file_group(file, "/extra"));
  if (!c->no_task)
    WAL_TRY(wal_run_file_attribute_text(file, "/", "task", c->other_task ? "design" : "solve"));
  return c->seed_is_text ? wal_run_file_attribute_text(file, "/", "seed", "1")
                         : wal_run_file_attribute_integer(file, "/", "seed", c->seed);
}

static void write_file(const char *path, const content *c) {
  wal_run_file *file = NULL;
  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, path, true, &file));
  WAL_ASSERT_OK(ctx, write_axes(file, c));
  WAL_ASSERT_OK(ctx, write_solution(file, c));
  WAL_ASSERT_OK(ctx, write_rest(file, c));
  WAL_ASSERT_OK(ctx, wal_run_file_commit(&file));
}

/** Compares the usual file with one that holds `other`. */
static wal_run_comparison compare(const content *other) {
  wal_run_comparison result;
  write_file(path_a, &USUAL);
  write_file(path_b, other);
  WAL_ASSERT_OK(ctx, wal_run_compare(ctx, path_a, path_b, &result));
  return result;
}

static void expect(const content *other, int64_t differing, const char *first,
                   const char *largest) {
  wal_run_comparison r = compare(other);
  assert_string_equal(r.first, first);
  assert_string_equal(r.largest, largest);
  assert_int_equal(r.differing, differing);
  // Outside /run: three axes, one of them twice, policy, trace, large.
  assert_int_equal(r.datasets, 7);
}

/* ---- tests of wal_run_compare() ---- */

static void equal_files_are_equal(void **state) {
  (void)state;
  expect(&USUAL, 0, "", "");
  content c = USUAL;
  c.other_run = true;  // may differ
  expect(&c, 0, "", "");
}

static void values_are_compared_bit_by_bit(void **state) {
  (void)state;
  content c = USUAL;
  c.value = 0.5;
  expect(&c, 1, "/solution/policy[0,3,1]: 0.25 against 0.5",
         "/solution/policy[0,3,1]: 0.25 against 0.5");
  c.value = nextafter(0.25, 1);
  expect(&c, 1, "/solution/policy[0,3,1]: 0.25 against 0.25000000000000006",
         "/solution/policy[0,3,1]: 0.25 against 0.25000000000000006");
  c = USUAL;
  c.trace = -NAN;
  wal_run_comparison r = compare(&c);
  assert_int_equal(r.differing, 1);
  c.trace = 3;
  r = compare(&c);
  WAL_ASSERT_CONTAINS(r.largest, "/trace/exploitability[1]: ");
  WAL_ASSERT_CONTAINS(r.largest, "nan against 3");
  assert_true(isinf(r.largest_difference));
}

static void the_first_and_the_largest_are_told(void **state) {
  (void)state;
  content c = USUAL;
  c.value = 0.5;
  c.value_far = -100;
  expect(&c, 2, "/solution/policy[0,3,1]: 0.25 against 0.5",
         "/zone/large[1,20000]: 4 against -100");
  wal_run_comparison r = compare(&c);
  assert_true(r.largest_difference == 104);
  c.value = 1000.25;
  r = compare(&c);
  assert_string_equal(r.largest, "/solution/policy[0,3,1]: 0.25 against 1000.25");
  assert_true(r.largest_difference == 1000);
}

static void texts_are_compared(void **state) {
  (void)state;
  content c = USUAL;
  c.label = "lift";
  expect(&c, 1, "/axes/action[0]: \"left\" against \"lift\"", "");
  char text[400];
  memset(text, 'x', sizeof text);
  text[200] = '\n';
  text[399] = '\0';
  content d = USUAL;
  d.label = text;
  write_file(path_a, &d);
  char other[400];
  memcpy(other, text, sizeof other);
  other[210] = 'y';
  d.label = other;
  write_file(path_b, &d);
  wal_run_comparison r;
  WAL_ASSERT_OK(ctx, wal_run_compare(ctx, path_a, path_b, &r));
  WAL_ASSERT_CONTAINS(r.first, "/axes/action[0]: \"...xx xxxxxxxxxx");
  WAL_ASSERT_CONTAINS(r.first, "against \"...xx xxxxxxxxxyx");
  assert_null(strchr(r.first, '\n'));
}

static void attributes_are_compared(void **state) {
  (void)state;
  content c = USUAL;
  c.seed = 2;
  expect(&c, 1, "/: attribute seed: 1 against 2", "");
  c = USUAL;
  c.seed_is_text = true;
  expect(&c, 1, "/: attribute seed: type i64 against text", "");
  c = USUAL;
  c.no_task = true;
  expect(&c, 1, "/: attribute task: only in A", "");
  c = USUAL;
  c.other_task = true;
  expect(&c, 1, "/: attribute task: solve against design", "");
  c = USUAL;
  c.other_scale = true;
  expect(&c, 1,
         "/solution/policy: attribute DIMENSION_LIST: [, /axes/state, /axes/action] against "
         "[, /axes/place, /axes/action]",
         "");
}

static void names_types_and_shapes_are_compared(void **state) {
  (void)state;
  content c = USUAL;
  c.extra = true;
  expect(&c, 1, "only in B: /extra", "");
  c = USUAL;
  c.column = true;
  write_file(path_a, &c);
  write_file(path_b, &USUAL);
  wal_run_comparison r;
  WAL_ASSERT_OK(ctx, wal_run_compare(ctx, path_a, path_b, &r));
  assert_string_equal(r.first, "only in A: /trace/column");
  assert_int_equal(r.differing, 1);
  c = USUAL;
  c.stored = WAL_STORED_SINGLE;
  expect(&c, 1, "/solution/policy: type f64 against f32", "");
  c = USUAL;
  c.flat = true;
  expect(&c, 1, "/solution/policy: shape [2,5,2] against [4,5]", "");
}

static void put_bytes(const char *path, const char *bytes, size_t size) {
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(bytes, 1, size, out), size);
  fclose(out);
}

static void what_is_no_run_file_is_refused(void **state) {
  (void)state;
  wal_run_comparison r;
  write_file(path_a, &USUAL);
  WAL_ASSERT_STATUS(ctx, WAL_ENOTFOUND, wal_run_compare(ctx, path_a, path_b, &r));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "b.h5: no such file");
  WAL_ASSERT_STATUS(ctx, WAL_ENOTFOUND, wal_run_describe(ctx, path_b, stdout));
  put_bytes(path_b, "", 0);
  WAL_ASSERT_STATUS(ctx, WAL_EIO, wal_run_compare(ctx, path_a, path_b, &r));
  put_bytes(path_b, "return solve { game = beach_bar { states = 100 } }", 50);
  WAL_ASSERT_STATUS(ctx, WAL_EIO, wal_run_compare(ctx, path_b, path_a, &r));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "b.h5: not a walras run file");
  WAL_ASSERT_STATUS(ctx, WAL_EIO, wal_run_compare(ctx, path_a, folder, &r));
  hid_t file = H5Fcreate(path_b, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  WAL_ASSERT_STATUS(ctx, WAL_EIO, wal_run_compare(ctx, path_a, path_b, &r));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "b.h5: not a walras run file");
}

static char *slurp(const char *path, size_t *size) {
  FILE *in = fopen(path, "rb");
  assert_non_null(in);
  fseek(in, 0, SEEK_END);
  *size = (size_t)ftell(in);
  rewind(in);
  char *bytes = malloc(*size);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *size, in), *size);
  fclose(in);
  return bytes;
}

/** A damaged file must be told from the good one, without a crash. */
static void expect_damage(FILE *nowhere) {
  wal_run_comparison r;
  WAL_ASSERT_STATUS(ctx, WAL_EIO, wal_run_compare(ctx, path_a, path_b, &r));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "b.h5: ");
  wal_status status = wal_run_describe(ctx, path_b, nowhere);
  assert_true(status == WAL_OK || status == WAL_EIO);
}

static void damaged_files_are_refused(void **state) {
  (void)state;
  write_file(path_a, &USUAL);
  size_t size = 0;
  char *bytes = slurp(path_a, &size);
  FILE *nowhere = fopen("/dev/null", "w");
  assert_non_null(nowhere);
  for (size_t i = 0; i < 20; i++) {
    put_bytes(path_b, bytes, i == 19 ? size - 1 : size * i / 19);
    expect_damage(nowhere);
  }
  // Every part of the file: headers, heaps, small arrays, chunks, seal.
  for (size_t at = 0; at < size; at += at < 20000 ? 97 : 9973) {
    bytes[at] = (char)(bytes[at] ^ 0x40);
    put_bytes(path_b, bytes, size);
    bytes[at] = (char)(bytes[at] ^ 0x40);
    expect_damage(nowhere);
  }
  // A chunk: the dataset is named.
  double wanted = 12345;
  size_t at = 0;
  while (memcmp(bytes + at, &wanted, sizeof wanted) != 0) at++;
  bytes[at + 2] = (char)(bytes[at + 2] ^ 1);
  put_bytes(path_b, bytes, size);
  expect_damage(nowhere);
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "b.h5: /zone/large: cannot be read: ");
  fclose(nowhere);
  free(bytes);
}

/** Other programs that change a file cut the seal off; what they leave is read. */
static void files_changed_by_others_are_read(void **state) {
  (void)state;
  write_file(path_a, &USUAL);
  write_file(path_b, &USUAL);
  hid_t file = H5Fopen(path_b, H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t policy = H5Dopen2(file, "/solution/policy", H5P_DEFAULT);
  double values[20];
  H5Dread(policy, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  values[19] = 0;
  H5Dwrite(policy, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(policy);
  H5Fclose(file);
  wal_run_comparison r;
  WAL_ASSERT_OK(ctx, wal_run_compare(ctx, path_a, path_b, &r));
  assert_string_equal(r.first, "/solution/policy[1,4,1]: 19.5 against 0");
}

/* ---- tests of wal_run_describe() ---- */

static void a_file_is_described(void **state) {
  (void)state;
  write_file(path_a, &USUAL);
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  wal_status status = wal_run_describe(ctx, path_a, out);
  fclose(out);
  WAL_ASSERT_OK(ctx, status);
  WAL_ASSERT_CONTAINS(text, "walras run file, format 1, written by walras ");
  WAL_ASSERT_CONTAINS(text, ", complete\n");
  WAL_ASSERT_CONTAINS(text, "task     solve\n");
  WAL_ASSERT_CONTAINS(text, "seed     1\n");
  WAL_ASSERT_CONTAINS(text, "\n/solution  with state\n");
  WAL_ASSERT_CONTAINS(text,
                      "/solution/policy       [2, 5 state, 2 action]  f64   1  "
                      "probability of the action\n");
  WAL_ASSERT_CONTAINS(text, "exploitability  last 0.125\n");
  WAL_ASSERT_CONTAINS(text, "/axes/action           [2]                     text  1  action\n");
  WAL_ASSERT_CONTAINS(text, "/run/clock             scalar ");
  int lines = 0;
  for (const char *c = text; *c; c++) lines += *c == '\n';
  assert_int_equal(lines, 3 + 5 + 7);
  free(text);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test_setup_teardown(equal_files_are_equal, set_up, tear_down),
    cmocka_unit_test_setup_teardown(values_are_compared_bit_by_bit, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_first_and_the_largest_are_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown(texts_are_compared, set_up, tear_down),
    cmocka_unit_test_setup_teardown(attributes_are_compared, set_up, tear_down),
    cmocka_unit_test_setup_teardown(names_types_and_shapes_are_compared, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_run_file_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(damaged_files_are_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(files_changed_by_others_are_read, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_file_is_described, set_up, tear_down),
};

WAL_TEST_MAIN(TESTS)
