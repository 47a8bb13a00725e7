// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/run_names.h"

#include <string.h>

#include "sim/core/memory.h"

/** FNV-1a, 64 bits. */
static uint64_t hash(const char *path) {
  uint64_t h = 0xcbf29ce484222325u;
  for (; *path; path++) h = (h ^ (unsigned char)*path) * 0x100000001b3u;
  return h;
}

/** Slot of a path, or the empty one where it would stand. The number of slots is a power of 2. */
static int64_t slot_of(const wal_run_names *names, const char *path) {
  const uint64_t mask = (uint64_t)names->slots_count - 1;
  uint64_t slot = hash(path);
  for (slot ^= slot >> 32;; slot++) {
    int64_t entry = names->slots[slot & mask] - 1;
    if (entry < 0 || strcmp(wal_run_names_path(names, entry), path) == 0)
      return (int64_t)(slot & mask);
  }
}

int64_t wal_run_names_find(const wal_run_names *names, const char *path) {
  if (names->slots_count == 0) return -1;
  int64_t entry = names->slots[slot_of(names, path)] - 1;
  return entry < 0 ? -1 : names->list[entry].object;
}

static wal_status grow_slots(wal_ctx *ctx, wal_run_names *names) {
  if (2 * (names->count + 1) <= names->slots_count) return WAL_OK;
  int64_t room = names->slots_count ? 2 * names->slots_count : 256, *slots = NULL;
  WAL_TRY(wal_acquire(ctx, "names of a run file", room, sizeof *slots, &slots));
  wal_release(ctx, &names->slots);
  names->slots = slots;
  names->slots_count = room;
  for (int64_t i = 0; i < names->count; i++)
    slots[slot_of(names, wal_run_names_path(names, i))] = i + 1;
  return WAL_OK;
}

static wal_status grow_texts(wal_ctx *ctx, wal_run_names *names, int64_t more) {
  if (names->texts_used + more <= names->texts_room) return WAL_OK;
  int64_t room = 2 * names->texts_room + more + 4096;
  char *texts = NULL;
  WAL_TRY(wal_acquire(ctx, "names of a run file", room, 1, &texts));
  if (names->texts_used) memcpy(texts, names->texts, (size_t)names->texts_used);
  wal_release(ctx, &names->texts);
  names->texts = texts;
  names->texts_room = room;
  return WAL_OK;
}

wal_status wal_run_names_add(wal_ctx *ctx, wal_run_names *names, const char *path,
                             wal_run_what what, int64_t object) {
  const int64_t size = (int64_t)strlen(path) + 1;
  WAL_TRY(grow_slots(ctx, names));
  WAL_TRY(grow_texts(ctx, names, size));
  WAL_TRY(wal_hdf5_grow(ctx, "names of a run file", &names->list, names->count, &names->capacity,
                        sizeof *names->list));
  int64_t slot = slot_of(names, path);
  wal_run_name *name = &names->list[names->count];
  *name = (wal_run_name){.text = names->texts_used,
                         .object = object < 0 ? names->count : object,
                         .what = what,
                         .first_use = -1,
                         .last_use = -1};
  memcpy(names->texts + names->texts_used, path, (size_t)size);
  names->texts_used += size;
  names->slots[slot] = ++names->count;
  return WAL_OK;
}

void wal_run_names_free(wal_ctx *ctx, wal_run_names *names) {
  wal_release(ctx, &names->list);
  wal_release(ctx, &names->texts);
  wal_release(ctx, &names->slots);
  memset(names, 0, sizeof *names);
}
