// SPDX-License-Identifier: Apache-2.0
#include "sensor/process_table.h"

#include <gtest/gtest.h>

#include <functional>

#include "sensor/format.h"
#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

using What = ProcMessage::What;

/// Keeps each event as its line in the raw format, so that whole events are compared.
class Lines final : public Consumer {
 public:
  void consume(const Event& event) override {
    TextBuffer line;
    formatter_.append(line, event, "t", 0);
    std::string text(line.view());
    // What every line has and no test is about.
    for (const char* noise : {R"("sequence":0,"provider":"t",)", R"("cpu":0,)", R"("wall_ns":0,)"}) {
      if (const auto at = text.find(noise); at != std::string::npos)
        text.erase(at, std::string_view(noise).size());
    }
    lines.push_back(text.substr(0, text.size() - 1));
  }
  void end_of_batch() override {}

  std::vector<std::string> take() { return std::exchange(lines, {}); }
  std::vector<std::string> lines;

 private:
  Formatter formatter_{Format::raw, {}};
};

class ProcessTableTest : public testing::Test {
 protected:
  /// A process in the fake /proc, started at `second`.
  void add(std::uint32_t pid, std::uint32_t parent, const std::string& program, unsigned second,
           unsigned threads = 1) {
    const std::string directory = root_.file("proc/" + std::to_string(pid));
    std::filesystem::create_directories(directory + "/ns");
    const std::string name = program.substr(program.rfind('/') + 1);
    write_all(directory + "/stat", std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) +
                                       " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 " + std::to_string(threads) + " 0 " +
                                       std::to_string(second * 100) + " 0 0\n");
    write_all(directory + "/status", "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n");
    write_all(directory + "/cmdline", name + std::string("\0-x\0", 4));
    write_all(directory + "/loginuid", "1000");
    write_all(directory + "/sessionid", "4294967295");
    write_all(directory + "/cgroup", "0::/docker/" + std::string(64, 'a') + "\n");
    for (const auto& [link, target] : {std::pair<std::string, std::string>{"exe", program},
                                       {"cwd", "/srv (deleted)"},
                                       {"ns/mnt", "mnt:[77]"}}) {
      std::filesystem::remove(directory + "/" + link);
      std::filesystem::create_symlink(target, directory + "/" + link);
    }
  }
  void remove(std::uint32_t pid) { std::filesystem::remove_all(root_.file("proc/" + std::to_string(pid))); }

  ProcMessage message(What what, std::uint32_t pid, std::uint32_t tgid, std::uint32_t first = 0,
                      std::uint32_t second = 0) {
    ProcMessage message;
    message.what = what;
    message.monotonic_ns = 50'005'000'000;
    message.pid = pid;
    message.tgid = tgid;
    message.first = first;
    message.second = second;
    return message;
  }
  std::vector<std::string> apply(const ProcMessage& message) {
    table().apply(message, {0, -50'005'000'000}, lines_);
    return lines_.take();
  }
  std::vector<std::string> synchronise() {
    table().synchronise(60'000'000'000, 0, lines_);
    return lines_.take();
  }
  ProcessTable& table() {
    if (!table_) {
      std::filesystem::create_directories(root_.file("proc"));
      host_.emplace(std::move(base::Sysroot::open(root_.file("")).value()));
      table_.emplace(ProcReader(*host_, 100), report_threads_);
    }
    return *table_;
  }

  TemporaryDirectory root_;
  bool report_threads_ = false;
  std::optional<base::Sysroot> host_;
  std::optional<ProcessTable> table_;
  Lines lines_;
};

const std::string kIds =
    R"("uid":1,"gid":5,"euid":2,"egid":6,"suid":3,"sgid":7,"fsuid":4,"fsgid":8,"auid":1000,"container_id":")" +
    std::string(64, 'a') + R"(","mount_namespace":77})";

TEST_F(ProcessTableTest, TellsAtTheStartWhatRuns) {
  add(1, 0, "/sbin/init", 1);
  add(20, 1, "/bin/sh", 30);
  const auto lines = synchronise();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1], R"({"kind":"running","boot_ns":60000000000,"process":{"pid":20,"start_ns":30000000000,)"
                      R"("tid":20,"ppid":1,"parent_start_ns":1000000000,"comm":"sh","exe":"/bin/sh",)" +
                          kIds +
                          R"(,"cwd":{"text":"/srv","deleted":true,"from_kernel":true},"argv":["sh","-x"]})");
  EXPECT_TRUE(synchronise().empty()) << "nothing is new the second time";
}

TEST_F(ProcessTableTest, FollowsAProcessFromForkToExit) {
  add(1, 0, "/sbin/init", 1);
  synchronise();
  auto lines = apply(message(What::fork, 1, 1, 30, 30));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0],
            R"({"kind":"fork","boot_ns":50005000000,"process":{"pid":1,"start_ns":1000000000,"tid":1,)"
            R"("comm":"init","exe":"/sbin/init",)" +
                kIds + R"(,"target":{"pid":30,"start_ns":50000000000,"tid":30}})");
  add(30, 1, "/bin/true", 50);
  lines = apply(message(What::exec, 30, 30));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0],
            R"({"kind":"exec","boot_ns":50005000000,"process":{"pid":30,"start_ns":50000000000,"tid":30,)"
            R"("ppid":1,"parent_start_ns":1000000000,"comm":"true","exe":"/bin/true",)" +
                kIds +
                R"(,"syscall":{"result":0},"cwd":{"text":"/srv","deleted":true,"from_kernel":true},)"
                R"("argv":["true","-x"]})");
  remove(30);
  lines = apply(message(What::exit, 30, 30, 0x300));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(R"("comm":"true","exe":"/bin/true")"), std::string::npos) << "known without /proc";
  EXPECT_NE(lines[0].find(R"("exit_code":3})"), std::string::npos) << lines[0];
  EXPECT_EQ(table().size(), 1U);
}

TEST_F(ProcessTableTest, TellsTheSignalThatEndedIt) {
  add(30, 1, "/bin/crash", 50);
  synchronise();
  EXPECT_NE(apply(message(What::exit, 30, 30, 0x8b))[0].find(R"("exit_signal":11,"core_dumped":true})"),
            std::string::npos);
}

TEST_F(ProcessTableTest, AProcessEndsWithItsLastThread) {
  add(30, 1, "/bin/threads", 50, 2);
  synchronise();
  EXPECT_TRUE(apply(message(What::fork, 1, 1, 32, 30)).empty()) << "a new thread is not reported by default";
  EXPECT_TRUE(apply(message(What::exit, 30, 30)).empty()) << "the leader ended, two threads go on";
  EXPECT_TRUE(apply(message(What::exit, 31, 30)).empty());
  const auto lines = apply(message(What::exit, 32, 30, 0x100));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(R"("exit_code":1})"), std::string::npos);
}

TEST_F(ProcessTableTest, AnExecByAThreadIsNoEnd) {
  add(30, 1, "/bin/threads", 50, 2);
  synchronise();
  EXPECT_TRUE(apply(message(What::exit, 30, 30)).empty()) << "the old leader";
  EXPECT_EQ(apply(message(What::exec, 30, 30)).size(), 1U);
  EXPECT_TRUE(apply(message(What::exit, 31, 30)).empty()) << "a thread that the exec ended reports late";
  EXPECT_EQ(apply(message(What::exit, 30, 30)).size(), 1U);
}

TEST_F(ProcessTableTest, ReportsThreadsWhenAsked) {
  report_threads_ = true;
  add(30, 1, "/bin/threads", 50);
  synchronise();
  const auto lines = apply(message(What::fork, 1, 1, 31, 30));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(R"("target":{"pid":30,"start_ns":50000000000,"tid":31},"thread":true})"),
            std::string::npos)
      << lines[0];
}

TEST_F(ProcessTableTest, SaysWhatCouldNotBeReadOfAProcessThatIsGone) {
  const auto lines = apply(message(What::exec, 99, 99));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0],
            R"({"kind":"exec","boot_ns":50005000000,"process":{"pid":99,"tid":99},"syscall":{"result":0},)"
            R"("argv":[],"argv_unreadable":true})");
}

TEST_F(ProcessTableTest, ReportsCredentialsSessionsNamesAndTracers) {
  add(30, 1, "/bin/su", 50);
  add(40, 1, "/usr/bin/strace", 50);
  synchronise();
  EXPECT_NE(apply(message(What::uid, 30, 30, 1000, 0))[0].find(R"("uid":1000,"gid":5,"euid":0)"),
            std::string::npos);
  EXPECT_NE(apply(message(What::gid, 30, 30, 1000, 0))[0].find(R"("gid":1000,"euid")"), std::string::npos);
  EXPECT_NE(apply(message(What::session, 30, 30))[0].find(R"({"kind":"session")"), std::string::npos);
  ProcMessage name = message(What::name, 30, 30);
  name.comm = {'n', 'e', 'w'};
  EXPECT_NE(apply(name)[0].find(R"("comm":"new")"), std::string::npos);
  EXPECT_TRUE(apply(message(What::name, 31, 30)).empty()) << "a thread's own name";
  const auto traced = apply(message(What::ptrace, 30, 30, 40, 40));
  EXPECT_NE(traced[0].find(R"("comm":"strace")"), std::string::npos);
  EXPECT_NE(traced[0].find(R"("target":{"pid":30,"start_ns":50000000000,"tid":30})"), std::string::npos);
  EXPECT_TRUE(apply(message(What::ptrace, 30, 30, 0, 0)).empty()) << "let go";
}

TEST_F(ProcessTableTest, FindsOutAfterALossWhatChanged) {
  add(1, 0, "/sbin/init", 1);
  add(30, 1, "/bin/gone", 50);
  add(31, 1, "/bin/old", 50);
  add(32, 1, "/bin/before", 50);
  synchronise();
  remove(30);
  add(31, 1, "/bin/reused", 55);
  add(32, 1, "/bin/after", 50);
  add(33, 1, "/bin/new", 58);
  const auto lines = synchronise();
  ASSERT_EQ(lines.size(), 5U);
  const auto is = [&](std::size_t i, const std::string& kind, const std::string& program) {
    return lines[i].find("\"kind\":\"" + kind + "\"") != std::string::npos &&
           lines[i].find("\"" + program + "\"") != std::string::npos;
  };
  EXPECT_TRUE(is(0, "exit", "/bin/gone"));
  EXPECT_EQ(lines[0].find("exit_code"), std::string::npos) << "how it ended is not known";
  EXPECT_TRUE(is(1, "exit", "/bin/old"));
  EXPECT_TRUE(is(2, "running", "/bin/reused"));
  EXPECT_TRUE(is(3, "running", "/bin/after")) << "the same process runs another program";
  EXPECT_TRUE(is(4, "running", "/bin/new"));
}

}  // namespace
}  // namespace auditshift::sensor
