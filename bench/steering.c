// SPDX-License-Identifier: GPL-3.0-or-later
/* How long an episode of steering takes: bench_steering [states horizon episodes mediator]. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/make_steer.h"

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  wal_ctx_open(&argc, &argv, 1, &ctx);
  const steer_setting setting = {.states = argc > 1 ? atoll(argv[1]) : 8,
                                 .horizon = argc > 2 ? atoi(argv[2]) : 8,
                                 .episodes = argc > 3 ? atoll(argv[3]) : 25600,
                                 .trajectories = 10};
  steer_bench bench;
  steer_bench_open(ctx, &setting, &bench);
  wal_mediator *m =
      steer_mediator(ctx, &bench, wal_test_component(argc > 4 ? argv[4] : "optimistic"));
  double *memory = calloc((size_t)wal_steering_memory(&bench.steering, m), sizeof *memory);
  wal_steering_begin(&bench.steering, m, memory);
  const clock_t began = clock();
  WAL_ASSERT_OK(ctx, wal_steering_run(&bench.steering, m, 1, setting.episodes, memory));
  const double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
  const double *sums = wal_steering_sums(memory, bench.steering.points - 1);
  printf("%lld states, %d stages, %lld episodes: %.3f s, %.2f us an episode\n",
         (long long)setting.states, setting.horizon, (long long)setting.episodes, seconds,
         1e6 * seconds / (double)setting.episodes);
  printf(
      "  gap %g, cost %g, C* %g, excess %g, running %g, A %g, violations %g, payments %g .. %g\n",
      sums[WAL_STEER_GAP], sums[WAL_STEER_COST], bench.steering.target.cheapest,
      sums[WAL_STEER_COST] - (double)setting.episodes * bench.steering.target.cheapest,
      sums[WAL_STEER_COST] - sums[WAL_STEER_EXPLOITABILITY], sums[WAL_STEER_OVERPAYMENT],
      sums[WAL_STEER_VIOLATIONS], sums[WAL_STEER_LEAST], sums[WAL_STEER_LARGEST]);
  free(memory);
  wal_mediator_destroy(&m);
  steer_bench_close(&bench);
  wal_ctx_close(&ctx);
  return 0;
}
