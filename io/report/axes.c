// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/axes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/report/gnuplot.h"

enum { TOO_MANY = -1 };

void wal_axis_note(wal_axis_span *span, double place) {
  int at = 0;
  if (span->places == TOO_MANY || !isfinite(place)) return;
  while (at < span->places && span->place[at] < place) at++;
  if (at < span->places && span->place[at] == place) return;
  if (span->places == WAL_AXIS_PLACES) {
    span->places = TOO_MANY;
    return;
  }
  memmove(span->place + at + 1, span->place + at,
          (size_t)(span->places - at) * sizeof *span->place);
  span->place[at] = place;
  span->places++;
}

/* 1, 2 or 5 times a power of ten, at least `step`. */
static double round_step(double step) {
  const double ten = pow(10, floor(log10(step)));
  const double m = step / ten;
  return ten * (m <= 1 + 1e-9 ? 1 : m <= 2 + 1e-9 ? 2 : m <= 5 + 1e-9 ? 5 : 10);
}

/* As many digits as tell ticks from each other. */
static void add_format(wal_text *script, const char *axis, double largest, double step) {
  int digits = 4;
  if (largest > 0 && step > 0) digits = (int)(floor(log10(largest)) - floor(log10(step))) + 1;
  digits = digits < 4 ? 4 : digits > 12 ? 12 : digits;
  wal_text_add(script, "set format %s '%%.%dg'\n", axis, digits);
}

static bool is_short(double number) {
  char text[32];
  snprintf(text, sizeof text, "%.3g", number);
  return fabs(strtod(text, NULL) - number) <= 1e-12 * fabs(number);
}

/* Ticks where the data are, if these are short numbers and not in each other's way. */
static bool add_places(wal_text *script, const char *axis, const wal_axis_span *span) {
  if (span->places < 2) return false;
  for (int i = 0; i < span->places; i++)
    if (!is_short(span->place[i])) return false;
  const double all = span->log ? log(span->most / span->least) : span->most - span->least;
  for (int i = 1; i < span->places; i++) {
    const double a = span->place[i - 1], b = span->place[i];
    if (span->log && !(a > 0)) return false;
    if ((span->log ? log(b / a) : b - a) < all / (1.5 * span->about)) return false;
  }
  wal_text_add(script, "set %stics (", axis);
  for (int i = 0; i < span->places; i++)
    wal_text_add(script, "%s%.9g", i ? ", " : "", span->place[i]);
  wal_text_add(script, ")\nset format %s '%%.6g'\n", axis);
  return true;
}

static void add_range(wal_text *script, const char *axis, double low, double high) {
  wal_text_add(script, "set %srange [%.12g:%.12g]\n", axis, low, high);
}

// ---- Linear -----------------------------------------------------------------------------------

static void add_linear(wal_text *script, const char *axis, const wal_axis_span *span) {
  double low = span->least, high = span->most;
  const double size = fmax(fabs(low), fabs(high));
  if (high - low <= 1e-9 * size || size == 0) {  // all the same: shown beside zero
    low = fmin(0, size == 0 ? -1 : 1.25 * low);
    high = fmax(0, size == 0 ? 1 : 1.25 * high);
  }
  double step = round_step((high - low) / span->about);
  if (!(step > 0 && isfinite(step))) return;  // beyond doubles: left to gnuplot
  if (floor(high / step) - ceil(low / step) < 1) step = round_step(step / 2.5);
  if (span->whole && step < 1) step = 1;
  if (span->room) {
    const double pad = 0.04 * (high - low);
    low -= pad;
    high += pad;
  }
  if (span->round) {
    low = step * floor(low / step + 1e-9);
    high = step * ceil(high / step - 1e-9);
  }
  add_range(script, axis, low, high);
  if (add_places(script, axis, span)) return;
  wal_text_add(script, "set %stics %.12g\n", axis, step);
  add_format(script, axis, fmax(fabs(low), fabs(high)), step);
}

// ---- Logarithmic ------------------------------------------------------------------------------

/* At powers of ten or, of less than two decades, also at 2 and 5 times those. */
static void add_decades(wal_text *script, const char *axis, double low, double high, int about) {
  static const double BETWEEN[] = {1, 2, 5};
  const int first = (int)floor(log10(low) + 1e-9), last = (int)ceil(log10(high) - 1e-9);
  const bool few = log10(high / low) < 2;
  const int every = few ? 1 : (last - first + about) / about;
  const char *before = "";
  wal_text_add(script, "set %stics (", axis);
  for (int k = first; k <= last; k += every)
    for (int i = 0; i < (few ? 3 : 1); i++) {
      const double tick = BETWEEN[i] * pow(10, k);
      if (tick < low * (1 - 1e-9) || tick > high * (1 + 1e-9)) continue;
      wal_text_add(script, "%s%.6g", before, tick);
      before = ", ";
    }
  wal_text_add(script, ")\nset format %s '%%.4g'\n", axis);
}

/* Of less than a decade, at round numbers as on a linear axis: as many as stand apart. */
static void add_close(wal_text *script, const char *axis, double low, double high, int about) {
  const double step = round_step((high - low) / about);
  wal_text_add(script, "set %stics %.12g, %.12g\n", axis, step * ceil(low / step), step);
  add_format(script, axis, high, step);
}

static void add_logarithmic(wal_text *script, const char *axis, const wal_axis_span *span) {
  double low = span->least, high = span->most;
  const double wide = high / low;
  wal_text_add(script, "set logscale %s\n", axis);
  if (wide < 1.5) {
    low /= 2;
    high *= 2;
  } else if (span->round && wide >= 100) {
    low = pow(10, floor(log10(low) + 1e-9));
    high = pow(10, ceil(log10(high) - 1e-9));
  } else if (span->room || span->round) {
    const double pad = pow(wide, 0.04);
    low /= pad;
    high *= pad;
  }
  add_range(script, axis, low, high);
  if (add_places(script, axis, span)) return;
  if (high / low < 6)
    add_close(script, axis, low, high, span->about - 1);
  else
    add_decades(script, axis, low, high, span->about + 2);
}

void wal_gnuplot_axis(wal_text *script, const char *axis, const wal_axis_span *span) {
  if (!(span->least <= span->most)) return;
  if (span->log)
    add_logarithmic(script, axis, span);
  else
    add_linear(script, axis, span);
}

// ---- Names ------------------------------------------------------------------------------------

/* Characters, not bytes, of UTF-8. */
static double length_of(const char *text) {
  double length = 0;
  for (; *text; text++) length += ((unsigned char)*text & 0xC0) != 0x80;
  return length;
}

void wal_gnuplot_names(wal_text *script, const char *const *name, int64_t count, double first,
                       double step, double room) {
  double longest = 0;
  for (int64_t i = 0; i < count; i++) longest = fmax(longest, length_of(name[i]) + 1);
  if (longest > 2 * room) {
    wal_text_add(script, "unset xtics\n");
    return;
  }
  const bool by_turns = longest > room;
  wal_text_add(script, "set xtics (");
  for (int64_t i = 0; i < count; i++) {
    wal_text_add(script, "%s", i ? ", " : "");
    wal_gnuplot_quoted(script, by_turns && i % 2 ? "" : name[i]);
    wal_text_add(script, " %.9g", first + step * (double)i);
  }
  wal_text_add(script, ")\n");
  for (int64_t i = 1; by_turns && i < count; i += 2) {
    wal_text_add(script, "set label ");
    wal_gnuplot_quoted(script, name[i]);
    wal_text_add(script, " at first %.9g, graph 0 center offset 0,-2.6 textcolor rgb '#555555'\n",
                 first + step * (double)i);
  }
  if (by_turns) wal_text_add(script, "set bmargin 5.6\nset xlabel offset 0,-1.4\n");
}
