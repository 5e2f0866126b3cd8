// SPDX-License-Identifier: Apache-2.0
#include "sensor/reader_sink.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace auditshift::sensor {

ReaderSink::ReaderSink(Options options, LossLine loss_line, const base::Clock& clock, base::Fd epoll)
    : options_(options), loss_line_(std::move(loss_line)), clock_(&clock), epoll_(std::move(epoll)) {
  status_.name = "readers";
}

base::Result<ReaderSink> ReaderSink::create(Options options, LossLine loss_line, const base::Clock& clock) {
  base::Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return base::Error::from_errno(errno, "epoll");
  return ReaderSink(options, std::move(loss_line), clock, std::move(epoll));
}

base::Result<void> ReaderSink::adopt(base::Fd socket) {
  if (readers_.size() >= options_.readers)
    return base::Error(base::Errc::busy, "there are " + std::to_string(readers_.size()) + " readers already");
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return base::Error::from_errno(errno, "reader");
  Reader& reader = readers_.emplace_back();
  reader.socket = std::move(socket);
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = &reader;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, reader.socket.get(), &interest) != 0) {
    const int error = errno;
    readers_.pop_back();
    return base::Error::from_errno(error, "reader");
  }
  return {};
}

void ReaderSink::write(std::string_view lines, std::uint64_t records) {
  for (Reader& reader : readers_) offer(reader, lines, records);
  std::erase_if(readers_, [](const Reader& reader) { return reader.gone; });
}

void ReaderSink::offer(Reader& reader, std::string_view lines, std::uint64_t records) {
  if (reader.loss.count != 0 && reader.queue.empty()) {
    reader.loss.last_ns = static_cast<std::uint64_t>(clock_->since_boot().count());
    loss_line_(reader.queue, reader.loss);
    reader.loss = Loss{};
  }
  const bool full = reader.queue.size() - reader.sent + lines.size() > options_.queue_bytes;
  if (full || reader.loss.count != 0) {
    if (reader.loss.count == 0) {
      reader.loss.cause = "reader too slow";
      reader.loss.first_ns = static_cast<std::uint64_t>(clock_->since_boot().count());
    }
    reader.loss.count += records;
    status_.lost += records;
    return;
  }
  if (reader.sent > reader.queue.size() / 2) {
    reader.queue.erase(0, reader.sent);
    reader.sent = 0;
  }
  reader.queue += lines;
  status_.records += records;
  status_.bytes += lines.size();
  flush(reader);
}

void ReaderSink::flush(Reader& reader) {
  while (reader.sent < reader.queue.size()) {
    const ssize_t sent = ::send(reader.socket.get(), reader.queue.data() + reader.sent,
                                reader.queue.size() - reader.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        reader.gone = true;
        return;
      }
      watch(reader, true);
      return;
    }
    reader.sent += static_cast<std::size_t>(sent);
  }
  reader.queue.clear();
  reader.sent = 0;
  watch(reader, false);
}

void ReaderSink::watch(Reader& reader, bool writable) {
  epoll_event interest{};
  interest.events = (reader.silent ? 0U : EPOLLIN) | (writable ? EPOLLOUT : 0U);
  interest.data.ptr = &reader;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, reader.socket.get(), &interest);
}

void ReaderSink::service() {
  std::array<epoll_event, 16> ready{};
  const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    auto& reader = *static_cast<Reader*>(event.data.ptr);
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) {
      reader.gone = true;
      continue;
    }
    if ((event.events & EPOLLIN) != 0) {
      // A reader has nothing to say; what it says all the same must not keep epoll awake. It may close its
      // sending side and read on.
      char ignored[512];
      if (::recv(reader.socket.get(), ignored, sizeof ignored, MSG_DONTWAIT) == 0) reader.silent = true;
    }
    if ((event.events & EPOLLOUT) != 0) {
      flush(reader);
    } else if (reader.silent) {
      watch(reader, !reader.queue.empty());
    }
  }
  std::erase_if(readers_, [](const Reader& reader) { return reader.gone; });
}

SinkStatus ReaderSink::status() const { return status_; }

}  // namespace auditshift::sensor
