// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/parser.h"

namespace auditshift::testing {

/// How one run of auditctl ended.
struct Ended {
  int exit_code = -1;
  int signal = 0;
  std::string output;
  std::string errors;
};

/// The real auditctl with the running kernel, in a root directory of its own: it sees the users and paths
/// that the test puts there and nothing of the host, and it is always run under the shim (auditctl_shim.c).
class Auditctl final : public auditd::HostView {
 public:
  /// Null, with the reason, when this machine cannot do it.
  static std::unique_ptr<Auditctl> make(std::string& reason);
  ~Auditctl() override;
  Auditctl(const Auditctl&) = delete;
  Auditctl& operator=(const Auditctl&) = delete;

  Ended run(const std::vector<std::string>& arguments) const;
  /// `auditctl -R` of a file with this text.
  Ended load(std::string_view text) const;
  /// The lines of `auditctl -l`; empty for "No rules".
  std::vector<std::string> list() const;
  /// Removes these rules, which the kernel holds.
  void remove(const std::vector<auditd::Rule>& rules) const;
  /// Removes all rules; false when some remain.
  bool clear() const;

  /// Creates the directories that the rule's paths need.
  void make_parents(const auditd::Rule& rule) const;
  void add_user(const std::string& name, std::uint32_t uid);
  const std::filesystem::path& root() const { return root_; }

  std::optional<std::uint32_t> uid_of(std::string_view user) const override;
  std::optional<std::uint32_t> gid_of(std::string_view group) const override;
  auditd::PathKind kind_of(std::string_view path) const override;

 private:
  Auditctl() = default;
  bool build(std::string& reason);
  void write_accounts() const;

  std::filesystem::path root_;
  std::vector<std::pair<std::string, std::uint32_t>> users_;
  std::vector<std::pair<std::string, std::uint32_t>> groups_;
};

}  // namespace auditshift::testing
