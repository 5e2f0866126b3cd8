// SPDX-License-Identifier: Apache-2.0
#include "sensor/health.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace auditshift::sensor {
namespace {

constexpr std::size_t kKeyColumns = 44;
constexpr const char* kManagedKey = "managed";

std::string value_text(const base::Json& value) {
  std::string text = base::dump_json(value, base::JsonStyle::compact);
  text.pop_back();  // the newline
  return base::printable(text);
}

}  // namespace

void HealthReport::add(std::string key, base::Json value, bool managed) {
  items_.push_back({std::move(key), std::move(value), managed});
}

std::string HealthReport::text() const {
  std::string text;
  for (const Item& item : items_) {
    std::string key = item.key;
    key.resize(std::max(key.size(), kKeyColumns), ' ');
    text += key + ": " + value_text(item.value) + (item.managed ? " [managed]" : "") + "\n";
  }
  return text;
}

base::Json HealthReport::json() const {
  base::Json json = base::Json::object();
  base::Json managed = base::Json::array();
  for (const Item& item : items_) {
    json[item.key] = item.value;
    if (item.managed) managed.push_back(item.key);
  }
  json[kManagedKey] = std::move(managed);
  return json;
}

std::optional<std::string> HealthReport::field(std::string_view key) const {
  const auto found =
      std::find_if(items_.begin(), items_.end(), [&](const Item& item) { return item.key == key; });
  if (found == items_.end()) return std::nullopt;
  return value_text(found->value);
}

std::vector<std::string_view> HealthReport::keys() const {
  std::vector<std::string_view> keys;
  for (const Item& item : items_) keys.push_back(item.key);
  return keys;
}

HealthReport HealthReport::from_json(const base::Json& json) {
  HealthReport report;
  if (!json.is_object()) return report;
  const base::Json managed = json.value(kManagedKey, base::Json::array());
  for (const auto& [key, value] : json.items()) {
    if (key == kManagedKey) continue;
    const bool is_managed = std::find(managed.begin(), managed.end(), base::Json(key)) != managed.end();
    report.add(key, value, is_managed);
  }
  return report;
}

}  // namespace auditshift::sensor
