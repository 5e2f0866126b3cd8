// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "migrate/assess.h"

namespace auditshift::migrate {

struct TextOptions {
  bool color = false;
  bool verbose = false;     ///< descriptions, checks that found nothing, every rule
  std::size_t width = 100;  ///< columns
};

/// The assessment for a person: verdict first, evidence in between, what to do next last.
std::string render_text(const Assessment& assessment, const TextOptions& options);

/// The rules, each with its origin, owner and meaning.
std::string render_rules(const std::vector<InventoryRule>& rules, const TextOptions& options);

}  // namespace auditshift::migrate
