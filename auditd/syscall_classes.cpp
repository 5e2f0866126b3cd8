// SPDX-License-Identifier: Apache-2.0
// The kernel's syscall classes: include/asm-generic/audit_*.h of Linux 6.1. Class n is bit 2047 - n of a
// mask.
#include <algorithm>
#include <string_view>

#include "auditd/machine.h"
#include "auditd/syscalls.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

constexpr std::string_view kDirectoryWrite =
    "rename,mkdir,rmdir,creat,link,unlink,symlink,mknod,mkdirat,mknodat,unlinkat,renameat,linkat,symlinkat,"
    "renameat2";
constexpr std::string_view kAttributes =
    "chmod,fchmod,chown,fchown,lchown,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,"
    "fchownat,fchmodat,link,linkat,chown32,fchown32,lchown32";
constexpr std::string_view kRead =
    "readlink,quotactl,listxattr,llistxattr,flistxattr,getxattr,lgetxattr,fgetxattr,readlinkat";
constexpr std::string_view kWrite =
    "rename,mkdir,rmdir,creat,link,unlink,symlink,mknod,mkdirat,mknodat,unlinkat,renameat,linkat,symlinkat,"
    "renameat2,acct,swapon,quotactl,truncate,ftruncate,truncate64,ftruncate64,bind,fallocate";
constexpr std::string_view kSignal = "kill,tgkill,tkill";

// By class number / 2; the odd class numbers hold the same syscalls of the 32-bit ABI.
constexpr std::string_view kClasses[] = {kDirectoryWrite, kAttributes, kRead, kWrite, kSignal};
constexpr unsigned kClassCount = 16;

}  // namespace

SyscallMask expand_classes(const SyscallMask& mask, std::uint32_t native) {
  if ((mask.back() & kClassBits) == 0) return mask;
  SyscallMask expanded = mask;
  expanded.back() &= ~kClassBits;
  const std::optional<std::uint32_t> companion = companion_arch(native);
  for (unsigned number = 0; number < kClassCount; ++number) {
    if ((mask.back() >> (31 - number) & 1U) == 0 || number / 2 >= std::size(kClasses)) continue;
    const std::uint32_t arch = number % 2 == 0 ? native : companion.value_or(0);
    for (const std::string_view name : base::split(kClasses[number / 2], ',')) {
      if (const std::optional<unsigned> syscall = syscall_number(std::string(name), arch)) {
        set_syscall(expanded, *syscall);
      }
    }
  }
  return expanded;
}

}  // namespace auditshift::auditd
