// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_TOLL_H
#define WALRAS_SIM_GAME_TOLL_H

#include "sim/core/parameter.h"

/**
 * A charge on being in a state, or on playing an action there, that every game takes: it is
 * subtracted from the reward of every stage. With numbers xi that a designer chooses
 *   charge = most * sigmoid(xi)      (Corecco et al. 2025, section 5: the price on the beach)
 */
typedef struct wal_toll {
  bool by_action; /**< on (state, action) instead of on states */
  double most;    /**< no charge is higher; in units of reward */
  int64_t states; /**< S */
  int actions;    /**< A */
  int64_t count;  /**< charges: S, or A * S as [A][S]; 0: there is no toll */
  double *xi;     /**< [count] */
  double *charge; /**< [count]; follows xi by wal_toll_renew() */
} wal_toll;

/** toll{}, as scenarios write it. */
extern const wal_component wal_toll_component;

/** The parameter of every game. */
#define WAL_TOLL_PARAM                                                                         \
  {                                                                                            \
    .name = "toll", .type = WAL_COMPONENT, .optional = true, .choices = "toll", .named = true, \
    .meaning = "charge on states or actions, subtracted from the rewards; none if left out"    \
  }

/** Makes a toll with charges as they are before a design. Rank-local. WAL_EINPUT if there are too
 *  many.
 *  @param params  of a toll{}; NULL: none, and *out is zeroed */
wal_status wal_toll_create(wal_ctx *ctx, wal_params *params, int64_t states, int actions,
                           wal_toll *out);
/** Frees what it holds; a zeroed toll is let pass. Rank-local. */
void wal_toll_destroy(wal_ctx *ctx, wal_toll *toll);

/** To be called when xi has been changed. */
void wal_toll_renew(wal_toll *toll);

/** Subtracts the charges from the rewards [rows][stride] of states first .. first+count-1; one row
 *  for all actions only if the toll is not by action. */
void wal_toll_take(const wal_toll *toll, int rows, int64_t first, int64_t count, int64_t stride,
                   double *reward);

/** Adds to the bars of the charges of own states what those of the rewards [A][stride] give.
 *  @param bar     [count / S][own], of the states first_own .. first_own+own-1 */
void wal_toll_charge_bar(const wal_toll *toll, int64_t first, int64_t count, int64_t stride,
                         const double *reward_bar, int64_t first_own, int64_t own, double *bar);

/** xi_bar[i] += charge_bar[i] * dcharge/dxi. Both [count]. */
void wal_toll_pull_back(const wal_toll *toll, const double *charge_bar, double *xi_bar);

#endif
