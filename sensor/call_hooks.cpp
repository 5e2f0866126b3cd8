// SPDX-License-Identifier: Apache-2.0
#include "sensor/call_hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <set>

#include "sensor/call_tables.h"
#include "sensor/watched_calls.h"

namespace auditshift::sensor {
namespace {

constexpr const char* kLicense = "Dual BSD/GPL";
// The programs that hooks go on in, one for each prototype; alike but for that.
constexpr std::array<const char*, 2> kHandlers = {"on_call", "on_call_unused"};

// arch/*/include/asm/syscall_wrapper.h. Calls without arguments have one function for all ABIs, which bears
// the last name here.
#if defined(__x86_64__)
constexpr std::string_view kPrefixes[] = {"__x64_sys_", "__x64_compat_sys_", "__ia32_sys_",
                                          "__ia32_compat_sys_", "__do_sys_"};
#else
constexpr std::string_view kPrefixes[] = {"__arm64_sys_", "__arm64_compat_sys_", "__do_sys_"};
#endif

std::set<std::string, std::less<>> wanted_functions(const KindSet& kinds) {
  std::set<std::string, std::less<>> wanted;
  for (const WatchedCall& call : watched_calls()) {
    // A process that ends does not come back from its call, and the end is told by a tracepoint.
    if (call.call.kind == AS_KIND_EXIT || !can_bring(call, kinds)) continue;
    for (const std::string& name : function_names(call.name)) {
      for (const std::string_view prefix : kPrefixes) wanted.insert(std::string(prefix) + name);
    }
  }
  return wanted;
}

/// Whether a function has one argument, a pointer to struct pt_regs. Those behind the wrappers, which may be
/// called __do_sys_ and so on as well, have the arguments of the call.
bool takes_registers(const btf* types, std::uint32_t prototype) {
  const btf_type* type = btf__type_by_id(types, prototype);
  if (type == nullptr || !btf_is_func_proto(type) || btf_vlen(type) != 1) return false;
  const btf_type* argument = btf__type_by_id(types, btf_params(type)->type);
  if (argument == nullptr || !btf_is_ptr(argument)) return false;
  const btf_type* target = btf__type_by_id(types, argument->type);
  while (target != nullptr && btf_is_mod(target)) target = btf__type_by_id(types, target->type);
  return target != nullptr && btf_is_struct(target) &&
         std::string_view(btf__name_by_offset(types, target->name_off)) == "pt_regs";
}

bpf_prog_load_opts hook_options(const CallFunction& function) {
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  options.expected_attach_type = BPF_TRACE_FEXIT;
  options.attach_btf_id = function.type_id;
  return options;
}

/// bpf_tail_call(ctx, handlers, 0); return 0;
std::array<bpf_insn, 6> hook_instructions(int handlers) {
  std::array<bpf_insn, 6> program{};
  program[0].code = BPF_LD | BPF_DW | BPF_IMM;  // r2 = handlers, of two halves; r1 is the context already
  program[0].dst_reg = BPF_REG_2;
  program[0].src_reg = BPF_PSEUDO_MAP_FD;
  program[0].imm = handlers;
  program[2].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r3 = 0
  program[2].dst_reg = BPF_REG_3;
  program[3].code = BPF_JMP | BPF_CALL;
  program[3].imm = BPF_FUNC_tail_call;
  program[4].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = 0
  program[5].code = BPF_JMP | BPF_EXIT;
  return program;
}

base::Result<base::Fd> make_handlers(int program) {
  base::Fd handlers(bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "call_handlers", 4, 4, 1, nullptr));
  const std::uint32_t zero = 0;
  if (!handlers || bpf_map_update_elem(handlers.get(), &zero, &program, BPF_ANY) != 0) {
    return base::Error::from_errno(errno, "cannot connect the hooks of system calls");
  }
  return handlers;
}

}  // namespace

std::vector<std::string> function_names(std::string_view call) {
  std::vector<std::string> names;
  // chown32(2) of i386 is what chown(2) is elsewhere, and chown(2) is chown16; clock_settime64(2) is
  // clock_settime elsewhere, and clock_settime(2) is clock_settime32.
  const bool sized = call.ends_with("32") || call.ends_with("64");
  const std::string own(call), base(sized ? call.substr(0, call.size() - 2) : call);
  names.push_back(own);
  if (sized) names.push_back(base);
  if (!sized) names.insert(names.end(), {own + "16", own + "32", own + "_time32"});
  // Calls whose arguments i386 lays out in its own way: clone, truncate64 and ftruncate64; x86_ up to
  // Linux 5.7.
  names.insert(names.end(), {"ia32_" + own, "x86_" + own});
  // umount2(2) is called umount in the kernel, and umount(2) oldumount.
  if (call == "umount2") names.push_back("umount");
  if (call == "umount") names.push_back("oldumount");
  return names;
}

base::Result<std::vector<CallFunction>> find_call_functions(const KindSet& kinds) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  if (types == nullptr) return base::Error::from_errno(errno, "cannot read the kernel's type information");
  const auto wanted = wanted_functions(kinds);
  std::map<std::string, CallFunction> found;
  for (std::uint32_t id = 1; id < btf__type_cnt(types.get()); ++id) {
    const btf_type* type = btf__type_by_id(types.get(), id);
    if (!btf_is_func(type)) continue;
    const std::string_view name = btf__name_by_offset(types.get(), type->name_off);
    if (!name.starts_with("__") || !wanted.contains(name)) continue;
    if (takes_registers(types.get(), type->type))
      found.emplace(name, CallFunction{std::string(name), id, type->type});
  }
  if (found.empty()) {
    return base::Error(base::Errc::unsupported, "the kernel's type information names no system calls");
  }
  std::vector<CallFunction> functions;
  functions.reserve(found.size());
  for (auto& [name, function] : found) functions.push_back(std::move(function));
  return functions;
}

std::vector<CallFunction> prototypes(std::span<const CallFunction> functions) {
  std::vector<CallFunction> first;
  for (const CallFunction& function : functions) {
    if (std::none_of(first.begin(), first.end(),
                     [&](const CallFunction& other) { return other.prototype == function.prototype; }))
      first.push_back(function);
  }
  return first;
}

base::Result<void> prepare_call_handlers(const KernelObject& object,
                                         std::span<const CallFunction> functions) {
  const auto first = prototypes(functions);
  if (first.size() > kHandlers.size()) {
    return base::Error(base::Errc::unsupported, "the kernel's functions for system calls have " +
                                                    std::to_string(first.size()) + " prototypes");
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    bpf_program* program = object.program(kHandlers.at(i));
    bpf_program__set_autoload(program, true);
    if (bpf_program__set_attach_target(program, 0, first[i].name.c_str()) != 0)
      return base::Error::from_errno(errno, "cannot hook the kernel's function " + first[i].name);
  }
  return {};
}

base::Result<CallHooks> load_call_hooks(const KernelObject& object, std::span<const CallFunction> functions) {
  CallHooks hooks;
  std::map<std::uint32_t, int> handlers;  // of a prototype: its program array
  for (const CallFunction& first : prototypes(functions)) {
    const char* name = kHandlers.at(hooks.handlers.size());
    AUDITSHIFT_TRY(made, make_handlers(bpf_program__fd(object.program(name))));
    handlers[first.prototype] = made.get();
    hooks.handlers.push_back(std::move(made));
  }
  for (const CallFunction& function : functions) {
    const auto program = hook_instructions(handlers[function.prototype]);
    const bpf_prog_load_opts options = hook_options(function);
    hooks.programs.emplace_back(bpf_prog_load(BPF_PROG_TYPE_TRACING, "on_call_hook", kLicense, program.data(),
                                              program.size(), &options));
    if (!hooks.programs.back()) {
      return base::Error::from_errno(errno, "cannot hook the kernel's function " + function.name);
    }
  }
  return hooks;
}

}  // namespace auditshift::sensor
