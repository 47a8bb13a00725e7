// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "io/report/contents.h"

/* The end of a page: where its numbers come from, and how to get them again. */

static void fact(wal_page *page, const char *name, const char *text) {
  if (!text || !*text) return;
  wal_page_row(page);
  wal_page_cell(page, name);
  wal_page_cell(page, text);
  wal_page_row_end(page);
}

static void fact_number(wal_page *page, const char *name, double value, const char *unit) {
  char text[32];
  if (isnan(value)) return;
  fact(page, name, wal_page_print(page, "%s%s", wal_page_number(value, text), unit));
}

static void add_facts(wal_page *page, int run) {
  const char *const heads[] = {"of the run", ""};
  const double bytes = wal_page_attribute(page, run, "/run", "peak_bytes");
  wal_page_table(page, NULL, 2, heads);
  fact(page, "run file", page->run[run].path);
  fact(page, "walras", wal_page_attribute_text(page, run, "/", "walras_version"));
  fact_number(page, "run file format", wal_page_attribute(page, run, "/", "format_version"), "");
  fact(page, "seed", wal_page_attribute_text(page, run, "/", "seed"));
  fact(page, "ranks", wal_page_attribute_text(page, run, "/run", "ranks"));
  fact(page, "host", wal_page_attribute_text(page, run, "/run", "host"));
  fact(page, "finished", wal_page_attribute_text(page, run, "/run", "finished"));
  fact_number(page, "memory, at most on a rank", bytes / 1048576, " MiB");
  wal_page_table_end(page);
}

/* In single quotes, as a shell takes it back. */
static void add_shell_word(wal_page *page, const char *word) {
  static const char PLAIN[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=+@%";
  if (*word && word[strspn(word, PLAIN)] == '\0' && word[0] != '-') {
    wal_page_escaped(page, word);
    return;
  }
  wal_page_escaped(page, word[0] == '-' ? "./'" : "'");
  for (; *word; word++) {
    const char one[2] = {*word, '\0'};
    wal_page_escaped(page, *word == '\'' ? "'\\''" : one);
  }
  wal_page_escaped(page, "'");
}

static void add_commands(wal_page *page, int run) {
  const char *command = wal_page_attribute_text(page, run, "/run", "command");
  const char *path = page->run[run].path;
  if (command && *command) {
    wal_page_paragraph(page, "The command that made it:");
    wal_page_markup(page, "<pre>");
    wal_page_escaped(page, command);
    wal_page_markup(page, "</pre>\n");
  }
  wal_page_paragraph(page,
                     "The run file alone is enough: it keeps the scenario with all defaults filled "
                     "in. The same seed gives the same results, bit by bit, on any number of "
                     "ranks; the last command says so.");
  wal_page_markup(page,
                  "<pre>python3 -c &quot;import h5py, sys; print(h5py.File(sys.argv[1])"
                  "[&#39;scenario/resolved&#39;].asstr()[()])&quot; ");
  add_shell_word(page, path);
  wal_page_markup(page, " &gt; again.json\nwalras run again.json -o again.h5\nwalras diff ");
  add_shell_word(page, path);
  wal_page_markup(page, " again.h5</pre>\n");
}

static void add_text(wal_page *page, const char *summary, const char *text) {
  if (!text) return;
  wal_page_details(page, summary);
  wal_page_markup(page, "<pre>");
  wal_page_escaped(page, text);
  wal_page_markup(page, "</pre>\n");
  wal_page_details_end(page);
}

void wal_page_origin(wal_page *page) {
  for (int run = 0; run < page->runs; run++) {
    const char *mark = page->run[run].mark;
    wal_page_section(
        page, *mark ? wal_page_print(page, "Where %s comes from", mark) : "Where this comes from",
        NULL);
    add_facts(page, run);
    add_commands(page, run);
    add_text(page, "The scenario as given", wal_page_text(page, run, "/scenario/source"));
    add_text(page, "The scenario with all defaults filled in",
             wal_page_text(page, run, "/scenario/resolved"));
    wal_page_section_end(page);
  }
  wal_page_markup(page, "<footer>Made by <code>walras report</code> of walras " WAL_VERSION
                        "; figures by gnuplot. The page needs no network and no scripts. Numbers "
                        "are rounded to six digits: the run file has all of them.</footer>\n");
}
