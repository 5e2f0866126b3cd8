// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bpf/libbpf_log.h"
#include "bpf/ring_reader.h"
#include "skeletons/bare.skel.h"
#include "tests/bench/sensor_overhead/services.h"
#include "tests/bench/sensor_overhead/workloads.h"

namespace auditshift::bench {
namespace {

struct Destroy {
  void operator()(bare_bpf* skeleton) const { bare_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<bare_bpf, Destroy>;

constexpr std::uint64_t kLeastRecord = 64 + 8;  // submit_fixed's, with the ring's header

class Bare final : public Service {
 public:
  Bare(Skeleton skeleton, bpf::RingReader ring, bool submits)
      : skeleton_(std::move(skeleton)),
        ring_(std::move(ring)),
        submits_(submits),
        before_(bench::cpu_seconds(RUSAGE_SELF)) {}
  void attend() override {
    usleep(20'000);
    take();
  }
  void settle() override { take(); }
  double cpu_seconds() const override { return bench::cpu_seconds(RUSAGE_SELF) - before_; }
  std::uint64_t events() override { return events_; }
  std::uint64_t lost() override { return skeleton_->bss->dropped; }
  std::uint64_t renames_round_ring() const override { return submits_ ? kRingBytes / kLeastRecord : 0; }

 private:
  void take() {
    while (!ring_.next().empty()) ++events_;
    ring_.release();
  }

  Skeleton skeleton_;
  bpf::RingReader ring_;
  bool submits_;
  double before_;
  std::uint64_t events_ = 0;
};

}  // namespace

base::Result<std::unique_ptr<Service>> start_bare(const char* program) {
  bpf::route_libbpf_messages();
  Skeleton skeleton(bare_bpf::open());
  if (skeleton == nullptr) return base::Error::from_errno(errno, "cannot open the bare programs");
#ifdef SYS_rename
  skeleton->rodata->rename_numbers[0] = SYS_rename;
#else
  skeleton->rodata->rename_numbers[0] = ~0U;
#endif
  skeleton->rodata->rename_numbers[1] = SYS_renameat;
  skeleton->rodata->rename_numbers[2] = SYS_renameat2;
  bpf_program* each = nullptr;
  bpf_object__for_each_program(each, skeleton->obj)
      bpf_program__set_autoload(each, std::strcmp(bpf_program__name(each), program) == 0);
  if (bare_bpf::load(skeleton.get()) != 0 || bare_bpf::attach(skeleton.get()) != 0)
    return base::Error::from_errno(errno, std::string("cannot load ") + program);
  AUDITSHIFT_TRY(ring, bpf::RingReader::open(bpf_map__fd(skeleton->maps.ring)));
  const bool submits = std::strcmp(program, "count_calls") != 0;
  return std::unique_ptr<Service>(std::make_unique<Bare>(std::move(skeleton), std::move(ring), submits));
}

}  // namespace auditshift::bench
