// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace auditshift::migrate::change {

/// What a transaction came to, for the host's log. Each kind has a MESSAGE_ID of its own (docs/journal.md).
enum class Announced { begun, reboot_awaited, switched, verification_failed, rolled_back, failed, committed };
/// 32 hexadecimal digits (sd_journal_print(3), MESSAGE_ID); never changed.
std::string_view message_id(Announced kind);

struct Announcement {
  Announced kind = Announced::begun;
  std::string transaction;  ///< its id
  std::string text;         ///< one sentence
};

/// The host's log.
class Announcer {
 public:
  virtual ~Announcer() = default;
  /// Errors are the caller's to ignore: nothing depends on the log.
  virtual base::Result<void> announce(const Announcement& announcement) = 0;
};

/// journald, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
std::unique_ptr<Announcer> make_journald_announcer(std::string socket = "/run/systemd/journal/socket");

}  // namespace auditshift::migrate::change
