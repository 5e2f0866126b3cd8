// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/change/plan_steps.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

/// The new provider has to prove itself while the rules of the old one are still there.
class ComparisonStep final : public Step {
 public:
  ComparisonStep(std::chrono::seconds time, bool accept_missed, bool accept_unproven)
      : time_(time), accept_missed_(accept_missed), accept_unproven_(accept_unproven) {}

  std::string describe() const override {
    return "compare audit with the sensor for " +
           base::count_of(static_cast<std::uint64_t>(time_.count()), "second");
  }

  Result<std::string> diff(const Host&) override { return std::string(); }
  Result<Json> capture(const Host&, BackupStore&) override { return Json::object(); }
  Result<void> undo(Host&, const Json&, const BackupStore&) override { return {}; }
  Result<bool> done(const Host&) override { return true; }  // apply said all there is to say
  Json found() const override { return found_; }

  Result<void> apply(Host& host, const Json&) override {
    if (host.comparison == nullptr)
      return base::Error(base::Errc::unsupported, "audit and the sensor cannot be compared here");
    AUDITSHIFT_TRY(compared, host.comparison->compare(time_));
    found_ = std::move(compared.summary);
    if (compared.missed && !accept_missed_) return refused(compared.text, kEventsMissed);
    if (!compared.missed && !compared.proven && !accept_unproven_)
      return refused(compared.text, kNothingProven);
    return {};
  }

 private:
  static base::Error refused(const std::string& text, const char* id) {
    return base::Error(base::Errc::invalid, text + " (" + id + ")")
        .with_hint("see auditshift compare; to switch nevertheless: --accept " + std::string(id));
  }

  std::chrono::seconds time_;
  bool accept_missed_;
  bool accept_unproven_;
  Json found_;
};

}  // namespace

StepSpec comparison(std::string id, std::chrono::seconds time, const std::set<std::string>& accept) {
  return {.id = std::move(id),
          .type = kComparisonStep,
          .parameters = {{"seconds", static_cast<std::uint32_t>(time.count())},
                         {"accept_missed", accept.contains(kEventsMissed)},
                         {"accept_unproven", accept.contains(kNothingProven)}}};
}

Result<std::unique_ptr<Step>> make_comparison(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"seconds", "accept_missed", "accept_unproven"}));
  AUDITSHIFT_TRY(seconds, parameters.number("seconds"));
  if (!seconds) return parameters.error("seconds", "is missing");
  AUDITSHIFT_TRY(accept_missed, parameters.flag_or("accept_missed", false));
  AUDITSHIFT_TRY(accept_unproven, parameters.flag_or("accept_unproven", false));
  return std::unique_ptr<Step>(
      std::make_unique<ComparisonStep>(std::chrono::seconds(*seconds), accept_missed, accept_unproven));
}

}  // namespace auditshift::migrate::change
