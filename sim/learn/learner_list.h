// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_LEARN_LEARNER_LIST_H
#define WALRAS_SIM_LEARN_LEARNER_LIST_H

#include "sim/learn/learner.h"

/** Every learner, in the order of `walras list learners`: sim/learn/<name>.c's wal_learner_<name>.
 */
#define WAL_LEARNER_LIST(X) \
  X(mirror_descent)         \
  X(fictitious_play)        \
  X(prior_descent)          \
  X(fixed_point)            \
  X(boltzmann)

#define WAL_LEARNER_DECLARE(name) extern const wal_learner_type wal_learner_##name;
WAL_LEARNER_LIST(WAL_LEARNER_DECLARE)
#undef WAL_LEARNER_DECLARE

/** The parameter "ties" of learners that play best responses, and how it is read. */
#define WAL_TIES_PARAM                                                              \
  {                                                                                 \
    .name = "ties", .type = WAL_TEXT, .text = "share", .choices = "share|first",    \
    .meaning = "who plays when actions are equally good: all equally, or the first" \
  }
wal_ties wal_ties_read(const wal_params *params);

#endif
