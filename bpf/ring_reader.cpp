// SPDX-License-Identifier: Apache-2.0
#include "bpf/ring_reader.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bpf/map_memory.h"

namespace auditshift::bpf {
namespace {

/// A position that the kernel writes or reads at the same time. Both pages are mapped shared and begin with
/// it.
std::uint64_t load(const std::byte* page) {
  return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(page), __ATOMIC_ACQUIRE);
}

}  // namespace

base::Result<RingReader> RingReader::open(int map_fd, std::uint64_t largest_record) {
  bpf_map_info info{};
  std::uint32_t length = sizeof info;
  if (bpf_obj_get_info_by_fd(map_fd, &info, &length) != 0) {
    return base::Error::from_errno(errno, "cannot look at the ring buffer");
  }
  if (info.type != BPF_MAP_TYPE_RINGBUF)
    return base::Error(base::Errc::invalid, "this map is no ring buffer");

  RingReader reader;
  reader.size_ = info.max_entries;
  void* consumer = mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED)
    return base::Error::from_errno(errno, "cannot map the ring buffer's reader page");
  reader.consumer_ = static_cast<std::byte*>(consumer);
  const std::uint64_t again = std::min(reader.size_, largest_record + BPF_RINGBUF_HDR_SZ);
  const std::size_t mapped =
      page_size() + reader.size_ + (again + page_size() - 1) / page_size() * page_size();
  void* producer = mmap(nullptr, mapped, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page_size()));
  if (producer == MAP_FAILED) return base::Error::from_errno(errno, "cannot map the ring buffer");
  reader.producer_ = static_cast<const std::byte*>(producer);
  reader.mapped_ = mapped;
  reader.data_ = reader.producer_ + page_size();
  reader.position_ = load(reader.consumer_);
  return reader;
}

RingReader::RingReader(RingReader&& other) noexcept
    : consumer_(std::exchange(other.consumer_, nullptr)),
      producer_(std::exchange(other.producer_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(other.size_),
      mapped_(other.mapped_),
      position_(other.position_) {}

RingReader& RingReader::operator=(RingReader&& other) noexcept {
  if (this != &other) {
    unmap();
    consumer_ = std::exchange(other.consumer_, nullptr);
    producer_ = std::exchange(other.producer_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = other.size_;
    mapped_ = other.mapped_;
    position_ = other.position_;
  }
  return *this;
}

RingReader::~RingReader() { unmap(); }

void RingReader::unmap() {
  if (consumer_ != nullptr) munmap(consumer_, page_size());
  if (producer_ != nullptr) munmap(const_cast<std::byte*>(producer_), mapped_);
}

std::span<const std::byte> RingReader::next() {
  for (;;) {
    if (position_ >= load(producer_)) return {};
    const std::byte* header = data_ + (position_ & (size_ - 1));
    const std::uint32_t length =
        __atomic_load_n(reinterpret_cast<const std::uint32_t*>(header), __ATOMIC_ACQUIRE);
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) return {};  // reserved, still being written
    const std::uint32_t bytes = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    position_ += (std::uint64_t{bytes} + BPF_RINGBUF_HDR_SZ + 7) & ~std::uint64_t{7};
    if ((length & BPF_RINGBUF_DISCARD_BIT) == 0) return {header + BPF_RINGBUF_HDR_SZ, bytes};
  }
}

void RingReader::release() {
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(consumer_), position_, __ATOMIC_RELEASE);
}

std::uint64_t RingReader::waiting() const { return load(producer_) - load(consumer_); }

std::uint64_t RingReader::produced() const { return load(producer_); }

}  // namespace auditshift::bpf
