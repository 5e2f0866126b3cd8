// SPDX-License-Identifier: Apache-2.0
#include "sensor/container.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace auditshift::sensor {
namespace {

constexpr std::size_t kIdLength = 64;
// Groups come and go; what was forgotten is asked for again.
constexpr std::size_t kRemembered = 4096;
// FILEID_KERNFS of include/linux/exportfs.h: the handle is the 64-bit id.
constexpr int kKernfsHandle = 0xfe;

bool is_hex(char byte) { return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f'); }

base::Fd open_cgroup_tree() {
  // cgroup v2 alone, or beside v1 as systemd's hybrid layout has it.
  for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    base::Fd fd(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct statfs info {};
    if (fd && fstatfs(fd.get(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) return fd;
  }
  return base::Fd();
}

}  // namespace

std::string_view container_id_of(std::string_view cgroup_path) {
  std::size_t end = cgroup_path.size();
  while (end > 0) {
    if (!is_hex(cgroup_path[end - 1])) {
      --end;
      continue;
    }
    std::size_t begin = end;
    while (begin > 0 && is_hex(cgroup_path[begin - 1])) --begin;
    if (end - begin == kIdLength) return cgroup_path.substr(begin, kIdLength);
    end = begin;
  }
  return {};
}

ContainerTable::ContainerTable() : root_(open_cgroup_tree()) {}

std::string_view ContainerTable::find(std::uint64_t cgroup_id) {
  if (!root_ || cgroup_id == 0) return {};
  if (const auto found = known_.find(cgroup_id); found != known_.end()) return found->second;
  if (known_.size() >= kRemembered) known_.clear();
  return known_.emplace(cgroup_id, look_up(cgroup_id)).first->second;
}

std::string ContainerTable::look_up(std::uint64_t cgroup_id) const {
  // The id is the directory's file handle (kernfs): no search, and no race with the process's own end.
  alignas(file_handle) std::array<std::byte, sizeof(file_handle) + sizeof cgroup_id> memory{};
  auto* handle = reinterpret_cast<file_handle*>(memory.data());
  handle->handle_bytes = sizeof cgroup_id;
  handle->handle_type = kKernfsHandle;
  std::memcpy(memory.data() + sizeof(file_handle), &cgroup_id,
              sizeof cgroup_id);  // f_handle, its last member
  const base::Fd directory(open_by_handle_at(root_.get(), handle, O_PATH | O_CLOEXEC));
  if (!directory) return {};
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(directory.get());
  const ssize_t length = readlink(link.c_str(), path.data(), path.size());
  if (length <= 0) return {};
  return std::string(container_id_of({path.data(), static_cast<std::size_t>(length)}));
}

}  // namespace auditshift::sensor
