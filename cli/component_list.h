// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_COMPONENT_LIST_H
#define WALRAS_CLI_COMPONENT_LIST_H

#include <stdio.h>

#include "sim/core/parameter.h"

/** A printed table has no more rows than SHOWN of them. */
enum { WAL_COMPONENT_LIST_MOST = 64, WAL_COMPONENT_LIST_NAME = 48, WAL_COMPONENT_LIST_SHOWN = 18 };

/** Components of one kind that are compared with each other, each with a name of its own: that of
 *  the component, and those that have that of an earlier one are numbered ("optimistic 2"). */
typedef struct wal_component_list {
  int64_t count;
  wal_params *params[WAL_COMPONENT_LIST_MOST]; /**< resolved */
  char name[WAL_COMPONENT_LIST_MOST][WAL_COMPONENT_LIST_NAME];
} wal_component_list;

/** Gives the last of `count` names a number if it is that of an earlier one; at most 999 of the
 *  same. */
void wal_component_list_number(int64_t count, char (*name)[WAL_COMPONENT_LIST_NAME]);

/**
 * Reads a parameter of type WAL_ANY that is a component or a list of them, and where it was left
 * out the `usual` ones. WAL_EINPUT by wal_params_fail(). Rank-local.
 * @param kind   what components they are
 * @param noun   what error texts call them: "a mediator"
 * @param usual  [usual_count]: names
 * @param out    to be freed with wal_component_list_free(), also after a failure
 */
wal_status wal_component_list_read(wal_ctx *ctx, const wal_params *params, const char *param,
                                   const char *kind, const char *noun, int64_t usual_count,
                                   const char *const *usual, wal_component_list *out);
/** Prints what was written of those whose component is there several times.
 *  @param node  the parameter, as written */
void wal_component_list_legend(const wal_component_list *list, const wal_node *node, FILE *out);
void wal_component_list_free(wal_component_list *list);

#endif
