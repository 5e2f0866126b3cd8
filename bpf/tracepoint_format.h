// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::bpf {

/// Where the members of a tracepoint's record are, as its `format` file in tracefs tells it
/// (Documentation/trace/events.rst). They differ between kernels.
struct TracepointFormat {
  struct Field {
    std::uint32_t offset = 0;  ///< bytes from the record's first, common fields included
    std::uint32_t size = 0;
    bool data_location = false;  ///< a __data_loc: the low half of it is where the value is
    bool operator==(const Field&) const = default;
  };

  std::uint32_t id = 0;  ///< what perf_event_open(2) wants
  std::map<std::string, Field, std::less<>> fields;
};

/// Reads the text of such a file. An error when it has no id or no field.
base::Result<TracepointFormat> parse_tracepoint_format(std::string_view text);

/// The directory of tracefs (/sys/kernel/tracing or, before 4.1 and where only that is mounted,
/// /sys/kernel/debug/tracing). Errors: neither is mounted; the kernel is locked down.
base::Result<std::string> tracefs_directory(const base::Sysroot& host);

/// Format of "raw_syscalls/sys_enter" and its like on this host.
base::Result<TracepointFormat> read_tracepoint_format(const base::Sysroot& host, std::string_view tracepoint);

}  // namespace auditshift::bpf
