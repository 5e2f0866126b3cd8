// SPDX-License-Identifier: Apache-2.0
#include "migrate/html_charts.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

constexpr std::size_t kMostBars = 12;
constexpr std::uint64_t kRow = 26;  // all in SVG user units
constexpr std::uint64_t kLabelWidth = 300;
constexpr std::uint64_t kBarWidth = 380;  // leaves room for the number
constexpr std::uint64_t kWidth = 840;

std::string shortened(const std::string& name) {
  constexpr std::size_t kMost = 38;
  std::string text = base::printable(name);
  if (text.size() <= kMost) return text;
  std::size_t end = kMost - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // no half of a letter
  return text.substr(0, end) + "...";
}

/// Why there is no chart, or what stands below it.
Html note(std::string_view text) {
  Html page;
  page.element("p", "muted", text) << "\n";
  return page;
}

bool has_log(const Facts& facts) { return facts.log_known && facts.log.days != 0; }

std::string name_of(const InventoryRule& rule) {
  std::string name = rule.rule ? base::join(rule.rule->keys(), ", ") : std::string();
  const std::string& file = rule.origin.file;
  if (file.empty()) return name + " (in the kernel only)";
  if (!name.empty()) name += ", ";
  return name + file.substr(file.rfind('/') + 1) + ":" + std::to_string(rule.origin.line);
}

bool records(const InventoryRule& rule) {
  return rule.volume && rule.owner != Owner::exclusion && rule.owner != Owner::defender_exclusion;
}

}  // namespace

void number_attribute(Html& page, Markup name, std::uint64_t value) {
  page << " " << name << "=\"";
  page.text(std::to_string(value)) << "\"";
}

Html bar_chart(std::vector<Bar> all, Markup title, Markup unit, Markup unit_of_one) {
  Html page;
  std::stable_sort(all.begin(), all.end(), [](const Bar& a, const Bar& b) { return a.value > b.value; });
  if (all.size() > kMostBars) all.resize(kMostBars);
  if (all.empty() || all.front().value == 0) return page;
  page << "<figure><figcaption>" << title << "</figcaption>\n<svg role=\"img\" aria-label=\"" << title
       << ": ";
  for (std::size_t i = 0; i < all.size(); ++i) {
    page.text((i == 0 ? "" : ", ") + all[i].name + " ").number(all[i].value);
  }
  page << "\"";
  number_attribute(page, "width", kWidth);
  number_attribute(page, "height", all.size() * kRow);
  page << " viewBox=\"0 0 ";
  page.text(std::to_string(kWidth) + " " + std::to_string(all.size() * kRow)) << "\">\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t top = i * kRow;
    page << "<text text-anchor=\"end\"";
    number_attribute(page, "x", kLabelWidth - 10);
    number_attribute(page, "y", top + 17);
    page << ">";
    page.text(shortened(all[i].name)) << "</text><rect class=\"bar\"";
    number_attribute(page, "x", kLabelWidth);
    number_attribute(page, "y", top + 4);
    const std::uint64_t width = all[i].value * kBarWidth / all.front().value;
    number_attribute(page, "width", std::max<std::uint64_t>(width, 1));
    number_attribute(page, "height", kRow - 8);
    page << "/><text";
    number_attribute(page, "x", kLabelWidth + width + 8);
    number_attribute(page, "y", top + 17);
    page << ">";
    page.number(all[i].value) << " " << (all[i].value == 1 ? unit_of_one : unit) << "</text>\n";
  }
  return std::move(page << "</svg></figure>\n");
}

Html chart_of_events_by_rule(const std::vector<InventoryRule>& rules, const Facts& facts) {
  if (!has_log(facts))
    return note("There is no chart of events by rule: this host has no audit log that could be read.");
  std::vector<Bar> bars;
  std::size_t quiet = 0;
  for (const InventoryRule& rule : rules) {
    if (!records(rule)) continue;
    const std::uint64_t events = rule.volume->events / facts.log.days;
    if (events == 0)
      ++quiet;
    else
      bars.push_back({name_of(rule), events});
  }
  if (bars.empty())
    return note(
        "There is no chart of events by rule: no rule with a key caused even one event a day in the log.");
  const std::size_t unseen = bars.size() - std::min(bars.size(), kMostBars);
  Html page = bar_chart(std::move(bars), "Events per day in the audit log, by rule", "a day", "a day");
  std::string below =
      "An event that several rules may have caused counts for each of them; rules without a key are not "
      "to be told apart in a log.";
  if (unseen != 0) below += " " + base::count_of(unseen, "less busy rule") + " not shown.";
  if (quiet != 0) below += " " + base::count_of(quiet, "rule") + " caused less than one event a day.";
  return std::move(page.append(note(below)));
}

Html chart_of_exclusion_cost(const std::vector<ExclusionIntent>& exclusions, const Facts& facts) {
  std::vector<Bar> bars;
  std::size_t unknown = 0;
  for (const ExclusionIntent& intent : exclusions) {
    std::uint64_t events = 0;
    bool counted = true;
    for (const BlindedClass& lost : intent.blinded) {
      events += lost.events_per_day.value_or(0);
      counted = counted && lost.events_per_day.has_value();
    }
    unknown += counted ? 0U : 1U;
    if (events != 0) bars.push_back({intent.id, events});
  }
  if (!has_log(facts))
    return note(
        "There is no chart of what each exclusion costs: this host has no audit log that could be read.");
  const std::string uncounted = unknown == 0 ? std::string()
                                             : " For " + base::count_of(unknown, "exclusion") +
                                                   " the log cannot tell, or not all of it.";
  if (bars.empty())
    return note(
        "There is no chart of what each exclusion costs: the log has no event that an entry would hide "
        "although "
        "its rules did not." +
        uncounted);
  Html page =
      bar_chart(std::move(bars),
                "Cost by exclusion: events per day that its entry would hide although its rules did not",
                "a day", "a day");
  if (!uncounted.empty()) page.append(note(uncounted.substr(1)));
  return page;
}

}  // namespace auditshift::migrate
