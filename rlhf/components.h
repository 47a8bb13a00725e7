// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_COMPONENTS_H
#define WALRAS_RLHF_COMPONENTS_H

#include "sim/core/parameter.h"

/** Everything that scenarios construct to describe a transfer: bandits, sources, methods,
 *  annotators. Grouped by kind. */
int64_t wal_rlhf_component_count(void);
const wal_component *wal_rlhf_component_at(int64_t index);

#endif
