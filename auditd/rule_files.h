// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auditd/layout.h"

namespace auditshift::auditd {

/// Reads rule files within one budget for all of them.
class RuleFileReader {
 public:
  RuleFileReader(const base::Sysroot& host, const ParseOptions& options) : host_(host), options_(options) {}
  RuleFile read(const std::string& path);

 private:
  const base::Sysroot& host_;
  const ParseOptions& options_;
  std::size_t budget_ = std::size_t{16} << 20;  ///< bytes
  std::size_t line_budget_ = 200'000;
};

/// Settings of auditd.conf(5) and of plugin files: `name = value` lines, `#` comments.
std::vector<Setting> parse_settings(std::string_view text);
/// The last value of a setting, its name in any case; or null.
const Setting* find_setting(const std::vector<Setting>& settings, std::string_view name);

/// The plugins of one directory: its *.conf files.
std::vector<Plugin> read_plugins(const base::Sysroot& host, const std::string& directory);

}  // namespace auditshift::auditd
