// SPDX-License-Identifier: Apache-2.0
#include "sensor/audit_assembler.h"

#include <algorithm>
#include <iterator>

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kOpenEvents = 256;
constexpr std::size_t kRecordsPerEvent = 512;
constexpr auto kPatience = 2s;  // as auparse waits

/// Only events of system calls are put together: types 1300 to 1399 (include/uapi/linux/audit.h). All others
/// say what they have to say in one record, which no provider's model holds.
bool belongs_to_syscall(std::uint16_t type) { return type >= 1300 && type <= 1399; }

/// Records that the kernel also writes apart from any call, alone and without an end: AUDIT_CONFIG_CHANGE,
/// NETFILTER_CFG, SECCOMP, FEATURE_CHANGE, BPF (a program goes), EVENT_LISTENER, DM_EVENT.
bool stands_alone(std::uint16_t type) {
  constexpr std::uint16_t kTypes[] = {1305, 1325, 1326, 1328, 1334, 1335, 1339};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

}  // namespace

bool AuditAssembler::add(std::uint16_t type, std::string_view text, std::chrono::nanoseconds now) {
  const auto stamp = take_stamp(text);
  if (!stamp) return false;
  if (!belongs_to_syscall(type)) return true;
  // The newest first: that is nearly always the one.
  const auto found = std::find_if(open_.rbegin(), open_.rend(),
                                  [&](const Open& open) { return open.event.stamp == *stamp; });
  if (type == audit_type::kEnd) {
    if (found == open_.rend()) return true;  // its records came before this began to look
    found->event.complete = true;
    handler_(found->event);
    open_.erase(std::next(found).base());
    return true;
  }
  Open* open = found == open_.rend() ? nullptr : &*found;
  if (open == nullptr) {
    if (open_.size() == kOpenEvents) give_up_oldest();
    open = &open_.emplace_back(Open{AuditEvent{*stamp, {}, false}, now});
  }
  if (open->event.records.size() == kRecordsPerEvent) {
    ++cut_;
    return true;
  }
  open->event.records.push_back({type, std::string(text)});
  return true;
}

void AuditAssembler::give_up_oldest() {
  const auto& records = open_.front().event.records;
  if (records.size() != 1 || !stands_alone(records.front().type)) ++incomplete_;
  handler_(open_.front().event);
  open_.pop_front();
}

void AuditAssembler::expire(std::chrono::nanoseconds now) {
  while (!open_.empty() && now - open_.front().began > kPatience) give_up_oldest();
}

void AuditAssembler::flush() {
  while (!open_.empty()) give_up_oldest();
}

}  // namespace auditshift::sensor
