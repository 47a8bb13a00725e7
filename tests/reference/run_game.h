// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_REFERENCE_RUN_GAME_H
#define WALRAS_TESTS_REFERENCE_RUN_GAME_H

#include <jansson.h>

#include "sim/learn/learner.h"
#include "tests/support/make_game.h"

/** A learner on a game, to be compared with numbers of other programs. */
typedef struct reference_run {
  wal_ctx *ctx;
  wal_test_game made;
  wal_params *rule; /**< the learner's parameters */
  wal_space *space;
  wal_learner *learner;
} reference_run;

/** Puts a learner on a game; both nodes are freed. Any failure fails the test. */
void reference_begin(reference_run *run, wal_node *game, wal_node *learner);
void reference_end(reference_run *run);

/** Measures pi_k, k = 0, 1, ..., and takes the step to pi_{k+1}. */
wal_measure reference_step(reference_run *run);
/** Measures without a step. */
wal_measure reference_look(reference_run *run);

/** mirror_descent{rate}, ...: one number, or none where `parameter` is NULL. */
wal_node *reference_learner(const char *name, const char *parameter, double number);

/** Reads tests/reference/data/<name>; freed with json_decref(). */
json_t *reference_data(const char *name);
/** Numbers of a nested list in row-major order; `extent` (NULL if not wanted) receives its shape.
 *  Freed with free(). */
double *reference_numbers(const json_t *list, int64_t *count, int64_t extent[3]);

#endif
