// SPDX-License-Identifier: Apache-2.0
#include "base/time.hpp"

#include <doctest/doctest.h>

using namespace amzsync::base;

TEST_SUITE_BEGIN("base");

TEST_CASE("every way in which Amazon writes a date is read as the same instant") {
  for (const char* text : {"2026-08-05T12:34:56Z", "2026-08-05T12:34:56.000Z", "2026-08-05T12:34:56+00:00", "2026-08-05T14:34:56+02:00", "2026-08-05T05:34:56-0700", "2026-08-05T12:34:56",
                           "2026-08-05 12:34:56Z", "2026-08-05T21:34:56+09"}) {
    CAPTURE(text);
    const auto at = parse_instant(text);
    REQUIRE(at);
    CHECK(format_seconds(*at) == "2026-08-05T12:34:56Z");
  }
  CHECK(format_instant(*parse_instant("2020-07-14T03:35:13.214Z")) == "2020-07-14T03:35:13.214Z");
  CHECK(format_instant(*parse_instant("2024-02-29")) == "2024-02-29T00:00:00.000Z");
  CHECK(to_us(*parse_instant("1970-01-01T00:00:00.1234567Z")) == 123'456);
}

TEST_CASE("what is no date is none") {
  for (const char* text : {"", "2026", "2026-13-01", "2026-02-30", "2023-02-29", "2026-08-05T", "2026-08-05T25:00:00Z", "2026-08-05T12:60:00Z", "2026-08-05T12:34:56.Z", "2026-08-05T12:34:56+99:00",
                           "2026-08-05T12:34:56Zx", "05/08/2026", "now", "2026-08-05T12:34:56+0"}) {
    CAPTURE(text);
    CHECK(!parse_instant(text));
  }
}

TEST_CASE("a day begins at midnight UTC") {
  const auto at = *parse_instant("2026-08-05T23:59:59.999999Z");
  CHECK(format_day(day_of(at)) == "2026-08-05");
  CHECK(format_day(day_of(at + Duration(1))) == "2026-08-06");
  CHECK(format_day(day_of(from_us(-1))) == "1969-12-31");
  CHECK(format_basic(at) == "20260805T235959Z");
}

TEST_SUITE_END();
