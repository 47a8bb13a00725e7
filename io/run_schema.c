// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/run_schema.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_helpers.h"
#include "io/run_compare.h"
#include "io/run_file.h"
#include "io/run_seal.h"

enum { TEXT = 512, NAME = 256, MOST_DIMS = 8, MOST_ATTRIBUTES = 4096 };

static const char RUNS[] = "/runs/run_";

/** A file being checked, or the part of it that holds a run of a sweep. */
typedef struct checker {
  wal_ctx *ctx;
  const char *path;
  hid_t file;
  wal_hdf5_tree tree;
  FILE *out;
  int64_t findings, objects;
  const char *root;   /**< "", or as "/runs/run_000000" */
  int64_t first, end; /**< entries of the tree at and below the root */
  const wal_run_form_name *form;
} checker;

static const char *const ITEMS[] = {"a group",         "64-bit reals",   "reals",
                                    "64-bit integers", "64-bit numbers", "texts",
                                    "numbers or texts"};

__attribute__((format(printf, 3, 4))) static void found(checker *c, const char *object,
                                                        const char *format, ...) {
  char shown[WAL_HDF5_PATH], text[2 * TEXT], line[2 * TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  wal_hdf5_one_line(object, shown, sizeof shown);
  wal_hdf5_one_line(text, line, sizeof line);
  fprintf(c->out, "%s%s: %s\n",
          *c->root && strncmp(object, c->root, strlen(c->root)) ? c->root : "", shown, line);
  c->findings++;
}

// ---- Names ------------------------------------------------------------------------------------

/** Whether a text is what a pattern of a given length says, * standing for any part. */
static bool fits(const char *pattern, size_t length, const char *text) {
  const char *star = memchr(pattern, '*', length);
  if (!star) return strlen(text) == length && memcmp(pattern, text, length) == 0;
  const size_t before = (size_t)(star - pattern), after = length - before - 1, all = strlen(text);
  return all >= before + after && memcmp(pattern, text, before) == 0 &&
         memcmp(star + 1, text + all - after, after) == 0 && !strchr(text + before, '/');
}

bool wal_run_name_matches(const char *names, const char *name) {
  for (const char *at = names;; at++) {
    const size_t length = strcspn(at, ",");
    if (fits(at, length, name)) return true;
    at += length;
    if (!*at) return false;
  }
}

/** Whether the rule is about this kind of file, and about this part of it. */
static bool applies(const checker *c, const wal_run_rule *rule) {
  return (rule->forms & c->form->form) && !(*c->root && (rule->forms & WAL_FORM_WHOLE));
}

/** The rule of an object of a group ("" for the root), NULL if the layout does not have it. */
static const wal_run_rule *rule_of(const checker *c, const char *group, const char *name) {
  for (int i = 0; i < wal_run_rule_count; i++) {
    const wal_run_rule *rule = &wal_run_rules[i];
    if (!applies(c, rule)) continue;
    if (strcmp(rule->names, "**") == 0) {
      const size_t length = strlen(rule->group);
      if (strncmp(group, rule->group, length) == 0 && (!group[length] || group[length] == '/'))
        return rule;
    } else if (fits(rule->group, strlen(rule->group), group) &&
               wal_run_name_matches(rule->names, name)) {
      return rule;
    }
  }
  return NULL;
}

/** Index of the entry of a path, -1 if there is none. */
static int64_t entry_of(const checker *c, const char *path) {
  int64_t low = 0, high = c->tree.count;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (strcmp(c->tree.entries[middle].path, path) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < c->tree.count && strcmp(c->tree.entries[low].path, path) == 0 ? low : -1;
}

// ---- Attributes -------------------------------------------------------------------------------

/** An object's attribute as one line; false if it has none of this name, or none that can be read.
 */
static bool value_of(const checker *c, hid_t object, const char *name, char out[TEXT],
                     wal_hdf5_shape *shape) {
  out[0] = '\0';
  if (H5Aexists(object, name) <= 0) return false;
  char *text = NULL;
  size_t length = 0;
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  FILE *stream = open_memstream(&text, &length);
  bool good = stream && attribute >= 0 && wal_hdf5_shape_of(attribute, shape) &&
              wal_hdf5_attribute_value(attribute, &c->tree, stream);
  if (stream) fclose(stream);
  if (attribute >= 0) H5Aclose(attribute);
  if (good && text) snprintf(out, TEXT, "%s", text);
  free(text);
  return good;
}

static bool is_item(wal_run_item item, const wal_hdf5_shape *shape, bool attribute) {
  const bool real = shape->kind == WAL_HDF5_REAL, wide = shape->item == 8;
  const bool integer = shape->kind == WAL_HDF5_INTEGER && (wide || attribute);
  const bool text = shape->kind == WAL_HDF5_TEXT;
  switch (item) {
    case WAL_ITEM_GROUP:
      return false;
    case WAL_ITEM_REAL:
      return real && wide;
    case WAL_ITEM_STORED:
      return real;
    case WAL_ITEM_INTEGER:
      return integer;
    case WAL_ITEM_NUMBER:
      return integer || (real && wide);
    case WAL_ITEM_TEXT:
      return text;
    case WAL_ITEM_ANY:
      return integer || (real && wide) || text;
  }
  return false;
}

static bool is_of_hdf5(const char *name) {
  return wal_run_name_matches("CLASS,NAME,REFERENCE_LIST,DIMENSION_LIST", name);
}

/** One attribute of a group or dataset: known, and of its type. */
static void check_attribute(checker *c, hid_t object, const char *path, const char *group,
                            const char *name) {
  char named[NAME + 1], value[TEXT];
  wal_hdf5_shape shape;
  snprintf(named, sizeof named, "@%s", name);
  const wal_run_rule *rule = group ? rule_of(c, group, named) : NULL;
  if (!rule)
    found(c, path, "attribute %s: not in the layout of %s", name, c->form->name);
  else if (!value_of(c, object, name, value, &shape))
    found(c, path, "attribute %s: cannot be read", name);
  else if (shape.items != 1 || !is_item(rule->item, &shape, true))
    found(c, path, "attribute %s: expected one of %s, got %s", name, ITEMS[rule->item], shape.type);
}

/** All attributes of an object. `group`: its path below the root if it is a group, else NULL. */
static void check_attributes(checker *c, hid_t object, const char *path, const char *group) {
  H5O_info_t info;
  if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0 || info.num_attrs > MOST_ATTRIBUTES) {
    found(c, path, "attributes: cannot be read");
    return;
  }
  for (hsize_t i = 0; i < info.num_attrs; i++) {
    char name[NAME] = "";
    const hid_t id =
        H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Aget_name(id, sizeof name, name) < 0)
      found(c, path, "attributes: cannot be read");
    else if (group || !(is_of_hdf5(name) || wal_run_name_matches("units,long_name", name)))
      check_attribute(c, object, path, group, name);
    if (id >= 0) H5Aclose(id);
  }
}

/** Units and the long name of a dataset. */
static void check_words(checker *c, hid_t dataset, const char *path, const wal_run_rule *rule) {
  static const char *const WORDS[] = {"units", "long_name"};
  for (int i = 0; i < 2; i++) {
    char value[TEXT];
    wal_hdf5_shape shape;
    if (!value_of(c, dataset, WORDS[i], value, &shape))
      found(c, path, "%s: missing", WORDS[i]);
    else if (shape.kind != WAL_HDF5_TEXT || !value[0])
      found(c, path, "%s: expected a text", WORDS[i]);
    else if (i == 0 && rule->units && strcmp(value, rule->units) != 0)
      found(c, path, "units: expected \"%s\", got \"%s\"", rule->units, value);
  }
}

// ---- Dimensions -------------------------------------------------------------------------------

/** Paths of the scales of a dataset's dimensions, "" where there is none; false if unreadable. */
static bool scales_of(const checker *c, hid_t dataset, int rank, char scale[][TEXT]) {
  char list[TEXT];
  wal_hdf5_shape shape;
  for (int d = 0; d < rank; d++) scale[d][0] = '\0';
  if (H5Aexists(dataset, "DIMENSION_LIST") <= 0) return true;
  if (!value_of(c, dataset, "DIMENSION_LIST", list, &shape) || shape.items != rank) return false;
  const char *from = list + 1;  // "[/axes/stage, /axes/state]"
  for (int d = 0; d < rank; d++) {
    const size_t length = strcspn(from, ",]");
    memcpy(scale[d], from, length);
    scale[d][length] = '\0';
    from += length;
    if (*from == ',') from += 2;
  }
  return true;
}

static const char *last_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/** Whether a dataset has the dimensions of one alternative, which ends at `;` or the end. */
static bool has_dims(const char *dims, const wal_hdf5_shape *shape, bool is_scale,
                     char scale[][TEXT]) {
  const size_t length = strcspn(dims, ";");
  if (length > 0 && dims[0] == '=') return is_scale && shape->rank == 1;
  if (is_scale) return false;
  int d = 0;
  for (const char *at = dims; at < dims + length; d++) {
    const size_t word = strcspn(at, ",;");
    if (at[0] == '-') {
      for (; d < shape->rank; d++)
        if (scale[d][0]) return false;
      return true;
    }
    if (d >= shape->rank) return false;
    const char *name = last_name(scale[d]);
    if (at[0] == '~' ? scale[d][0] != '\0' : strlen(name) != word || memcmp(name, at, word) != 0)
      return false;
    at += word + (at[word] == ',');
  }
  return d == shape->rank;
}

/** "[iteration, population]" of what there is. */
static void dims_text(const wal_hdf5_shape *shape, bool is_scale, char scale[][TEXT],
                      char out[TEXT]) {
  size_t used = (size_t)snprintf(out, TEXT, "%s", is_scale ? "a dimension scale " : "");
  if (shape->rank == 0) snprintf(out + used, TEXT - used, "a scalar");
  for (int d = 0; d < shape->rank && used < TEXT; d++)
    used += (size_t)snprintf(out + used, TEXT - used, "%s%llu%s%s%s", d ? ", " : "[",
                             (unsigned long long)shape->extent[d], scale[d][0] ? " " : "",
                             last_name(scale[d]), d + 1 == shape->rank ? "]" : "");
}

static void check_extents(checker *c, const char *path, const wal_hdf5_shape *shape,
                          char scale[][TEXT]) {
  for (int d = 0; d < shape->rank; d++) {
    wal_hdf5_shape other;
    if (!scale[d][0]) continue;
    const hid_t id = H5Dopen2(c->file, scale[d], H5P_DEFAULT);
    if (id < 0 || !wal_hdf5_shape_of(id, &other) || other.rank != 1)
      found(c, path, "dimension %d: its scale %s is none", d, scale[d]);
    else if (other.extent[0] != shape->extent[d])
      found(c, path, "dimension %d: expected %llu, the length of %s, got %llu", d,
            (unsigned long long)other.extent[0], scale[d], (unsigned long long)shape->extent[d]);
    if (id >= 0) H5Dclose(id);
  }
}

static void check_dims(checker *c, hid_t dataset, const char *path, const wal_run_rule *rule,
                       const wal_hdf5_shape *shape) {
  char scale[MOST_DIMS][TEXT], class[TEXT], there[TEXT];
  wal_hdf5_shape ignored;
  const bool is_scale =
      value_of(c, dataset, "CLASS", class, &ignored) && strncmp(class, "DIMENSION_SCALE", 15) == 0;
  if (shape->rank > MOST_DIMS || !scales_of(c, dataset, shape->rank, scale)) {
    found(c, path, "dimensions: cannot be read");
    return;
  }
  bool good = false;
  for (const char *dims = rule->dims; !good;) {
    good = has_dims(dims, shape, is_scale, scale);
    dims += strcspn(dims, ";");
    if (!*dims++) break;
  }
  if (!good) {
    dims_text(shape, is_scale, scale, there);
    const char *dims = rule->dims;
    if (dims[0] == '=')
      found(c, path, "dimensions: expected a dimension scale, got %s", there);
    else if (dims[0] == '\0' || dims[0] == '-')
      found(c, path, "dimensions: expected %s, got %s",
            dims[0] ? "some without scales" : "a scalar", there);
    else
      found(c, path, "dimensions: expected [%s], got %s", dims, there);
  } else if (!is_scale) {
    check_extents(c, path, shape, scale);
  }
}

// ---- Objects ----------------------------------------------------------------------------------

static void check_dataset(checker *c, const char *path, const wal_run_rule *rule) {
  wal_hdf5_shape shape;
  const hid_t dataset = H5Dopen2(c->file, path, H5P_DEFAULT);
  if (dataset < 0 || !wal_hdf5_shape_of(dataset, &shape)) {
    found(c, path, "cannot be read");
  } else {
    if (!is_item(rule->item, &shape, false))
      found(c, path, "type: expected %s, got %s", ITEMS[rule->item], shape.type);
    check_dims(c, dataset, path, rule, &shape);
    check_words(c, dataset, path, rule);
    check_attributes(c, dataset, path, NULL);
  }
  if (dataset >= 0) H5Dclose(dataset);
}

/** Looks for what must be in a group, and at its attributes. */
static void check_group(checker *c, const char *path, const char *group) {
  const hid_t object = H5Oopen(c->file, *path ? path : "/", H5P_DEFAULT);
  if (object < 0) {
    found(c, path, "cannot be read");
    return;
  }
  check_attributes(c, object, *path ? path : "/", group);
  for (int i = 0; i < wal_run_rule_count; i++) {
    const wal_run_rule *rule = &wal_run_rules[i];
    if (!rule->must || !applies(c, rule) || !fits(rule->group, strlen(rule->group), group))
      continue;
    for (const char *at = rule->names; *at; at += *at == ',') {
      const size_t length = strcspn(at, ",");
      char name[WAL_HDF5_PATH];
      if (at[0] == '@') {
        snprintf(name, sizeof name, "%.*s", (int)length - 1, at + 1);
        if (H5Aexists(object, name) <= 0)
          found(c, *path ? path : "/", "attribute %s: missing", name);
      } else {
        snprintf(name, sizeof name, "%s/%.*s", path, (int)length, at);
        if (entry_of(c, name) < 0) found(c, name, "missing");
      }
      at += length;
    }
  }
  H5Oclose(object);
}

/** Whether an entry lies below a run of a sweep, which is a part of its own. */
static bool is_in_part(const checker *c, const char *path) {
  return c->form->form == WAL_FORM_SWEEP && strncmp(path, RUNS, sizeof RUNS - 1) == 0 &&
         strchr(path + sizeof RUNS - 1, '/');
}

static void check_entry(checker *c, const wal_hdf5_entry *entry) {
  const char *path = entry->path + strlen(c->root);  // below the root
  char group[WAL_HDF5_PATH];
  const char *name = last_name(path);
  snprintf(group, sizeof group, "%.*s", (int)(name - path) - 1, path);
  const wal_run_rule *rule = rule_of(c, group, name);
  c->objects++;
  if (!entry->group && !entry->dataset)
    found(c, entry->path, "expected a group or dataset, got a link");
  else if (!rule)
    found(c, entry->path, "not in the layout of %s", c->form->name);
  else if (entry->group != (rule->item == WAL_ITEM_GROUP))
    found(c, entry->path, "expected %s, got a %s", ITEMS[rule->item],
          entry->group ? "group" : "dataset");
  else if (entry->dataset)
    check_dataset(c, entry->path, rule);
  else if (!(c->form->form == WAL_FORM_SWEEP && strcmp(group, "/runs") == 0))
    check_group(c, entry->path, path);
}

/** What kind of file, or of part of it, this is; NULL if its task is none. */
static const wal_run_form_name *form_of(const checker *c) {
  char task[TEXT] = "", path[WAL_HDF5_PATH];
  wal_hdf5_shape shape;
  const hid_t root = H5Oopen(c->file, *c->root ? c->root : "/", H5P_DEFAULT);
  const bool good = root >= 0 && value_of(c, root, "task", task, &shape);
  if (root >= 0) H5Oclose(root);
  for (int i = 0; good && i < wal_run_form_count; i++) {
    const wal_run_form_name *form = &wal_run_forms[i];
    snprintf(path, sizeof path, "%s%s", c->root, form->group ? form->group : "");
    if (form->task && strcmp(form->task, task) != 0) continue;
    if (!form->group || entry_of(c, path) >= 0) return form;
  }
  return NULL;
}

static void check_part(checker *c) {
  c->form = form_of(c);
  if (!c->form) {
    found(c, *c->root ? c->root : "/", "attribute task: expected the name of a task");
    return;
  }
  check_group(c, c->root, "");
  for (int64_t i = c->first + 1; i < c->end; i++)
    if (!is_in_part(c, c->tree.entries[i].path)) check_entry(c, &c->tree.entries[i]);
}

/** The runs of a sweep, each as a file of its own. */
static void check_runs(checker *c) {
  checker part = *c;
  for (int64_t i = 0; i < c->tree.count; i++) {
    const char *run = c->tree.entries[i].path;
    const size_t length = strlen(run);
    if (strncmp(run, RUNS, sizeof RUNS - 1) != 0 || strchr(run + sizeof RUNS - 1, '/')) continue;
    part.root = run;
    part.first = i;
    part.end = i + 1;
    while (part.end < c->tree.count && strncmp(c->tree.entries[part.end].path, run, length) == 0 &&
           c->tree.entries[part.end].path[length] == '/')
      part.end++;
    check_part(&part);
  }
  c->findings = part.findings;
  c->objects = part.objects;
}

/** What the file says of itself. */
static void check_head(checker *c) {
  static const struct {
    const char *name, *value, *meaning;
  } HEAD[] = {{"format_version", "1", "1"}, {"complete", "1", "1 (the run was ended well)"}};
  if (!wal_run_seal_there(c->path))
    found(c, "/", "its seal is gone: another program has written to the file");
  for (int i = 0; i < 2; i++) {
    char value[TEXT];
    wal_hdf5_shape shape;
    if (value_of(c, c->file, HEAD[i].name, value, &shape) && strcmp(value, HEAD[i].value) != 0)
      found(c, "/", "attribute %s: expected %s, got %s", HEAD[i].name, HEAD[i].meaning, value);
  }
}

wal_status wal_run_schema_check(wal_ctx *ctx, const char *path, FILE *out) {
  checker c = {.ctx = ctx, .path = path, .file = -1, .out = out, .root = ""};
  wal_run_comparison itself = {0};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_hdf5_open(ctx, path, &c.file));
  WAL_TRY_GOTO(wal_hdf5_tree_read(ctx, path, c.file, true, &c.tree));
  c.end = c.tree.count;
  check_head(&c);
  check_part(&c);
  if (c.form && c.form->form == WAL_FORM_SWEEP) check_runs(&c);
  // Reads every number, so that the checksums of large arrays are looked at.
  WAL_TRY_GOTO(wal_run_compare(ctx, path, path, &itself));
  if (c.findings > 0)
    WAL_TRY_GOTO(wal_fail(ctx, WAL_EINPUT, "%s: not as documented: %lld finding%s", path,
                          (long long)c.findings, c.findings == 1 ? "" : "s"));
  fprintf(out, "%s: as documented: %s, format %d, %lld groups and datasets\n", path, c.form->name,
          WAL_RUN_FILE_VERSION, (long long)c.objects);
cleanup:
  wal_hdf5_tree_free(ctx, &c.tree);
  if (c.file >= 0) H5Fclose(c.file);
  return status;
}

// ---- The table --------------------------------------------------------------------------------

static void print_rule(const wal_run_form_name *form, const wal_run_rule *rule, FILE *out) {
  static const char *const TYPES[] = {"group", "real", "real (stored)", "integer", "number",
                                      "text",  "any"};
  for (const char *at = rule->names; *at; at += *at == ',') {
    const int length = (int)strcspn(at, ",");
    fprintf(out, "%s\t%s%s%.*s\t%s\t%s\t%s\t%s\n", form->name,
            at[0] == '@' && !*rule->group ? "/" : rule->group, at[0] == '@' ? "" : "/", length, at,
            TYPES[rule->item], rule->dims ? rule->dims : "", rule->units ? rule->units : "",
            rule->must ? "must" : "may");
    at += length;
  }
}

void wal_run_schema_print(FILE *out) {
  fprintf(out, "file\tpath\ttype\tdimensions\tunits\tneed\n");
  for (int f = 0; f < wal_run_form_count; f++)
    for (int i = 0; i < wal_run_rule_count; i++)
      if (wal_run_rules[i].forms & wal_run_forms[f].form)
        print_rule(&wal_run_forms[f], &wal_run_rules[i], out);
}
