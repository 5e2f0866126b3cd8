// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace auditshift::bpf {

/// Reads a BPF ring buffer (kernel/bpf/ringbuf.c; Documentation/bpf/ringbuf.rst) through its own mapping, one
/// reader per ring. libbpf's reader gives each record's space back at once and runs as long as there are
/// records; this one leaves both to the caller, so that batches are bounded and the shared cache line is
/// written once per batch.
class RingReader {
 public:
  RingReader() = default;
  /// Maps the ring behind `map_fd`, which must stay open until this has been made. Errors: not a ring buffer,
  /// no memory. No record is larger than `largest_record` bytes: so much of the ring's start is mapped behind
  /// its end again, so that every record is in one piece, and no more, since each page mapped is resident.
  static base::Result<RingReader> open(int map_fd, std::uint64_t largest_record = std::uint64_t{64} << 10);

  RingReader(RingReader&& other) noexcept;
  RingReader& operator=(RingReader&& other) noexcept;
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;
  ~RingReader();

  /// The next record, empty when there is none that is complete. Valid until release(). REQUIRES: open.
  std::span<const std::byte> next();
  /// Gives the space of all records handed out back to the kernel.
  void release();

  /// Bytes that wait, headers included, those handed out but not released too.
  std::uint64_t waiting() const;
  /// Bytes the ring can hold.
  std::uint64_t size() const { return size_; }
  /// Bytes ever written, and bytes ever handed out: the same scale.
  std::uint64_t produced() const;
  std::uint64_t position() const { return position_; }

 private:
  void unmap();

  std::byte* consumer_ = nullptr;        ///< one page: how far the reader is
  const std::byte* producer_ = nullptr;  ///< one page: how far the kernel is; then the data
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::size_t mapped_ = 0;  ///< bytes from producer_ on
  std::uint64_t position_ = 0;
};

}  // namespace auditshift::bpf
