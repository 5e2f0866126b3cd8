// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auditd/log.h"

namespace auditshift::auditd {

/// Gives each distinct byte string a small number. Bounded: what comes after the limit, or is longer than any
/// name the kernel writes, gets the number kOther. Not thread-safe.
class Interner {
 public:
  static constexpr std::uint32_t kOther = 0;
  static constexpr std::size_t kLongestName = 8192;

  explicit Interner(std::size_t limit);

  std::uint32_t id_of(std::string_view bytes);
  const std::string& name(std::uint32_t id) const { return names_[id]; }
  std::size_t size() const { return names_.size(); }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t id = 0;  ///< 0: free; kOther is never looked up
  };

  std::uint64_t hash_of(std::string_view bytes) const;
  void grow();

  std::size_t limit_;
  std::uint64_t seed_;  ///< attackers choose names; they must not choose the slots as well
  std::deque<std::string> names_;
  std::vector<Slot> slots_;
};

/// Volumes per number and day. The current day lies in a plain array; it moves into the table when another
/// day begins. Bounded: new cells over the limit go to the number Interner::kOther of their day.
class DailyTable {
 public:
  explicit DailyTable(std::size_t cell_limit) : cell_limit_(cell_limit) {}

  void add(std::uint32_t id, Volume volume) {
    if (id >= current_.size()) current_.resize(id + 64);
    Volume& cell = current_[id];
    if (cell.events == 0 && cell.bytes == 0) touched_.push_back(id);
    cell += volume;
  }
  /// All later add() are for this day.
  void set_day(std::chrono::sys_days day) {
    if (day == day_) return;
    flush();
    day_ = day;
  }
  void flush();

  struct Cell {
    std::uint32_t id;
    std::chrono::sys_days day;
    Volume volume;
  };
  /// REQUIRES: flush() was called after the last add().
  std::vector<Cell> cells() const;

 private:
  std::size_t cell_limit_;
  std::chrono::sys_days day_{};
  std::vector<Volume> current_;
  std::vector<std::uint32_t> touched_;
  std::unordered_map<std::uint64_t, Volume> cells_;  ///< day number and id
};

}  // namespace auditshift::auditd
