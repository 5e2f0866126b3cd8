// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "sensor/proc_connector.h"

namespace auditshift::sensor {

/// A datagram as the kernel builds it: nlmsghdr, cn_msg, proc_event.
inline std::vector<std::byte> make_datagram(ProcMessage::What what, std::uint32_t cpu, std::uint32_t sequence,
                                            std::uint64_t time, const std::vector<std::uint32_t>& data) {
  std::vector<std::byte> bytes;
  const auto put = [&](const auto& value) {
    const auto* from = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), from, from + sizeof value);
  };
  const std::uint16_t event_size = 40;  // sizeof(struct proc_event)
  put(std::uint32_t{16 + 20 + 40});
  put(std::uint16_t{3});  // NLMSG_DONE
  put(std::uint16_t{0});
  put(std::uint32_t{0});
  put(std::uint32_t{0});
  put(std::uint32_t{1});
  put(std::uint32_t{1});
  put(sequence);
  put(std::uint32_t{0});
  put(event_size);
  put(std::uint16_t{0});
  put(static_cast<std::uint32_t>(what));
  put(cpu);
  put(time);
  for (const std::uint32_t word : data) put(word);
  bytes.resize(16 + 20 + 40);
  return bytes;
}

}  // namespace auditshift::sensor
