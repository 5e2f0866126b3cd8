// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "sensor/sink.h"

namespace auditshift::sensor {

/// Sends lines to any number of readers on stream sockets. Each reader has a queue of its own with a limit:
/// one that does not keep up loses whole batches, which are counted for it and told to it by a loss record as
/// soon as its queue is empty again. Nobody else notices.
class ReaderSink final : public Sink {
 public:
  struct Options {
    std::size_t queue_bytes = std::size_t{4} << 20;  ///< per reader
    std::size_t readers = 64;
  };

  static base::Result<ReaderSink> create(Options options, LossLine loss_line, const base::Clock& clock);

  /// A new reader, from the next batch on. Errc::busy when there are too many.
  base::Result<void> adopt(base::Fd reader);

  void write(std::string_view lines, std::uint64_t records) override;
  bool wanted() const override { return !readers_.empty(); }
  SinkStatus status() const override;

  /// Readable when service() has work: a reader can take more, or is gone.
  int descriptor() const { return epoll_.get(); }
  void service();
  std::size_t reader_count() const { return readers_.size(); }
  bool full() const { return readers_.size() >= options_.readers; }

 private:
  struct Reader {
    base::Fd socket;
    std::string queue;
    std::size_t sent = 0;  ///< of `queue`
    Loss loss;             ///< not yet told
    bool silent = false;   ///< has closed its sending side
    bool gone = false;
  };

  ReaderSink(Options options, LossLine loss_line, const base::Clock& clock, base::Fd epoll);

  void offer(Reader& reader, std::string_view lines, std::uint64_t records);
  /// Sends from the queue what the socket takes.
  void flush(Reader& reader);
  void watch(Reader& reader, bool writable);

  Options options_;
  LossLine loss_line_;
  const base::Clock* clock_;
  base::Fd epoll_;
  std::list<Reader> readers_;  // a list: epoll holds their addresses
  SinkStatus status_;
};

}  // namespace auditshift::sensor
