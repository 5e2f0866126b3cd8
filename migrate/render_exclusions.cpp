// SPDX-License-Identifier: Apache-2.0
#include "migrate/text_page.h"

namespace auditshift::migrate {
namespace {

using base::printable;

std::string tag_of(const ExclusionIntent& intent) {
  std::string tag =
      intent.entry ? "global exclusion, events " + std::string(to_string(intent.result)) : "no equivalent";
  if (!intent.dangers.empty()) tag += ", dangerous";
  if (intent.consent_needed) tag += ", needs consent";
  if (intent.evidence.verdict != ExclusionEvidence::Verdict::unknown)
    tag += ", " + std::string(to_string(intent.evidence.verdict));
  return tag;
}

/// "open (1,200 a day), network": what only the entry would keep out.
std::string blinded_text(const ExclusionIntent& intent) {
  std::vector<std::string> parts;
  for (const BlindedClass& lost : intent.blinded)
    parts.push_back(std::string(to_string(lost.event_class)) +
                    (lost.events_per_day.value_or(0) != 0
                         ? " (" + base::with_thousands(*lost.events_per_day) + " a day)"
                         : ""));
  return base::join(parts, ", ");
}

void render_intent(const ExclusionIntent& intent, Page& page) {
  page.line("  " + page.styled(printable(intent.id), Style::bold) + "  [" + tag_of(intent) + "]");
  page.paragraph("    ", printable(intent.intent) + ": " + printable(intent.reason) + ".");
  if (!intent.blinded.empty()) page.paragraph("    would also hide: ", blinded_text(intent));
  if (!intent.protection_impact.empty() && intent.entry)
    page.paragraph("    also switches off: ", base::join(intent.protection_impact, ", "));
  for (const std::string& danger : intent.dangers) page.paragraph("    danger: ", printable(danger));
  if (!intent.evidence.reason.empty()) page.paragraph("    evidence: ", printable(intent.evidence.reason));
  if (intent.entry && !intent.advice.empty()) page.paragraph("    note: ", printable(intent.advice));
  std::vector<std::string> places;
  for (const Evidence& source : intent.sources) places.push_back(place_of({source.file, source.line}));
  page.paragraph("    from ", base::join(places, ", "));
  page.paragraph("    > ", printable(intent.recommended));
}

}  // namespace

std::string place_of(const auditd::Origin& origin) {
  if (origin.file.empty()) return "kernel";
  return printable(origin.file) + (origin.line == 0 ? "" : ":" + std::to_string(origin.line));
}

void render_intents(const std::vector<ExclusionIntent>& intents, Page& page) {
  for (const ExclusionIntent& intent : intents) render_intent(intent, page);
}

}  // namespace auditshift::migrate
