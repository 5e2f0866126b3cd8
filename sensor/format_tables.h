// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "sensor/field_table.h"
#include "sensor/kind_profile.h"

namespace auditshift::sensor {

inline constexpr KindSet kExecLike{EventKind::exec, EventKind::running};
inline constexpr KindSet kTargeted{EventKind::fork, EventKind::ptrace, EventKind::process_write};
inline constexpr KindSet kRenameLike{EventKind::rename, EventKind::link};

/// The end that began the connection, and the other one: accept turns them round.
inline const Address& source_of(const Event& event) {
  return event.kind == EventKind::accept ? event.socket.remote : event.socket.local;
}
inline const Address& destination_of(const Event& event) {
  return event.kind == EventKind::accept ? event.socket.local : event.socket.remote;
}

/// Nothing where the family has no ports.
inline void write_port(FieldWriter& out, const Address& address) {
  if (address.family == AddressFamily::ipv4 || address.family == AddressFamily::ipv6)
    out.number(address.port);
}

/// The tables behind format_fields().
std::span<const Field> ecs_fields();
std::span<const Field> ocsf_fields();
std::span<const Field> raw_fields();

}  // namespace auditshift::sensor
