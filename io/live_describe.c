// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/checkpoint.h"
#include "io/hdf5_helpers.h"
#include "io/live.h"
#include "sim/core/memory.h"

enum { NAME = 64, LINE = 400, LONGEST_LINE = 65536 };

/* Age of the last line beyond which a run on another machine, which cannot be asked, may be dead.
 */
static const double SILENCE = 120;

typedef struct row {
  int64_t done;
  double figure, seconds;
} row;

/* What the lines of a live view come to. */
typedef struct view {
  bool there, headed;
  double age; /**< seconds since its last line */
  char task[NAME], game[NAME], learner[NAME], noun[NAME], figure[NAME];
  char host[LINE], started[NAME], command[LINE], event[NAME], reason[LINE];
  int64_t seed, ranks, process, ticks, from, total, resumed;
  int64_t rows, part;           /**< rows in all, and since the last head */
  row first, best, last, since; /**< since: first one after the last head */
} view;

// ---- Reading ----------------------------------------------------------------------------------

static void take_text(json_t *line, const char *key, char *out, size_t size) {
  const char *text = json_string_value(json_object_get(line, key));
  wal_hdf5_one_line(text ? text : "", out, size);
}

static int64_t take_integer(json_t *line, const char *key, int64_t otherwise) {
  json_t *number = json_object_get(line, key);
  return json_is_integer(number) ? (int64_t)json_integer_value(number) : otherwise;
}

static void take_head(json_t *line, view *v) {
  take_text(line, "task", v->task, sizeof v->task);
  take_text(line, "game", v->game, sizeof v->game);
  take_text(line, "learner", v->learner, sizeof v->learner);
  take_text(line, "counts", v->noun, sizeof v->noun);
  take_text(line, "watches", v->figure, sizeof v->figure);
  take_text(line, "host", v->host, sizeof v->host);
  take_text(line, "command", v->command, sizeof v->command);
  if (!v->headed) take_text(line, "started", v->started, sizeof v->started);
  v->seed = take_integer(line, "seed", -1);
  v->ranks = take_integer(line, "ranks", -1);
  v->process = take_integer(line, "pid", -1);
  v->ticks = take_integer(line, "pid_ticks", -1);
  v->from = take_integer(line, "from", 0);
  v->total = take_integer(line, "total", 0);
  v->event[0] = '\0';
  if (v->headed) v->resumed++;
  v->headed = true;
  v->part = 0;
}

static void take_row(json_t *line, view *v) {
  json_t *done = json_object_get(line, v->noun), *figure = json_object_get(line, v->figure);
  if (!json_is_integer(done)) return;
  const row now = {.done = (int64_t)json_integer_value(done),
                   .figure = json_is_number(figure) ? json_number_value(figure) : NAN,
                   .seconds = json_number_value(json_object_get(line, "seconds"))};
  if (now.done < 0) return;
  if (v->rows++ == 0) v->first = v->best = now;
  if (v->part++ == 0) v->since = now;
  if (now.figure < v->best.figure) v->best = now;
  v->last = now;
}

static void take_event(json_t *line, view *v) {
  take_text(line, "event", v->event, sizeof v->event);
  take_text(line, "reason", v->reason, sizeof v->reason);
}

/* A line that is no object, as one that was cut, says nothing. */
static void take_line(const char *bytes, size_t length, view *v) {
  json_t *line = json_loadb(bytes, length, 0, NULL);
  if (json_is_object(line)) {
    const char *format = json_string_value(json_object_get(line, "format"));
    if (format && strcmp(format, "walras progress") == 0 &&
        take_integer(line, "version", 0) == WAL_LIVE_VERSION)
      take_head(line, v);
    else if (v->headed && json_object_get(line, "event"))
      take_event(line, v);
    else if (v->headed)
      take_row(line, v);
  }
  json_decref(line);
}

static double age_of(const struct stat *info) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const double age = (double)(now.tv_sec - info->st_mtim.tv_sec) +
                     1e-9 * (double)(now.tv_nsec - info->st_mtim.tv_nsec);
  return age > 0 ? age : 0;
}

/* Lines too long for walras to have written them are taken in pieces, none of which is an object.
 */
static wal_status read_view(wal_ctx *ctx, const char *path, view *v) {
  struct stat info;
  if (stat(path, &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return WAL_OK;
    return wal_fail(ctx, WAL_EIO, "%s: cannot be read: %s", path, strerror(errno));
  }
  if (!S_ISREG(info.st_mode))
    return wal_fail(ctx, WAL_EIO, "%s: cannot be read: it is not a file", path);
  FILE *file = fopen(path, "rb");
  if (!file) return wal_fail(ctx, WAL_EIO, "%s: cannot be read: %s", path, strerror(errno));
  char *bytes = NULL;
  wal_status status = wal_acquire(ctx, "a line", LONGEST_LINE, 1, &bytes);
  v->there = true;
  v->age = age_of(&info);
  while (status == WAL_OK && fgets(bytes, LONGEST_LINE, file)) {
    const size_t length = strlen(bytes);
    if (length > 0 && bytes[length - 1] == '\n') take_line(bytes, length, v);
  }
  wal_release(ctx, &bytes);
  fclose(file);
  if (status == WAL_OK && !v->headed)
    status =
        wal_fail(ctx, WAL_EIO, "%s: not the live view of a run (no first line of walras)", path);
  return status;
}

// ---- Telling ----------------------------------------------------------------------------------

static const char *duration(double seconds, char out[NAME]) {
  if (seconds < 100)
    snprintf(out, NAME, "%.1f s", seconds);
  else if (seconds < 6000)
    snprintf(out, NAME, "%.1f min", seconds / 60);
  else if (seconds < 48 * 3600)
    snprintf(out, NAME, "%.1f h", seconds / 3600);
  else
    snprintf(out, NAME, "%.1f days", seconds / 86400);
  return out;
}

typedef enum life { RUNNING, UNKNOWN, ENDED } life;

/* Whether the process that the first line names is there, if it is one of this machine. */
static bool is_alive(const view *v) {
  const int64_t start = v->process > 0 ? wal_live_process_start(v->process) : -1;
  return start >= 0 && (v->ticks < 0 || start == v->ticks);
}

/* Whether it seems to be running, and why. */
static life judge(const view *v, char out[2 * LINE]) {
  char host[LINE] = "", age[NAME];
  gethostname(host, sizeof host - 1);
  duration(v->age, age);
  if (v->event[0]) {
    snprintf(out, 2 * LINE, "%s: %s", v->event, v->reason[0] ? v->reason : "no reason given");
    return ENDED;
  }
  if (strcmp(host, v->host) != 0) {
    snprintf(out, 2 * LINE, "%s on %s, which cannot be asked from here: last line %s ago",
             v->age < SILENCE ? "running, it seems," : "perhaps dead", v->host, age);
    return UNKNOWN;
  }
  const bool alive = is_alive(v);
  if (alive)
    snprintf(out, 2 * LINE, "running (process %lld of this machine, last line %s ago)",
             (long long)v->process, age);
  else
    snprintf(out, 2 * LINE, "dead: process %lld is not there any more, last line %s ago",
             (long long)v->process, age);
  return alive ? RUNNING : ENDED;
}

static void print_figures(const view *v, FILE *out) {
  if (!v->figure[0] || v->rows == 0 || isnan(v->last.figure)) return;
  if (strcmp(v->figure, "exploitability") != 0) {
    fprintf(out, "  %-20s  %.6g\n", v->figure, v->last.figure);
    return;
  }
  fprintf(out, "  exploitability first  %.6g\n", v->first.figure);
  fprintf(out, "                 best   %.6g (iteration %lld)\n", v->best.figure,
          (long long)v->best.done);
  fprintf(out, "                 last   %.6g\n", v->last.figure);
}

static void print_view(const view *v, bool alive, FILE *out) {
  char text[NAME], label[NAME + 8];
  fprintf(out, "  started               %s on %s, %lld rank%s, seed %lld", v->started, v->host,
          (long long)v->ranks, v->ranks == 1 ? "" : "s", (long long)v->seed);
  if (v->resumed > 0)
    fprintf(out, ", resumed %lld time%s, last at %s %lld", (long long)v->resumed,
            v->resumed == 1 ? "" : "s", v->noun, (long long)v->from);
  fprintf(out, "\n  command               %s\n", v->command);
  snprintf(label, sizeof label, "%ss", v->noun);
  fprintf(out, "  %-20s  %lld of %lld\n", label, (long long)(v->rows > 0 ? v->last.done : v->from),
          (long long)v->total);
  print_figures(v, out);
  if (v->rows == 0) return;
  fprintf(out, "  seconds               %.3f\n", v->last.seconds);
  const double each = (v->last.seconds - v->since.seconds) / (double)(v->last.done - v->since.done);
  if (v->last.done > v->since.done && each >= 0 && v->total >= v->last.done)
    fprintf(out, "  %-20s  at most %s\n", alive ? "left" : "left when resumed",
            duration(each * (double)(v->total - v->last.done), text));
}

/* The newest checkpoint, and whether it can be read. */
static void print_checkpoint(wal_ctx *ctx, const char *run, int64_t newest, bool alone, FILE *out) {
  char path[WAL_CHECKPOINT_PATH], text[NAME];
  wal_checkpoint_head head;
  char *memory = NULL;
  struct stat info;
  if (newest < 0) return;
  wal_checkpoint_name(run, newest, path);
  const bool there = stat(path, &info) == 0;
  const wal_status status = wal_checkpoint_head_read(ctx, path, &head, &memory);
  if (status == WAL_OK && alone)
    fprintf(out, "  task                  %s, seed %lld, of %s\n", head.task, (long long)head.seed,
            head.scenario_file);
  fprintf(out, "  checkpoint            %s", path);
  if (there) fprintf(out, ", %s old", duration(age_of(&info), text));
  fprintf(out, "\n");
  if (status != WAL_OK) fprintf(out, "                        %s\n", wal_ctx_error(ctx));
  wal_release(ctx, &memory);
}

static void print_way_on(const char *run, const view *v, life state, int64_t newest, FILE *out) {
  if (state == RUNNING && strcmp(v->task, "simulate") == 0) return;  // which has no checkpoints
  if (state == RUNNING) {
    const int stem = wal_run_stem_length(run);
    fprintf(out, "  to stop it            touch %.*s.STOP\n", stem, run);
  } else if (newest >= 0) {
    fprintf(out, "  to go on              walras resume %s%s\n", run,
            state == UNKNOWN ? " (if it is dead)" : "");
  } else if (state == ENDED) {
    fprintf(out, "  to go on              there is no checkpoint: run it anew%s%s\n",
            v->command[0] ? ", " : "", v->command);
  }
}

int64_t wal_live_owner(wal_ctx *ctx, const char *run) {
  char path[WAL_LIVE_PATH], host[LINE] = "";
  view v = {0};
  gethostname(host, sizeof host - 1);
  if (read_view(ctx, wal_live_name(run, path), &v) != WAL_OK || !v.headed || v.event[0]) return -1;
  return strcmp(host, v.host) == 0 && is_alive(&v) ? v.process : -1;
}

wal_status wal_live_describe(wal_ctx *ctx, const char *run, int64_t newest, FILE *out) {
  char path[WAL_LIVE_PATH], how[2 * LINE] = "what became of it is not known (no live view)";
  view v = {0};
  const wal_status status = read_view(ctx, wal_live_name(run, path), &v);
  if (status != WAL_OK && newest < 0) return status;
  if (!v.there && newest < 0) return wal_fail(ctx, WAL_ENOTFOUND, "%s: no such file", run);
  const life state = v.headed ? judge(&v, how) : UNKNOWN;
  fprintf(out, "%s %s, as %s:\n", run,
          access(run, F_OK) == 0 ? "is of an earlier run; the one since"
                                 : "is not there yet; where its run stands",
          v.headed && newest >= 0 ? "its live view and checkpoints have it"
          : v.headed              ? "its live view has it"
                                  : "its checkpoints have it");
  if (v.headed)
    fprintf(out, "%s%s%s%s%s: %s\n", v.task, v.game[0] ? ", " : "", v.game,
            v.learner[0] ? ", " : "", v.learner, how);
  else
    fprintf(out, "%s\n", status == WAL_OK ? how : wal_ctx_error(ctx));
  if (v.headed) print_view(&v, state == RUNNING, out);
  print_checkpoint(ctx, run, newest, !v.headed, out);
  print_way_on(run, &v, state, newest, out);
  return WAL_OK;
}
