// SPDX-License-Identifier: Apache-2.0
// Each usual mistake is named, with its fix, and nothing else is.
#include <doctest/doctest.h>

#include "base/crypto.hpp"
#include "world/checks.hpp"

using namespace world;

namespace {

WorldSettings small() {
  WorldSettings settings;
  settings.amazon.events = 100;
  settings.amazon.skus = 10;
  settings.history_days = settings.amazon.history_days = 30;
  settings.streams = {"transactions", "inventory"};
  return settings;
}

/// State of each check by its name; a check that is given several times keeps the worst.
std::map<std::string, std::string> examined(World& world, Process& process, std::string* whole = nullptr) {
  const auto done = world.wait(process.engine().examine());
  REQUIRE(done);
  if (whole) *whole = *done;
  std::map<std::string, std::string> states;
  const auto document = *JsonDocument::parse(*done);
  bool wrong = false;
  for (const Json check : document.root()["checks"]) {
    const std::string name(check["name"].text()), state(check["state"].text());
    CHECK((state == "ok" || state == "unknown") == check["fix"].is_null());   // whoever reads of a fault reads what to do
    wrong |= state == "wrong";
    if (!states.contains(name) || state == "wrong") states[name] = state;
  }
  CHECK(document.root()["healthy"].boolean() == !wrong);
  return states;
}

std::map<std::string, std::string> faults(std::map<std::string, std::string> states) {
  std::erase_if(states, [](const auto& s) { return s.second == "ok"; });
  return states;
}
using States = std::map<std::string, std::string>;

}  // namespace

TEST_SUITE_BEGIN("world");

TEST_CASE("the doctor finds nothing where nothing is wrong, and says what it could not look at") {
  World world(small());
  Process& process = world.open();
  CHECK(faults(examined(world, process)) == States{{"call", "unknown"}});
  world.sync_seller(process, 1);
  std::string whole;
  CHECK(faults(examined(world, process, &whole)).empty());
  CHECK(whole.find("marketplaces: ") != std::string::npos);
}

TEST_CASE("the doctor tells a clock that is off, and by how much") {
  for (const int minutes : {10, -10}) {
    World world(small());
    Process& process = world.open();
    world.clock().jump(std::chrono::minutes(minutes));
    std::string whole;
    CHECK(faults(examined(world, process, &whole)) == States{{"clock", "wrong"}, {"call", "unknown"}});
    CHECK(whole.find(minutes > 0 ? " s ahead of Amazon's" : " s behind Amazon's") != std::string::npos);
  }
}

TEST_CASE("the doctor names the role that the application lacks, and the datasets that it is for") {
  World world(small());
  Process& process = world.open();
  world.amazon().add_fault(trouble("/fba", "status", 403));
  world.sync_seller(process, 1);
  std::string whole;
  CHECK(faults(examined(world, process, &whole)) == States{{"roles", "wrong"}});
  CHECK(whole.find("Amazon refuses inventory for 1 seller; that is the role Amazon Fulfillment.") != std::string::npos);
}

TEST_CASE("a seller of another region is told so at the first call, and the doctor takes it for no missing role") {
  World world(small());
  Process& process = world.open();
  for (const char* path : {"/sellers", "/finances", "/fba", "/reports"}) {
    amzsim::Fault fault = trouble(path, "status", 403);
    fault.details = "The access token you provided is revoked, malformed or invalid.";
    world.amazon().add_fault(fault);
  }
  const std::string run = world.sync_seller(process, 1);
  CAPTURE(run);
  CHECK(member(run, "status") == "failed");
  CHECK(member(run, {"error", "code"}) == "wrong_region");
  CHECK(member(run, {"error", "retry"}) == "never");
  CHECK(member(run, "calls") == "2");   // with the token that is there, and with a new one
  std::string whole;
  CHECK(faults(examined(world, process, &whole)) == States{{"call", "wrong"}});
  CHECK(whole.find("Set the region that the seller sells in.") != std::string::npos);
}

TEST_CASE("the doctor tells what Amazon says of the application and of a seller") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  world.amazon().add_fault(trouble("/sellers", "status", 403));
  CHECK(faults(examined(world, process)) == States{{"call", "wrong"}});
  world.amazon().add_fault(trouble("/auth", "status", 503));
  world.run_for(std::chrono::hours(2));
  CHECK(faults(examined(world, process)) == States{{"lwa-endpoint", "wrong"}, {"call", "unknown"}});
}

TEST_CASE("the doctor tells keys that are missing, and keys that are old") {
  const std::string one = base64_encode(std::string(32, 'o')), two = base64_encode(std::string(32, 't'));
  World world(small());
  world.use_master_keys("one:" + one);
  Process& before = world.open();
  world.sync_seller(before, 1);
  world.close(before);
  world.use_master_keys("two:" + two);
  Process& wrong = world.open();
  CHECK(faults(examined(world, wrong)) == States{{"master-key", "wrong"}, {"call", "unknown"}});
  world.close(wrong);
  world.use_master_keys("two:" + two + ",one:" + one);
  CHECK(faults(examined(world, world.open())) == States{{"master-key", "warning"}});
}

TEST_CASE("the doctor tells kinds of money that nobody knew of") {
  World world(small());
  Process& process = world.open();
  amzsim::Fault news = trouble("/finances", "body", 200, -1);
  news.content_type = "application/json";
  news.message = R"({"payload":{"nextToken":null,"transactions":[{"transactionId":"T1","transactionType":"WholeNewThing","transactionStatus":"RELEASED","postedDate":"2026-11-10T00:00:00Z","totalAmount":{"currencyAmount":1,"currencyCode":"USD"}}]}})";
  world.amazon().add_fault(news);
  world.sync_seller(process, 1);
  std::string whole;
  CHECK(faults(examined(world, process, &whole)) == States{{"types", "warning"}});
  CHECK(whole.find("WholeNewThing") != std::string::npos);
}

TEST_CASE("the doctor tells who waits for whom") {
  World world(small());
  Process& process = world.open();
  world.sync_seller(process, 1);
  REQUIRE(world.wait(process.engine().pause(std::nullopt, "an operator")));
  CHECK(faults(examined(world, process)) == States{{"work", "warning"}});
  REQUIRE(world.wait(process.engine().resume(std::nullopt, "an operator")));
  world.set_room(false);
  CHECK(faults(examined(world, process)) == States{{"store", "wrong"}});
}

TEST_SUITE_END();
