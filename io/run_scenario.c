// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/run_scenario.h"

#include <stdio.h>

#include "io/run_game.h"

json_t *wal_run_scenario_read(hid_t file) {
  char *text = NULL;
  json_t *root = NULL;
  wal_hdf5_shape shape;
  if (H5Lexists(file, "/scenario", H5P_DEFAULT) <= 0 ||
      H5Lexists(file, "/scenario/resolved", H5P_DEFAULT) <= 0)
    return NULL;
  hid_t dataset = H5Dopen2(file, "/scenario/resolved", H5P_DEFAULT);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  if (dataset >= 0 && wal_hdf5_shape_of(dataset, &shape) && shape.kind == WAL_HDF5_TEXT &&
      shape.items == 1 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) >= 0 && text)
    root = json_loads(text, 0, NULL);
  H5free_memory(text);
  H5Tclose(type);
  if (dataset >= 0) H5Dclose(dataset);
  return root;
}

const char *wal_run_scenario_component(json_t *object) {
  void *only = json_object_iter(object);
  return only ? json_object_iter_key(only) : NULL;
}

wal_status wal_run_game_name(wal_ctx *ctx, const char *path, char *out, size_t size) {
  hid_t file = H5I_INVALID_HID;
  WAL_TRY(wal_hdf5_open(ctx, path, &file));
  json_t *root = wal_run_scenario_read(file);
  const char *task = wal_run_scenario_component(root);
  const char *game = NULL;
  if (task) game = wal_run_scenario_component(json_object_get(json_object_get(root, task), "game"));
  if (game) snprintf(out, size, "%s", game);
  json_decref(root);
  H5Fclose(file);
  return game ? WAL_OK
              : wal_fail(ctx, WAL_EINPUT, "%s: expected the run of a game, got one without", path);
}
