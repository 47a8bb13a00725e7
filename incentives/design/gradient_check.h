// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_GRADIENT_CHECK_H
#define WALRAS_INCENTIVES_DESIGN_GRADIENT_CHECK_H

#include "incentives/design/method.h"

/** What comparing a gradient with differences came to. */
typedef struct wal_gradient_check {
  int64_t directions; /**< that were compared */
  double norm;        /**< of the gradient */
  double error; /**< largest of the directions, relative to norm, or to 1e-12 if that is larger */
  double step;  /**< by which the worst one was best */
  bool beside;  /**< found near theta: at theta itself, perhaps a kink, they are apart */
} wal_gradient_check;

/**
 * Compares the direction that an exact method gives at theta with central differences of fourth
 * order along `directions` random unit vectors. Of each, the best of several steps counts: large
 * ones cross kinks (a threshold that moves to another bid), small ones are lost in rounding.
 * @param method  one whose objective is exact. @collective.
 * @param reference  gives the values: the method itself, or the same one of the same problem that
 *                   is computed more precisely, for differences magnify rounding
 * Cost: up to 32 evaluations a direction. WAL_EINPUT if the method gives no exact gradient.
 */
wal_status wal_gradient_check_run(wal_method *method, wal_method *reference, const double *theta,
                                  int64_t directions, wal_gradient_check *out);

#endif
