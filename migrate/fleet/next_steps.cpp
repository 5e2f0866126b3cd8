// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/fleet/render.h"

namespace auditshift::migrate::fleet {

using base::count_of;

std::vector<std::string> next_steps(const Fleet& fleet) {
  std::vector<std::string> steps;
  if (!fleet.missing.empty())
    steps.push_back(count_of(fleet.missing.size(), "expected host has", "expected hosts have") +
                    " not reported: find out why.");
  if (fleet.stale != 0)
    steps.push_back(count_of(fleet.stale, "host has", "hosts have") + " no current report: assess again.");
  if (!fleet.reading.damaged.empty())
    steps.push_back(count_of(fleet.reading.damaged.size(), "file") + " could not be read: fetch again.");
  if (const std::size_t blocked = fleet.of(Verdict::blocked); blocked != 0)
    steps.push_back(count_of(blocked, "host is", "hosts are") +
                    " blocked: see the findings that stand in the way.");
  if (const std::size_t waiting = fleet.of(Verdict::needs_consent); waiting != 0)
    steps.push_back(count_of(waiting, "host waits", "hosts wait") + " for a decision on exclusions.");
  if (const std::size_t below = fleet.of(Verdict::netlink_only); below != 0)
    steps.push_back(count_of(below, "host", "hosts") +
                    " would get process events only: raise the kernel, or accept it.");
  const std::size_t ready = fleet.of(Verdict::ready) + fleet.of(Verdict::ready_after_reboot);
  if (ready != 0)
    steps.push_back(count_of(ready, "host is", "hosts are") + " ready: switch them, a canary first; " +
                    count_of(fleet.of(Verdict::ready_after_reboot), "needs", "need") + " a reboot.");
  if (steps.empty()) steps.push_back("Every host is on eBPF: nothing to do.");
  return steps;
}

}  // namespace auditshift::migrate::fleet
