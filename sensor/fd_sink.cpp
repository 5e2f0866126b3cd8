// SPDX-License-Identifier: Apache-2.0
#include "sensor/fd_sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace auditshift::sensor {

void FdSink::write(std::string_view lines, std::uint64_t records) {
  const std::uint64_t bytes = lines.size();
  while (!lines.empty() && !broken_) {
    const ssize_t wrote = ::write(fd_, lines.data(), lines.size());
    if (wrote >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {
      pollfd writable{fd_, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      broken_ = true;
      status_.error = std::strerror(errno);
    }
  }
  if (!lines.empty()) {
    status_.lost += records;
    return;
  }
  status_.records += records;
  status_.bytes += bytes;
}

}  // namespace auditshift::sensor
