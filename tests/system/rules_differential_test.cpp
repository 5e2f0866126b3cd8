// SPDX-License-Identifier: Apache-2.0
// The rule language against the real auditctl and the running kernel, one line at a time: the same lines must
// be accepted, and what they become must list the same.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <libaudit.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <tuple>

#include "auditd/kernel.h"
#include "auditd/machine.h"
#include "auditd/normalize.h"
#include "auditd/parser.h"
#include "auditd/syscalls.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/system/auditctl.h"
#include "tests/system/corpus.h"
#include "tests/system/fast_rcu.h"
#include "tests/system/generated_rules.h"
#include "tests/system/kernel_lock.h"

namespace auditshift::testing {
namespace {

using namespace auditd;  // NOLINT: the test is about it

/// What a run of comparisons came to; prints itself.
class Tally {
 public:
  explicit Tally(std::string name) : name_(std::move(name)) {}
  ~Tally() {
    std::cout << name_ << ": " << base::with_thousands(compared_) << " rules compared, "
              << base::with_thousands(compared_ - divergences_.size()) << " agree, "
              << base::with_thousands(skipped_) << " passed over\n";
  }
  void agree() { ++compared_; }
  void skip() { ++skipped_; }
  void diverge(const std::string& rule, const std::string& ours, const std::string& theirs) {
    ++compared_;
    divergences_.push_back(base::printable(rule) + "\n    ours:   " + base::printable(ours) +
                           "\n    theirs: " + base::printable(theirs));
  }
  void expect_agreement() const {
    EXPECT_GT(compared_, 0U);
    EXPECT_TRUE(divergences_.empty()) << divergences_.size() << " divergences:\n"
                                      << base::join(divergences_, "\n");
  }

 private:
  std::string name_;
  std::uint64_t compared_ = 0;
  std::uint64_t skipped_ = 0;
  std::vector<std::string> divergences_;
};

std::string machine_name() {
  utsname names{};
  uname(&names);
  return names.machine;
}

AuditVersion installed_version(const Auditctl& auditctl) {
  const std::string output = auditctl.run({"-v"}).output;
  return AuditVersion::parse(base::trim(std::string_view(output).substr(output.rfind(' ') + 1)))
      .value_or(AuditVersion{});
}

/// The kernel's audit system, lent to the tests of this file and put back as it was.
class RulesDifferential : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    lock_ = std::make_unique<KernelLock>();
    if (!lock_->held()) {
      reason_ = "the lock on the kernel's audit rules cannot be taken";
      return;
    }
    LiveKernelAudit kernel({});
    before_ = kernel.status();
    const LiveRules rules = kernel.rules();
    if (!rules.known) {
      reason_ = "the kernel's audit rules cannot be read: " + rules.reason;
    } else if (!rules.rules.empty()) {
      reason_ = "audit rules are loaded that are not this test's";
    } else if (before_.state == AuditState::immutable) {
      reason_ = "the audit system is immutable";
    } else {
      auditctl_ = Auditctl::make(reason_);
    }
    if (!auditctl_) return;
    options_ = {installed_version(*auditctl_), machine_name(), auditctl_.get()};
    fast_ = std::make_unique<FastRcu>();
    if (!shim_works()) {
      reason_ = "the shim does not hold dangerous requests back; nothing else is run";
      auditctl_.reset();
    }
  }

  static void TearDownTestSuite() {
    if (auditctl_) {
      (void)auditctl_->clear();
      restore_status();
    }
    auditctl_.reset();
    fast_.reset();
    lock_.reset();
  }

  void SetUp() override {
    if (!auditctl_) GTEST_SKIP() << reason_;
  }

  void TearDown() override {
    EXPECT_TRUE(!auditctl_ || auditctl_->clear()) << "rules of the test remain in the kernel";
  }

  /// Asks for the other value of enabled, 0 or 1, which must not change.
  static bool shim_works() {
    const std::uint32_t now = before_.enabled.value_or(0);
    const Ended ended = auditctl_->run({"-e", now == 0 ? "1" : "0"});
    return ended.exit_code == 0 && ended.errors.find("shim: enabled") != std::string::npos &&
           LiveKernelAudit({}).status().enabled == now;
  }

  static void restore_status() {
    const base::Fd fd(audit_open());
    audit_set_rate_limit(fd.get(), before_.rate_limit.value_or(0));
    audit_set_backlog_limit(fd.get(), before_.backlog_limit.value_or(64));
    if (before_.backlog_wait_time) audit_set_backlog_wait_time(fd.get(), *before_.backlog_wait_time);
    const AuditStatus after = LiveKernelAudit({}).status();
    EXPECT_EQ(after.enabled, before_.enabled);
    EXPECT_EQ(after.failure, before_.failure);
    EXPECT_EQ(after.rate_limit, before_.rate_limit);
    EXPECT_EQ(after.backlog_limit, before_.backlog_limit);
  }

  static void compare(const std::string& text, Tally& tally);
  static std::pair<std::string, std::string> compare_loaded(const Rule& rule, const LiveRules& live);

  static inline std::unique_ptr<KernelLock> lock_;
  static inline std::unique_ptr<FastRcu> fast_;
  static inline std::unique_ptr<Auditctl> auditctl_;
  static inline AuditStatus before_;
  static inline ParseOptions options_;
  static inline std::string reason_;
};

/// With -i and -c auditctl's exit code says nothing about the line.
bool hides_errors(const Line& line) {
  for (const Control& control : line.controls) {
    if (control.kind == ControlKind::ignore_errors || control.kind == ControlKind::continue_on_error)
      return true;
  }
  return false;
}

/// The kernel replaces the bits of syscall classes by the syscalls.
SyscallMask as_in_kernel(const Rule& rule) {
  return expand_classes(rule.syscalls, native_arch(machine_name()).value_or(0));
}

/// What we expect the kernel to hold for the rule, and what it holds, listed by auditctl and read by us.
std::pair<std::string, std::string> RulesDifferential::compare_loaded(const Rule& rule,
                                                                      const LiveRules& live) {
  const std::string ours = normalize(rule, options_.version, options_.machine);
  const std::string listed = base::join(auditctl_->list(), "\n");
  if (listed != ours) return {ours, listed};
  if (live.rules.size() != 1 || live.rules[0].text != ours) {
    return {ours, "read from the kernel: " + (live.rules.empty() ? live.reason : live.rules[0].text)};
  }
  Rule loaded = rule;
  loaded.syscalls = as_in_kernel(rule);
  return {ours, same_in_kernel(live.rules[0], loaded) ? ours : ours + " (but not the same rule to us)"};
}

/// A removal needs a rule to remove; RemovingForms has those.
bool removes(const Line& line) { return line.rule && line.rule->verb == RuleVerb::remove; }

void RulesDifferential::compare(const std::string& text, Tally& tally) {
  std::vector<Line> lines = parse_rules(text, "", options_);
  for (const Line& line : lines) {
    if (line.rule) auditctl_->make_parents(*line.rule);
    if (hides_errors(line) || removes(line)) return tally.skip();
  }
  lines = parse_rules(text, "", options_);
  const auto bad = std::find_if(lines.begin(), lines.end(), [](const Line& line) { return !line.valid(); });
  const bool valid = bad == lines.end();
  const Ended ended = auditctl_->load(text);
  const bool accepted = ended.exit_code == 0 && ended.signal == 0;
  const LiveRules live = LiveKernelAudit(options_).rules();
  std::string ours = valid ? "accepted" : "refused: " + bad->diagnostics.front().message;
  std::string theirs = accepted ? "accepted" : "refused " + base::printable(ended.errors);
  if (accepted == valid) {
    theirs = ours;
    if (accepted && lines.size() == 1 && lines[0].rule) {
      std::tie(ours, theirs) = compare_loaded(*lines[0].rule, live);
    } else if (lines.size() <= 1 && !live.rules.empty()) {
      theirs += ", loaded " + live.rules[0].text;
    }
  }
  auditctl_->remove(live.rules);
  if (ours == theirs) {
    tally.agree();
  } else {
    tally.diverge(text, ours, theirs);
  }
}

TEST_F(RulesDifferential, DangerousRequestsNeverReachTheKernel) {
  const AuditStatus before = LiveKernelAudit({}).status();
  EXPECT_EQ(auditctl_->load("-e 1\n-f 0\n").exit_code, 0);
  EXPECT_EQ(auditctl_->load("-e 0\n-f 1\n").exit_code, 0);
  EXPECT_EQ(format_status(LiveKernelAudit({}).status()), format_status(before));
}

/// What the shim's second belt answers to a message, tried on a descriptor that is none. Returns errno.
int shim_answers(std::uint16_t type, std::uint32_t mask, std::uint32_t enabled) {
  struct {
    nlmsghdr head;
    audit_status status;
  } message{};
  message.head.nlmsg_len = sizeof message;
  message.head.nlmsg_type = type;
  message.status.mask = mask;
  message.status.enabled = enabled;
  void* shim = dlopen(AUDITSHIFT_SHIM, RTLD_NOW | RTLD_LOCAL);
  if (shim == nullptr) return -1;
  using SendTo = ssize_t (*)(int, const void*, size_t, int, const sockaddr*, socklen_t);
  const auto send_to = reinterpret_cast<SendTo>(dlsym(shim, "sendto"));
  errno = 0;
  const ssize_t sent = send_to(-1, &message, sizeof message, 0, nullptr, 0);
  const int answer = sent < 0 ? errno : 0;
  dlclose(shim);
  return answer;
}

TEST(Shim, HoldsBackMessagesThatCannotBeUndone) {
  EXPECT_EQ(shim_answers(AUDIT_SET, AUDIT_STATUS_ENABLED, 2), EPERM);
  EXPECT_EQ(shim_answers(AUDIT_SET, AUDIT_STATUS_FAILURE | AUDIT_STATUS_RATE_LIMIT, 0), EPERM);
  EXPECT_EQ(shim_answers(AUDIT_SET_FEATURE, 0, 0), EPERM);
  EXPECT_EQ(shim_answers(AUDIT_SET, AUDIT_STATUS_BACKLOG_LIMIT, 0), EBADF) << "harmless ones go through";
  EXPECT_EQ(shim_answers(AUDIT_GET, 0, 0), EBADF);
}

TEST_F(RulesDifferential, SampleRulesOfTheDistribution) {
  std::set<std::string> lines;
  for (const char* folder : {"/usr/share/doc/auditd/examples/rules", "/etc/audit/rules.d"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() != ".rules") continue;
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) {
        // The samples hold rules that are switched off as comments.
        if (line.starts_with("#-")) line.erase(0, 1);
        lines.insert(line);
      }
    }
  }
  if (lines.empty()) GTEST_SKIP() << "the auditd package's sample rules are not installed";
  Tally tally("sample rules");
  for (const std::string& line : lines) compare(line, tally);
  tally.expect_agreement();
}

TEST_F(RulesDifferential, GeneratedRules) {
  Tally tally("generated rules");
  for (const std::string& line : generated_rules()) compare(line, tally);
  tally.expect_agreement();
}

TEST_F(RulesDifferential, RemovingForms) {
  Tally tally("removing forms");
  const std::pair<const char*, const char*> pairs[] = {
      {"-w /etc/passwd -p wa -k id", "-W /etc/passwd -p wa -k id"},
      {"-a always,exit -F arch=b64 -S open -k x", "-d always,exit -F arch=b64 -S open -k x"},
      {"-a always,exclude -F msgtype=CWD", "-d exclude,never -F msgtype=CWD"},
      {"-a always,exclude -F msgtype=CWD", "-d exclude,always -F msgtype=CWD"},
      {"-w /etc -p wa", "-W /etc/ -p aw"},
      {"-w /etc/passwd -p wa", "-W /etc/passwd -p w"},
      {"-w /etc/passwd -p wa -k a -k b", "-W /etc/passwd -p wa -k b -k a"},
      {"-a always,exit -F path=/etc/passwd -F perm=wa", "-W /etc/passwd -p wa"},
      {"-a always,exit -F perm=wa -F path=/etc/passwd", "-W /etc/passwd -p wa"},
      {"-A always,exit -S 59", "-d always,exit -S 59"},
      {"-a always,exit -S 59", "-d always,exit -F arch=b64 -S 59"},
      {"-a always,task -F uid=0", "-d task,always -F uid=0"},
  };
  for (const auto& [add, remove] : pairs) {
    const std::vector<Line> lines = parse_rules(std::string(add) + "\n" + remove, "", options_);
    ASSERT_TRUE(lines.size() == 2 && lines[0].rule && lines[1].rule) << add << " | " << remove;
    EXPECT_EQ(auditctl_->load(add).exit_code, 0);
    const bool removed = auditctl_->load(remove).exit_code == 0;
    const bool expected = kernel_order({*lines[0].rule, *lines[1].rule}).empty();
    if (removed == expected && removed == auditctl_->list().empty()) {
      tally.agree();
    } else {
      tally.diverge(std::string(add) + " | " + remove, expected ? "removed" : "not there",
                    removed ? "removed" : "not there");
    }
    auditctl_->clear();
  }
  tally.expect_agreement();
}

TEST_F(RulesDifferential, OrderInTheKernel) {
  const std::string text =
      "-a always,exit -F arch=b64 -S open -k a\n-a never,exclude -F msgtype=CWD\n-A always,exit -F arch=b64 "
      "-S close -k b\n"
      "-a never,task -F uid=0\n-a always,user -F uid=0\n-w /etc/passwd -p wa -k c\n-A never,exit -F uid=0\n"
      "-A always,exit -F arch=b64 -S open -k a\n-a never,filesystem -F fstype=tracefs\n";
  std::vector<Rule> rules;
  for (const Line& line : parse_rules(text, "", options_)) rules.push_back(line.rule.value());
  std::vector<std::string> ours;
  for (const Rule& rule : kernel_order(rules))
    ours.push_back(normalize(rule, options_.version, options_.machine));
  ASSERT_EQ(auditctl_->load(text).exit_code, 0);
  EXPECT_EQ(base::join(ours, "\n"), base::join(auditctl_->list(), "\n"));

  const std::string listed = auditctl_->run({"-l"}).output;
  const LiveRules captured = CapturedKernelAudit(std::nullopt, listed, options_).rules();
  const LiveRules live = LiveKernelAudit(options_).rules();
  ASSERT_EQ(captured.rules.size(), live.rules.size()) << captured.reason;
  for (std::size_t i = 0; i < live.rules.size(); ++i) {
    EXPECT_TRUE(same_in_kernel(captured.rules[i], live.rules[i])) << captured.rules[i].text;
    EXPECT_EQ(captured.rules[i].text, live.rules[i].text);
  }
}

TEST_F(RulesDifferential, StatusIsTheSame) {
  const std::string theirs = auditctl_->run({"-s"}).output;
  const AuditStatus ours = LiveKernelAudit(options_).status();
  EXPECT_TRUE(theirs.starts_with(format_status(ours))) << theirs;
  EXPECT_EQ(format_status(parse_status(theirs)), format_status(ours));
}

TEST_F(RulesDifferential, CorpusLive) {
  const auto corpus = Corpus::find();
  if (!corpus) GTEST_SKIP() << Corpus::hint();
  for (const auto& [name, uid] : corpus->users()) auditctl_->add_user(name, uid);
  Tally tally("corpus, live");
  for (const RecordedRule& recorded : corpus->rules()) compare(recorded.text, tally);
  tally.expect_agreement();
}

/// The accounts of the machine on which the corpus was recorded.
class CorpusHost final : public HostView {
 public:
  explicit CorpusHost(const Corpus& corpus) : users_(corpus.users()) {}
  std::optional<std::uint32_t> uid_of(std::string_view user) const override {
    for (const auto& [name, uid] : users_) {
      if (name == user) return uid;
    }
    return std::nullopt;
  }
  std::optional<std::uint32_t> gid_of(std::string_view group) const override {
    return group == "root" ? std::optional<std::uint32_t>(0) : std::nullopt;
  }
  PathKind kind_of(std::string_view) const override { return PathKind::unknown; }

 private:
  std::vector<std::pair<std::string, std::uint32_t>> users_;
};

void compare_recorded(const RecordedRule& recorded, const RecordedAnswer& answer, const ParseOptions& options,
                      Tally& tally) {
  const std::vector<Line> lines = parse_rules(recorded.text, "", options);
  const auto bad = std::find_if(lines.begin(), lines.end(), [](const Line& line) { return !line.valid(); });
  const bool valid = bad == lines.end();
  if (answer.depends_on_host || (lines.size() == 1 && hides_errors(lines[0]))) return tally.skip();
  const bool has_rule = lines.size() == 1 && lines[0].rule;
  const std::string normal = has_rule ? normalize(*lines[0].rule, options.version, options.machine) : "";
  if (valid == answer.accepted && (!answer.accepted || answer.normal == normal)) {
    tally.agree();
  } else {
    tally.diverge(recorded.text + " [" + options.version.to_string() + "]",
                  valid ? "accepted " + normal : "refused: " + bad->diagnostics.front().message,
                  (answer.accepted ? "accepted " : "refused ") + answer.normal);
  }
}

TEST(RulesRecorded, CorpusOfTheReferenceVersion) {
  const auto corpus = Corpus::find();
  if (!corpus) GTEST_SKIP() << Corpus::hint();
  const CorpusHost host(*corpus);
  Tally tally("corpus, recorded with 3.0.9 on Linux 6.1");
  for (const RecordedRule& recorded : corpus->rules()) {
    if (recorded.answer)
      compare_recorded(recorded, *recorded.answer, {AuditVersion{3, 0, 9}, "x86_64", &host}, tally);
  }
  tally.expect_agreement();
}

TEST(RulesRecorded, CorpusOfOtherVersions) {
  const auto corpus = Corpus::find();
  if (!corpus) GTEST_SKIP() << Corpus::hint();
  const CorpusHost host(*corpus);
  Tally tally("corpus, recorded with other versions");
  for (const RecordedRule& recorded : corpus->rules()) {
    for (const auto& [version, answer] : recorded.versions) {
      compare_recorded(recorded, answer, {version, "x86_64", &host}, tally);
    }
  }
  tally.expect_agreement();
}

}  // namespace
}  // namespace auditshift::testing
