// SPDX-License-Identifier: Apache-2.0
#include "bpf/kernel_trials.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/text.h"
#include "bpf/perf_event.h"
#include "skeletons/preempt_trial.skel.h"

namespace auditshift::bpf {
namespace {

using base::Fd;
using Program = std::span<const bpf_insn>;

constexpr const char* kLicense = "Dual BSD/GPL";
constexpr const char* kTrialName = "as_trial";
// Rare enough that the moment of attaching costs nobody anything.
constexpr const char* kTrialTracepoint = "sched_process_exec";
constexpr const char* kTrialFunction = "vfs_mknod";

ProbeResult yes(std::string detail) { return {{}, ProbeResult::yes, std::move(detail)}; }
ProbeResult no(std::string detail) { return {{}, ProbeResult::no, std::move(detail)}; }
ProbeResult unknown(std::string detail) { return {{}, ProbeResult::unknown, std::move(detail)}; }

/// "attaching: Operation not permitted", from errno.
ProbeResult failed(std::string_view what, int error) {
  return no(std::string(what) + ": " + std::strerror(error));
}

constexpr bpf_insn insn(int code, int target, int source, int offset, std::int32_t immediate) {
  bpf_insn result{};
  result.code = static_cast<std::uint8_t>(code);
  result.dst_reg = static_cast<std::uint8_t>(target) & 0xf;
  result.src_reg = static_cast<std::uint8_t>(source) & 0xf;
  result.off = static_cast<std::int16_t>(offset);
  result.imm = immediate;
  return result;
}
constexpr bpf_insn set(int reg, std::int32_t value) {
  return insn(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value);
}
constexpr bpf_insn copy(int to, int from) { return insn(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
constexpr bpf_insn call(int helper) { return insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
constexpr bpf_insn kReturn = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

constexpr bpf_insn kReturnZero[] = {set(0, 0), kReturn};

Fd load(bpf_prog_type type, Program program, const bpf_prog_load_opts* options = nullptr) {
  return Fd(bpf_prog_load(type, kTrialName, kLicense, program.data(), program.size(), options));
}

/// The id of a type in the kernel's BTF, or 0. Parsed anew: a probe runs once.
std::uint32_t kernel_type_id(const std::string& name, std::uint32_t kind) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  if (types == nullptr) return 0;
  const int id = btf__find_by_name_kind(types.get(), name.c_str(), kind);
  return id > 0 ? static_cast<std::uint32_t>(id) : 0;
}

Fd load_btf_tracepoint(Program program, std::uint32_t type_id) {
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  options.expected_attach_type = BPF_TRACE_RAW_TP;
  options.attach_btf_id = type_id;
  return load(BPF_PROG_TYPE_TRACING, program, &options);
}

std::uint32_t trial_tracepoint_id() {
  return kernel_type_id(std::string("btf_trace_") + kTrialTracepoint, BTF_KIND_TYPEDEF);
}

/// Loads `program` as a raw tracepoint without attaching it.
ProbeResult try_loading(Program program) {
  const Fd loaded = load(BPF_PROG_TYPE_RAW_TRACEPOINT, program);
  return loaded ? yes("a program using it loads") : failed("loading", errno);
}

/// BTF that describes a map with u32 keys and u64 values (type ids 1 and 2): task storage demands it.
Fd load_map_types() {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__new_empty(), btf__free);
  if (types == nullptr || btf__add_int(types.get(), "key", 4, 0) != 1 ||
      btf__add_int(types.get(), "value", 8, 0) != 2) {
    return Fd();
  }
  std::uint32_t size = 0;
  const void* raw = btf__raw_data(types.get(), &size);
  return raw == nullptr ? Fd() : Fd(bpf_btf_load(raw, size, nullptr));
}

}  // namespace

bool may_use_bpf() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return false;
  const auto holds = [&](unsigned capability) {
    return (sets[capability / 32].effective >> (capability % 32) & 1U) != 0;
  };
  return holds(CAP_SYS_ADMIN) || (holds(CAP_BPF) && holds(CAP_PERFMON));
}

ProbeResult try_lockdown(const base::Sysroot& host) {
  // "none [integrity] confidentiality": security/lockdown/lockdown.c
  constexpr std::string_view kFile = "/sys/kernel/security/lockdown";
  const auto text = host.read_file(kFile, 4096);
  if (!text.ok()) return unknown(text.error().message());
  const auto open = text->find('[');
  const auto close = text->find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    return unknown("not understood: " + base::printable(base::trim(*text)));
  }
  const std::string mode = text->substr(open + 1, close - open - 1);
  return mode == "none" ? yes("none") : no(base::printable(mode));
}

ProbeResult try_btf(const base::Sysroot& host) {
  constexpr std::string_view kFile = "/sys/kernel/btf/vmlinux";
  const auto info = host.stat(kFile);
  if (info.ok()) return yes(std::string(kFile));
  if (!host.is_live()) return unknown(std::string(kFile) + " is not in the capture");
  return info.error().code() == base::Errc::not_found ? no("no " + std::string(kFile))
                                                      : unknown(info.error().message());
}

ProbeResult try_raw_tracepoint(const base::Sysroot&) {
  const Fd program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, kReturnZero);
  if (!program) return failed("loading", errno);
  const Fd link(bpf_raw_tracepoint_open(kTrialTracepoint, program.get()));
  return link ? yes("loads and attaches") : failed("attaching", errno);
}

ProbeResult try_tracepoint(const base::Sysroot& host) {
  const Fd program = load(BPF_PROG_TYPE_TRACEPOINT, kReturnZero);
  if (!program) return failed("loading", errno);
  for (const std::string folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    const auto text = host.read_file(folder + "/events/sched/" + kTrialTracepoint + "/id", 64);
    const auto id = text.ok() ? base::parse_decimal(base::trim(*text)) : std::nullopt;
    if (!id) continue;
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.config = *id;
    const Fd event = open_perf_event(attributes);
    if (!event) return failed("opening", errno);
    if (ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()) != 0) return failed("attaching", errno);
    return yes("loads and attaches");
  }
  // LOCKDOWN_TRACEFS: its files cannot be opened.
  if (try_lockdown(host).detail == "confidentiality") return no("loads; lockdown closes tracefs");
  return unknown("loads; attaching needs tracefs, which is not mounted");
}

ProbeResult try_btf_tracepoint(const base::Sysroot&) {
  const std::uint32_t id = trial_tracepoint_id();
  if (id == 0) return no("the kernel has no type information for tracepoints");
  const Fd program = load_btf_tracepoint(kReturnZero, id);
  if (!program) return failed("loading", errno);
  const Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  return link ? yes("loads and attaches") : failed("attaching", errno);
}

ProbeResult try_read_memory(const base::Sysroot&) {
  // Locked down for confidentiality, the kernel hides the helper (kernel/trace/bpf_trace.c).
  constexpr bpf_insn program[] = {
      copy(1, 10),
      insn(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -8),
      set(2, 8),
      set(3, 0),
      call(BPF_FUNC_probe_read_kernel),
      set(0, 0),
      kReturn,
  };
  return try_loading(program);
}

ProbeResult try_global_data(const base::Sysroot&) {
  const Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, kTrialName, 4, 8, 1, nullptr));
  if (!map) return failed("creating an array", errno);
  const bpf_insn program[] = {
      insn(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_VALUE, 0, map.get()),
      insn(0, 0, 0, 0, 0),
      insn(BPF_LDX | BPF_DW | BPF_MEM, 0, 1, 0, 0),
      set(0, 0),
      kReturn,
  };
  return try_loading(program);
}

ProbeResult try_bounded_loops(const base::Sysroot&) {
  constexpr bpf_insn program[] = {
      set(0, 8),
      insn(BPF_ALU64 | BPF_SUB | BPF_K, 0, 0, 0, 1),
      insn(BPF_JMP | BPF_JNE | BPF_K, 0, 0, -2, 0),
      kReturn,
  };
  return try_loading(program);
}

ProbeResult try_task_storage(const base::Sysroot&) {
  const Fd types = load_map_types();
  if (!types) return failed("loading map types", errno);
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.map_flags = BPF_F_NO_PREALLOC;
  options.btf_fd = static_cast<std::uint32_t>(types.get());
  options.btf_key_type_id = 1;
  options.btf_value_type_id = 2;
  const Fd map(bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, kTrialName, 4, 8, 0, &options));
  if (!map) return failed("creating", errno);
  const std::uint32_t id = trial_tracepoint_id();
  if (id == 0) return no("needs BTF tracepoints");
  const bpf_insn program[] = {
      call(BPF_FUNC_get_current_task_btf),
      copy(2, 0),
      insn(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map.get()),
      insn(0, 0, 0, 0, 0),
      set(3, 0),
      set(4, 0),
      call(BPF_FUNC_task_storage_get),
      set(0, 0),
      kReturn,
  };
  const Fd loaded = load_btf_tracepoint(program, id);
  return loaded ? yes("a program using it loads") : failed("loading", errno);
}

ProbeResult try_ring_buffer(const base::Sysroot&) {
  const long page = sysconf(_SC_PAGESIZE);
  const Fd map(
      bpf_map_create(BPF_MAP_TYPE_RINGBUF, kTrialName, 0, 0, static_cast<std::uint32_t>(page), nullptr));
  return map ? yes("can be created") : failed("creating", errno);
}

ProbeResult try_perf_buffer(const base::Sysroot&) {
  const Fd map(bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, kTrialName, 4, 4, 1, nullptr));
  if (!map) return failed("creating", errno);
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
  attributes.sample_type = PERF_SAMPLE_RAW;
  const Fd event = open_perf_event(attributes);
  if (!event) return failed("opening", errno);
  const std::uint32_t index = 0;
  const int fd = event.get();
  if (bpf_map_update_elem(map.get(), &index, &fd, BPF_ANY) != 0) return failed("connecting", errno);
  return yes("can be created and connected");
}

ProbeResult try_fentry(const base::Sysroot&) {
  const std::uint32_t id = kernel_type_id(kTrialFunction, BTF_KIND_FUNC);
  if (id == 0) return no("the kernel has no type information for its functions");
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  options.expected_attach_type = BPF_TRACE_FENTRY;
  options.attach_btf_id = id;
  const Fd program = load(BPF_PROG_TYPE_TRACING, kReturnZero, &options);
  if (!program) return failed("loading", errno);
  const Fd link(bpf_raw_tracepoint_open(nullptr, program.get()));
  return link ? yes("loads and attaches") : failed("attaching", errno);
}

bool can_hold_cpu() {
  static const bool can = [] {
    // Looked for in modules too when the kernel itself has no such function, which takes CAP_SYS_ADMIN.
    if (kernel_type_id("bpf_preempt_disable", BTF_KIND_FUNC) == 0) return false;
    const std::unique_ptr<preempt_trial_bpf, decltype(&preempt_trial_bpf::destroy)> trial(
        preempt_trial_bpf::open_and_load(), preempt_trial_bpf::destroy);
    return trial != nullptr;
  }();
  return can;
}

bool tracepoints_are_preemptible() {
  utsname name{};
  unsigned major = 0;
  if (::uname(&name) != 0) return false;
  const char* end = name.release + strnlen(name.release, sizeof name.release);
  return std::from_chars(name.release, end, major).ec == std::errc() && major >= 7;
}

ProbeResult try_no_preemption(const base::Sysroot& host) {
  // init/version-timestamp.c: "#1 SMP PREEMPT_DYNAMIC ..."
  const auto version = host.read_file("/proc/sys/kernel/version", 4096);
  if (!version.ok()) return unknown(version.error().message());
  if (version->find("PREEMPT") == std::string::npos) return yes("the kernel is not preemptible");
  // kernel/sched/debug.c: "none (voluntary) full"; set at boot by preempt=.
  const auto mode = host.read_file("/sys/kernel/debug/sched/preempt", 4096);
  for (const std::string_view off : {"(none)", "(voluntary)"}) {
    if (mode.ok() && mode->find(off) != std::string::npos)
      return yes("the kernel is not preemptible now: " + base::printable(base::trim(*mode)));
  }
  return no(
      "the kernel is preemptible: it would skip programs on functions in one task while another's is"
      " interrupted on the same CPU");
}

ProbeResult try_process_connector(const base::Sysroot&) {
  // Joining the group delivers nothing yet: listening is a message of its own, and is not sent.
  const Fd socket_fd(::socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR));
  if (!socket_fd) return failed("opening", errno);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (::bind(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed("joining", errno);
  }
  return yes("its group can be joined");
}

}  // namespace auditshift::bpf
