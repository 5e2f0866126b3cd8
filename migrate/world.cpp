// SPDX-License-Identifier: Apache-2.0
#include "migrate/world.h"

#include <sys/utsname.h>

#include <cerrno>

#include "base/json.h"
#include "base/text.h"
#include "migrate/paths.h"

namespace auditshift::migrate {
namespace {

using base::Json;

std::string captured_path(const char* name) { return std::string(paths::kCapture) + "/" + name; }

std::optional<std::string> read_optional(const base::Sysroot& host, const std::string& path) {
  auto text = host.read_file(path, std::size_t{8} << 20);
  if (!text) return std::nullopt;
  return *std::move(text);
}

base::Result<std::string> ask_mdatp(base::ProcessRunner& processes, std::vector<std::string> question) {
  base::Command command;
  command.argv = {paths::kMdatpCli};
  command.argv.insert(command.argv.end(), question.begin(), question.end());
  AUDITSHIFT_TRY(done, processes.run(command));
  if (done.success()) return done.output;
  const std::string said(base::trim(done.errors.empty() ? done.output : done.errors));
  return base::Error(base::Errc::io,
                     "mdatp " + base::join(question, " ") + " ended with exit code " +
                         std::to_string(done.exit_code) +
                         (said.empty() ? "" : " and said \"" + base::printable(said.substr(0, 200)) + "\""));
}

std::string_view support_name(bpf::ProbeResult::Support support) {
  switch (support) {
    case bpf::ProbeResult::yes:
      return "yes";
    case bpf::ProbeResult::no:
      return "no";
    case bpf::ProbeResult::unknown:
      break;
  }
  return "unknown";
}

}  // namespace

std::optional<Uname> parse_uname(std::string_view text) {
  // "Linux NODE RELEASE VERSION… MACHINE [PROCESSOR PLATFORM] GNU/Linux"
  std::vector<std::string> words;
  for (const std::string_view word : base::split(base::trim(text), ' '))
    if (!word.empty()) words.emplace_back(word);
  if (words.size() < 4 || words[0] != "Linux") return std::nullopt;
  Uname result{words[1], words[2], {}};
  static constexpr std::string_view kMachines[] = {"x86_64", "aarch64", "i386",   "i486",
                                                   "i586",   "i686",    "ppc64",  "ppc64le",
                                                   "s390x",  "riscv64", "armv7l", "armv8l"};
  for (std::size_t i = 3; i < words.size() && result.machine.empty(); ++i)
    for (const std::string_view machine : kMachines)
      if (words[i] == machine) result.machine = words[i];
  return result;
}

base::Result<std::vector<bpf::ProbeResult>> parse_probe(std::string_view text, std::string_view name) {
  AUDITSHIFT_TRY(document, base::parse_json(text, name));
  const auto probe = document.is_object() ? document.find("probe") : document.end();
  if (!document.is_object() || probe == document.end() || !probe->is_array())
    return base::Error(base::Errc::invalid, std::string(name) + ": no array \"probe\"");
  std::vector<bpf::ProbeResult> results;
  for (const Json& entry : *probe) {
    if (!entry.is_object() || !entry.contains("feature") || !entry["feature"].is_string())
      return base::Error(base::Errc::invalid, std::string(name) + ": an entry without \"feature\"");
    bpf::ProbeResult result;
    result.feature = entry["feature"].get<std::string>();
    const Json ok = entry.value("ok", Json());
    if (ok == "yes") result.ok = bpf::ProbeResult::yes;
    if (ok == "no") result.ok = bpf::ProbeResult::no;
    if (const auto detail = entry.find("detail"); detail != entry.end() && detail->is_string())
      result.detail = detail->get<std::string>();
    results.push_back(std::move(result));
  }
  return results;
}

std::string format_probe(const std::vector<bpf::ProbeResult>& results) {
  Json probe = Json::array();
  for (const bpf::ProbeResult& result : results)
    probe.push_back(
        {{"feature", result.feature}, {"ok", support_name(result.ok)}, {"detail", result.detail}});
  return base::dump_json({{"probe", probe}}, base::JsonStyle::pretty);
}

std::optional<bpf::Tier> tier_of(const std::vector<bpf::ProbeResult>& results) {
  const bpf::Tier best = bpf::choose_tier(results);
  // A better tier that fails only for want of an answer is not ruled out.
  for (const bpf::Tier better : {bpf::Tier::core, bpf::Tier::legacy, bpf::Tier::netlink}) {
    if (better == best) break;
    bool ruled_out = false;
    for (const bpf::ProbeResult& missing : bpf::missing_features(results, better))
      ruled_out = ruled_out || missing.ok == bpf::ProbeResult::no;
    if (!ruled_out) return std::nullopt;
  }
  return best;
}

base::Result<World> live_world() {
  AUDITSHIFT_TRY(host, base::Sysroot::open("/"));
  World world;
  world.host = std::make_shared<base::Sysroot>(std::move(host));
  world.clock = std::make_shared<base::SystemClock>();
  world.processes = std::make_shared<base::SystemProcessRunner>();
  utsname names{};
  if (::uname(&names) != 0) return base::Error::from_errno(errno, "uname");
  world.uname = Uname{names.nodename, names.release, names.machine};
  world.boot_id = read_optional(*world.host, "/proc/sys/kernel/random/boot_id");
  world.mdatp_health = [processes = world.processes] { return ask_mdatp(*processes, {"health"}); };
  world.mdatp_exclusions = [processes = world.processes] {
    return ask_mdatp(*processes, {"exclusion", "list"});
  };
  world.audit = [](const auditd::ParseOptions& options) {
    return std::make_unique<auditd::LiveKernelAudit>(options);
  };
  world.probe = std::make_shared<bpf::KernelProbe>(*world.host);
  world.probe_source = "this kernel";
  return world;
}

base::Result<World> captured_world(const std::string& root) {
  AUDITSHIFT_TRY(host, base::Sysroot::open(root));
  World world;
  world.host = std::make_shared<base::Sysroot>(std::move(host));
  const base::Sysroot& files = *world.host;
  // A capture is judged as of the day it was taken: expiry counts from there.
  world.clock = std::make_shared<base::SystemClock>();
  if (const auto text = read_optional(files, captured_path("captured-at"))) {
    if (const auto time = base::parse_utc(base::trim(*text)))
      world.clock = std::make_shared<base::FixedClock>(*time);
  }
  if (const auto text = read_optional(files, captured_path("uname"))) world.uname = parse_uname(*text);
  world.boot_id = read_optional(files, captured_path("boot-id"));
  world.mdatp_health = [host = world.host]() -> base::Result<std::string> {
    return host->read_file(captured_path("mdatp-health"))
        .context("the capture has no answer of mdatp health");
  };
  world.mdatp_exclusions = [host = world.host]() -> base::Result<std::string> {
    return host->read_file(captured_path("mdatp-exclusions"))
        .context("the capture has no answer of mdatp exclusion list");
  };
  world.audit = [host = world.host](const auditd::ParseOptions& options) {
    return std::make_unique<auditd::CapturedKernelAudit>(read_optional(*host, captured_path("audit-status")),
                                                         read_optional(*host, captured_path("audit-rules")),
                                                         options);
  };
  world.probe_source = captured_path("ebpf-probe.json");
  if (const auto text = read_optional(files, world.probe_source)) {
    AUDITSHIFT_TRY(results, parse_probe(*text, world.probe_source));
    world.probe = std::make_shared<bpf::FixedProbe>(std::move(results));
  }
  return world;
}

}  // namespace auditshift::migrate
