// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_EQUALIZER_H
#define WALRAS_INCENTIVES_STEER_EQUALIZER_H

#include "incentives/steer/estimate.h"

/* What mediators are made of: they make all policies worth the same, and pay for being nearer to
 * the target on top. */

/** How a mediator comes by transitions or rewards. */
typedef enum wal_knowledge {
  WAL_KNOWLEDGE_ZERO, /**< rewards are taken for 0 */
  WAL_KNOWLEDGE_EXACT,
  WAL_KNOWLEDGE_ESTIMATED,
} wal_knowledge;

typedef enum wal_incentive {
  WAL_INCENTIVE_NONE,
  /** eta c with c(s,a) = pi*(a|s) - pi(a|s) - <pi(.|s), pi*(.|s) - pi(.|s)>: worth 0 to those who
   *  play pi, |pi* - pi|^2 to those who play pi*, in every state and without any model. */
  WAL_INCENTIVE_CENTRED,
  WAL_INCENTIVE_UNCENTRED, /**< eta max(pi* - pi, 0) */
  WAL_INCENTIVE_BRIBE,     /**< eta pi* */
} wal_incentive;

typedef struct wal_equalizer {
  wal_knowledge model, reward;
  wal_incentive incentive;
  double eta;
  double model_bonus, reward_bonus; /**< of the practical bonuses */
  bool rigorous;                    /**< bonuses are those of theory */
  bool upper;                       /**< reward bounds are from above */
  double failure;                   /**< p: probability with which they may be wrong */
  double log_term; /**< log(2 S A H T), or with rigorous bonuses and n trajectories an
                               episode log(2 S A H T n / p) */
  wal_counts counts;
  wal_regression regression;
  double *reward_bound;        /**< [H][S * A]: lower bounds of the rewards, or upper ones */
  double *expected, *estimate; /**< [S * A]; [2 A] */
} wal_equalizer;

/** Parameters of mediators with an incentive. */
#define WAL_EQUALIZER_ETA_PARAM                                                            \
  {                                                                                        \
    .name = "eta", .type = WAL_REAL, .number = 1, .low = 0, .high = HUGE_VAL,              \
    .meaning = "weight of what is paid for playing as the target does where others do not" \
  }
/** Of those that estimate rewards or transitions. */
#define WAL_EQUALIZER_BONUS_PARAMS                                                       \
  {.name = "bonus",                                                                      \
   .type = WAL_TEXT,                                                                     \
   .text = "practical",                                                                  \
   .choices = "practical|rigorous",                                                      \
   .meaning = "widths of the estimates: scaled by constants, or those that theory has"}, \
  {                                                                                      \
    .name = "failure", .type = WAL_REAL, .number = 0.05, .low = 1e-12, .high = 1,        \
    .meaning = "probability with which rigorous widths may be wrong"                     \
  }
#define WAL_EQUALIZER_REWARD_BONUS_PARAM                                                 \
  {                                                                                      \
    .name = "reward_bonus", .type = WAL_REAL, .number = 0.2, .low = 0, .high = HUGE_VAL, \
    .meaning = "constant of the practical widths of rewards"                             \
  }
#define WAL_EQUALIZER_MODEL_BONUS_PARAM                                                 \
  {                                                                                     \
    .name = "model_bonus", .type = WAL_REAL, .number = 0.2, .low = 0, .high = HUGE_VAL, \
    .meaning = "constant of the practical bonuses of transitions"                       \
  }
#define WAL_EQUALIZER_REGRESSION_PARAMS                                                       \
  {.name = "ridge",                                                                           \
   .type = WAL_REAL,                                                                          \
   .number = 1,                                                                               \
   .low = 1e-12,                                                                              \
   .high = HUGE_VAL,                                                                          \
   .meaning = "ridge of the regression of rewards"},                                          \
      {.name = "density",                                                                     \
       .type = WAL_TEXT,                                                                      \
       .text = "log",                                                                         \
       .choices = "none|linear|log|all",                                                      \
       .meaning =                                                                             \
           "what estimated rewards depend on besides state and action: nothing, "             \
           "the state's mass, its logarithm, or the masses of all states"},                   \
      {.name = "floor",                                                                       \
       .type = WAL_REAL,                                                                      \
       .number = 0.01,                                                                        \
       .low = 1e-300,                                                                         \
       .high = 0.5,                                                                           \
       .meaning =                                                                             \
           "with density=\"log\": what rewards depend on is log(mass + floor) / log(floor)"}, \
  {                                                                                           \
    .name = "pooled_rewards", .type = WAL_FLAG, .number = 1,                                  \
    .meaning = "estimated rewards do not depend on the stage"                                 \
  }
#define WAL_EQUALIZER_POOLED_PARAM                                                          \
  {                                                                                         \
    .name = "pooled", .type = WAL_FLAG, .optional = true,                                   \
    .meaning = "transitions of all stages are counted together; left out: unless they vary" \
  }

/** Makes the estimators that model and reward ask for; sets the mediator's self and memory_count.
 *  `like` has the plain numbers. */
wal_status wal_equalizer_create(const wal_params *params, wal_mediator *mediator,
                                const wal_equalizer *like);
/* The operations of a mediator of which it is the self: */
void wal_equalizer_destroy(wal_mediator *mediator);
void wal_equalizer_start(wal_mediator *mediator);
void wal_equalizer_restored(wal_mediator *mediator);
void wal_equalizer_learn(wal_mediator *mediator, const wal_observation *seen);
/** Pays by equalizing value iteration. */
void wal_equalizer_pay(wal_mediator *mediator, const wal_observation *seen);

/* Its parts: */
void wal_equalizer_incentives(wal_mediator *mediator, const wal_observation *seen);
void wal_equalizer_rewards(wal_mediator *mediator, const wal_observation *seen);

static inline bool wal_mediator_legal(const wal_mediator *m, int64_t pair) {
  return !m->setup.legal || m->setup.legal[pair];
}

#endif
