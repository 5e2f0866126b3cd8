// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/sysroot.h"
#include "sensor/event.h"
#include "sensor/proc_info.h"
#include "sensor/raw_record.h"
#include "sensor/watched_calls.h"

namespace auditshift::sensor {

/// A call that brings no event but changes what is known of a process: chdir, fchdir, chroot, unshare, setns.
struct NotedCall {
  std::string_view name;
  std::array<std::uint16_t, 4> numbers;  ///< x86_64 and x32, i386, arm64, arm
  std::uint8_t path;                     ///< argument that is a path; 0: none
};
std::span<const NotedCall> noted_calls();
/// Its number in an ABI; 0 for none.
int noted_call_number(const NotedCall& call, Abi abi);

/// Who is who, for a kernel side that cannot tell (tier legacy): its records name a process by its number
/// alone. Keeps an account of all processes, from /proc at the start, then from the records of what changes
/// them, in the order of time; and puts what it knows into each record.
///
/// What a process inherits or is told of by its own calls is right for the moment of the event, even when it
/// has ended since. What has to be asked of /proc is right for the moment of asking, and unknown when the
/// process is gone: credentials after a change or an exec, what a descriptor stands for.
class ProcessAccount {
 public:
  /// REQUIRES: `host` is the live host and outlives this.
  ProcessAccount(const base::Sysroot& host, long clock_ticks);

  /// All processes that run.
  void scan();
  /// Records were lost, some time before `boot_ns`: ends of processes, begins and ends of threads may be
  /// among them.
  void note_loss(std::uint64_t boot_ns);
  /// All records from before `passed_ns` have been applied, and it is `boot_ns`. After a loss this puts the
  /// account right by /proc, and forgets what is gone; each only once the records that could tell it are
  /// applied, since an end that was not lost is still to be told.
  void settle(std::uint64_t passed_ns, std::uint64_t boot_ns);

  /// Takes note of what the record tells, and completes it. False when there is no event in it: a note, the
  /// end of a thread that was not its process's last, something of a kernel thread.
  bool apply(RawRecord& record);

  /// The container that the process of the last completed record runs in; empty when none.
  const std::string& container() const { return container_; }
  std::size_t size() const { return processes_.size(); }

 private:
  /// A path of the kernel's own tree, as a record's text.
  struct Place {
    std::string components;
    std::uint8_t flags = AS_TEXT_PRESENT | AS_TEXT_UNRESOLVED;
  };
  struct Entry {
    ProcessInfo info;
    std::uint64_t cgroup_id = 0;
    std::string root = "/";
    Place executable, cwd;
    bool whole = false;  ///< when it was read, /proc told all, up to its places, which are asked for last
    std::vector<std::uint32_t> threads;
    std::uint32_t status = 0;   ///< as wait(2) gives it
    std::uint64_t idle_ns = 0;  ///< when it was seen to have no living thread; 0: it was not
    bool ended = false;         ///< and that the last one had told its end by then, lost or not
  };
  struct Argv {
    std::string text;
    std::uint8_t flags = 0;
  };

  Entry& entry_of(std::uint32_t pid);
  bool read(std::uint32_t pid, Entry& entry);
  void read_places(std::uint32_t pid, Entry& entry);
  void read_threads(std::uint32_t pid, Entry& entry, std::uint64_t boot_ns);
  std::uint64_t cgroup_of(std::uint32_t pid) const;
  Place place_of(std::string_view link, const Entry& entry) const;
  void find_home(const base::Sysroot& host);
  const base::Sysroot& home() const { return home_ ? *home_ : *host_; }
  bool is_at_home(const Entry& entry) const;
  std::string joined(const Entry& entry, std::string_view path) const;

  bool fork(RawRecord& record);
  void exec(RawRecord& record);
  static void keep_what_is_gone(const Entry& before, Entry& now);
  bool exit(RawRecord& record);
  void directory_changed(const RawRecord& record);
  Place find_program(const Entry& before, const Entry& now, const std::string& file, bool alive, Argv& argv);
  void change_ids(const RawRecord& record, Entry& entry);
  void complete(RawRecord& record, Entry& entry);
  void complete_paths(RawRecord& record, const Entry& entry);
  void add_directory(RawRecord& record, as_text_slot slot, int descriptor, const Entry& entry);
  void follow_parent(Entry& entry);

  const base::Sysroot* host_;
  ProcReader reader_;
  std::string cgroups_;                ///< where cgroup v2 is mounted; empty: nowhere
  std::uint32_t home_namespace_ = 0;   ///< whose names can be looked up, in home()
  std::optional<base::Sysroot> home_;  ///< nothing: that is this process's own
  std::unordered_map<std::uint32_t, Entry> processes_;
  std::vector<std::uint32_t> idle_;  ///< those with an idle_ns, and some that are gone
  std::uint64_t first_loss_ns_ = 0;  ///< that was not looked into yet; 0: none
  std::uint64_t last_loss_ns_ = 0;
  std::unordered_map<std::uint32_t, Argv> argvs_;  ///< by thread, of execs under way
  Place places_[2];                                ///< of the record that was completed last
  Argv argv_;
  Entry ended_;  ///< of the last record, when that was its end
  std::string container_;
};

}  // namespace auditshift::sensor
