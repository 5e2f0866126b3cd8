// SPDX-License-Identifier: Apache-2.0
#include "auditd/kernel_limits.h"

#include <libaudit.h>
#include <sys/stat.h>

#include "auditd/fields.h"

namespace auditshift::auditd {
namespace {

constexpr std::uint32_t kLoginuidSet = 24;  // AUDIT_LOGINUID_SET
constexpr std::uint32_t kAddressFamilies = 46;

enum class Operators { any, no_bits, equality, unknown_field };

Operators operators_of(std::uint32_t field) {
  switch (field) {
    case AUDIT_ARG0:
    case AUDIT_ARG1:
    case AUDIT_ARG2:
    case AUDIT_ARG3:
    case AUDIT_PERS:
    case AUDIT_DEVMINOR:
      return Operators::any;
    case AUDIT_UID:
    case AUDIT_EUID:
    case AUDIT_SUID:
    case AUDIT_FSUID:
    case AUDIT_LOGINUID:
    case AUDIT_OBJ_UID:
    case AUDIT_GID:
    case AUDIT_EGID:
    case AUDIT_SGID:
    case AUDIT_FSGID:
    case AUDIT_OBJ_GID:
    case AUDIT_PID:
    case AUDIT_MSGTYPE:
    case AUDIT_PPID:
    case AUDIT_DEVMAJOR:
    case AUDIT_EXIT:
    case AUDIT_SUCCESS:
    case AUDIT_INODE:
    case AUDIT_SESSIONID:
    case AUDIT_SUBJ_SEN:
    case AUDIT_SUBJ_CLR:
    case AUDIT_OBJ_LEV_LOW:
    case AUDIT_OBJ_LEV_HIGH:
    case AUDIT_SADDR_FAM:
      return Operators::no_bits;
    case AUDIT_SUBJ_USER:
    case AUDIT_SUBJ_ROLE:
    case AUDIT_SUBJ_TYPE:
    case AUDIT_OBJ_USER:
    case AUDIT_OBJ_ROLE:
    case AUDIT_OBJ_TYPE:
    case AUDIT_WATCH:
    case AUDIT_DIR:
    case AUDIT_FILTERKEY:
    case kLoginuidSet:
    case AUDIT_ARCH:
    case AUDIT_FSTYPE:
    case AUDIT_PERM:
    case AUDIT_FILETYPE:
    case AUDIT_FIELD_COMPARE:
    case AUDIT_EXE:
      return Operators::equality;
    default:
      return Operators::unknown_field;
  }
}

std::optional<std::string> refused_operator(const Field& field) {
  Operators allowed = operators_of(field.id);
  // The kernel turns "auid unset" into a field of its own, which is equal or not.
  if (field.id == AUDIT_LOGINUID && field.value == kUnset) allowed = Operators::equality;
  const bool bits = field.op == Op::bit_mask || field.op == Op::bit_test;
  const bool equality = field.op == Op::equal || field.op == Op::not_equal;
  switch (allowed) {
    case Operators::any:
      return std::nullopt;
    case Operators::no_bits:
      if (!bits) return std::nullopt;
      return field_name(field.id) + " takes no bit operators";
    case Operators::equality:
      if (equality) return std::nullopt;
      return field_name(field.id) + (field.id == AUDIT_LOGINUID ? " with the value unset" : "") +
             " takes the operators = and != only";
    case Operators::unknown_field:
      break;
  }
  return "it does not know the field " + field_name(field.id);
}

std::optional<std::string> refused_list(const Field& field, Filter list) {
  if (field.id == AUDIT_MSGTYPE && list != Filter::exclude && list != Filter::user) {
    return "msgtype works on the exclude and user lists only";
  }
  if (field.id == AUDIT_FSTYPE && list != Filter::filesystem)
    return "fstype works on the filesystem list only";
  if (field.id == AUDIT_PERM && list == Filter::io_uring) return "the io_uring list takes no permissions";
  if (list == Filter::filesystem && field.id != AUDIT_FSTYPE && field.id != AUDIT_FILTERKEY) {
    return "the filesystem list takes fstype and a key only";
  }
  return std::nullopt;
}

std::optional<std::string> refused_value(const Field& field) {
  switch (value_kind(field.id)) {
    case ValueKind::user:
      if (field.value == kUnset && field.id != AUDIT_LOGINUID) {
        return field_name(field.id) + " cannot be unset, only auid and sessionid can";
      }
      break;
    case ValueKind::group:
      if (field.value == kUnset) return field_name(field.id) + " cannot be unset";
      break;
    case ValueKind::permissions:
      if ((field.value & ~15U) != 0) return "there are four permission bits";
      break;
    case ValueKind::file_type:
      if ((field.value & ~static_cast<std::uint32_t>(S_IFMT)) != 0) return "this is no file type";
      break;
    case ValueKind::address_family:
      if (field.value >= kAddressFamilies) return "there is no such address family";
      break;
    case ValueKind::text:
      if (field.text.empty()) return field_name(field.id) + " has no text";
      if (field.id == AUDIT_FILTERKEY && field.text.size() > AUDIT_MAX_KEY_LEN) return "the key is too long";
      break;
    default:
      break;
  }
  return std::nullopt;
}

/// What the fields before have taken; path, dir and inode exclude each other, exe and key come once.
struct Taken {
  bool place = false;
  bool exe = false;
  bool key = false;
};

std::optional<std::string> refused_place(const Field& field, Filter list, Taken& taken) {
  const std::string name = field_name(field.id);
  if (list != Filter::exit && list != Filter::io_uring) return name + " works on the exit list only";
  if (taken.place) return "a rule takes only one of path, dir and inode";
  taken.place = true;
  if (field.id == AUDIT_INODE) return std::nullopt;
  if (field.op != Op::equal) return name + " takes the operator = only";
  if (field.text[0] != '/') return "the value of " + name + " must begin with /";
  if (field.id == AUDIT_WATCH && field.text.back() == '/') return "a path must not end in /";
  return std::nullopt;
}

std::optional<std::string> refused_repetition(const Field& field, Filter list, Taken& taken) {
  switch (field.id) {
    case AUDIT_WATCH:
    case AUDIT_DIR:
    case AUDIT_INODE:
      return refused_place(field, list, taken);
    case AUDIT_FILTERKEY:
      if (taken.key) return "a rule takes one key field only";
      taken.key = true;
      return std::nullopt;
    case AUDIT_EXE:
      if (taken.exe) return "a rule takes exe only once";
      taken.exe = true;
      if (field.text[0] != '/') return "the value of exe must begin with /";
      if (field.text.back() == '/') return "the value of exe must not end in /";
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<KernelRefusal> kernel_refusal(const Rule& rule) {
  Taken taken;
  for (std::size_t i = 0; i < rule.fields.size(); ++i) {
    const Field& field = rule.fields[i];
    std::optional<std::string> reason = refused_list(field, rule.filter);
    if (!reason) reason = refused_operator(field);
    if (!reason) reason = refused_value(field);
    if (!reason) reason = refused_repetition(field, rule.filter, taken);
    if (reason) return KernelRefusal{i, *reason};
  }
  return std::nullopt;
}

}  // namespace auditshift::auditd
