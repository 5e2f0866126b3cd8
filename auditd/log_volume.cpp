// SPDX-License-Identifier: Apache-2.0
#include <linux/audit.h>

#include "auditd/log.h"

namespace auditshift::auditd {
namespace {

/// The rule's keys as the kernel writes them into a record.
std::string joined_keys(const Rule& rule) {
  std::string joined;
  for (const std::string& key : rule.keys()) joined += (joined.empty() ? "" : "\x01") + key;
  return joined;
}

bool abi_agrees(const Rule& rule, std::uint32_t arch) {
  const std::string_view wanted = rule.arch();
  if (wanted.empty() || arch == 0) return true;
  return (wanted == "b64") == ((arch & __AUDIT_ARCH_64BIT) != 0);
}

bool executable_agrees(const Rule& rule, const std::string& executable) {
  const Field* field = rule.find(AUDIT_EXE);
  if (field == nullptr) return true;
  return (field->text == executable) == (field->op == Op::equal);
}

/// Could the rule have matched these events, its key left aside?
bool syscall_agrees(const Rule& rule, const EventClass& event) {
  if (event.syscall < 0) return false;
  return abi_agrees(rule, event.arch) && rule.has_syscall(static_cast<unsigned>(event.syscall));
}

/// Rules of the user list see what programs send: events without a syscall.
bool class_agrees(const Rule& rule, const std::string& keys, const EventClass& event) {
  if (!executable_agrees(rule, event.executable)) return false;
  switch (rule.filter) {
    case Filter::exit:
      // The event bears the key of the rule that made it; a rule that silences would take any.
      return syscall_agrees(rule, event) && (rule.action == Action::never || event.key == keys);
    case Filter::user:
      return event.syscall < 0;
    case Filter::exclude:
      return true;
    case Filter::io_uring:
      return event.syscall < 0 && !keys.empty() && event.key == keys;
    case Filter::task:
    case Filter::filesystem:
      return false;  // they match tasks and file systems, which a record does not name
  }
  return false;
}

/// Records of one type, for rules on the exclude list that name it.
Volume volume_of_type(std::uint32_t type, const LogStatistics& log) {
  Volume volume;
  const auto found = log.by_record_type.find(record_type_name(type));
  if (found == log.by_record_type.end()) return volume;
  for (const auto& [day, of_day] : found->second) volume += of_day;
  return volume;
}

}  // namespace

Volume volume_of(const Rule& rule, const LogStatistics& log) {
  const Field* type = rule.find(AUDIT_MSGTYPE);
  const bool by_type = type != nullptr && type->op == Op::equal;
  if (by_type && rule.find(AUDIT_EXE) == nullptr) return volume_of_type(type->value, log);

  const std::string keys = joined_keys(rule);
  Volume volume;
  for (const auto& [event, of_class] : log.classes)
    if (class_agrees(rule, keys, event)) volume += of_class;
  return volume;
}

}  // namespace auditshift::auditd
