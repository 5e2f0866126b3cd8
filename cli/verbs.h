// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "cli/context.h"

namespace auditshift::cli {

/// What the chosen verb does; its value is the exit code.
using Run = std::function<int()>;

// Each adds its verb to the table and sets `run` when the verb was chosen. `context` and `run` outlive the
// parse.
void add_assess(CLI::App& app, const Context& context, Run& run);
void add_collect(CLI::App& app, const Context& context, Run& run);
void add_compare(CLI::App& app, const Context& context, Run& run);
void add_exclusions(CLI::App& app, const Context& context, Run& run);
void add_rules(CLI::App& app, const Context& context, Run& run);
void add_health(CLI::App& app, const Context& context, Run& run);
void add_config(CLI::App& app, const Context& context, Run& run);
void add_diagnostic(CLI::App& app, const Context& context, Run& run);
void add_plan(CLI::App& app, const Context& context, Run& run);
void add_switch(CLI::App& app, const Context& context, Run& run);
void add_resume(CLI::App& app, const Context& context, Run& run);
void add_reboot_guard(CLI::App& app, const Context& context, Run& run);
void add_status(CLI::App& app, const Context& context, Run& run);
void add_history(CLI::App& app, const Context& context, Run& run);
void add_verify(CLI::App& app, const Context& context, Run& run);
void add_rollback(CLI::App& app, const Context& context, Run& run);
void add_commit(CLI::App& app, const Context& context, Run& run);
void add_events(CLI::App& app, const Context& context, Run& run);
void add_completion(CLI::App& app, const Context& context, Run& run);
void add_complete(CLI::App& app, const Context& context, Run& run);
void add_manual(CLI::App& app, const Context& context, Run& run);
void add_fleet(CLI::App& app, const Context& context, Run& run);

}  // namespace auditshift::cli
