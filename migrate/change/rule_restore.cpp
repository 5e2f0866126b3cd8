// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/rule_restore.h"

#include <linux/audit.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "auditd/layout.h"
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

/// The kernel takes a rule out by itself when its place goes, and does not take it again without one: the
/// directory of a watch or a program (kernel/audit_watch.c, audit_fsnotify.c), the tree of dir=
/// (audit_tree.c).
bool place_is_gone(const Host& host, const Rule& rule) {
  if (!host.files) return false;
  const auditd::SysrootView view(*host.files);
  return std::any_of(rule.fields.begin(), rule.fields.end(), [&](const auditd::Field& field) {
    if (field.id != AUDIT_WATCH && field.id != AUDIT_DIR && field.id != AUDIT_EXE) return false;
    const auditd::PathKind kind = view.kind_of(field.text);
    return kind == auditd::PathKind::missing_parent ||
           (field.id == AUDIT_DIR && kind == auditd::PathKind::missing);
  });
}

/// Goes on after a rule that the kernel does not take, and names it. One whose place is gone is no failure:
/// nothing can bring it back, and the kernel would have lost it without a switch, too.
Result<void> make_moves(Host& host, const std::vector<RuleMove>& moves) {
  std::optional<base::Error> failed;
  for (const RuleMove& move : moves) {
    if (move.kind == RuleMove::Kind::remove) {
      auto removed = host.audit->remove(move.rule);
      if (!removed && removed.error().code() != base::Errc::not_found) return removed;
      continue;
    }
    auto added = put(*host.audit, move);
    if (added) continue;
    if (added.error().code() == base::Errc::permission) return added;
    if (added.error().code() == base::Errc::not_found)
      spdlog::warn("the kernel takes this audit rule no longer, its directory is gone: {}", move.rule.text);
    else if (!failed)
      failed = added.error();
  }
  if (failed) return *std::move(failed);
  return {};
}

std::string boot_of(const Host& host) {
  if (!host.boot) return {};
  return host.boot->boot_id().value_or("");
}

}  // namespace

std::set<std::string> identities_of(const std::vector<Rule>& rules) {
  std::set<std::string> identities;
  for (const Rule& rule : rules) identities.insert(auditd::identity_of(rule));
  return identities;
}

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
  // A locked kernel takes what is on disk with its next boot.
  if (host.audit->status().state == auditd::AuditState::immutable) return {};
  AUDITSHIFT_TRY(captured, rules_from_json(json["rules"]));
  AUDITSHIFT_TRY(current, live_rules(host));
  const std::set<std::string> there = identities_of(current);
  std::vector<std::string> missing;
  for (const Rule& rule : captured) {
    const std::string identity = auditd::identity_of(rule);
    if (!taken.contains(identity) && !there.contains(identity) && !place_is_gone(host, rule))
      missing.push_back(rule.text);
  }
  const bool same_boot = json.value("boot", "") == boot_of(host);
  if (same_boot && missing.size() > 1)
    return base::Error(base::Errc::busy, "somebody removed " +
                                             base::count_of(missing.size(), "other audit rule") +
                                             " from the kernel since: " + base::join(missing, "; "))
        .with_hint("load the rules again (augenrules --load), then roll back again");
  return make_moves(host, moves_to(current, with_additions(captured, current)));
}

bool lacks_rules(const Host& host, const Json& json) {
  if (!json.is_object() || !json.contains("rules")) return true;
  const auto captured = rules_from_json(json["rules"]);
  const auto live = live_rules(host);
  if (!captured || !live) return true;
  const std::set<std::string> there = identities_of(*live);
  return std::any_of(captured->begin(), captured->end(), [&](const Rule& rule) {
    return !there.contains(auditd::identity_of(rule)) && !place_is_gone(host, rule);
  });
}

}  // namespace auditshift::migrate::change
