// SPDX-License-Identifier: Apache-2.0
#include "migrate/render_text.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/clock.h"
#include "base/text.h"
#include "migrate/text_page.h"

namespace auditshift::migrate {
namespace {

using base::count_of;
using base::printable;

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : printable(text); }

Style style_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
    case Verdict::already_switched:
      return Style::green;
    case Verdict::blocked:
      return Style::red;
    default:
      return Style::yellow;
  }
}

Style style_of(FindingSeverity severity) {
  switch (severity) {
    case FindingSeverity::high:
      return Style::red;
    case FindingSeverity::medium:
      return Style::yellow;
    default:
      return Style::dim;
  }
}

void render_head(const Assessment& a, Page& page) {
  const Facts& facts = a.facts;
  page.line("Verdict: " + page.styled(to_string(a.verdict), style_of(a.verdict)));
  page.line();
  page.pair("host", or_unknown(facts.host.hostname) + ", " + or_unknown(facts.host.distribution_name) +
                        ", kernel " + or_unknown(facts.host.kernel) + ", " +
                        or_unknown(facts.host.architecture));
  const auto& audit = facts.audit;
  std::string state(to_string(audit.status.state));
  if (!audit.status.reason.empty()) state += " (" + printable(audit.status.reason) + ")";
  state += ", auditd " + std::string(!audit.auditd_running   ? "unknown"
                                     : *audit.auditd_running ? "running"
                                                             : "not running");
  state += audit.layout.loader == auditd::Loader::none
               ? ", nothing loads rules at boot"
               : ", rules loaded by " + std::string(to_string(audit.layout.loader));
  if (audit.live.known) state += ", " + count_of(audit.live.rules.size(), "rule") + " in the kernel";
  page.pair("audit", state);
  std::string agent = facts.agent.kind == AgentKind::mdatp    ? "Defender for Endpoint"
                      : facts.agent.kind == AgentKind::native ? "auditshift sensor"
                                                              : "none";
  if (facts.agent.kind == AgentKind::mdatp) {
    agent += " " + or_unknown(facts.agent.build ? facts.agent.build->to_string() : facts.agent.build_text);
    agent += ", events from " + or_unknown(facts.agent.subsystem);
    if (facts.agent.expires) agent += ", expires " + base::format_date(*facts.agent.expires);
  }
  page.pair("agent", agent);
  page.pair("sensor", facts.sensor.tier
                          ? "eBPF probed: tier " + std::string(bpf::tier_name(*facts.sensor.tier))
                          : "eBPF not tried");
  if (facts.log_known && facts.log.days != 0)
    page.pair("log", count_of(facts.log.total.events, "event") + ", " +
                         base::human_bytes(facts.log.total.bytes) + ", " +
                         base::format_date(facts.log.first_day) + " to " +
                         base::format_date(facts.log.last_day));
  for (const std::string& error : facts.log.errors) page.pair("log", printable(error));
}

/// One line of evidence; text that names its file already is not named twice.
std::string evidence_line(const Evidence& evidence, bool whole) {
  constexpr std::size_t kLimit = 240;
  std::string text = printable(evidence.text);
  if (!whole && text.size() > kLimit)
    text = printable(std::string_view(evidence.text).substr(0, kLimit)) + " …";
  if (evidence.file.empty() || evidence.text.starts_with(evidence.file + ":")) return text;
  const std::string where = place_of({evidence.file, evidence.line});
  return text.empty() ? where : where + "  " + text;
}

void render_evidence(const Finding& finding, const TextOptions& options, Page& page) {
  // The exclusions have a section of their own.
  if (!options.verbose && finding.id.starts_with("EXC")) return;
  const std::size_t count = finding.evidence.size();
  const std::size_t shown = options.verbose ? count : std::min<std::size_t>(count, 5);
  for (std::size_t i = 0; i < shown; ++i)
    page.line("        - " + page.styled(evidence_line(finding.evidence[i], options.verbose), Style::dim));
  if (shown < count)
    page.line("        - " +
              page.styled("… " + std::to_string(count - shown) + " more (-v shows all)", Style::dim));
}

void render_finding(const Finding& finding, const TextOptions& options, Page& page) {
  std::string tags(to_string(finding.severity));
  if (finding.accepted) {
    tags += ", accepted";
  } else if (finding.blocks != Blocks::none) {
    tags += finding.blocks == Blocks::mandatory ? ", blocks" : ", blocks until accepted";
  }
  page.line(page.styled(finding.id, Style::bold) + "  " + finding.title + "  " +
            page.styled("[" + tags + "]", style_of(finding.severity)));
  page.paragraph("        ", printable(finding.diagnosis));
  if (options.verbose) page.paragraph("        ", finding.description);
  render_evidence(finding, options, page);
  for (const Remediation& remediation : finding.remediations) {
    page.paragraph("        > ", printable(remediation.hint));
    if (!remediation.argv.empty()) {
      std::string command;
      for (const std::string& word : remediation.argv) command += " " + printable(word);
      page.line("          $" + command);
    }
  }
}

void render_findings(const Assessment& a, const TextOptions& options, Page& page) {
  if (a.findings.empty()) return;
  page.heading("Findings");
  std::vector<const Finding*> sorted;
  for (const Finding& finding : a.findings) sorted.push_back(&finding);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Finding* x, const Finding* y) {
    if (x->is_blocking() != y->is_blocking()) return x->is_blocking();
    return x->severity > y->severity;
  });
  for (const Finding* finding : sorted) render_finding(*finding, options, page);
}

void render_rule_totals(const Assessment& a, Page& page) {
  if (a.rules.empty()) return;
  std::map<Owner, std::array<std::size_t, 4>> totals;  // lines, loaded, broken, covered in full
  for (const InventoryRule& rule : a.rules) {
    auto& total = totals[rule.owner];
    ++total[0];
    total[1] += rule.loaded.value_or(false) ? 1U : 0U;
    total[2] += rule.valid ? 0U : 1U;
    total[3] += rule.coverage.coverage == Coverage::full ? 1U : 0U;
  }
  page.heading("Rules");
  page.line("  owner               lines  in kernel  broken  fully seen by eBPF");
  for (const auto& [owner, total] : totals) {
    char row[128];
    std::snprintf(row, sizeof row, "  %-18s %6zu %10zu %7zu %19zu", std::string(to_string(owner)).c_str(),
                  total[0], total[1], total[2], total[3]);
    page.line(row);
  }
  page.line("  " +
            page.styled("auditshift rules list tells file, line, owner and meaning of each", Style::dim));
}

void render_exclusions(const Assessment& a, Page& page) {
  if (a.exclusions.empty()) return;
  page.heading("Exclusions");
  render_intents(a.exclusions, page);
}

void render_sensor(const Assessment& a, const TextOptions& options, Page& page) {
  if (!options.verbose || a.facts.sensor.probe.empty()) return;
  page.heading("eBPF probe");
  for (const bpf::ProbeResult& result : a.facts.sensor.probe) {
    const char* answer = result.ok == bpf::ProbeResult::yes  ? "yes"
                         : result.ok == bpf::ProbeResult::no ? "no"
                                                             : "unknown";
    page.pair(printable(result.feature), std::string("  ") + answer + "  " + printable(result.detail));
  }
}

void render_checks(const Assessment& a, const TextOptions& options, Page& page) {
  std::size_t nothing = 0;
  std::vector<std::string> not_run;
  for (const CheckReport& check : a.checks) {
    nothing += check.outcome == CheckReport::Outcome::nothing ? 1U : 0U;
    if (check.outcome == CheckReport::Outcome::not_run)
      not_run.push_back(check.id + " " + check.title + ": " + printable(check.reason));
  }
  page.heading("Checks");
  page.line("  " + count_of(a.checks.size(), "check") + ", " + std::to_string(nothing) + " found nothing" +
            (not_run.empty() ? "" : ", " + std::to_string(not_run.size()) + " could not be made:"));
  for (const std::string& reason : not_run) page.paragraph("    ", reason);
  if (!options.verbose) return;
  for (const CheckReport& check : a.checks)
    page.line("    " + check.id + "  " + std::string(to_string(check.outcome)) + "  " + check.title);
}

}  // namespace

std::string render_text(const Assessment& assessment, const TextOptions& options) {
  Page page(options);
  render_head(assessment, page);
  render_findings(assessment, options, page);
  render_rule_totals(assessment, page);
  render_exclusions(assessment, page);
  render_sensor(assessment, options, page);
  render_checks(assessment, options, page);
  if (!assessment.plan_summary.empty()) {
    page.heading("A switch would");
    std::size_t number = 0;
    for (const std::string& step : assessment.plan_summary)
      page.paragraph("  " + std::to_string(++number) + ". ", printable(step));
  }
  page.heading("Next");
  page.paragraph("  ", printable(assessment.next_step));
  return page.take();
}

std::string render_rules(const std::vector<InventoryRule>& rules, const TextOptions& options) {
  Page page(options);
  std::string file;
  for (const InventoryRule& rule : rules) {
    const std::string where = rule.origin.file.empty() ? "in the kernel only" : printable(rule.origin.file);
    if (where != file) {
      if (!file.empty()) page.line();
      page.line(page.styled(where, Style::bold));
      file = where;
    }
    std::string label = rule.origin.line == 0 ? "   -  " : "      ";
    if (rule.origin.line != 0) {
      const std::string number = std::to_string(rule.origin.line);
      label = std::string(number.size() < 4 ? 4 - number.size() : 0, ' ') + number + "  ";
    }
    page.line(label + printable(rule.text));
    std::string facts = std::string(to_string(rule.owner));
    if (!rule.valid) facts += ", does not load";
    if (rule.loaded) facts += *rule.loaded ? ", in the kernel" : ", not in the kernel";
    if (rule.coverage.coverage != Coverage::not_applicable)
      facts += ", eBPF coverage " + std::string(to_string(rule.coverage.coverage));
    if (rule.volume) facts += ", up to " + count_of(rule.volume->events, "event") + " in the log";
    page.line("      " + page.styled("[" + facts + "]", rule.valid ? Style::dim : Style::red));
    page.paragraph("      ", printable(rule.meaning));
    if (!rule.coverage.note.empty()) page.paragraph("      ", printable(rule.coverage.note));
  }
  return page.take();
}

}  // namespace auditshift::migrate
