// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/migrate/change/fault_harness.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <tuple>

#include "base/diff.h"
#include "base/hash.h"

namespace auditshift::tests {
namespace {

using base::Result;
using migrate::change::Outcome;
using migrate::change::Plan;
using migrate::change::State;
using migrate::change::Transactions;
using Snapshot = SimulatedHost::Snapshot;
using Kind = FaultPoints::Kind;
using Survives = FaultDisk::Survives;

enum class Way { begin, extend, resume, rollback, commit };
constexpr const char* kWayNames[] = {"begin", "extend", "resume", "rollback", "commit"};

/// One way of hurting a run. Those that end it say what the disk still holds; `power`: the machine goes off.
struct Harm {
  const char* name;
  Kind kind;
  int error = 0;
  Survives survives = Survives::all;
  bool power = false;
};
constexpr Harm kHarms[] = {
    {.name = "killed", .kind = Kind::cut},
    {.name = "power cut, nothing unsynced survives",
     .kind = Kind::cut,
     .survives = Survives::nothing,
     .power = true},
    {.name = "power cut, everything survives", .kind = Kind::cut, .survives = Survives::all, .power = true},
    {.name = "power cut, names survive", .kind = Kind::cut, .survives = Survives::names, .power = true},
    {.name = "power cut, content survives", .kind = Kind::cut, .survives = Survives::content, .power = true},
    {.name = "power cut, content torn", .kind = Kind::cut, .survives = Survives::torn, .power = true},
    {.name = "power cut, zeros in the content",
     .kind = Kind::cut,
     .survives = Survives::torn_zeros,
     .power = true},
    {.name = "EIO", .kind = Kind::error, .error = EIO},
    {.name = "ENOSPC once", .kind = Kind::error, .error = ENOSPC},
    {.name = "EPERM", .kind = Kind::error, .error = EPERM},
    {.name = "disk full", .kind = Kind::full},
    {.name = "disk read-only", .kind = Kind::read_only},
};
constexpr auto kErrors = static_cast<std::size_t>(std::count_if(
    std::begin(kHarms), std::end(kHarms), [](const Harm& harm) { return harm.kind == Kind::error; }));
/// Inside recoveries: the harms that lead to other states than those above.
constexpr std::size_t kRecoveryHarms[] = {0, 1, 5, 7};

class Explorer {
 public:
  Explorer(const FaultScenario& scenario, const FaultLimits& limits)
      : scenario_(scenario), limits_(limits), host_(scenario.options) {
    scenario_.prepare(host_);
    for (const std::string& lie : scenario_.lies) host_.disk().lie_about(lie);
    plan_ = scenario_.plan(host_);
    old_ = look();
  }

  FaultReport run() {
    const std::vector<std::pair<Snapshot, Way>> main_ways = undisturbed();
    for (const auto& [snapshot, way] : main_ways) hurt_everywhere(snapshot, way);
    // Every state that a fault led to, recovered from with another fault on the way.
    for (std::size_t number = 0; !queue_.empty() && !enough(); ++number) {
      const Found found = std::move(queue_.front());
      queue_.pop_front();
      for (const Way way : {Way::resume, Way::rollback}) hurt_recovery(found, way, number);
    }
    report_.states = seen_.size();
    return report_;
  }

 private:
  struct Found {
    Snapshot snapshot;
    std::string trail;
    std::map<Way, std::size_t> points;  ///< of its recoveries
  };

  /// The host as a person would compare it.
  std::string look() {
    SimulatedWorld world = host_.world();
    if (scenario_.locks_at_boot) world.immutable = false;
    return picture(host_.tree(), world);
  }

  bool enough() const { return report_.violations.size() >= limits_.violations; }

  Result<Outcome> go(Way way) {
    Transactions transactions(host_.host(), SimulatedHost::kState, scenario_.make);
    migrate::change::TransactionOptions options;
    options.caller = "test";
    options.verify = scenario_.verify;
    options.remedy = scenario_.remedy;
    switch (way) {
      case Way::begin:
        return transactions.begin(plan_, options);
      case Way::extend:
        return transactions.extend(extension_, options);
      case Way::resume:
        return transactions.resume(options);
      case Way::rollback:
        return transactions.rollback(options);
      case Way::commit:
        if (auto committed = transactions.commit(options); !committed) return committed.error();
    }
    return Outcome{};
  }

  /// The ways that a host goes when nothing happens, each from where it starts.
  std::vector<std::pair<Snapshot, Way>> undisturbed() {
    std::vector<std::pair<Snapshot, Way>> ways;
    const auto walk = [&](Way way) {
      ways.emplace_back(host_.snapshot(), way);
      auto outcome = go(way);
      host_.disk().settle();
      if (!outcome)
        violation(std::string(kWayNames[int(way)]) + " without a fault: " + outcome.error().message());
      return outcome && outcome->kind == Outcome::Kind::reboot_needed;
    };
    const auto walk_to_end = [&](Way way) {
      for (bool waits = walk(way); waits && !enough(); waits = walk(Way::resume)) {
        ways.emplace_back(host_.snapshot(), Way::resume);  // in the same boot
        ways.emplace_back(host_.snapshot(), Way::rollback);
        host_.boot();
        ways.emplace_back(host_.snapshot(), Way::rollback);
      }
    };
    walk_to_end(Way::begin);
    new_.insert(look());
    if (new_.contains(old_) != scenario_.ends_old) violation("the undisturbed way ends in the wrong state");
    if (scenario_.ends_old) return ways;
    if (scenario_.extension) {
      extension_ = scenario_.extension(host_);
      walk_to_end(Way::extend);
      // An extension that was not begun leaves the switch as it was.
      if (!new_.insert(look()).second) violation("the extension changes nothing");
    }
    const Snapshot switched = host_.snapshot();
    walk_to_end(Way::rollback);
    check_picture(State::rolled_back, "rollback without a fault");
    host_.restore(switched);
    walk(Way::commit);
    return ways;
  }

  /// Runs one way with one fault. Nothing when the way has fewer points.
  std::optional<Found> hurt(const Snapshot& start, Way way, std::size_t at, const Harm& harm,
                            const std::string& before) {
    host_.restore(start);
    host_.points().arm({.kind = harm.kind, .at = at, .error = harm.error});
    std::string ended = "cut";
    try {
      const auto outcome = go(way);
      ended = outcome ? outcome->message : "error: " + outcome.error().message();
    } catch (const PowerCut&) {
    }
    if (!host_.points().fired()) return std::nullopt;
    ++report_.runs;
    if (harm.power && !host_.disk().has_unsynced()) synced_.insert({&start, way, at});
    if (harm.power)
      host_.power_cut(harm.survives);
    else
      host_.killed();
    host_.points().arm({});
    return Found{.snapshot = host_.snapshot(),
                 .trail = before + kWayNames[int(way)] + " hurt at point " + std::to_string(at) + " (" +
                          harm.name + "; " + ended + ")",
                 .points = {}};
  }

  void hurt_everywhere(const Snapshot& start, Way way) {
    host_.restore(start);
    (void)go(way);
    const std::size_t points = host_.points().count();
    report_.points += points;
    for (const Harm& harm : kHarms) {
      for (std::size_t at = 1; at <= points && !enough(); ++at) {
        // With all synced, whatever a disk keeps of the rest is the same.
        if (harm.power && synced_.contains({&start, way, at})) continue;
        const bool one_error = !limits_.every_error && harm.kind == Kind::error;
        const std::size_t stride = std::max(limits_.harm_stride, one_error ? kErrors : 1);
        const auto number = static_cast<std::size_t>(&harm - kHarms);
        if ((at + number) % stride != 0) continue;
        if (auto found = hurt(start, way, at, harm, "")) take(*std::move(found), true);
      }
    }
  }

  void hurt_recovery(const Found& from, Way way, std::size_t number) {
    const bool all = limits_.recovery_stride == 1;
    for (std::size_t i = 0; i < std::size(kRecoveryHarms); ++i) {
      if (!all && i != number % std::size(kRecoveryHarms)) continue;
      for (std::size_t at = 1 + number * 7 % limits_.recovery_stride; at <= from.points.at(way) && !enough();
           at += limits_.recovery_stride) {
        auto found = hurt(from.snapshot, way, at, kHarms[kRecoveryHarms[i]], from.trail + ", then ");
        if (found) take(*std::move(found), all);
      }
    }
  }

  /// A state that a fault led to: checked once, and its recoveries hurt when `explore`.
  void take(Found found, bool explore) {
    if (!seen_.insert(base::sha256(whole_state(found.snapshot.tree, found.snapshot.world))).second) return;
    for (const Way way : {Way::resume, Way::rollback}) recover(found, way);
    if (explore) queue_.push_back(std::move(found));
  }

  void recover(Found& found, Way way) {
    ++report_.recoveries;
    host_.restore(found.snapshot);
    const std::string trail = found.trail + ", then " + kWayNames[int(way)];
    auto outcome = go(way);
    found.points[way] = host_.points().count();
    for (int boots = 0; outcome && outcome->kind == Outcome::Kind::reboot_needed; ++boots) {
      if (boots == 4) return violation(trail + ": asks for reboot after reboot");
      host_.disk().settle();
      host_.boot();
      outcome = go(Way::resume);
    }
    host_.disk().settle();
    const auto status = Transactions(host_.host(), SimulatedHost::kState, scenario_.make).status();
    if (!status) return violation(trail + ": status: " + status.error().message());
    // Nothing begun, or all of it ended: then there is nothing to roll back.
    if (!outcome && status->state != State::idle && status->state != State::committed)
      return violation(trail + ": " + outcome.error().message());
    if (way == Way::rollback && status->state == State::switched)
      return violation(trail + ": rollback left the switch in place");
    if (status->interrupted) violation(trail + ": nobody is at work, and it is not over");
    if (way == Way::resume &&
        host_.host().files->exists(SimulatedHost::kState + std::string("/resume-at-boot")))
      violation(trail + ": every further boot would go on with it");
    check_picture(status->state, trail);
  }

  void check_picture(State state, const std::string& trail) {
    const bool is_new = state == State::switched || state == State::committed;
    const bool is_old = state == State::rolled_back || state == State::idle;
    if (!is_new && !is_old) return violation(trail + ": ends " + std::string(to_string(state)));
    const std::string now = look();
    const std::string& wanted = is_new ? *new_.begin() : old_;
    if (is_new ? !new_.contains(now) : now != old_)
      violation(trail + ": " + std::string(to_string(state)) + ", but the host is neither old nor new:\n" +
                base::unified_diff("should be", "is", wanted, now));
  }

  void violation(std::string text) {
    if (!enough()) report_.violations.push_back(std::move(text));
  }

  const FaultScenario& scenario_;
  FaultLimits limits_;
  SimulatedHost host_;
  Plan plan_;
  Plan extension_;
  std::string old_;
  std::set<std::string> new_;
  FaultReport report_;
  std::set<std::string> seen_;
  std::set<std::tuple<const Snapshot*, Way, std::size_t>> synced_;
  std::deque<Found> queue_;
};

}  // namespace

FaultReport run_faults(const FaultScenario& scenario, const FaultLimits& limits) {
  const auto level = spdlog::get_level();
  spdlog::set_level(spdlog::level::off);  // thousands of faults, each with its warnings
  FaultReport report = Explorer(scenario, limits).run();
  spdlog::set_level(level);
  return report;
}

void expect_whole(const FaultScenario& scenario, const char* name, FaultLimits usual) {
  const char* given = std::getenv("AUDITSHIFT_FAULTS");
  const std::string_view extent = given == nullptr ? "" : given;
  ASSERT_TRUE(extent.empty() || extent == "all" || extent == "few")
      << "AUDITSHIFT_FAULTS is all, few or not set";
  if (extent == "all") usual = {.recovery_stride = 1};
  if (extent == "few") usual = {.recovery_stride = 97, .every_error = false, .harm_stride = 13};
  const FaultReport report = run_faults(scenario, usual);
  std::printf("%s: %zu fault points, %zu runs hurt, %zu states, %zu recoveries\n", name, report.points,
              report.runs, report.states, report.recoveries);
  for (const std::string& violation : report.violations) ADD_FAILURE() << violation;
  EXPECT_GT(report.points, 100U);
}

}  // namespace auditshift::tests
