// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "migrate/exclusion.h"
#include "migrate/managed_edit.h"
#include "migrate/render_text.h"

namespace auditshift::migrate {

/// The answer of `exclusions translate`: each intent, and the managed configuration that follows.
struct TranslationReport {
  std::vector<ExclusionIntent> intents;
  GlobalExclusionSupport support;
  std::string managed_file;
  std::optional<ManagedEdit> edit;  ///< with the entries that are carried over
  std::string managed_error;        ///< why there is no `edit`

  /// Entries wait for a decision, or could not be written.
  bool needs_decision() const;
};

/// Translates the facts' exclusions. `managed_text` is the text of facts.agent.managed, empty when there is
/// no such file; `accept` holds ids of intents.
TranslationReport translate_exclusions(const Facts& facts, std::string_view managed_text,
                                       const std::set<std::string>& accept);

base::Json to_json(const TranslationReport& report);  ///< docs/schema/exclusions-translate.schema.json
std::string render_text(const TranslationReport& report, const TextOptions& options);

/// One exclusion of the agent, where it stands, and whether it counts.
struct ListedExclusion {
  ManagedExclusion exclusion;
  std::string source;  ///< a file, or "local"
  bool in_force = true;
  std::string why;  ///< why it does not count, or counts with fewer scopes
};

/// All exclusions of the agent: managed, attached, local; with what wins.
std::vector<ListedExclusion> list_exclusions(const AgentFacts& agent);

base::Json to_json(const std::vector<ListedExclusion>& list, const AgentFacts& agent);
std::string render_text(const std::vector<ListedExclusion>& list, const AgentFacts& agent,
                        const TextOptions& options);

}  // namespace auditshift::migrate
