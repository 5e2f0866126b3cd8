// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auditd/kernel.h"
#include "migrate/change/host.h"
#include "migrate/change/transaction.h"
#include "tests/unit/migrate/change/fault_disk.h"
#include "tests/unit/migrate/change/fault_points.h"

namespace auditshift::tests {

/// All of a host that is no file. A value: it can be put back.
struct SimulatedWorld {
  unsigned boot = 1;
  std::vector<auditd::Rule> rules;  ///< of the kernel, each list in its order
  bool immutable = false;           ///< of the kernel, until the next boot
  std::uint32_t rate_limit = 0;     ///< of the kernel, records a second; 0: none
  std::string subsystem = "auditd";
  bool agent_healthy = true;
  std::map<std::string, migrate::outside::UnitState> services;
  std::map<std::string, std::string> packages;  ///< installed version by name
  std::map<std::string, bool> pinned;
  std::map<std::string, std::vector<std::string>> repository;
};

/// One file, link or directory with all its attributes.
struct SimulatedFile {
  char kind = 'f';  ///< f, l, d
  base::FileAttributes attributes;
  std::string content;  ///< or the link's target

  bool operator==(const SimulatedFile&) const = default;
};
using SimulatedTree = std::map<std::string, SimulatedFile>;  ///< by path

/// A host that runs in this process: real files through a FaultDisk in a directory of its own, and a kernel,
/// an agent, services, packages and boots that keep their state in a SimulatedWorld. Every change of any of
/// them passes a fault point before and after it.
class SimulatedHost {
 public:
  static constexpr const char* kState = "/var/lib/auditshift";
  static constexpr const char* kManaged = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json";

  struct Options {
    /// At boot augenrules writes audit.rules from rules.d, as with a stock auditd.service; else audit.rules
    /// is loaded as it is.
    bool augenrules = false;
  };

  SimulatedHost();
  explicit SimulatedHost(Options options);
  ~SimulatedHost();
  SimulatedHost(const SimulatedHost&) = delete;
  SimulatedHost& operator=(const SimulatedHost&) = delete;

  migrate::change::Host& host() { return host_; }
  FaultPoints& points() { return *points_; }
  FaultDisk& disk() { return *disk_; }
  SimulatedWorld& world() { return *world_; }
  const auditd::ParseOptions& rules_options() const { return parse_; }

  /// Puts a file there, outside any fault; its directories are made.
  void file(const std::string& path, std::string_view content, mode_t mode = 0640);
  void link(const std::string& path, const std::string& target);
  std::string real(const std::string& path) const { return root_ + path; }

  /// The machine starts again: another boot id, and the kernel has the rules that disk gives it.
  void boot();
  /// The power goes, and comes back.
  void power_cut(FaultDisk::Survives survives);
  /// The process was killed: the machine goes on.
  void killed() { disk_->settle(); }

  /// All files, sorted; the temporary names of cut-off writes without their random part.
  SimulatedTree tree() const;
  struct Snapshot {
    SimulatedTree tree;
    SimulatedWorld world;
  };
  Snapshot snapshot() const { return {tree(), *world_}; }
  void restore(const Snapshot& snapshot);

 private:
  Options options_;
  std::string directory_;  ///< holds root and graveyard
  std::string root_;
  auditd::ParseOptions parse_;
  std::shared_ptr<FaultPoints> points_ = std::make_shared<FaultPoints>();
  std::shared_ptr<SimulatedWorld> world_ = std::make_shared<SimulatedWorld>();
  std::shared_ptr<FaultDisk> disk_;
  migrate::change::Host host_;
};

/// What a person would compare before and after, without the tool's own state directory: each file and its
/// attributes, each rule, the agent, services and packages; one line each.
std::string picture(const SimulatedTree& tree, const SimulatedWorld& world);
/// The same and the state directory, as far as it matters for what comes next.
std::string whole_state(const SimulatedTree& tree, const SimulatedWorld& world);

}  // namespace auditshift::tests
