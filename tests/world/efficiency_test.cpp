// SPDX-License-Identifier: Apache-2.0
// How well Amazon's usage plans are used: few calls, no waiting beyond what the plans ask for, no quota error of our own making.
#include <doctest/doctest.h>

#include <cmath>

#include "world/checks.hpp"

using namespace world;

namespace {

struct Efficiency {
  double calls_over_fewest = 0, time_over_bound = 0;
  std::int64_t throttled = 0;
};

Efficiency measure(bool v0, std::int64_t events, std::int64_t skus, double foreign_use = 0) {
  WorldSettings settings;
  settings.finances_v0 = v0;
  settings.amazon.events = events;
  settings.amazon.skus = skus;
  settings.amazon.foreign_use = foreign_use;
  settings.streams = {v0 ? "financial_events" : "transactions", "inventory"};   // reports have a plan of one a minute, which would hide the rest
  World world(settings);
  Process& process = world.open();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  const Steady start = world.clock().steady();
  const std::string run = world.finish(process, world.user(1), connected->sync_id);
  CHECK(member(run, "status") == "completed");
  const double seconds = std::chrono::duration<double>(world.clock().steady() - start).count();

  const JsonDocument truth = world.truth(1);
  const auto pages = [](std::int64_t rows, std::int64_t size) { return std::max<std::int64_t>(1, (rows + size - 1) / size); };
  const std::int64_t fewest = 1 + pages(*truth[v0 ? "financialEvents" : "transactions"]["rows"].integer(), v0 ? 100 : 500) + pages(*truth["inventory"]["rows"].integer(), 50);
  // The bound: every operation has a plan of its own, so the slowest decides; its burst is free.
  std::int64_t calls = 0;
  double bound = 0;
  Efficiency e;
  for (const auto& [name, s] : world.amazon().stats()) {
    if (name == "token") continue;
    calls += s.calls;
    e.throttled += s.throttled;
    for (const auto* op : {&amzsync::spapi::kListTransactions, &amzsync::spapi::kListFinancialEvents, &amzsync::spapi::kGetInventorySummaries, &amzsync::spapi::kGetMarketplaceParticipations})
      if (op->name == name) bound = std::max(bound, std::max(0.0, static_cast<double>(s.calls - op->burst)) / (op->rate * (1 - foreign_use)));
  }
  e.calls_over_fewest = static_cast<double>(calls) / static_cast<double>(fewest);
  e.time_over_bound = seconds / bound;
  MESSAGE(std::string(v0 ? "v0" : "2024-06-19") << ", " << events << " events: " << calls << " calls, fewest " << fewest << ", ratio " << e.calls_over_fewest << "; " << seconds << " s, bound " << bound << " s, ratio "
                                     << e.time_over_bound << "; own 429: " << e.throttled);
  return e;
}

}  // namespace

TEST_SUITE_BEGIN("efficiency");

TEST_CASE("50,000 events under Amazon's plans") {
  for (const bool v0 : {false, true}) {
    const Efficiency e = measure(v0, 50'000, 2'000);
    CHECK(e.calls_over_fewest <= 1.10);
    CHECK(e.time_over_bound <= 1.02);
    CHECK(e.throttled == 0);
  }
}

TEST_CASE("a plan that somebody else uses too is shared: few quota errors, and what is left of it is used") {
  for (const double foreign_use : {0.3, 0.6}) {
    CAPTURE(foreign_use);
    const Efficiency e = measure(false, 50'000, 500, foreign_use);
    CHECK(e.throttled > 0);   // they are how we learn of it
    CHECK(e.calls_over_fewest <= 1.20);
    CHECK(e.time_over_bound <= 1.25);
  }
}

TEST_CASE("who waits at the published rate goes on as soon as Amazon tells a better one") {
  WorldSettings settings;
  settings.amazon.events = 400;
  settings.amazon.skus = 10;
  settings.amazon.rate_scale = 10;
  settings.streams = {"ledger", "ledger_summary", "reimbursements", "returns", "removals", "storage_fees"};
  World* running = nullptr;
  std::vector<Instant> asked;
  settings.watch = [&](const SimTransport::Request& request, const auto&) {
    if (request.method == amzsync::net::Method::post && request.url.ends_with("/reports/2021-06-30/reports")) asked.push_back(running->clock().now());
  };
  World world(settings);
  running = &world;
  // One answer, which tells the rate, is still to come when the others, which tell none, have used up what may be asked at once.
  amzsim::Fault slow, silent;
  slow.path = silent.path = "/reports";
  slow.method = silent.method = "POST";
  slow.kind = "slow";
  slow.times = 1;
  slow.delay = std::chrono::seconds(5);
  silent.kind = "status";
  silent.status = 500;
  silent.times = 13;
  world.amazon().add_fault(slow);
  world.amazon().add_fault(silent);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  REQUIRE(asked.size() > 30);
  // One call in six seconds; the published plan gives one a minute.
  for (std::size_t i = 1; i < asked.size(); ++i) CHECK(asked[i] - asked[i - 1] < std::chrono::seconds(20));
}

TEST_CASE("that others use a plan is remembered between calls that are minutes apart") {
  WorldSettings settings;
  settings.amazon.events = 400;
  settings.amazon.skus = 10;
  settings.amazon.foreign_use = 0.5;
  settings.streams = {"ledger", "reimbursements", "returns", "removals"};
  World world(settings);
  Process& process = world.open();
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  const auto stats = world.amazon().stats()["createReport"];
  MESSAGE("createReport: " << stats.calls << " calls, " << stats.throttled << " throttled");
  CHECK(stats.ok > 40);
  CHECK(stats.throttled * 4 <= stats.ok);
}

TEST_SUITE_END();
