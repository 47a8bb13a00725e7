// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/hdf5_program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 24, MOST_RANK = 6, MOST_ITEMS = 600, ITEM = 64 };

typedef struct program {
  hid_t file;
  hdf5_names names;
  const uint8_t *bytes;
  size_t left;
  bool linked; /**< one more name of a group: a second one would make trees without end */
} program;

static unsigned next(program *p) {
  if (p->left == 0) return 0;
  p->left--;
  return *p->bytes++;
}

static const char *next_name(program *p) {
  static const char *const ODD[] = {
      "x",
      "a/b/c",
      "kernel/kernel/kernel",
      "caf\xc3\xa9",
      "\xff\xfe",
      "line\nbreak",
      "a_name_that_is_longer_than_sixty_four_characters_so_that_it_does_not_fit_anywhere_at_all",
  };
  const unsigned i = next(p);
  if (i < 240) return p->names.names[i % p->names.count];
  return ODD[i % (sizeof ODD / sizeof *ODD)];
}

/** Mostly a small number: an index or a length that just does, or just does not, fit. */
static double next_number(program *p) {
  static const double NUMBERS[] = {0.5,      NAN,      INFINITY, 1e308,   -1e308,  1e-310,
                                   0x1p31,   0x1p32,   0x1p53,   0x1p63,  -0x1p63, 1e-9,
                                   1 + 1e-9, 1 + 2e-9, 0.25,     -0.5,    12,      13,
                                   24,       36,       37,       0x1p-40, -0x1p31, 255};
  const unsigned i = next(p);
  if (i < 128) return (double)(i % 10) - 1;
  if (i < 224) return NUMBERS[i % (sizeof NUMBERS / sizeof *NUMBERS)];
  return (double)next(p) / 255;
}

/** A type that the caller closes. */
static hid_t next_type(program *p) {
  const unsigned i = next(p), size = 1 + next(p) % 40;
  const hid_t plain[] = {H5T_NATIVE_DOUBLE, H5T_NATIVE_INT64, H5T_STD_I8LE,       H5T_STD_U8LE,
                         H5T_STD_I16BE,     H5T_STD_U16LE,    H5T_STD_I32LE,      H5T_STD_I32BE,
                         H5T_STD_U32LE,     H5T_STD_U64BE,    H5T_IEEE_F32LE,     H5T_IEEE_F32BE,
                         H5T_IEEE_F64BE,    H5T_STD_U64LE,    H5T_NATIVE_LDOUBLE, H5T_STD_REF_OBJ,
                         H5T_NATIVE_B8,     H5T_C_S1};
  if (i < 200) return H5Tcopy(plain[i % (sizeof plain / sizeof *plain)]);
  hid_t type = -1;
  switch (i % 8) {
    case 0:
      type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, H5T_VARIABLE);
      break;
    case 1:
      type = H5Tcreate(H5T_OPAQUE, size);
      break;
    case 2:
      type = H5Tcreate(H5T_COMPOUND, 16);
      H5Tinsert(type, "r", 0, H5T_NATIVE_DOUBLE);
      H5Tinsert(type, "i", 8, H5T_NATIVE_DOUBLE);
      break;
    case 3: {
      const signed char no = 0, yes = (signed char)size;
      type = H5Tenum_create(H5T_NATIVE_SCHAR);
      H5Tenum_insert(type, "FALSE", &no);
      H5Tenum_insert(type, "TRUE", &yes);
      break;
    }
    case 4:
      type = H5Tvlen_create(i & 8 ? H5T_STD_REF_OBJ : H5T_NATIVE_INT);
      break;
    case 5: {
      const hsize_t extent = size;
      type = H5Tarray_create2(H5T_NATIVE_INT, 1, &extent);
      break;
    }
    case 6:
      type = H5Tcopy(H5T_IEEE_F32LE);  // half precision
      H5Tset_fields(type, 15, 10, 5, 0, 10);
      H5Tset_size(type, 2);
      H5Tset_ebias(type, 15);
      break;
    default:
      type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, size);
      if (i & 8) H5Tset_cset(type, H5T_CSET_UTF8);
      break;
  }
  return type;
}

/** A shape of at most MOST_ITEMS items, or one of huge extents, told by *items = 0. */
static hid_t next_space(program *p, hsize_t extent[MOST_RANK], int *rank, hsize_t *items) {
  const unsigned kind = next(p);
  *items = 1;
  *rank = 0;
  if (kind >= 250) return H5Screate(kind & 1 ? H5S_NULL : H5S_SCALAR);
  *rank = 1 + (int)(kind % MOST_RANK);
  for (int d = 0; d < *rank; d++) {
    extent[d] = next(p);
    if (kind >= 230) extent[d] <<= 8 * (next(p) % 7);
    if (*items > 0) *items = extent[d] > MOST_ITEMS ? 0 : *items * extent[d];
    if (*items > MOST_ITEMS) *items = 0;
  }
  return H5Screate_simple(*rank, extent, NULL);
}

static bool has_pointers(hid_t type) {
  return H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0 ||
         H5Tdetect_class(type, H5T_REFERENCE) > 0;
}

/** Fills an object (a dataset, or an attribute) of up to MOST_ITEMS items. */
static void fill(program *p, hid_t object, hid_t type, hsize_t items) {
  static unsigned char bytes[MOST_ITEMS * ITEM * 4];
  static double numbers[MOST_ITEMS];
  const H5T_class_t class = H5Tget_class(type);
  const bool attribute = H5Iget_type(object) == H5I_ATTR;
  if (items == 0) return;
  if (class == H5T_INTEGER || class == H5T_FLOAT) {
    const bool steps = next(p) & 1;
    const double number = next_number(p);
    for (hsize_t i = 0; i < items; i++) numbers[i] = steps ? (double)i * number : number;
    if (attribute)
      H5Awrite(object, H5T_NATIVE_DOUBLE, numbers);
    else
      H5Dwrite(object, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
  } else if (class == H5T_STRING && H5Tis_variable_str(type) > 0) {
    static const char *texts[MOST_ITEMS];
    const char *text = next_name(p);
    for (hsize_t i = 0; i < items; i++) texts[i] = text;
    if (attribute)
      H5Awrite(object, type, texts);
    else
      H5Dwrite(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts);
  } else if (!has_pointers(type) && H5Tget_size(type) <= 4 * ITEM) {
    const size_t size = H5Tget_size(type);
    for (size_t i = 0; i < size * items; i++)
      bytes[i] = (unsigned char)(i < 64 ? next(p) : bytes[i - 64]);
    if (attribute)
      H5Awrite(object, type, bytes);
    else
      H5Dwrite(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
  }
}

static void close_all(hid_t type, hid_t space, hid_t list) {
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  if (list >= 0) H5Pclose(list);
}

static void make_dataset(program *p) {
  const char *name = next_name(p);
  hsize_t extent[MOST_RANK] = {0}, items = 0;
  int rank = 0;
  const hid_t type = next_type(p), space = next_space(p, extent, &rank, &items);
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE), parents = H5Pcreate(H5P_LINK_CREATE);
  const unsigned layout = next(p);
  H5Pset_create_intermediate_group(parents, 1);
  if (layout > 128 && rank > 0) {
    hsize_t chunk[MOST_RANK];
    for (int d = 0; d < rank; d++) chunk[d] = extent[d] > 0 && extent[d] < 9 ? extent[d] : 5;
    H5Pset_chunk(list, rank, chunk);
    if (layout & 1) H5Pset_shuffle(list);
    if (layout & 2) H5Pset_deflate(list, 1);
    if (layout & 4) H5Pset_fletcher32(list);
    if (layout & 8) H5Pset_filter(list, 32000, H5Z_FLAG_OPTIONAL, 0, NULL);  // not one of HDF5's
  } else if (layout > 120) {
    H5Pset_external(list, "/dev/null", 0, H5F_UNLIMITED);
  } else if (layout > 110) {
    H5Pset_layout(list, H5D_COMPACT);
  }
  H5Ldelete(p->file, name, H5P_DEFAULT);
  const hid_t made = H5Dcreate2(p->file, name, type, space, parents, list, H5P_DEFAULT);
  if (made >= 0) {
    if (layout % 32 != 7) fill(p, made, type, items);
    H5Dclose(made);
  }
  H5Pclose(parents);
  close_all(type, space, list);
}

static void make_attribute(program *p) {
  const char *name = next_name(p), *of = next(p) & 1 ? next_name(p) : ".";
  hsize_t extent[MOST_RANK] = {0}, items = 0;
  int rank = 0;
  const hid_t type = next_type(p), space = next_space(p, extent, &rank, &items);
  // HDF5 has room for a whole attribute in memory when it makes one.
  const bool fits = space >= 0 && H5Sget_simple_extent_npoints(space) <= 70000;
  const hid_t object = fits ? H5Oopen(p->file, of, H5P_DEFAULT) : -1;
  if (object >= 0) {
    H5Adelete(object, name);
    const hid_t made = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (made >= 0) {
      fill(p, made, type, items);
      H5Aclose(made);
    }
    H5Oclose(object);
  }
  close_all(type, space, -1);
}

/** Writes one number into a dataset that is there. */
static void write_number(program *p) {
  const hid_t dataset = H5Dopen2(p->file, next_name(p), H5P_DEFAULT);
  const double number = next_number(p);
  const hsize_t at = next(p);
  if (dataset < 0) return;
  const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  const hssize_t items = H5Sget_simple_extent_npoints(space);
  const H5T_class_t class = H5Tget_class(type);
  double *all = items > 0 && items <= 100000 ? calloc((size_t)items, sizeof *all) : NULL;
  if (all && (class == H5T_INTEGER || class == H5T_FLOAT) &&
      H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all) >= 0) {
    all[at % (hsize_t)items] = number;
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
  }
  free(all);
  close_all(type, space, -1);
  H5Dclose(dataset);
}

static bool is_group(program *p, const char *name) {
  H5O_info_t info;
  return H5Oget_info_by_name2(p->file, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         info.type == H5O_TYPE_GROUP;
}

static void make_link(program *p) {
  const unsigned kind = next(p);
  const char *from = next_name(p), *to = next_name(p);
  if (kind % 3 == 0) {
    const bool group = is_group(p, from);
    if (group && p->linked) return;
    p->linked = p->linked || group;
    H5Lcreate_hard(p->file, from, p->file, to, H5P_DEFAULT, H5P_DEFAULT);
  } else if (kind % 3 == 1) {
    H5Lcreate_soft(from, p->file, to, H5P_DEFAULT, H5P_DEFAULT);
  } else {
    H5Lcreate_external("elsewhere.h5", from, p->file, to, H5P_DEFAULT, H5P_DEFAULT);
  }
}

static void step(program *p) {
  switch (next(p) % 16) {
    case 0:
      H5Ldelete(p->file, next_name(p), H5P_DEFAULT);
      break;
    case 1: {
      const char *from = next_name(p), *to = next_name(p);
      H5Lmove(p->file, from, p->file, to, H5P_DEFAULT, H5P_DEFAULT);
      break;
    }
    case 2: {
      const hid_t group = H5Gcreate2(p->file, next_name(p), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      if (group >= 0) H5Gclose(group);
      break;
    }
    case 3:
      make_link(p);
      break;
    case 4:
      make_attribute(p);
      break;
    case 5: {
      const char *of = next(p) & 1 ? next_name(p) : ".";
      H5Adelete_by_name(p->file, of, next_name(p), H5P_DEFAULT);
      break;
    }
    case 6:
    case 7:
    case 8:
    case 9:
      make_dataset(p);
      break;
    default:
      write_number(p);
      break;
  }
}

void hdf5_program_run(hid_t file, hdf5_names names, const uint8_t *bytes, size_t count) {
  program p = {.file = file, .names = names, .bytes = bytes, .left = count};
  for (int i = 0; i < MOST_STEPS && p.left > 0; i++) step(&p);
}
