// SPDX-License-Identifier: Apache-2.0
#include "cli/change_host.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/known_ids.h"
#include "cli/live_comparison.h"
#include "migrate/change/observe.h"
#include "migrate/change/package_rollback.h"
#include "migrate/change/plan_steps.h"
#include "migrate/change/transaction.h"
#include "migrate/collect.h"
#include "migrate/outside/choose_agent.h"
#include "migrate/outside/native_agent.h"
#include "migrate/outside/package_managers.h"
#include "migrate/outside/systemd_boot.h"
#include "migrate/outside/systemd_services.h"

namespace auditshift::cli {
namespace {

using migrate::AgentKind;

/// A captured kernel: it can be read.
class CapturedAudit final : public auditd::KernelAuditControl {
 public:
  explicit CapturedAudit(std::unique_ptr<auditd::KernelAudit> kernel) : kernel_(std::move(kernel)) {}
  auditd::AuditStatus status() override { return kernel_->status(); }
  auditd::LiveRules rules() override { return kernel_->rules(); }
  base::Result<void> add(const auditd::Rule&) override { return refused(); }
  base::Result<void> remove(const auditd::Rule&) override { return refused(); }
  base::Result<void> set_rate_limit(std::uint32_t) override { return refused(); }

 private:
  static base::Error refused() {
    return base::Error(base::Errc::unsupported, "a captured host cannot be changed");
  }
  std::unique_ptr<auditd::KernelAudit> kernel_;
};

auditd::ParseOptions parse_options(const migrate::HostFacts& facts) {
  auditd::ParseOptions options;
  if (const auto version = migrate::audit_version_of(facts)) options.version = *version;
  if (!facts.architecture.empty()) options.machine = facts.architecture;
  return options;
}

/// Null when the one that is wanted, or any, is not there.
base::Result<std::shared_ptr<migrate::outside::Agent>> find_agent(const migrate::change::Host& host,
                                                                  AgentKind wanted) {
  const std::string name = wanted == AgentKind::none ? "auto" : std::string(to_string(wanted));
  auto agent = migrate::outside::choose_agent(name, host.files, host.processes, host.services);
  if (agent || agent.error().code() != base::Errc::not_found) return agent;
  if (wanted == AgentKind::mdatp) return agent;
  // A switch of a host without an agent is one to this project's own sensor.
  return std::shared_ptr<migrate::outside::Agent>(
      std::make_shared<migrate::outside::NativeAgent>(host.services));
}

}  // namespace

base::Result<ChangeHost> open_change_host(const std::string& root, AgentKind wanted) {
  AUDITSHIFT_TRY(world, root.empty() ? migrate::live_world() : migrate::captured_world(root));
  ChangeHost on;
  on.world = std::move(world);
  on.host.files = on.world.host;
  on.host.clock = on.world.clock;
  const auditd::ParseOptions options = parse_options(migrate::collect_host(on.world));
  if (!root.empty()) {
    on.host.audit = std::make_shared<CapturedAudit>(on.world.audit(options));
    return on;
  }
  on.host.audit = std::make_shared<auditd::LiveKernelAudit>(options);
  on.host.processes = on.world.processes;
  on.host.services = std::make_shared<migrate::outside::SystemdServices>(on.host.files, on.host.processes);
  on.host.boot =
      std::make_shared<migrate::outside::SystemdBoot>(on.host.files, on.host.processes, on.host.clock);
  on.host.packages = migrate::outside::detect_packages(*on.host.files, on.host.processes);
  on.announcer = migrate::change::make_journald_announcer();
  on.host.comparison = make_live_comparison(wanted);
  AUDITSHIFT_TRY(agent, find_agent(on.host, wanted));
  on.host.agent = std::move(agent);
  return on;
}

void PlanArguments::add_to(CLI::App& app) {
  app.add_option("--agent", agent, "auto, mdatp (Defender) or native (this project's sensor)")
      ->check(CLI::IsMember({"auto", "mdatp", "native"}))
      ->capture_default_str();
  app.add_option("--accept", accept, "accept this finding or exclusion; can be given again")->type_name("ID");
  app.add_option("--skip", skip, "leave this check out; can be given again")->type_name("ID");
  app.add_flag("--remove-leftovers", leftovers,
               "also remove Defender's files that no loader reads, and its plugin's file");
  app.add_option(
         "--compare", compare_seconds,
         "before the old rules go, compare audit with the sensor for so many seconds; what was missed "
         "ends the switch")
      ->check(CLI::Range(1U, migrate::change::kLongestComparison))
      ->type_name("S");
}

migrate::change::PlanOptions PlanArguments::options() const {
  migrate::change::PlanOptions options;
  options.agent = agent == "mdatp"    ? AgentKind::mdatp
                  : agent == "native" ? AgentKind::native
                                      : AgentKind::none;
  options.accept = {accept.begin(), accept.end()};
  options.skip = {skip.begin(), skip.end()};
  options.leftovers = leftovers;
  options.compare_seconds = compare_seconds;
  return options;
}

namespace {

/// The agent's package where an earlier rollback --to-build holds it and there is a newer one to go to, or an
/// obstacle that the plan has to tell of.
std::optional<migrate::change::PackageFacts> held_package(const ChangeHost& on) {
  namespace change = migrate::change;
  if (!on.host.packages || on.host.packages->manager().empty()) return std::nullopt;
  change::Host host = on.host;  // reading the history changes nothing
  const auto history = change::Transactions(host).history();
  if (!history || std::none_of(history->begin(), history->end(),
                               [](const change::Status& past) { return change::is_package_plan(past.plan); }))
    return std::nullopt;  // asking a package manager takes seconds
  auto facts = change::collect_package_facts(*on.host.packages, change::kAgentPackage);
  if (!facts) {
    spdlog::warn("cannot tell whether {} is held back: {}", change::kAgentPackage, facts.error().message());
    return std::nullopt;
  }
  if (!change::held_by_rollback(*history, *facts)) return std::nullopt;
  const change::PackagePlan forward = change::plan_package_forward(*facts);
  if (forward.obstacles.empty() && forward.version == facts->installed) return std::nullopt;
  return *std::move(facts);
}

migrate::Assessment assess_now(const ChangeHost& on, const migrate::change::PlanOptions& options,
                               const std::optional<migrate::change::PackageFacts>& held,
                               const Context& context) {
  const auto progress = context.progress();
  migrate::CollectOptions collect;
  collect.agent = options.agent;
  migrate::Facts facts = migrate::collect_facts(on.world, collect, *progress);
  if (on.host.agent && facts.agent.kind != AgentKind::mdatp)
    migrate::change::ask_agent(*on.host.agent, facts);
  // The plan installs that build first, so it is the one whose faults count.
  if (held)
    if (const auto forward = migrate::change::plan_package_forward(*held); forward.obstacles.empty())
      facts.agent.build = migrate::BuildVersion::parse(forward.version);
  return migrate::assess(std::move(facts), {options.skip, options.accept});
}

}  // namespace

base::Result<Planned> plan_for(const ChangeHost& on, const migrate::change::PlanOptions& options,
                               const Context& context) {
  auto held = held_package(on);
  const migrate::Assessment assessment = assess_now(on, options, held, context);
  migrate::AssessOptions ids{options.skip, options.accept};
  if (options.compare_seconds != 0)
    for (const char* found : {migrate::change::kEventsMissed, migrate::change::kNothingProven})
      ids.accept.erase(found);  // by the comparison, not by a check
  if (auto checked = check_ids(assessment, ids); !checked) return Planned{{}, std::move(checked).error()};
  AUDITSHIFT_TRY(sources, migrate::change::read_plan_sources(*on.host.files, assessment));
  sources.held_package = std::move(held);
  AUDITSHIFT_TRY(answer, migrate::change::make_plan(assessment, sources, options, on.host.clock->now()));
  return Planned{std::move(answer), std::nullopt};
}

base::Result<std::vector<std::string>> blockers(const ChangeHost& on,
                                                const migrate::change::PlanOptions& options,
                                                const Context& context) {
  std::vector<std::string> reasons;
  for (const migrate::Finding& finding : assess_now(on, options, std::nullopt, context).findings)
    if (finding.is_blocking()) reasons.push_back(finding.id + " " + finding.title + ": " + finding.diagnosis);
  if (!on.host.agent || !on.host.services || !on.host.services->running()) return reasons;
  // Some builds disable their own unit; then nothing would watch the host after the boot.
  AUDITSHIFT_TRY(unit, on.host.services->state(on.host.agent->service()));
  if (unit.loaded && unit.enabled != migrate::Enabled::yes)
    reasons.push_back(on.host.agent->service() + " does not start at boot (" +
                      std::string(to_string(unit.enabled)) + ")");
  return reasons;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "this host";
  return name.data();
}

}  // namespace auditshift::cli
