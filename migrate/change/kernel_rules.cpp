// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "auditd/rule_identity.h"
#include "base/text.h"
#include "migrate/change/plan_steps.h"
#include "migrate/change/rule_json.h"
#include "migrate/change/rule_restore.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using auditd::Rule;
using base::Json;
using base::Result;

class KernelRules final : public Step {
 public:
  explicit KernelRules(std::vector<Rule> rules)
      : rules_(std::move(rules)), identities_(identities_of(rules_)) {}

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

  Result<Json> capture(const Host& host, BackupStore&) override { return capture_live(host); }

  Result<void> apply(Host& host, const Json&) override {
    // A boot may have locked a kernel without them: it refuses even to delete what is not there.
    AUDITSHIFT_TRY(gone, done(host));
    if (gone) return {};
    for (const Rule& rule : rules_) AUDITSHIFT_TRY_VOID(delete_rule(*host.audit, rule));
    return {};
  }

  bool survives_boot() const override { return false; }
  bool waits_for_boot(const Host& host, const Json& captured) const override {
    return lacks_rules(host, captured);
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(live, live_rules(host));
    return std::none_of(live.begin(), live.end(), [&](const Rule& rule) { return ours(rule); });
  }

  Result<void> undo(Host& host, const Json& captured, const BackupStore&) override {
    return restore_live(host, captured, identities_);
  }

 private:
  bool ours(const Rule& rule) const { return identities_.contains(auditd::identity_of(rule)); }

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
