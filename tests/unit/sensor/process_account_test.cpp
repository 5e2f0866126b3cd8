// SPDX-License-Identifier: Apache-2.0
#include "sensor/process_account.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <optional>
#include <vector>

#include "bpf/legacy.h"
#include "record_builder.h"
#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

using namespace std::string_view_literals;

/// A fake /proc, and what the account makes of records about its processes.
class ProcessAccountTest : public testing::Test {
 protected:
  /// A process.
  void add(std::uint32_t pid, const std::string& program, const std::vector<std::uint32_t>& threads,
           const std::string& mount_namespace = "mnt:[7]") {
    const std::string directory = root_.file("proc/" + std::to_string(pid));
    std::filesystem::create_directories(directory + "/ns");
    write_all(directory + "/stat", stat_line(pid, 'S', 0));
    write_all(directory + "/status", "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n");
    for (const auto& [link, target] : {std::pair<std::string, std::string>{"exe", program},
                                       {"cwd", "/srv"},
                                       {"root", "/"},
                                       {"ns/mnt", mount_namespace}})
      std::filesystem::create_symlink(target, directory + "/" + link);
    for (const std::uint32_t thread : threads) add_thread(pid, thread);
  }
  /// With the kernel's flags of a task (4: PF_EXITING).
  void add_thread(std::uint32_t pid, std::uint32_t thread, char state = 'S', unsigned flags = 0) {
    const std::string directory =
        root_.file("proc/" + std::to_string(pid) + "/task/" + std::to_string(thread));
    std::filesystem::create_directories(directory);
    write_all(directory + "/stat", stat_line(thread, state, flags));
  }
  void remove(const std::string& name) { std::filesystem::remove_all(root_.file("proc/" + name)); }

  static std::string stat_line(std::uint32_t pid, char state, unsigned flags) {
    return std::to_string(pid) + " (a program) " + state + " 1 1 0 0 -1 " + std::to_string(flags) +
           " 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0\n";
  }

  /// True when there was an event in the record; then it stands in `record_`.
  bool apply(const RecordBuilder& builder) {
    bytes_ = builder.bytes();
    EXPECT_TRUE(record_.parse(bytes_));
    return account().apply(record_);
  }
  bool exit(std::uint32_t pid, std::uint32_t thread) {
    RecordBuilder builder(AS_KIND_EXIT);
    builder.record.pid = pid;
    builder.record.tid = thread;
    return apply(builder);
  }
  /// The executable of an event by the process `pid`.
  std::string_view exec(std::uint32_t pid, std::string_view file) {
    RecordBuilder builder(AS_KIND_EXEC);
    builder.record.pid = builder.record.tid = builder.record.target_tid = pid;
    EXPECT_TRUE(apply(builder.text(AS_TEXT_PATH, file)));
    return record_.text(AS_TEXT_EXECUTABLE);
  }
  ProcessAccount& account() {
    if (!account_) {
      std::filesystem::create_directories(root_.file("proc"));
      host_.emplace(std::move(base::Sysroot::open(root_.file("")).value()));
      account_.emplace(*host_, 100);
      account_->scan();
    }
    return *account_;
  }

  TemporaryDirectory root_;
  std::optional<base::Sysroot> host_;
  std::optional<ProcessAccount> account_;
  std::vector<std::byte> bytes_;
  RawRecord record_;
};

TEST_F(ProcessAccountTest, WhatAnEndingProcessDoesNotTellAnyMoreIsAsItWas) {
  add(static_cast<std::uint32_t>(::getpid()), "/usr/sbin/auditshift-sensord", {});
  add(50, "/usr/bin/shell", {50});
  for (const char* program : {"usr/bin/dash", "srv/marked"}) {
    std::filesystem::create_directories(std::filesystem::path(root_.file(program)).parent_path());
    write_all(root_.file(program),
              "\x7f"
              "ELF");
  }
  account();
  // Of a task on its way out the numbers stay longer than what it held.
  write_all(root_.file("proc/50/stat"), stat_line(50, 'Z', 4));
  for (const char* link : {"exe", "cwd", "root", "ns/mnt"}) remove(std::string("50/") + link);
  EXPECT_EQ(exec(50, "/usr/bin/dash"), "dash\0bin\0usr\0"sv);
  EXPECT_EQ(record_.fixed.mount_namespace, 7U);
  EXPECT_EQ(exec(50, "./marked"), "marked\0srv\0"sv);
  remove("50");
  EXPECT_EQ(exec(50, "./marked"), "marked\0srv\0"sv);
  EXPECT_EQ(record_.fixed.mount_namespace, 7U);
}

TEST_F(ProcessAccountTest, AChildInAMountNamespaceOfItsOwnIsNotAtHomeUntilProcTells) {
  add(static_cast<std::uint32_t>(::getpid()), "/usr/sbin/auditshift-sensord", {});
  add(50, "/usr/bin/shell", {50});
  account();
  RecordBuilder fork(AS_KIND_FORK);
  fork.record.pid = fork.record.tid = 50;
  fork.record.abi = AS_ABI_X86_64;
  fork.record.syscall = 56;  // clone
  fork.record.arguments[0] = CLONE_NEWNS;
  fork.record.result = fork.record.target_tid = 70;
  ASSERT_TRUE(apply(fork));
  RecordBuilder call(AS_KIND_MKDIR);
  call.record.pid = call.record.tid = 70;
  ASSERT_TRUE(apply(call));
  EXPECT_EQ(record_.fixed.mount_namespace, 0U) << "not its parent's";
  add(70, "/usr/bin/tool", {70}, "mnt:[9]");
  exec(70, "/usr/bin/tool");
  EXPECT_EQ(record_.fixed.mount_namespace, 9U);
}

TEST_F(ProcessAccountTest, AChangedDirectoryOfAnEndingProcessIsUnknown) {
  add(static_cast<std::uint32_t>(::getpid()), "/usr/sbin/auditshift-sensord", {});
  add(50, "/usr/bin/shell", {50});
  account();
  for (const char* link : {"exe", "cwd", "root", "ns/mnt"}) remove(std::string("50/") + link);
  RecordBuilder change(AS_KIND_FORK);
  change.record.kind = AS_NOTE_DIRECTORY;
  change.record.pid = change.record.tid = 50;
  change.record.abi = AS_ABI_X86_64;
  change.record.syscall = 81;  // fchdir
  EXPECT_FALSE(apply(change));
  EXPECT_EQ(exec(50, "./marked"), "") << "of no directory that it was in before";
  EXPECT_EQ(record_.fixed.mount_namespace, 7U) << "which it still has";
}

TEST_F(ProcessAccountTest, NamesAreLookedUpInTheMountNamespaceOfTheFirstProcess) {
  add(1, "/sbin/init", {1});
  add(static_cast<std::uint32_t>(::getpid()), "/usr/sbin/auditshift-sensord", {}, "mnt:[8]");
  add(50, "/usr/bin/shell", {50});
  add(60, "/usr/bin/shell", {60}, "mnt:[9]");
  std::filesystem::remove(root_.file("proc/1/root"));
  const std::string bin = root_.file("proc/1/root/usr/bin");
  std::filesystem::create_directories(bin);
  write_all(bin + "/short",
            "\x7f"
            "ELF");
  std::filesystem::create_symlink("usr/bin", root_.file("proc/1/root/bin"));
  std::filesystem::create_symlink("/bin/short", bin + "/link");
  account();
  // Gone by the time its record is read.
  remove("50");
  EXPECT_EQ(exec(50, "/usr/bin/short"), "short\0bin\0usr\0"sv);
  EXPECT_EQ(exec(50, "/bin/link"), "short\0bin\0usr\0"sv) << "links lead on in that namespace";
  EXPECT_EQ(exec(50, "/proc/self/exe"), ""sv) << "who asks is another than who executed it";
  remove("60");
  EXPECT_EQ(exec(60, "/usr/bin/short"), ""sv) << "not known in a third mount namespace";
}

TEST_F(ProcessAccountTest, WhereTheFirstProcessMayNotBeAskedItsOwnNamespaceHasToDo) {
  add(static_cast<std::uint32_t>(::getpid()), "/usr/sbin/auditshift-sensord", {});
  add(50, "/usr/bin/shell", {50});
  std::filesystem::create_directories(root_.file("usr/bin"));
  write_all(root_.file("usr/bin/short"),
            "\x7f"
            "ELF");
  account();
  remove("50");
  EXPECT_EQ(exec(50, "/usr/bin/short"), "short\0bin\0usr\0"sv);
}

// Times of losses are made up: 1000, then whatever the reader has come to.

TEST_F(ProcessAccountTest, AnEndThatStillWaitsAfterALossIsTold) {
  add(50, "/usr/bin/worker", {50});
  account().note_loss(1000);
  remove("50");
  account().settle(1000, 1010);
  account().settle(1001, 1020);  // looks: it is gone
  account().settle(1020, 1030);  // records from before it was seen to be gone may still wait
  EXPECT_EQ(account().size(), 1U);
  EXPECT_TRUE(exit(50, 50));
  EXPECT_EQ(record_.text(AS_TEXT_EXECUTABLE), "worker\0bin\0usr\0"sv);
  EXPECT_EQ(account().size(), 0U);
}

TEST_F(ProcessAccountTest, AProcessWhoseEndWasLostIsForgottenOnceTheReaderIsPastIt) {
  add(50, "/usr/bin/worker", {50});
  add(60, "/usr/bin/other", {60});
  account().note_loss(1000);
  remove("50");
  add_thread(60, 60, 'Z', 4);  // nobody has waited for it yet
  account().settle(1001, 1020);
  account().settle(1021, 1030);
  EXPECT_EQ(account().size(), 0U);
  EXPECT_FALSE(exit(50, 50));
}

TEST_F(ProcessAccountTest, AThreadWhoseEndWasLostDoesNotKeepItsProcess) {
  add(50, "/usr/bin/worker", {50, 51, 52});
  account().note_loss(1000);
  remove("50/task/51");  // its end was lost,
  add_thread(50, 53);    // and the begin of this one
  account().settle(1001, 1020);
  account().settle(1021, 1030);
  EXPECT_FALSE(exit(50, 52));
  EXPECT_FALSE(exit(50, 50));
  EXPECT_TRUE(exit(50, 53));
}

TEST_F(ProcessAccountTest, ALeaderThatHasEndedIsNoThreadAnyMore) {
  add(50, "/usr/bin/worker", {50, 51});
  add_thread(50, 50, 'Z', 4);  // it stays there as long as the others
  account();
  EXPECT_TRUE(exit(50, 51));
}

TEST_F(ProcessAccountTest, AThreadOnItsWayOutIsWaitedFor) {
  add(50, "/usr/bin/worker", {50});
  account().note_loss(1000);
  add_thread(50, 50, 'D', 4);
  account().settle(1001, 1020);
  account().settle(1021, 1030);  // it may not have told its end before 1020
  EXPECT_EQ(account().size(), 1U);
  remove("50");
  account().settle(1031, 1040);
  EXPECT_EQ(account().size(), 1U);
  account().settle(1041, 1050);
  EXPECT_EQ(account().size(), 0U);
}

TEST_F(ProcessAccountTest, ANewProcessOfTheSameNumberIsNotForgotten) {
  add(1, "/sbin/init", {1});
  add(50, "/usr/bin/worker", {50});
  account().note_loss(1000);
  remove("50");
  account().settle(1001, 1020);
  RecordBuilder fork(AS_KIND_FORK);
  fork.record.pid = fork.record.tid = 1;
  fork.record.result = fork.record.target_tid = 50;
  EXPECT_TRUE(apply(fork));
  account().settle(1021, 1030);
  EXPECT_TRUE(exit(50, 50));
}

}  // namespace
}  // namespace auditshift::sensor
