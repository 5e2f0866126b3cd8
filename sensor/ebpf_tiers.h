// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/sysroot.h"
#include "bpf/probe.h"
#include "sensor/ebpf_options.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

/// Events from eBPF in the best tier that works here, found out by really loading and attaching; tier fentry,
/// which takes seconds to start, only by name. Everything but start() is the chosen tier's.
class EbpfTiers final : public Provider {
 public:
  /// With `only`, no other tier is tried. REQUIRES: `host` is the live host; both outlive this.
  EbpfTiers(EbpfOptions options, const base::Sysroot& host, const base::Clock& clock,
            std::optional<bpf::Tier> only = std::nullopt);

  /// The error has every tier's reason.
  base::Result<void> start() override;
  base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) override;
  bool has_more() const override { return tier_ && tier_->has_more(); }
  int descriptor() const override { return tier_ ? tier_->descriptor() : -1; }
  base::Result<void> exclude(std::span<const Exclusion> entries) override;
  base::Result<bool> count_at_source(bool on) override;
  base::Result<EventCounts> source_counts() const override;
  void tell_losses(Consumer& consumer) override;
  void stop() override;
  std::vector<DropCounter> drops() const override;
  KindSet kinds() const override { return tier_ ? tier_->kinds() : KindSet(); }
  /// That of the tier, and why better ones are not in use.
  ProviderDescription describe() const override;

 private:
  std::unique_ptr<Provider> make(bpf::Tier tier) const;
  base::Result<void> check(bpf::Tier tier) const;

  EbpfOptions options_;
  const base::Sysroot& host_;
  const base::Clock& clock_;
  std::optional<bpf::Tier> only_;
  std::unique_ptr<Provider> tier_;
  std::vector<std::pair<std::string, std::string>> refusals_;  ///< tier, reason
};

}  // namespace auditshift::sensor
