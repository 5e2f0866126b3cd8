// SPDX-License-Identifier: Apache-2.0
#include "migrate/explain.h"

#include <libaudit.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/text.h"
#include "migrate/event_class.h"

namespace auditshift::migrate {
namespace {

using auditd::Control;
using auditd::ControlKind;
using auditd::Field;
using auditd::Filter;
using auditd::Op;
using auditd::Rule;

std::string permission_words(std::uint32_t bits) {
  std::vector<std::string> words;
  if ((bits & AUDIT_PERM_READ) != 0) words.emplace_back("reads");
  if ((bits & AUDIT_PERM_WRITE) != 0) words.emplace_back("writes");
  if ((bits & AUDIT_PERM_EXEC) != 0) words.emplace_back("executions");
  if ((bits & AUDIT_PERM_ATTR) != 0) words.emplace_back("attribute changes");
  if (words.size() == 4) return "every access";
  if (words.empty()) return "accesses";
  const std::string last = words.back();
  words.pop_back();
  return words.empty() ? last : base::join(words, ", ") + " and " + last;
}

std::string user_words(std::uint32_t value) { return value == 0xffffffffU ? "unset" : std::to_string(value); }

std::string message_type_words(std::uint32_t value) {
  const char* name = audit_msg_type_to_name(static_cast<int>(value));
  return name != nullptr ? name : std::to_string(value);
}

std::string errno_words(std::uint32_t value) {
  const auto number = static_cast<std::int32_t>(value);
  const char* name = audit_errno_to_name(number < 0 ? -number : number);
  return name != nullptr ? (number < 0 ? "-" : "") + std::string(name) : std::to_string(number);
}

/// The sides of a -C comparison, AUDIT_COMPARE_* of <linux/audit.h> in order.
std::string comparison_words(std::uint32_t code, Op op) {
  static constexpr const char* kPairs[][2] = {
      {"uid", "obj_uid"},   {"gid", "obj_gid"},  {"euid", "obj_uid"}, {"egid", "obj_gid"},
      {"auid", "obj_uid"},  {"suid", "obj_uid"}, {"sgid", "obj_gid"}, {"fsuid", "obj_uid"},
      {"fsgid", "obj_gid"}, {"uid", "auid"},     {"uid", "euid"},     {"uid", "fsuid"},
      {"uid", "suid"},      {"auid", "fsuid"},   {"auid", "suid"},    {"auid", "euid"},
      {"euid", "suid"},     {"euid", "fsuid"},   {"suid", "fsuid"},   {"gid", "egid"},
      {"gid", "fsgid"},     {"gid", "sgid"},     {"egid", "fsgid"},   {"egid", "sgid"},
      {"sgid", "fsgid"}};
  if (code < 1 || code > std::size(kPairs)) return "comparison " + std::to_string(code);
  return std::string(kPairs[code - 1][0]) + (op == Op::not_equal ? " differs from " : " equals ") +
         kPairs[code - 1][1];
}

std::string field_value(const Field& field) {
  if (!field.text.empty()) return field.text;
  switch (field.id) {
    case AUDIT_EXIT:
      return errno_words(field.value);
    case AUDIT_MSGTYPE:
      return message_type_words(field.value);
    case AUDIT_UID:
    case AUDIT_EUID:
    case AUDIT_SUID:
    case AUDIT_FSUID:
    case AUDIT_LOGINUID:
    case AUDIT_SESSIONID:
      return user_words(field.value);
    case AUDIT_FILETYPE: {
      const char* name = audit_ftype_to_name(static_cast<int>(field.value));
      return name != nullptr ? name : std::to_string(field.value);
    }
    default:
      return std::to_string(field.value);
  }
}

std::string condition_words(const Field& field) {
  if (field.id == AUDIT_FIELD_COMPARE) return comparison_words(field.value, field.op);
  if (field.id == AUDIT_EXE)
    return (field.op == Op::not_equal ? "by programs other than " : "by ") + field.text;
  if (field.id == AUDIT_SUCCESS && field.op == Op::equal)
    return field.value != 0 ? "only calls that succeed" : "only calls that fail";
  if (field.id == AUDIT_LOGINUID && field.value == 0xffffffffU)
    return field.op == Op::not_equal ? "only in login sessions" : "only outside login sessions";
  if (field.id == AUDIT_LOGINUID && field.op == Op::greater_or_equal)
    return "by users logged in with uid " + std::to_string(field.value) + " or above";
  const char* name = audit_field_to_name(static_cast<int>(field.id));
  return "where " + std::string(name != nullptr ? name : "field " + std::to_string(field.id)) +
         std::string(to_string(field.op)) + field_value(field);
}

bool is_described_elsewhere(std::uint32_t id) {
  return id == AUDIT_ARCH || id == AUDIT_PERM || id == AUDIT_FILTERKEY || id == AUDIT_WATCH ||
         id == AUDIT_DIR;
}

std::string conditions(const Rule& rule) {
  std::string text;
  for (const Field& field : rule.fields)
    if (!is_described_elsewhere(field.id)) text += ", " + condition_words(field);
  return text;
}

std::string object_words(const Rule& rule) {
  if (const Field* path = rule.find(AUDIT_WATCH)) return " of the file " + path->text;
  if (const Field* dir = rule.find(AUDIT_DIR)) return " of everything below " + dir->text;
  return {};
}

std::string syscall_words(const Rule& rule, std::string_view machine) {
  const std::vector<std::string> names = syscall_names(rule, machine);
  if (names.empty()) return "every syscall";
  constexpr std::size_t kShown = 8;
  std::vector<std::string> shown(names.begin(),
                                 names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShown)));
  std::string text = base::join(shown, ", ");
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more syscalls";
  return text;
}

std::string exit_words(const Rule& rule, std::string_view machine) {
  const std::string verb = rule.action == auditd::Action::never ? "leaves out " : "records ";
  const Field* permission = rule.find(AUDIT_PERM);
  std::string text;
  if (permission != nullptr) {
    text = verb + permission_words(permission->value) + object_words(rule);
  } else {
    text = verb + syscall_words(rule, machine);
    if (const std::string object = object_words(rule); !object.empty()) text += " on" + object.substr(3);
  }
  if (rule.arch() == "b32") text += " (32-bit calls)";
  return text + conditions(rule);
}

}  // namespace

std::string explain(const Rule& rule, std::string_view machine) {
  const bool never = rule.action == auditd::Action::never;
  std::string text;
  switch (rule.filter) {
    case Filter::exit:
      text = exit_words(rule, machine);
      break;
    case Filter::task:
      text =
          (never ? "makes no syscall records for new processes" : "records every syscall of new processes") +
          conditions(rule);
      break;
    case Filter::user:
      text =
          (never ? "leaves out messages of user space" : "keeps messages of user space") + conditions(rule);
      break;
    case Filter::exclude:
      text = rule.fields.empty() ? "drops nothing: an exclude rule without a field never matches"
                                 : "drops audit records" + conditions(rule);
      break;
    case Filter::filesystem:
      text = "drops path records" + conditions(rule);
      break;
    case Filter::io_uring:
      text = std::string(never ? "leaves out " : "records ") + "io_uring operations" + conditions(rule);
      break;
  }
  if (rule.verb == auditd::RuleVerb::remove) text = "removes the rule that " + text;
  return text;
}

std::string explain(const Control& control) {
  const std::string number = std::to_string(control.number);
  switch (control.kind) {
    case ControlKind::delete_all:
      return control.argument.empty() ? "removes all rules"
                                      : "removes all rules whose key holds " + control.argument;
    case ControlKind::backlog_limit:
      return "lets " + number + " records wait for the daemon";
    case ControlKind::failure_mode:
      return control.number == 0   ? "keeps silent when records are lost"
             : control.number == 1 ? "reports in the kernel log when records are lost"
                                   : "panics the machine when records are lost";
    case ControlKind::rate_limit:
      return control.number == 0 ? "sets no limit on records per second"
                                 : "drops records beyond " + number + " a second";
    case ControlKind::enabled:
      return control.number == 0   ? "switches audit off"
             : control.number == 1 ? "switches audit on"
                                   : "locks audit until the next boot";
    case ControlKind::ignore_errors:
      return "goes on after bad rules and hides them from the exit status";
    case ControlKind::continue_on_error:
      return "goes on after bad rules";
    case ControlKind::status:
      return "prints the audit status";
    case ControlKind::list:
      return "prints the loaded rules";
    case ControlKind::version:
      return "prints the version";
    case ControlKind::help:
      return "prints the help";
    case ControlKind::make_equivalent:
      return "treats a mount as part of a watched directory: " + control.argument;
    case ControlKind::trim:
      return "forgets watched directories that were unmounted";
    case ControlKind::user_message:
      return "writes a message into the audit log";
    case ControlKind::backlog_wait_time:
      return "makes processes wait up to " + number + " jiffies for room in a full queue";
    case ControlKind::loginuid_immutable:
      return "forbids changes of a login uid until the next boot";
    case ControlKind::reset_lost:
      return "resets the counter of lost records";
    case ControlKind::reset_wait_time_sum:
      return "resets the sum of waiting times";
    case ControlKind::signal:
      return "sends the daemon a signal: " + control.argument;
    case ControlKind::read_file:
      return "reads rules from " + control.argument;
  }
  return {};
}

}  // namespace auditshift::migrate
