// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/step_parameters.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate::change {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

Error StepParameters::error(const std::string& key, std::string_view what) const {
  return Error(Errc::invalid,
               "step '" + spec_.id + "' (" + spec_.type + "): parameter '" + key + "' " + std::string(what));
}

const Json* StepParameters::find(const char* key) const {
  const auto found = spec_.parameters.find(key);
  return found == spec_.parameters.end() ? nullptr : &*found;
}

std::optional<std::string> unknown_key(const Json& object, std::initializer_list<std::string_view> keys) {
  for (const auto& [key, value] : object.items())
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) return key;
  return std::nullopt;
}

Result<void> StepParameters::only(std::initializer_list<std::string_view> keys) const {
  if (!spec_.parameters.is_object())
    return Error(Errc::invalid, "step '" + spec_.id + "' (" + spec_.type + "): parameters are no object");
  if (const auto key = unknown_key(spec_.parameters, keys)) return error(*key, "is not known");
  return {};
}

Result<std::string> StepParameters::text(const char* key) const {
  const Json* value = find(key);
  if (value == nullptr) return error(key, "is missing");
  if (!value->is_string()) return error(key, "is not text");
  return value->get<std::string>();
}

Result<std::string> StepParameters::text_or(const char* key, std::string fallback) const {
  if (find(key) == nullptr) return fallback;
  return text(key);
}

Result<bool> StepParameters::flag_or(const char* key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return error(key, "is neither true nor false");
  return value->get<bool>();
}

Result<std::optional<std::uint32_t>> StepParameters::number(const char* key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::optional<std::uint32_t>();
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > 0xffffffffU)
    return error(key, "is not a number from 0 to 4294967295");
  return std::optional<std::uint32_t>(value->get<std::uint32_t>());
}

Result<std::string> StepParameters::path(const char* key) const {
  AUDITSHIFT_TRY(value, text(key));
  if (!value.starts_with('/') || value.find('\0') != std::string::npos)
    return error(key, "is not an absolute path");
  return std::move(value);
}

Result<std::string> StepParameters::bytes(const std::string& key) const {
  const std::string encoded_key = key + "_base64";
  if (find(encoded_key.c_str()) == nullptr) return text(key.c_str());
  if (find(key.c_str()) != nullptr) return error(key, "is given twice");
  AUDITSHIFT_TRY(encoded, text(encoded_key.c_str()));
  const auto decoded = base::from_base64(encoded);
  if (!decoded) return error(encoded_key, "is not base64");
  return *decoded;
}

void set_bytes(Json& parameters, const std::string& key, std::string_view bytes) {
  if (base::is_utf8(bytes))
    parameters[key] = bytes;
  else
    parameters[key + "_base64"] = base::base64(bytes);
}

}  // namespace auditshift::migrate::change
