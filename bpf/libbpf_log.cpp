// SPDX-License-Identifier: Apache-2.0
#include "bpf/libbpf_log.h"

#include <bpf/libbpf.h>
#include <spdlog/spdlog.h>

#include <cstdarg>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/text.h"

namespace auditshift::bpf {
namespace {

// Of a message; the verifier's have thousands of lines, and the last ones say why.
constexpr std::size_t kLastBytes = 4096;

[[gnu::format(printf, 2, 0)]] int log_message(libbpf_print_level, const char* format, va_list arguments) {
  if (!spdlog::should_log(spdlog::level::debug)) return 0;
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length < 0) return length;
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, arguments);
  text.pop_back();
  if (text.size() > kLastBytes) text.erase(0, text.size() - kLastBytes);
  for (const std::string_view line : base::split(base::trim(text), '\n'))
    spdlog::debug("{}", base::printable(line));
  return length;
}

}  // namespace

void route_libbpf_messages() { libbpf_set_print(log_message); }

}  // namespace auditshift::bpf
