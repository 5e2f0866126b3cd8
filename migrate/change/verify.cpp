// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/verify.h"

#include <algorithm>
#include <thread>

#include "auditd/normalize.h"
#include "auditd/paths.h"
#include "auditd/rule_identity.h"
#include "base/text.h"
#include "migrate/change/observe.h"
#include "migrate/change/package_rollback.h"
#include "migrate/inventory.h"

namespace auditshift::migrate::change {
namespace {

using auditd::AuditState;
using base::Json;
using base::Result;

class Verifier {
 public:
  Verifier(const Host& host, const VerifyOptions& options)
      : host_(host),
        options_(options),
        expected_(options.plan == nullptr ? Json::object() : options.plan->expectations),
        facts_(observe(host)),
        inventory_(take_inventory(facts_)) {}

  Verification run() {
    kernel();
    disk(verified::kRulesDirectory, "rules.d",
         [](const InventoryRule& rule) { return rule.place == Place::rules_d; });
    disk(verified::kCompiledRules, auditd::paths::kCompiledRules,
         [](const InventoryRule& rule) { return rule.place == Place::compiled || rule.compiled; });
    live_user_rules();
    boot_user_rules();
    audit_state();
    rate_limit();
    agent_version();
    provider();
    exclusions();
    audit_log();
    return std::move(result_);
  }

 private:
  void report(std::string id, bool ok, std::string text) {
    result_.checks.push_back({std::move(id), ok, std::move(text)});
  }

  bool audit_absent() const { return facts_.audit.status.state == AuditState::absent; }

  void kernel() {
    if (audit_absent()) return report(verified::kKernelRules, true, "this kernel runs without audit");
    if (!facts_.audit.live.known)
      return report(verified::kKernelRules, false,
                    "the kernel's rules cannot be read: " + facts_.audit.live.reason);
    std::vector<std::string> found;
    for (const auditd::Rule& rule : facts_.audit.live.rules)
      if (owner_of(rule, FileRole::ordinary) == Owner::defender) found.push_back(rule.text);
    report(verified::kKernelRules, found.empty(),
           found.empty() ? "none of Defender's rules is loaded"
                         : base::count_of(found.size(), "rule") + " of Defender's " +
                               (found.size() == 1 ? "is" : "are") + " loaded: " + base::join(found, "; "));
  }

  template <class Place>
  void disk(const std::string& id, const std::string& where, Place here) {
    std::set<std::string> files;
    std::size_t number = 0;
    for (const InventoryRule& rule : inventory_) {
      if (!here(rule) || !is_defender_rule(rule)) continue;
      ++number;
      files.insert(id == verified::kCompiledRules && rule.place == migrate::Place::rules_d
                       ? auditd::paths::kCompiledRules
                       : rule.origin.file);
    }
    if (number == 0) return report(id, true, "none of Defender's rules is in " + where);
    std::string text = base::count_of(number, "rule") + " of Defender's in " + where;
    for (const std::string& file : files) text += "; " + file + ": " + who_wrote(host_, facts_, file);
    report(id, false, text);
  }

  /// The rules of `wanted` that `there` lacks, or that stand in another order.
  static std::string missing(const std::vector<std::string>& wanted, const std::vector<std::string>& there) {
    std::vector<std::string> lacks;
    for (const std::string& rule : wanted)
      if (std::find(there.begin(), there.end(), rule) == there.end()) lacks.push_back(rule);
    if (!lacks.empty()) return base::count_of(lacks.size(), "rule") + " missing: " + base::join(lacks, "; ");
    std::vector<std::string> kept;
    for (const std::string& rule : there)
      if (std::find(wanted.begin(), wanted.end(), rule) != wanted.end()) kept.push_back(rule);
    if (kept != wanted) return "all there, but in another order";
    return {};
  }

  std::vector<std::string> live_texts() const {
    std::vector<std::string> texts;
    for (const auditd::Rule& rule : facts_.audit.live.rules) texts.push_back(base::to_utf8(rule.text));
    return texts;
  }

  std::vector<std::string> boot_texts(bool with_defender) const {
    std::vector<auditd::Rule> rules;
    for (const auditd::Line* line : facts_.audit.layout.boot_load().rules)
      if (with_defender || owner_of(*line->rule, FileRole::ordinary) != Owner::defender)
        rules.push_back(*line->rule);
    std::vector<std::string> texts;
    for (const auditd::Rule& rule : auditd::kernel_order(rules))
      texts.push_back(base::to_utf8(auditd::normalize(rule, facts_.audit.version, facts_.host.architecture)));
    return texts;
  }

  std::optional<std::vector<std::string>> expected_list(const char* key) const {
    const auto list = expected_.find(key);
    if (list == expected_.end() || !list->is_array()) return std::nullopt;
    std::vector<std::string> texts;
    for (const Json& text : *list)
      if (text.is_string()) texts.push_back(text.get<std::string>());
    return texts;
  }

  void live_user_rules() {
    if (audit_absent() || !facts_.audit.live.known) return;  // told by kernel()
    const auto expected = expected_list("live_rules");
    const std::vector<std::string> wanted = expected ? *expected : boot_texts(false);
    const std::string problem = missing(wanted, live_texts());
    report("user-rules-live", problem.empty(),
           problem.empty() ? "the kernel holds " + base::count_of(wanted.size(), "other rule") +
                                 (expected ? ", as before" : ", as on disk")
                           : "of the rules that are not Defender's: " + problem);
  }

  void boot_user_rules() {
    const auto expected = expected_list("boot_rules");
    if (!expected) return;
    const std::string problem = missing(*expected, boot_texts(true));
    report("user-rules-disk", problem.empty(),
           problem.empty()
               ? "the next boot loads " + base::count_of(expected->size(), "other rule") + ", as before"
               : "of the rules that the next boot should load: " + problem);
  }

  void audit_state() {
    const std::string now(auditd::to_string(facts_.audit.status.state));
    const std::string before = expected_.value("audit_state", now);
    if (now == before) return report("audit-state", true, "audit is " + now);
    // The lock was on disk already, and a boot since then has put it into force.
    const bool by_boot =
        facts_.audit.status.state == AuditState::immutable && facts_.audit.layout.boot_load().lock != nullptr;
    report("audit-state", by_boot,
           "audit is " + now + ", it was " + before + (by_boot ? ": the rules on disk say so" : ""));
  }

  /// Any other limit than Defender's is somebody's own.
  void rate_limit() {
    const auto defender = expected_.find("defender_rate_limit");
    const auto now = facts_.audit.status.rate_limit;
    if (defender == expected_.end() || !now) return;
    const std::string limit = std::to_string(*now) + " records a second";
    report("rate-limit", *defender != *now,
           *defender != *now ? "Defender's limit of audit records is gone from the kernel"
                             : "the kernel's limit of audit records is Defender's again: " + limit);
  }

  void agent_version() {
    const std::string wanted = expected_.value("agent_version", std::string());
    if (wanted.empty()) return;
    if (!host_.packages)
      return report("agent-version", false, "this host has no package manager that is known here");
    const auto now = host_.packages->installed(kAgentPackage);
    if (!now) return report("agent-version", false, now.error().message());
    const std::string version = *now ? **now : "no build";
    report("agent-version", version == wanted,
           version + " of " + kAgentPackage + " is installed" + (version == wanted ? "" : ", not " + wanted));
  }

  /// After a boot the agent takes its time.
  Result<outside::AgentStatus> settled_status(const std::string& wanted) {
    constexpr std::chrono::milliseconds kPause{500};
    for (auto waited = std::chrono::milliseconds(0);; waited += kPause) {
      auto status = host_.agent->status();
      if ((status && status->subsystem == wanted) || waited >= options_.settle) return status;
      std::this_thread::sleep_for(kPause);
    }
  }

  void provider() {
    const std::string wanted = expected_.value("provider", std::string("ebpf"));
    if (wanted.empty()) return;
    if (host_.agent == nullptr)
      return report("provider", false, "there is no agent that this tool knows on this host");
    const auto status = settled_status(wanted);
    if (!status) return report("provider", false, "the agent does not answer: " + status.error().message());
    report("provider", status->subsystem == wanted,
           "the agent's events come from \"" + status->subsystem + "\"" +
               (status->subsystem == wanted ? "" : ", not from " + wanted));
    const auto flow = host_.agent->prove_flow(options_.patience);
    report("flow", flow && flow->seen, flow ? flow->evidence : flow.error().message());
  }

  void exclusions() {
    const auto list = expected_.find("exclusions");
    if (list == expected_.end() || !list->is_array() || list->empty()) return;
    std::vector<std::string> lost;
    for (const Json& entry : *list) {
      const std::string kind = entry.value("kind", "");
      const std::string value = entry.value("value", "");
      const auto& known = facts_.agent.managed.exclusions;
      const bool there = std::any_of(known.begin(), known.end(), [&](const ManagedExclusion& exclusion) {
        return exclusion.global() && to_string(exclusion.kind) == kind && exclusion.value == value;
      });
      if (!there) lost.push_back(kind + " " + value);
    }
    report("exclusions", lost.empty(),
           lost.empty() ? base::count_of(list->size(), "global exclusion") + " in force by " +
                              facts_.agent.managed.path
                        : "not in " + facts_.agent.managed.path + ": " + base::join(lost, ", "));
  }

  void audit_log() {
    if (!options_.since) return;
    const auto number = defender_records_since(*host_.files, facts_.audit.layout.log_file, *options_.since);
    if (!number) return report("audit-log", true, "there is no audit log to look at");
    report("audit-log", *number == 0,
           *number == 0 ? "no record with Defender's keys since " + base::format_utc(*options_.since)
                        : base::count_of(*number, "record") + " with Defender's keys since " +
                              base::format_utc(*options_.since));
  }

  const Host& host_;
  const VerifyOptions& options_;
  Json expected_;
  Facts facts_;
  std::vector<InventoryRule> inventory_;
  Verification result_;
};

}  // namespace

base::WallTime booted_at(const base::Clock& clock) { return clock.now() - clock.since_boot(); }

Result<Verification> verify_host(const Host& host, const VerifyOptions& options) {
  return Verifier(host, options).run();
}

}  // namespace auditshift::migrate::change
