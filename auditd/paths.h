// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

/// Every path of a host that this folder reads, as that host sees it.
namespace auditshift::auditd::paths {

inline constexpr const char* kRulesDirectory = "/etc/audit/rules.d";
inline constexpr const char* kCompiledRules = "/etc/audit/audit.rules";
inline constexpr const char* kAuditdConf = "/etc/audit/auditd.conf";
inline constexpr const char* kDefaultLog = "/var/log/audit/audit.log";

/// audit 3 and later; then audit 2.
inline constexpr std::array kPluginDirectories = {"/etc/audit/plugins.d", "/etc/audisp/plugins.d"};

/// Unit directories, the one that overrides all others first (systemd.unit(5)).
inline constexpr std::array kUnitDirectories = {"/etc/systemd/system", "/run/systemd/system",
                                                "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                                "/lib/systemd/system"};

/// Settings of the System V start script: Debian, then Red Hat and SUSE.
inline constexpr std::array kSysvSettings = {"/etc/default/auditd", "/etc/sysconfig/auditd"};
inline constexpr const char* kSysvScript = "/etc/init.d/auditd";

inline constexpr const char* kAugenrules = "/sbin/augenrules";
inline constexpr const char* kAwk = "/usr/bin/awk";

inline constexpr const char* kUsers = "/etc/passwd";
inline constexpr const char* kGroups = "/etc/group";

}  // namespace auditshift::auditd::paths
