// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "sensor/event.h"

namespace auditshift::sensor {

/// How the two public schemas classify one kind of event. The table with the reasons: docs/events.md.
struct KindProfile {
  EventKind kind;
  std::string_view ecs_category;  ///< JSON array: ["file"]
  std::string_view ecs_type;      ///< JSON array: ["creation"]
  std::uint16_t ocsf_class;       ///< class_uid, 0 is the base event
  std::uint8_t ocsf_activity;     ///< activity_id of that class, 99 is "other"
};

/// REQUIRES: `kind` is not none.
const KindProfile& kind_profile(EventKind kind);

/// "File System Activity" for 1001.
std::string_view ocsf_class_name(std::uint16_t class_uid);

/// Members of either set.
constexpr KindSet united(KindSet a, const KindSet& b) {
  for (unsigned kind = 1; kind < AS_KIND_LIMIT; ++kind) {
    if (b.contains(static_cast<EventKind>(kind))) a.insert(static_cast<EventKind>(kind));
  }
  return a;
}

/// Members of `a` that are not in `b`.
constexpr KindSet without(KindSet a, const KindSet& b) {
  for (unsigned kind = 1; kind < AS_KIND_LIMIT; ++kind) {
    if (b.contains(static_cast<EventKind>(kind))) a.erase(static_cast<EventKind>(kind));
  }
  return a;
}

inline constexpr KindSet kEveryKind = [] {
  KindSet set;
  for (unsigned kind = 1; kind < AS_KIND_LIMIT; ++kind) set.insert(static_cast<EventKind>(kind));
  return set;
}();
/// Kinds that a process did.
inline constexpr KindSet kSubjectKinds = without(kEveryKind, {EventKind::loss});
inline constexpr KindSet kProcessKinds{EventKind::exec,
                                       EventKind::fork,
                                       EventKind::exit,
                                       EventKind::running,
                                       EventKind::session,
                                       EventKind::name,
                                       EventKind::core_dump,
                                       EventKind::uid_change,
                                       EventKind::gid_change,
                                       EventKind::groups_change,
                                       EventKind::capabilities_change};
inline constexpr KindSet kFileKinds{
    EventKind::open,  EventKind::create, EventKind::rename,    EventKind::unlink,      EventKind::rmdir,
    EventKind::mkdir, EventKind::link,   EventKind::symlink,   EventKind::mknod,       EventKind::truncate,
    EventKind::chmod, EventKind::chown,  EventKind::set_xattr, EventKind::remove_xattr};
inline constexpr KindSet kMountKinds{EventKind::mount, EventKind::unmount};
inline constexpr KindSet kNetworkKinds{EventKind::socket,           EventKind::connect, EventKind::bind,
                                       EventKind::listen,           EventKind::accept,  EventKind::send,
                                       EventKind::set_socket_option};

}  // namespace auditshift::sensor
