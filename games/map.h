// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_MAP_H
#define WALRAS_GAMES_MAP_H

#include "games/grid.h"

/**
 * A map drawn with characters, one a cell, one line a row:
 *
 *     #####
 *     #S..#
 *     #####
 *
 * What an editor or a Lua long string adds is forgiven: lines of blanks before and after the map,
 * an indentation that all lines have in common, blanks and carriage returns at the ends of lines.
 * Error texts count lines and columns of what is left, from 1. Of a map with floors, lines of
 * blanks lie between them.
 */
typedef struct wal_map {
  int64_t floors;
  wal_grid grid; /**< of every floor */
  char *cells;   /**< [floors][rows][columns], of the alphabet; NULL: all WAL_MAP_FREE */
  int *line;     /**< [floors][rows]: where the row stands, for error texts; NULL with cells */
} wal_map;

enum { WAL_MAP_WALL = '#', WAL_MAP_FREE = '.' };

/** What the characters of a map mean. */
typedef struct wal_map_rules {
  const char *alphabet; /**< the characters that may stand for a cell, WAL_MAP_WALL among them */
  bool floors;          /**< lines of blanks begin a new floor */
} wal_map_rules;

/** A map that scenarios know by name. */
typedef struct wal_map_name {
  const char *name; /**< lower-case letters, digits and underscores */
  const char *text; /**< NULL: the game knows what is meant */
} wal_map_name;

/**
 * The entry of `names` (which ends with a NULL name) that a text parameter gives, or *out = NULL
 * if it draws a map itself. WAL_EINPUT if it is a name, but none of these.
 */
wal_status wal_map_find(wal_ctx *ctx, const wal_params *params, const char *parameter,
                        const wal_map_name *names, const wal_map_name **out);

/**
 * Reads a map. WAL_EINPUT, with line and column, on an unknown character, lines or floors of
 * different size, no line at all, no cell but walls.
 * @param parameter  its name, for error texts
 * @param out  freed with wal_map_free(); left empty on failure
 */
wal_status wal_map_read(wal_ctx *ctx, const wal_params *params, const char *parameter,
                        const wal_map_rules *rules, const char *text, wal_map *out);

void wal_map_free(wal_ctx *ctx, wal_map *map);

static inline int64_t wal_map_cells(const wal_map *map) {
  return map->floors * map->grid.rows * map->grid.columns;
}

static inline char wal_map_at(const wal_map *map, int64_t cell) {
  return map->cells ? map->cells[cell] : (char)WAL_MAP_FREE;
}

static inline bool wal_map_is_wall(const wal_map *map, int64_t cell) {
  return wal_map_at(map, cell) == WAL_MAP_WALL;
}

/** The next run of free cells from *cell on, before `end`: its length (0: no more); *cell becomes
 * its first. */
static inline int64_t wal_map_run(const wal_map *map, int64_t end, int64_t *cell) {
  int64_t first = *cell, behind;
  while (first < end && wal_map_is_wall(map, first)) first++;
  behind = map->cells ? first : end;
  while (behind < end && !wal_map_is_wall(map, behind)) behind++;
  *cell = first;
  return behind - first;
}

/** Number of cells that carry a character of `set`. */
int64_t wal_map_count(const wal_map *map, const char *set);

/** Fails with `...: PARAMETER: line L, column C: ` before the text; the map was read. */
wal_status wal_map_fail(wal_ctx *ctx, const wal_params *params, const char *parameter,
                        const wal_map *map, int64_t cell, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/** Cells of a map of one floor, with a number each. */
typedef struct wal_map_places {
  int64_t count;
  const double *row; /**< [count][width]: row, column and, with width 3, the number */
  int width;
} wal_map_places;

/**
 * A parameter of rank 2 whose rows are {row, column} or {row, column, value}: whole numbers on the
 * map. *out is empty if it was left out.
 */
wal_status wal_map_read_places(wal_ctx *ctx, wal_params *params, const char *parameter,
                               const wal_map *map, wal_map_places *out);

static inline int64_t wal_map_place(const wal_map_places *places, int64_t i, const wal_map *map) {
  const double *row = places->row + i * places->width;
  return (int64_t)row[0] * map->grid.columns + (int64_t)row[1];
}

static inline double wal_map_value(const wal_map_places *places, int64_t i) {
  return places->width == 3 ? places->row[i * places->width + 2] : 1;
}

#endif
