// SPDX-License-Identifier: Apache-2.0
// The law of the rows under chance: whatever Amazon's pages look like, however its calls fail, and wherever the process dies, the rows equal the
// truth in the end, each once, and a reading that finds nothing new writes nothing.
#include <doctest/doctest.h>

#include <cstdlib>

#include "world/checks.hpp"

using namespace world;

namespace {

/// A trouble that passes.
amzsim::Fault trouble(amzsim::Random& random) {
  struct Kind {
    const char *path, *kind;
    int status = 0;
    bool pages_only = false;
  };
  constexpr Kind kKinds[]{{"/finances", "status", 500}, {"/finances", "status", 429}, {"/finances", "status", 400}, {"/finances", "drop"},       {"/finances", "truncate"},
                          {"/finances", "html", 503},   {"/finances", "cut"},         {"/finances", "page_loop"},   {"/finances", "token_expired", 0, true},
                          {"/finances", "empty", 0, true}, {"/fba", "token_loop"},    {"/fba", "status", 500},      {"/fba", "drop"},            {"/sellers", "drop"},
                          {"/reports", "status", 500},  {"/reports", "drop"},         {"/_docs", "drop"},           {"/_docs", "cut"},           {"/_docs", "status", 403}};
  const Kind& kind = kKinds[random.below(static_cast<std::int64_t>(std::size(kKinds)))];
  amzsim::Fault fault;
  fault.path = kind.path;
  fault.kind = kind.kind;
  fault.status = kind.status;
  fault.pages_only = kind.pages_only;
  fault.times = static_cast<int>(random.between(1, 3));
  fault.after = static_cast<int>(random.below(12));
  if (kind.status == 400) fault.code = "InvalidInput", fault.message = "The response is larger than 10 MB.";
  return fault;
}

}  // namespace

TEST_SUITE_BEGIN("chance");

TEST_CASE("random pages, seams, troubles and deaths: the rows equal the truth, each once") {
#ifdef AMZSYNC_SANITIZED
  constexpr int kFew = 30;
#else
  constexpr int kFew = 120;
#endif
  const char* asked = std::getenv("AMZSYNC_ROUNDS");
  const int rounds = asked ? std::atoi(asked) : kFew;
  int died = 0, partial = 0;
  for (int round = 1; round <= rounds; ++round) {
    CAPTURE(round);
    amzsim::Random random(static_cast<std::uint64_t>(round) * 7'919);
    WorldSettings settings;
    settings.seed = static_cast<std::uint64_t>(round);
    settings.finances_v0 = random.one_in(2);
    settings.history_days = settings.amazon.history_days = static_cast<int>(random.between(2, 100));
    settings.amazon.events = random.between(0, 900);
    settings.amazon.skus = random.between(0, 120);
    settings.amazon.rows_per_page = random.one_in(4) ? 0 : random.between(1, 60);
    settings.amazon.seams = !random.one_in(4);
    settings.amazon.goes_on = true;
    World world(settings);
    Process* process = &world.open();
    for (std::int64_t i = random.below(5); i > 0; --i) world.amazon().add_fault(trouble(random));
    if (random.one_in(2)) world.kill_at({random.one_in(2) ? World::CallKind::store : World::CallKind::http, world.http_calls() + random.between(5, 120), random.one_in(2)});
    const auto connected = world.connect(*process, 2);
    const auto over = [&] { return world.count("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')") == 0; };
    if (connected) world.run_until([&] { return !process->alive() || over(); });
    if (!process->alive()) {
      ++died;
      process = &world.open();
      world.run_until(over, std::chrono::hours(5));
    }
    world.amazon().clear_faults();
    world.kill_at({World::CallKind::store, INT64_MAX, false});   // that was the time for it
    if (world.count("SELECT count(*) FROM connections WHERE state='connected'") == 0) REQUIRE(world.connect(*process, 2));   // it died before the consent was kept
    world.run_until(over, std::chrono::hours(5));
    if (world.sql("SELECT status FROM runs ORDER BY run_no DESC LIMIT 1")[0][0] != "completed") {
      // What a trouble left undone is made up for; reports that failed are left alone for a day.
      ++partial;
      process = &world.pass(*process, std::chrono::hours(25));
    }
    const auto sync = [&] {
      const auto again = world.wait(process->engine().triggers().start(world.user(2), ""));
      REQUIRE(again);
      return world.finish(*process, world.user(2), again->id);
    };
    process = &world.pass(*process, std::chrono::hours(26));
    const std::string run = sync();
    CAPTURE(run);
    CHECK(member(run, "status") == "completed");
    check_truth(world, *process, 2);
    const auto document = JsonDocument::parse(sync());
    REQUIRE(document);
    for (const Json stream : (*document)["streams"])
      for (const char* count : {"added", "changed", "removed", "rejected"}) CHECK(stream[count].integer() == 0);
  }
  if (!asked) CHECK(died > rounds / 6);
#ifndef AMZSYNC_SANITIZED
  CHECK(partial > 0);
#endif
}

TEST_SUITE_END();
