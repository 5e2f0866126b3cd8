// SPDX-License-Identifier: Apache-2.0
#include "migrate/assess.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

void run_checks(const CheckContext& context, const AssessOptions& options, Assessment& assessment) {
  for (const Check* check : all_checks()) {
    CheckReport report{std::string(check->id), std::string(check->title), CheckReport::Outcome::nothing, {}};
    if (options.skip.contains(report.id)) {
      report.outcome = CheckReport::Outcome::skipped;
    } else if (!check->applies(context)) {
      report.outcome = CheckReport::Outcome::not_applicable;
    } else {
      CheckOutcome outcome = check->run(context);
      if (const NotRun* not_run = std::get_if<NotRun>(&outcome)) {
        report.outcome = CheckReport::Outcome::not_run;
        report.reason = not_run->reason;
      } else {
        for (Finding& finding : std::get<std::vector<Finding>>(outcome)) {
          finding.id = check->id;
          finding.title = check->title;
          finding.description = check->description;
          finding.accepted = options.accept.contains(finding.id);
          report.outcome = CheckReport::Outcome::found;
          assessment.findings.push_back(std::move(finding));
        }
      }
    }
    assessment.checks.push_back(std::move(report));
  }
}

bool any_defender_rules(const Assessment& a) {
  return std::any_of(a.rules.begin(), a.rules.end(), is_defender_rule);
}

/// The kernel must boot again when Defender's rules are locked in it.
bool reboot_needed(const Assessment& a) {
  if (a.facts.audit.status.state != auditd::AuditState::immutable) return false;
  return std::any_of(a.rules.begin(), a.rules.end(), [](const InventoryRule& rule) {
    return rule.owner == Owner::defender && rule.rule && rule.loaded.value_or(true);
  });
}

bool is_netlink_finding(const Finding& finding) { return finding.id == "HST002" || finding.id == "BPF002"; }

Verdict decide(const Assessment& a) {
  const bool on_ebpf = a.facts.agent.subsystem == "ebpf";
  if (on_ebpf && !any_defender_rules(a)) return Verdict::already_switched;
  const auto found = [&](auto predicate) {
    return std::any_of(a.findings.begin(), a.findings.end(), predicate);
  };
  if (found([](const Finding& f) { return f.is_blocking() && !is_netlink_finding(f); }))
    return Verdict::blocked;
  if (found([](const Finding& f) { return is_netlink_finding(f) && f.blocks != Blocks::none; }))
    return Verdict::netlink_only;
  const bool consent = std::any_of(a.exclusions.begin(), a.exclusions.end(),
                                   [](const ExclusionIntent& e) { return e.consent_needed; });
  if (consent && found([](const Finding& f) { return f.id == "EXC001" && !f.accepted; }))
    return Verdict::needs_consent;
  return reboot_needed(a) ? Verdict::ready_after_reboot : Verdict::ready;
}

std::string next_step(const Assessment& a) {
  switch (a.verdict) {
    case Verdict::ready:
      return "This host can be switched now, without a reboot.";
    case Verdict::ready_after_reboot:
      return "This host can be switched now; Defender's rules leave the kernel with the reboot after it. "
             "Plan a reboot window.";
    case Verdict::needs_consent:
      return "Decide on the exclusions: accept those to carry over by id (--accept), or leave all out "
             "(--skip EXC001).";
    case Verdict::blocked: {
      std::vector<std::string> ids;
      for (const Finding& finding : a.findings)
        if (finding.is_blocking())
          ids.push_back(finding.id + (finding.blocks == Blocks::overridable ? " (can be accepted)" : ""));
      return "Mend what blocks: " + base::join(ids, ", ") + ". Then assess again.";
    }
    case Verdict::netlink_only:
      return "Upgrade the kernel first, or accept that only process events remain after the switch.";
    case Verdict::already_switched:
      return a.plan_summary.empty()
                 ? "Nothing to do: the agent uses eBPF and none of Defender's audit rules is left."
                 : "The agent uses eBPF and none of Defender's audit rules is left; a switch would clear "
                   "away the leftovers.";
  }
  return {};
}

std::vector<std::string> summarize_plan(const Assessment& a) {
  std::vector<std::string> plan;
  const bool defender = any_defender_rules(a);
  const auto has = [&](std::string_view id) {
    return std::any_of(a.findings.begin(), a.findings.end(), [&](const Finding& f) { return f.id == id; });
  };
  std::size_t carried = 0;
  for (const ExclusionIntent& intent : a.exclusions) carried += intent.carried_over() ? 1U : 0U;
  if (carried != 0)
    plan.push_back("write " + base::count_of(carried, "global exclusion") + " into " +
                   a.facts.agent.managed.path);
  if (a.facts.agent.subsystem != "ebpf") {
    plan.emplace_back(a.facts.agent.kind == AgentKind::none ? "start this project's own sensor on eBPF"
                                                            : "switch the agent's event provider to eBPF");
    plan.emplace_back("wait until health says ebpf and events flow");
  }
  if (defender) {
    if (has("AUD005")) plan.emplace_back("remove Defender's rules from rules.d");
    if (has("AUD006")) plan.emplace_back("write /etc/audit/audit.rules without Defender's rules");
    if (has("AUD007"))
      plan.emplace_back(reboot_needed(a) ? "reboot, so that the locked kernel forgets Defender's rules"
                                         : "delete Defender's rules from the kernel, one by one");
  }
  if (has("AUD008")) plan.emplace_back("remove what else only served Defender's use of audit");
  if (!plan.empty())
    plan.emplace_back("verify: your own rules as before, none of Defender's, events from eBPF");
  return plan;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return "ready";
    case Verdict::ready_after_reboot:
      return "ready-after-reboot";
    case Verdict::needs_consent:
      return "needs-consent";
    case Verdict::blocked:
      return "blocked";
    case Verdict::netlink_only:
      return "netlink-only";
    case Verdict::already_switched:
      return "already-switched";
  }
  return "unknown";
}

std::string_view to_string(CheckReport::Outcome outcome) {
  switch (outcome) {
    case CheckReport::Outcome::found:
      return "found";
    case CheckReport::Outcome::nothing:
      return "nothing";
    case CheckReport::Outcome::not_applicable:
      return "not-applicable";
    case CheckReport::Outcome::not_run:
      return "not-run";
    case CheckReport::Outcome::skipped:
      return "skipped";
  }
  return "unknown";
}

Assessment assess(Facts facts, const AssessOptions& options) {
  Assessment assessment;
  assessment.facts = std::move(facts);
  assessment.rules = take_inventory(assessment.facts);
  assessment.exclusions = find_exclusions(assessment.facts, assessment.rules);
  accept_exclusions(assessment.exclusions, options.accept);
  run_checks({assessment.facts, assessment.rules, assessment.exclusions}, options, assessment);
  assessment.verdict = decide(assessment);
  assessment.plan_summary = summarize_plan(assessment);
  assessment.next_step = next_step(assessment);
  return assessment;
}

int exit_code_of(const Assessment& assessment) {
  switch (assessment.verdict) {
    case Verdict::ready:
    case Verdict::already_switched:
      return 0;
    case Verdict::ready_after_reboot:
      return 3;
    case Verdict::netlink_only: {
      const auto& findings = assessment.findings;
      const bool blocking =
          std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.is_blocking(); });
      return blocking ? 2 : reboot_needed(assessment) ? 3 : 0;
    }
    case Verdict::needs_consent:
    case Verdict::blocked:
      return 2;
  }
  return 1;
}

std::vector<std::string> unknown_ids(const Assessment& assessment, const AssessOptions& options) {
  std::set<std::string> known;
  for (const CheckReport& check : assessment.checks) known.insert(check.id);
  std::vector<std::string> unknown;
  for (const std::string& id : options.skip)
    if (!known.contains(id)) unknown.push_back(id);
  for (const ExclusionIntent& intent : assessment.exclusions) known.insert(intent.id);
  for (const std::string& id : options.accept)
    if (!known.contains(id)) unknown.push_back(id);
  return unknown;
}

}  // namespace auditshift::migrate
