// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/rule_restore.h"

#include <algorithm>
#include <optional>

#include "auditd/rule_identity.h"
#include "base/text.h"
#include "migrate/change/rule_json.h"
#include "migrate/change/rule_moves.h"

namespace auditshift::migrate::change {
namespace {

using auditd::Rule;
using base::Json;
using base::Result;

Result<void> put(auditd::KernelAuditControl& audit, const RuleMove& move) {
  Rule rule = move.rule;
  rule.verb = move.kind == RuleMove::Kind::prepend ? auditd::RuleVerb::prepend : auditd::RuleVerb::append;
  auto added = audit.add(rule);
  if (added || added.error().code() != base::Errc::exists) return added;
  // A second copy of it, from a load with -A.
  AUDITSHIFT_TRY_VOID(delete_rule(audit, rule));
  return audit.add(rule);
}

/// Goes on after a rule that the kernel does not take any more (its directory is gone), and names it.
Result<void> make_moves(Host& host, const std::vector<RuleMove>& moves) {
  std::optional<base::Error> failed;
  for (const RuleMove& move : moves) {
    if (move.kind == RuleMove::Kind::remove) {
      auto removed = host.audit->remove(move.rule);
      if (!removed && removed.error().code() != base::Errc::not_found) return removed;
      continue;
    }
    auto added = put(*host.audit, move);
    if (!added && added.error().code() == base::Errc::permission) return added;
    if (!added && !failed) failed = added.error();
  }
  if (failed) return *std::move(failed);
  return {};
}

std::string boot_of(const Host& host) {
  if (!host.boot) return {};
  return host.boot->boot_id().value_or("");
}

}  // namespace

Result<std::vector<Rule>> live_rules(const Host& host) {
  auditd::LiveRules live = host.audit->rules();
  if (!live.known)
    return base::Error(base::Errc::io, "the kernel's audit rules cannot be read: " + live.reason);
  return std::move(live.rules);
}

Result<void> delete_rule(auditd::KernelAuditControl& audit, const Rule& rule) {
  for (;;) {
    const auto removed = audit.remove(rule);
    if (removed) continue;
    if (removed.error().code() == base::Errc::not_found) return {};
    return removed.error();
  }
}

Result<Json> capture_live(const Host& host) {
  AUDITSHIFT_TRY(live, live_rules(host));
  return Json{{"rules", to_json(live)}, {"boot", boot_of(host)}};
}

Result<void> restore_live(Host& host, const Json& json, const std::set<std::string>& taken) {
  if (!json.is_object() || !json.contains("rules"))
    return base::Error(base::Errc::invalid, "audit rules: what was captured cannot be read");
  AUDITSHIFT_TRY(captured, rules_from_json(json["rules"]));
  AUDITSHIFT_TRY(current, live_rules(host));
  std::set<std::string> there;
  for (const Rule& rule : current) there.insert(auditd::identity_of(rule));
  std::vector<std::string> missing;
  for (const Rule& rule : captured) {
    const std::string identity = auditd::identity_of(rule);
    if (!taken.contains(identity) && !there.contains(identity)) missing.push_back(rule.text);
  }
  const bool same_boot = json.value("boot", "") == boot_of(host);
  if (same_boot && missing.size() > 1)
    return base::Error(base::Errc::busy, "somebody removed " +
                                             base::count_of(missing.size(), "other audit rule") +
                                             " from the kernel since: " + base::join(missing, "; "))
        .with_hint("load the rules again (augenrules --load), then roll back again");
  return make_moves(host, moves_to(current, with_additions(captured, current)));
}

}  // namespace auditshift::migrate::change
