// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrate/assess.h"
#include "migrate/world.h"

namespace auditshift::migrate {

/// A host as files in a temporary directory, assessed the way a captured host is. Removed at the end.
class FakeHost {
 public:
  /// Nothing but a name, a release and a kernel: Debian 12, x86_64, core tier, no audit files, no agent.
  FakeHost();
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const std::string& root() const { return root_; }

  FakeHost& write(std::string_view path, std::string_view content);
  FakeHost& link(std::string_view path, std::string_view target);
  FakeHost& remove(std::string_view path);

  FakeHost& release(std::string_view id, std::string_view version, std::string_view kernel);
  /// A program that only root can change, with one name.
  FakeHost& program(std::string_view path);
  /// What the capture tells about a path.
  FakeHost& path_facts(std::string_view path, PathFacts facts);
  /// `auditctl -s`: enabled 0, 1 or 2.
  FakeHost& audit(int enabled, std::string_view more = {});
  FakeHost& live_rules(std::string_view text);
  FakeHost& rules(std::string_view name, std::string_view text);
  /// auditd.service runs augenrules, and is enabled.
  FakeHost& augenrules();
  /// An installed, enabled agent of this build; `health` lines are put after the usual ones and win.
  FakeHost& mdatp(std::string_view build, std::string_view subsystem, std::string_view health = {});
  FakeHost& managed(std::string_view json);
  /// Features that answer "no".
  FakeHost& no_bpf(const std::vector<std::string>& features);

  Facts facts() const;
  Assessment assess(const AssessOptions& options = {}) const;

 private:
  std::string root_;
  PathFactsMap path_facts_;
};

/// The finding of a check, or null.
const Finding* find(const Assessment& assessment, std::string_view id);
/// What became of a check; "absent" for an unknown id.
std::string outcome(const Assessment& assessment, std::string_view id);
/// "file:line text" of each piece of evidence.
std::vector<std::string> evidence(const Finding& finding);

}  // namespace auditshift::migrate
