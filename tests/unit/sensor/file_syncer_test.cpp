// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_syncer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <vector>

#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

/// Notes which files are forced, by inode, and can make one wait.
class Disk {
 public:
  FileSyncer::Sync sync() {
    return [this](int fd) {
      struct stat info {};
      ::fstat(fd, &info);
      std::unique_lock lock(mutex_);
      ++begun_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !slow_; });
      forced_.push_back(info.st_ino);
      changed_.notify_all();
      return error_;
    };
  }
  void be_slow(bool slow) {
    const std::lock_guard lock(mutex_);
    slow_ = slow;
    changed_.notify_all();
  }
  void fail(int error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
  }
  /// False when it does not come to that number within ten seconds.
  bool has_begun(int number) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return begun_ >= number; });
  }
  bool has_forced(std::size_t number) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return forced_.size() >= number; });
  }
  std::vector<ino_t> forced() {
    const std::lock_guard lock(mutex_);
    return forced_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0, error_ = 0;
  bool slow_ = false;
  std::vector<ino_t> forced_;
};

class FileSyncerTest : public testing::Test {
 protected:
  struct File {
    base::Fd fd;
    ino_t inode = 0;
  };
  File file(const std::string& name) {
    File made{base::Fd(::open(directory_.file(name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0};
    struct stat info {};
    EXPECT_EQ(::fstat(made.fd.get(), &info), 0);
    made.inode = info.st_ino;
    return made;
  }

  TemporaryDirectory directory_;
  Disk disk_;
};

TEST_F(FileSyncerTest, ForcesWhatWasWrittenThoughNothingFollows) {
  FileSyncer syncer(1ms, 8, disk_.sync());
  const File one = file("one");
  syncer.follow(one.fd.get());
  syncer.written();
  EXPECT_TRUE(disk_.has_forced(1));
  syncer.written();
  EXPECT_TRUE(disk_.has_forced(2));
  EXPECT_EQ(disk_.forced(), std::vector<ino_t>({one.inode, one.inode}));
}

TEST_F(FileSyncerTest, ForcesNothingThatWasNotWritten) {
  {
    FileSyncer syncer(1ms, 8, disk_.sync());
    syncer.follow(file("one").fd.get());
    syncer.follow(file("two").fd.get());
  }
  EXPECT_TRUE(disk_.forced().empty());
}

TEST_F(FileSyncerTest, ASlowDiskKeepsNobodyWaiting) {
  const File one = file("one"), two = file("two"), three = file("three");
  {
    FileSyncer syncer(1h, 8, disk_.sync());
    disk_.be_slow(true);
    syncer.follow(one.fd.get());
    syncer.written();
    ASSERT_TRUE(disk_.has_begun(1));
    // All of this comes back while the first file is still being forced.
    syncer.written();
    syncer.follow(two.fd.get());
    syncer.written();
    syncer.follow(three.fd.get());
    syncer.written();
    EXPECT_TRUE(disk_.forced().empty());
    disk_.be_slow(false);
  }
  // The end waits for all, though the hour is not over.
  EXPECT_EQ(disk_.forced(), std::vector<ino_t>({one.inode, one.inode, two.inode, three.inode}));
}

TEST_F(FileSyncerTest, TheOldestAreLeftOutWhenTooManyWait) {
  std::vector<File> files;
  for (int i = 0; i < 5; ++i) files.push_back(file(std::to_string(i)));
  {
    FileSyncer syncer(1h, 2, disk_.sync());
    disk_.be_slow(true);
    syncer.follow(files[0].fd.get());
    syncer.written();
    ASSERT_TRUE(disk_.has_begun(1));
    for (int i = 1; i < 5; ++i) {
      syncer.follow(files[static_cast<std::size_t>(i)].fd.get());
      syncer.written();
    }
    disk_.be_slow(false);
  }
  EXPECT_EQ(disk_.forced(),
            std::vector<ino_t>({files[0].inode, files[2].inode, files[3].inode, files[4].inode}));
}

TEST_F(FileSyncerTest, TellsWhyItFailedUntilItDoesNot) {
  FileSyncer syncer(1ms, 8, disk_.sync());
  const File one = file("one");
  syncer.follow(one.fd.get());
  disk_.fail(EIO);
  const auto comes_to = [&](bool failed) {
    for (int i = 0; i < 2000; ++i) {
      syncer.written();
      if (syncer.error().empty() != failed) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  };
  EXPECT_TRUE(comes_to(true));
  EXPECT_EQ(syncer.error(), "fdatasync: Input/output error");
  disk_.fail(0);
  EXPECT_TRUE(comes_to(false));
}

TEST_F(FileSyncerTest, TheRealOneForcesAFileAndSaysWhatCannotBe) {
  const File one = file("one");
  EXPECT_EQ(FileSyncer::fdatasync_of(one.fd.get()), 0);
  EXPECT_EQ(FileSyncer::fdatasync_of(-1), EBADF);
}

}  // namespace
}  // namespace auditshift::sensor
