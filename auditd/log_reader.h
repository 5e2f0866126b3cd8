// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "auditd/log.h"

namespace auditshift::auditd {

/// Counts the records of one log, given to it in pieces of any size; read_log() feeds it from files. Memory
/// is bounded whatever the input is. Not thread-safe.
class LogReader {
 public:
  explicit LogReader(const LogOptions& options);
  ~LogReader();
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;

  /// The next bytes of the current file. Lines may be split between calls.
  void feed(std::string_view bytes);
  /// The current file ends here: a line without its end is left out and counted as truncated. Events go on in
  /// the next file.
  void end_of_file();
  /// A compressed file ended in the middle.
  void mark_truncated();
  /// The answer. REQUIRES: end_of_file() was called after the last feed(); nothing is fed afterwards.
  LogStatistics finish();

 private:
  class Counter;
  std::unique_ptr<Counter> counter_;
  std::string carry_;      ///< the beginning of a line whose end has not come yet
  bool skipping_ = false;  ///< inside a line that is too long to be a record
};

}  // namespace auditshift::auditd
