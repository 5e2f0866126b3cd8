// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/rule_match.h"

#include <fcntl.h>
#include <linux/audit.h>

#include <algorithm>
#include <optional>

#include "auditd/syscalls.h"
#include "migrate/path_facts.h"
#include "sensor/watched_calls.h"

#ifndef AUDIT_SADDR_FAM  // since 5.3
#define AUDIT_SADDR_FAM 113
#endif

namespace auditshift::migrate::compare {
namespace {

using auditd::Op;
using sensor::Abi;
using sensor::Event;
using sensor::EventKind;

std::optional<std::uint32_t> arch_of(Abi abi) {
  switch (abi) {
    case Abi::x86_64:
    case Abi::x32:
      return AUDIT_ARCH_X86_64;
    case Abi::i386:
      return AUDIT_ARCH_I386;
    case Abi::arm64:
      return AUDIT_ARCH_AARCH64;
    case Abi::arm:
      return AUDIT_ARCH_ARM;
    case Abi::unknown:
      break;
  }
  return std::nullopt;
}

bool holds(std::uint32_t left, Op op, std::uint32_t right) {
  switch (op) {
    case Op::equal:
      return left == right;
    case Op::not_equal:
      return left != right;
    case Op::less:
      return left < right;
    case Op::less_or_equal:
      return left <= right;
    case Op::greater:
      return left > right;
    case Op::greater_or_equal:
      return left >= right;
    case Op::bit_mask:
      return (left & right) != 0;
    case Op::bit_test:
      return (left & right) == right;
  }
  return false;
}

Match number(std::uint32_t value, const auditd::Field& field) {
  return holds(value, field.op, field.value) ? Match::yes : Match::no;
}

/// `gid=` matches supplementary groups too, which events do not tell.
Match group(std::uint32_t value, const auditd::Field& field) {
  const Match match = number(value, field);
  return match == Match::no && field.op == Op::equal ? Match::unknown : match;
}

Match argument(const Event& event, std::uint32_t index, const auditd::Field& field) {
  // Of exec, fork and exit the registers are not kept everywhere.
  const auto& arguments = event.syscall.arguments;
  if (std::all_of(arguments.begin(), arguments.end(), [](std::uint64_t a) { return a == 0; }))
    return Match::unknown;
  return number(static_cast<std::uint32_t>(arguments[index]), field);
}

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Match program(const Event& event, const auditd::Field& field) {
  const sensor::Path& path = event.process.executable;
  if (path.text.empty() || path.truncated || path.chroot_relative) return Match::unknown;
  const bool equal = path.text == field.text;
  if (field.op == Op::not_equal) return equal ? Match::no : Match::yes;
  // Seen through a mount it has another directory, seldom another name.
  return equal ? Match::yes : last_name(path.text) == last_name(field.text) ? Match::unlikely : Match::no;
}

/// A watch asks for the file itself, an event has its names.
Match file(const Event& event, const auditd::Field& field) {
  bool named = false;
  for (const sensor::Path* path : {&event.path, &event.second_path}) {
    if (path->text.empty()) continue;
    named = named || !(path->unresolved || path->truncated || path->chroot_relative);
    if (field.id == AUDIT_DIR ? is_below(path->text, field.text) : path->text == field.text)
      return path->chroot_relative ? Match::unknown : Match::yes;
  }
  return named ? Match::unlikely : Match::unknown;
}

/// What the open asks for, as ACC_MODE of fs/open.c says it: "\004\002\006\006"[flags & O_ACCMODE].
std::uint32_t open_permissions(std::uint64_t flags) {
  constexpr std::uint32_t kModes[] = {AUDIT_PERM_READ, AUDIT_PERM_WRITE, AUDIT_PERM_READ | AUDIT_PERM_WRITE,
                                      AUDIT_PERM_READ | AUDIT_PERM_WRITE};
  return kModes[flags & O_ACCMODE];
}

/// audit_match_perm of kernel/auditsc.c; nothing when the event does not tell.
std::optional<std::uint32_t> permissions_of(const Event& event) {
  switch (event.kind) {
    case EventKind::exec:
      return AUDIT_PERM_EXEC;
    case EventKind::open:
    case EventKind::create:
      if (event.syscall.name == "creat") return AUDIT_PERM_WRITE;
      // The flags are in the caller's memory, which the audit stream does not tell.
      if (event.syscall.name == "openat2" && event.flags == 0) return std::nullopt;
      if (event.syscall.name == "open_by_handle_at") return std::nullopt;
      return open_permissions(event.flags);
    case EventKind::rename:
    case EventKind::unlink:
    case EventKind::rmdir:
    case EventKind::mkdir:
    case EventKind::mknod:
    case EventKind::symlink:
    case EventKind::truncate:
    case EventKind::bind:
      return AUDIT_PERM_WRITE;
    case EventKind::link:
      return AUDIT_PERM_WRITE | AUDIT_PERM_ATTR;
    case EventKind::chmod:
    case EventKind::chown:
    case EventKind::set_xattr:
    case EventKind::remove_xattr:
      return AUDIT_PERM_ATTR;
    case EventKind::none:
      return std::nullopt;  // readlink, quotactl and others are in the kernel's classes
    default:
      return 0;
  }
}

Match permission(const Event& event, const auditd::Field& field) {
  const auto permissions = permissions_of(event);
  if (!permissions) return Match::unknown;
  return (*permissions & field.value) != 0 ? Match::yes : Match::no;
}

Match family(const Event& event, const auditd::Field& field) {
  if (event.socket.family < 0) return Match::unknown;
  return number(static_cast<std::uint32_t>(event.socket.family), field);
}

Match field_matches(const Event& event, const auditd::Field& field) {
  const sensor::Process& process = event.process;
  switch (field.id) {
    case AUDIT_ARCH:  // see asks_for()
    case AUDIT_FILTERKEY:
      return Match::yes;
    case AUDIT_PID:
      return number(process.id.pid, field);
    case AUDIT_PPID:
      return number(process.parent.pid, field);
    case AUDIT_UID:
      return number(process.uid, field);
    case AUDIT_EUID:
      return number(process.euid, field);
    case AUDIT_SUID:
      return number(process.suid, field);
    case AUDIT_FSUID:
      return number(process.fsuid, field);
    case AUDIT_GID:
      return group(process.gid, field);
    case AUDIT_EGID:
      return group(process.egid, field);
    case AUDIT_SGID:
      return number(process.sgid, field);
    case AUDIT_FSGID:
      return number(process.fsgid, field);
    case AUDIT_LOGINUID:
      return number(process.auid, field);
    case AUDIT_SESSIONID:
      return number(process.session, field);
    case AUDIT_EXIT:
      return number(static_cast<std::uint32_t>(event.syscall.result), field);
    case AUDIT_SUCCESS:
      return number(event.syscall.failed() ? 0 : 1, field);
    case AUDIT_ARG0:
    case AUDIT_ARG1:
    case AUDIT_ARG2:
    case AUDIT_ARG3:
      return argument(event, field.id - AUDIT_ARG0, field);
    case AUDIT_EXE:
      return program(event, field);
    case AUDIT_WATCH:
    case AUDIT_DIR:
      return file(event, field);
    case AUDIT_PERM:
      return permission(event, field);
    case AUDIT_SADDR_FAM:
      return family(event, field);
    default:
      return Match::unknown;
  }
}

/// A record of exec, fork or exit may name the call in which a process was ended by another.
bool made_by_its_call(const Event& event) {
  if (event.kind != EventKind::exec && event.kind != EventKind::fork && event.kind != EventKind::exit)
    return true;
  const sensor::WatchedCall* call = sensor::find_watched_call(event.syscall.abi, event.syscall.number);
  return call != nullptr && static_cast<EventKind>(call->call.kind) == event.kind && event.exit_signal == 0;
}

}  // namespace

RuleMatcher::RuleMatcher(auditd::Rule rule) : rule_(std::move(rule)) {}

bool RuleMatcher::asks_for(Abi abi, int call) const {
  if (call < 0 || static_cast<unsigned>(call) >= auditd::kSyscallLimit ||
      !rule_.has_syscall(static_cast<unsigned>(call)))
    return false;
  const auditd::Field* arch = rule_.find(AUDIT_ARCH);
  if (arch == nullptr) return true;
  const auto given = arch_of(abi);
  return given && holds(*given, arch->op, arch->value);
}

Match RuleMatcher::match(const Event& event) const {
  if (!asks_for(event.syscall.abi, event.syscall.number)) return Match::no;
  Match least = made_by_its_call(event) ? Match::yes : Match::unlikely;
  for (const auditd::Field& field : rule_.fields) {
    least = std::min(least, field_matches(event, field));
    if (least == Match::no) break;
  }
  return least;
}

}  // namespace auditshift::migrate::compare
