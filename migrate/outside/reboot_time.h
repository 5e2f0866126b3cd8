// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace auditshift::migrate::outside {

/// A time zone: how far local time is ahead of UTC at an instant.
using Zone = std::function<std::chrono::seconds(std::chrono::sys_seconds)>;

/// The time zone of this host (/etc/localtime, or TZ).
Zone host_zone();

/// When to reboot.
struct RebootTime {
  base::WallTime at;
  std::optional<base::WallTime> until;  ///< end of the window: after this it is too late
};

/// Reads the value of --reboot, all of it in local time:
///
///   never                  no reboot: nothing is returned
///   now
///   +MIN                   so many minutes from now
///   HH:MM                  the next time clocks show this
///   HH:MM-HH:MM            the next window of any day; it may go past midnight
///   Sat,Sun HH:MM-HH:MM    the next window that begins on one of these days
///   Sat HH:MM              the next time clocks show this on one of these days
///
/// Within a window it is now. When clocks are put forward, a time that they skip means the moment after the
/// skipped hour; a window that lies wholly within it does not happen that day. When clocks are put back, a
/// time that they show twice means the first of both still to come; a window ends at the second.
base::Result<std::optional<RebootTime>> reboot_time(std::string_view text, base::WallTime now,
                                                    const Zone& zone);

}  // namespace auditshift::migrate::outside
