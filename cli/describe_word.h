// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_DESCRIBE_WORD_H
#define WALRAS_CLI_DESCRIBE_WORD_H

#include "sim/core/parameter.h"

/** Prints what a word means that is no component: a term of the field, a column of a game's report,
 *  a parameter of components; "mean field" is "mean_field". False if it is none of them. */
bool wal_describe_word(const wal_catalogue *all, const char *word);

/** The term, column or parameter with the name nearest to `word`; NULL if none is near. */
const char *wal_describe_nearest(const wal_catalogue *all, const char *word);

#endif
