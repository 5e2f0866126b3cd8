// SPDX-License-Identifier: Apache-2.0
#include "sensor/kernel_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <bit>
#include <cerrno>

#include "bpf/libbpf_log.h"
#include "sensor/watched_calls.h"
#include "skeletons/sensor.skel.h"

namespace auditshift::sensor {
namespace {

#if defined(__x86_64__)
constexpr Abi kNative[] = {Abi::x86_64, Abi::x32};
constexpr Abi kCompat = Abi::i386;
#elif defined(__aarch64__)
constexpr Abi kNative[] = {Abi::arm64};
constexpr Abi kCompat = Abi::arm;
#else
#error "no system-call convention for this architecture"
#endif

/// Whether a call can bring an event of a wanted kind: some calls bring several.
bool is_wanted(const WatchedCall& call, const KindSet& kinds) {
  const auto kind = static_cast<EventKind>(call.call.kind);
  if (call.call.filter == AS_FILTER_SOCKETCALL) {
    for (std::uint64_t number = 0; number < AS_SOCKETCALL_LIMIT; ++number) {
      const WatchedCall* inner = find_socketcall(number);
      if (inner != nullptr && is_wanted(*inner, kinds)) return true;
    }
    return false;
  }
  if (kind == EventKind::open) return kinds.contains(EventKind::open) || kinds.contains(EventKind::create);
  if (kind == EventKind::unlink) return kinds.contains(EventKind::unlink) || kinds.contains(EventKind::rmdir);
  return kinds.contains(kind);
}

std::uint32_t option_bits(const EbpfOptions& options) {
  std::uint32_t bits = 0;
  const auto set = [&](bool on, as_option bit) { bits |= on ? static_cast<std::uint32_t>(bit) : 0U; };
  set(options.reads, AS_OPTION_READS);
  set(options.threads, AS_OPTION_THREADS);
  set(options.failed_access, AS_OPTION_FAILED_ACCESS);
  set(options.failed_other, AS_OPTION_FAILED_OTHER);
  set(options.all_sockets, AS_OPTION_ALL_SOCKETS);
  set(options.all_ptrace, AS_OPTION_ALL_PTRACE);
  return bits;
}

template <class Tables>
void fill_call_tables(Tables& tables, const KindSet& kinds) {
  const auto calls = watched_calls();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!is_wanted(calls[i], kinds)) continue;
    const auto entry = static_cast<std::uint16_t>(i + 1);
    tables.calls[entry] = calls[i].call.for_kernel();
    for (int number = 0; number < AS_SYSCALL_LIMIT; ++number) {
      for (const Abi abi : kNative) {
        if (find_watched_call(abi, number) == &calls[i]) tables.call_index[number] |= entry;
      }
      if (find_watched_call(kCompat, number) == &calls[i]) {
        tables.call_index[number] |= static_cast<std::uint16_t>(entry << 8);
      }
    }
    for (std::uint64_t number = 0; number < AS_SOCKETCALL_LIMIT; ++number) {
      if (find_socketcall(number) == &calls[i]) tables.socketcalls[number] = static_cast<std::uint8_t>(entry);
    }
  }
}

base::Error load_error(int number) {
  base::Error error = base::Error::from_errno(number, "the kernel did not take the sensor's programs");
  if (number == EPERM) return std::move(error).with_hint("run as root, or with CAP_BPF and CAP_PERFMON");
  return error;
}

}  // namespace

KindSet EbpfOptions::default_kinds() {
  KindSet kinds = KindSet::all();
  for (const EventKind kind : {EventKind::running, EventKind::name, EventKind::core_dump, EventKind::send,
                               EventKind::set_socket_option}) {
    kinds.erase(kind);
  }
  return kinds;
}

KernelPrograms::KernelPrograms(sensor_bpf* skeleton) : skeleton_(skeleton) {}
KernelPrograms::KernelPrograms(KernelPrograms&&) noexcept = default;
KernelPrograms& KernelPrograms::operator=(KernelPrograms&&) noexcept = default;
KernelPrograms::~KernelPrograms() = default;
void KernelPrograms::Destroy::operator()(sensor_bpf* skeleton) const { sensor_bpf::destroy(skeleton); }

base::Result<KernelPrograms> KernelPrograms::load(const EbpfOptions& options) {
  bpf::route_libbpf_messages();
  if (!std::has_single_bit(options.ring_bytes) || options.ring_bytes > 1ULL << 31) {
    return base::Error(base::Errc::invalid, "the ring buffer's size must be a power of two of at most 2 GiB");
  }
  KernelPrograms programs(sensor_bpf::open());
  sensor_bpf* skeleton = programs.skeleton_.get();
  if (skeleton == nullptr) return load_error(errno);
  auto& knobs = *skeleton->rodata;
  knobs.kinds_on = options.kinds.bits();
  knobs.options = option_bits(options);
  knobs.bpf_commands = options.bpf_commands;
  knobs.argv_limit = options.argv_limit;
  // Eight wake-ups while the ring fills.
  knobs.wakeup_shift = static_cast<std::uint32_t>(std::countr_zero(options.ring_bytes)) - 3;
  fill_call_tables(knobs, options.kinds);
  if (bpf_map__set_max_entries(skeleton->maps.ring, static_cast<std::uint32_t>(options.ring_bytes)) != 0) {
    return base::Error::from_errno(errno, "cannot set the ring buffer's size");
  }
  const int status = sensor_bpf::load(skeleton);
  if (status != 0) return load_error(-status);
  return programs;
}

base::Result<void> KernelPrograms::attach(std::uint32_t own_pid) {
  skeleton_->bss->sensor_pid = own_pid;
  const int status = sensor_bpf::attach(skeleton_.get());
  if (status != 0) return base::Error::from_errno(-status, "cannot attach the sensor's programs");
  return {};
}

int KernelPrograms::ring_fd() const { return bpf_map__fd(skeleton_->maps.ring); }

base::Result<KernelPrograms::Counters> KernelPrograms::counters() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return base::Error::from_errno(-cpus, "cannot count the CPUs");
  Counters counters;
  for (std::uint32_t counter = 0; counter < AS_COUNTERS; ++counter) {
    counters[counter].resize(static_cast<std::size_t>(cpus));
    if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.counters), &counter, counters[counter].data()) != 0) {
      return base::Error::from_errno(errno, "cannot read the sensor's counters");
    }
  }
  return counters;
}

std::vector<KernelPrograms::ProgramInfo> KernelPrograms::programs() const {
  std::vector<ProgramInfo> infos;
  bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton_->obj, program)) != nullptr) {
    bpf_prog_info raw{};
    std::uint32_t length = sizeof raw;
    ProgramInfo info;
    info.name = bpf_program__name(program);
    info.attach_point = bpf_program__section_name(program);
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
