// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/rule_json.h"

#include <algorithm>

#include "base/text.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using auditd::Field;
using auditd::Rule;
using base::Json;
using base::Result;

constexpr std::size_t kMostFields = 64;  // AUDIT_MAX_FIELDS

base::Error malformed(const std::string& what) {
  return base::Error(base::Errc::invalid, "audit rule: " + what);
}

// "all" with every bit of the last word, as auditctl sends it; of that word the kernel clears its classes,
// which are not system calls, and lists the rest.
constexpr std::size_t kLastWord = 63;
constexpr std::uint32_t kSent = 0xffffffffU;
constexpr std::uint32_t kListed = 0x0000ffffU;

bool every_call(const auditd::SyscallMask& mask) {
  return std::all_of(mask.begin(), mask.begin() + kLastWord,
                     [](std::uint32_t word) { return word == kSent; });
}

Json mask_to_json(const auditd::SyscallMask& mask) {
  if (every_call(mask) && mask[kLastWord] == kListed) return "all";
  if (every_call(mask) && mask[kLastWord] == kSent) return "all and classes";
  Json numbers = Json::array();
  for (unsigned number = 0; number < mask.size() * 32; ++number)
    if ((mask[number / 32] >> (number % 32) & 1U) != 0) numbers.push_back(number);
  return numbers;
}

Result<auditd::SyscallMask> mask_from_json(const Json& json) {
  auditd::SyscallMask mask{};
  if (json == "all" || json == "all and classes") {
    mask.fill(kSent);
    if (json == "all") mask[kLastWord] = kListed;
    return mask;
  }
  if (!json.is_array()) return malformed("'syscalls' is no list");
  for (const Json& number : json) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() >= mask.size() * 32)
      return malformed("'syscalls' holds something else than system call numbers");
    const auto value = number.get<unsigned>();
    mask[value / 32] |= 1U << (value % 32);
  }
  return mask;
}

Json field_to_json(const Field& field) {
  Json json = {{"id", field.id}, {"op", auditd::to_string(field.op)}, {"value", field.value}};
  if (field.text.empty()) return json;
  if (base::is_utf8(field.text))
    json["text"] = field.text;
  else
    json["text_base64"] = base::base64(field.text);
  return json;
}

constexpr auditd::Op kOps[] = {auditd::Op::equal,    auditd::Op::not_equal,     auditd::Op::less,
                               auditd::Op::greater,  auditd::Op::less_or_equal, auditd::Op::greater_or_equal,
                               auditd::Op::bit_mask, auditd::Op::bit_test};

Result<std::uint32_t> number_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() > 0xffffffffU)
    return malformed(std::string("'") + key + "' is not a number from 0 to 4294967295");
  return found->get<std::uint32_t>();
}

base::Result<void> only_in_rule(const Json& json, std::initializer_list<std::string_view> keys) {
  if (!json.is_object()) return malformed("is no object");
  if (const auto key = unknown_key(json, keys)) return malformed("'" + *key + "' is not known");
  return {};
}

Result<Field> field_from_json(const Json& json) {
  AUDITSHIFT_TRY_VOID(only_in_rule(json, {"id", "op", "value", "text", "text_base64"}));
  Field field;
  AUDITSHIFT_TRY(id, number_of(json, "id"));
  AUDITSHIFT_TRY(value, number_of(json, "value"));
  field.id = id;
  field.value = value;
  const std::string op = json.contains("op") && json["op"].is_string() ? json["op"].get<std::string>() : "";
  const auto known = std::find_if(std::begin(kOps), std::end(kOps),
                                  [&](auditd::Op each) { return auditd::to_string(each) == op; });
  if (known == std::end(kOps)) return malformed("'op' is no operator");
  field.op = *known;
  if (const auto text = json.find("text"); text != json.end()) {
    if (!text->is_string()) return malformed("'text' is not text");
    field.text = text->get<std::string>();
  }
  if (const auto encoded = json.find("text_base64"); encoded != json.end()) {
    const auto bytes =
        encoded->is_string() ? base::from_base64(encoded->get<std::string>()) : std::optional<std::string>();
    if (!bytes) return malformed("'text_base64' is not base64");
    field.text = *bytes;
  }
  return field;
}

Result<auditd::Filter> filter_of(std::uint32_t number) {
  if (number > 7 || number == 2 || number == 3) return malformed("'list' is no list of the kernel");
  return static_cast<auditd::Filter>(number);
}

}  // namespace

Json to_json(const Rule& rule) {
  Json json = {{"text", base::to_utf8(rule.text)},
               {"list", static_cast<std::uint32_t>(rule.filter)},
               {"action", static_cast<std::uint32_t>(rule.action)},
               {"syscalls", mask_to_json(rule.syscalls)},
               {"fields", Json::array()}};
  for (const Field& field : rule.fields) json["fields"].push_back(field_to_json(field));
  return json;
}

Json to_json(const std::vector<Rule>& rules) {
  Json json = Json::array();
  for (const Rule& rule : rules) json.push_back(to_json(rule));
  return json;
}

Result<Rule> rule_from_json(const Json& json) {
  AUDITSHIFT_TRY_VOID(only_in_rule(json, {"text", "list", "action", "syscalls", "fields"}));
  for (const char* key : {"text", "syscalls", "fields"})
    if (!json.contains(key)) return malformed(std::string("'") + key + "' is missing");
  Rule rule;
  if (!json["text"].is_string() || !json["fields"].is_array())
    return malformed("'text' or 'fields' has the wrong type");
  rule.text = json["text"].get<std::string>();
  AUDITSHIFT_TRY(list, number_of(json, "list"));
  AUDITSHIFT_TRY(filter, filter_of(list));
  AUDITSHIFT_TRY(action, number_of(json, "action"));
  if (action > 2) return malformed("'action' is no action of the kernel");
  AUDITSHIFT_TRY(mask, mask_from_json(json["syscalls"]));
  rule.filter = filter;
  rule.action = static_cast<auditd::Action>(action);
  rule.syscalls = mask;
  if (json["fields"].size() > kMostFields) return malformed("has too many fields");
  for (const Json& each : json["fields"]) {
    AUDITSHIFT_TRY(field, field_from_json(each));
    rule.fields.push_back(std::move(field));
  }
  return rule;
}

Result<std::vector<Rule>> rules_from_json(const Json& json) {
  if (!json.is_array()) return malformed("the list of rules is no list");
  std::vector<Rule> rules;
  for (const Json& each : json) {
    AUDITSHIFT_TRY(rule, rule_from_json(each));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace auditshift::migrate::change
