// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_LOG_GRID_H
#define WALRAS_SIM_CORE_LOG_GRID_H

#include <stdint.h>

/** Whole numbers from 1 to `last`, ascending, about eight for twice as many, and `last` itself:
 * when to note how something went that goes on for long.
 *  @param point  [count], or NULL: they are counted only
 *  @return  how many there are */
int64_t wal_log_grid(int64_t last, int64_t *point);

#endif
