// SPDX-License-Identifier: Apache-2.0
#include "sensor/process_account.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "bpf/legacy.h"

namespace auditshift::sensor {
namespace {

constexpr NotedCall kNotedCalls[] = {{"chdir", {80, 12, 49, 12}, 1},
                                     {"fchdir", {81, 133, 50, 133}, 0},
                                     {"chroot", {161, 61, 51, 61}, 1},
                                     {"unshare", {272, 310, 97, 337}, 0},
                                     {"setns", {308, 346, 268, 375}, 0}};

/// Whether the kernel made a thread, whether it is a sibling of its maker (CLONE_PARENT), and whether it got
/// a mount namespace of its own (CLONE_NEWNS).
struct Birth {
  bool thread = false;
  bool sibling = false;
  bool moved = false;
};
Birth birth_of(const RawRecord& record) {
  const WatchedCall* call = find_watched_call(abi_of(record.fixed.abi), record.fixed.syscall);
  std::uint64_t flags = 0;
  if (call != nullptr && call->name == "clone") flags = record.argument(1);
  if (call != nullptr && call->name == "clone3") flags = record.fixed.details[0];
  return {(flags & CLONE_THREAD) != 0, (flags & CLONE_PARENT) != 0, (flags & CLONE_NEWNS) != 0};
}

bool changes_ids(std::uint8_t kind) { return kind == AS_KIND_UID_CHANGE || kind == AS_KIND_GID_CHANGE; }

void forget_users(ProcessInfo& info) { info.euid = info.suid = info.fsuid = kUnknownId; }
void forget_groups(ProcessInfo& info) { info.egid = info.sgid = info.fsgid = kUnknownId; }

}  // namespace

std::span<const NotedCall> noted_calls() { return kNotedCalls; }

int noted_call_number(const NotedCall& call, Abi abi) {
  switch (abi) {
    case Abi::x86_64:
    case Abi::x32:
      return call.numbers[0];
    case Abi::i386:
      return call.numbers[1];
    case Abi::arm64:
      return call.numbers[2];
    case Abi::arm:
      return call.numbers[3];
    case Abi::unknown:
      break;
  }
  return 0;
}

ProcessAccount::ProcessAccount(const base::Sysroot& host, long clock_ticks)
    : host_(&host), reader_(host, clock_ticks) {
  const std::string mounts = host.read_file("/proc/self/mounts").value_or({});
  for (const std::string_view line : base::split(mounts, '\n')) {
    const auto words = base::split(line, ' ');
    if (words.size() > 2 && words[2] == "cgroup2") cgroups_ = words[1];
  }
  find_home(host);
}

void ProcessAccount::scan() {
  processes_.clear();
  for (const std::uint32_t pid : reader_.list()) {
    Entry entry;
    if (read(pid, entry)) processes_.emplace(pid, std::move(entry));
  }
}

void ProcessAccount::note_loss(std::uint64_t boot_ns) {
  if (first_loss_ns_ == 0) first_loss_ns_ = boot_ns;
  last_loss_ns_ = boot_ns;
}

void ProcessAccount::settle(std::uint64_t passed_ns, std::uint64_t boot_ns) {
  for (const std::uint32_t pid : std::exchange(idle_, {})) {
    const auto known = processes_.find(pid);
    if (known == processes_.end() || known->second.idle_ns == 0) continue;  // its end was told
    if (known->second.idle_ns >= passed_ns) {
      idle_.push_back(pid);
    } else if (known->second.ended) {
      processes_.erase(known);
    } else {
      read_threads(pid, known->second, boot_ns);
    }
  }
  if (first_loss_ns_ == 0 || first_loss_ns_ >= passed_ns) return;
  first_loss_ns_ = last_loss_ns_ >= passed_ns ? last_loss_ns_ : 0;
  for (auto& [pid, entry] : processes_) {
    if (entry.idle_ns == 0) read_threads(pid, entry, boot_ns);
  }
}

/// Those whose begin was lost come, those whose end was lost go.
void ProcessAccount::read_threads(std::uint32_t pid, Entry& entry, std::uint64_t boot_ns) {
  ThreadList now = reader_.threads(pid);
  entry.threads = std::move(now.living);
  entry.ended = !now.some_are_ending;
  entry.idle_ns = entry.threads.empty() ? boot_ns : 0;
  if (entry.idle_ns != 0) idle_.push_back(pid);
}

/// Everything that /proc tells of a process; false when it is gone.
bool ProcessAccount::read(std::uint32_t pid, Entry& entry) {
  if (!reader_.read(pid, entry.info)) return false;
  entry.cgroup_id = cgroup_of(pid);
  entry.threads = reader_.threads(pid).living;
  read_places(pid, entry);
  return true;
}

ProcessAccount::Entry& ProcessAccount::entry_of(std::uint32_t pid) {
  const auto [position, added] = processes_.try_emplace(pid);
  Entry& entry = position->second;
  if (added) {
    entry.info.id.pid = pid;
    if (!read(pid, entry)) entry.threads = {pid};
  }
  return entry;
}

bool ProcessAccount::apply(RawRecord& record) {
  const as_record& fixed = record.fixed;
  switch (fixed.kind) {
    case AS_NOTE_EXEC:
      argvs_[fixed.tid] = {std::string(record.text(AS_TEXT_TEXT)), record.flags(AS_TEXT_TEXT)};
      return false;
    case AS_NOTE_DIRECTORY:
      if (fixed.result >= 0) directory_changed(record);
      return false;
    case AS_KIND_EXIT:
      return exit(record);
    case AS_KIND_FORK:
      return fixed.result < 0 ? (complete(record, entry_of(fixed.pid)), true) : fork(record);
    case AS_KIND_EXEC:
      if (fixed.result >= 0) exec(record);
      break;
    default:
      break;
  }
  Entry& entry = entry_of(fixed.pid);
  if (changes_ids(fixed.kind) && fixed.result >= 0) change_ids(record, entry);
  complete(record, entry);
  return true;
}

/// setresuid() and setresgid() say what they do. After the others /proc is asked, which is right unless the
/// process has changed its ids again.
void ProcessAccount::change_ids(const RawRecord& record, Entry& entry) {
  const WatchedCall* call = find_watched_call(abi_of(record.fixed.abi), record.fixed.syscall);
  const std::string_view name = call == nullptr ? std::string_view() : call->name;
  ProcessInfo& info = entry.info;
  const auto argument = [&](std::uint8_t number, std::uint32_t unchanged) {
    const auto id = static_cast<std::uint32_t>(record.argument(number));
    return id == kUnknownId ? unchanged : id;
  };
  const bool wide = call != nullptr && (!call->roles.narrow || record.fixed.abi == AS_ABI_X86_64 ||
                                        record.fixed.abi == AS_ABI_ARM64);
  if (wide && name.starts_with("setresuid")) {
    info.euid = info.fsuid = argument(2, info.euid);
    info.suid = argument(3, info.suid);
    return;
  }
  if (wide && name.starts_with("setresgid")) {
    info.egid = info.fsgid = argument(2, info.egid);
    info.sgid = argument(3, info.sgid);
    return;
  }
  ProcessInfo now;
  const bool there = reader_.read_ids(record.fixed.pid, now);
  if (record.fixed.kind == AS_KIND_UID_CHANGE) {
    forget_users(info);
    if (there && now.uid == record.fixed.uid)
      info.euid = now.euid, info.suid = now.suid, info.fsuid = now.fsuid;
  } else {
    forget_groups(info);
    if (there && now.gid == record.fixed.gid)
      info.egid = now.egid, info.sgid = now.sgid, info.fsgid = now.fsgid;
  }
}

bool ProcessAccount::fork(RawRecord& record) {
  as_record& fixed = record.fixed;
  const Birth birth = birth_of(record);
  const std::uint32_t child = fixed.target_tid;
  if (birth.thread) {
    Entry& entry = entry_of(fixed.pid);
    entry.threads.push_back(child);
    fixed.flags |= AS_RECORD_THREAD;
    fixed.target_pid = fixed.pid;
    fixed.target_start_ns = entry.info.id.start_ns;
    complete(record, entry);
    return true;
  }
  Entry young = entry_of(fixed.pid);
  follow_parent(young);
  if (!birth.sibling) young.info.parent = young.info.id;
  young.info.id = {child, reader_.to_tick(fixed.boot_ns)};
  if (birth.moved) young.info.mount_namespace = 0;  // until its first exec
  young.threads = {child};
  young.status = 0;
  young.idle_ns = 0;
  fixed.target_pid = child;
  fixed.target_start_ns = young.info.id.start_ns;
  processes_[child] = std::move(young);
  complete(record, processes_.at(fixed.pid));
  return true;
}

void ProcessAccount::exec(RawRecord& record) {
  as_record& fixed = record.fixed;
  Entry& entry = entry_of(fixed.pid);
  Entry now;
  const bool alive = read(fixed.pid, now);
  if (alive) {
    now.info.id = entry.info.id.start_ns != 0 ? entry.info.id : now.info.id;
    if (now.info.parent.pid == entry.info.parent.pid) now.info.parent = entry.info.parent;
    keep_what_is_gone(entry, now);
  } else {
    now.info = entry.info;
    now.cgroup_id = entry.cgroup_id;
    now.root = entry.root;
    forget_users(now.info);
    forget_groups(now.info);
  }
  argv_ = {{}, AS_TEXT_UNREADABLE};
  if (const auto noted = argvs_.find(fixed.target_tid); noted != argvs_.end()) {
    argv_ = std::move(noted->second);
    argvs_.erase(noted);
  }
  const bool whole = (argv_.flags & (AS_TEXT_TRUNCATED | AS_TEXT_UNREADABLE)) == 0;
  now.executable = find_program(entry, now, std::string(record.text(AS_TEXT_PATH)), alive, argv_);
  if (!whole && alive && !now.info.argv.empty()) argv_ = {now.info.argv, 0};
  record.set_text(AS_TEXT_TEXT, argv_.text, argv_.flags);
  // An exec changes neither; and the account is older than /proc only by what the records that follow tell.
  now.cwd = entry.cwd;
  now.root = entry.root;
  now.threads = {fixed.pid};
  entry = std::move(now);
}

/// /proc tells less and less of a process that ends, before it is gone: what it did not tell any more is as
/// it was. An exec changes none of it.
void ProcessAccount::keep_what_is_gone(const Entry& before, Entry& now) {
  if (now.info.mount_namespace == 0) now.info.mount_namespace = before.info.mount_namespace;
  if (now.info.auid == kUnknownId) now.info.auid = before.info.auid;
  if (now.info.session == kUnknownId) now.info.session = before.info.session;
  if (now.whole) return;
  now.info.container_id = before.info.container_id;  // an ended process's cgroup may be another one
  now.cgroup_id = before.cgroup_id;
}

bool ProcessAccount::exit(RawRecord& record) {
  as_record& fixed = record.fixed;
  argvs_.erase(fixed.tid);
  const auto known = processes_.find(fixed.pid);
  if (known == processes_.end()) return false;  // a kernel thread: none of them was there before
  Entry& entry = known->second;
  std::erase(entry.threads, fixed.tid);
  if ((fixed.flags & AS_RECORD_RESULT) != 0) entry.status = static_cast<std::uint32_t>(fixed.result);
  if (!entry.threads.empty()) return false;
  const bool kernel_thread = entry.info.executable.empty() && entry.info.argv.empty() &&
                             (entry.info.parent.pid == 2 || entry.info.id.pid == 2);
  fixed.result = entry.status;
  fixed.flags = 0;
  ended_ = std::move(entry);
  processes_.erase(known);
  if (!kernel_thread) complete(record, ended_);
  return !kernel_thread;
}

void ProcessAccount::follow_parent(Entry& entry) {
  ProcessIdentity& parent = entry.info.parent;
  auto known = processes_.find(parent.pid);
  const bool there = known != processes_.end() &&
                     (parent.start_ns == 0 || known->second.info.id.start_ns == parent.start_ns);
  if (!there) {  // it has ended, and somebody else took over its children
    ProcessInfo now;
    if (!reader_.read(entry.info.id.pid, now)) return;
    parent = now.parent;
    known = processes_.find(parent.pid);
  }
  if (known != processes_.end()) parent = known->second.info.id;
}

void ProcessAccount::complete(RawRecord& record, Entry& entry) {
  as_record& fixed = record.fixed;
  follow_parent(entry);
  const ProcessInfo& info = entry.info;
  fixed.start_ns = info.id.start_ns;
  fixed.parent_pid = info.parent.pid;
  fixed.parent_start_ns = info.parent.start_ns;
  fixed.mount_namespace = info.mount_namespace;
  fixed.euid = info.euid;
  fixed.suid = info.suid;
  fixed.fsuid = info.fsuid;
  fixed.egid = info.egid;
  fixed.sgid = info.sgid;
  fixed.fsgid = info.fsgid;
  fixed.auid = info.auid;
  fixed.session = info.session;
  fixed.cgroup_id = entry.cgroup_id;
  container_ = info.container_id;
  record.set_text(AS_TEXT_EXECUTABLE, entry.executable.components, entry.executable.flags);
  complete_paths(record, entry);
}

}  // namespace auditshift::sensor
