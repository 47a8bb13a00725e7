// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/components.h"

#include "rlhf/transfer.h"

static const wal_component *const OTHERS[] = {&wal_mixtures_component, &wal_tables_component,
                                              &wal_annotators_component};
enum { OTHER_COUNT = sizeof OTHERS / sizeof *OTHERS };

int64_t wal_rlhf_component_count(void) {
  return wal_bandit_type_count() + wal_transfer_method_count() + OTHER_COUNT;
}

const wal_component *wal_rlhf_component_at(int64_t index) {
  if (index < wal_bandit_type_count()) return &wal_bandit_type_at(index)->component;
  index -= wal_bandit_type_count();
  if (index < OTHER_COUNT) return OTHERS[index];
  return &wal_transfer_method_at(index - OTHER_COUNT)->component;
}
