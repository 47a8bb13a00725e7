// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/components.h"

#include "incentives/design/method.h"
#include "incentives/design/objective.h"
#include "incentives/design/optimizer.h"

int64_t wal_design_component_count(void) {
  return wal_objective_count() + wal_method_count() + wal_optimizer_count() + 1;
}

const wal_component *wal_design_component_at(int64_t index) {
  if (index < wal_objective_count()) return &wal_objective_at(index)->component;
  index -= wal_objective_count();
  if (index < wal_method_count()) return &wal_method_at(index)->component;
  index -= wal_method_count();
  if (index < wal_optimizer_count()) return &wal_optimizer_at(index)->component;
  return &wal_response_component;
}
