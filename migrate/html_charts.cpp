// SPDX-License-Identifier: Apache-2.0
#include "migrate/html_charts.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

constexpr std::size_t kMostBars = 12;
constexpr std::uint64_t kRow = 26;  // all in SVG user units
constexpr std::uint64_t kLabelWidth = 300;
constexpr std::uint64_t kBarWidth = 420;
constexpr std::uint64_t kWidth = 840;

std::string shortened(const std::string& name) {
  constexpr std::size_t kMost = 38;
  const std::string text = base::printable(name);
  return text.size() <= kMost ? text : text.substr(0, kMost - 3) + "...";
}

}  // namespace

void number_attribute(Html& page, Markup name, std::uint64_t value) {
  page << " " << name << "=\"";
  page.text(std::to_string(value)) << "\"";
}

Html bar_chart(std::vector<Bar> all, Markup title, Markup unit) {
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
    page.number(all[i].value) << " " << unit << "</text>\n";
  }
  return std::move(page << "</svg></figure>\n");
}

Html chart_of_events_per_day(const auditd::LogStatistics& log) {
  if (log.days == 0) return {};
  std::vector<Bar> keys;
  for (const auto& [key, days] : log.by_key) {
    std::uint64_t events = 0;
    for (const auto& [day, volume] : days) events += volume.events;
    keys.push_back({key.empty() ? "(no key)" : key, events / log.days});
  }
  return bar_chart(std::move(keys), "Events per day in the audit log, by the key of the rule", "a day");
}

Html chart_of_blinded_events(const std::vector<ExclusionIntent>& exclusions) {
  std::vector<Bar> entries;
  for (const ExclusionIntent& intent : exclusions) {
    std::uint64_t events = 0;
    for (const BlindedClass& lost : intent.blinded) events += lost.events_per_day.value_or(0);
    entries.push_back({intent.id, events});
  }
  return bar_chart(std::move(entries), "Events per day that an entry would hide although the rule did not",
                   "a day");
}

}  // namespace auditshift::migrate
