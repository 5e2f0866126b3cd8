// SPDX-License-Identifier: Apache-2.0
#include "migrate/render_html.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/clock.h"
#include "base/text.h"
#include "migrate/html.h"
#include "migrate/html_charts.h"
#include "migrate/html_parts.h"
#include "migrate/text_page.h"
#include "migrate/version.h"

namespace auditshift::migrate {
namespace {

using base::count_of;

Markup class_of(Owner owner) {
  switch (owner) {
    case Owner::defender:
      return "o-defender";
    case Owner::defender_exclusion:
      return "o-defender-exclusion";
    case Owner::exclusion:
      return "o-exclusion";
    case Owner::user:
      return "o-user";
    case Owner::control:
      return "o-control";
  }
  return "o-user";
}

void fact(Html& page, Markup name, std::string_view value) {
  page << "<dt>" << name << "</dt>";
  page.element("dd", value.empty() ? "unknown" : value) << "\n";
}

std::string audit_text(const AuditFacts& audit) {
  std::string text(to_string(audit.status.state));
  if (!audit.status.reason.empty()) text += " (" + audit.status.reason + ")";
  text += std::string(", auditd ") + (!audit.auditd_running   ? "unknown"
                                      : *audit.auditd_running ? "running"
                                                              : "not running");
  text += audit.layout.loader == auditd::Loader::none
              ? ", nothing loads rules at boot"
              : ", rules loaded by " + std::string(to_string(audit.layout.loader));
  if (audit.live.known) text += ", " + count_of(audit.live.rules.size(), "rule") + " in the kernel";
  return text;
}

std::string agent_text(const AgentFacts& agent) {
  if (agent.kind == AgentKind::none) return "none";
  if (agent.kind == AgentKind::native) return "auditshift sensor";
  std::string text = "Defender for Endpoint " + (agent.build ? agent.build->to_string() : agent.build_text);
  text += ", events from " + (agent.subsystem.empty() ? "an unknown source" : agent.subsystem);
  if (agent.expires) text += ", expires " + base::format_date(*agent.expires);
  return text;
}

std::string log_text(const auditd::LogStatistics& log) {
  return count_of(log.total.events, "event") + ", " + base::human_bytes(log.total.bytes) + ", " +
         base::format_date(log.first_day) + " to " + base::format_date(log.last_day);
}

void render_head(Html& page, const Assessment& a) {
  const Facts& facts = a.facts;
  page << "<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n<header>\n<h1>";
  page.text(facts.host.hostname.empty() ? "A host without a name" : facts.host.hostname)
      << ": ready for eBPF?</h1>\n<div class=\"verdict " << tone_of(a.verdict) << "\"><strong>";
  page.text(to_string(a.verdict)) << "</strong>";
  page.element("p", a.next_step) << "</div>\n<dl class=\"facts\">\n";
  fact(page, "Host", facts.host.distribution_name);
  fact(page, "Kernel", facts.host.kernel + " " + facts.host.architecture);
  fact(page, "Audit", audit_text(facts.audit));
  fact(page, "Agent", agent_text(facts.agent));
  fact(page, "Sensor",
       facts.sensor.tier ? "eBPF works, tier " + std::string(bpf::tier_name(*facts.sensor.tier))
                         : std::string("eBPF was not tried"));
  if (facts.log_known && facts.log.days != 0) fact(page, "Audit log", log_text(facts.log));
  page << "</dl>\n<nav aria-label=\"Sections\"><ul>\n"
          "<li><a href=\"#findings\">Findings</a></li>\n<li><a href=\"#plan\">What a switch would "
          "do</a></li>\n"
          "<li><a href=\"#rules\">Rules</a></li>\n<li><a href=\"#exclusions\">Exclusions</a></li>\n"
          "<li><a href=\"#coverage\">Coverage</a></li>\n<li><a href=\"#checks\">Checks</a></li>\n"
          "</ul></nav>\n</header>\n";
}

void render_plan(Html& page, const Assessment& a) {
  begin_section(page, "plan", "What a switch would do");
  if (a.plan_summary.empty()) {
    page << "<p>Nothing.</p>\n";
  } else {
    page << "<ol>\n";
    for (const std::string& step : a.plan_summary) page.element("li", step) << "\n";
    page << "</ol>\n";
  }
  end_section(page);
}

void evidence_item(Html& page, const Evidence& evidence) {
  page << "<li>";
  if (!evidence.file.empty()) page.element("span", "place", place_of({evidence.file, evidence.line})) << " ";
  if (!evidence.text.empty()) page.element("code", evidence.text);
  page << "</li>\n";
}

void render_evidence(Html& page, const std::vector<Evidence>& evidence) {
  constexpr std::size_t kShown = 5;
  if (evidence.empty()) return;
  page << "<ul class=\"evidence\">\n";
  for (std::size_t i = 0; i < std::min(kShown, evidence.size()); ++i) evidence_item(page, evidence[i]);
  page << "</ul>\n";
  if (evidence.size() <= kShown) return;
  page << "<details><summary>";
  page.number(evidence.size() - kShown) << " more</summary>\n<ul class=\"evidence\">\n";
  for (std::size_t i = kShown; i < evidence.size(); ++i) evidence_item(page, evidence[i]);
  page << "</ul></details>\n";
}

void render_finding(Html& page, const Finding& finding) {
  page << "<article><header><h3>";
  page.text(finding.id) << " ";
  page.text(finding.title) << "</h3>";
  badge(page, tone_of(finding.severity), to_string(finding.severity));
  if (finding.accepted) {
    badge(page, "plain", "accepted");
  } else if (finding.blocks != Blocks::none) {
    badge(page, "bad", finding.blocks == Blocks::mandatory ? "blocks" : "blocks until accepted");
  }
  page << "</header>\n";
  page.element("p", finding.diagnosis) << "\n";
  page.element("p", "muted", finding.description) << "\n";
  render_evidence(page, finding.evidence);
  for (const Remediation& remediation : finding.remediations) {
    page << "<p><strong>To do:</strong> ";
    page.text(remediation.hint);
    if (remediation.reboot) page << " <em>(takes effect with the next boot)</em>";
    page << "</p>\n";
    if (!remediation.argv.empty()) page.element("pre", base::join(remediation.argv, " ")) << "\n";
  }
  page << "</article>\n";
}

void render_findings(Html& page, const Assessment& a) {
  begin_section(page, "findings", "Findings");
  std::vector<const Finding*> sorted;
  for (const Finding& finding : a.findings) sorted.push_back(&finding);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Finding* x, const Finding* y) {
    if (x->is_blocking() != y->is_blocking()) return x->is_blocking();
    return x->severity > y->severity;
  });
  if (sorted.empty()) page << "<p>Nothing to report.</p>\n";
  for (const Finding* finding : sorted) render_finding(page, *finding);
  end_section(page);
}

void render_filters(Html& page) {
  page << "<fieldset><legend>Show the rules of</legend>\n"
          "<label><input type=\"radio\" name=\"owner\" id=\"show-all\" checked> everybody</label>\n"
          "<label><input type=\"radio\" name=\"owner\" id=\"show-defender\"> Defender</label>\n"
          "<label><input type=\"radio\" name=\"owner\" id=\"show-defender-exclusion\"> Defender's "
          "exclusions</label>\n"
          "<label><input type=\"radio\" name=\"owner\" id=\"show-exclusion\"> other exclusions</label>\n"
          "<label><input type=\"radio\" name=\"owner\" id=\"show-user\"> your own</label>\n"
          "<label><input type=\"radio\" name=\"owner\" id=\"show-control\"> control lines</label>\n"
          "</fieldset>\n<fieldset><legend>And only</legend>\n"
          "<label><input type=\"checkbox\" id=\"only-broken\"> those that do not load</label>\n"
          "<label><input type=\"checkbox\" id=\"only-uncovered\"> those that eBPF does not cover in "
          "full</label>\n"
          "</fieldset>\n";
}

void render_rule(Html& page, const InventoryRule& rule) {
  const Coverage coverage = rule.coverage.coverage;
  page << "<tr class=\"" << class_of(rule.owner);
  if (!rule.valid) page << " broken";
  if (coverage == Coverage::partial || coverage == Coverage::none) page << " uncovered";
  page << "\">";
  page.element("td", rule.origin.file.empty() ? "in the kernel only" : place_of(rule.origin));
  page << "<td class=\"rule\">";
  page.element("code", rule.text) << "<br>";
  page.element("span", "muted", rule.meaning);
  if (!rule.error.empty()) page << "<br>", badge(page, "bad", "does not load: " + rule.error);
  page << "</td>";
  page.element("td", to_string(rule.owner));
  page.element("td", !rule.loaded ? "unknown" : *rule.loaded ? "yes" : "no");
  page << "<td>";
  page.text(to_string(coverage));
  if (!rule.coverage.note.empty()) page << "<br>", page.element("span", "muted", rule.coverage.note);
  page << "</td><td class=\"n\">";
  if (rule.volume) page.number(rule.volume->events);
  page << "</td></tr>\n";
}

void render_rules(Html& page, const Assessment& a) {
  begin_section(page, "rules", "Rules");
  if (a.rules.empty()) {
    page << "<p>This host has no audit rules.</p>\n";
    return end_section(page);
  }
  page.append(chart_of_events_by_rule(a.rules, a.facts));
  page << "<div class=\"rules\">\n";
  render_filters(page);
  begin_table(page, "Rules");
  page << "<caption>";
  page.text(count_of(a.rules.size(), "line") +
            " of audit configuration; events are those of the log that the rule may have caused");
  page
      << "</caption>\n<thead><tr><th scope=\"col\">Place</th><th scope=\"col\">Rule and meaning</th>"
         "<th scope=\"col\">Whose</th><th scope=\"col\">In the kernel</th><th scope=\"col\">Seen by eBPF</th>"
         "<th scope=\"col\" class=\"n\">Events</th></tr></thead>\n<tbody>\n";
  for (const InventoryRule& rule : a.rules) render_rule(page, rule);
  end_table(page);
  page << "</div>\n";
  end_section(page);
}

void render_exclusion(Html& page, const ExclusionIntent& intent) {
  page << "<tr><th scope=\"row\">";
  page.text(intent.intent) << "<br>";
  page.element("code", intent.id);
  for (const Evidence& source : intent.sources)
    page << "<br>", page.element("span", "muted", place_of({source.file, source.line}));
  page << "</th><td>";
  page.text(to_string(intent.result)) << "<br>";
  page.element("span", "muted", intent.reason);
  if (!intent.advice.empty()) page << "<br>", page.text(intent.advice);
  page << "</td><td>";
  if (intent.entry)
    page.text(std::string(to_string(intent.entry->kind)) + " "), page.element("code", intent.entry->value);
  page << "</td><td>";
  for (const std::string& impact : intent.protection_impact) page.element("div", impact);
  for (const std::string& danger : intent.dangers)
    page << "<div>", badge(page, "bad", danger), page << "</div>";
  page << "</td><td>";
  page.text(intent.recommended);
  if (intent.consent_needed) page << " ", badge(page, "warn", "needs consent");
  if (intent.accepted) page << " ", badge(page, "plain", "accepted");
  page << "</td></tr>\n";
}

void render_exclusions(Html& page, const Assessment& a) {
  begin_section(page, "exclusions", "Exclusions");
  if (a.exclusions.empty()) {
    page << "<p>Nothing is excluded from audit on this host.</p>\n";
    return end_section(page);
  }
  page.append(chart_of_exclusion_cost(a.exclusions, a.facts));
  page << "<div class=\"exclusions\">\n";
  begin_table(page, "Exclusions");
  page << "<caption>What becomes of each audit exclusion as a global exclusion of the agent</caption>\n"
          "<thead><tr><th scope=\"col\">What is kept out</th><th scope=\"col\">Events, compared with the "
          "rule</th>"
          "<th scope=\"col\">Entry</th><th scope=\"col\">What else it switches off</th>"
          "<th scope=\"col\">Recommended</th></tr></thead>\n<tbody>\n";
  for (const ExclusionIntent& intent : a.exclusions) render_exclusion(page, intent);
  end_table(page);
  page << "</div>\n";
  end_section(page);
}

void render_coverage(Html& page, const Assessment& a) {
  begin_section(page, "coverage", "Coverage");
  std::map<EventClass, std::array<std::size_t, 3>> classes;  // full, partial, none
  for (const InventoryRule& rule : a.rules) {
    if (rule.coverage.coverage == Coverage::not_applicable) continue;
    for (const EventClass event_class : rule.coverage.classes)
      ++classes[event_class][static_cast<std::size_t>(rule.coverage.coverage)];
  }
  if (classes.empty()) {
    page << "<p>No rule on this host records anything.</p>\n";
  } else {
    begin_table(page, "Coverage");
    page << "<caption>Recording rules by what they record, and how much of it an eBPF sensor sees</caption>\n"
            "<thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">In full</th>"
            "<th scope=\"col\" class=\"n\">In part</th><th scope=\"col\" class=\"n\">Not at "
            "all</th></tr></thead>\n"
            "<tbody>\n";
    for (const auto& [event_class, counts] : classes) {
      page << "<tr><th scope=\"row\">";
      page.text(to_string(event_class)) << "</th>";
      for (const std::size_t count : counts) page << "<td class=\"n\">", page.number(count) << "</td>";
      page << "</tr>\n";
    }
    end_table(page);
  }
  if (!a.facts.sensor.probe.empty()) {
    page << "<details><summary>What this kernel lets a sensor do</summary>\n";
    begin_table(page, "eBPF probe");
    page << "<thead><tr><th scope=\"col\">Feature</th><th scope=\"col\">Works</th><th "
            "scope=\"col\">Detail</th>"
            "</tr></thead>\n<tbody>\n";
    for (const bpf::ProbeResult& result : a.facts.sensor.probe) {
      page << "<tr><th scope=\"row\">";
      page.text(result.feature) << "</th>";
      page.element("td", result.ok == bpf::ProbeResult::yes  ? "yes"
                         : result.ok == bpf::ProbeResult::no ? "no"
                                                             : "unknown");
      page.element("td", result.detail) << "</tr>\n";
    }
    end_table(page);
    page << "</details>\n";
  }
  end_section(page);
}

void render_checks(Html& page, const Assessment& a) {
  begin_section(page, "checks", "Checks");
  begin_table(page, "Checks");
  page << "<caption>Every check, and what became of it on this host</caption>\n<thead><tr>"
          "<th scope=\"col\">Id</th><th scope=\"col\">Check</th><th scope=\"col\">Outcome</th></tr></thead>\n"
          "<tbody>\n";
  for (const CheckReport& check : a.checks) {
    page << "<tr><th scope=\"row\">";
    page.text(check.id) << "</th>";
    page.element("td", check.title) << "<td>";
    page.text(to_string(check.outcome));
    if (!check.reason.empty()) page << ": ", page.text(check.reason);
    page << "</td></tr>\n";
  }
  end_table(page);
  end_section(page);
}

}  // namespace

std::string render_html(const Assessment& assessment) {
  Html page;
  render_head(page, assessment);
  page << "<main>\n";
  render_findings(page, assessment);
  render_plan(page, assessment);
  render_rules(page, assessment);
  render_exclusions(page, assessment);
  render_coverage(page, assessment);
  render_checks(page, assessment);
  page << "</main>\n<footer><p>auditshift ";
  page.text(kToolVersion) << ", ";
  page.text(base::format_utc(assessment.facts.collected_at)) << "</p></footer>\n";
  return html_document(assessment.facts.host.hostname + ": " + std::string(to_string(assessment.verdict)) +
                           ", auditshift assessment",
                       page);
}

}  // namespace auditshift::migrate
