// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/json.h"

enum { BAR_WIDTH = 30, BAR_LEAST = 4, LINE = 240 };
static const double BAR_SECONDS = 0.1, LINE_SECONDS = 5.0;

wal_progress_style wal_progress_choose(FILE *out, bool quiet, bool json) {
  if (quiet) return WAL_PROGRESS_NONE;
  if (json) return WAL_PROGRESS_JSON;
  const char *plain = getenv("NO_COLOR"), *term = getenv("TERM");
  const bool able = isatty(fileno(out)) && !(term && strcmp(term, "dumb") == 0);
  return able && !(plain && *plain) ? WAL_PROGRESS_BAR : WAL_PROGRESS_LINES;
}

wal_progress wal_progress_start(FILE *out, wal_progress_style style, const char *task) {
  // A bar shows at once that something happens; lines are for runs that last.
  return (wal_progress){.out = out,
                        .style = style,
                        .task = task,
                        .noun = "iteration",
                        .last = style == WAL_PROGRESS_BAR ? -BAR_SECONDS : 0};
}

static void write_json(wal_progress *p, const char *event, int64_t done, int64_t total,
                       const char *name, double figure, double seconds) {
  wal_text text = {0};
  wal_text_add(&text, "{\"event\":\"%s\",\"task\":\"%s\",\"%s\":%lld,", event, p->task, p->noun,
               (long long)done);
  if (total > 0) wal_text_add(&text, "\"%ss\":%lld,", p->noun, (long long)total);
  wal_text_add(&text, "\"%s\":", name);
  wal_json_number(&text, figure);
  wal_text_add(&text, ",\"seconds\":%.3f}\n", seconds);
  fputs(text.bytes, p->out);
  fflush(p->out);
  wal_text_free(&text);
}

/* Remaining time as "12 s", "3.4 min", "2.1 h". */
static void write_duration(char *out, size_t size, double seconds) {
  if (seconds < 100)
    snprintf(out, size, "%.0f s", ceil(seconds));
  else if (seconds < 6000)
    snprintf(out, size, "%.1f min", seconds / 60);
  else
    snprintf(out, size, "%.1f h", seconds / 3600);
}

/* The bar takes what the rest of the line leaves of the terminal's width; the line never wraps, or
   it could not be drawn over. */
static void draw_bar(wal_progress *p, int64_t done, int64_t total, const char *name, double figure,
                     const char *left) {
  struct winsize window;
  int columns = 80;
  if (ioctl(fileno(p->out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0) columns = window.ws_col;
  char rest[LINE], line[LINE + BAR_WIDTH + 8], bar[BAR_WIDTH + 1];
  snprintf(rest, sizeof rest, "%lld/%lld  %s %.4g%s%s%s", (long long)done, (long long)total, name,
           figure, *left ? "  <= " : "", left, *left ? " left" : "");
  int width = columns - 1 - (int)strlen(p->task) - 4 - (int)strlen(rest);
  if (width > BAR_WIDTH) width = BAR_WIDTH;
  if (width < BAR_LEAST) {
    snprintf(line, sizeof line, "%s %s", p->task, rest);
  } else {
    int filled = total > 0 ? (int)((double)width * (double)done / (double)total) : width;
    memset(bar, '.', sizeof bar);
    memset(bar, '#', (size_t)filled);
    bar[width] = '\0';
    snprintf(line, sizeof line, "%s [%s] %s", p->task, bar, rest);
  }
  fprintf(p->out, "\r%.*s\x1b[K", columns - 1, line);
  p->drawn = true;
}

void wal_progress_report(wal_progress *p, int64_t done, int64_t total, const char *name,
                         double figure, double seconds) {
  if (p->style == WAL_PROGRESS_NONE) return;
  if (seconds - p->last < (p->style == WAL_PROGRESS_BAR ? BAR_SECONDS : LINE_SECONDS)) return;
  p->last = seconds;
  if (p->style == WAL_PROGRESS_JSON) {
    write_json(p, "progress", done, total, name, figure, seconds);
    return;
  }
  char left[32] = "";  // nothing is known before something is done
  if (done > 0) write_duration(left, sizeof left, seconds * (double)(total - done) / (double)done);
  if (p->style == WAL_PROGRESS_LINES) {
    fprintf(p->out, "%s: %s %lld of %lld, %s %.4g%s%s%s\n", p->task, p->noun, (long long)done,
            (long long)total, name, figure, *left ? ", at most " : "", left, *left ? " left" : "");
  } else {
    draw_bar(p, done, total, name, figure, left);
  }
  fflush(p->out);
}

void wal_progress_end(wal_progress *p, int64_t done, const char *name, double figure,
                      double seconds) {
  if (p->style == WAL_PROGRESS_JSON) write_json(p, "end", done, 0, name, figure, seconds);
  if (p->drawn) fputs("\r\x1b[K", p->out);
  fflush(p->out);
  p->drawn = false;
}
