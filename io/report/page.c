// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/page.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "sim/core/memory.h"

// ---- Memory -----------------------------------------------------------------------------------

struct wal_page_block {
  wal_page_block *next;
  void *memory;
};

void *wal_page_acquire(wal_page *page, int64_t count, size_t size) {
  wal_page_block *block = NULL;
  if (page->status != WAL_OK) return NULL;
  page->status = wal_acquire(page->ctx, "a report", 1, sizeof *block, &block);
  if (page->status != WAL_OK) return NULL;
  block->next = page->blocks;
  page->blocks = block;
  page->status = wal_acquire(page->ctx, "a report", count, size, &block->memory);
  return block->memory;
}

const char *wal_page_print(wal_page *page, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  const int length = vsnprintf(NULL, 0, format, args);
  char *text = length < 0 ? NULL : wal_page_acquire(page, (int64_t)length + 1, 1);
  if (text) vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  va_end(args);
  return text ? text : "";
}

void wal_page_free(wal_page *page) {
  while (page->blocks) {
    wal_page_block *block = page->blocks;
    page->blocks = block->next;
    wal_release(page->ctx, &block->memory);
    wal_release(page->ctx, &block);
  }
  wal_text_free(&page->html);
}

// ---- Texts ------------------------------------------------------------------------------------

void wal_page_markup(wal_page *page, const char *markup) {
  wal_text_add(&page->html, "%s", markup);
}

/* Control characters that HTML does not have become spaces. */
void wal_page_escaped(wal_page *page, const char *text) {
  while (*text) {
    size_t plain = 0;
    while (text[plain] && !strchr("&<>\"'", text[plain]) &&
           ((unsigned char)text[plain] >= 32 || text[plain] == '\n' || text[plain] == '\t') &&
           text[plain] != 127)
      plain++;
    if (plain) wal_text_add(&page->html, "%.*s", (int)plain, text);
    text += plain;
    if (!*text) break;
    switch (*text++) {
      case '&':
        wal_page_markup(page, "&amp;");
        break;
      case '<':
        wal_page_markup(page, "&lt;");
        break;
      case '>':
        wal_page_markup(page, "&gt;");
        break;
      case '"':
        wal_page_markup(page, "&quot;");
        break;
      case '\'':
        wal_page_markup(page, "&#39;");
        break;
      default:
        wal_page_markup(page, " ");
    }
  }
}

void wal_page_paragraph(wal_page *page, const char *text) {
  wal_page_markup(page, "<p>");
  wal_page_escaped(page, text);
  wal_page_markup(page, "</p>\n");
}

void wal_page_note(wal_page *page, const char *text) {
  wal_page_markup(page, "<p class=\"note\">");
  wal_page_escaped(page, text);
  wal_page_markup(page, "</p>\n");
}

void wal_page_section(wal_page *page, const char *heading, const char *about) {
  wal_page_markup(page, "<section>\n<h2>");
  wal_page_escaped(page, heading);
  wal_page_markup(page, "</h2>\n");
  if (about) wal_page_paragraph(page, about);
}

void wal_page_section_end(wal_page *page) { wal_page_markup(page, "</section>\n"); }

const char *wal_page_number(double value, char out[32]) {
  if (isnan(value))
    snprintf(out, 32, "-");
  else
    snprintf(out, 32, fabs(value) < 1e15 && value == floor(value) ? "%.0f" : "%.6g", value);
  return out;
}

void wal_page_details(wal_page *page, const char *summary) {
  wal_page_markup(page, "<details><summary>");
  wal_page_escaped(page, summary);
  wal_page_markup(page, "</summary>\n");
}

void wal_page_details_end(wal_page *page) { wal_page_markup(page, "</details>\n"); }

// ---- Tables -----------------------------------------------------------------------------------

/* Wide tables scroll in a box of their own, which the keyboard reaches; what they are stands above
   it, so that it does not scroll away. */
void wal_page_table(wal_page *page, const char *caption, int columns, const char *const *heads) {
  if (caption && *caption) {
    wal_page_markup(page, "<p class=\"caption\">");
    wal_page_escaped(page, caption);
    wal_page_markup(page, "</p>\n");
  }
  wal_page_markup(page, "<div class=\"scroll\" tabindex=\"0\">\n<table>\n");
  wal_page_markup(page, "<thead><tr>");
  for (int c = 0; c < columns; c++) {
    wal_page_markup(page, "<th scope=\"col\">");
    wal_page_escaped(page, heads[c]);
    wal_page_markup(page, "</th>");
  }
  wal_page_markup(page, "</tr></thead>\n<tbody>\n");
}

void wal_page_row(wal_page *page) { wal_page_markup(page, "<tr>"); }

void wal_page_cell(wal_page *page, const char *text) {
  wal_page_markup(page, "<td class=\"t\">");
  wal_page_escaped(page, text);
  wal_page_markup(page, "</td>");
}

void wal_page_cell_number(wal_page *page, double value) {
  char text[32];
  wal_text_add(&page->html, "<td>%s</td>", wal_page_number(value, text));
}

void wal_page_row_end(wal_page *page) { wal_page_markup(page, "</tr>\n"); }

void wal_page_table_end(wal_page *page) { wal_page_markup(page, "</tbody>\n</table>\n</div>\n"); }
