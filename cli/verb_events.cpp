// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "cli/sensor_client.h"
#include "cli/verbs.h"
#include "sensor/format.h"
#include "sensor/line_filter.h"

namespace auditshift::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct EventsOptions {
  SensorOption sensor;
  std::string format = "ecs";
  std::vector<std::string> filters;
  unsigned seconds = 10;
  bool follow = false;
};

/// Cuts the stream into lines and prints those that pass.
class Printer {
 public:
  explicit Printer(const sensor::LineFilter& filter) : filter_(filter) {}

  base::Result<void> take(std::string_view bytes) {
    pending_ += bytes;
    const std::size_t end = pending_.rfind('\n') + 1;  // npos + 1 is 0
    if (end == 0) return {};
    std::string rest = pending_.substr(end);
    pending_.resize(end);
    auto written = write_result("", filter_.empty() ? pending_ : chosen(pending_));
    pending_ = std::move(rest);
    return written;
  }

 private:
  std::string chosen(std::string_view lines) const {
    std::string text;
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n') + 1);
      if (filter_.passes(line)) text += line;
      lines.remove_prefix(line.size());
    }
    return text;
  }

  const sensor::LineFilter& filter_;
  std::string pending_;
};

/// Waits for bytes of the stream; false when the time is over.
bool wait_for_bytes(int fd, const std::optional<SteadyClock::time_point>& deadline) {
  while (true) {
    int wait_ms = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - SteadyClock::now()).count();
      if (left <= 0) return false;
      wait_ms = static_cast<int>(left);
    }
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, wait_ms) > 0) return true;
  }
}

base::Result<int> events(const EventsOptions& options) {
  const auto format = sensor::format_from_name(options.format).value_or(sensor::Format::ecs);
  auto filter = sensor::LineFilter::parse(format, options.filters);
  if (!filter.ok()) {
    (void)report(filter.error());
    return static_cast<int>(kUsage);
  }
  AUDITSHIFT_TRY(stream, options.sensor.open_stream({{"request", "events"}, {"format", options.format}}));
  std::optional<SteadyClock::time_point> deadline;
  if (!options.follow) deadline = SteadyClock::now() + std::chrono::seconds(options.seconds);
  Printer printer(*filter);
  std::array<char, 65536> bytes{};
  while (wait_for_bytes(stream.get(), deadline)) {
    const ssize_t got = ::recv(stream.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return base::Error(base::Errc::io, options.sensor.socket + ": the sensor ended the stream")
          .with_hint("systemctl status auditshift-sensord");
    AUDITSHIFT_TRY_VOID(printer.take({bytes.data(), static_cast<std::size_t>(got)}));
  }
  return static_cast<int>(kDone);
}

}  // namespace

void add_events(CLI::App& app, const Context&, Run& run) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App* verb = app.add_subcommand("events",
                                      "Events as they happen, one JSON object per line.\n\n"
                                      "  auditshift events --follow\n"
                                      "  auditshift events --follow --filter kind=exec --filter uid=0\n"
                                      "  auditshift events --time 60 --format raw --filter path=/etc\n\n"
                                      "Filters: kind, pid, ppid, uid, executable, and path, which means "
                                      "whatever is below it too. Of several\n"
                                      "values for one key one must hold. Records of losses always pass.");
  CLI::Option* follow = verb->add_flag("--follow", options->follow, "until interrupted");
  verb->add_option("--time", options->seconds, "for so many seconds")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->excludes(follow)
      ->type_name("N");
  verb->add_option("--format", options->format, "ecs, ocsf or raw")
      ->check(CLI::IsMember({"ecs", "ocsf", "raw"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  verb->add_option("--filter", options->filters, "only events for which this holds; may be given repeatedly")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  options->sensor.add_to(*verb);
  verb->callback([options, &run] {
    run = [options]() -> int {
      auto code = events(*options);
      return code ? *code : report_sensor(code.error());
    };
  });
}

}  // namespace auditshift::cli
