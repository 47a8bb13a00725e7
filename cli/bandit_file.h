// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_BANDIT_FILE_H
#define WALRAS_CLI_BANDIT_FILE_H

#include "rlhf/bandit.h"

/** The bandit of an HDF5 file, which is the same for all seeds. */
extern const wal_component wal_bandit_file_component;

/** Reads it. WAL_EINPUT and others by wal_params_fail(), naming file, dataset, and what was
 *  expected. Fills in the parameters that the file has, and its checksum. Rank-local.
 *  @param params  resolved parameters of wal_bandit_file_component */
wal_status wal_bandit_file_read(wal_ctx *ctx, wal_params *params, wal_bandit *out);

#endif
