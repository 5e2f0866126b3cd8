// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "migrate/change/announcer.h"
#include "migrate/change/host.h"
#include "migrate/change/make_plan.h"

namespace auditshift::cli {

/// The host that a changing verb acts on, and how the collector sees it.
struct ChangeHost {
  migrate::World world;
  migrate::change::Host host;
  std::shared_ptr<migrate::change::Announcer> announcer;  ///< the host's log; null for a captured host
};

/// The running host, or below `root` a captured one, which can be planned for and not changed.
base::Result<ChangeHost> open_change_host(const std::string& root, migrate::AgentKind wanted);

/// --agent, --accept, --skip, --remove-leftovers.
struct PlanArguments {
  std::string agent = "auto";
  std::vector<std::string> accept;
  std::vector<std::string> skip;
  bool leftovers = false;
  unsigned compare_seconds = 0;

  void add_to(CLI::App& app);
  migrate::change::PlanOptions options() const;
};

/// What planning came to; `unknown_ids` when an id of the command line names nothing on this host: a usage
/// error, and there is no answer.
struct Planned {
  migrate::change::PlanAnswer answer;
  std::optional<base::Error> unknown_ids;
};

/// Looks at the host and plans its switch.
base::Result<Planned> plan_for(const ChangeHost& on, const migrate::change::PlanOptions& options,
                               const Context& context);

/// What blocks a switch of this host now, as far as the options do not accept it; ids that name nothing any
/// more do not matter.
base::Result<std::vector<std::string>> blockers(const ChangeHost& on,
                                                const migrate::change::PlanOptions& options,
                                                const Context& context);

/// "host.example.org", for prompts.
std::string host_name();

}  // namespace auditshift::cli
