// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/read_directory.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/hash.h"
#include "base/text.h"

namespace auditshift::migrate::fleet {
namespace {

constexpr std::size_t kLargestFile = std::size_t{64} << 20;
constexpr int kDeepestDirectory = 32;

/// Finds the files; their names begin without a slash.
class Walk {
 public:
  Walk(const base::Sysroot& root, DirectoryReading& reading) : root_(root), reading_(reading) {}

  void enter(const std::string& directory, int depth) {
    if (depth > kDeepestDirectory) return skip(directory, "more than 32 directories deep");
    auto entries = root_.list("/" + directory);
    if (!entries) return skip(directory, entries.error().message());
    for (const base::DirectoryEntry& entry : *entries) {
      const std::string name = directory.empty() ? entry.name : directory + "/" + entry.name;
      if (entry.info.is_directory()) {
        enter(name, depth + 1);
      } else if (name.ends_with(".json")) {
        files_.push_back(name);
      }
    }
  }
  std::vector<std::string> take() { return std::move(files_); }

 private:
  void skip(const std::string& directory, const std::string& why) {
    reading_.damaged.push_back({directory.empty() ? "." : directory, why});
  }

  const base::Sysroot& root_;
  DirectoryReading& reading_;
  std::vector<std::string> files_;
};

/// Hands out the files to threads and collects what they find.
class Reader {
 public:
  Reader(const base::Sysroot& root, const ReadOptions& options, const TakeReport& take,
         base::Progress& progress, std::vector<std::string> files, DirectoryReading& reading)
      : root_(root),
        options_(options),
        take_(take),
        progress_(progress),
        files_(std::move(files)),
        reading_(reading) {}

  void run() {
    unsigned count = options_.threads;
    if (count == 0) count = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
    count = static_cast<unsigned>(std::min<std::size_t>(count, std::max<std::size_t>(files_.size(), 1)));
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < count; ++i) threads.emplace_back([this] { work(); });
    work();
  }
  base::Result<void> take_result() { return std::move(result_); }

 private:
  void work() {
    while (!stop_) {
      const std::size_t next = next_++;
      if (next >= files_.size()) return;
      read(files_[next]);
    }
  }

  void read(const std::string& file) {
    auto text = root_.read_file("/" + file, kLargestFile);
    if (!text) return damaged(file, text.error().message());
    std::string hash;
    if (options_.known) {
      hash = base::sha256(*text);
      if (options_.known(hash)) return already_known();
    }
    auto report = parse_host_report(*text, base::to_utf8(file));
    if (!report) return damaged(file, report.error().message());
    if (!*report) return something_else();
    (*report)->hash = std::move(hash);
    deliver(std::move(**report));
  }

  /// The reason without the name of the file, which stands beside it.
  void damaged(const std::string& file, std::string why) {
    const std::lock_guard lock(mutex_);
    const std::string name = base::to_utf8(file);
    for (const std::string& prefix : {"/" + file + ": ", name + ": ", name + ":"})
      if (why.starts_with(prefix)) why.erase(0, prefix.size());
    reading_.damaged.push_back({name, base::to_utf8(why)});
    count();
  }
  void already_known() {
    const std::lock_guard lock(mutex_);
    ++reading_.known;
    count();
  }
  void something_else() {
    const std::lock_guard lock(mutex_);
    ++reading_.other_documents;
    count();
  }
  void deliver(HostReport report) {
    const std::lock_guard lock(mutex_);
    if (stop_) return;
    ++reading_.assessments;
    if (auto taken = take_(std::move(report)); !taken) {
      result_ = std::move(taken);
      stop_ = true;
    }
    count();
  }
  /// REQUIRES: mutex_ is held.
  void count() { progress_.update(++done_, files_.size(), "files"); }

  const base::Sysroot& root_;
  const ReadOptions& options_;
  const TakeReport& take_;
  base::Progress& progress_;
  const std::vector<std::string> files_;
  DirectoryReading& reading_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::size_t done_ = 0;
  base::Result<void> result_;
};

}  // namespace

base::Result<DirectoryReading> read_directory(const base::Sysroot& directory, const ReadOptions& options,
                                              const TakeReport& take, base::Progress& progress) {
  DirectoryReading reading;
  progress.step("looking for assessments");
  Walk walk(directory, reading);
  walk.enter("", 0);
  std::vector<std::string> files = walk.take();
  reading.files = files.size();
  progress.step("reading assessments");
  Reader reader(directory, options, take, progress, std::move(files), reading);
  reader.run();
  progress.finish();
  AUDITSHIFT_TRY_VOID(reader.take_result());
  std::sort(reading.damaged.begin(), reading.damaged.end(),
            [](const SkippedFile& a, const SkippedFile& b) { return a.file < b.file; });
  return reading;
}

}  // namespace auditshift::migrate::fleet
