// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/fleet/render.h"
#include "migrate/text_page.h"

namespace auditshift::migrate::fleet {
namespace {

using base::count_of;
using base::printable;

constexpr std::size_t kShown = 20;  // of each list; `-v` and the other formats show all

Style style_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
    case Verdict::ready_after_reboot:
    case Verdict::already_switched:
      return Style::green;
    case Verdict::blocked:
      return Style::red;
    default:
      return Style::yellow;
  }
}

std::string number(std::size_t value, std::size_t width = 7) {
  std::string text = base::with_thousands(value);
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string percent(std::size_t part, std::size_t whole) {
  const std::string text = whole == 0 ? "0%" : std::to_string(part * 100 / whole) + "%";
  return std::string(text.size() < 5 ? 5 - text.size() : 0, ' ') + text;
}

class TextReport {
 public:
  TextReport(const Fleet& fleet, const TextOptions& options)
      : fleet_(fleet), page_(options), most_(options.verbose ? static_cast<std::size_t>(-1) : kShown) {}

  std::string render() {
    head();
    findings();
    distributions();
    burn_down();
    exclusions();
    attention();
    names("Missing hosts", fleet_.missing);
    damaged();
    return page_.take();
  }

 private:
  void head() {
    page_.line(page_.styled("Fleet: " + count_of(fleet_.hosts.size(), "host") + ", " +
                                std::to_string(fleet_.of(Verdict::already_switched)) + " on eBPF",
                            Style::bold));
    page_.line();
    for (std::size_t i = 0; i < kVerdicts.size(); ++i) {
      std::string name(to_string(kVerdicts[i]));
      name.resize(20, ' ');
      const Style style = fleet_.verdicts[i] == 0 ? Style::dim : style_of(kVerdicts[i]);
      page_.line("  " + page_.styled(name, style) + number(fleet_.verdicts[i]) +
                 percent(fleet_.verdicts[i], fleet_.hosts.size()));
    }
    page_.line();
    for (const std::string& step : next_steps(fleet_)) page_.paragraph("> ", step);
  }

  void findings() {
    if (fleet_.findings.empty()) return;
    page_.heading("Findings (hosts, of these in the way)");
    for (std::size_t i = 0; i < std::min(most_, fleet_.findings.size()); ++i) {
      const FindingCount& finding = fleet_.findings[i];
      page_.line("  " + printable(finding.id) + number(finding.hosts) + number(finding.blocking) + "  " +
                 printable(finding.title));
    }
    more(fleet_.findings.size());
  }

  void distributions() {
    counts("Distributions", fleet_.distributions.distribution);
    counts("Kernels", fleet_.distributions.kernel);
    counts("Agent builds", fleet_.distributions.agent_build);
    counts("Event providers", fleet_.distributions.event_provider);
    counts("Audit", fleet_.distributions.audit_state);
    counts("Sensor tiers", fleet_.distributions.sensor_tier);
  }
  void counts(std::string_view title, const std::vector<Count>& counts) {
    if (counts.empty()) return;
    page_.heading(title);
    for (std::size_t i = 0; i < std::min(most_, counts.size()); ++i)
      page_.line("  " + number(counts[i].hosts) + percent(counts[i].hosts, fleet_.hosts.size()) + "  " +
                 (counts[i].value.empty() ? "unknown" : printable(counts[i].value)));
    more(counts.size());
  }

  void burn_down() {
    if (fleet_.burn_down.empty()) return;
    page_.heading("Over time (in the way, ready, on eBPF, not reported yet)");
    // The newest days, where not all fit.
    const std::size_t shown = std::min(most_, fleet_.burn_down.size());
    for (std::size_t i = fleet_.burn_down.size() - shown; i < fleet_.burn_down.size(); ++i) {
      const BurnDownDay& day = fleet_.burn_down[i];
      page_.line(
          "  " + base::format_date(day.day) + number(day.verdicts[0] + day.verdicts[1] + day.verdicts[2]) +
          number(day.verdicts[3] + day.verdicts[4]) + number(day.verdicts[5]) + number(day.not_reported));
    }
    more(fleet_.burn_down.size());
  }

  void exclusions() {
    if (fleet_.exclusions.empty()) return;
    page_.heading("Exclusions by hosts (+: for one policy)");
    for (std::size_t i = 0; i < std::min(most_, fleet_.exclusions.size()); ++i) {
      const CommonExclusion& exclusion = fleet_.exclusions[i];
      page_.line("  " + number(exclusion.hosts) + (exclusion.in_policy ? " + " : "   ") +
                 printable(exclusion.id) +
                 (exclusion.in_policy ? "" : "  (" + printable(exclusion.why_not) + ")"));
    }
    more(fleet_.exclusions.size());
  }

  void attention() {
    std::vector<std::string> lines;
    for (const FleetHost& host : fleet_.hosts) {
      if (!host.latest.needs_attention() && host.age == FleetHost::Age::current) continue;
      std::string line = host.latest.hostname.empty() ? host.latest.machine_id : host.latest.hostname;
      line += "  " + std::string(to_string(host.latest.verdict));
      for (const ReportedFinding& finding : host.latest.findings)
        if (finding.is_blocking()) line += " " + finding.id;
      if (host.age != FleetHost::Age::current)
        line += "  (" + std::string(to_string(host.age)) + ", " + base::format_utc(host.latest.generated_at) +
                ")";
      lines.push_back(std::move(line));
    }
    names("Hosts to look at", lines);
  }

  void names(std::string_view title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    page_.heading(title);
    for (std::size_t i = 0; i < std::min(most_, lines.size()); ++i) page_.line("  " + printable(lines[i]));
    more(lines.size());
  }

  void damaged() {
    std::vector<std::string> lines;
    for (const SkippedFile& file : fleet_.reading.damaged) lines.push_back(file.file + ": " + file.reason);
    names("Files that could not be used", lines);
  }

  void more(std::size_t all) {
    if (all > most_) page_.line("  … " + base::with_thousands(all - most_) + " more (-v shows all)");
  }

  const Fleet& fleet_;
  Page page_;
  std::size_t most_;
};

}  // namespace

std::string render_text(const Fleet& fleet, const TextOptions& options) {
  return TextReport(fleet, options).render();
}

}  // namespace auditshift::migrate::fleet
