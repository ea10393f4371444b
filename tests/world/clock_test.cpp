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

TEST_CASE("what a clock that was ahead noted holds nothing up once it is put right: nothing is taken for read, and nothing waits for that time") {
  // For the engine that goes on, for one that is opened afterwards, and for the next one where the process died in the wrong time.
  enum class Way : std::uint8_t { goes_on, reopened, killed };
  for (const Way way : {Way::goes_on, Way::reopened, Way::killed}) {
    for (const auto ahead : {std::chrono::hours(3), std::chrono::hours(24 * 30)}) {
      if (way == Way::reopened && ahead < std::chrono::hours(24)) continue;   // it is as if it had died
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
      if (way != Way::goes_on) process = &world.open();
      const auto told = notify(world, *process, "n-2");
      REQUIRE(told);
      CHECK(((*told)[0].sync_id || (*told)[0].planned_at <= world.clock().now() + std::chrono::minutes(6)));
      const auto runs = [&] { return world.count("SELECT count(*) FROM runs"); };
      const std::int64_t before = runs();
      world.run_for(std::chrono::hours(36));
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
