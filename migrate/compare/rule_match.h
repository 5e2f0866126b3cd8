// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "auditd/rule.h"
#include "sensor/event.h"

namespace auditshift::migrate::compare {

/// Whether an event meets a rule, as far as the event can tell.
enum class Match : std::uint8_t {
  no,
  unlikely,  ///< only when a name stands for the rule's file although it reads differently (links, mounts)
  unknown,   ///< the rule asks for what no event tells: inode, label, file type, …
  yes,
};

/// A rule of the exit list, ready to be held against events: what the kernel's audit_filter_rules
/// (kernel/auditsc.c) decides, from the fields of an event.
class RuleMatcher {
 public:
  /// `rule` as the kernel lists it. Executables are compared as the event names them, links followed: give a
  /// rule whose exe= is resolved. REQUIRES: its list is exit.
  explicit RuleMatcher(auditd::Rule rule);

  Match match(const sensor::Event& event) const;
  /// Whether the rule asks for this call at all, by number and architecture.
  bool asks_for(sensor::Abi abi, int number) const;
  const auditd::Rule& rule() const { return rule_; }

 private:
  auditd::Rule rule_;
};

}  // namespace auditshift::migrate::compare
