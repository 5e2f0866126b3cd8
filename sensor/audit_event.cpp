// SPDX-License-Identifier: Apache-2.0
#include "sensor/audit_event.h"

#include <fcntl.h>
#include <linux/audit.h>

#include <algorithm>

#include "sensor/socket_address.h"

namespace auditshift::sensor {
namespace {

constexpr std::uint32_t kX32Bit = 0x40000000;
constexpr std::size_t kArgumentBytes = std::size_t{128} << 10;

Abi abi_of(std::uint32_t arch, std::uint64_t number) {
  switch (arch) {
    case AUDIT_ARCH_X86_64:
      return (number & kX32Bit) != 0 ? Abi::x32 : Abi::x86_64;
    case AUDIT_ARCH_I386:
      return Abi::i386;
    case AUDIT_ARCH_AARCH64:
      return Abi::arm64;
    case AUDIT_ARCH_ARM:
      return Abi::arm;
    default:
      return Abi::unknown;
  }
}

/// "a3[1]" and "a3" are parts of argument 3, "a3_len" is not.
bool is_argument(std::string_view name) {
  return name.size() >= 2 && name[0] == 'a' && name[1] >= '0' && name[1] <= '9' && !name.ends_with("_len");
}

/// A further chunk of an argument that did not fit into one: "a3[1]".
bool is_continuation(std::string_view name) {
  return name.find('[') != std::string_view::npos && !name.ends_with("[0]");
}

}  // namespace

void AuditDecoder::reset(const AuditEvent& audit) {
  event_ = Event{};
  event_.wall_ns = audit.stamp.wall_ns;
  event_.boot_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, audit.stamp.wall_ns - boot_offset_));
  arch_ = 0;
  for (std::string* text : {&comm_, &executable_, &key_, &argv_, &address_, &text_}) text->clear();
  cwd_.reset();
  items_.clear();
}

const Event* AuditDecoder::decode(const AuditEvent& audit) {
  reset(audit);
  bool has_syscall = false;
  for (const AuditEvent::Record& record : audit.records) {
    switch (record.type) {
      case audit_type::kSyscall:
        has_syscall = read_syscall(record.text);
        break;
      case audit_type::kPath:
        read_path(record.text);
        break;
      case audit_type::kExecve:
        read_execve(record.text);
        break;
      case audit_type::kSocketAddress:
        read_address(record.text);
        break;
      case audit_type::kCwd:
      case audit_type::kKernelModule:
      case audit_type::kObjectPid:
        read_target(record.text);
        break;
      default:
        break;
    }
  }
  if (!has_syscall) return nullptr;
  event_.process.comm = comm_;
  event_.process.executable.text = executable_;
  event_.process.executable.present = !executable_.empty();
  event_.process.executable.from_kernel = true;
  event_.audit_key = key_;
  const WatchedCall* call = find_watched_call(event_.syscall.abi, event_.syscall.number);
  if (call == nullptr) return tell_unknown_calls_ ? &event_ : nullptr;
  event_.kind = static_cast<EventKind>(call->call.kind);
  event_.syscall.name = call->name;
  apply_roles(*call);
  apply_paths(*call);
  apply_address(*call);
  if (!text_.empty()) {
    event_.text = text_;
    event_.text_present = true;
  }
  return &event_;
}

bool AuditDecoder::read_syscall(std::string_view text) {
  AuditFields fields(text);
  for (AuditField field; fields.next(field);) read_field(field);
  const int number = event_.syscall.number;
  event_.syscall.abi = abi_of(arch_, static_cast<std::uint32_t>(number));
  if (event_.syscall.abi == Abi::x32)
    event_.syscall.number = static_cast<int>(static_cast<std::uint32_t>(number) & ~kX32Bit);
  return number >= 0 && event_.syscall.abi != Abi::unknown;
}

void AuditDecoder::read_field(const AuditField& field) {
  Process& process = event_.process;
  const std::pair<std::string_view, std::uint32_t*> ids[] = {
      {"pid", &process.id.pid}, {"ppid", &process.parent.pid}, {"auid", &process.auid},
      {"uid", &process.uid},    {"gid", &process.gid},         {"euid", &process.euid},
      {"suid", &process.suid},  {"fsuid", &process.fsuid},     {"egid", &process.egid},
      {"sgid", &process.sgid},  {"fsgid", &process.fsgid},     {"ses", &process.session}};
  for (const auto& [name, id] : ids) {
    if (field.name == name) *id = id_number(field.value).value_or(*id);
  }
  if (field.name == "arch") {
    arch_ = static_cast<std::uint32_t>(hex_number(field.value).value_or(0));
  } else if (field.name == "syscall") {
    const auto number = signed_number(field.value);
    if (number && *number >= 0 && *number <= INT32_MAX) event_.syscall.number = static_cast<int>(*number);
  } else if (field.name == "exit") {
    const auto result = signed_number(field.value);
    event_.syscall.result_known = result.has_value();
    event_.syscall.result = result.value_or(0);
  } else if (field.name.size() == 2 && field.name[0] == 'a' && field.name[1] >= '0' && field.name[1] <= '3') {
    event_.syscall.arguments[static_cast<std::size_t>(field.name[1] - '0')] =
        hex_number(field.value).value_or(0);
  } else if (field.name == "comm") {
    comm_ = untrusted_text(field).value_or("");
  } else if (field.name == "exe") {
    executable_ = untrusted_text(field).value_or("");
  } else if (field.name == "key") {
    key_ = untrusted_text(field).value_or("");
  }
}

void AuditDecoder::read_path(std::string_view text) {
  Item item;
  AuditFields fields(text);
  for (AuditField field; fields.next(field);) {
    if (field.name == "name") {
      const auto name = untrusted_text(field);
      item.present = name.has_value();
      item.name = name.value_or("");
    } else if (field.name == "nametype") {
      item.type = field.value;
    }
  }
  items_.push_back(std::move(item));
}

void AuditDecoder::read_execve(std::string_view text) {
  AuditFields fields(text);
  for (AuditField field; fields.next(field);) {
    if (!is_argument(field.name)) continue;
    if (is_continuation(field.name) && !argv_.empty()) argv_.pop_back();
    argv_ += untrusted_text(field).value_or("");
    argv_ += '\0';
  }
  event_.argv.truncated = argv_.size() > kArgumentBytes;
  if (event_.argv.truncated) argv_.resize(kArgumentBytes);
  event_.argv.present = true;
}

void AuditDecoder::read_address(std::string_view text) {
  AuditFields fields(text);
  for (AuditField field; fields.next(field);) {
    if (field.name == "saddr") address_ = from_hex(field.value).value_or("");
  }
}

void AuditDecoder::read_target(std::string_view text) {
  AuditFields fields(text);
  for (AuditField field; fields.next(field);) {
    if (field.name == "cwd") cwd_ = untrusted_text(field);
    if (field.name == "opid") event_.target.pid = id_number(field.value).value_or(0);
    if (field.name == "name") text_ = untrusted_text(field).value_or("");
  }
}

std::uint64_t AuditDecoder::argument(std::uint8_t number) const {
  constexpr std::uint8_t kTold = 4;  // a0 to a3
  return number >= 1 && number <= kTold ? event_.syscall.arguments[number - 1U] : 0;
}

std::uint32_t AuditDecoder::id_argument(std::uint8_t number, bool narrow) const {
  if (number == 0) return kUnknownId;
  const auto id = static_cast<std::uint32_t>(argument(number));
  const bool sixteen_bits = narrow && (event_.syscall.abi == Abi::i386 || event_.syscall.abi == Abi::arm);
  return sixteen_bits && (id & 0xffff) == 0xffff ? kUnknownId : id;
}

void AuditDecoder::apply_roles(const WatchedCall& call) {
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
    event_.target_tid = static_cast<std::uint32_t>(argument(roles.target));
    if (event_.target.pid == 0) event_.target.pid = event_.target_tid;
  }
  switch (event_.kind) {
    case EventKind::unlink:
      if (call.name == "unlinkat" && (event_.flags & AT_REMOVEDIR) != 0) event_.kind = EventKind::rmdir;
      break;
    case EventKind::open:
      if (call.name == "creat") event_.flags = O_CREAT | O_WRONLY | O_TRUNC;
      if (item_of("CREATE") != nullptr) event_.kind = EventKind::create;
      break;
    case EventKind::fork:
      if (event_.syscall.result_known && event_.syscall.result > 0)
        event_.target.pid = event_.target_tid = static_cast<std::uint32_t>(event_.syscall.result);
      break;
    case EventKind::exit:
      // Audited as they begin: they never return.
      event_.exit_code = static_cast<int>(argument(1) & 0xff);
      break;
    case EventKind::socket:
      event_.socket.family = static_cast<int>(argument(1));
      event_.socket.type = static_cast<int>(argument(2)) & 0xf;
      event_.socket.protocol = static_cast<int>(argument(3));
      break;
    default:
      break;
  }
}

const AuditDecoder::Item* AuditDecoder::item_of(std::string_view type, std::size_t nth) const {
  for (const Item& item : items_) {
    if (item.type == type && nth-- == 0) return &item;
  }
  return nullptr;
}

void AuditDecoder::set_path(Path& path, const Item* item, std::uint8_t directory, PathBuilder& builder) {
  if (item == nullptr) return;
  path.present = true;
  if (!item->present) {
    path.unreadable = true;
    return;
  }
  builder.start_at_root();
  if (item->name.starts_with('/')) {
    builder.add(item->name);
  } else {
    const bool at_cwd = directory == 0 || static_cast<int>(argument(directory)) == AT_FDCWD;
    if (!at_cwd || !cwd_ || !cwd_->starts_with('/')) {
      // Relative to a descriptor: the records do not tell which directory that is.
      path.text = item->name;
      path.unresolved = true;
      return;
    }
    builder.add(*cwd_);
    builder.add(item->name);
  }
  path.text = builder.text();
  path.truncated = builder.cut();
}

void AuditDecoder::apply_paths(const WatchedCall& call) {
  if (event_.kind == EventKind::exec) {
    event_.argv.text = argv_;
    if (cwd_) {
      event_.cwd.text = *cwd_;
      event_.cwd.present = true;
      event_.cwd.from_kernel = true;
    }
  }
  const Item* first = nullptr;
  const Item* second = nullptr;
  const auto either = [&](std::string_view type) {
    const Item* found = item_of(type);
    // A call that failed stopped before it knew what the name stood for.
    if (found == nullptr) found = item_of("UNKNOWN");
    return found == nullptr ? item_of("NORMAL") : found;
  };
  switch (event_.kind) {
    case EventKind::rename:
      // The kernel lists the names of a rename that failed early in any order: nothing says which is which.
      first = item_of("DELETE");
      second = item_of("CREATE");
      break;
    case EventKind::link:
      first = item_of("NORMAL");
      second = item_of("CREATE");
      break;
    case EventKind::unlink:
    case EventKind::rmdir:
      first = either("DELETE");
      break;
    case EventKind::create:
    case EventKind::mkdir:
    case EventKind::mknod:
      first = either("CREATE");
      break;
    case EventKind::symlink:
      first = item_of("CREATE");
      break;
    default:
      first = either("NORMAL");
      break;
  }
  if (event_.kind == EventKind::symlink) {
    // Of two, nothing says which is the link's own name.
    if (const Item* target = item_of("UNKNOWN"); target != nullptr && item_of("UNKNOWN", 1) == nullptr)
      text_ = target->name;
  }
  if (call.call.path == 0 && call.call.directory == 0) return;
  set_path(event_.path, first, call.call.directory, path_);
  set_path(event_.second_path, second, call.call.second_directory, second_path_);
}

void AuditDecoder::apply_address(const WatchedCall& call) {
  const Address address = decode_address(address_, false);
  if (!address.present()) return;
  event_.socket.family = address.raw_family;
  (call.call.kind == AS_KIND_BIND ? event_.socket.local : event_.socket.remote) = address;
}

}  // namespace auditshift::sensor
