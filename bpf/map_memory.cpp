// SPDX-License-Identifier: Apache-2.0
#include "bpf/map_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace auditshift::bpf {

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

void MapMemory::Unmap::operator()(void* memory) const { munmap(memory, size); }

base::Result<MapMemory> MapMemory::open(int map_fd, std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (memory == MAP_FAILED) return base::Error::from_errno(errno, "cannot map the values of a BPF map");
  MapMemory result;
  result.memory_ = std::unique_ptr<void, Unmap>(memory, Unmap{size});
  return result;
}

}  // namespace auditshift::bpf
