// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace auditshift::migrate::change {

/// A dispatcher plugin's configuration (auditd-plugins(5)) with `active = no`; every other byte stays. One
/// without that setting gets it as a last line: the default is no, but a reader should see it.
std::string deactivated(std::string_view text);

}  // namespace auditshift::migrate::change
