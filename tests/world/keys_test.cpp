// SPDX-License-Identifier: Apache-2.0
// The master key: it changes while hosts work, and a host with the wrong one does no lasting harm.
#include <doctest/doctest.h>

#include "base/crypto.hpp"
#include "world/checks.hpp"

using namespace world;

namespace {

const std::string kOld = base64_encode(std::string(32, 'o')), kNew = base64_encode(std::string(32, 'n'));

WorldSettings small() {
  WorldSettings settings;
  settings.amazon.events = 300;
  settings.amazon.skus = 20;
  settings.history_days = settings.amazon.history_days = 60;
  settings.streams = {"transactions", "inventory"};
  return settings;
}

std::string rotated(World& world, Process& process) {
  const auto done = world.wait(process.engine().rotate_key());
  REQUIRE(done);
  return *done;
}

}  // namespace

TEST_SUITE_BEGIN("world");

TEST_CASE("a new master key takes over while hosts work, and then the old one is needed no more") {
  World world(small());
  world.use_master_keys("old:" + kOld);
  Process& before = world.open();
  for (const int n : {1, 2, 3}) world.sync_seller(before, n);
  world.close(before);

  world.use_master_keys("new:" + kNew + ",old:" + kOld);
  Process& host = world.open();
  world.run_for(std::chrono::hours(2));   // no access token of before is of use any more
  CHECK(member(sync_again(world, host, 1), "status") == "completed");
  Process& rotating = world.open();
  const auto done = rotated(world, rotating);
  CHECK(member(done, "secrets") == "6");
  CHECK(member(done, "resealed") == "4");   // those of the seller who was synced moved when they were used
  CHECK(done.find("\"unreadable\":[]") != std::string::npos);
  CHECK(member(sync_again(world, host, 2), "status") == "completed");

  world.use_master_keys("new:" + kNew);
  Process& after = world.open();
  world.run_for(std::chrono::hours(2));
  world.close(host);
  world.close(rotating);
  for (const int n : {1, 2, 3}) CHECK(member(sync_again(world, after, n), "status") == "completed");
}

TEST_CASE("a host that was started with another key loses nobody for good") {
  World world(small());
  world.use_master_keys("old:" + kOld);
  Process& before = world.open();
  world.sync_seller(before, 1);
  world.close(before);

  world.use_master_keys("old:" + kNew);
  Process& wrong = world.open();
  world.run_for(std::chrono::hours(2));
  CHECK(member(sync_again(world, wrong, 1), {"error", "code"}) == "key_unknown");
  CHECK(world.count("SELECT count(*) FROM connections WHERE state='needs_reauth' AND state_reason='key_unknown'") == 1);
  CHECK(world.count("SELECT count(*) FROM journal WHERE type='connection.needs_reauth'") == 1);
  // Amazon refused nothing, and nobody is told that it did.
  const auto refused = world.wait(wrong.engine().triggers().start(world.user(1), ""));
  CHECK(refused.code() == amzsync::Code::needs_reauth);
  CHECK(refused.error().message.find("rotate-key") != std::string::npos);
  const auto none = rotated(world, wrong);
  CHECK(none.find("\"unreadable\":[\"user-1\"]") != std::string::npos);
  CHECK(world.count("SELECT count(*) FROM connections WHERE state='needs_reauth'") == 1);
  world.close(wrong);

  world.use_master_keys("old:" + kOld);
  Process& right = world.open();
  const auto done = rotated(world, right);
  CHECK(member(done, "restored") == "1");
  CHECK(done.find("\"unreadable\":[]") != std::string::npos);
  CHECK(member(sync_again(world, right, 1), "status") == "completed");
}

TEST_SUITE_END();
