// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/process.h"

namespace auditshift::migrate::outside {

/// The last `lines` lines a program wrote to standard error, or to standard output when there were none
/// there; joined by "; ", safe for a terminal. Empty when it said nothing.
std::string last_words(const base::Completed& done, std::size_t lines = 3);

/// "exit status 1" or "killed by signal 9".
std::string end_of(const base::Completed& done);

/// What a failed program says, as an error: "WHAT: its last words", or how it ended when it said nothing.
base::Error failure_of(const base::Completed& done, std::string_view what, base::Errc code = base::Errc::io);

}  // namespace auditshift::migrate::outside
