// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/publish_result.h"

#include <chrono>

#include "base/text.h"
#include "migrate/openmetrics.h"

namespace auditshift::migrate::change {
namespace {

using Kind = Outcome::Kind;

constexpr Kind kKinds[] = {Kind::done,        Kind::reboot_needed,       Kind::verification_failed,
                           Kind::rolled_back, Kind::rollback_incomplete, Kind::interrupted};

/// Never renamed: alerts are written on it.
std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::done:
      return "done";
    case Kind::reboot_needed:
      return "reboot_needed";
    case Kind::verification_failed:
      return "verification_failed";
    case Kind::rolled_back:
      return "rolled_back";
    case Kind::rollback_incomplete:
      return "rollback_incomplete";
    case Kind::interrupted:
      return "interrupted";
  }
  return "unknown";
}

std::string headline(Kind kind) {
  switch (kind) {
    case Kind::done:
      return {};
    case Kind::reboot_needed:
      return "this host must be rebooted to go on with the move of its endpoint sensor to eBPF.";
    case Kind::verification_failed:
      return "the move of the endpoint sensor to eBPF is done, but its verification failed.";
    case Kind::rolled_back:
      return "the move of the endpoint sensor to eBPF failed, and all of it was undone.";
    case Kind::rollback_incomplete:
      return "undoing the move of the endpoint sensor to eBPF is INCOMPLETE. A person is needed.";
    case Kind::interrupted:
      return "the move of the endpoint sensor to eBPF was interrupted.";
  }
  return {};
}

}  // namespace

std::string login_message(const PublishedResult& result) {
  const std::string first = headline(result.outcome.kind);
  if (first.empty()) return {};
  constexpr std::size_t kWidth = 78;
  constexpr std::size_t kIndent = 2;
  std::string text = base::wrap("auditshift: " + first, kWidth, kIndent) + "\n";
  for (const std::string& more : {result.outcome.message, result.next})
    if (!more.empty()) text += "  " + base::wrap(base::printable(more), kWidth, kIndent) + "\n";
  return text + "  See: auditshift status\n";
}

std::string result_metrics(const PublishedResult& result) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(result.at.time_since_epoch()).count();
  Metrics metrics;
  metrics.gauge("auditshift_switch_result", "How the last switch or rollback ended: 1 for the way it did.");
  for (const Kind kind : kKinds)
    metrics.sample(kind == result.outcome.kind ? 1 : 0, {{"result", std::string(name_of(kind))}});
  metrics.gauge("auditshift_switch_result_time_seconds", "When it ended, seconds since 1970 UTC.");
  metrics.sample(static_cast<double>(seconds));
  return metrics.take();
}

base::Result<void> publish_result(const base::Sysroot& host, const PublishedResult& result,
                                  const PublishOptions& options) {
  const auto show = [&]() -> base::Result<void> {
    const std::string message = login_message(result);
    if (message.empty()) {
      if (host.exists(kLoginMessage)) return host.remove(kLoginMessage);
      return {};
    }
    AUDITSHIFT_TRY_VOID(host.make_directories("/run/motd.d"));
    return host.write_atomic(kLoginMessage, message);
  };
  auto shown = show();
  if (!options.metrics_directory.empty()) {
    auto measured = host.write_atomic(options.metrics_directory + "/" + kMetricsFile, result_metrics(result));
    if (!measured && shown) return measured;
  }
  return shown;
}

}  // namespace auditshift::migrate::change
