// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_sink.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/ownership.h"

namespace auditshift::sensor {
namespace {

constexpr mode_t kMode = 0600;
constexpr auto kSyncInterval = std::chrono::seconds(1);
/// The file between its own name and that of the newest older one. Who finds it finds a rotation that was
/// interrupted.
constexpr const char* kAside = ".rotating";

/// Length of the file up to and with its last newline.
base::Result<std::uint64_t> whole_lines(int fd, std::uint64_t size, const std::string& path) {
  char block[4096];
  std::uint64_t end = size;
  while (end > 0) {
    const std::uint64_t start = end > sizeof block ? end - sizeof block : 0;
    const ssize_t got = ::pread(fd, block, end - start, static_cast<off_t>(start));
    if (got < 0) return base::Error::from_errno(errno, path);
    const std::string_view text(block, static_cast<std::size_t>(got));
    if (const std::size_t newline = text.rfind('\n'); newline != std::string_view::npos)
      return start + newline + 1;
    end = start;
  }
  return std::uint64_t{0};
}

}  // namespace

FileSink::FileSink(FileSinkOptions options, LossLine loss_line, const base::Clock& clock)
    : options_(std::move(options)), loss_line_(std::move(loss_line)), clock_(&clock) {
  status_.name = "file " + options_.path;
}

base::Result<FileSink> FileSink::open(FileSinkOptions options, LossLine loss_line, const base::Clock& clock) {
  FileSink sink(std::move(options), std::move(loss_line), clock);
  AUDITSHIFT_TRY_VOID(sink.reopen());
  if (const int error = sink.file_aside(); error != 0)  // the next rotation tries again, before all else
    spdlog::warn("{}: cannot finish an interrupted rotation: {}", sink.options_.path, std::strerror(error));
  return sink;
}

base::Result<void> FileSink::reopen() {
  const std::string& path = options_.path;
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  AUDITSHIFT_TRY(directory, base::open_own_directory(parent).context("cannot open the output file"));
  base::Fd file(::openat(directory.get(), name.c_str(),
                         O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kMode));
  if (!file) return base::Error::from_errno(errno, path).context("cannot open the output file");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return base::Error::from_errno(errno, path);
  if (!S_ISREG(info.st_mode))
    return base::Error(base::Errc::invalid, path + ": the output file must be a regular file");
  AUDITSHIFT_TRY_VOID(base::require_own_file(file.get(), path).context("cannot open the output file"));
  if ((info.st_mode & 07777) != kMode && ::fchmod(file.get(), kMode) != 0)
    return base::Error::from_errno(errno, path).context("cannot make the output file private");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  AUDITSHIFT_TRY(whole, whole_lines(file.get(), size, path));
  if (whole != size && ::ftruncate(file.get(), static_cast<off_t>(whole)) != 0)
    return base::Error::from_errno(errno, path).context("cannot cut off half a line");
  directory_ = std::move(directory);
  name_ = name;
  base::Fd former = std::exchange(file_, std::move(file));
  if (syncer_) syncer_->follow(file_.get());
  if (closer_) closer_->close(std::move(former));  // if it was removed, this may take its time
  size_ = whole;
  rotate_at_ = options_.rotate_bytes;
  rotate_error_.clear();
  torn_ = false;
  return {};
}

void FileSink::write(std::string_view lines, std::uint64_t records) {
  if (options_.rotate_bytes != 0 && size_ != 0 && size_ + lines.size() > rotate_at_) rotate();
  if (!file_) {
    if (auto reopened = reopen(); !reopened.ok()) {
      count_loss(records, reopened.error().message());
      return;
    }
  }
  int error = 0;
  if (loss_.count != 0) {
    scratch_.clear();
    loss_.last_ns = static_cast<std::uint64_t>(clock_->since_boot().count());
    loss_line_(scratch_, loss_);
    scratch_ += lines;
    error = append(scratch_);
  } else {
    error = append(lines);
  }
  if (error != 0) {
    count_loss(records, std::strerror(error));
    return;
  }
  if (loss_.count != 0) {
    spdlog::warn("{}: writing again, {} records were lost", options_.path, loss_.count);
    loss_ = Loss{};
    status_.error.clear();
  }
  status_.records += records;
  status_.bytes += lines.size();
  written();
}

int FileSink::append(std::string_view lines) {
  if (torn_) {
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return errno;
    torn_ = false;
  }
  std::size_t done = 0;
  while (done < lines.size()) {
    const ssize_t wrote = ::write(file_.get(), lines.data() + done, lines.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const int error = wrote < 0 ? errno : ENOSPC;
      torn_ = done != 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0;
      return error;
    }
    done += static_cast<std::size_t>(wrote);
  }
  size_ += lines.size();
  return 0;
}

void FileSink::count_loss(std::uint64_t records, const std::string& error) {
  if (loss_.count == 0) {
    loss_.cause = "output file could not be written";
    loss_.first_ns = static_cast<std::uint64_t>(clock_->since_boot().count());
    spdlog::error("{}: cannot write: {}; counting what is lost, trying on", options_.path, error);
  }
  loss_.count += records;
  status_.lost += records;
  status_.error = error;
}

void FileSink::rotate() {
  if (moved_away()) return begin_anew();
  if (options_.rotate_count == 0) {
    if (::ftruncate(file_.get(), 0) != 0) return cannot_rotate(std::strerror(errno));
    size_ = 0;
    rotate_at_ = options_.rotate_bytes;
    rotate_error_.clear();
    return;
  }
  // First out of the way of an earlier one, then whether it can be moved at all: what is older is given up
  // for a file that needs the place, not for one that stays where it is.
  const int here = directory_.get();
  if (const int error = file_aside(); error != 0) return cannot_rotate(std::strerror(error));
  if (::renameat(here, name_.c_str(), here, (name_ + kAside).c_str()) != 0)
    return cannot_rotate(std::strerror(errno));
  if (const int error = file_aside(); error != 0) {
    (void)::renameat(here, (name_ + kAside).c_str(), here, name_.c_str());
    return cannot_rotate(std::strerror(error));
  }
  file_.reset();
  size_ = 0;
}

bool FileSink::moved_away() const {
  struct stat named {
  }, written{};
  if (::fstatat(directory_.get(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
  return ::fstat(file_.get(), &written) == 0 &&
         (named.st_dev != written.st_dev || named.st_ino != written.st_ino);
}

void FileSink::begin_anew() {
  const auto reopened = reopen();
  if (reopened.ok()) {
    spdlog::warn("{}: the file was moved away, going on with a new one", options_.path);
    return;
  }
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0 || info.st_nlink != 0)
    return cannot_rotate(reopened.error().message());
  // Nobody could read what is written to a removed file: better that it is counted.
  if (closer_) closer_->close(std::move(file_));
  file_.reset();
  size_ = 0;
}

int FileSink::file_aside() {
  const int here = directory_.get();
  const std::string aside = name_ + kAside;
  if (options_.rotate_count == 0 || !taken(aside)) return 0;
  const auto older = [&](unsigned number) { return name_ + "." + std::to_string(number); };
  unsigned room = 1;
  while (room < options_.rotate_count && taken(older(room))) ++room;
  // The oldest goes first, not by being replaced: ext4 would write out all of the file that takes its place
  // before the rename returns (ext4_rename() with auto_da_alloc, fs/ext4/namei.c), and events come meanwhile.
  // They also come while its blocks are freed, so its last descriptor is closed elsewhere.
  if (room == options_.rotate_count) {
    base::Fd oldest(::openat(here, older(room).c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
    if (::unlinkat(here, older(room).c_str(), 0) != 0 && errno != ENOENT) return errno;
    if (closer_) closer_->close(std::move(oldest));
  }
  for (; room > 1; --room) {
    if (::renameat(here, older(room - 1).c_str(), here, older(room).c_str()) != 0 && errno != ENOENT)
      return errno;
  }
  return ::renameat(here, aside.c_str(), here, older(1).c_str()) == 0 ? 0 : errno;
}

bool FileSink::taken(const std::string& name) const {
  struct stat info {};
  return ::fstatat(directory_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

void FileSink::cannot_rotate(const std::string& error) {
  // Better a file that is too long than events that are lost.
  if (rotate_error_.empty()) spdlog::error("{}: cannot rotate: {}", options_.path, error);
  rotate_error_ = "cannot rotate: " + error;
  rotate_at_ = size_ + options_.rotate_bytes;
}

void FileSink::written() {
  if (syncer_) syncer_->written();
  if (options_.sync == SyncPolicy::every_batch)
    sync_error_ = FileSyncer::text_of(FileSyncer::fdatasync_of(file_.get()));
}

void FileSink::work_in_background() {
  const std::size_t files_waiting = options_.rotate_count + 1;
  try {
    closer_ = std::make_unique<FileCloser>(files_waiting);
    if (options_.sync == SyncPolicy::every_second)
      syncer_ = std::make_unique<FileSyncer>(kSyncInterval, files_waiting);
  } catch (const std::system_error& error) {  // of std::thread
    spdlog::warn(
        "{}: no thread for what waits for the disk ({}): the kernel forces what is written in its own time",
        options_.path, error.what());
  }
  if (!syncer_ || !file_) return;
  syncer_->follow(file_.get());
  syncer_->written();  // since it was opened, perhaps
}

SinkStatus FileSink::status() const {
  SinkStatus status = status_;
  if (status.error.empty()) status.error = rotate_error_;
  if (status.error.empty()) status.error = syncer_ ? syncer_->error() : sync_error_;
  return status;
}

}  // namespace auditshift::sensor
