// SPDX-License-Identifier: Apache-2.0
#include "sensor/record_decoder.h"

#include <fcntl.h>

#include <cstring>

#include "sensor/raw_record.h"
#include "sensor/socket_address.h"

namespace auditshift::sensor {
namespace {

bool is_narrow(Abi abi) { return abi == Abi::i386 || abi == Abi::arm; }

}  // namespace

Event* RecordDecoder::decode(std::span<const std::byte> bytes, bool details) {
  if (bytes.size() < sizeof record_) return nullptr;
  std::memcpy(&record_, bytes.data(), sizeof record_);
  // The ring buffer's length is that of the record, rounded up by the kernel side.
  if (record_.size != bytes.size() || !split_texts(bytes)) return nullptr;
  event_ = Event{};
  event_.kind = static_cast<EventKind>(record_.kind);
  if (kind_name(event_.kind).empty()) return nullptr;
  event_.boot_ns = record_.boot_ns;
  event_.wall_ns = static_cast<std::int64_t>(record_.boot_ns + static_cast<std::uint64_t>(wall_offset_));
  event_.cpu = record_.cpu;
  decode_process(details);
  if (const WatchedCall* call = decode_syscall()) apply_roles(*call);
  decode_target();
  if (details) {
    decode_paths();
    decode_sockets();
  }
  if (event_.kind == EventKind::exit) finish_exit();
  return &event_;
}

bool RecordDecoder::split_texts(std::span<const std::byte> bytes) {
  std::size_t offset = sizeof record_;
  for (std::size_t slot = 0; slot < AS_TEXTS; ++slot) {
    const as_text& text = record_.texts[slot];
    if (text.length > bytes.size() - offset) return false;
    texts_[slot] = {{reinterpret_cast<const char*>(bytes.data()) + offset, text.length}, text.flags};
    offset += text.length;
  }
  return true;
}

void RecordDecoder::decode_process(bool details) {
  Process& process = event_.process;
  process.id = {record_.pid, record_.start_ns};
  process.tid = record_.tid;
  process.parent = {record_.parent_pid, record_.parent_start_ns};
  process.comm = {record_.comm, strnlen(record_.comm, sizeof record_.comm)};
  process.uid = record_.uid;
  process.gid = record_.gid;
  process.euid = record_.euid;
  process.egid = record_.egid;
  process.suid = record_.suid;
  process.sgid = record_.sgid;
  process.fsuid = record_.fsuid;
  process.fsgid = record_.fsgid;
  process.auid = record_.auid;
  process.session = record_.session;
  process.cgroup_id = record_.cgroup_id;
  process.mount_namespace = record_.mount_namespace;
  if (details) process.executable = executable();
}

const WatchedCall* RecordDecoder::decode_syscall() {
  Syscall& syscall = event_.syscall;
  syscall.number = record_.syscall;
  syscall.abi = abi_of(record_.abi);
  syscall.result = record_.result;
  syscall.result_known = (record_.flags & AS_RECORD_RESULT) != 0;
  std::memcpy(syscall.arguments.data(), record_.arguments, sizeof record_.arguments);
  const WatchedCall* call = find_watched_call(syscall.abi, syscall.number);
  if (call == nullptr) return nullptr;
  syscall.name = call->name;
  return call->call.filter == AS_FILTER_SOCKETCALL ? find_socketcall(record_.details[0]) : call;
}

std::uint64_t RecordDecoder::argument(std::uint8_t number) const {
  return number == 0 || number > AS_ARGUMENTS ? 0 : record_.arguments[number - 1];
}

std::uint32_t RecordDecoder::id_argument(std::uint8_t number, bool narrow) const {
  if (number == 0) return kUnknownId;
  const auto id = static_cast<std::uint32_t>(argument(number));
  if (!narrow || !is_narrow(event_.syscall.abi)) return id;
  return (id & 0xffff) == 0xffff ? kUnknownId : id & 0xffff;
}

void RecordDecoder::apply_roles(const WatchedCall& call) {
  const ArgumentRoles& roles = call.roles;
  event_.flags = argument(roles.flags);
  event_.mode = static_cast<std::uint32_t>(argument(roles.mode));
  event_.owner_uid = id_argument(roles.uid, roles.narrow);
  event_.owner_gid = id_argument(roles.gid, roles.narrow);
  event_.device = static_cast<std::uint32_t>(argument(roles.device));
  event_.size = argument(roles.size) | argument(roles.size_high) << 32;
  if (roles.descriptor != 0) event_.descriptor = static_cast<int>(argument(roles.descriptor));
  if (roles.command != 0) event_.command = static_cast<int>(argument(roles.command));
  if (roles.level != 0) event_.level = static_cast<int>(argument(roles.level));
  if (roles.target != 0) {
    event_.target.pid = static_cast<std::uint32_t>(argument(roles.target));
    event_.target_tid = event_.target.pid;
  }
  switch (call.call.kind) {
    case AS_KIND_OPEN:
      decode_open(call);
      break;
    case AS_KIND_UNLINK:
      if (call.roles.flags != 0 && (event_.flags & AT_REMOVEDIR) != 0) event_.kind = EventKind::rmdir;
      break;
    case AS_KIND_SOCKET:
      event_.socket.family = static_cast<int>(argument(1));
      event_.socket.type = static_cast<int>(argument(2)) & 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
      event_.socket.protocol = static_cast<int>(argument(3));
      break;
    default:
      break;
  }
  const bool returns_descriptor =
      call.call.kind == AS_KIND_OPEN || call.call.kind == AS_KIND_SOCKET || call.call.kind == AS_KIND_ACCEPT;
  if (returns_descriptor && record_.result >= 0) event_.descriptor = static_cast<int>(record_.result);
}

void RecordDecoder::decode_open(const WatchedCall& call) {
  if (call.call.filter == AS_FILTER_OPEN_HOW) {
    event_.flags = record_.details[0];
    event_.mode = static_cast<std::uint32_t>(record_.details[1]);
  } else if (call.roles.flags == 0) {  // creat(2)
    event_.flags = O_CREAT | O_WRONLY | O_TRUNC;
  }
  // An unnamed file in the directory that was named; the kernel does not mark it as created.
  if ((event_.flags & O_TMPFILE) == O_TMPFILE && record_.result >= 0) event_.kind = EventKind::create;
}

Path RecordDecoder::resolve(const Text& directory, const Text& path, PathBuilder& builder) {
  Path result;
  result.present = path.has(AS_TEXT_PRESENT) || directory.has(AS_TEXT_PRESENT);
  result.truncated = path.has(AS_TEXT_TRUNCATED);
  if (path.has(AS_TEXT_UNREADABLE)) {
    result.unreadable = true;
    return result;
  }
  if (path.bytes.starts_with('/')) {
    builder.start_at_root();
    builder.add(path.bytes);
    result.chroot_relative = path.has(AS_TEXT_CHROOT);
  } else if (result.present) {
    const bool lost = !directory.has(AS_TEXT_PRESENT) || directory.has(AS_TEXT_UNRESOLVED);
    builder.start_at_components(directory.bytes, lost || directory.has(AS_TEXT_TRUNCATED));
    builder.add(path.bytes);
    result.unresolved = lost;
    result.truncated |= directory.has(AS_TEXT_TRUNCATED);
    result.deleted = directory.has(AS_TEXT_DELETED);
    result.chroot_relative = directory.has(AS_TEXT_CHROOT);
    result.from_kernel = path.bytes.empty();
  } else {
    return result;
  }
  result.truncated |= builder.cut();
  result.text = builder.text();
  return result;
}

/// The same as that of the event before more often than not.
const Path& RecordDecoder::executable() {
  const Text& text = texts_[AS_TEXT_EXECUTABLE];
  if (text.flags != executable_flags_ || text.bytes != executable_bytes_) {
    executable_path_ = resolve(text, Text{}, executable_);
    executable_flags_ = text.flags;
    executable_bytes_ = text.bytes;
  }
  return executable_path_;
}

void RecordDecoder::decode_paths() {
  const Text& directory = texts_[AS_TEXT_DIRECTORY];
  const Text& second = texts_[AS_TEXT_SECOND_DIRECTORY];
  const Text& text = texts_[AS_TEXT_TEXT];
  event_.path = resolve(directory, texts_[AS_TEXT_PATH], path_);
  event_.second_path =
      resolve(second.has(AS_TEXT_SAME) ? directory : second, texts_[AS_TEXT_SECOND_PATH], second_path_);
  switch (event_.kind) {
    case EventKind::exec:
      if (event_.syscall.failed()) return;
      event_.cwd = resolve(directory, Text{}, cwd_);
      event_.target_tid = record_.target_tid;
      event_.argv = {text.bytes, text.has(AS_TEXT_PRESENT), text.has(AS_TEXT_TRUNCATED),
                     text.has(AS_TEXT_UNREADABLE)};
      return;
    case EventKind::mount:
      // Only a bind or move mount has a path for its source; else it is a name that the file system type
      // understands: "tmpfs", "/dev/sda1", "server:/export".
      if (event_.syscall.name == "mount" &&
          (event_.flags & (0x1000 /* MS_BIND */ | 0x2000 /* MS_MOVE */)) == 0) {
        event_.second_path.text = texts_[AS_TEXT_SECOND_PATH].bytes;
        event_.second_path.unresolved = false;
      }
      break;
    default:
      break;
  }
  event_.text = text.bytes;
  event_.text_present = text.has(AS_TEXT_PRESENT);
  event_.text_truncated = text.has(AS_TEXT_TRUNCATED);
  event_.text_unreadable = text.has(AS_TEXT_UNREADABLE);
}

void RecordDecoder::decode_sockets() {
  if ((record_.flags & AS_RECORD_SOCKET) != 0) {
    event_.socket.family = record_.socket_family;
    event_.socket.type = record_.socket_type;
    event_.socket.protocol = record_.socket_protocol;
  }
  const Text& local = texts_[AS_TEXT_LOCAL];
  const Text& remote = texts_[AS_TEXT_REMOTE];
  event_.socket.local = decode_address(local.bytes, local.has(AS_TEXT_TRUNCATED));
  event_.socket.remote = decode_address(remote.bytes, remote.has(AS_TEXT_TRUNCATED));
}

void RecordDecoder::decode_target() {
  if (event_.kind != EventKind::fork || event_.syscall.failed()) return;
  event_.target = {record_.target_pid, record_.target_start_ns};
  event_.target_tid = record_.target_tid;
  event_.thread = (record_.flags & AS_RECORD_THREAD) != 0;
}

void RecordDecoder::finish_exit() {
  const auto status = static_cast<unsigned>(record_.result);  // wait(2)'s form
  event_.exit_signal = static_cast<int>(status & 0x7f);
  event_.core_dumped = (status & 0x80) != 0;
  if (event_.exit_signal == 0) event_.exit_code = static_cast<int>(status >> 8 & 0xff);
  event_.syscall.result = 0;
}

}  // namespace auditshift::sensor
