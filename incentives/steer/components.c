// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/components.h"

#include "incentives/steer/agents.h"
#include "incentives/steer/mediator.h"

int64_t wal_steer_component_count(void) { return wal_mediator_count() + wal_agents_count(); }

const wal_component *wal_steer_component_at(int64_t index) {
  if (index < wal_mediator_count()) return &wal_mediator_at(index)->component;
  return &wal_agents_at(index - wal_mediator_count())->component;
}
