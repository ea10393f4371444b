// SPDX-License-Identifier: Apache-2.0
// What takes longer than scripts/test has: run by scripts/soak.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "world/checks.hpp"

using namespace world;

TEST_SUITE_BEGIN("soak");

TEST_CASE("twenty sellers of several sizes, in both finance sources, equal their truth at every step of a month") {
  const auto number = [](const char* name, std::uint64_t otherwise) {
    const char* asked = std::getenv(name);
    return asked ? std::strtoull(asked, nullptr, 10) : otherwise;
  };
  std::int64_t worlds = 0;
  for (std::uint64_t seed = number("AMZSYNC_FROM", 1), end = seed + number("AMZSYNC_ROUNDS", 20); seed < end; ++seed)
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

TEST_CASE("ten thousand sellers who are all triggered in one moment are all synced, under Amazon's plans, and none waits for long after the others") {
  const char* asked = std::getenv("AMZSYNC_SELLERS");
  const int sellers = asked ? std::atoi(asked) : 10'000;
  WorldSettings settings;
  settings.amazon.sellers = sellers;
  settings.amazon.events = 40;
  settings.amazon.skus = 5;
  settings.history_days = settings.amazon.history_days = 20;
  settings.streams = {"transactions", "inventory"};
  World world(settings);
  Process& process = world.open();
  REQUIRE(world.wait(process.engine().pause(std::nullopt, "the test")));
  for (int n = 1; n <= sellers; ++n) REQUIRE(world.connect(process, n));
  REQUIRE(world.wait(process.engine().resume(std::nullopt, "the test")));
  const Instant start = world.clock().now();
  const auto over = [&] { return world.count("SELECT count(*) FROM (SELECT 1 FROM runs WHERE status IN ('queued','in_progress','detecting') LIMIT 1) AS d") == 0; };
  for (int minute = 0; minute < 24 * 60 && !over(); ++minute) world.run_for(std::chrono::minutes(1));
  CHECK(over());
  CHECK(world.count("SELECT count(*) FROM runs WHERE status='completed'") == sellers);
  std::vector<std::int64_t> waits;
  for (const auto& row : world.sql("SELECT completed_at FROM runs ORDER BY 1")) waits.push_back(std::atoll(row[0].c_str()) - to_us(start));
  const double median = static_cast<double>(waits[waits.size() / 2]) / 1e6, longest = static_cast<double>(waits.back()) / 1e6;
  MESSAGE(sellers << " sellers: median " << median << " s, longest " << longest << " s, fairness (longest / median) " << longest / median);
  amzsim::Random random(1);
  for (int i = 0; i < 20; ++i) check_seller(world, process, static_cast<int>(random.between(1, sellers)));
  check_runs(world);
}

TEST_CASE("a sync is cancelled within a second at a thousand random moments") {
  amzsim::Random random(3);
  std::vector<std::int64_t> took;
  for (std::uint64_t i = 0; took.size() < 1'000; ++i) {
    WorldSettings settings;
    settings.seed = i + 1;
    settings.amazon.events = 300;
    settings.amazon.skus = 60;
    settings.amazon.rows_per_page = 20;
    settings.history_days = settings.amazon.history_days = 60;
    World world(settings);
    Process& process = world.open();
    const auto connected = world.connect(process, 1);
    REQUIRE(connected);
    world.run_for(Duration(random.one_in(2) ? random.below(3'000'000) : random.below(900'000'000)));   // also while it waits for reports
    if (world.status_of(process, world.user(1), connected->sync_id) != "in_progress") continue;
    const Steady asked = world.clock().steady();
    REQUIRE(world.wait(process.engine().cancel(world.user(1), connected->sync_id, "a test")));
    CHECK(member(world.finish(process, world.user(1), connected->sync_id), "status") == "cancelled");
    took.push_back((world.clock().steady() - asked).count());
    check_runs(world);
  }
  std::sort(took.begin(), took.end());
  CHECK(took[990] <= 1'000'000);
  MESSAGE("cancelled at 1,000 moments: p99 " << took[990] / 1'000 << " ms, most " << took.back() / 1'000 << " ms of the world's time");
}

TEST_SUITE_END();
