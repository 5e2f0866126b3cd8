// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/migrate/change/simulated_worlds.h"

#include <algorithm>

#include "auditd/normalize.h"

namespace auditshift::tests {
namespace {

using auditd::Rule;
using base::Errc;
using base::Error;
using base::Result;
using namespace migrate::outside;  // NOLINT(google-build-using-namespace): all of it is faked here

struct Faked {
  std::shared_ptr<SimulatedWorld> world;
  std::shared_ptr<FaultPoints> points;

  /// A change with a fault point on either side: it may fail before it happened, and after.
  template <class Change>
  Result<void> change(std::string_view what, Change&& make) {
    if (const int error = points->pass(); error != 0) return Error::from_errno(error, what);
    make();
    if (const int error = points->pass(); error != 0) return Error::from_errno(error, what);
    return {};
  }
};

class Audit final : public auditd::KernelAuditControl, Faked {
 public:
  Audit(Faked faked, auditd::ParseOptions options) : Faked(std::move(faked)), options_(std::move(options)) {}

  auditd::AuditStatus status() override {
    auditd::AuditStatus status;
    status.state = world->immutable ? auditd::AuditState::immutable : auditd::AuditState::changeable;
    status.enabled = world->immutable ? 2 : 1;
    status.rate_limit = world->rate_limit;
    return status;
  }
  auditd::LiveRules rules() override {
    auditd::LiveRules live;
    live.known = true;
    live.rules = world->rules;
    for (Rule& rule : live.rules) {
      rule.text = auditd::normalize(rule, options_.version, options_.machine);
      rule.verb = auditd::RuleVerb::append;
      rule.origin = {};
    }
    return live;
  }
  Result<void> add(const Rule& rule) override {
    if (world->immutable) return Error::from_errno(EPERM, "audit rules are locked");
    const bool there = std::any_of(world->rules.begin(), world->rules.end(),
                                   [&](const Rule& live) { return auditd::same_in_kernel(live, rule); });
    if (there && rule.verb != auditd::RuleVerb::prepend) return Error::from_errno(EEXIST, rule.text);
    return change(rule.text, [&] {
      auto at = std::find_if(world->rules.begin(), world->rules.end(),
                             [&](const Rule& live) { return live.filter == rule.filter; });
      if (rule.verb != auditd::RuleVerb::prepend) at = world->rules.end();
      world->rules.insert(at, rule);
      std::stable_sort(world->rules.begin(), world->rules.end(),
                       [](const Rule& a, const Rule& b) { return a.filter < b.filter; });
    });
  }
  Result<void> remove(const Rule& rule) override {
    if (world->immutable) return Error::from_errno(EPERM, "audit rules are locked");
    const auto found = std::find_if(world->rules.begin(), world->rules.end(),
                                    [&](const Rule& live) { return auditd::same_in_kernel(live, rule); });
    if (found == world->rules.end()) return Error::from_errno(ENOENT, rule.text);
    return change(rule.text, [&] { world->rules.erase(found); });
  }
  Result<void> set_rate_limit(std::uint32_t records) override {
    if (world->immutable) return Error::from_errno(EPERM, "audit is locked");
    return change("rate limit", [&] { world->rate_limit = records; });
  }

 private:
  auditd::ParseOptions options_;
};

class FakeAgent final : public Agent, Faked {
 public:
  explicit FakeAgent(Faked faked) : Faked(std::move(faked)) {}
  migrate::AgentKind kind() const override { return migrate::AgentKind::mdatp; }
  std::string service() const override { return "mdatp.service"; }
  std::string managed_file() const override { return SimulatedHost::kManaged; }
  Result<AgentStatus> status() override {
    AgentStatus status;
    status.subsystem = world->subsystem;
    status.healthy = world->agent_healthy;
    status.health.fields["supplementary_events_subsystem"].value = world->subsystem;
    status.health.fields["healthy"].value = world->agent_healthy ? "true" : "false";
    return status;
  }
  Result<void> set_ebpf(bool enabled) override {
    return change("mdatp", [&] { world->subsystem = enabled ? "ebpf" : "auditd"; });
  }
  Result<FlowProof> prove_flow(std::chrono::seconds) override {
    FlowProof proof;
    proof.seen = world->agent_healthy;
    proof.evidence = "simulated";
    return proof;
  }
};

class FakeServices final : public Services, Faked {
 public:
  explicit FakeServices(Faked faked) : Faked(std::move(faked)) {}
  bool running() const override { return true; }
  Result<UnitState> state(const std::string& unit) override { return world->services[unit]; }
  Result<void> start(const std::string& unit) override { return set_active(unit, true); }
  Result<void> stop(const std::string& unit) override { return set_active(unit, false); }
  Result<void> restart(const std::string& unit) override { return set_active(unit, true); }
  Result<void> enable(const std::string& unit) override { return set_enabled(unit, migrate::Enabled::yes); }
  Result<void> disable(const std::string& unit) override { return set_enabled(unit, migrate::Enabled::no); }
  Result<void> reload() override {
    return change("systemd", [] {});
  }

 private:
  Result<void> set_active(const std::string& unit, bool active) {
    return change(unit, [&] { world->services[unit].active = active; });
  }
  Result<void> set_enabled(const std::string& unit, migrate::Enabled enabled) {
    return change(unit, [&] { world->services[unit].enabled = enabled; });
  }
};

class FakePackages final : public Packages, Faked {
 public:
  explicit FakePackages(Faked faked) : Faked(std::move(faked)) {}
  std::string_view manager() const override { return "apt"; }
  Result<std::optional<std::string>> installed(const std::string& package) override {
    const auto found = world->packages.find(package);
    return found == world->packages.end() ? std::optional<std::string>() : std::optional(found->second);
  }
  Result<std::vector<std::string>> available(const std::string& package) override {
    return world->repository[package];
  }
  Result<bool> pinned(const std::string& package) override { return world->pinned[package]; }
  Result<void> set_pinned(const std::string& package, bool pinned) override {
    return change(package, [&] { world->pinned[package] = pinned; });
  }
  Result<void> install(const std::string& package, const std::string& version) override {
    return change(package, [&] { world->packages[package] = version; });
  }
};

class FakeBoot final : public Boot {
 public:
  explicit FakeBoot(std::shared_ptr<SimulatedWorld> world) : world_(std::move(world)) {}
  Result<std::string> boot_id() override { return "boot-" + std::to_string(world_->boot); }
  Result<std::optional<ScheduledReboot>> scheduled() override { return std::optional<ScheduledReboot>(); }
  Result<std::vector<Inhibitor>> inhibitors() override { return std::vector<Inhibitor>(); }
  Result<void> schedule(base::WallTime, const std::string&) override { return {}; }
  Result<void> cancel() override { return {}; }

 private:
  std::shared_ptr<SimulatedWorld> world_;
};

Faked faked(std::shared_ptr<SimulatedWorld> world, std::shared_ptr<FaultPoints> points) {
  return {.world = std::move(world), .points = std::move(points)};
}

}  // namespace

std::shared_ptr<auditd::KernelAuditControl> make_simulated_audit(std::shared_ptr<SimulatedWorld> world,
                                                                 std::shared_ptr<FaultPoints> points,
                                                                 auditd::ParseOptions options) {
  return std::make_shared<Audit>(faked(std::move(world), std::move(points)), std::move(options));
}
std::shared_ptr<Agent> make_simulated_agent(std::shared_ptr<SimulatedWorld> world,
                                            std::shared_ptr<FaultPoints> points) {
  return std::make_shared<FakeAgent>(faked(std::move(world), std::move(points)));
}
std::shared_ptr<Services> make_simulated_services(std::shared_ptr<SimulatedWorld> world,
                                                  std::shared_ptr<FaultPoints> points) {
  return std::make_shared<FakeServices>(faked(std::move(world), std::move(points)));
}
std::shared_ptr<Packages> make_simulated_packages(std::shared_ptr<SimulatedWorld> world,
                                                  std::shared_ptr<FaultPoints> points) {
  return std::make_shared<FakePackages>(faked(std::move(world), std::move(points)));
}
std::shared_ptr<Boot> make_simulated_boot(std::shared_ptr<SimulatedWorld> world) {
  return std::make_shared<FakeBoot>(std::move(world));
}

}  // namespace auditshift::tests
