// SPDX-License-Identifier: Apache-2.0
#include "sensor/proc_info.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "sensor/container.h"

namespace auditshift::sensor {
namespace {

constexpr std::size_t kArgumentLimit = std::size_t{32} << 10;
constexpr std::uint64_t kSecond = 1'000'000'000;

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto number = base::parse_decimal(base::trim(text));
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// Cuts the mark that the kernel puts behind the path of a removed file.
bool cut_deleted(std::string& path) {
  if (!std::string_view(path).ends_with(kDeleted)) return false;
  path.resize(path.size() - kDeleted.size());
  return true;
}

/// "Uid:\t1\t2\t3\t4" → real, effective, saved, file system.
bool parse_ids(std::string_view line, std::array<std::uint32_t*, 4> ids) {
  std::size_t found = 0;
  for (const std::string_view word : base::split(line.substr(4), '\t')) {
    if (word.empty() || found == ids.size()) continue;
    const auto id = parse_id(word);
    if (!id) return false;
    *ids[found++] = *id;
  }
  return found == ids.size();
}

std::uint32_t parse_namespace(std::string_view link) {
  // "mnt:[4026531841]"
  const std::size_t open = link.find('[');
  if (open == std::string_view::npos || !link.ends_with(']')) return 0;
  return parse_id(link.substr(open + 1, link.size() - open - 2)).value_or(0);
}

/// Of "PID (comm) state ppid …", where the comm may hold anything, parentheses too. Field 3, the state, is
/// the second of these: the first is empty.
std::vector<std::string_view> words_behind_comm(std::string_view stat) {
  const std::size_t close = stat.rfind(')');
  return base::split(close == std::string_view::npos ? std::string_view() : stat.substr(close + 1), ' ');
}

}  // namespace

void ProcessInfo::fill(Process& process) const {
  process.id = id;
  process.tid = id.pid;
  process.parent = parent;
  process.comm = comm;
  process.executable.text = executable;
  process.executable.present = !executable.empty();
  process.executable.deleted = executable_deleted;
  process.executable.from_kernel = true;
  process.uid = uid;
  process.euid = euid;
  process.suid = suid;
  process.fsuid = fsuid;
  process.gid = gid;
  process.egid = egid;
  process.sgid = sgid;
  process.fsgid = fsgid;
  process.auid = auid;
  process.session = session;
  process.container_id = container_id;
  process.mount_namespace = mount_namespace;
}

std::uint64_t ProcReader::to_tick(std::uint64_t boot_ns) const {
  const std::uint64_t tick = kSecond / static_cast<std::uint64_t>(clock_ticks_);
  return boot_ns / tick * tick;
}

bool ProcReader::read_stat(const std::string& directory, ProcessInfo& info) const {
  const auto stat = host_->read_file(directory + "stat");
  if (!stat.ok()) return false;
  const std::size_t open = stat->find('(');
  const std::size_t close = stat->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return false;
  info.comm = stat->substr(open + 1, close - open - 1);
  const auto words = words_behind_comm(*stat);
  // proc(5) numbers ppid 4, num_threads 20, starttime 22.
  constexpr std::size_t kParent = 2, kThreads = 18, kStart = 20;
  if (words.size() <= kStart) return false;
  info.parent.pid = parse_id(words[kParent]).value_or(0);
  info.threads = parse_id(words[kThreads]).value_or(1);
  const auto start = base::parse_decimal(words[kStart]);
  if (!start) return false;
  info.id.start_ns = *start * (kSecond / static_cast<std::uint64_t>(clock_ticks_));
  // Only if it is still that process: its number may have been given to another one since.
  const auto exact = exact_.find(info.id.pid);
  if (exact != exact_.end() && to_tick(exact->second) == info.id.start_ns) info.id.start_ns = exact->second;
  return true;
}

bool ProcReader::read_ids(std::uint32_t pid, ProcessInfo& info) const {
  const auto status = host_->read_file("/proc/" + std::to_string(pid) + "/status");
  if (!status.ok()) return false;
  bool users = false;
  bool groups = false;
  for (const std::string_view line : base::split(*status, '\n')) {
    if (line.starts_with("Uid:")) users = parse_ids(line, {&info.uid, &info.euid, &info.suid, &info.fsuid});
    if (line.starts_with("Gid:")) groups = parse_ids(line, {&info.gid, &info.egid, &info.sgid, &info.fsgid});
  }
  return users && groups;
}

void ProcReader::read_paths(const std::string& directory, ProcessInfo& info) const {
  info.executable = host_->read_link(directory + "exe").value_or({});
  info.executable_deleted = cut_deleted(info.executable);
  info.cwd = host_->read_link(directory + "cwd").value_or({});
  info.cwd_deleted = cut_deleted(info.cwd);
  info.argv = host_->read_file(directory + "cmdline", std::size_t{4} << 20).value_or({});
  info.argv_truncated = info.argv.size() > kArgumentLimit;
  if (info.argv_truncated) info.argv.resize(kArgumentLimit);
}

bool ProcReader::read(std::uint32_t pid, ProcessInfo& info) const {
  const std::string directory = "/proc/" + std::to_string(pid) + "/";
  info.id.pid = pid;
  if (!read_stat(directory, info) || !read_ids(pid, info)) return false;
  read_paths(directory, info);
  info.auid = parse_id(host_->read_file(directory + "loginuid").value_or({})).value_or(kUnknownId);
  info.session = parse_id(host_->read_file(directory + "sessionid").value_or({})).value_or(kUnknownId);
  info.mount_namespace = mount_namespace(pid);
  info.container_id = container_id_of(host_->read_file(directory + "cgroup").value_or({}));
  return true;
}

ThreadList ProcReader::threads(std::uint32_t pid) const {
  constexpr std::size_t kState = 1, kFlags = 7;  // fields 3 and 9
  constexpr std::uint64_t kExiting = 4;          // PF_EXITING, include/linux/sched.h
  ThreadList threads;
  const std::string directory = "/proc/" + std::to_string(pid) + "/task";
  const auto tasks = host_->list(directory);
  if (!tasks.ok()) return threads;
  for (const base::DirectoryEntry& task : *tasks) {
    const auto id = parse_id(task.name);
    const auto stat = host_->read_file(directory + "/" + task.name + "/stat");
    if (!id || !stat.ok()) continue;
    const auto words = words_behind_comm(*stat);
    if (words.size() <= kFlags) continue;
    if ((base::parse_decimal(words[kFlags]).value_or(0) & kExiting) == 0) {
      threads.living.push_back(*id);
    } else if (words[kState] != "Z" && words[kState] != "X") {
      threads.some_are_ending = true;
    }
  }
  return threads;
}

std::uint32_t ProcReader::mount_namespace(std::uint32_t pid) const {
  return parse_namespace(host_->read_link("/proc/" + std::to_string(pid) + "/ns/mnt").value_or({}));
}

std::vector<std::uint32_t> ProcReader::list() const {
  std::vector<std::uint32_t> pids;
  const auto entries = host_->list("/proc");
  if (!entries.ok()) return pids;
  for (const base::DirectoryEntry& entry : *entries) {
    if (const auto pid = parse_id(entry.name)) pids.push_back(*pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

}  // namespace auditshift::sensor
