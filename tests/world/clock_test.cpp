// SPDX-License-Identifier: Apache-2.0
// A machine whose clock is wrong, and is put right.
#include <doctest/doctest.h>

#include "world/scenes.hpp"

using namespace world;

namespace {

/// Of a change of stock, as Amazon writes them (facts 3.9).
auto notify(World& world, Process& process, const std::string& id) {
  return world.wait(process.engine().triggers().on_notification(
      world.user(1), R"({"NotificationType":"FBA_INVENTORY_AVAILABILITY_CHANGES","Payload":{"SellerId":")" + world.amazon().seller(1).id() +
                         R"(","FNSKU":"X","ASIN":"B","SKU":"S","FulfillmentInventoryByMarketplace":[]},"NotificationMetadata":{"NotificationId":")" + id + R"("}})"));
}

}  // namespace

TEST_SUITE_BEGIN("schedule");

TEST_CASE("what a clock that was ahead noted is forgotten once it is put right: nothing is taken for read, and nothing waits for that time") {
  // By the engine that sees it, by one that is opened afterwards, and by the next one where the process died of the wrong time.
  enum class Way : std::uint8_t { seen, reopened, killed };
  for (const Way way : {Way::seen, Way::reopened, Way::killed}) {
    for (const auto ahead : {std::chrono::hours(3), std::chrono::hours(24 * 30)}) {
      CAPTURE(static_cast<int>(way));
      CAPTURE(ahead.count());
      WorldSettings settings = small();
      settings.streams = {"transactions", "inventory", "inbound", "reimbursements", "settlements"};
      settings.amazon.goes_on = true;
      settings.amazon.history_days = 80;   // the files' days are local ones in part
      settings.sync_every = std::chrono::hours(12);
      World world(settings);
      Process* process = &world.open();
      world.clock().jump(ahead);
      world.amazon().add_fault(report_fault("fatal"));   // a pause comes of it
      world.sync_seller(*process, 1);
      CHECK(notify(world, *process, "n-1"));
      world.run_for(std::chrono::minutes(1));
      world.amazon().clear_faults();
      if (way == Way::reopened) world.close(*process);
      if (way == Way::killed) world.kill(*process);
      world.clock().set_right();
      if (way != Way::seen) process = &world.open();
      world.run_for(std::chrono::seconds(10));
      const std::string to_come = std::to_string(to_us(world.clock().now() + std::chrono::minutes(2)));
      for (const char* column : {"cells|read_at", "cells|read_until", "runs|created_at", "runs|completed_at", "report_pauses|until_at", "connections|authorised_at", "stream_states|last_success_at", "buckets|as_of"}) {
        const std::string name = column;
        const auto bar = name.find('|');
        CAPTURE(name);
        CHECK(world.count("SELECT count(*) FROM " + name.substr(0, bar) + " WHERE " + name.substr(bar + 1) + ">" + to_come) == 0);
      }
      const auto told = notify(world, *process, "n-2");
      REQUIRE(told);
      CHECK(((*told)[0].sync_id || (*told)[0].planned_at <= world.clock().now() + std::chrono::minutes(6)));
      const auto runs = [&] { return world.count("SELECT count(*) FROM runs"); };
      const std::int64_t before = runs();
      world.run_for(std::chrono::hours(26));
      CHECK(runs() >= before + 2);
      CHECK(member(sync_again(world, *process), "status") == "completed");
      check_truth(world, *process, 1);
      world.run_for(std::chrono::hours(24 * 10));
      CHECK(member(sync_again(world, *process), "status") == "completed");
      check_truth(world, *process, 1);
    }
  }
}

TEST_SUITE_END();
