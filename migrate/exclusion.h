// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "migrate/facts.h"
#include "migrate/inventory.h"
#include "migrate/managed_config.h"

namespace auditshift::migrate {

/// Does a global exclusion keep out the same events as the audit rules did? Derived in
/// exclusion_semantics.h.
enum class Translation {
  exact,     ///< the same ones
  broader,   ///< those and others
  narrower,  ///< only some of those
  none,      ///< no global exclusion can express it
};
std::string_view to_string(Translation translation);

/// What the entry would make invisible although the rules did not, of one class of events.
struct BlindedClass {
  EventClass event_class{};
  std::optional<std::uint64_t> events_per_day;  ///< from the audit log; absent when it cannot tell
};

/// What this host tells about whether an exclusion is needed.
struct ExclusionEvidence {
  enum class Verdict {
    unknown,    ///< nothing tells
    dead,       ///< it keeps nothing out
    drop,       ///< it only kept the audit log small
    candidate,  ///< it took most of a busy system call, or of a busy program
  };
  Verdict verdict = Verdict::unknown;
  std::string reason;
};
std::string_view to_string(ExclusionEvidence::Verdict verdict);

/// One thing an administrator wanted to keep out, whatever number of rule lines it took.
struct ExclusionIntent {
  std::string id;      ///< stable for the same intent: "process:/usr/sbin/named"; used with --accept
  std::string intent;  ///< in words
  std::vector<Evidence> sources;
  Translation result = Translation::none;
  std::optional<ManagedExclusion> entry;  ///< the global exclusion, when there is one
  bool already_managed = false;           ///< the managed configuration has the entry
  std::vector<std::string>
      protection_impact;              ///< what the entry switches off on this agent beside the events
  std::vector<BlindedClass> blinded;  ///< events that only the entry would keep out
  std::vector<std::string> dangers;   ///< why the entry is refused unless accepted by its id
  bool serves_user_rules = false;     ///< it also quiets user rules that come later, so it stays in auditd
  bool consent_needed = false;
  bool accepted = false;  ///< its id was accepted
  bool supported = true;  ///< the agent's build knows global exclusions; else no consent makes the entry
  std::string reason;     ///< why this result
  std::string advice;     ///< for what has no entry: the nearest honest thing to do
  ExclusionEvidence evidence;
  std::string recommended;  ///< in words: what to do with it

  /// The entry is to be written: wanted, and nobody needs to be asked any more.
  bool carried_over() const;
};

/// Groups the exclusion rules of the inventory into intents and translates each.
std::vector<ExclusionIntent> find_exclusions(const Facts& facts, const std::vector<InventoryRule>& inventory);

/// Accepts intents by id: what was accepted needs no consent any more. What the agent does not support is
/// not.
void accept_exclusions(std::vector<ExclusionIntent>& intents, const std::set<std::string>& ids);

/// The paths of rules that the collector looks up on the host: targets of exclusions, programs of all rules.
std::vector<std::string> exclusion_targets(const std::vector<InventoryRule>& inventory);

/// The agent's programs obey global exclusions?
struct GlobalExclusionSupport {
  enum class Answer { yes, preview, no, unknown } answer = Answer::yes;
  std::string text;  ///< in words, with the build
};
GlobalExclusionSupport global_exclusion_support(const AgentFacts& agent);

/// What a global exclusion takes away on this agent beside the events.
std::vector<std::string> protection_impact(const AgentFacts& agent);

}  // namespace auditshift::migrate
