// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/observe.h"

#include <sys/utsname.h>

#include "auditd/normalize.h"
#include "base/text.h"
#include "migrate/collect.h"

namespace auditshift::migrate::change {
namespace {

/// The host's kernel, with rules in the normal form that the collector asks for.
class Borrowed final : public auditd::KernelAudit {
 public:
  Borrowed(std::shared_ptr<auditd::KernelAuditControl> kernel, auditd::ParseOptions options)
      : kernel_(std::move(kernel)), options_(std::move(options)) {}
  auditd::AuditStatus status() override { return kernel_->status(); }
  auditd::LiveRules rules() override {
    auditd::LiveRules live = kernel_->rules();
    for (auditd::Rule& rule : live.rules)
      rule.text = auditd::normalize(rule, options_.version, options_.machine);
    return live;
  }

 private:
  std::shared_ptr<auditd::KernelAuditControl> kernel_;
  auditd::ParseOptions options_;
};

base::Result<std::string> not_asked() {
  return base::Error(base::Errc::unsupported, "the agent is asked through its own interface");
}

}  // namespace

World world_of(const Host& host) {
  World world;
  world.host = host.files;
  world.clock = host.clock;
  if (host.files->is_live()) {
    utsname names{};
    if (::uname(&names) == 0) world.uname = Uname{names.nodename, names.release, names.machine};
  }
  if (host.boot)
    if (auto id = host.boot->boot_id()) world.boot_id = *std::move(id);
  world.mdatp_health = not_asked;
  world.mdatp_exclusions = not_asked;
  world.audit = [kernel = host.audit](const auditd::ParseOptions& options) {
    return std::make_unique<Borrowed>(kernel, options);
  };
  return world;
}

void ask_agent(outside::Agent& agent, Facts& facts) {
  const auto status = agent.status();
  if (!status) {
    facts.agent.health_error = status.error().message();
    return;
  }
  facts.agent.health = status->health;
  facts.agent.health_error.clear();
  facts.agent.subsystem = base::to_lower(status->subsystem);
}

Facts observe(const Host& host) {
  base::NoProgress progress;
  CollectOptions options;
  options.log_days = 0;
  if (host.agent) options.agent = host.agent->kind();
  Facts facts = collect_facts(world_of(host), options, progress);
  if (host.agent) ask_agent(*host.agent, facts);
  return facts;
}

}  // namespace auditshift::migrate::change
