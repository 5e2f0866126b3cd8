// SPDX-License-Identifier: Apache-2.0
// The first byte says into how small pieces the rest, an audit log, is cut.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auditd/log_reader.h"

namespace {

using namespace auditshift::auditd;

LogStatistics count(std::string_view text, std::size_t piece) {
  LogOptions options;
  options.class_limit = 4;
  LogReader reader(options);
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) reader.feed(text.substr(0, piece));
  reader.end_of_file();
  return reader.finish();
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const LogStatistics whole = count(text, text.size() + 1);
  const LogStatistics cut = count(text, std::size_t{1} + data[0]);
  require(whole.lines == cut.lines && whole.malformed == cut.malformed &&
          whole.total.events == cut.total.events && whole.total.bytes == cut.total.bytes &&
          whole.classes.size() == cut.classes.size());
  require(whole.malformed <= whole.lines && whole.total.bytes <= text.size());
  return 0;
}
