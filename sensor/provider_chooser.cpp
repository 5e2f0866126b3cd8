// SPDX-License-Identifier: Apache-2.0
#include "sensor/provider_chooser.h"

#include <algorithm>
#include <utility>

namespace auditshift::sensor {
namespace {

constexpr std::size_t kChangesKept = 100;

void add_up(std::vector<DropCounter>& sums, const std::vector<DropCounter>& more) {
  for (const DropCounter& counter : more) {
    const auto sum = std::find_if(sums.begin(), sums.end(),
                                  [&](const DropCounter& known) { return known.cause == counter.cause; });
    if (sum == sums.end()) {
      sums.push_back(counter);
      continue;
    }
    sum->count += counter.count;
    sum->per_cpu.resize(std::max(sum->per_cpu.size(), counter.per_cpu.size()));
    for (std::size_t cpu = 0; cpu < counter.per_cpu.size(); ++cpu) sum->per_cpu[cpu] += counter.per_cpu[cpu];
  }
}

bool tells_losses(const Provider& provider) { return provider.kinds().contains(EventKind::loss); }

}  // namespace

std::vector<std::string> names_of(const std::vector<ProviderFactory>& candidates) {
  std::vector<std::string> names;
  names.reserve(candidates.size());
  for (const ProviderFactory& candidate : candidates) names.push_back(candidate.name);
  return names;
}

void take_the_rest(Provider& provider, Consumer& consumer) {
  for (int polls = 0; polls < 100; ++polls) {
    if (!provider.poll(std::chrono::milliseconds(0), consumer).ok() || !provider.has_more()) return;
  }
}

ProviderChooser::ProviderChooser(std::vector<ProviderFactory> candidates, const base::Clock& clock,
                                 Options options)
    : candidates_(std::move(candidates)),
      clock_(&clock),
      options_(options),
      reasons_(candidates_.size()),
      set_aside_(candidates_.size()) {}

bool ProviderChooser::try_candidate(std::size_t index) {
  auto made = candidates_[index].make();
  if (!made.ok()) {
    reasons_[index] = made.error().message();
    return false;
  }
  if (auto started = (*made)->start(); !started.ok()) {
    reasons_[index] = started.error().message();
    return false;
  }
  // A list that the provider cannot take is no reason to do without it: what it sends is filtered.
  (void)(*made)->exclude(excluded_).ok();
  reasons_[index].clear();
  current_ = std::move(made).value();
  index_ = index;
  return true;
}

bool ProviderChooser::try_range(std::size_t first, std::size_t last) {
  for (std::size_t index = first; index < last; ++index) {
    if (!set_aside_[index] && try_candidate(index)) return true;
  }
  return false;
}

void ProviderChooser::record(std::string from, std::string reason) {
  if (changes_.size() == kChangesKept) changes_.erase(changes_.begin());
  changes_.push_back({clock_->now(), std::move(from), current_name(), std::move(reason)});
  if (listener_) listener_(changes_.back());
}

std::vector<std::pair<std::string, std::string>> ProviderChooser::refusals() const {
  std::vector<std::pair<std::string, std::string>> refusals;
  for (std::size_t index = 0; index < candidates_.size(); ++index) {
    if (!reasons_[index].empty()) refusals.emplace_back(candidates_[index].name, reasons_[index]);
  }
  return refusals;
}

base::Result<void> ProviderChooser::start() {
  retry_after_ = options_.first_retry;
  const bool works = try_range(0, candidates_.size());
  std::string reason;
  for (const auto& [name, why] : refusals()) reason += (reason.empty() ? "" : "; ") + name + ": " + why;
  if (!works) return base::Error(base::Errc::unsupported, "no event provider works here: " + reason);
  next_retry_ = clock_->since_boot() + retry_after_;
  record("", reason);
  return {};
}

void ProviderChooser::retire(Provider& provider) {
  const auto drops = provider.drops();
  add_up(retired_, drops);
  if (!tells_losses(provider)) add_up(retired_untold_, drops);
  provider.stop();
}

base::Result<void> ProviderChooser::set_aside(const base::Error& why, Consumer& consumer) {
  if (!current_ || index_ + 1 == candidates_.size()) return why;
  set_aside_[index_] = true;
  return fall_back(why.message(), consumer);
}

base::Result<void> ProviderChooser::fall_back(std::string why, Consumer& consumer) {
  const std::string from = current_name();
  const std::size_t failed = index_;
  current_->tell_losses(consumer);
  retire(*current_);
  current_.reset();
  reasons_[failed] = std::move(why);
  const std::string reason = from + ": " + reasons_[failed];
  retry_after_ = options_.first_retry;
  next_retry_ = clock_->since_boot() + retry_after_;
  // The lesser ones first: what just failed and those above it may well fail again.
  if (!try_range(failed + 1, candidates_.size()) && !try_range(0, failed + 1)) {
    record(from, reason);
    return base::Error(base::Errc::unsupported, "no event provider works any more: " + reason);
  }
  record(from, reason);
  return {};
}

void ProviderChooser::retry_better(Consumer& consumer) {
  const std::string from = current_name();
  const std::size_t before = index_;
  std::unique_ptr<Provider> old = std::move(current_);
  if (try_range(0, before)) {
    // What the old one still holds was before the new one began.
    take_the_rest(*old, consumer);
    old->tell_losses(consumer);
    retire(*old);
    record(from, current_name() + " works again");
    retry_after_ = options_.first_retry;
  } else {
    current_ = std::move(old);
    index_ = before;
    retry_after_ = std::min(2 * retry_after_, options_.longest_retry);
  }
  next_retry_ = clock_->since_boot() + retry_after_;
}

base::Result<std::size_t> ProviderChooser::poll(std::chrono::milliseconds timeout, Consumer& consumer) {
  if (current_ && index_ > 0 && clock_->since_boot() >= next_retry_) retry_better(consumer);
  if (!current_) return base::Error(base::Errc::invalid, "no event provider is in use");
  auto polled = current_->poll(timeout, consumer);
  if (polled.ok()) return polled;
  AUDITSHIFT_TRY_VOID(fall_back("failed while running: " + polled.error().message(), consumer));
  return current_->poll(std::chrono::milliseconds(0), consumer);
}

base::Result<void> ProviderChooser::exclude(std::span<const Exclusion> entries) {
  excluded_.assign(entries.begin(), entries.end());
  return current_ ? current_->exclude(excluded_) : base::Result<void>();
}

void ProviderChooser::stop() {
  if (current_) retire(*current_);
  current_.reset();
}

std::vector<DropCounter> ProviderChooser::drops() const {
  std::vector<DropCounter> sums = retired_;
  if (current_) add_up(sums, current_->drops());
  return sums;
}

std::vector<DropCounter> ProviderChooser::untold_drops() const {
  std::vector<DropCounter> sums = retired_untold_;
  if (current_ && !tells_losses(*current_)) add_up(sums, current_->drops());
  return sums;
}

ProviderDescription ProviderChooser::describe() const {
  ProviderDescription description;
  if (current_) description = current_->describe();
  for (const auto& [name, reason] : refusals()) description.details.emplace_back("not " + name, reason);
  return description;
}

}  // namespace auditshift::sensor
