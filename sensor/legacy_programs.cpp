// SPDX-License-Identifier: Apache-2.0
#include "sensor/legacy_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "bpf/legacy.h"
#include "bpf/libbpf_log.h"
#include "bpf/tracepoint_format.h"
#include "sensor/call_tables.h"
#include "sensor/process_account.h"
#include "sensor/task_layout.h"
#include "skeletons/legacy.skel.h"

namespace auditshift::sensor {
namespace {

#if defined(__x86_64__)
constexpr Abi kNative = Abi::x86_64, kCompat = Abi::i386;
#elif defined(__aarch64__)
constexpr Abi kNative = Abi::arm64, kCompat = Abi::arm;
#endif

base::Error legacy_load_error(int number) {
  base::Error error = base::Error::from_errno(number, "the kernel did not take the programs of tier legacy");
  if (number == EPERM) return std::move(error).with_hint("run as root");
  return error;
}

base::Result<void> put(const bpf_map* map, std::uint32_t key, const void* value) {
  if (bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY) == 0) return {};
  return base::Error::from_errno(errno, std::string("cannot fill the map ") + bpf_map__name(map));
}

/// Where a member of a tracepoint's record is. Errors: the kernel has another one.
base::Result<std::uint32_t> place_of(const base::Sysroot& host, std::string_view tracepoint,
                                     std::string_view field) {
  AUDITSHIFT_TRY(format, bpf::read_tracepoint_format(host, tracepoint));
  const auto found = format.fields.find(field);
  if (found != format.fields.end()) return found->second.offset;
  return base::Error(base::Errc::unsupported,
                     "the tracepoint " + std::string(tracepoint) + " has no " + std::string(field));
}

/// The two busiest programs read their context directly, at the places that all mainline kernels have.
base::Result<void> check_place(const base::Sysroot& host, std::string_view tracepoint, std::string_view field,
                               std::uint32_t wanted) {
  AUDITSHIFT_TRY(place, place_of(host, tracepoint, field));
  if (place == wanted) return {};
  return base::Error(base::Errc::unsupported, "the tracepoint " + std::string(tracepoint) +
                                                  " has its member " + std::string(field) +
                                                  " at another place than the programs know");
}

/// BPF_F_MMAPABLE, Linux 5.5.
bool arrays_can_be_mapped() {
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.map_flags = BPF_F_MMAPABLE;
  const base::Fd map(
      bpf_map_create(BPF_MAP_TYPE_ARRAY, nullptr, sizeof(std::uint32_t), sizeof(std::uint64_t), 1, &options));
  return static_cast<bool>(map);
}

/// What an account of processes needs is always watched.
KindSet watched_kinds(KindSet kinds) {
  for (const EventKind kind :
       {EventKind::exec, EventKind::fork, EventKind::exit, EventKind::uid_change, EventKind::gid_change})
    kinds.insert(kind);
  return kinds;
}

}  // namespace

struct LegacyPrograms::Skeleton {
  legacy_bpf* object = nullptr;
  Skeleton() = default;
  Skeleton(const Skeleton&) = delete;
  Skeleton& operator=(const Skeleton&) = delete;
  ~Skeleton() { legacy_bpf::destroy(object); }
};

LegacyPrograms::LegacyPrograms() : skeleton_(std::make_unique<Skeleton>()) {}
LegacyPrograms::LegacyPrograms(LegacyPrograms&&) noexcept = default;
LegacyPrograms& LegacyPrograms::operator=(LegacyPrograms&&) noexcept = default;
LegacyPrograms::~LegacyPrograms() = default;

base::Result<LegacyPrograms> LegacyPrograms::load(const EbpfOptions& options, const base::Sysroot& host) {
  bpf::route_libbpf_messages();
  AUDITSHIFT_TRY_VOID(check_place(host, "raw_syscalls/sys_enter", "id", 8));
  AUDITSHIFT_TRY_VOID(check_place(host, "raw_syscalls/sys_enter", "args", 16));
  AUDITSHIFT_TRY_VOID(check_place(host, "raw_syscalls/sys_exit", "id", 8));
  AUDITSHIFT_TRY_VOID(check_place(host, "raw_syscalls/sys_exit", "ret", 16));
  LegacyPrograms result;
  AUDITSHIFT_TRY_VOID(result.load_object());
  AUDITSHIFT_TRY_VOID(result.set_knobs(options, host));
  AUDITSHIFT_TRY_VOID(result.fill_tables(options));
  return result;
}

base::Result<void> LegacyPrograms::load_object() {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return base::Error::from_errno(-cpus, "cannot count the CPUs");
  cpus_ = static_cast<std::size_t>(cpus);
  legacy_bpf*& object = skeleton_->object;
  object = legacy_bpf::open();
  if (object == nullptr) return legacy_load_error(errno);
  bpf_map* counters = object->maps.counters;
  const bool shared = arrays_can_be_mapped();
  int status = bpf_map__set_max_entries(counters, static_cast<std::uint32_t>(cpus));
  if (status == 0 && shared) status = bpf_map__set_map_flags(counters, BPF_F_MMAPABLE);
  if (status == 0) status = legacy_bpf::load(object);
  if (status != 0) return legacy_load_error(-status);
  if (shared) {
    AUDITSHIFT_TRY(memory, bpf::MapMemory::open(bpf_map__fd(counters), cpus_ * sizeof(as_cpu_counts)));
    counters_memory_ = std::move(memory);
  }
  return {};
}

base::Result<void> LegacyPrograms::set_knobs(const EbpfOptions& options, const base::Sysroot& host) {
  const CompatFinding compat = find_compat_mark();
  compat_calls_ = compat.how;
  as_legacy_knobs knobs{};
  knobs.sensor_pid = static_cast<std::uint32_t>(::getpid());
  knobs.options = option_bits(options);
  knobs.bpf_commands = options.bpf_commands;
  knobs.argv_limit = options.argv_limit;
  knobs.compat_offset = compat.mark.offset;
  knobs.compat_mask = compat.mark.mask;
  const auto place = [&](const char* tracepoint, const char* field,
                         std::uint32_t& target) -> base::Result<void> {
    AUDITSHIFT_TRY(found, place_of(host, tracepoint, field));
    target = found;
    return {};
  };
  AUDITSHIFT_TRY_VOID(place("sched/sched_process_exec", "filename", knobs.exec_filename));
  AUDITSHIFT_TRY_VOID(place("sched/sched_process_exec", "old_pid", knobs.exec_old_pid));
  AUDITSHIFT_TRY_VOID(place("sched/sched_process_fork", "child_pid", knobs.fork_child_pid));
  AUDITSHIFT_TRY_VOID(place("signal/signal_deliver", "sig", knobs.deliver_signal));
  AUDITSHIFT_TRY_VOID(place("signal/signal_deliver", "sa_handler", knobs.deliver_handler));
  return put(skeleton_->object->maps.knob_space, 0, &knobs);
}

base::Result<void> LegacyPrograms::fill_tables(const EbpfOptions& options) {
  const auto& maps = skeleton_->object->maps;
  CallTables tables = make_call_tables(watched_kinds(options.kinds));
  // The tables of the core tier, and the calls that only an account of processes asks for.
  std::size_t next = watched_calls().size() + 1;
  for (const NotedCall& noted : noted_calls()) {
    if (next >= AS_CALL_LIMIT) return base::Error(base::Errc::too_large, "too many system calls to watch");
    tables.calls[next].kind = AS_NOTE_DIRECTORY;
    tables.calls[next].path = noted.path;
    const auto native = static_cast<std::size_t>(noted_call_number(noted, kNative));
    const auto compat = static_cast<std::size_t>(noted_call_number(noted, kCompat));
    tables.call_index[native] = static_cast<std::uint16_t>((tables.call_index[native] & 0xff00) | next);
    tables.call_index[compat] = static_cast<std::uint16_t>((tables.call_index[compat] & 0x00ff) | next << 8);
    ++next;
  }
  for (std::size_t i = 0; i < watched_calls().size(); ++i) {
    const std::string_view name = watched_calls()[i].name;
    if (name == "exit_group") tables.calls[i + 1].reserved[0] = AS_LEGACY_EXIT_GROUP;
    if (name == "clone3") tables.calls[i + 1].reserved[0] = AS_LEGACY_CLONE3;
  }
  for (std::uint32_t i = 0; i < AS_CALL_LIMIT; ++i) AUDITSHIFT_TRY_VOID(put(maps.calls, i, &tables.calls[i]));
  for (std::uint32_t i = 0; i < AS_SYSCALL_LIMIT; ++i) {
    const std::uint32_t entry = tables.call_index[i];
    AUDITSHIFT_TRY_VOID(put(maps.call_index, i, &entry));
  }
  for (std::uint32_t i = 0; i < AS_SOCKETCALL_LIMIT; ++i) {
    const std::uint32_t entry = tables.socketcalls[i];
    AUDITSHIFT_TRY_VOID(put(maps.socketcalls, i, &entry));
  }
  return {};
}

base::Result<void> LegacyPrograms::attach() {
  // libbpf's skeleton attaches in the order of the file: the begin of a call first, so that its end is never
  // met without one that was kept.
  if (const int status = legacy_bpf::attach(skeleton_->object); status != 0)
    return base::Error::from_errno(-status, "cannot attach to the tracepoints of tier legacy");
  return {};
}

int LegacyPrograms::records_fd() const { return bpf_map__fd(skeleton_->object->maps.records); }

base::Result<Counters> LegacyPrograms::counters() const {
  if (counters_memory_)
    return counters_of(static_cast<const as_cpu_counts*>(counters_memory_->data()), cpus_);
  std::vector<as_cpu_counts> of_cpus(cpus_);
  for (std::uint32_t cpu = 0; cpu < cpus_; ++cpu) {
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->object->maps.counters), &cpu, &of_cpus[cpu]) != 0)
      return base::Error::from_errno(errno, "cannot read the sensor's counters");
  }
  return counters_of(of_cpus.data(), cpus_);
}

std::vector<LegacyPrograms::ProgramInfo> LegacyPrograms::programs() const {
  constexpr std::string_view kPrefix = "tracepoint/";
  std::vector<ProgramInfo> infos;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton_->object->obj, const_cast<bpf_program*>(program))) !=
         nullptr) {
    ProgramInfo info;
    info.name = bpf_program__name(program);
    info.tracepoint = std::string_view(bpf_program__section_name(program)).substr(kPrefix.size());
    bpf_prog_info raw{};
    std::uint32_t length = sizeof raw;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &raw, &length) == 0) {
      info.missed = raw.recursion_misses;
      info.runs = raw.run_cnt;
      info.run_time_ns = raw.run_time_ns;
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace auditshift::sensor
