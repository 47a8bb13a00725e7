// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_SCENARIO_H
#define WALRAS_IO_RUN_SCENARIO_H

#include <jansson.h>

#include "io/hdf5_helpers.h"

/* The scenario in a run file, with all defaults. Private to io/; io/run_game.h is for others. */

/** NULL if it cannot be read; to be freed with json_decref(). */
json_t *wal_run_scenario_read(hid_t file);

/** The name of a component: the one key of its object; NULL if it is none. */
const char *wal_run_scenario_component(json_t *object);

#endif
