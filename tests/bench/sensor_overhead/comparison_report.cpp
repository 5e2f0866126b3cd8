// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "tests/bench/sensor_overhead/comparison.h"
#include "tests/bench/sensor_overhead/workloads.h"

namespace auditshift::bench {
namespace {

constexpr const char* kNone = "–";
constexpr Variant kSensors[] = {Variant::statistics, Variant::ndjson, Variant::exclusions};

using Figure = std::optional<double>;

std::string text_of(Figure value, const char* before = "") {
  return value ? before + figure(*value) : std::string(kNone);
}

class Teller {
 public:
  Teller(const Results& results, const Report& report) : results_(results), report_(report) {}

  void tell(unsigned rounds) const {
    report_.section("sensor", added_table(rounds));
    report_.section("ratios", ratio_table());
    report_.section("services", service_table());
    report_.section("user_side", user_side_table());
    tell_targets();
  }

 private:
  const Numbers* numbers(Variant variant, const std::string& work) const {
    const auto result = results_.find(variant);
    if (result == results_.end()) return nullptr;
    const auto found = result->second.work.find(work);
    return found == result->second.work.end() || found->second.caller_ns.empty() ? nullptr : &found->second;
  }

  /// What a variant adds to the caller per operation.
  Figure added(Variant variant, const std::string& work) const {
    const Numbers *with = numbers(variant, work), *without = numbers(Variant::nothing, work);
    if (with == nullptr || without == nullptr) return {};
    return median(with->caller_ns) - median(without->caller_ns);
  }

  /// Of what two variants add. Nothing where the denominator is no cost.
  Figure ratio(Variant variant, Variant to, const std::string& work) const {
    const Figure above = added(variant, work), below = added(to, work);
    return above && below && *below > 0 ? Figure(*above / *below) : Figure();
  }

  Figure service_us(Variant variant, const std::string& work) const {
    const Numbers* found = numbers(variant, work);
    return found == nullptr || found->service_us.empty() ? Figure() : median(found->service_us);
  }

  /// What an event costs in all, nanoseconds: the caller's part and the service's.
  Figure whole(Variant variant, const std::string& work) const {
    const Figure caller = added(variant, work), service = service_us(variant, work);
    return caller && service ? Figure(*caller + *service * 1000) : Figure();
  }

  static Variant bare_of(const Workload& work) { return work.renames ? Variant::paths : Variant::counter; }

  std::string added_table(unsigned rounds) const {
    std::vector<std::string> head = {""};
    for (const Variant variant : kVariants) head.emplace_back(name_of(variant));
    std::string text =
        "CPU nanoseconds of the caller per call: with nothing, and what each adds; in parentheses the ratio "
        "to nothing. Medians of " +
        std::to_string(rounds) + " rounds.\n\n" + row(head) + rule(head.size());
    for (const Workload& work : workloads()) {
      const Numbers* without = numbers(Variant::nothing, work.name);
      if (without == nullptr) continue;
      const double nothing = median(without->caller_ns);
      std::vector<std::string> cells = {work.name, figure(nothing)};
      for (const Variant variant : kVariants) {
        if (variant == Variant::nothing) continue;
        const Figure more = added(variant, work.name);
        cells.push_back(!more ? kNone
                              : (*more < 0 ? "" : "+") + figure(*more) + " (" +
                                    figure((nothing + *more) / nothing) + ")");
      }
      text += row(cells);
    }
    return text + "\n" + steadiness();
  }

  /// How far the rounds lie apart without anything beside the work: what the host itself adds to every
  /// figure.
  std::string steadiness() const {
    std::string text = "How steady the host was: with nothing, the slowest round took";
    const char* before = " ";
    for (const Workload& work : workloads()) {
      const Numbers* without = numbers(Variant::nothing, work.name);
      if (without == nullptr) continue;
      const auto [least, most] = std::minmax_element(without->caller_ns.begin(), without->caller_ns.end());
      text += before + figure(*most / *least) + " (" + work.name + ")";
      before = ", ";
    }
    return text + " times as long as the fastest.\n";
  }

  std::string ratio_table() const {
    std::vector<std::string> head = {"", "bare program"};
    for (const Variant variant : kSensors) head.emplace_back(name_of(variant));
    head.emplace_back(name_of(Variant::auditd));
    std::string text =
        "What is added to the caller, as a ratio to what the bare program adds that does the least of its "
        "kind.\n\n" +
        row(head) + rule(head.size());
    for (const Workload& work : workloads()) {
      if (numbers(Variant::nothing, work.name) == nullptr) continue;
      std::vector<std::string> cells = {work.name, name_of(bare_of(work))};
      for (const Variant variant : kSensors)
        cells.push_back(text_of(ratio(variant, bare_of(work), work.name)));
      cells.push_back(text_of(ratio(Variant::auditd, bare_of(work), work.name)));
      text += row(cells);
    }
    return text;
  }

  std::string service_table() const {
    std::string text =
        "A rename with absolute paths, CPU seconds per million events, and the service itself. Lost are "
        "events of all "
        "workloads.\n\n" +
        row({"", "kernel side, in the caller", "user side", "both", "events lost", "resident MiB", "peak MiB",
             "bytes per event"}) +
        rule(8);
    const std::string work = "rename, absolute";
    for (const Variant variant : kVariants) {
      const auto found = results_.find(variant);
      if (variant == Variant::nothing || variant == Variant::counter || found == results_.end()) continue;
      const Result& result = found->second;
      const auto mib = [](std::uint64_t kib) {
        return kib == 0 ? std::string(kNone) : figure(static_cast<double>(kib) / 1024);
      };
      const Figure kernel = added(variant, work), both = whole(variant, work);
      text += row({name_of(variant), text_of(kernel ? Figure(*kernel / 1000) : kernel),
                   text_of(service_us(variant, work)), text_of(both ? Figure(*both / 1000) : both),
                   figure(static_cast<double>(result.lost)), mib(result.resident_kib), mib(result.peak_kib),
                   result.bytes_per_event == 0 ? kNone : figure(result.bytes_per_event)});
    }
    return text;
  }

  std::string user_side_table() const {
    constexpr Variant kServices[] = {Variant::paths, Variant::statistics, Variant::ndjson,
                                     Variant::exclusions, Variant::auditd};
    std::vector<std::string> head = {""};
    for (const Variant variant : kServices) head.emplace_back(name_of(variant));
    std::string text = "User side by workload: CPU seconds of the service per million events.\n\n" +
                       row(head) + rule(head.size());
    for (const Workload& work : workloads()) {
      std::vector<std::string> cells = {work.name};
      bool any = false;
      for (const Variant variant : kServices) {
        const Figure value = service_us(variant, work.name);
        any = any || value;
        cells.push_back(text_of(value));
      }
      if (any) text += row(cells);
    }
    return text;
  }

  void limit(const std::string& what, Figure value, double most, const std::string& unit = {}) const {
    if (value) report_.target(what, *value, most, unit);
  }

  void tell_targets() const {
    const std::string absolute = "rename, absolute", relative = "rename, relative";
    for (const std::string& work : {absolute, relative}) {
      limit(work + ": added to the caller, to auditd's", ratio(Variant::ndjson, Variant::auditd, work), 0.05);
      const Figure sensor = whole(Variant::ndjson, work), auditd = whole(Variant::auditd, work);
      if (sensor && auditd) limit(work + ": caller and service, to auditd's", *sensor / *auditd, 0.05);
      limit(work + ": added, to a bare program that copies both paths",
            ratio(Variant::statistics, Variant::paths, work), 1.5);
    }
    limit("getppid: added, to a bare program that counts",
          ratio(Variant::statistics, Variant::counter, "getppid"), 1.3);
    limit("user side, statistics only, CPU seconds per million renames",
          service_us(Variant::statistics, absolute), 0.3);
    limit("user side, NDJSON, CPU seconds per million renames", service_us(Variant::ndjson, absolute), 1.2);
    for (const Variant variant : kSensors) {
      const auto found = results_.find(variant);
      if (found == results_.end()) continue;
      const std::string name = name_of(variant);
      limit("resident memory, " + name, static_cast<double>(found->second.resident_kib) / 1024, 32, " MiB");
      limit("peak memory, " + name, static_cast<double>(found->second.peak_kib) / 1024, 32, " MiB");
      limit("events lost in all workloads, " + name, static_cast<double>(found->second.lost), 0);
    }
  }

  const Results& results_;
  const Report& report_;
};

}  // namespace

const char* name_of(Variant variant) {
  constexpr const char* kNames[] = {"nothing",         "counts", "64 bytes",         "copies both paths",
                                    "statistics only", "NDJSON", "1,000 exclusions", "auditd"};
  return kNames[static_cast<int>(variant)];
}

void tell(const Results& results, unsigned rounds, const Report& report) {
  Teller(results, report).tell(rounds);
}

}  // namespace auditshift::bench
