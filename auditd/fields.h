// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/parser.h"
#include "auditd/rule.h"

namespace auditshift::auditd {

/// How the value of a field is written.
enum class ValueKind {
  number,         ///< digits, base by prefix
  signed_number,  ///< the same, or negative (a0 to a3)
  user,           ///< number, negative, `unset`, or a user's name
  group,          ///< number or a group's name
  session,        ///< number, negative, `unset`; anything else counts as 0
  exit_code,      ///< number or an errno name
  message_type,
  arch,
  permissions,
  file_type,
  filesystem_type,
  address_family,
  text,
};

/// Which fields libaudit has, and how it reads their values.
ValueKind value_kind(std::uint32_t field);
/// Fields whose value is text behind the rule: 13 to 17, 19 to 23, path, dir, exe, key.
bool is_text_field(std::uint32_t field);
std::string field_name(std::uint32_t field);  ///< "f300" for an unknown one

/// Why a `-F` or `-C` argument is refused. `offset` points into the argument.
struct FieldError {
  std::string message;
  std::string suggestion;
  std::size_t offset = 0;
};

/// One argument of `-F`, taken apart at its operator: the first of != >= <= &= = > < & that is in the text.
struct FieldText {
  std::string name;
  Op op = Op::equal;
  std::string value;
  std::size_t value_offset = 0;
};
std::optional<FieldText> split_field(const std::string& argument);
std::optional<std::uint32_t> field_number(const std::string& name, const AuditVersion& version);
std::vector<std::string_view> all_field_names();

/// Where the field stands: its rule's list (nothing when none was given yet), and what came before it.
struct FieldPlace {
  std::optional<Filter> list;
  bool syscalls_given = false;
  bool key_allowed = false;  ///< a watch, syscall, path, permission, exe or fstype came before
};

/// auditctl's own checks of list and operator for the field; the kernel's come later (kernel_limits.h).
std::optional<FieldError> check_field_place(std::uint32_t field, const FieldText& text,
                                            const FieldPlace& place, const AuditVersion& version);

/// Reads the value as libaudit does. On failure `error` says why.
std::optional<Field> read_field(std::uint32_t field, const FieldText& text, const ParseOptions& options,
                                FieldError& error);

/// r, w, x and a in any order, at most four.
std::optional<std::uint32_t> read_permissions(std::string_view text, FieldError& error);

/// One argument of `-C`.
std::optional<Field> read_comparison(const std::string& argument, const FieldPlace& place,
                                     const AuditVersion& version, FieldError& error);
/// The two names of an AUDIT_COMPARE_* value in the order of the listing; empty for an unknown value.
std::pair<std::string_view, std::string_view> comparison_names(std::uint32_t value);

}  // namespace auditshift::auditd
