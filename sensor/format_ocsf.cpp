// SPDX-License-Identifier: Apache-2.0
#include "sensor/errno_name.h"
#include "sensor/format_tables.h"

namespace auditshift::sensor {
namespace {

using W = FieldWriter;
using R = const Record;

constexpr KindSet kSelf = without(kProcessKinds, kTargeted);
constexpr KindSet kReflexive = without(kSelf, kExecLike);
constexpr KindSet kActor = without(kSubjectKinds, kSelf);
constexpr KindSet kFileOrMount = united(kFileKinds, kMountKinds);
constexpr KindSet kKernelKinds{EventKind::bpf, EventKind::kexec, EventKind::time_change,
                               EventKind::host_name_change};
constexpr KindSet kModuleKinds{EventKind::module_load, EventKind::module_unload};

constexpr unsigned kNetworkActivity = 4001;
constexpr unsigned kNetworkFail = 4;

unsigned activity(const Event& event) {
  const KindProfile& profile = kind_profile(event.kind);
  if (profile.ocsf_class == kNetworkActivity && profile.ocsf_activity == 1 && event.syscall.failed())
    return kNetworkFail;
  return profile.ocsf_activity;
}

void write_created(W& w, const Event& event) {
  const std::uint64_t start = event.process.id.start_ns;
  if (start == 0 || event.boot_ns < start) return;
  w.signed_number((event.wall_ns - static_cast<std::int64_t>(event.boot_ns - start)) / 1'000'000);
}

/// type_id of OCSF's file object: 0 unknown, 2 folder, 7 symbolic link.
unsigned file_type(EventKind kind) {
  switch (kind) {
    case EventKind::mkdir:
    case EventKind::rmdir:
    case EventKind::mount:
    case EventKind::unmount:
      return 2;
    case EventKind::symlink:
      return 7;
    default:
      return 0;
  }
}

/// direction_id of OCSF's connection_info: 0 unknown, 1 inbound, 2 outbound.
unsigned direction(EventKind kind) {
  switch (kind) {
    case EventKind::accept:
      return 1;
    case EventKind::connect:
    case EventKind::send:
      return 2;
    default:
      return 0;
  }
}

const Field kFields[] = {
    {"time", kEveryKind, [](W& w, R& r) { w.signed_number(r.event.wall_ns / 1'000'000); }},
    {"class_uid", kEveryKind, [](W& w, R& r) { w.number(kind_profile(r.event.kind).ocsf_class); }, Scope::stream},
    {"class_name", kEveryKind, [](W& w, R& r) { w.text(ocsf_class_name(kind_profile(r.event.kind).ocsf_class)); }, Scope::stream},
    {"category_uid", kEveryKind, [](W& w, R& r) { w.number(kind_profile(r.event.kind).ocsf_class / 1000U); }, Scope::stream},
    {"activity_id", kEveryKind, [](W& w, R& r) { w.number(activity(r.event)); }},
    {"activity_name", kEveryKind, [](W& w, R& r) { w.text(kind_name(r.event.kind)); }, Scope::stream},
    {"type_uid", kEveryKind,
     [](W& w, R& r) { w.number(kind_profile(r.event.kind).ocsf_class * 100U + activity(r.event)); }},
    {"severity_id", kEveryKind, [](W& w, R& r) { w.json(r.event.kind == EventKind::loss ? "3" : "1"); }, Scope::stream},
    {"status_id", kSubjectKinds,
     [](W& w, R& r) { if (r.event.syscall.result_known) w.json(r.event.syscall.failed() ? "2" : "1"); }},
    {"status_code", kSubjectKinds, [](W& w, R& r) { w.text_if(errno_name(r.event.syscall.error())); }},
    {"device.hostname", kEveryKind, [](W& w, R& r) { w.text(r.stream.hostname); }, Scope::stream},
    {"device.uid", kEveryKind, [](W& w, R& r) { w.text_if(r.stream.machine_id); }, Scope::stream},
    {"device.type_id", kEveryKind, [](W& w, R&) { w.json("0"); }, Scope::stream},
    {"device.os.name", kEveryKind, [](W& w, R&) { w.json(R"("Linux")"); }, Scope::stream},
    {"device.os.type_id", kEveryKind, [](W& w, R&) { w.json("200"); }, Scope::stream},
    {"device.os.kernel_release", kEveryKind, [](W& w, R& r) { w.text_if(r.stream.kernel); }, Scope::stream},
    {"metadata.version", kEveryKind, [](W& w, R&) { w.json(R"("1.4.0")"); }, Scope::stream},
    {"metadata.product.name", kEveryKind, [](W& w, R&) { w.json(R"("auditshift")"); }, Scope::stream},
    {"metadata.product.vendor_name", kEveryKind, [](W& w, R&) { w.json(R"("auditshift")"); }, Scope::stream},
    {"metadata.product.version", kEveryKind, [](W& w, R& r) { w.text(r.stream.version); }, Scope::stream},
    {"metadata.log_provider", kEveryKind, [](W& w, R& r) { w.text(r.provider); }},
    {"metadata.sequence", kEveryKind, [](W& w, R& r) { w.number(r.sequence); }},
    // The actor: the process itself where it acts on something else, its parent where it was started, and
    // in short form where it acts on itself.
    {"actor.process.pid", kActor, [](W& w, R& r) { if (r.event.process.id.pid != 0) w.number(r.event.process.id.pid); }, Scope::process},
    {"actor.process.uid", kActor, [](W& w, R& r) { w.process_id(r.stream, r.event.process.id); }, Scope::process},
    {"actor.process.name", kActor, [](W& w, R& r) { w.text_if(r.event.process.comm); }, Scope::process},
    {"actor.process.tid", kActor, [](W& w, R& r) { if (r.event.process.tid != 0) w.number(r.event.process.tid); }, Scope::process},
    {"actor.process.created_time", kActor, [](W& w, R& r) { write_created(w, r.event); }, Scope::process},
    {"actor.process.file.name", kActor, [](W& w, R& r) { w.text_if(base_name(r.event.process.executable.text)); }, Scope::process},
    {"actor.process.file.path", kActor, [](W& w, R& r) { w.path(r.event.process.executable); }, Scope::process},
    {"actor.process.file.type_id", kActor, [](W& w, R& r) { if (!r.event.process.executable.text.empty()) w.json("1"); }, Scope::process},
    {"actor.process.user.uid", kActor, [](W& w, R& r) { w.id_text(r.event.process.euid); }, Scope::process},
    {"actor.process.group.uid", kActor, [](W& w, R& r) { w.id_text(r.event.process.egid); }, Scope::process},
    {"actor.process.auid", kActor, [](W& w, R& r) { w.id(r.event.process.auid); }, Scope::process},
    {"actor.process.euid", kActor, [](W& w, R& r) { w.id(r.event.process.euid); }, Scope::process},
    {"actor.process.egid", kActor, [](W& w, R& r) { w.id(r.event.process.egid); }, Scope::process},
    {"actor.process.session.uid", kActor, [](W& w, R& r) { w.id_text(r.event.process.session); }, Scope::process},
    {"actor.process.container.uid", kActor, [](W& w, R& r) { w.text_if(r.event.process.container_id); }, Scope::process},
    {"actor.process.parent_process.pid", kActor, [](W& w, R& r) { if (r.event.process.parent.pid != 0) w.number(r.event.process.parent.pid); }, Scope::process},
    {"actor.process.parent_process.uid", kActor, [](W& w, R& r) { w.process_id(r.stream, r.event.process.parent); }, Scope::process},
    {"actor.process.pid", kExecLike, [](W& w, R& r) { if (r.event.process.parent.pid != 0) w.number(r.event.process.parent.pid); }, Scope::process},
    {"actor.process.uid", kExecLike, [](W& w, R& r) { w.process_id(r.stream, r.event.process.parent); }, Scope::process},
    {"actor.process.pid", kReflexive, [](W& w, R& r) { if (r.event.process.id.pid != 0) w.number(r.event.process.id.pid); }, Scope::process},
    {"actor.process.uid", kReflexive, [](W& w, R& r) { w.process_id(r.stream, r.event.process.id); }, Scope::process},
    {"actor.process.name", kReflexive, [](W& w, R& r) { w.text_if(r.event.process.comm); }, Scope::process},
    {"process.pid", kSelf, [](W& w, R& r) { if (r.event.process.id.pid != 0) w.number(r.event.process.id.pid); }, Scope::process},
    {"process.uid", kSelf, [](W& w, R& r) { w.process_id(r.stream, r.event.process.id); }, Scope::process},
    {"process.name", kSelf, [](W& w, R& r) { w.text_if(r.event.process.comm); }, Scope::process},
    {"process.tid", kSelf, [](W& w, R& r) { if (r.event.process.tid != 0) w.number(r.event.process.tid); }, Scope::process},
    {"process.cmd_line", kExecLike, [](W& w, R& r) { w.command_line(r.event.argv); }},
    {"process.created_time", kSelf, [](W& w, R& r) { write_created(w, r.event); }, Scope::process},
    {"process.file.name", kSelf, [](W& w, R& r) { w.text_if(base_name(r.event.process.executable.text)); }, Scope::process},
    {"process.file.path", kSelf, [](W& w, R& r) { w.path(r.event.process.executable); }, Scope::process},
    {"process.file.type_id", kSelf, [](W& w, R& r) { if (!r.event.process.executable.text.empty()) w.json("1"); }, Scope::process},
    {"process.user.uid", kSelf, [](W& w, R& r) { w.id_text(r.event.process.euid); }, Scope::process},
    {"process.group.uid", kSelf, [](W& w, R& r) { w.id_text(r.event.process.egid); }, Scope::process},
    {"process.auid", kSelf, [](W& w, R& r) { w.id(r.event.process.auid); }, Scope::process},
    {"process.euid", kSelf, [](W& w, R& r) { w.id(r.event.process.euid); }, Scope::process},
    {"process.egid", kSelf, [](W& w, R& r) { w.id(r.event.process.egid); }, Scope::process},
    {"process.session.uid", kSelf, [](W& w, R& r) { w.id_text(r.event.process.session); }, Scope::process},
    {"process.container.uid", kSelf, [](W& w, R& r) { w.text_if(r.event.process.container_id); }, Scope::process},
    {"process.parent_process.pid", kSelf, [](W& w, R& r) { if (r.event.process.parent.pid != 0) w.number(r.event.process.parent.pid); }, Scope::process},
    {"process.parent_process.uid", kSelf, [](W& w, R& r) { w.process_id(r.stream, r.event.process.parent); }, Scope::process},
    {"process.pid", kTargeted, [](W& w, R& r) { if (r.event.target.pid != 0) w.number(r.event.target.pid); }},
    {"process.uid", kTargeted, [](W& w, R& r) { w.process_id(r.stream, r.event.target); }},
    {"process.tid", kTargeted, [](W& w, R& r) { if (r.event.target_tid != 0) w.number(r.event.target_tid); }},
    {"file.name", kFileOrMount, [](W& w, R& r) { w.text(base_name(r.event.path.text)); }},
    {"file.path", kFileOrMount, [](W& w, R& r) { w.path(r.event.path); }},
    {"file.type_id", kFileOrMount, [](W& w, R& r) { w.number(file_type(r.event.kind)); }},
    {"file_result.name", kRenameLike, [](W& w, R& r) { w.text(base_name(r.event.second_path.text)); }},
    {"file_result.path", kRenameLike, [](W& w, R& r) { w.path(r.event.second_path); }},
    {"file_result.type_id", kRenameLike, [](W& w, R&) { w.json("0"); }},
    {"kernel.name", kKernelKinds, [](W& w, R& r) { w.text(r.event.syscall.name); }},
    {"kernel.type_id", kKernelKinds, [](W& w, R&) { w.json("2"); }},
    {"driver.file.name", kModuleKinds,
     [](W& w, R& r) { w.text(r.event.path.text.empty() ? r.event.text : base_name(r.event.path.text)); }},
    {"driver.file.path", kModuleKinds, [](W& w, R& r) { w.path(r.event.path); }},
    {"driver.file.type_id", kModuleKinds, [](W& w, R&) { w.json("1"); }},
    {"src_endpoint.ip", kNetworkKinds, [](W& w, R& r) { w.address(source_of(r.event)); }},
    {"src_endpoint.port", kNetworkKinds, [](W& w, R& r) { write_port(w, source_of(r.event)); }},
    {"src_endpoint.name", kNetworkKinds, [](W& w, R& r) { w.text_if(source_of(r.event).path); }},
    {"dst_endpoint.ip", kNetworkKinds, [](W& w, R& r) { w.address(destination_of(r.event)); }},
    {"dst_endpoint.port", kNetworkKinds, [](W& w, R& r) { write_port(w, destination_of(r.event)); }},
    {"dst_endpoint.name", kNetworkKinds, [](W& w, R& r) { w.text_if(destination_of(r.event).path); }},
    {"connection_info.direction_id", kNetworkKinds, [](W& w, R& r) { w.number(direction(r.event.kind)); }},
    {"connection_info.protocol_num", kNetworkKinds,
     [](W& w, R& r) { if (r.event.socket.protocol >= 0) w.signed_number(r.event.socket.protocol); }},
    {"unmapped.boot_ns", kEveryKind, [](W& w, R& r) { w.number(r.event.boot_ns); }},
    {"unmapped.wall_ns", kEveryKind, [](W& w, R& r) { w.signed_number(r.event.wall_ns); }},
    {"unmapped.syscall", kSubjectKinds, [](W& w, R& r) { w.text_if(r.event.syscall.name); }, Scope::call},
    {"unmapped.syscall_number", kSubjectKinds, [](W& w, R& r) { if (r.event.syscall.number >= 0) w.signed_number(r.event.syscall.number); }, Scope::call},
    {"unmapped.arch", kSubjectKinds, [](W& w, R& r) { w.text_if(abi_name(r.event.syscall.abi)); }, Scope::call},
    {"unmapped.result", kSubjectKinds, [](W& w, R& r) { if (r.event.syscall.result_known) w.signed_number(r.event.syscall.result); }},
    {"unmapped.cwd", kExecLike, [](W& w, R& r) { w.path(r.event.cwd); }},
    {"unmapped.args", kExecLike, [](W& w, R& r) { w.arguments(r.event.argv); }},
    {"unmapped.args_truncated", kExecLike, [](W& w, R& r) { w.flag(r.event.argv.truncated); }},
    {"unmapped.path_truncated", kFileOrMount, [](W& w, R& r) { w.flag(r.event.path.truncated || r.event.second_path.truncated); }},
    {"unmapped.path_unresolved", kFileOrMount, [](W& w, R& r) { w.flag(r.event.path.unresolved || r.event.second_path.unresolved); }},
    {"unmapped.path_unreadable", kFileOrMount, [](W& w, R& r) { w.flag(r.event.path.unreadable || r.event.second_path.unreadable); }},
    {"unmapped.exit_code", {EventKind::exit}, [](W& w, R& r) { if (r.event.exit_code >= 0) w.signed_number(r.event.exit_code); }},
    {"unmapped.signal", {EventKind::exit, EventKind::core_dump}, [](W& w, R& r) { if (r.event.exit_signal != 0) w.signed_number(r.event.exit_signal); }},
    {"unmapped.thread", {EventKind::fork}, [](W& w, R& r) { w.flag(r.event.thread); }},
    {"unmapped.flags", kSubjectKinds, [](W& w, R& r) { if (r.event.flags != 0) w.number(r.event.flags); }},
    {"unmapped.mode", {EventKind::create, EventKind::mkdir, EventKind::mknod, EventKind::chmod}, [](W& w, R& r) { w.octal(r.event.mode & 07777); }},
    {"unmapped.owner_uid", {EventKind::chown, EventKind::uid_change}, [](W& w, R& r) { w.id(r.event.owner_uid); }},
    {"unmapped.owner_gid", {EventKind::chown, EventKind::gid_change}, [](W& w, R& r) { w.id(r.event.owner_gid); }},
    {"unmapped.size", {EventKind::truncate, EventKind::set_xattr}, [](W& w, R& r) { w.number(r.event.size); }},
    {"unmapped.command", kSubjectKinds, [](W& w, R& r) { if (r.event.command >= 0) w.signed_number(r.event.command); }},
    {"unmapped.text", kSubjectKinds, [](W& w, R& r) { if (r.event.text_present) w.text(r.event.text); }},
    {"unmapped.uid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.uid); }, Scope::process},
    {"unmapped.gid", kSubjectKinds, [](W& w, R& r) { w.id(r.event.process.gid); }, Scope::process},
    {"unmapped.mount_source", {EventKind::mount}, [](W& w, R& r) { w.path(r.event.second_path); }},
    {"unmapped.loss.cause", {EventKind::loss}, [](W& w, R& r) { w.text(r.event.loss.cause); }},
    {"unmapped.loss.count", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.count); }},
    {"unmapped.loss.first_ns", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.first_ns); }},
    {"unmapped.loss.last_ns", {EventKind::loss}, [](W& w, R& r) { w.number(r.event.loss.last_ns); }},
    {"unmapped.escaped", kEveryKind, [](W& w, R&) { w.escaped_fields(); }},
};

}  // namespace

std::span<const Field> ocsf_fields() { return kFields; }

}  // namespace auditshift::sensor
