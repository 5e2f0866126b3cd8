// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/compare/comparison.h"
#include "migrate/html.h"
#include "migrate/text_page.h"
#include "migrate/version.h"

namespace auditshift::migrate::compare {
namespace {

Markup tone_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::nothing_lost:
      return "good";
    case Outcome::missed:
      return "bad";
    default:
      return "warn";
  }
}

void fact(Html& page, Markup name, std::string_view value) {
  page << "<dt>" << name << "</dt>";
  page.element("dd", value.empty() ? "unknown" : value) << "\n";
}

void number(Html& page, std::uint64_t count) {
  page << "<td class=\"n\">";
  page.number(count) << "</td>";
}

void render_head(Html& page, const Comparison& comparison) {
  const Outcome outcome = comparison.outcome();
  page << "<a class=\"skip\" href=\"#rules\">Skip to the rules</a>\n<header>\n<h1>";
  page.text(comparison.host) << ": audit and the sensor side by side</h1>\n<div class=\"verdict "
                             << tone_of(outcome) << "\"><strong>";
  page.text(to_string(outcome)) << "</strong>";
  page.element("p", sentence(comparison)) << "</div>\n<dl class=\"facts\">\n";
  fact(page, "Time",
       base::format_utc(comparison.started) + ", " + std::to_string(comparison.duration.count()) + " ms");
  fact(page, "Audit", comparison.audit_state);
  fact(page, "Sensor", "ebpf, tier " + comparison.sensor_tier + "; " + comparison.settings_from);
  for (const SideLoss& loss : comparison.losses)
    fact(page, "Lost", loss.side + ": " + base::with_thousands(loss.count) + ", " + loss.cause);
  for (const std::string& note : comparison.notes) fact(page, "Note", note);
  page << "</dl>\n</header>\n";
}

void render_rules(Html& page, const Comparison& comparison) {
  page << "<section aria-labelledby=\"rules\">\n<h2 id=\"rules\">Events per rule</h2>\n"
          "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Rules, a table\">\n<table>\n"
          "<thead><tr><th scope=\"col\">Rule</th><th scope=\"col\">Owner</th>"
          "<th scope=\"col\" class=\"n\">Both</th><th scope=\"col\" class=\"n\">Audit only</th>"
          "<th scope=\"col\" class=\"n\">Sensor only</th><th scope=\"col\" class=\"n\">Differing</th>"
          "<th scope=\"col\" class=\"n\">Missed</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < comparison.rules.size(); ++i) {
    const LiveRule& live = comparison.rules[i];
    const RuleTally& tally = comparison.tallies[i];
    if (live.rule.filter != auditd::Filter::exit || live.rule.action != auditd::Action::always) continue;
    page << "<tr><td class=\"rule\">";
    page.element("code", live.text);
    if (!live.origin.file.empty()) page << " <span class=\"muted\">";
    if (!live.origin.file.empty()) page.text(place_of(live.origin)) << "</span>";
    page << "</td>";
    page.element("td", to_string(live.owner));
    number(page, tally.both);
    number(page, tally.audit_only_total());
    number(page, tally.sensor_only_total());
    number(page, tally.differing);
    number(page, tally.missed());
    page << "</tr>\n";
  }
  page << "</tbody>\n</table>\n</div>\n</section>\n";
}

void render_reasons(Html& page, const RuleTally& tally) {
  page << "<ul class=\"evidence\">\n";
  const auto list = [&](const auto& counts, Markup side) {
    for (const auto& [reason, count] : counts) {
      page << "<li>";
      page.number(count) << " by " << side << " alone: ";
      page.text(describe(reason));
      if (is_missed(reason)) page << " <span class=\"badge bad\">missed</span>";
      page << "</li>\n";
    }
  };
  list(tally.audit_only, "audit");
  list(tally.sensor_only, "the sensor");
  if (tally.differing != 0) {
    page << "<li>";
    page.number(tally.differing)
        << " told by both, with different names <span class=\"badge bad\">missed</span></li>\n";
  }
  page << "</ul>\n";
}

void render_examples(Html& page, const RuleTally& tally) {
  page << "<ul class=\"evidence\">\n";
  for (const Example& example : tally.examples) {
    page << "<li><span class=\"place\">";
    page.text(base::format_utc(example.when)) << ", ";
    page.text(example.side) << "</span> <code>";
    page.text(example.call + " = " + std::to_string(example.result)) << "</code> pid ";
    page.text(std::to_string(example.pid)) << " <code>";
    page.text(example.executable) << "</code> <code>";
    page.text(example.object) << "</code> ";
    page.text(example.reason);
    if (!example.detail.empty()) page.text(" (" + example.detail + ")");
    page << "</li>\n";
  }
  page << "</ul>\n";
}

void render_differences(Html& page, const Comparison& comparison) {
  page << "<section aria-labelledby=\"differences\">\n<h2 id=\"differences\">What one side did not "
          "tell</h2>\n";
  bool any = false;
  for (std::size_t i = 0; i < comparison.rules.size(); ++i) {
    const RuleTally& tally = comparison.tallies[i];
    if (tally.examples.empty()) continue;
    any = true;
    page << "<article><header>";
    page.element("h3", comparison.rules[i].text) << "</header>\n";
    render_reasons(page, tally);
    render_examples(page, tally);
    page << "</article>\n";
  }
  if (!any) page << "<p>Nothing.</p>\n";
  page << "</section>\n";
}

}  // namespace

std::string render_html(const Comparison& comparison) {
  Html page;
  render_head(page, comparison);
  page << "<main>\n";
  render_rules(page, comparison);
  render_differences(page, comparison);
  page << "</main>\n<footer><p>auditshift ";
  page.text(kToolVersion) << ", ";
  page.text(base::format_utc(comparison.started)) << "</p></footer>\n";
  return html_document(
      comparison.host + ": " + std::string(to_string(comparison.outcome())) + ", auditshift comparison",
      page);
}

}  // namespace auditshift::migrate::compare
