// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/game_list.h"

#include <string.h>

static const wal_game_type *const GAMES[] = {
#define WAL_GAME_ENTRY(name) &wal_game_##name,
    WAL_GAME_LIST(WAL_GAME_ENTRY)
#undef WAL_GAME_ENTRY
};

int64_t wal_game_count(void) { return (int64_t)(sizeof GAMES / sizeof GAMES[0]); }

const wal_game_type *wal_game_at(int64_t index) { return GAMES[index]; }

const wal_game_type *wal_game_find(const char *name) {
  for (int64_t i = 0; i < wal_game_count(); i++)
    if (strcmp(GAMES[i]->component.name, name) == 0) return GAMES[i];
  return NULL;
}
