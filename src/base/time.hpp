// SPDX-License-Identifier: Apache-2.0
// Instants, days and durations, all UTC, and their text forms.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace amzsync::base {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::sys_time<Duration>;  ///< wall clock, UTC

/// Clocks of the machines that share a database differ by less, if they are about right.
constexpr Duration kClocksDiffer = std::chrono::hours(1);
/// Whether what was noted as of then was noted by a clock that was ahead, or this one is behind: either way it tells nothing of how long ago it was.
constexpr bool is_to_come(Instant noted, Instant now) noexcept { return noted > now + kClocksDiffer; }
using Day = std::chrono::sys_days;                ///< one UTC day

/// A point on the clock that never jumps; only differences mean anything.
struct SteadyTag {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<SteadyTag>;
  static constexpr bool is_steady = true;
};
using Steady = SteadyTag::time_point;

/// ISO 8601 as Amazon writes it: a date, or date and time with optional fraction and optional offset
/// (`Z`, `+00:00`, `-0700`; none means UTC). nullopt when it is anything else or no such day exists.
std::optional<Instant> parse_instant(std::string_view text) noexcept;

/// `2026-08-05T12:34:56.789Z`, always with milliseconds (cut off, not rounded).
std::string format_instant(Instant at);
/// `2026-08-05T12:34:56Z`, for Amazon's query parameters.
std::string format_seconds(Instant at);
/// `2026-08-05`
std::string format_day(Day day);
/// `20260805T123456Z`, for x-amz-date.
std::string format_basic(Instant at);

inline Day day_of(Instant at) noexcept { return std::chrono::floor<std::chrono::days>(at); }

/// For storage: microseconds since 1970, and days since 1970.
inline std::int64_t to_us(Instant at) noexcept { return at.time_since_epoch().count(); }
inline Instant from_us(std::int64_t us) noexcept { return Instant(Duration(us)); }
inline std::int64_t to_number(Day day) noexcept { return day.time_since_epoch().count(); }
inline Day day_from(std::int64_t number) noexcept { return Day(std::chrono::days(number)); }

struct DayRange {
  Day from{}, until{};   ///< until is exclusive
  bool contains(Day day) const noexcept { return day >= from && day < until; }
  friend bool operator==(const DayRange&, const DayRange&) = default;
};

}  // namespace amzsync::base
