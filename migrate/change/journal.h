// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/json.h"
#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::migrate::change {

/// The records of one journal. docs/journal.md describes the format byte by byte.
struct JournalText {
  std::vector<base::Json> records;  ///< each an object; record i stands on line i + 2
  std::size_t size = 0;             ///< bytes up to the end of the last whole record
  std::size_t torn = 0;             ///< bytes of a record after it whose writing was cut off, or 0
};

/// Errors: damage anywhere but in the last record's unfinished bytes (names the line), and another version.
base::Result<JournalText> parse_journal(std::string_view text, std::string_view name);
/// "auditshift-journal 1", with its newline.
std::string_view journal_header();
/// The line of one record.
std::string encode_record(const base::Json& record);

/// A journal that is being written. Each record is on the disk when append() returns.
///
/// REQUIRES: the caller holds the lock of the state directory.
class JournalFile {
 public:
  /// A new journal that begins with `first`. On failure there is none.
  static base::Result<JournalFile> create(std::shared_ptr<const base::Sysroot> host, const std::string& path,
                                          const base::Json& first);
  /// Opens a journal to go on; the unfinished bytes of a last record are cut off.
  static base::Result<JournalFile> open(std::shared_ptr<const base::Sysroot> host, const std::string& path);

  /// Writes the record and syncs it. After a failure the record is taken back; where that fails as well,
  /// every later append fails too, and the file has to be opened again.
  base::Result<void> append(const base::Json& record);
  /// Sets disk space aside, so that `bytes` more can be appended when the disk is full. A file system that
  /// cannot do so is no error.
  base::Result<void> reserve(std::size_t bytes);

  const std::vector<base::Json>& records() const { return records_; }  ///< as they were at open()
  std::size_t cut() const { return cut_; }                             ///< bytes that open() cut off

 private:
  JournalFile(std::shared_ptr<const base::Sysroot> host, std::string path, base::Fd fd, std::size_t size)
      : host_(std::move(host)), path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  base::Result<void> take_back();

  std::shared_ptr<const base::Sysroot> host_;
  std::string path_;
  base::Fd fd_;
  std::size_t size_;
  std::vector<base::Json> records_;
  std::size_t cut_ = 0;
  bool broken_ = false;
};

}  // namespace auditshift::migrate::change
