// SPDX-License-Identifier: Apache-2.0
#include "bpf/perf_reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "bpf/map_memory.h"
#include "bpf/perf_event.h"
#include "bpf/record.h"

namespace auditshift::bpf {
namespace {

constexpr std::uint64_t kSmallest = 65536;  // holds the largest record

base::Fd open_output(int cpu, std::uint64_t size) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
  attributes.sample_type = PERF_SAMPLE_RAW;
  attributes.sample_period = 1;
  attributes.watermark = 1;
  attributes.wakeup_watermark = static_cast<std::uint32_t>(size / 4);
  return open_perf_event(attributes, cpu);
}

}  // namespace

/// What one CPU writes to.
struct PerfReader::Buffer {
  base::Fd event;
  std::byte* page = nullptr;  ///< struct perf_event_mmap_page, then the data
  std::uint64_t size = 0;     ///< of the data
  std::uint64_t tail = 0;     ///< the first byte that was not handed out
  std::uint64_t after = 0;    ///< where the record that was peeked at ends
  std::span<const std::byte> record;
  std::vector<std::byte> joined;  ///< a record that begins at the buffer's end and ends at its start
  std::uint64_t lost = 0;

  ~Buffer() {
    if (page != nullptr) munmap(page, page_size() + size);
  }
  perf_event_mmap_page* header() const { return reinterpret_cast<perf_event_mmap_page*>(page); }
  std::uint64_t head() const { return __atomic_load_n(&header()->data_head, __ATOMIC_ACQUIRE); }

  /// `length` bytes at a position, in one piece.
  std::span<const std::byte> at(std::uint64_t position, std::uint64_t length) {
    const std::byte* data = page + page_size();
    const std::uint64_t start = position & (size - 1);
    if (start + length <= size) return {data + start, length};
    joined.resize(length);
    const std::uint64_t first = size - start;
    std::memcpy(joined.data(), data + start, first);
    std::memcpy(joined.data() + first, data, length - first);
    return joined;
  }

  std::uint64_t time() const {
    std::uint64_t time = 0;
    std::memcpy(&time, record.data() + offsetof(as_record, boot_ns), sizeof time);
    return time;
  }
};

PerfReader::PerfReader() = default;
PerfReader::PerfReader(PerfReader&&) noexcept = default;
PerfReader& PerfReader::operator=(PerfReader&&) noexcept = default;
PerfReader::~PerfReader() = default;

base::Result<PerfReader> PerfReader::open(int map_fd, std::uint64_t bytes_per_cpu) {
  PerfReader reader;
  reader.epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!reader.epoll_) return base::Error::from_errno(errno, "cannot wait for perf buffers");
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return base::Error::from_errno(-cpus, "cannot count the CPUs");
  reader.size_ = std::max(bytes_per_cpu, kSmallest);
  for (int cpu = 0; cpu < cpus;) {
    auto added = reader.add_cpu(cpu, map_fd);
    if (!added.ok() && added.error().code() == base::Errc::permission && reader.size_ > kSmallest) {
      // More locked memory than this user may have: all anew, with half of it.
      reader.buffers_.clear();
      reader.size_ /= 2;
      cpu = 0;
      continue;
    }
    if (!added.ok()) return std::move(added).error();
    ++cpu;
  }
  if (reader.buffers_.empty()) return base::Error(base::Errc::unsupported, "no CPU has a perf buffer");
  return reader;
}

base::Result<void> PerfReader::add_cpu(int cpu, int map_fd) {
  auto buffer = std::make_unique<Buffer>();
  buffer->event = open_output(cpu, size_);
  if (!buffer->event) {
    if (errno == ENODEV) return {};  // possible, but not online
    return base::Error::from_errno(errno, "cannot open the perf buffer of CPU " + std::to_string(cpu));
  }
  void* page = mmap(nullptr, page_size() + size_, PROT_READ | PROT_WRITE, MAP_SHARED, buffer->event.get(), 0);
  if (page == MAP_FAILED)
    return base::Error::from_errno(errno, "cannot map the perf buffer of CPU " + std::to_string(cpu));
  buffer->page = static_cast<std::byte*>(page);
  buffer->size = size_;
  epoll_event interest{};
  interest.events = EPOLLIN;
  const int fd = buffer->event.get();
  if (bpf_map_update_elem(map_fd, &cpu, &fd, BPF_ANY) != 0 || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) != 0 ||
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &interest) != 0)
    return base::Error::from_errno(errno, "cannot connect the perf buffer of CPU " + std::to_string(cpu));
  buffers_.push_back(std::move(buffer));
  return {};
}

/// Makes `record` the first that was not handed out, if there is one.
void PerfReader::peek(Buffer& buffer) {
  const std::uint64_t head = buffer.head();
  while (buffer.record.empty() && buffer.tail < head) {
    perf_event_header header{};
    std::memcpy(&header, buffer.at(buffer.tail, sizeof header).data(), sizeof header);
    if (header.size < sizeof header || header.size > head - buffer.tail) {  // never seen: do not read on
      buffer.tail = head;
      return;
    }
    const auto body = buffer.at(buffer.tail, header.size).subspan(sizeof header);
    buffer.after = buffer.tail + header.size;
    std::uint32_t length = 0, own_size = 0;
    if (header.type == PERF_RECORD_SAMPLE && body.size() >= sizeof length + sizeof(as_record)) {
      std::memcpy(&length, body.data(), sizeof length);
      const auto raw = body.subspan(sizeof length);
      std::memcpy(&own_size, raw.data(), sizeof own_size);
      // The kernel pads: kernel/events/core.c, perf_prepare_sample().
      if (length <= raw.size() && own_size <= length && own_size >= sizeof(as_record)) {
        buffer.record = raw.first(own_size);
        return;
      }
    }
    std::uint64_t lost[2] = {};  // id, number
    if (header.type == PERF_RECORD_LOST && body.size() >= sizeof lost) {
      std::memcpy(lost, body.data(), sizeof lost);
      buffer.lost += lost[1];
    }
    buffer.tail = buffer.after;
  }
}

std::span<const std::byte> PerfReader::next(std::uint64_t until_ns) {
  Buffer* oldest = nullptr;
  for (const auto& buffer : buffers_) {
    peek(*buffer);
    if (buffer->record.empty() || buffer->time() > until_ns) continue;
    if (oldest == nullptr || buffer->time() < oldest->time()) oldest = buffer.get();
  }
  if (oldest == nullptr) return {};
  oldest->tail = oldest->after;
  return std::exchange(oldest->record, {});
}

void PerfReader::release() {
  for (const auto& buffer : buffers_)
    __atomic_store_n(&buffer->header()->data_tail, buffer->tail, __ATOMIC_RELEASE);
}

std::vector<std::uint64_t> PerfReader::lost() const {
  std::vector<std::uint64_t> lost;
  for (const auto& buffer : buffers_) lost.push_back(buffer->lost);
  return lost;
}

std::uint64_t PerfReader::waiting() const {
  std::uint64_t bytes = 0;
  for (const auto& buffer : buffers_) bytes += buffer->head() - buffer->header()->data_tail;
  return bytes;
}

std::size_t PerfReader::buffers() const { return buffers_.size(); }

}  // namespace auditshift::bpf
