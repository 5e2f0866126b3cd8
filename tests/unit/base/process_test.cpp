// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "tests/unit/temporary_tree.h"

namespace auditshift::base {
namespace {

using namespace std::chrono_literals;

Result<Completed> run(std::vector<std::string> argv, std::string input = {}) {
  Command command;
  command.argv = std::move(argv);
  command.input = std::move(input);
  return SystemProcessRunner().run(command);
}

Result<Completed> shell(const std::string& script, std::chrono::milliseconds timeout = 30s) {
  Command command;
  command.argv = {"sh", "-c", script};
  command.timeout = timeout;
  return SystemProcessRunner().run(command);
}

TEST(ProcessRunner, GivesOutputErrorsAndExitCode) {
  const auto done = shell("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(std::tuple(done->exit_code, done->signal, done->output, done->errors, done->truncated),
            std::tuple(3, 0, "out\n", "err\n", false));
  EXPECT_FALSE(done->success());
  EXPECT_TRUE(run({"true"})->success());
}

TEST(ProcessRunner, TellsTheSignalThatEndedIt) {
  const auto done = shell("kill -TERM $$");
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->signal, SIGTERM);
  EXPECT_FALSE(done->success());
}

TEST(ProcessRunner, PassesArgumentsAsTheyAre) {
  EXPECT_EQ(run({"printf", "%s|", "a b", "$HOME", "", "*"})->output, "a b|$HOME||*|");
}

TEST(ProcessRunner, GivesAFixedEnvironment) {
  ::setenv("AUDITSHIFT_TEST_LEAK", "1", 1);
  const auto done = run({"env"});
  ::unsetenv("AUDITSHIFT_TEST_LEAK");
  EXPECT_EQ(done->output,
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\nHOME=/root\n");
}

TEST(ProcessRunner, MissingProgramIsNotFound) {
  EXPECT_EQ(run({"auditshift-no-such-program"}).error().code(), Errc::not_found);
  EXPECT_EQ(run({"/no/such/program"}).error().code(), Errc::not_found);
  EXPECT_EQ(run({}).error().code(), Errc::invalid);
}

TEST(ProcessRunner, AFileThatCannotBeExecutedIsAnErrorNotAnExitCode) {
  const tests::TemporaryTree tree;
  tree.file("/program",
            "\x7f"
            "ELF broken");
  std::filesystem::permissions(tree.real("/program"), std::filesystem::perms::all);
  EXPECT_FALSE(run({tree.real("/program")}).ok());
  std::filesystem::permissions(tree.real("/program"), std::filesystem::perms::owner_read);
  EXPECT_EQ(run({tree.real("/program")}).error().code(), Errc::permission);
}

TEST(ProcessRunner, FeedsInputAndReadsOutputOfAnySizeAtOnce) {
  std::string input;
  for (int i = 0; i < 400'000; ++i) input += std::to_string(i) + "\n";
  const auto done = run({"cat"}, input);
  ASSERT_TRUE(done.ok());
  EXPECT_TRUE(done->output == input);
}

TEST(ProcessRunner, AChildThatLeavesItsInputUnreadIsNoError) {
  const auto done = run({"true"}, std::string(10 << 20, 'x'));
  ASSERT_TRUE(done.ok());
  EXPECT_TRUE(done->success());
}

TEST(ProcessRunner, CutsAndMarksLongOutput) {
  Command command;
  command.argv = {"sh", "-c", "head -c 300000 /dev/zero; head -c 5 /dev/zero >&2"};
  command.output_limit = 1000;
  const auto done = SystemProcessRunner().run(command);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(std::tuple(done->output.size(), done->errors.size(), done->truncated, done->exit_code),
            std::tuple(1000U, 5U, true, 0));
}

bool is_gone(pid_t pid) {
  for (int i = 0; i < 200; ++i) {
    if (::kill(pid, 0) != 0) return true;
    // A killed orphan stays as a zombie until its new parent reaps it.
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    if (text.find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(ProcessRunner, KillsTheWholeGroupAfterItsTime) {
  const tests::TemporaryTree tree;
  tree.directory("/");
  const auto begin = std::chrono::steady_clock::now();
  const auto done = shell("sleep 100 & echo $! >" + tree.real("/pid") + "; wait", 300ms);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_TRUE(is_gone(static_cast<pid_t>(std::stol(tree.read("/pid")))));
}

TEST(ProcessRunner, TimeCountsForAProgramThatClosedItsOutput) {
  const auto done = shell("exec >&- 2>&-; sleep 100", 300ms);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::timeout);
}

TEST(ProcessRunner, LeavesNoDescriptorOpen) {
  const auto count = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  const auto before = count();
  for (int i = 0; i < 20; ++i) (void)run({"true"});
  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace auditshift::base
