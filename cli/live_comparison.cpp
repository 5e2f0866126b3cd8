// SPDX-License-Identifier: Apache-2.0
#include "cli/live_comparison.h"

#include <unistd.h>

#include "base/text.h"
#include "cli/change_run.h"
#include "migrate/collect.h"
#include "migrate/compare/side_by_side.h"
#include "migrate/paths.h"
#include "sensor/audit_provider.h"
#include "sensor/control_server.h"
#include "sensor/ebpf_provider.h"

namespace auditshift::cli {
namespace {

using migrate::compare::Comparison;
using migrate::compare::RuleTally;

/// Why the two cannot be held against each other here.
base::Result<void> check_audit(const migrate::AuditFacts& audit) {
  using auditd::AuditState;
  switch (audit.status.state) {
    case AuditState::absent:
      return base::Error(base::Errc::unsupported,
                         "cannot compare: this kernel has no audit system, " + audit.status.reason);
    case AuditState::disabled:
      return base::Error(
                 base::Errc::unsupported,
                 "cannot compare: the audit system is switched off (enabled 0), so that nothing is recorded")
          .with_hint("auditctl -e 1, or start auditd");
    case AuditState::unknown:
      return base::Error(base::Errc::unsupported,
                         "cannot compare: the audit system does not answer, " + audit.status.reason);
    default:
      break;
  }
  if (!audit.live.known)
    return base::Error(base::Errc::unsupported,
                       "cannot compare: the audit rules cannot be read, " + audit.live.reason);
  return {};
}

std::string managed_file(const CompareRequest& request, const migrate::AgentFacts& agent) {
  if (!request.managed.empty()) return absolute_path(request.managed);
  return agent.kind == migrate::AgentKind::mdatp ? migrate::paths::kMdatpManaged
                                                 : migrate::paths::kNativeManaged;
}

/// The kinds that the running sensor watches; nothing when none runs on eBPF.
std::optional<sensor::KindSet> watched_kinds(const SensorOption& sensor) {
  const auto health = sensor.ask({{"request", "health"}}, std::chrono::seconds(5));
  if (!health.ok() || !health->is_object() || health->value("supplementary_events_subsystem", "") != "ebpf")
    return std::nullopt;
  sensor::KindSet kinds;
  for (const base::Json& name : health->value("event_kinds", base::Json::array()))
    if (const auto kind = name.is_string() ? sensor::kind_from_name(name.get<std::string>()) : std::nullopt)
      kinds.insert(*kind);
  return kinds;
}

struct Settings {
  migrate::compare::SensorSettings sensor;
  std::string from;
};

/// What the sensor of this host is told to report.
base::Result<Settings> read_settings(const CompareRequest& request, const migrate::World& world,
                                     const migrate::AgentFacts& agent) {
  Settings settings;
  const auto running = watched_kinds(request.sensor);
  if (running) settings.sensor.options.kinds = *running;
  settings.from =
      running ? "kinds of the running sensor" : "no sensor of this project runs on eBPF, its defaults";
  const std::string file = managed_file(request, agent);
  const auto text = world.host->read_file(file);
  if (text.ok()) {
    AUDITSHIFT_TRY(managed, sensor::parse_managed(*text, file, [&](const std::string& path) {
                     auto resolved = world.host->resolve(path);
                     return resolved.ok() ? std::optional(*std::move(resolved)) : std::nullopt;
                   }));
    settings.from += "; " + base::count_of(managed.exclusions.size(), "exclusion") + " of " + file;
    settings.sensor.exclusions = sensor::Exclusions(std::move(managed.exclusions));
  } else if (!request.managed.empty() || text.error().code() != base::Errc::not_found) {
    return text.error();
  }
  for (const std::string& name : request.without) {
    settings.sensor.options.kinds.erase(*sensor::kind_from_name(name));
    settings.from += "; without " + name;
  }
  return settings;
}

/// It is the vendor's programs that will take over, and they cannot be asked.
std::string note_on_defender() {
  return "Defender's own eBPF programs cannot be asked what they see: this shows what programs of this "
         "project see on this kernel";
}

/// The rules that missed events, the first few of them: a journal's record is bounded.
base::Json rules_that_missed(const Comparison& comparison) {
  constexpr std::size_t kMost = 20;
  constexpr std::size_t kLongest = 160;
  base::Json rules = base::Json::array();
  for (std::size_t i = 0; i < comparison.rules.size() && rules.size() < kMost; ++i) {
    const RuleTally& tally = comparison.tallies[i];
    if (tally.missed() == 0) continue;
    base::Json reasons = base::Json::object();
    for (const auto& [reason, count] : tally.audit_only)
      if (is_missed(reason)) reasons[std::string(to_string(reason))] = count;
    if (tally.differing != 0) reasons["differs"] = tally.differing;
    rules.push_back({{"text", base::to_utf8(comparison.rules[i].text.substr(0, kLongest))},
                     {"missed", tally.missed()},
                     {"reasons", std::move(reasons)}});
  }
  return rules;
}

class LiveComparison final : public migrate::change::LiveComparison {
 public:
  explicit LiveComparison(migrate::AgentKind agent) : agent_(agent) {}

  base::Result<migrate::change::Compared> compare(std::chrono::seconds time) override {
    CompareRequest request;
    request.agent = agent_;
    request.sensor.socket = sensor::kControlSocket;
    request.seconds = static_cast<unsigned>(time.count());
    base::NoProgress progress;
    AUDITSHIFT_TRY(comparison, compare_now(request, progress));
    if (interrupted())
      return base::Error(base::Errc::interrupted, "the comparison was stopped before its time was over");
    using migrate::compare::Outcome;
    const Outcome outcome = comparison.outcome();
    migrate::change::Compared compared;
    compared.missed = outcome == Outcome::missed;
    compared.proven = outcome != Outcome::incomplete;
    compared.text = migrate::compare::sentence(comparison);
    compared.summary = {{"outcome", to_string(outcome)},
                        {"seconds", request.seconds},
                        {"events", comparison.audit_events()},
                        {"missed", comparison.missed()},
                        {"text", compared.text},
                        {"rules", rules_that_missed(comparison)}};
    return compared;
  }

 private:
  migrate::AgentKind agent_;
};

}  // namespace

base::Result<Comparison> compare_now(const CompareRequest& request, base::Progress& progress) {
  AUDITSHIFT_TRY(world, migrate::live_world());
  migrate::CollectOptions collect;
  collect.agent = request.agent;
  collect.log_days = 0;
  const migrate::Facts facts = migrate::collect_facts(world, collect, progress);
  AUDITSHIFT_TRY_VOID(check_audit(facts.audit));
  AUDITSHIFT_TRY(settings, read_settings(request, world, facts.agent));
  const migrate::compare::RuleBook rules(migrate::compare::live_rules(facts), [&](const std::string& path) {
    auto resolved = world.host->resolve(path);
    return resolved.ok() ? std::optional(*std::move(resolved)) : std::nullopt;
  });

  sensor::AuditProvider audit(*world.clock, true);
  sensor::EbpfProvider ebpf(rules.widest_options(), *world.clock);
  const auto kernel = world.audit({facts.audit.version, facts.host.architecture});
  progress.step("comparing for " + base::count_of(request.seconds, "second"));
  auto compared = migrate::compare::compare_live({.audit = audit,
                                                  .sensor = ebpf,
                                                  .kernel = *kernel,
                                                  .clock = *world.clock,
                                                  .time = std::chrono::seconds(request.seconds),
                                                  .own_pid = static_cast<std::uint32_t>(::getpid()),
                                                  .stop = interrupted},
                                                 rules, settings.sensor, progress);
  progress.finish();
  AUDITSHIFT_TRY(comparison, std::move(compared).context("cannot compare"));
  comparison.host = facts.host.hostname;
  comparison.settings_from = settings.from;
  if (facts.agent.kind == migrate::AgentKind::mdatp) comparison.notes.push_back(note_on_defender());
  return comparison;
}

std::shared_ptr<migrate::change::LiveComparison> make_live_comparison(migrate::AgentKind agent) {
  return std::make_shared<LiveComparison>(agent);
}

}  // namespace auditshift::cli
