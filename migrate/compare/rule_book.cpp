// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/rule_book.h"

#include <linux/audit.h>

#include <algorithm>

#include "auditd/syscalls.h"
#include "base/text.h"
#include "migrate/inventory.h"
#include "sensor/watched_calls.h"

namespace auditshift::migrate::compare {
namespace {

using sensor::EventKind;
using sensor::KindSet;

/// The executable as the kernel names it in events.
auditd::Rule with_resolved_program(auditd::Rule rule, const ResolvePath& resolve) {
  for (auditd::Field& field : rule.fields) {
    if (field.id != AUDIT_EXE) continue;
    if (auto resolved = resolve(field.text)) field.text = *std::move(resolved);
  }
  return rule;
}

/// The kinds that events of this kind may turn into once more is known of the call.
void insert_with_kin(EventKind kind, KindSet& kinds) {
  kinds.insert(kind);
  if (kind == EventKind::open) kinds.insert(EventKind::create);
  if (kind == EventKind::unlink) kinds.insert(EventKind::rmdir);
}

/// Whether the rule records opens that only read.
bool asks_for_reads(const auditd::Rule& rule) {
  const auditd::Field* permission = rule.find(AUDIT_PERM);
  return permission == nullptr || (permission->value & AUDIT_PERM_READ) != 0;
}

}  // namespace

std::vector<LiveRule> live_rules(const Facts& facts) {
  std::vector<InventoryRule> inventory = take_inventory(facts);
  std::vector<LiveRule> rules;
  for (const auditd::Rule& rule : facts.audit.live.rules) {
    LiveRule live;
    live.rule = rule;
    live.text = rule.text;
    live.owner = owner_of(rule, FileRole::ordinary);
    const auto known = std::find_if(inventory.begin(), inventory.end(), [&](const InventoryRule& entry) {
      return entry.rule && entry.normalized == rule.text;
    });
    if (known != inventory.end()) {
      live.owner = known->owner;
      live.origin = known->origin;
      live.meaning = known->meaning;
      live.coverage = known->coverage;
      known->normalized.clear();  // a second one like it stands elsewhere
    }
    rules.push_back(std::move(live));
  }
  return rules;
}

RuleBook::RuleBook(std::vector<LiveRule> rules, const ResolvePath& resolve) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auditd::Rule& rule = rules_[i].rule;
    if (rule.filter != auditd::Filter::exit) continue;
    entries_.push_back({i, RuleMatcher(with_resolved_program(rule, resolve)), base::join(rule.keys(), "\x01"),
                        rule.action == auditd::Action::always});
  }
}

bool RuleBook::records(std::size_t rule) const {
  return rules_[rule].rule.filter == auditd::Filter::exit &&
         rules_[rule].rule.action == auditd::Action::always;
}

RuleBook::Expectation RuleBook::expected(const sensor::Event& event) const {
  Expectation answer;
  bool doubtful = false;  // an earlier rule may decide
  for (const Entry& entry : entries_) {
    const Match match = entry.matcher.match(event);
    if (match == Match::no || (match == Match::unlikely && !entry.records)) continue;
    if (entry.records) answer.possible = true;
    if (match != Match::yes) {
      doubtful = doubtful || match == Match::unknown;
      continue;
    }
    if (entry.records && !doubtful) answer.rule = entry.rule;
    break;
  }
  return answer;
}

std::optional<std::size_t> RuleBook::made_by(const sensor::Event& audit) const {
  const Entry* best = nullptr;
  Match best_match = Match::no;
  for (const Entry& entry : entries_) {
    if (!entry.records || entry.keys != audit.audit_key) continue;
    const Match match = entry.matcher.match(audit);
    // Its key says that one of these made it, however its names read.
    const bool named = best == nullptr && !entry.keys.empty() &&
                       entry.matcher.asks_for(audit.syscall.abi, audit.syscall.number);
    if (match <= best_match && !named) continue;
    best = &entry;
    best_match = match;
  }
  if (best == nullptr) return std::nullopt;
  // Records that the kernel makes without a rule have no key either: AVC, SECCOMP and others.
  if (audit.audit_key.empty() && best_match == Match::unlikely) return std::nullopt;
  return best->rule;
}

sensor::EbpfOptions RuleBook::widest_options() const {
  sensor::EbpfOptions options;
  options.kinds = {};
  for (const Entry& entry : entries_) {
    if (!entry.records) continue;
    for (const sensor::Abi abi :
         {sensor::Abi::x86_64, sensor::Abi::x32, sensor::Abi::i386, sensor::Abi::arm64, sensor::Abi::arm}) {
      for (int number = 0; number < AS_SYSCALL_LIMIT; ++number) {
        const sensor::WatchedCall* call = sensor::find_watched_call(abi, number);
        if (call == nullptr || !entry.matcher.asks_for(abi, number)) continue;
        const auto kind = static_cast<EventKind>(call->call.kind);
        insert_with_kin(kind, options.kinds);
        options.reads = options.reads || (kind == EventKind::open && asks_for_reads(entry.matcher.rule()));
        // It may stand for any of them.
        if (call->call.filter == AS_FILTER_SOCKETCALL)
          for (std::uint64_t which = 0; which < AS_SOCKETCALL_LIMIT; ++which)
            if (const auto* inner = sensor::find_socketcall(which))
              options.kinds.insert(static_cast<EventKind>(inner->call.kind));
      }
    }
  }
  options.threads = options.failed_other = options.all_sockets = options.all_ptrace = true;
  options.bpf_commands = ~std::uint64_t{0};
  // More than the sensor's default: here it shares its reader with the audit stream.
  options.ring_bytes = 64ULL << 20;
  return options;
}

}  // namespace auditshift::migrate::compare
