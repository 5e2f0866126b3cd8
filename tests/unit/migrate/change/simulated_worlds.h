// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tests/unit/migrate/change/simulated_host.h"

namespace auditshift::tests {

std::shared_ptr<auditd::KernelAuditControl> make_simulated_audit(std::shared_ptr<SimulatedWorld> world,
                                                                 std::shared_ptr<FaultPoints> points,
                                                                 auditd::ParseOptions options);
std::shared_ptr<migrate::outside::Agent> make_simulated_agent(std::shared_ptr<SimulatedWorld> world,
                                                              std::shared_ptr<FaultPoints> points);
std::shared_ptr<migrate::outside::Services> make_simulated_services(std::shared_ptr<SimulatedWorld> world,
                                                                    std::shared_ptr<FaultPoints> points);
std::shared_ptr<migrate::outside::Packages> make_simulated_packages(std::shared_ptr<SimulatedWorld> world,
                                                                    std::shared_ptr<FaultPoints> points);
std::shared_ptr<migrate::outside::Boot> make_simulated_boot(std::shared_ptr<SimulatedWorld> world);

}  // namespace auditshift::tests
