// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_sink.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <thread>

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
  sink.write("two\n", 1);  // cannot rotate: stays on the removed file
  std::filesystem::create_directory(directory);
  EXPECT_TRUE(sink.reopen().ok());
  sink.write("new\n", 1);
  EXPECT_EQ(read_all(path_), "new\n");
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
