// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

/* The size of a solve's run file, told before the solve, against the file. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/catalogue.h"
#include "cli/solve_file.h"
#include "games/game_list.h"
#include "tests/support/harness.h"

static wal_ctx *ctx;
static char folder[64], scenario[96], output[96];

static int set_up(void **state) {
  (void)state;
  ctx = wal_test_ctx(1);
  snprintf(folder, sizeof folder, "solve-file-XXXXXX");
  int made = wal_ctx_rank(ctx) != 0 || mkdtemp(folder) != NULL;
  MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, wal_ctx_comm(ctx));
  snprintf(scenario, sizeof scenario, "%s/s.lua", folder);
  snprintf(output, sizeof output, "%s/s.h5", folder);
  return made ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  MPI_Barrier(wal_ctx_comm(ctx));
  if (wal_ctx_rank(ctx) == 0) {
    unlink(scenario);
    unlink(output);
    rmdir(folder);
  }
  wal_ctx_destroy(&ctx);
  return 0;
}

static void put_scenario(const char *text) {
  if (wal_ctx_rank(ctx) == 0) {
    FILE *out = fopen(scenario, "w");
    if (out) {
      fputs(text, out);
      fclose(out);
    }
  }
  MPI_Barrier(wal_ctx_comm(ctx));
}

/** Plans a solve, does it, and gives both sizes. */
static wal_status plan_and_solve(wal_job *job, double *planned, double *size) {
  const wal_node *root = NULL;
  wal_game game = {0};
  WAL_TRY(wal_scenario_load(ctx, scenario, wal_catalogue_all(), &job->scenario));
  root = wal_scenario_root(job->scenario);
  const wal_task_type *type = wal_task_find(root->text);
  WAL_TRY_ALL(ctx, wal_params_resolve(ctx, scenario, &type->component, root, wal_catalogue_all(),
                                      &job->params));
  wal_params *of_game = wal_params_child(job->params, "game");
  const char *name = wal_params_component(of_game)->name;
  wal_status status = wal_agree(ctx, wal_game_create(ctx, wal_game_find(name), of_game, &game));
  if (status == WAL_OK) status = wal_solve_file_plan(job, &game, planned);
  wal_game_destroy(ctx, &game);
  WAL_TRY(status);
  status = type->run(job);
  struct stat info;
  if (wal_ctx_rank(ctx) == 0) *size = stat(output, &info) == 0 ? (double)info.st_size : -1;
  MPI_Bcast(size, 1, MPI_DOUBLE, 0, wal_ctx_comm(ctx));
  return status;
}

static void sizes_are_known_beforehand(void **state) {
  (void)state;
  static const char *const SCENARIOS[] = {
      "return solve { game = crowd_motion {}, stop = { iterations = 20 } }",
      "return solve { game = predator_prey {}, stop = { iterations = 50, every = 7 },"
      "  learner = mirror_descent { entropy = 0.1 } }",
      "return solve { game = rock_paper_scissors {}, stop = { iterations = 9000 } }",
      "return solve { game = crowd_motion { rows = 110, columns = 150, horizon = 3 },"
      "  stop = { iterations = 2 } }",
      "return solve { game = crowd_motion { rows = 110, columns = 150, horizon = 3 },"
      "  stop = { iterations = 2 }, store = { value = false, precision = 'single' } }",
      "return solve { game = beach_bar {}, stop = { iterations = 3 },"
      "  store = { policy = false, mean_field = false, value = false } }"};
  for (size_t i = 0; i < sizeof SCENARIOS / sizeof *SCENARIOS; i++) {
    const wal_options options = {.force = true, .quiet = true};
    wal_job job = {.ctx = ctx, .options = &options, .output = output, .command_line = "a test"};
    double planned = 0, size = 0;
    put_scenario(SCENARIOS[i]);
    WAL_ASSERT_OK(ctx, plan_and_solve(&job, &planned, &size));
    wal_params_destroy(&job.params);
    wal_scenario_destroy(&job.scenario);
    if (wal_ctx_rank(ctx) == 0)
      print_message("planned %.0f bytes, written %.0f: %+.2f%%\n", planned, size,
                    100 * (planned / size - 1));
    WAL_ASSERT_ALL(ctx, size > 8000 && planned > 0.97 * size && planned < 1.03 * size);
  }
}

/** 10^10 numbers and 10^9 rows of the trace: nothing of that size is made. */
static void sizes_of_what_fits_nowhere_are_known(void **state) {
  (void)state;
  const wal_options options = {0};
  wal_job job = {.ctx = ctx, .options = &options, .output = output, .command_line = "a test"};
  const int64_t before = wal_ctx_memory(ctx);
  wal_game game = {0};
  double planned = 0;
  put_scenario(
      "return solve { game = crowd_motion { rows = 4000, columns = 4000, horizon = 100 },"
      "  stop = { iterations = 1000000000 } }");
  WAL_ASSERT_OK(ctx, wal_scenario_load(ctx, scenario, wal_catalogue_all(), &job.scenario));
  const wal_node *root = wal_scenario_root(job.scenario);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, scenario, &wal_task_find("solve")->component, root,
                                        wal_catalogue_all(), &job.params));
  wal_params *of_game = wal_params_child(job.params, "game");
  WAL_ASSERT_OK(ctx, wal_game_create(ctx, wal_game_find("crowd_motion"), of_game, &game));
  WAL_ASSERT_OK(ctx, wal_solve_file_plan(&job, &game, &planned));
  const int64_t peak = wal_ctx_peak_memory(ctx);
  wal_game_destroy(ctx, &game);
  wal_params_destroy(&job.params);
  wal_scenario_destroy(&job.scenario);
  const double states = 16e6, rows = 1e9 + 1;
  const double expected = 8 * (100 * states * (5 + 2) + 3 * states + 6 * rows);
  print_message("planned %.4g bytes, arrays %.4g\n", planned, expected);
  WAL_ASSERT_ALL(ctx, planned > expected && planned < 1.01 * expected);
  WAL_ASSERT_ALL(ctx, peak - before < 64 << 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(sizes_are_known_beforehand, set_up, tear_down),
    cmocka_unit_test_setup_teardown(sizes_of_what_fits_nowhere_are_known, set_up, tear_down),
};

WAL_TEST_MAIN(tests)
