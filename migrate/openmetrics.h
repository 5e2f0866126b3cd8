// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace auditshift::migrate {

/// Grows a text in Prometheus' exposition format 0.0.4, as node_exporter's textfile collector reads it: no
/// sample carries a time stamp. Label values are escaped and valid UTF-8.
class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  /// Begins a gauge; its samples follow. REQUIRES: `name` is a metric name, `help` one line.
  void gauge(std::string_view name, std::string_view help);
  /// Begins a counter, a number that only grows until its program starts anew. REQUIRES: `name` ends in
  /// "_total".
  void counter(std::string_view name, std::string_view help);
  void sample(double value, const Labels& labels = {});
  /// One sample for each of `states`: 1 for the current one, 0 for the others.
  void states(std::string_view label, const std::vector<std::string_view>& states, std::string_view current);

  std::string take() { return std::move(out_); }

 private:
  void begin(std::string_view name, std::string_view help, std::string_view type);

  std::string name_;
  std::string out_;
};

}  // namespace auditshift::migrate
