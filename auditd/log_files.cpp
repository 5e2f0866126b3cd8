// SPDX-License-Identifier: Apache-2.0
#include "auditd/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <tuple>
#include <utility>

#include "auditd/log_record.h"

namespace auditshift::auditd {
namespace {

// Fits the second level cache together with what it is copied from; larger blocks are slower.
constexpr std::size_t kBlock = std::size_t{256} << 10;
// auditd keeps at most 999 (num_logs, auditd.conf(5)); a process may usually have 1,024 descriptors.
constexpr std::size_t kMostFiles = 800;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

enum class NameKind { unrelated, plain, foreign_compression };

/// What the part of a file's name after the log's own name says.
NameKind kind_of_suffix(std::string_view suffix) {
  if (suffix.empty()) return NameKind::plain;
  if (suffix.size() < 2 || (suffix[0] != '.' && suffix[0] != '-') || !is_digit(suffix[1]))
    return NameKind::unrelated;
  const std::size_t end = suffix.find_first_not_of("0123456789-_", 1);
  if (end == std::string_view::npos) return NameKind::plain;
  const std::string_view extension = suffix.substr(end);
  if (extension == ".gz") return NameKind::plain;
  if (extension == ".xz" || extension == ".bz2" || extension == ".zst" || extension == ".lz4")
    return NameKind::foreign_compression;
  return NameKind::unrelated;
}

class Inflater {
 public:
  Inflater() { ok_ = ::inflateInit2(&stream_, 15 + 16) == Z_OK; }
  ~Inflater() {
    if (ok_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool ok() const { return ok_; }
  /// True when the last byte ended a gzip member.
  bool at_end() const { return at_end_; }

  /// False when the data is no valid gzip.
  bool feed(std::string_view compressed, std::string& buffer,
            const std::function<void(std::string_view)>& sink) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    stream_.avail_in = static_cast<uInt>(compressed.size());
    while (true) {
      // Members may follow one another (RFC 1952, section 2.2).
      if (at_end_ && stream_.avail_in > 0) {
        if (::inflateReset(&stream_) != Z_OK) return false;
        at_end_ = false;
      }
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(buffer.size());
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t got = buffer.size() - stream_.avail_out;
      if (got > 0) sink({buffer.data(), got});
      if (status == Z_STREAM_END) {
        at_end_ = true;
        if (stream_.avail_in == 0) return true;
        continue;
      }
      if (status != Z_OK && status != Z_BUF_ERROR) return false;
      if (stream_.avail_in == 0 && stream_.avail_out > 0) return true;
    }
  }

 private:
  z_stream stream_{};
  bool ok_ = false;
  bool at_end_ = false;
};

/// Time of the first record in the first block; the sink is cut off after that block.
std::optional<std::int64_t> first_time(const LogFile& file) {
  char head[16384];
  const ssize_t n = ::pread(file.fd.get(), head, sizeof head, 0);
  if (n <= 0) return std::nullopt;
  std::string_view bytes(head, static_cast<std::size_t>(n));
  std::string inflated;
  if (bytes.starts_with("\x1f\x8b")) {
    Inflater inflater;
    std::string buffer(65536, '\0');
    if (!inflater.ok()) return std::nullopt;
    // A file cut short still shows its beginning.
    (void)inflater.feed(bytes, buffer, [&](std::string_view piece) {
      if (inflated.size() < buffer.size()) inflated += piece;
    });
    bytes = inflated;
  }
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (const auto record = parse_record_head(bytes.substr(0, end)))
      if (const auto stamp = parse_event_stamp(record->stamp)) return stamp->seconds;
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
  }
  return std::nullopt;
}

base::Result<LogFile> open_log_file(const base::Sysroot& host, const std::string& path, struct stat& st) {
  AUDITSHIFT_TRY(fd, host.open_file(path, O_RDONLY));
  if (::fstat(fd.get(), &st) != 0) return base::Error::from_errno(errno, path);
  if (!S_ISREG(st.st_mode)) return base::Error(base::Errc::invalid, path + ": not a regular file");
  LogFile file;
  file.path = path;
  file.fd = std::move(fd);
  file.size = static_cast<std::uint64_t>(st.st_size);
  file.modified = st.st_mtim.tv_sec;
  file.first = first_time(file);
  return file;
}

}  // namespace

std::vector<LogFile> find_log_files(const base::Sysroot& host, const std::string& log_file,
                                    std::vector<std::string>& errors) {
  const std::size_t slash = log_file.rfind('/');
  const std::string directory = slash == 0 || slash == std::string::npos ? "/" : log_file.substr(0, slash);
  const std::string base_name = slash == std::string::npos ? log_file : log_file.substr(slash + 1);
  std::vector<LogFile> files;
  auto entries = host.list(directory);
  if (!entries) {
    if (entries.error().code() != base::Errc::not_found) errors.push_back(entries.error().message());
    return files;
  }
  // The newest first, so that these are the ones that are read when there are too many.
  std::stable_sort(entries->begin(), entries->end(), [](const auto& a, const auto& b) {
    return a.info.modified.tv_sec > b.info.modified.tv_sec;
  });
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const base::DirectoryEntry& entry : *entries) {
    if (base_name.empty() || !entry.name.starts_with(base_name)) continue;
    const std::string path = (directory == "/" ? "" : directory) + "/" + entry.name;
    const NameKind kind = kind_of_suffix(std::string_view(entry.name).substr(base_name.size()));
    if (kind == NameKind::unrelated) continue;
    if (kind == NameKind::foreign_compression) {
      errors.push_back(path + ": compressed, and not with gzip: not read");
      continue;
    }
    if (files.size() == kMostFiles) {
      errors.push_back(path + ": not read: more than " + std::to_string(kMostFiles) + " log files");
      break;
    }
    struct stat st {};
    auto file = open_log_file(host, path, st);
    if (!file) {
      errors.push_back(file.error().message());
    } else if (seen.insert({st.st_dev, st.st_ino}).second) {
      files.push_back(*std::move(file));
    }
  }
  const auto age = [&](const LogFile& file) {
    return std::tuple(file.first.value_or(file.modified), file.path == log_file, file.modified, file.path);
  };
  std::sort(files.begin(), files.end(), [&](const auto& a, const auto& b) { return age(a) < age(b); });
  return files;
}

void drop_older_files(std::vector<LogFile>& files, std::int64_t since) {
  std::erase_if(files, [&](const LogFile& file) { return file.modified < since; });
  // A file ends where the next one begins; a record of the same second may be in both.
  std::size_t older = 0;
  for (std::size_t i = 0; i + 1 < files.size(); ++i)
    if (files[i].first && files[i + 1].first && *files[i + 1].first < since) older = i + 1;
  files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(older));
}

base::Result<LogFileEnd> stream_log_file(const LogFile& file,
                                         const std::function<void(std::string_view)>& sink,
                                         const std::function<void(std::uint64_t)>& on_disk) {
  ::posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::string block(kBlock, '\0');
  std::string inflated;
  std::optional<Inflater> inflater;
  bool begun = false;
  off_t offset = 0;
  while (true) {
    const ssize_t n = ::pread(file.fd.get(), block.data(), block.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::Error::from_errno(errno, file.path);
    if (n == 0) break;
    offset += n;
    const std::string_view bytes(block.data(), static_cast<std::size_t>(n));
    if (!begun && bytes.starts_with("\x1f\x8b")) {
      inflater.emplace();
      inflated.resize(kBlock);
      if (!inflater->ok()) return base::Error(base::Errc::io, file.path + ": no memory to inflate it");
    }
    begun = true;
    if (!inflater) {
      sink(bytes);
    } else if (!inflater->feed(bytes, inflated, sink)) {
      return base::Error(base::Errc::invalid, file.path + ": damaged gzip data");
    }
    on_disk(static_cast<std::uint64_t>(n));
  }
  return inflater && !inflater->at_end() ? LogFileEnd::truncated : LogFileEnd::complete;
}

}  // namespace auditshift::auditd
