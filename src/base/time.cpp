// SPDX-License-Identifier: Apache-2.0
#include "base/time.hpp"

#include <cstdio>

namespace amzsync::base {
namespace {

using namespace std::chrono;

struct Reader {
  std::string_view rest;

  bool literal(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  /// Exactly `count` digits.
  std::optional<int> number(std::size_t count) {
    if (rest.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest[i] < '0' || rest[i] > '9') return std::nullopt;
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(count);
    return value;
  }
};

struct Parts {
  year_month_day date;
  hh_mm_ss<Duration> time;
};

Parts split(Instant at) {
  const Day day = day_of(at);
  return {year_month_day(day), hh_mm_ss<Duration>(at - day)};
}

std::string print(const char* format, Instant at, long fraction = 0) {
  const Parts p = split(at);
  char buffer[64];
  const int n = std::snprintf(buffer, sizeof buffer, format, static_cast<int>(p.date.year()), static_cast<unsigned>(p.date.month()),
                              static_cast<unsigned>(p.date.day()), static_cast<int>(p.time.hours().count()),
                              static_cast<int>(p.time.minutes().count()), static_cast<int>(p.time.seconds().count()), fraction);
  return std::string(buffer, static_cast<std::size_t>(n));
}

}  // namespace

std::optional<Instant> parse_instant(std::string_view text) noexcept {
  Reader in{text};
  const auto y = in.number(4);
  if (!y || !in.literal('-')) return std::nullopt;
  const auto m = in.number(2);
  if (!m || !in.literal('-')) return std::nullopt;
  const auto d = in.number(2);
  if (!d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  Instant at = sys_days(date);
  if (in.rest.empty()) return at;

  if (!in.literal('T') && !in.literal('t') && !in.literal(' ')) return std::nullopt;
  const auto hour = in.number(2);
  if (!hour || !in.literal(':')) return std::nullopt;
  const auto minute = in.number(2);
  if (!minute) return std::nullopt;
  int second = 0;
  if (in.literal(':')) {
    const auto s = in.number(2);
    if (!s) return std::nullopt;
    second = *s;
  }
  if (*hour > 23 || *minute > 59 || second > 60) return std::nullopt;
  at += hours(*hour) + minutes(*minute) + seconds(second);

  if (in.literal('.') || in.literal(',')) {
    std::int64_t fraction = 0;
    std::int64_t unit = 1'000'000;
    bool any = false;
    while (!in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9') {
      unit /= 10;
      fraction += unit * (in.rest.front() - '0');
      in.rest.remove_prefix(1);
      any = true;
    }
    if (!any) return std::nullopt;
    at += microseconds(fraction);
  }
  if (in.rest.empty() || in.rest == "Z" || in.rest == "z") return at;

  const bool plus = in.rest.front() == '+';
  if (!plus && in.rest.front() != '-') return std::nullopt;
  in.rest.remove_prefix(1);
  const auto offset_hours = in.number(2);
  if (!offset_hours) return std::nullopt;
  in.literal(':');
  const auto offset_minutes = in.rest.empty() ? std::optional<int>(0) : in.number(2);
  if (!offset_minutes || !in.rest.empty() || *offset_hours > 18 || *offset_minutes > 59) return std::nullopt;
  const auto offset = hours(*offset_hours) + minutes(*offset_minutes);
  return plus ? at - offset : at + offset;
}

std::string format_instant(Instant at) {
  const auto millis = floor<milliseconds>(at) - floor<seconds>(at);
  return print("%04d-%02u-%02uT%02d:%02d:%02d.%03ldZ", at, static_cast<long>(millis.count()));
}
std::string format_seconds(Instant at) { return print("%04d-%02u-%02uT%02d:%02d:%02dZ", at); }
std::string format_day(Day day) { return print("%04d-%02u-%02u", day); }
std::string format_basic(Instant at) { return print("%04d%02u%02uT%02d%02d%02dZ", at); }

}  // namespace amzsync::base
