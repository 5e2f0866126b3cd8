// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/perf_event.h>

#include "base/fd.h"

namespace auditshift::bpf {

/// perf_event_open(2) for all processes on one CPU. Invalid, with errno set, when the kernel refuses.
base::Fd open_perf_event(perf_event_attr attributes, int cpu = 0);

}  // namespace auditshift::bpf
