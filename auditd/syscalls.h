// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/rule.h"

namespace auditshift::auditd {

/// Syscall numbers are below this; the kernel's mask has as many bits.
inline constexpr unsigned kSyscallLimit = 2048;
/// The bits 2032 to 2047 in the mask's last word: each names one of the kernel's syscall classes.
inline constexpr std::uint32_t kClassBits = 0xffff0000;

/// A word of `-S` that names nothing.
struct UnknownSyscall {
  std::string word;
  std::size_t offset = 0;  ///< of the word in the argument
  std::string reason;
  std::string suggestion;
};

/// What a rule's syscalls are named after: an ABI, and whose names are known.
struct SyscallNames {
  std::uint32_t arch = 0;    ///< AUDIT_ARCH_*
  std::uint32_t native = 0;  ///< the host's own, for hints
  AuditVersion version;      ///< newer syscalls are unknown to older versions
};

/// Adds the syscalls of one `-S` argument: names, numbers, `all`, lists joined with commas.
/// Stops at the first word that names nothing, as auditctl does.
std::optional<UnknownSyscall> add_syscalls(const std::string& argument, const SyscallNames& names,
                                           SyscallMask& mask);

/// The syscall's name in the tables of that version, or null.
const char* listed_syscall_name(unsigned number, std::uint32_t arch, const AuditVersion& version);

/// The same for the io_uring list, whose operations have names of their own (audit 3.1 and later).
std::optional<UnknownSyscall> add_io_uring_operations(const std::string& argument,
                                                      const AuditVersion& version, SyscallMask& mask);
/// The operation's name, or null.
const char* io_uring_operation(unsigned number);

/// From 3.1.3 (and 4.0) on, `-F perm` behind an arch adds the syscalls that need the permission to the mask.
bool permission_adds_syscalls(const AuditVersion& version);
void add_permission_syscalls(std::uint32_t permissions, const SyscallNames& names, SyscallMask& mask);

/// The mask as the kernel keeps it: class bits replaced by the syscalls of the class. Kernels after 6.1 know
/// newer syscalls in some classes.
SyscallMask expand_classes(const SyscallMask& mask, std::uint32_t native);

void set_all(SyscallMask& mask);
inline void set_syscall(SyscallMask& mask, unsigned number) { mask[number / 32] |= 1U << (number % 32); }

}  // namespace auditshift::auditd
