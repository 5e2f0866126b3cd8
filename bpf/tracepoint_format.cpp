// SPDX-License-Identifier: Apache-2.0
#include "bpf/tracepoint_format.h"

#include <optional>

#include "base/text.h"

namespace auditshift::bpf {
namespace {

constexpr std::string_view kId = "ID:";
constexpr std::string_view kField = "field:";

std::optional<std::uint32_t> number_after(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + key.size());
  const auto number = base::parse_decimal(base::trim(line.substr(0, line.find(';'))));
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// "unsigned long args[6]" → "args", "__data_loc char[] filename" → "filename".
std::string name_of(std::string_view declaration) {
  declaration = declaration.substr(0, declaration.find(';'));
  const std::size_t last = declaration.find_last_of(" *");
  std::string_view name = last == std::string_view::npos ? declaration : declaration.substr(last + 1);
  return std::string(name.substr(0, name.find('[')));
}

}  // namespace

base::Result<TracepointFormat> parse_tracepoint_format(std::string_view text) {
  TracepointFormat format;
  for (std::string_view line : base::split(text, '\n')) {
    line = base::trim(line);
    if (line.starts_with(kId)) format.id = number_after(line, kId).value_or(0);
    if (!line.starts_with(kField)) continue;
    const std::string_view declaration = line.substr(kField.size());
    const auto offset = number_after(line, "offset:"), size = number_after(line, "size:");
    if (!offset || !size) continue;
    format.fields[name_of(declaration)] = {*offset, *size, declaration.starts_with("__data_loc")};
  }
  if (format.id == 0 || format.fields.empty())
    return base::Error(base::Errc::invalid, "this is no format of a tracepoint");
  return format;
}

base::Result<std::string> tracefs_directory(const base::Sysroot& host) {
  for (const std::string directory : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    if (host.exists(directory + "/events")) return directory;
  }
  return base::Error(base::Errc::unsupported, "tracefs is not mounted")
      .with_hint("mount -t tracefs tracefs /sys/kernel/tracing");
}

base::Result<TracepointFormat> read_tracepoint_format(const base::Sysroot& host,
                                                      std::string_view tracepoint) {
  AUDITSHIFT_TRY(directory, tracefs_directory(host));
  AUDITSHIFT_TRY(text, host.read_file(directory + "/events/" + std::string(tracepoint) + "/format", 65536));
  auto format = parse_tracepoint_format(text);
  if (!format.ok())
    return base::Error(format.error().code(), std::string(tracepoint) + ": " + format.error().message());
  return format;
}

}  // namespace auditshift::bpf
