// SPDX-License-Identifier: Apache-2.0
#include "sensor/privileges.h"

#include <cap-ng.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace auditshift::sensor {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr std::array kForbidden{
    SYS_execve,        SYS_execveat,     SYS_ptrace,        SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_init_module,   SYS_finit_module, SYS_delete_module, SYS_kexec_load,       SYS_kexec_file_load,
    SYS_mount,         SYS_umount2,      SYS_pivot_root,    SYS_chroot,           SYS_swapon,
    SYS_swapoff,       SYS_reboot,       SYS_settimeofday,  SYS_clock_settime,    SYS_adjtimex,
    SYS_clock_adjtime, SYS_sethostname,  SYS_setdomainname, SYS_add_key,          SYS_request_key,
    SYS_keyctl,        SYS_acct,         SYS_quotactl,      SYS_userfaultfd,      SYS_personality,
};

}  // namespace

base::Result<void> drop_privileges(const std::vector<int>& keep) {
  if (::capng_get_caps_process() != 0)
    return base::Error(base::Errc::io, "cannot read the capabilities of this process");
  std::vector<int> kept;
  for (const int capability : keep) {
    if (::capng_have_capability(CAPNG_PERMITTED, static_cast<unsigned>(capability)) != 0)
      kept.push_back(capability);
  }
  const bool may_bound = ::capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  ::capng_clear(CAPNG_SELECT_ALL);
  for (const int capability : kept) {
    ::capng_update(CAPNG_ADD,
                   static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET),
                   static_cast<unsigned>(capability));
  }
  if (::capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) != 0)
    return base::Error::from_errno(errno, "cannot give up capabilities");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::Error::from_errno(errno, "no_new_privs");
  return {};
}

base::Result<void> forbid_system_calls() {
  // Load the ABI; another one ends the process; load the number, where x32's marker bit means another ABI
  // too; each forbidden one jumps to the refusal.
  std::array<sock_filter, 6 + kForbidden.size() + 2> filter{};
  std::size_t at = 0;
  const auto add = [&](unsigned code, std::uint32_t value, std::size_t if_true, std::size_t if_false) {
    filter[at++] = {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
                    static_cast<std::uint8_t>(if_false), value};
  };
  add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch), 0, 0);
  add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
  add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr), 0, 0);
  constexpr std::uint32_t kX32 = 0x40000000;
  add(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1);
  add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
  for (std::size_t i = 0; i < kForbidden.size(); ++i)
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(kForbidden[i]), kForbidden.size() - i, 0);
  add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
  add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
    return base::Error::from_errno(errno, "seccomp filter");
  return {};
}

}  // namespace auditshift::sensor
