// SPDX-License-Identifier: Apache-2.0
// What a translation is called must be true: random exclusion rules are loaded into the running kernel's
// audit, their entries given to the sensor, and small programs make one call each. A call is kept out by
// audit when the rule behind the exclusions, which records everything, has not recorded it; by the sensor
// when no event came.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <libaudit.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "auditd/kernel.h"
#include "base/text.h"
#include "migrate/exclusion.h"
#include "migrate/rule_files.h"
#include "sensor/audit_provider.h"
#include "sensor/ebpf_provider.h"
#include "sensor/exclusions.h"
#include "tests/system/auditctl.h"
#include "tests/system/fast_rcu.h"
#include "tests/system/kernel_lock.h"

namespace auditshift::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using migrate::ExclusionIntent;
using migrate::ManagedExclusion;
using sensor::EventKind;

/// One call by one program. Paths are those inside the scratch root.
struct Call {
  std::string program;
  std::string name;
  std::string path;
  std::string second;
  EventKind kind;

  std::string text() const { return program + ": " + name + " " + path + " " + second; }
};

/// Which kinds were told of which process.
class Seen final : public sensor::Consumer {
 public:
  /// Opens elsewhere than below `place` do not count: those of the program's loader.
  explicit Seen(std::string place, const sensor::EventFilter* filter = nullptr)
      : place_(std::move(place)), filter_(filter) {}
  void consume(const sensor::Event& event) override {
    if (filter_ != nullptr && filter_->excluded(event)) return;
    EventKind kind = event.kind == EventKind::create ? EventKind::open : event.kind;
    if (kind == EventKind::open && !event.path.text.starts_with(place_)) return;
    events_.insert({event.process.id.pid, kind});
  }
  void end_of_batch() override {}
  bool has(pid_t pid, EventKind kind) const {
    return events_.contains({static_cast<std::uint32_t>(pid), kind});
  }

 private:
  std::string place_;
  const sensor::EventFilter* filter_;
  std::set<std::pair<std::uint32_t, EventKind>> events_;
};

/// Switches audit on where it is off, and back. Nothing but 0 and 1 is ever sent.
class AuditOn {
 public:
  AuditOn() : socket_(::audit_open()) {
    if (!socket_.valid()) return;
    const int before = ::audit_is_enabled(socket_.get());
    if (before == 0) switched_ = ::audit_set_enabled(socket_.get(), 1) > 0;
    usable_ = before == 1 || switched_;
  }
  ~AuditOn() {
    if (switched_) ::audit_set_enabled(socket_.get(), 0);
  }
  AuditOn(const AuditOn&) = delete;
  AuditOn& operator=(const AuditOn&) = delete;
  bool usable() const { return usable_; }

 private:
  base::Fd socket_;
  bool switched_ = false;
  bool usable_ = false;
};

class ExclusionSoundness : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(lock_.held() || ::geteuid() != 0);
    std::string reason;
    auditctl_ = Auditctl::make(reason);
    if (!auditctl_) GTEST_SKIP() << reason;
    auditd::LiveKernelAudit kernel({});
    const auditd::LiveRules rules = kernel.rules();
    if (!rules.known || !rules.rules.empty()) GTEST_SKIP() << "audit rules of others are loaded here";
    audit_ = std::make_unique<AuditOn>();
    if (!audit_->usable()) GTEST_SKIP() << "audit cannot be switched on here";
    sensor_ = std::make_unique<sensor::EbpfProvider>(sensor::EbpfOptions{}, clock_);
    if (const auto started = sensor_->start(); !started) GTEST_SKIP() << started.error().message();
    stream_ = std::make_unique<sensor::AuditProvider>(clock_);
    ASSERT_TRUE(stream_->start().ok());
    for (const char* program : {"p0", "p1", "watched"}) copy_program(program);
    fs::create_hard_link(real("/w/p1"), real("/w/p1-again"));
    fs::create_symlink("p0", real("/w/p0-link"));
    make_files();
  }
  void TearDown() override {
    if (!auditctl_) return;
    if (audit_ && audit_->usable()) {
      EXPECT_TRUE(auditctl_->clear());
    }
  }

  std::string real(const std::string& path) const { return auditctl_->root().native() + path; }

  void copy_program(const std::string& name) const {
    fs::create_directories(real("/w"));
    fs::copy_file(AUDITSHIFT_WORKLOAD, real("/w/" + name), fs::copy_options::overwrite_existing);
  }

  /// Two folders with the same content; one has a link out of it. The folders themselves stay: audit forgets
  /// the rules of a folder that is removed.
  void make_files() const {
    for (const std::string folder : {"/w/d0", "/w/d1", "/w/other"}) {
      fs::create_directories(real(folder) + "/sub");
      for (const std::string& below : {folder + "/sub", folder})
        for (const auto& entry : fs::directory_iterator(real(below)))
          if (entry.path().filename() != "sub") fs::remove_all(entry.path());
      for (const char* file : {"/a", "/b", "/sub/c"}) std::ofstream(real(folder) + file) << "x";
      fs::copy_file(AUDITSHIFT_WORKLOAD, real(folder) + "/tool");
    }
    fs::create_directory_symlink("../d0", real("/w/d1/out"));
    fs::create_directory_symlink("../d0", real("/w/other/in"));
  }

  std::vector<Call> calls_of(const std::string& program) const {
    std::vector<Call> calls = {{program, "none", "-", "", EventKind::exec},
                               {program, "none", "-", "", EventKind::exit},
                               {program, "exec", "/w/watched", "", EventKind::exec},
                               {program, "exec", "/w/d0/tool", "", EventKind::exec}};
    for (const std::string folder : {"/w/d0", "/w/d1", "/w/d1/out", "/w/other/in"}) {
      calls.push_back({program, "chmod", folder + "/a", "", EventKind::chmod});
      calls.push_back({program, "chmod32", folder + "/a", "", EventKind::chmod});
      calls.push_back({program, "open", folder + "/sub/c", "", EventKind::open});
      calls.push_back({program, "truncate", folder + "/b", "", EventKind::truncate});
      calls.push_back({program, "mkdir", folder + "/new", "", EventKind::mkdir});
      calls.push_back({program, "mkdir32", folder + "/new32", "", EventKind::mkdir});
      calls.push_back({program, "rename", folder + "/a", folder + "/sub/moved", EventKind::rename});
      calls.push_back({program, "rename", folder + "/b", "/w/other/sub/b", EventKind::rename});
      calls.push_back({program, "link", folder + "/sub/c", folder + "/hard", EventKind::link});
      calls.push_back({program, "symlink", folder + "/soft", "a", EventKind::symlink});
      calls.push_back({program, "unlink", folder + "/sub/c", "", EventKind::unlink});
    }
    return calls;
  }

  /// The pid of the process that made the call, and its exit code.
  std::pair<pid_t, int> make(const Call& call) const {
    const auto argument = [&](const std::string& path) { return path.starts_with("/") ? real(path) : path; };
    std::string program = real(call.program), name = call.name, path = argument(call.path),
                second = argument(call.second);
    char* argv[] = {program.data(), name.data(), path.data(), second.data(), nullptr};
    pid_t pid = -1;
    if (::posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, environ) != 0) return {-1, -1};
    int status = 0;
    ::waitpid(pid, &status, 0);
    return {pid, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
  }

  /// Reads until the last process, which nothing keeps out, has been told of.
  static bool read_until(sensor::Provider& provider, Seen& seen, pid_t last) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!seen.has(last, EventKind::rmdir) && std::chrono::steady_clock::now() < deadline)
      if (!provider.poll(20ms, seen).ok()) return false;
    return seen.has(last, EventKind::rmdir);
  }

  /// What both have lost. The counters themselves: a loss is told in the stream only every quarter of a
  /// second.
  std::uint64_t lost() const { return sensor::lost(*sensor_) + sensor::lost(*stream_); }

  struct Outcome {
    Call call;
    bool by_audit = false;  ///< kept out
    bool by_sensor = false;
  };

  /// Loads the rules, gives the sensor the entries, makes the calls. Empty: what was lost meanwhile, with
  /// whatever else this host does, may be one of them; three times.
  std::vector<Outcome> run(const std::string& rules, const std::vector<sensor::Exclusion>& entries,
                           const std::vector<Call>& calls) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      const std::uint64_t before = lost();
      const auto outcomes = run_once(rules, entries, calls);
      if (lost() == before) {
        EXPECT_TRUE(outcomes) << "the last call was not told of";
        return outcomes.value_or(std::vector<Outcome>{});
      }
      std::cout << "lost meanwhile: " << lost() - before << "\n";
    }
    return {};
  }

  /// Nothing: the last call was not told of.
  std::optional<std::vector<Outcome>> run_once(const std::string& rules,
                                               const std::vector<sensor::Exclusion>& entries,
                                               const std::vector<Call>& calls) {
    const Ended loaded = auditctl_->load(rules + record_all());
    EXPECT_EQ(loaded.exit_code, 0) << rules << loaded.errors;
    EXPECT_TRUE(sensor_->exclude(entries).ok());
    const sensor::Exclusions filter(entries);
    std::vector<std::pair<Call, pid_t>> made;
    Seen recorded(real("/w"));
    Seen reported(real("/w"), &filter);
    for (const Call& call : calls) {
      make_files();
      const auto [pid, code] = make(call);
      if (code == 0) made.emplace_back(call, pid);
      // What a busy host does meanwhile would fill their buffers.
      EXPECT_TRUE(stream_->poll(0ms, recorded).ok() && sensor_->poll(0ms, reported).ok());
    }
    fs::create_directories(real("/w/sentinel"));
    const pid_t last = make({"/w/watched", "rmdir", "/w/sentinel", "", EventKind::rmdir}).first;
    const bool whole = read_until(*stream_, recorded, last) && read_until(*sensor_, reported, last);
    EXPECT_TRUE(auditctl_->clear());
    if (!whole) return std::nullopt;
    std::vector<Outcome> outcomes;
    for (const auto& [call, pid] : made)
      outcomes.push_back({call, !recorded.has(pid, call.kind), !reported.has(pid, call.kind)});
    return outcomes;
  }

  /// Records what this process's children do, behind all exclusions.
  static std::string record_all() {
    const std::string calls =
        " -S execve,exit_group,chmod,open,openat,creat,truncate,mkdir,rmdir,rename,link,symlink,unlink -F "
        "ppid=" +
        std::to_string(::getpid()) + " -k soundness\n";
    std::string rules = "-a always,exit -F arch=b64" + calls;
#ifdef __x86_64__
    rules += "-a always,exit -F arch=b32" + calls;
#endif
    return rules;
  }

  /// What the translation says to these rules on the scratch root.
  std::vector<ExclusionIntent> translate(const std::string& rules) const {
    migrate::RuleFiles files;
    auditd::RuleFile file;
    file.path = "/generated.rules";
    file.content = rules + record_all();
    file.lines = auditd::parse_rules(file.content, file.path, {{}, files.machine, auditctl_.get()});
    files.files.push_back(std::move(file));
    migrate::Facts facts = migrate::facts_of(files);
    const auto host = base::Sysroot::open(auditctl_->root());
    const auto inventory = migrate::take_inventory(facts);
    for (const std::string& path : migrate::exclusion_targets(inventory))
      facts.paths[path] = migrate::look_at_path(*host, path, std::vector<std::string>{"/"});
    return migrate::find_exclusions(facts, inventory);
  }

  sensor::Exclusion entry_of(const ManagedExclusion& entry) const {
    const auto kind = entry.kind == ManagedExclusion::Kind::folder ? sensor::ExclusionKind::folder
                      : entry.kind == ManagedExclusion::Kind::file ? sensor::ExclusionKind::file
                                                                   : sensor::ExclusionKind::process;
    return {kind, real(entry.value)};
  }

  KernelLock lock_;
  FastRcu fast_;
  base::SystemClock clock_;
  std::unique_ptr<Auditctl> auditctl_;
  std::unique_ptr<AuditOn> audit_;
  std::unique_ptr<sensor::EbpfProvider> sensor_;
  std::unique_ptr<sensor::AuditProvider> stream_;
};

/// Random exclusion rules about the scratch root's programs and folders, often complete ones.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  template <class T>
  const T& any(const std::vector<T>& of) {
    return of[below(of.size())];
  }

  std::string rules() {
    std::string text;
    if (below(5) == 0)
      text += "-a always,exit -F arch=b64 -S " + any(kCalls) + " -F ppid=" + std::to_string(::getpid()) +
              " -k earlier\n";
    const std::string about = "-F " + any(kTargets);
    const std::string verb = below(6) == 0 ? "-A" : "-a";
    switch (below(5)) {
      case 0:
        return text + verb + " never,exit " + about + "\n";
      case 1:
        return text + verb + " never,exit -F arch=b64 -S all " + about + "\n" + verb +
               " never,exit -F arch=b32 -S all " + about + "\n";
      case 2:
        return text + verb + " never,exit -F arch=" + any(kArchs) + " -S all " + about + "\n";
      case 3:
        return text + verb + " never,exit -F arch=b64 -S " + any(kCalls) + "," + any(kCalls) + " " + about +
               "\n";
      default:
        return text + verb + " never,exit -S all " + about + " -k exclude\n";
    }
  }

 private:
  inline static const std::vector<std::string> kTargets = {
      "exe=/w/p0", "exe=/w/p0", "exe=/w/p1", "exe=/w/p1-again", "exe=/w/p0-link",
      "dir=/w/d0", "dir=/w/d0", "dir=/w/d1", "dir=/w/d0/sub",   "path=/w/d0/a"};
  inline static const std::vector<std::string> kCalls = {"chmod",  "rename", "mkdir", "execve",
                                                         "unlink", "openat", "link"};
  inline static const std::vector<std::string> kArchs = {"b64", "b32"};
  std::mt19937 random_;
};

TEST_F(ExclusionSoundness, WithoutRulesBothSeeEveryCall) {
  for (const std::string program : {"/w/p0", "/w/p1-again"}) {
    const auto outcomes = run("", {}, calls_of(program));
    EXPECT_GE(outcomes.size(), 30U);
    for (const Outcome& outcome : outcomes) {
      EXPECT_FALSE(outcome.by_audit) << outcome.call.text();
      EXPECT_FALSE(outcome.by_sensor) << outcome.call.text();
    }
  }
}

TEST_F(ExclusionSoundness, ExactAndNarrowerKeepTheirWord) {
  const auto deadline = std::chrono::steady_clock::now() + 80s;
  std::map<std::string, std::size_t> cases;
  std::size_t compared = 0;
  std::size_t kept_out = 0;
  Generator generator(20'24);
  for (int round = 0; round < 400 && std::chrono::steady_clock::now() < deadline; ++round) {
    const std::string rules = generator.rules();
    for (const ExclusionIntent& intent : translate(rules)) {
      const std::string result(to_string(intent.result));
      ++cases[result];
      if (!intent.entry || result == "broader" || result == "none") continue;
      std::vector<Call> calls;
      for (const std::string program : {"/w/p0", "/w/p1", "/w/p1-again"}) {
        const auto all = calls_of(program);
        for (int i = 0; i < 4; ++i) calls.push_back(generator.any(all));
      }
      for (const Outcome& outcome : run(rules, {entry_of(*intent.entry)}, calls)) {
        ++compared;
        kept_out += outcome.by_audit && outcome.by_sensor ? 1U : 0U;
        const std::string about = rules + result + " " + intent.entry->value + "; " + outcome.call.text();
        EXPECT_TRUE(outcome.by_audit || !outcome.by_sensor) << "the entry keeps out more:\n" << about;
        EXPECT_TRUE(outcome.by_sensor || !outcome.by_audit || result != "exact")
            << "the rules kept out more:\n"
            << about;
      }
      if (::testing::Test::HasFailure()) return;
    }
  }
  std::cout << "translations: ";
  for (const auto& [result, count] : cases) std::cout << count << " " << result << ", ";
  std::cout << compared << " calls compared, " << kept_out << " kept out by both\n";
  EXPECT_GT(cases["exact"], 10U);
  EXPECT_GT(cases["narrower"], 10U);
  EXPECT_GT(compared, 200U);
  EXPECT_GT(kept_out, 50U);
}

}  // namespace
}  // namespace auditshift::testing
