// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/components.h"

#include "incentives/steer/agents.h"
#include "incentives/steer/mediator.h"
#include "incentives/steer/society.h"

static const wal_component *const SOCIETIES[] = {&wal_mixture_component,
                                                 &wal_individuals_component};
enum { SOCIETY_COUNT = sizeof SOCIETIES / sizeof *SOCIETIES };

int64_t wal_steer_component_count(void) {
  return wal_mediator_count() + wal_agents_count() + SOCIETY_COUNT;
}

const wal_component *wal_steer_component_at(int64_t index) {
  if (index < wal_mediator_count()) return &wal_mediator_at(index)->component;
  index -= wal_mediator_count();
  if (index < wal_agents_count()) return &wal_agents_at(index)->component;
  return SOCIETIES[index - wal_agents_count()];
}
