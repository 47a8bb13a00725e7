// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/parameter_private.h"

enum { ALIGNMENT = 64, TEXT_LENGTH = 160 };

bool wal_param_volume(const wal_param *param, const int64_t extent[3], int64_t *out) {
  int64_t volume = 1;
  for (int i = 0; i < param->rank; i++)
    if (!wal_multiply(volume, extent[i], &volume)) return false;
  *out = volume;
  return volume <= INT64_MAX / (int64_t)sizeof(double) - ALIGNMENT;
}

wal_status wal_param_numbers(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                             const int64_t extent[3], double **out) {
  int64_t volume = 0;
  *out = NULL;
  if (wal_param_volume(param, extent, &volume)) {
    int64_t bytes = wal_round_up(volume * (int64_t)sizeof(double) + 1, ALIGNMENT);
    *out = aligned_alloc(ALIGNMENT, (size_t)bytes);
  }
  return *out ? WAL_OK : wal_params_no_memory(ctx, params, param->name);
}

const char *wal_param_element(const wal_param *param, const int64_t index[3], char *buffer,
                              size_t size) {
  if (param->rank == 1)
    snprintf(buffer, size, "element %" PRId64 " (counted from 0): ", index[0]);
  else if (param->rank == 2)
    snprintf(buffer, size, "element [%" PRId64 "][%" PRId64 "] (counted from 0): ", index[0],
             index[1]);
  else
    snprintf(buffer, size,
             "element [%" PRId64 "][%" PRId64 "][%" PRId64 "] (counted from 0): ", index[0],
             index[1], index[2]);
  return buffer;
}

// One array being read: its shape is that of its first rows; `index` is where the reader stands.
typedef struct array_reader {
  wal_ctx *ctx;
  const wal_params *params;
  const wal_param *param;
  int line;
  int64_t extent[3], index[3];
  double *next; /**< where numbers go; NULL while the shape is looked at */
} array_reader;

static const char *row_name(const array_reader *r, int depth, char *buffer, size_t size) {
  if (depth == 0)
    buffer[0] = '\0';
  else if (depth == 1)
    snprintf(buffer, size, "row %" PRId64 " (counted from 0): ", r->index[0]);
  else
    snprintf(buffer, size, "row [%" PRId64 "][%" PRId64 "] (counted from 0): ", r->index[0],
             r->index[1]);
  return buffer;
}

static wal_status wrong_type(const array_reader *r, const char *where, const char *expected,
                             const wal_node *got) {
  char text[TEXT_LENGTH];
  return wal_params_fail_at(r->ctx, r->params, r->param->name, r->line, "%sexpected %s, got %s",
                            where, expected, wal_node_describe(got, text, sizeof text));
}

static wal_status wrong_length(const array_reader *r, int depth, int64_t got) {
  char where[TEXT_LENGTH];
  const char *what = depth + 1 < r->param->rank ? "rows" : "numbers";
  return wal_params_fail_at(r->ctx, r->params, r->param->name, r->line,
                            "%sexpected %" PRId64 " %s, got %" PRId64,
                            row_name(r, depth, where, sizeof where), r->extent[depth], what, got);
}

// The shape along the first rows; what does not fit is found out by read_level().
static void measure(array_reader *r, const wal_node *node) {
  for (int depth = 0; depth < r->param->rank; depth++) {
    bool innermost = depth + 1 == r->param->rank;
    bool list = node->kind == WAL_NODE_NUMBERS || node->kind == WAL_NODE_ITEMS;
    r->extent[depth] = list ? node->count : 0;
    if (node->kind != WAL_NODE_ITEMS || node->count == 0) {
      // An array without rows has rows of the right length.
      if (!innermost && r->param->columns > 0) r->extent[r->param->rank - 1] = r->param->columns;
      return;
    }
    node = node->items[0];
  }
}

static wal_status read_level(array_reader *r, const wal_node *node, int depth) {
  char where[TEXT_LENGTH];
  bool innermost = depth + 1 == r->param->rank;
  bool list = node->kind == WAL_NODE_NUMBERS || node->kind == WAL_NODE_ITEMS;
  if (!list)
    return wrong_type(r, row_name(r, depth, where, sizeof where),
                      innermost ? "a list of numbers" : "a list of lists of numbers", node);
  if (node->count != r->extent[depth]) return wrong_length(r, depth, node->count);
  for (int64_t i = 0; i < node->count; i++) {
    r->index[depth] = i;
    if (node->kind == WAL_NODE_ITEMS && !innermost) {
      WAL_TRY(read_level(r, node->items[i], depth + 1));
    } else if (node->kind == WAL_NODE_ITEMS) {
      wal_param_element(r->param, r->index, where, sizeof where);
      if (node->items[i]->kind != WAL_NODE_NUMBER)
        return wrong_type(r, where, "a number", node->items[i]);
      if (r->next) *r->next++ = node->items[i]->number;
    } else if (!innermost) {
      row_name(r, depth + 1, where, sizeof where);
      wal_node number = {.kind = WAL_NODE_NUMBER, .number = node->numbers[i]};
      return wrong_type(
          r, where,
          depth + 2 == r->param->rank ? "a list of numbers" : "a list of lists of numbers",
          &number);
    } else {
      if (r->next) *r->next++ = node->numbers[i];
    }
  }
  return WAL_OK;
}

static wal_status check_numbers(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                                int line, const int64_t extent[3], const double *numbers) {
  bool bounded = param->low != 0.0 || param->high != 0.0;
  int64_t volume = 0;
  wal_param_volume(param, extent, &volume);
  for (int64_t i = 0; i < volume; i++) {
    double x = numbers[i];
    if (isfinite(x) && (!bounded || (x >= param->low && x <= param->high))) continue;
    char where[TEXT_LENGTH];
    int64_t index[3] = {0, 0, 0};
    int64_t rest = i;
    for (int axis = param->rank - 1; axis >= 0; axis--) {
      index[axis] = rest % extent[axis];
      rest /= extent[axis];
    }
    wal_param_element(param, index, where, sizeof where);
    return wal_param_check_number(ctx, params, param, line, where, x);
  }
  return WAL_OK;
}

wal_status wal_param_read_array(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                                const wal_node *node, wal_param_value *value) {
  if (node->kind == WAL_NODE_FUNCTION) {
    value->is_function = true;
    value->function = node->function;
    return WAL_OK;
  }
  if (param->spreads && node->kind == WAL_NODE_NUMBER) {
    value->is_number = true;
    value->number = node->number;
    return wal_param_check_number(ctx, params, param, node->line, "", node->number);
  }
  array_reader r = {.ctx = ctx, .params = params, .param = param, .line = node->line};
  if (node->kind != WAL_NODE_NUMBERS && node->kind != WAL_NODE_ITEMS) {
    char expected[TEXT_LENGTH];
    return wrong_type(&r, "", wal_param_expectation(param, expected, sizeof expected), node);
  }
  measure(&r, node);
  int last = param->rank - 1;
  if (param->columns > 0 && r.extent[last] != param->columns) {
    int64_t got = r.extent[last];
    r.extent[last] = param->columns;
    // The first row's type is at fault where it is not even a list.
    if (last == 0) return wrong_length(&r, 0, got);
  }
  WAL_TRY(read_level(&r, node, 0));  // memory is taken for shapes that hold only
  WAL_TRY(wal_param_numbers(ctx, params, param, r.extent, &value->numbers));
  r.next = value->numbers;
  WAL_TRY(read_level(&r, node, 0));
  memcpy(value->extent, r.extent, sizeof r.extent);
  return check_numbers(ctx, params, param, r.line, value->extent, value->numbers);
}

// Numbers that a call gives, and how many indices it takes.
static void signature(const wal_param *param, int *arguments, int *results) {
  *arguments = param->columns > 0 ? param->rank - 1 : param->rank;
  *results = param->columns > 0 ? param->columns : 1;
}

static const int64_t MOST_CALLS = 100000000;
static const double MOST_SECONDS = 60.0;

static int64_t count_calls(const wal_param *param, const int64_t extent[3]) {
  int arguments = 0;
  int results = 0;
  signature(param, &arguments, &results);
  int64_t calls = 1;
  for (int i = 0; i < arguments; i++)
    if (!wal_multiply(calls, extent[i], &calls)) return INT64_MAX;
  return calls;
}

static wal_status check_calls(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                              const wal_param_value *value, const int64_t extent[3]) {
  int64_t calls = count_calls(param, extent);
  if (calls <= MOST_CALLS) return WAL_OK;
  return wal_params_fail_at(ctx, params, param->name, value->line,
                            "expected at most %" PRId64 " calls of a function, got %" PRId64
                            " (%.1f GiB of numbers)",
                            MOST_CALLS, calls, (double)calls / 134217728.0);
}

static wal_status tabulate(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                           const wal_param_value *value, const int64_t extent[3], double *table) {
  int arguments = 0;
  int results = 0;
  signature(param, &arguments, &results);
  const int64_t calls = count_calls(param, extent);
  const double start = wal_clock();
  double index[3] = {0.0, 0.0, 0.0};
  char what[2 * TEXT_LENGTH];
  wal_param_title(params, param->name, what, sizeof what);
  for (int64_t call = 0; call < calls; call++) {
    if (wal_clock() - start > MOST_SECONDS)
      return wal_params_fail_at(ctx, params, param->name, value->line,
                                "expected a function that is tabulated within %g s, got %" PRId64
                                " of %" PRId64 " calls done",
                                MOST_SECONDS, call, calls);
    double at[3];
    for (int axis = 0; axis < 3; axis++)
      at[axis] = index[axis] / (value->divisor[axis] != 0.0 ? value->divisor[axis] : 1.0);
    WAL_TRY(value->function.call(ctx, &value->function, what, arguments, at, results,
                                 table + call * results));
    for (int axis = arguments - 1; axis >= 0; axis--) {
      index[axis] += 1.0;
      if (index[axis] < (double)extent[axis]) break;
      index[axis] = 0.0;
    }
  }
  return check_numbers(ctx, params, param, value->line, extent, table);
}

static wal_status wrong_shape(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                              const int64_t expected[3], const wal_param_value *value) {
  char text[2][TEXT_LENGTH];
  const int64_t *extents[2] = {expected, value->extent};
  for (int i = 0; i < 2; i++) {
    const int64_t *e = extents[i];
    if (param->rank == 1)
      snprintf(text[i], sizeof text[i], "%" PRId64, e[0]);
    else if (param->rank == 2)
      snprintf(text[i], sizeof text[i], "%" PRId64 " x %" PRId64, e[0], e[1]);
    else
      snprintf(text[i], sizeof text[i], "%" PRId64 " x %" PRId64 " x %" PRId64, e[0], e[1], e[2]);
  }
  return wal_params_fail_at(ctx, params, param->name, value->line, "expected %s numbers, got %s",
                            text[0], text[1]);
}

static wal_status spread(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                         wal_param_value *value, const int64_t extent[3]) {
  free(value->numbers);
  WAL_TRY(wal_param_numbers(ctx, params, param, extent, &value->numbers));
  for (int64_t i = 0; i < extent[0]; i++) value->numbers[i] = value->number;
  memcpy(value->extent, extent, sizeof value->extent);
  return WAL_OK;
}

wal_status wal_params_array(wal_ctx *ctx, wal_params *params, const char *name, int64_t rows,
                            int64_t columns, int64_t layers, const double **out) {
  const wal_param *param = NULL;
  wal_param_value *value = wal_param_find(params, name, WAL_ARRAY, &param);
  *out = NULL;
  if (!value->given) return WAL_OK;
  int64_t extent[3] = {rows, param->rank > 1 ? columns : 0, param->rank > 2 ? layers : 0};
  if (param->columns > 0 && extent[param->rank - 1] != param->columns) abort();
  if (value->is_number && !(value->numbers && value->extent[0] == rows))
    WAL_TRY(spread(ctx, params, param, value, extent));
  if (value->is_function) {
    double *table = NULL;
    WAL_TRY(check_calls(ctx, params, param, value, extent));
    WAL_TRY(wal_param_numbers(ctx, params, param, extent, &table));
    wal_status status = tabulate(ctx, params, param, value, extent, table);
    if (status != WAL_OK) {
      free(table);
      return status;
    }
    value->numbers = table;
    value->is_function = false;
    memcpy(value->extent, extent, sizeof extent);
  }
  for (int axis = 0; axis < param->rank; axis++)
    if (value->extent[axis] != extent[axis]) return wrong_shape(ctx, params, param, extent, value);
  *out = value->numbers;
  return WAL_OK;
}

void wal_params_scale(wal_params *params, const char *name, double first, double second,
                      double third) {
  const wal_param *param = NULL;
  wal_param_value *value = wal_param_find(params, name, WAL_ARRAY, &param);
  value->divisor[0] = first;
  value->divisor[1] = second;
  value->divisor[2] = third;
}

bool wal_params_is_function(const wal_params *params, const char *name) {
  const wal_param *param = NULL;
  return wal_param_find(params, name, WAL_ARRAY, &param)->is_function;
}

/* Sum of `count` numbers, of which none may be negative. */
static wal_status add_masses(wal_ctx *ctx, const wal_params *params, const char *name,
                             const char *where, const double *numbers, int64_t count, double *out) {
  char text[32];
  double sum = 0.0;
  double lost = 0.0;  // what rounding took from the sum (Neumaier 1974): lists may be long
  for (int64_t i = 0; i < count; i++) {
    double x = numbers[i];
    if (x < 0.0)
      return wal_params_fail(ctx, params, name,
                             "%selement %" PRId64
                             " (counted from 0): expected no negative mass, got %s",
                             where, i, wal_number_text(x, text, sizeof text));
    double next = sum + x;
    lost += sum >= x ? (sum - next) + x : (x - next) + sum;
    sum = next;
  }
  *out = sum + lost;
  return WAL_OK;
}

static wal_status check_distribution(wal_ctx *ctx, const wal_params *params, const char *name,
                                     const char *where, const double *numbers, int64_t count) {
  char text[32];
  double sum = 0.0;
  WAL_TRY(add_masses(ctx, params, name, where, numbers, count, &sum));
  if (fabs(sum - 1.0) <= 1e-9) return WAL_OK;
  return wal_params_fail(ctx, params, name, "%sexpected a distribution with sum 1, got the sum %s",
                         where, wal_number_text(sum, text, sizeof text));
}

wal_status wal_params_distribution(wal_ctx *ctx, wal_params *params, const char *name,
                                   int64_t count, const double **out) {
  const double *numbers = NULL;
  *out = NULL;
  WAL_TRY(wal_params_array(ctx, params, name, count, 0, 0, &numbers));
  if (!numbers) return WAL_OK;
  WAL_TRY(check_distribution(ctx, params, name, "", numbers, count));
  *out = numbers;
  return WAL_OK;
}

wal_status wal_params_weights(wal_ctx *ctx, wal_params *params, const char *name, int64_t rows,
                              int64_t count, const double **out) {
  const wal_param *param = NULL;
  wal_param_value *value = wal_param_find(params, name, WAL_ARRAY, &param);
  const bool normalize = value->is_function;
  const double *numbers = NULL;
  char where[TEXT_LENGTH] = "";
  *out = NULL;
  WAL_TRY(wal_params_array(ctx, params, name, rows ? rows : count, rows ? count : 0, 0, &numbers));
  for (int64_t row = 0; numbers && row < (rows ? rows : 1); row++) {
    double *weight = value->numbers + row * count;
    double sum = 0.0;
    if (rows) snprintf(where, sizeof where, "row %" PRId64 " (counted from 0): ", row);
    if (!normalize) {
      WAL_TRY(check_distribution(ctx, params, name, where, weight, count));
      continue;
    }
    WAL_TRY(add_masses(ctx, params, name, where, weight, count, &sum));
    if (!(sum > 0.0 && isfinite(sum)))
      return wal_params_fail(ctx, params, name, "%sexpected weights with a positive sum, got %g",
                             where, sum);
    for (int64_t i = 0; i < count; i++) weight[i] /= sum;
  }
  *out = numbers;
  return WAL_OK;
}
