// SPDX-License-Identifier: Apache-2.0
// The audit stream's records: each line of the input is the type as two bytes, then text. Any bytes must be
// survived by parser, assembler and decoder.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sensor/audit_assembler.h"
#include "sensor/audit_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auditshift::sensor;
  AuditDecoder decoder;
  AuditAssembler assembler([&](const AuditEvent& audit) {
    const Event* event = decoder.decode(audit);
    if (event != nullptr && kind_name(event->kind).empty()) std::abort();
  });
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::chrono::nanoseconds now{0};
  while (rest.size() >= 2) {
    const auto type = static_cast<std::uint16_t>(1300 + static_cast<unsigned char>(rest[0]) % 40);
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    assembler.add(type, rest.substr(0, end), now);
    now += std::chrono::milliseconds(10);
    assembler.expire(now);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  assembler.flush();
  return 0;
}
