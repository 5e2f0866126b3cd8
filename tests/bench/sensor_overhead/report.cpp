// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/sensor_overhead/report.h"

#include <cmath>
#include <cstdio>
#include <fstream>

namespace auditshift::bench {

void Report::section(const std::string& name, const std::string& text) const {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  if (!directory_.empty()) std::ofstream(directory_ + "/" + name + ".md") << text;
}

void Report::target(const std::string& what, double value, double most, const std::string& unit) const {
  const bool met = value <= most;
  const std::string line =
      row({what, figure(value) + unit, figure(most) + unit, met ? "met" : "**not met**"});
  std::printf("target %s", line.c_str());
  if (!directory_.empty()) std::ofstream(directory_ + "/targets", std::ios::app) << line;
}

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) text += " " + cell + " |";
  return text + "\n";
}

std::string rule(std::size_t columns) {
  std::string text = "|";
  while (columns-- > 0) text += "---|";
  return text + "\n";
}

std::string figure(double value) {
  char text[32];
  const double size = std::fabs(value);
  const int digits = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : size >= 0.0995 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  std::string result = text;
  const std::size_t first = value < 0 ? 1 : 0;
  if (digits == 0)
    for (std::size_t at = result.size(); at > first + 3;) result.insert(at -= 3, ",");
  return result;
}

}  // namespace auditshift::bench
