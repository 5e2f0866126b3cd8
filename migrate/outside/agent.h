// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "migrate/facts.h"
#include "migrate/health.h"

namespace auditshift::migrate::outside {

/// What the agent says about itself now.
struct AgentStatus {
  Health health;
  std::string subsystem;  ///< supplementary_events_subsystem: ebpf, auditd, netlink; or empty
  bool healthy = false;
};

/// Whether events of a process that was started for this purpose came out of the agent.
struct FlowProof {
  bool seen = false;
  /// How sure `seen` is.
  enum class By {
    probe,     ///< the agent named the process, or the file it renamed
    counters,  ///< the agent has no better means: its counters grew while the process worked
    health,    ///< nor that: it says of itself that it is well and on eBPF
  } by = By::probe;
  std::string evidence;  ///< what was looked at, in words
};

/// The endpoint agent of the host: Defender, or this project's own sensor.
class Agent {
 public:
  virtual ~Agent() = default;
  virtual AgentKind kind() const = 0;
  /// Its systemd unit.
  virtual std::string service() const = 0;
  /// The managed configuration it obeys.
  virtual std::string managed_file() const = 0;
  /// Errors: not_found (not installed), timeout, or that its daemon cannot be reached.
  virtual base::Result<AgentStatus> status() = 0;
  /// Switches the supplementary event provider by the agent's own command. Enabled is eBPF; disabled is what
  /// the build falls back to.
  virtual base::Result<void> set_ebpf(bool enabled) = 0;
  /// Starts a known process and looks for its events.
  virtual base::Result<FlowProof> prove_flow(std::chrono::seconds patience) = 0;
};

}  // namespace auditshift::migrate::outside
