// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace auditshift::auditd {

/// Where a line stands: the file as its host names it, and the line counted from 1.
/// A rule read from the kernel has no file and line 0.
struct Origin {
  std::string file;
  int line = 0;

  bool operator==(const Origin&) const = default;
};

/// What the kernel calls an unset user, session or type: AUDIT_UID_UNSET, AUDIT_SID_UNSET in <linux/audit.h>.
inline constexpr std::uint32_t kUnset = 0xffffffff;
/// Fields that a rule can hold; auditctl keeps one of the kernel's AUDIT_MAX_FIELDS free.
inline constexpr std::size_t kMostFields = 63;

/// The kernel's rule lists; values as AUDIT_FILTER_* in <linux/audit.h>.
enum class Filter : std::uint32_t { user = 0, task = 1, exit = 4, exclude = 5, filesystem = 6, io_uring = 7 };

/// Values as AUDIT_NEVER, AUDIT_POSSIBLE, AUDIT_ALWAYS.
enum class Action : std::uint32_t { never = 0, possible = 1, always = 2 };

/// What the line asks for: `-a`, `-A` or `-d` (and `-w`, `-W`).
enum class RuleVerb { append, prepend, remove };

/// Comparison of a field; values as the AUDIT_OPERATORS bits.
enum class Op : std::uint32_t {
  equal = 0x40000000,
  not_equal = 0x30000000,
  less = 0x10000000,
  less_or_equal = 0x50000000,
  greater = 0x20000000,
  greater_or_equal = 0x60000000,
  bit_mask = 0x08000000,  ///< `&`: any of the bits
  bit_test = 0x48000000,  ///< `&=`: all of the bits
};

/// "=", "!=", and so on.
std::string_view to_string(Op op);
std::string_view to_string(Filter filter);
std::string_view to_string(Action action);

/// One bit per syscall number, as in audit_rule_data; bits 2032 to 2047 name kernel syscall classes.
using SyscallMask = std::array<std::uint32_t, 64>;

/// One condition of a rule, as the kernel gets it.
struct Field {
  std::uint32_t id = 0;  ///< AUDIT_PID, AUDIT_WATCH, … of <linux/audit.h>
  Op op = Op::equal;
  std::uint32_t value = 0;  ///< a number; for a text field the length of `text`
  std::string text;         ///< text fields only: path, dir, exe, key, subj_*, obj_*

  bool operator==(const Field&) const = default;
};

/// One audit rule, equal to what auditctl hands to the kernel for it, with the place it came from.
struct Rule {
  Origin origin;
  std::string text;  ///< the exact line
  RuleVerb verb = RuleVerb::append;
  Filter filter = Filter::exit;
  Action action = Action::always;
  SyscallMask syscalls{};
  std::vector<Field> fields;  ///< in the order given; keys, arch and permissions included
  bool watch = false;         ///< written as -w or -W

  bool all_syscalls() const;  ///< every syscall number is set (the class bits do not count)
  bool has_syscall(unsigned number) const;
  const Field* find(std::uint32_t field_id) const;  ///< the first such field, or null
  /// The keys, split at the separator byte 0x01.
  std::vector<std::string> keys() const;
  /// "b64", "b32" or empty when the rule has no `arch=` field with operator `=`.
  std::string_view arch() const;
};

/// True when the kernel takes the two for the same rule (fields in order, mask, list, action, texts).
bool same_in_kernel(const Rule& a, const Rule& b);

enum class ControlKind {
  delete_all,           ///< -D [-k key]
  backlog_limit,        ///< -b
  failure_mode,         ///< -f
  rate_limit,           ///< -r
  enabled,              ///< -e
  ignore_errors,        ///< -i
  continue_on_error,    ///< -c
  status,               ///< -s
  list,                 ///< -l
  version,              ///< -v
  help,                 ///< -h
  make_equivalent,      ///< -q mount,subtree
  trim,                 ///< -t
  user_message,         ///< -m
  backlog_wait_time,    ///< --backlog_wait_time, in jiffies
  loginuid_immutable,   ///< --loginuid-immutable
  reset_lost,           ///< --reset-lost
  reset_wait_time_sum,  ///< --reset_backlog_wait_time_actual
  signal,               ///< --signal
  read_file,            ///< -R
};

/// One control option of a line.
struct Control {
  ControlKind kind{};
  std::uint64_t number = 0;  ///< for options that take a number
  std::string argument;      ///< the argument as written, empty without one
};

enum class Severity { error, warning, note };

/// What is wrong with, or remarkable about, one line.
struct Diagnostic {
  Origin origin;
  int column = 1;  ///< byte column, from 1
  Severity severity = Severity::error;
  std::string message;     ///< the reason
  std::string suggestion;  ///< the word that was probably meant, or empty
};

enum class LineKind { blank, comment, statement };

/// One line of a rules file, whatever became of it.
struct Line {
  Origin origin;
  std::string text;  ///< exact, without the line end
  /// The physical line goes on: auditctl cuts at 6,143 bytes and takes the rest for another line, which is
  /// the next Line here, of the same origin. Columns count from the beginning of the physical line.
  bool cut = false;
  LineKind kind = LineKind::blank;
  std::vector<Control> controls;
  std::optional<Rule> rule;
  std::vector<Diagnostic> diagnostics;

  bool valid() const;  ///< no diagnostic is an error
};

/// A version of the audit user space, as in the package ("3.0.9"); decides between meanings that changed.
struct AuditVersion {
  int major = 3;
  int minor = 0;
  int patch = 9;

  auto operator<=>(const AuditVersion&) const = default;
  /// Accepts "3.0.9", "1:3.0.9-1", "4.0.2-2ubuntu1", "3.1.5-4.el9".
  static std::optional<AuditVersion> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace auditshift::auditd
