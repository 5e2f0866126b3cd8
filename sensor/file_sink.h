// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "sensor/file_closer.h"
#include "sensor/file_syncer.h"
#include "sensor/sink.h"

namespace auditshift::sensor {

/// When written lines are forced to the disk (fdatasync). Until then a power cut may take them; the death of
/// this process alone never does. `every_second` takes FileSink::work_in_background().
enum class SyncPolicy { never, every_second, every_batch };

struct FileSinkOptions {
  std::string path;
  std::uint64_t rotate_bytes = std::uint64_t{100} << 20;  ///< 0: never
  unsigned rotate_count = 5;                              ///< older files kept: PATH.1 (newest) to PATH.N
  SyncPolicy sync = SyncPolicy::every_second;
};

/// Appends lines to a file of mode 0600, one write per batch, and rotates it by size.
///
/// A file never holds half a line: when a batch cannot be written whole (disk or quota full, I/O error), what
/// was written of it is cut off again and its records are counted as lost. Each batch tries anew; the first
/// that fits is preceded by a loss record. Lines cut by a crash of the machine are removed when the file is
/// opened.
///
/// Rotation keeps what is there: the older files are touched only when the current one has left its name, and
/// a rotation that a crash interrupted is finished the next time. A file that cannot be moved grows, which
/// status() tells, and is tried again after as many bytes as make a file. One that something else moved or
/// removed is left alone: a new one begins.
class FileSink final : public Sink {
 public:
  /// Opens or creates the file. Refused: a symbolic link, what is no regular file, a file that belongs to
  /// another user or has other names, a directory in which others may replace files (base/ownership.h).
  static base::Result<FileSink> open(FileSinkOptions options, LossLine loss_line, const base::Clock& clock);

  void write(std::string_view lines, std::uint64_t records) override;
  SinkStatus status() const override;

  /// Opens the path again, for a file that something else moved away.
  base::Result<void> reopen();

  /// From now on threads with the rights of the caller do what may wait for the disk: force what is written
  /// (with SyncPolicy::every_second), and give back the space of the oldest file.
  void work_in_background();

 private:
  FileSink(FileSinkOptions options, LossLine loss_line, const base::Clock& clock);

  /// Lets the current file become the newest of the older ones; write() opens the next.
  void rotate();
  /// The path no longer names the file that is written to.
  bool moved_away() const;
  /// Goes on with a new file, the older ones left as they are.
  void begin_anew();
  /// The file that was put aside becomes the newest of the older ones, for which these make room. An errno,
  /// or 0, also when there is none.
  int file_aside();
  void cannot_rotate(const std::string& error);
  /// Whether the directory has this name; when that cannot be told, it does.
  bool taken(const std::string& name) const;
  /// All of it or nothing. An errno, or 0.
  int append(std::string_view lines);
  void count_loss(std::uint64_t records, const std::string& error);
  void written();

  FileSinkOptions options_;
  LossLine loss_line_;
  const base::Clock* clock_;
  base::Fd directory_;
  std::string name_;  ///< in the directory
  base::Fd file_;
  std::uint64_t size_ = 0;
  std::uint64_t rotate_at_ = 0;  ///< the file does not grow beyond this
  bool torn_ = false;            ///< the file may end in half a line that could not be cut off yet
  std::unique_ptr<FileCloser> closer_;
  std::unique_ptr<FileSyncer> syncer_;
  std::string rotate_error_;  ///< why the file is larger than it should be
  std::string sync_error_;    ///< of the last batch, with SyncPolicy::every_batch
  Loss loss_;                 ///< since the last line that was written
  std::string scratch_;
  SinkStatus status_;
};

}  // namespace auditshift::sensor
