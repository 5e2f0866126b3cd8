// SPDX-License-Identifier: Apache-2.0
#include "sensor/format_tables.h"
#include "sensor/kind_profile.h"

namespace auditshift::sensor {
namespace {

using W = FieldWriter;
using R = const Record;

constexpr KindSet kExecLike{EventKind::exec, EventKind::running};
constexpr KindSet kTargeted{EventKind::fork, EventKind::ptrace, EventKind::process_write};
constexpr KindSet kPathKinds =
    united(united(kFileKinds, kMountKinds),
           {EventKind::exec, EventKind::module_load, EventKind::kexec, EventKind::bpf});
constexpr KindSet kSecondPathKinds{EventKind::rename, EventKind::link, EventKind::mount};

bool is_internet(const Address& address) {
  return address.family == AddressFamily::ipv4 || address.family == AddressFamily::ipv6;
}

// The names are those of struct Event.
const Field kFields[] = {
    {"kind", kEveryKind, [](W& w, R& r) { w.text(kind_name(r.event.kind)); }, Scope::stream},
    {"sequence", kEveryKind, [](W& w, R& r) { w.number(r.sequence); }},
    {"provider", kEveryKind, [](W& w, R& r) { w.text(r.provider); }},
    {"boot_ns", kEveryKind, [](W& w, R& r) { w.number(r.event.boot_ns); }},
    {"wall_ns", kEveryKind, [](W& w, R& r) { w.signed_number(r.event.wall_ns); }},
    {"cpu", kSubjectKinds, [](W& w, R& r) { w.number(r.event.cpu); }},
    {"process.pid", kSubjectKinds, [](W& w, R& r) { if (r.event.process.id.pid != 0) w.number(r.event.process.id.pid); }, Scope::process},
    {"process.start_ns", kSubjectKinds, [](W& w, R& r) { if (r.event.process.id.start_ns != 0) w.number(r.event.process.id.start_ns); }, Scope::process},
    {"process.tid", kSubjectKinds, [](W& w, R& r) { if (r.event.process.tid != 0) w.number(r.event.process.tid); }, Scope::process},
    {"process.ppid", kSubjectKinds, [](W& w, R& r) { if (r.event.process.parent.pid != 0) w.number(r.event.process.parent.pid); }, Scope::process},
    {"process.parent_start_ns", kSubjectKinds, [](W& w, R& r) { if (r.event.process.parent.start_ns != 0) w.number(r.event.process.parent.start_ns); }, Scope::process},
    {"process.comm", kSubjectKinds, [](W& w, R& r) { w.text_if(r.event.process.comm); }, Scope::process},
    {"process.exe", kSubjectKinds, [](W& w, R& r) { w.path(r.event.process.executable); }, Scope::process},
    {"process.exe_deleted", kSubjectKinds, [](W& w, R& r) { w.flag(r.event.process.executable.deleted); }, Scope::process},
    {"process.uid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.uid); }, Scope::process},
    {"process.gid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.gid); }, Scope::process},
    {"process.euid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.euid); }, Scope::process},
    {"process.egid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.egid); }, Scope::process},
    {"process.suid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.suid); }, Scope::process},
    {"process.sgid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.sgid); }, Scope::process},
    {"process.fsuid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.fsuid); }, Scope::process},
    {"process.fsgid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.fsgid); }, Scope::process},
    {"process.auid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.auid); }, Scope::process},
    {"process.session", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.session); }, Scope::process},
    {"process.cgroup_id", kSubjectKinds, [](W& w, R& r) { if (r.event.process.cgroup_id != 0) w.number(r.event.process.cgroup_id); }, Scope::process},
    {"process.container_id", kSubjectKinds, [](W& w, R& r) { w.text_if(r.event.process.container_id); }, Scope::process},
    {"process.mount_namespace", kSubjectKinds, [](W& w, R& r) { if (r.event.process.mount_namespace != 0) w.number(r.event.process.mount_namespace); }, Scope::process},
    {"syscall.number", kSubjectKinds, [](W& w, R& r) { if (r.event.syscall.number >= 0) w.signed_number(r.event.syscall.number); }, Scope::call},
    {"syscall.name", kSubjectKinds, [](W& w, R& r) { w.text_if(r.event.syscall.name); }, Scope::call},
    {"syscall.arch", kSubjectKinds, [](W& w, R& r) { w.text_if(abi_name(r.event.syscall.abi)); }, Scope::call},
    {"syscall.result", kSubjectKinds, [](W& w, R& r) { if (r.event.syscall.result_known) w.signed_number(r.event.syscall.result); }},
    {"syscall.arguments", kSubjectKinds, [](W& w, R& r) { w.numbers(r.event.syscall.arguments); }},
    {"path.text", kPathKinds, [](W& w, R& r) { w.path(r.event.path); }},
    {"path.truncated", kPathKinds, [](W& w, R& r) { w.flag(r.event.path.truncated); }},
    {"path.unresolved", kPathKinds, [](W& w, R& r) { w.flag(r.event.path.unresolved); }},
    {"path.unreadable", kPathKinds, [](W& w, R& r) { w.flag(r.event.path.unreadable); }},
    {"path.deleted", kPathKinds, [](W& w, R& r) { w.flag(r.event.path.deleted); }},
    {"path.chroot_relative", kPathKinds, [](W& w, R& r) { w.flag(r.event.path.chroot_relative); }},
    {"path.from_kernel", kPathKinds, [](W& w, R& r) { w.flag(r.event.path.from_kernel); }},
    {"second_path.text", kSecondPathKinds, [](W& w, R& r) { w.path(r.event.second_path); }},
    {"second_path.truncated", kSecondPathKinds, [](W& w, R& r) { w.flag(r.event.second_path.truncated); }},
    {"second_path.unresolved", kSecondPathKinds, [](W& w, R& r) { w.flag(r.event.second_path.unresolved); }},
    {"second_path.unreadable", kSecondPathKinds, [](W& w, R& r) { w.flag(r.event.second_path.unreadable); }},
    {"second_path.deleted", kSecondPathKinds, [](W& w, R& r) { w.flag(r.event.second_path.deleted); }},
    {"second_path.chroot_relative", kSecondPathKinds, [](W& w, R& r) { w.flag(r.event.second_path.chroot_relative); }},
    {"second_path.from_kernel", kSecondPathKinds, [](W& w, R& r) { w.flag(r.event.second_path.from_kernel); }},
    {"cwd.text", kExecLike, [](W& w, R& r) { w.path(r.event.cwd); }},
    {"cwd.truncated", kExecLike, [](W& w, R& r) { w.flag(r.event.cwd.truncated); }},
    {"cwd.unresolved", kExecLike, [](W& w, R& r) { w.flag(r.event.cwd.unresolved); }},
    {"cwd.unreadable", kExecLike, [](W& w, R& r) { w.flag(r.event.cwd.unreadable); }},
    {"cwd.deleted", kExecLike, [](W& w, R& r) { w.flag(r.event.cwd.deleted); }},
    {"cwd.chroot_relative", kExecLike, [](W& w, R& r) { w.flag(r.event.cwd.chroot_relative); }},
    {"cwd.from_kernel", kExecLike, [](W& w, R& r) { w.flag(r.event.cwd.from_kernel); }},
    {"argv", kExecLike, [](W& w, R& r) { w.arguments(r.event.argv); }},
    {"argv_truncated", kExecLike, [](W& w, R& r) { w.flag(r.event.argv.truncated); }},
    {"argv_unreadable", kExecLike, [](W& w, R& r) { w.flag(r.event.argv.unreadable); }},
    {"target.pid", kTargeted, [](W& w, R& r) { if (r.event.target.pid != 0) w.number(r.event.target.pid); }},
    {"target.start_ns", kTargeted, [](W& w, R& r) { if (r.event.target.start_ns != 0) w.number(r.event.target.start_ns); }},
    {"target.tid", kTargeted, [](W& w, R& r) { if (r.event.target_tid != 0) w.number(r.event.target_tid); }},
    {"thread", {EventKind::fork}, [](W& w, R& r) { w.flag(r.event.thread); }},
    {"exit_code", {EventKind::exit}, [](W& w, R& r) { if (r.event.exit_code >= 0) w.signed_number(r.event.exit_code); }},
    {"exit_signal", {EventKind::exit, EventKind::core_dump}, [](W& w, R& r) { if (r.event.exit_signal != 0) w.signed_number(r.event.exit_signal); }},
    {"core_dumped", {EventKind::exit}, [](W& w, R& r) { w.flag(r.event.core_dumped); }},
    {"flags", kSubjectKinds, [](W& w, R& r) { if (r.event.flags != 0) w.number(r.event.flags); }},
    {"mode", {EventKind::create, EventKind::mkdir, EventKind::mknod, EventKind::chmod}, [](W& w, R& r) { w.octal(r.event.mode); }},
    {"owner_uid", {EventKind::chown, EventKind::uid_change}, [](W& w, R& r) { w.id(r.event.owner_uid); }},
    {"owner_gid", {EventKind::chown, EventKind::gid_change}, [](W& w, R& r) { w.id(r.event.owner_gid); }},
    {"device", {EventKind::mknod}, [](W& w, R& r) { w.number(r.event.device); }},
    {"size", {EventKind::truncate, EventKind::set_xattr}, [](W& w, R& r) { w.number(r.event.size); }},
    {"descriptor", kSubjectKinds, [](W& w, R& r) { if (r.event.descriptor >= 0) w.signed_number(r.event.descriptor); }},
    {"command", kSubjectKinds, [](W& w, R& r) { if (r.event.command >= 0) w.signed_number(r.event.command); }},
    {"level", {EventKind::set_socket_option}, [](W& w, R& r) { if (r.event.level >= 0) w.signed_number(r.event.level); }},
    {"text", kSubjectKinds, [](W& w, R& r) { if (r.event.text_present) w.text(r.event.text); }},
    {"text_truncated", kSubjectKinds, [](W& w, R& r) { w.flag(r.event.text_truncated); }},
    {"text_unreadable", kSubjectKinds, [](W& w, R& r) { w.flag(r.event.text_unreadable); }},
    {"socket.family", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.family >= 0) w.signed_number(r.event.socket.family); }},
    {"socket.type", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.type >= 0) w.signed_number(r.event.socket.type); }},
    {"socket.protocol", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.protocol >= 0) w.signed_number(r.event.socket.protocol); }},
    {"socket.local.family", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.local.present()) w.text(family_name(r.event.socket.local.family)); }},
    {"socket.local.address", kNetworkKinds, [](W& w, R& r) { w.address(r.event.socket.local); }},
    {"socket.local.port", kNetworkKinds, [](W& w, R& r) { if (is_internet(r.event.socket.local)) w.number(r.event.socket.local.port); }},
    {"socket.local.scope", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.local.scope != 0) w.number(r.event.socket.local.scope); }},
    {"socket.local.path", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.local.family == AddressFamily::unix_socket) w.text(r.event.socket.local.path); }},
    {"socket.local.abstract", kNetworkKinds, [](W& w, R& r) { w.flag(r.event.socket.local.abstract_name); }},
    {"socket.local.truncated", kNetworkKinds, [](W& w, R& r) { w.flag(r.event.socket.local.truncated); }},
    {"socket.remote.family", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.remote.present()) w.text(family_name(r.event.socket.remote.family)); }},
    {"socket.remote.address", kNetworkKinds, [](W& w, R& r) { w.address(r.event.socket.remote); }},
    {"socket.remote.port", kNetworkKinds, [](W& w, R& r) { if (is_internet(r.event.socket.remote)) w.number(r.event.socket.remote.port); }},
    {"socket.remote.scope", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.remote.scope != 0) w.number(r.event.socket.remote.scope); }},
    {"socket.remote.path", kNetworkKinds, [](W& w, R& r) { if (r.event.socket.remote.family == AddressFamily::unix_socket) w.text(r.event.socket.remote.path); }},
    {"socket.remote.abstract", kNetworkKinds, [](W& w, R& r) { w.flag(r.event.socket.remote.abstract_name); }},
    {"socket.remote.truncated", kNetworkKinds, [](W& w, R& r) { w.flag(r.event.socket.remote.truncated); }},
    {"loss.cause", {EventKind::loss}, [](W& w, R& r) { w.text(r.event.loss.cause); }},
    {"loss.count", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.count); }},
    {"loss.first_ns", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.first_ns); }},
    {"loss.last_ns", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.last_ns); }},
    {"escaped", kEveryKind, [](W& w, R& ) { w.escaped_fields(); }},
};

}  // namespace

std::span<const Field> raw_fields() { return kFields; }

}  // namespace auditshift::sensor
