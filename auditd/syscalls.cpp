// SPDX-License-Identifier: Apache-2.0
#include "auditd/syscalls.h"

#include <linux/audit.h>

#include <algorithm>
#include <cstdlib>

#include "auditd/machine.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

/// Syscalls that have the same number in every ABI and came after the tables of audit 3.0.9.
struct NewSyscall {
  const char* name;
  unsigned number;
  AuditVersion since;
};
constexpr NewSyscall kNewSyscalls[] = {
    {"cachestat", 451, {3, 1, 2}},         {"fchmodat2", 452, {4, 0, 0}},
    {"map_shadow_stack", 453, {4, 0, 0}},  {"futex_wake", 454, {4, 0, 0}},
    {"futex_wait", 455, {4, 0, 0}},        {"futex_requeue", 456, {4, 0, 0}},
    {"statmount", 457, {4, 0, 0}},         {"listmount", 458, {4, 0, 0}},
    {"lsm_get_self_attr", 459, {4, 0, 0}}, {"lsm_set_self_attr", 460, {4, 0, 0}},
    {"lsm_list_modules", 461, {4, 0, 0}},  {"mseal", 462, {4, 0, 2}},
    {"setxattrat", 463, {4, 1, 0}},        {"getxattrat", 464, {4, 1, 0}},
    {"listxattrat", 465, {4, 1, 0}},       {"removexattrat", 466, {4, 1, 0}},
    {"open_tree_attr", 467, {4, 2, 0}},    {"file_getattr", 468, {4, 2, 0}},
    {"file_setattr", 469, {4, 2, 0}},      {"listns", 470, {4, 2, 0}},
    {"rseq_slice_yield", 471, {4, 2, 0}},
};
// The first syscall number of any ABI that audit 2.8 did not know; its newest is rseq, 386 on i386.
constexpr unsigned kUnknownToAudit2 = 388;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<unsigned> number_of(const std::string& name, const SyscallNames& names) {
  if (const std::optional<unsigned> number = syscall_number(name, names.arch)) {
    if (names.version.major < 3 && *number >= kUnknownToAudit2) return std::nullopt;
    return number;
  }
  const std::string lower = base::to_lower(name);
  for (const NewSyscall& syscall : kNewSyscalls) {
    if (lower == syscall.name && names.version >= syscall.since) return syscall.number;
  }
  return std::nullopt;
}

/// Digits as strtol reads them in base 0, trailing text ignored; nothing for a negative or too large one.
std::optional<unsigned> numeric(const std::string& word) {
  if (word.empty() || !is_digit(word[0])) return std::nullopt;
  const long number = std::strtol(word.c_str(), nullptr, 0);
  // auditctl keeps the low 32 bits.
  const auto low = static_cast<std::int32_t>(static_cast<std::uint32_t>(number));
  if (low < 0 || low >= static_cast<std::int32_t>(kSyscallLimit)) return std::nullopt;
  return static_cast<unsigned>(low);
}

std::string nearest_syscall(const std::string& word, std::uint32_t arch) {
  std::vector<std::string_view> known;
  for (unsigned number = 0; number < kSyscallLimit; ++number) {
    if (const char* name = syscall_name(number, arch)) known.emplace_back(name);
  }
  return base::nearest(word, known).value_or("");
}

UnknownSyscall explain(const std::string& word, std::size_t offset, const SyscallNames& names) {
  UnknownSyscall unknown{word, offset, "", ""};
  if (is_digit(word[0])) {
    unknown.reason = "syscall numbers end at 2047";
    return unknown;
  }
  for (const NewSyscall& syscall : kNewSyscalls) {
    if (base::to_lower(word) != syscall.name) continue;
    unknown.reason = "audit " + names.version.to_string() + " does not know this syscall yet (" +
                     syscall.since.to_string() + " does)";
    return unknown;
  }
  const std::optional<std::uint32_t> companion = companion_arch(names.native);
  const std::uint32_t other = names.arch == names.native && companion ? *companion : names.native;
  if (other != names.arch && syscall_number(word, other)) {
    unknown.reason =
        std::string("it exists for arch=") + ((other & __AUDIT_ARCH_64BIT) != 0 ? "b64" : "b32") + " only";
    return unknown;
  }
  if (word == "pread64" || word == "pwrite64") {
    unknown.suggestion = word.substr(0, word.size() - 2);
  } else {
    unknown.suggestion = base::to_lower(word) == "all" ? "all" : nearest_syscall(word, names.arch);
  }
  return unknown;
}

/// Calls `take(word, offset)` for each word between commas, empty ones left out, until it returns false.
template <class Take>
void for_each_word(const std::string& argument, Take take) {
  for (std::size_t begin = 0; begin <= argument.size();) {
    const std::size_t end = std::min(argument.find(',', begin), argument.size());
    if (end > begin && !take(argument.substr(begin, end - begin), begin)) return;
    begin = end + 1;
  }
}

}  // namespace

void set_all(SyscallMask& mask) { mask.fill(~0U); }

std::optional<UnknownSyscall> add_syscalls(const std::string& argument, const SyscallNames& names,
                                           SyscallMask& mask) {
  std::optional<UnknownSyscall> unknown;
  for_each_word(argument, [&](const std::string& word, std::size_t offset) {
    if (word == "all") {
      set_all(mask);
      return true;
    }
    std::optional<unsigned> number = number_of(word, names);
    if (!number) number = numeric(word);
    if (number) {
      set_syscall(mask, *number);
    } else {
      unknown = explain(word, offset, names);
    }
    return !unknown;
  });
  return unknown;
}

const char* listed_syscall_name(unsigned number, std::uint32_t arch, const AuditVersion& version) {
  const char* name = syscall_name(number, arch);
  if (name != nullptr) return version.major < 3 && number >= kUnknownToAudit2 ? nullptr : name;
  for (const NewSyscall& syscall : kNewSyscalls) {
    if (syscall.number == number && version >= syscall.since) return syscall.name;
  }
  return nullptr;
}

bool permission_adds_syscalls(const AuditVersion& version) { return version >= AuditVersion{3, 1, 3}; }

void add_permission_syscalls(std::uint32_t permissions, const SyscallNames& names, SyscallMask& mask) {
  static constexpr std::string_view kWrite =
      "rename,mkdir,rmdir,creat,link,unlink,symlink,mknod,mkdirat,mknodat,unlinkat,renameat,linkat,symlinkat,"
      "renameat2,acct,swapon,quotactl,truncate,ftruncate,bind,fallocate,open,openat,openat2";
  static constexpr std::string_view kRead =
      "readlink,quotactl,listxattr,llistxattr,flistxattr,getxattr,lgetxattr,fgetxattr,readlinkat,open,openat,"
      "openat2";
  static constexpr std::string_view kAttributes =
      "chmod,fchmod,chown,lchown,fchown,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,"
      "fchownat,fchmodat,link,linkat";
  // Later tables add these (audit 4.2).
  static constexpr std::string_view kExecuteSince42 = "execveat";
  static constexpr std::string_view kWriteSince42 = "quotactl_fd";
  static constexpr std::string_view kReadSince42 =
      "quotactl_fd,listxattrat,getxattrat,file_getattr,stat,lstat,fstat,newfstatat,statx";
  static constexpr std::string_view kAttributesSince42 = "setxattrat,removexattrat,fchmodat2,file_setattr";
  const bool since_42 = names.version >= AuditVersion{4, 2, 0};
  const auto add = [&](std::uint32_t bit, std::string_view list, std::string_view later) {
    if ((permissions & bit) == 0) return;
    for (const std::string_view part : {list, since_42 ? later : std::string_view()}) {
      for_each_word(std::string(part), [&](const std::string& word, std::size_t) {
        if (const std::optional<unsigned> number = number_of(word, names)) set_syscall(mask, *number);
        return true;
      });
    }
  };
  add(AUDIT_PERM_EXEC, "execve", kExecuteSince42);
  add(AUDIT_PERM_WRITE, kWrite, kWriteSince42);
  add(AUDIT_PERM_READ, kRead, kReadSince42);
  add(AUDIT_PERM_ATTR, kAttributes, kAttributesSince42);
}

}  // namespace auditshift::auditd
