// SPDX-License-Identifier: Apache-2.0
#include "bpf/libbpf_log.h"

#include <bpf/libbpf.h>
#include <spdlog/spdlog.h>

#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "base/text.h"

namespace auditshift::bpf {
namespace {

[[gnu::format(printf, 2, 0)]] int log_message(libbpf_print_level, const char* format, va_list arguments) {
  char text[1024];
  const int length = std::vsnprintf(text, sizeof text, format, arguments);
  if (length < 0) return length;
  const std::string line = base::printable(base::trim(text));
  spdlog::debug("{}", line);
  return length;
}

}  // namespace

void route_libbpf_messages() { libbpf_set_print(log_message); }

}  // namespace auditshift::bpf
