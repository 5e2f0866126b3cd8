// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "auditd/rule.h"

namespace auditshift::migrate {

/// A rule in plain words: "records writes and attribute changes of the file /etc/passwd".
/// `machine` is uname -m of the host.
std::string explain(const auditd::Rule& rule, std::string_view machine);
/// A control option in plain words: "removes all rules".
std::string explain(const auditd::Control& control);

}  // namespace auditshift::migrate
