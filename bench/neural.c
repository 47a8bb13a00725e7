// SPDX-License-Identifier: GPL-3.0-or-later
/* Times what the adjoint of an auction is made of, on one core: an answer of the neural mechanism,
 * its derivatives, and the derivatives of a stage and of its bid masses. Microseconds, the least of
 * some runs.
 *
 *   neural [HIDDEN [LEVELS [REPEATS]]] */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auctions/batched_auction.h"
#include "cli/catalogue.h"
#include "io/scenario.h"
#include "sim/core/memory.h"

enum { CALLS = 300, STAGES = 4 };

/* Of the process: others on the machine do not count. */
static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct bench {
  const wal_game *game;
  const wal_mechanism *mechanism;
  int states, bids;
  double *mass, *policy, *reward_bar, *statistic, *bars; /* z_h and bars of all stages */
  double *mass_bar, *policy_bar, *parameters_bar;
} bench;

static wal_round round_of(const bench *b, int stage) {
  const int64_t numbers = wal_game_statistics(b->game);
  return (wal_round){.round = stage, .left = 0.5, .bid_mass = b->statistic + stage * numbers};
}

static void answer(const bench *b, int stage) {
  const int64_t numbers = wal_game_statistics(b->game);
  const wal_round round = round_of(b, stage);
  wal_answer out = {.payment = b->statistic + stage * numbers + PAYMENT * b->bids};
  wal_mechanism_answer(b->mechanism, &round, &out);
  b->statistic[stage * numbers + ROWS * b->bids + GOODS] = out.goods;
}

static void answer_vjp(const bench *b, int stage) {
  const int64_t numbers = wal_game_statistics(b->game);
  double *z = b->statistic + stage * numbers, *bar = b->bars + stage * numbers;
  const wal_round round = round_of(b, stage);
  const wal_answer out = {.goods = z[ROWS * b->bids + GOODS], .payment = z + PAYMENT * b->bids};
  const wal_answer_bar out_bar = {.goods = 1, .payment = bar + PAYMENT * b->bids};
  wal_round_bar round_bar = {.bid_mass = bar};
  b->mechanism->type->answer_vjp(b->mechanism->self, &round, &out, &out_bar, &round_bar,
                                 b->parameters_bar);
}

/* As above, but the answer has to be found again. */
static void answer_vjp_anew(const bench *b, int stage) {
  b->statistic[stage * wal_game_statistics(b->game) + 1] *= 1 + 1e-15;
  answer_vjp(b, stage);
}

static void settle_vjp(const bench *b, int stage) {
  b->game->type->settle_vjp(b->game->self, stage, b->statistic, b->bars, b->parameters_bar);
}

static void stage_vjp_slab(const bench *b, int stage, int64_t first, int64_t count) {
  const int64_t numbers = wal_game_statistics(b->game), block = first * b->bids;
  const wal_slab slab = {stage, first, count, count};
  b->game->type->stage_vjp(b->game->self, &slab, b->mass + first, b->policy + block,
                           b->statistic + stage * numbers, b->reward_bar + block, NULL, NULL, NULL,
                           b->bars + stage * numbers);
}

static void stage_vjp(const bench *b, int stage) { stage_vjp_slab(b, stage, 0, b->states); }

/* In slabs of eight states, as a sweep has them where there are many actions. */
static void stage_vjp_eights(const bench *b, int stage) {
  for (int64_t s = 0; s + 8 <= b->states; s += 8) stage_vjp_slab(b, stage, s, 8);
}

static void couple_vjp_slab(const bench *b, int stage, int64_t first, int64_t count) {
  const int64_t block = first * b->bids;
  const wal_slab slab = {stage, first, count, count};
  b->game->type->couple_vjp(b->game->self, &slab, b->mass + first, b->policy + block,
                            b->bars + stage * wal_game_statistics(b->game), b->mass_bar + first,
                            b->policy_bar + block);
}

static void couple_vjp(const bench *b, int stage) { couple_vjp_slab(b, stage, 0, b->states); }

static void couple_vjp_eights(const bench *b, int stage) {
  for (int64_t s = 0; s + 8 <= b->states; s += 8) couple_vjp_slab(b, stage, s, 8);
}

static void time_of(const char *name, const bench *b, void (*call)(const bench *b, int stage),
                    int repeats) {
  double least = 1e9;
  for (int r = 0; r < repeats; r++) {
    const double start = seconds();
    for (int i = 0; i < CALLS; i++) call(b, i % STAGES);
    b->game->type->flush_vjp(b->game->self, b->parameters_bar);
    const double taken = (seconds() - start) / CALLS;
    if (taken < least) least = taken;
  }
  printf("%-52s %6.2f us\n", name, 1e6 * least);
}

static wal_status fill(wal_ctx *ctx, bench *b) {
  const int64_t numbers = wal_game_statistics(b->game), pairs = (int64_t)b->states * b->bids;
  wal_parameters theta = {0};
  b->game->type->parameters(b->game->self, &theta);
  WAL_TRY(wal_acquire(ctx, "bench", b->states, sizeof(double), &b->mass));
  WAL_TRY(wal_acquire(ctx, "bench", b->states, sizeof(double), &b->mass_bar));
  WAL_TRY(wal_acquire(ctx, "bench", pairs, sizeof(double), &b->policy));
  WAL_TRY(wal_acquire(ctx, "bench", pairs, sizeof(double), &b->policy_bar));
  WAL_TRY(wal_acquire(ctx, "bench", pairs, sizeof(double), &b->reward_bar));
  WAL_TRY(wal_acquire(ctx, "bench", STAGES * numbers, sizeof(double), &b->statistic));
  WAL_TRY(wal_acquire(ctx, "bench", STAGES * numbers, sizeof(double), &b->bars));
  WAL_TRY(wal_acquire(ctx, "bench", theta.count, sizeof(double), &b->parameters_bar));
  for (int i = 0; i < b->states; i++) b->mass[i] = 1.0 / b->states;
  for (int64_t i = 0; i < pairs; i++) b->policy[i] = 1.0 / b->bids;
  for (int64_t i = 0; i < pairs; i++) b->reward_bar[i] = 1e-6 * (double)(i % 17 - 8);
  for (int h = 0; h < STAGES; h++) {
    for (int a = 0; a < b->bids; a++) {
      b->statistic[h * numbers + a] = 1.0 / b->bids;
      b->bars[h * numbers + PAYMENT * b->bids + a] = 1e-3;
    }
    b->game->type->settle(b->game->self, h, b->statistic);
  }
  return WAL_OK;
}

static void empty(wal_ctx *ctx, bench *b) {
  wal_release(ctx, &b->mass);
  wal_release(ctx, &b->mass_bar);
  wal_release(ctx, &b->policy);
  wal_release(ctx, &b->policy_bar);
  wal_release(ctx, &b->reward_bar);
  wal_release(ctx, &b->statistic);
  wal_release(ctx, &b->bars);
  wal_release(ctx, &b->parameters_bar);
}

static void run(const bench *b, int repeats) {
  for (int h = 0; h < STAGES; h++) answer(b, h);
  time_of("answer", b, answer, repeats);
  for (int h = 0; h < STAGES; h++) answer(b, h);
  time_of("answer_vjp, with the weights' gradients", b, answer_vjp, repeats);
  time_of("answer_vjp that runs the network again", b, answer_vjp_anew, repeats);
  for (int h = 0; h < STAGES; h++) b->game->type->settle(b->game->self, h, b->statistic);
  time_of("settle_vjp of the auction, which includes it", b, settle_vjp, repeats);
  time_of("stage_vjp of the auction", b, stage_vjp, repeats);
  time_of("stage_vjp in slabs of eight states", b, stage_vjp_eights, repeats);
  time_of("couple_vjp of the auction", b, couple_vjp, repeats);
  time_of("couple_vjp in slabs of eight states", b, couple_vjp_eights, repeats);
}

static wal_status measure(wal_ctx *ctx, int hidden, int levels, int repeats) {
  wal_scenario *scenario = NULL;
  wal_params *params = NULL;
  wal_game game = {0};
  bench b = {.game = &game, .states = levels, .bids = levels};
  char text[256];
  snprintf(text, sizeof text,
           "return batched_auction { rounds = %d, values = %d, bids = %d, mechanism = neural { "
           "hidden = %d } }",
           STAGES, levels, levels, hidden);
  wal_status status =
      wal_scenario_parse(ctx, "bench", text, strlen(text), wal_catalogue_all(), &scenario);
  const wal_game_type *type = &wal_game_batched_auction;
  if (status == WAL_OK)
    status = wal_params_resolve(ctx, "bench", &type->component, wal_scenario_root(scenario),
                                wal_catalogue_all(), &params);
  if (status == WAL_OK) status = wal_game_create(ctx, type, params, &game);
  if (status == WAL_OK) {
    b.mechanism = &((const batched_auction *)game.self)->mechanism;
    status = fill(ctx, &b);
    if (status == WAL_OK) run(&b, repeats);
  }
  empty(ctx, &b);
  wal_game_destroy(ctx, &game);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
  return status;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 1;
  const int hidden = argc > 1 ? atoi(argv[1]) : 256, levels = argc > 2 ? atoi(argv[2]) : 100;
  const int repeats = argc > 3 ? atoi(argv[3]) : 40;
  const wal_status status = measure(ctx, hidden, levels, repeats);
  if (status != WAL_OK) fprintf(stderr, "neural: %s\n", wal_ctx_error(ctx));
  wal_ctx_close(&ctx);
  return status != WAL_OK;
}
