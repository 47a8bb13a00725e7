// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/batched_auction.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "auctions/drift.h"
#include "auctions/prior.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/game/tile_step.h"

/* The batched auction of Corecco et al. 2025, sections 2 and 3. Stages are rounds; states are the
 * values k/values and, behind them, "won"; actions are the bids a/bids.
 *
 *   nu_h(a)   mass of bidders at bid a                            (couple)
 *   alpha_h, p_h(a)   goods and payments, from the mechanism      (settle)
 *   w_h(a) = min(1, max(0, (alpha_h - nu_h above a) / nu_h(a)))   (settle: clearing)
 *   r_h(s,a) = w_h(a) u_h(s, p_h(a)), and (1 - w_h(a)) u_h(0, p_h(a)) more if losers pay
 *
 * Outcome 0, to lose, keeps the value; outcome 1, to win, leads to "won" (or, if winners stay,
 * keeps the value). Then values drift, and winners come back with a value drawn from the prior. */

/* What a script's utility gave, and its first failure. */
typedef struct asked {
  double *payment; /**< [rounds][bids] that it was asked for; NaN: not yet */
  double *worth;   /**< [rounds][bids][values + 1], as wal_utility_ask() */
  wal_held_failure failure;
} asked;

static const wal_param PARAMS[] = {
    {.name = "rounds",
     .type = WAL_INTEGER,
     .number = 4,
     .low = 1,
     .high = 1e6,
     .meaning = "auctions one after the other, counted from 0"},
    {.name = "values",
     .type = WAL_INTEGER,
     .number = 100,
     .low = 1,
     .high = 1e6,
     .meaning = "levels of a bidder's value: 0, 1/values, ..., 1 - 1/values"},
    {.name = "bids",
     .type = WAL_INTEGER,
     .number = 100,
     .low = 1,
     .high = 1e5,
     .meaning = "levels of a bid: 0, 1/bids, ..., 1 - 1/bids"},
    {.name = "goods",
     .type = WAL_REAL,
     .number = 0.8,
     .low = 0,
     .high = 1e6,
     .unit = "goods per bidder",
     .meaning = "goods for all rounds together; a bidder wants one"},
    {.name = "prior",
     .type = WAL_COMPONENT,
     .text = "uniform",
     .choices = "prior|value_law",
     .named = true,
     .wraps = "weights",
     .meaning = "distribution of the values at the start, and of those who re-enter"},
    {.name = "utility",
     .type = WAL_COMPONENT,
     .text = "neutral",
     .choices = "utility",
     .named = true,
     .wraps = "custom_utility",
     .meaning = "what a bidder gains from a good at a price"},
    {.name = "drift",
     .type = WAL_COMPONENT,
     .text = "none",
     .choices = "drift",
     .named = true,
     .wraps = "transition",
     .meaning = "how values change between rounds"},
    {.name = "reentry",
     .type = WAL_REAL,
     .low = 0,
     .high = 1,
     .meaning = "probability, each round, that who has won re-enters, with a value drawn from the "
                "prior"},
    {.name = "winners",
     .type = WAL_TEXT,
     .text = "leave",
     .choices = "leave|stay",
     .meaning = "whether winners leave (and may re-enter), or stay, keep their value and bid on"},
    {.name = "unsold",
     .type = WAL_TEXT,
     .text = "lost",
     .choices = "lost|returned",
     .meaning = "whether goods that find no buyer are lost, or for sale again in later rounds"},
    {.name = "mechanism",
     .type = WAL_COMPONENT,
     .text = "first_price",
     .choices = "mechanism",
     .named = true,
     .meaning = "how many goods are sold in a round, to which bids, and what is paid"},
    WAL_TOLL_PARAM,
    {0}};

// ---- Creation ---------------------------------------------------------------------------------

static void destroy(wal_ctx *ctx, void *self) {
  batched_auction *game = self;
  wal_mechanism_destroy(ctx, &game->mechanism);
  wal_utility_destroy(ctx, &game->utility);
  wal_release(ctx, &game->prior);
  wal_release(ctx, &game->drift);
  wal_release(ctx, &game->value);
  wal_release(ctx, &game->bid);
  wal_release(ctx, &game->bars);
  if (game->asked) {
    wal_release(ctx, &game->asked->payment);
    wal_release(ctx, &game->asked->worth);
  }
  wal_release(ctx, &game->asked);
  wal_release(ctx, &game);
}

/* The number of states: "won" is one only if somebody gets there. */
static int64_t state_count(const batched_auction *game) { return game->values + !game->stay; }

static wal_status make_grids(wal_ctx *ctx, batched_auction *game) {
  WAL_TRY(wal_acquire(ctx, "values", game->values + 1, sizeof(double), &game->value));
  WAL_TRY(wal_acquire(ctx, "bids", game->market.bids, sizeof(double), &game->bid));
  WAL_TRY(wal_acquire(ctx, "bids", batched_auction_numbers(game), sizeof(double), &game->bars));
  for (int k = 0; k < game->values; k++) game->value[k] = (double)k / game->values;
  game->value[game->values] = NAN;
  for (int a = 0; a < game->market.bids; a++) game->bid[a] = (double)a / game->market.bids;
  return WAL_OK;
}

static wal_status make_asked(wal_ctx *ctx, batched_auction *game) {
  if (!game->utility.function) return WAL_OK;
  WAL_TRY(wal_acquire(ctx, "utility", 1, sizeof *game->asked, &game->asked));
  const int64_t prices = (int64_t)game->market.rounds * game->market.bids;
  // The larger one first: what does not fit is refused before memory is touched.
  WAL_TRY(wal_acquire(ctx, "utility", prices * (game->values + 1), sizeof(double),
                      &game->asked->worth));
  WAL_TRY(wal_acquire(ctx, "utility", prices, sizeof(double), &game->asked->payment));
  if (wal_ctx_planning(ctx)) return WAL_OK;
  for (int64_t i = 0; i < prices; i++) game->asked->payment[i] = NAN;
  return WAL_OK;
}

/* More goods than can be won are allowed, but rarely meant: goods are counted a bidder. */
static void warn_of_plenty(wal_ctx *ctx, const wal_params *params, const batched_auction *game) {
  const bool again = game->stay || game->reentry > 0;
  const double most = again ? game->market.rounds : 1;
  char goods[32], wins[32];
  if (game->market.goods <= most) return;
  wal_params_warn(ctx, params, "goods",
                  "%s a bidder are more than the %s that one can win; 0.8 is 80 for every 100 "
                  "bidders",
                  wal_number_text(game->market.goods, goods, sizeof goods),
                  wal_number_text(most, wins, sizeof wins));
}

static wal_status make_parts(wal_ctx *ctx, wal_params *params, batched_auction *game) {
  game->stay = strcmp(wal_params_text(params, "winners"), "stay") == 0;
  game->reentry = wal_params_real(params, "reentry");
  if (game->stay && game->reentry > 0)
    return wal_params_fail(ctx, params, "reentry",
                           "expected 0 with winners = \"stay\", who never leave, got %g",
                           game->reentry);
  warn_of_plenty(ctx, params, game);
  WAL_TRY(make_grids(ctx, game));
  WAL_TRY(wal_acquire(ctx, "prior", game->values, sizeof(double), &game->prior));
  WAL_TRY(wal_prior_fill(ctx, wal_params_child(params, "prior"), game->values, game->prior));
  WAL_TRY(wal_drift_rows(ctx, wal_params_child(params, "drift"), game->values, &game->drift));
  WAL_TRY(
      wal_utility_create(ctx, wal_params_child(params, "utility"), game->values, &game->utility));
  WAL_TRY(make_asked(ctx, game));
  return wal_mechanism_create(ctx, wal_params_child(params, "mechanism"), &game->market,
                              &game->mechanism);
}

static void fill_shape(const batched_auction *game, wal_shape *shape) {
  const int bids = game->market.bids;
  shape->horizon = game->market.rounds;
  shape->states = state_count(game);
  shape->actions = bids;
  shape->outcomes = OUTCOMES;
  shape->action_outcome = true;
  shape->statistic = bids;
  shape->settled = (ROWS - 1) * bids + SCALARS;
  shape->contests = 1;
  if (game->drift || game->reentry > 0) {
    shape->post_states = shape->states;
    shape->noise_terms = game->values + (game->reentry > 0);
  }
  shape->axes = 1;
  shape->axis[0] = (wal_axis){"value", shape->states, game->value, "value"};
  shape->action = (wal_axis){"bid", bids, game->bid, "value"};
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  batched_auction *game;
  WAL_TRY(wal_acquire(ctx, "batched_auction", 1, sizeof *game, &game));
  game->ctx = ctx;
  game->params = params;
  game->values = (int)wal_params_integer(params, "values");
  game->market =
      (wal_market){.rounds = (int)wal_params_integer(params, "rounds"),
                   .bids = (int)wal_params_integer(params, "bids"),
                   .goods = wal_params_real(params, "goods"),
                   .returned = strcmp(wal_params_text(params, "unsold"), "returned") == 0};
  wal_status status = make_parts(ctx, params, game);
  if (status != WAL_OK) {
    destroy(ctx, game);
    return status;
  }
  fill_shape(game, shape);
  *self = game;
  return WAL_OK;
}

// ---- Kernels ----------------------------------------------------------------------------------

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const batched_auction *game = self;
  for (int64_t i = 0; i < count; i++)
    mass[i] = first + i < game->values ? game->prior[first + i] : 0;
}

static void move(const void *self, int stage, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  const batched_auction *game = self;
  (void)stage, (void)action;
  for (int64_t i = 0; i < count; i++)
    post[i] = outcome == WIN && !game->stay ? game->values : first + i;
}

/* Entries of a row: of a value, and of "won". */
static int entries(const batched_auction *game, int64_t state) {
  if (state < game->values) return game->drift ? game->values : 1;
  return game->reentry > 0 ? game->values + 1 : 1;
}

static int row_length(const void *self, int stage, int64_t first, int64_t count) {
  (void)stage;
  const int start = entries(self, first), end = entries(self, first + count - 1);
  return start > end ? start : end;
}

static void noise(const void *self, int stage, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  const batched_auction *game = self;
  const int terms = row_length(self, stage, first, count);
  for (int64_t i = 0; i < count; i++) {
    const int64_t state = first + i;
    const bool won = state >= game->values;
    const double *row = won ? game->prior : game->drift;
    for (int e = 0; e < terms; e++) {
      const int64_t at = e * count + i;
      double share = row && e < game->values ? row[won ? e : state * game->values + e] : 0;
      target[at] = e;
      if (won) share *= game->reentry;
      if (e == 0 && !row) target[at] = state, share = 1;
      if (won && game->reentry == 0) target[at] = state, share = e == 0;
      if (won && e == game->values) share = 1 - game->reentry;
      weight[at] = share;
    }
  }
}

// ---- A round ----------------------------------------------------------------------------------

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  const batched_auction *game = self;
  wal_tile_action_mass(batched_auction_tile(game, slab), mass, policy, statistic);
}

/* Asks a script's utility about payments that are new. */
static void ask_utility(const batched_auction *game, int stage, const double *payment) {
  asked *live = game->asked;
  for (int a = 0; a < game->market.bids && live->failure.status == WAL_OK; a++) {
    const int64_t at = (int64_t)stage * game->market.bids + a;
    if (live->payment[at] == payment[a]) continue;
    live->payment[at] = payment[a];
    const wal_status status = wal_utility_ask(game->ctx, &game->utility, stage, payment[a],
                                              live->worth + at * (game->values + 1));
    wal_failure_hold(game->ctx, status, &live->failure);
  }
}

/* What losers pay, as loss[a], which is z_h's own: at each bid (1 - win) u(0, payment). */
static void fill_losses(const batched_auction *game, int stage, double *z) {
  const int bids = game->market.bids;
  const double *win = z + (int64_t)WIN_PROBABILITY * bids, *gain = z + (int64_t)GAIN * bids;
  double *loss = z + (int64_t)LOSS * bids;
  const wal_utility *u = &game->utility;
  for (int a = 0; a < bids; a++) {
    const int64_t at = (int64_t)stage * bids + a;
    const double worth =
        game->asked ? game->asked->worth[at * (game->values + 1) + game->values]
                    : wal_utility_factor(u, stage) * (u->zero_offset + u->zero_slope * gain[a]);
    loss[a] = (1 - win[a]) * worth;
  }
}

/* Settles a round of which its number and, if they are finitely many, the bidders are given. */
static void settle_round(const batched_auction *game, wal_round round, int64_t *winners,
                         double *statistics) {
  const int bids = game->market.bids, stage = round.round;
  const int64_t numbers = (int64_t)ROWS * bids + SCALARS;
  double *z = statistics + stage * numbers, *scalar = z + (int64_t)ROWS * bids;
  const double *before = scalar - numbers;
  round.left = game->market.goods;
  if (stage > 0) round.left = before[LEFT] - (game->market.returned ? before[SOLD] : before[GOODS]);
  if (round.left < 0) round.left = 0;  // by rounding only
  round.bid_mass = z;
  wal_answer answer = {.payment = z + (int64_t)PAYMENT * bids};
  wal_mechanism_answer(&game->mechanism, &round, &answer);
  double *win = z + (int64_t)WIN_PROBABILITY * bids;
  const wal_clearing c =
      wal_round_clear(&game->market, &round, answer.reserve, answer.goods, win, winners);
  if (game->asked)
    ask_utility(game, stage, answer.payment);
  else
    wal_utility_gain(&game->utility, bids, answer.payment, z + (int64_t)GAIN * bids);
  if (game->mechanism.type->losers_pay)
    fill_losses(game, stage, z);
  else
    memset(z + (int64_t)LOSS * bids, 0, (size_t)bids * sizeof *z);
  scalar[GOODS] = answer.goods;
  scalar[LEFT] = round.left;
  scalar[SOLD] = c.sold;
  scalar[THRESHOLD] = (double)c.threshold / bids;
  scalar[REVENUE] = 0;
  const bool all = game->mechanism.type->losers_pay;
  for (int a = 0; a < bids; a++) scalar[REVENUE] += z[a] * (all ? 1 : win[a]) * answer.payment[a];
}

static void settle(const void *self, int stage, double *statistics) {
  settle_round(self, (wal_round){.round = stage}, NULL, statistics);
}

/* reward[a][i] = win[a] (offset[i] + slope[i] gain[a]), times the round's factor; where losers pay,
 * (1 - win[a]) (zero_offset + zero_slope gain[a]) more. */
WAL_HOT static void weigh(wal_tile t, double factor, const double *restrict win,
                          const double *restrict gain, const double *restrict offset,
                          const double *restrict slope, double *restrict reward) {
  for (int a = 0; a < t.actions; a++) {
    const double w = factor * win[a], g = gain[a];
    double *to = reward + a * t.stride;
    for (int64_t i = 0; i < t.count; i++) to[i] = w * (offset[i] + slope[i] * g);
  }
}

WAL_HOT static void add_losses(wal_tile t, const double *restrict loss, double *restrict reward) {
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) reward[a * t.stride + i] += loss[a];
}

/* The same with what a script's utility gave. */
WAL_HOT static void weigh_worth(wal_tile t, const double *restrict win, int64_t row,
                                const double *restrict worth, double *restrict reward) {
  for (int a = 0; a < t.actions; a++) {
    const double *from = worth + a * row;
    double *to = reward + a * t.stride;
    for (int64_t i = 0; i < t.count; i++) to[i] = win[a] * from[i];
  }
}

static void fill_rewards(const batched_auction *game, const wal_slab *slab, const double *z,
                         double *reward) {
  const int bids = game->market.bids;
  const int64_t first = slab->first;
  const wal_tile t = batched_auction_tile(game, slab);
  const double *win = z + (int64_t)WIN_PROBABILITY * bids;
  if (game->asked) {
    const int64_t row = game->values + 1;
    weigh_worth(t, win, row, game->asked->worth + (int64_t)slab->stage * bids * row + first,
                reward);
  } else {
    const wal_utility *u = &game->utility;
    weigh(t, wal_utility_factor(u, slab->stage), win, z + (int64_t)GAIN * bids, u->offset + first,
          u->slope + first, reward);
  }
  if (game->mechanism.type->losers_pay) add_losses(t, z + (int64_t)LOSS * bids, reward);
  for (int a = 0; a < bids; a++)  // "won"
    for (int64_t i = t.count; i < slab->count; i++) reward[a * slab->stride + i] = 0;
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  const batched_auction *game = self;
  const int bids = game->market.bids;
  (void)mass, (void)policy;
  if (reward) fill_rewards(game, slab, statistic, reward);
  for (int a = 0; outcome && a < bids; a++) {
    const double win = statistic[WIN_PROBABILITY * bids + a];
    outcome[LOSE * bids + a] = 1 - win;
    outcome[WIN * bids + a] = win;
  }
}

// ---- Finitely many bidders --------------------------------------------------------------------

/* All bidders are in the one contest for the round's goods; "won" is in none. */
static void contest(const void *self, int64_t first, int64_t count, int *out) {
  const batched_auction *game = self;
  for (int64_t i = 0; i < count; i++) out[i] = first + i < game->values ? 0 : -1;
}

/* The highest floor(goods * agents) bids win: all above the threshold, so many at it. */
static void quota(const void *self, int stage, const int64_t *agents, const int64_t *played,
                  double *statistics, int64_t *out) {
  const batched_auction *game = self;
  const int bids = game->market.bids;
  int64_t *losers = out + (int64_t)LOSE * bids, *winners = out + (int64_t)WIN * bids;
  double *bid_mass = statistics + stage * ((int64_t)ROWS * bids + SCALARS);
  for (int a = 0; a < bids; a++) bid_mass[a] = (double)played[a] / (double)agents[0];
  const wal_round round = {.round = stage, .agents = agents[0], .bidders = played};
  settle_round(game, round, winners, statistics);
  for (int a = 0; a < bids; a++) losers[a] = played[a] - winners[a];
}

static wal_status failure(wal_ctx *ctx, const void *self) {
  const batched_auction *game = self;
  const wal_mechanism *m = &game->mechanism;
  if (m->type->failure) WAL_TRY(m->type->failure(ctx, m->self));
  return game->asked ? wal_failure_raise(ctx, &game->asked->failure) : WAL_OK;
}

// ---- Report -----------------------------------------------------------------------------------

static const wal_report_form REPORT = {
    .group = "auction",
    .stage = "round",
    .sums = SUMS,
    .columns = COLUMNS,
    .tables = 3,
    .column = {{"goods", "goods per bidder", "goods for sale", false},
               {"sold", "goods per bidder", "goods sold", true},
               {"threshold", "value", "lowest bid that wins with some probability; 1 if none does",
                false},
               {"mean_payment", "value", "revenue over goods sold; 0 if none are", false},
               {"revenue", "value per bidder", "payments collected", true},
               {"efficiency", "value per bidder", "value of the goods to those who got them", true},
               {"surplus", "value per bidder", "efficiency minus revenue", true}},
    .table = {{"bid_mass", "bidders", "mass of bidders at the bid", BID_MASS},
              {"win_probability", "1", "probability that the bid wins", WIN_PROBABILITY},
              {"payment", "value", "payment of a winner with the bid", PAYMENT}}};

static void measure(const void *self, const wal_slab *slab, const double *mass,
                    const double *policy, const double *statistic, double *sums) {
  const batched_auction *game = self;
  const int bids = game->market.bids;
  const int64_t count = batched_auction_tile(game, slab).count;
  for (int64_t i = 0; i < count; i++) {
    double won = 0;
    for (int a = 0; a < bids; a++)
      won += policy[a * slab->stride + i] * statistic[WIN_PROBABILITY * bids + a];
    sums[EFFICIENCY_SUM] += mass[i] * won * game->value[slab->first + i];
  }
}

static void conclude(const void *self, int round, const double *statistic, const double *sums,
                     double *column) {
  const batched_auction *game = self;
  const double *scalar = statistic + (int64_t)ROWS * game->market.bids;
  (void)round;
  column[COLUMN_GOODS] = scalar[GOODS];
  column[COLUMN_SOLD] = scalar[SOLD];
  column[COLUMN_THRESHOLD] = scalar[THRESHOLD];
  column[COLUMN_MEAN_PAYMENT] = scalar[SOLD] > 0 ? scalar[REVENUE] / scalar[SOLD] : 0;
  column[COLUMN_REVENUE] = scalar[REVENUE];
  column[COLUMN_EFFICIENCY] = sums[EFFICIENCY_SUM];
  column[COLUMN_SURPLUS] = sums[EFFICIENCY_SUM] - scalar[REVENUE];
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  const batched_auction *game = self;
  snprintf(buffer, size, "bid %.10g", game->bid[action]);
}

const wal_game_type wal_game_batched_auction = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "batched_auction",
                  .kind = "game",
                  .summary = "bid in auctions in a row, each of many goods to very many bidders",
                  .source = "Corecco et al. 2025, Scalable Neural Incentive Design with "
                            "Parameterized Mean-Field Approximation, sections 2 and 3",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .noise = noise,
    .row_length = row_length,
    .couple = couple,
    .settle = settle,
    .action_name = action_name,
    .report = &REPORT,
    .measure = measure,
    .conclude = conclude,
    .contest = contest,
    .quota = quota,
    .differentiable = batched_auction_differentiable,
    .parameters = batched_auction_parameters,
    .designed = batched_auction_designed,
    .stage_vjp = batched_auction_stage_vjp,
    .couple_vjp = batched_auction_couple_vjp,
    .settle_vjp = batched_auction_settle_vjp,
    .flush_vjp = batched_auction_flush_vjp,
    .measure_vjp = batched_auction_measure_vjp,
    .conclude_vjp = batched_auction_conclude_vjp,
    .failure = failure};
