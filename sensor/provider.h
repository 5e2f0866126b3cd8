// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sensor/event.h"
#include "sensor/event_counts.h"
#include "sensor/exclusion.h"

namespace auditshift::sensor {

/// Takes events as a provider delivers them. One thread at a time; must not block for long, since the
/// provider's buffer fills meanwhile.
class Consumer {
 public:
  virtual ~Consumer() = default;
  /// One event. It and all it points to are valid until this returns.
  virtual void consume(const Event& event) = 0;
  /// The provider has no more at the moment: the place to write out what was gathered.
  virtual void end_of_batch() = 0;
  /// False when the next events are only counted: a provider may then leave out all but the kind, the time,
  /// the system call and the identities of processes. Does not change during a poll.
  virtual bool wants_details() const { return true; }
};

/// How many records one cause has kept from the consumer since start().
struct DropCounter {
  std::string_view cause;  ///< static text: "ring buffer full", "reader overrun"
  std::uint64_t count = 0;
  std::vector<std::uint64_t> per_cpu;  ///< empty where the cause has no CPU
};

/// What can be told about a provider; the order of `details` is the order to show.
struct ProviderDescription {
  std::string name;  ///< "ebpf", "netlink", "auditd": value of supplementary_events_subsystem
  std::string tier;  ///< "core", "legacy"; empty where there is one way only
  std::vector<std::pair<std::string, std::string>> details;  ///< programs, attach points, buffer size, …
};

/// A source of events.
///
/// Life: start(), then poll() again and again from one thread, then stop(). drops() and describe() may be
/// called from that thread at any time after start(). The destructor stops.
class Provider {
 public:
  virtual ~Provider() = default;

  /// Begins to gather events. Errors say what the host lacks; nothing stays behind then.
  virtual base::Result<void> start() = 0;

  /// Waits until there is something worth reading, at most `timeout`, then hands what is there to
  /// `consumer`, in batches of bounded size, each closed by end_of_batch(). The number of events handed over.
  /// An error means that the provider no longer works.
  virtual base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) = 0;

  /// The last poll() ended with more at hand, so that a flood of events does not keep the caller from its
  /// other work: it is to be called again soon, whatever the descriptor says.
  virtual bool has_more() const { return false; }

  /// A descriptor that is readable when poll() has work, for a caller with its own event loop, or -1.
  /// Such a caller must call poll() on a timer as well: a provider may hold events back to save wake-ups.
  virtual int descriptor() const = 0;

  /// What need not be told of; each list takes the place of the one before. A provider that can leaves it out
  /// at the source, where it costs least; what comes all the same is filtered later. After an error nothing
  /// is left out at the source. REQUIRES: started.
  virtual base::Result<void> exclude(std::span<const Exclusion>) { return {}; }

  /// Counts events by name at the source, for statistics, until told to stop; false when the provider cannot,
  /// and whoever wants to know counts what is handed over. REQUIRES: started.
  virtual base::Result<bool> count_at_source(bool) { return false; }
  /// What was counted so far; two answers differ by what came in between.
  virtual base::Result<EventCounts> source_counts() const { return EventCounts(); }

  /// Tells at once of the losses that poll() would tell of in its own time: before a provider is stopped.
  /// Nothing to do for one whose kinds() do not have `loss`.
  virtual void tell_losses(Consumer&) {}

  /// Ends the gathering and removes what start() put into the kernel.
  virtual void stop() = 0;

  /// Every cause that can lose a record, those with 0 included, always in the same order. A provider whose
  /// kinds() have `loss` tells of losses in its events as well; for the others, who compares these does.
  virtual std::vector<DropCounter> drops() const = 0;

  /// The kinds this provider can supply with its options as they are; what is missing is not watched.
  virtual KindSet kinds() const = 0;

  virtual ProviderDescription describe() const = 0;
};

/// Records that a provider has lost since start(), all causes together.
inline std::uint64_t lost(const Provider& provider) {
  std::uint64_t records = 0;
  for (const DropCounter& drop : provider.drops()) records += drop.count;
  return records;
}

}  // namespace auditshift::sensor
