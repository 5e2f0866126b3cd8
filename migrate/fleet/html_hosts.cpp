// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/fleet/html_pieces.h"
#include "migrate/html_parts.h"

namespace auditshift::migrate::fleet {
namespace {

Markup class_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return "v-ready";
    case Verdict::ready_after_reboot:
      return "v-ready-after-reboot";
    case Verdict::needs_consent:
      return "v-needs-consent";
    case Verdict::blocked:
      return "v-blocked";
    case Verdict::netlink_only:
      return "v-netlink-only";
    case Verdict::already_switched:
      return "v-already-switched";
  }
  return "v-blocked";
}

void filters(Html& page) {
  page << "<fieldset><legend>Show hosts that are</legend>\n"
          "<label><input type=\"radio\" name=\"verdict\" id=\"v-all\" checked> of any verdict</label>\n"
          "<label><input type=\"radio\" name=\"verdict\" id=\"v-blocked\"> blocked</label>\n"
          "<label><input type=\"radio\" name=\"verdict\" id=\"v-needs-consent\"> needs-consent</label>\n"
          "<label><input type=\"radio\" name=\"verdict\" id=\"v-netlink-only\"> netlink-only</label>\n"
          "<label><input type=\"radio\" name=\"verdict\" id=\"v-ready\"> ready</label>\n"
          "<label><input type=\"radio\" name=\"verdict\" id=\"v-ready-after-reboot\"> "
          "ready-after-reboot</label>\n"
          "<label><input type=\"radio\" name=\"verdict\" id=\"v-already-switched\"> "
          "already-switched</label>\n"
          "</fieldset>\n<fieldset><legend>And only</legend>\n"
          "<label><input type=\"checkbox\" id=\"only-attention\"> those that need a person</label>\n"
          "<label><input type=\"checkbox\" id=\"only-stale\"> those without a current report</label>\n"
          "</fieldset>\n";
}

void findings(Html& page, const HostReport& report) {
  if (report.findings.empty()) return;
  page << "<ul>\n";
  for (const ReportedFinding& finding : report.findings) {
    page << "<li>";
    page.element("strong", finding.id) << " ";
    if (finding.is_blocking()) badge(page, "bad", "in the way"), page << " ";
    page.text(finding.diagnosis) << "</li>\n";
  }
  page << "</ul>\n";
}

void waiting(Html& page, const HostReport& report) {
  if (report.exclusions_waiting() == 0) return;
  page << "<p>Exclusions that wait for a decision:</p>\n<ul>\n";
  for (const ReportedExclusion& exclusion : report.exclusions)
    if (exclusion.consent_needed) page << "<li>", page.element("code", exclusion.id) << "</li>\n";
  page << "</ul>\n";
}

void host_line(Html& page, const Fleet& fleet, std::size_t place) {
  const FleetHost& host = fleet.hosts[place];
  const HostReport& report = host.latest;
  page << "<li id=\"h";
  page.text(std::to_string(place)) << "\" class=\"" << class_of(report.verdict);
  if (report.needs_attention()) page << " attention";
  if (host.age != FleetHost::Age::current) page << " stale";
  page << "\"><details><summary>";
  page.element("span", "name", name_of(report));
  badge(page, tone_of(report.verdict), to_string(report.verdict));
  page.element("span", report.distribution.empty() ? "unknown"
                                                   : report.distribution + " " + report.distribution_version);
  page.element("span", report.kernel.empty() ? "unknown" : report.kernel);
  page.element("span", report.agent_build.empty() ? report.agent : report.agent_build);
  const std::string day = base::format_utc(report.generated_at).substr(0, 10);
  if (host.age == FleetHost::Age::current) {
    page.element("span", day);
  } else {
    page << "<span>";
    badge(page, "warn", day + (host.age == FleetHost::Age::stale ? ", stale" : ", in the future"));
    page << "</span>";
  }
  page << "</summary><div class=\"inside\">\n";
  page.element("p", report.next_step) << "\n";
  findings(page, report);
  waiting(page, report);
  page << "<p class=\"muted\">";
  page.text("Audit " + (report.audit_state.empty() ? "unknown" : report.audit_state) + ", events from " +
            (report.event_provider.empty() ? "an unknown source" : report.event_provider) + ", machine id " +
            (report.machine_id.empty() ? "unknown" : report.machine_id) + ", from " + report.file);
  page << "</p></div></details></li>\n";
}

}  // namespace

std::string name_of(const HostReport& report) {
  return report.hostname.empty() ? "machine " + report.machine_id : report.hostname;
}

void host_link(Html& page, const Fleet& fleet, std::size_t place) {
  page << "<a href=\"#h";
  page.text(std::to_string(place)) << "\">";
  page.text(name_of(fleet.hosts[place].latest)) << "</a>";
}

Html html_hosts(const Fleet& fleet) {
  Html page;
  begin_section(page, "hosts", "Hosts");
  page << "<div class=\"fleet\">\n";
  filters(page);
  page << "<p class=\"muted\">Each line opens: name, verdict, distribution, kernel, agent's build, date of "
          "the "
          "newest report; inside its findings.</p>\n<ul class=\"hosts\">\n";
  for (std::size_t place = 0; place < fleet.hosts.size(); ++place) host_line(page, fleet, place);
  page << "</ul>\n</div>\n";
  end_section(page);
  return page;
}

}  // namespace auditshift::migrate::fleet
