// SPDX-License-Identifier: Apache-2.0
// The assessment of a real host: this machine's kernel holds Defender's and Debian's example rules, the real
// auditd writes its log, and auditshift is asked about all of it. The files of audit are a scratch copy,
// bound over the real ones in a mount namespace of this process alone. Rules, limits, the enabled flag and
// the daemon are as before when the test ends, however it ends.
//
// What could not be taken back (enabled 2, failure 2, a locked login uid) never gets to the kernel: such
// lines are left out here, and auditctl runs under auditctl_shim.c.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libaudit.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "base/fd.h"
#include "base/text.h"
#include "tests/system/fast_rcu.h"
#include "tests/system/kernel_lock.h"
#include "tests/system/tool.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using tests::TemporaryTree;

constexpr const char* kExamples = "/usr/share/doc/auditd/examples/rules";

/// auditctl under the shim, in this process's namespace.
Outcome auditctl(std::vector<std::string> arguments) {
  std::vector<std::string> argv{"env", std::string("LD_PRELOAD=") + AUDITSHIFT_SHIM, "/sbin/auditctl"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  // A shim that is not there would be passed over with a mere warning.
  if (::access(AUDITSHIFT_SHIM, R_OK) != 0) return {};
  return run_program(argv);
}

/// `failure 1` is the kernel's own default: harmless, should it ever get through.
bool shim_works() {
  return auditctl({"-f", "1"}).err.find("shim: failure 1 was not sent") != std::string::npos;
}

std::vector<std::string> live_rules() {
  std::vector<std::string> lines;
  const std::string text = auditctl({"-l"}).out;
  for (const std::string_view line : base::split(text, '\n'))
    if (!line.empty() && line != "No rules") lines.emplace_back(line);
  return lines;
}

std::map<std::string, std::string> audit_status() {
  std::map<std::string, std::string> values;
  const std::string text = auditctl({"-s"}).out;
  for (const std::string_view line : base::split(text, '\n'))
    if (const std::size_t space = line.find(' '); space != std::string_view::npos)
      values.emplace(line.substr(0, space), line.substr(space + 1));
  return values;
}

std::string why_not_here() {
  if (::geteuid() != 0) return "loading audit rules needs root";
  for (const char* program : {"/sbin/auditctl", "/sbin/auditd", "/sbin/augenrules", "/usr/bin/setpriv"})
    if (::access(program, X_OK) != 0) return std::string(program) + " is not installed";
  if (!fs::is_directory(kExamples)) return "auditd's example rules are not installed";
  for (const char* directory : {"/etc/audit", "/var/log/audit"})
    if (!fs::is_directory(directory)) return std::string("there is no ") + directory + " to bind over";
  if (!shim_works()) return "auditctl does not run under the shim";
  const auto status = audit_status();
  const auto enabled = status.find("enabled");
  if (enabled == status.end()) return "the kernel's audit status cannot be read here";
  if (enabled->second != "0" && enabled->second != "1") return "the audit rules of this kernel are locked";
  if (status.at("pid") != "0") return "an audit daemon is running on this host";
  if (!live_rules().empty()) return "this kernel holds audit rules of somebody else";
  return {};
}

/// Lines that must never be loaded by a test, and those that would stop all records.
bool may_be_loaded(std::string_view line) {
  for (const char* word : {"-e", "-f", "-D", "-b", "-r", "-c", "-i", "-R", "--"})
    if (line.starts_with(word)) return false;
  return line.starts_with("-") && line.find("task") == std::string_view::npos &&
         line.find("loginuid-immutable") == std::string_view::npos;
}

/// The kernel's audit system, taken back to what it was.
class KernelState {
 public:
  KernelState() : before_(audit_status()) {}
  ~KernelState() { restore(); }
  KernelState(const KernelState&) = delete;
  KernelState& operator=(const KernelState&) = delete;

  const std::map<std::string, std::string>& before() const { return before_; }
  void restore() {
    if (restored_) return;
    restored_ = true;
    auditctl({"-D"});
    auditctl({"-b", before_.at("backlog_limit")});
    auditctl({"--backlog_wait_time", before_.at("backlog_wait_time")});
    const base::Fd fd(audit_open());
    // 0 or 1, never 2: why_not_here() has looked.
    if (before_.at("enabled") == "0" || before_.at("enabled") == "1")
      audit_set_enabled(fd.get(), before_.at("enabled") == "1" ? 1 : 0);
  }

 private:
  std::map<std::string, std::string> before_;
  bool restored_ = false;
};

/// The real auditd with the configuration that is bound over /etc/audit.
class Daemon {
 public:
  ~Daemon() { stop(); }
  bool start() {
    // When this process is killed, the daemon ends as well.
    std::vector<std::string> words{"setpriv", "--pdeathsig", "TERM", "/sbin/auditd", "-n", "-s", "enable"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::posix_spawn(&pid_, "/usr/bin/setpriv", nullptr, nullptr, argv.data(), environ) != 0) return false;
    for (int i = 0; i < 100; ++i) {
      if (audit_status()["pid"] == std::to_string(pid_)) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }
  void stop() {
    if (pid_ <= 0) return;
    auditctl({"-D"});  // first: records that no daemon takes fill the kernel log
    ::kill(pid_, SIGTERM);
    for (int i = 0; i < 200; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        return;
      }
      std::this_thread::sleep_for(50ms);
    }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

/// While this lives, scratch directories are bound over those of audit, for this process and its children
/// alone. Then the process is back in the mount namespace it came from.
class ScratchAuditFiles {
 public:
  explicit ScratchAuditFiles(const TemporaryTree& tree)
      : home_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) {
    if (!home_ || ::unshare(CLONE_NEWNS) != 0) return;
    away_ = true;
    bound_ = ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             ::mount(tree.real("/etc").c_str(), "/etc/audit", nullptr, MS_BIND, nullptr) == 0 &&
             ::mount(tree.real("/log").c_str(), "/var/log/audit", nullptr, MS_BIND, nullptr) == 0;
  }
  ~ScratchAuditFiles() {
    if (away_ && ::setns(home_.get(), CLONE_NEWNS) != 0) ADD_FAILURE() << "cannot leave the mount namespace";
  }
  ScratchAuditFiles(const ScratchAuditFiles&) = delete;
  ScratchAuditFiles& operator=(const ScratchAuditFiles&) = delete;
  bool bound() const { return bound_; }

 private:
  base::Fd home_;
  bool away_ = false;
  bool bound_ = false;
};

void write_daemon_configuration(const TemporaryTree& tree) {
  tree.directory("/etc/plugins.d");
  tree.directory("/etc/rules.d");
  tree.directory("/log");
  tree.file("/etc/auditd.conf",
            "local_events = yes\nwrite_logs = yes\nlog_format = ENRICHED\nflush = NONE\nlog_group = root\n"
            "num_logs = 0\nmax_log_file = 64\nmax_log_file_action = IGNORE\nspace_left = 2\n"
            "space_left_action = IGNORE\nadmin_space_left = 1\nadmin_space_left_action = IGNORE\n"
            "disk_full_action = IGNORE\ndisk_error_action = IGNORE\nlog_file = /var/log/audit/audit.log\n"
            "plugin_dir = /etc/audit/plugins.d\n");
  fs::permissions(tree.real("/etc/auditd.conf"), fs::perms(0640));
}

struct Loaded {
  std::size_t defender = 0;
  std::size_t all = 0;
};

/// Writes those lines of a rules file into rules.d that the real kernel takes, one by one; the rest as
/// comments.
std::size_t keep_what_loads(const TemporaryTree& tree, const fs::path& source, const std::string& name) {
  std::ifstream in(source);
  std::string text;
  std::size_t kept = 0;
  for (std::string line; std::getline(in, line);) {
    tree.file("/line", line + "\n");
    const bool good = may_be_loaded(line) && auditctl({"-R", tree.real("/line")}).exit_code == 0;
    text += good || line.starts_with("#") || line.empty() ? line + "\n" : "# left out: " + line + "\n";
    kept += good ? 1U : 0U;
  }
  tree.file("/etc/rules.d/" + name, text);
  return kept;
}

Loaded write_rules(const TemporaryTree& tree) {
  Loaded loaded;
  tree.file("/etc/rules.d/00-start.rules", "-D\n-b 8192\n");
  std::vector<fs::path> examples;
  for (const auto& entry : fs::directory_iterator(kExamples))
    if (entry.path().extension() == ".rules") examples.push_back(entry.path());
  std::sort(examples.begin(), examples.end());
  for (const fs::path& example : examples)
    loaded.all += keep_what_loads(tree, example, example.filename().native());
  loaded.defender = keep_what_loads(
      tree, AUDITSHIFT_FIXTURES "/hosts/ubuntu-20.04-auditd-era/etc/audit/rules.d/mdatp.rules",
      "mdatp.rules");
  loaded.all += loaded.defender;
  return loaded;
}

/// Events for Defender's rules: files that are renamed and removed, sockets that are made.
void make_events(const TemporaryTree& tree, int count) {
  const std::string script =
      "i=0; while [ $i -lt " + std::to_string(count) + " ]; do : >a; mv a b; rm b; i=$((i+1)); done";
  run_program({"sh", "-c", "cd " + tree.root() + " && " + script});
}

std::map<std::string, base::Json> rules_by_place(const base::Json& rules) {
  std::map<std::string, base::Json> by_place;
  for (const base::Json& rule : rules) by_place[rule["file"].dump() + ":" + rule["line"].dump()] = rule;
  return by_place;
}

void expect_every_rule_explained(const base::Json& rules) {
  for (const base::Json& rule : rules) {
    const std::string shown = rule.dump();
    EXPECT_TRUE(rule["valid"].get<bool>()) << shown;
    EXPECT_TRUE(rule["file"].is_string()) << "every rule of the kernel stands in a file: " << shown;
    EXPECT_TRUE(rule["line"].is_number()) << shown;
    EXPECT_GT(rule["meaning"].get<std::string>().size(), 10U) << shown;
    if (rule["owner"] == "control") continue;
    EXPECT_EQ(rule["loaded"], true) << shown;
    const std::string text = rule["text"].get<std::string>();
    const bool defender = text.find("mdatp") != std::string::npos;
    const bool excludes =
        text.find("never") != std::string::npos || text.find("exclude") != std::string::npos;
    EXPECT_EQ(rule["owner"], defender ? "defender" : excludes ? "exclusion" : "user") << shown;
  }
}

std::set<std::string> findings_of(const base::Json& assessment) {
  std::set<std::string> ids;
  for (const base::Json& finding : assessment["findings"]) ids.insert(finding["id"].get<std::string>());
  return ids;
}

/// Names, attributes and contents of the real audit files.
std::string audit_files() {
  return run_program({"sh", "-c", "ls -laR --full-time /etc/audit /var/log/audit; cat /etc/audit/*"}).out;
}

TEST(AssessHost, KnowsEveryRuleOfARealKernelAndItsCost) {
  const KernelLock lock;
  if (::geteuid() == 0) {
    ASSERT_TRUE(lock.held());
  }
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  const std::string files_before = audit_files();
  const TemporaryTree tree;
  write_daemon_configuration(tree);
  const FastRcu fast;
  std::map<std::string, std::string> status_before;
  {
    KernelState kernel;
    status_before = kernel.before();
    const Loaded loaded = write_rules(tree);
    ASSERT_EQ(loaded.defender, 6U);
    ASSERT_GT(loaded.all, 60U);
    ASSERT_TRUE(auditctl({"-D"}).exit_code == 0 && live_rules().empty());
    const ScratchAuditFiles files(tree);
    if (!files.bound()) GTEST_SKIP() << "the directories of audit cannot be bound over here";
    Daemon daemon;
    if (!daemon.start()) GTEST_SKIP() << "auditd does not start here";
    // Without --load augenrules only writes the compiled file.
    ASSERT_EQ(run_program({"augenrules"}).exit_code, 0);
    const Outcome load = auditctl({"-R", "/etc/audit/audit.rules"});
    ASSERT_EQ(load.exit_code, 0) << load.err;
    const std::vector<std::string> listed = live_rules();
    ASSERT_EQ(listed.size(), loaded.all);
    make_events(tree, 30);
    std::this_thread::sleep_for(500ms);  // records on their way

    const Outcome done = run_tool({"-q", "assess", "--json"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(schema_errors("assessment.schema.json", done.out), "");
    const base::Json assessment = json_of(done.out);
    EXPECT_EQ(assessment["verdict"], "ready") << "there is no agent here, and nothing locks audit";
    EXPECT_EQ(assessment["audit"]["state"], "mutable");
    EXPECT_EQ(assessment["audit"]["auditd_running"], true);
    EXPECT_EQ(assessment["audit"]["backlog_limit"], 8192);
    EXPECT_EQ(assessment["audit"]["rules_on_disk"], loaded.all);
    EXPECT_EQ(assessment["audit"]["rules_live"], loaded.all);
    EXPECT_EQ(assessment["audit"]["drift"], 0);
    EXPECT_EQ(assessment["agent"]["kind"], "none");
    expect_every_rule_explained(assessment["rules"]);
    const std::set<std::string> findings = findings_of(assessment);
    for (const char* id : {"AUD005", "AUD006", "AUD007", "AUD110", "AUD111"})
      EXPECT_TRUE(findings.contains(id)) << id;
    EXPECT_FALSE(findings.contains("AUD101")) << "every line loads";
    EXPECT_FALSE(findings.contains("AUD102")) << "every file can be read";

    // The log, rule by rule: each of the 30 rounds renames and removes a file, in 64-bit calls.
    for (const base::Json& rule : assessment["rules"]) {
      const std::string rule_text = rule["text"].get<std::string>();
      if (rule["owner"] != "defender" || rule_text.find("-S rename ") == std::string::npos) continue;
      const std::uint64_t events = rule["log"]["events"].get<std::uint64_t>();
      if (rule_text.find("arch=b64") != std::string::npos) {
        EXPECT_GE(events, 60U) << rule_text;
      } else {
        EXPECT_EQ(events, 0U) << rule_text;
      }
    }
    EXPECT_GT(assessment["log"]["events"].get<std::uint64_t>(), 60U);
    EXPECT_EQ(assessment["log"]["malformed"], 0);

    const Outcome list = run_tool({"-q", "rules", "list", "--json"});
    const auto listed_rules = rules_by_place(json_of(list.out));
    EXPECT_EQ(listed_rules.size(), assessment["rules"].size());
    for (const auto& [place, rule] : rules_by_place(assessment["rules"]))
      EXPECT_EQ(listed_rules.at(place)["normalized"], rule["normalized"]) << place;
    EXPECT_EQ(json_of(run_tool({"-q", "rules", "list", "--live", "--json"}).out).size(), loaded.all);

    const Outcome check = run_tool({"rules", "check"});
    EXPECT_EQ(check.exit_code, 0) << check.out;
    EXPECT_THAT(check.out, HasSubstr(", none rejected\n"));
    const Outcome normal = run_tool({"rules", "normalize"});
    EXPECT_EQ(normal.exit_code, 0);
    EXPECT_EQ(normal.out, base::join(listed, "\n") + "\n") << "as auditctl -l lists them";

    const Outcome text = run_tool({"-q", "assess"});
    EXPECT_THAT(text.out, ::testing::StartsWith("Verdict: ready\n"));
    EXPECT_THAT(text.out, HasSubstr("auditd running"));
    EXPECT_THAT(text.out, HasSubstr("loaded in the kernel"));
    EXPECT_THAT(text.out, HasSubstr("\nNext\n"));
    const Outcome words = run_tool({"-q", "rules", "list"});
    EXPECT_THAT(words.out, HasSubstr("/etc/audit/rules.d/mdatp.rules\n"));
    EXPECT_THAT(words.out, HasSubstr("[defender, in the kernel"));
    EXPECT_THAT(words.out, Not(HasSubstr("not in the kernel")));
    daemon.stop();
  }
  EXPECT_EQ(audit_files(), files_before);
  EXPECT_THAT(live_rules(), IsEmpty());
  const auto status = audit_status();
  for (const char* name : {"enabled", "failure", "pid", "rate_limit", "backlog_limit", "backlog_wait_time",
                           "loginuid_immutable"})
    EXPECT_EQ(status.at(name), status_before.at(name)) << name;
}

}  // namespace
}  // namespace auditshift::testing
