// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/compare/comparison.h"
#include "migrate/text_page.h"

namespace auditshift::migrate::compare {
namespace {

using base::printable;
using base::with_thousands;

Style style_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::nothing_lost:
      return Style::green;
    case Outcome::missed:
      return Style::red;
    default:
      return Style::yellow;
  }
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string cell(std::uint64_t count) { return right(with_thousands(count), 12); }

void render_reasons(const std::map<Reason, std::uint64_t>& counts, std::string_view side, Page& page) {
  for (const auto& [reason, count] : counts)
    page.paragraph("      ", with_thousands(count) + " by " + std::string(side) + " alone: " +
                                 std::string(describe(reason)) + (is_missed(reason) ? " (missed)" : ""));
}

void render_examples(const RuleTally& tally, Page& page) {
  for (const Example& example : tally.examples) {
    std::string line = base::format_utc(example.when) + " " + example.side + ": " + example.call + " = " +
                       std::to_string(example.result) + ", pid " + std::to_string(example.pid) + " " +
                       printable(example.executable);
    if (!example.object.empty()) line += ", " + printable(example.object);
    line += ": " + example.reason;
    if (!example.detail.empty()) line += " (" + printable(example.detail) + ")";
    page.paragraph("        ", line);
  }
}

void render_rule(const LiveRule& rule, const RuleTally& tally, Page& page) {
  const std::string counts = cell(tally.both) + cell(tally.audit_only_total()) +
                             cell(tally.sensor_only_total()) + cell(tally.differing);
  page.line(page.styled(counts, tally.missed() != 0 ? Style::red : Style::plain) + "  " +
            std::string(to_string(rule.owner)));
  page.paragraph("    ", printable(rule.text));
  if (!rule.origin.file.empty()) page.line("    " + place_of(rule.origin));
  render_reasons(tally.audit_only, "audit", page);
  render_reasons(tally.sensor_only, "the sensor", page);
  if (tally.differing != 0)
    page.line("      " + with_thousands(tally.differing) + " told by both, with different names (missed)");
  render_examples(tally, page);
}

bool is_quiet(const RuleTally& tally) {
  return tally.both + tally.differing + tally.audit_only_total() + tally.sensor_only_total() == 0;
}

}  // namespace

std::string render_text(const Comparison& comparison, const TextOptions& options) {
  Page page(options);
  const Outcome outcome = comparison.outcome();
  page.line("Outcome: " + page.styled(to_string(outcome), style_of(outcome)));
  page.paragraph("", sentence(comparison));
  page.line();
  page.pair("host", printable(comparison.host));
  page.pair("time", base::format_utc(comparison.started) + ", " +
                        std::to_string(comparison.duration.count() / 1000) + "." +
                        std::to_string(comparison.duration.count() % 1000 / 100) + " s");
  page.pair("audit", comparison.audit_state);
  page.pair("sensor", "ebpf, tier " + comparison.sensor_tier + "; " + printable(comparison.settings_from));
  for (const SideLoss& loss : comparison.losses)
    page.pair("lost", loss.side + ": " + with_thousands(loss.count) + ", " + loss.cause);
  for (const std::string& note : comparison.notes) page.pair("note", printable(note));

  page.heading("Events per rule");
  page.line(right("both", 12) + right("audit only", 12) + right("sensor only", 12) + right("differing", 12) +
            "  rule of");
  std::size_t quiet = 0;
  for (std::size_t i = 0; i < comparison.rules.size(); ++i) {
    const auditd::Rule& rule = comparison.rules[i].rule;
    if (rule.filter != auditd::Filter::exit || rule.action != auditd::Action::always) continue;
    if (is_quiet(comparison.tallies[i]) && !options.verbose)
      ++quiet;
    else
      render_rule(comparison.rules[i], comparison.tallies[i], page);
  }
  if (quiet != 0)
    page.line(page.styled(base::count_of(quiet, "rule") + " without an event; -v shows them", Style::dim));
  const RuleTally& unruled = comparison.unruled;
  if (const auto records = unruled.both + unruled.differing + unruled.audit_only_total(); records != 0)
    page.line(
        page.styled(base::count_of(records, "record") + " that no rule made (the kernel's own)", Style::dim));
  return page.take();
}

}  // namespace auditshift::migrate::compare
