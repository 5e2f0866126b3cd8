// SPDX-License-Identifier: Apache-2.0
#include "sensor/privileges.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <string>

namespace auditshift::sensor {
namespace {

/// Runs `act` in a child that has given up its privileges and forbidden itself system calls. Its exit code,
/// or -signal.
int confined(const std::function<int()>& act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!drop_privileges({CAP_NET_ADMIN}).ok() || !forbid_system_calls().ok()) ::_exit(100);
    ::_exit(act());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Privileges, ForbiddenCallsAreRefused) {
  // With arguments that each would fail with another errno than EPERM if it got to the kernel's own code.
  const auto refused = [](long number) {
    return
        [number] { return ::syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) == -1 && errno == EPERM ? 0 : 1; };
  };
  for (const long number : {SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
                            SYS_userfaultfd, SYS_personality, SYS_keyctl, SYS_add_key, SYS_request_key})
    EXPECT_EQ(confined(refused(number)), 0) << "system call " << number;
}

TEST(Privileges, AProgramCannotBeRun) {
  EXPECT_EQ(confined([] {
              ::execl("/bin/true", "true", nullptr);
              return errno == EPERM ? 0 : 1;
            }),
            0);
}

TEST(Privileges, WhatTheSensorDoesIsAllowed) {
  EXPECT_EQ(confined([] {
              std::ifstream status("/proc/self/status");
              const pid_t pid = ::fork();
              if (pid == 0) ::_exit(0);
              return status.good() && pid > 0 && ::waitpid(pid, nullptr, 0) == pid ? 0 : 1;
            }),
            0);
}

#if defined(__x86_64__)
TEST(Privileges, AnotherAbiEndsTheProcess) {
  // getpid of the 32-bit table; where the kernel has none, it ends with SIGSEGV (which a sanitizer would
  // take).
  const int end = confined([] {
    ::signal(SIGSEGV, SIG_DFL);
    long result = 20;
    asm volatile("int $0x80" : "+a"(result) : : "memory");
    return 1;
  });
  EXPECT_TRUE(end == -SIGSYS || end == -SIGSEGV) << end;
  EXPECT_EQ(confined([] { return static_cast<int>(::syscall(0x40000000L + SYS_getpid) != 0); }), -SIGSYS)
      << "x32";
}
#endif

TEST(Privileges, CapabilitiesCannotComeBack) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(
      confined([] {
        std::ifstream status("/proc/self/status");
        for (std::string line; std::getline(status, line);) {
          // CAP_NET_ADMIN is bit 12.
          if ((line.starts_with("CapEff:") || line.starts_with("CapPrm:") || line.starts_with("CapBnd:")) &&
              !line.ends_with("\t0000000000001000"))
            return 1;
          if (line.starts_with("NoNewPrivs:") && !line.ends_with("1")) return 2;
        }
        return 0;
      }),
      0);
}

}  // namespace
}  // namespace auditshift::sensor
