// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace auditshift::migrate {

/// A build of Defender for Endpoint on Linux: "101.24082.0004" is product line 101, 2024-08 second cut,
/// build 4.
///
/// Builds compare component by component as integers. What packagers append ("-1", "-insiderfast",
/// "_external-1") does not count. A four-digit middle part, as in the vendor's pages ("101.2408.0004"), means
/// the five-digit build of that month's second cut (101.24082.0004); read literally it would sort before
/// 2023.
struct BuildVersion {
  std::uint32_t line = 0;
  std::uint32_t cut = 0;
  std::uint32_t build = 0;

  auto operator<=>(const BuildVersion&) const = default;
  static std::optional<BuildVersion> parse(std::string_view text);
  std::string to_string() const;
};

// Builds at which behaviour changed; from the vendor's release notes and its page on the eBPF sensor.
inline constexpr BuildVersion kFirstEbpfPreview{101, 23052, 9};  ///< eBPF sensor as a preview
inline constexpr BuildVersion kFirstEbpfDefault{101, 23082, 6};  ///< eBPF generally available and default
inline constexpr BuildVersion kImmutableHangFirst{101, 23082,
                                                  6};  ///< hangs after reboot with audit immutable …
inline constexpr BuildVersion kImmutableHangFixed{101, 23082, 11};  ///< … until this build
inline constexpr BuildVersion kKernelLeakFixed{101, 24052, 2};  ///< eBPF memory leak on kernels 3.10 to 4.16
inline constexpr BuildVersion kGlobalExclusionsPreview{101, 23092, 12};
inline constexpr BuildVersion kGlobalExclusions{101, 24092, 1};
inline constexpr BuildVersion kAuditdRemoved{101, 24082, 0};  ///< the auditd provider is gone from here on
inline constexpr BuildVersion kDropInsDeletedFirst{101, 25012, 0};  ///< deletes drop-ins in mdatp.service.d …
inline constexpr BuildVersion kDropInsDeletedFixed{101, 25032, 0};  ///< … until this build
inline constexpr BuildVersion kDisablesItselfFirst{101, 26042,
                                                   0};  ///< service may be disabled after upgrade …
inline constexpr BuildVersion kDisablesItselfLast{101, 26042, 9};  ///< … up to this build

}  // namespace auditshift::migrate
