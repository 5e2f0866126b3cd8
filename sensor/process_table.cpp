// SPDX-License-Identifier: Apache-2.0
#include "sensor/process_table.h"

#include <algorithm>
#include <utility>

namespace auditshift::sensor {
namespace {

using What = ProcMessage::What;

void fill_program(Event& event, const ProcessInfo& info) {
  event.argv.text = info.argv;
  event.argv.present = true;
  event.argv.truncated = info.argv_truncated;
  event.cwd.text = info.cwd;
  event.cwd.present = !info.cwd.empty();
  event.cwd.deleted = info.cwd_deleted;
  event.cwd.from_kernel = true;
}

/// Start times from /proc and from fork messages may differ by a tick or two.
bool same_process(const ProcessInfo& a, const ProcessInfo& b) {
  constexpr std::uint64_t kGrain = 30'000'000;
  const auto [low, high] = std::minmax(a.id.start_ns, b.id.start_ns);
  return high - low <= kGrain;
}

}  // namespace

ProcessTable::Entry& ProcessTable::entry_of(std::uint32_t pid) {
  const auto [position, added] = processes_.try_emplace(pid);
  Entry& entry = position->second;
  if (added) {
    entry.info.id.pid = pid;
    if (reader_.read(pid, entry.info))
      entry.other_threads = entry.info.threads - std::min(1U, entry.info.threads);
  }
  return entry;
}

Event ProcessTable::begin(EventKind kind, const Entry& entry, const ProcMessage& message) const {
  Event event;
  event.kind = kind;
  event.boot_ns = message.monotonic_ns + static_cast<std::uint64_t>(clocks_.to_boot_ns);
  event.wall_ns = static_cast<std::int64_t>(message.monotonic_ns) + clocks_.to_wall_ns;
  event.cpu = message.cpu;
  entry.info.fill(event.process);
  event.process.tid = message.pid;
  return event;
}

void ProcessTable::apply(const ProcMessage& message, const ClockOffsets& clocks, Consumer& consumer) {
  clocks_ = clocks;
  switch (message.what) {
    case What::acknowledgement:
      return;
    case What::fork:
      return fork(message, consumer);
    case What::exec:
      return exec(message, consumer);
    case What::exit:
      return exit(message, consumer);
    case What::uid:
    case What::gid:
      return change_ids(message, consumer);
    case What::ptrace:
      return ptrace(message, consumer);
    case What::session:
      return consumer.consume(begin(EventKind::session, entry_of(message.tgid), message));
    case What::core_dump:
      return consumer.consume(begin(EventKind::core_dump, entry_of(message.tgid), message));
    case What::name: {
      if (message.pid != message.tgid) return;  // a thread's name is not that of its process
      Entry& entry = entry_of(message.tgid);
      entry.info.comm = message.comm_text();
      return consumer.consume(begin(EventKind::name, entry, message));
    }
  }
}

void ProcessTable::fork(const ProcMessage& message, Consumer& consumer) {
  const std::uint32_t child_pid = message.first;
  const std::uint32_t child_tgid = message.second;
  const bool thread = child_pid != child_tgid;
  if (thread) {
    Entry& entry = entry_of(child_tgid);
    ++entry.other_threads;
    if (!report_threads_) return;
    Event event = begin(EventKind::fork, entry, message);
    event.process.tid = 0;  // the message does not tell which thread began it
    event.thread = true;
    event.target = entry.info.id;
    event.target_tid = child_pid;
    return consumer.consume(event);
  }
  Entry child;
  {
    const Entry& parent = entry_of(message.tgid);
    child.info = parent.info;
  }
  child.info.parent = child.info.id;
  child.info.parent.pid = message.tgid;
  child.info.id.pid = child_pid;
  child.info.id.start_ns =
      reader_.to_tick(message.monotonic_ns + static_cast<std::uint64_t>(clocks_.to_boot_ns));
  child.info.threads = 1;
  Entry& stored = processes_[child_pid] = std::move(child);
  Event event = begin(EventKind::fork, processes_.at(message.tgid), message);
  event.target = stored.info.id;
  event.target_tid = child_pid;
  consumer.consume(event);
}

void ProcessTable::exec(const ProcMessage& message, Consumer& consumer) {
  Entry& entry = entry_of(message.tgid);
  const ProcessIdentity id = entry.info.id;
  const ProcessIdentity parent = entry.info.parent;
  ProcessInfo now;
  const bool alive = reader_.read(message.tgid, now);
  if (alive) {
    if (id.start_ns != 0) now.id = id;
    if (now.parent.pid == parent.pid) now.parent = parent;
    entry.info = std::move(now);
  } else {
    // Gone already. What it had before the exec is wrong now; who it was and who it belongs to is not.
    entry.info.executable.clear();
    entry.info.comm.clear();
    entry.info.argv.clear();
  }
  entry.other_threads = 0;
  entry.leader_gone = false;
  Event event = begin(EventKind::exec, entry, message);
  event.process.tid = message.tgid;
  if (alive) {
    fill_program(event, entry.info);
  } else {
    event.argv.present = true;
    event.argv.unreadable = true;
    event.process.executable.present = true;
    event.process.executable.unreadable = true;
  }
  event.syscall.result_known = true;  // the connector tells of those that worked
  consumer.consume(event);
}

void ProcessTable::exit(const ProcMessage& message, Consumer& consumer) {
  Entry& entry = entry_of(message.tgid);
  if (message.pid == message.tgid) {
    entry.leader_gone = true;
  } else if (entry.other_threads > 0) {
    // An exec resets the count; threads that it ended may report later.
    --entry.other_threads;
  }
  if (!entry.leader_gone || entry.other_threads > 0) return;
  Event event = begin(EventKind::exit, entry, message);
  const std::uint32_t status = message.first;  // as wait(2) gives it
  event.exit_signal = static_cast<int>(status & 0x7f);
  event.core_dumped = (status & 0x80) != 0;
  if (event.exit_signal == 0) event.exit_code = static_cast<int>(status >> 8 & 0xff);
  consumer.consume(event);
  processes_.erase(message.tgid);
}

void ProcessTable::change_ids(const ProcMessage& message, Consumer& consumer) {
  Entry& entry = entry_of(message.tgid);
  const bool user = message.what == What::uid;
  if (!reader_.read_ids(message.tgid, entry.info)) {
    (user ? entry.info.suid : entry.info.sgid) = kUnknownId;
    (user ? entry.info.fsuid : entry.info.fsgid) = kUnknownId;
  }
  (user ? entry.info.uid : entry.info.gid) = message.first;
  (user ? entry.info.euid : entry.info.egid) = message.second;
  Event event = begin(user ? EventKind::uid_change : EventKind::gid_change, entry, message);
  (user ? event.owner_uid : event.owner_gid) = message.second;
  event.syscall.result_known = true;
  consumer.consume(event);
}

void ProcessTable::ptrace(const ProcMessage& message, Consumer& consumer) {
  const std::uint32_t tracer = message.second;
  if (tracer == 0) return;  // it was let go
  const ProcessIdentity target = entry_of(message.tgid).info.id;
  Event event = begin(EventKind::ptrace, entry_of(tracer), message);
  event.process.tid = message.first;
  event.target = target;
  event.target_tid = message.pid;
  event.syscall.result_known = true;
  consumer.consume(event);
}

void ProcessTable::synchronise(std::uint64_t boot_ns, std::int64_t wall_ns, Consumer& consumer) {
  const auto emit = [&](EventKind kind, const Entry& entry) {
    Event event;
    event.kind = kind;
    event.boot_ns = boot_ns;
    event.wall_ns = wall_ns;
    entry.info.fill(event.process);
    if (kind == EventKind::running) fill_program(event, entry.info);
    consumer.consume(event);
  };
  std::unordered_map<std::uint32_t, Entry> before = std::exchange(processes_, {});
  std::vector<std::pair<std::uint32_t, Entry>> gone;
  std::vector<std::uint32_t> news;
  for (const std::uint32_t pid : reader_.list()) {
    Entry entry;
    if (!reader_.read(pid, entry.info)) continue;
    entry.other_threads = entry.info.threads - std::min(1U, entry.info.threads);
    const auto known = before.find(pid);
    bool is_new = true;
    if (known != before.end() && same_process(known->second.info, entry.info)) {
      const ProcessInfo& old = known->second.info;
      entry.info.id = old.id;
      if (entry.info.parent.pid == old.parent.pid) entry.info.parent = old.parent;
      is_new = entry.info.executable != old.executable || entry.info.argv != old.argv;
      before.erase(known);
    }
    if (is_new) news.push_back(pid);
    processes_.emplace(pid, std::move(entry));
  }
  gone.reserve(gone.size() + before.size());
  for (auto& [pid, entry] : before) gone.emplace_back(pid, std::move(entry));
  std::sort(gone.begin(), gone.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [pid, entry] : gone) emit(EventKind::exit, entry);
  for (const std::uint32_t pid : news) {
    Entry& entry = processes_.at(pid);
    if (const auto parent = processes_.find(entry.info.parent.pid);
        parent != processes_.end() && entry.info.parent.start_ns == 0)
      entry.info.parent = parent->second.info.id;
    emit(EventKind::running, entry);
  }
  consumer.end_of_batch();
}

}  // namespace auditshift::sensor
