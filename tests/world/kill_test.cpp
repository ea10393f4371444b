// SPDX-License-Identifier: Apache-2.0
// Engines that die at any call, lose their power, or freeze for longer than their lease.
#include <doctest/doctest.h>

#include <cstdlib>

#include "world/checks.hpp"

using namespace world;

namespace {

// A sanitizer makes each death some twenty times as dear; it then looks at some of them.
#ifdef AMZSYNC_SANITIZED
constexpr std::int64_t kSparing = 9;
#else
constexpr std::int64_t kSparing = 1;
#endif

WorldSettings tiny(bool v0) {
  WorldSettings settings;
  settings.finances_v0 = v0;
  settings.amazon.events = 260;
  settings.amazon.skus = 60;
  settings.streams = {v0 ? "financial_events" : "transactions", "inventory"};
  return settings;
}

/// The calls that the run tells are those that Amazon heard, but for what was under way when its worker died, heard and not noted, or noted and never sent.
void check_calls(World& world, std::int64_t at_once) {
  std::int64_t heard = 0;
  for (const auto& [operation, s] : world.amazon().stats())
    if (operation != "token") heard += s.calls;
  const std::int64_t told = world.count("SELECT calls FROM runs");
  CHECK(std::abs(heard - told) <= at_once);
}

std::int64_t active(World& world) { return world.count("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')"); }

}  // namespace

TEST_SUITE_BEGIN("kill");

TEST_CASE("killed at any call to the store or to Amazon, the run goes on in the next process and equals the truth") {
  for (const bool v0 : {false, true}) {
    std::int64_t store_calls = 0, http_calls = 0, connected_at_store = 0, connected_at_http = 0;
    {
      World world(tiny(v0));
      Process& process = world.open();
      const auto connected = world.connect(process, 1);
      REQUIRE(connected);
      connected_at_store = world.store_calls();
      connected_at_http = world.http_calls();
      world.finish(process, world.user(1), connected->sync_id);
      store_calls = world.store_calls();
      http_calls = world.http_calls();
    }
    const auto die = [&](World::CallKind kind, std::int64_t call, bool after) {
      CAPTURE(v0);
      CAPTURE(static_cast<int>(kind));
      CAPTURE(call);
      CAPTURE(after);
      World world(tiny(v0));
      Process& first = world.open();
      world.kill_at({kind, call, after});
      const auto connected = world.connect(first, 1);
      REQUIRE(connected);
      world.run_until([&] { return !first.alive() || active(world) == 0; });
      CHECK(!first.alive());
      Process& second = world.open();
      CHECK(world.run_until([&] { return active(world) == 0; }, std::chrono::hours(2)));
      CHECK(world.sql("SELECT status FROM runs")[0][0] == "completed");
      check_calls(world, 2);   // a call of each stream
      check_truth(world, second, 1);
    };
    for (std::int64_t call = connected_at_store + 1; call <= store_calls; call += kSparing)
      for (const bool after : {false, true}) die(World::CallKind::store, call, after);
    for (std::int64_t call = connected_at_http + 1; call <= http_calls; call += kSparing)
      for (const bool after : {false, true}) die(World::CallKind::http, call, after);
    MESSAGE(std::string(v0 ? "v0" : "2024-06-19") << ": " << store_calls - connected_at_store << " store calls and " << http_calls - connected_at_http << " HTTP calls, " << (kSparing == 1 ? "each" : "some") << " died at before and after");
  }
}

TEST_CASE("killed while reports are made and read, no report is asked for twice and every row is there once") {
  const auto settings = [] {
    WorldSettings s;
    s.amazon.events = 1'500;
    s.amazon.skus = 40;
    s.amazon.history_days = 55;
    s.history_days = 60;
    s.streams = {"reimbursements"};
    return s;
  };
  const auto check = [](World& world) {
    const JsonDocument truth = world.truth(1);
    const Json expected = truth["reports"]["reimbursements"];
    CHECK(*expected["rows"].integer() > 50);
    CHECK(world.count("SELECT count(*) FROM reimbursements") == expected["rows"].integer());
    for (const Json amount : expected["amounts"])
      CHECK(format_micros(Micros{world.count("SELECT sum(amount_micros) FROM reimbursements WHERE currency='" + std::string(amount.name()) + "'")}) == amount.text());
  };
  std::int64_t store_calls = 0, http_calls = 0, connected_at_store = 0, connected_at_http = 0, asked = 0;
  {
    World world(settings());
    Process& process = world.open();
    const auto connected = world.connect(process, 1);
    REQUIRE(connected);
    connected_at_store = world.store_calls();
    connected_at_http = world.http_calls();
    CHECK(member(world.finish(process, world.user(1), connected->sync_id), "status") == "completed");
    store_calls = world.store_calls();
    http_calls = world.http_calls();
    asked = world.amazon().stats().at("createReport").calls;
    check(world);
  }
  const auto die = [&](World::CallKind kind, std::int64_t call, bool after) {
    CAPTURE(static_cast<int>(kind));
    CAPTURE(call);
    CAPTURE(after);
    World world(settings());
    Process& first = world.open();
    world.kill_at({kind, call, after});
    const auto connected = world.connect(first, 1);
    REQUIRE(connected);
    world.run_until([&] { return !first.alive() || active(world) == 0; });
    CHECK(!first.alive());
    world.open();
    CHECK(world.run_until([&] { return active(world) == 0; }, std::chrono::hours(2)));
    CHECK(world.sql("SELECT status FROM runs")[0][0] == "completed");
    check_calls(world, 3);   // the list of reports, which is no row, and then a call for each of two
    CHECK(world.amazon().stats().at("createReport").calls == asked);
    check(world);
  };
  const bool each = std::getenv("AMZSYNC_EVERY_CALL") != nullptr;
  const std::int64_t kStride = each ? 1 : 29 * kSparing, kHttpStride = each ? 1 : 3 * kSparing;   // each death is a sync of its own and takes a second
  for (std::int64_t call = connected_at_store + 1; call <= store_calls; call += kStride)
    for (const bool after : {false, true}) die(World::CallKind::store, call, after);
  for (std::int64_t call = connected_at_http + 1; call <= http_calls; call += kHttpStride)
    for (const bool after : {false, true}) die(World::CallKind::http, call, after);
}

TEST_CASE("a run of a dead process is taken over at once, with its progress, by another that is there") {
  World world(tiny(false));
  Process& first = world.open();
  Process& second = world.open();
  const auto connected = world.connect(first, 1);
  world.run_until([&] { return world.count("SELECT progress FROM runs") >= 30; });
  const Steady died = world.clock().steady();
  world.kill(first);
  CHECK(world.run_until([&] { return second.logged("Sync taken over"); }));
  // On PostgreSQL nobody sees whether a process of another machine lives: its lease tells. On a file it would have lasted longer.
  CHECK(world.clock().steady() - died <= std::chrono::seconds(world.on_postgres() ? 36 : 6));
  CHECK(member(world.finish(second, world.user(1), connected->sync_id), "status") == "completed");
  check_truth(world, second, 1);
}

TEST_CASE("losing the power loses what was not synced, never the sense of the database") {
  for (const bool full : {false, true}) {
    CAPTURE(full);
    WorldSettings settings = tiny(false);
    settings.synchronous_full = full;
    World world(settings);
    Process& first = world.open();
    const auto connected = world.connect(first, 1);
    REQUIRE(connected);
    world.run_for(std::chrono::milliseconds(250));
    world.lose_power();
    Process& second = world.open();
    const auto trips = world.count("SELECT count(*) FROM runs");
    // With synchronous=FULL a trigger that was acknowledged is there.
    if (full) CHECK(trips == 1);
    if (trips == 0) {
      world.amazon().clear_faults();
      world.sync_seller(second, 1);
    } else {
      CHECK(world.run_until([&] { return active(world) == 0; }));
    }
    check_truth(world, second, 1);
  }
}

TEST_CASE("closing an engine ends no run: the next one goes on with it") {
  World world(tiny(false));
  Process& first = world.open();
  const auto connected = world.connect(first, 1);
  world.run_for(std::chrono::milliseconds(300));
  world.close(first);
  CHECK(world.sql("SELECT status, holder FROM runs")[0] == std::vector<std::string>{"in_progress", "0"});
  Process& second = world.open();
  CHECK(member(world.finish(second, world.user(1), connected->sync_id), "status") == "completed");
  CHECK(world.count("SELECT fence FROM runs") == 2);
  check_truth(world, second, 1);
}

TEST_CASE("a run reads what it began to read, though the process that goes on with it is set up for less") {
  World world(tiny(false));
  Process& first = world.open();
  const auto connected = world.connect(first, 1);
  world.run_for(std::chrono::milliseconds(300));
  world.kill(first);
  REQUIRE(world.count("SELECT count(*) FROM run_streams WHERE stream='transactions' AND status='running'") == 1);
  world.use_streams({"inventory"});
  Process& second = world.open();
  const std::string run = world.finish(second, world.user(1), connected->sync_id);
  CHECK(member(run, "status") == "completed");
  CHECK(world.count("SELECT count(*) FROM run_streams WHERE status<>'complete'") == 0);
  check_truth(world, second, 1);
  // The next one is of what is asked for now.
  sync_again(world, second);
  CHECK(world.count("SELECT count(*) FROM run_streams WHERE run_no=2 AND stream='transactions'") == 0);
}

TEST_CASE("two engines on one database perform one run between them") {
  for (int seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    WorldSettings settings = tiny(seed % 2 == 0);
    settings.seed = static_cast<std::uint64_t>(seed);
    World world(settings);
    Process& first = world.open();
    Process& second = world.open();
    const auto connected = world.connect(first, 1);
    const auto joined = world.wait(second.engine().triggers().start(world.user(1), ""));
    REQUIRE(joined);
    CHECK(joined->attached);
    CHECK(joined->id == connected->sync_id);
    CHECK(member(world.finish(second, world.user(1), joined->id), "status") == "completed");
    CHECK(world.count("SELECT count(*) FROM runs") == 1);
    CHECK(world.count("SELECT fence FROM runs") == 1);
    check_truth(world, first, 1);
  }
}

TEST_CASE("a run is cancelled from another process") {
  World world(tiny(false));
  Process& worker = world.open();
  Process& other = world.open();
  amzsim::Fault silence;
  silence.path = "/finances";
  silence.kind = "hang";
  silence.times = -1;
  world.amazon().add_fault(silence);
  const auto connected = world.connect(worker, 1);
  world.run_for(std::chrono::seconds(2));
  const Steady asked = world.clock().steady();
  REQUIRE(world.wait(other.engine().cancel(world.user(1), connected->sync_id, "a test")));
  world.run_until([&] { return active(world) == 0; });
  CHECK(world.clock().steady() - asked <= std::chrono::seconds(1));
  check_runs(world);
}

TEST_SUITE_END();
