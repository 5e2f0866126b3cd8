// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion_report.h"

#include <algorithm>

#include "migrate/assessment_json.h"
#include "migrate/text_page.h"

namespace auditshift::migrate {
namespace {

using base::Json;
using base::printable;

constexpr const char* kSchemaVersion = "1.0";

Json texts(const std::vector<std::string>& list) {
  Json array = Json::array();
  for (const std::string& text : list) array.push_back(base::to_utf8(text));
  return array;
}

std::string_view to_string(GlobalExclusionSupport::Answer answer) {
  switch (answer) {
    case GlobalExclusionSupport::Answer::yes:
      return "yes";
    case GlobalExclusionSupport::Answer::preview:
      return "preview";
    case GlobalExclusionSupport::Answer::no:
      return "no";
    case GlobalExclusionSupport::Answer::unknown:
      break;
  }
  return "unknown";
}

/// Collects the rows of one source, each with what wins over it.
class Lister {
 public:
  explicit Lister(const AgentFacts& agent) : agent_(agent) {
    const ManagedConfig& policy = agent.managed_overridden ? agent.attached : agent.managed;
    admin_only_ = policy.merge_policy == "admin_only";
  }

  std::vector<ListedExclusion> list() {
    for (const ManagedExclusion& exclusion : agent_.managed.exclusions) add_managed(exclusion);
    for (const ManagedExclusion& exclusion : agent_.attached.exclusions)
      rows_.push_back({exclusion, agent_.attached.path, true, {}});
    if (agent_.local_exclusions)
      for (const ManagedExclusion& exclusion : *agent_.local_exclusions) add_local(exclusion);
    return std::move(rows_);
  }

 private:
  void add_managed(const ManagedExclusion& exclusion) {
    ListedExclusion row{exclusion, agent_.managed.path, true, {}};
    if (agent_.managed_overridden && !exclusion.global()) {
      row.in_force = false;
      row.why = "mdeattach_managed.json lies beside the file; of this one only global exclusions count";
    }
    rows_.push_back(std::move(row));
  }

  void add_local(const ManagedExclusion& exclusion) {
    ListedExclusion row{exclusion, "local", true, {}};
    const bool managed = std::any_of(rows_.begin(), rows_.end(), [&](const ListedExclusion& known) {
      return known.source != "local" && known.in_force && known.exclusion.kind == exclusion.kind &&
             known.exclusion.value == exclusion.value;
    });
    if (admin_only_) {
      row.in_force = false;
      row.why = "mergePolicy is admin_only: exclusions added on the host do not count";
    } else if (managed) {
      row.in_force = false;
      row.why = "the managed exclusion of the same name wins";
    }
    rows_.push_back(std::move(row));
  }

  const AgentFacts& agent_;
  bool admin_only_ = false;
  std::vector<ListedExclusion> rows_;
};

}  // namespace

bool TranslationReport::needs_decision() const {
  const bool waiting = std::any_of(intents.begin(), intents.end(), [](const ExclusionIntent& intent) {
    return intent.consent_needed && intent.evidence.verdict != ExclusionEvidence::Verdict::dead;
  });
  return waiting || !managed_error.empty();
}

TranslationReport translate_exclusions(const Facts& facts, std::string_view managed_text,
                                       const std::set<std::string>& accept) {
  TranslationReport report;
  report.intents = find_exclusions(facts, take_inventory(facts));
  accept_exclusions(report.intents, accept);
  report.support = global_exclusion_support(facts.agent);
  report.managed_file = facts.agent.managed.path;
  std::vector<ManagedExclusion> wanted;
  for (const ExclusionIntent& intent : report.intents)
    if (intent.carried_over()) wanted.push_back(*intent.entry);
  if (!wanted.empty() && report.support.answer == GlobalExclusionSupport::Answer::no) {
    report.managed_error = report.support.text;
    return report;
  }
  auto edit = add_exclusions(managed_text, report.managed_file, wanted);
  if (edit)
    report.edit = *std::move(edit);
  else
    report.managed_error = edit.error().message();
  return report;
}

Json to_json(const TranslationReport& report) {
  Json intents = Json::array();
  for (const ExclusionIntent& intent : report.intents) intents.push_back(to_json(intent));
  Json managed = {
      {"file", report.managed_file},
      {"error", report.managed_error.empty() ? Json() : Json(base::to_utf8(report.managed_error))},
      {"changes", report.edit ? texts(report.edit->changes) : Json::array()},
      {"notes", report.edit ? texts(report.edit->notes) : Json::array()},
      {"text", report.edit ? Json(base::to_utf8(report.edit->text)) : Json()}};
  return {{"schema_version", kSchemaVersion},
          {"global_exclusions",
           {{"supported", to_string(report.support.answer)}, {"reason", report.support.text}}},
          {"needs_decision", report.needs_decision()},
          {"exclusions", std::move(intents)},
          {"managed", std::move(managed)}};
}

std::string render_text(const TranslationReport& report, const TextOptions& options) {
  Page page(options);
  if (report.intents.empty()) page.line("No exclusions among the audit rules.");
  render_intents(report.intents, page);
  if (report.support.answer != GlobalExclusionSupport::Answer::yes)
    page.paragraph("Agent: ", printable(report.support.text) + ".");
  if (!report.managed_error.empty()) {
    page.heading(printable(report.managed_file));
    page.paragraph("  cannot be written: ", printable(report.managed_error));
  } else if (report.edit && !report.edit->changes.empty()) {
    page.heading(printable(report.managed_file) + " would be");
    page.line(report.edit->text);
  } else if (!report.intents.empty()) {
    page.line();
    page.line("No entry to write.");
  }
  return page.take();
}

std::vector<ListedExclusion> list_exclusions(const AgentFacts& agent) { return Lister(agent).list(); }

Json to_json(const std::vector<ListedExclusion>& list, const AgentFacts& agent) {
  Json rows = Json::array();
  for (const ListedExclusion& row : list)
    rows.push_back({{"kind", to_string(row.exclusion.kind)},
                    {"value", base::to_utf8(row.exclusion.value)},
                    {"scopes", row.exclusion.scopes},
                    {"section", row.exclusion.section},
                    {"source", base::to_utf8(row.source)},
                    {"in_force", row.in_force},
                    {"why", row.why.empty() ? Json() : Json(row.why)}});
  const GlobalExclusionSupport support = global_exclusion_support(agent);
  return {{"schema_version", kSchemaVersion},
          {"file", agent.managed.path},
          {"error", agent.managed.error.empty() ? Json() : Json(base::to_utf8(agent.managed.error))},
          {"problems", texts(agent.managed.problems)},
          {"merge_policy",
           agent.managed.merge_policy ? Json(base::to_utf8(*agent.managed.merge_policy)) : Json()},
          {"managed_overridden", agent.managed_overridden},
          {"local_known", agent.local_exclusions.has_value()},
          {"global_exclusions", {{"supported", to_string(support.answer)}, {"reason", support.text}}},
          {"exclusions", std::move(rows)}};
}

std::string render_text(const std::vector<ListedExclusion>& list, const AgentFacts& agent,
                        const TextOptions& options) {
  Page page(options);
  std::string source;
  for (const ListedExclusion& row : list) {
    if (row.source != source) {
      source = row.source;
      page.line(page.styled(source == "local" ? "added on the host" : printable(source), Style::bold));
    }
    std::string kind = "  " + std::string(to_string(row.exclusion.kind));
    kind.resize(12, ' ');
    page.line(kind + printable(row.exclusion.value) + "  [" + base::join(row.exclusion.scopes, ", ") + "]" +
              (row.exclusion.section == "antivirusEngine" ? "  antivirus only" : ""));
    if (!row.why.empty()) page.paragraph("            not in force: ", row.why);
  }
  if (list.empty()) page.line("No exclusions.");
  if (!agent.managed.error.empty()) page.paragraph("cannot be read: ", printable(agent.managed.error));
  for (const std::string& problem : agent.managed.problems) page.paragraph("note: ", printable(problem));
  if (agent.kind == AgentKind::mdatp && !agent.local_exclusions)
    page.line("note: the agent did not tell what was added on the host");
  return page.take();
}

}  // namespace auditshift::migrate
