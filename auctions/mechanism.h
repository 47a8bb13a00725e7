// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_MECHANISM_H
#define WALRAS_AUCTIONS_MECHANISM_H

#include "auctions/clearing.h"
#include "sim/game/game.h"

/** What a mechanism sells, to whom, and how often. Bids and values are shares of the greatest value
 *  possible, bid a of `bids` is a/bids; goods and masses are shares of the population. */
typedef struct wal_market {
  int rounds;
  int bids;
  double goods;  /**< for all rounds together */
  bool returned; /**< goods that find no buyer are for sale again in the next round */
} wal_market;

/** A round as the mechanism sees it. */
typedef struct wal_round {
  int round;              /**< 0 .. rounds-1 */
  double left;            /**< goods left for this and later rounds */
  const double *bid_mass; /**< [bids]: mass of bidders at each bid */
  int64_t agents;         /**< of a finite population; 0: infinitely many */
  const int64_t *bidders; /**< [bids]: how many of these make each bid, bid_mass being bidders /
                               agents; NULL: infinitely many */
} wal_round;

/** What the mechanism answers. */
typedef struct wal_answer {
  double goods;    /**< for sale in this round: 0 .. left */
  int reserve;     /**< bids below this level never win; 0 .. bids */
  double *payment; /**< [bids]: of a winner at each bid, >= 0 (all_pay: of every bidder) */
} wal_answer;

/** Bars of an answer. */
typedef struct wal_answer_bar {
  double goods;
  const double *payment; /**< [bids] */
} wal_answer_bar;

/** Bars of a round, to be added to. */
typedef struct wal_round_bar {
  double left;
  double *bid_mass; /**< [bids] */
} wal_round_bar;

/**
 * A payment and allocation rule. A new one is one file that defines wal_mechanism_<name>, and a
 * line in the list below; a conformance test then runs on it.
 */
typedef struct wal_mechanism_type {
  size_t struct_size;
  wal_component component; /**< kind "mechanism" */
  bool losers_pay;         /**< all bidders pay, not only winners */
  bool monotone;           /**< claims that a higher bid never pays less */
  bool within_bid;         /**< claims that nobody pays more than the bid */
  /** Reads the parameters; may make `self`. Rank-local, same result on all ranks. */
  wal_status (*create)(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self);
  /** NULL: `self` is one block from wal_acquire() or NULL. */
  void (*destroy)(wal_ctx *ctx, void *self);
  /** Answers a round: every rank with the same numbers. Cost: of the order of `bids`. */
  void (*answer)(const void *self, const wal_round *round, wal_answer *answer);
  /**
   * Derivatives (sim/game/game.h says what a bar is), of mechanisms that have them: adds to the
   * bars of the round's bid masses and of what is left, and of the parameters. Of the answer
   * `goods` and `payment` have bars; `reserve` is piecewise constant.
   * @param answer      the goods and payments that answer() gave in this round
   * @param answer_bar  its bars
   * @param parameters_bar  NULL: not wanted
   */
  void (*answer_vjp)(const void *self, const wal_round *round, const wal_answer *answer,
                     const wal_answer_bar *answer_bar, wal_round_bar *round_bar,
                     double *parameters_bar);
  /** Adds to the parameters' bars what answer_vjp() put off. NULL: nothing. */
  void (*flush_vjp)(const void *self, double *parameters_bar);
  /** What a designer may choose. NULL: nothing. */
  void (*parameters)(const void *self, wal_parameters *out);
  /** Called when they have been changed. NULL: nothing to do. */
  void (*designed)(void *self);
  /** As that of wal_game_type, of a mechanism that calls a script. NULL: does not fail. */
  wal_status (*failure)(wal_ctx *ctx, const void *self);
} wal_mechanism_type;

/** A mechanism at work in a market. */
typedef struct wal_mechanism {
  const wal_mechanism_type *type;
  wal_market market;
  void *self;
} wal_mechanism;

/** @param params  resolved parameters of the mechanism; must outlive it */
wal_status wal_mechanism_create(wal_ctx *ctx, wal_params *params, const wal_market *market,
                                wal_mechanism *out);
/** A zeroed mechanism is let pass. */
void wal_mechanism_destroy(wal_ctx *ctx, wal_mechanism *mechanism);

/** The mechanism's answer, its goods kept within what is left. */
void wal_mechanism_answer(const wal_mechanism *mechanism, const wal_round *round,
                          wal_answer *answer);

/**
 * Who would win in the round if so many goods were for sale: win[a] is the probability for bid a,
 * by wal_clearing_run() or, among finitely many bidders, wal_clearing_exact(). For the game, and
 * for mechanisms whose payments depend on that.
 * @param win      [bids]
 * @param winners  [bids]: how many of finitely many bidders win; NULL: not wanted
 */
wal_clearing wal_round_clear(const wal_market *market, const wal_round *round, int reserve,
                             double goods, double *win, int64_t *winners);

/** Level of the lowest bid that is at least `price`; `bids` if there is none. */
int wal_market_level(const wal_market *market, double price);

/** All mechanisms, in the order of `walras list mechanisms`. */
#define WAL_MECHANISM_LIST(X) \
  X(first_price)              \
  X(uniform_price)            \
  X(all_pay)                  \
  X(posted_price)             \
  X(static)                   \
  X(neural)                   \
  X(scripted)

#define WAL_MECHANISM_DECLARE(name) extern const wal_mechanism_type wal_mechanism_##name;
WAL_MECHANISM_LIST(WAL_MECHANISM_DECLARE)
#undef WAL_MECHANISM_DECLARE

int64_t wal_mechanism_count(void);
const wal_mechanism_type *wal_mechanism_at(int64_t index);
const wal_mechanism_type *wal_mechanism_find(const char *name);

#endif
