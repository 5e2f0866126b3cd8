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
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "auditd/kernel.h"
#include "auditd/parser.h"
#include "base/attributes.h"
#include "base/fd.h"
#include "base/text.h"
#include "migrate/change/backup_directory.h"
#include "migrate/change/plan_steps.h"
#include "tests/system/audit_on.h"
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

std::uint32_t rate_limit() { return kernel().status().rate_limit.value_or(~0U); }

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

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& content, unsigned mode) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  fs::permissions(path, fs::perms(mode));
}

/// Names, owners, modes, extended attributes and contents.
std::string snapshot() {
  std::map<std::string, std::string> lines;
  for (const char* top : {"/etc/audit", "/etc/auditshift"})
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      const base::Fd fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
      const auto attributes = base::read_attributes(fd.get(), entry.path().native());
      if (!attributes.ok()) {
        lines[entry.path()] = attributes.error().message();
        continue;
      }
      std::ostringstream line;
      line << std::oct << attributes->mode << std::dec << " " << attributes->uid << ":" << attributes->gid;
      for (const auto& [name, value] : attributes->extended) line << " " << name << "=" << value;
      if (entry.is_regular_file())
        line << " [" << std::ifstream(entry.path(), std::ios::binary).rdbuf() << "]";
      lines[entry.path()] = line.str();
    }
  std::string text;
  for (const auto& [path, line] : lines) text += path + " " + line + "\n";
  return text;
}

/// A label and a note for each file that the switch writes or removes; what the file system takes of them.
void label_files() {
  constexpr std::string_view kLabel("system_u:object_r:auditd_etc_t:s0\0", 34);
  for (const char* file : {"/etc/audit/rules.d/mdatp.rules", "/etc/audit/rules.d/40-user.rules",
                           "/etc/audit/audit.rules", "/etc/auditshift/managed.json"}) {
    EXPECT_EQ(::setxattr(file, "security.selinux", kLabel.data(), kLabel.size(), 0), 0) << file;
    EXPECT_EQ(::setxattr(file, "trusted.note", "kept", 4, 0), 0) << file;
  }
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

class Switch : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    if (fs::exists("/run/systemd/system"))
      GTEST_SKIP() << "the change would run in a unit outside this test's namespace";
    scratch = std::make_unique<ScratchSystem>(tree);
    if (!scratch->ready()) GTEST_SKIP() << "no overlays over /etc, /var/lib and /run here";
    write_host();
  }

  const KernelLock lock;
  const tests::TemporaryTree tree;
  std::unique_ptr<ScratchSystem> scratch;
};

TEST_F(Switch, GoesThereAndBackToTheByte) {
  ASSERT_EQ(run_program({"augenrules"}).exit_code, 0);
  label_files();
  // In the kernel Defender's are first, between and last.
  const LoadedRules rules(std::string(kUser) + kDefender + kLast);
  ASSERT_EQ(rules.problem(), "");
  Sensor sensor;
  ASSERT_TRUE(sensor.start(tree.real("/events.ndjson"))) << "the sensor does not start";
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
  // The same from its disk, mounted elsewhere.
  fs::create_directories(tree.real("/disk/var/lib"));
  fs::copy("/var/lib/auditshift", tree.real("/disk/var/lib/auditshift"), fs::copy_options::recursive);
  EXPECT_EQ(run_tool({"-q", "history", "--json", "--root", tree.real("/disk")}).out, history.out);
  const Outcome of_disk = run_tool({"-q", "status", "--json", "--root", tree.real("/disk")});
  EXPECT_EQ(json_of(of_disk.out)["state"], "rolled-back") << of_disk.out << of_disk.err;
  for (int i = 0; i < 100 && Sensor::subsystem() != "\"netlink\""; ++i) std::this_thread::sleep_for(100ms);
  EXPECT_EQ(Sensor::subsystem(), "\"netlink\"");
}

/// What the real loader brought into the kernel from the rules on disk, the rate limit too: this is how a
/// host has it.
class LoadedByTheLoader {
 public:
  LoadedByTheLoader() : before_(rate_limit()) { loaded_ = run_program({"augenrules", "--load"}); }
  ~LoadedByTheLoader() {
    auditd::LiveKernelAudit audit = kernel();
    const auditd::LiveRules live = audit.rules();
    for (const Rule& rule : live.rules) (void)audit.remove(rule);
    EXPECT_TRUE(audit.set_rate_limit(before_).ok());
  }
  LoadedByTheLoader(const LoadedByTheLoader&) = delete;
  LoadedByTheLoader& operator=(const LoadedByTheLoader&) = delete;
  const Outcome& said() const { return loaded_; }

 private:
  std::uint32_t before_;
  Outcome loaded_;
};

constexpr const char* kRateLimit =
    "\n## Managed by the endpoint agent\n## see its documentation\n"
    "## cdbb87e7-66d1-40e8-b090-30ff3e88fc08\n-r 2500\n";

TEST_F(Switch, OfWhatTheRealLoaderLoadedGoesThereAndBack) {
  write("/etc/audit/rules.d/10-base.rules", "-D\n", 0640);
  write("/etc/audit/rules.d/mdatp.rate_limit.rules", kRateLimit, 0640);
  const LoadedByTheLoader loaded;
  ASSERT_EQ(loaded.said().exit_code, 0) << loaded.said().err;
  ASSERT_EQ(rate_limit(), 2500U);
  label_files();
  Sensor sensor;
  ASSERT_TRUE(sensor.start(tree.real("/events.ndjson"))) << "the sensor does not start";
  const std::string files = snapshot();
  const std::string live = listed();
  ASSERT_THAT(live, HasSubstr("key=mdatpmbr"));

  const Outcome switched = run_tool({"-q", "switch", "--yes"});
  ASSERT_EQ(switched.exit_code, 0) << switched.out << switched.err;
  EXPECT_EQ(rate_limit(), 0U) << "it was Defender's, and went with its file";
  EXPECT_FALSE(fs::exists("/etc/audit/rules.d/mdatp.rate_limit.rules"));
  const std::string after = listed();
  EXPECT_EQ(after.find("mdatp"), std::string::npos) << after;
  EXPECT_EQ(run_program({"augenrules", "--load"}).exit_code, 0);
  EXPECT_EQ(listed(), after) << "the next boot loads what the kernel holds now";
  EXPECT_EQ(run_tool({"-q", "verify"}).exit_code, 0);

  const Outcome back = run_tool({"-q", "rollback", "--yes"});
  ASSERT_EQ(back.exit_code, 0) << back.out << back.err;
  EXPECT_EQ(snapshot(), files);
  EXPECT_EQ(listed(), live);
  EXPECT_EQ(rate_limit(), 2500U);
  EXPECT_THAT(run_program({"augenrules", "--check"}).out, HasSubstr("No change"));
}

/// Somebody else at work, and what the tool says to that.
TEST_F(Switch, EndsWithTheExitCodeOfWhatHappened) {
  ASSERT_EQ(run_program({"augenrules"}).exit_code, 0);
  const LoadedRules rules(std::string(kUser) + kDefender + kLast);
  ASSERT_EQ(rules.problem(), "");
  Sensor sensor;
  ASSERT_TRUE(sensor.start(tree.real("/events.ndjson"))) << "the sensor does not start";
  {
    const base::Fd held(::open("/var/lib/auditshift/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    const Outcome busy = run_tool({"-q", "switch", "--yes"});
    EXPECT_EQ(busy.exit_code, 75) << busy.out << busy.err;
  }
  EXPECT_EQ(PublicTool().run_as_nobody({"switch", "--yes"}).exit_code, 77);
  ASSERT_EQ(run_tool({"-q", "switch", "--yes"}).exit_code, 0);
  {
    base::Fd held(::open("/var/lib/auditshift/lock", O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    EXPECT_EQ(run_tool({"-q", "resume"}).exit_code, 75);
    // The boot unit's way: behind whoever is at work.
    std::thread other([&] {
      std::this_thread::sleep_for(2s);
      held.reset();
    });
    const Outcome in_turn = run_tool({"-q", "resume", "--wait"});
    other.join();
    EXPECT_EQ(in_turn.exit_code, 0) << in_turn.out << in_turn.err;
    EXPECT_THAT(in_turn.err, HasSubstr("another run is at work"));
  }

  write("/etc/audit/rules.d/mdatp.rules", kDefender, 0600);
  const Outcome came_back = run_tool({"-q", "verify"});
  EXPECT_EQ(came_back.exit_code, 4) << came_back.out;
  EXPECT_THAT(came_back.out, HasSubstr("/etc/audit/rules.d/mdatp.rules"));
  fs::remove("/etc/audit/rules.d/mdatp.rules");

  std::ofstream("/etc/audit/rules.d/40-user.rules", std::ios::app) << "# somebody's\n";
  const Outcome incomplete = run_tool({"-q", "rollback", "--yes"});
  EXPECT_EQ(incomplete.exit_code, 6) << incomplete.out << incomplete.err;
  EXPECT_THAT(incomplete.out, HasSubstr("/etc/audit/rules.d/40-user.rules: somebody else changed it"));
  EXPECT_TRUE(fs::exists("/etc/audit/rules.d/mdatp.rules")) << "all else is back";
  EXPECT_EQ(run_tool({"-q", "commit", "--yes"}).exit_code, 1) << "a failed rollback is no switch to keep";
}

/// Calls by a program of its own, while a switch compares.
class Workload {
 public:
  Workload(const std::string& executable, const std::string& directory)
      : thread_([this, executable, directory] {
          for (int i = 0; !done_; ++i) {
            const std::string run = directory + "/" + std::to_string(i);
            fs::create_directory(run);
            (void)run_program({executable, run, "20"});
          }
        }) {}
  ~Workload() {
    done_ = true;
    thread_.join();
  }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

 private:
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

TEST_F(Switch, ComparesBeforeTheOldRulesGoAndIsRolledBackByWhatWasMissed) {
  const AuditOn on;
  ASSERT_TRUE(on.on()) << "the audit system cannot be switched on";
  const std::string executable = tree.real("/workload");
  fs::copy_file(AUDITSHIFT_COMPARE_WORKLOAD, executable);
  tree.directory("/run");
  const std::string renames = "-a always,exit -F arch=b64 -S renameat2 -F exe=" + executable + " -F key=";
  write("/etc/audit/rules.d/mdatp.rules",
        kDefender + ("-a always,exit -F arch=b64 -S fchmod -F exe=" + executable + " -F key=mdatp\n"), 0600);
  write("/etc/audit/rules.d/40-user.rules", kUser + renames + "mine\n", 0640);
  ASSERT_EQ(run_program({"augenrules"}).exit_code, 0);
  const LoadedRules rules(kUser + renames + "mine\n-a always,exit -F arch=b64 -S fchmod -F exe=" +
                          executable + " -F key=mdatp\n" + kDefender + kLast);
  ASSERT_EQ(rules.problem(), "");
  Sensor sensor;
  ASSERT_TRUE(sensor.start(tree.real("/events.ndjson"))) << "the sensor does not start";
  const Workload workload(executable, tree.real("/run"));
  const std::string managed = read_file("/etc/auditshift/managed.json");

  // What an exclusion keeps back is missed: the rules of the user record it.
  write(
      "/etc/auditshift/managed.json",
      R"({"exclusionSettings": {"exclusions": [{"$type": "excludedFileName", "scopes": ["global"], "name": ")" +
          executable + R"("}]}})",
      0644);
  const std::string files = snapshot();
  const std::string live = listed();
  const Outcome missed = run_tool({"-q", "switch", "--yes", "--compare", "4", "--json"});
  EXPECT_EQ(missed.exit_code, 5) << missed.out << missed.err;
  EXPECT_EQ(schema_errors("outcome.schema.json", missed.out), "");
  const base::Json told = json_of(missed.out)["comparison"];
  EXPECT_EQ(told["outcome"], "missed") << missed.out;
  EXPECT_GT(told["missed"].get<int>(), 0);
  EXPECT_THAT(missed.out, HasSubstr("CMP001"));
  EXPECT_EQ(snapshot(), files);
  EXPECT_EQ(listed(), live);
  const Outcome status = run_tool({"-q", "status", "--json"});
  EXPECT_EQ(schema_errors("status.schema.json", status.out), "");
  EXPECT_EQ(json_of(status.out)["comparison"], told);

  write("/etc/auditshift/managed.json", managed, 0644);
  EXPECT_EQ(run_tool({"-q", "switch", "--yes", "--accept", "CMP001"}).exit_code, 64) << "without --compare";
  const Outcome switched = run_tool({"-q", "switch", "--yes", "--compare", "4", "--json"});
  EXPECT_EQ(switched.exit_code, 0) << switched.out << switched.err;
  EXPECT_EQ(schema_errors("outcome.schema.json", switched.out), "");
  EXPECT_EQ(json_of(switched.out)["comparison"]["outcome"], "nothing-lost") << switched.out;
  EXPECT_GT(json_of(switched.out)["comparison"]["events"].get<int>(), 0);
  EXPECT_EQ(listed().find("mdatp"), std::string::npos) << listed();
  ASSERT_EQ(run_tool({"-q", "rollback", "--yes"}).exit_code, 0);
  EXPECT_EQ(listed(), live);
}

/// SIGINT while it compares: nothing is lost, and it goes on when somebody says so.
TEST_F(Switch, AnInterruptEndsTheComparisonAndRollbackGoesBack) {
  const AuditOn on;
  ASSERT_TRUE(on.on()) << "the audit system cannot be switched on";
  ASSERT_EQ(run_program({"augenrules"}).exit_code, 0);
  const LoadedRules rules(std::string(kUser) + kDefender + kLast);
  ASSERT_EQ(rules.problem(), "");
  Sensor sensor;
  ASSERT_TRUE(sensor.start(tree.real("/events.ndjson"))) << "the sensor does not start";
  const std::string files = snapshot();
  const std::string live = listed();
  const Outcome stopped = run_program({"timeout", "--signal=INT", "--preserve-status", "20", AUDITSHIFT_TOOL,
                                       "-q", "switch", "--yes", "--compare", "600"});
  EXPECT_EQ(stopped.exit_code, 130) << stopped.out << stopped.err;
  EXPECT_THAT(run_tool({"status"}).out, HasSubstr("auditshift resume goes on"));
  EXPECT_EQ(listed(), live) << "the old rules have not gone";
  ASSERT_EQ(run_tool({"-q", "rollback", "--yes"}).exit_code, 0);
  EXPECT_EQ(snapshot(), files);
  EXPECT_EQ(listed(), live);
}

}  // namespace
}  // namespace auditshift::testing
