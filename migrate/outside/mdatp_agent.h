// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/process.h"
#include "base/sysroot.h"
#include "migrate/outside/agent.h"

namespace auditshift::migrate::outside {

struct MdatpOptions {
  std::string cli;  ///< its command; empty: where the product, or its custom installation path, has it
  /// For the probe of prove_flow; no exclusion may cover it.
  std::string probe_directory = "/var/lib/auditshift";
  std::chrono::milliseconds limit{60'000};    ///< for one command
  std::chrono::milliseconds counting{3'000};  ///< between two looks at the counters
};

/// Microsoft Defender for Endpoint on Linux, through its command `mdatp`. What it accepts of each command's
/// many forms: docs/agents.md.
class MdatpAgent final : public Agent {
 public:
  MdatpAgent(std::shared_ptr<const base::Sysroot> files, std::shared_ptr<base::ProcessRunner> processes,
             MdatpOptions options = {});

  AgentKind kind() const override { return AgentKind::mdatp; }
  std::string service() const override;
  std::string managed_file() const override;
  base::Result<AgentStatus> status() override;
  base::Result<void> set_ebpf(bool enabled) override;
  base::Result<FlowProof> prove_flow(std::chrono::seconds patience) override;

 private:
  base::Result<std::string> cli() const;
  base::Result<base::Completed> run(const std::vector<std::string>& arguments,
                                    std::chrono::milliseconds extra = {});
  base::Result<std::string> field(const std::string& name);
  base::Result<FlowProof> prove_by_statistics(std::chrono::seconds window);
  base::Result<FlowProof> prove_by_counters();
  base::Result<FlowProof> prove_by_health();

  std::shared_ptr<const base::Sysroot> files_;
  std::shared_ptr<base::ProcessRunner> processes_;
  MdatpOptions options_;
};

/// What `mdatp health --field F` printed: its last line, without quotes and the [managed] suffix.
std::string parse_field_answer(std::string_view text);

/// The number behind `name` in the answer of `mdatp diagnostic ebpf-statistics` ("name : 10"), whose section
/// is "Top file paths:" or "Top initiator paths:". A file path counts when `name` is one of its directories.
std::optional<std::uint64_t> find_in_statistics(std::string_view text, std::string_view section,
                                                std::string_view name);

/// The sum of all counters in the answer of `mdatp diagnostic event-provider-statistics`; nothing when there
/// are none.
std::optional<std::uint64_t> sum_of_counters(std::string_view text);

}  // namespace auditshift::migrate::outside
