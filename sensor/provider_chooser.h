// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

/// One candidate of the chooser.
struct ProviderFactory {
  std::string name;
  /// A new provider, not started. Errors: it cannot work here, or may not (a kernel known to be bad).
  std::function<base::Result<std::unique_ptr<Provider>>()> make;
};

std::vector<std::string> names_of(const std::vector<ProviderFactory>& candidates);

/// Hands over what a provider holds, before it is stopped. Where events come faster than they are taken this
/// ends after some seconds.
void take_the_rest(Provider& provider, Consumer& consumer);

/// One thing the chooser decided, and why.
struct ProviderChange {
  base::WallTime when{};
  std::string from;    ///< empty at the start
  std::string to;      ///< empty when nothing works
  std::string reason;  ///< "ebpf: …; netlink: …", or "ebpf works again"
};

/// Uses the first provider of a list that works, found out by really starting it.
///
/// When the one in use fails, the next one that starts takes over at once. As long as a better one exists, it
/// is tried again from time to time, at growing intervals; it takes over while the other still runs, so that
/// there is no gap (some events may come from both).
class ProviderChooser final : public Provider {
 public:
  struct Options {
    std::chrono::nanoseconds first_retry = std::chrono::minutes(1);
    std::chrono::nanoseconds longest_retry = std::chrono::hours(1);  ///< each wait doubles up to this
  };

  ProviderChooser(std::vector<ProviderFactory> candidates, const base::Clock& clock, Options options);
  ProviderChooser(std::vector<ProviderFactory> candidates, const base::Clock& clock)
      : ProviderChooser(std::move(candidates), clock, Options()) {}

  /// Called with the name of the provider whose events come from now on.
  void on_change(std::function<void(const ProviderChange&)> listener) { listener_ = std::move(listener); }

  /// Starts the first that works. The error has every candidate's reason.
  base::Result<void> start() override;
  base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) override;
  int descriptor() const override { return current_ ? current_->descriptor() : -1; }
  /// Holds for the provider in use and for each that takes over from it.
  base::Result<void> exclude(std::span<const Exclusion> entries) override;
  base::Result<bool> count_at_source(bool on) override {
    return current_ ? current_->count_at_source(on) : base::Result<bool>(false);
  }
  base::Result<EventCounts> source_counts() const override {
    return current_ ? current_->source_counts() : base::Result<EventCounts>(EventCounts());
  }
  bool has_more() const override { return current_ && current_->has_more(); }
  void tell_losses(Consumer& consumer) override {
    if (current_) current_->tell_losses(consumer);
  }
  void stop() override;
  /// The one in use has started but does not do its work: the first lesser one that starts takes over, and
  /// this one is not tried again. Errors: there is no lesser one, and all stays as it is; or none starts.
  base::Result<void> set_aside(const base::Error& why, Consumer& consumer);
  /// Sums over all providers used so far.
  std::vector<DropCounter> drops() const override;
  /// The part of these that no provider tells of by itself: for whoever compares them.
  std::vector<DropCounter> untold_drops() const;
  /// The same, without the provider in use.
  const std::vector<DropCounter>& former_untold_drops() const { return retired_untold_; }
  KindSet kinds() const override { return current_ ? current_->kinds() : KindSet(); }
  ProviderDescription describe() const override;

  /// Of all candidates, best first.
  std::vector<std::string> candidate_names() const { return names_of(candidates_); }
  /// Name of the one in use; empty when none.
  std::string current_name() const { return current_ ? candidates_[index_].name : std::string(); }
  /// Why each candidate before the current one is not in use: name and reason.
  std::vector<std::pair<std::string, std::string>> refusals() const;
  /// Every decision since the start, the newest last (the oldest are dropped beyond 100).
  const std::vector<ProviderChange>& changes() const { return changes_; }

 private:
  /// Starts a candidate and makes it the current one. On failure keeps the reason.
  bool try_candidate(std::size_t index);
  bool try_range(std::size_t first, std::size_t last);
  void record(std::string from, std::string reason);
  void retire(Provider& provider);
  void retry_better(Consumer& consumer);
  base::Result<void> fall_back(std::string why, Consumer& consumer);

  std::vector<ProviderFactory> candidates_;
  const base::Clock* clock_;
  Options options_;
  std::function<void(const ProviderChange&)> listener_;
  std::unique_ptr<Provider> current_;
  std::size_t index_ = 0;
  std::vector<std::string> reasons_;  ///< by candidate; empty: not tried, or works
  std::vector<bool> set_aside_;       ///< by candidate
  std::chrono::nanoseconds retry_after_{0};
  std::chrono::nanoseconds next_retry_{0};
  std::vector<DropCounter> retired_;         ///< of providers no longer in use
  std::vector<DropCounter> retired_untold_;  ///< of those of them that did not tell by themselves
  std::vector<ProviderChange> changes_;
  std::vector<Exclusion> excluded_;
};

}  // namespace auditshift::sensor
