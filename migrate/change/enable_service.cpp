// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/plan_steps.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

class EnableService final : public Step {
 public:
  EnableService(std::string unit, bool start) : unit_(std::move(unit)), start_(start) {}

  std::string describe() const override {
    return std::string("enable ") + (start_ ? "and start " : "") + unit_;
  }

  Result<std::string> diff(const Host& host) override {
    AUDITSHIFT_TRY(standing, done(host));
    if (standing) return std::string();
    return "systemctl enable " + std::string(start_ ? "--now " : "") + unit_ + "\n";
  }

  Result<Json> capture(const Host& host, BackupStore&) override {
    AUDITSHIFT_TRY(state, loaded(host));
    return Json{{"enabled", state.enabled == Enabled::yes}, {"active", state.active}};
  }

  Result<void> apply(Host& host, const Json&) override {
    AUDITSHIFT_TRY(state, loaded(host));
    if (state.enabled != Enabled::yes) AUDITSHIFT_TRY_VOID(host.services->enable(unit_));
    if (start_ && !state.active) AUDITSHIFT_TRY_VOID(host.services->start(unit_));
    return {};
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(state, host.services->state(unit_));
    return state.enabled == Enabled::yes && (!start_ || state.active);
  }

  Result<void> undo(Host& host, const Json& captured, const BackupStore&) override {
    if (start_ && !captured.value("active", true)) AUDITSHIFT_TRY_VOID(host.services->stop(unit_));
    if (!captured.value("enabled", true)) AUDITSHIFT_TRY_VOID(host.services->disable(unit_));
    return {};
  }

 private:
  Result<outside::UnitState> loaded(const Host& host) const {
    AUDITSHIFT_TRY(state, host.services->state(unit_));
    if (state.enabled == Enabled::masked)
      return base::Error(base::Errc::busy, unit_ + " is masked: somebody forbade it")
          .with_hint("systemctl unmask " + unit_);
    if (!state.loaded)
      return base::Error(base::Errc::not_found, "there is no unit " + unit_)
          .with_hint("install the package it belongs to");
    return std::move(state);
  }

  std::string unit_;
  bool start_;
};

}  // namespace

StepSpec enable_service(std::string id, const std::string& unit, bool start) {
  return {.id = std::move(id), .type = "enable-service", .parameters = {{"unit", unit}, {"start", start}}};
}

Result<std::unique_ptr<Step>> make_enable_service(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"unit", "start"}));
  AUDITSHIFT_TRY(unit, parameters.text("unit"));
  AUDITSHIFT_TRY(start, parameters.flag_or("start", false));
  if (unit.empty() || unit.starts_with('-')) return parameters.error("unit", "is no unit's name");
  return std::unique_ptr<Step>(std::make_unique<EnableService>(std::move(unit), start));
}

}  // namespace auditshift::migrate::change
