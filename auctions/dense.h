// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_DENSE_H
#define WALRAS_AUCTIONS_DENSE_H

/* Products with dense column-major matrices of which only some columns matter: those of a layer's
 * units that are not at rest. Half of the weights of a network of rectifiers are thus never read;
 * the weights, not the arithmetic, are what such a product waits for. Sums have a fixed shape: the
 * same bits on every instruction set. */

/** Lists the places of x where it is not 0; returns how many. */
int wal_dense_active(int count, const double *x, int *index);

/** out += W x, of the columns listed (x is 0 at the others). W has `rows` rows, out as many. */
void wal_dense_add(int rows, const double *w, int count, const int *index, const double *x,
                   double *out);

/** out[j] += W(., j) . x for the columns j listed. W has `rows` rows, x as many numbers. */
void wal_dense_add_transposed(int rows, const double *w, int count, const int *index,
                              const double *x, double *out);

/** The same two with weights in single precision, in which they also round x and sum; a span of
 *  WAL_DENSE_SPAN rows at a time. */
enum { WAL_DENSE_SPAN = 256 };
void wal_dense_add_single(int rows, const float *w, int count, const int *index, const double *x,
                          double *out);
void wal_dense_add_transposed_single(int rows, const float *w, int count, const int *index,
                                     const double *x, double *out);

#endif
