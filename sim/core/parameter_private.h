// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_PARAMETER_PRIVATE_H
#define WALRAS_SIM_CORE_PARAMETER_PRIVATE_H

/* Shared by the parameter*.c files only. */

#include "sim/core/parameter.h"

typedef struct wal_param_value {
  bool given; /**< false only for an optional parameter that was left out */
  int line;
  double number;     /**< of INTEGER, REAL, FLAG; of an ARRAY that is_number */
  char *text;        /**< of TEXT; path of FUNCTION */
  double *numbers;   /**< of ARRAY, row-major; NULL while it is a function */
  int64_t extent[3]; /**< its shape */
  bool is_function;
  bool is_number;    /**< an ARRAY was given as one number, `number` */
  double divisor[3]; /**< of a function's indices; 0 counts as 1 */
  wal_function function;
  wal_params *child; /**< of COMPONENT and RECORD */
  wal_node *node;    /**< of ANY */
} wal_param_value;

struct wal_params {
  const wal_component *component;
  const char *owner; /**< what error texts name: the component, of a record the one it is part of */
  char *file;
  char *prefix; /**< "" or, in a record, "stop."; of a component that stands for data written as
                     `prior` itself: "prior=" */
  int line;
  int64_t count;
  wal_param_value *values;
};

/** All values absent; NULL where memory is short. */
wal_params *wal_params_create(const char *file, const char *owner, const char *prefix,
                              const wal_component *component, int line);

/** Numbers of an array, aligned to 64 bytes (at least one); free() frees them. */
wal_status wal_param_numbers(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                             const int64_t extent[3], double **out);

/** As wal_params_fail(), for a value on this line (0: the line of the component). */
wal_status wal_params_fail_at(wal_ctx *ctx, const wal_params *params, const char *name, int line,
                              const char *format, ...) __attribute__((format(printf, 5, 6)));
wal_status wal_params_no_memory(wal_ctx *ctx, const wal_params *params, const char *name);

/** "batched_auction: prior", as error texts name a parameter (NULL: the component). */
const char *wal_param_title(const wal_params *params, const char *name, char *buffer, size_t size);

/** What a value of this type is: "a whole number", "a list of numbers or a function", ... */
const char *wal_param_expectation(const wal_param *param, char *buffer, size_t size);

/** Refuses a number that is not finite, not whole where it must be, or out of range.
 *  @param where  "" or, in an array, the element: "element 3 (counted from 0): " */
wal_status wal_param_check_number(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                                  int line, const char *where, double number);

/** Text that names element `index` of an array parameter, for wal_param_check_number(). */
const char *wal_param_element(const wal_param *param, const int64_t index[3], char *buffer,
                              size_t size);

/** Checks and copies an array parameter's node (a list or a function) into `value`. */
wal_status wal_param_read_array(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                                const wal_node *node, wal_param_value *value);

/** Elements that an array of this parameter's rank and this shape has; false if they overflow. */
bool wal_param_volume(const wal_param *param, const int64_t extent[3], int64_t *out);

/** Value of the parameter of this name and type; one that was not declared aborts. */
wal_param_value *wal_param_find(const wal_params *params, const char *name, wal_param_type type,
                                const wal_param **param);

#endif
