// SPDX-License-Identifier: Apache-2.0
// The disk that the fault tests trust: what was synced stays, what was not goes as it was told to.
#include "tests/unit/migrate/change/fault_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/sysroot.h"
#include "tests/unit/migrate/change/simulated_host.h"

namespace auditshift::tests {
namespace {

using Survives = FaultDisk::Survives;

struct Bench {
  SimulatedHost host;
  const base::Sysroot& files = *host.host().files;
  base::Disk& disk = host.disk();

  std::string at(const std::string& path) { return files.read_file(path).value_or("(none)"); }
  base::Fd directory(const std::string& path = "/") { return *files.open_file(path, O_RDONLY | O_DIRECTORY); }
};

TEST(FaultDisk, SyncedContentAndNamesStay) {
  Bench bench;
  ASSERT_TRUE(bench.files.write_atomic("/f", "one").ok());
  ASSERT_TRUE(bench.files.make_directories("/a/b").ok());
  ASSERT_TRUE(bench.files.write_atomic("/a/b/f", "two").ok());
  bench.host.power_cut(Survives::nothing);
  EXPECT_EQ(bench.at("/f"), "one");
  EXPECT_EQ(bench.at("/a/b/f"), "two");
}

TEST(FaultDisk, AReplacedFileComesBackWhenItsNameWasNotSynced) {
  Bench bench;
  ASSERT_TRUE(bench.files.write_atomic("/f", "old").ok());
  for (const auto& [survives, wanted] : {std::pair{Survives::nothing, "old"}, {Survives::names, "new"}}) {
    bench.disk.open(bench.directory().get(), "t", O_WRONLY | O_CREAT, 0600);
    const base::Fd fd(::openat(bench.directory().get(), "t", O_WRONLY));
    ASSERT_EQ(bench.disk.write(fd.get(), "new", 3), 3);
    ASSERT_EQ(bench.disk.fsync(fd.get()), 0);
    ASSERT_EQ(bench.disk.rename(bench.directory().get(), "t", "f"), 0);
    bench.host.power_cut(survives);
    EXPECT_EQ(bench.at("/f"), wanted);
    EXPECT_EQ(bench.at("/t"), "(none)");
  }
}

TEST(FaultDisk, UnsyncedContentIsLostTornOrHoley) {
  for (const auto& [survives, wanted] : {std::pair{Survives::nothing, std::string("base")},
                                         {Survives::torn, std::string("base1234")},
                                         {Survives::torn_zeros, std::string("base12\0\0005678", 12)},
                                         {Survives::all, std::string("base12345678")}}) {
    Bench bench;
    ASSERT_TRUE(bench.files.write_atomic("/log", "base").ok());
    const auto fd = bench.files.open_append("/log", 0600);
    ASSERT_TRUE(base::write_all(bench.disk, fd->get(), "12345678", "log").ok());
    bench.host.power_cut(survives);
    EXPECT_EQ(bench.at("/log"), wanted) << static_cast<int>(survives);
  }
}

TEST(FaultDisk, UnsyncedRemovalsAndDirectoriesAreTakenBack) {
  Bench bench;
  ASSERT_TRUE(bench.files.write_atomic("/f", "kept", {.mode = 0604}).ok());
  ASSERT_TRUE(bench.files.make_directories("/empty", 0711).ok());
  ASSERT_EQ(bench.disk.unlink(bench.directory().get(), "f"), 0);
  ASSERT_EQ(bench.disk.rmdir(bench.directory().get(), "empty"), 0);
  ASSERT_EQ(bench.disk.mkdir(bench.directory().get(), "new", 0755), 0);
  ASSERT_TRUE(bench.files.write_atomic("/new/inside", "synced, but its directory was not").ok());
  bench.host.power_cut(Survives::nothing);
  EXPECT_EQ(bench.at("/f"), "kept");
  EXPECT_EQ(bench.files.stat("/f")->mode & 07777, 0604U);
  EXPECT_EQ(bench.files.stat("/empty")->mode & 07777, 0711U);
  EXPECT_FALSE(bench.files.exists("/new"));
}

TEST(FaultDisk, AFullDiskTakesOnlyWhatWasSetAside) {
  Bench bench;
  const auto fd = bench.files.open_append("/log", 0600);
  ASSERT_EQ(bench.disk.allocate(fd->get(), 0, 8), 0);
  bench.host.points().arm({.kind = FaultPoints::Kind::full, .at = 1});
  EXPECT_TRUE(base::write_all(bench.disk, fd->get(), "12345678", "log").ok());
  EXPECT_EQ(base::write_all(bench.disk, fd->get(), "9", "log").error().code(), base::Errc::no_space);
  EXPECT_EQ(bench.files.write_atomic("/f", "x").error().code(), base::Errc::no_space);
}

}  // namespace
}  // namespace auditshift::tests
