// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Where agents, distributions and captures keep what the assessment reads. Audit's own paths:
/// auditd/paths.h.
namespace auditshift::migrate::paths {

// Defender for Endpoint on Linux (the vendor's resource and configuration pages).
inline constexpr const char* kMdatpRoot = "/opt/microsoft/mdatp";
inline constexpr const char* kMdatpCli = "/usr/bin/mdatp";
inline constexpr const char* kMdatpConfig = "/etc/opt/microsoft/mdatp";
inline constexpr const char* kMdatpManaged = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json";
inline constexpr const char* kMdatpAttachManaged = "/etc/opt/microsoft/mdatp/managed/mdeattach_managed.json";
inline constexpr const char* kMdatpCustomPath = "/etc/opt/microsoft/mdatp/mde_path.json";
inline constexpr const char* kMdatpErrorLog = "/var/log/microsoft/mdatp/microsoft_defender_core_err.log";
inline constexpr const char* kMdatpPackagedRules = "/opt/microsoft/mdatp/conf/mdatp.rules";
inline constexpr const char* kMdatpService = "mdatp.service";

// This project's own sensor.
inline constexpr const char* kNativeManaged = "/etc/auditshift/managed.json";
inline constexpr const char* kNativeService = "auditshift-sensord.service";

// A captured host's kernel facts, as text files.
inline constexpr const char* kCapture = "/auditshift-capture";

}  // namespace auditshift::migrate::paths
