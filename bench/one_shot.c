// SPDX-License-Identifier: GPL-3.0-or-later
/* Times one-shot auctions on one core: bidder-draws a second, the median of some runs.
 *
 *   one_shot FIELDS SAMPLES REPEATS
 *
 * FIELDS are those of one_shot_auction{...}, as "format='all_pay', bidders=10". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auctions/one_shot_simulate.h"
#include "cli/catalogue.h"
#include "io/scenario.h"

enum { MOST = 99 };

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static wal_status measure(wal_ctx *ctx, const char *fields, int64_t samples, int repeats) {
  wal_scenario *scenario = NULL;
  wal_params *params = NULL;
  wal_one_shot auction = {0};
  wal_one_shot_result result;
  double seconds[MOST];
  char text[1024];
  snprintf(text, sizeof text, "return one_shot_auction { %s }", fields);
  wal_status status =
      wal_scenario_parse(ctx, "bench", text, strlen(text), wal_catalogue_all(), &scenario);
  if (status == WAL_OK)
    status = wal_params_resolve(ctx, "bench", &wal_one_shot_component, wal_scenario_root(scenario),
                                wal_catalogue_all(), &params);
  if (status == WAL_OK) status = wal_one_shot_create(ctx, params, &auction);
  for (int i = 0; i < repeats && status == WAL_OK; i++) {
    status = wal_one_shot_simulate(ctx, &auction, samples, NULL, NULL, &result);
    seconds[i] = result.seconds;
  }
  if (status == WAL_OK) {
    qsort(seconds, (size_t)repeats, sizeof *seconds, by_size);
    const double draws = (double)samples * (double)auction.bidders;
    printf("one_shot_auction{%s}, %lld samples: %.0f million draws a second\n", fields,
           (long long)samples, draws / seconds[repeats / 2] / 1e6);
  }
  wal_one_shot_destroy(ctx, &auction);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
  return status;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 1;
  wal_status status = WAL_EUSAGE;
  const int repeats = argc == 4 ? atoi(argv[3]) : 0;
  if (repeats > 0 && repeats <= MOST)
    status = measure(ctx, argv[1], strtoll(argv[2], NULL, 10), repeats);
  if (status != WAL_OK)
    fprintf(stderr, "one_shot FIELDS SAMPLES REPEATS: %s\n", wal_ctx_error(ctx));
  wal_ctx_close(&ctx);
  return status != WAL_OK;
}
