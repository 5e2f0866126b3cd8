// SPDX-License-Identifier: Apache-2.0
// The part of KernelPrograms that counts events by name.
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>

#include "sensor/kernel_programs.h"
#include "sensor/kernel_side.h"
#include "sensor/record_decoder.h"

namespace auditshift::sensor {
namespace {

/// Everything in a hash map, in a few calls (BPF_MAP_LOOKUP_BATCH, Linux 5.6); `remove` leaves it empty.
template <class Key, class Value>
base::Result<std::vector<std::pair<Key, Value>>> read_map(int map_fd, bool remove) {
  constexpr std::uint32_t kStep = 4096;
  std::vector<Key> keys(kStep);
  std::vector<Value> values(kStep);
  std::vector<std::pair<Key, Value>> result;
  std::uint32_t position = 0;
  bool first = true;
  for (;;) {
    std::uint32_t count = kStep;
    const auto read = remove ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch;
    const int status =
        read(map_fd, first ? nullptr : &position, &position, keys.data(), values.data(), &count, nullptr);
    const bool end = status != 0 && errno == ENOENT;
    if (status != 0 && !end) return base::Error::from_errno(errno, "cannot read the sensor's counters");
    for (std::uint32_t i = 0; i < count; ++i) result.emplace_back(keys[i], values[i]);
    if (end) return result;
    first = false;
  }
}

/// A record that has nothing but these texts, for the decoder that knows how to read them.
std::vector<std::byte> record_of(const as_name_key& key) {
  as_record record{};
  record.kind = key.kind;
  record.syscall = -1;
  std::size_t size = 0;
  const std::size_t first = key.initiator != 0 ? std::size_t{AS_TEXT_EXECUTABLE} : std::size_t{AS_TEXT_PATH};
  const std::size_t texts = key.initiator != 0 ? 1 : AS_NAME_TEXTS;
  for (std::size_t i = 0; i < texts; ++i) {
    as_text& text = record.texts[first + i];
    text.length = key.lengths[i];
    text.flags = key.flags[i];
    size += text.length;
  }
  if (size > sizeof key.bytes) return {};
  record.size = static_cast<std::uint32_t>(sizeof record + size);
  std::vector<std::byte> bytes(record.size);
  const auto* fixed = reinterpret_cast<const std::byte*>(&record);
  std::copy_n(fixed, sizeof record, bytes.begin());
  std::copy_n(reinterpret_cast<const std::byte*>(key.bytes), size, bytes.begin() + sizeof record);
  return bytes;
}

}  // namespace

base::Result<void> KernelPrograms::set_counting(bool on) {
  as_state state = this->state();
  if (on && state.counting == 0) {
    // What an earlier one left, or one that died.
    AUDITSHIFT_TRY_VOID((read_map<as_name_key, as_name_count>(name_counts_.get(), true)));
    AUDITSHIFT_TRY_VOID((read_map<std::uint32_t, std::uint64_t>(call_counts_.get(), true)));
  }
  state.counting = on ? 1 : 0;
  set_state(state);
  return {};
}

base::Result<EventCounts> KernelPrograms::event_counts() const {
  EventCounts counts;
  AUDITSHIFT_TRY(names, (read_map<as_name_key, as_name_count>(name_counts_.get(), false)));
  AUDITSHIFT_TRY(calls, (read_map<std::uint32_t, std::uint64_t>(call_counts_.get(), false)));
  RecordDecoder decoder;
  for (const auto& [key, count] : names) {
    const auto bytes = record_of(key);
    const Event* event = decoder.decode(bytes);
    if (event == nullptr) continue;
    if (key.initiator != 0)
      counts.add_initiator(*event, count.events, count.ns);
    else
      counts.add_names(*event, count.events);
  }
  for (const auto& [number, count] : calls) counts.syscalls[static_cast<int>(number)] = count;
  counts.not_counted = sum(counters()[AS_COUNT_NOT_COUNTED]);
  return counts;
}

}  // namespace auditshift::sensor
