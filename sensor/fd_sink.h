// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sensor/sink.h"

namespace auditshift::sensor {

/// Writes to a descriptor that somebody else owns, such as standard output. Waits for a slow reader, as any
/// program in a shell pipe does.
class FdSink final : public Sink {
 public:
  FdSink(int fd, std::string name) : fd_(fd) { status_.name = std::move(name); }

  void write(std::string_view lines, std::uint64_t records) override;
  SinkStatus status() const override { return status_; }
  /// The reader is gone; nothing will ever be written again.
  bool broken() const { return broken_; }

 private:
  int fd_;
  bool broken_ = false;
  SinkStatus status_;
};

}  // namespace auditshift::sensor
