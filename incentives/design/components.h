// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_COMPONENTS_H
#define WALRAS_INCENTIVES_DESIGN_COMPONENTS_H

#include "sim/core/parameter.h"

/** Everything that scenarios construct to describe a design, besides the game: objectives, methods,
 *  optimizers, and how the population answers. Grouped by kind. */
int64_t wal_design_component_count(void);
const wal_component *wal_design_component_at(int64_t index);

#endif
