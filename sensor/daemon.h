// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sysroot.h"
#include "sensor/control_server.h"
#include "sensor/exclusions.h"
#include "sensor/fd_sink.h"
#include "sensor/file_sink.h"
#include "sensor/file_watch.h"
#include "sensor/health.h"
#include "sensor/notify.h"
#include "sensor/pipeline.h"
#include "sensor/provider_chooser.h"
#include "sensor/reader_sink.h"
#include "sensor/start_times.h"
#include "sensor/statistics.h"

namespace auditshift::sensor {

struct DaemonOptions {
  std::string version;
  std::string managed_file;    ///< need not exist
  std::string state_file;      ///< what was set by command; need not exist
  std::string control_socket;  ///< the one sensor of this host owns it
  std::optional<FileSinkOptions> file;
  bool standard_output = false;
  Format format = Format::ecs;  ///< of file and standard output; readers choose their own
};

/// Providers to try, best first, given whether eBPF may be used: the same ones for both answers where the
/// provider was named by whoever started the daemon.
using CandidateMaker = std::function<std::vector<ProviderFactory>(bool ebpf_allowed)>;

/// The sensor as a process: one thread, one event loop over provider, outputs, control socket, configuration
/// file, signals and timers.
///
/// Exclusions and the choice of provider follow the managed file at run time: the new takes effect before the
/// old goes, so that nothing is missed. A file that cannot be read leaves the last good one in force, and
/// health says so.
class Daemon {
 public:
  /// REQUIRES: `host` and `clock` outlive this.
  Daemon(DaemonOptions options, CandidateMaker candidates, const base::Sysroot& host,
         const base::Clock& clock);
  ~Daemon();

  /// Runs until SIGTERM or SIGINT. `confine` is called once when all that needs privileges is open, before
  /// events from outside are acted on. Errors: no provider works, the output cannot be opened, or another
  /// sensor runs (Errc::busy).
  base::Result<void> run(const std::function<base::Result<void>()>& confine);

 private:
  /// Consumer in front of the pipeline that knows whether the daemon's own test process was seen.
  class FlowCheck;
  struct StatisticsRequest {
    explicit StatisticsRequest(ControlPeer asked_by) : peer(std::move(asked_by)) {}
    ControlPeer peer;
    bool at_source = false;                    ///< the provider counts
    EventCounts before;                        ///< what it had counted before
    std::unique_ptr<StatisticsWindow> window;  ///< where it does not
    std::uint64_t provider_generation = 0;
    std::chrono::nanoseconds begun{0};
    std::chrono::nanoseconds deadline{0};
    double cpu_ms_before = 0;
    bool cpu = false;
    bool advice = false;
    std::size_t top = 0;
  };
  /// Hands each event to the windows of all waiting statistics requests.
  class WindowObserver;

  base::Result<void> open_outputs();
  base::Result<void> open_loop();
  base::Result<void> start_provider();
  base::Result<std::unique_ptr<ProviderChooser>> make_chooser(std::vector<ProviderFactory> candidates);
  void report_running(const base::Result<StartTimeList>& list);
  base::Result<void> await_flow();
  base::Result<void> start_test_process();
  void watch(int fd);
  void watch_provider();

  base::Result<void> loop();
  base::Result<void> poll_provider();
  void on_tick();
  void on_second();
  void on_signal();
  void shut_down();

  // What it is told to do: daemon_managed.cpp.
  void load_managed();
  void exclude_at_the_source(ProviderChooser& chooser);
  void report_losses();
  void load_state();
  bool ebpf_allowed() const;
  void follow_policy();

  // The control socket's requests: daemon_requests.cpp, daemon_statistics.cpp; health: daemon_health.cpp.
  void handle(const base::Json& request, ControlPeer peer);
  void request_statistics(const base::Json& request, ControlPeer peer);
  void request_events(const base::Json& request, ControlPeer peer);
  void request_config(const base::Json& request, ControlPeer peer);
  void finish_statistics();
  void answer_statistics(StatisticsRequest& request);
  HealthReport health() const;
  HealthReport health_details() const;
  HealthReport health_features() const;
  std::vector<std::string> health_issues() const;

  DaemonOptions options_;
  CandidateMaker make_candidates_;
  const base::Sysroot& host_;
  const base::Clock& clock_;
  ServiceNotifier notifier_;

  Pipeline pipeline_;
  std::unique_ptr<FlowCheck> flow_;
  std::optional<FileSink> file_;
  std::optional<FdSink> stdout_;
  std::list<std::pair<Format, ReaderSink>> readers_;

  std::unique_ptr<ProviderChooser> chooser_;
  bool chooser_allows_ebpf_ = true;
  std::uint64_t provider_generation_ = 0;  ///< goes up whenever events come from another provider

  FileWatch managed_watch_;
  ManagedSettings managed_;
  std::string managed_error_;
  Exclusions exclusions_;
  std::optional<bool> local_ebpf_;  ///< set by command
  std::string policy_error_;

  std::optional<ControlServer> control_;
  std::list<StatisticsRequest> statistics_;
  std::unique_ptr<WindowObserver> observer_;

  base::Fd epoll_;
  base::Fd signals_;
  base::Fd timer_;
  int provider_fd_ = -1;
  bool stop_ = false;
  bool progress_ = false;  ///< the provider was polled since the last sign of life
  std::chrono::nanoseconds started_{0};
  std::chrono::nanoseconds last_second_{0};
  std::chrono::nanoseconds last_watchdog_{0};
  std::uint64_t lost_before_ = 0;
  std::chrono::nanoseconds last_loss_{0};
};

/// Identity of the stream as the host tells it.
StreamIdentity read_stream_identity(const base::Sysroot& host, std::string version);

}  // namespace auditshift::sensor
