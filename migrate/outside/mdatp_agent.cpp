// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/mdatp_agent.h"

#include <algorithm>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "migrate/outside/command_text.h"
#include "migrate/outside/flow_probe.h"
#include "migrate/paths.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;

constexpr const char* kProvider = "ebpf-supplementary-event-provider";
constexpr const char* kSubsystem = "supplementary_events_subsystem";
/// The command below an installation's root; /usr/bin/mdatp is a link to it.
constexpr const char* kClient = "/opt/microsoft/mdatp/sbin/wdavdaemonclient";
constexpr std::chrono::seconds kShortWindow = 5s;
constexpr std::chrono::seconds kLongWindow = 20s;  // the product's own default

bool contains(std::string_view text, std::string_view word) {
  return base::to_lower(text).find(word) != std::string::npos;
}

/// Why a command failed, from what it said. The texts differ between builds: words, not sentences.
base::Error refusal(const base::Completed& done, const std::string& what) {
  const std::string said = done.errors + done.output;
  if (contains(said, "could not connect") || contains(said, "cannot connect") ||
      contains(said, "server unavailable") || contains(said, "daemon is not running"))
    return failure_of(done, what + ": the agent's daemon cannot be reached")
        .with_hint("systemctl status mdatp; systemctl start mdatp");
  if (contains(said, "root") || contains(said, "sudo") || contains(said, "superuser") ||
      contains(said, "privilege"))
    return failure_of(done, what, base::Errc::permission).with_hint("run as root");
  if (contains(said, "unknown") || contains(said, "unrecognized") || contains(said, "invalid command") ||
      contains(said, "not recognized") || contains(said, "usage:"))
    return failure_of(done, what + ": this build does not know the command", base::Errc::unsupported);
  return failure_of(done, what);
}

FlowProof proof(bool seen, FlowProof::By by, std::string evidence) {
  FlowProof result;
  result.seen = seen;
  result.by = by;
  result.evidence = std::move(evidence);
  return result;
}

}  // namespace

MdatpAgent::MdatpAgent(std::shared_ptr<const base::Sysroot> files,
                       std::shared_ptr<base::ProcessRunner> processes, MdatpOptions options)
    : files_(std::move(files)), processes_(std::move(processes)), options_(std::move(options)) {}

std::string MdatpAgent::service() const { return paths::kMdatpService; }
std::string MdatpAgent::managed_file() const { return paths::kMdatpManaged; }

base::Result<std::string> MdatpAgent::cli() const {
  if (!options_.cli.empty()) return options_.cli;
  std::vector<std::string> places = {paths::kMdatpCli};
  if (const auto text = files_->read_file(paths::kMdatpCustomPath)) {
    const auto json = base::parse_json(*text, paths::kMdatpCustomPath);
    if (json && json->is_object() && json->contains("path") && (*json)["path"].is_string())
      places.push_back((*json)["path"].get<std::string>() + kClient);
  }
  places.push_back(kClient);
  for (const std::string& place : places)
    if (files_->exists(place)) return place;
  return base::Error(base::Errc::not_found,
                     "Microsoft Defender is not installed (no " + base::join(places, ", no ") + ")");
}

base::Result<base::Completed> MdatpAgent::run(const std::vector<std::string>& arguments,
                                              std::chrono::milliseconds extra) {
  AUDITSHIFT_TRY(program, cli());
  base::Command command;
  command.argv = {program};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.timeout = options_.limit + extra;
  auto done = processes_->run(command);
  if (!done && done.error().code() == base::Errc::timeout)
    return std::move(done).error().with_hint(
        "the agent hangs: systemctl status mdatp; systemctl restart mdatp");
  return done;
}

base::Result<std::string> MdatpAgent::field(const std::string& name) {
  AUDITSHIFT_TRY(done, run({"health", "--field", name}));
  if (!done.success()) return refusal(done, "mdatp health --field " + name);
  return parse_field_answer(done.output);
}

base::Result<AgentStatus> MdatpAgent::status() {
  AUDITSHIFT_TRY(done, run({"health"}));
  AgentStatus status;
  status.health = parse_health(done.output);
  // An unhealthy agent may say so by its exit code too; only an answer without a report is a failure.
  if (status.health.empty()) return refusal(done, "mdatp health");
  if (status.health.get(kSubsystem).empty())  // some builds list it with --field alone
    if (const auto alone = field(kSubsystem); alone && !alone->empty())
      status.health.fields[kSubsystem].value = *alone;
  status.subsystem = base::to_lower(status.health.get(kSubsystem));
  if (contains(status.subsystem, "no active")) status.subsystem.clear();
  status.healthy = status.health.get("healthy") == "true";
  return status;
}

base::Result<void> MdatpAgent::set_ebpf(bool enabled) {
  const std::string value = enabled ? "enabled" : "disabled";
  AUDITSHIFT_TRY(done, run({"config", kProvider, "--value", value}));
  // By the exit code alone: the message has changed over the builds, and what counts is what health says
  // then.
  if (!done.success()) return refusal(done, std::string("mdatp config ") + kProvider + " --value " + value);
  return {};
}

base::Result<FlowProof> MdatpAgent::prove_by_statistics(std::chrono::seconds window) {
  AUDITSHIFT_TRY(probe, FlowProbe::start(options_.probe_directory, FlowProbe::Pace::flood));
  const std::string seconds = std::to_string(window.count());
  const std::string what = "mdatp diagnostic ebpf-statistics --time " + seconds;
  AUDITSHIFT_TRY(done, run({"diagnostic", "ebpf-statistics", "--time", seconds}, window));
  if (!done.success()) return refusal(done, what);
  if (const auto count = find_in_statistics(done.output, "Top file paths", probe.directory()))
    return proof(true, FlowProof::By::probe,
                 what + " counted " + std::to_string(*count) + " events of the probe's file below " +
                     probe.directory());
  if (const auto count = find_in_statistics(done.output, "Top initiator paths", probe.executable()))
    return proof(true, FlowProof::By::probe,
                 what + " counted " + std::to_string(*count) + " events of the probe " + probe.executable());
  return proof(
      false, FlowProof::By::probe,
      what + " named neither the probe " + probe.executable() + " nor its file below " + probe.directory());
}

base::Result<FlowProof> MdatpAgent::prove_by_counters() {
  const std::vector<std::string> counters = {"diagnostic", "event-provider-statistics"};
  const std::string what = "mdatp diagnostic event-provider-statistics";
  AUDITSHIFT_TRY(first, run(counters));
  const auto before = first.success() ? sum_of_counters(first.output) : std::nullopt;
  if (!before) return refusal(first, what);
  const auto probe = FlowProbe::start(options_.probe_directory, FlowProbe::Pace::flood);
  if (!probe) return probe.error();
  std::this_thread::sleep_for(options_.counting);
  AUDITSHIFT_TRY(second, run(counters));
  if (!second.success()) return refusal(second, what);
  const std::uint64_t after = sum_of_counters(second.output).value_or(0);
  if (after <= *before)
    return proof(false, FlowProof::By::counters, what + ": no counter grew while the probe worked");
  return proof(true, FlowProof::By::counters,
               what + ": its counters grew by " + std::to_string(after - *before) +
                   " while the probe worked; they do not tell whose events these were");
}

base::Result<FlowProof> MdatpAgent::prove_by_health() {
  AUDITSHIFT_TRY(now, status());
  const bool well = now.healthy && now.subsystem == "ebpf";
  return proof(well, FlowProof::By::health,
               "this build shows no events: its health says healthy=" + now.health.get("healthy") + ", " +
                   kSubsystem + "=" + now.subsystem + "; no event was seen");
}

base::Result<FlowProof> MdatpAgent::prove_flow(std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::chrono::seconds window = std::clamp(patience, 1s, kShortWindow);
  while (true) {
    auto proved = prove_by_statistics(window);
    if (!proved && proved.error().code() != base::Errc::permission &&
        proved.error().code() != base::Errc::timeout)
      break;  // a build, or a provider, without these statistics
    const auto left = std::chrono::floor<std::chrono::seconds>(deadline - std::chrono::steady_clock::now());
    if (!proved || proved->seen || left < 1s) return proved;
    window = std::min(kLongWindow, left);
  }
  if (auto counted = prove_by_counters()) return counted;
  return prove_by_health();
}

}  // namespace auditshift::migrate::outside
