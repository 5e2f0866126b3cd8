// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "auditd/kernel.h"
#include "auditd/normalize.h"
#include "auditd/rule_identity.h"
#include "migrate/change/live_comparison.h"
#include "migrate/outside/agent.h"
#include "migrate/outside/services.h"

namespace auditshift::tests {

/// The kernel's rule lists as audit_add_rule and audit_del_rule keep them: append refuses what is there,
/// prepend does not, remove takes the first equal one.
class FakeKernel final : public auditd::KernelAuditControl {
 public:
  std::vector<auditd::Rule> held;
  std::uint32_t enabled = 1;
  std::uint32_t rate_limit = 0;
  int requests = 0;
  int fail_after = -1;                  ///< requests that still work; -1: all
  std::set<std::string> without_place;  ///< texts of rules whose directory is gone

  explicit FakeKernel(std::string_view rules = {}) { load(rules); }

  static auditd::Rule rule(std::string_view line) {
    auditd::Line parsed = auditd::parse_line(line, {}, {});
    parsed.rule->text = auditd::normalize(*parsed.rule, {}, "x86_64");
    return *parsed.rule;
  }
  void load(std::string_view rules) {
    for (auditd::Line& line : auditd::parse_rules(rules, "rules", {}))
      if (line.rule) (void)add(*line.rule);
    requests = 0;
  }
  /// As `auditctl -l` lists them: list by list.
  std::vector<std::string> list() {
    std::vector<std::string> texts;
    for (const auditd::Rule& each : rules().rules) texts.push_back(each.text);
    return texts;
  }

  auditd::AuditStatus status() override {
    auditd::AuditStatus status;
    status.enabled = enabled;
    status.pid = 0;
    status.rate_limit = rate_limit;
    status.state = enabled == 2   ? auditd::AuditState::immutable
                   : enabled == 0 ? auditd::AuditState::disabled
                                  : auditd::AuditState::changeable;
    return status;
  }
  auditd::LiveRules rules() override {
    auditd::LiveRules live;
    live.known = true;
    live.rules = held;
    std::stable_sort(live.rules.begin(), live.rules.end(), [](const auditd::Rule& a, const auditd::Rule& b) {
      return static_cast<int>(a.filter) < static_cast<int>(b.filter);
    });
    for (auditd::Rule& each : live.rules) {
      each.text = auditd::normalize(each, {}, "x86_64");
      each.verb = auditd::RuleVerb::append;
    }
    return live;
  }
  base::Result<void> add(const auditd::Rule& rule) override {
    if (auto allowed = request(); !allowed) return allowed;
    if (without_place.contains(rule.text)) return base::Error::from_errno(ENOENT, rule.text);
    if (rule.verb == auditd::RuleVerb::prepend) {
      held.insert(held.begin(), rule);
      return {};
    }
    if (find(rule) != held.end()) return base::Error(base::Errc::exists, "Rule exists");
    held.push_back(rule);
    return {};
  }
  base::Result<void> remove(const auditd::Rule& rule) override {
    if (auto allowed = request(); !allowed) return allowed;
    const auto found = find(rule);
    if (found == held.end()) return base::Error(base::Errc::not_found, "no such rule");
    held.erase(found);
    return {};
  }
  base::Result<void> set_rate_limit(std::uint32_t records) override {
    if (auto allowed = request(); !allowed) return allowed;
    rate_limit = records;
    return {};
  }

 private:
  std::vector<auditd::Rule>::iterator find(const auditd::Rule& rule) {
    return std::find_if(held.begin(), held.end(), [&](const auditd::Rule& each) {
      return auditd::identity_of(each) == auditd::identity_of(rule);
    });
  }
  base::Result<void> request() {
    if (enabled == 2) return base::Error(base::Errc::permission, "immutable");
    if (fail_after == 0) return base::Error(base::Errc::io, "cut off");
    if (fail_after > 0) --fail_after;
    ++requests;
    return {};
  }
};

/// An agent that does what it is told, or does not.
class FakeAgent final : public migrate::outside::Agent {
 public:
  std::string subsystem = "auditd";
  bool obeys = true;
  bool flows = true;
  std::vector<bool> told;

  migrate::AgentKind kind() const override { return migrate::AgentKind::mdatp; }
  std::string service() const override { return "mdatp.service"; }
  std::string managed_file() const override { return "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json"; }
  base::Result<migrate::outside::AgentStatus> status() override {
    migrate::outside::AgentStatus status;
    status.subsystem = subsystem;
    status.healthy = true;
    return status;
  }
  base::Result<void> set_ebpf(bool enabled) override {
    told.push_back(enabled);
    if (obeys) subsystem = enabled ? "ebpf" : "auditd";
    return {};
  }
  base::Result<migrate::outside::FlowProof> prove_flow(std::chrono::seconds) override {
    migrate::outside::FlowProof proof;
    proof.seen = flows;
    proof.evidence = "looked for the probe";
    return proof;
  }
};

/// A comparison that comes to what it is told.
class FakeComparison final : public migrate::change::LiveComparison {
 public:
  migrate::change::Compared compared{.missed = false, .proven = true, .text = "all told", .summary = {}};
  bool stopped = false;
  int times = 0;

  base::Result<migrate::change::Compared> compare(std::chrono::seconds time) override {
    ++times;
    if (stopped) return base::Error(base::Errc::interrupted, "stopped");
    compared.summary = {{"text", compared.text}, {"seconds", time.count()}};
    return compared;
  }
};

class FakeServices final : public migrate::outside::Services {
 public:
  migrate::outside::UnitState unit{.loaded = true,
                                   .active = false,
                                   .failed = false,
                                   .enabled = migrate::Enabled::no,
                                   .description = "inactive (dead)"};
  bool running() const override { return true; }
  base::Result<migrate::outside::UnitState> state(const std::string&) override { return unit; }
  base::Result<void> start(const std::string&) override { return set(unit.active, true); }
  base::Result<void> stop(const std::string&) override { return set(unit.active, false); }
  base::Result<void> restart(const std::string&) override { return set(unit.active, true); }
  base::Result<void> enable(const std::string&) override { return turn(migrate::Enabled::yes); }
  base::Result<void> disable(const std::string&) override { return turn(migrate::Enabled::no); }
  base::Result<void> reload() override { return {}; }

 private:
  static base::Result<void> set(bool& flag, bool value) {
    flag = value;
    return {};
  }
  base::Result<void> turn(migrate::Enabled value) {
    unit.enabled = value;
    return {};
  }
};

}  // namespace auditshift::tests
