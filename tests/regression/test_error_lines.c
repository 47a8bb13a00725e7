// SPDX-License-Identifier: GPL-3.0-or-later
/* Found by fuzzing: error texts and descriptions took names from scenarios and files as they were,
 * line breaks and terminal codes included. Every text is one line without control characters. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/run_describe.h"
#include "io/run_file.h"
#include "io/scenario.h"
#include "tests/support/harness.h"

static const char ODD[] = "line\nbreak\x1b[31m";

static const wal_component SOLVE = {.name = "solve", .kind = "task"};
static const wal_component *const ALL[] = {&SOLVE};
static const wal_catalogue CATALOGUE = {.components = ALL, .count = 1};

static bool is_one_line(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 127) return false;
  return true;
}

static void errors_are_one_line(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  wal_scenario *scenario = NULL;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_fail(ctx, WAL_EINPUT, "unknown name %s", ODD));
  assert_string_equal(wal_ctx_error(ctx), "unknown name line break [31m");
  WAL_ASSERT_OK(ctx,
                wal_scenario_parse(ctx, "a.json", "{\"solve\": {}}", 13, &CATALOGUE, &scenario));
  assert_int_not_equal(wal_scenario_override(ctx, scenario, "a\nb.c=return }"), WAL_OK);
  assert_true(is_one_line(wal_ctx_error(ctx)));
  wal_scenario_destroy(&scenario);
  wal_ctx_destroy(&ctx);
}

static void descriptions_keep_their_lines(void **state) {
  (void)state;
  static const char PATH[] = "error-lines.h5";
  wal_ctx *ctx = wal_test_ctx(1);
  wal_run_file *run = NULL;
  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, PATH, true, &run));
  WAL_ASSERT_OK(ctx, wal_run_file_group(run, "/trace"));
  WAL_ASSERT_OK(ctx, wal_run_file_commit(&run));
  const hid_t file = H5Fopen(PATH, H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(file, ODD, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t made =
      H5Dcreate2(group, ODD, H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t attribute = H5Acreate2(group, ODD, H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(made >= 0 && attribute >= 0);
  H5Aclose(attribute);
  H5Dclose(made);
  H5Sclose(space);
  H5Gclose(group);
  H5Fclose(file);
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  WAL_ASSERT_OK(ctx, wal_run_describe(ctx, PATH, out));
  fclose(out);
  assert_non_null(strstr(text, "/line break [31m"));
  for (char *c = text; *c; c++)
    if (*c == '\n') *c = ' ';
  assert_true(is_one_line(text));
  free(text);
  remove(PATH);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_one_line),
                                          cmocka_unit_test(descriptions_keep_their_lines)};

WAL_TEST_MAIN(tests)
