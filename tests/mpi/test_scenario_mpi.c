// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L  // mkdtemp

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/scenario.h"
#include "tests/support/harness.h"

static const wal_param BEACH_PARAMS[] = {
    {.name = "states", .type = WAL_INTEGER, .number = 4, .low = 1, .high = 1000},
    {.name = "bar", .type = WAL_ARRAY, .rank = 1, .optional = true},
    {.name = NULL}};
static const wal_component BEACH = {.name = "beach_bar", .kind = "game", .params = BEACH_PARAMS};
static const wal_component *const ALL[] = {&BEACH};
static const wal_catalogue CATALOGUE = {.components = ALL, .count = 1};

static const char SOURCE[] =
    "local list = {}\n"
    "for k, v in pairs { b = 2, a = 1, c = 3 } do list[#list + 1] = v end\n"
    "return beach_bar { states = 7, bar = list }\n";

WAL_TEST_CTX(1)

// A file that is there for rank 0 only: the other ranks get a path that does not exist.
static void write_on_rank_0(const char *text, char path[64]) {
  bool written = true;
  if (wal_ctx_rank(ctx) == 0) {
    char folder[] = "/tmp/walras_scenario_XXXXXX";
    written = mkdtemp(folder) != NULL;
    snprintf(path, 64, "%s/s.lua", folder);
    FILE *file = written ? fopen(path, "wb") : NULL;
    written = file && fwrite(text, 1, strlen(text), file) == strlen(text);
    written = file && fclose(file) == 0 && written;
  } else {
    snprintf(path, 64, "/nowhere/at/all/s.lua");
  }
  WAL_ASSERT_ALL(ctx, written);
}

static void remove_on_rank_0(char path[64]) {
  if (wal_ctx_rank(ctx) != 0) return;
  unlink(path);
  *strrchr(path, '/') = '\0';
  rmdir(path);
}

static bool same_text_everywhere(const char *text) {
  char first[1024] = "";
  snprintf(first, sizeof first, "%s", text);
  MPI_Bcast(first, sizeof first, MPI_CHAR, 0, wal_ctx_comm(ctx));
  return strcmp(first, text) == 0;
}

static void only_rank_0_reads(void **state) {
  (void)state;
  char path[64];
  wal_scenario *scenario = NULL;
  write_on_rank_0(SOURCE, path);
  wal_status status = wal_scenario_load(ctx, path, &CATALOGUE, &scenario);
  remove_on_rank_0(path);
  WAL_ASSERT_ALL(ctx, status == WAL_OK);
  const wal_node *root = wal_scenario_root(scenario);
  const wal_node *bar = wal_node_field(root, "bar");
  WAL_ASSERT_ALL(ctx, wal_node_field(root, "states")->number == 7);
  WAL_ASSERT_ALL(ctx, bar && bar->count == 3 && bar->numbers[0] == 1 && bar->numbers[2] == 3);
  WAL_ASSERT_ALL(ctx, strcmp(wal_scenario_source(scenario), SOURCE) == 0);
  wal_status overridden = wal_scenario_override(ctx, scenario, "states=#'four'");
  WAL_ASSERT_ALL(ctx, overridden == WAL_OK && wal_node_field(root, "states")->number == 4);
  wal_scenario_destroy(&scenario);
}

static void a_missing_file_is_missing_everywhere(void **state) {
  (void)state;
  wal_scenario *scenario = NULL;
  wal_status status = wal_scenario_load(ctx, "/nowhere/s.lua", &CATALOGUE, &scenario);
  WAL_ASSERT_ALL(ctx, status == WAL_ENOTFOUND && scenario == NULL);
  WAL_ASSERT_ALL(ctx, same_text_everywhere(wal_ctx_error(ctx)));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "/nowhere/s.lua: no such file");
}

static void errors_are_the_same_everywhere(void **state) {
  (void)state;
  static const char *const TEXTS[] = {"", "\n\nreturn beach_baar{}", "return {"};
  for (int i = 0; i < 3; i++) {
    char path[64];
    wal_scenario *scenario = NULL;
    write_on_rank_0(TEXTS[i], path);
    wal_status status = wal_scenario_load(ctx, path, &CATALOGUE, &scenario);
    remove_on_rank_0(path);
    WAL_ASSERT_ALL(ctx, status == WAL_EINPUT && scenario == NULL);
    WAL_ASSERT_ALL(ctx, same_text_everywhere(wal_ctx_error(ctx)));
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "s.lua:");
  }
}

// Ranks that were given different catalogues see different things behind the same name.
static void ranks_that_disagree_are_noticed(void **state) {
  (void)state;
  static const wal_component SEA = {.name = "sea", .kind = "game"};
  static const wal_component *const OTHER[] = {&BEACH, &SEA};
  static const wal_catalogue OTHER_CATALOGUE = {.components = OTHER, .count = 2};
  bool last = wal_ctx_rank(ctx) + 1 == wal_ctx_size(ctx);
  bool several = wal_ctx_size(ctx) > 1;
  char path[64];
  wal_scenario *scenario = NULL;
  write_on_rank_0("return beach_bar { states = rawget(_G, 'sea') and 1 or 2 }", path);
  wal_status status = wal_scenario_load(ctx, path, last ? &OTHER_CATALOGUE : &CATALOGUE, &scenario);
  remove_on_rank_0(path);
  WAL_ASSERT_ALL(ctx, status == (several ? WAL_EINPUT : WAL_OK));
  WAL_ASSERT_ALL(ctx, (scenario == NULL) == several);
  if (several) WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "its values differ between ranks");
  wal_scenario_destroy(&scenario);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_rank_0_reads),
      cmocka_unit_test(a_missing_file_is_missing_everywhere),
      cmocka_unit_test(errors_are_the_same_everywhere),
      cmocka_unit_test(ranks_that_disagree_are_noticed),
  };
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
