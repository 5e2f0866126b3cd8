// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace standin {

/// How the stand-in behaves: lines of key=value in the file `state` of its directory. Read anew for every
/// command; README.md lists the keys.
class State {
 public:
  /// The directory `state` beside the program, else /var/opt/microsoft/mdatp/standin.
  static std::string directory();
  static State load();
  void save() const;

  std::string get(const std::string& key, const std::string& fallback = {}) const;
  bool is(const std::string& key, bool fallback = false) const;
  void set(const std::string& key, const std::string& value) { values_[key] = value; }

  /// Before 101.24082 the provider without eBPF is auditd, from there on netlink.
  bool auditd_era() const;
  /// The provider in force: the managed configuration's, else the local one.
  std::string subsystem() const;
  /// features.ebpfSupplementaryEventProvider of the managed configuration: "enabled", "disabled" or empty.
  std::string managed() const;
  /// A path of the host, below `root` where the state gives one.
  std::string path(const std::string& path) const { return get("root") + path; }

 private:
  std::map<std::string, std::string> values_;
};

std::string read_file(const std::string& path);

}  // namespace standin
