// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/compare/comparison.h"
#include "migrate/version.h"

namespace auditshift::migrate::compare {
namespace {

using base::Json;

/// Bytes that are no UTF-8 are made visible, so that the document tells what a terminal would show.
std::string text(const std::string& bytes) { return base::is_utf8(bytes) ? bytes : base::printable(bytes); }

Json counts_json(const std::map<Reason, std::uint64_t>& counts) {
  Json json = Json::array();
  for (const auto& [reason, count] : counts)
    json.push_back({{"reason", to_string(reason)}, {"count", count}, {"missed", is_missed(reason)}});
  return json;
}

Json example_json(const Example& example) {
  return {
      {"time", base::format_utc(example.when)}, {"side", example.side},     {"pid", example.pid},
      {"executable", text(example.executable)}, {"syscall", example.call},  {"result", example.result},
      {"object", text(example.object)},         {"reason", example.reason}, {"detail", text(example.detail)}};
}

Json tally_json(const RuleTally& tally) {
  Json examples = Json::array();
  for (const Example& example : tally.examples) examples.push_back(example_json(example));
  return {{"both", tally.both},
          {"audit_only", tally.audit_only_total()},
          {"sensor_only", tally.sensor_only_total()},
          {"differing", tally.differing},
          {"missed", tally.missed()},
          {"audit_only_by_reason", counts_json(tally.audit_only)},
          {"sensor_only_by_reason", counts_json(tally.sensor_only)},
          {"examples", examples}};
}

Json rule_json(const LiveRule& rule, const RuleTally& tally) {
  Json classes = Json::array();
  for (const EventClass event_class : rule.coverage.classes) classes.push_back(to_string(event_class));
  Json keys = Json::array();
  for (const std::string& key : rule.rule.keys()) keys.push_back(text(key));
  Json json = {{"rule", text(rule.text)},        {"keys", keys},
               {"owner", to_string(rule.owner)}, {"file", rule.origin.file},
               {"line", rule.origin.line},       {"meaning", text(rule.meaning)},
               {"event_classes", classes},       {"coverage", to_string(rule.coverage.coverage)}};
  json.update(tally_json(tally));
  return json;
}

}  // namespace

Json to_json(const Comparison& comparison) {
  Json rules = Json::array();
  Json losses = Json::array();
  for (std::size_t i = 0; i < comparison.rules.size(); ++i) {
    const auditd::Rule& rule = comparison.rules[i].rule;
    if (rule.filter == auditd::Filter::exit && rule.action == auditd::Action::always)
      rules.push_back(rule_json(comparison.rules[i], comparison.tallies[i]));
  }
  for (const SideLoss& loss : comparison.losses)
    losses.push_back({{"side", loss.side}, {"cause", loss.cause}, {"count", loss.count}});
  return {{"schema_version", "1.0"},
          {"tool_version", kToolVersion},
          {"host", text(comparison.host)},
          {"started_at", base::format_utc(comparison.started)},
          {"milliseconds", comparison.duration.count()},
          {"audit_state", comparison.audit_state},
          {"sensor", {{"tier", comparison.sensor_tier}, {"settings", text(comparison.settings_from)}}},
          {"outcome", to_string(comparison.outcome())},
          {"summary", sentence(comparison)},
          {"events", comparison.audit_events()},
          {"missed", comparison.missed()},
          {"losses", losses},
          {"notes", comparison.notes},
          {"rules", rules},
          {"without_rule",
           comparison.unruled.both + comparison.unruled.differing + comparison.unruled.audit_only_total()}};
}

}  // namespace auditshift::migrate::compare
