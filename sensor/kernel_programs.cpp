// SPDX-License-Identifier: Apache-2.0
#include "sensor/kernel_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <cstring>

#include "sensor/attachment.h"

namespace auditshift::sensor {
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

std::array<std::pair<const char*, base::Fd*>, 6> KernelPrograms::maps() {
  return {{{"ring", &ring_},
           {"counters", &counters_},
           {"exclusions", &exclusions_},
           {"state", &state_},
           {"name_counts", &name_counts_},
           {"call_counts", &call_counts_}}};
}

base::Result<std::uint64_t> KernelPrograms::fingerprint(const EbpfOptions& options, bpf::Tier tier) {
  AUDITSHIFT_TRY(object, KernelObject::open(options, tier));
  return object.fingerprint();
}

base::Result<KernelPrograms> KernelPrograms::load(const EbpfOptions& options, bpf::Tier tier) {
  std::vector<CallFunction> functions;
  if (tier == bpf::Tier::fentry) {
    AUDITSHIFT_TRY(found, find_call_functions(options.kinds));
    functions = std::move(found);
  }
  AUDITSHIFT_TRY(object, KernelObject::open(options, tier));
  if (tier == bpf::Tier::fentry) AUDITSHIFT_TRY_VOID(prepare_call_handlers(object, functions));
  AUDITSHIFT_TRY_VOID(object.load());

  // The object ends here; what is needed of it lives on through descriptors of its own.
  KernelPrograms result;
  for (const auto& [name, fd] : result.maps()) {
    *fd = object.map_fd(fd == &result.state_ ? ".bss" : name);
    if (!*fd) return base::Error::from_errno(errno, "cannot keep the sensor's maps");
  }
  AUDITSHIFT_TRY_VOID(result.map_memory());
  AUDITSHIFT_TRY_VOID(result.add_programs(object, tier, functions));
  return result;
}

base::Result<void> KernelPrograms::add_programs(const KernelObject& object, bpf::Tier tier,
                                                std::span<const CallFunction> functions) {
  for (const auto& [name, group, tracepoint] : kTracepoints) {
    if (tier == bpf::Tier::fentry && tracepoint == "sys_exit") continue;
    programs_.push_back({std::string(name), object.program_fd(std::string(name).c_str()), {}});
    if (!programs_.back().program) return base::Error::from_errno(errno, "cannot keep the sensor's programs");
  }
  if (functions.empty()) return {};
  AUDITSHIFT_TRY(hooks, load_call_hooks(object, functions));
  for (std::size_t i = 0; i < functions.size(); ++i)
    programs_.push_back({functions[i].name, std::move(hooks.programs[i]), {}});
  handlers_ = std::move(hooks.handlers);
  return {};
}

base::Result<void> KernelPrograms::attach() {
  for (Program& program : programs_) {
    AUDITSHIFT_TRY(link, attach_program(program.program, program.name));
    program.link = std::move(link);
  }
  return {};
}

base::Result<void> KernelPrograms::map_memory() {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return base::Error::from_errno(-cpus, "cannot count the CPUs");
  AUDITSHIFT_TRY(counters, bpf::MapMemory::open(counters_.get(),
                                                static_cast<std::size_t>(cpus) * sizeof(as_cpu_counts)));
  AUDITSHIFT_TRY(state, bpf::MapMemory::open(state_.get(), sizeof(as_state)));
  counters_memory_ = std::move(counters);
  state_memory_ = std::move(state);
  return {};
}

as_state KernelPrograms::state() const {
  as_state state;
  std::memcpy(&state, state_memory_.data(), sizeof state);
  return state;
}

void KernelPrograms::set_state(const as_state& state) {
  std::memcpy(state_memory_.data(), &state, sizeof state);
}

Counters KernelPrograms::counters() const {
  const auto cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
  return counters_of(static_cast<const as_cpu_counts*>(counters_memory_.data()), cpus);
}

std::vector<KernelPrograms::ProgramInfo> KernelPrograms::programs() const {
  std::vector<ProgramInfo> infos;
  for (const Program& program : programs_) {
    ProgramInfo info;
    info.name = program.name;
    bpf_prog_info raw{};
    std::uint32_t length = sizeof raw;
    if (bpf_obj_get_info_by_fd(program.program.get(), &raw, &length) == 0) {
      info.missed = raw.recursion_misses;
      info.runs = raw.run_cnt;
      info.run_time_ns = raw.run_time_ns;
    }
    info.attached_to = attach_point(program.name, raw.type);
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace auditshift::sensor
