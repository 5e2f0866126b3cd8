// SPDX-License-Identifier: Apache-2.0
// Any bytes as a record of the ring buffer: no read outside them, and every text of the event can be read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "sensor/record_decoder.h"

namespace {

using auditshift::sensor::Event;
using auditshift::sensor::RecordDecoder;

std::size_t read_all(std::string_view text) {
  std::size_t sum = 0;
  for (const char byte : text) sum += static_cast<unsigned char>(byte);
  return sum;
}

std::size_t read_all(const Event& event) {
  return read_all(event.process.comm) + read_all(event.process.executable.text) + read_all(event.path.text) +
         read_all(event.second_path.text) + read_all(event.cwd.text) + read_all(event.argv.text) +
         read_all(event.text) + read_all(event.socket.local.path) + read_all(event.socket.remote.path) +
         read_all(event.syscall.name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A heap block of the exact size, so that AddressSanitizer sees the first byte too many.
  std::vector<std::byte> bytes(size);
  if (size != 0) std::memcpy(bytes.data(), data, size);
  // The length is always wrong after a mutation; with the right one the fuzzer gets further.
  if (size >= sizeof(as_record)) {
    const auto length = static_cast<std::uint32_t>(size);
    std::memcpy(bytes.data(), &length, sizeof length);
  }
  RecordDecoder decoder;
  const Event* event = decoder.decode(bytes);
  if (event != nullptr && read_all(*event) == ~std::size_t{0}) std::abort();
  return 0;
}
