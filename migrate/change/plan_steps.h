// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "auditd/rule.h"
#include "migrate/change/step.h"

namespace auditshift::migrate::change {

// The steps of a switch beside those of file_steps.h. Each takes all it needs from its specification, so that
// a journal read by another process makes the same step.

/// "kernel-rules": the kernel holds none of these rules afterwards; every other one stays where it is. Undo
/// brings them back to exactly where they stood (rule_moves.h says what that costs), leaves rules that
/// somebody added meanwhile where they follow, and refuses when somebody removed others.
StepSpec kernel_rules(std::string id, const std::vector<auditd::Rule>& rules);

/// "rate-limit": the kernel's limit of audit records a second is `to` and no longer `from` (0: none). Undo
/// sets `from` again; refuses (Errc::busy) when it is neither.
StepSpec rate_limit(std::string id, std::uint32_t from, std::uint32_t to);

/// "provider": the agent is told, by its own command, to take its supplementary events from eBPF; done when
/// it says that they come from `target` ("ebpf", or "netlink" on a kernel without eBPF). `before` is what
/// they came from when the plan was made; undo asks for that again, as far as the agent's build still has it.
StepSpec provider(std::string id, const std::string& before, const std::string& target);

/// "wait-for-provider": waits until the agent says that its events come from `target` and an event of a
/// process started for this came out of it. Changes nothing, so undo has nothing to do.
StepSpec wait_for_provider(std::string id, const std::string& target, std::chrono::seconds patience);

/// "compare": audit and the sensor look at the same host for `time`; fails when the sensor missed something
/// that it covers, or a side lost events, unless that is among `accept`. Changes nothing.
StepSpec comparison(std::string id, std::chrono::seconds time, const std::set<std::string>& accept);
inline constexpr const char* kComparisonStep = "compare";
/// Ids of what a comparison may find, for --accept.
inline constexpr const char* kEventsMissed = "CMP001";
inline constexpr const char* kNothingProven = "CMP002";

/// "wait-for-agent": waits until the agent answers, whatever its provider: it was just installed. Changes
/// nothing.
StepSpec wait_for_agent(std::string id, std::chrono::seconds patience);

/// "enable-service": the unit starts at boot, and with `start` runs now. Undo puts back what was.
StepSpec enable_service(std::string id, const std::string& unit, bool start);

/// "audit-plugin": auditd does not start this dispatcher plugin any more: its file gets this content, and a
/// running auditd reads its configuration again (SIGHUP, auditd(8)). Undo the other way round.
StepSpec audit_plugin(std::string id, const StepSpec& file);

}  // namespace auditshift::migrate::change
