// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/map_memory.h"
#include "bpf/probe.h"
#include "bpf/record.h"
#include "sensor/call_hooks.h"
#include "sensor/ebpf_options.h"
#include "sensor/event_counts.h"
#include "sensor/exclusion_tree.h"
#include "sensor/kernel_object.h"
#include "sensor/kernel_side.h"

namespace auditshift::sensor {

/// The kernel side: the programs with their maps. They run as long as one descriptor or pin of theirs is
/// left, and this object holds the descriptors.
class KernelPrograms {
 public:
  /// Loads with the knobs set, without attaching. Errors say why the kernel refused. REQUIRES: tier fentry or
  /// core.
  static base::Result<KernelPrograms> load(const EbpfOptions& options, bpf::Tier tier);

  /// What another process pinned in `directory`, still running; nothing when there is no such directory. An
  /// error when it is there but not whole.
  static base::Result<std::optional<KernelPrograms>> adopt(const std::string& directory);

  /// See KernelObject.
  static base::Result<std::uint64_t> fingerprint(const EbpfOptions& options, bpf::Tier tier);

  /// Events come from now on.
  base::Result<void> attach();

  /// Makes everything outlive this process, all at once: `directory` is replaced as a whole.
  base::Result<void> pin(const std::string& directory) const;
  /// Removes what pin() made. The programs end when nobody holds them any more.
  static void unpin(const std::string& directory);

  int ring_fd() const { return ring_.get(); }

  /// What the programs read while they run, see as_state.
  as_state state() const;
  void set_state(const as_state& state);

  /// Takes the place of all exclusions before, at once: each event meets either the old ones or the new ones.
  /// Running processes are judged anew, from their next event on. After an error nothing is excluded.
  base::Result<void> set_exclusions(std::span<const KernelExclusion> exclusions);

  /// Counting by name, from zero when it was off; it costs some hundred nanoseconds per event while it is on.
  base::Result<void> set_counting(bool on);
  /// What was counted since. `not_counted` runs on from one time to the next: compare two answers.
  base::Result<EventCounts> event_counts() const;

  Counters counters() const;

  struct ProgramInfo {
    std::string name;
    std::string attached_to;        ///< see attach_point()
    std::uint64_t missed = 0;       ///< times the kernel did not run it, to keep it from nesting in itself
    std::uint64_t runs = 0;         ///< counted while kernel.bpf_stats_enabled is set
    std::uint64_t run_time_ns = 0;  ///< the same
  };
  std::vector<ProgramInfo> programs() const;

 private:
  struct Program {
    std::string name;  ///< of the pin; in the object file, or the function that is hooked
    base::Fd program;
    base::Fd link;
  };

  KernelPrograms() = default;
  base::Result<void> add_programs(const KernelObject& object, bpf::Tier tier,
                                  std::span<const CallFunction> functions);
  /// Each map with the name of its pin.
  std::array<std::pair<const char*, base::Fd*>, 6> maps();

  /// Makes the memory of maps that are there accessible.
  base::Result<void> map_memory();

  base::Fd ring_;
  base::Fd counters_;
  base::Fd exclusions_;
  base::Fd state_;
  base::Fd name_counts_;
  base::Fd call_counts_;
  bpf::MapMemory counters_memory_;
  bpf::MapMemory state_memory_;
  std::vector<Program> programs_;
  std::vector<base::Fd> handlers_;  ///< tier fentry's program arrays
};

}  // namespace auditshift::sensor
