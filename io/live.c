// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L

#include "io/live.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/checkpoint.h"

enum { HOST = 256, LONGEST = 4096, STAT = 1024, START_FIELD = 22 };

// A line every tenth of a second, or every ten-thousandth of the time so far: a day has 55,000.
static const double OPEN_SECONDS = 1, LINE_SECONDS = 0.1, LINE_SHARE = 1e-4;

const char *wal_live_name(const char *run, char *out) {
  snprintf(out, WAL_LIVE_PATH, "%.*s.progress.jsonl", wal_run_stem_length(run), run);
  return out;
}

int64_t wal_live_process_start(int64_t process) {
  char path[64], text[STAT];
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)process);
  FILE *file = fopen(path, "r");
  if (!file) return -1;
  const size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  // The second field is a name in brackets that may hold anything.
  const char *at = strrchr(text, ')');
  for (int field = 2; at && field < START_FIELD; field++) {
    at = strchr(at + 1, ' ');
    // A process that has ended and waits for its parent to notice is not there any more.
    if (at && field == 2 && (at[1] == 'Z' || at[1] == 'X')) return -1;
  }
  return at ? (int64_t)strtoll(at + 1, NULL, 10) : -1;
}

// ---- Writing ----------------------------------------------------------------------------------

static void give_up(wal_live *live, const char *what) {
  if (!live->failed)
    wal_warn(live->ctx, "%s: cannot be %s: %s; the run goes on without a live view", live->path,
             what, strerror(errno));
  if (live->opened) close(live->file);
  live->opened = false;
  live->failed = true;
}

/* A line with one call, so that a reader never sees lines mixed, and at most the last one cut. */
static void put(wal_live *live, wal_text *line) {
  wal_text_add(line, "}\n");
  if (!line->failed && live->opened) {
    errno = ENOSPC;  // what a short count means
    if (write(live->file, line->bytes, line->length) != (ssize_t)line->length)
      give_up(live, "written");
  }
  wal_text_free(line);
}

static void add_text(wal_text *line, const char *name, const char *value) {
  char cut[LONGEST];
  if (!value) return;
  snprintf(cut, sizeof cut, "%s", value);
  wal_text_add(line, ",\"%s\":", name);
  wal_json_string(line, cut);
}

static void add_integer(wal_text *line, const char *name, int64_t value) {
  wal_text_add(line, ",\"%s\":%lld", name, (long long)value);
}

static void add_real(wal_text *line, const char *name, double value) {
  if (isnan(value)) return;
  wal_text_add(line, ",\"%s\":", name);
  wal_json_number(line, value);
}

static void put_head(wal_live *live) {
  const wal_live_head *head = &live->head;
  char host[HOST] = "", clock[64] = "";
  const time_t begun = time(NULL) - (time_t)(wal_clock() - live->started);
  struct tm utc;
  gethostname(host, sizeof host - 1);
  if (gmtime_r(&begun, &utc)) strftime(clock, sizeof clock, "%Y-%m-%dT%H:%M:%SZ", &utc);
  wal_text line = {0};
  wal_text_add(&line, "{\"format\":\"walras progress\",\"version\":%d", WAL_LIVE_VERSION);
  add_text(&line, "task", head->task);
  add_text(&line, "game", head->game);
  add_text(&line, "learner", head->learner);
  add_integer(&line, "seed", head->seed);
  add_integer(&line, "ranks", head->ranks);
  add_text(&line, "host", host);
  add_integer(&line, "pid", (int64_t)getpid());
  add_integer(&line, "pid_ticks", wal_live_process_start((int64_t)getpid()));
  add_text(&line, "started", clock);
  add_text(&line, "counts", head->noun);
  add_text(&line, "watches", head->figure);
  add_integer(&line, "from", head->from);
  add_integer(&line, "total", head->total);
  add_text(&line, "command", head->command);
  put(live, &line);
}

static void put_row(wal_live *live, const wal_live_row *row) {
  wal_text line = {0};
  wal_text_add(&line, "{\"%s\":%lld", live->head.noun, (long long)row->done);
  if (live->head.figure) add_real(&line, live->head.figure, row->figure);
  add_real(&line, "regularized_exploitability", row->regularized);
  add_real(&line, "value", row->value);
  wal_text_add(&line, ",\"seconds\":%.3f", row->seconds);
  put(live, &line);
  live->written = row->seconds;
  live->held = row->done != live->row[1].done;
}

/* The end of a line that was cut when the run before was killed. */
static void end_cut_line(wal_live *live) {
  char last = '\n';
  const off_t size = lseek(live->file, 0, SEEK_END);
  if (size > 0 && pread(live->file, &last, 1, size - 1) == 1 && last != '\n' &&
      write(live->file, "\n", 1) != 1)
    give_up(live, "written");
}

static void open_file(wal_live *live) {
  if (live->opened || live->failed) return;
  live->file = open(
      live->path,
      O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | (live->resumed ? 0 : O_TRUNC), 0666);
  if (live->file < 0) {
    give_up(live, "made");
    return;
  }
  live->opened = true;
  end_cut_line(live);
  put_head(live);
  if (live->rows > 0) put_row(live, &live->row[0]);
}

void wal_live_begin(wal_live *live, wal_ctx *ctx, const char *run, bool resumed, double started,
                    const wal_live_head *head) {
  *live = (wal_live){
      .on = true, .resumed = resumed, .ctx = ctx, .head = *head, .started = started, .file = -1};
  wal_live_name(run, live->path);
  if (!resumed) unlink(live->path);
  if (resumed || wal_clock() - started >= OPEN_SECONDS) open_file(live);
}

void wal_live_report(wal_live *live, const wal_live_row *row) {
  if (!live || !live->on || live->failed) return;
  if (live->rows > 0 && live->row[1].done == row->done) return;
  const bool first = live->rows++ == 0;
  if (first) live->row[0] = *row;
  live->row[1] = *row;
  live->held = true;
  if (!live->opened) {
    if (wal_clock() - live->started < OPEN_SECONDS) return;
    open_file(live);
    if (first) return;
  }
  const double share = LINE_SHARE * row->seconds;
  const double pause = share > LINE_SECONDS ? share : LINE_SECONDS;
  if (first || row->seconds - live->written >= pause) put_row(live, row);
}

/* But for its end, which put() adds. */
static wal_text event_line(const char *event, const char *reason) {
  wal_text line = {0};
  wal_text_add(&line, "{\"event\":\"%s\"", event);
  add_text(&line, "reason", reason);
  return line;
}

void wal_live_end(wal_live *live, const char *event, const char *reason) {
  if (!live->on) return;
  if (event && wal_clock() - live->started >= OPEN_SECONDS) open_file(live);
  if (event && live->held && live->opened) put_row(live, &live->row[1]);
  if (event && live->opened) {
    wal_text line = event_line(event, reason);
    put(live, &line);
  }
  if (live->opened) close(live->file);
  if (!event && (live->opened || live->resumed)) unlink(live->path);
  *live = (wal_live){0};
}

void wal_live_add_event(const char *run, const char *event, const char *reason) {
  wal_live live = {.failed = true};  // to be silent
  wal_live_name(run, live.path);
  live.file = open(live.path, O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK);
  if (live.file < 0) return;
  end_cut_line(&live);
  wal_text line = event_line(event, reason);
  live.opened = true;
  put(&live, &line);
  if (live.opened) close(live.file);
}
