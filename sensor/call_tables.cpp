// SPDX-License-Identifier: Apache-2.0
#include "sensor/call_tables.h"

namespace auditshift::sensor {
namespace {

#if defined(__x86_64__)
constexpr Abi kNative[] = {Abi::x86_64, Abi::x32};
constexpr Abi kCompat = Abi::i386;
#elif defined(__aarch64__)
constexpr Abi kNative[] = {Abi::arm64};
constexpr Abi kCompat = Abi::arm;
#else
#error "no system-call convention for this architecture"
#endif

}  // namespace

bool can_bring(const WatchedCall& call, const KindSet& kinds) {
  const auto kind = static_cast<EventKind>(call.call.kind);
  if (call.call.filter == AS_FILTER_SOCKETCALL) {
    for (std::uint64_t number = 0; number < AS_SOCKETCALL_LIMIT; ++number) {
      const WatchedCall* inner = find_socketcall(number);
      if (inner != nullptr && can_bring(*inner, kinds)) return true;
    }
    return false;
  }
  if (kind == EventKind::open) return kinds.contains(EventKind::open) || kinds.contains(EventKind::create);
  if (kind == EventKind::unlink) return kinds.contains(EventKind::unlink) || kinds.contains(EventKind::rmdir);
  return kinds.contains(kind);
}

CallTables make_call_tables(const KindSet& kinds) {
  CallTables tables;
  const auto calls = watched_calls();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!can_bring(calls[i], kinds)) continue;
    const auto entry = static_cast<std::uint16_t>(i + 1);
    tables.calls[entry] = calls[i].call.for_kernel();
    for (std::size_t number = 0; number < AS_SYSCALL_LIMIT; ++number) {
      for (const Abi abi : kNative) {
        if (find_watched_call(abi, static_cast<int>(number)) == &calls[i]) tables.call_index[number] |= entry;
      }
      if (find_watched_call(kCompat, static_cast<int>(number)) == &calls[i]) {
        tables.call_index[number] |= static_cast<std::uint16_t>(entry << 8);
      }
    }
    for (std::uint64_t number = 0; number < AS_SOCKETCALL_LIMIT; ++number) {
      if (find_socketcall(number) == &calls[i]) tables.socketcalls[number] = static_cast<std::uint8_t>(entry);
    }
  }
  return tables;
}

std::uint32_t option_bits(const EbpfOptions& options) {
  std::uint32_t bits = 0;
  const auto set = [&](bool on, as_option bit) { bits |= on ? static_cast<std::uint32_t>(bit) : 0U; };
  set(options.reads, AS_OPTION_READS);
  set(options.threads, AS_OPTION_THREADS);
  set(options.failed_access, AS_OPTION_FAILED_ACCESS);
  set(options.failed_other, AS_OPTION_FAILED_OTHER);
  set(options.all_sockets, AS_OPTION_ALL_SOCKETS);
  set(options.all_ptrace, AS_OPTION_ALL_PTRACE);
  return bits;
}

}  // namespace auditshift::sensor
