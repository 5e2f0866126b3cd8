// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/audit.h>
#include <sys/syscall.h>

#include <string_view>

#include "migrate/compare/rule_book.h"
#include "sensor/watched_calls.h"
#include "tests/unit/migrate/rule_text.h"

namespace auditshift::migrate::compare {

/// One call of a process, as either side tells it; texts are static.
inline sensor::Event event(std::string_view call, std::string_view path = {}, std::string_view second = {}) {
  sensor::Event event;
  for (const sensor::WatchedCall& watched : sensor::watched_calls()) {
    if (watched.name != call) continue;
    event.kind = static_cast<sensor::EventKind>(watched.call.kind);
    event.syscall.number = watched.numbers[0];
    event.syscall.name = watched.name;
  }
  event.syscall.abi = sensor::Abi::x86_64;
  event.syscall.result_known = true;
  event.syscall.arguments = {1, 2, 3, 4, 5, 6};
  event.process.id.pid = 100;
  event.process.parent.pid = 1;
  event.process.comm = "worker";
  event.process.executable.text = "/usr/bin/worker";
  event.process.uid = event.process.euid = event.process.suid = event.process.fsuid = 0;
  event.process.auid = 1000;
  event.wall_ns = 1'000'000'000'000;
  event.path.text = path;
  event.path.present = !path.empty();
  event.second_path.text = second;
  event.second_path.present = !second.empty();
  return event;
}

inline LiveRule live(std::string_view text) {
  LiveRule live;
  live.rule = rule(text);
  live.text = text;
  live.owner = owner_of(live.rule, FileRole::ordinary);
  return live;
}

inline RuleBook book(std::initializer_list<std::string_view> texts) {
  std::vector<LiveRule> rules;
  for (const std::string_view text : texts) rules.push_back(live(text));
  return RuleBook(std::move(rules), [](const std::string& path) -> std::optional<std::string> {
    return path == "/bin/linked" ? std::optional<std::string>("/usr/bin/worker") : std::nullopt;
  });
}

}  // namespace auditshift::migrate::compare
