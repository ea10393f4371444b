// SPDX-License-Identifier: Apache-2.0
// The main job in the world: connected, synced, equal to the truth.
#include <doctest/doctest.h>

#include <algorithm>

#include "world/checks.hpp"

using namespace world;

TEST_SUITE_BEGIN("world");

TEST_CASE("a connected seller is synced by itself and every row and amount of the truth is stored once") {
  for (const bool v0 : {false, true}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      CAPTURE(v0);
      CAPTURE(seed);
      WorldSettings settings;
      settings.seed = seed;
      settings.finances_v0 = v0;
      settings.amazon.events = 1'700;
      settings.amazon.skus = 130;
      World world(settings);
      Process& process = world.open();
      const std::string run = world.sync_seller(process, 2);
      CAPTURE(run);
      CHECK(member(run, "status") == "completed");
      check_truth(world, process, 2);
    }
  }
}

TEST_CASE("reports that are named are read beside the rest, and every one equals the truth; a second sync changes nothing") {
  for (const std::uint64_t seed : {4, 5}) {
    CAPTURE(seed);
    WorldSettings settings;
    settings.seed = seed;
    settings.amazon.events = 1'700;
    settings.amazon.skus = 60;
    settings.streams = {"transactions", "inventory", "reimbursements", "ledger", "ledger_summary", "returns", "removals", "storage_fees", "fee_preview", "managed_inventory"};
    World world(settings);
    Process& process = world.open();
    const std::string run = world.sync_seller(process, 2);
    CAPTURE(run);
    CHECK(member(run, "status") == "completed");
    check_truth(world, process, 2);
    CHECK(member(world.recoveries(process, world.user(2)), "source") == "reimbursements");
    const auto again = world.wait(process.engine().triggers().start(world.user(2), ""));
    REQUIRE(again);
    const std::string second = world.finish(process, world.user(2), again->id);
    const auto document = JsonDocument::parse(second);
    REQUIRE(document);
    for (const Json stream : (*document)["streams"]) {
      CAPTURE(std::string(stream["name"].text()));
      for (const char* count : {"added", "changed", "removed", "rejected"}) CHECK(stream[count].integer() == 0);
    }
    check_truth(world, process, 2);
  }
}

TEST_CASE("the days of a store are not those of UTC, and the first and last of them are whole at any hour") {
  for (const char* start : {"2026-11-23T00:00:00Z", "2026-11-23T02:00:00Z", "2026-11-23T06:00:00Z", "2026-11-23T08:00:00Z", "2026-11-23T23:00:00Z",
                            // sixty days after the first of a month, whose sheet is the first that is read
                            "2026-11-29T23:30:00Z", "2026-11-30T00:00:00Z", "2026-11-30T00:30:00Z", "2026-11-30T01:30:00Z", "2026-11-30T02:00:00Z", "2026-12-01T00:30:00Z"}) {
    CAPTURE(std::string(start));
    WorldSettings settings;
    settings.start = start;
    settings.amazon.events = 1'500;
    settings.amazon.skus = 20;
    settings.history_days = settings.amazon.history_days = 60;
    World world(settings);
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 2), "status") == "completed");
    check_truth(world, process, 2);
  }
}

TEST_CASE("rows that come late and rows that are new join the others, which keep their numbers") {
  for (const bool v0 : {false, true})
    for (const std::uint64_t seed : {1, 2, 3, 4}) {
      CAPTURE(v0);
      CAPTURE(seed);
      WorldSettings settings;
      settings.seed = seed;
      settings.finances_v0 = v0;
      settings.amazon.events = 300 * static_cast<std::int64_t>(seed);
      settings.amazon.skus = 30;
      settings.history_days = settings.amazon.history_days = 90;
      check_life(settings, 2);
    }
}

TEST_CASE("a stream that falls silent against its own history says so once, and no longer when it speaks again") {
  WorldSettings settings;
  settings.amazon.events = 600;
  settings.amazon.skus = 30;
  settings.history_days = settings.amazon.history_days = 90;
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  const auto told = [&] { return world.sql("SELECT payload FROM journal WHERE type='dataset.silent'"); };
  const auto sync = [&](const std::string& streams) {
    const auto again = world.wait(process.engine().triggers().start(world.user(1), streams));
    return member(world.finish(process, world.user(1), again->id), "status");
  };
  CHECK(told().empty());
  world.run_for(std::chrono::hours(24 * 12));   // this seller sells no more
  for (int i = 0; i < 2; ++i) {
    CHECK(sync("transactions,inventory,storage_fees") == "completed");
    CHECK(told().size() == 1);
  }
  CHECK(member(told()[0][0], "stream") == "transactions");
  CHECK(world.recoveries(process, world.user(1)).find("\"silentSince\":\"" + member(told()[0][0], "since") + "\"") != std::string::npos);
  CHECK(sync("returns") == "completed");   // few rows a week: a silence of ten days may well be true
  CHECK(told().size() == 1);
}

TEST_CASE("what is remembered of a stream grows by rows, and no row of it grows with what was read") {
  const auto widest = [](std::int64_t events) {
    WorldSettings settings;
    settings.amazon.events = events;
    settings.amazon.skus = events / 10;
    settings.history_days = settings.amazon.history_days = 60;
    World world(settings);
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    std::size_t most = 0;
    for (const char* state : {"cells", "windows", "stream_states", "report_jobs", "run_streams", "connections", "runs"})
      for (const auto& row : world.sql("SELECT * FROM " + std::string(state))) {
        std::size_t bytes = 0;
        for (const std::string& value : row) bytes += value.size();
        most = std::max(most, bytes);
      }
    return most;
  };
  constexpr std::size_t kDigits = 200;   // of larger numbers
  CHECK(widest(6'000) < widest(60) + kDigits);
}

TEST_CASE("the same seed takes the same course") {
  const auto play = [](std::uint64_t seed) {
    WorldSettings settings;
    settings.seed = seed;
    settings.amazon.events = 600;
    settings.amazon.skus = 60;
    World world(settings);
    Process& process = world.open();
    amzsim::Fault fault;
    fault.path = "/finances";
    fault.kind = "status";
    fault.status = 503;
    fault.after = 1;
    world.amazon().add_fault(fault);
    world.sync_seller(process, 1);
    world.run_for(std::chrono::hours(1));
    return world.trace_hash();
  };
  CHECK(play(5) == play(5));
  CHECK(play(5) != play(6));
}

TEST_SUITE_END();
