// SPDX-License-Identifier: GPL-3.0-or-later
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

/** Whether a good path leads to something; its groups are asked one by one, as HDF5 wants it. */
static bool is_there(wal_run_file *file, const char *path) {
  char part[WAL_HDF5_PATH];
  for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    memcpy(part, path, (size_t)(slash - path));
    part[slash - path] = '\0';
    if (H5Lexists(file->file, part, H5P_DEFAULT) <= 0) return false;
    H5O_info_t info;
    if (H5Oget_info_by_name2(file->file, part, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
        info.type != H5O_TYPE_GROUP)
      return false;
  }
  return H5Lexists(file->file, path, H5P_DEFAULT) > 0;
}

wal_status wal_run_file_new_path(wal_run_file *file, const char *path) {
  if (!good_path(path))
    return wrong(file, path ? path : "(none)", "expected a path of names [a-z][a-z0-9_]*");
  char group[WAL_HDF5_PATH];
  strcpy(group, path);
  *strrchr(group, '/') = '\0';
  if (group[0]) {
    H5O_info_t info;
    if (!is_there(file, group) ||
        H5Oget_info_by_name2(file->file, group, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
        info.type != H5O_TYPE_GROUP)
      return wrong(file, path, "its group does not exist");
  }
  if (is_there(file, path)) return wrong(file, path, "exists already");
  return WAL_OK;
}

wal_status wal_run_file_group(wal_run_file *file, const char *path) {
  WAL_TRY(wal_run_file_new_path(file, path));
  hid_t list = wal_run_file_timeless(file, H5P_GROUP_CREATE);
  hid_t group =
      wal_run_file_must(file, H5Gcreate2(file->file, path, H5P_DEFAULT, list, H5P_DEFAULT));
  wal_run_file_must(file, H5Gclose(group));
  wal_run_file_must(file, H5Pclose(list));
  return WAL_OK;
}

wal_status wal_run_file_link(wal_run_file *file, const char *existing, const char *path) {
  if (!good_path(existing) || !is_there(file, existing))
    return wrong(file, existing ? existing : "(none)", "does not exist, so it cannot be linked");
  WAL_TRY(wal_run_file_new_path(file, path));
  wal_run_file_must(
      file, H5Lcreate_hard(file->file, existing, file->file, path, H5P_DEFAULT, H5P_DEFAULT));
  return WAL_OK;
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
  hid_t space = wal_run_file_must(file, H5Screate(H5S_SCALAR));
  put(file, object, name, file_type, memory_type, space, value);
  wal_run_file_must(file, H5Sclose(space));
}

void wal_run_file_put_text(wal_run_file *file, hid_t object, const char *name, const char *value) {
  hid_t type = wal_run_file_text_type(file);
  wal_run_file_put_number(file, object, name, type, type, &value);
  wal_run_file_must(file, H5Tclose(type));
}

hid_t wal_run_file_text_type(wal_run_file *file) {
  hid_t type = wal_run_file_must(file, H5Tcopy(H5T_C_S1));
  wal_run_file_must(file, H5Tset_size(type, H5T_VARIABLE));
  wal_run_file_must(file, H5Tset_cset(type, H5T_CSET_UTF8));
  return type;
}

/** Opens an object to put a new attribute on. */
static wal_status open_for_attribute(wal_run_file *file, const char *path, const char *name,
                                     hid_t *out) {
  *out = -1;
  bool root = path && strcmp(path, "/") == 0;
  if (!root && (!good_path(path) || !is_there(file, path)))
    return wrong(file, path ? path : "(none)", "does not exist, so it gets no attribute");
  if (!name || !*name) return wrong(file, path, "an attribute needs a name");
  hid_t object = wal_run_file_must(file, H5Oopen(file->file, path, H5P_DEFAULT));
  if (H5Aexists(object, name) != 0) {
    H5Oclose(object);
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s: has an attribute %s already", file->path,
                    path, name);
  }
  *out = object;
  return WAL_OK;
}

wal_status wal_run_file_attribute_text(wal_run_file *file, const char *object, const char *name,
                                       const char *value) {
  hid_t id = -1;
  if (!value) return wrong(file, object, "a text attribute needs a text");
  WAL_TRY(open_for_attribute(file, object, name, &id));
  wal_run_file_put_text(file, id, name, value);
  wal_run_file_must(file, H5Oclose(id));
  return WAL_OK;
}

wal_status wal_run_file_attribute_integer(wal_run_file *file, const char *object, const char *name,
                                          int64_t value) {
  hid_t id = -1;
  WAL_TRY(open_for_attribute(file, object, name, &id));
  wal_run_file_put_number(file, id, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
  wal_run_file_must(file, H5Oclose(id));
  return WAL_OK;
}

wal_status wal_run_file_attribute_real(wal_run_file *file, const char *object, const char *name,
                                       double value) {
  hid_t id = -1;
  WAL_TRY(open_for_attribute(file, object, name, &id));
  wal_run_file_put_number(file, id, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
  wal_run_file_must(file, H5Oclose(id));
  return WAL_OK;
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
    if (!good_path(scale) || !is_there(file, scale))
      return wrong(file, what->path, "a dimension scale it names does not exist");
    hid_t object = wal_run_file_must(file, H5Oopen(file->file, scale, H5P_DEFAULT));
    wal_hdf5_shape shape;
    bool good = H5Iget_type(object) == H5I_DATASET && H5Aexists(object, "CLASS") > 0 &&
                wal_hdf5_shape_of(object, &shape) && shape.items == what->extent[d];
    H5Oclose(object);
    if (!good)
      return wal_fail(file->ctx, WAL_EINTERNAL,
                      "%s: %s: dimension %d: expected a dimension scale of %lld items, %s is not",
                      file->path, what->path, d, (long long)what->extent[d], scale);
  }
  return WAL_OK;
}

wal_status wal_run_file_attach_scales(wal_run_file *file, hid_t dataset, const wal_dataset *what) {
  hobj_ref_t scales[4] = {0}, self = 0;
  hvl_t lists[4];
  bool any = false;
  wal_run_file_must(file, H5Rcreate(&self, file->file, what->path, H5R_OBJECT, -1));
  wal_status status = WAL_OK;
  for (int d = 0; d < what->rank; d++) {
    lists[d] = (hvl_t){.len = what->scale[d] ? 1 : 0, .p = what->scale[d] ? &scales[d] : NULL};
    if (!what->scale[d]) continue;
    any = true;
    wal_run_file_must(file, H5Rcreate(&scales[d], file->file, what->scale[d], H5R_OBJECT, -1));
    if (wal_ctx_rank(file->ctx) != 0 || status != WAL_OK) continue;
    status = wal_hdf5_grow(file->ctx, "uses of dimension scales", &file->uses, file->uses_count,
                           &file->uses_capacity, sizeof *file->uses);
    if (status == WAL_OK)
      file->uses[file->uses_count++] =
          (wal_run_scale_use){.scale = scales[d], .dataset = self, .dimension = d};
  }
  if (!any) return WAL_OK;
  hid_t type = wal_run_file_must(file, H5Tvlen_create(H5T_STD_REF_OBJ));
  hsize_t rank = (hsize_t)what->rank;
  hid_t space = wal_run_file_must(file, H5Screate_simple(1, &rank, NULL));
  put(file, dataset, "DIMENSION_LIST", type, type, space, lists);
  wal_run_file_must(file, H5Sclose(space));
  wal_run_file_must(file, H5Tclose(type));
  return wal_agree(file->ctx, status);
}

typedef struct packed_use {
  hobj_ref_t dataset;
  int32_t dimension, padding;
} packed_use;

/** Tells the scale of use `first` about all its uses, unless an earlier use has done so. */
static void put_reference_list(wal_run_file *file, hid_t out, int64_t first, packed_use *uses) {
  hobj_ref_t scale = file->uses[first].scale;
  for (int64_t i = 0; i < first; i++)
    if (file->uses[i].scale == scale) return;
  hsize_t count = 0;
  for (int64_t i = first; i < file->uses_count; i++)
    if (file->uses[i].scale == scale)
      uses[count++] =
          (packed_use){.dataset = file->uses[i].dataset, .dimension = file->uses[i].dimension};
  hid_t memory = wal_run_file_must(file, H5Tcreate(H5T_COMPOUND, sizeof(packed_use)));
  wal_run_file_must(file,
                    H5Tinsert(memory, "dataset", offsetof(packed_use, dataset), H5T_STD_REF_OBJ));
  wal_run_file_must(
      file, H5Tinsert(memory, "dimension", offsetof(packed_use, dimension), H5T_NATIVE_INT32));
  hid_t packed = wal_run_file_must(file, H5Tcopy(memory));
  wal_run_file_must(file, H5Tpack(packed));
  hid_t space = wal_run_file_must(file, H5Screate_simple(1, &count, NULL));
  hid_t object = wal_run_file_must(file, H5Rdereference2(out, H5P_DEFAULT, H5R_OBJECT, &scale));
  put(file, object, "REFERENCE_LIST", packed, memory, space, uses);
  wal_run_file_must(file, H5Oclose(object));
  wal_run_file_must(file, H5Sclose(space));
  wal_run_file_must(file, H5Tclose(packed));
  wal_run_file_must(file, H5Tclose(memory));
}

static void write_texts(wal_run_file *file, hid_t out, const wal_run_texts *texts) {
  const char **pointers = NULL;
  if (wal_acquire(file->ctx, texts->path, texts->count, sizeof *pointers, &pointers) != WAL_OK)
    wal_run_file_abort(file);
  const char *text = texts->bytes;
  for (int64_t i = 0; i < texts->count; i++) {
    pointers[i] = text;
    text += strlen(text) + 1;
  }
  hid_t dataset = wal_run_file_must(file, H5Dopen2(out, texts->path, H5P_DEFAULT));
  hid_t type = wal_run_file_text_type(file);
  wal_run_file_must(file, H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers));
  wal_run_file_must(file, H5Tclose(type));
  wal_run_file_must(file, H5Dclose(dataset));
  wal_release(file->ctx, &pointers);
}

void wal_run_file_finish_alone(wal_run_file *file) {
  packed_use *uses = NULL;
  if (wal_acquire(file->ctx, "uses of dimension scales", file->uses_count, sizeof *uses, &uses) !=
      WAL_OK)
    wal_run_file_abort(file);
  hid_t access = wal_run_file_must(file, H5Pcreate(H5P_FILE_ACCESS));
  wal_run_file_must(file, H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110));
  // Nobody else knows this file: no lock is needed, and some file systems refuse it.
  wal_run_file_must(file, H5Pset_file_locking(access, false, true));
  hid_t out = wal_run_file_must(file, H5Fopen(file->partial, H5F_ACC_RDWR, access));
  for (int64_t i = 0; i < file->uses_count; i++) put_reference_list(file, out, i, uses);
  for (int64_t i = 0; i < file->texts_count; i++)
    if (file->texts[i].count > 0) write_texts(file, out, &file->texts[i]);
  wal_run_file_must(file, H5Fflush(out, H5F_SCOPE_GLOBAL));
  const uint8_t complete = 1;
  hid_t attribute = wal_run_file_must(file, H5Aopen(out, "complete", H5P_DEFAULT));
  wal_run_file_must(file, H5Awrite(attribute, H5T_NATIVE_UINT8, &complete));
  wal_run_file_must(file, H5Aclose(attribute));
  if (wal_run_seal_gaps(file->ctx, file->path, out, &file->gaps) != WAL_OK)
    wal_run_file_abort(file);
  wal_run_file_must(file, H5Pclose(access));
  wal_run_file_must(file, H5Fclose(out));
  wal_release(file->ctx, &uses);
}
