// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_MEDIATOR_H
#define WALRAS_INCENTIVES_STEER_MEDIATOR_H

#include "incentives/steer/observation.h"
#include "sim/core/parameter.h"

typedef struct wal_mediator wal_mediator;

/** What a mediator is told before the first episode; what it points to must outlive it. */
typedef struct wal_mediator_setup {
  wal_ctx *ctx;
  int horizon, actions;
  int64_t states;
  const unsigned char *legal; /**< [S * A], NULL: all pairs are */
  bool varies;                /**< transitions differ from stage to stage */
  const double *target;       /**< [H][S * A]: pi* */
  const unsigned char *aimed; /**< [H][S]: 1 where the target is to be played, which is where it
                                   leads; there is no incentive elsewhere */
  int64_t episodes;           /**< T */
  int trajectories;           /**< seen after each of them */
  double noise;               /**< standard deviation of the noise of observed rewards */
  const wal_known_game *known;
} wal_mediator_setup;

/** What a mediator must know of a game. */
enum { WAL_KNOWS_MODEL = 1, WAL_KNOWS_REWARD = 2 };

/**
 * Who pays. A new one is one file that defines wal_mediator_<name>, and a line in the list below.
 * Rank-local; a mediator that is given the same observations pays the same.
 */
typedef struct wal_mediator_type {
  size_t struct_size;
  wal_component component; /**< kind "mediator" */
  /** Of WAL_KNOWS_..., by the parameters; NULL: nothing. */
  unsigned (*knows)(const wal_params *params);
  /** Reads the parameters, sets memory_count, may make `self`. */
  wal_status (*create)(const wal_params *params, wal_mediator *mediator);
  void (*destroy)(wal_mediator *mediator);
  /** Memory before the first episode; it is zeroed. NULL: that is it. */
  void (*start)(wal_mediator *mediator);
  /** What follows from memory that has been read back or exchanged. NULL: nothing. */
  void (*restored)(wal_mediator *mediator);
  /** Writes payment (zeroed before the first episode) and, if it has them, incentive and potential.
   */
  void (*pay)(wal_mediator *mediator, const wal_observation *seen);
  /** After the episode, with what was seen of it. NULL: it does not learn. */
  void (*learn)(wal_mediator *mediator, const wal_observation *seen);
} wal_mediator_type;

struct wal_mediator {
  const wal_mediator_type *type;
  wal_mediator_setup setup;
  wal_known_game known; /**< NULL what it must not know */
  void *self;
  double *memory; /**< [memory_count]: all that one episode leaves behind for the next ones; not
                       its own */
  int64_t memory_count;
  double *payment; /**< [H][S * A] */
  /* The parts of which an equalizer's payments are made, for who watches:
   *   r + payment = (V_h - P V_{h+1}) + incentive + delta
   * with delta the overpayment for what is not known. */
  bool equalizes;
  double *incentive; /**< [H][S * A] */
  double *potential; /**< [H + 1][S]: V */
  /* Bounds that it takes for true; NULL: it has none. */
  double *reward_bound;   /**< [H][S * A]: at most r */
  double *expected_bound; /**< [H][S * A]: at most P V_{h+1}; of stages 0 .. H - 2 */
};

/** WAL_EINPUT by wal_params_fail(). @param params  resolved parameters of type->component */
wal_status wal_mediator_create(const wal_mediator_setup *setup, const wal_mediator_type *type,
                               const wal_params *params, wal_mediator **out);
void wal_mediator_destroy(wal_mediator **mediator);

/** Gives it memory [memory_count] to work in. @param fresh  whether it is to begin anew */
void wal_mediator_attach(wal_mediator *mediator, double *memory, bool fresh);

/** All mediators, in the order of `walras list mediators`. */
#define WAL_MEDIATOR_LIST(X) \
  X(none)                    \
  X(known_model)             \
  X(optimistic)              \
  X(equalizing)              \
  X(greedy)                  \
  X(stabilizing)             \
  X(constant_bribe)          \
  X(uncentred)

#define WAL_MEDIATOR_DECLARE(name) extern const wal_mediator_type wal_mediator_##name;
WAL_MEDIATOR_LIST(WAL_MEDIATOR_DECLARE)
#undef WAL_MEDIATOR_DECLARE

int64_t wal_mediator_count(void);
const wal_mediator_type *wal_mediator_at(int64_t index);
const wal_mediator_type *wal_mediator_find(const char *name);

#endif
