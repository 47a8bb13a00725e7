// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_METHOD_H
#define WALRAS_RLHF_METHOD_H

#include "rlhf/fit.h"
#include "rlhf/source.h"

typedef struct wal_transfer_method wal_transfer_method;

/** What a method is told before it is made. */
typedef struct wal_transfer_method_setup {
  wal_ctx *ctx;
  const wal_bandit_known *known; /**< for its shape only */
  int64_t sources;               /**< W */
  int64_t rounds;                /**< T */
  int64_t refit;                 /**< rounds from one fit to the next */
  wal_fit *fit;                  /**< shared by all methods; must outlive them */
} wal_transfer_method_setup;

/** The unit that a method works on: what it may know of it. */
typedef struct wal_transfer_method_problem {
  const wal_bandit_known *known;
  const wal_responder *source; /**< [W]: policies of the sources */
  wal_preferences data;        /**< all comparisons so far */
} wal_transfer_method_problem;

/** Where the two responses of a round come from. */
typedef struct wal_proposal {
  int arm;                    /**< who proposes `first`: source 0 .. W - 1, W: what is learnt
                                   online, W + 1: what is distilled from all data */
  const wal_responder *first; /**< its gap counts as regret */
  const wal_responder *second;
  int candidates, replaced; /**< candidates > 0: `replaced` responses are drawn from `first`, the
                                 others up to `candidates` from `second`; the best and the worst
                                 by the annotator's reward are compared */
} wal_proposal;

/** What a method sees of a round; the comparison stands at the end of the data already. */
typedef struct wal_outcome {
  wal_preference preference;
  bool hit; /**< of candidates: the best one is one of those from `first` */
} wal_outcome;

/**
 * How comparisons are collected and learnt from. A new method is one file that defines
 * wal_transfer_method_<name>, and a line in the list below. Rank-local. All that it remembers
 * between rounds is its memory and the data; policies follow from these by derive().
 */
typedef struct wal_transfer_method_type {
  size_t struct_size;
  wal_component component; /**< kind "transfer_method" */
  /** Reads the parameters, sets memory_count, may make `self`. NULL: nothing to do. */
  wal_status (*create)(const wal_params *params, wal_transfer_method *method);
  void (*destroy)(wal_transfer_method *method);
  /** Memory before the first round; it is zeroed. NULL: that is it. */
  void (*start)(wal_transfer_method *method);
  /** After `fitted` rounds: fits models, which go into memory; derive() follows. */
  wal_status (*refit)(wal_transfer_method *method);
  /** Policies and what else follows from memory and the first `fitted` comparisons. */
  wal_status (*derive)(wal_transfer_method *method);
  /** For round t = 1, 2, ...; leaves memory alone. */
  void (*propose)(wal_transfer_method *method, int64_t round, wal_proposal *out);
  /** NULL: the data say it all. */
  void (*observe)(wal_transfer_method *method, int64_t round, const wal_proposal *proposal,
                  const wal_outcome *seen);
  /** The policy that is handed over at the end, after the last refit and derive. */
  const wal_responder *(*finish)(wal_transfer_method *method);
} wal_transfer_method_type;

struct wal_transfer_method {
  const wal_transfer_method_type *type;
  wal_transfer_method_setup setup;
  void *self;
  int64_t memory_count; /**< numbers */
  /* of the unit at work: */
  wal_transfer_method_problem problem;
  double *memory; /**< [memory_count], not its own */
  int64_t fitted; /**< comparisons that its models have seen */
  wal_responder reference;
};

/** WAL_EINPUT by wal_params_fail(). @param params  resolved parameters of type->component */
wal_status wal_transfer_method_create(const wal_transfer_method_setup *setup,
                                      const wal_transfer_method_type *type,
                                      const wal_params *params, wal_transfer_method **out);
void wal_transfer_method_destroy(wal_transfer_method **method);

/** Gives it a unit to work on. @param fresh  whether it is to begin anew @param fitted  comparisons
 *  that its models have seen */
wal_status wal_transfer_method_attach(wal_transfer_method *method,
                                      const wal_transfer_method_problem *problem, double *memory,
                                      bool fresh, int64_t fitted);

/** All methods, in the order of `walras list transfer_methods`. */
#define WAL_TRANSFER_METHOD_LIST(X) \
  X(tpo)                            \
  X(empirical_tpo)                  \
  X(greedy)                         \
  X(dpo)                            \
  X(ipo)                            \
  X(xpo)                            \
  X(vpo)                            \
  X(ucb)                            \
  X(gshf)                           \
  X(pure_source)

#define WAL_TRANSFER_METHOD_DECLARE(name) \
  extern const wal_transfer_method_type wal_transfer_method_##name;
WAL_TRANSFER_METHOD_LIST(WAL_TRANSFER_METHOD_DECLARE)
#undef WAL_TRANSFER_METHOD_DECLARE

int64_t wal_transfer_method_count(void);
const wal_transfer_method_type *wal_transfer_method_at(int64_t index);
const wal_transfer_method_type *wal_transfer_method_find(const char *name);

#endif
