// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/side_by_side.h"

#include <algorithm>

#include "migrate/compare/comparer.h"

namespace auditshift::migrate::compare {
namespace {

using namespace std::chrono_literals;
using base::Result;

/// The stream of records is the one with back-pressure, so it is waited for; the sensor's ring is large.
constexpr auto kAuditWait = 5ms;
/// At most so often in a row, while it has more.
constexpr int kSensorPolls = 16;
/// How long after the end records are waited for that the audit system still holds.
constexpr auto kDrainLimit = 10s;
/// Until records of calls that were under way can no longer come.
constexpr auto kDrainAtLeast = 300ms;
/// A record may come this long after its call: the audit system's queue.
constexpr auto kRecordDelay = 15s;

class ToComparer final : public sensor::Consumer {
 public:
  using Take = void (Comparer::*)(const sensor::Event&);
  ToComparer(Comparer& comparer, Take take) : comparer_(comparer), take_(take) {}
  void consume(const sensor::Event& event) override { (comparer_.*take_)(event); }
  void end_of_batch() override {}

 private:
  Comparer& comparer_;
  Take take_;
};

class Looking {
 public:
  Looking(const SideBySide& sides, const RuleBook& rules, const SensorSettings& settings)
      : sides_(sides),
        comparer_(rules, settings, sides.own_pid),
        records_(comparer_, &Comparer::take_audit),
        events_(comparer_, &Comparer::take_sensor) {}

  Result<Comparison> run(base::Progress& progress) {
    AUDITSHIFT_TRY_VOID(sides_.audit.start());
    if (auto started = sides_.sensor.start(); !started.ok()) {
      sides_.audit.stop();
      return std::move(started).error();
    }
    auto looked = look(progress);
    sides_.audit.stop();
    sides_.sensor.stop();
    AUDITSHIFT_TRY_VOID(std::move(looked));
    return std::move(result_);
  }

 private:
  std::int64_t wall() const { return sides_.clock.now().time_since_epoch().count(); }

  Result<void> look(base::Progress& progress) {
    const auditd::AuditStatus before = sides_.kernel.status();
    const auditd::LiveRules rules_before = sides_.kernel.rules();
    const std::uint64_t sensor_before = lost(sides_.sensor);
    result_.started = sides_.clock.now();
    result_.audit_state = to_string(before.state);
    const std::int64_t begin = wall();
    comparer_.begin(begin);
    AUDITSHIFT_TRY_VOID(watch(progress));
    end_ns_ = wall();
    result_.duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(end_ns_ - begin));
    progress.step("reading what is still under way");
    AUDITSHIFT_TRY_VOID(drain());

    const auditd::AuditStatus after = sides_.kernel.status();
    Comparer::Circumstances circumstances;
    circumstances.end_ns = end_ns_;
    circumstances.sensor_lost = lost(sides_.sensor) - sensor_before;
    circumstances.audit_daemon = before.pid.value_or(0);
    tell_losses(before, after, circumstances);
    if (!same_rules(rules_before, sides_.kernel.rules()))
      result_.notes.emplace_back(
          "audit rules were changed meanwhile: records of new ones count as made by none");
    result_.sensor_tier = sides_.sensor.describe().tier;
    comparer_.finish(circumstances, result_);
    return {};
  }

  Result<void> poll() {
    AUDITSHIFT_TRY_VOID(sides_.audit.poll(kAuditWait, records_));
    for (int i = 0; i < kSensorPolls; ++i) {
      AUDITSHIFT_TRY_VOID(sides_.sensor.poll(0ms, events_));
      if (!sides_.sensor.has_more()) break;
    }
    return {};
  }

  Result<void> watch(base::Progress& progress) {
    const auto begin = sides_.clock.since_boot();
    auto told = -1s;
    for (;;) {
      const auto passed = sides_.clock.since_boot() - begin;
      if (passed >= sides_.time || (sides_.stop && sides_.stop())) return {};
      AUDITSHIFT_TRY_VOID(poll());
      const auto seconds = std::chrono::floor<std::chrono::seconds>(passed);
      if (seconds == told) continue;
      told = seconds;
      progress.update(
          static_cast<std::uint64_t>(seconds.count()),
          static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(sides_.time).count()),
          "seconds");
      comparer_.forget_before(wall() - std::chrono::nanoseconds(kRecordDelay).count());
    }
  }

  /// Records come late, events do not: the sensor is read last, so that it has all that any record tells.
  Result<void> drain() {
    const auto begin = sides_.clock.since_boot();
    for (;;) {
      AUDITSHIFT_TRY_VOID(poll());
      const auto passed = sides_.clock.since_boot() - begin;
      const bool behind =
          sides_.kernel.status().backlog.value_or(0) != 0 && comparer_.newest_record() <= end_ns_;
      if (passed >= kDrainLimit || (passed >= kDrainAtLeast && !behind)) break;
    }
    // Records that have not come by now are not held against the rules.
    if (sides_.kernel.status().backlog.value_or(0) != 0)
      end_ns_ = std::min(end_ns_, comparer_.newest_record());
    do {
      AUDITSHIFT_TRY_VOID(sides_.sensor.poll(0ms, events_));
    } while (sides_.sensor.has_more());
    return {};
  }

  void tell_losses(const auditd::AuditStatus& before, const auditd::AuditStatus& after,
                   Comparer::Circumstances& circumstances) {
    const auto add = [&](const char* side, std::string_view cause, std::uint64_t count) {
      if (count != 0) result_.losses.push_back({side, std::string(cause), count});
    };
    const std::uint64_t kernel_lost =
        after.lost.value_or(0) - std::min(before.lost.value_or(0), after.lost.value_or(0));
    add("audit", "lost by the kernel's audit system", kernel_lost);
    circumstances.audit_lost = kernel_lost;
    for (const sensor::DropCounter& drop : sides_.audit.drops()) {
      add("audit", drop.cause, drop.count);
      circumstances.audit_lost += drop.count;
    }
    for (const sensor::DropCounter& drop : sides_.sensor.drops()) add("sensor", drop.cause, drop.count);
  }

  static bool same_rules(const auditd::LiveRules& a, const auditd::LiveRules& b) {
    return a.known == b.known &&
           std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(),
                      [](const auto& x, const auto& y) { return same_in_kernel(x, y); });
  }

  const SideBySide& sides_;
  Comparer comparer_;
  ToComparer records_;
  ToComparer events_;
  std::int64_t end_ns_ = 0;
  Comparison result_;
};

}  // namespace

Result<Comparison> compare_live(const SideBySide& sides, const RuleBook& rules,
                                const SensorSettings& settings, base::Progress& progress) {
  return Looking(sides, rules, settings).run(progress);
}

}  // namespace auditshift::migrate::compare
