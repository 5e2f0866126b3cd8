// SPDX-License-Identifier: Apache-2.0
// One workload, seen at the same time in auditd's stream and by the ebpf provider: both must tell the same
// events. What the audit records cannot tell is listed in migrate/compare/likeness.cpp, limit by limit, and
// nothing else may differ.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "migrate/compare/likeness.h"
#include "sensor/audit_provider.h"
#include "sensor/watched_calls.h"
#include "tests/system/audit_on.h"
#include "tests/system/auditctl.h"
#include "tests/system/fast_rcu.h"
#include "tests/system/kernel_lock.h"
#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

#if defined(__x86_64__)
constexpr Abi kNative = Abi::x86_64;
#else
constexpr Abi kNative = Abi::arm64;
#endif
constexpr int kRounds = 250;  // calls per class of the workload, at least
constexpr auto kPatience = 90s;

// ---- what is watched ----

/// The rules that make the audit system report what the ebpf provider does by its own table, for one
/// executable, which lies in auditctl's root directory.
class ParityRules {
 public:
  ParityRules(const auditshift::testing::Auditctl& auditctl, const std::string& executable)
      : auditctl_(auditctl) {
    std::map<std::string, std::string> calls;  // condition on the arguments to numbers
    for (int number = 0; number < AS_SYSCALL_LIMIT; ++number) {
      const WatchedCall* call = find_watched_call(kNative, number);
      if (call == nullptr || call->call.filter == AS_FILTER_TIME_MODES) continue;
      std::string& numbers = calls[condition(*call)];
      numbers += (numbers.empty() ? "" : ",") + std::to_string(number);
    }
    for (const auto& [condition, numbers] : calls) {
      std::vector<std::string> rule = {"-a", "always,exit", "-F", "arch=b64", "-S", numbers};
      if (!condition.empty()) rule.insert(rule.end(), {"-F", condition});
      rule.insert(rule.end(), {"-F", "exe=" + executable, "-k", "auditshift-parity"});
      const auto ended = auditctl_.run(rule);
      if (ended.exit_code != 0) {
        ADD_FAILURE() << numbers << ": " << ended.errors;
        return;
      }
      rules_.push_back(std::move(rule));
    }
    loaded_ = true;
  }
  ~ParityRules() {
    for (std::vector<std::string> rule : rules_) {
      rule[0] = "-d";
      const auto ended = auditctl_.run(rule);
      EXPECT_EQ(ended.exit_code, 0) << ended.errors;
    }
    EXPECT_TRUE(auditctl_.list().empty());
  }
  ParityRules(const ParityRules&) = delete;
  ParityRules& operator=(const ParityRules&) = delete;
  bool loaded() const { return loaded_; }

 private:
  /// Only opens that may write or create, only copies of trees.
  static std::string condition(const WatchedCall& call) {
    const std::string argument = "a" + std::to_string(call.call.filter_argument - 1) + "&";
    if (call.call.filter == AS_FILTER_OPEN_FLAGS) return argument + "0x243";  // O_ACCMODE, O_CREAT, O_TRUNC
    if (call.call.filter == AS_FILTER_CLONE_FLAG) return argument + "1";
    return {};
  }

  const auditshift::testing::Auditctl& auditctl_;
  std::vector<std::vector<std::string>> rules_;
  bool loaded_ = false;
};

// ---- the comparison ----

using migrate::compare::audit_limits;
using migrate::compare::EventKey;
using migrate::compare::explained_by;
using migrate::compare::Field;
using migrate::compare::field_name;
using migrate::compare::key_of;
using migrate::compare::Limit;
using migrate::compare::same;
using migrate::compare::value_of;

struct Difference {
  EventKind kind = EventKind::none;
  std::string text;
};

struct Comparison {
  std::vector<Difference> differences;
  std::map<std::string_view, int> limits;  ///< how often each explained something
  std::map<std::string_view, int> equal;   ///< by call: events that both told, limits aside

  std::set<std::string_view> kinds() const {
    std::set<std::string_view> kinds;
    for (const Difference& difference : differences) kinds.insert(kind_name(difference.kind));
    return kinds;
  }
  std::string text() const {
    std::ostringstream text;
    text << differences.size() << " differences\n";
    for (std::size_t i = 0; i < std::min<std::size_t>(differences.size(), 40); ++i)
      text << differences[i].text << "\n";
    return text.str();
  }
};

class Comparer {
 public:
  Comparison compare(const Events& audit, const Events& ebpf) {
    for (const OwnedEvent& event : audit) groups_[key_of(*event)].first.push_back(&*event);
    for (const OwnedEvent& event : ebpf) groups_[key_of(*event)].second.push_back(&*event);
    for (auto& [key, sides] : groups_) compare_group(sides.first, sides.second);
    return std::move(result_);
  }

 private:
  using Side = std::vector<const Event*>;

  /// Both sides are in the order in which things happened, so the nth belongs to the nth.
  void compare_group(const Side& audit, const Side& ebpf) {
    for (std::size_t i = 0; i < std::max(audit.size(), ebpf.size()); ++i) {
      const Event* left = i < audit.size() ? audit[i] : nullptr;
      const Event* right = i < ebpf.size() ? ebpf[i] : nullptr;
      if (left == nullptr) {
        check(nullptr, *right, Field::presence, false);
      } else if (right == nullptr) {
        add(*left, "only auditd", value_of(*left, Field::path) + " " + value_of(*left, Field::second_path));
      } else {
        bool equal = true;
        for (const Field field : {Field::path, Field::second_path, Field::address})
          equal &= check(left, *right, field, same(*left, *right, field));
        if (equal) ++result_.equal[right->syscall.name];
      }
    }
  }

  bool check(const Event* audit, const Event& ebpf, Field field, bool equal) {
    if (equal) return true;
    if (const Limit* limit = explained_by(audit, ebpf, field)) {
      ++result_.limits[limit->name];
      return true;
    }
    if (audit == nullptr)
      add(ebpf, "only ebpf", value_of(ebpf, Field::path) + " " + value_of(ebpf, Field::second_path));
    else
      add(ebpf, field_name(field), value_of(*audit, field) + " auditd, ebpf " + value_of(ebpf, field));
    return false;
  }

  void add(const Event& event, std::string_view what, const std::string& values) {
    std::ostringstream text;
    text << kind_name(event.kind) << " pid " << event.process.id.pid << " " << event.syscall.name << " = "
         << event.syscall.result << ": " << what << ": " << values;
    result_.differences.push_back({event.kind, text.str()});
  }

  std::map<EventKey, std::pair<Side, Side>> groups_;
  Comparison result_;
};

// ---- the two views ----

/// Events of one executable, and whether the end of its first process was among them.
class View final : public Consumer {
 public:
  View(std::string executable, pid_t first)
      : executable_(std::move(executable)), first_(static_cast<std::uint32_t>(first)) {}
  void consume(const Event& event) override {
    if (event.kind == EventKind::loss) ADD_FAILURE() << event.loss.count << " lost: " << event.loss.cause;
    if (event.process.executable.text != executable_) return;
    events.emplace_back(event);
    if (event.kind == EventKind::exit && event.process.id.pid == first_) finished = true;
  }
  void end_of_batch() override {}

  Events events;
  bool finished = false;

 private:
  std::string executable_;
  std::uint32_t first_;
};

EbpfOptions everything_audited() {
  EbpfOptions options = everything();
  options.all_sockets = true;
  return options;
}

class SensorParity : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string reason = lacking_privilege();
    if (reason.empty()) auditctl_ = auditshift::testing::Auditctl::make(reason);
    if (!auditctl_) GTEST_SKIP() << reason;
    ASSERT_TRUE(lock_.held());
    if (!auditctl_->list().empty()) GTEST_SKIP() << "audit rules are loaded that would be compared as well";
    audit_on_ = std::make_unique<auditshift::testing::AuditOn>();
    if (!audit_on_->on()) GTEST_SKIP() << "the audit system cannot be switched on here";
    executable_ = auditctl_->root() / "workload";
    fs::copy_file(AUDITSHIFT_PARITY_WORKLOAD, executable_);
    rules_ = std::make_unique<ParityRules>(*auditctl_, "/workload");
    ASSERT_TRUE(rules_->loaded());
  }
  void TearDown() override {
    rules_.reset();
    audit_on_.reset();
  }

  /// Runs the workload under both providers.
  Comparison run(const EbpfOptions& options, unsigned seed, int rounds) {
    AuditProvider audit(clock_);
    EbpfProvider ebpf(options, clock_);
    const auto audit_started = audit.start(), ebpf_started = ebpf.start();
    EXPECT_TRUE(audit_started.ok() && ebpf_started.ok());
    if (!audit_started.ok() || !ebpf_started.ok()) return {};
    // Neither sees anything of the workload before it is executed.
    const pid_t first = start_workload(seed, rounds);
    View audited(executable_, first), sensed(executable_, first);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!(audited.finished && sensed.finished) && std::chrono::steady_clock::now() < deadline) {
      EXPECT_TRUE(audit.poll(5ms, audited).ok());
      EXPECT_TRUE(ebpf.poll(0ms, sensed).ok());
    }
    int status = 0;
    if (waitpid(first, &status, WNOHANG) == 0) {
      ::kill(first, SIGKILL);
      waitpid(first, &status, 0);
    }
    EXPECT_TRUE(audited.finished && sensed.finished) << "auditd " << audited.events.size() << " events, ebpf "
                                                     << sensed.events.size() << " before time was up";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (const Provider* provider :
         {static_cast<const Provider*>(&audit), static_cast<const Provider*>(&ebpf)}) {
      for (const DropCounter& drop : provider->drops()) EXPECT_EQ(drop.count, 0U) << drop.cause;
    }
    return Comparer().compare(audited.events, sensed.events);
  }

  auditshift::testing::KernelLock lock_;
  auditshift::testing::FastRcu fast_;
  std::unique_ptr<auditshift::testing::Auditctl> auditctl_;
  std::unique_ptr<auditshift::testing::AuditOn> audit_on_;
  std::unique_ptr<ParityRules> rules_;
  base::SystemClock clock_;
  TemporaryDirectory directory_;
  std::string executable_;

 private:
  pid_t start_workload(unsigned seed, int rounds) const {
    const std::string seed_text = std::to_string(seed), rounds_text = std::to_string(rounds);
    const pid_t child = fork();
    if (child != 0) return child;
    execl(executable_.c_str(), "workload", directory_.path().c_str(), seed_text.c_str(), rounds_text.c_str(),
          static_cast<char*>(nullptr));
    _exit(127);
  }
};

TEST_F(SensorParity, TheSameWorkloadGivesTheSameEvents) {
  const unsigned seed = static_cast<unsigned>(time(nullptr));
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Comparison comparison = run(everything_audited(), seed, kRounds);
  EXPECT_TRUE(comparison.differences.empty()) << comparison.text();
  int equal = 0;
  for (const auto& [call, count] : comparison.equal) {
    std::cout << call << " " << count << "  ";
    equal += count;
  }
  std::cout << "\n" << equal << " events are the same\n";
  for (const Limit& limit : audit_limits()) {
    const auto met = comparison.limits.find(limit.name);
    EXPECT_NE(met, comparison.limits.end()) << "never met, so it does not belong here: " << limit.name;
    if (met != comparison.limits.end()) std::cout << met->second << " times: " << limit.name << "\n";
  }
  EXPECT_GE(comparison.equal.size(), 50U) << "calls of that many sorts";
  EXPECT_GE(equal, 20 * kRounds);
}

TEST_F(SensorParity, AClassThatIsSwitchedOffIsReportedAndNoOther) {
  for (const EventKind off : {EventKind::rename, EventKind::exec, EventKind::connect, EventKind::fork}) {
    EbpfOptions options = everything_audited();
    options.kinds.erase(off);
    const Comparison comparison = run(options, 1, 10);
    ASSERT_FALSE(HasFailure());
    EXPECT_EQ(comparison.kinds(), std::set<std::string_view>{kind_name(off)}) << comparison.text();
  }
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
