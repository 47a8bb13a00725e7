// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_NODE_H
#define WALRAS_SIM_CORE_NODE_H

#include "sim/core/context.h"

/** What a scenario wrote, as a tree: before anything is known of which parameters exist. */
typedef enum wal_node_kind {
  WAL_NODE_FLAG,      /**< true or false */
  WAL_NODE_NUMBER,    /**< a number */
  WAL_NODE_TEXT,      /**< a string */
  WAL_NODE_NUMBERS,   /**< a list of numbers, also the empty list */
  WAL_NODE_ITEMS,     /**< a list of anything else */
  WAL_NODE_FIELDS,    /**< a table with names */
  WAL_NODE_COMPONENT, /**< a constructor's name and its table: beach_bar { ... } */
  WAL_NODE_FUNCTION,  /**< a function of the scenario */
} wal_node_kind;

enum { WAL_CALL_ARGUMENTS = 6 };

/** A call of a function while a game runs: what it is given, and what it must give back. */
typedef struct wal_call {
  const char *owner, *name;             /**< for error texts: "custom", "reward" */
  const char *const *argument_name;     /**< for error texts: "h", "s", ... */
  const char *expected;                 /**< for error texts: "a number" */
  int argument_count;                   /**< of `arguments` */
  double arguments[WAL_CALL_ARGUMENTS]; /**< numbers that it is given */
  const double *array;   /**< further last argument, which the script indexes from 0; NULL: none */
  int64_t array_count;   /**< numbers in `array` */
  int row;               /**< 0: the results are numbers (several of them also as one list); else
                              one list of rows of so many numbers, or one number for `alone` */
  bool alone;            /**< one number may stand for the whole list: count is then 0 */
  int64_t least, most;   /**< how many numbers or rows there may be */
  const double *results; /**< out: row-major; held until the next call */
  int64_t count;         /**< out: numbers or rows */
} wal_call;

/**
 * A function written in a scenario, opaque to all but the scenario's reader. The same arguments
 * must give the same results, or ranks would part.
 */
typedef struct wal_function {
  void *owner;   /**< the scenario that it is part of */
  int reference; /**< which of its functions */
  /** results[0..result_count) from arguments[0..argument_count); WAL_EINPUT with file:line and
   *  `what` ("batched_auction: prior") if it fails or does not give that many numbers. For tables
   *  made at load time. */
  wal_status (*call)(wal_ctx *ctx, const struct wal_function *function, const char *what,
                     int argument_count, const double *arguments, int result_count,
                     double *results);
  /** A call while a game runs: about 0.1 microseconds and what the script does. The script reads
   *  call->array in place; it may do so only until release() or a call with another array.
   *  WAL_EINPUT as above, with owner, name and arguments in the text. Numbers may be any, also
   *  NaN. Rank-local. */
  wal_status (*invoke)(wal_ctx *ctx, const struct wal_function *function, wal_call *call);
  /** Ends the life of the array of the last call. */
  void (*release)(const struct wal_function *function);
  /** "FILE:LINE: OWNER: NAME(h=0, s=3): ", with the line of the function: for errors that the
   *  caller finds in the results. Returns `buffer`. */
  const char *(*place)(const struct wal_function *function, const wal_call *call, char *buffer,
                       size_t size);
} wal_function;

/** A node of the tree. */
typedef struct wal_node wal_node;
/** A node of the tree: what it is, and what there is of that. */
struct wal_node {
  wal_node_kind kind;    /**< which of the following count */
  int line;              /**< line of the scenario where it stands, 0 if it has none */
  bool flag;             /**< of WAL_NODE_FLAG */
  double number;         /**< of WAL_NODE_NUMBER */
  char *text;            /**< text; name of a component; where in the scenario a function stands, as
                              "game.reward", NULL if nowhere (-P) */
  double *numbers;       /**< of WAL_NODE_NUMBERS */
  int64_t count;         /**< of numbers, items or fields */
  wal_node **items;      /**< items; values of fields (of a component too) */
  char **keys;           /**< names of fields, in byte order */
  wal_function function; /**< of WAL_NODE_FUNCTION */
};

/* What takes memory gives NULL or false where there is none left; the tree then stays as it was. */

/** An empty node, to be freed with wal_node_destroy() or given to another one. */
wal_node *wal_node_create(wal_node_kind kind, int line);
/** Frees a tree; NULL is let pass. */
void wal_node_destroy(wal_node *node);
/** A private copy of `text` (of at most `length` bytes) as the node's text. */
bool wal_node_set_text(wal_node *node, const char *text, size_t length);
/** Appends to a list of numbers. */
bool wal_node_add_number(wal_node *node, double number);
/** Appends `item`, which the node then owns (also if this fails), to a list. NULL fails. */
bool wal_node_add_item(wal_node *node, wal_node *item);
/** Sets a field of a table or component; owns `value` (also if this fails); replaces (and frees) an
 *  earlier one. NULL fails. Fast if keys come in byte order. */
bool wal_node_set_field(wal_node *node, const char *key, wal_node *value);
/** Field by name, NULL if there is none. */
wal_node *wal_node_field(const wal_node *node, const char *key);
/** Removes and frees a field, if there is one. */
void wal_node_remove_field(wal_node *node, const char *key);
/** A copy of the whole tree. Functions are copied by reference: their scenario must live. */
wal_node *wal_node_copy(const wal_node *node);

/* For error texts; all return `buffer`. */

/** "0.5", "\"ten\"", "a list of 3 numbers", "first_price{...}". */
const char *wal_node_describe(const wal_node *node, char *buffer, size_t size);
/** Shortest decimal that reads back as the same double; whole numbers below 2^53 without fraction
 *  and exponent; "nan", "inf", "-inf". 32 bytes are enough. */
const char *wal_number_text(double value, char *buffer, size_t size);
/** `text` between quotation marks, on one line: control characters as '?', the end left out where
 *  the buffer is too small. */
const char *wal_quoted_text(const char *text, char *buffer, size_t size);

#endif
