// SPDX-License-Identifier: Apache-2.0
#include "auditd/fields.h"

#include <libaudit.h>

#include <array>

#include "base/text.h"

namespace auditshift::auditd {

ValueKind value_kind(std::uint32_t field) {
  switch (field) {
    case AUDIT_UID:
    case AUDIT_EUID:
    case AUDIT_SUID:
    case AUDIT_FSUID:
    case AUDIT_LOGINUID:
    case AUDIT_OBJ_UID:
      return ValueKind::user;
    case AUDIT_GID:
    case AUDIT_EGID:
    case AUDIT_SGID:
    case AUDIT_FSGID:
    case AUDIT_OBJ_GID:
      return ValueKind::group;
    case AUDIT_ARG0:
    case AUDIT_ARG1:
    case AUDIT_ARG2:
    case AUDIT_ARG3:
      return ValueKind::signed_number;
    case AUDIT_EXIT:
      return ValueKind::exit_code;
    case AUDIT_MSGTYPE:
      return ValueKind::message_type;
    case AUDIT_ARCH:
      return ValueKind::arch;
    case AUDIT_PERM:
      return ValueKind::permissions;
    case AUDIT_FILETYPE:
      return ValueKind::file_type;
    case AUDIT_FSTYPE:
      return ValueKind::filesystem_type;
    case AUDIT_SESSIONID:
      return ValueKind::session;
    case AUDIT_SADDR_FAM:
      return ValueKind::address_family;
    default:
      return is_text_field(field) ? ValueKind::text : ValueKind::number;
  }
}

bool is_text_field(std::uint32_t field) {
  return (field >= AUDIT_SUBJ_USER && field <= AUDIT_OBJ_LEV_HIGH && field != AUDIT_PPID) ||
         field == AUDIT_WATCH || field == AUDIT_DIR || field == AUDIT_EXE || field == AUDIT_FILTERKEY;
}

std::string field_name(std::uint32_t field) {
  const char* name = audit_field_to_name(static_cast<int>(field));
  return name != nullptr ? name : "f" + std::to_string(static_cast<std::int32_t>(field));
}

std::optional<std::uint32_t> field_number(const std::string& name, const AuditVersion& version) {
  const int field = audit_name_to_field(name.c_str());
  if (field < 0 || (field == AUDIT_SADDR_FAM && version.major < 3)) return std::nullopt;
  return static_cast<std::uint32_t>(field);
}

std::vector<std::string_view> all_field_names() {
  std::vector<std::string_view> names{"loginuid"};
  for (int field = 0; field <= AUDIT_FILTERKEY; ++field) {
    if (const char* name = audit_field_to_name(field)) names.emplace_back(name);
  }
  return names;
}

std::optional<FieldText> split_field(const std::string& argument) {
  static constexpr std::array kOrder{Op::not_equal, Op::greater_or_equal, Op::less_or_equal, Op::bit_test,
                                     Op::equal,     Op::greater,          Op::less,          Op::bit_mask};
  for (const Op op : kOrder) {
    const std::string_view sign = to_string(op);
    const std::size_t at = argument.find(sign);
    if (at == std::string::npos) continue;
    return FieldText{argument.substr(0, at), op, argument.substr(at + sign.size()), at + sign.size()};
  }
  return std::nullopt;
}

namespace {

bool takes_exit_list_only(std::uint32_t field) {
  switch (field) {
    case AUDIT_EXIT:
    case AUDIT_SUCCESS:
    case AUDIT_OBJ_USER:
    case AUDIT_OBJ_ROLE:
    case AUDIT_OBJ_TYPE:
    case AUDIT_OBJ_LEV_LOW:
    case AUDIT_OBJ_LEV_HIGH:
    case AUDIT_WATCH:
    case AUDIT_DIR:
    case AUDIT_PERM:
    case AUDIT_FILETYPE:
    case AUDIT_DEVMAJOR:
    case AUDIT_DEVMINOR:
    case AUDIT_INODE:
    case AUDIT_PPID:
      return true;
    default:
      return false;
  }
}

bool takes_equality_only(std::uint32_t field) {
  return field == AUDIT_ARCH || field == AUDIT_EXE || field == AUDIT_FSTYPE || field == AUDIT_INODE;
}

/// Up to 3.0 auditctl itself holds the exclude list to the fields that the kernel evaluates there.
bool excludable(std::uint32_t field, const AuditVersion& version) {
  switch (field) {
    case AUDIT_PID:
    case AUDIT_UID:
    case AUDIT_GID:
    case AUDIT_LOGINUID:
    case AUDIT_MSGTYPE:
    case AUDIT_SUBJ_USER:
    case AUDIT_SUBJ_ROLE:
    case AUDIT_SUBJ_TYPE:
    case AUDIT_SUBJ_SEN:
    case AUDIT_SUBJ_CLR:
      return true;
    case AUDIT_EXE:
      return version.major >= 3;
    default:
      return false;
  }
}

bool permission_on_exclude(std::uint32_t field, Filter list, const AuditVersion& version) {
  return field == AUDIT_PERM && list == Filter::exclude && version >= AuditVersion{3, 1, 0};
}

std::optional<std::string> wrong_list(std::uint32_t field, Filter list, const AuditVersion& version) {
  const bool exit_like =
      list == Filter::exit || (list == Filter::io_uring && version >= AuditVersion{3, 1, 0});
  if (takes_exit_list_only(field) && !exit_like && !permission_on_exclude(field, list, version)) {
    return "works on the exit list only";
  }
  if (field == AUDIT_MSGTYPE && list != Filter::exclude && list != Filter::user) {
    return "works on the exclude and user lists only";
  }
  if (field == AUDIT_FSTYPE && list != Filter::filesystem) return "works on the filesystem list only";
  if (field == AUDIT_SESSIONID && list != Filter::exclude && list != Filter::user && list != Filter::exit) {
    return "works on the exit, user and exclude lists only";
  }
  return std::nullopt;
}

std::optional<std::string> wrong_operator(std::uint32_t field, Op op, const AuditVersion& version) {
  if (field == AUDIT_PERM && op != Op::equal) return "takes the operator = only";
  if (field == AUDIT_EXE && op != Op::equal && version.major < 3) {
    return "takes the operator = only before audit 3.0";
  }
  if (takes_equality_only(field) && op != Op::equal && op != Op::not_equal) {
    return "takes the operators = and != only";
  }
  return std::nullopt;
}

}  // namespace

std::optional<FieldError> check_field_place(std::uint32_t field, const FieldText& text,
                                            const FieldPlace& place, const AuditVersion& version) {
  const std::string name = field_name(field);
  if (place.list == Filter::exclude && !excludable(field, version) && version < AuditVersion{3, 1, 0}) {
    return FieldError{"the exclude list takes msgtype, pid, uid, gid, auid, exe and subj_* only, not " + name,
                      "", 0};
  }
  if (place.list) {
    if (const auto reason = wrong_list(field, *place.list, version)) {
      return FieldError{"the field " + name + " " + *reason, "", 0};
    }
  } else if (takes_exit_list_only(field) || field == AUDIT_MSGTYPE || field == AUDIT_FSTYPE ||
             field == AUDIT_SESSIONID) {
    return FieldError{"the field " + name + " needs a list before it", "", 0};
  }
  if (const auto reason = wrong_operator(field, text.op, version)) {
    return FieldError{"the field " + name + " " + *reason + ", not " + std::string(to_string(text.op)), "",
                      text.name.size()};
  }
  if (field == AUDIT_ARCH && place.syscalls_given) return FieldError{"arch must come before -S", "", 0};
  if (field == AUDIT_FILTERKEY && !place.key_allowed) {
    return FieldError{"a key needs a watch, a syscall, a path, a permission or an exe before it", "", 0};
  }
  return std::nullopt;
}

}  // namespace auditshift::auditd
