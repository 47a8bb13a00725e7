// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "io/run_file_private.h"
#include "sim/core/memory.h"

static wal_status wrong(wal_run_file *file, const char *path, const char *what) {
  return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s: %s", file->path, path, what);
}

/** Whether a path is /name/name/... with names [a-z][a-z0-9_]*. */
static bool good_path(const char *path) {
  if (!path || path[0] != '/' || strlen(path) >= WAL_HDF5_PATH) return false;
  for (const char *c = path; *c; c++) {
    bool letter = *c >= 'a' && *c <= 'z';
    bool inner = (*c >= '0' && *c <= '9') || *c == '_';
    bool first = c > path && c[-1] == '/';
    if (*c == '/' ? first : !(letter || (inner && !first))) return false;
  }
  return path[1] && path[strlen(path) - 1] != '/';
}

wal_status wal_run_file_new_path(wal_run_file *file, const char *path) {
  if (!good_path(path))
    return wrong(file, path ? path : "(none)", "expected a path of names [a-z][a-z0-9_]*");
  char group[WAL_HDF5_PATH];
  strcpy(group, path);
  *strrchr(group, '/') = '\0';
  int64_t object = group[0] ? wal_run_names_find(&file->names, group) : 0;
  if (object < 0 || file->names.list[object].what != WAL_RUN_GROUP)
    return wrong(file, path, "its group does not exist");
  if (wal_run_names_find(&file->names, path) >= 0) return wrong(file, path, "exists already");
  return WAL_OK;
}

wal_status wal_run_file_name(wal_run_file *file, const char *path, wal_run_what what,
                             int64_t object) {
  return wal_run_file_agree(file, wal_run_names_add(file->ctx, &file->names, path, what, object));
}

void wal_run_file_leave_group(wal_run_file *file) {
  if (file->group >= 0) wal_run_file_must(file, H5Gclose(file->group));
  file->group = -1;
}

hid_t wal_run_file_group_of(wal_run_file *file, const char *path) {
  char group[WAL_HDF5_PATH];
  size_t length = (size_t)(strrchr(path, '/') - path);
  if (length == 0) return file->file;
  memcpy(group, path, length);
  group[length] = '\0';
  int64_t object = wal_run_names_find(&file->names, group);
  if (file->group >= 0 && file->group_name == object) return file->group;
  wal_run_file_leave_group(file);
  file->group = wal_run_file_must(file, H5Gopen2(file->file, group, H5P_DEFAULT));
  file->group_name = object;
  return file->group;
}

static const char *last_name(const char *path) { return strrchr(path, '/') + 1; }

wal_status wal_run_file_group(wal_run_file *file, const char *path) {
  WAL_TRY(wal_run_file_new_path(file, path));
  WAL_TRY(wal_run_file_name(file, path, WAL_RUN_GROUP, -1));
  if (file->kind == WAL_RUN_RECORDED) return wal_run_record_group(file, path);
  if (!wal_run_file_builds(file)) return WAL_OK;
  hid_t parent = wal_run_file_group_of(file, path);
  hid_t group = wal_run_file_must(
      file, H5Gcreate2(parent, last_name(path), H5P_DEFAULT, file->shared.group_list, H5P_DEFAULT));
  wal_run_file_leave_group(file);
  // What comes next usually lies in it.
  file->group = group;
  file->group_name = wal_run_names_find(&file->names, path);
  return wal_run_file_outcome(file);
}

wal_status wal_run_file_link(wal_run_file *file, const char *existing, const char *path) {
  int64_t object = good_path(existing) ? wal_run_names_find(&file->names, existing) : -1;
  if (object < 0)
    return wrong(file, existing ? existing : "(none)", "does not exist, so it cannot be linked");
  WAL_TRY(wal_run_file_new_path(file, path));
  WAL_TRY(wal_run_file_name(file, path, file->names.list[object].what, object));
  if (file->kind == WAL_RUN_RECORDED) return wal_run_record_link(file, existing, path);
  if (!wal_run_file_builds(file)) return WAL_OK;
  hid_t parent = wal_run_file_group_of(file, path);
  wal_run_file_must(file, H5Lcreate_hard(file->file, existing, parent, last_name(path), H5P_DEFAULT,
                                         H5P_DEFAULT));
  return wal_run_file_outcome(file);
}

static void put(wal_run_file *file, hid_t object, const char *name, hid_t file_type,
                hid_t memory_type, hid_t space, const void *value) {
  hid_t attribute =
      wal_run_file_must(file, H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT));
  wal_run_file_must(file, H5Awrite(attribute, memory_type, value));
  wal_run_file_must(file, H5Aclose(attribute));
}

void wal_run_file_put_number(wal_run_file *file, hid_t object, const char *name, hid_t file_type,
                             hid_t memory_type, const void *value) {
  put(file, object, name, file_type, memory_type, file->shared.scalar, value);
}

void wal_run_file_put_text(wal_run_file *file, hid_t object, const char *name, const char *value) {
  wal_run_file_put_number(file, object, name, file->shared.text, file->shared.text, &value);
}

/** Notes a new attribute; *out is the object in the list of names. */
static wal_status new_attribute(wal_run_file *file, const char *path, const char *name,
                                int64_t *out) {
  static const char *const OF_DATASETS[] = {"units", "long_name",      "CLASS",
                                            "NAME",  "DIMENSION_LIST", "REFERENCE_LIST"};
  bool root = path && strcmp(path, "/") == 0;
  int64_t object = root ? 0 : good_path(path) ? wal_run_names_find(&file->names, path) : -1;
  if (object < 0)
    return wrong(file, path ? path : "(none)", "does not exist, so it gets no attribute");
  if (!name || !*name) return wrong(file, path, "an attribute needs a name");
  char key[2 * WAL_HDF5_PATH];
  if (strlen(name) >= WAL_HDF5_PATH)
    return wrong(file, path, "the name of an attribute is too long");
  snprintf(key, sizeof key, "%s@%s", wal_run_names_path(&file->names, object), name);
  bool there = wal_run_names_find(&file->names, key) >= 0;
  for (int i = 0; file->names.list[object].what != WAL_RUN_GROUP && i < 6; i++)
    there = there || strcmp(name, OF_DATASETS[i]) == 0;
  if (there)
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s: has an attribute %s already", file->path,
                    path, name);
  *out = object;
  return wal_run_file_name(file, key, WAL_RUN_ATTRIBUTE, -1);
}

static wal_status put_attribute(wal_run_file *file, int64_t object, const char *name, hid_t type,
                                hid_t memory_type, const void *value) {
  if (!wal_run_file_builds(file)) return WAL_OK;
  const char *path = wal_run_names_path(&file->names, object);
  bool here = file->group >= 0 && file->group_name == object;
  hid_t id = object == 0 ? file->file
             : here      ? file->group
                         : wal_run_file_must(file, H5Oopen(file->file, path, H5P_DEFAULT));
  wal_run_file_put_number(file, id, name, type, memory_type, value);
  if (object != 0 && !here) wal_run_file_must(file, H5Oclose(id));
  return wal_run_file_outcome(file);
}

wal_status wal_run_file_attribute_text(wal_run_file *file, const char *object, const char *name,
                                       const char *value) {
  int64_t id = -1;
  if (!value) return wrong(file, object, "a text attribute needs a text");
  WAL_TRY(new_attribute(file, object, name, &id));
  if (file->kind == WAL_RUN_RECORDED)
    return wal_run_record_attribute_text(file, object, name, value);
  return put_attribute(file, id, name, file->shared.text, file->shared.text, &value);
}

wal_status wal_run_file_attribute_integer(wal_run_file *file, const char *object, const char *name,
                                          int64_t value) {
  int64_t id = -1;
  WAL_TRY(new_attribute(file, object, name, &id));
  if (file->kind == WAL_RUN_RECORDED)
    return wal_run_record_attribute_integer(file, object, name, value);
  return put_attribute(file, id, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

wal_status wal_run_file_attribute_real(wal_run_file *file, const char *object, const char *name,
                                       double value) {
  int64_t id = -1;
  WAL_TRY(new_attribute(file, object, name, &id));
  if (file->kind == WAL_RUN_RECORDED)
    return wal_run_record_attribute_real(file, object, name, value);
  return put_attribute(file, id, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

/*
 * Dimension scales, as the HDF5 Dimension Scale Specification lays them out: the scale has CLASS
 * and NAME, a dataset has DIMENSION_LIST (per dimension, references to its scales), and the scale
 * has REFERENCE_LIST (who uses it, along which dimension). The high-level library does this too,
 * but rewrites REFERENCE_LIST at every attachment and lets padding of unset bytes into the file.
 */

static void put_characters(wal_run_file *file, hid_t object, const char *name, const char *value) {
  hid_t type = wal_run_file_must(file, H5Tcopy(H5T_C_S1));
  wal_run_file_must(file, H5Tset_size(type, strlen(value) + 1));
  wal_run_file_put_number(file, object, name, type, type, value);
  wal_run_file_must(file, H5Tclose(type));
}

void wal_run_file_make_scale(wal_run_file *file, hid_t dataset, const char *name) {
  put_characters(file, dataset, "CLASS", "DIMENSION_SCALE");
  put_characters(file, dataset, "NAME", name);
}

wal_status wal_run_file_check_scales(wal_run_file *file, const wal_dataset *what) {
  for (int d = 0; d < what->rank; d++) {
    const char *scale = what->scale[d];
    if (!scale) continue;
    if (what->is_scale) return wrong(file, what->path, "a dimension scale has no scale itself");
    int64_t object = good_path(scale) ? wal_run_names_find(&file->names, scale) : -1;
    if (object < 0) return wrong(file, what->path, "a dimension scale it names does not exist");
    const wal_run_name *name = &file->names.list[object];
    if (name->what != WAL_RUN_SCALE || name->length != what->extent[d])
      return wal_fail(file->ctx, WAL_EINTERNAL,
                      "%s: %s: dimension %d: expected a dimension scale of %lld items, %s is not",
                      file->path, what->path, d, (long long)what->extent[d], scale);
  }
  return WAL_OK;
}

/** Appends to the list of those that a scale is told of at the end. */
static wal_status note_use(wal_run_file *file, int64_t scale, hobj_ref_t dataset, int dimension) {
  WAL_TRY(wal_hdf5_grow(file->ctx, "uses of dimension scales", &file->uses, file->uses_count,
                        &file->uses_capacity, sizeof *file->uses));
  wal_run_name *name = &file->names.list[scale];
  file->uses[file->uses_count] =
      (wal_run_scale_use){.scale = scale, .next = -1, .dataset = dataset, .dimension = dimension};
  if (name->last_use < 0)
    name->first_use = file->uses_count;
  else
    file->uses[name->last_use].next = file->uses_count;
  name->last_use = file->uses_count++;
  return WAL_OK;
}

wal_status wal_run_file_attach_scales(wal_run_file *file, hid_t dataset, const wal_dataset *what) {
  hobj_ref_t scales[4] = {0}, self = 0;
  hvl_t lists[4];
  bool any = what->is_scale;
  for (int d = 0; d < what->rank; d++) any = any || what->scale[d];
  if (!any) return WAL_OK;
  wal_run_file_must(file, H5Rcreate(&self, dataset, ".", H5R_OBJECT, -1));
  if (what->is_scale) {
    wal_run_name *name = &file->names.list[wal_run_names_find(&file->names, what->path)];
    name->reference = self;
    return WAL_OK;
  }
  wal_status status = WAL_OK;
  for (int d = 0; d < what->rank; d++) {
    lists[d] = (hvl_t){.len = what->scale[d] ? 1 : 0, .p = what->scale[d] ? &scales[d] : NULL};
    if (!what->scale[d]) continue;
    int64_t scale = wal_run_names_find(&file->names, what->scale[d]);
    scales[d] = file->names.list[scale].reference;
    if (status == WAL_OK) status = note_use(file, scale, self, d);
  }
  hsize_t rank = (hsize_t)what->rank;
  hid_t space = wal_run_file_must(file, H5Screate_simple(1, &rank, NULL));
  put(file, dataset, "DIMENSION_LIST", file->shared.references, file->shared.references, space,
      lists);
  wal_run_file_must(file, H5Sclose(space));
  return status;
}

typedef struct packed_use {
  hobj_ref_t dataset;
  int32_t dimension, padding;
} packed_use;

/** Tells the scale of use `first`, its first one, about all its uses. */
static void put_reference_list(wal_run_file *file, int64_t first, hid_t memory, hid_t packed,
                               packed_use *uses) {
  const wal_run_name *scale = &file->names.list[file->uses[first].scale];
  hsize_t count = 0;
  for (int64_t i = first; i >= 0; i = file->uses[i].next)
    uses[count++] =
        (packed_use){.dataset = file->uses[i].dataset, .dimension = file->uses[i].dimension};
  hid_t space = wal_run_file_must(file, H5Screate_simple(1, &count, NULL));
  hid_t object = wal_run_file_must(
      file, H5Rdereference2(file->file, H5P_DEFAULT, H5R_OBJECT, &scale->reference));
  put(file, object, "REFERENCE_LIST", packed, memory, space, uses);
  wal_run_file_must(file, H5Oclose(object));
  wal_run_file_must(file, H5Sclose(space));
}

void wal_run_file_put_waiting(wal_run_file *file) {
  packed_use *uses = NULL;
  if (wal_acquire(file->ctx, "uses of dimension scales", file->uses_count, sizeof *uses, &uses) !=
      WAL_OK) {
    wal_run_file_must(file, -1);
    return;
  }
  hid_t memory = wal_run_file_must(file, H5Tcreate(H5T_COMPOUND, sizeof(packed_use)));
  wal_run_file_must(file,
                    H5Tinsert(memory, "dataset", offsetof(packed_use, dataset), H5T_STD_REF_OBJ));
  wal_run_file_must(
      file, H5Tinsert(memory, "dimension", offsetof(packed_use, dimension), H5T_NATIVE_INT32));
  hid_t packed = wal_run_file_must(file, H5Tcopy(memory));
  wal_run_file_must(file, H5Tpack(packed));
  for (int64_t i = 0; i < file->uses_count; i++)
    if (file->names.list[file->uses[i].scale].first_use == i)
      put_reference_list(file, i, memory, packed, uses);
  wal_run_file_must(file, H5Tclose(packed));
  wal_run_file_must(file, H5Tclose(memory));
  wal_release(file->ctx, &uses);
}
