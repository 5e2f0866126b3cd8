// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace auditshift::base {

/// Tells a waiting person or program how far long work is. Implementations limit their own rate.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A new piece of work begins: "reading audit logs".
  virtual void step(std::string_view what) = 0;
  /// So much of it is done. `total` 0: unknown. `unit` is "bytes" or a plural noun.
  virtual void update(std::uint64_t done, std::uint64_t total, std::string_view unit) = 0;
  /// Takes back what is still on the line.
  virtual void finish() = 0;
};

class NoProgress final : public Progress {
 public:
  void step(std::string_view) override {}
  void update(std::uint64_t, std::uint64_t, std::string_view) override {}
  void finish() override {}
};

/// One redrawn line on a terminal.
std::unique_ptr<Progress> make_terminal_progress(std::FILE* stream);
/// One line per step.
std::unique_ptr<Progress> make_line_progress(std::FILE* stream);
/// JSON Lines on a descriptor, at most 5 a second: {"step":…,"done":…,"total":…,"unit":…}. The last one,
/// {"step":"done"}, comes when the object that was finished goes away.
std::unique_ptr<Progress> make_json_progress(int fd);

}  // namespace auditshift::base
