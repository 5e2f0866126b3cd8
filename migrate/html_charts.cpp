// SPDX-License-Identifier: Apache-2.0
#include "migrate/html_charts.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

struct Bar {
  std::string name;
  std::uint64_t value = 0;
};

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

/// Attribute values are plain numbers, without the separators of running text.
void attribute(Html& page, Markup name, std::uint64_t value) {
  page << " " << name << "=\"";
  page.text(std::to_string(value)) << "\"";
}

/// Horizontal bars, the longest first; the picture's text says the numbers, so that it can be heard.
Html bars(std::vector<Bar> all, Markup title, Markup unit) {
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
  attribute(page, "width", kWidth);
  attribute(page, "height", all.size() * kRow);
  page << " viewBox=\"0 0 ";
  page.text(std::to_string(kWidth) + " " + std::to_string(all.size() * kRow)) << "\">\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t top = i * kRow;
    page << "<text text-anchor=\"end\"";
    attribute(page, "x", kLabelWidth - 10);
    attribute(page, "y", top + 17);
    page << ">";
    page.text(shortened(all[i].name)) << "</text><rect class=\"bar\"";
    attribute(page, "x", kLabelWidth);
    attribute(page, "y", top + 4);
    const std::uint64_t width = all[i].value * kBarWidth / all.front().value;
    attribute(page, "width", std::max<std::uint64_t>(width, 1));
    attribute(page, "height", kRow - 8);
    page << "/><text";
    attribute(page, "x", kLabelWidth + width + 8);
    attribute(page, "y", top + 17);
    page << ">";
    page.number(all[i].value) << " " << unit << "</text>\n";
  }
  return std::move(page << "</svg></figure>\n");
}

}  // namespace

Html chart_of_events_per_day(const auditd::LogStatistics& log) {
  if (log.days == 0) return {};
  std::vector<Bar> keys;
  for (const auto& [key, days] : log.by_key) {
    std::uint64_t events = 0;
    for (const auto& [day, volume] : days) events += volume.events;
    keys.push_back({key.empty() ? "(no key)" : key, events / log.days});
  }
  return bars(std::move(keys), "Events per day in the audit log, by the key of the rule", "a day");
}

Html chart_of_blinded_events(const std::vector<ExclusionIntent>& exclusions) {
  std::vector<Bar> entries;
  for (const ExclusionIntent& intent : exclusions) {
    std::uint64_t events = 0;
    for (const BlindedClass& lost : intent.blinded) events += lost.events_per_day.value_or(0);
    entries.push_back({intent.id, events});
  }
  return bars(std::move(entries), "Events per day that an entry would hide although the rule did not",
              "a day");
}

}  // namespace auditshift::migrate
