// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/make_plan.h"

#include <algorithm>

#include "auditd/paths.h"
#include "base/hash.h"
#include "base/text.h"
#include "migrate/change/file_steps.h"
#include "migrate/change/loaded_rules.h"
#include "migrate/change/plan_steps.h"
#include "migrate/change/plugin_text.h"
#include "migrate/change/rule_cleanup.h"
#include "migrate/check.h"
#include "migrate/managed_edit.h"
#include "migrate/paths.h"
#include "migrate/version.h"

namespace auditshift::migrate::change {
namespace {

using auditd::AuditState;
using base::Json;
using base::Result;

/// A sensor loads its programs within seconds; a busy small host takes its time.
constexpr std::chrono::seconds kPatience{120};

/// Why the host is not to be switched.
std::vector<std::string> refusals(const Assessment& assessment) {
  std::vector<std::string> reasons;
  for (const Finding& finding : assessment.findings)
    if (finding.is_blocking())
      reasons.push_back(
          finding.id + " " + finding.title + ": " + finding.diagnosis +
          (finding.blocks == Blocks::overridable ? " (can be accepted: --accept " + finding.id + ")" : ""));
  if (assessment.verdict == Verdict::needs_consent)
    for (const ExclusionIntent& intent : assessment.exclusions)
      if (intent.consent_needed)
        reasons.push_back("exclusion " + intent.id + " needs a decision: " +
                          (intent.supported ? "--accept " + intent.id + " carries it over"
                                            : "this build knows no global exclusions, update the agent") +
                          ", --skip EXC001 leaves all such out");
  return reasons;
}

class Planner {
 public:
  Planner(const Assessment& assessment, const PlanSources& sources, const PlanOptions& options)
      : assessment_(assessment), facts_(assessment.facts), sources_(sources), options_(options) {}

  Result<PlanAnswer> make(base::WallTime now) {
    PlanAnswer answer;
    answer.refusals = refusals(assessment_);
    answer.notes = why_still_held();
    if (options_.compare_seconds != 0)
      if (std::string why = why_not_compared(); !why.empty())
        answer.refusals.push_back("--compare: " + std::move(why));
    if (!answer.refusals.empty()) return answer;
    AUDITSHIFT_TRY_VOID(find_rules());
    note_rules();
    add_package_steps();
    if (rules_first()) {
      add_rate_limit();
      add_disk_steps();
    }
    AUDITSHIFT_TRY_VOID(add_agent_steps());
    if (!rules_first()) add_rate_limit();
    add_comparison();
    if (!rules_first()) add_disk_steps();
    add_plugin_steps();
    add_kernel_step();
    add_service_guard();
    answer.plan = finish(now);
    answer.notes.insert(answer.notes.end(), notes_.begin(), notes_.end());
    return answer;
  }

  Result<Plan> make_remedy(base::WallTime now) {
    AUDITSHIFT_TRY_VOID(find_rules());
    note_rules();
    add_rate_limit();
    add_disk_steps();
    add_kernel_step();
    return finish(now);
  }

 private:
  bool immutable() const { return facts_.audit.status.state == AuditState::immutable; }
  bool on_ebpf() const { return facts_.agent.subsystem == "ebpf"; }
  bool reboot_needed() const { return immutable() && !cleanup_.live.empty(); }
  bool netlink_only() const { return assessment_.verdict == Verdict::netlink_only; }
  std::string target() const { return netlink_only() ? "netlink" : "ebpf"; }

  /// See make_plan.h.
  bool rules_first() const {
    const auto& build = facts_.agent.build;
    return build && *build >= kImmutableHangFirst && *build < kImmutableHangFixed &&
           (immutable() || boot_lock(facts_).locked);
  }

  /// Something of Defender's time with audit is here, or the agent is not yet where it should be.
  bool agent_wanted() const {
    return facts_.agent.kind != AgentKind::none || options_.agent != AgentKind::none ||
           !cleanup_.rules_d.empty() || !cleanup_.compiled.empty() || !cleanup_.live.empty();
  }

  /// Why audit and the sensor cannot be held against each other on this host; empty when they can.
  std::string why_not_compared() const {
    if (facts_.agent.kind == AgentKind::mdatp)
      return "Defender's eBPF programs have no stream of events that could be held against audit's; "
             "auditshift compare shows what programs of this project see on this kernel";
    if (netlink_only()) return "on this kernel the sensor has process events alone, without eBPF";
    const auditd::AuditStatus& status = facts_.audit.status;
    if (status.state == AuditState::disabled) return "audit is switched off (enabled 0) and records nothing";
    if (status.state != AuditState::changeable && status.state != AuditState::immutable)
      return "there is no audit that records anything: " + status.reason;
    if (!facts_.audit.live.known) return "the audit rules cannot be read: " + facts_.audit.live.reason;
    return {};
  }

  /// While both tell events: after the new provider is there, before the rules of the old one go.
  void add_comparison() {
    const bool nothing_else = plan_.steps.empty() && cleanup_.live.empty();
    if (options_.compare_seconds == 0 || nothing_else) return;
    add("compare", comparison({}, std::chrono::seconds(options_.compare_seconds), options_.accept));
  }

  Result<void> find_rules() {
    AUDITSHIFT_TRY(cleanup,
                   plan_rule_cleanup(assessment_, {.leave_exclusions_out = options_.skip.contains("EXC001"),
                                                   .leftovers = options_.leftovers}));
    cleanup_ = std::move(cleanup);
    notes_ = cleanup_.notes;
    return {};
  }

  void add(std::string_view name, StepSpec step) {
    step.id = std::to_string(plan_.steps.size() + 1) + "-" + std::string(name);
    plan_.steps.push_back(std::move(step));
  }

  /// Why a build that a rollback holds is not let go.
  std::vector<std::string> why_still_held() const {
    std::vector<std::string> reasons;
    if (!sources_.held_package) return reasons;
    const PackageFacts& held = *sources_.held_package;
    for (const PackageObstacle& obstacle : plan_package_forward(held).obstacles)
      reasons.push_back(held.package + " stays at " + held.installed +
                        ", where a rollback holds it: " + obstacle.text);
    return reasons;
  }

  /// First: what fails most easily, and all else is planned for the build that it brings.
  void add_package_steps() {
    if (!sources_.held_package) return;
    const PackagePlan forward = plan_package_forward(*sources_.held_package);
    if (!forward.obstacles.empty()) return;  // see why_still_held
    for (const StepSpec& step : forward.steps) add(step.id, step);
    add("wait-for-agent", wait_for_agent({}, kPatience));
    agent_version_ = forward.version;
  }

  Result<void> add_agent_steps() {
    if (!agent_wanted()) {
      notes_.emplace_back(
          "no Defender, no sensor of this project and none of Defender's audit rules is here");
      return {};
    }
    AUDITSHIFT_TRY_VOID(add_managed_step());
    const bool native = facts_.agent.kind != AgentKind::mdatp;
    if (native && facts_.agent.subsystem.empty())
      add("service", enable_service({}, paths::kNativeService, true));
    if (facts_.agent.subsystem == target()) return {};
    add("provider", provider({}, facts_.agent.subsystem, target()));
    add("wait-for-provider", wait_for_provider({}, target(), kPatience));
    return {};
  }

  std::vector<ManagedExclusion> wanted_exclusions() const {
    std::vector<ManagedExclusion> wanted;
    for (const ExclusionIntent& intent : assessment_.exclusions)
      if (intent.carried_over()) wanted.push_back(*intent.entry);
    return wanted;
  }

  Result<void> add_managed_step() {
    const std::string& path = facts_.agent.managed.path;
    const PlanSources::File& file = sources_.at(path);
    AUDITSHIFT_TRY(exclusions, add_exclusions(file.content, path, wanted_exclusions()));
    AUDITSHIFT_TRY(edit, set_ebpf_provider(exclusions.text, path, true));
    // An agent that is on eBPF without being told so stays as its administrator has it.
    const bool tell = !on_ebpf() || facts_.agent.managed.ebpf_provider == "disabled";
    const std::string& text = tell ? edit.text : exclusions.text;
    if (text == file.content) return {};
    add("managed-configuration", write_file({}, path, text, {.mode = 0644}, file.state));
    return {};
  }

  void add_file_step(const char* name, const FileCleanup& change) {
    const PlanSources::File& file = sources_.at(change.path);
    if (change.content)
      add(name, write_file({}, change.path, *change.content, {}, file.state));
    else
      add(name, remove_file({}, change.path, file.own));
  }

  std::string generated() const { return cleanup_.generated ? auditd::paths::kCompiledRules : ""; }

  /// First of all: the agent may take its rules away itself as soon as it is told to change its provider.
  void note_rules() {
    if (!facts_.audit.live.known || (cleanup_.rules_d.empty() && cleanup_.compiled.empty())) return;
    std::vector<std::pair<std::string, FileState>> files;
    for (const FileCleanup& change : cleanup_.rules_d)
      if (!change.content) files.emplace_back(change.path, sources_.at(change.path).own);
    add("loaded-rules", loaded_rules({}, generated(), facts_.audit.version, files));
  }

  /// Before the files that would make it last (see Plan::steps), and before a comparison, which it would
  /// disturb. A locked kernel takes what is on disk with its next boot.
  void add_rate_limit() {
    if (!immutable() && cleanup_.rate_limit)
      add("rate-limit", rate_limit({}, cleanup_.rate_limit->from, cleanup_.rate_limit->to));
  }

  void add_disk_steps() {
    for (const FileCleanup& change : cleanup_.rules_d) add_file_step("rules", change);
    for (const FileCleanup& change : cleanup_.compiled) {
      if (change.path == generated() && change.content && facts_.audit.live.known)
        add("compiled-rules", compiled_rules({}, change.path, *change.content));
      else
        add_file_step("compiled-rules", change);
    }
  }

  void add_plugin_steps() {
    for (const auditd::Plugin& plugin : facts_.audit.layout.plugins) {
      if (plugin.program.find("mdatp") == std::string::npos || !plugin.error.empty()) continue;
      const PlanSources::File& file = sources_.at(plugin.path);
      if (options_.leftovers)
        add("plugin", audit_plugin({}, remove_file({}, plugin.path, file.own)));
      else if (plugin.active)
        add("plugin",
            audit_plugin({}, write_file({}, plugin.path, deactivated(file.content), {}, file.state)));
    }
  }

  void add_kernel_step() {
    if (!facts_.audit.live.known) {
      if (facts_.audit.status.state != AuditState::absent)
        notes_.push_back("the kernel's rules could not be read, so none is deleted there: " +
                         facts_.audit.live.reason);
      return;
    }
    if (!immutable() && !cleanup_.live.empty()) add("kernel-rules", kernel_rules({}, cleanup_.live));
  }

  /// Last, right before a reboot may come.
  void add_service_guard() {
    if (facts_.agent.kind == AgentKind::none || plan_.steps.empty()) return;
    const auto& build = facts_.agent.build;
    const bool disables_itself = build && *build >= kDisablesItselfFirst && *build <= kDisablesItselfLast;
    if (facts_.agent.service != Enabled::no && !disables_itself) return;
    const bool native = facts_.agent.kind == AgentKind::native;
    add("service", enable_service({}, native ? paths::kNativeService : paths::kMdatpService, false));
  }

  Plan finish(base::WallTime now) {
    plan_.tool_version = kToolVersion;
    plan_.created_at = now;
    plan_.machine_id = facts_.host.machine_id;
    plan_.facts = plan_facts(assessment_, sources_, options_);
    plan_.facts_hash = base::sha256(base::dump_json(plan_.facts, base::JsonStyle::compact));
    plan_.agent =
        facts_.agent.kind == AgentKind::none && agent_wanted() ? AgentKind::native : facts_.agent.kind;
    plan_.reboot = reboot_needed();
    if (plan_.reboot)
      plan_.reboot_reason = "audit is locked (enabled 2): " + base::count_of(cleanup_.live.size(), "rule") +
                            " of Defender's leave the kernel with the next boot";
    plan_.before_reboot = plan_.steps.size();
    plan_.expectations = expectations();
    return std::move(plan_);
  }

  Json expectations() const {
    Json exclusions = Json::array();
    for (const ManagedExclusion& exclusion : wanted_exclusions())
      exclusions.push_back({{"kind", to_string(exclusion.kind)}, {"value", base::to_utf8(exclusion.value)}});
    Json live = nullptr;
    if (plan_.reboot)
      live = cleanup_.boot_left;
    else if (facts_.audit.live.known)
      live = cleanup_.live_left;
    Json expected = {{"provider", agent_wanted() ? target() : ""},
                     {"audit_state", auditd::to_string(facts_.audit.status.state)},
                     {"live_rules", live},
                     {"boot_rules", cleanup_.boot_left},
                     {"exclusions", exclusions}};
    if (!agent_version_.empty()) expected["agent_version"] = agent_version_;
    if (!immutable() && cleanup_.rate_limit) expected["defender_rate_limit"] = cleanup_.rate_limit->from;
    return expected;
  }

  const Assessment& assessment_;
  const Facts& facts_;
  const PlanSources& sources_;
  const PlanOptions& options_;
  RuleCleanup cleanup_;
  std::string agent_version_;  ///< that the plan installs
  std::vector<std::string> notes_;
  Plan plan_;
};

}  // namespace

Result<PlanAnswer> make_plan(const Assessment& assessment, const PlanSources& sources,
                             const PlanOptions& options, base::WallTime now) {
  return Planner(assessment, sources, options).make(now);
}

Result<Plan> make_remedy(const Assessment& assessment, const PlanSources& sources, const PlanOptions& options,
                         base::WallTime now) {
  return Planner(assessment, sources, options).make_remedy(now);
}

Result<void> check_current(const Plan& plan, const Plan& now) {
  std::vector<std::string> changes;
  if (plan.tool_version != now.tool_version)
    changes.push_back("it was made by version " + plan.tool_version + " of this tool, this is " +
                      now.tool_version);
  for (std::string& change : what_changed(plan.facts, now.facts)) changes.push_back(std::move(change));
  if (changes.empty() &&
      base::sha256(base::dump_json(plan.facts, base::JsonStyle::compact)) != plan.facts_hash)
    changes.emplace_back("its facts do not have the hash that stands in it");
  if (changes.empty() && (plan.steps != now.steps || plan.expectations != now.expectations ||
                          plan.before_reboot != now.before_reboot || plan.reboot != now.reboot))
    changes.emplace_back("its steps are not those that follow from its facts");
  if (changes.empty()) return {};
  return base::Error(base::Errc::invalid,
                     "the plan does not fit this host any more: " + base::join(changes, "; "))
      .with_hint("make it again with auditshift plan");
}

Result<std::string> render_plan(const Plan& plan, const Host* host) {
  std::string text;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    AUDITSHIFT_TRY(step, make_step(plan.steps[i]));
    if (i == plan.before_reboot) text += "   (reboot)\n";
    text += std::to_string(i + 1) + ". " + base::printable(step->describe()) + "\n";
    if (host == nullptr) continue;
    AUDITSHIFT_TRY(diff, step->diff(*host));
    for (const std::string_view line : base::split(diff, '\n'))
      if (!line.empty()) text += "     " + base::printable(line) + "\n";
  }
  if (plan.reboot) text += "Then a reboot: " + base::printable(plan.reboot_reason) + ".\n";
  return text;
}

}  // namespace auditshift::migrate::change
