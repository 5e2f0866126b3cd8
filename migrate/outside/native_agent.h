// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/json.h"
#include "migrate/outside/agent.h"
#include "migrate/outside/services.h"

namespace auditshift::migrate::outside {

struct NativeOptions {
  std::string socket;        ///< empty: where the sensor of a host listens
  std::string managed_file;  ///< empty: /etc/auditshift/managed.json
  /// For the probe of prove_flow; no exclusion may cover it.
  std::string probe_directory = "/var/lib/auditshift";
  std::chrono::milliseconds start_limit{30'000};  ///< until a started sensor answers
};

/// This project's own sensor, through its control socket.
class NativeAgent final : public Agent {
 public:
  explicit NativeAgent(std::shared_ptr<Services> services, NativeOptions options = {});

  AgentKind kind() const override { return AgentKind::native; }
  std::string service() const override;
  std::string managed_file() const override;
  base::Result<AgentStatus> status() override;
  /// Enables and starts the sensor's unit where it does not run and systemd is there.
  base::Result<void> set_ebpf(bool enabled) override;
  base::Result<FlowProof> prove_flow(std::chrono::seconds patience) override;

 private:
  base::Result<base::Json> ask(const base::Json& request, std::chrono::milliseconds timeout) const;
  base::Result<void> start_service();

  std::shared_ptr<Services> services_;
  NativeOptions options_;
};

}  // namespace auditshift::migrate::outside
