// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/report/write.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/report/contents.h"
#include "io/report/gnuplot.h"
#include "io/run_file_private.h"
#include "sim/core/memory.h"

static void add_page(wal_page *page) {
  wal_page_markup(page,
                  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"generator\" content=\"walras " WAL_VERSION "\">\n<title>");
  for (int run = 0; run < page->runs; run++) {
    wal_page_markup(page, run ? " and " : "");
    wal_page_escaped(page, page->run[run].name);
  }
  wal_page_markup(page, " - walras report</title>\n<style>\n");
  wal_page_style(page);
  wal_page_markup(page, "</style>\n</head>\n<body>\n<main>\n");
  wal_page_head(page);
  wal_page_differences(page);
  wal_page_design(page);
  wal_page_sweep(page);
  wal_page_steering(page);
  wal_page_transfer(page);
  wal_page_population(page);
  wal_page_one_shot(page);
  wal_page_trace(page);
  wal_page_auction(page);
  wal_page_solution(page);
  wal_page_origin(page);
  wal_page_markup(page, "</main>\n</body>\n</html>\n");
}

/* A run that is under way, or was killed, has a live view but no file yet. */
static wal_status refuse_unended(wal_ctx *ctx, const char *path) {
  static const char END[] = ".h5", VIEW[] = ".progress.jsonl";
  const size_t length = strlen(path), base = length - (sizeof END - 1);
  char *view = NULL;
  if (access(path, F_OK) == 0 || length < sizeof END || strcmp(path + base, END) != 0)
    return WAL_OK;
  WAL_TRY(wal_acquire(ctx, "a report", (int64_t)(base + sizeof VIEW), 1, &view));
  snprintf(view, base + sizeof VIEW, "%.*s%s", (int)base, path, VIEW);
  const bool begun = access(view, F_OK) == 0;
  wal_release(ctx, &view);
  if (!begun) return WAL_OK;
  return wal_fail(ctx, WAL_ENOTFOUND,
                  "%s: no such file: the run has not ended (walras info %s tells where it "
                  "stands)",
                  path, path);
}

/* A page in place of a run file is never meant, whatever is forced. */
static wal_status spare_runs(wal_ctx *ctx, int runs, const char *const *path, const char *output) {
  struct stat in, out;
  for (int run = 0; run < runs; run++)
    if (stat(path[run], &in) == 0 && stat(output, &out) == 0 && in.st_dev == out.st_dev &&
        in.st_ino == out.st_ino)
      return wal_fail(ctx, WAL_ECREATE, "walras: cannot create %s: it is the run file", output);
  return WAL_OK;
}

static wal_status save(wal_ctx *ctx, const wal_text *html, const char *partial,
                       const char *output) {
  FILE *file = fopen(partial, "wb");
  bool good = file && fwrite(html->bytes, 1, html->length, file) == html->length &&
              fflush(file) == 0 && fsync(fileno(file)) == 0;
  int error = errno;
  if (file && fclose(file) != 0 && good) {
    error = errno;
    good = false;
  }
  if (!good) return wal_fail(ctx, WAL_EIO, "%s: cannot be written: %s", output, strerror(error));
  if (rename(partial, output) == 0) return WAL_OK;
  return wal_fail(ctx, WAL_ECREATE, "cannot create %s: %s", output, strerror(errno));
}

wal_status wal_report_page(wal_ctx *ctx, int runs, const char *const *path, const char *output,
                           bool force) {
  wal_page page = {.ctx = ctx};
  char *partial = NULL;
  wal_status status = WAL_OK;
  for (int run = 0; run < runs; run++) WAL_TRY_GOTO(refuse_unended(ctx, path[run]));
  for (int run = 0; run < runs; run++) wal_page_open_run(&page, path[run]);
  for (int run = 0; runs > 1 && run < page.runs; run++) page.run[run].mark = run ? "B" : "A";
  WAL_TRY_GOTO(page.status);
  WAL_TRY_GOTO(spare_runs(ctx, runs, path, output));
  WAL_TRY_GOTO(wal_run_file_examine(ctx, output, force, &partial));
  WAL_TRY_GOTO(wal_gnuplot_probe(ctx));
  add_page(&page);
  WAL_TRY_GOTO(page.status);
  if (page.html.failed) WAL_TRY_GOTO(wal_fail(ctx, WAL_EINPUT, "not enough memory for a report"));
  WAL_TRY_GOTO(save(ctx, &page.html, partial, output));
cleanup:
  if (partial && status != WAL_OK) unlink(partial);
  wal_release(ctx, &partial);
  wal_page_close_runs(&page);
  wal_page_free(&page);
  return status;
}
