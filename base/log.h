// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace auditshift::base {

enum class Verbosity { quiet, normal, verbose };

/// Sets up the process's one logger: to standard error, errors only when quiet, decisions when verbose.
/// Log with spdlog's free functions (spdlog::info and so on) from .cpp files.
void init_logging(Verbosity verbosity);

}  // namespace auditshift::base
