// SPDX-License-Identifier: Apache-2.0
// What a seller agreed to is not lost, and not used against what was decided since: Amazon gives something for a code once.
#include <doctest/doctest.h>

#include "world/scenes.hpp"

using namespace world;

namespace {

/// The next token calls are answered that late.
void be_slow(World& world, Duration by, int calls) {
  amzsim::Fault slow = trouble("/auth", "slow", 0, calls);
  slow.delay = by;
  world.amazon().add_fault(slow);
}

/// The process stands still from its next call on.
void stand_still(World& world, Process& of, Duration span) {
  const auto stands = std::make_shared<bool>(false);
  world.set_fates([stands, &of, span](Process& process, World::Point) -> World::Fate {
    if (&process != &of || std::exchange(*stands, true)) return {};
    return {World::Fate::What::freeze, span, {}};
  });
  REQUIRE(world.run_until([&] { return *stands; }));
}

std::int64_t token_calls(World& world) { return world.amazon().stats()["token"].calls; }
std::string state(World& world, int n) { return world.sql("SELECT state FROM connections c JOIN users u ON u.user_no=c.user_no WHERE u.user_id='user-" + std::to_string(n) + "'").at(0).at(0); }

/// A callback that is on its way: Amazon has the code and has not answered yet.
std::shared_ptr<std::optional<Result<CallbackResult>>> bring(World& world, Process& process, int n) {
  auto params = world.agree(process, n);
  REQUIRE(params);
  const std::int64_t before = token_calls(world);
  auto outcome = world.begin(as_result(process.engine().triggers().on_oauth_callback(std::move(*params))));
  REQUIRE(world.run_until([&] { return token_calls(world) > before; }));
  return outcome;
}
std::optional<Code> failure_of(const std::optional<Result<CallbackResult>>& outcome) {
  if (!outcome) return std::nullopt;
  if (!*outcome) return outcome->code();
  const auto* failure = std::get_if<amzsync::sync::CallbackFailure>(&**outcome);
  return failure ? failure->error.code : Code::ok;
}

}  // namespace

TEST_SUITE_BEGIN("world");

TEST_CASE("an engine that is closed while Amazon answers to a code keeps what is given for it, and the code goes to Amazon once") {
  for (const bool locked : {false, true}) {
    CAPTURE(locked);
    World world(small());
    Process& process = world.open();
    be_slow(world, std::chrono::seconds(4), 1);
    const auto outcome = bring(world, process, 1);
    const Steady unlocked = world.clock().steady() + std::chrono::seconds(20);
    world.set_fates([&](Process&, World::Point point) -> World::Fate {
      if (!locked || point != World::Point::store_write || world.clock().steady() >= unlocked) return {};
      return {World::Fate::What::fail, {}, Code::store_busy};
    });
    world.close(process);
    CHECK(failure_of(*outcome) == (locked ? Code::store_busy : Code::ok));   // the browser was answered before
    CHECK(token_calls(world) == 1);
    CHECK(state(world, 1) == "connected");
    Process& next = world.open();
    CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }));
    CHECK(world.count("SELECT count(*) FROM runs") == 1);
    check_truth(world, next, 1);
  }
}

TEST_CASE("what Amazon gave for a code is kept until the database takes it; the browser is not kept waiting for that") {
  World world(small());
  Process& process = world.open();
  auto params = world.agree(process, 1);
  REQUIRE(params);
  bool full = false;
  world.set_fates([&](Process&, World::Point point) -> World::Fate {
    if (point == World::Point::http_back) full = true;
    if (!full || point != World::Point::store_write) return {};
    return {World::Fate::What::fail, {}, Code::store_full};
  });
  const Steady asked = world.clock().steady();
  const auto outcome = world.begin(as_result(process.engine().triggers().on_oauth_callback(std::move(*params))));
  REQUIRE(world.run_until([&] { return outcome->has_value(); }));
  CHECK(failure_of(*outcome) == Code::store_full);
  CHECK(world.clock().steady() - asked <= std::chrono::seconds(10));
  world.run_for(std::chrono::minutes(7));   // longer than a code lives
  CHECK(token_calls(world) == 1);
  full = false;
  world.set_fates({});
  CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }));
  CHECK(state(world, 1) == "connected");
  check_truth(world, process, 1);
}

TEST_CASE("an answer of Amazon's that the browser did not wait for connects the seller all the same") {
  World world(small());
  Process& process = world.open();
  be_slow(world, std::chrono::seconds(12), 1);
  const Steady asked = world.clock().steady();
  CHECK(world.connect(process, 1).code() == Code::amazon_unavailable);
  CHECK(world.clock().steady() - asked <= std::chrono::seconds(10));
  CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }, std::chrono::minutes(1)));
  CHECK(token_calls(world) == 1);
  CHECK(process.logged("info: Triggered automatic sync after Amazon OAuth callback userId=user-1"));
  check_truth(world, process, 1);
}

TEST_CASE("of two engines that find a code left over one brings it to Amazon") {
  World world(small());
  Process& owner = world.open();
  world.kill_at({World::CallKind::http, world.http_calls() + 1, false});   // the exchange itself
  CHECK(!world.connect(owner, 1));
  const std::int64_t before = token_calls(world);
  be_slow(world, std::chrono::seconds(5), 1);
  Process& one = world.open();
  Process& other = world.open();
  CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }, std::chrono::minutes(4)));
  CHECK(token_calls(world) == before + 1);
  CHECK(one.logged("left over") != other.logged("left over"));
  CHECK(world.sql("SELECT outcome FROM consents") == std::vector<std::vector<std::string>>{{"connected"}});
}

TEST_CASE("while Amazon is silent a code stays its engine's, and goes to Amazon from there alone") {
  WorldSettings settings = small();
  int brought = 0;   // silence counts too
  settings.watch = [&](const SimTransport::Request& request, const auto&) { brought += request.url.find("/auth/o2/token") != std::string::npos ? 1 : 0; };
  World world(settings);
  Process& owner = world.open();
  Process& other = world.open();
  world.amazon().add_fault(trouble("/auth", "hang", 0, 3));   // for more than two minutes
  CHECK(world.connect(owner, 1).code() == Code::amazon_unavailable);
  CHECK(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='completed'") == 1; }, std::chrono::minutes(5)));
  CHECK(brought == 4);
  CHECK(owner.logged("left over"));
  CHECK(!other.logged("left over"));
}

TEST_CASE("a refresh token that is being tried connects nobody who was erased or disconnected meanwhile") {
  for (const bool erased : {true, false}) {
    CAPTURE(erased);
    World world(small());
    Process& process = world.open();
    world.sync_seller(process, 1);
    be_slow(world, std::chrono::seconds(3), 1);
    const std::int64_t before = token_calls(world);
    const auto outcome = world.begin(process.engine().triggers().connect_with_refresh_token(world.user(1), Secret(world.amazon().refresh_token(1)), ""));
    REQUIRE(world.run_until([&] { return token_calls(world) > before; }));
    if (erased) {
      REQUIRE(world.wait(process.engine().erase(world.user(1), "the user")));
    } else {
      REQUIRE(world.wait(process.engine().disconnect(world.user(1), "the user")));
    }
    REQUIRE(world.run_until([&] { return outcome->has_value(); }));
    CHECK((*outcome)->code() == (erased ? Code::not_found : Code::invalid_state));
    CHECK(world.count("SELECT count(*) FROM connections WHERE state='connected'") == 0);
    CHECK(world.count("SELECT count(*) FROM users") == (erased ? 0 : 1));
  }
}

TEST_CASE("no other engine brings a code to Amazon while the one that took it lives, though that one stands still") {
  World world(small());
  Process& owner = world.open();
  Process& other = world.open();
  be_slow(world, std::chrono::seconds(2), 1);
  const auto outcome = bring(world, owner, 1);
  stand_still(world, owner, std::chrono::seconds(40));
  world.run_for(std::chrono::minutes(2));
  CHECK(token_calls(world) == 1);
  CHECK(!other.logged("left over"));
  CHECK(state(world, 1) == "connected");
  check_runs(world);
}

TEST_CASE("a code is worth nothing any more once its user was disconnected, or has authorised anew") {
  for (const bool at_amazon : {true, false}) {
    CAPTURE(at_amazon);
    World world(small());
    Process& process = world.open();
    world.sync_seller(process, 1);
    std::shared_ptr<std::optional<Result<CallbackResult>>> outcome;
    if (at_amazon) {
      be_slow(world, std::chrono::seconds(4), 1);
      outcome = bring(world, process, 1);
    } else {
      world.amazon().add_fault(trouble("/auth", "status", 503, 12));
      CHECK(world.connect(process, 1).code() == Code::amazon_unavailable);
    }
    REQUIRE(world.wait(process.engine().disconnect(world.user(1), "the user")));
    world.run_for(std::chrono::minutes(6));
    if (outcome) CHECK(failure_of(*outcome) == Code::invalid_state);
    CHECK(state(world, 1) == "disconnected");
    CHECK(world.count("SELECT count(*) FROM runs") == 1);
    CHECK(world.count("SELECT count(*) FROM consents WHERE code IS NOT NULL") == 0);
    // And nothing of it is in the way of the next one.
    CHECK(member(world.sync_seller(process, 1), "status") == "completed");
    check_truth(world, process, 1);
  }

  // Nor of one who was disconnected already.
  {
    World world(small());
    Process& process = world.open();
    world.sync_seller(process, 1);
    REQUIRE(world.wait(process.engine().disconnect(world.user(1), "the user")));
    be_slow(world, std::chrono::seconds(4), 1);
    const auto outcome = bring(world, process, 1);
    CHECK(world.wait(process.engine().disconnect(world.user(1), "the user")));
    world.run_for(std::chrono::minutes(1));
    CHECK(failure_of(*outcome) == Code::invalid_state);
    CHECK(state(world, 1) == "disconnected");
    CHECK(world.count("SELECT count(*) FROM runs") == 1);
  }

  World world(small());
  Process& process = world.open();
  world.amazon().add_fault(trouble("/auth", "hang", 0, 1));
  CHECK(world.connect(process, 1).code() == Code::amazon_unavailable);
  CHECK(member(world.sync_seller(process, 1), "status") == "completed");
  world.run_for(std::chrono::minutes(6));
  CHECK(world.count("SELECT generation FROM connections") == 1);
  CHECK(world.count("SELECT count(*) FROM runs") == 1);
}

TEST_CASE("what was under way for a user who was erased touches no other one, though their connection has the same number") {
  for (const bool revoked : {true, false}) {
    CAPTURE(revoked);
    World world(small());
    Process& process = world.open();
    world.sync_seller(process, 1);
    if (revoked) world.amazon().revoke(1);
    world.run_for(std::chrono::hours(2));   // its access token has expired
    be_slow(world, std::chrono::seconds(6), 1);
    const std::int64_t before = token_calls(world);
    REQUIRE(world.wait(process.engine().triggers().start(world.user(1), "")));
    REQUIRE(world.run_until([&] { return token_calls(world) > before; }));
    REQUIRE(world.wait(process.engine().erase(world.user(1), "the user")));
    const auto connected = world.connect(process, 2);
    REQUIRE(connected);
    CHECK(member(world.finish(process, world.user(2), connected->sync_id), "status") == "completed");
    world.run_for(std::chrono::minutes(1));
    CHECK(state(world, 2) == "connected");
    CHECK(world.count("SELECT count(*) FROM journal WHERE type='connection.needs_reauth'") == 0);
    check_truth(world, process, 2);
  }
}

TEST_CASE("who is disconnected or erased hears the end of the sync within a second though the engine that performs it stands still") {
  for (const bool erased : {false, true}) {
    CAPTURE(erased);
    World world(small());
    Process& holder = world.open();
    Process& other = world.open();
    const auto connected = world.connect(holder, 1);
    REQUIRE(connected);
    REQUIRE(world.run_until([&] { return world.count("SELECT progress FROM runs") >= 30; }));
    stand_still(world, holder, std::chrono::seconds(40));
    const Steady asked = world.clock().steady();
    if (erased) {
      REQUIRE(world.wait(other.engine().erase(world.user(1), "the user")));
      CHECK(world.count("SELECT count(*) FROM runs") == 0);
    } else {
      REQUIRE(world.wait(other.engine().disconnect(world.user(1), "the user")));
      REQUIRE(world.run_until([&] { return world.count("SELECT count(*) FROM runs WHERE status='cancelled'") == 1; }));
    }
    CHECK(world.clock().steady() - asked <= std::chrono::seconds(1));
    world.run_for(std::chrono::minutes(2));   // it wakes up, and changes nothing
    CHECK(world.count("SELECT count(*) FROM runs") == (erased ? 0 : 1));
    CHECK(world.count("SELECT count(*) FROM journal WHERE type='sync.cancelled'") == (erased ? 0 : 1));
  }
}

TEST_CASE("the refresh token of before is known again after a disconnect, also of a connection that an older version made") {
  for (const bool older : {false, true}) {
    CAPTURE(older);
    World world(small());
    Process& process = world.open();
    const auto connect = [&](const char* token) { return world.wait(process.engine().triggers().connect_with_refresh_token(world.user(1), Secret(token), "")); };
    const auto first = connect("Atzr|sim-seller-1");
    REQUIRE(first);
    world.finish(process, world.user(1), first->id);
    if (older) world.sql("UPDATE connections SET token_print=''");
    REQUIRE(world.wait(process.engine().disconnect(world.user(1), "a person")));
    CHECK(world.count("SELECT count(*) FROM connections WHERE refresh_token IS NOT NULL") == 0);
    CHECK(connect("Atzr|sim-seller-2").code() == Code::seller_mismatch);
    const auto again = connect("Atzr|sim-seller-1");
    REQUIRE(again);
    CHECK(member(world.finish(process, world.user(1), again->id), "status") == "completed");
  }
}

TEST_SUITE_END();
