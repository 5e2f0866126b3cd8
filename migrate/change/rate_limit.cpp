// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/plan_steps.h"
#include "migrate/change/step_kinds.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

Result<std::uint32_t> limit_of(const Host& host) {
  const auditd::AuditStatus status = host.audit->status();
  if (!status.rate_limit)
    return base::Error(base::Errc::unsupported, "the kernel's audit rate limit is unknown: " + status.reason);
  return *status.rate_limit;
}

std::string in_words(std::uint32_t limit) {
  return limit == 0 ? "none" : std::to_string(limit) + " records a second";
}

class RateLimit final : public Step {
 public:
  RateLimit(std::uint32_t from, std::uint32_t to) : from_(from), to_(to) {}

  std::string describe() const override { return "set the kernel's audit rate limit to " + in_words(to_); }

  Result<std::string> diff(const Host& host) override {
    AUDITSHIFT_TRY(now, limit_of(host));
    if (now == to_) return std::string();
    return "-rate_limit " + std::to_string(now) + "\n+rate_limit " + std::to_string(to_) + "\n";
  }

  Result<Json> capture(const Host& host, BackupStore&) override {
    AUDITSHIFT_TRY_VOID(refuse_a_third(host));
    return Json::object();  // what was there is a part of the step
  }

  Result<void> apply(Host& host, const Json&) override { return set(host, to_); }
  /// A boot gives the kernel what is on disk.
  bool survives_boot() const override { return false; }
  bool waits_for_boot(const Host& host, const Json&) const override {
    const auto now = limit_of(host);
    return !now || *now != from_;
  }

  Result<bool> done(const Host& host) override {
    AUDITSHIFT_TRY(now, limit_of(host));
    return now == to_;
  }

  Result<void> undo(Host& host, const Json&, const BackupStore&) override {
    // A locked kernel takes what is on disk with its next boot.
    if (host.audit->status().state == auditd::AuditState::immutable) return {};
    return set(host, from_);
  }

 private:
  Result<void> refuse_a_third(const Host& host) const {
    AUDITSHIFT_TRY(now, limit_of(host));
    if (now == from_ || now == to_) return {};
    return base::Error(base::Errc::busy, "the kernel's audit rate limit is " + in_words(now) +
                                             ": somebody set it since it was " + in_words(from_))
        .with_hint("auditctl -r " + std::to_string(from_) + ", then try again");
  }

  Result<void> set(Host& host, std::uint32_t limit) const {
    AUDITSHIFT_TRY_VOID(refuse_a_third(host));
    AUDITSHIFT_TRY(now, limit_of(host));
    if (now == limit) return {};
    return host.audit->set_rate_limit(limit);
  }

  std::uint32_t from_;
  std::uint32_t to_;
};

}  // namespace

StepSpec rate_limit(std::string id, std::uint32_t from, std::uint32_t to) {
  return {.id = std::move(id), .type = "rate-limit", .parameters = {{"from", from}, {"to", to}}};
}

Result<std::unique_ptr<Step>> make_rate_limit(const StepSpec& spec) {
  const StepParameters parameters(spec);
  AUDITSHIFT_TRY_VOID(parameters.only({"from", "to"}));
  AUDITSHIFT_TRY(from, parameters.number("from"));
  AUDITSHIFT_TRY(to, parameters.number("to"));
  if (!from) return parameters.error("from", "is missing");
  if (!to) return parameters.error("to", "is missing");
  return std::unique_ptr<Step>(std::make_unique<RateLimit>(*from, *to));
}

}  // namespace auditshift::migrate::change
