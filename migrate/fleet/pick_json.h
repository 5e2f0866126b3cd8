// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace auditshift::migrate::fleet {

/// A top-level key of a document that is kept, and what of its value.
struct WantedSection {
  std::string_view key;
  /// Keys of its object, or of the objects in its array; empty: the value is kept whole.
  std::vector<std::string_view> keys;
};

/// Parses strict JSON and keeps only the sections that are wanted, so that the memory a document needs is
/// that of what is asked for and not of its size. `name` is the document's name in messages, which give line
/// and column. What is left out is checked as JSON all the same. A value that is no object, or nested more
/// than 32 levels deep, is an error.
base::Result<base::Json> pick_json(std::string_view text, std::string_view name,
                                   const std::vector<WantedSection>& wanted);

}  // namespace auditshift::migrate::fleet
