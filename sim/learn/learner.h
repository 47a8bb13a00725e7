// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_LEARN_LEARNER_H
#define WALRAS_SIM_LEARN_LEARNER_H

#include "sim/core/state.h"
#include "sim/game/value.h"

/** A learner at work. */
typedef struct wal_learner wal_learner;

/**
 * A learning rule. A step takes pi_k to pi_{k+1} from the values of pi_k's flow, in place: `visit`
 * changes the policy tile by tile within the backward sweep that also measures exploitability, so
 * that the policy is read twice and written once a step.
 */
typedef struct wal_learner_type {
  size_t struct_size;      /**< sizeof(wal_learner_type) where it was compiled */
  wal_component component; /**< kind "learner" */
  /** Reads parameters; sets kind, needs, entropy, steps_logits, keeps_prior and follows_response,
   * and may make `self`: one block from wal_acquire(), released with the learner. Rank-local. */
  wal_status (*create)(wal_ctx *ctx, wal_params *params, wal_learner *learner);
  /** Updates the policy's tile; NULL if the rule works in finish() or is a step on logits. */
  void (*visit)(void *learner, const wal_value_tile *tile);
  /** After the sweep of a step; NULL if nothing is left to do. @collective */
  wal_status (*finish)(wal_learner *learner);
} wal_learner_type;

/** A learner at work on a game: its policy, and the flow and values of that policy. */
struct wal_learner {
  const wal_learner_type *type; /**< its operations */
  const wal_space *space;       /**< not its own */
  /* chosen by the type's create() */
  wal_policy_kind kind;  /**< what its policy stores */
  double entropy;        /**< > 0: the step uses entropy-regularized values */
  wal_value needs;       /**< the value whose q the step uses */
  bool steps_logits;     /**< the sweep itself takes `step` on the logits; no visit */
  wal_logit_step step;   /**< if steps_logits */
  bool keeps_prior;      /**< has a second array of policy size */
  bool follows_response; /**< has a second flow, of the best response */
  void *self;            /**< the type's own parameters, or NULL */
  /* state */
  int64_t steps;     /**< k: the policy is pi_k */
  wal_policy policy; /**< pi_k */
  double *prior;     /**< [H][space->pairs] or NULL */
  wal_flow flow;     /**< of pi_k once measured */
  wal_flow response; /**< of the best response; space NULL unless follows_response */
  wal_values values; /**< in the flow of pi_k */
};

/** What is known of pi_k after a sweep; the same on all ranks. */
typedef struct wal_measure {
  int64_t iteration;                         /**< k */
  int populations;                           /**< P */
  double exploitability;                     /**< summed over the populations (NashConv) */
  double soft_exploitability;                /**< with entropy; 0 for learners without */
  double value;                              /**< <mu_0, V_0>, summed over the populations */
  double exploitability_of[WAL_POPULATIONS]; /**< [P] */
  double value_of[WAL_POPULATIONS];          /**< [P] */
} wal_measure;

/**
 * Puts a learner on a game, at the uniform policy.
 * @param space   must outlive the learner
 * @param params  resolved parameters of type->component; used during the call
 * @param out     owned by the caller, freed with wal_learner_destroy()
 * @collective. Memory: one or two policies, one or two mean fields, values.
 */
wal_status wal_learner_create(const wal_space *space, const wal_learner_type *type,
                              wal_params *params, wal_learner **out);
/** Frees it and sets *learner to NULL; NULL is let pass. Rank-local. */
void wal_learner_destroy(wal_learner **learner);

/** Declares what steps leave behind for the next one. When it has been read back,
 *  wal_learner_restored() must be called before the next sweep. */
void wal_learner_declare(wal_learner *learner, wal_state *state);
/** To be called when its state has been read back. Rank-local. */
void wal_learner_restored(wal_learner *learner);

/** What a learner will take; of this rank. */
typedef struct wal_learner_cost {
  int64_t bytes;       /**< of memory, beyond what the space takes */
  wal_traffic traffic; /**< of an iteration that measures and updates */
} wal_learner_cost;

/**
 * Finds out what a learner of this type takes on a space, without taking it: it is created on
 * addresses without memory. @collective
 */
wal_status wal_learner_plan(const wal_space *space, const wal_learner_type *type,
                            wal_params *params, wal_learner_cost *out);

/**
 * One forward and one backward sweep at pi_k.
 * @param measure  compute exploitability; else the measure has value only where it falls out
 * @param update   take the step: the policy is then pi_{k+1}, flow and measure are of pi_k
 * @collective. WAL_ENONFINITE, naming iteration, stage and state, if a mass or value is not finite.
 * Cost: wal_flow_run() and wal_values_run().
 */
wal_status wal_learner_sweep(wal_learner *learner, bool measure, bool update, wal_measure *out);

/** WAL_ENONFINITE, naming the place, if a mass or kept value of the last sweep is not finite: also
 * of states that nobody reaches, which no total shows. @collective */
wal_status wal_learner_check_finite(const wal_learner *learner);

/** Number of learners. */
int64_t wal_learner_count(void);
/** One of them, 0 <= index < wal_learner_count(). */
const wal_learner_type *wal_learner_at(int64_t index);
/** Learner by name, NULL if there is none. */
const wal_learner_type *wal_learner_find(const char *name);

#endif
