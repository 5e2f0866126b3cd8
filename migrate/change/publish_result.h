// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/sysroot.h"
#include "migrate/change/transaction.h"

namespace auditshift::migrate::change {

/// How the last transaction ended, for those who did not watch.
struct PublishedResult {
  std::string id;  ///< of the transaction
  Outcome outcome;
  base::WallTime at;
  std::string next;  ///< what to do now, in words; may be empty
};

struct PublishOptions {
  /// node_exporter's --collector.textfile.directory; empty: no metrics.
  std::string metrics_directory;
};

/// Where the login message is shown from: pam_motd reads /run/motd.d, which the next boot empties.
inline constexpr const char* kLoginMessage = "/run/motd.d/auditshift";
inline constexpr const char* kMetricsFile = "auditshift_switch.prom";

/// The login message; empty when there is nothing that a person must know (a switch that went well, a
/// commit).
std::string login_message(const PublishedResult& result);
/// The metrics, in the text format of Prometheus.
std::string result_metrics(const PublishedResult& result);

/// Writes the login message, or removes the last one, and the metrics where a directory is given. Both are
/// tried; the first error is returned. Nothing that happens here may decide how a transaction ends.
base::Result<void> publish_result(const base::Sysroot& host, const PublishedResult& result,
                                  const PublishOptions& options);

}  // namespace auditshift::migrate::change
