// SPDX-License-Identifier: GPL-3.0-or-later
/* Files for the game `tabulated`. An input is which sound file to begin with, the horizon that the
 * scenario gives, and a program that changes the file (hdf5_program.h). A file that is accepted
 * must make a game that keeps to its contract. */
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "games/game_list.h"
#include "sim/core/memory.h"
#include "tests/fuzz/hdf5_program.h"

enum { TEMPLATES = 3, STATES = 4, ACTIONS = 3, STAGES = 4, LONGEST = 1 << 16 };

static const char *const NAMES[] = {
    "initial",       "reward",      "kernel",           "kernel/data",         "kernel/indices",
    "kernel/indptr", "reward_mass", "reward_mass/data", "reward_mass/indices", "reward_mass/indptr",
    "legal",         "axis_sizes",  "axis_names",       "action_names",        "horizon"};

/* Enough for all stages. */
static double reals[STAGES * STATES * ACTIONS * STATES];
static int wholes[2 * STAGES * STATES * ACTIONS];

static void put_reals(hid_t file, const char *name, int rank, hsize_t a, hsize_t b, hsize_t c,
                      hsize_t d) {
  const hsize_t extent[] = {a, b, c, d};
  FUZZ_CHECK(H5LTmake_dataset_double(file, name, rank, extent, reals) >= 0);
}

static void put_wholes(hid_t file, const char *name, hsize_t a) {
  FUZZ_CHECK(H5LTmake_dataset_int(file, name, 1, &a, wholes) >= 0);
}

/** Rows with two entries; with one if `maps`. */
static void put_rows(hid_t file, const char *name, int stages, bool maps) {
  const int rows = stages * STATES * ACTIONS, each = maps ? 1 : 2;
  const hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (int i = 0; i < rows * each; i++) reals[i] = 1.0 / each;
  put_reals(group, "data", 1, (hsize_t)(rows * each), 0, 0, 0);
  for (int i = 0; i < rows * each; i++) wholes[i] = (i * 7 + i / 5) % STATES;
  put_wholes(group, "indices", (hsize_t)(rows * each));
  for (int i = 0; i <= rows; i++) wholes[i] = i * each;
  put_wholes(group, "indptr", (hsize_t)rows + 1);
  H5Gclose(group);
}

static void put_full_kernel(hid_t file) {
  for (int i = 0; i < STATES * ACTIONS * STATES; i++) reals[i] = 0.25;
  put_reals(file, "kernel", 3, STATES, ACTIONS, STATES, 0);
}

static void put_options(hid_t file) {
  const hsize_t two = 2, pair[] = {STATES, ACTIONS};
  static const char legal[STATES * ACTIONS] = {1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1};
  FUZZ_CHECK(H5LTmake_dataset_char(file, "legal", 2, pair, legal) >= 0);
  wholes[0] = wholes[1] = 2;
  put_wholes(file, "axis_sizes", two);
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &two, NULL);
  H5Tset_size(type, 6);
  const hid_t names =
      H5Dcreate2(file, "axis_names", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(names, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, "row\0\0\0column");
  H5Dclose(names);
  H5Sclose(space);
  H5Tclose(type);
}

static void make_template(const char *path, int which) {
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const int horizon = STAGES;
  for (int i = 0; i < STATES; i++) reals[i] = 1.0 / STATES;
  put_reals(file, "initial", 1, STATES, 0, 0, 0);
  for (int i = 0; i < STAGES * STATES * ACTIONS; i++) reals[i] = i % 5 - 2;
  if (which == 1)
    put_reals(file, "reward", 3, STAGES, STATES, ACTIONS, 0);
  else
    put_reals(file, "reward", 2, STATES, ACTIONS, 0, 0);
  if (which == 2)
    put_full_kernel(file);
  else
    put_rows(file, "kernel", which == 1 ? STAGES - 1 : 1, which == 0);
  if (which > 0) put_rows(file, "reward_mass", which == 1 ? STAGES : 1, false);
  if (which > 0) put_options(file);
  if (which != 1) FUZZ_CHECK(H5LTset_attribute_int(file, "/", "horizon", &horizon, 1) >= 0);
  H5Fclose(file);
}

/** The bytes of the sound files, made once. */
static const char *template_bytes(int which, size_t *count) {
  static char *bytes[TEMPLATES];
  static size_t counts[TEMPLATES];
  if (!bytes[which]) {
    make_template(fuzz_path(0), which);
    FILE *file = fopen(fuzz_path(0), "rb");
    bytes[which] = malloc(LONGEST);
    FUZZ_CHECK(file && bytes[which]);
    counts[which] = fread(bytes[which], 1, LONGEST, file);
    fclose(file);
    FUZZ_CHECK(counts[which] < LONGEST);
  }
  *count = counts[which];
  return bytes[which];
}

static void check_kernel(const wal_game *game, int stage) {
  const wal_shape *z = &game->shape;
  const int terms = z->noise_terms;
  int64_t *post = malloc(sizeof *post * (size_t)z->states);
  for (int a = 0; a < z->actions; a++) {
    game->type->move(game->self, stage, 0, a, 0, z->states, post);
    for (int64_t s = 0; s < z->states; s++) FUZZ_CHECK(post[s] >= 0 && post[s] < z->post_states);
  }
  free(post);
  if (terms == 0) return;
  int64_t *target = malloc(sizeof *target * (size_t)(z->post_states * terms));
  double *weight = malloc(sizeof *weight * (size_t)(z->post_states * terms));
  game->type->noise(game->self, stage, 0, z->post_states, target, weight);
  for (int64_t m = 0; m < z->post_states; m++) {
    double sum = 0;
    for (int e = 0; e < terms; e++) {
      const int64_t at = e * z->post_states + m;
      FUZZ_CHECK(weight[at] >= 0 && target[at] >= 0 && target[at] < z->states);
      sum += weight[at];
    }
    FUZZ_CHECK(fabs(sum - 1) <= 1e-9);
  }
  free(target);
  free(weight);
}

static void check_stage(const wal_game *game, int stage) {
  const wal_shape *z = &game->shape;
  const wal_slab slab = {stage, 0, z->states, z->states};
  double *mass = malloc(sizeof *mass * (size_t)z->states);
  double *reward = malloc(sizeof *reward * (size_t)(z->states * z->actions));
  game->type->initial(game->self, 0, z->states, mass);
  game->type->stage(game->self, &slab, mass, NULL, z->whole ? mass : NULL, reward, NULL);
  for (int64_t i = 0; i < z->states * z->actions; i++) FUZZ_CHECK(!isnan(reward[i]));
  free(mass);
  free(reward);
}

static void check_game(const wal_game *game) {
  char name[64];
  const wal_shape *z = &game->shape;
  unsigned char *legal = malloc((size_t)(z->states * z->actions));
  for (int a = 0; a < z->actions; a++) {
    game->type->legal(game->self, a, 0, z->states, legal + a * z->states);
    game->type->action_name(game->self, a, name, sizeof name);
    FUZZ_CHECK(name[0] && strlen(name) < 32);
  }
  for (int64_t s = 0; s < z->states; s++) {
    int some = 0;
    for (int a = 0; a < z->actions; a++) some += legal[a * z->states + s];
    FUZZ_CHECK(some > 0 && some <= z->actions);
  }
  free(legal);
  for (int h = 0; h < wal_game_kernels(game) && h < 16; h++) check_kernel(game, h);
  check_stage(game, 0);
  check_stage(game, z->horizon - 1);
}

static void read_game(int horizon) {
  wal_ctx *ctx = fuzz_ctx();
  wal_node *node = wal_node_create(WAL_NODE_COMPONENT, 1);
  wal_node *path = wal_node_create(WAL_NODE_TEXT, 1);
  wal_params *params = NULL;
  wal_game game = {0};
  wal_node_set_text(node, "tabulated", strlen("tabulated"));
  wal_node_set_text(path, fuzz_path(0), strlen(fuzz_path(0)));
  wal_node_set_field(node, "file", path);
  if (horizon > 0) {
    wal_node *number = wal_node_create(WAL_NODE_NUMBER, 1);
    number->number = horizon;
    wal_node_set_field(node, "horizon", number);
  }
  const int64_t before = wal_ctx_memory(ctx);
  wal_status status =
      wal_params_resolve(ctx, "fuzz.lua", &wal_game_tabulated.component, node, NULL, &params);
  if (status == WAL_OK) status = wal_game_create(ctx, &wal_game_tabulated, params, &game);
  if (status == WAL_OK)
    check_game(&game);
  else
    fuzz_check_failure(ctx, status);
  wal_game_destroy(ctx, &game);
  wal_params_destroy(&params);
  wal_node_destroy(node);
  FUZZ_CHECK(wal_ctx_memory(ctx) == before);
  FUZZ_CHECK(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  if (count < 2) return 0;
  size_t length = 0;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const char *sound = template_bytes(bytes[0] % TEMPLATES, &length);
  fuzz_write(fuzz_path(0), sound, length);
  const hid_t file = H5Fopen(fuzz_path(0), H5F_ACC_RDWR, H5P_DEFAULT);
  FUZZ_CHECK(file >= 0);
  hdf5_program_run(file, (hdf5_names){NAMES, sizeof NAMES / sizeof *NAMES}, bytes + 2, count - 2);
  FUZZ_CHECK(H5Fget_obj_count(file, H5F_OBJ_ALL) == 1);
  H5Fclose(file);
  read_game(bytes[1] % 8);
  return 0;
}
