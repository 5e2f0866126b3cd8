// SPDX-License-Identifier: Apache-2.0
// What the daemon is told to do: the managed file, and what was set by command.
#include <spdlog/spdlog.h>

#include <utility>

#include "base/ownership.h"
#include "sensor/daemon.h"
#include "sensor/daemon_parts.h"

namespace auditshift::sensor {

void Daemon::load_state() {
  const auto text = host_.read_file(options_.state_file);
  if (!text.ok()) {
    if (text.error().code() != base::Errc::not_found) spdlog::error("{}", text.error().message());
    return;
  }
  const auto state = base::parse_json(*text, options_.state_file);
  if (!state.ok()) return spdlog::error("{}", state.error().message());
  const std::string value = state->is_object() ? text_member(*state, kEbpfSetting) : std::string();
  if (!value.empty()) local_ebpf_ = value == "enabled";
}

void Daemon::load_managed() {
  const auto text = host_.read_file(options_.managed_file);
  if (!text.ok()) {
    if (text.error().code() == base::Errc::not_found) {
      managed_ = {};
      managed_error_.clear();
      exclusions_ = Exclusions();
      follow_policy();
      if (chooser_) exclude_at_the_source(*chooser_);
      return;
    }
    managed_error_ = text.error().message();
    spdlog::error("{}; the last good configuration stays in force", managed_error_);
    return;
  }
  // Who may write it could hide from the sensor.
  if (const auto info = host_.stat(options_.managed_file);
      !info.ok() || base::strangers_may_write(info->uid, info->gid, info->mode)) {
    managed_error_ = options_.managed_file + ": other users may change this file";
    spdlog::error("{}; the last good configuration stays in force", managed_error_);
    return;
  }
  auto settings = parse_managed(*text, options_.managed_file, [this](const std::string& path) {
    auto resolved = host_.resolve(path);
    return resolved.ok() ? std::optional(*std::move(resolved)) : std::nullopt;
  });
  if (!settings.ok()) {
    managed_error_ = settings.error().message();
    spdlog::error("{}; the last good configuration stays in force", managed_error_);
    return;
  }
  managed_error_.clear();
  managed_ = *std::move(settings);
  for (const std::string& problem : managed_.problems) spdlog::warn("{}: {}", options_.managed_file, problem);
  exclusions_ = Exclusions(managed_.exclusions);
  follow_policy();
  if (chooser_) exclude_at_the_source(*chooser_);
}

void Daemon::exclude_at_the_source(ProviderChooser& chooser) {
  // The pipeline filters in any case; this only makes it cheaper.
  if (const auto excluded = chooser.exclude(exclusions_.entries()); !excluded.ok())
    spdlog::warn("{}", excluded.error().message());
}

bool Daemon::ebpf_allowed() const { return managed_.ebpf_provider.value_or(local_ebpf_.value_or(true)); }

void Daemon::follow_policy() {
  policy_error_.clear();
  if (!chooser_ || ebpf_allowed() == chooser_allows_ebpf_) return;
  auto candidates = make_candidates_(ebpf_allowed());
  // A provider that was named when the daemon was started is no matter of policy. To start it a second time
  // would make two of them share what is pinned.
  if (names_of(candidates) == chooser_->candidate_names()) {
    chooser_allows_ebpf_ = ebpf_allowed();
    return;
  }
  auto chooser = make_chooser(std::move(candidates));
  if (!chooser.ok()) {
    policy_error_ = chooser.error().message();
    pipeline_.set_provider(chooser_->current_name());
    spdlog::error("{}; {} stays in use", policy_error_, chooser_->current_name());
    return;
  }
  // The new one runs: what the old one still holds was before it.
  pipeline_.set_provider(chooser_->current_name());
  take_the_rest(*chooser_, *flow_);
  chooser_->tell_losses(*flow_);
  report_losses();
  chooser_->stop();
  chooser_ = std::move(*chooser);
  chooser_allows_ebpf_ = ebpf_allowed();
  pipeline_.set_provider(chooser_->current_name());
  pipeline_.forget_losses();
  provider_fd_ = -1;
  watch_provider();
  spdlog::info("events now come from {}", chooser_->current_name());
}

}  // namespace auditshift::sensor
