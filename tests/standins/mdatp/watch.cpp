// SPDX-License-Identifier: Apache-2.0
#include "watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <cstring>

namespace standin {
namespace {

// Where the file systems lie that are watched.
constexpr const char* kMounts[] = {"/", "/tmp", "/var", "/run", "/var/lib/auditshift"};

std::string link_of(const std::string& path) {
  char text[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

/// "directory/name" of an event that reports its directory's handle and the name in it.
std::string file_of(const fanotify_event_metadata& event) {
  const char* at = reinterpret_cast<const char*>(&event) + event.metadata_len;
  fanotify_event_info_fid info;
  if (event.event_len < event.metadata_len + sizeof info) return {};
  std::memcpy(&info, at, sizeof info);
  if (info.hdr.info_type != FAN_EVENT_INFO_TYPE_DFID_NAME) return {};
  const char* handle_at = at + offsetof(fanotify_event_info_fid, handle);
  file_handle head;
  std::memcpy(&head, handle_at, sizeof head);
  alignas(file_handle) char handle[sizeof(file_handle) + MAX_HANDLE_SZ];
  if (head.handle_bytes > MAX_HANDLE_SZ) return {};
  std::memcpy(handle, handle_at, sizeof head + head.handle_bytes);
  const std::string name = handle_at + sizeof head + head.handle_bytes;
  for (const char* mount : kMounts) {
    const int mount_fd = ::open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int fd = ::open_by_handle_at(mount_fd, reinterpret_cast<file_handle*>(handle), O_PATH | O_CLOEXEC);
    const std::string directory = fd >= 0 ? link_of("/proc/self/fd/" + std::to_string(fd)) : std::string();
    if (fd >= 0) ::close(fd);
    if (mount_fd >= 0) ::close(mount_fd);
    if (!directory.empty()) return directory + "/" + name;
  }
  return {};
}

void take(const char* bytes, ssize_t length, Sightings& seen) {
  for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(fanotify_event_metadata)) <= length;) {
    const auto* event = reinterpret_cast<const fanotify_event_metadata*>(bytes + at);
    ++seen.renames;
    if (const std::string file = file_of(*event); !file.empty()) ++seen.files[file];
    const std::string program = link_of("/proc/" + std::to_string(event->pid) + "/exe");
    if (!program.empty()) ++seen.initiators[program];
    at += event->event_len;
  }
}

}  // namespace

Sightings watch_renames(int milliseconds) {
  Sightings seen;
  const int watch = ::fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_REPORT_DFID_NAME, O_RDONLY);
  if (watch < 0) return seen;
  for (const char* mount : kMounts)
    ::fanotify_mark(watch, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_MOVED_FROM, AT_FDCWD, mount);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  alignas(fanotify_event_metadata) static char bytes[65536];
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    pollfd readable{watch, POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) <= 0) continue;
    take(bytes, ::read(watch, bytes, sizeof bytes), seen);
  }
  ::close(watch);
  return seen;
}

}  // namespace standin
