// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE  // pipe2

#include "io/report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// ---- The process ------------------------------------------------------------------------------

typedef struct process {
  pid_t pid;
  int in, out, complaints; /**< script; drawings; what is said on stderr */
} process;

static wal_status cannot_start(wal_ctx *ctx, int error) {
  if (error == ENOENT || error == EACCES)
    return wal_fail(ctx, WAL_EUNAVAILABLE,
                    "walras: gnuplot, which draws the figures of reports, is not installed "
                    "(Debian: apt-get install gnuplot-nox)");
  return wal_fail(ctx, WAL_EIO, "walras: gnuplot cannot be started: %s", strerror(error));
}

static void shut(int *handle) {
  if (*handle >= 0) close(*handle);
  *handle = -1;
}

/* The script goes through a socket: writing to one whose reader has died is an error that can be
   told from MSG_NOSIGNAL, not a signal. */
static wal_status start(wal_ctx *ctx, process *p) {
  char name[] = "gnuplot", no_settings[] = "-d";
  char *const arguments[] = {name, no_settings, NULL};
  int script[2] = {-1, -1}, drawing[2] = {-1, -1}, said[2] = {-1, -1};
  posix_spawn_file_actions_t actions;
  int error = 0;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, script) != 0 ||
      pipe2(drawing, O_CLOEXEC) != 0 || pipe2(said, O_CLOEXEC) != 0) {
    error = errno;
  } else {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, script[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, drawing[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, said[1], STDERR_FILENO);
    error = posix_spawnp(&p->pid, name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
  }
  shut(&script[1]);
  shut(&drawing[1]);
  shut(&said[1]);
  if (error) {
    shut(&script[0]);
    shut(&drawing[0]);
    shut(&said[0]);
    return cannot_start(ctx, error);
  }
  p->in = script[0];
  p->out = drawing[0];
  p->complaints = said[0];
  return WAL_OK;
}

/* Sends what is left of the script; closes the way when all is sent or nobody listens. */
static void send_some(process *p, const char *bytes, size_t length, size_t *sent) {
  const ssize_t n = send(p->in, bytes + *sent, length - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n > 0) *sent += (size_t)n;
  const bool broken = n < 0 && errno != EAGAIN && errno != EINTR;
  if (*sent < length && !broken) return;
  shut(&p->in);
}

/* Reads some of what gnuplot says on one of its two ways; closes it at its end. */
static void hear_some(int *from, wal_text *into) {
  char room[16384];
  const ssize_t n = read(*from, room, sizeof room);
  if (n > 0)
    wal_text_add(into, "%.*s", (int)n, room);
  else if (n == 0 || errno != EINTR)
    shut(from);
}

/* All ways at once: gnuplot draws, and complains, while it reads. poll() passes over those that are
   closed. */
static void converse(process *p, const wal_text *script, wal_text *answer, wal_text *said) {
  size_t sent = 0;
  while (p->out >= 0 || p->complaints >= 0) {
    struct pollfd ways[3] = {{.fd = p->out, .events = POLLIN},
                             {.fd = p->complaints, .events = POLLIN},
                             {.fd = p->in, .events = POLLOUT}};
    if (poll(ways, 3, -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (ways[2].revents) send_some(p, script->bytes, script->length, &sent);
    if (ways[0].revents) hear_some(&p->out, answer);
    if (ways[1].revents) hear_some(&p->complaints, said);
  }
  shut(&p->in);
  shut(&p->out);
  shut(&p->complaints);
}

/* Exit status; of a process that was killed, the signal below zero. */
static int finish(const process *p) {
  int status = 0;
  while (waitpid(p->pid, &status, 0) < 0)
    if (errno != EINTR) return EXIT_FAILURE;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* gnuplot's first complaint that is an error stands behind "line N: ". */
static wal_status failed(wal_ctx *ctx, int status, const wal_text *said) {
  if (status < 0)
    return wal_fail(ctx, WAL_EINTERNAL, "walras: gnuplot was killed (signal %d)", -status);
  const char *reason = said->bytes ? strstr(said->bytes, "line ") : NULL;
  if (!reason) reason = said->length ? said->bytes : "it did not say why";
  const size_t length = strcspn(reason, "\n");
  return wal_fail(ctx, WAL_EINTERNAL, "walras: gnuplot failed (exit status %d): %.*s", status,
                  (int)(length < 300 ? length : 300), reason);
}

static wal_status run(wal_ctx *ctx, const wal_text *script, wal_text *answer) {
  process p = {0};
  wal_text said = {0};
  WAL_TRY(start(ctx, &p));
  converse(&p, script, answer, &said);
  const int exit_status = finish(&p);
  wal_status status = WAL_OK;
  if (script->failed || answer->failed)
    status = wal_fail(ctx, WAL_EINPUT, "walras: not enough memory for a figure");
  else if (exit_status != 0)
    status = failed(ctx, exit_status, &said);
  wal_text_free(&said);
  return status;
}

wal_status wal_gnuplot_probe(wal_ctx *ctx) {
  wal_text script = {0}, answer = {0};
  wal_text_add(&script, "exit\n");
  const wal_status status = run(ctx, &script, &answer);
  wal_text_free(&script);
  wal_text_free(&answer);
  return status;
}

// ---- Scripts ----------------------------------------------------------------------------------

void wal_gnuplot_begin(wal_text *script, int figure, bool wide, int width, int height) {
  wal_text_add(script,
               "reset\n"
               "set terminal svg size %d,%d dynamic noenhanced name 'f%d%s' font 'sans,%d'\n"
               "unset key\nunset colorbox\n"
               "set border 3 lc rgb '#777777' lw 1\n"
               "set tics nomirror out scale 0.4,0.2 textcolor rgb '#555555'\n"
               "set mxtics 1\nset mytics 1\n"
               "set title textcolor rgb '#555555' offset 0,-0.6\n"
               "set xlabel textcolor rgb '#555555'\nset ylabel textcolor rgb '#555555'\n",
               width, height, figure, wide ? "w" : "n",
               !wide                      ? 13
               : width > WAL_DRAWING_WIDE ? 14
                                          : 16);
}

/* In single quotes nothing is special but the quote, which is doubled. */
void wal_gnuplot_quoted(wal_text *script, const char *text) {
  wal_text_add(script, "'");
  for (; *text; text++) {
    const unsigned char c = (unsigned char)*text;
    if (c == '\'')
      wal_text_add(script, "''");
    else
      wal_text_add(script, "%c", c < 32 || c == 127 ? ' ' : (int)c);
  }
  wal_text_add(script, "'");
}

// ---- Drawings in the page ---------------------------------------------------------------------

static const char *after(const char *text, const char *mark) {
  const char *found = strstr(text, mark);
  return found ? found + strlen(mark) : NULL;
}

static bool starts(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

/* Lines of a drawing, without what says nothing; the marks' names made the figure's own, as a page
   may have each only once. */
static void add_lines(wal_page *page, const char *from, const char *end, const char *own) {
  static const char MARK[] = "gpPt", EMPTY[] = "<g fill=\"none\"";
  while (from < end) {
    const char *stop = memchr(from, '\n', (size_t)(end - from));
    const char *next = stop ? stop + 1 : end;
    const bool empty = starts(from, EMPTY) && next < end && starts(next, "</g>\n");
    if (empty) next += strlen("</g>\n");
    for (const char *c = from; !empty && c < next;) {
      const char *mark = memmem(c, (size_t)(next - c), MARK, sizeof MARK - 1);
      const char *until = mark ? mark : next;
      wal_text_add(&page->html, "%.*s", (int)(until - c), c);
      if (mark) wal_text_add(&page->html, "%s", own);
      c = mark ? mark + sizeof MARK - 1 : next;
    }
    from = next;
  }
}

/* One drawing, from its "<svg" on: NULL if it is not as gnuplot 5 writes them. */
static const char *add_drawing(wal_page *page, const char *svg, const char *title, bool wide) {
  char own[32];
  const char *box = after(svg, "viewBox=\""), *marks = after(svg, "<defs>");
  const char *filters = marks ? strstr(marks, "<filter") : NULL;
  const char *body = after(svg, "</defs>"), *end = strstr(svg, "</svg>");
  if (!box || !filters || !body || !end || body > end) return NULL;
  snprintf(own, sizeof own, "f%d%c", page->figures, wide ? 'w' : 'n');
  wal_text_add(&page->html, "<svg class=\"%s\" role=\"img\" viewBox=\"%.*s\" aria-label=\"",
               wide ? "wide" : "narrow", (int)strcspn(box, "\""), box);
  wal_page_escaped(page, title);
  wal_page_markup(page, "\">\n");
  if (memmem(body, (size_t)(end - body), "#gpPt", 5)) {
    const char *first = strstr(marks, "<path");
    wal_page_markup(page, "<defs>");
    if (first) add_lines(page, first, filters, own);
    wal_page_markup(page, "</defs>\n");
  }
  wal_page_markup(page, "<g>\n");  // of which the end stands in the body
  add_lines(page, body, end, own);
  wal_page_markup(page, "</svg>\n");
  return end;
}

void wal_gnuplot_draw(wal_page *page, const wal_text *script, const char *title) {
  wal_text answer = {0};
  if (page->status == WAL_OK) page->status = run(page->ctx, script, &answer);
  const char *svg = answer.bytes;
  for (int i = 0; page->status == WAL_OK && i < 2; i++) {
    svg = svg ? strstr(svg, "<svg") : NULL;
    svg = svg ? add_drawing(page, svg, title, i == 0) : NULL;
    if (!svg)
      page->status = wal_fail(page->ctx, WAL_EINTERNAL,
                              "walras: gnuplot drew something that is not understood");
  }
  wal_text_free(&answer);
}
