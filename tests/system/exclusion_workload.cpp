// SPDX-License-Identifier: Apache-2.0
// usage: exclusion_workload CALL PATH [PATH]: makes one system call, so that a test knows what to look for.
// Exit 0 when it succeeded, 1 when not, 3 when this machine has no such ABI.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

/// A call of the 32-bit ABI from a 64-bit program: number, and a path with a mode.
long call_i386([[maybe_unused]] long number, [[maybe_unused]] const char* path, [[maybe_unused]] long mode) {
#ifdef __x86_64__
  std::signal(SIGSEGV, [](int) { _exit(3); });  // a kernel without this ABI
  void* low = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) _exit(3);
  std::strncpy(static_cast<char*>(low), path, 4095);
  long result = 0;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(number), "b"(low), "c"(mode)
               : "memory", "r8", "r9", "r10", "r11");
  if (result == -38) _exit(3);
  return result;
#else
  _exit(3);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const std::string_view call = argv[1];
  const char* path = argv[2];
  const char* second = argc > 3 ? argv[3] : "";
  long result = -1;
  if (call == "rename") result = ::rename(path, second);
  if (call == "link") result = ::link(path, second);
  if (call == "symlink") result = ::symlink(second, path);
  if (call == "unlink") result = ::unlink(path);
  if (call == "mkdir") result = ::mkdir(path, 0700);
  if (call == "rmdir") result = ::rmdir(path);
  if (call == "chmod") result = ::chmod(path, 0644);
  if (call == "truncate") result = ::truncate(path, 0);
  if (call == "open") result = ::open(path, O_WRONLY | O_CREAT, 0600);
  if (call == "exec") result = ::execl(path, path, "none", "-", static_cast<char*>(nullptr));
  if (call == "none") result = 0;
  if (call == "chmod32") result = call_i386(15, path, 0644);
  if (call == "mkdir32") result = call_i386(39, path, 0700);
  return result < 0 ? 1 : 0;
}
