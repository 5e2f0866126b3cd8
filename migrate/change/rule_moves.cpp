// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/rule_moves.h"

#include <map>
#include <set>
#include <string>

#include "auditd/rule_identity.h"

namespace auditshift::migrate::change {
namespace {

using auditd::Rule;

struct Entry {
  std::string identity;
  const Rule* rule = nullptr;
};

/// The rules of one list, each once.
std::vector<Entry> list_of(const std::vector<Rule>& rules, auditd::Filter filter) {
  std::vector<Entry> entries;
  std::set<std::string> known;
  for (const Rule& rule : rules) {
    if (rule.filter != filter) continue;
    std::string identity = auditd::identity_of(rule);
    if (known.insert(identity).second) entries.push_back({std::move(identity), &rule});
  }
  return entries;
}

struct Run {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The longest piece of `wanted` whose rules are all there and in this order.
Run longest_run(const std::vector<Entry>& wanted, const std::map<std::string, std::size_t>& places) {
  Run best;
  Run run;
  std::size_t last = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto place = places.find(wanted[i].identity);
    if (place == places.end()) {
      run = {i + 1, i + 1};
      continue;
    }
    if (run.end == run.begin || place->second < last) run = {i, i};
    run.end = i + 1;
    last = place->second;
    if (run.end - run.begin > best.end - best.begin) best = run;
  }
  return best;
}

void moves_of_list(const std::vector<Entry>& current, const std::vector<Entry>& wanted,
                   std::vector<RuleMove>& moves) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < current.size(); ++i) places.emplace(current[i].identity, i);
  std::set<std::string> stays;
  for (const Entry& entry : wanted) stays.insert(entry.identity);
  for (const Entry& entry : current)
    if (!stays.contains(entry.identity)) moves.push_back({RuleMove::Kind::remove, *entry.rule});
  const Run run = longest_run(wanted, places);
  const auto put = [&](const Entry& entry, RuleMove::Kind kind) {
    if (places.contains(entry.identity)) moves.push_back({RuleMove::Kind::remove, *entry.rule});
    moves.push_back({kind, *entry.rule});
  };
  for (std::size_t i = run.begin; i-- > 0;) put(wanted[i], RuleMove::Kind::prepend);
  for (std::size_t i = run.end; i < wanted.size(); ++i) put(wanted[i], RuleMove::Kind::append);
}

constexpr auditd::Filter kFilters[] = {auditd::Filter::user,       auditd::Filter::task,
                                       auditd::Filter::exit,       auditd::Filter::exclude,
                                       auditd::Filter::filesystem, auditd::Filter::io_uring};

}  // namespace

std::vector<RuleMove> moves_to(const std::vector<Rule>& current, const std::vector<Rule>& wanted) {
  std::vector<RuleMove> moves;
  for (const auditd::Filter filter : kFilters)
    moves_of_list(list_of(current, filter), list_of(wanted, filter), moves);
  return moves;
}

std::vector<Rule> with_additions(const std::vector<Rule>& captured, const std::vector<Rule>& current) {
  std::vector<Rule> wanted;
  for (const auditd::Filter filter : kFilters) {
    const std::vector<Entry> before = list_of(captured, filter);
    std::set<std::string> known;
    for (const Entry& entry : before) known.insert(entry.identity);
    std::map<std::string, std::vector<const Rule*>> behind;  // by the rule in front; "": at the head
    std::string front;
    for (const Entry& entry : list_of(current, filter)) {
      if (known.contains(entry.identity))
        front = entry.identity;
      else
        behind[front].push_back(entry.rule);
    }
    const auto add_behind = [&](const std::string& identity) {
      for (const Rule* rule : behind[identity]) wanted.push_back(*rule);
    };
    add_behind("");
    for (const Entry& entry : before) {
      wanted.push_back(*entry.rule);
      add_behind(entry.identity);
    }
  }
  return wanted;
}

}  // namespace auditshift::migrate::change
