// SPDX-License-Identifier: Apache-2.0
#include "sensor/daemon.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/text.h"
#include "sensor/daemon_parts.h"
#include "sensor/process_table.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

/// Providers may hold records back to save wake-ups; nothing waits longer than this.
constexpr auto kTick = 100ms;
constexpr auto kFlowLimit = 10s;
constexpr auto kFlowRetry = 1s;

std::string first_line(const base::Sysroot& host, std::string_view path) {
  return std::string(base::trim(host.read_file(path).value_or({})));
}

}  // namespace

StreamIdentity read_stream_identity(const base::Sysroot& host, std::string version) {
  utsname names{};
  ::uname(&names);
  return {names.nodename, first_line(host, "/etc/machine-id"),
          first_line(host, "/proc/sys/kernel/random/boot_id"), names.release, std::move(version)};
}

Daemon::Daemon(DaemonOptions options, CandidateMaker candidates, const base::Sysroot& host,
               const base::Clock& clock)
    : options_(std::move(options)),
      make_candidates_(std::move(candidates)),
      host_(host),
      clock_(clock),
      notifier_(ServiceNotifier::from_environment()),
      pipeline_(read_stream_identity(host, options_.version), clock),
      flow_(std::make_unique<FlowCheck>(pipeline_)),
      managed_watch_(options_.managed_file),
      observer_(std::make_unique<WindowObserver>(statistics_)) {
  pipeline_.set_filter(&exclusions_);
}

Daemon::~Daemon() = default;

base::Result<void> Daemon::run(const std::function<base::Result<void>()>& confine) {
  started_ = clock_.since_boot();
  // The control socket first: it is what only one sensor can have.
  AUDITSHIFT_TRY(control, ControlServer::open(options_.control_socket,
                                              [this](const base::Json& request, ControlPeer peer) {
                                                handle(request, std::move(peer));
                                              }));
  control_.emplace(std::move(control));
  AUDITSHIFT_TRY_VOID(open_outputs());
  AUDITSHIFT_TRY_VOID(open_loop());
  load_state();
  load_managed();
  AUDITSHIFT_TRY_VOID(start_provider());
  AUDITSHIFT_TRY_VOID(confine());
  if (file_) file_->work_in_background();  // not earlier: its threads have the rights of this one
  auto result = await_flow();
  if (result.ok() && !stop_) {
    notifier_.send("READY=1\nSTATUS=Events come from " + chooser_->current_name());
    spdlog::info("ready: events come from {}", chooser_->current_name());
    result = loop();
  }
  notifier_.send("STOPPING=1");
  shut_down();
  return result;
}

base::Result<void> Daemon::open_outputs() {
  if (options_.file) {
    AUDITSHIFT_TRY(file, FileSink::open(*options_.file, pipeline_.loss_line(options_.format), clock_));
    file_.emplace(std::move(file));
    pipeline_.add_sink(options_.format, *file_);
  }
  if (options_.standard_output) {
    stdout_.emplace(STDOUT_FILENO, "standard output");
    pipeline_.add_sink(options_.format, *stdout_);
  }
  for (const Format format : {Format::ecs, Format::ocsf, Format::raw}) {
    AUDITSHIFT_TRY(sink, ReaderSink::create({}, pipeline_.loss_line(format), clock_));
    readers_.emplace_back(format, std::move(sink));
    pipeline_.add_sink(format, readers_.back().second);
  }
  return {};
}

void Daemon::watch(int fd) {
  if (fd < 0) return;
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &interest);
}

base::Result<void> Daemon::open_loop() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  itimerspec interval{};
  interval.it_interval.tv_nsec = std::chrono::nanoseconds(kTick).count();
  interval.it_value = interval.it_interval;
  if (!epoll_ || !signals_ || !timer_ || ::timerfd_settime(timer_.get(), 0, &interval, nullptr) != 0)
    return base::Error::from_errno(errno, "cannot set up the event loop");
  for (const int fd : {signals_.get(), timer_.get(), control_->descriptor()}) watch(fd);
  for (const auto& [format, sink] : readers_) watch(sink.descriptor());
  return {};
}

base::Result<std::unique_ptr<ProviderChooser>> Daemon::make_chooser(std::vector<ProviderFactory> candidates) {
  auto chooser = std::make_unique<ProviderChooser>(std::move(candidates), clock_);
  chooser->on_change([this, whose = chooser.get()](const ProviderChange& change) {
    ++provider_generation_;
    // What the former one lost, in its name.
    if (chooser_.get() == whose) pipeline_.report_losses(whose->former_untold_drops());
    pipeline_.set_provider(change.to);
    provider_fd_ = -1;  // the new one's descriptor may have the old one's number
    if (!change.reason.empty()) spdlog::warn("events now come from {}: {}", change.to, change.reason);
    notifier_.send("STATUS=Events come from " + change.to);
  });
  exclude_at_the_source(*chooser);
  AUDITSHIFT_TRY_VOID(chooser->start());
  return chooser;
}

base::Result<void> Daemon::start_provider() {
  chooser_allows_ebpf_ = ebpf_allowed();
  auto candidates = make_candidates_(chooser_allows_ebpf_);
  const bool may_be_ebpf = std::any_of(candidates.begin(), candidates.end(),
                                       [](const auto& candidate) { return candidate.name == "ebpf"; });
  const base::Result<StartTimeList> list =
      may_be_ebpf ? StartTimeList::open()
                  : base::Result<StartTimeList>(base::Error(base::Errc::unsupported, "not asked for"));
  AUDITSHIFT_TRY(chooser, make_chooser(std::move(candidates)));
  chooser_ = std::move(chooser);
  watch_provider();
  report_running(list);
  return {};
}

void Daemon::watch_provider() {
  const int fd = chooser_->descriptor();
  if (fd == provider_fd_) return;
  // A closed descriptor has left the epoll set by itself.
  provider_fd_ = fd;
  watch(fd);
}

void Daemon::report_running(const base::Result<StartTimeList>& list) {
  if (chooser_->kinds().contains(EventKind::running)) return;  // the provider tells by itself
  // The ebpf provider's events have exact start times, and identities are made of these; those of tier legacy
  // have the clock ticks of /proc.
  StartTimes exact;
  if (chooser_->current_name() == "ebpf" && chooser_->describe().tier != "legacy") {
    auto times = list.ok() ? list->read() : base::Result<StartTimes>(list.error());
    if (times.ok()) {
      exact = *std::move(times);
    } else {
      spdlog::warn("{}; the first events of running processes have other identities than later ones",
                   times.error().message());
    }
  }
  ProcessTable(ProcReader(host_, ::sysconf(_SC_CLK_TCK), std::move(exact)), false)
      .synchronise(static_cast<std::uint64_t>(clock_.since_boot().count()),
                   clock_.now().time_since_epoch().count(), pipeline_);
}

base::Result<void> Daemon::await_flow() {
  // What comes from the audit system depends on rules that are not ours: nothing can be expected.
  if (chooser_->current_name() == "auditd") return poll_provider();
  auto deadline = clock_.since_boot() + kFlowLimit;
  auto next_try = clock_.since_boot();
  while (!flow_->seen() && !stop_) {
    // First what is there: a buffer that was full has no room for the events waited for.
    AUDITSHIFT_TRY_VOID(poll_provider());
    if (flow_->seen()) break;
    const auto now = clock_.since_boot();
    // What waited for this daemon to start is read first, which takes its time on a busy machine; the service
    // manager's limit for starts bounds it.
    if (chooser_->has_more()) deadline = now + kFlowLimit;
    if (now > deadline) {
      AUDITSHIFT_TRY_VOID(chooser_->set_aside(
          base::Error(base::Errc::timeout, "no events come from " + chooser_->current_name() +
                                               ": processes of our own were not seen within 10 seconds"),
          *flow_));
      watch_provider();
      deadline = now + kFlowLimit;
    }
    if (now >= next_try) {
      AUDITSHIFT_TRY_VOID(start_test_process());
      next_try = now + kFlowRetry;
    }
    epoll_event event{};
    ::epoll_wait(epoll_.get(), &event, 1, chooser_->has_more() ? 0 : static_cast<int>(kTick.count()));
    on_signal();
  }
  return {};
}

base::Result<void> Daemon::start_test_process() {
  const pid_t pid = ::fork();
  if (pid < 0) return base::Error::from_errno(errno, "cannot start a process");
  if (pid == 0) ::_exit(0);
  flow_->expect(static_cast<std::uint32_t>(pid));
  ::waitpid(pid, nullptr, 0);
  return {};
}

base::Result<void> Daemon::poll_provider() {
  AUDITSHIFT_TRY_VOID(chooser_->poll(0ms, *flow_));
  progress_ = true;
  watch_provider();
  return {};
}

base::Result<void> Daemon::loop() {
  std::array<epoll_event, 16> ready{};
  while (!stop_) {
    // What the last poll left is taken at once, but after everybody else had their turn.
    const bool more = chooser_->has_more();
    const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), more ? 0 : -1);
    if (count < 0 && errno != EINTR) return base::Error::from_errno(errno, "event loop");
    bool provider = more;
    for (int i = 0; i < count; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      if (fd == signals_.get()) {
        on_signal();
      } else if (fd == timer_.get()) {
        on_tick();
        provider = true;
      } else if (fd == control_->descriptor()) {
        control_->service();
      } else if (fd == provider_fd_) {
        provider = true;
      } else {
        for (auto& [format, sink] : readers_) {
          if (fd == sink.descriptor()) sink.service();
        }
      }
    }
    if (!provider) continue;
    if (auto polled = poll_provider(); !polled.ok()) {
      if (chooser_->current_name().empty()) return polled;
      spdlog::error("{}", polled.error().message());
    }
    if (stdout_ && stdout_->broken())
      return base::Error(base::Errc::io, "standard output: " + stdout_->status().error);
  }
  return {};
}

void Daemon::on_tick() {
  std::uint64_t expirations = 0;
  (void)!::read(timer_.get(), &expirations, sizeof expirations);
  finish_statistics();
  if (managed_watch_.changed()) load_managed();
  const auto now = clock_.since_boot();
  if (const auto interval = notifier_.watchdog_interval();
      interval && progress_ && now - last_watchdog_ >= *interval) {
    notifier_.send("WATCHDOG=1");
    last_watchdog_ = now;
    progress_ = false;
  }
  if (now - last_second_ < 1s) return;
  last_second_ = now;
  on_second();
}

void Daemon::on_second() {
  report_losses();
  if (pipeline_.statistics().lost != lost_before_) {
    lost_before_ = pipeline_.statistics().lost;
    last_loss_ = clock_.since_boot();
  }
}

void Daemon::on_signal() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGHUP) {
      stop_ = true;
      continue;
    }
    load_managed();
    if (!file_) continue;
    if (const auto reopened = file_->reopen(); !reopened.ok())
      spdlog::error("{}", reopened.error().message());
  }
}

void Daemon::shut_down() {
  // What the provider still holds, then what it could not hold.
  if (!chooser_->current_name().empty()) take_the_rest(*chooser_, *flow_);
  chooser_->tell_losses(*flow_);
  report_losses();
  chooser_->stop();
  for (StatisticsRequest& request : statistics_)
    request.peer.fail(base::Error(base::Errc::interrupted, "the sensor is stopping"));
  statistics_.clear();
}

void Daemon::report_losses() {
  // The chooser's counters go on when a provider takes over: what the former one lost at its end counts, too.
  pipeline_.report_losses(chooser_->untold_drops());
}

}  // namespace auditshift::sensor
