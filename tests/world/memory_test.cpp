// SPDX-License-Identifier: Apache-2.0
// Memory that runs out for a moment, anywhere in a sync: what it keeps from being done is told, and done the next time.
#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>

#include "support/allocations.hpp"
#include "world/checks.hpp"

using namespace world;

namespace {

WorldSettings tiny(bool v0) {
  WorldSettings settings;
  settings.finances_v0 = v0;
  settings.listen = true;
  settings.amazon.events = 120;
  settings.amazon.skus = 30;
  settings.amazon.history_days = 55;
  settings.history_days = 60;
  settings.streams = {v0 ? "financial_events" : "transactions", "inventory", "reimbursements"};
  return settings;
}

WorldSettings of_all_streams() {
  WorldSettings settings = tiny(false);
  settings.streams.clear();
  settings.archive_pages = true;
  return settings;
}

std::int64_t number(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

#ifdef AMZSYNC_SANITIZED
constexpr std::int64_t kFewRounds = 8;
#else
constexpr std::int64_t kFewRounds = 60;
#endif
const std::int64_t kRounds = number("AMZSYNC_ROUNDS", kFewRounds), kFrom = number("AMZSYNC_FROM", 0);

/// How many allocations `course` tells of, once what is made only once is there.
std::int64_t allocations_of(const std::function<std::int64_t()>& course) {
  course();
  return course();
}

/// The syncs that ended otherwise than whole say why; whether one did not.
bool one_is_whole(World& world) {
  for (const auto& run : world.sql("SELECT status, coalesce(error_code, '') FROM runs WHERE status <> 'completed'")) {
    CHECK((run[0] == "failed" || run[0] == "partial"));
    CHECK(run[1] == code_name(Code::no_memory));
  }
  return world.count("SELECT count(*) FROM runs WHERE status='completed'") > 0;
}

}  // namespace

TEST_SUITE_BEGIN("memory");

TEST_CASE("a sync that lacks memory for a moment ends and claims nothing that it has not, and the next one is whole") {
  struct Scene {
    const char* name;
    WorldSettings settings;
    std::int64_t rounds;
  };
  for (const Scene& scene : {Scene{"transactions", tiny(false), kRounds}, Scene{"financial_events", tiny(true), kRounds}, Scene{"all streams", of_all_streams(), kRounds / 4}}) {
    CAPTURE(scene.name);
    const std::int64_t all = allocations_of([&] {
      World world(scene.settings);
      REQUIRE(world.connect(world.open(), 1));
      const support::Scarcity none;
      REQUIRE(world.run_until([&] { return all_over(world); }));
      return none.asked();
    });
    int whole = 0, escapes = 0;
    for (std::int64_t round = 0; round < scene.rounds; ++round) {
      const std::int64_t nth = (all * round / scene.rounds + kFrom) % all;
      CAPTURE(nth);
      World world(scene.settings);
      Process& process = world.open();
      REQUIRE(world.connect(process, 1));
      {
        support::Scarcity scarce(nth);
        CHECK(world.run_until([&] { return all_over(world); }, std::chrono::hours(2)));
        CHECK(scarce.refused());
      }
      if (one_is_whole(world)) {
        ++whole;
        check_truth(world, process, 1);
      }
      CHECK(member(sync_again(world, process), "status") == "completed");
      check_truth(world, process, 1);
      escapes += world.escapes();
    }
    MESSAGE(std::string(scene.name) << ": " << all << " allocations, " << scene.rounds << " refused: " << whole << " syncs whole all the same, " << escapes << " steps of the loop ended by it");
  }
}

TEST_CASE("a seller who connects while memory lacks for a moment is connected, or is told that not, and then is the next time") {
  const WorldSettings settings = tiny(false);
  const std::int64_t all = allocations_of([&] {
    World world(settings);
    Process& process = world.open();
    const support::Scarcity none;
    REQUIRE(world.connect(process, 1));
    return none.asked();
  });
  int connected = 0;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    const std::int64_t nth = (all * round / kRounds + kFrom) % all;
    CAPTURE(nth);
    World world(settings);
    Process& process = world.open();
    {
      support::Scarcity scarce(nth);
      try {
        const auto outcome = world.connect(process, 1);
        if (outcome) ++connected;
        if (!outcome) CHECK(outcome.code() == Code::no_memory);
      } catch (const std::bad_alloc&) {
        // What a runtime turns into an answer.
      }
      CHECK(scarce.refused());
    }
    // The code that Amazon sent may have been kept, and is adopted: then there is a sync already.
    REQUIRE(world.connect(process, 1));
    CHECK(world.run_until([&] { return all_over(world); }, std::chrono::hours(2)));
    CHECK(one_is_whole(world));
    check_truth(world, process, 1);
  }
  MESSAGE(all << " allocations, " << kRounds << " refused: " << connected << " sellers connected all the same");
}

TEST_CASE("an engine that lacks memory for a moment while it closes does close, and the next one goes on") {
  const WorldSettings settings = tiny(false);
  const auto begin = [&](World& world) -> Process& {
    Process& process = world.open();
    REQUIRE(world.connect(process, 1));
    REQUIRE(world.run_until([&] { return world.http_calls() >= 8; }));
    return process;
  };
  const std::int64_t all = allocations_of([&] {
    World world(settings);
    Process& process = begin(world);
    const support::Scarcity none;
    world.close(process);
    return none.asked();
  });
  for (std::int64_t round = 0; round < kRounds; ++round) {
    const std::int64_t nth = (all * round / kRounds + kFrom) % all;
    CAPTURE(nth);
    World world(settings);
    Process& process = begin(world);
    {
      support::Scarcity scarce(nth);
      world.close(process);
      CHECK(scarce.refused());
    }
    Process& next = world.open();
    CHECK(world.run_until([&] { return all_over(world); }, std::chrono::hours(2)));
    CHECK(one_is_whole(world));
    check_truth(world, next, 1);
  }
  MESSAGE(all << " allocations, " << kRounds << " refused");
}

TEST_SUITE_END();
