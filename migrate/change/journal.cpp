// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/journal.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/hash.h"
#include "base/text.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

constexpr std::string_view kHeader = "auditshift-journal 1\n";
constexpr std::size_t kCheckDigits = 16;

std::string checksum(std::string_view json) { return base::sha256(json).substr(0, kCheckDigits); }

/// The record of one line without its newline, or nothing when the line is not whole.
std::optional<Json> decode_record(std::string_view line) {
  if (line.size() < kCheckDigits + 2 || line[kCheckDigits] != ' ') return std::nullopt;
  const std::size_t blank = line.find(' ', kCheckDigits + 1);
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view length = line.substr(kCheckDigits + 1, blank - kCheckDigits - 1);
  const std::string_view json = line.substr(blank + 1);
  if (length != std::to_string(json.size()) || checksum(json) != line.substr(0, kCheckDigits))
    return std::nullopt;
  auto parsed = base::parse_json(json, "record");
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return *std::move(parsed);
}

Error damaged(std::string_view name, std::size_t line) {
  return Error(Errc::invalid, std::string(name) + ":" + std::to_string(line) +
                                  ": the journal is damaged, this record is not what was written")
      .with_hint("Nothing was changed. docs/journal.md tells how to read the rest and bring the host back.");
}

}  // namespace

std::string_view journal_header() { return kHeader; }

std::string encode_record(const Json& record) {
  // Other text than UTF-8 never reaches a record, but must not end the process when it does.
  const std::string json = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  return checksum(json) + " " + std::to_string(json.size()) + " " + json + "\n";
}

Result<JournalText> parse_journal(std::string_view text, std::string_view name) {
  if (!text.starts_with(kHeader)) {
    if (text.starts_with("auditshift-journal "))
      return Error(Errc::unsupported, std::string(name) + ": written by another version of auditshift: " +
                                          base::printable(text.substr(0, std::min(text.find('\n'), 40UL))))
          .with_hint("Use the version that began this transaction.");
    return damaged(name, 1);
  }
  JournalText journal;
  journal.size = kHeader.size();
  while (journal.size < text.size()) {
    const std::string_view rest = text.substr(journal.size);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    std::optional<Json> record = decode_record(rest.substr(0, end));
    if (!record) {
      // Each record is synced before the next is written, so only the last can be cut off. Blocks of it that
      // never reached the disk read as zeros; any other wrong byte was written right once.
      const bool last = end + 1 == rest.size();
      if (!last || rest.find('\0') == std::string_view::npos)
        return damaged(name, journal.records.size() + 2);
      break;
    }
    journal.records.push_back(*std::move(record));
    journal.size += end + 1;
  }
  journal.torn = text.size() - journal.size;
  return journal;
}

Result<JournalFile> JournalFile::create(std::shared_ptr<const base::Sysroot> host, const std::string& path,
                                        const Json& first) {
  const std::string text = std::string(kHeader) + encode_record(first);
  AUDITSHIFT_TRY_VOID(host->write_atomic(path, text, {.mode = 0600}));
  const auto open_and_reserve = [&]() -> Result<JournalFile> {
    AUDITSHIFT_TRY(journal, open(host, path));
    AUDITSHIFT_TRY_VOID(journal.reserve(0));
    return std::move(journal);
  };
  auto journal = open_and_reserve();
  if (!journal) (void)host->remove(path);  // the error to tell is why it could not be used
  return journal;
}

Result<JournalFile> JournalFile::open(std::shared_ptr<const base::Sysroot> host, const std::string& path) {
  AUDITSHIFT_TRY(text, host->read_file(path));
  AUDITSHIFT_TRY(parsed, parse_journal(text, path));
  AUDITSHIFT_TRY(fd, host->open_append(path, 0600));
  JournalFile journal(std::move(host), path, std::move(fd), parsed.size);
  journal.records_ = std::move(parsed.records);
  journal.cut_ = parsed.torn;
  if (parsed.torn != 0) AUDITSHIFT_TRY_VOID(journal.take_back());
  // What was read may not be on the disk yet, if its writer died before the sync.
  if (journal.host_->disk().fsync(journal.fd_.get()) != 0) return Error::from_errno(errno, path);
  return journal;
}

Result<void> JournalFile::take_back() {
  broken_ = true;
  if (host_->disk().truncate(fd_.get(), static_cast<off_t>(size_)) != 0)
    return Error::from_errno(errno, path_).context("cannot cut off an unfinished record");
  if (host_->disk().fsync(fd_.get()) != 0)
    return Error::from_errno(errno, path_).context("cannot cut off an unfinished record");
  broken_ = false;
  return {};
}

Result<void> JournalFile::append(const Json& record) {
  if (broken_) return Error(Errc::io, path_ + ": the journal cannot be written any more");
  const std::string line = encode_record(record);
  auto written = base::write_all(host_->disk(), fd_.get(), line, path_);
  if (written && host_->disk().fsync(fd_.get()) != 0) written = Error::from_errno(errno, path_);
  if (!written) {
    (void)take_back();  // where it fails, `broken_` says so
    return std::move(written).context("cannot write the journal");
  }
  size_ += line.size();
  return {};
}

Result<void> JournalFile::reserve(std::size_t bytes) {
  // A rollback's records, each with a message at most, and what allocation rounds up.
  constexpr std::size_t kWayBack = std::size_t{64} << 10;
  const auto length = static_cast<off_t>(bytes + kWayBack);
  if (host_->disk().allocate(fd_.get(), static_cast<off_t>(size_), length) == 0) return {};
  if (errno == EOPNOTSUPP || errno == ENOSYS) return {};
  return Error::from_errno(errno, path_).context("cannot set aside space for the journal");
}

}  // namespace auditshift::migrate::change
