// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "sensor/event.h"
#include "sensor/format.h"
#include "sensor/provider.h"
#include "sensor/sink.h"

namespace auditshift::sensor {

/// Counters of the stream since the start.
struct PipelineStatistics {
  std::array<std::uint64_t, AS_KIND_LIMIT> by_kind{};  ///< records written, by number of their kind
  std::uint64_t records = 0;                           ///< their sum
  std::uint64_t unwanted = 0;                          ///< events of kinds that are not asked for
  std::uint64_t own = 0;                               ///< events of this process itself, never written
  std::uint64_t excluded = 0;                          ///< events kept back by an exclusion
  std::uint64_t lost = 0;                              ///< records told as lost by the provider
  std::uint64_t last_boot_ns = 0;                      ///< time of the newest event
};

/// Whether an event is to be kept back; see Exclusions.
class EventFilter {
 public:
  virtual ~EventFilter() = default;
  virtual bool excluded(const Event& event) const = 0;
  /// False when nothing is kept back at all.
  virtual bool empty() const { return false; }
};

/// Sees every event that is written, beside the sinks: statistics.
class EventObserver {
 public:
  virtual ~EventObserver() = default;
  virtual void observe(const Event& event) = 0;
  /// False when it would not look at the next ones.
  virtual bool observes() const { return true; }
};

/// From the provider to the sinks: drops what is not wanted, numbers the rest, formats it once per format
/// that somebody reads, and writes each batch with one call per sink.
class Pipeline final : public Consumer {
 public:
  Pipeline(StreamIdentity stream, const base::Clock& clock);

  /// REQUIRES: `sink` outlives this.
  void add_sink(Format format, Sink& sink);
  void remove_sink(Sink& sink);
  void set_kinds(KindSet kinds) { kinds_ = kinds; }
  void set_provider(std::string name) { provider_ = std::move(name); }
  /// Null: nothing is excluded. REQUIRES: outlives this, or is replaced first.
  void set_filter(const EventFilter* filter) { filter_ = filter; }
  void set_observer(EventObserver* observer) { observer_ = observer; }

  void consume(const Event& event) override;
  void end_of_batch() override;
  bool wants_details() const override;

  /// Compares the provider's counters with those of the last call and writes a loss record for each cause
  /// that lost something in between; its range of time is the time between the calls.
  void report_losses(const std::vector<DropCounter>& drops);

  /// The next report_losses() is about other counters, which begin at 0.
  void forget_losses() { last_drops_.clear(); }

  /// A line of a loss record, for sinks that lose by themselves.
  LossLine loss_line(Format format);

  const PipelineStatistics& statistics() const { return statistics_; }

 private:
  struct Output {
    Format format;
    std::unique_ptr<Formatter> formatter;
    std::vector<Sink*> sinks;
    TextBuffer buffer;
    std::uint64_t records = 0;
    bool wanted = true;
  };

  void emit(const Event& event);
  void flush(Output& output);
  Event make_loss(const Loss& loss) const;

  StreamIdentity stream_;
  const base::Clock* clock_;
  std::vector<Output> outputs_;
  KindSet kinds_ = KindSet::all();
  std::string provider_;
  const EventFilter* filter_ = nullptr;
  EventObserver* observer_ = nullptr;
  std::uint32_t own_pid_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> last_drops_;
  std::uint64_t last_drops_ns_;
  PipelineStatistics statistics_;
};

}  // namespace auditshift::sensor
