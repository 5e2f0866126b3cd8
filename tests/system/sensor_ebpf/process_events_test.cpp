// SPDX-License-Identifier: Apache-2.0
// Processes that come, change and go.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::string_view_literals;

/// The arguments lie where they were just written. A literal's page may not be there yet in a child, and tier
/// legacy reads at the start of the call, before the kernel has fetched it: "unreadable", then.
void run(const char* path, const std::vector<const char*>& arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execve(path, argv.data(), environ);
}

void wait_for(pid_t child) { waitpid(child, nullptr, 0); }

class ProcessEvents : public SensorSuite<Everything> {};

/// What a CPU remembers of the process whose event was its last is nobody else's, and not that of the program
/// which the process ran before.
TEST_F(ProcessEvents, ProcessesThatTakeTurnsOnOneCpuAreToldApart) {
  constexpr int kTurns = 20;
  const Events events = sensor_->observe([&](Self& self) {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    int to[2], from[2];
    if (sched_setaffinity(0, sizeof first, &first) != 0 || chdir(directory_.path().c_str()) != 0 ||
        pipe(to) != 0 || pipe(from) != 0)
      _exit(1);
    const pid_t child = fork();
    if (child == 0) {
      if (dup2(to[0], 0) != 0 || dup2(from[1], 1) != 1) _exit(1);
      for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
      run("/bin/sh", {"sh", "-c", "while read name; do : >$name; echo; done; exec mkdir made"});
      _exit(1);
    }
    close(to[0]);
    close(from[1]);
    for (int turn = 0; turn < kTurns; ++turn) {
      const std::string name = "file" + std::to_string(turn);
      const std::string line = name + "\n";
      char answer = 0;
      if (symlink("nowhere", ("link" + name).c_str()) != 0 ||
          write(to[1], line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
          read(from[0], &answer, 1) != 1)
        _exit(1);
    }
    close(to[1]);
    wait_for(child);
    self.results[0] = child;
  });
  const auto child = static_cast<std::uint32_t>(sensor_->self().results[0]);
  const auto program_of = [&](const char* name) {
    std::error_code error;
    return std::filesystem::canonical(name, error).string();
  };
  const auto links = all_of(events, EventKind::symlink);
  EXPECT_EQ(links.size(), static_cast<std::size_t>(kTurns));
  for (const Event* link : links) expect_is(*link, sensor_->self());
  const auto files = all_of(events, kind_of_a_made_file());
  int of_shell = 0;
  for (const Event* file : files) {
    if (!file->path.text.starts_with(directory_ / "file")) continue;
    ++of_shell;
    EXPECT_EQ(file->process.id.pid, child);
    EXPECT_EQ(file->process.executable.text, program_of("/bin/sh"));
  }
  EXPECT_EQ(of_shell, kTurns) << describe(events);
  const Event& made = only(events, EventKind::mkdir);
  EXPECT_EQ(made.process.id.pid, child);
  EXPECT_EQ(made.process.executable.text, program_of("/bin/mkdir"));
}

TEST_F(ProcessEvents, ForkExecAndExitTellOneStory) {
  const Events events = sensor_->observe([&](Self& self) {
    if (chdir(directory_.path().c_str()) != 0) _exit(1);
    const pid_t child = fork();
    if (child == 0) {
      // In memory that was touched, as a shell's is: tier legacy cannot wait for pages.
      std::vector<std::string> words = {"sh", "-c", "exit 7", "an argument", ""};
      run("/bin/sh",
          {words[0].c_str(), words[1].c_str(), words[2].c_str(), words[3].c_str(), words[4].c_str()});
      _exit(1);
    }
    self.results[0] = child;
    wait_for(child);
  });
  const Self& self = sensor_->self();
  const auto child = static_cast<std::uint32_t>(self.results[0]);

  const Event& forked = only(events, EventKind::fork);
  expect_is(forked, self);
  EXPECT_EQ(forked.target.pid, child);
  EXPECT_EQ(forked.target_tid, child);
  EXPECT_EQ(forked.syscall.result, self.results[0]);
  EXPECT_EQ(forked.syscall.name, "clone");
  EXPECT_FALSE(forked.thread);

  const Event& exec = only(events, EventKind::exec);
  EXPECT_EQ(exec.process.id, forked.target) << "pid and start time are the same in both";
  EXPECT_EQ(exec.process.parent, forked.process.id);
  EXPECT_EQ(exec.process.comm, "sh");
  EXPECT_EQ(exec.path.text, "/bin/sh");
  std::string shell(4096, '\0');
  shell.resize(static_cast<std::size_t>(readlink("/proc/self/root/bin/sh", shell.data(), shell.size())));
  EXPECT_TRUE(exec.process.executable.text.ends_with("/" + shell)) << "links are resolved";
  EXPECT_EQ(exec.cwd.text, directory_.path());
  EXPECT_EQ(exec.argv.text, "sh\0-c\0exit 7\0an argument\0\0"sv);
  EXPECT_FALSE(exec.argv.truncated || exec.argv.unreadable);
  EXPECT_EQ(exec.syscall.name, "execve");
  EXPECT_EQ(exec.syscall.result, 0);

  const auto ends = all_of(events, EventKind::exit);
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0]->process.id, exec.process.id);
  EXPECT_EQ(ends[0]->exit_code, 7);
  EXPECT_EQ(ends[0]->exit_signal, 0);
  EXPECT_EQ(ends[0]->process.executable.text, exec.process.executable.text);
  EXPECT_EQ(ends[1]->process.id.pid, self.pid);
  EXPECT_EQ(ends[1]->exit_code, 0);
  EXPECT_EQ(ends[1]->process.executable.text, std::string_view(self.executable.data()));
}

TEST_F(ProcessEvents, AScriptIsTheFileAndItsInterpreterTheExecutable) {
  const std::string script = directory_ / "script";
  std::ofstream(script) << "#!/bin/sh -e\nexit 0\n";
  chmod(script.c_str(), 0755);
  const Events events = sensor_->observe([&](Self&) {
    if (chdir(directory_.path().c_str()) != 0) _exit(1);
    run("./script", {"given name", "x"});
  });
  const Event& exec = only(events, EventKind::exec);
  EXPECT_EQ(exec.path.text, script);
  EXPECT_EQ(exec.argv.text, "/bin/sh\0-e\0./script\0x\0"sv) << "as the kernel rewrites it";
  EXPECT_EQ(exec.process.comm, "script");
  EXPECT_EQ(exec.process.executable.text.substr(0, 5), "/usr/");
}

TEST_F(ProcessEvents, LongArgumentsAreCutAndMarked) {
  const std::string argument(3000, 'a');
  const Events events = sensor_->observe([&](Self&) {
    run("/bin/true", {"true", argument.c_str(), argument.c_str()});
  });
  const Event& exec = only(events, EventKind::exec);
  EXPECT_TRUE(exec.argv.truncated);
  EXPECT_EQ(exec.argv.text.size(), 4096U);
  EXPECT_TRUE(
      exec.argv.text.starts_with("true" + std::string(1, '\0') + argument + std::string(1, '\0') + "aaa"));
}

TEST_F(ProcessEvents, FailedExecs) {
  const Events events = sensor_->observe([&](Self&) {
    if (chdir(directory_.path().c_str()) != 0) _exit(1);
    run("nonesuch", {"x"});
    run("/etc/passwd", {"x"});
    const int fd = open("/etc", O_PATH);
    syscall(SYS_execveat, fd, "nothing", nullptr, nullptr, AT_SYMLINK_NOFOLLOW);
  });
  const auto execs = all_of(events, EventKind::exec);
  ASSERT_EQ(execs.size(), 3U) << describe(events);
  EXPECT_EQ(execs[0]->syscall.error(), ENOENT);
  EXPECT_EQ(execs[0]->path.text, directory_ / "nonesuch");
  EXPECT_EQ(execs[1]->syscall.error(), EACCES);
  EXPECT_EQ(execs[2]->path.text, "/etc/nothing");
  EXPECT_EQ(execs[2]->syscall.name, "execveat");
  EXPECT_EQ(execs[2]->flags, static_cast<unsigned>(AT_SYMLINK_NOFOLLOW));
  for (const Event* exec : execs) expect_is(*exec, sensor_->self());
}

TEST_F(ProcessEvents, AThreadThatCallsExecTakesItsProcessOver) {
  const Events events = sensor_->observe([](Self& self) {
    std::thread other([&] {
      self.results[0] = gettid();
      run("/bin/true", {"true"});
    });
    other.join();
  });
  const Event& exec = only(events, EventKind::exec);
  EXPECT_EQ(exec.process.id.pid, sensor_->self().pid);
  EXPECT_EQ(exec.process.tid, sensor_->self().pid);
  EXPECT_EQ(exec.target_tid, static_cast<std::uint32_t>(sensor_->self().results[0]))
      << "the thread's former id";
  EXPECT_EQ(exec.argv.text, "true\0"sv);
  const Event& end = only(events, EventKind::exit);  // threads that exec ends are no processes
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.exit_signal, 0) << "that is how exec ended the other threads";
}

TEST_F(ProcessEvents, ManyVforksAtATime) {
  constexpr int kWorkers = 4, kEach = 100;
  const Events events = sensor_->observe([](Self&) {
    for (int worker = 0; worker < kWorkers; ++worker) {
      if (fork() != 0) continue;
      for (int i = 0; i < kEach; ++i) {
        const pid_t child = vfork();
        if (child == 0) {
          execl("/bin/true", "true", nullptr);
          _exit(1);
        }
        wait_for(child);
      }
      _exit(0);
    }
    while (wait(nullptr) > 0) {
    }
  });
  EXPECT_EQ(all_of(events, EventKind::fork).size(), kWorkers * (kEach + 1U));
  EXPECT_EQ(all_of(events, EventKind::exec).size(), kWorkers * kEach * 1U);
  EXPECT_EQ(all_of(events, EventKind::exit).size(), kWorkers * (kEach + 1U) + 1U);
  std::set<ProcessIdentity> identities;
  for (const Event* fork : all_of(events, EventKind::fork)) identities.insert(fork->target);
  EXPECT_EQ(identities.size(), kWorkers * (kEach + 1U)) << "no two processes are the same";
  for (const Event* exec : all_of(events, EventKind::exec))
    EXPECT_TRUE(identities.contains(exec->process.id));
}

TEST_F(ProcessEvents, ThreadsThatEndAtTheSameTimeAreOneEnd) {
  constexpr int kProcesses = 500, kThreads = 2;
  const Events events = sensor_->observe([](Self&) {
    for (int process = 0; process < kProcesses; ++process) {
      const pid_t child = fork();
      if (child != 0) {
        wait_for(child);
        continue;
      }
      // Each leaves by itself, all at once, the leader too: nobody ends the group.
      static std::atomic<int> waiting;
      waiting = kThreads;
      const auto leave = [] {
        --waiting;
        while (waiting > 0) {
        }
        syscall(SYS_exit, 0);
      };
      for (int i = 1; i < kThreads; ++i) std::thread(leave).detach();
      leave();
    }
  });
  EXPECT_EQ(all_of(events, EventKind::exit).size(), kProcesses + 1U);
}

TEST_F(ProcessEvents, Clone3) {
  const Events events = sensor_->observe([](Self& self) {
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) _exit(0);
    self.results[0] = child;
    wait_for(static_cast<pid_t>(child));
  });
  const Event& event = only(events, EventKind::fork);
  EXPECT_EQ(event.syscall.name, "clone3");
  EXPECT_EQ(event.target.pid, static_cast<std::uint32_t>(sensor_->self().results[0]));
}

TEST_F(ProcessEvents, ASignalThatEndsAProcess) {
  const Events events = sensor_->observe([](Self&) { raise(SIGKILL); });
  const Event& killed = only(events, EventKind::exit);
  EXPECT_EQ(killed.exit_signal, SIGKILL);
  EXPECT_EQ(killed.exit_code, -1);
  const Events crashed = sensor_->observe([](Self&) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL);
    abort();
  });
  EXPECT_EQ(only(crashed, EventKind::exit).exit_signal, SIGABRT);
}

TEST_F(ProcessEvents, ThreadsAreLeftOutByDefault) {
  const Events events = sensor_->observe([](Self&) { std::thread([] {}).join(); });
  EXPECT_EQ(all_of(events, EventKind::fork).size(), 0U);
  EXPECT_EQ(all_of(events, EventKind::exit).size(), 1U);
}

struct WithThreads {
  static EbpfOptions get() {
    EbpfOptions options;
    options.threads = true;
    return options;
  }
};
using ThreadEvents = SensorSuite<WithThreads>;

TEST_F(ThreadEvents, AreInByOption) {
  const Events events =
      sensor_->observe([](Self& self) { std::thread([&] { self.results[0] = gettid(); }).join(); });
  const Event& event = only(events, EventKind::fork);
  EXPECT_TRUE(event.thread);
  EXPECT_EQ(event.target.pid, sensor_->self().pid);
  EXPECT_EQ(event.target_tid, static_cast<std::uint32_t>(sensor_->self().results[0]));
}

TEST_F(ProcessEvents, ChangesOfCredentials) {
  const Events events = sensor_->observe([](Self& self) {
    const gid_t groups[] = {5, 6};
    syscall(SYS_setgroups, 2, groups);
    syscall(SYS_setresgid, 100, 101, 102);
    setfsuid(33);
    syscall(SYS_setresuid, 1000, 1001, 1002);
    self.look();
  });
  const Event& groups = only(events, EventKind::groups_change);
  EXPECT_EQ(groups.syscall.name, "setgroups");
  EXPECT_EQ(groups.size, 2U);
  const Event& gid = only(events, EventKind::gid_change);
  EXPECT_EQ(gid.process.gid, 100U);
  EXPECT_EQ(gid.process.egid, 101U);
  EXPECT_EQ(gid.process.sgid, 102U);
  EXPECT_EQ(gid.owner_gid, 101U) << "the effective one";
  const auto uids = all_of(events, EventKind::uid_change);
  ASSERT_EQ(uids.size(), 2U) << describe(events);
  EXPECT_EQ(uids[0]->syscall.name, "setfsuid");
  if (!is_legacy()) {  // which asks /proc, where the second change was seen already
    EXPECT_EQ(uids[0]->process.fsuid, 33U);
    EXPECT_EQ(uids[0]->process.euid, 0U);
  }
  EXPECT_EQ(uids[1]->owner_uid, 1001U);
  expect_is(*uids[1], sensor_->self());
}

TEST_F(ProcessEvents, CapsetAndSetsid) {
  const Events events = sensor_->observe([](Self& self) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    syscall(SYS_capset, &header, sets);
    self.results[0] = setsid();
  });
  expect_is(only(events, EventKind::capabilities_change), sensor_->self());
  EXPECT_EQ(only(events, EventKind::session).syscall.result, sensor_->self().results[0]);
}

TEST_F(ProcessEvents, TakingHoldOfAnotherProcess) {
  const Events events = sensor_->observe([](Self& self) {
    int byte = 0;
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    self.results[0] = child;
    ptrace(PTRACE_ATTACH, child, nullptr, nullptr);
    waitpid(child, nullptr, 0);
    ptrace(PTRACE_PEEKDATA, child, &byte, nullptr);
    iovec local{&byte, sizeof byte}, remote{&byte, sizeof byte};
    self.results[1] = syscall(SYS_process_vm_writev, child, &local, 1UL, &remote, 1UL, 0UL);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  });
  const auto child = static_cast<std::uint32_t>(sensor_->self().results[0]);
  const Event& attach = only(events, EventKind::ptrace);
  EXPECT_EQ(attach.command, PTRACE_ATTACH);
  EXPECT_EQ(attach.target.pid, child);
  expect_is(attach, sensor_->self());
  const Event& write = only(events, EventKind::process_write);
  EXPECT_EQ(write.target.pid, child);
  EXPECT_EQ(write.syscall.result, sensor_->self().results[1]);
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
