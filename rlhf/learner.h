// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_LEARNER_H
#define WALRAS_RLHF_LEARNER_H

#include "rlhf/method.h"

/** A fitted model and its Gibbs policy. Its theta stands in a method's memory. */
typedef struct wal_model {
  double *reward; /**< [S * A]: theta' phi */
  wal_responder policy;
} wal_model;

wal_status wal_model_create(const wal_transfer_method_setup *setup, wal_model *out);
void wal_model_destroy(wal_ctx *ctx, wal_model *model);
/** Reward and policy of theta. */
void wal_model_derive(const wal_transfer_method *method, const double *theta, wal_model *model);

/** What a method with one model that is fitted to everything, and plays its policy, is made of: it
 *  is the start of the method's `self`, and theta the start of its memory. */
typedef struct wal_transfer_learner {
  wal_model model;
  double strength;    /**< of whatever the method adds to the likelihood */
  double *partition;  /**< [S]: for its loss */
  double *linear;     /**< [dimension]: for its loss */
  bool against_other; /**< the second response is drawn from the reference policy */
} wal_transfer_learner;

/** Makes self = a learner in `size` bytes; memory is a theta and `extra` numbers. */
wal_status wal_transfer_learner_create(wal_transfer_method *method, size_t size, int64_t extra);
void wal_transfer_learner_destroy(wal_transfer_method *method);
/** Fits the logistic loss with the ridge. */
wal_status wal_transfer_learner_refit(wal_transfer_method *method);
wal_status wal_transfer_learner_derive(wal_transfer_method *method);
void wal_transfer_learner_propose(wal_transfer_method *method, int64_t round, wal_proposal *out);
const wal_responder *wal_transfer_learner_finish(wal_transfer_method *method);

/**
 * tilt * u(theta) = tilt * (beta E_s log Z_theta(s) - E_ref theta' phi) as terms of a loss: more
 * than 0 is pessimism (RPO, convex), less is optimism (VPO).
 */
void wal_loss_tilt(wal_transfer_method *method, double tilt, double *partition, double *linear,
                   wal_loss *loss);
/** XPO's term alpha * sum_i log pi_theta(b_i | s_i) over the second responses b_i. */
void wal_loss_exploration(wal_transfer_method *method, double alpha, double *partition,
                          double *linear, wal_loss *loss);

#endif
