// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/process.h"
#include "base/sysroot.h"
#include "migrate/outside/agent.h"
#include "migrate/outside/services.h"

namespace auditshift::migrate::outside {

/// The agent that --agent names: "mdatp", "native", or "auto" for the one that is there. Where both are it is
/// Defender, because its rules are what is to be moved. Errors: not_found when the one asked for, or any, is
/// not installed; invalid for another name.
base::Result<std::shared_ptr<Agent>> choose_agent(std::string_view wanted,
                                                  const std::shared_ptr<const base::Sysroot>& files,
                                                  const std::shared_ptr<base::ProcessRunner>& processes,
                                                  const std::shared_ptr<Services>& services);

}  // namespace auditshift::migrate::outside
