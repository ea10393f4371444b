// SPDX-License-Identifier: Apache-2.0
// Ends of syncs that nobody performs, and what is kept and planned at each of them; what an operator changes while calls are under way.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/json_writer.hpp"
#include "world/checks.hpp"

using namespace world;

namespace {

WorldSettings small() {
  WorldSettings settings;
  settings.amazon.events = 400;
  settings.amazon.skus = 40;
  settings.amazon.rows_per_page = 5;
  settings.history_days = settings.amazon.history_days = 60;
  settings.streams = {"transactions", "inventory"};
  settings.sync_every = std::chrono::hours(6);
  return settings;
}

/// From its next call on the process stands still, as if it were stopped.
void let_stand_still(World& world, Process& holder, Duration span) {
  bool still = false;
  world.set_fates([&](Process& process, World::Point) -> World::Fate {
    if (still || &process != &holder) return {};
    still = true;
    return {World::Fate::What::freeze, span, Code::store_busy};
  });
  REQUIRE(world.run_until([&] { return still; }));
  world.set_fates({});
}

}  // namespace

TEST_SUITE_BEGIN("schedule");

TEST_CASE("who is resumed while everybody is paused is told that he still waits") {
  World world{WorldSettings()};
  Process& process = world.open();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  const auto phase = [&] { return member(*process.engine().run_document(world.user(1), connected->sync_id), "phase"); };
  REQUIRE(world.wait(process.engine().pause(world.user(1), "an operator")));
  REQUIRE(world.wait(process.engine().pause(std::nullopt, "an operator")));
  world.run_for(std::chrono::seconds(2));
  CHECK(phase() == "paused");
  REQUIRE(world.wait(process.engine().resume(world.user(1), "an operator")));
  world.run_for(std::chrono::seconds(2));
  CHECK(phase() == "paused");
  REQUIRE(world.wait(process.engine().resume(std::nullopt, "an operator")));
  CHECK(member(world.finish(process, world.user(1), connected->sync_id), "status") == "completed");
}

TEST_CASE("a pause that its worker died without hearing of is told as a pause") {
  for (const bool everybody : {false, true}) {
    CAPTURE(everybody);
    World world(small());
    Process* worker = &world.open();
    Process* operators = &world.open();
    const auto connected = world.connect(*worker, 1);
    REQUIRE(connected);
    REQUIRE(world.run_until([&] { return world.count("SELECT count(*) FROM run_streams WHERE fetched>0") > 0; }));
    if (world.count("SELECT holder FROM runs") == 2) std::swap(worker, operators);
    world.kill(*worker);
    REQUIRE(world.wait(operators->engine().pause(everybody ? std::nullopt : std::optional(world.user(1)), "an operator")));
    world.run_for(std::chrono::seconds(40));
    const auto phase = [&] { return member(*operators->engine().run_document(world.user(1), connected->sync_id), "phase"); };
    CHECK(phase() == "paused");
    REQUIRE(world.wait(operators->engine().resume(everybody ? std::nullopt : std::optional(world.user(1)), "an operator")));
    CHECK(phase() == "fetching");
    CHECK(member(world.finish(*operators, world.user(1), connected->sync_id), "status") == "completed");
  }
}

TEST_CASE("of a sync whose worker stands still nobody says until when it waits and how long it takes, and it is taken over when the lease is over") {
  WorldSettings settings = small();
  settings.amazon.events = 30'000;
  settings.amazon.skus = 120;
  settings.amazon.rows_per_page = WorldSettings().amazon.rows_per_page;
  settings.history_days = settings.amazon.history_days = 90;
  World world(settings);
  Process* worker = &world.open();
  Process* other = &world.open();
  amzsim::Fault quota = trouble("/finances", "status", 429, 5);   // somebody else uses the seller's quota
  quota.after = 20;
  world.amazon().add_fault(quota);
  const auto connected = world.connect(*worker, 1);
  REQUIRE(connected);
  const auto run = [&] { return *JsonDocument::parse(*other->engine().run_document(world.user(1), connected->sync_id)); };
  REQUIRE(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE eta_seconds>0") > 0 && world.count("SELECT count(*) FROM run_streams WHERE waiting_until IS NOT NULL") > 0; }));
  if (world.count("SELECT holder FROM runs") == 2) std::swap(worker, other);
  bool stands = false;
  world.set_fates([&](Process& process, World::Point) -> World::Fate {
    if (stands || &process != worker) return {};
    stands = true;
    return {World::Fate::What::freeze, std::chrono::seconds(100), {}};
  });
  REQUIRE(world.run_until([&] { return stands; }));
  const Instant since = world.clock().now();
  const std::int64_t calls = world.http_calls();
  while (world.http_calls() == calls) {
    world.run_for(std::chrono::seconds(1));
    const auto told = run();
    const auto stood = world.clock().now() - since;
    CAPTURE(stood.count());
    REQUIRE(stood < std::chrono::seconds(40));
    for (const Json stream : told["streams"])
      if (!stream["waitingUntil"].is_null()) CHECK(*parse_instant(stream["waitingUntil"].text()) > world.clock().now());
    if (stood > std::chrono::seconds(12) && stood < std::chrono::seconds(25)) CHECK(told["etaSeconds"].is_null());
  }
  CHECK(member(world.finish(*other, world.user(1), connected->sync_id), "status") == "completed");
}

TEST_CASE("a cancel that comes while a pause is being heard, or its worker dies, is not put off until somebody resumes") {
  enum class Way { user, everybody, death };
  for (const Way way : {Way::user, Way::everybody, Way::death})
    for (const int wait : {0, 1, 3, 20, 400}) {
      CAPTURE(static_cast<int>(way));
      CAPTURE(wait);
      World world(small());
      Process& process = world.open();
      Process& other = world.open();
      const auto connected = world.connect(process, 1);
      REQUIRE(connected);
      world.run_for(std::chrono::milliseconds(700));
      Process& holder = world.count("SELECT holder FROM runs") == 1 ? process : other;
      Process& operators = &holder == &process ? other : process;
      REQUIRE(world.wait(operators.engine().pause(way == Way::user ? std::optional(world.user(1)) : std::nullopt, "an operator")));
      world.run_for(std::chrono::milliseconds(wait));
      REQUIRE(world.wait(operators.engine().cancel(world.user(1), connected->sync_id, "a person")));
      if (way == Way::death) world.kill(holder);
      world.run_for(way == Way::death ? std::chrono::seconds(40) : std::chrono::seconds(1));
      CHECK(world.status_of(operators, world.user(1), connected->sync_id) == "cancelled");
      check_runs(world);
      CHECK(world.count("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')") == 0);
      CHECK(world.count("SELECT count(*) FROM connections WHERE next_sync_at IS NULL") == 0);
    }
}

TEST_CASE("a sync that is cancelled before anybody took it up leaves the next one planned, and what was asked for beside it") {
  World world(small());
  Process& process = world.open();
  REQUIRE(world.wait(process.engine().pause(std::nullopt, "an operator")));
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  CHECK(world.count("SELECT count(*) FROM connections WHERE next_sync_at IS NOT NULL") == 0);
  REQUIRE(world.wait(process.engine().cancel(world.user(1), connected->sync_id, "a person")));
  CHECK(world.status_of(process, world.user(1), connected->sync_id) == "cancelled");   // at once
  CHECK(world.count("SELECT count(*) FROM connections WHERE next_sync_at IS NOT NULL") == 1);
  const auto one = world.wait(process.engine().triggers().start(world.user(1), "inventory"));
  const auto two = world.wait(process.engine().triggers().start(world.user(1), "transactions"));
  REQUIRE((one && two && two->attached));
  REQUIRE(world.wait(process.engine().cancel(world.user(1), one->id, "a person")));
  CHECK(world.sql("SELECT asked FROM runs WHERE status='queued'") == std::vector<std::vector<std::string>>{{"transactions"}});
}

TEST_CASE("a sync whose workers always die is given up as a failure that is tried again, and keeps what was triggered meanwhile") {
  World world(small());
  Process& first = world.open();
  const auto connected = world.connect(first, 1);
  REQUIRE(connected);
  world.run_for(std::chrono::milliseconds(700));
  REQUIRE(world.connect(first, 1));   // authorises anew, which the run can't know
  world.kill(first);
  world.run_for(std::chrono::seconds(1));
  // As after a day of deaths.
  world.sql("UPDATE runs SET idle_claims=100, idle_since=1, work_when_claimed=(SELECT sum(fetched + slices_done) + sum(CASE WHEN status IN ('waiting', 'running') THEN 0 ELSE 1 END) FROM run_streams)");
  REQUIRE(world.wait(world.open().engine().pause(std::nullopt, "an operator")));
  world.run_for(std::chrono::minutes(2));
  Process& second = world.open();
  REQUIRE(world.wait(second.engine().resume(std::nullopt, "an operator")));
  world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='failed'") == 1; });
  CHECK(member(*second.engine().run_document(world.user(1), connected->sync_id), {"error", "code"}) == "stalled");
  CHECK(world.count("SELECT failed_syncs FROM connections") == 1);
  CHECK(world.sql("SELECT cause, interactive FROM runs WHERE run_no>1") == std::vector<std::vector<std::string>>{{"oauth_callback", "1"}});
  check_runs(world);
}

TEST_CASE("a sync that was paused for long reads anew what it had read before, so that whoever asked meanwhile gets what they asked for") {
  WorldSettings settings = small();
  settings.amazon.goes_on = true;
  settings.amazon.rows_per_page = 3;
  settings.amazon.skus = 3;   // so the stock is read long before the money
  World world(settings);
  Process& process = world.open();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  world.run_until([&] { return world.count("SELECT count(*) FROM run_streams WHERE stream='inventory' AND status='complete'") == 1; });
  REQUIRE(world.wait(process.engine().pause(world.user(1), "an operator")));
  world.run_for(std::chrono::ceil<std::chrono::hours>(world.clock().now()) + std::chrono::hours(30) - world.clock().now());
  REQUIRE(world.count("SELECT count(*) FROM runs WHERE status='in_progress'") == 1);
  const auto asked = world.wait(process.engine().triggers().start(world.user(1), ""));
  REQUIRE(asked);
  CHECK(asked->id == connected->sync_id);
  REQUIRE(world.wait(process.engine().resume(world.user(1), "an operator")));
  CHECK(member(world.finish(process, world.user(1), connected->sync_id), "status") == "completed");
  check_truth(world, process, 1);
}

TEST_CASE("a cancel ends even a sync whose HTTP client hears nothing") {
  WorldSettings settings = small();
  settings.deaf_transport = true;
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.amazon().add_fault(trouble("/finances", "hang"));
  world.amazon().add_fault(trouble("/fba", "hang"));
  const auto stuck = world.wait(process.engine().triggers().start(world.user(1), ""));
  REQUIRE(stuck);
  world.run_for(std::chrono::minutes(1));
  REQUIRE(world.wait(process.engine().cancel(world.user(1), stuck->id, "a person")));
  world.run_for(std::chrono::seconds(11));
  CHECK(world.status_of(process, world.user(1), stuck->id) == "cancelled");
  world.amazon().clear_faults();
  CHECK(member(sync_again(world, process), "status") == "completed");
  check_runs(world);
}

TEST_CASE("trimming a long journal at a slow store loses no lease") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.close(process);
  world.sql(
      "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<60000) INSERT INTO journal(user_no, seq, type, payload, at) SELECT 7, i, 'old', '{}', 1 FROM n");
  world.set_fates([](Process&, World::Point point) {
    World::Fate fate;
    if (point == World::Point::store_write) {
      fate.what = World::Fate::What::delay;
      fate.span = std::chrono::seconds(4);
    }
    return fate;
  });
  world.amazon().add_fault(trouble("/finances", "hang"));   // the sync goes on for as long
  Process& slow = world.open();
  REQUIRE(world.wait(slow.engine().triggers().start(world.user(1), "")));
  std::int64_t looks = 0;
  world.run_until([&] {
    for (const auto& row : world.sql("SELECT lease_until FROM runs WHERE run_no=2 AND holder<>0")) {
      CHECK(from_us(std::atoll(row[0].c_str())) > world.clock().now());
      ++looks;
    }
    return world.count("SELECT count(*) FROM journal WHERE type='old'") == 0;
  }, std::chrono::hours(1));
  CHECK(looks > 0);
}

TEST_CASE("a client secret that is set while a token is being asked for is used at the next try") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  amzsim::SimRequest rotate;
  rotate.method = "POST";
  rotate.path = "/_sim/control";
  rotate.body = R"({"clientSecret":"rotated"})";
  CHECK(world.amazon().handle(rotate).status == 200);
  world.run_for(std::chrono::hours(2));
  world.amazon().clear_faults();
  world.amazon().add_fault(trouble("/auth", "status", 503, 1));
  const auto run = world.wait(process.engine().triggers().start(world.user(1), ""));
  REQUIRE(run);
  world.run_for(std::chrono::milliseconds(100));
  REQUIRE(world.wait(process.engine().set_client_secret(Secret("rotated"))));
  CHECK(member(world.finish(process, world.user(1), run->id), "status") == "completed");
}

TEST_CASE("a notification of a stranger's in a batch takes nothing away from the others") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  const auto record = [](const std::string& seller, const std::string& id) {
    std::string quoted;
    append_json_string(quoted, R"({"NotificationType":"FBA_INVENTORY_AVAILABILITY_CHANGES","Payload":{"SellerId":")" + seller + R"("},"NotificationMetadata":{"NotificationId":")" + id + R"("}})");
    return R"({"body":)" + quoted + "}";
  };
  const std::string seller = world.amazon().seller(1).id();
  const auto taken = world.wait(process.engine().triggers().on_notification(std::nullopt, R"({"Records":[)" + record("A-STRANGER", "n-1") + "," + record(seller, "n-2") + "]}"));
  REQUIRE(taken);
  REQUIRE(taken->size() == 2);
  CHECK(!(*taken)[0].connected);
  CHECK(!(*taken)[0].sync_id);
  CHECK((*taken)[1].connected);
  CHECK((*taken)[1].sync_id);
  // Nor is the id of one user's notification another's.
  const auto odd = world.wait(process.engine().triggers().on_notification(world.user(1), R"({"Records":[)" + record(seller, "user-1/n-9") + "," + record(seller, "n-9") + "]}"));
  REQUIRE(odd);
  CHECK(!(*odd)[1].duplicate);
}

TEST_CASE("whoever dies while warning of the client secret's end: each user is warned once") {
  for (int call = 1; call <= 12; ++call) {
    CAPTURE(call);
    WorldSettings settings = small();
    settings.sync_every = std::chrono::hours(24 * 60);
    settings.amazon.events = 5;
    settings.history_days = settings.amazon.history_days = 3;
    World world(settings);
    Process* process = &world.open();
    world.sync_seller(*process, 1);
    world.sync_seller(*process, 2);
    world.close(*process);
    world.run_for(std::chrono::hours(24 * 151));
    world.kill_at({World::CallKind::store, world.store_calls() + call, call % 2 == 0});
    process = &world.open();
    world.run_for(std::chrono::minutes(1));
    if (!process->alive()) process = &world.open();
    world.run_for(std::chrono::hours(3));
    CHECK(world.sql("SELECT user_no, count(*) FROM journal WHERE type='connection.expiring' GROUP BY user_no ORDER BY 1") == std::vector<std::vector<std::string>>{{"1", "1"}, {"2", "1"}});
  }
}

TEST_CASE("a sync that is taken over and then reaches Amazon no more is partial, with what the first worker read counted and judged") {
  WorldSettings settings = small();
  settings.amazon.rows_per_page = 50;
  World world(settings);
  Process& first = world.open();
  const auto connected = world.connect(first, 1);
  REQUIRE(connected);
  REQUIRE(world.run_until([&] { return world.count("SELECT coalesce(sum(fetched), 0) FROM run_streams WHERE stream='transactions'") > 100; }));
  world.kill(first);
  // The list of marketplaces is too old by the time that somebody takes it up.
  world.run_for(std::chrono::hours(30));
  world.amazon().add_fault(trouble("/auth", "status", 503));
  Process& second = world.open();
  const std::string run = world.finish(second, world.user(1), connected->sync_id);
  CHECK(member(run, "status") == "partial");
  CHECK(member(run, {"error", "code"}) == "amazon_unavailable");
  CHECK(member(run, "ordersProcessed") != "0");
  CHECK(world.count("SELECT count(*) FROM detections") == 1);
  check_runs(world);
}

TEST_CASE("a listener hears what it could not be told while the database was in trouble, though nothing new happens") {
  WorldSettings settings = small();
  settings.listen = true;
  World world(settings);
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.run_for(std::chrono::seconds(5));
  bool trouble = true;
  world.set_fates([&](Process&, World::Point point) -> World::Fate {
    if (!trouble || point != World::Point::store_read) return {};
    return {World::Fate::What::fail, {}, Code::store_busy};
  });
  REQUIRE(world.wait(process.engine().pause(world.user(1), "the test")));
  world.settle();
  trouble = false;
  world.run_for(std::chrono::seconds(3));
  const auto heard = process.heard();
  REQUIRE(heard.contains("user-1"));
  CHECK(heard.at("user-1").back() == world.count("SELECT max(seq) FROM journal"));
  process.stop_listening();
}

TEST_CASE("a cancel is heard within a second though the engine that performs the sync stands still") {
  World world(small());
  Process& holder = world.open();
  Process& other = world.open();
  const auto connected = world.connect(holder, 1);
  REQUIRE(connected);
  REQUIRE(world.run_until([&] { return world.count("SELECT progress FROM runs") >= 30; }));
  let_stand_still(world, holder, std::chrono::seconds(20));
  REQUIRE(world.wait(other.engine().cancel(world.user(1), connected->sync_id, "the test")));
  world.run_for(std::chrono::milliseconds(1'000));
  CHECK(world.sql("SELECT status FROM runs")[0][0] == "cancelled");
  world.run_for(std::chrono::minutes(2));   // it wakes up, and changes nothing
  CHECK(world.count("SELECT count(*) FROM runs") == 1);
  CHECK(world.count("SELECT count(*) FROM journal WHERE type='sync.cancelled'") == 1);
  check_runs(world);
}

TEST_CASE("a cancel outlives the engine that was asked for it, though the one that performs the sync stands still") {
  for (const bool killed : {false, true}) {
    CAPTURE(killed);
    World world(small());
    Process& holder = world.open();
    Process& asked = world.open();
    world.open();
    const auto connected = world.connect(holder, 1);
    REQUIRE(connected);
    REQUIRE(world.run_until([&] { return world.count("SELECT progress FROM runs") >= 30; }));
    let_stand_still(world, holder, std::chrono::seconds(25));
    REQUIRE(world.wait(asked.engine().cancel(world.user(1), connected->sync_id, "the test")));
    if (killed) {
      world.kill(asked);
    } else {
      world.close(asked);
    }
    world.run_for(std::chrono::seconds(7));   // others look at the database every five
    CHECK(world.sql("SELECT status FROM runs")[0][0] == "cancelled");
    world.run_for(std::chrono::minutes(2));
    CHECK(world.count("SELECT count(*) FROM journal WHERE type='sync.cancelled'") == 1);
    check_runs(world);
  }
}

TEST_CASE("what is said of the time left is never less than a wait that is known to come") {
  WorldSettings settings = small();
  settings.amazon.events = 3'000;
  settings.amazon.rows_per_page = 10;
  settings.streams.clear();
  World world(settings);
  Process& process = world.open();
  const auto connected = world.connect(process, 1);
  REQUIRE(connected);
  std::int64_t estimates = 0, waits = 0, last = 0;
  while (world.count("SELECT count(*) FROM runs WHERE status='in_progress'") == 1) {
    world.run_for(std::chrono::seconds(1));
    const auto row = world.sql("SELECT payload FROM run_progress");
    if (row.empty()) continue;
    const std::string eta = member(row[0][0], "etaSeconds"), until = member(row[0][0], "waitingUntil"), at = member(row[0][0], "timestamp");
    const std::int64_t progress = std::atoll(member(row[0][0], "progress").c_str());
    CHECK(progress >= last);
    last = progress;
    if (!eta.empty()) ++estimates;
    if (eta.empty() || until.empty()) continue;
    ++waits;
    CHECK(std::chrono::seconds(std::atoll(eta.c_str()) + 1) >= *parse_instant(until) - *parse_instant(at));
  }
  CHECK(estimates > 0);
  CHECK(waits > 0);
}

TEST_CASE("what is said of the time left counts the calls of Amazon's slow plans that are still to come") {
  // One has many reports to ask for, the other many documents that are there already.
  for (const bool asks : {true, false}) {
    CAPTURE(asks);
    WorldSettings settings = small();
    settings.history_days = settings.amazon.history_days = 540;
    settings.streams = asks ? std::vector<std::string>{"transactions", "reimbursements", "ledger", "returns", "removals"} : std::vector<std::string>{"settlements"};
    World world(settings);
    Process& process = world.open();
    const auto connected = world.connect(process, asks ? 1 : 3);
    REQUIRE(connected);
    struct Said {
      Instant at, until;
    };
    std::vector<Said> said;
    while (world.count("SELECT count(*) FROM runs WHERE status='in_progress'") == 1) {
      world.run_for(std::chrono::seconds(5));
      const auto row = world.sql("SELECT payload FROM run_progress");
      if (row.empty()) continue;
      const std::string eta = member(row[0][0], "etaSeconds"), at = member(row[0][0], "timestamp");
      if (!eta.empty()) said.push_back({*parse_instant(at), *parse_instant(at) + std::chrono::seconds(std::atoll(eta.c_str()))});
    }
    const Instant end = from_us(world.count("SELECT completed_at FROM runs"));
    REQUIRE(said.size() > (asks ? 100 : 2));
    std::int64_t far = 0;
    for (const Said& one : said) {
      // No plan tells how long Amazon takes to make the last ones.
      if (one.until + std::chrono::minutes(3) < end) ++far;
    }
    CHECK(far == 0);
  }
}

TEST_CASE("a callback hears what another process commits, also where its own does nothing") {
  WorldSettings settings = small();
  settings.sync_every = {};
  settings.listen = true;
  World world(settings);
  Process& idle = world.open();
  Process& busy = world.open();
  const auto connected = world.connect(busy, 1);
  REQUIRE(connected);
  while (world.count("SELECT holder FROM runs") == 1) {   // the idle one was quicker
    REQUIRE(world.wait(busy.engine().pause(std::nullopt, "a test")));
    world.run_for(std::chrono::seconds(1));
    REQUIRE(world.wait(busy.engine().resume(std::nullopt, "a test")));
  }
  world.finish(busy, world.user(1), connected->sync_id);
  world.run_for(std::chrono::milliseconds(200));
  const auto heard = idle.heard().find("user-1");
  REQUIRE(heard != idle.heard().end());
  CHECK(heard->second.back() == world.count("SELECT max(seq) FROM journal"));
}

TEST_CASE("whichever call of its store fails once, before a sync is taken up, it is taken up soon, though nothing else happens that could remind of it") {
  for (const World::Point kind : {World::Point::store_read, World::Point::store_write})
    for (int nth = 1; nth <= 8; ++nth) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(nth);
      WorldSettings settings = small();
      settings.sync_every = {};
      World world(settings);
      Process& process = world.open();
      const auto connected = world.connect(process, 1);
      REQUIRE(connected);
      REQUIRE(world.run_until([&] { return world.status_of(process, world.user(1), connected->sync_id) == "completed"; }, std::chrono::hours(2)));
      world.run_for(std::chrono::hours(3));
      Process& other = world.open();
      REQUIRE(world.wait(other.engine().pause(world.user(1), "an operator")));
      const auto triggered = world.wait(other.engine().triggers().start(world.user(1), ""));
      REQUIRE(triggered);
      int calls = 0;
      world.set_fates([&](Process& of, World::Point point) -> World::Fate {
        if (&of != &process || point != kind || ++calls != nth) return {};
        return {.what = World::Fate::What::fail};
      });
      REQUIRE(world.wait(other.engine().resume(world.user(1), "an operator")));
      world.kill(other);
      CHECK(world.run_until([&] { return world.status_of(process, world.user(1), triggered->id) != "queued"; }, std::chrono::minutes(1)));
      CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')") == 0; }, std::chrono::hours(2)));
      check_runs(world);
    }
}

TEST_CASE("a user who is erased is gone from every file, whoever worked for the user meanwhile, and nobody else misses anything") {
  for (const int after : {0, 300, 2'000}) {   // milliseconds into the sync
    CAPTURE(after);
    World world(small());
    Process& process = world.open();
    Process& other = world.open();
    REQUIRE(world.connect(process, 2));
    world.run_for(std::chrono::hours(1));
    const auto rows = world.count("SELECT count(*) FROM transactions");
    REQUIRE(rows > 0);
    REQUIRE(world.connect(process, 1));
    world.run_for(std::chrono::milliseconds(after));
    const std::string seller = world.sql("SELECT seller_id FROM connections ORDER BY connection_no DESC LIMIT 1").front().front();
    REQUIRE(seller.size() > 5);
    // Who holds the sync stands still, and goes on when all is over.
    const bool frozen = after > 0 && world.count("SELECT holder FROM runs ORDER BY run_no DESC LIMIT 1") == 2;
    if (frozen)
      world.set_fates([&](Process& of, World::Point) -> World::Fate {
        if (&of == &other) return {.what = World::Fate::What::freeze, .span = std::chrono::minutes(3)};
        return {};
      });
    const auto receipt = world.wait(process.engine().erase(world.user(1), "the user"));
    REQUIRE(receipt);
    CHECK(receipt->find("\"state\":\"erased\"") != std::string::npos);
    world.set_fates({});
    world.run_for(std::chrono::minutes(20));
    CHECK(world.count("SELECT count(*) FROM users") == 1);
    CHECK(world.count("SELECT count(*) FROM transactions") == rows);
    CHECK(world.count("SELECT count(*) FROM runs WHERE status IN ('queued','in_progress','detecting')") == 0);
    for (const auto& [path, content] : world.files().snapshot(MemoryVfs::Loss::process)) {
      CAPTURE(path);
      for (const std::string& mark : {world.user(1).text(), std::string("SKU-1-"), seller}) {
        CAPTURE(mark);
        CHECK(content.find(mark) == std::string::npos);
      }
    }
    // And may come again.
    const auto again = world.connect(process, 1);
    REQUIRE(again);
    CHECK(world.run_until([&] { return world.status_of(process, world.user(1), again->sync_id) == "completed"; }, std::chrono::hours(2)));
  }
}

TEST_CASE("an erasure that breaks off is finished by whoever opens the database next") {
  int dies_at = 0;
  SUBCASE("before the first rows went") { dies_at = 3; }
  SUBCASE("when all rows were gone") { dies_at = 4; }
  World world(small());
  Process& process = world.open();
  REQUIRE(world.connect(process, 1));
  world.run_for(std::chrono::hours(1));
  int writes = 0;
  world.set_fates([&](Process&, World::Point point) -> World::Fate {
    if (point == World::Point::store_write && ++writes == dies_at) return {.what = World::Fate::What::die};
    return {};
  });
  const auto receipt = world.wait(process.engine().erase(world.user(1), "the user"));
  CHECK((!receipt || receipt->find("\"state\":\"pending\"") != std::string::npos));   // nobody is told that all is gone
  world.set_fates({});
  CHECK(world.count("SELECT count(*) FROM users WHERE erased_at IS NOT NULL") == 1);
  Process& next = world.open();
  // Who asks again meanwhile is not told that all is gone.
  const auto again = world.wait(next.engine().erase(world.user(1), "the user"));
  REQUIRE(again);
  CHECK((again->find("\"state\":\"pending\"") != std::string::npos) == (world.count("SELECT count(*) FROM users") == 1));
  world.run_for(std::chrono::minutes(1));
  CHECK(world.count("SELECT count(*) FROM users") == 0);
  CHECK(world.count("SELECT count(*) FROM transactions") == 0);
}

TEST_SUITE_END();
