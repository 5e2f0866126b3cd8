// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auditd/kernel.h"
#include "auditd/layout.h"
#include "auditd/log.h"
#include "base/clock.h"
#include "bpf/probe.h"
#include "migrate/build_version.h"
#include "migrate/health.h"
#include "migrate/managed_config.h"
#include "migrate/path_facts.h"

namespace auditshift::migrate {

/// A piece of the host that backs a statement: a file with line and text, or a command with its answer.
struct Evidence {
  std::string file;
  int line = 0;  ///< 0: the whole file
  std::string text;

  bool operator==(const Evidence&) const = default;
};

/// Whether a systemd unit starts at boot, told from the links on disk.
enum class Enabled { yes, no, masked, absent, unknown };
std::string_view to_string(Enabled enabled);

struct HostFacts {
  std::string hostname;
  std::string machine_id;
  std::string boot_id;
  std::string distribution;                     ///< ID= of os-release, "rhel"
  std::string distribution_name;                ///< PRETTY_NAME=
  std::string distribution_version;             ///< with the minor number where a release file has it
  std::string kernel;                           ///< uname -r
  std::string architecture;                     ///< uname -m
  std::optional<std::string> command_line;      ///< /proc/cmdline
  std::string lockdown;                         ///< none, integrity, confidentiality, absent, unknown
  std::vector<Evidence> sap;                    ///< traces of an SAP installation
  std::vector<Evidence> ksplice;                ///< traces of ksplice
  std::vector<Evidence> container_runtimes;     ///< programs that start containers
  std::map<std::string, std::string> packages;  ///< versions of the few packages that matter, by name
  bool live = false;                            ///< the running host, not a captured tree
};

struct AuditFacts {
  auditd::AuditVersion version;  ///< of the audit user space
  std::string version_evidence;  ///< where that came from; empty: the reference version is assumed
  auditd::AuditStatus status;
  auditd::Layout layout;
  auditd::LiveRules live;
  std::vector<auditd::Drift> drift;
  Enabled auditd_enabled = Enabled::unknown;
  std::optional<bool> auditd_running;
  std::vector<Evidence> configuration_management;  ///< marks of tools that own the audit files
};

enum class AgentKind { none, mdatp, native };
std::string_view to_string(AgentKind kind);

struct AgentFacts {
  AgentKind kind = AgentKind::none;
  Evidence found_by;
  std::optional<BuildVersion> build;
  std::string build_text;  ///< as found, empty when unknown
  Health health;
  std::string health_error;  ///< why `health` is empty
  std::string subsystem;     ///< supplementary_events_subsystem: ebpf, auditd, netlink; or empty
  std::optional<std::chrono::sys_days> expires;
  ManagedConfig managed;
  bool managed_overridden = false;  ///< mdeattach_managed.json lies beside it
  ManagedConfig attached;           ///< that file
  /// Added on the host itself (`mdatp exclusion …`); absent when the agent did not tell.
  std::optional<std::vector<ManagedExclusion>> local_exclusions;
  Enabled service = Enabled::unknown;
  std::vector<Evidence> immutable_complaints;  ///< the agent's own log line about locked audit
};

struct SensorFacts {
  std::optional<bpf::Tier> tier;  ///< absent: not tried, or the capture does not say
  std::vector<bpf::ProbeResult> probe;
  std::string source;  ///< "this kernel", or the captured file
};

/// Everything the assessment knows about a host. Gathered by collect_facts, judged by the checks.
struct Facts {
  base::WallTime collected_at;
  HostFacts host;
  AuditFacts audit;
  AgentFacts agent;
  SensorFacts sensor;
  auditd::LogStatistics log;
  bool log_known = false;  ///< a log was there and could be read
  PathFactsMap paths;      ///< of the exclusions' targets and of programs that rules name
};

}  // namespace auditshift::migrate
