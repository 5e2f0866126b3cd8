// SPDX-License-Identifier: Apache-2.0
#include "sensor/task_layout.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "bpf/legacy.h"
#include "bpf/libbpf_log.h"
#include "skeletons/layout.skel.h"

namespace auditshift::sensor {

std::optional<std::uint32_t> find_marked_word(std::span<const std::span<const std::byte>> native,
                                              std::span<const std::span<const std::byte>> compat,
                                              std::uint32_t mask) {
  if (native.empty() || compat.empty()) return std::nullopt;
  const auto marked = [mask](std::span<const std::byte> copy, std::size_t offset) {
    std::uint32_t word = 0;
    std::memcpy(&word, copy.data() + offset, sizeof word);
    return (word & mask) != 0;
  };
  for (std::size_t offset = 0; offset + 4 <= native[0].size(); offset += 4) {
    const bool never =
        std::none_of(native.begin(), native.end(), [&](auto copy) { return marked(copy, offset); });
    const bool always =
        std::all_of(compat.begin(), compat.end(), [&](auto copy) { return marked(copy, offset); });
    if (never && always) return static_cast<std::uint32_t>(offset);
  }
  return std::nullopt;
}

#if defined(__x86_64__)
namespace {

constexpr std::uint32_t kStatusCompat = 0x0002;  // TS_COMPAT, arch/x86/include/asm/thread_info.h
constexpr std::uint32_t kNativeNumber = 39, kCompatNumber = 20;  // getpid(2) of either ABI

struct Destroy {
  void operator()(layout_bpf* skeleton) const { layout_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<layout_bpf, Destroy>;

/// Waits for a byte, makes the calls, ends. 32-bit calls fault where the kernel has none.
[[noreturn]] void make_calls(int wait_for) {
  ::signal(SIGSEGV, SIG_DFL);
  char byte = 0;
  if (::read(wait_for, &byte, 1) != 1) ::_exit(1);
  for (int round = 0; round < AS_TASK_ROUNDS; ++round) {
    ::syscall(SYS_getpid);
    long result = kCompatNumber;
    asm volatile("int $0x80" : "+a"(result) : : "memory", "cc", "r8", "r9", "r10", "r11");
  }
  ::_exit(0);
}

/// Runs the child under the program. Its wait status, or -1.
int run_child(const layout_bpf& skeleton) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return -1;
  base::Fd read_end(ends[0]), write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return -1;
  if (child == 0) make_calls(read_end.get());
  const std::uint32_t zero = 0;
  const as_layout_knobs knobs{static_cast<std::uint32_t>(child), kNativeNumber, kCompatNumber};
  const bool set = bpf_map_update_elem(bpf_map__fd(skeleton.maps.layout_knobs), &zero, &knobs, BPF_ANY) == 0;
  const bool told = set && ::write(write_end.get(), "", 1) == 1;
  write_end.reset();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return told ? status : -1;
}

CompatFinding not_known(std::string why) {
  return {{}, "32-bit calls are not told apart: " + std::move(why), false};
}

}  // namespace

CompatFinding find_compat_mark() {
  bpf::route_libbpf_messages();
  const Skeleton skeleton(layout_bpf::open_and_load());
  if (skeleton == nullptr || layout_bpf::attach(skeleton.get()) != 0) return not_known(std::strerror(errno));
  const int status = run_child(*skeleton);
  if (status == -1) return not_known("no child could be started");
  // Built without IA32_EMULATION or booted with ia32_emulation=0: the interrupt faults.
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
    return {{}, "the kernel runs no 32-bit calls", true};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return not_known("a filter ended the test process");
  std::vector<std::vector<std::byte>> copies;
  std::vector<std::span<const std::byte>> kinds[2];
  for (std::uint32_t kind = 0; kind < 2; ++kind) {
    std::uint32_t rounds = 0;
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.rounds), &kind, &rounds) != 0 ||
        rounds != AS_TASK_ROUNDS)
      return not_known("the test process's calls were not seen");
  }
  copies.reserve(std::size_t{2} * AS_TASK_ROUNDS);
  for (std::uint32_t place = 0; place < 2 * AS_TASK_ROUNDS; ++place) {
    auto& copy = copies.emplace_back(std::size_t{AS_TASK_CHUNK} * AS_TASK_CHUNKS);
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.copies), &place, copy.data()) != 0)
      return not_known(std::strerror(errno));
    kinds[place % 2].emplace_back(copy);
  }
  const auto offset = find_marked_word(kinds[0], kinds[1], kStatusCompat);
  if (!offset) return not_known("no word of the task tells them");
  return {{*offset, kStatusCompat},
          "32-bit calls are told by the task's word at " + std::to_string(*offset),
          true};
}

#elif defined(__aarch64__)

CompatFinding find_compat_mark() {
  // TIF_32BIT in thread_info.flags, first in the task since 4.10: arch/arm64/include/asm/thread_info.h
  return {{0, 1U << 22}, "32-bit calls are told by thread_info.flags", true};
}

#endif

}  // namespace auditshift::sensor
