// SPDX-License-Identifier: Apache-2.0
#include "bpf/perf_event.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace auditshift::bpf {

base::Fd open_perf_event(perf_event_attr attributes, int cpu) {
  attributes.size = sizeof attributes;
  constexpr int kAllProcesses = -1, kNoGroup = -1;
  return base::Fd(static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, kAllProcesses, cpu, kNoGroup, PERF_FLAG_FD_CLOEXEC)));
}

}  // namespace auditshift::bpf
