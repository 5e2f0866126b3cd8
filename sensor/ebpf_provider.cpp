// SPDX-License-Identifier: Apache-2.0
#include "sensor/ebpf_provider.h"

#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

struct Cause {
  as_counter counter;
  std::string_view name;
};
constexpr Cause kKernelCauses[] = {{AS_COUNT_RING_FULL, "ring buffer full"},
                                   {AS_COUNT_BUSY, "scratch space busy"}};
static_assert(std::size(kKernelCauses) == AS_COUNT_DROPS);

/// Nobody knows how many there were.
constexpr std::string_view kUnreadable = "records of a former sensor unreadable";

std::vector<DropCounter> drops_of(const KernelPrograms& programs, std::uint64_t malformed) {
  std::vector<DropCounter> drops;
  const auto counters = programs.counters();
  for (const Cause& cause : kKernelCauses)
    drops.push_back({cause.name, sum(counters[cause.counter]), counters[cause.counter]});
  std::uint64_t missed = 0;
  for (const auto& program : programs.programs()) missed += program.missed;
  drops.push_back({"program skipped by the kernel", missed, {}});
  drops.push_back({"malformed record", malformed, {}});
  return drops;
}

/// What these have lost and readers know of, in the order of drops_of().
std::vector<std::uint64_t> told_of(const as_state& state, std::uint64_t malformed) {
  std::vector<std::uint64_t> told(std::begin(state.reported), std::end(state.reported));
  told.push_back(state.reported_missed);
  told.push_back(malformed);
  return told;
}

/// When a directory was last changed, in time since boot; at most `now`.
std::chrono::nanoseconds changed_at(const std::string& directory, const base::Clock& clock) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return 0ns;
  const auto wall =
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec);
  const auto boot = wall - std::chrono::nanoseconds(wall_offset(clock));
  return std::clamp<std::chrono::nanoseconds>(boot, 0ns, clock.since_boot());
}

}  // namespace

EbpfProvider::EbpfProvider(EbpfOptions options, const base::Clock& clock, bpf::Tier tier)
    : options_(std::move(options)), clock_(clock), tier_(tier) {}

EbpfProvider::~EbpfProvider() { stop(); }

base::Result<void> EbpfProvider::start() {
  AUDITSHIFT_TRY_VOID(obtain_programs());
  auto ring = bpf::RingReader::open(programs_->ring_fd(), AS_RECORD_LIMIT);
  base::Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  // Edge-triggered: records that came without a wake-up must not end the wait.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (!ring.ok() || !epoll || epoll_ctl(epoll.get(), EPOLL_CTL_ADD, programs_->ring_fd(), &event) != 0) {
    const int number = errno;
    stop();
    if (!ring.ok()) return std::move(ring).error();
    return base::Error::from_errno(number, "cannot wait for the ring buffer");
  }
  ring_ = std::move(*ring);
  epoll_ = std::move(epoll);
  return {};
}

base::Result<void> EbpfProvider::obtain_programs() {
  const std::string& pins = options_.pin_directory;
  std::optional<KernelPrograms> old = find_programs();
  as_state state{};
  if (old) {
    state = old->state();
    AUDITSHIFT_TRY(fingerprint, KernelPrograms::fingerprint(options_, tier_));
    adopted_ = fingerprint == state.fingerprint;
  }
  std::optional<KernelPrograms> fresh;
  if (!adopted_) {
    AUDITSHIFT_TRY(loaded, KernelPrograms::load(options_, tier_));
    state = loaded.state();
    state.reported_at = static_cast<std::uint64_t>(clock_.since_boot().count());
    fresh = std::move(loaded);
  }
  const bool adopted = adopted_;
  KernelPrograms& programs = adopted ? *old : *fresh;
  state.sensor_pid = static_cast<std::uint32_t>(getpid());
  state.counting = 0;  // who asked a daemon that died is gone, too
  programs.set_state(state);
  // Until these run, the old ones do, and their pins stay: another tier may want to go on with them.
  if (!adopted) AUDITSHIFT_TRY_VOID(programs.attach());
  programs_ = std::move(adopted ? old : fresh);
  // What was lost while no daemon ran was lost since the last one looked.
  losses_.start(told_of(state, malformed_), std::chrono::nanoseconds(state.reported_at));
  if (adopted) return {};
  if (old) {
    take_over_from(*old);
    old.reset();  // its pins go now, and with them the last hold, see stop()
  }
  if (!pins.empty()) AUDITSHIFT_TRY_VOID(programs_->pin(pins));
  return {};
}

std::optional<KernelPrograms> EbpfProvider::find_programs() {
  const std::string& pins = options_.pin_directory;
  if (pins.empty()) return std::nullopt;
  auto found = KernelPrograms::adopt(pins);
  if (found.ok() && (!*found || (*found)->state().record_version == AS_RECORD_VERSION))
    return *std::move(found);
  // Half a set of pins, or one of an unknown version, is of no use: it is replaced. When its last reader
  // looked nobody can tell, but not before it was pinned.
  if (found.ok() || found.error().code() != base::Errc::permission) {
    former_drops_ = {{kUnreadable, 1, {}}};
    former_losses_.start({0}, changed_at(pins, clock_));
  }
  return std::nullopt;
}

void EbpfProvider::take_over_from(const KernelPrograms& former) {
  const as_state state = former.state();
  auto told = told_of(state, 0);
  former_drops_ = drops_of(former, 0);
  if (auto ring = bpf::RingReader::open(former.ring_fd(), AS_RECORD_LIMIT); ring.ok()) {
    retired_ = std::move(*ring);
  } else {
    told.push_back(0);
    former_drops_.push_back({kUnreadable, 1, {}});
  }
  former_losses_.start(std::move(told), std::chrono::nanoseconds(state.reported_at));
}

void EbpfProvider::tell_former_losses(Consumer& consumer) {
  former_losses_.tell(former_drops_, consumer);
  former_drops_.clear();
}

base::Result<void> EbpfProvider::exclude(std::span<const Exclusion> entries) {
  std::vector<KernelExclusion> exclusions;
  for (const auto& [kind, path] : entries) {
    exclusions.push_back({path, kind == ExclusionKind::process ? AS_NODE_PROCESS
                                : kind == ExclusionKind::file  ? AS_NODE_FILE
                                                               : AS_NODE_FOLDER});
  }
  return set_exclusions(exclusions);
}

base::Result<void> EbpfProvider::set_exclusions(std::span<const KernelExclusion> exclusions) {
  return programs_->set_exclusions(exclusions);
}

base::Result<bool> EbpfProvider::count_at_source(bool on) {
  AUDITSHIFT_TRY_VOID(programs_->set_counting(on));
  return true;
}

base::Result<EventCounts> EbpfProvider::source_counts() const { return programs_->event_counts(); }

void EbpfProvider::stop() {
  const bool pinned = programs_ && !options_.pin_directory.empty();
  epoll_.reset();
  ring_ = bpf::RingReader();
  retired_.reset();
  former_drops_.clear();
  programs_.reset();
  // Last: whoever gives up the last hold on a link by a descriptor waits until it is detached, by a pin not.
  // Tier fentry has hundreds, each of which the kernel takes some time for.
  if (pinned) KernelPrograms::unpin(options_.pin_directory);
  adopted_ = false;
  has_more_ = false;
}

base::Result<std::size_t> EbpfProvider::poll(std::chrono::milliseconds timeout, Consumer& consumer) {
  if (!programs_) return base::Error(base::Errc::invalid, "the ebpf provider has not been started");
  const auto give_up = clock_.since_boot() + timeout;
  std::size_t events = drain(consumer);
  while (events == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - clock_.since_boot());
    if (left <= 0ms) break;
    epoll_event event{};
    const auto wait = static_cast<int>(std::min(left, options_.drain_interval).count());
    if (epoll_wait(epoll_.get(), &event, 1, wait) < 0) {
      if (errno == EINTR) break;  // a signal: the caller wants to look
      return base::Error::from_errno(errno, "cannot wait for the ring buffer");
    }
    events = drain(consumer);
  }
  return events;
}

std::size_t EbpfProvider::drain(Consumer& consumer) {
  decoder_.set_wall_offset(wall_offset(clock_));
  if (!former_drops_.empty()) tell_former_losses(consumer);
  std::size_t events = 0;
  if (retired_) {
    events += read_ring(*retired_, consumer);
    if (has_more_) return events;
    retired_.reset();
  }
  events += read_ring(ring_, consumer);
  if (losses_.due()) tell_losses(consumer);
  return events;
}

std::size_t EbpfProvider::read_ring(bpf::RingReader& ring, Consumer& consumer) {
  // What comes while this runs is left to the next call, so that this one ends.
  const std::uint64_t until = ring.produced();
  const bool details = consumer.wants_details();
  const auto give_back = clock_.since_boot() + kPollBudget;
  std::size_t events = 0, in_batch = 0;
  while (ring.position() < until) {
    const auto bytes = ring.next();
    if (bytes.empty()) break;
    Event* event = decoder_.decode(bytes, details);
    if (event == nullptr) {
      ++malformed_;
    } else if (options_.kinds.contains(event->kind)) {
      if (details) event->process.container_id = containers_.find(event->process.cgroup_id);
      consumer.consume(*event);
      ++events;
    }
    if (++in_batch == kBatch) {
      consumer.end_of_batch();
      ring.release();
      in_batch = 0;
      if (clock_.since_boot() >= give_back) break;
    }
  }
  if (in_batch != 0) consumer.end_of_batch();
  ring.release();
  has_more_ = ring.position() < until;
  return events;
}

void EbpfProvider::tell_losses(Consumer& consumer) {
  if (!programs_) return;
  if (!former_drops_.empty()) tell_former_losses(consumer);
  losses_.tell(drops(), consumer);
  // For whoever adopts the programs: these have been told, at this time.
  as_state state = programs_->state();
  state.reported_at = static_cast<std::uint64_t>(losses_.told_at().count());
  std::copy_n(losses_.told().begin(), AS_COUNT_DROPS, state.reported);
  state.reported_missed = losses_.told()[AS_COUNT_DROPS];
  programs_->set_state(state);
}

std::vector<DropCounter> EbpfProvider::drops() const {
  return programs_ ? drops_of(*programs_, malformed_) : std::vector<DropCounter>();
}

KindSet EbpfProvider::kinds() const { return supplied_kinds(options_); }

std::uint64_t EbpfProvider::excluded() const {
  if (!programs_) return 0;
  const auto counters = programs_->counters();
  return sum(counters[AS_COUNT_EXCLUDED]) + sum(counters[AS_COUNT_OWN]);
}

ProviderDescription EbpfProvider::describe() const {
  ProviderDescription description{"ebpf", std::string(bpf::tier_name(tier_)), {}};
  if (!programs_) return description;
  const auto add = [&](std::string key, std::string value) {
    description.details.emplace_back(std::move(key), std::move(value));
  };
  add("programs", adopted_ ? "adopted from " + options_.pin_directory : "loaded");
  add("io_uring_operations", "not seen");
  add("ring_bytes", std::to_string(ring_.size()));
  add("ring_waiting_bytes", std::to_string(ring_.waiting()));
  const auto counters = programs_->counters();
  add("records_submitted", std::to_string(sum(counters[AS_COUNT_SUBMITTED])));
  add("events_excluded", std::to_string(sum(counters[AS_COUNT_EXCLUDED])));
  add("events_of_the_sensor", std::to_string(sum(counters[AS_COUNT_OWN])));
  add("texts_unreadable", std::to_string(sum(counters[AS_COUNT_UNREADABLE])));
  add("executables_not_remembered", std::to_string(sum(counters[AS_COUNT_NO_STORAGE])));
  // The hooks of system calls are many and alike: one line for all of them.
  std::uint64_t hooks = 0, hook_runs = 0, hook_time_ns = 0;
  for (const auto& program : programs_->programs()) {
    if (program.attached_to.starts_with("fexit/")) {
      ++hooks, hook_runs += program.runs, hook_time_ns += program.run_time_ns;
      continue;
    }
    add("program_" + program.name, program.attached_to);
    add("program_" + program.name + "_runs", std::to_string(program.runs));
    add("program_" + program.name + "_run_time_ns", std::to_string(program.run_time_ns));
  }
  if (hooks == 0) return description;
  add("program_on_call", "fexit, " + std::to_string(hooks) + " functions");
  add("program_on_call_runs", std::to_string(hook_runs));
  add("program_on_call_run_time_ns", std::to_string(hook_time_ns));
  return description;
}

}  // namespace auditshift::sensor
