// SPDX-License-Identifier: Apache-2.0
#include "sensor/kernel_object.h"

#include <bpf/libbpf.h>
#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <string_view>

#include "bpf/kernel_trials.h"
#include "bpf/libbpf_log.h"
#include "bpf/record.h"
#include "sensor/attachment.h"
#include "sensor/call_tables.h"
#include "skeletons/sensor.skel.h"
#include "skeletons/sensor_holding.skel.h"
#include "skeletons/sensor_perf.skel.h"

namespace auditshift::sensor {
namespace {

// All builds come from one source and differ in their instructions alone.
using Knobs = sensor_bpf::sensor_bpf__rodata;
using State = sensor_bpf::sensor_bpf__bss;
static_assert(sizeof(Knobs) == sizeof(sensor_holding_bpf::sensor_holding_bpf__rodata));
static_assert(sizeof(Knobs) == sizeof(sensor_perf_bpf::sensor_perf_bpf__rodata));
static_assert(sizeof(State) == sizeof(as_state), "KernelPrograms::state() and set_state() see the whole map");

/// Whether perf events are needed, and may be opened.
bool perf_events_help() { return bpf::tracepoints_are_preemptible() && open_event(kTracepoints[0]).ok(); }

template <typename Skeleton>
std::string_view bytes_of() {
  std::size_t size = 0;
  const void* bytes = Skeleton::elf_bytes(&size);
  return {static_cast<const char*>(bytes), size};
}

/// The object file for this kernel, in this process's memory. Where the kernel itself keeps
/// programs from being preempted, to do so again would make each event 5 % dearer.
std::string_view object_bytes(bool perf_events) {
  if (perf_events || perf_events_help()) return bytes_of<sensor_perf_bpf>();
  return bpf::tracepoints_are_preemptible() && bpf::can_hold_cpu() ? bytes_of<sensor_holding_bpf>()
                                                                   : bytes_of<sensor_bpf>();
}

/// What a map holds before it is loaded, as a `Value`; nullptr when it is not there or of another size.
template <typename Value>
Value* initial_value(bpf_object* object, const char* name) {
  bpf_map* map = bpf_object__find_map_by_name(object, name);
  std::size_t size = 0;
  const void* value = map == nullptr ? nullptr : bpf_map__initial_value(map, &size);
  // Memory of libbpf's that a skeleton has as its own to write to; older versions of libbpf call it const.
  return size == sizeof(Value) ? static_cast<Value*>(const_cast<void*>(value)) : nullptr;
}

/// FNV-1a, 64 bits: against confusion, not against malice.
std::uint64_t hash(std::uint64_t start, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) start = (start ^ bytes[i]) * 0x100000001b3ULL;
  return start;
}

base::Fd duplicate(int fd) { return base::Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

}  // namespace

base::Error load_error(int number) {
  base::Error error = base::Error::from_errno(number, "the kernel did not take the sensor's programs");
  if (number == EPERM) return std::move(error).with_hint("run as root, or with CAP_BPF and CAP_PERFMON");
  return error;
}

void KernelObject::Close::operator()(bpf_object* object) const { bpf_object__close(object); }

base::Result<KernelObject> KernelObject::open(const EbpfOptions& options, bpf::Tier tier) {
  bpf::route_libbpf_messages();
  if (!std::has_single_bit(options.ring_bytes) || options.ring_bytes > 1ULL << 31) {
    return base::Error(base::Errc::invalid, "the ring buffer's size must be a power of two of at most 2 GiB");
  }
  const std::string_view bytes = object_bytes(options.perf_events);
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof open_options;
  open_options.object_name = "sensor_bpf";
  KernelObject result;
  result.object_.reset(bpf_object__open_mem(bytes.data(), bytes.size(), &open_options));
  if (result.object_ == nullptr) return load_error(errno);
  AUDITSHIFT_TRY_VOID(result.set_knobs(options));
  if (tier == bpf::Tier::fentry) bpf_program__set_autoload(result.program("on_sys_exit"), false);

  std::uint64_t fingerprint = hash(0xcbf29ce484222325ULL, bytes.data(), bytes.size());
  fingerprint = hash(fingerprint, initial_value<Knobs>(result.object_.get(), ".rodata"), sizeof(Knobs));
  fingerprint = hash(fingerprint, &options.ring_bytes, sizeof options.ring_bytes);
  result.fingerprint_ = hash(fingerprint, &tier, sizeof tier);
  auto* state = initial_value<State>(result.object_.get(), ".bss");
  if (state == nullptr) return load_error(EINVAL);
  state->state.record_version = AS_RECORD_VERSION;
  state->state.fingerprint = result.fingerprint_;
  return result;
}

base::Result<void> KernelObject::set_knobs(const EbpfOptions& options) {
  auto* knobs = initial_value<Knobs>(object_.get(), ".rodata");
  if (knobs == nullptr) return load_error(EINVAL);
  knobs->kinds_on = options.kinds.bits();
  knobs->options = option_bits(options);
  knobs->bpf_commands = options.bpf_commands;
  knobs->argv_limit = options.argv_limit;
  // Eight wake-ups while the ring fills.
  knobs->wakeup_shift = static_cast<std::uint32_t>(std::countr_zero(options.ring_bytes)) - 3;
  const CallTables tables = make_call_tables(options.kinds);
  std::copy(tables.call_index.begin(), tables.call_index.end(), knobs->call_index);
  std::copy(tables.calls.begin(), tables.calls.end(), knobs->calls);
  std::copy(tables.socketcalls.begin(), tables.socketcalls.end(), knobs->socketcalls);
  const int cpus = libbpf_num_possible_cpus();
  bpf_map* counters = bpf_object__find_map_by_name(object_.get(), "counters");
  if (cpus <= 0 || bpf_map__set_max_entries(counters, static_cast<std::uint32_t>(cpus)) != 0)
    return base::Error(base::Errc::io, "cannot count the CPUs");
  bpf_map* ring = bpf_object__find_map_by_name(object_.get(), "ring");
  if (bpf_map__set_max_entries(ring, static_cast<std::uint32_t>(options.ring_bytes)) != 0) {
    return base::Error::from_errno(errno, "cannot set the ring buffer's size");
  }
  return {};
}

base::Result<void> KernelObject::load() {
  const int status = bpf_object__load(object_.get());
  if (status != 0) return load_error(-status);
  return {};
}

bpf_program* KernelObject::program(const char* name) const {
  return bpf_object__find_program_by_name(object_.get(), name);
}

base::Fd KernelObject::map_fd(const char* name) const {
  return duplicate(bpf_object__find_map_fd_by_name(object_.get(), name));
}

base::Fd KernelObject::program_fd(const char* name) const {
  return duplicate(bpf_program__fd(program(name)));
}

}  // namespace auditshift::sensor
