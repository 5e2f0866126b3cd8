// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"

namespace auditshift::bpf {

/// Bytes of a page of this machine's memory.
std::size_t page_size();

/// The values of an array map made with BPF_F_MMAPABLE, as memory that is shared with the programs. They lie
/// one behind the other, each rounded up to 8 bytes.
///
/// Looking them up by bpf(2) would do, too, but meanwhile the kernel runs no program of perf events on that
/// CPU (bpf_disable_instrumentation(), include/linux/bpf.h), and may have another task run there.
class MapMemory {
 public:
  MapMemory() = default;

  /// `size` bytes from the first value on. Errors: no such map, not made for this, smaller than that.
  static base::Result<MapMemory> open(int map_fd, std::size_t size);

  void* data() const { return memory_.get(); }

 private:
  struct Unmap {
    std::size_t size;
    void operator()(void* memory) const;
  };
  std::unique_ptr<void, Unmap> memory_;
};

}  // namespace auditshift::bpf
