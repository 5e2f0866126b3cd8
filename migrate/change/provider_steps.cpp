// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <thread>

#include "migrate/change/plan_steps.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

/// How long an agent may take from its answer until its health shows the other provider.
constexpr std::chrono::seconds kSettle{60};

Result<outside::Agent*> agent_of(const Host& host) {
  if (host.agent == nullptr)
    return base::Error(base::Errc::not_found,
                       "there is no agent on this host whose provider could be switched");
  return host.agent.get();
}

/// Why the agent is not there yet; empty when it is.
using Question = std::function<Result<std::string>(std::chrono::seconds left)>;

/// Asks every half second. An agent that cannot be reached may be restarting to obey.
Result<void> wait_until(const Host& host, std::chrono::seconds patience, const Question& question) {
  constexpr std::chrono::milliseconds kPause{500};
  const auto end = host.clock->since_boot() + patience;
  // Counted as well: a clock that stands still is no reason to wait for ever.
  for (auto waited = std::chrono::milliseconds(0);; waited += kPause) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(end - host.clock->since_boot());
    auto answer = question(left);
    if (answer && answer->empty()) return {};
    if (left.count() <= 0 || waited >= patience)
      return base::Error(base::Errc::timeout, "after " + std::to_string(patience.count()) + " seconds: " +
                                                  (answer ? *answer : answer.error().message()))
          .with_hint("see the agent's health and its log");
    std::this_thread::sleep_for(kPause);
  }
}

Result<std::string> provider_question(outside::Agent& agent, const std::string& target) {
  AUDITSHIFT_TRY(status, agent.status());
  if (status.subsystem == target) return std::string();
  return "the agent's events come from \"" + status.subsystem + "\", not from " + target;
}

class Provider final : public Step {
 public:
  Provider(std::string before, std::string target) : before_(std::move(before)), target_(std::move(target)) {}

  std::string describe() const override { return "switch the agent's event provider to eBPF"; }

  Result<std::string> diff(const Host&) override {
    const std::string field = "supplementary_events_subsystem: ";
    return "-" + field + (before_.empty() ? "unknown" : before_) + "\n+" + field + target_ + "\n";
  }

  Result<Json> capture(const Host& host, BackupStore&) override {
    AUDITSHIFT_TRY(agent, agent_of(host));
    AUDITSHIFT_TRY(status, agent->status());
    return Json{{"subsystem", status.subsystem}};
  }

  Result<void> apply(Host& host, const Json&) override {
    AUDITSHIFT_TRY(agent, agent_of(host));
    AUDITSHIFT_TRY_VOID(agent->set_ebpf(true));
    return wait_until(host, kSettle,
                      [&](std::chrono::seconds) { return provider_question(*agent, target_); });
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(agent, agent_of(host));
    AUDITSHIFT_TRY(status, agent->status());
    return status.subsystem == target_;
  }

  // Without waiting: the managed configuration, which wins over the command, is put back only after this.
  Result<void> undo(Host& host, const Json&, const BackupStore&) override {
    if (before_ == "ebpf") return {};
    AUDITSHIFT_TRY(agent, agent_of(host));
    auto told = agent->set_ebpf(false);
    if (told) return {};
    // An agent that refused the one refuses the other: then nothing has changed.
    const auto status = agent->status();
    if (status && status->subsystem == before_) return {};
    return told;
  }

 private:
  std::string before_;
  std::string target_;
};

class WaitForProvider final : public Step {
 public:
  WaitForProvider(std::string target, std::chrono::seconds patience)
      : target_(std::move(target)), patience_(patience) {}

  std::string describe() const override {
    return "wait until the agent's events come from " + target_ + " and are seen to flow";
  }

  Result<std::string> diff(const Host&) override { return std::string(); }
  Result<Json> capture(const Host&, BackupStore&) override { return Json::object(); }

  Result<void> apply(Host& host, const Json&) override {
    AUDITSHIFT_TRY(agent, agent_of(host));
    return wait_until(host, patience_, [&](std::chrono::seconds left) -> Result<std::string> {
      AUDITSHIFT_TRY(why, provider_question(*agent, target_));
      if (!why.empty()) return why;
      AUDITSHIFT_TRY(flow, agent->prove_flow(std::max(left, std::chrono::seconds(5))));
      if (flow.seen) return std::string();
      return "no event of the probe process came out of the agent (" + flow.evidence + ")";
    });
  }

  // Whether events flow was asked in apply; a second probe would tell no more.
  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(agent, agent_of(host));
    AUDITSHIFT_TRY(status, agent->status());
    return status.subsystem == target_;
  }

  Result<void> undo(Host&, const Json&, const BackupStore&) override { return {}; }

 private:
  std::string target_;
  std::chrono::seconds patience_;
};

class WaitForAgent final : public Step {
 public:
  explicit WaitForAgent(std::chrono::seconds patience) : patience_(patience) {}

  std::string describe() const override { return "wait until the agent answers"; }
  Result<std::string> diff(const Host&) override { return std::string(); }
  Result<Json> capture(const Host&, BackupStore&) override { return Json::object(); }
  Result<void> undo(Host&, const Json&, const BackupStore&) override { return {}; }

  Result<void> apply(Host& host, const Json&) override {
    AUDITSHIFT_TRY(agent, agent_of(host));
    return wait_until(host, patience_, [&](std::chrono::seconds) -> Result<std::string> {
      AUDITSHIFT_TRY(status, agent->status());
      return std::string(status.subsystem.empty() ? "the agent names no event provider" : "");
    });
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(agent, agent_of(host));
    AUDITSHIFT_TRY(status, agent->status());
    return !status.subsystem.empty();
  }

 private:
  std::chrono::seconds patience_;
};

}  // namespace

StepSpec wait_for_agent(std::string id, std::chrono::seconds patience) {
  return {.id = std::move(id),
          .type = "wait-for-agent",
          .parameters = {{"patience_seconds", static_cast<std::uint32_t>(patience.count())}}};
}

Result<std::unique_ptr<Step>> make_wait_for_agent(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"patience_seconds"}));
  AUDITSHIFT_TRY(seconds, parameters.number("patience_seconds"));
  if (!seconds) return parameters.error("patience_seconds", "is missing");
  return std::unique_ptr<Step>(std::make_unique<WaitForAgent>(std::chrono::seconds(*seconds)));
}

StepSpec provider(std::string id, const std::string& before, const std::string& target) {
  return {.id = std::move(id), .type = "provider", .parameters = {{"before", before}, {"target", target}}};
}

StepSpec wait_for_provider(std::string id, const std::string& target, std::chrono::seconds patience) {
  return {
      .id = std::move(id),
      .type = "wait-for-provider",
      .parameters = {{"target", target}, {"patience_seconds", static_cast<std::uint32_t>(patience.count())}}};
}

Result<std::unique_ptr<Step>> make_provider(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"before", "target"}));
  AUDITSHIFT_TRY(before, parameters.text("before"));
  AUDITSHIFT_TRY(target, parameters.text("target"));
  return std::unique_ptr<Step>(std::make_unique<Provider>(std::move(before), std::move(target)));
}

Result<std::unique_ptr<Step>> make_wait_for_provider(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"target", "patience_seconds"}));
  AUDITSHIFT_TRY(target, parameters.text("target"));
  AUDITSHIFT_TRY(seconds, parameters.number("patience_seconds"));
  if (!seconds) return parameters.error("patience_seconds", "is missing");
  return std::unique_ptr<Step>(
      std::make_unique<WaitForProvider>(std::move(target), std::chrono::seconds(*seconds)));
}

}  // namespace auditshift::migrate::change
