// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_COMPONENTS_H
#define WALRAS_INCENTIVES_STEER_COMPONENTS_H

#include "sim/core/parameter.h"

/** Everything that scenarios construct to describe a steering, besides the game and the target:
 *  mediators, agents and those who they are made up of. Grouped by kind. */
int64_t wal_steer_component_count(void);
const wal_component *wal_steer_component_at(int64_t index);

#endif
