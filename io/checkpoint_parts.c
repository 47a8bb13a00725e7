// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/checkpoint_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char ENDING[] = ".h5", MARK[] = ".checkpoint-";
static const char *const KINDS[] = {"run", "part"};
enum { DIGITS = 6 };

const char *wal_checkpoint_part_name(const char *run, const char *kind, int64_t number, char *out) {
  snprintf(out, WAL_CHECKPOINT_PATH, "%.*s.%s-%0*lld%s", wal_run_stem_length(run), run, kind,
           DIGITS, (long long)number, ENDING);
  return out;
}

/* Number of the part that a file in the run's folder is a checkpoint of, else -1; of a half-written
 * one only if `partial`. */
static int64_t part_of(const char *run, const char *kind, const char *name, bool partial) {
  const char *slash = strrchr(run, '/'), *base = slash ? slash + 1 : run;
  const size_t stem = (size_t)(wal_run_stem_length(run) - (base - run)), word = strlen(kind);
  if (strncmp(name, base, stem) != 0) {
    if (!partial || name[0] != '.' || !strstr(name, ".partial-")) return -1;
    name++;
    if (strncmp(name, base, stem) != 0) return -1;
  }
  name += stem;
  if (name[0] != '.' || strncmp(name + 1, kind, word) != 0 || name[1 + word] != '-') return -1;
  name += word + 2;
  char *end = NULL;
  const long long number = strtoll(name, &end, 10);
  const bool good = *name >= '0' && *name <= '9' && strncmp(end, MARK, sizeof MARK - 1) == 0;
  return good ? (int64_t)number : -1;
}

static int folder_length(const char *run) {
  const char *slash = strrchr(run, '/');
  return slash ? (int)(slash - run) + 1 : 0;
}

DIR *wal_checkpoint_folder(const char *run) {
  char folder[WAL_CHECKPOINT_PATH];
  const int length = folder_length(run);
  snprintf(folder, sizeof folder, "%.*s", length ? length : 1, length ? run : ".");
  return opendir(folder);
}

void wal_checkpoint_part_whole(char *run) {
  const int stem = wal_run_stem_length(run);
  const char *slash = strrchr(run, '/'), *base = slash ? slash + 1 : run;
  char *digits = run + stem;
  while (digits > base && digits[-1] >= '0' && digits[-1] <= '9') digits--;
  for (int k = 0; k < 2 && run + stem - digits >= DIGITS; k++) {
    const size_t word = strlen(KINDS[k]) + 2;  // ".run-"
    if ((size_t)(digits - base) <= word) continue;
    char *dot = digits - word;
    if (dot[0] != '.' || strncmp(dot + 1, KINDS[k], word - 2) != 0 || digits[-1] != '-') continue;
    memmove(dot, run + stem, strlen(run + stem) + 1);
    return;
  }
}

void wal_checkpoint_parts_remove(const char *run, const char *kind,
                                 bool (*gone)(void *user, int64_t number), void *user) {
  char path[WAL_CHECKPOINT_PATH];
  DIR *list = wal_checkpoint_folder(run);
  for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
    const int64_t number = part_of(run, kind, entry->d_name, true);
    if (number < 0 || !gone(user, number)) continue;
    snprintf(path, sizeof path, "%.*s%s", folder_length(run), run, entry->d_name);
    unlink(path);
  }
  if (list) closedir(list);
}

wal_status wal_checkpoint_parts_exist(wal_ctx *ctx, const char *run, bool *exist, char *name) {
  int64_t none = 1;
  DIR *list = wal_ctx_rank(ctx) == 0 ? wal_checkpoint_folder(run) : NULL;
  for (struct dirent *entry; list && none && (entry = readdir(list)) != NULL;) {
    for (int k = 0; k < 2; k++)
      if (part_of(run, KINDS[k], entry->d_name, false) >= 0) none = 0;
    if (!none)
      snprintf(name, WAL_CHECKPOINT_PATH, "%.*s%s", folder_length(run), run, entry->d_name);
  }
  if (list) closedir(list);
  WAL_TRY(wal_ctx_least_integer(ctx, &none));
  *exist = none == 0;
  return WAL_OK;
}
