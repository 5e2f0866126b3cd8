// SPDX-License-Identifier: Apache-2.0
// The part of ProcessAccount that knows where paths start.
#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "bpf/legacy.h"
#include "sensor/path.h"
#include "sensor/process_account.h"
#include "sensor/program_file.h"

namespace auditshift::sensor {
namespace {

/// "/proc/self/exe" is another file for everyone, and so is "/dev/fd/3", which is also how fs/exec.c calls
/// what execveat() was given by a descriptor.
bool depends_on_who_asks(std::string_view path) {
  return path.starts_with("/proc/") || path.starts_with("/dev/fd/");
}

std::string process_directory(std::uint32_t pid) { return "/proc/" + std::to_string(pid) + "/"; }

}  // namespace

std::uint64_t ProcessAccount::cgroup_of(std::uint32_t pid) const {
  if (cgroups_.empty()) return 0;
  const std::string groups = host_->read_file(process_directory(pid) + "cgroup").value_or({});
  for (const std::string_view line : base::split(groups, '\n')) {
    if (!line.starts_with("0::")) continue;
    const auto info = host_->stat(cgroups_ + std::string(line.substr(3)));
    return info.ok() ? info->inode : 0;
  }
  return 0;
}

/// A link of /proc as a record's text: the names up to the process's root, as the kernel side of tier core
/// walks.
ProcessAccount::Place ProcessAccount::place_of(std::string_view link, const Entry& entry) const {
  if (!link.starts_with('/')) return {};  // nothing, a pipe, a socket
  Place place;
  if (link.starts_with("/memfd:") && link.ends_with(kDeleted)) {  // mm/memfd.c: a name, but no place
    place.components = std::string(link.substr(1, link.size() - 1 - kDeleted.size())) + '\0';
    return place;
  }
  place.flags = AS_TEXT_PRESENT;
  if (link.ends_with(kDeleted)) {
    link.remove_suffix(kDeleted.size());
    place.flags |= AS_TEXT_DELETED;
  }
  const bool below = entry.root != "/" && link.starts_with(entry.root) &&
                     (link.size() == entry.root.size() || link[entry.root.size()] == '/');
  if (below) {
    link.remove_prefix(entry.root.size());
    place.flags |= AS_TEXT_CHROOT;
  }
  place.components = components_of(link);
  return place;
}

void ProcessAccount::read_places(std::uint32_t pid, Entry& entry) {
  const std::string directory = process_directory(pid);
  auto root = host_->read_link(directory + "root");
  auto executable = host_->read_link(directory + "exe");
  auto cwd = host_->read_link(directory + "cwd");
  entry.whole = root.ok() && executable.ok() && cwd.ok();
  entry.root = std::move(root).value_or("/");
  entry.executable = place_of(std::move(executable).value_or({}), entry);
  entry.cwd = place_of(std::move(cwd).value_or({}), entry);
}

/// Most processes live in the mount namespace of the first one; this process need not, a service manager may
/// have given it one of its own. Without the right to look there its own has to do.
void ProcessAccount::find_home(const base::Sysroot& host) {
  home_namespace_ = reader_.mount_namespace(static_cast<std::uint32_t>(::getpid()));
  const std::uint32_t first = reader_.mount_namespace(1);
  if (first == 0 || first == home_namespace_) return;
  // Not a path of `host`, which follows none of /proc's magic links.
  auto root = base::Sysroot::open(host.root() + "/proc/1/root");
  if (!root.ok()) return;
  home_ = std::move(*root);
  home_namespace_ = first;
}

/// The same files stand under the same names for this process and in home().
bool ProcessAccount::is_at_home(const Entry& entry) const {
  return entry.root == "/" && entry.info.mount_namespace == home_namespace_;
}

/// A path of the process's, made absolute; empty when its start is not known.
std::string ProcessAccount::joined(const Entry& entry, std::string_view path) const {
  PathBuilder builder;
  if (path.starts_with('/')) {
    builder.start_at_root();
  } else {
    if ((entry.cwd.flags & AS_TEXT_UNRESOLVED) != 0) return {};
    builder.start_at_components(entry.cwd.components, false);
  }
  builder.add(path);
  return builder.cut() ? std::string() : std::string(builder.text());
}

/// The program that an exec of `file` began to run; `argv` becomes that of an interpreter.
ProcessAccount::Place ProcessAccount::find_program(const Entry& before, const Entry& now,
                                                   const std::string& file, bool alive, Argv& argv) {
  const std::string path = is_at_home(before) ? joined(before, file) : std::string();
  if (path.empty() || depends_on_who_asks(path)) return alive ? now.executable : Place();
  // What it runs now may be what it executed after this, unless the names are the same.
  if (alive && now.executable.components == components_of(path)) return now.executable;
  Program program = program_of(home(), path, file, argv.text);
  argv.text = std::move(program.argv);
  if (!program.path.empty()) return place_of(program.path, before);
  if (!home().exists(path)) return place_of(path + std::string(kDeleted), before);  // by the name it had
  return alive ? now.executable : Place();
}

void ProcessAccount::directory_changed(const RawRecord& record) {
  Entry& entry = entry_of(record.fixed.pid);
  const NotedCall* call = nullptr;
  for (const NotedCall& noted : noted_calls()) {
    if (noted_call_number(noted, abi_of(record.fixed.abi)) == record.fixed.syscall) call = &noted;
  }
  if (call == nullptr) return;
  if (call->name == "chdir" && is_at_home(entry)) {
    // Now, and by its name: the process may have gone on since.
    const std::string path = joined(entry, record.text(AS_TEXT_PATH));
    const bool unknown = path.empty() || depends_on_who_asks(path);
    const std::string real = unknown ? std::string() : real_path(home(), path);
    if (!real.empty()) {
      entry.cwd = place_of(real, entry);
      return;
    }
  }
  Entry now;
  if (!read(record.fixed.pid, now) || !now.whole) {  // gone, or about to
    entry.cwd = Place();
    return;
  }
  entry.root = now.root;
  entry.cwd = now.cwd;
  entry.info.mount_namespace = now.info.mount_namespace;
}

void ProcessAccount::add_directory(RawRecord& record, as_text_slot slot, int descriptor, const Entry& entry) {
  if (descriptor == AT_FDCWD) {
    record.set_text(slot, entry.cwd.components, entry.cwd.flags);
    return;
  }
  Place& place = places_[slot == AS_TEXT_SECOND_DIRECTORY ? 1 : 0];
  const std::string link = process_directory(record.fixed.pid) + "fd/" + std::to_string(descriptor);
  place = descriptor < 0 ? Place() : place_of(host_->read_link(link).value_or({}), entry);
  record.set_text(slot, place.components, place.flags);
}

/// What bpf/sensor.bpf.c does in add_path() and add_second_path().
void ProcessAccount::complete_paths(RawRecord& record, const Entry& entry) {
  if (record.fixed.kind == AS_KIND_EXEC && record.fixed.result >= 0) {
    record.set_text(AS_TEXT_DIRECTORY, entry.cwd.components, entry.cwd.flags);
    return;
  }
  const WatchedCall* call = find_watched_call(abi_of(record.fixed.abi), record.fixed.syscall);
  if (call == nullptr || record.fixed.kind == AS_KIND_EXIT || record.fixed.kind == AS_KIND_FORK) return;
  const auto add = [&](as_text_slot slot, as_text_slot directory_slot, std::uint8_t path,
                       std::uint8_t directory) {
    if (path == 0 && directory == 0) return;
    const std::string_view text = record.text(slot);
    if (text.starts_with('/') && entry.root != "/")
      record.set_text(slot, text, record.flags(slot) | AS_TEXT_CHROOT);
    if (text.starts_with('/') || (record.flags(slot) & AS_TEXT_UNREADABLE) != 0) return;
    const int descriptor = directory != 0 ? static_cast<int>(record.argument(directory)) : AT_FDCWD;
    add_directory(record, directory_slot, descriptor, entry);
  };
  add(AS_TEXT_PATH, AS_TEXT_DIRECTORY, call->call.path, call->call.directory);
  if (call->call.second_path == 0) return;
  // A mount need not have a source.
  if (record.argument(call->call.second_path) == 0 && call->call.second_directory == 0) return;
  add(AS_TEXT_SECOND_PATH, AS_TEXT_SECOND_DIRECTORY, call->call.second_path, call->call.second_directory);
}

}  // namespace auditshift::sensor
