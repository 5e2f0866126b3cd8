// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "bpf/record.h"
#include "sensor/ebpf_options.h"
#include "sensor/watched_calls.h"

namespace auditshift::sensor {

/// What the kernel side looks a system call up in, whatever the tier; see bpf/record.h.
struct CallTables {
  std::array<std::uint16_t, AS_SYSCALL_LIMIT> call_index{};  ///< AS_NATIVE_CALL() and AS_COMPAT_CALL()
  std::array<as_call, AS_CALL_LIMIT> calls{};                ///< [0] is not used
  std::array<std::uint8_t, AS_SOCKETCALL_LIMIT> socketcalls{};
};

/// Whether a call can bring an event of a wanted kind: some calls bring several.
bool can_bring(const WatchedCall& call, const KindSet& kinds);

/// The calls that can bring an event of one of these kinds, of this machine's ABIs.
CallTables make_call_tables(const KindSet& kinds);

/// enum as_option of the options.
std::uint32_t option_bits(const EbpfOptions& options);

}  // namespace auditshift::sensor
