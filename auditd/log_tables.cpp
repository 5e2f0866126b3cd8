// SPDX-License-Identifier: Apache-2.0
#include "auditd/log_tables.h"

#include <cstring>
#include <random>

namespace auditshift::auditd {

Volume& Volume::operator+=(const Volume& other) {
  events += other.events;
  bytes += other.bytes;
  return *this;
}

Interner::Interner(std::size_t limit) : limit_(limit), names_{"(other)"}, slots_(256) {
  std::random_device random;
  seed_ = (std::uint64_t{random()} << 32) | random();
}

std::uint64_t Interner::hash_of(std::string_view bytes) const {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15ULL;
  std::uint64_t hash = seed_ ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t word = 0;
  for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
    std::memcpy(&word, at, sizeof word);
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 29;
  }
  word = 0;
  if (left != 0) std::memcpy(&word, at, left);
  hash = (hash ^ word) * kMultiplier;
  return hash ^ (hash >> 32);
}

std::uint32_t Interner::id_of(std::string_view bytes) {
  if (bytes.size() > kLongestName) return kOther;
  const std::uint64_t hash = hash_of(bytes);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at].id != 0; at = (at + 1) & mask)
    if (slots_[at].hash == hash && names_[slots_[at].id] == bytes) return slots_[at].id;
  if (names_.size() > limit_) return kOther;
  const auto id = static_cast<std::uint32_t>(names_.size());
  names_.emplace_back(bytes);
  slots_[at] = {hash, id};
  if (names_.size() * 2 > slots_.size()) grow();
  return id;
}

void Interner::grow() {
  std::vector<Slot> bigger(slots_.size() * 2);
  const std::size_t mask = bigger.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.id == 0) continue;
    std::size_t at = slot.hash & mask;
    while (bigger[at].id != 0) at = (at + 1) & mask;
    bigger[at] = slot;
  }
  slots_ = std::move(bigger);
}

void DailyTable::flush() {
  const auto day = static_cast<std::uint64_t>(static_cast<std::uint32_t>(day_.time_since_epoch().count()));
  for (std::uint32_t id : touched_) {
    std::uint64_t key = day << 32 | id;
    if (cells_.size() >= cell_limit_ && !cells_.contains(key)) key = day << 32 | Interner::kOther;
    cells_[key] += current_[id];
    current_[id] = {};
  }
  touched_.clear();
}

std::vector<DailyTable::Cell> DailyTable::cells() const {
  std::vector<Cell> all;
  all.reserve(cells_.size());
  for (const auto& [key, volume] : cells_) {
    const auto day = static_cast<std::int32_t>(static_cast<std::uint32_t>(key >> 32));
    all.push_back({static_cast<std::uint32_t>(key), std::chrono::sys_days(std::chrono::days(day)), volume});
  }
  return all;
}

}  // namespace auditshift::auditd
