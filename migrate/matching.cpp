// SPDX-License-Identifier: Apache-2.0
#include "migrate/matching.h"

#include <libaudit.h>

#include <algorithm>
#include <string_view>

#include "migrate/path_facts.h"

namespace auditshift::migrate {
namespace {

using auditd::Field;
using auditd::Op;
using auditd::Rule;

/// Number of syscalls that count: the class bits above do not, the kernel clears them.
constexpr std::size_t kMaskWords = 63;

bool mask_contains(const auditd::SyscallMask& outer, const auditd::SyscallMask& inner) {
  for (std::size_t i = 0; i < kMaskWords; ++i)
    if ((inner[i] & ~outer[i]) != 0) return false;
  return true;
}

bool masks_meet(const auditd::SyscallMask& a, const auditd::SyscallMask& b) {
  for (std::size_t i = 0; i < kMaskWords; ++i)
    if ((a[i] & b[i]) != 0) return true;
  return false;
}

/// Does `given` (a condition known to hold) make `wanted` hold?
bool implies(const Field& given, const Field& wanted) {
  if (given == wanted) return true;
  const bool same_equality = given.op == Op::equal && wanted.op == Op::equal;
  if (wanted.id == AUDIT_DIR && same_equality && (given.id == AUDIT_DIR || given.id == AUDIT_WATCH))
    return is_below(given.text, wanted.text);
  if (wanted.id == AUDIT_PERM && given.id == AUDIT_PERM) return (given.value & ~wanted.value) == 0;
  if (given.id != wanted.id || !given.text.empty() || !wanted.text.empty() || given.op != Op::equal)
    return false;
  // Signed fields compare differently; equality of one value decides the other relations for unsigned ones.
  if (wanted.id == AUDIT_EXIT || (wanted.id >= AUDIT_ARG0 && wanted.id <= AUDIT_ARG3)) return false;
  switch (wanted.op) {
    case Op::not_equal:
      return given.value != wanted.value;
    case Op::less:
      return given.value < wanted.value;
    case Op::less_or_equal:
      return given.value <= wanted.value;
    case Op::greater:
      return given.value > wanted.value;
    case Op::greater_or_equal:
      return given.value >= wanted.value;
    default:
      return false;
  }
}

/// Fields of which an event has exactly one value. A process has one group id but also supplementary ones,
/// which `gid=` matches as well; an event has any number of files.
bool has_one_value(std::uint32_t id) {
  switch (id) {
    case AUDIT_PID:
    case AUDIT_PPID:
    case AUDIT_UID:
    case AUDIT_EUID:
    case AUDIT_SUID:
    case AUDIT_FSUID:
    case AUDIT_SGID:
    case AUDIT_FSGID:
    case AUDIT_LOGINUID:
    case AUDIT_SESSIONID:
    case AUDIT_PERS:
    case AUDIT_ARCH:
    case AUDIT_MSGTYPE:
    case AUDIT_EXIT:
    case AUDIT_SUCCESS:
    case AUDIT_SADDR_FAM:
    case AUDIT_SUBJ_USER:
    case AUDIT_SUBJ_ROLE:
    case AUDIT_SUBJ_TYPE:
      return true;
    default:
      return id >= AUDIT_ARG0 && id <= AUDIT_ARG3;
  }
}

bool contradict(const Field& a, const Field& b, const SurelyDifferent& different) {
  if (a.id != b.id || a.op != Op::equal || b.op != Op::equal) return false;
  if (a.id == AUDIT_EXE) return different && different(a.text, b.text);
  // An open for reading and writing is both r and w, a link both w and a; only exec stands alone.
  if (a.id == AUDIT_PERM)
    return (a.value & b.value) == 0 && (a.value == AUDIT_PERM_EXEC || b.value == AUDIT_PERM_EXEC);
  return has_one_value(a.id) && (a.value != b.value || a.text != b.text);
}

}  // namespace

bool covers(const Rule& earlier, const Rule& later) {
  if (earlier.filter != later.filter) return false;
  if (earlier.filter == auditd::Filter::exit && !mask_contains(earlier.syscalls, later.syscalls))
    return false;
  return std::all_of(earlier.fields.begin(), earlier.fields.end(), [&](const Field& wanted) {
    if (wanted.id == AUDIT_FILTERKEY) return true;  // a label, no condition
    return std::any_of(later.fields.begin(), later.fields.end(),
                       [&](const Field& given) { return implies(given, wanted); });
  });
}

bool may_overlap(const Rule& a, const Rule& b, const SurelyDifferent& different) {
  if (a.filter != b.filter) return false;
  if (a.filter == auditd::Filter::exit && !masks_meet(a.syscalls, b.syscalls)) return false;
  for (const Field& x : a.fields)
    for (const Field& y : b.fields)
      if (contradict(x, y, different)) return false;
  return true;
}

}  // namespace auditshift::migrate
