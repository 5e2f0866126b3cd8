// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "migrate/fleet/host_report.h"

namespace auditshift::migrate::fleet {

/// The hosts that should have reported: one name a line, `#` begins a comment. Names are compared without
/// regard to case; a name without a dot also stands for every host whose name begins with it and a dot, and
/// the other way round. A report also answers to the name of its file without `.json`, which is what a
/// collector calls the host.
class ExpectedHosts {
 public:
  static ExpectedHosts parse(std::string_view text);

  std::size_t size() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  /// Places in names() that this report answers to.
  std::vector<std::size_t> answered_by(const HostReport& report) const;

 private:
  void find(const std::string& name, std::vector<std::size_t>& places) const;

  std::vector<std::string> names_;                      ///< as written, each once, in the order of the file
  std::unordered_map<std::string, std::size_t> exact_;  ///< in lower case
  std::unordered_multimap<std::string, std::size_t> by_first_label_;  ///< of names with a dot
};

}  // namespace auditshift::migrate::fleet
