// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/reboot_time.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/text.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

/// A reboot further away than this is a mistyped number.
constexpr std::chrono::minutes kFarthest = std::chrono::days(31);

/// Days of the week, 0 is Sunday as in std::chrono::weekday::c_encoding().
using Days = std::array<bool, 7>;

struct Clocktime {
  Days days{};
  minutes begin{};
  std::optional<minutes> end;  ///< from the midnight the window begins after; may be beyond 24 h
};

base::Error bad(std::string_view text, std::string_view why) {
  return base::Error(base::Errc::invalid,
                     "reboot time \"" + base::printable(text) + "\": " + std::string(why))
      .with_hint(
          "forms: never, now, +MINUTES, 23:30, 02:00-04:00, Sat 02:00-04:00, Sat,Sun 22:00-02:00 "
          "(local time of this host)");
}

std::optional<std::size_t> day_number(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kNames = {"sunday",   "monday", "tuesday", "wednesday",
                                                             "thursday", "friday", "saturday"};
  const std::string lower = base::to_lower(word);
  for (std::size_t day = 0; day < kNames.size(); ++day)
    if (lower == kNames[day] || lower == kNames[day].substr(0, 3)) return day;
  return std::nullopt;
}

/// "02:00"; "24:00" too, as the end of a day.
std::optional<minutes> clock_minutes(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2 || text.size() != colon + 3)
    return std::nullopt;
  const auto hour = base::parse_decimal(text.substr(0, colon));
  const auto minute = base::parse_decimal(text.substr(colon + 1));
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > std::uint64_t{24} * 60) return std::nullopt;
  return minutes(static_cast<int>(*hour * 60 + *minute));
}

base::Result<Days> parse_days(std::string_view text, std::string_view whole) {
  Days days{};
  for (const std::string_view word : base::split(text, ',')) {
    const auto day = day_number(base::trim(word));
    if (!day)
      return bad(whole, "\"" + base::printable(word) + "\" is no day (Mon, Tue, Wed, Thu, Fri, Sat, Sun)");
    days[*day] = true;
  }
  return days;
}

base::Result<Clocktime> parse_clocktime(std::string_view text) {
  Clocktime result;
  result.days.fill(true);
  std::string_view times = text;
  if (const std::size_t space = text.find_last_of(' '); space != std::string_view::npos) {
    AUDITSHIFT_TRY(days, parse_days(base::trim(text.substr(0, space)), text));
    result.days = days;
    times = base::trim(text.substr(space + 1));
  }
  const std::size_t dash = times.find('-');
  const auto begin = clock_minutes(times.substr(0, dash));
  if (!begin || *begin == 24h) return bad(text, "it needs a time such as 02:00");
  result.begin = *begin;
  if (dash == std::string_view::npos) return result;
  const auto end = clock_minutes(times.substr(dash + 1));
  if (!end) return bad(text, "the window needs an end such as 04:00");
  if (*end == *begin) return bad(text, "the window ends when it begins");
  result.end = *end > *begin ? *end : *end + 24h;
  return result;
}

/// The instants at which clocks show `local`: one; two where clocks are put back; where they are put forward
/// over it, the moment of that.
std::array<sys_seconds, 2> instants_of(local_seconds local, const Zone& zone) {
  const sys_seconds as_utc{local.time_since_epoch()};
  const seconds before = zone(as_utc - 24h);
  const seconds after = zone(as_utc + 24h);
  const sys_seconds early = as_utc - before;
  const sys_seconds late = as_utc - after;
  const bool early_fits = zone(early) == before;
  const bool late_fits = zone(late) == after;
  if (early_fits && late_fits) return {std::min(early, late), std::max(early, late)};
  if (early_fits) return {early, early};
  if (late_fits) return {late, late};
  // Skipped: find the moment the offset changes.
  sys_seconds low = as_utc - 24h;
  sys_seconds high = as_utc + 24h;
  while (high - low > 1s) {
    const sys_seconds middle = low + (high - low) / 2;
    (zone(middle) == before ? low : high) = middle;
  }
  return {high, high};
}

/// What the clock time means on one day; nothing when it is over, or does not happen that day. Where clocks
/// are put back, a window such as 01:30-02:00 is open, closed and open again: it counts as open throughout.
std::optional<RebootTime> on_day(const Clocktime& wanted, local_days day, base::WallTime now,
                                 const Zone& zone) {
  const auto begins = instants_of(day + wanted.begin, zone);
  if (!wanted.end) {
    for (const sys_seconds at : begins)
      if (at >= now) return RebootTime{at, std::nullopt};
    return std::nullopt;
  }
  const sys_seconds end = instants_of(day + *wanted.end, zone)[1];
  if (end <= begins[0] || end <= now) return std::nullopt;
  return RebootTime{std::max<base::WallTime>(begins[0], now), end};
}

base::Result<std::optional<RebootTime>> next(const Clocktime& wanted, base::WallTime now, const Zone& zone,
                                             std::string_view text) {
  const auto second = std::chrono::floor<seconds>(now);
  const local_seconds local_now{(second + zone(second)).time_since_epoch()};
  const local_days today = std::chrono::floor<std::chrono::days>(local_now);
  constexpr int kDaysToSearch = 15;  // a week, and another when the first falls into a skipped hour
  for (int ahead = -1; ahead <= kDaysToSearch; ++ahead) {  // yesterday's window may be open still
    const local_days day = today + std::chrono::days(ahead);
    if (!wanted.days[std::chrono::weekday(day).c_encoding()]) continue;
    if (const auto found = on_day(wanted, day, now, zone)) return std::optional<RebootTime>(found);
  }
  return bad(text, "this time does not come within two weeks");
}

}  // namespace

Zone host_zone() {
  ::tzset();
  return [](sys_seconds at) {
    const std::time_t time = std::chrono::system_clock::to_time_t(at);
    std::tm local{};
    ::localtime_r(&time, &local);
    return seconds(local.tm_gmtoff);
  };
}

base::Result<std::optional<RebootTime>> reboot_time(std::string_view text, base::WallTime now,
                                                    const Zone& zone) {
  const std::string_view wanted = base::trim(text);
  const std::string lower = base::to_lower(wanted);
  if (lower == "never") return std::optional<RebootTime>();
  if (lower == "now") return std::optional<RebootTime>({now, std::nullopt});
  if (wanted.starts_with('+')) {
    const auto count = base::parse_decimal(wanted.substr(1));
    if (!count) return bad(wanted, "+ needs a number of minutes behind it");
    if (*count > static_cast<std::uint64_t>(kFarthest.count()))
      return bad(wanted, "that is more than 31 days away");
    return std::optional<RebootTime>({now + minutes(static_cast<int>(*count)), std::nullopt});
  }
  if (wanted.empty()) return bad(wanted, "nothing given");
  AUDITSHIFT_TRY(clocktime, parse_clocktime(wanted));
  return next(clocktime, now, zone, wanted);
}

}  // namespace auditshift::migrate::outside
