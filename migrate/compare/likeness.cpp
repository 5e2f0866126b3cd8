// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/likeness.h"

#include <fcntl.h>

#include <cerrno>
#include <tuple>

#include "sensor/path.h"
#include "sensor/watched_calls.h"

namespace auditshift::migrate::compare {
namespace {

using sensor::Address;
using sensor::Event;
using sensor::EventKind;
using sensor::KindSet;
using sensor::Path;

const Path& path_of(const Event& event, Field field) {
  return field == Field::path ? event.path : event.second_path;
}

/// The end of the connection that the call was given.
const Address& address_of(const Event& event) {
  return event.kind == EventKind::bind ? event.socket.local : event.socket.remote;
}

bool is_name(Field field) { return field == Field::path || field == Field::second_path; }

/// Whether the name starts at a descriptor rather than at the current directory.
bool is_at_descriptor(const Event& event, Field field) {
  const sensor::WatchedCall* call = sensor::find_watched_call(event.syscall.abi, event.syscall.number);
  if (call == nullptr) return false;
  const auto argument = field == Field::path ? call->call.directory : call->call.second_directory;
  return argument >= 1 && argument <= AS_ARGUMENTS &&
         static_cast<int>(event.syscall.arguments[argument - 1U]) != AT_FDCWD;
}

bool works_on_names(EventKind kind) {
  return KindSet{EventKind::rename, EventKind::link,  EventKind::symlink, EventKind::unlink,
                 EventKind::rmdir,  EventKind::mkdir, EventKind::mknod}
      .contains(kind);
}

constexpr Limit kLimits[] = {
    {"a process that a signal ends makes no call that could be audited",
     [](const Event* audit, const Event& sensor, Field field) {
       return field == Field::presence && audit == nullptr && sensor.kind == EventKind::exit &&
              sensor.exit_signal != 0;
     }},
    {"the directory that a descriptor stands for is not told, only the name below it",
     [](const Event* audit, const Event& sensor, Field field) {
       if (!is_name(field) || !is_at_descriptor(sensor, field)) return false;
       const Path& told = path_of(*audit, field);
       sensor::PathBuilder name;
       name.start_at_components({}, true);
       name.add(told.text);
       return told.unresolved && path_of(sensor, field).text.ends_with("/" + std::string(name.text()));
     }},
    {"a file that the call has by descriptor alone has no name",
     [](const Event* audit, const Event& sensor, Field field) {
       return field == Field::path && sensor.path.from_kernel && audit->path.text.empty();
     }},
    {"of a call that failed to move, make or remove a name, names are told only as far as the kernel got",
     [](const Event* audit, const Event& sensor, Field field) {
       return is_name(field) && sensor.syscall.failed() && works_on_names(sensor.kind) &&
              path_of(*audit, field).text.empty();
     }},
    {"a rename that changes nothing, since both names are the same file, has no names",
     [](const Event* audit, const Event& sensor, Field field) {
       return is_name(field) && sensor.kind == EventKind::rename && !sensor.syscall.failed() &&
              audit->path.text.empty() && audit->second_path.text.empty();
     }},
    {"a file made at the end of a symbolic link has no name",
     [](const Event* audit, const Event& sensor, Field field) {
       return field == Field::path && sensor.kind == EventKind::create && audit->path.unreadable;
     }},
    {"the source of a mount is not told",
     [](const Event* audit, const Event& sensor, Field field) {
       return field == Field::second_path && sensor.kind == EventKind::mount &&
              audit->second_path.text.empty();
     }},
    {"the peer of an accepted connection is told only to a caller that asks for it",
     [](const Event* audit, const Event& sensor, Field field) {
       return field == Field::address && sensor.kind == EventKind::accept &&
              sensor.syscall.arguments[1] == 0 && !audit->socket.remote.present();
     }},
    {"the port that the kernel chose is not told",
     [](const Event* audit, const Event& sensor, Field field) {
       return field == Field::address && sensor.kind == EventKind::bind && audit->socket.local.port == 0 &&
              audit->socket.local.bytes == sensor.socket.local.bytes;
     }},
};

/// A unix socket that was never bound: the records give its family, the sensor nothing.
bool is_unnamed(const Address& address) {
  return !address.present() || (address.family == sensor::AddressFamily::unix_socket &&
                                address.path.empty() && !address.abstract_name);
}

bool same_address(const Address& a, const Address& b) {
  if (is_unnamed(a) && is_unnamed(b)) return true;
  return std::tie(a.family, a.bytes, a.port, a.path, a.abstract_name) ==
         std::tie(b.family, b.bytes, b.port, b.path, b.abstract_name);
}

/// What a call returns that a signal interrupted is an inner matter of the kernel (ERESTARTSYS to
/// ERESTART_RESTARTBLOCK, include/linux/errno.h); the audit system writes EINTR instead (kernel/auditsc.c).
std::int64_t result_of(const Event& event) {
  constexpr std::int64_t kFirst = 512, kLast = 516;
  if (-event.syscall.result >= kFirst && -event.syscall.result <= kLast) return -EINTR;
  return event.syscall.result;
}

}  // namespace

EventKey key_of(const Event& event) {
  // Of an exit its code is told; it happens by exit_group or in another way.
  if (event.kind == EventKind::exit) return {event.process.id.pid, event.kind, 0, event.exit_code};
  // The number of a child is another one in each pid namespace.
  if (event.kind == EventKind::fork && event.syscall.result > 0)
    return {event.process.id.pid, event.kind, event.syscall.number, 0};
  return {event.process.id.pid, event.kind, event.syscall.number, result_of(event)};
}

std::string_view field_name(Field field) {
  switch (field) {
    case Field::presence:
      return "presence";
    case Field::path:
      return "path";
    case Field::second_path:
      return "second path";
    case Field::address:
      break;
  }
  return "address";
}

bool same(const Event& audit, const Event& sensor, Field field) {
  if (is_name(field)) return path_of(audit, field).text == path_of(sensor, field).text;
  return field == Field::presence || same_address(address_of(audit), address_of(sensor));
}

std::string value_of(const Event& event, Field field) {
  if (is_name(field)) return "\"" + std::string(path_of(event, field).text) + "\"";
  if (field == Field::presence) return "there";
  const Address& address = address_of(event);
  return std::string(family_name(address.family)) + " " + std::to_string(address.port) + " \"" +
         std::string(address.path) + "\"";
}

std::string object_of(const Event& event) {
  std::string object;
  for (const Field field : {Field::path, Field::second_path}) {
    if (path_of(event, field).text.empty()) continue;
    object += (object.empty() ? "" : " ") + value_of(event, field);
  }
  if (address_of(event).present()) object += (object.empty() ? "" : " ") + value_of(event, Field::address);
  return object;
}

std::span<const Limit> audit_limits() { return kLimits; }

const Limit* explained_by(const Event* audit, const Event& sensor, Field field) {
  for (const Limit& limit : kLimits) {
    if (limit.explains(audit, sensor, field)) return &limit;
  }
  return nullptr;
}

Field first_difference(const Event& audit, const Event& sensor) {
  for (const Field field : {Field::path, Field::second_path, Field::address}) {
    if (!same(audit, sensor, field) && explained_by(&audit, sensor, field) == nullptr) return field;
  }
  return Field::presence;
}

bool may_be_one_process(const Event& audit, const Event& sensor) {
  const auto& a = audit.process;
  const auto& b = sensor.process;
  // The name of a removed or namespaced program is written in different ways; its short name is not.
  return a.executable.text == b.executable.text || a.comm == b.comm;
}

}  // namespace auditshift::migrate::compare
