// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/fleet/html_pieces.h"
#include "migrate/html_charts.h"
#include "migrate/html_parts.h"

namespace auditshift::migrate::fleet {
namespace {

constexpr std::uint64_t kWidth = 840;  // all in SVG user units
constexpr std::uint64_t kHeight = 220;
constexpr std::uint64_t kAxis = 20;

/// One day in four parts, from the top of the column to its foot.
struct Column {
  std::size_t not_reported = 0;
  std::size_t in_the_way = 0;
  std::size_t ready = 0;
  std::size_t done = 0;
};

// kVerdicts begins with the three that need a person and ends with the one that is done.
Column column_of(const BurnDownDay& day) {
  return {day.not_reported, day.verdicts[0] + day.verdicts[1] + day.verdicts[2],
          day.verdicts[3] + day.verdicts[4], day.verdicts[5]};
}

void rectangle(Html& page, Markup css_class, std::uint64_t x, std::uint64_t width, std::uint64_t top,
               std::uint64_t bottom) {
  if (bottom <= top) return;
  page << "<rect class=\"" << css_class << "\"";
  number_attribute(page, "x", x);
  number_attribute(page, "y", top);
  number_attribute(page, "width", width);
  number_attribute(page, "height", bottom - top);
  page << "/>";
}

void legend_item(Html& page, Markup css_class, Markup text) {
  page << "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"" << css_class
       << "\" width=\"10\" height=\"10\"/></svg> " << text << "</li>";
}

void columns(Html& page, const Fleet& fleet) {
  const std::size_t days = fleet.burn_down.size();
  const std::size_t hosts = std::max<std::size_t>(fleet.hosts.size(), 1);
  for (std::size_t i = 0; i < days; ++i) {
    const std::uint64_t x = i * kWidth / days;
    const std::uint64_t next = (i + 1) * kWidth / days;
    const std::uint64_t gap = next - x > 6 ? 2 : 0;
    const Column column = column_of(fleet.burn_down[i]);
    std::size_t sum = 0;
    std::uint64_t top = 0;
    const auto part = [&](Markup css_class, std::size_t count) {
      sum += count;
      const std::uint64_t bottom = sum * kHeight / hosts;
      rectangle(page, css_class, x, next - x - gap, top, bottom);
      top = bottom;
    };
    part("none", column.not_reported);
    part("way", column.in_the_way);
    part("ready", column.ready);
    part("done", column.done);
    page << "\n";
  }
}

void table(Html& page, const Fleet& fleet) {
  page << "<details><summary>The numbers, day by day</summary>\n";
  begin_table(page, "Over time");
  page << "<thead><tr><th scope=\"col\">Day</th><th scope=\"col\" class=\"n\">Something in the way</th>"
          "<th scope=\"col\" class=\"n\">Ready</th><th scope=\"col\" class=\"n\">On eBPF</th>"
          "<th scope=\"col\" class=\"n\">Not reported yet</th></tr></thead>\n<tbody>\n";
  for (const BurnDownDay& day : fleet.burn_down) {
    const Column column = column_of(day);
    page << "<tr><th scope=\"row\">";
    page.text(base::format_date(day.day)) << "</th>";
    for (const std::size_t count : {column.in_the_way, column.ready, column.done, column.not_reported})
      page << "<td class=\"n\">", page.number(count) << "</td>";
    page << "</tr>\n";
  }
  end_table(page);
  page << "</details>\n";
}

}  // namespace

Html html_burn_down(const Fleet& fleet) {
  Html page;
  if (fleet.burn_down.empty()) return page;
  begin_section(page, "time", "Over time");
  const BurnDownDay& first = fleet.burn_down.front();
  const BurnDownDay& last = fleet.burn_down.back();
  page << "<figure><figcaption>Hosts, day by day, each by its newest report of that day or "
          "before</figcaption>\n"
          "<ul class=\"legend\">";
  legend_item(page, "none", "not reported yet");
  legend_item(page, "way", "something in the way");
  legend_item(page, "ready", "ready");
  legend_item(page, "done", "on eBPF");
  page << "</ul>\n<svg role=\"img\" aria-label=\"On ";
  page.text(base::format_date(first.day)) << " ";
  page.number(column_of(first).done) << " hosts were on eBPF, on ";
  page.text(base::format_date(last.day)) << " ";
  page.number(column_of(last).done) << " of ";
  page.number(fleet.hosts.size()) << "\"";
  number_attribute(page, "width", kWidth);
  number_attribute(page, "height", kHeight + kAxis);
  page << " viewBox=\"0 0 ";
  page.text(std::to_string(kWidth) + " " + std::to_string(kHeight + kAxis)) << "\">\n";
  columns(page, fleet);
  page << "<text x=\"0\"";
  number_attribute(page, "y", kHeight + kAxis - 4);
  page << ">";
  page.text(base::format_date(first.day)) << "</text><text text-anchor=\"end\"";
  number_attribute(page, "x", kWidth);
  number_attribute(page, "y", kHeight + kAxis - 4);
  page << ">";
  page.text(base::format_date(last.day)) << "</text>\n</svg></figure>\n";
  table(page, fleet);
  end_section(page);
  return page;
}

}  // namespace auditshift::migrate::fleet
