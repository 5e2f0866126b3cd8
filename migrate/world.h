// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auditd/kernel.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/result.h"
#include "base/sysroot.h"
#include "bpf/probe.h"

namespace auditshift::migrate {

/// What uname(2) says.
struct Uname {
  std::string node;     ///< host name
  std::string release;  ///< kernel release
  std::string machine;  ///< hardware name: x86_64, aarch64
};

/// The outside world as the collector sees it. What is not there on a captured host is absent, never guessed.
struct World {
  std::shared_ptr<const base::Sysroot> host;
  std::shared_ptr<const base::Clock> clock;
  std::shared_ptr<base::ProcessRunner> processes;  ///< null: no program may be run (captured host)
  std::optional<Uname> uname;
  std::optional<std::string> boot_id;
  /// The agent's own health report, or why there is none.
  std::function<base::Result<std::string>()> mdatp_health;
  /// The agent's own list of exclusions added on the host, or why there is none.
  std::function<base::Result<std::string>()> mdatp_exclusions;
  /// Makes the view of the kernel's audit once version and machine are known.
  std::function<std::unique_ptr<auditd::KernelAudit>(const auditd::ParseOptions&)> audit;
  std::shared_ptr<bpf::CapabilityProbe> probe;  ///< null: the capture does not tell
  std::string probe_source;                     ///< "this kernel", or the file
};

/// The running host.
base::Result<World> live_world();

/// A captured or mounted host: files below `root`; what only a kernel can answer from
/// `root`/auditshift-capture.
base::Result<World> captured_world(const std::string& root);

/// Parses the text of `uname -a`.
std::optional<Uname> parse_uname(std::string_view text);

/// Parses ebpf-probe.json of a capture; the opposite of probe_to_json.
base::Result<std::vector<bpf::ProbeResult>> parse_probe(std::string_view text, std::string_view name);
std::string format_probe(const std::vector<bpf::ProbeResult>& results);

/// The best tier that works, or nothing when that could not be tried.
std::optional<bpf::Tier> tier_of(const std::vector<bpf::ProbeResult>& results);

}  // namespace auditshift::migrate
