// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/reference/run_game.h"

#include <stdio.h>
#include <stdlib.h>

void reference_begin(reference_run *run, wal_node *game, wal_node *learner) {
  memset(run, 0, sizeof *run);
  run->ctx = wal_test_ctx(1);
  const wal_learner_type *type = wal_learner_find(learner->text);
  assert_non_null(type);
  WAL_ASSERT_OK(run->ctx, wal_test_game_create(run->ctx, game, &run->made));
  WAL_ASSERT_OK(run->ctx, wal_params_resolve(run->ctx, "test.lua", &type->component, learner, NULL,
                                             &run->rule));
  wal_node_destroy(learner);
  WAL_ASSERT_OK(run->ctx, wal_space_create(run->ctx, &run->made.game, NULL, &run->space));
  WAL_ASSERT_OK(run->ctx, wal_learner_create(run->space, type, run->rule, &run->learner));
}

void reference_end(reference_run *run) {
  wal_learner_destroy(&run->learner);
  wal_space_destroy(&run->space);
  wal_params_destroy(&run->rule);
  wal_test_game_destroy(run->ctx, &run->made);
  wal_ctx_destroy(&run->ctx);
}

static wal_measure sweep(reference_run *run, bool update) {
  wal_measure measure;
  WAL_ASSERT_OK(run->ctx, wal_learner_sweep(run->learner, true, update, &measure));
  return measure;
}

wal_measure reference_step(reference_run *run) { return sweep(run, true); }

wal_measure reference_look(reference_run *run) { return sweep(run, false); }

wal_node *reference_learner(const char *name, const char *parameter, double number) {
  wal_node *node = wal_test_component(name);
  if (parameter) wal_test_set_number(node, parameter, number);
  return node;
}

json_t *reference_data(const char *name) {
  const char *source = getenv("WALRAS_SOURCE");
  char path[4096];
  json_error_t error;
  snprintf(path, sizeof path, "%s/tests/reference/data/%s", source ? source : ".", name);
  json_t *data = json_load_file(path, 0, &error);
  if (!data) print_error("%s: %s\n", path, error.text);
  assert_non_null(data);
  return data;
}

static int64_t count_numbers(const json_t *list) {
  if (!json_is_array(list)) return 1;
  int64_t count = 0;
  for (size_t i = 0; i < json_array_size(list); i++)
    count += count_numbers(json_array_get(list, i));
  return count;
}

static double *copy_numbers(const json_t *list, double *to) {
  if (!json_is_array(list)) {
    assert_true(json_is_number(list));
    *to = json_number_value(list);
    return to + 1;
  }
  for (size_t i = 0; i < json_array_size(list); i++) to = copy_numbers(json_array_get(list, i), to);
  return to;
}

double *reference_numbers(const json_t *list, int64_t *count, int64_t extent[3]) {
  assert_true(json_is_array(list));
  *count = count_numbers(list);
  double *numbers = malloc((size_t)*count * sizeof *numbers);
  assert_non_null(numbers);
  copy_numbers(list, numbers);
  const json_t *level = list;
  for (int i = 0; extent && i < 3; i++) {
    extent[i] = json_is_array(level) ? (int64_t)json_array_size(level) : 0;
    level = json_is_array(level) ? json_array_get(level, 0) : NULL;
  }
  return numbers;
}
