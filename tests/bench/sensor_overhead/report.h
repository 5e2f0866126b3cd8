// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace auditshift::bench {

/// What a benchmark has to say: sections of a page, in Markdown, and which of the targets it meets. Both go
/// to standard output and, when there is a directory, to files there, from which run.sh makes the page.
class Report {
 public:
  /// An empty directory: to standard output alone.
  explicit Report(std::string directory) : directory_(std::move(directory)) {}

  /// A section: DIRECTORY/NAME.md.
  void section(const std::string& name, const std::string& text) const;
  /// A target, for the table that run.sh makes of DIRECTORY/targets: a figure that must not be above `most`.
  void target(const std::string& what, double value, double most, const std::string& unit = {}) const;

 private:
  std::string directory_;
};

/// A row of a table in Markdown, with its newline.
std::string row(const std::vector<std::string>& cells);
/// The line below the first row.
std::string rule(std::size_t columns);
/// "1,234", "12.3", "1.23", "0.012": three digits that count, thousands apart.
std::string figure(double value);

}  // namespace auditshift::bench
