// SPDX-License-Identifier: Apache-2.0
// The process connector's datagrams: any bytes must be survived, and what is decoded must be applied to a
// table of processes (of a host with an empty /proc) without growth beyond the pids named.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "sensor/proc_connector.h"
#include "sensor/process_table.h"

namespace {

using namespace auditshift;

class Checker final : public sensor::Consumer {
 public:
  void consume(const sensor::Event& event) override {
    if (sensor::kind_name(event.kind).empty() || event.process.comm.size() > 16) std::abort();
  }
  void end_of_batch() override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A tree that has no /proc below it.
  static const auto host = base::Sysroot::open("/dev");
  if (!host.ok()) std::abort();
  sensor::ProcessTable table(sensor::ProcReader(*host, 100), true);
  Checker checker;
  sensor::ProcDatagram datagram(std::as_bytes(std::span(data, size)));
  std::size_t messages = 0;
  for (sensor::ProcMessage message; datagram.next(message); ++messages) table.apply(message, {}, checker);
  if (messages > size || table.size() > 3 * messages) std::abort();
  return 0;
}
