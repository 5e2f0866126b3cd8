// SPDX-License-Identifier: Apache-2.0
#include "sensor/format.h"

#include <utility>

#include "sensor/format_tables.h"

namespace auditshift::sensor {

std::optional<Format> format_from_name(std::string_view name) {
  for (const Format format : {Format::ecs, Format::ocsf, Format::raw}) {
    if (format_name(format) == name) return format;
  }
  return std::nullopt;
}

std::string_view format_name(Format format) {
  switch (format) {
    case Format::ecs:
      return "ecs";
    case Format::ocsf:
      return "ocsf";
    case Format::raw:
      return "raw";
  }
  return {};
}

std::span<const Field> format_fields(Format format) {
  switch (format) {
    case Format::ecs:
      return ecs_fields();
    case Format::ocsf:
      return ocsf_fields();
    case Format::raw:
      return raw_fields();
  }
  return {};
}

Formatter::Formatter(Format format, StreamIdentity stream)
    : stream_(std::move(stream)), table_(format_fields(format)) {}

}  // namespace auditshift::sensor
