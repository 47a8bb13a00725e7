// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_EXAMPLE_H
#define WALRAS_CLI_EXAMPLE_H

#include "io/json.h"
#include "sim/core/parameter.h"

/** Adds a whole scenario that a component stands in, with the parameters that it cannot do without:
 *  one line to be copied. */
void wal_example_add(wal_text *text, const wal_component *component);

#endif
