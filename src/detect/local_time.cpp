// SPDX-License-Identifier: Apache-2.0
// Ours, because the compilers we build with know no time zones yet, and a marketplace has one zone with one of four rules.
#include "detect/local_time.hpp"

namespace amzsync::detect {
namespace {

using namespace std::chrono;

enum class Summer : std::uint8_t { none, america, europe, australia };
struct Zone {
  std::string_view country;
  minutes offset;
  Summer summer = Summer::none;
};
constexpr Zone kZones[]{{"US", -480min, Summer::america}, {"CA", -480min, Summer::america}, {"MX", -360min}, {"BR", -180min}, {"GB", 0min, Summer::europe}, {"IE", 0min, Summer::europe},
                        {"DE", 60min, Summer::europe},    {"FR", 60min, Summer::europe},    {"IT", 60min, Summer::europe}, {"ES", 60min, Summer::europe}, {"BE", 60min, Summer::europe}, {"NL", 60min, Summer::europe},
                        {"SE", 60min, Summer::europe},    {"PL", 60min, Summer::europe},    {"ZA", 120min}, {"EG", 120min}, {"SA", 180min}, {"TR", 180min}, {"AE", 240min}, {"IN", 330min},
                        {"SG", 480min},                   {"JP", 540min},                   {"AU", 600min, Summer::australia}};

Instant at(year_month_weekday day, hours hour) { return sys_days(day) + hour; }
Instant at(year_month_weekday_last day, hours hour) { return sys_days(day) + hour; }

/// Where summer time holds. America changes at two by the clock on the wall, Europe at one by UTC, Australia at two by its standard time.
bool is_summer(const Zone& zone, Instant t) {
  const year y = year_month_day(floor<days>(t + zone.offset)).year();
  switch (zone.summer) {
    case Summer::none: return false;
    case Summer::america: return t >= at(y / March / Sunday[2], 2h) - zone.offset && t < at(y / November / Sunday[1], 1h) - zone.offset;
    case Summer::europe: return t >= at(y / March / Sunday[last], 1h) && t < at(y / October / Sunday[last], 1h);
    case Summer::australia: return t < at(y / April / Sunday[1], 2h) - zone.offset || t >= at(y / October / Sunday[1], 2h) - zone.offset;
  }
  return false;
}

minutes offset_at(std::string_view country, Instant t) {
  for (const Zone& zone : kZones)
    if (zone.country == country) return zone.offset + (is_summer(zone, t) ? 60min : 0min);
  return 0min;
}

}  // namespace

Day local_day(Instant t, std::string_view country) { return floor<days>(t + offset_at(country, t)); }

Instant begin_of(Day local, std::string_view country) {
  const Instant guess = Instant(local) - offset_at(country, Instant(local));
  return Instant(local) - offset_at(country, guess);
}

}  // namespace amzsync::detect
