// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace auditshift::bpf {

/// Sends what libbpf has to say to the process's logger, at level debug, instead of standard error: what
/// fails is reported by whoever called libbpf. For the whole process; calling it again changes nothing.
void route_libbpf_messages();

}  // namespace auditshift::bpf
