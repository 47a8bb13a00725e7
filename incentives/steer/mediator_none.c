// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/mediator.h"

/* Payments stay what they are at first: 0. */
static void pay(wal_mediator *mediator, const wal_observation *seen) {
  (void)mediator;
  (void)seen;
}

const wal_mediator_type wal_mediator_none = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "none",
                  .kind = "mediator",
                  .summary = "pays nothing: what agents do by themselves",
                  .source = "docs/steering.md"},
    .pay = pay};
