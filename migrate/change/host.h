// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "auditd/kernel.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/sysroot.h"
#include "migrate/change/live_comparison.h"
#include "migrate/outside/agent.h"
#include "migrate/outside/boot.h"
#include "migrate/outside/packages.h"
#include "migrate/outside/services.h"

namespace auditshift::migrate::change {

/// The host that a transaction changes: every way out of this process. Real ones for a host, fakes for tests.
struct Host {
  std::shared_ptr<const base::Sysroot> files;
  std::shared_ptr<auditd::KernelAuditControl> audit;
  std::shared_ptr<base::ProcessRunner> processes;
  std::shared_ptr<const base::Clock> clock;
  std::shared_ptr<outside::Services> services;
  std::shared_ptr<outside::Packages> packages;
  std::shared_ptr<outside::Boot> boot;
  std::shared_ptr<outside::Agent> agent;                 ///< null: none on this host
  std::shared_ptr<LiveComparison> comparison = nullptr;  ///< null: audit and the sensor cannot be compared
};

}  // namespace auditshift::migrate::change
