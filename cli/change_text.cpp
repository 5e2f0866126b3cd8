// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/change_run.h"

namespace auditshift::cli {

using base::Json;
using migrate::change::Status;
using migrate::change::Verification;
using migrate::change::Verified;

Json to_json(const Verification& verification) {
  Json checks = Json::array();
  for (const Verified& check : verification.checks)
    checks.push_back({{"id", check.id}, {"ok", check.ok}, {"text", base::to_utf8(check.text)}});
  return {{"ok", verification.ok()}, {"checks", checks}};
}

Json to_json(const Status& status, const std::optional<migrate::outside::ScheduledReboot>& reboot) {
  Json json = {{"state", migrate::change::to_string(status.state)}, {"transaction", status.id}};
  const bool any = !status.id.empty();
  json["started"] = any ? Json(base::format_utc(status.started)) : Json(nullptr);
  json["changed"] = any ? Json(base::format_utc(status.changed)) : Json(nullptr);
  json["caller"] = base::to_utf8(status.caller);
  json["agent"] = to_string(status.plan.agent);
  Json steps = Json::array();
  for (std::size_t i = 0; i < status.plan.steps.size(); ++i)
    steps.push_back({{"id", status.plan.steps[i].id},
                     {"type", status.plan.steps[i].type},
                     {"done", i < status.steps_done}});
  json["steps"] = steps;
  json["rolling_back"] = status.rolling_back;
  json["interrupted"] = status.interrupted;
  json["reboot_reason"] = base::to_utf8(status.plan.reboot_reason);
  json["reboot"] =
      reboot ? Json{{"kind", reboot->kind}, {"at", base::format_utc(reboot->at)}} : Json(nullptr);
  json["message"] = base::to_utf8(status.message);
  json["verification"] = status.verification ? to_json(*status.verification) : Json(nullptr);
  json["comparison"] = status.comparison;
  json["next"] = base::to_utf8(status.next);
  return json;
}

std::string render_text(const Verification& verification) {
  std::string text;
  for (const Verified& check : verification.checks)
    text +=
        std::string(check.ok ? "ok    " : "FAIL  ") + check.id + ": " + base::printable(check.text) + "\n";
  return text;
}

std::string comparison_line(const Status& status) {
  if (!status.comparison.is_object()) return {};
  return "compared for " + base::count_of(status.comparison.value("seconds", std::uint64_t{0}), "second") +
         ": " + base::printable(status.comparison.value("text", std::string())) + "\n";
}

std::string render_text(const Status& status,
                        const std::optional<migrate::outside::ScheduledReboot>& reboot) {
  std::string text = "state: " + std::string(migrate::change::to_string(status.state)) +
                     (status.interrupted ? " (interrupted: no process works on it)" : "") + "\n";
  if (!status.id.empty()) {
    text += "transaction: " + status.id + ", started " + base::format_utc(status.started) + " by " +
            base::printable(status.caller) + "\n";
    text += "steps: " + std::to_string(status.steps_done) + " of " +
            std::to_string(status.plan.steps.size()) + " done\n";
  }
  if (!status.message.empty()) text += "message: " + base::printable(status.message) + "\n";
  if (reboot)
    text += "scheduled: " + base::printable(reboot->kind) + " at " + base::format_utc(reboot->at) + "\n";
  text += comparison_line(status);
  if (status.verification) text += render_text(*status.verification);
  if (!status.next.empty()) text += "next: " + base::printable(status.next) + "\n";
  return text;
}

}  // namespace auditshift::cli
