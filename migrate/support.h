// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auditshift::migrate {

/// A version of numbers, as in "4.18.0-425.3.1.el8": compared number by number up to the first word.
struct NumericVersion {
  std::vector<unsigned long> parts;

  static NumericVersion parse(std::string_view text);
  bool empty() const { return parts.empty(); }
  /// Missing parts count as 0.
  std::strong_ordering operator<=>(const NumericVersion& other) const;
  bool operator==(const NumericVersion& other) const { return (*this <=> other) == 0; }
};

/// What the vendor's support table says about eBPF on a distribution and kernel.
enum class Support {
  supported,     ///< at or above a row's minimum
  netlink_only,  ///< the product runs, but without eBPF: process events only
  unsupported,   ///< the product does not run, or not with this release
  unlisted,      ///< no row for this distribution; only probing can tell
};

struct SupportAnswer {
  Support support = Support::unlisted;
  std::string row;     ///< "RHEL 7.6, kernel 3.10.0-957.10", empty when unlisted
  std::string reason;  ///< in words
};

/// `id` is ID= of os-release, `version` the release with its minor number, `kernel` is uname -r.
/// A distribution newer than its row's minimum is measured by that row.
SupportAnswer support_of(std::string_view id, std::string_view version, std::string_view kernel);

}  // namespace auditshift::migrate
