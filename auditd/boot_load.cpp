// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "auditd/layout.h"
#include "auditd/rule_identity.h"

namespace auditshift::auditd {
namespace {

/// `-D -k TEXT` takes rules whose keys contain the text.
bool is_deleted_by(const Line& line, const std::string& key) {
  if (key.empty()) return true;
  const std::vector<std::string> keys = line.rule->keys();
  return std::any_of(keys.begin(), keys.end(),
                     [&](const std::string& text) { return text.find(key) != std::string::npos; });
}

/// Follows `auditctl -R` through the lines of one file.
class Simulation {
 public:
  void add(const Line& line) {
    if (line.kind != LineKind::statement) return;
    if (load_.stopped_at != nullptr || load_.lock != nullptr) {
      if (line.valid()) load_.never_loaded.push_back(&line);
      return;
    }
    if (!line.valid()) {
      fail(line);
      return;
    }
    for (const Control& control : line.controls) obey(control, line);
    if (line.rule && load_.lock == nullptr) add_rule(line);
  }
  BootLoad take() { return std::move(load_); }

 private:
  void fail(const Line& line) {
    if (!goes_on_) load_.stopped_at = &line;
  }

  void obey(const Control& control, const Line& line) {
    if (control.kind == ControlKind::ignore_errors || control.kind == ControlKind::continue_on_error)
      goes_on_ = true;
    if (control.kind == ControlKind::delete_all) delete_all(control.argument);
    if (control.kind == ControlKind::rate_limit) {
      load_.rate_limit_line = &line;
      load_.rate_limit = static_cast<std::uint32_t>(control.number);
    }
    if (control.kind == ControlKind::enabled && control.number == 2) load_.lock = &line;
  }

  void add_rule(const Line& line) {
    const std::string identity = identity_of(*line.rule);
    if (line.rule->verb == RuleVerb::remove) {
      if (loaded_.erase(identity) == 0) return fail(line);  // no such rule: an error as any other
    } else if (!loaded_.insert(identity).second) {
      return fail(line);  // "Rule exists"
    }
    load_.rules.push_back(&line);
  }

  void delete_all(const std::string& key) {
    std::erase_if(load_.rules, [&](const Line* line) { return is_deleted_by(*line, key); });
    loaded_.clear();
    for (const Line* line : load_.rules) {
      if (line->rule->verb == RuleVerb::remove) {
        loaded_.erase(identity_of(*line->rule));
      } else {
        loaded_.insert(identity_of(*line->rule));
      }
    }
  }

  bool goes_on_ = false;
  std::set<std::string> loaded_;
  BootLoad load_;
};

}  // namespace

BootLoad Layout::boot_load() const {
  const std::vector<Line>* lines = nullptr;
  switch (loader) {
    case Loader::augenrules:
    case Loader::audit_rules_service:
      // Without rules.d augenrules --load takes the compiled file as it is.
      if (rules_d_exists) lines = &would_load;
      break;
    case Loader::plain:
      if (other_rules) lines = &other_rules->lines;
      break;
    case Loader::none:
      return {};
  }
  if (lines == nullptr && compiled) lines = &compiled->lines;
  Simulation simulation;
  if (lines != nullptr)
    for (const Line& line : *lines) simulation.add(line);
  return simulation.take();
}

}  // namespace auditshift::auditd
