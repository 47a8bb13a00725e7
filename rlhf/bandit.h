// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_BANDIT_H
#define WALRAS_RLHF_BANDIT_H

#include "sim/core/parameter.h"

/**
 * A policy of a preference bandit: probabilities of all responses to all prompts. Its arrays are
 * not its own unless it came from wal_responder_create().
 */
typedef struct wal_responder {
  double *log_p;    /**< [S * A] */
  double *p;        /**< [S * A] */
  double kl;        /**< E_s KL(pi || pi_ref) */
  uint64_t version; /**< other policies in the same memory have others; 0: it has not been set */
} wal_responder;

/** What everybody knows of a contextual bandit; the reward is not part of it. */
typedef struct wal_bandit_known {
  int64_t prompts, responses; /**< S, A */
  int64_t features;           /**< d; 0: tabular, where every pair of prompt and response is a
                                   feature of its own */
  const double *phi;          /**< [S * A][d]; NULL: tabular */
  const double *weight;       /**< [S]: rho, a distribution */
  const double *reference, *log_reference; /**< [S * A]: pi_ref, all positive */
  double beta;                             /**< weight of KL(pi || pi_ref) */
  double reward_bound;                     /**< R: rewards lie in [0, R] */
  double ridge; /**< lambda = 1/sigma^2 of the prior N(0, sigma^2 I) of theta in r = theta' phi */
} wal_bandit_known;

/**
 * A KL-regularized contextual bandit with Bradley-Terry preferences:
 *   J(pi) = E_{s ~ rho, a ~ pi} r*(s,a) - beta E_s KL(pi || pi_ref),
 *   P(a preferred to b) = sigma(r*(s,a) - r*(s,b)).
 * Owns what it points to. Rank-local.
 */
typedef struct wal_bandit {
  wal_ctx *ctx;
  wal_bandit_known known;
  double *reward;     /**< [S * A]: r* */
  wal_responder best; /**< pi* proportional to pi_ref exp(r* / beta) */
  double best_value;  /**< J(pi*) */
  double *block;      /**< the memory of all of it */
} wal_bandit;

/** A bandit as arrays, of a scenario or a file. */
typedef struct wal_bandit_arrays {
  int64_t prompts, responses, features;
  const double *phi;       /**< [S * A][d]; NULL with features = 0: tabular */
  const double *reward;    /**< [S * A], in [0, R] */
  const double *reference; /**< [S * A]: distributions, all positive; NULL: uniform */
  const double *weight;    /**< [S]: a distribution; NULL: uniform */
  double beta, reward_bound;
  double ridge; /**< 0: such that rewards of the prior vary between responses as much as r* does */
} wal_bandit_arrays;

/**
 * Makes a bandit of copies of arrays. WAL_EINPUT where something is wrong with them, with a text
 * that begins with the name of the array or number ("reference: ..."): beta that is not positive,
 * 2 R / beta of 60 or more (beyond, ratios of policies are no numbers to compute with), features or
 * rewards that are not finite, rewards outside [0, R], references with zeros or sums other than 1.
 */
wal_status wal_bandit_of_arrays(wal_ctx *ctx, const wal_bandit_arrays *arrays, wal_bandit *out);
void wal_bandit_destroy(wal_bandit *bandit);

/** A kind of bandit that scenarios construct. A new one is one file that defines
 *  wal_bandit_<name>, and a line in the list below. */
typedef struct wal_bandit_type {
  size_t struct_size;
  wal_component component; /**< kind "bandit" */
  /** Draws the bandit of a seed; its arrays, where they are given, are tabulated the first time. */
  wal_status (*draw)(wal_ctx *ctx, wal_params *params, uint64_t seed, wal_bandit *out);
} wal_bandit_type;

/** The bandit of these (resolved) parameters and a seed. WAL_EINPUT by wal_params_fail(). To be
 *  called once while the scenario lives, which tabulates its functions. Rank-local; the same bits
 *  wherever it is done. */
wal_status wal_bandit_draw(wal_ctx *ctx, wal_params *params, uint64_t seed, wal_bandit *out);

/** For those who draw: the rest of a bandit whose shape and features (NULL: tabular) are there.
 *  @param raw  [S * A]: rewards on any scale, overwritten; those of the parameters come first */
wal_status wal_bandit_finish_draw(wal_ctx *ctx, wal_params *params, uint64_t seed,
                                  wal_bandit_arrays *arrays, double *raw, wal_bandit *out);
/** For those who draw: out[i] = scale * N(0,1) of the seed, i < count; each stage has its own. */
void wal_bandit_normals(uint64_t seed, uint32_t stage, int64_t count, double scale, double *out);

/* Parameters that all of them have. */
#define WAL_BANDIT_SHAPE_PARAMS                                                     \
  {.name = "prompts",                                                               \
   .type = WAL_INTEGER,                                                             \
   .number = 10,                                                                    \
   .low = 1,                                                                        \
   .high = 1e5,                                                                     \
   .meaning = "number S of prompts"},                                               \
  {                                                                                 \
    .name = "responses", .type = WAL_INTEGER, .number = 200, .low = 2, .high = 1e5, \
    .meaning = "number A of responses to each prompt"                               \
  }

#define WAL_BANDIT_REWARD_PARAMS                                                                \
  {.name = "reward_bound",                                                                      \
   .type = WAL_REAL,                                                                            \
   .number = 4,                                                                                 \
   .low = 0,                                                                                    \
   .high = HUGE_VAL,                                                                            \
   .meaning = "R: rewards lie in [0, R]; those drawn span it"},                                 \
      {.name = "beta",                                                                          \
       .type = WAL_REAL,                                                                        \
       .number = 0.4,                                                                           \
       .low = -HUGE_VAL,                                                                        \
       .high = HUGE_VAL,                                                                        \
       .meaning =                                                                               \
           "weight of the divergence from the reference policy; positive, 2 R / beta < 60"},    \
      {.name = "reward",                                                                        \
       .type = WAL_ARRAY,                                                                       \
       .rank = 2,                                                                               \
       .optional = true,                                                                        \
       .low = -HUGE_VAL,                                                                        \
       .high = HUGE_VAL,                                                                        \
       .meaning = "r*[prompt][response], within [0, reward_bound]; left out: drawn"},           \
      {.name = "reference",                                                                     \
       .type = WAL_ARRAY,                                                                       \
       .rank = 2,                                                                               \
       .optional = true,                                                                        \
       .low = 0,                                                                                \
       .high = HUGE_VAL,                                                                        \
       .meaning =                                                                               \
           "pi_ref[prompt][response], a function gives weights; left out: drawn, proportional " \
           "to exp(N(0,1) - 2 r* / R)"},                                                        \
      {.name = "weights",                                                                       \
       .type = WAL_ARRAY,                                                                       \
       .rank = 1,                                                                               \
       .optional = true,                                                                        \
       .low = 0,                                                                                \
       .high = HUGE_VAL,                                                                        \
       .meaning =                                                                               \
           "probability rho[prompt]; a function gives weights; left out: all prompts alike"},   \
  {                                                                                             \
    .name = "ridge", .type = WAL_REAL, .optional = true, .low = 0, .high = HUGE_VAL,            \
    .meaning =                                                                                  \
        "ridge of all fits, 1 / variance of the prior of a parameter; left out: by the true "   \
        "scale of the rewards"                                                                  \
  }

/** All kinds, in the order of `walras list bandits`. */
#define WAL_BANDIT_LIST(X) \
  X(log_linear)            \
  X(tabular)

#define WAL_BANDIT_DECLARE(name) extern const wal_bandit_type wal_bandit_##name;
WAL_BANDIT_LIST(WAL_BANDIT_DECLARE)
#undef WAL_BANDIT_DECLARE

int64_t wal_bandit_type_count(void);
const wal_bandit_type *wal_bandit_type_at(int64_t index);
const wal_bandit_type *wal_bandit_type_find(const char *name);

#endif
