// SPDX-License-Identifier: Apache-2.0
#include "sensor/kernel_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

#include "bpf/libbpf_log.h"
#include "sensor/call_tables.h"
#include "skeletons/sensor.skel.h"

namespace auditshift::sensor {
namespace {

base::Error load_error(int number) {
  base::Error error = base::Error::from_errno(number, "the kernel did not take the sensor's programs");
  if (number == EPERM) return std::move(error).with_hint("run as root, or with CAP_BPF and CAP_PERFMON");
  return error;
}

struct Destroy {
  void operator()(sensor_bpf* skeleton) const { sensor_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<sensor_bpf, Destroy>;

/// The object file with its knobs set, not loaded.
base::Result<Skeleton> configure(const EbpfOptions& options) {
  bpf::route_libbpf_messages();
  if (!std::has_single_bit(options.ring_bytes) || options.ring_bytes > 1ULL << 31) {
    return base::Error(base::Errc::invalid, "the ring buffer's size must be a power of two of at most 2 GiB");
  }
  Skeleton skeleton(sensor_bpf::open());
  if (skeleton == nullptr) return load_error(errno);
  auto& knobs = *skeleton->rodata;
  knobs.kinds_on = options.kinds.bits();
  knobs.options = option_bits(options);
  knobs.bpf_commands = options.bpf_commands;
  knobs.argv_limit = options.argv_limit;
  // Eight wake-ups while the ring fills.
  knobs.wakeup_shift = static_cast<std::uint32_t>(std::countr_zero(options.ring_bytes)) - 3;
  const CallTables tables = make_call_tables(options.kinds);
  std::copy(tables.call_index.begin(), tables.call_index.end(), knobs.call_index);
  std::copy(tables.calls.begin(), tables.calls.end(), knobs.calls);
  std::copy(tables.socketcalls.begin(), tables.socketcalls.end(), knobs.socketcalls);
  if (bpf_map__set_max_entries(skeleton->maps.ring, static_cast<std::uint32_t>(options.ring_bytes)) != 0) {
    return base::Error::from_errno(errno, "cannot set the ring buffer's size");
  }
  return skeleton;
}

/// FNV-1a, 64 bits: against confusion, not against malice.
std::uint64_t hash(std::uint64_t start, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) start = (start ^ bytes[i]) * 0x100000001b3ULL;
  return start;
}

std::uint64_t fingerprint_of(const sensor_bpf& skeleton, const EbpfOptions& options) {
  std::size_t size = 0;
  const void* object = sensor_bpf::elf_bytes(&size);
  std::uint64_t result = hash(0xcbf29ce484222325ULL, object, size);
  result = hash(result, skeleton.rodata, sizeof *skeleton.rodata);
  return hash(result, &options.ring_bytes, sizeof options.ring_bytes);
}

base::Fd duplicate(int fd) { return base::Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

}  // namespace

KindSet EbpfOptions::possible_kinds() {
  KindSet kinds = KindSet::all();
  for (const EventKind kind : {EventKind::running, EventKind::name, EventKind::core_dump}) kinds.erase(kind);
  return kinds;
}

KindSet EbpfOptions::default_kinds() {
  KindSet kinds = possible_kinds();
  for (const EventKind kind : {EventKind::send, EventKind::set_socket_option}) kinds.erase(kind);
  return kinds;
}

std::vector<KernelPrograms::Program> KernelPrograms::program_list() {
  constexpr std::pair<std::string_view, std::string_view> kPrograms[] = {{"on_exec", "sched_process_exec"},
                                                                         {"on_fork", "sched_process_fork"},
                                                                         {"on_exit", "sched_process_exit"},
                                                                         {"on_sys_exit", "sys_exit"}};
  std::vector<Program> programs;
  for (const auto& [name, tracepoint] : kPrograms) programs.push_back({name, tracepoint, {}, {}});
  return programs;
}

std::array<std::pair<const char*, base::Fd*>, 6> KernelPrograms::maps() {
  return {{{"ring", &ring_},
           {"counters", &counters_},
           {"exclusions", &exclusions_},
           {"state", &state_},
           {"name_counts", &name_counts_},
           {"call_counts", &call_counts_}}};
}

base::Result<std::uint64_t> KernelPrograms::fingerprint(const EbpfOptions& options) {
  AUDITSHIFT_TRY(skeleton, configure(options));
  return fingerprint_of(*skeleton, options);
}

base::Result<KernelPrograms> KernelPrograms::load(const EbpfOptions& options) {
  AUDITSHIFT_TRY(skeleton, configure(options));
  static_assert(sizeof(*skeleton->bss) == sizeof(as_state), "state() and set_state() see the whole map");
  skeleton->bss->state.record_version = AS_RECORD_VERSION;
  skeleton->bss->state.fingerprint = fingerprint_of(*skeleton, options);
  const int status = sensor_bpf::load(skeleton.get());
  if (status != 0) return load_error(-status);

  // The skeleton ends here; what is needed of it lives on through descriptors of its own.
  KernelPrograms result;
  result.ring_ = duplicate(bpf_map__fd(skeleton->maps.ring));
  result.counters_ = duplicate(bpf_map__fd(skeleton->maps.counters));
  result.exclusions_ = duplicate(bpf_map__fd(skeleton->maps.exclusions));
  result.state_ = duplicate(bpf_map__fd(skeleton->maps.bss));
  result.name_counts_ = duplicate(bpf_map__fd(skeleton->maps.name_counts));
  result.call_counts_ = duplicate(bpf_map__fd(skeleton->maps.call_counts));
  result.programs_ = program_list();
  bool whole = true;
  for (const auto& [name, fd] : result.maps()) whole = whole && fd->valid();
  for (Program& program : result.programs_) {
    program.program = duplicate(
        bpf_program__fd(bpf_object__find_program_by_name(skeleton->obj, std::string(program.name).c_str())));
    whole = whole && program.program;
  }
  if (!whole) return base::Error::from_errno(errno, "cannot keep the sensor's programs");
  return result;
}

base::Result<void> KernelPrograms::attach() {
  for (Program& program : programs_) {
    // A tp_btf program knows from loading where it belongs.
    program.link.reset(bpf_raw_tracepoint_open(nullptr, program.program.get()));
    if (!program.link) {
      const int number = errno;
      return base::Error::from_errno(number, "cannot attach to " + std::string(program.tracepoint));
    }
  }
  return {};
}

base::Result<as_state> KernelPrograms::state() const {
  const std::uint32_t zero = 0;
  as_state state{};
  if (bpf_map_lookup_elem(state_.get(), &zero, &state) != 0) {
    return base::Error::from_errno(errno, "cannot read the state of the sensor's programs");
  }
  return state;
}

base::Result<void> KernelPrograms::set_state(const as_state& state) {
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(state_.get(), &zero, &state, BPF_ANY) != 0) {
    return base::Error::from_errno(errno, "cannot change the state of the sensor's programs");
  }
  return {};
}

base::Result<KernelPrograms::Counters> KernelPrograms::counters() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return base::Error::from_errno(-cpus, "cannot count the CPUs");
  Counters counters;
  for (std::uint32_t counter = 0; counter < AS_COUNTERS; ++counter) {
    counters[counter].resize(static_cast<std::size_t>(cpus));
    if (bpf_map_lookup_elem(counters_.get(), &counter, counters[counter].data()) != 0) {
      return base::Error::from_errno(errno, "cannot read the sensor's counters");
    }
  }
  return counters;
}

std::vector<KernelPrograms::ProgramInfo> KernelPrograms::programs() const {
  std::vector<ProgramInfo> infos;
  for (const Program& program : programs_) {
    ProgramInfo info;
    info.name = program.name;
    info.tracepoint = program.tracepoint;
    bpf_prog_info raw{};
    std::uint32_t length = sizeof raw;
    if (bpf_obj_get_info_by_fd(program.program.get(), &raw, &length) == 0) {
      info.missed = raw.recursion_misses;
      info.runs = raw.run_cnt;
      info.run_time_ns = raw.run_time_ns;
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace auditshift::sensor
