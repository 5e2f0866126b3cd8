// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/build_version.h"

namespace auditshift::migrate::outside {

/// Orders "epoch:version-release" as rpm does (rpm-version(7)): epoch, version, release; a missing epoch is
/// 0.
std::strong_ordering compare_rpm(std::string_view left, std::string_view right);

/// The version among `available`, newest first, that is this build of Defender, spelled as the package
/// manager does. The vendor's pages and its release list disagree on the last auditd build (…0000 or …0001):
/// each finds the other, and build 0 of a cut finds the first of that cut.
std::optional<std::string> find_build(const std::vector<std::string>& available, const BuildVersion& build);

}  // namespace auditshift::migrate::outside
