// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_PARAMETER_H
#define WALRAS_SIM_CORE_PARAMETER_H

#include "sim/core/node.h"

/** What may stand as a parameter. */
typedef enum wal_param_type {
  WAL_INTEGER,   /**< whole number */
  WAL_REAL,      /**< finite number */
  WAL_FLAG,      /**< true or false */
  WAL_TEXT,      /**< a string; with `choices`, one of those words */
  WAL_ARRAY,     /**< numbers, nested `rank` deep (1: list, 2: list of rows, ...), or a function of
                      `rank` indices counted from 0 (with `columns` > 0: of rank - 1, and it
                      returns `columns` numbers) */
  WAL_COMPONENT, /**< a constructor of kind `choices`, as learner = mirror_descent{} */
  WAL_FUNCTION,  /**< a function that is called while the game runs */
  WAL_RECORD,    /**< a plain table with the parameters of the component `record` */
  WAL_ANY,       /**< whatever was written, kept as a tree; `choices` says what is expected */
} wal_param_type;

struct wal_component;

/**
 * One parameter of a component. From it come parsing, defaults, `walras describe`, the tables of
 * the documentation, and the error texts.
 */
typedef struct wal_param {
  const char *name;    /**< as scenarios write it */
  wal_param_type type; /**< what may stand there */
  bool required;       /**< no default and must be given */
  bool optional;       /**< no default and may be left out; `meaning` says what then holds */
  double low, high;    /**< inclusive range of a number or of every number in an array, an open end
                            being HUGE_VAL or -HUGE_VAL; both 0: any finite number */
  double number;       /**< default of INTEGER, REAL, FLAG */
  const char *text;    /**< default of TEXT; of COMPONENT: name of the default constructor */
  const double *array; /**< default of ARRAY, row-major */
  int64_t extent[3];   /**< its shape */
  int rank;            /**< of ARRAY: 1, 2 or 3 */
  int columns;         /**< of ARRAY: fixed length of the last index, 0 if free */
  bool spreads;        /**< of ARRAY of rank 1: a number stands for a list of it, by default
                            `number` */
  const char *choices; /**< TEXT: "a|b|c"; COMPONENT: kind, or kinds "a|b";
                            ANY: as "a table of lists" */
  const struct wal_component *record; /**< of RECORD: what the table may have */
  bool named;          /**< of COMPONENT: its default is shown as "name", which stands
                            for name{} with any of them */
  const char *wraps;   /**< of COMPONENT: a list, a table or a function stands for the component of
                            this name with it as its first parameter; NULL: it does not */
  const char *unit;    /**< NULL if none */
  const char *meaning; /**< one line */
} wal_param;

/** A thing that scenarios construct by name. */
typedef struct wal_component {
  const char *name;        /**< of the constructor */
  const char *kind;        /**< "game", "learner", "task", ... */
  const char *summary;     /**< one line */
  const char *source;      /**< where the definition comes from */
  const wal_param *params; /**< ends with a NULL name; NULL if there are none */
} wal_component;

/** A name that people know for what is written otherwise. */
typedef struct wal_other_name {
  const char *name;    /**< as "second_price" */
  const char *kind;    /**< of what it is, as "mechanism" */
  const char *written; /**< how that is written */
} wal_other_name;

/** All components a program knows. */
typedef struct wal_catalogue {
  const wal_component *const *components; /**< [count] */
  int64_t count;                          /**< of components */
  const wal_other_name *other_names;      /**< [other_count] */
  int64_t other_count;                    /**< of names for what is written otherwise */
} wal_catalogue;

/** How that is written which somebody calls `name`: NULL if nothing is known of it.
 *  @param kinds  of which it must be ("a" or "a|b"); NULL: any */
const char *wal_catalogue_written(const wal_catalogue *catalogue, const char *name,
                                  const char *kinds);

/** The first component of this name, NULL if there is none. */
const wal_component *wal_catalogue_find(const wal_catalogue *catalogue, const char *name);

/** Of the two texts the one that tells what a component parameter takes besides components: lists
 *  and functions, or functions only; "" if nothing. */
const char *wal_param_wrapped(const wal_param *param, const wal_catalogue *catalogue,
                              const char *lists, const char *functions);
/** The component of this name whose kind is one of `kinds` ("a" or "a|b"), NULL if there is none:
 *  components of different kinds may have the same name. */
const wal_component *wal_catalogue_find_kind(const wal_catalogue *catalogue, const char *name,
                                             const char *kinds);

/** Whether `kind` is one of `kinds` ("a" or "a|b"). */
bool wal_kind_is(const char *kind, const char *kinds);

/** "an a", "an a or a b" of the kinds "a|b", into buffer, which is returned. */
const char *wal_kinds_text(const char *kinds, char *buffer, size_t size);

/** The name nearest to `name` (edit distance at most 1 + length/3) among `count` names given by
 *  `name_at`, or NULL. */
const char *wal_nearest_name(const char *name, int64_t count,
                             const char *(*name_at)(const void *user, int64_t i), const void *user);

/** Resolved parameters of one component: every one checked, every default filled in. */
typedef struct wal_params wal_params;

/**
 * Checks a component's or record's fields against its parameters, fills defaults and does the same
 * for nested components. Rank-local. Errors (WAL_EINPUT) read
 * `FILE:LINE: COMPONENT: what: expected ... got ...`.
 * @param file   name of the scenario, for error texts; copied
 * @param node   WAL_NODE_COMPONENT or WAL_NODE_FIELDS; not kept (functions are, by value: their
 *               scenario must live until they are tabulated)
 * @param catalogue  as the components, must outlive the result
 */
wal_status wal_params_resolve(wal_ctx *ctx, const char *file, const wal_component *component,
                              const wal_node *node, const wal_catalogue *catalogue,
                              wal_params **out);
/** Frees the whole tree and sets *params to NULL; NULL is let pass. Rank-local. */
void wal_params_destroy(wal_params **params);

/** The component that they are of. */
const wal_component *wal_params_component(const wal_params *params);

/** Name of the scenario that the parameters are from, as error texts have it. */
const char *wal_params_file(const wal_params *params);

/* Values by name. Asking for a name or a type that the component did not declare is a programming
 * error and aborts. */

/** An INTEGER. */
int64_t wal_params_integer(const wal_params *params, const char *name);
/** A REAL. */
double wal_params_real(const wal_params *params, const char *name);
/** A FLAG. */
bool wal_params_flag(const wal_params *params, const char *name);
/** A TEXT; owned by params. */
const char *wal_params_text(const wal_params *params, const char *name);
/** Resolved parameters of a nested component or record, NULL if absent. */
wal_params *wal_params_child(const wal_params *params, const char *name);
/** The function; NULL if it is optional and was left out. It lives as long as the parameters and
 *  may be called as long as the scenario lives. */
const wal_function *wal_params_function(const wal_params *params, const char *name);
/** What was written as a parameter of type WAL_ANY, NULL if absent. Owned by params. */
const wal_node *wal_params_node(const wal_params *params, const char *name);
/** False if an optional parameter was left out. */
bool wal_params_given(const wal_params *params, const char *name);

/**
 * The numbers of an array parameter, of exactly this shape; a function is tabulated here, and the
 * numbers then stand in its place. *out is NULL if the parameter is optional and was left out.
 * @param rows,columns,layers  required shape; those beyond the parameter's rank are 0
 * @param out  row-major; owned by params
 */
wal_status wal_params_array(wal_ctx *ctx, wal_params *params, const char *name, int64_t rows,
                            int64_t columns, int64_t layers, const double **out);

/** Makes a function that stands for an array parameter be called with its indices over these
 *  divisors (1: the index itself): as with the values k/n of a grid. To be said before
 *  wal_params_array(). */
void wal_params_scale(wal_params *params, const char *name, double first, double second,
                      double third);

/** Whether an array parameter was given as a function and has not been tabulated yet. */
bool wal_params_is_function(const wal_params *params, const char *name);

/** As wal_params_array() with rank 2 (rows distributions of `count`) or 1 (rows = 0: one of them):
 *  rows of a table must be distributions; those of a function are weights and are normalized. */
wal_status wal_params_weights(wal_ctx *ctx, wal_params *params, const char *name, int64_t rows,
                              int64_t count, const double **out);

/** Shape in which an array parameter was given (0s if absent or a function). */
void wal_params_extent(const wal_params *params, const char *name, int64_t extent[3]);

/** As wal_params_array() with rank 1, and the numbers must be a distribution: none negative, sum
 *  within 1e-9 of 1. */
wal_status wal_params_distribution(wal_ctx *ctx, wal_params *params, const char *name,
                                   int64_t count, const double **out);

/** Gives an optional TEXT that was left out a value that its component found out, as if it had been
 *  given: resolved scenarios have it. The value is copied. */
wal_status wal_params_fill_text(wal_ctx *ctx, wal_params *params, const char *name,
                                const char *value);
/** The same of an INTEGER. */
void wal_params_fill_integer(wal_params *params, const char *name, int64_t value);

/**
 * The parameter at a dotted path below `params`, as "mechanism.hidden".
 * @param owner  receives the component or record that has it, a part of params
 * @param rest   receives the path from there on
 * @return  NULL if there is none: `owner` is then the component that does not have it
 */
const wal_param *wal_params_at(wal_params *params, const char *path, wal_params **owner,
                               const char **rest);

/** Whether a number may stand as this parameter: WAL_EINPUT as wal_params_resolve() has it.
 *  @param param  an INTEGER or a REAL of params
 *  @param line   of the scenario, for the error text; 0: that of the component
 *  @param where  what the text has before "expected", as "in draw: " */
wal_status wal_params_check_number(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                                   int line, const char *where, double number);

/** Puts a number (checked before) in the place of an INTEGER or a REAL, and hands out what stood
 *  there; `given` likewise: whether the parameter was given, or optional and left out. */
void wal_params_exchange(wal_params *params, const wal_param *param, bool *given, double *number);

/** Fails with `FILE:LINE: COMPONENT: NAME: ` before the text; name may be NULL. */
wal_status wal_params_fail(wal_ctx *ctx, const wal_params *params, const char *name,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Warns with the same before the text, of what is allowed but rarely meant. */
void wal_params_warn(wal_ctx *ctx, const wal_params *params, const char *name, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/** Receives the parts of resolved parameters in order of declaration (see wal_params_visit()); what
 *  is NULL is passed over. */
typedef struct wal_params_visitor {
  void *user; /**< handed to all of them */
  void (*open)(void *user, const char *name, const wal_component *component,
               bool record);              /**< a nested component, or a record, begins */
  void (*close)(void *user, bool record); /**< it ends */
  void (*flag)(void *user, const char *name, bool value); /**< a FLAG */
  void (*number)(void *user, const char *name, double value,
                 bool whole); /**< an INTEGER (`whole`) or a REAL */
  void (*text)(void *user, const char *name, const char *value); /**< a TEXT */
  /** rank and extent as in wal_param; an array still a function has values NULL */
  void (*array)(void *user, const char *name, int rank, const int64_t extent[3],
                const double *values);
  /** a WAL_FUNCTION; `path` is where it stands in the scenario */
  void (*function)(void *user, const char *name, const char *path);
  void (*node)(void *user, const char *name, const wal_node *node); /**< a WAL_ANY */
} wal_params_visitor;

/** Walks a tree of resolved parameters: the way every writer of them (canonical JSON, `check`,
 *  summary tables) reads it. Absent optional parameters are passed over. */
void wal_params_visit(const wal_params *params, const wal_params_visitor *visitor);

#endif
