// SPDX-License-Identifier: Apache-2.0
// -C: comparing two fields of the event with each other (AUDIT_COMPARE_* of <linux/audit.h>).
#include <libaudit.h>

#include "auditd/fields.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

struct Comparison {
  std::uint32_t value;
  std::uint32_t first;
  std::uint32_t second;
};
constexpr Comparison kComparisons[] = {
    {AUDIT_COMPARE_UID_TO_OBJ_UID, AUDIT_UID, AUDIT_OBJ_UID},
    {AUDIT_COMPARE_GID_TO_OBJ_GID, AUDIT_GID, AUDIT_OBJ_GID},
    {AUDIT_COMPARE_EUID_TO_OBJ_UID, AUDIT_EUID, AUDIT_OBJ_UID},
    {AUDIT_COMPARE_EGID_TO_OBJ_GID, AUDIT_EGID, AUDIT_OBJ_GID},
    {AUDIT_COMPARE_AUID_TO_OBJ_UID, AUDIT_LOGINUID, AUDIT_OBJ_UID},
    {AUDIT_COMPARE_SUID_TO_OBJ_UID, AUDIT_SUID, AUDIT_OBJ_UID},
    {AUDIT_COMPARE_SGID_TO_OBJ_GID, AUDIT_SGID, AUDIT_OBJ_GID},
    {AUDIT_COMPARE_FSUID_TO_OBJ_UID, AUDIT_FSUID, AUDIT_OBJ_UID},
    {AUDIT_COMPARE_FSGID_TO_OBJ_GID, AUDIT_FSGID, AUDIT_OBJ_GID},
    {AUDIT_COMPARE_UID_TO_AUID, AUDIT_UID, AUDIT_LOGINUID},
    {AUDIT_COMPARE_UID_TO_EUID, AUDIT_UID, AUDIT_EUID},
    {AUDIT_COMPARE_UID_TO_FSUID, AUDIT_UID, AUDIT_FSUID},
    {AUDIT_COMPARE_UID_TO_SUID, AUDIT_UID, AUDIT_SUID},
    {AUDIT_COMPARE_AUID_TO_FSUID, AUDIT_LOGINUID, AUDIT_FSUID},
    {AUDIT_COMPARE_AUID_TO_SUID, AUDIT_LOGINUID, AUDIT_SUID},
    {AUDIT_COMPARE_AUID_TO_EUID, AUDIT_LOGINUID, AUDIT_EUID},
    {AUDIT_COMPARE_EUID_TO_SUID, AUDIT_EUID, AUDIT_SUID},
    {AUDIT_COMPARE_EUID_TO_FSUID, AUDIT_EUID, AUDIT_FSUID},
    {AUDIT_COMPARE_SUID_TO_FSUID, AUDIT_SUID, AUDIT_FSUID},
    {AUDIT_COMPARE_GID_TO_EGID, AUDIT_GID, AUDIT_EGID},
    {AUDIT_COMPARE_GID_TO_FSGID, AUDIT_GID, AUDIT_FSGID},
    {AUDIT_COMPARE_GID_TO_SGID, AUDIT_GID, AUDIT_SGID},
    {AUDIT_COMPARE_EGID_TO_FSGID, AUDIT_EGID, AUDIT_FSGID},
    {AUDIT_COMPARE_EGID_TO_SGID, AUDIT_EGID, AUDIT_SGID},
    {AUDIT_COMPARE_SGID_TO_FSGID, AUDIT_SGID, AUDIT_FSGID},
};

const std::vector<std::string_view> kComparable{"auid", "uid",  "euid", "suid",  "fsuid",  "obj_uid",
                                                "gid",  "egid", "sgid", "fsgid", "obj_gid"};

std::optional<FieldText> split_comparison(const std::string& argument) {
  for (const Op op : {Op::not_equal, Op::equal}) {
    const std::string_view sign = to_string(op);
    const std::size_t at = argument.find(sign);
    if (at == std::string::npos) continue;
    return FieldText{argument.substr(0, at), op, argument.substr(at + sign.size()), at + sign.size()};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Field> read_comparison(const std::string& argument, const FieldPlace& place,
                                     const AuditVersion& version, FieldError& error) {
  const std::optional<FieldText> text = split_comparison(argument);
  if (!text || text->name.empty() || text->value.empty()) {
    error.message = "-C compares two fields with = or !=, as in uid!=euid";
    return std::nullopt;
  }
  const std::optional<std::uint32_t> first = field_number(text->name, version);
  const std::optional<std::uint32_t> second = field_number(text->value, version);
  if (!first || !second) {
    const std::string& wrong = first ? text->value : text->name;
    error = {"there is no field \"" + wrong + "\"", base::nearest(wrong, kComparable).value_or(""),
             first ? text->value_offset : 0};
    return std::nullopt;
  }
  const bool exit_like =
      place.list == Filter::exit || (place.list == Filter::io_uring && version >= AuditVersion{3, 1, 0});
  if (!exit_like) {
    error.message = "-C works on the exit list only, which must be given before it";
    return std::nullopt;
  }
  for (const Comparison& pair : kComparisons) {
    if ((pair.first == *first && pair.second == *second) ||
        (pair.first == *second && pair.second == *first)) {
      return Field{AUDIT_FIELD_COMPARE, text->op, pair.value, ""};
    }
  }
  error.message = "-C compares user ids with user ids or group ids with group ids, and no field with itself";
  return std::nullopt;
}

std::pair<std::string_view, std::string_view> comparison_names(std::uint32_t value) {
  for (const Comparison& pair : kComparisons) {
    if (pair.value != value) continue;
    return {audit_field_to_name(static_cast<int>(pair.first)),
            audit_field_to_name(static_cast<int>(pair.second))};
  }
  return {};
}

}  // namespace auditshift::auditd
