// SPDX-License-Identifier: Apache-2.0
#include "sensor/attachment.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/sysroot.h"
#include "bpf/perf_event.h"
#include "bpf/tracepoint_format.h"

namespace auditshift::sensor {
namespace {

const Tracepoint* find_tracepoint(std::string_view program) {
  const auto* const found =
      std::find_if(std::begin(kTracepoints), std::end(kTracepoints),
                   [&](const Tracepoint& candidate) { return candidate.program == program; });
  return found == std::end(kTracepoints) ? nullptr : found;
}

std::uint32_t type_of(const base::Fd& program) {
  bpf_prog_info info{};
  std::uint32_t length = sizeof info;
  return bpf_obj_get_info_by_fd(program.get(), &info, &length) == 0 ? info.type
                                                                    : std::uint32_t{BPF_PROG_TYPE_UNSPEC};
}

std::string event_name(const Tracepoint& tracepoint) {
  return std::string(tracepoint.group) + "/" + std::string(tracepoint.name);
}

/// The program runs on every CPU: it is the tracepoint's, and the event only what it is attached by
/// (perf_event_attach_bpf_prog() in kernel/trace/bpf_trace.c).
base::Result<base::Fd> attach_to_perf_event(const base::Fd& program, const Tracepoint& tracepoint) {
  AUDITSHIFT_TRY(event, open_event(tracepoint));
  base::Fd link(bpf_link_create(program.get(), event.get(), BPF_PERF_EVENT, nullptr));
  if (!link || ::ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0)
    return base::Error::from_errno(errno, "cannot attach to tracepoint/" + event_name(tracepoint));
  return link;
}

}  // namespace

base::Result<base::Fd> open_event(const Tracepoint& tracepoint) {
  const std::string name = event_name(tracepoint);
  AUDITSHIFT_TRY(host, base::Sysroot::open("/"));
  AUDITSHIFT_TRY(format, bpf::read_tracepoint_format(host, name));
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = format.id;
  base::Fd event = bpf::open_perf_event(attributes);
  if (!event) return base::Error::from_errno(errno, "perf_event_open(2) of " + name);
  return event;
}

std::string attach_point(std::string_view program, std::uint32_t type) {
  const Tracepoint* tracepoint = find_tracepoint(program);
  if (tracepoint == nullptr) return "fexit/" + std::string(program);
  if (type != BPF_PROG_TYPE_TRACEPOINT) return "tp_btf/" + std::string(tracepoint->name);
  return "tracepoint/" + event_name(*tracepoint);
}

base::Result<base::Fd> attach_program(const base::Fd& program, std::string_view name) {
  const std::uint32_t type = type_of(program);
  const Tracepoint* tracepoint = find_tracepoint(name);
  if (tracepoint != nullptr && type == BPF_PROG_TYPE_TRACEPOINT)
    return attach_to_perf_event(program, *tracepoint);
  // The programs know from loading where they belong; so it is not only raw tracepoints that this opens.
  base::Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  if (!link) return base::Error::from_errno(errno, "cannot attach to " + attach_point(name, type));
  return link;
}

}  // namespace auditshift::sensor
