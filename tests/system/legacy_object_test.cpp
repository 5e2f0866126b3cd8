// SPDX-License-Identifier: Apache-2.0
// Holds the objects of tier legacy to what a kernel 4.15 takes, which cannot be booted here: no more than
// 4096 instructions a program, only helpers and map types of that time, no global data, no loops, no
// functions, no relocations by type information, no instructions of later versions. Reads the built files,
// loads nothing.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace auditshift::bpf {
namespace {

constexpr std::size_t kInstructions = 4096;  // BPF_MAXINSNS, include/uapi/linux/bpf_common.h

// What tracepoint programs may call in 4.15: tp_prog_func_proto() and tracing_func_proto() in
// kernel/trace/bpf_trace.c.
const std::set<int> kHelpers = {
    BPF_FUNC_map_lookup_elem,      BPF_FUNC_map_update_elem,   BPF_FUNC_map_delete_elem,
    BPF_FUNC_probe_read,           BPF_FUNC_ktime_get_ns,      BPF_FUNC_tail_call,
    BPF_FUNC_get_smp_processor_id, BPF_FUNC_get_numa_node_id,  BPF_FUNC_get_current_pid_tgid,
    BPF_FUNC_get_current_uid_gid,  BPF_FUNC_get_current_comm,  BPF_FUNC_get_current_task,
    BPF_FUNC_perf_event_read,      BPF_FUNC_perf_event_output, BPF_FUNC_get_stackid,
    BPF_FUNC_get_prandom_u32,      BPF_FUNC_probe_read_str,    BPF_FUNC_current_task_under_cgroup,
    BPF_FUNC_perf_event_read_value};

const std::set<int> kMapTypes = {BPF_MAP_TYPE_HASH,        BPF_MAP_TYPE_ARRAY,
                                 BPF_MAP_TYPE_PROG_ARRAY,  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
                                 BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY,
                                 BPF_MAP_TYPE_LRU_HASH};

struct Close {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, Close>;

class LegacyObject : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = std::string(AUDITSHIFT_BPF_OBJECTS "/") + GetParam() + ".bpf.o";
    object_.reset(bpf_object__open(path_.c_str()));
    ASSERT_NE(object_, nullptr) << path_;
  }
  std::string path_;
  Object object_;
};

void check_instruction(const bpf_insn& instruction, const std::string& where) {
  const int kind = BPF_CLASS(instruction.code);
  EXPECT_NE(kind, 0x06) << where << ": 32-bit jumps are of 5.1";  // BPF_JMP32
  if (kind == BPF_STX || kind == BPF_ST) {
    EXPECT_EQ(BPF_MODE(instruction.code), BPF_MEM) << where << ": no atomic operation is needed";
  }
  if (kind != BPF_JMP) return;
  const int operation = BPF_OP(instruction.code);
  if (operation == BPF_CALL) {
    EXPECT_EQ(instruction.src_reg, 0) << where << ": functions are of 4.16, those of the kernel of 5.13";
    EXPECT_TRUE(kHelpers.contains(instruction.imm)) << where << ": helper " << instruction.imm;
    return;
  }
  EXPECT_LE(operation, BPF_JSLE) << where;
}

/// Where the instruction may lead to next.
std::vector<std::size_t> next_of(std::span<const bpf_insn> code, std::size_t at) {
  const bpf_insn& instruction = code[at];
  if (instruction.code == (BPF_LD | BPF_IMM | BPF_DW)) return {at + 2};  // two words
  if (BPF_CLASS(instruction.code) != BPF_JMP || BPF_OP(instruction.code) == BPF_CALL) return {at + 1};
  if (BPF_OP(instruction.code) == BPF_EXIT) return {};
  const std::size_t target = at + 1 + static_cast<std::size_t>(std::ptrdiff_t{instruction.off});
  if (BPF_OP(instruction.code) == BPF_JA) return {target};
  return {at + 1, target};
}

/// What check_cfg() in kernel/bpf/verifier.c refuses up to 5.2: a way back to where one came from, and
/// instructions that nothing leads to. A jump backwards alone, as to a common end, is neither.
void check_flow(std::span<const bpf_insn> code, const std::string& name) {
  enum class State { unseen, on_the_way, done };
  std::vector<State> states(code.size(), State::unseen);
  std::vector<std::size_t> way = {0};
  while (!way.empty()) {
    const std::size_t at = way.back();
    states[at] = State::on_the_way;
    bool further = false;
    for (const std::size_t next : next_of(code, at)) {
      ASSERT_LT(next, code.size()) << name << ", instruction " << at;
      EXPECT_NE(states[next], State::on_the_way) << name << ": a loop from " << at << " to " << next;
      if (states[next] != State::unseen) continue;
      way.push_back(next);
      further = true;
      break;
    }
    if (further) continue;
    states[at] = State::done;
    way.pop_back();
  }
  for (std::size_t at = 0; at < code.size(); ++at) {
    const bool second_word = at > 0 && code[at - 1].code == (BPF_LD | BPF_IMM | BPF_DW);
    EXPECT_TRUE(second_word || states[at] == State::done) << name << ": nothing leads to " << at;
  }
}

TEST_P(LegacyObject, ProgramsAreShortStraightAndCallWhatThereWas) {
  std::size_t programs = 0;
  bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(object_.get(), program)) != nullptr) {
    ++programs;
    const std::string name = bpf_program__name(program);
    EXPECT_EQ(bpf_program__type(program), BPF_PROG_TYPE_TRACEPOINT) << name;
    const std::span<const bpf_insn> code(bpf_program__insns(program), bpf_program__insn_cnt(program));
    std::printf("%-14s %5zu instructions\n", name.c_str(), code.size());
    EXPECT_LE(code.size(), kInstructions) << name;
    check_flow(code, name);
    for (std::size_t i = 0; i < code.size(); ++i) {
      check_instruction(code[i], name + ", instruction " + std::to_string(i));
      if (code[i].code == (BPF_LD | BPF_IMM | BPF_DW)) ++i;  // two words
    }
  }
  EXPECT_GT(programs, 0U);
}

TEST_P(LegacyObject, MapsAreOfThatTimeAndNoneIsGlobalData) {
  bpf_map* map = nullptr;
  while ((map = bpf_object__next_map(object_.get(), map)) != nullptr) {
    EXPECT_FALSE(bpf_map__is_internal(map)) << bpf_map__name(map) << ": global data is of 5.2";
    EXPECT_TRUE(kMapTypes.contains(bpf_map__type(map))) << bpf_map__name(map);
    if (bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY) {
      EXPECT_LE(bpf_map__value_size(map), 32768U) << bpf_map__name(map);  // PCPU_MIN_UNIT_SIZE
    }
  }
}

TEST_P(LegacyObject, NeedsNoTypeInformationOfTheKernel) {
  btf_ext* extension = nullptr;
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__parse(path_.c_str(), &extension), btf__free);
  const std::unique_ptr<btf_ext, decltype(&btf_ext__free)> owned(extension, btf_ext__free);
  ASSERT_NE(types, nullptr);
  ASSERT_NE(extension, nullptr);
  // struct btf_ext_header in libbpf's btf.h, its last two members: relocations' offset and length.
  std::uint32_t size = 0;
  const auto* raw = static_cast<const std::uint32_t*>(btf_ext__get_raw_data(extension, &size));
  ASSERT_GE(size, 32U);
  EXPECT_LE(raw[1] < 32 ? 0U : raw[7], 0U) << "relocations by type information (CO-RE)";
}

INSTANTIATE_TEST_SUITE_P(Objects, LegacyObject, testing::Values("legacy", "layout"));

}  // namespace
}  // namespace auditshift::bpf
