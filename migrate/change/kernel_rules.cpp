// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "auditd/rule_identity.h"
#include "base/text.h"
#include "migrate/change/plan_steps.h"
#include "migrate/change/rule_json.h"
#include "migrate/change/rule_moves.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using auditd::Rule;
using base::Json;
using base::Result;

Result<std::vector<Rule>> live_rules(const Host& host) {
  auditd::LiveRules live = host.audit->rules();
  if (!live.known)
    return base::Error(base::Errc::io, "the kernel's audit rules cannot be read: " + live.reason);
  return std::move(live.rules);
}

std::set<std::string> identities(const std::vector<Rule>& rules) {
  std::set<std::string> known;
  for (const Rule& rule : rules) known.insert(auditd::identity_of(rule));
  return known;
}

/// Until the kernel holds no copy of it.
Result<void> remove_all(auditd::KernelAuditControl& audit, const Rule& rule) {
  for (;;) {
    const auto removed = audit.remove(rule);
    if (removed) continue;
    if (removed.error().code() == base::Errc::not_found) return {};
    return removed.error();
  }
}

Result<void> put(auditd::KernelAuditControl& audit, const RuleMove& move) {
  Rule rule = move.rule;
  rule.verb = move.kind == RuleMove::Kind::prepend ? auditd::RuleVerb::prepend : auditd::RuleVerb::append;
  auto added = audit.add(rule);
  if (added || added.error().code() != base::Errc::exists) return added;
  // A second copy of it, from a load with -A.
  AUDITSHIFT_TRY_VOID(remove_all(audit, rule));
  return audit.add(rule);
}

class KernelRules final : public Step {
 public:
  explicit KernelRules(std::vector<Rule> rules) : rules_(std::move(rules)), identities_(identities(rules_)) {}

  std::string describe() const override {
    return "delete " + base::count_of(rules_.size(), "audit rule") + " from the kernel, one by one";
  }

  Result<std::string> diff(const Host& host) override {
    AUDITSHIFT_TRY(live, live_rules(host));
    std::string text;
    for (const Rule& rule : live)
      if (ours(rule)) text += "-" + rule.text + "\n";
    return text.empty() ? text : "--- auditctl -l\n+++ auditctl -l\n" + text;
  }

  Result<Json> capture(const Host& host, BackupStore&) override {
    AUDITSHIFT_TRY(live, live_rules(host));
    return Json{{"rules", to_json(live)}};
  }

  Result<void> apply(Host& host, const Json&) override {
    for (const Rule& rule : rules_) AUDITSHIFT_TRY_VOID(remove_all(*host.audit, rule));
    return {};
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(live, live_rules(host));
    return std::none_of(live.begin(), live.end(), [&](const Rule& rule) { return ours(rule); });
  }

  Result<void> undo(Host& host, const Json& json, const BackupStore&) override {
    if (!json.is_object() || !json.contains("rules"))
      return base::Error(base::Errc::invalid, "kernel-rules: what was captured cannot be read");
    AUDITSHIFT_TRY(captured, rules_from_json(json["rules"]));
    AUDITSHIFT_TRY(current, live_rules(host));
    AUDITSHIFT_TRY_VOID(refuse_foreign_removals(captured, current));
    return make_moves(host, moves_to(current, with_additions(captured, current)));
  }

 private:
  bool ours(const Rule& rule) const { return identities_.contains(auditd::identity_of(rule)); }

  /// An undo that was cut short may have left one rule out on its way to its place, never two.
  Result<void> refuse_foreign_removals(const std::vector<Rule>& captured,
                                       const std::vector<Rule>& current) const {
    const std::set<std::string> there = identities(current);
    std::vector<std::string> missing;
    for (const Rule& rule : captured)
      if (!ours(rule) && !there.contains(auditd::identity_of(rule))) missing.push_back(rule.text);
    if (missing.size() < 2) return {};
    return base::Error(base::Errc::busy, "somebody removed " +
                                             base::count_of(missing.size(), "other audit rule") +
                                             " from the kernel since: " + base::join(missing, "; "))
        .with_hint("load the rules again (augenrules --load), then roll back again");
  }

  /// Goes on after a rule that the kernel does not take any more (its directory is gone), and names it.
  Result<void> make_moves(Host& host, const std::vector<RuleMove>& moves) const {
    std::optional<base::Error> failed;
    for (const RuleMove& move : moves) {
      if (move.kind == RuleMove::Kind::remove) {
        auto removed = host.audit->remove(move.rule);
        if (!removed && removed.error().code() != base::Errc::not_found) return removed;
        continue;
      }
      auto added = put(*host.audit, move);
      if (!added && added.error().code() == base::Errc::permission) return added;
      if (!added && !failed) failed = added.error();
    }
    if (failed) return *std::move(failed);
    return {};
  }

  std::vector<Rule> rules_;
  std::set<std::string> identities_;
};

}  // namespace

StepSpec kernel_rules(std::string id, const std::vector<Rule>& rules) {
  return {.id = std::move(id), .type = "kernel-rules", .parameters = {{"rules", to_json(rules)}}};
}

Result<std::unique_ptr<Step>> make_kernel_rules(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"rules"}));
  const Json* list = parameters.find("rules");
  if (list == nullptr) return parameters.error("rules", "is missing");
  auto rules = rules_from_json(*list);
  if (!rules) return std::move(rules).error().context("step '" + spec.id + "'");
  return std::unique_ptr<Step>(std::make_unique<KernelRules>(*std::move(rules)));
}

}  // namespace auditshift::migrate::change
