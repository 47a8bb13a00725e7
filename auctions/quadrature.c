// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/quadrature.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <math.h>

enum { INTERVALS = 2000 };

static const double RELATIVE = 1e-12, ACCEPTED = 1e-9;

/* One piece. What rounding leaves GSL short of RELATIVE is no failure. */
static int add_piece(gsl_function *f, double low, double high, gsl_integration_workspace *work,
                     double *sum, double *error) {
  double part = 0, off = 0;
  const double least = 1e-13 * fabs(*sum);
  const int failed =
      isinf(high)
          ? gsl_integration_qagiu(f, low, least, RELATIVE, INTERVALS, work, &part, &off)
          : gsl_integration_qags(f, low, high, least, RELATIVE, INTERVALS, work, &part, &off);
  *sum += part;
  *error += failed ? off : 0;
  return isfinite(part) ? 0 : 1;
}

wal_status wal_integrate(wal_ctx *ctx, wal_integrand f, void *user, double low, double high,
                         int64_t count, const double *cuts, double *out) {
  *out = 0;
  if (!(low < high)) return WAL_OK;
  gsl_function function = {.function = f, .params = user};
  // GSL's own handler ends the program.
  gsl_error_handler_t *handler = gsl_set_error_handler_off();
  gsl_integration_workspace *work = gsl_integration_workspace_alloc(INTERVALS);
  double error = 0, from = low;
  int failed = !work;
  for (int64_t i = 0; i <= count && !failed; i++) {
    const double to = i < count ? cuts[i] : high;
    if (i < count && !(to > from && to < high)) continue;
    failed = add_piece(&function, from, to, work, out, &error);
    from = to;
  }
  if (work) gsl_integration_workspace_free(work);
  gsl_set_error_handler(handler);
  if (!failed && error <= ACCEPTED * fabs(*out) + 1e-300) return WAL_OK;
  return wal_fail(ctx, WAL_EINTERNAL, "an integral from %g to %g did not converge", low, high);
}
