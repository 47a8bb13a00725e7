// SPDX-License-Identifier: GPL-3.0-or-later
/* Regret of methods that learn from preferences, and the time they take.
 *
 *   transfer BANDIT SOURCES ROUNDS SEED SEEDS METHOD...
 *
 * as `transfer 'log_linear{}' 'mixtures{correlations={0.9,0.75,0.4,-0.5}}' 4000 1 20 'greedy{}'
 * 'tpo{}'`. Mean regret of so many seeds at some rounds; of each method over the first one's the
 * ratio of the means at rounds 500 and 1000, with an interval of 95 % from the paired differences;
 * the uses of arms; seconds of processor time a seed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/core/memory.h"
#include "tests/support/make_transfer.h"

enum { AT = 8, SEEDS = 1000 };
static const int64_t ROUND[AT] = {125, 250, 500, 1000, 2000, 4000, 8000, 16000};

typedef struct results {
  double regret[AT][SEEDS];
  double seconds, gap;
} results;

/* Ratio of means over those of `base`, half the interval in *half. */
static double ratio(int seeds, const double *x, const double *base, double *half) {
  double mean = 0, of_base = 0, square = 0;
  for (int i = 0; i < seeds; i++) {
    mean += x[i] / seeds;
    of_base += base[i] / seeds;
  }
  for (int i = 0; i < seeds; i++) {
    const double off = x[i] - mean / of_base * base[i];
    square += off * off;
  }
  *half = 2.09 * sqrt(square / (seeds - 1) / seeds) / of_base;
  return mean / of_base;
}

static wal_status measure(transfer_bench *b, const char *text, uint64_t seed, int seeds,
                          results *r) {
  wal_transfer *t = &b->transfer;
  wal_transfer_method *m = NULL;
  double *memory = NULL, uses[64] = {0};
  WAL_TRY(transfer_bench_method(b, text, &m));
  WAL_TRY(wal_acquire(b->c, "memory", wal_transfer_memory(t, m), sizeof *memory, &memory));
  for (int i = 0; i < seeds; i++) {
    WAL_TRY(wal_transfer_seed(t, seed + (uint64_t)i));
    const clock_t begun = clock();
    WAL_TRY(wal_transfer_begin(t, m, seed + (uint64_t)i, memory));
    for (int k = 0; k < AT && ROUND[k] <= t->plan.rounds; k++) {
      WAL_TRY(wal_transfer_run(t, m, seed + (uint64_t)i, ROUND[k], memory));
      r->regret[k][i] = wal_transfer_now(memory)[WAL_TRANSFER_REGRET];
    }
    WAL_TRY(wal_transfer_run(t, m, seed + (uint64_t)i, t->plan.rounds, memory));
    r->seconds += (double)(clock() - begun) / CLOCKS_PER_SEC / seeds;
    for (int64_t a = 0; a < t->arms && a < 64; a++)
      uses[a] += wal_transfer_now(memory)[WAL_TRANSFER_SUMS + a] / seeds;
    const double *final = wal_transfer_final(t, memory);
    double rate, gap;
    WAL_TRY(wal_transfer_win_rates(t, seed + (uint64_t)i, 1, &final, &rate, &gap));
    r->gap += gap / seeds;
  }
  printf("%-44s", text);
  for (int k = 0; k < AT && ROUND[k] <= t->plan.rounds; k++) {
    double mean = 0;
    for (int i = 0; i < seeds; i++) mean += r->regret[k][i] / seeds;
    printf(" %7.1f", mean);
  }
  printf("  %6.3f s  final %.4f  arms", r->seconds, r->gap);
  for (int64_t a = 0; a < t->arms; a++) printf(" %.0f", uses[a]);
  wal_release(b->c, &memory);
  wal_transfer_method_destroy(&m);
  return WAL_OK;
}

static wal_status compare(wal_ctx *ctx, int argc, char **argv) {
  const int seeds = atoi(argv[5]);
  const uint64_t seed = strtoull(argv[4], NULL, 10);
  transfer_bench b;
  results *all = calloc((size_t)argc, sizeof *all);
  if (seeds < 2 || seeds > SEEDS || !all) return wal_fail(ctx, WAL_EUSAGE, "2 to 1000 seeds");
  const transfer_setting setting = {.bandit = argv[1],
                                    .sources = argv[2][0] ? argv[2] : NULL,
                                    .rounds = strtoll(argv[3], NULL, 10),
                                    .refit = 50};
  WAL_TRY(transfer_bench_open(ctx, &setting, &b));
  double gap[64] = {0}, mean[64] = {0};
  for (int i = 0; i < seeds; i++) {
    WAL_TRY(wal_transfer_source_gaps(&b.transfer, seed + (uint64_t)i, gap));
    for (int64_t w = 0; w <= b.transfer.sources.count; w++) mean[w] += gap[w] / seeds;
  }
  printf("gaps of sources, reference:");
  for (int64_t w = 0; w <= b.transfer.sources.count; w++) printf(" %.3f", mean[w]);
  printf("; ridge %.3f\n", b.transfer.bandit.known.ridge);
  for (int i = 6; i < argc; i++) {
    WAL_TRY(measure(&b, argv[i], seed, seeds, &all[i]));
    double half, of;
    for (int k = 2; k < 4 && i > 6 && ROUND[k] <= setting.rounds; k++) {
      of = ratio(seeds, all[i].regret[k], all[6].regret[k], &half);
      printf("  @%lld: %.3f +- %.3f", (long long)ROUND[k], of, half);
    }
    printf("\n");
    fflush(stdout);
  }
  transfer_bench_close(&b);
  free(all);
  return WAL_OK;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 1;
  wal_status status = WAL_EUSAGE;
  if (argc >= 7) status = compare(ctx, argc, argv);
  if (status != WAL_OK)
    fprintf(stderr, "transfer BANDIT SOURCES ROUNDS SEED SEEDS METHOD...: %s\n",
            wal_ctx_error(ctx));
  wal_ctx_close(&ctx);
  return status == WAL_OK ? 0 : 1;
}
