// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.h"
#include "migrate/change/step.h"

namespace auditshift::migrate::change {

/// Makes a step of one kind; the table of all kinds is in make_step.cpp, each kind in a file of its own.
using StepFactory = base::Result<std::unique_ptr<Step>> (*)(const StepSpec& spec);

base::Result<std::unique_ptr<Step>> make_audit_plugin(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_comparison(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_enable_service(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_kernel_rules(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_package_pin(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_package_version(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_provider(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_rate_limit(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_remove_file(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_wait_for_agent(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_wait_for_provider(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_write_file(const StepSpec& spec);

}  // namespace auditshift::migrate::change
