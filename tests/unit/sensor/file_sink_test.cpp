// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

/// Makes writes beyond a size fail (EFBIG), as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

/// A file that can be written to at its end, but neither moved nor cut (chattr +a).
class AppendOnly {
 public:
  explicit AppendOnly(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    works_ = ::ioctl(file_.get(), FS_IOC_GETFLAGS, &before_) == 0 && set(before_ | FS_APPEND_FL);
  }
  ~AppendOnly() {
    if (works_) set(before_);
  }
  AppendOnly(const AppendOnly&) = delete;
  AppendOnly& operator=(const AppendOnly&) = delete;
  bool works() const { return works_; }

 private:
  bool set(int flags) const { return ::ioctl(file_.get(), FS_IOC_SETFLAGS, &flags) == 0; }

  base::Fd file_;
  int before_ = 0;
  bool works_ = false;
};

class FileSinkTest : public testing::Test {
 protected:
  FileSink open(FileSinkOptions options = {}) {
    options.path = path_;
    auto sink = FileSink::open(options, loss_line_, clock_);
    EXPECT_TRUE(sink.ok()) << sink.error().message();
    return std::move(sink).value();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("events.ndjson");
  base::FixedClock clock_{base::WallTime(std::chrono::seconds(1'000'000))};
  LossLine loss_line_ = [](std::string& out, const Loss& loss) {
    out += "lost " + std::to_string(loss.count) + " " + std::string(loss.cause) + "\n";
  };
};

TEST_F(FileSinkTest, AppendsToAPrivateFile) {
  {
    FileSink sink = open();
    sink.write("one\ntwo\n", 2);
  }
  FileSink sink = open();
  sink.write("three\n", 1);
  EXPECT_EQ(read_all(path_), "one\ntwo\nthree\n");
  EXPECT_EQ(sink.status().records, 1U);
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(FileSinkTest, MakesAFilePrivateThatWasNot) {
  write_all(path_, "old\n");
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  const FileSink sink = open();
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(FileSinkTest, CutsOffHalfALineThatACrashLeft) {
  write_all(path_, "whole\nhalf of a li");
  FileSink sink = open();
  sink.write("next\n", 1);
  EXPECT_EQ(read_all(path_), "whole\nnext\n");
}

TEST_F(FileSinkTest, CutsOffHalfALineLongerThanABlock) {
  write_all(path_, "whole\n" + std::string(10'000, 'x'));
  const FileSink sink = open();
  EXPECT_EQ(read_all(path_), "whole\n");
}

TEST_F(FileSinkTest, RotatesBySizeAndKeepsSoMany) {
  FileSinkOptions options;
  options.rotate_bytes = 12;
  options.rotate_count = 2;
  FileSink sink = open(options);
  for (const char* line : {"aaaaaaaaa\n", "bbbbbbbbb\n", "ccccccccc\n", "ddddddddd\n"}) sink.write(line, 1);
  EXPECT_EQ(read_all(path_), "ddddddddd\n");
  EXPECT_EQ(read_all(path_ + ".1"), "ccccccccc\n");
  EXPECT_EQ(read_all(path_ + ".2"), "bbbbbbbbb\n");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".3"));
  EXPECT_EQ(sink.status().lost, 0U);
}

TEST_F(FileSinkTest, NothingKeepsTheSpaceOfARemovedFile) {
  FileSinkOptions options;
  options.rotate_bytes = 8;
  options.rotate_count = 1;
  FileSink sink = open(options);
  sink.work_in_background();
  for (int i = 0; i < 20; ++i) sink.write("a line\n", 1);
  const auto kept = [&] {  // descriptors of removed files
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const std::string name = std::filesystem::read_symlink(entry, gone).string();
      if (name.starts_with(path_) && name.ends_with(" (deleted)")) ++count;
    }
    return count;
  };
  for (int i = 0; i < 1000 && kept() != 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(kept(), 0U);
  EXPECT_EQ(read_all(path_ + ".1"), "a line\n");
  EXPECT_EQ(sink.status().records, 20U);
}

TEST_F(FileSinkTest, StartsAnewInPlaceWhenNoOlderFileIsKept) {
  FileSinkOptions options;
  options.rotate_bytes = 12;
  options.rotate_count = 0;
  FileSink sink = open(options);
  sink.write("aaaaaaaaa\n", 1);
  sink.write("bbbbbbbbb\n", 1);
  EXPECT_EQ(read_all(path_), "bbbbbbbbb\n");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".1"));
}

TEST_F(FileSinkTest, CountsWhatDoesNotFitAndSaysSoWhenItGoesOn) {
  FileSink sink = open();
  sink.write("fits\n", 1);
  {
    const FileSizeLimit full(10);
    sink.write("this line is cut\nand this\n", 2);
    EXPECT_EQ(read_all(path_), "fits\n") << "no half line";
    sink.write("still full, more\n", 1);
    EXPECT_EQ(sink.status().lost, 3U);
    EXPECT_FALSE(sink.status().error.empty());
  }
  sink.write("again\n", 1);
  EXPECT_EQ(read_all(path_), "fits\nlost 3 output file could not be written\nagain\n");
  EXPECT_EQ(sink.status().records, 2U);
  EXPECT_EQ(sink.status().lost, 3U);
  EXPECT_TRUE(sink.status().error.empty());
}

TEST_F(FileSinkTest, WritesOnWhenItsDirectoryCameBack) {
  const std::string directory = directory_.file("logs");
  std::filesystem::create_directory(directory);
  path_ = directory + "/events.ndjson";
  FileSinkOptions options;
  options.rotate_bytes = 4;
  FileSink sink = open(options);
  sink.write("one\n", 1);
  std::filesystem::remove_all(directory);
  sink.write("two\n", 1);
  EXPECT_EQ(sink.status().lost, 1U) << "nobody could read it in the removed file";
  EXPECT_FALSE(sink.status().error.empty());
  std::filesystem::create_directory(directory);
  sink.write("new\n", 1);
  EXPECT_EQ(read_all(path_), "lost 1 output file could not be written\nnew\n");
  EXPECT_TRUE(sink.status().error.empty());
}

/// Files of ten bytes, three older ones kept; each line fills one.
class RotationTest : public FileSinkTest {
 protected:
  FileSink open_small() {
    FileSinkOptions options;
    options.rotate_bytes = 12;
    options.rotate_count = 3;
    return open(options);
  }
  /// What is in the current file and the older ones.
  std::vector<std::string> contents() const {
    std::vector<std::string> all = {read_all(path_)};
    for (const char* number : {".1", ".2", ".3", ".4"}) all.push_back(read_all(path_ + number));
    return all;
  }
  using Contents = std::vector<std::string>;
  std::string aside_ = path_ + ".rotating";
};

TEST_F(RotationTest, BeginsAnewWhenSomebodyRemovedTheFile) {
  FileSink sink = open_small();
  for (const char* line : {"aaaaaaaaa\n", "bbbbbbbbb\n", "ccccccccc\n"}) sink.write(line, 1);
  std::filesystem::remove(path_);
  for (const char* line : {"ddddddddd\n", "eeeeeeeee\n"}) sink.write(line, 1);
  EXPECT_EQ(contents(), (Contents{"eeeeeeeee\n", "ddddddddd\n", "bbbbbbbbb\n", "aaaaaaaaa\n", ""}));
  EXPECT_TRUE(sink.status().error.empty());
}

TEST_F(RotationTest, BeginsAnewWhenSomebodyMovedTheFile) {
  FileSink sink = open_small();
  for (const char* line : {"aaaaaaaaa\n", "bbbbbbbbb\n"}) sink.write(line, 1);
  std::filesystem::rename(path_, path_ + ".kept");
  write_all(path_, "other\n");
  sink.write("ccccccccc\n", 1);
  EXPECT_EQ(contents(), (Contents{"other\nccccccccc\n", "aaaaaaaaa\n", "", "", ""}));
  EXPECT_EQ(read_all(path_ + ".kept"), "bbbbbbbbb\n") << "it was not written to any more";
}

TEST_F(RotationTest, WritesOnToAMovedFileWhenNoNewOneCanBeMade) {
  FileSink sink = open_small();
  sink.write("aaaaaaaaa\n", 1);
  std::filesystem::rename(path_, path_ + ".kept");
  std::filesystem::create_directory(path_);
  sink.write("bbbbbbbbb\n", 1);
  EXPECT_EQ(read_all(path_ + ".kept"), "aaaaaaaaa\nbbbbbbbbb\n");
  EXPECT_EQ(sink.status().lost, 0U);
  EXPECT_FALSE(sink.status().error.empty());
}

TEST_F(RotationTest, AFileThatCannotBeMovedCostsNoOlderOne) {
  FileSink sink = open_small();
  for (const char* line : {"aaaaaaaaa\n", "bbbbbbbbb\n", "ccccccccc\n"}) sink.write(line, 1);
  {
    const AppendOnly fixed(path_);
    if (!fixed.works()) GTEST_SKIP() << "no append-only files here";
    for (const char* line : {"ddd\n", "e\n"}) sink.write(line, 1);
    EXPECT_EQ(sink.status().error, "cannot rotate: Operation not permitted");
    EXPECT_EQ(contents(), (Contents{"ccccccccc\nddd\ne\n", "bbbbbbbbb\n", "aaaaaaaaa\n", "", ""}));
  }
  sink.write("f\n", 1);
  EXPECT_EQ(contents()[0], "ccccccccc\nddd\ne\nf\n") << "not tried again at every batch";
  sink.write("ggggg\n", 1);
  EXPECT_EQ(contents(), (Contents{"ggggg\n", "ccccccccc\nddd\ne\nf\n", "bbbbbbbbb\n", "aaaaaaaaa\n", ""}))
      << "but when a file's worth was written";
  EXPECT_EQ(sink.status().lost, 0U);
  EXPECT_TRUE(sink.status().error.empty());
}

TEST_F(RotationTest, AnOlderFileThatCannotBeMovedStopsItToo) {
  for (const char* number : {".1", ".2", ".3"}) write_all(path_ + number, number);
  FileSink sink = open_small();
  sink.write("aaaaaaaaa\n", 1);
  const AppendOnly fixed(path_ + ".2");
  if (!fixed.works()) GTEST_SKIP() << "no append-only files here";
  for (int i = 0; i < 5; ++i) sink.write("bbbbbbbbb\n", 1);
  EXPECT_EQ(contents()[1], ".1");
  EXPECT_EQ(contents()[2], ".2");
  EXPECT_FALSE(std::filesystem::exists(aside_));
  EXPECT_EQ(read_all(path_).size(), 60U);
  EXPECT_FALSE(sink.status().error.empty());
}

TEST_F(RotationTest, AnInterruptedOneIsFinishedAtTheNextStart) {
  // The oldest was gone and the next one moved up when the power went.
  write_all(aside_, "newest\n");
  write_all(path_ + ".1", "old\n");
  write_all(path_ + ".3", "oldest\n");
  FileSink sink = open_small();
  EXPECT_EQ(contents(), (Contents{"", "newest\n", "old\n", "oldest\n", ""}));
  EXPECT_FALSE(std::filesystem::exists(aside_));
}

TEST_F(RotationTest, AnInterruptedOneIsFinishedWhileItRuns) {
  FileSink sink = open_small();
  sink.write("aaaaaaaaa\n", 1);
  write_all(aside_, "older\n");
  sink.write("bbbbbbbbb\n", 1);
  EXPECT_EQ(contents(), (Contents{"bbbbbbbbb\n", "aaaaaaaaa\n", "older\n", "", ""}));
}

TEST_F(FileSinkTest, RefusesLinksAndWhatIsNoFile) {
  const std::string target = directory_.file("target");
  write_all(target, "");
  std::filesystem::create_symlink(target, path_);
  FileSinkOptions options;
  options.path = path_;
  EXPECT_FALSE(FileSink::open(options, loss_line_, clock_).ok());
  options.path = directory_.file("fifo");
  ASSERT_EQ(::mkfifo(options.path.c_str(), 0600), 0);
  EXPECT_FALSE(FileSink::open(options, loss_line_, clock_).ok());
  options.path = "/dev/null";
  EXPECT_FALSE(FileSink::open(options, loss_line_, clock_).ok());
}

}  // namespace
}  // namespace auditshift::sensor
