// SPDX-License-Identifier: Apache-2.0
#include "sensor/errno_name.h"
#include "sensor/format_tables.h"

namespace auditshift::sensor {
namespace {

using W = FieldWriter;
using R = const Record;

constexpr KindSet kSubject = kSubjectKinds;
constexpr KindSet kEvery = kEveryKind;
constexpr KindSet kExit{EventKind::exit};
constexpr KindSet kPaths = united(kFileKinds, kMountKinds);

/// The name under which the file is known after the call.
const Path& resulting_path(const Event& event) {
  return kRenameLike.contains(event.kind) ? event.second_path : event.path;
}

std::string_view directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view extension_of(std::string_view path) {
  const std::string_view name = base_name(path);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot + 1);
}

void write_transport(W& w, const Socket& socket) {
  constexpr int kTcp = 6;
  constexpr int kUdp = 17;
  const bool internet = socket.family == 2 || socket.family == 10;
  if (!internet) return;
  const bool by_default = socket.protocol <= 0;
  if (socket.protocol == kTcp || (by_default && socket.type == 1)) {
    w.text("tcp");
  } else if (socket.protocol == kUdp || (by_default && socket.type == 2)) {
    w.text("udp");
  }
}

void write_start(W& w, const Event& event) {
  const std::uint64_t start = event.process.id.start_ns;
  if (start != 0 && event.boot_ns >= start)
    w.time(event.wall_ns - static_cast<std::int64_t>(event.boot_ns - start));
}

/// As auditbeat does with the effective ones: an id that is the real one is not told again.
void write_other_id(W& w, std::uint32_t id, std::uint32_t real) {
  if (id != real) w.id_text(id);
}

void write_outcome(W& w, const Event& event) {
  if (event.syscall.result_known) w.text(event.syscall.failed() ? "failure" : "success");
}

const Field kFields[] = {
    {"@timestamp", kEvery, [](W& w, R& r) { w.time(r.event.wall_ns); }},
    {"ecs.version", kEvery, [](W& w, R&) { w.json(R"("8.11.0")"); }, Scope::stream},
    {"agent.type", kEvery, [](W& w, R&) { w.json(R"("auditshift")"); }, Scope::stream},
    {"agent.version", kEvery, [](W& w, R& r) { w.text(r.stream.version); }, Scope::stream},
    {"host.hostname", kEvery, [](W& w, R& r) { w.text(r.stream.hostname); }, Scope::stream},
    {"host.id", kEvery, [](W& w, R& r) { w.text_if(r.stream.machine_id); }, Scope::stream},
    {"host.boot.id", kEvery, [](W& w, R& r) { w.text_if(r.stream.boot_id); }, Scope::stream},
    {"host.os.type", kEvery, [](W& w, R&) { w.json(R"("linux")"); }, Scope::stream},
    {"host.os.kernel", kEvery, [](W& w, R& r) { w.text_if(r.stream.kernel); }, Scope::stream},
    {"event.module", kEvery, [](W& w, R&) { w.json(R"("auditshift")"); }, Scope::stream},
    {"event.dataset", kEvery, [](W& w, R&) { w.json(R"("auditshift.events")"); }, Scope::stream},
    {"event.kind", kEvery,
     [](W& w, R& r) { w.json(r.event.kind == EventKind::running ? R"("state")" : R"("event")"); }, Scope::stream},
    {"event.category", kEvery, [](W& w, R& r) { w.json(kind_profile(r.event.kind).ecs_category); }, Scope::stream},
    {"event.type", kEvery, [](W& w, R& r) { w.json(kind_profile(r.event.kind).ecs_type); }, Scope::stream},
    {"event.action", kEvery, [](W& w, R& r) { w.text(kind_name(r.event.kind)); }, Scope::stream},
    {"event.provider", kEvery, [](W& w, R& r) { w.text(r.provider); }, Scope::stream},
    {"event.outcome", kSubject, [](W& w, R& r) { write_outcome(w, r.event); }},
    {"event.sequence", kEvery, [](W& w, R& r) { w.number(r.sequence); }},
    {"error.code", kSubject, [](W& w, R& r) { w.text_if(errno_name(r.event.syscall.error())); }},
    {"process.pid", kSubject, [](W& w, R& r) { if (r.event.process.id.pid != 0) w.number(r.event.process.id.pid); }, Scope::process},
    {"process.entity_id", kSubject, [](W& w, R& r) { w.process_id(r.stream, r.event.process.id); }, Scope::process},
    {"process.name", kSubject, [](W& w, R& r) { w.text_if(r.event.process.comm); }, Scope::process},
    {"process.executable", kSubject, [](W& w, R& r) { w.path(r.event.process.executable); }, Scope::process},
    {"process.args", kExecLike, [](W& w, R& r) { w.arguments(r.event.argv); }},
    {"process.command_line", kExecLike, [](W& w, R& r) { w.command_line(r.event.argv); }},
    {"process.working_directory", kExecLike, [](W& w, R& r) { w.path(r.event.cwd); }},
    {"process.start", kSubject, [](W& w, R& r) { write_start(w, r.event); }, Scope::process},
    {"process.end", kExit, [](W& w, R& r) { w.time(r.event.wall_ns); }},
    {"process.exit_code", kExit, [](W& w, R& r) { if (r.event.exit_code >= 0) w.signed_number(r.event.exit_code); }},
    {"process.thread.id", kSubject, [](W& w, R& r) { if (r.event.process.tid != 0) w.number(r.event.process.tid); }, Scope::process},
    {"process.parent.pid", kSubject,
     [](W& w, R& r) { if (r.event.process.parent.pid != 0) w.number(r.event.process.parent.pid); }, Scope::process},
    {"process.parent.entity_id", kSubject, [](W& w, R& r) { w.process_id(r.stream, r.event.process.parent); }, Scope::process},
    {"user.id", kSubject, [](W& w, R& r) { w.id_text(r.event.process.uid); }, Scope::process},
    {"user.group.id", kSubject, [](W& w, R& r) { w.id_text(r.event.process.gid); }, Scope::process},
    {"user.effective.id", kSubject, [](W& w, R& r) { write_other_id(w, r.event.process.euid, r.event.process.uid); }, Scope::process},
    {"user.effective.group.id", kSubject, [](W& w, R& r) { write_other_id(w, r.event.process.egid, r.event.process.gid); }, Scope::process},
    {"user.saved.id", kSubject, [](W& w, R& r) { write_other_id(w, r.event.process.suid, r.event.process.uid); }, Scope::process},
    {"user.saved.group.id", kSubject, [](W& w, R& r) { write_other_id(w, r.event.process.sgid, r.event.process.gid); }, Scope::process},
    {"user.filesystem.id", kSubject, [](W& w, R& r) { write_other_id(w, r.event.process.fsuid, r.event.process.uid); }, Scope::process},
    {"user.filesystem.group.id", kSubject, [](W& w, R& r) { write_other_id(w, r.event.process.fsgid, r.event.process.gid); }, Scope::process},
    {"user.audit.id", kSubject, [](W& w, R& r) { w.id_text(r.event.process.auid); }, Scope::process},
    {"container.id", kSubject, [](W& w, R& r) { w.text_if(r.event.process.container_id); }, Scope::process},
    {"file.path", kFileKinds, [](W& w, R& r) { w.path(resulting_path(r.event)); }},
    {"file.name", kFileKinds, [](W& w, R& r) { w.text_if(base_name(resulting_path(r.event).text)); }},
    {"file.directory", kFileKinds, [](W& w, R& r) { w.text_if(directory_of(resulting_path(r.event).text)); }},
    {"file.extension", kFileKinds, [](W& w, R& r) { w.text_if(extension_of(resulting_path(r.event).text)); }},
    {"file.target_path", {EventKind::link, EventKind::symlink},
     [](W& w, R& r) {
       if (r.event.kind == EventKind::link) w.path(r.event.path);
       else if (r.event.text_present) w.text(r.event.text);
     }},
    {"file.mode", {EventKind::create, EventKind::mkdir, EventKind::mknod, EventKind::chmod},
     [](W& w, R& r) { w.octal(r.event.mode & 07777); }},
    {"file.uid", {EventKind::chown}, [](W& w, R& r) { w.id_text(r.event.owner_uid); }},
    {"file.gid", {EventKind::chown}, [](W& w, R& r) { w.id_text(r.event.owner_gid); }},
    {"file.size", {EventKind::truncate}, [](W& w, R& r) { w.number(r.event.size); }},
    {"network.type", kNetworkKinds,
     [](W& w, R& r) {
       if (r.event.socket.family == 2) w.json(R"("ipv4")");
       else if (r.event.socket.family == 10) w.json(R"("ipv6")");
     }},
    {"network.transport", kNetworkKinds, [](W& w, R& r) { write_transport(w, r.event.socket); }},
    {"network.direction", {EventKind::connect, EventKind::accept, EventKind::send},
     [](W& w, R& r) { w.text(r.event.kind == EventKind::accept ? "ingress" : "egress"); }},
    {"source.address", kNetworkKinds,
     [](W& w, R& r) { if (const Address& a = source_of(r.event); a.path.empty()) w.address(a); else w.text(a.path); }},
    {"source.ip", kNetworkKinds, [](W& w, R& r) { w.address(source_of(r.event)); }},
    {"source.port", kNetworkKinds, [](W& w, R& r) { write_port(w, source_of(r.event)); }},
    {"destination.address", kNetworkKinds,
     [](W& w, R& r) {
       if (const Address& a = destination_of(r.event); a.path.empty()) w.address(a); else w.text(a.path);
     }},
    {"destination.ip", kNetworkKinds, [](W& w, R& r) { w.address(destination_of(r.event)); }},
    {"destination.port", kNetworkKinds, [](W& w, R& r) { write_port(w, destination_of(r.event)); }},
    {"auditshift.boot_ns", kEvery, [](W& w, R& r) { w.number(r.event.boot_ns); }},
    {"auditshift.syscall.name", kSubject, [](W& w, R& r) { w.text_if(r.event.syscall.name); }, Scope::call},
    {"auditshift.syscall.number", kSubject,
     [](W& w, R& r) { if (r.event.syscall.number >= 0) w.signed_number(r.event.syscall.number); }, Scope::call},
    {"auditshift.syscall.arch", kSubject, [](W& w, R& r) { w.text_if(abi_name(r.event.syscall.abi)); }, Scope::call},
    {"auditshift.syscall.result", kSubject,
     [](W& w, R& r) { if (r.event.syscall.result_known) w.signed_number(r.event.syscall.result); }},
    {"auditshift.session", kSubject, [](W& w, R& r) { w.id(r.event.process.session); }, Scope::process},
    {"auditshift.cgroup_id", kSubject,
     [](W& w, R& r) { if (r.event.process.cgroup_id != 0) w.number(r.event.process.cgroup_id); }, Scope::process},
    {"auditshift.mount_namespace", kSubject,
     [](W& w, R& r) { if (r.event.process.mount_namespace != 0) w.number(r.event.process.mount_namespace); }, Scope::process},
    {"auditshift.requested_path", {EventKind::exec}, [](W& w, R& r) { w.path(r.event.path); }},
    {"auditshift.original_path", {EventKind::rename}, [](W& w, R& r) { w.path(r.event.path); }},
    {"auditshift.mount_point", kMountKinds, [](W& w, R& r) { w.path(r.event.path); }},
    {"auditshift.mount_source", {EventKind::mount}, [](W& w, R& r) { w.path(r.event.second_path); }},
    {"auditshift.path_truncated", kPaths,
     [](W& w, R& r) { w.flag(r.event.path.truncated || r.event.second_path.truncated); }},
    {"auditshift.path_unresolved", kPaths,
     [](W& w, R& r) { w.flag(r.event.path.unresolved || r.event.second_path.unresolved); }},
    {"auditshift.path_unreadable", kPaths,
     [](W& w, R& r) { w.flag(r.event.path.unreadable || r.event.second_path.unreadable); }},
    {"auditshift.args_truncated", kExecLike, [](W& w, R& r) { w.flag(r.event.argv.truncated); }},
    {"auditshift.args_unreadable", kExecLike, [](W& w, R& r) { w.flag(r.event.argv.unreadable); }},
    {"auditshift.target.pid", kTargeted,
     [](W& w, R& r) { if (r.event.target.pid != 0) w.number(r.event.target.pid); }},
    {"auditshift.target.entity_id", kTargeted, [](W& w, R& r) { w.process_id(r.stream, r.event.target); }},
    {"auditshift.target.thread_id", kTargeted, [](W& w, R& r) { if (r.event.target_tid != 0) w.number(r.event.target_tid); }},
    {"auditshift.thread", {EventKind::fork}, [](W& w, R& r) { w.flag(r.event.thread); }},
    {"auditshift.signal", {EventKind::exit, EventKind::core_dump},
     [](W& w, R& r) { if (r.event.exit_signal != 0) w.signed_number(r.event.exit_signal); }},
    {"auditshift.core_dumped", kExit, [](W& w, R& r) { w.flag(r.event.core_dumped); }},
    {"auditshift.requested_uid", {EventKind::uid_change}, [](W& w, R& r) { w.id(r.event.owner_uid); }},
    {"auditshift.requested_gid", {EventKind::gid_change}, [](W& w, R& r) { w.id(r.event.owner_gid); }},
    {"auditshift.flags", kSubject, [](W& w, R& r) { if (r.event.flags != 0) w.number(r.event.flags); }},
    {"auditshift.command", kSubject, [](W& w, R& r) { if (r.event.command >= 0) w.signed_number(r.event.command); }},
    {"auditshift.level", {EventKind::set_socket_option},
     [](W& w, R& r) { if (r.event.level >= 0) w.signed_number(r.event.level); }},
    {"auditshift.device", {EventKind::mknod}, [](W& w, R& r) { w.number(r.event.device); }},
    {"auditshift.descriptor", kSubject,
     [](W& w, R& r) { if (r.event.descriptor >= 0) w.signed_number(r.event.descriptor); }},
    {"auditshift.text", kSubject,
     [](W& w, R& r) { if (r.event.text_present && r.event.kind != EventKind::symlink) w.text(r.event.text); }},
    {"auditshift.text_truncated", kSubject, [](W& w, R& r) { w.flag(r.event.text_truncated); }},
    {"auditshift.text_unreadable", kSubject, [](W& w, R& r) { w.flag(r.event.text_unreadable); }},
    {"auditshift.socket.family", kNetworkKinds,
     [](W& w, R& r) { if (r.event.socket.family >= 0) w.signed_number(r.event.socket.family); }},
    {"auditshift.socket.type", kNetworkKinds,
     [](W& w, R& r) { if (r.event.socket.type >= 0) w.signed_number(r.event.socket.type); }},
    {"auditshift.socket.protocol", kNetworkKinds,
     [](W& w, R& r) { if (r.event.socket.protocol >= 0) w.signed_number(r.event.socket.protocol); }},
    {"auditshift.socket.abstract", kNetworkKinds,
     [](W& w, R& r) { w.flag(r.event.socket.local.abstract_name || r.event.socket.remote.abstract_name); }},
    {"auditshift.loss.cause", {EventKind::loss}, [](W& w, R& r) { w.text(r.event.loss.cause); }},
    {"auditshift.loss.count", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.count); }},
    {"auditshift.loss.first_ns", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.first_ns); }},
    {"auditshift.loss.last_ns", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.last_ns); }},
    {"auditshift.escaped", kEvery, [](W& w, R&) { w.escaped_fields(); }},
};

}  // namespace

std::span<const Field> ecs_fields() { return kFields; }

}  // namespace auditshift::sensor
