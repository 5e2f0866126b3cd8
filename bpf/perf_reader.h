// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace auditshift::bpf {

/// Reads what programs hand to bpf_perf_event_output(): one buffer per CPU (perf_event_open(2),
/// PERF_COUNT_SW_BPF_OUTPUT), merged into one stream in the order of time. For records that begin with their
/// size, as struct as_record does, and tell their time in boot_ns.
class PerfReader {
 public:
  /// Makes a buffer of about `bytes_per_cpu` (a power of two, at least a page) for each CPU that is online
  /// and puts it into `map_fd`, a perf event array. Smaller where the system does not allow so much locked
  /// memory; see size(). Errors: not even the smallest is allowed, no CPU could be opened.
  static base::Result<PerfReader> open(int map_fd, std::uint64_t bytes_per_cpu);

  PerfReader();
  PerfReader(PerfReader&&) noexcept;
  PerfReader& operator=(PerfReader&&) noexcept;
  PerfReader(const PerfReader&) = delete;
  PerfReader& operator=(const PerfReader&) = delete;
  ~PerfReader();

  /// The oldest record not after `until_ns`, in the clock of boot_ns; empty when there is none. Valid until
  /// the next call of next() or release(). A CPU's program puts its record into the buffer a moment after it
  /// looked at the clock: who asks for all but the last millisecond gets the records of all CPUs in order.
  std::span<const std::byte> next(std::uint64_t until_ns);
  /// Gives the space of all records handed out back to the kernel.
  void release();

  /// Readable when a quarter of a buffer is full.
  int descriptor() const { return epoll_.get(); }
  /// Records that did not fit, by position of the CPU among those opened. Told by the kernel with the next
  /// record that does fit.
  std::vector<std::uint64_t> lost() const;
  /// Bytes that wait in all buffers, those handed out but not released too; bytes of one buffer; buffers.
  std::uint64_t waiting() const;
  std::uint64_t size() const { return size_; }
  std::size_t buffers() const;

 private:
  struct Buffer;
  base::Result<void> add_cpu(int cpu, int map_fd);
  void peek(Buffer& buffer);

  base::Fd epoll_;
  std::uint64_t size_ = 0;
  std::vector<std::unique_ptr<Buffer>> buffers_;
};

}  // namespace auditshift::bpf
