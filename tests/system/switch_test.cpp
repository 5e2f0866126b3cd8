// SPDX-License-Identifier: Apache-2.0
// A whole switch of this machine and back: Defender-like rules among a user's in the running kernel, a
// managed configuration with foreign content, the real sensor as the agent. What the host looked like before,
// it looks like after the rollback, to the byte.
//
// /etc, /var/lib and /run are overlays in a mount namespace of this process, so the machine's own stay as
// they are. Rules are loaded one by one by this project's own code; none of them is more than a rule.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "auditd/kernel.h"
#include "auditd/parser.h"
#include "base/fd.h"
#include "base/text.h"
#include "migrate/change/backup_directory.h"
#include "migrate/change/plan_steps.h"
#include "tests/system/kernel_lock.h"
#include "tests/system/tool.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using auditd::Rule;
using ::testing::HasSubstr;

/// Files below this do not exist, so none of the rules ever matches anything.
constexpr const char* kDefender =
    "-a always,exit -F arch=b64 -S rename,renameat -F auid=4242001 -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S connect,accept -F auid=4242002 -F key=mdatpmbr\n";
constexpr const char* kUser =
    "# of the user, to the byte \n"
    "-a never,exit -F arch=b64 -S connect -F auid=4242003 -F key=quiet\n"
    "-a always,exit -F arch=b64 -S ptrace -F auid=4242004 -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S adjtimex -F auid=4242005 -F key=time-change\n"
    "-a always,exit -F arch=b64 -S chmod -F auid=4242006 -F key=mine\n";
constexpr const char* kLast =
    "-a always,exit -F arch=b64 -S unlink -F auid=4242007 -F key=mine\n"
    "-a always,exclude -F msgtype=2999\n";

auditd::LiveKernelAudit kernel() { return auditd::LiveKernelAudit(auditd::ParseOptions{}); }

std::string why_not_here() {
  if (::geteuid() != 0) return "changing audit rules needs root";
  auditd::LiveKernelAudit audit = kernel();
  const auditd::AuditStatus status = audit.status();
  if (status.state != auditd::AuditState::changeable && status.state != auditd::AuditState::disabled)
    return "the audit rules of this kernel cannot be changed: " + std::string(to_string(status.state));
  const auditd::LiveRules live = audit.rules();
  if (!live.known) return live.reason;
  if (!live.rules.empty()) return "this kernel holds audit rules of somebody else";
  return {};
}

/// Rules in the running kernel, taken out again at the end, whatever became of them.
class LoadedRules {
 public:
  explicit LoadedRules(const std::string& text) {
    for (const auditd::Line& line : auditd::parse_rules(text, "test", {})) {
      if (!line.rule) continue;
      const auto added = kernel().add(*line.rule);
      if (!added) problem_ = added.error().message();
    }
  }
  ~LoadedRules() {
    auditd::LiveKernelAudit audit = kernel();
    const auditd::LiveRules live = audit.rules();
    for (const Rule& rule : live.rules) (void)audit.remove(rule);
  }
  LoadedRules(const LoadedRules&) = delete;
  LoadedRules& operator=(const LoadedRules&) = delete;
  const std::string& problem() const { return problem_; }

 private:
  std::string problem_;
};

std::string listed() { return run_program({"/sbin/auditctl", "-l"}).out; }

TEST(KernelRulesStep, TakesRulesOutOfARealKernelAndPutsThemBackInTheirOrder) {
  const KernelLock lock;
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  const LoadedRules rules(std::string(kDefender) + kUser + kDefender + kLast +
                          "-w /etc/auditshift-no-such-file -p wa -k watch\n"
                          "-a always,exit -F arch=b64 -S bpf -F auid=4242008 -F key=mdatp\n"
                          "-a always,exit -F arch=b32 -S open -F auid=4242009 -F key=tail\n"
                          "-a never,task -F auid=4242010\n");
  const std::string before = listed();
  ASSERT_THAT(before, HasSubstr("key=tail")) << rules.problem();
  tests::TemporaryTree tree;
  migrate::change::Host host;
  auto audit = std::make_shared<auditd::LiveKernelAudit>(auditd::ParseOptions{});
  host.audit = audit;
  std::vector<Rule> defender;
  const auditd::LiveRules live = audit->rules();
  for (const Rule& rule : live.rules)
    if (rule.text.find("mdatp") != std::string::npos) defender.push_back(rule);
  ASSERT_EQ(defender.size(), 4U);
  auto step = migrate::change::make_step(migrate::change::kernel_rules("1", defender));
  ASSERT_TRUE(step.ok());
  migrate::change::BackupDirectory backups(std::make_shared<base::Sysroot>(tree.open()), "/backups");
  const auto captured = (*step)->capture(host, backups);
  ASSERT_TRUE(captured.ok());
  for (int round = 0; round < 3; ++round) {
    const auto applied = (*step)->apply(host, *captured);
    ASSERT_TRUE(applied.ok()) << applied.error().message();
    EXPECT_TRUE(*(*step)->done(host));
    EXPECT_EQ(listed().find("mdatp"), std::string::npos) << listed();
    EXPECT_EQ(audit->rules().rules.size(), live.rules.size() - 4);
    const auto undone = (*step)->undo(host, *captured, backups);
    ASSERT_TRUE(undone.ok()) << undone.error().message();
    EXPECT_EQ(listed(), before);
  }
}

/// /etc, /var/lib and /run as overlays over the machine's own, for this process and its children alone.
class ScratchSystem {
 public:
  explicit ScratchSystem(const tests::TemporaryTree& tree)
      : home_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) {
    if (!home_ || ::unshare(CLONE_NEWNS) != 0) return;
    away_ = true;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    tree.directory("/scratch");
    if (::mount("tmpfs", tree.real("/scratch").c_str(), "tmpfs", 0, "mode=0755") != 0) return;
    ready_ = true;
    for (const std::string name : {"/etc", "/var/lib", "/run"}) ready_ = ready_ && overlay(tree, name);
  }
  ~ScratchSystem() {
    if (away_ && ::setns(home_.get(), CLONE_NEWNS) != 0) ADD_FAILURE() << "cannot leave the mount namespace";
  }
  ScratchSystem(const ScratchSystem&) = delete;
  ScratchSystem& operator=(const ScratchSystem&) = delete;
  bool ready() const { return ready_; }

 private:
  static bool overlay(const tests::TemporaryTree& tree, const std::string& name) {
    const std::string upper = "/scratch/upper" + name;
    const std::string work = "/scratch/work" + name;
    tree.directory(upper);
    tree.directory(work);
    const std::string options =
        "lowerdir=" + name + ",upperdir=" + tree.real(upper) + ",workdir=" + tree.real(work);
    return ::mount("overlay", name.c_str(), "overlay", 0, options.c_str()) == 0;
  }

  base::Fd home_;
  bool away_ = false;
  bool ready_ = false;
};

/// The real sensor, as its unit starts it.
class Sensor {
 public:
  ~Sensor() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  bool start(const std::string& output) {
    const std::string program = std::string(AUDITSHIFT_BINARY_DIR) + "/cli/auditshift-sensord";
    std::vector<std::string> words{"setpriv", "--pdeathsig",   "TERM", program, "-q", "--output",
                                   output,    "--rotate-size", "0",    "--pin", ""};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::posix_spawnp(&pid_, "setpriv", nullptr, nullptr, argv.data(), environ) != 0) return false;
    for (int i = 0; i < 600; ++i) {
      if (!subsystem().empty()) return true;
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        return false;
      }
      std::this_thread::sleep_for(100ms);
    }
    return false;
  }
  static std::string subsystem() {
    const Outcome health = run_tool({"health", "--field", "supplementary_events_subsystem"});
    return std::string(base::trim(health.out));
  }

 private:
  pid_t pid_ = -1;
};

void write(const std::string& path, const std::string& content, unsigned mode) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  fs::permissions(path, fs::perms(mode));
}

/// Names, owners, modes and contents.
std::string snapshot() {
  return run_program({"sh", "-c",
                      "cd / && find etc/audit etc/auditshift -printf '%p %y %m %u %g\\n' | sort; "
                      "find etc/audit etc/auditshift -type f | sort | xargs sha256sum"})
      .out;
}

constexpr const char* kManaged =
    "{\r\n  \"info\": \"ours\", \"info\": \"twice\",\r\n  \"cloudService\": {\"diagnosticLevel\": "
    "\"optional\"},\r\n"
    "  \"features\": {\"moduleLoad\": \"diabled\", \"ebpfSupplementaryEventProvider\": "
    "\"disabled\"}\r\n}\r\n";

void write_host() {
  fs::remove_all("/etc/audit/rules.d");
  fs::remove_all("/var/lib/auditshift");
  write("/etc/audit/rules.d/mdatp.rules", kDefender, 0600);
  write("/etc/audit/rules.d/40-user.rules", kUser, 0640);
  write("/etc/audit/rules.d/zz-last.rules", kLast, 0644);
  write("/etc/auditshift/managed.json", kManaged, 0644);
  // Installed and enabled, as the package would have it; its directories are made by systemd.
  fs::create_directories("/run/auditshift");
  fs::create_directories("/var/lib/auditshift");
  const std::string unit = "/etc/systemd/system/auditshift-sensord.service";
  write(unit, "[Service]\nExecStart=/usr/sbin/auditshift-sensord\n[Install]\nWantedBy=multi-user.target\n",
        0644);
  fs::create_directories("/etc/systemd/system/multi-user.target.wants");
  fs::create_symlink(unit, "/etc/systemd/system/multi-user.target.wants/auditshift-sensord.service");
}

TEST(Switch, GoesThereAndBackToTheByte) {
  const KernelLock lock;
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  if (fs::exists("/run/systemd/system"))
    GTEST_SKIP() << "the change would run in a unit outside this test's namespace";
  const tests::TemporaryTree tree;
  const ScratchSystem scratch(tree);
  if (!scratch.ready()) GTEST_SKIP() << "no overlays over /etc, /var/lib and /run here";
  write_host();
  ASSERT_EQ(run_program({"augenrules"}).exit_code, 0);
  // In the kernel Defender's are first, between and last.
  const LoadedRules rules(std::string(kUser) + kDefender + kLast);
  ASSERT_EQ(rules.problem(), "");
  Sensor sensor;
  if (!sensor.start(tree.real("/events.ndjson"))) GTEST_SKIP() << "the sensor does not start here";
  ASSERT_EQ(Sensor::subsystem(), "\"netlink\"");
  const std::string files = snapshot();
  const std::string live = listed();

  const Outcome planned = run_tool({"-q", "plan", "--json", "-o", tree.real("/plan.json")});
  EXPECT_EQ(planned.exit_code, 2) << planned.out << planned.err;
  EXPECT_EQ(schema_errors("plan.schema.json", planned.out), "");
  EXPECT_EQ(run_tool({"-q", "switch", "--dry-run"}).exit_code, 2);
  EXPECT_EQ(run_tool({"-q", "switch"}).exit_code, 64) << "without a terminal nobody can be asked";
  EXPECT_EQ(snapshot(), files);
  EXPECT_EQ(listed(), live);

  const Outcome switched = run_tool({"-q", "switch", "--yes", "--json", "--plan", tree.real("/plan.json")});
  ASSERT_EQ(switched.exit_code, 0) << switched.out << switched.err;
  EXPECT_EQ(schema_errors("outcome.schema.json", switched.out), "");
  EXPECT_EQ(Sensor::subsystem(), "\"ebpf\"");
  EXPECT_EQ(listed().find("mdatp"), std::string::npos) << listed();
  EXPECT_FALSE(fs::exists("/etc/audit/rules.d/mdatp.rules"));
  EXPECT_THAT(run_program({"augenrules", "--check"}).out, HasSubstr("No change"));
  const Outcome verified = run_tool({"-q", "verify", "--json"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  EXPECT_EQ(schema_errors("verify.schema.json", verified.out), "");
  const Outcome status = run_tool({"-q", "status", "--json"});
  EXPECT_EQ(status.exit_code, 0) << status.err;
  EXPECT_EQ(schema_errors("status.schema.json", status.out), "");
  const Outcome again = run_tool({"-q", "switch", "--yes"});
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing to do"));
  EXPECT_EQ(run_tool({"-q", "switch", "--yes", "--plan", tree.real("/plan.json")}).exit_code, 2) << "stale";

  const Outcome back = run_tool({"-q", "rollback", "--yes", "--json"});
  ASSERT_EQ(back.exit_code, 0) << back.out << back.err;
  EXPECT_EQ(schema_errors("outcome.schema.json", back.out), "");
  EXPECT_EQ(snapshot(), files);
  EXPECT_EQ(listed(), live);
  const Outcome history = run_tool({"-q", "history", "--json"});
  EXPECT_EQ(schema_errors("history.schema.json", history.out), "");
  EXPECT_EQ(json_of(history.out)["transactions"].size(), 1U);
  for (int i = 0; i < 100 && Sensor::subsystem() != "\"netlink\""; ++i) std::this_thread::sleep_for(100ms);
  EXPECT_EQ(Sensor::subsystem(), "\"netlink\"");
}

}  // namespace
}  // namespace auditshift::testing
