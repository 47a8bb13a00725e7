// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_CATALOGUE_H
#define WALRAS_CLI_CATALOGUE_H

#include "sim/core/parameter.h"

/** Everything that scenarios construct: games, learners, tasks. Lives as long as the program. */
const wal_catalogue *wal_catalogue_all(void);

#endif
