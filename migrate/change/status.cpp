// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/plan_steps.h"
#include "migrate/change/transaction_record.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;

std::string next_step(const Status& status) {
  const bool back = status.rolling_back;
  switch (status.state) {
    case State::idle:
      return "nothing is going on; auditshift plan shows what a switch would do";
    case State::planned:
    case State::applying:
      return "auditshift resume goes on, auditshift rollback undoes what was done";
    case State::awaiting_reboot:
      return back ? "reboot the host to complete the rollback"
                  : "reboot the host; or auditshift rollback, which needs no reboot before that one";
    case State::verifying:
      return "auditshift resume verifies again, auditshift rollback undoes the switch";
    case State::switched:
      return "auditshift commit ends the switch, auditshift rollback undoes it";
    case State::rolling_back:
      return "auditshift rollback goes on undoing";
    case State::failed:
      return "mend what the message says, then auditshift rollback tries again";
    case State::committed:
    case State::rolled_back:
      return "nothing is left to do";
  }
  return {};
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::idle:
      return "idle";
    case State::planned:
      return "planned";
    case State::applying:
      return "applying";
    case State::awaiting_reboot:
      return "awaiting-reboot";
    case State::verifying:
      return "verifying";
    case State::switched:
      return "switched";
    case State::committed:
      return "committed";
    case State::rolling_back:
      return "rolling-back";
    case State::rolled_back:
      return "rolled-back";
    case State::failed:
      return "failed";
  }
  return "unknown";
}

Json to_json(const Verification& verification) {
  Json checks = Json::array();
  for (const Verified& check : verification.checks)
    checks.push_back({{"id", check.id}, {"ok", check.ok}, {"text", check.text}});
  return checks;
}

Status to_status(const TransactionRecord& transaction) {
  Status status;
  status.state = transaction.state;
  status.id = transaction.id;
  status.started = transaction.started;
  status.changed = transaction.changed;
  status.caller = transaction.caller;
  status.plan = transaction.plan;
  status.steps_done = transaction.steps_done();
  status.rolling_back = transaction.rolling_back && !transaction.over();
  if (transaction.state == State::awaiting_reboot) status.boot_id = transaction.awaited_boot;
  status.message = transaction.message;
  status.verification = transaction.verification;
  for (std::size_t i = 0; i < transaction.steps.size(); ++i)
    if (transaction.plan.steps[i].type == kComparisonStep && !transaction.steps[i].found.is_null())
      status.comparison = transaction.steps[i].found;
  status.next = next_step(status);
  return status;
}

Json to_json(const Status& status) {
  Json json = Json::object();
  json["schema_version"] = 1;
  json["state"] = to_string(status.state);
  json["id"] = status.id;
  json["started"] = base::format_utc(status.started);
  json["changed"] = base::format_utc(status.changed);
  json["caller"] = status.caller;
  json["steps"] = status.plan.steps.size();
  json["steps_done"] = status.steps_done;
  json["rolling_back"] = status.rolling_back;
  json["boot_id"] = status.boot_id;
  json["message"] = status.message;
  if (status.verification) json["verification"] = to_json(*status.verification);
  json["next"] = status.next;
  return json;
}

}  // namespace auditshift::migrate::change
