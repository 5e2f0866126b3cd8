// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace auditshift::sensor {

/// What the kernel's process connector says (include/uapi/linux/cn_proc.h), one message decoded.
struct ProcMessage {
  enum class What : std::uint32_t {
    acknowledgement = 0,
    fork = 0x1,
    exec = 0x2,
    uid = 0x4,
    gid = 0x40,
    session = 0x80,
    ptrace = 0x100,
    name = 0x200,
    core_dump = 0x40000000,
    exit = 0x80000000,
  };

  What what = What::acknowledgement;
  std::uint32_t cpu = 0;
  std::uint32_t sequence = 0;      ///< counts this CPU's messages, so a gap is a loss
  std::uint64_t monotonic_ns = 0;  ///< CLOCK_MONOTONIC
  std::uint32_t pid = 0;           ///< thread; fork: the parent's
  std::uint32_t tgid = 0;  ///< process; fork: the parent's. The parent of a thread is its process's parent
  std::uint32_t first =
      0;  ///< acknowledgement: errno; fork: child pid; id: real; ptrace: tracer pid; exit: status
  std::uint32_t second =
      0;  ///< fork: child tgid; id: effective; ptrace: tracer tgid; exit: signal to the parent
  std::array<char, 16> comm{};  ///< name

  /// `comm` up to its NUL.
  std::string_view comm_text() const;
};

/// Takes the messages of one datagram apart. Kinds that are unknown here are passed over.
class ProcDatagram {
 public:
  explicit ProcDatagram(std::span<const std::byte> bytes) : rest_(bytes) {}

  /// The next message; false at the end, and at the first byte that makes no sense: see malformed().
  bool next(ProcMessage& message);
  bool malformed() const { return malformed_; }

 private:
  std::span<const std::byte> rest_;
  bool malformed_ = false;
};

}  // namespace auditshift::sensor
