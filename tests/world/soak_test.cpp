// SPDX-License-Identifier: Apache-2.0
// What takes longer than scripts/test has: run by scripts/soak.
#include <doctest/doctest.h>

#include "world/checks.hpp"

using namespace world;

TEST_SUITE_BEGIN("soak");

TEST_CASE("twenty sellers of several sizes, in both finance sources, equal their truth at every step of a month") {
  std::int64_t worlds = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    for (const std::int64_t events : {1, 60, 700, 3'000, 12'000})
      for (const bool v0 : {false, true}) {
        CAPTURE(seed);
        CAPTURE(events);
        CAPTURE(v0);
        if (events == 12'000 && seed % 5 != 0) continue;
        WorldSettings settings;
        settings.seed = seed;
        settings.finances_v0 = v0;
        settings.amazon.events = events;
        settings.amazon.skus = std::min<std::int64_t>(1 + events / 10, 400);
        settings.history_days = settings.amazon.history_days = events < 100 ? 30 : 90;
        check_life(settings, static_cast<int>(1 + seed % 3));
        ++worlds;
      }
  MESSAGE(worlds << " sellers");
}

TEST_SUITE_END();
