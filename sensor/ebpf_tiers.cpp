// SPDX-License-Identifier: Apache-2.0
#include "sensor/ebpf_tiers.h"

#include "bpf/kernel_trials.h"
#include "bpf/libbpf_log.h"
#include "sensor/ebpf_provider.h"
#include "sensor/legacy_provider.h"

namespace auditshift::sensor {
namespace {

constexpr bpf::Tier kTiers[] = {bpf::Tier::fentry, bpf::Tier::core, bpf::Tier::legacy};

}  // namespace

EbpfTiers::EbpfTiers(EbpfOptions options, const base::Sysroot& host, const base::Clock& clock,
                     std::optional<bpf::Tier> only)
    : options_(std::move(options)), host_(host), clock_(clock), only_(only) {}

std::unique_ptr<Provider> EbpfTiers::make(bpf::Tier tier) const {
  if (tier == bpf::Tier::legacy) return std::make_unique<LegacyProvider>(options_, host_, clock_);
  return std::make_unique<EbpfProvider>(options_, clock_, tier);
}

/// What is cheaper to ask beforehand than to find out by loading. Loading would not tell of preemption at
/// all.
base::Result<void> EbpfTiers::check(bpf::Tier tier) const {
  if (tier != bpf::Tier::fentry) return {};
  bpf::route_libbpf_messages();
  for (const auto& [feature, result] :
       {std::pair(bpf::features::kNoPreemption, bpf::try_no_preemption(host_)),
        std::pair(bpf::features::kFentry, bpf::try_fentry(host_))}) {
    if (result.ok != bpf::ProbeResult::yes)
      return base::Error(base::Errc::unsupported, std::string(feature) + ": " + result.detail);
  }
  return {};
}

base::Result<void> EbpfTiers::start() {
  refusals_.clear();
  std::optional<base::Error> last;
  for (const bpf::Tier tier : kTiers) {
    if (only_ ? tier != *only_ : tier == bpf::Tier::fentry) continue;
    auto provider = make(tier);
    auto started = check(tier);
    if (started.ok()) started = provider->start();
    if (started.ok()) {
      tier_ = std::move(provider);
      return {};
    }
    refusals_.emplace_back(bpf::tier_name(tier), started.error().message());
    if (!last) last = std::move(started).error();  // the best tier's hint
  }
  std::string reasons;
  for (const auto& [tier, reason] : refusals_)
    reasons += (reasons.empty() ? "tier " : "; tier ") + tier + ": " + reason;
  if (!last) return base::Error(base::Errc::unsupported, "there is no such tier");
  return base::Error(last->code(), reasons).with_hint(last->hint());
}

base::Result<std::size_t> EbpfTiers::poll(std::chrono::milliseconds timeout, Consumer& consumer) {
  if (!tier_) return base::Error(base::Errc::invalid, "the ebpf provider has not been started");
  return tier_->poll(timeout, consumer);
}

base::Result<void> EbpfTiers::exclude(std::span<const Exclusion> entries) {
  return tier_ ? tier_->exclude(entries) : base::Result<void>();
}

base::Result<bool> EbpfTiers::count_at_source(bool on) {
  return tier_ ? tier_->count_at_source(on) : base::Result<bool>(false);
}

base::Result<EventCounts> EbpfTiers::source_counts() const {
  return tier_ ? tier_->source_counts() : base::Result<EventCounts>(EventCounts());
}

void EbpfTiers::tell_losses(Consumer& consumer) {
  if (tier_) tier_->tell_losses(consumer);
}

void EbpfTiers::stop() { tier_.reset(); }

std::vector<DropCounter> EbpfTiers::drops() const {
  return tier_ ? tier_->drops() : std::vector<DropCounter>();
}

ProviderDescription EbpfTiers::describe() const {
  ProviderDescription description{"ebpf", "", {}};
  if (tier_) description = tier_->describe();
  for (const auto& [tier, reason] : refusals_) description.details.emplace_back("not tier " + tier, reason);
  return description;
}

}  // namespace auditshift::sensor
