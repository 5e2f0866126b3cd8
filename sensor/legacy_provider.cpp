// SPDX-License-Identifier: Apache-2.0
#include "sensor/legacy_provider.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <ctime>

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

// What a CPU's program may take from looking at the clock to handing over its record.
constexpr std::uint64_t kSettled = 1'000'000;

std::uint64_t monotonic_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

/// Perf buffers are locked memory, and what libbpf loads is too on kernels before 5.11. For root; elsewhere
/// the buffers are smaller.
void allow_locked_memory() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  (void)::setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

}  // namespace

LegacyProvider::LegacyProvider(EbpfOptions options, const base::Sysroot& host, const base::Clock& clock)
    : options_(std::move(options)), host_(host), clock_(clock) {}

LegacyProvider::~LegacyProvider() { stop(); }

base::Result<void> LegacyProvider::start() {
  allow_locked_memory();
  own_pid_ = static_cast<std::uint32_t>(::getpid());
  AUDITSHIFT_TRY(programs, LegacyPrograms::load(options_, host_));
  const auto cpus = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
  AUDITSHIFT_TRY(reader, bpf::PerfReader::open(programs.records_fd(), std::bit_floor(std::max<std::uint64_t>(
                                                                          options_.ring_bytes / cpus, 1))));
  AUDITSHIFT_TRY_VOID(programs.attach());
  programs_ = std::move(programs);
  reader_ = std::move(reader);
  // What changes while this looks comes after it, in the records.
  account_.emplace(host_, ::sysconf(_SC_CLK_TCK));
  account_->scan();
  losses_.start(std::vector<std::uint64_t>(drops().size(), 0), clock_.since_boot());
  return {};
}

void LegacyProvider::stop() {
  programs_.reset();
  reader_.reset();
  account_.reset();
  has_more_ = false;
}

base::Result<std::size_t> LegacyProvider::poll(std::chrono::milliseconds timeout, Consumer& consumer) {
  if (!reader_) return base::Error(base::Errc::invalid, "the ebpf provider has not been started");
  const auto give_up = clock_.since_boot() + timeout;
  std::size_t events = drain(consumer);
  while (events == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - clock_.since_boot());
    if (left <= 0ms) break;
    pollfd filling{reader_->descriptor(), POLLIN, 0};
    const auto wait = static_cast<int>(std::min(left, options_.drain_interval).count());
    if (::poll(&filling, 1, wait) < 0) {
      if (errno == EINTR) break;  // a signal: the caller wants to look
      return base::Error::from_errno(errno, "cannot wait for the perf buffers");
    }
    events = drain(consumer);
  }
  return events;
}

std::size_t LegacyProvider::drain(Consumer& consumer) {
  follow_clocks();
  // What comes while this runs is left to the next call, so that this one ends.
  const std::uint64_t until = monotonic_ns() - kSettled;
  const auto give_back = clock_.since_boot() + kPollBudget;
  std::uint64_t passed = until + to_boot_ns_;
  std::size_t events = 0, in_batch = 0;
  has_more_ = false;
  for (;;) {
    const auto bytes = reader_->next(until);
    if (bytes.empty()) break;
    if (const Event* event = decode(bytes)) {
      consumer.consume(*event);
      ++events;
    }
    if (++in_batch == kBatch) {
      consumer.end_of_batch();
      reader_->release();
      in_batch = 0;
      has_more_ = clock_.since_boot() >= give_back;
      if (has_more_) {
        passed = record_.fixed.boot_ns;
        break;
      }
    }
  }
  if (in_batch != 0) consumer.end_of_batch();
  reader_->release();
  account_->settle(passed, boot_ns());
  if (losses_.due()) tell_losses(consumer);
  return events;
}

/// The event in a record; null when there is none to be told.
const Event* LegacyProvider::decode(std::span<const std::byte> bytes) {
  if (!record_.parse(bytes)) {
    ++malformed_;
    return nullptr;
  }
  record_.fixed.boot_ns += to_boot_ns_;
  if (!account_->apply(record_) || record_.fixed.pid == own_pid_) return nullptr;
  const bool thread = (record_.fixed.flags & AS_RECORD_THREAD) != 0;
  if (thread && !options_.threads) return nullptr;
  Event* event = decoder_.decode(record_.bytes());
  if (event == nullptr) {
    ++malformed_;
    return nullptr;
  }
  // Whether open() made the file is in no argument, but where it would have failed otherwise.
  const bool made = (event->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) && event->syscall.result >= 0;
  if (event->kind == EventKind::open && made) event->kind = EventKind::create;
  event->process.container_id = account_->container();
  if ((record_.fixed.flags & AS_RECORD_SOCKET) != 0) event->socket.type = event->socket.protocol = -1;
  return options_.kinds.contains(event->kind) ? event : nullptr;
}

void LegacyProvider::follow_clocks() {
  to_boot_ns_ = static_cast<std::uint64_t>(
      base::clock_difference([] { return static_cast<std::int64_t>(monotonic_ns()); },
                             [&] { return static_cast<std::int64_t>(boot_ns()); }));
  decoder_.set_wall_offset(wall_offset(clock_));
}

void LegacyProvider::tell_losses(Consumer& consumer) {
  // The ends of processes may be among what was lost.
  if (programs_ && losses_.tell(drops(), consumer)) account_->note_loss(boot_ns());
}

std::vector<DropCounter> LegacyProvider::drops() const {
  std::vector<DropCounter> drops;
  if (!programs_) return drops;
  const auto counters = programs_->counters();
  const auto add = [&](std::string_view cause, std::vector<std::uint64_t> per_cpu) {
    const std::uint64_t count = sum(per_cpu);
    drops.push_back({cause, count, std::move(per_cpu)});
  };
  add("perf buffer full", reader_ ? reader_->lost() : std::vector<std::uint64_t>());
  add("CPU without a perf buffer",
      counters.ok() ? (*counters)[AS_COUNT_RING_FULL] : std::vector<std::uint64_t>());
  add("too many calls under way", counters.ok() ? (*counters)[AS_COUNT_BUSY] : std::vector<std::uint64_t>());
  std::uint64_t missed = 0;
  for (const auto& program : programs_->programs()) missed += program.missed;
  drops.push_back({"program skipped by the kernel", missed, {}});
  drops.push_back({"malformed record", malformed_, {}});
  return drops;
}

KindSet LegacyProvider::kinds() const { return supplied_kinds(options_); }

ProviderDescription LegacyProvider::describe() const {
  ProviderDescription description{"ebpf", "legacy", {}};
  if (!programs_) return description;
  const auto add = [&](std::string key, std::string value) {
    description.details.emplace_back(std::move(key), std::move(value));
  };
  add("programs", "loaded");
  add("io_uring_operations", "not seen");
  add("compat_calls", programs_->compat_calls());
  add("perf_buffers", std::to_string(reader_->buffers()));
  add("perf_buffer_bytes", std::to_string(reader_->size()));
  add("perf_waiting_bytes", std::to_string(reader_->waiting()));
  add("processes_known", std::to_string(account_->size()));
  if (const auto counters = programs_->counters(); counters.ok()) {
    add("records_submitted", std::to_string(sum((*counters)[AS_COUNT_SUBMITTED])));
    add("calls_of_the_sensor", std::to_string(sum((*counters)[AS_COUNT_OWN])));
    add("texts_unreadable", std::to_string(sum((*counters)[AS_COUNT_UNREADABLE])));
  } else {
    add("counters", "not readable: " + counters.error().message());
  }
  for (const auto& program : programs_->programs()) {
    add("program_" + program.name, "tracepoint/" + program.tracepoint);
    add("program_" + program.name + "_runs", std::to_string(program.runs));
    add("program_" + program.name + "_run_time_ns", std::to_string(program.run_time_ns));
  }
  return description;
}

}  // namespace auditshift::sensor
