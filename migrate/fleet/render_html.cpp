// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/fleet/fleet_style.h"
#include "migrate/fleet/html_pieces.h"
#include "migrate/fleet/render.h"
#include "migrate/html_charts.h"
#include "migrate/html_parts.h"
#include "migrate/version.h"

namespace auditshift::migrate::fleet {
namespace {

using base::count_of;

constexpr std::size_t kNamesShown = 200;       // of the hosts of one finding
constexpr std::size_t kExclusionsShown = 200;  // JSON has them all

Markup tone_of_fleet(const Fleet& fleet) {
  if (fleet.is_well()) return "good";
  if (fleet.of(Verdict::blocked) == 0) return "warn";
  return "bad";
}

void render_head(Html& page, const Fleet& fleet) {
  const std::size_t done = fleet.of(Verdict::already_switched);
  page << "<a class=\"skip\" href=\"#hosts\">Skip to the hosts</a>\n<header>\n<h1>Fleet: ";
  page.text(std::to_string(done) + " of " + count_of(fleet.hosts.size(), "host")) << " on eBPF</h1>\n";
  page << "<div class=\"verdict " << tone_of_fleet(fleet) << "\"><strong>";
  const std::size_t open = fleet.need_attention + fleet.missing.size();
  page.text(open == 0 ? "nothing in the way" : count_of(open, "host needs a person", "hosts need a person"));
  page << "</strong>\n<ul>\n";
  for (const std::string& step : next_steps(fleet)) page.element("li", step) << "\n";
  page << "</ul></div>\n<nav aria-label=\"Sections\"><ul>\n"
          "<li><a href=\"#verdicts\">Verdicts</a></li>\n";
  if (!fleet.burn_down.empty()) page << "<li><a href=\"#time\">Over time</a></li>\n";
  page << "<li><a href=\"#findings\">Findings</a></li>\n"
          "<li><a href=\"#spread\">What there is</a></li>\n"
          "<li><a href=\"#exclusions\">Exclusions</a></li>\n<li><a href=\"#unheard\">Missing and "
          "stale</a></li>\n"
          "<li><a href=\"#files\">Files</a></li>\n<li><a href=\"#hosts\">Hosts</a></li>\n"
          "</ul></nav>\n</header>\n";
}

void render_verdicts(Html& page, const Fleet& fleet) {
  begin_section(page, "verdicts", "Verdicts");
  begin_table(page, "Verdicts");
  page << "<caption>Every host by its newest report</caption>\n<thead><tr><th scope=\"col\">Verdict</th>"
          "<th scope=\"col\" class=\"n\">Hosts</th><th scope=\"col\" "
          "class=\"n\">Share</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < kVerdicts.size(); ++i) {
    page << "<tr><th scope=\"row\">";
    badge(page, tone_of(kVerdicts[i]), to_string(kVerdicts[i]));
    page << "</th><td class=\"n\">";
    page.number(fleet.verdicts[i]) << "</td><td class=\"n\">";
    page.number(fleet.hosts.empty() ? 0 : fleet.verdicts[i] * 100 / fleet.hosts.size()) << "%</td></tr>\n";
  }
  end_table(page);
  end_section(page);
}

void render_names(Html& page, const Fleet& fleet, const FindingCount& finding) {
  page << "<details><summary>which</summary>\n<ul class=\"names\">\n";
  const std::size_t shown = std::min(kNamesShown, finding.places.size());
  for (std::size_t i = 0; i < shown; ++i)
    page << "<li>", host_link(page, fleet, finding.places[i]), page << "</li>\n";
  page << "</ul>\n";
  if (shown < finding.places.size()) {
    page << "<p>";
    page.number(finding.places.size() - shown) << " more: the CSV and JSON forms name them all.</p>\n";
  }
  page << "</details>";
}

void render_findings(Html& page, const Fleet& fleet) {
  begin_section(page, "findings", "Findings");
  if (fleet.findings.empty()) {
    page << "<p>Nothing to report.</p>\n";
    return end_section(page);
  }
  begin_table(page, "Findings");
  page << "<caption>What stands in the way of most hosts first</caption>\n<thead><tr><th "
          "scope=\"col\">Check</th>"
          "<th scope=\"col\">Severity</th><th scope=\"col\" class=\"n\">Hosts</th>"
          "<th scope=\"col\" class=\"n\">In the way</th><th scope=\"col\">Hosts by "
          "name</th></tr></thead>\n<tbody>\n";
  for (const FindingCount& finding : fleet.findings) {
    page << "<tr><th scope=\"row\">";
    page.text(finding.id) << " ";
    page.text(finding.title) << "</th><td>";
    badge(page, tone_of(finding.severity), to_string(finding.severity));
    page << "</td><td class=\"n\">";
    page.number(finding.hosts) << "</td><td class=\"n\">";
    page.number(finding.blocking) << "</td><td>";
    render_names(page, fleet, finding);
    page << "</td></tr>\n";
  }
  end_table(page);
  end_section(page);
}

void render_counts(Html& page, const std::vector<Count>& counts, Markup title) {
  std::vector<Bar> bars;
  bars.reserve(counts.size());
  for (const Count& count : counts)
    bars.push_back({count.value.empty() ? "unknown" : count.value, count.hosts});
  constexpr std::size_t kInChart = 12;
  const std::size_t rest = bars.size() > kInChart ? bars.size() - kInChart : 0;
  page << "<div>";
  page.append(bar_chart(std::move(bars), title, "hosts", "host"));
  if (rest != 0) {
    page << "<p class=\"muted\">";
    page.number(rest) << " more values in the JSON form</p>\n";
  }
  page << "</div>\n";
}

void render_spread(Html& page, const Fleet& fleet) {
  begin_section(page, "spread", "What there is");
  page << "<div class=\"charts\">\n";
  const Distributions& all = fleet.distributions;
  render_counts(page, all.distribution, "Distributions");
  render_counts(page, all.kernel, "Kernels");
  render_counts(page, all.agent_build, "Agent builds");
  render_counts(page, all.event_provider, "Event providers");
  render_counts(page, all.audit_state, "State of audit");
  render_counts(page, all.sensor_tier, "Best tier of the sensor");
  page << "</div>\n";
  end_section(page);
}

void render_exclusion(Html& page, const CommonExclusion& exclusion) {
  page << "<tr><th scope=\"row\">";
  page.text(exclusion.intent) << "<br>";
  page.element("code", exclusion.id) << "</th><td class=\"n\">";
  page.number(exclusion.hosts) << "</td><td class=\"n\">";
  page.number(exclusion.exact) << "</td><td class=\"n\">";
  page.number(exclusion.consent_needed) << "</td><td class=\"n\">";
  page.number(exclusion.already_managed) << "</td><td>";
  if (exclusion.in_policy) badge(page, "good", "yes");
  page.text(exclusion.why_not) << "</td></tr>\n";
}

void render_exclusions(Html& page, const Fleet& fleet) {
  begin_section(page, "exclusions", "Exclusions");
  if (fleet.exclusions.empty()) {
    page << "<p>No host keeps anything out of audit.</p>\n";
    return end_section(page);
  }
  if (fleet.policy.empty()) {
    page << "<p>No exclusion is common and harmless enough for one policy.</p>\n";
  } else {
    page << "<p>One policy for those that at least ";
    page.number(fleet.policy_hosts)
        << " hosts have, that are dangerous nowhere and wait for no decision. It reaches every host, also "
           "those that never had them:</p>\n";
    page.element("pre", fleet.policy) << "\n";
  }
  page << "<div class=\"exclusions\">\n";
  begin_table(page, "Exclusions");
  page << "<caption>";
  const std::size_t shown = std::min(kExclusionsShown, fleet.exclusions.size());
  page.text(shown == fleet.exclusions.size()
                ? "All exclusions of the fleet, the most frequent first"
                : "The most frequent of " + count_of(fleet.exclusions.size(), "exclusion") +
                      "; the JSON form has all");
  page << "</caption>\n<thead><tr><th scope=\"col\">What is kept out</th><th scope=\"col\" "
          "class=\"n\">Hosts</th><th scope=\"col\" class=\"n\">Same events</th>"
          "<th scope=\"col\" class=\"n\">Undecided</th><th scope=\"col\" class=\"n\">Managed already</th>"
          "<th scope=\"col\">In the policy</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < shown; ++i) render_exclusion(page, fleet.exclusions[i]);
  end_table(page);
  page << "</div>\n";
  end_section(page);
}

void render_unheard(Html& page, const Fleet& fleet) {
  begin_section(page, "unheard", "Missing and stale");
  if (!fleet.options.expected) {
    page << "<p>No list of hosts was given, so none can be missing.</p>\n";
  } else if (fleet.missing.empty()) {
    page << "<p>Every expected host has reported.</p>\n";
  } else {
    page << "<h3>Missing</h3>\n<ul class=\"names\">\n";
    for (const std::string& name : fleet.missing) page.element("li", name) << "\n";
    page << "</ul>\n";
  }
  if (fleet.stale == 0) {
    page << "<p>No report is older than ";
    page.text(count_of(static_cast<std::uint64_t>(fleet.options.stale_days), "day")) << ".</p>\n";
  } else {
    page << "<h3>Without a current report</h3>\n<ul class=\"names\">\n";
    for (std::size_t place = 0; place < fleet.hosts.size(); ++place)
      if (fleet.hosts[place].age != FleetHost::Age::current)
        page << "<li>", host_link(page, fleet, place), page << "</li>\n";
    page << "</ul>\n";
  }
  if (!fleet.unexpected.empty()) {
    page << "<h3>Not on the list</h3>\n<ul class=\"names\">\n";
    for (const std::size_t place : fleet.unexpected)
      page << "<li>", host_link(page, fleet, place), page << "</li>\n";
    page << "</ul>\n";
  }
  end_section(page);
}

void render_files(Html& page, const Fleet& fleet) {
  const DirectoryReading& reading = fleet.reading;
  begin_section(page, "files", "Files");
  page << "<p>";
  page.text(count_of(reading.files, "file") + " found, " + count_of(reading.assessments, "assessment") +
            ", " + count_of(reading.other_documents, "other document") + ", " +
            count_of(reading.damaged.size(), "file") + " that could not be used")
      << ".</p>\n";
  if (!reading.damaged.empty()) {
    begin_table(page, "Files that could not be used");
    page << "<thead><tr><th scope=\"col\">File</th><th scope=\"col\">Reason</th></tr></thead>\n<tbody>\n";
    for (const SkippedFile& file : reading.damaged) {
      page << "<tr><th scope=\"row\">";
      page.text(file.file) << "</th>";
      page.element("td", file.reason) << "</tr>\n";
    }
    end_table(page);
  }
  end_section(page);
}

}  // namespace

std::string render_html(const Fleet& fleet) {
  Html page;
  render_head(page, fleet);
  page << "<main>\n";
  render_verdicts(page, fleet);
  page.append(html_burn_down(fleet));
  render_findings(page, fleet);
  render_spread(page, fleet);
  render_exclusions(page, fleet);
  render_unheard(page, fleet);
  render_files(page, fleet);
  page.append(html_hosts(fleet));
  page << "</main>\n<footer><p>auditshift ";
  page.text(kToolVersion) << ", ";
  page.text(base::format_utc(fleet.options.now)) << "</p></footer>\n";
  return html_document("Fleet: " + count_of(fleet.hosts.size(), "host") + ", auditshift", page, kFleetStyle);
}

}  // namespace auditshift::migrate::fleet
