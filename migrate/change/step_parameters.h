// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "migrate/change/step.h"

namespace auditshift::migrate::change {

/// Reads a step's parameters strictly: an unknown key, a missing one or another type is an error that names
/// the step and the key.
class StepParameters {
 public:
  /// REQUIRES: `spec` outlives this.
  explicit StepParameters(const StepSpec& spec) : spec_(spec) {}

  /// That there are no others.
  base::Result<void> only(std::initializer_list<std::string_view> keys) const;
  base::Result<std::string> text(const char* key) const;
  base::Result<std::string> text_or(const char* key, std::string fallback) const;
  base::Result<bool> flag_or(const char* key, bool fallback) const;
  base::Result<std::optional<std::uint32_t>> number(const char* key) const;
  /// An absolute path.
  base::Result<std::string> path(const char* key) const;
  /// Bytes, as `key` when they are UTF-8 or as `key`_base64.
  base::Result<std::string> bytes(const std::string& key) const;
  /// Null when it is not there.
  const base::Json* find(const char* key) const;

  base::Error error(const std::string& key, std::string_view what) const;

 private:
  const StepSpec& spec_;
};

/// The first key of an object that is none of these.
std::optional<std::string> unknown_key(const base::Json& object,
                                       std::initializer_list<std::string_view> keys);

/// The opposite of StepParameters::bytes.
void set_bytes(base::Json& parameters, const std::string& key, std::string_view bytes);

}  // namespace auditshift::migrate::change
