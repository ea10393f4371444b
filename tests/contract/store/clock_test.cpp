// SPDX-License-Identifier: Apache-2.0
// What a clock that was ahead noted, seen by one that is right.
#include "store/app_secrets.hpp"
#include "store/connections.hpp"
#include "store/inbound_rows.hpp"
#include "support/test_store.hpp"

using namespace support;

TEST_SUITE_BEGIN("contract");

TEST_CASE("what was told too early, by a clock that was ahead, is told in its time") {
  constexpr Duration kLife = std::chrono::hours(24 * 365);
  TestStore t;
  const UserNo user = t.connected("u");
  const auto told = [&](int left) {
    return t.write([&](store::Tx& tx) -> Result<std::size_t> { return store::take_expiring(tx, left, tx.now() - kLife + std::chrono::hours(24 * left), 10).size(); });
  };
  const Hash128 secret = Hash128::of("s");
  const auto told_of_secret = [&](int left) { return t.write([&](store::Tx& tx) -> Result<std::size_t> { return store::take_users_to_warn(tx, "", secret, left, left - 1, 10).size(); }); };
  t.clock.jump(std::chrono::hours(24 * 364 + 1));   // a day is left, it seems
  CHECK(*told(1) == 1);
  CHECK(*told_of_secret(1) == 1);
  t.clock.jump(-std::chrono::hours(24 * 29));       // thirty are
  for (const int left : {1, 3, 7, 14}) CHECK(*told(left) == 0);
  CHECK(*told(30) == 1);
  CHECK(*told(30) == 0);
  CHECK(*told_of_secret(30) == 1);
  CHECK(*told_of_secret(30) == 0);
  t.clock.jump(std::chrono::hours(24 * 29));
  CHECK(*told(1) == 1);
  CHECK(*told_of_secret(1) == 1);
  CHECK(t.count("SELECT count(*) FROM connections WHERE user_no=" + std::to_string(user.value)) == 1);
}

TEST_CASE("a plan that no clock can have made that was right is made anew") {
  TestStore t;
  const UserNo user = t.connected("u");
  const auto planned = [&] { return t.count("SELECT next_sync_at FROM connections"); };
  const auto plan = [&](Duration off) {
    REQUIRE(t.write([&](store::Tx& tx) -> Status {
      store::plan_next_sync(tx, store::find_connection(tx, user)->number, tx.now() + off, store::Plan::replace);
      store::plan_unplanned(tx, std::chrono::hours(6), std::chrono::hours(24));
      return Done{};
    }));
    return planned() - to_us(t.clock.now());
  };
  CHECK(plan(std::chrono::hours(23)) == to_us(Instant(std::chrono::hours(23))));
  CHECK(plan(std::chrono::hours(25)) < to_us(Instant(std::chrono::hours(6))));
  const auto notified = [&] {
    return *t.write([&](store::Tx& tx) -> Result<std::optional<Instant>> { return store::plan_notified_sync(tx, user, "inventory", std::chrono::minutes(5)); });
  };
  t.clock.jump(std::chrono::hours(24 * 30));
  CHECK(!notified());
  CHECK(notified());
  t.clock.jump(-std::chrono::hours(24 * 30));
  REQUIRE(t.write([](store::Tx& tx) -> Result<bool> { return store::hasten_notified(tx), true; }));
  CHECK(t.count("SELECT notified_due_at FROM connections") == to_us(t.clock.now()));
  t.clock.jump(-std::chrono::hours(24 * 30));
  const auto due = notified();
  REQUIRE(due);
  CHECK(*due <= t.clock.now() + std::chrono::minutes(5));
}

TEST_CASE("statuses of a shipment stay in the order in which they were seen, also after one of times to come") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  store::ReportRow shipment;
  shipment.identity = Hash128::of("shipment");
  const auto see = [&](const std::string& status) {
    REQUIRE(t.in_run(fence, [&](const store::RunTx& run) -> Status {
      run.tx().run("DELETE FROM inbound_shipments");
      run.tx().run("INSERT INTO inbound_shipments(row_id, user_no, day, identity, occurrence, content, status, detail, run_no) VALUES(7, ?1, 0, ?2, 0, ?3, ?4, '', 1)", user, shipment.identity, store::Blob{"c"}, status);
      store::note_shipment_statuses(run, std::span(&shipment, 1));
      return Done{};
    }));
  };
  const auto seen = [&] {
    return *t.read([&](store::Tx& tx) -> Result<std::string> {
      std::string all;
      store::Rows r = tx.rows("SELECT status FROM inbound_statuses WHERE user_no=?1 ORDER BY seen_at", user);
      while (r.next()) all += r.text(0) + " ";
      return all;
    });
  };
  see("WORKING");
  t.clock.jump(std::chrono::hours(24 * 20));
  see("SHIPPED");
  t.clock.jump(-std::chrono::hours(24 * 19));
  see("SHIPPED");
  see("IN_TRANSIT");
  t.clock.jump(std::chrono::hours(1));
  see("DELIVERED");
  t.clock.jump(std::chrono::hours(24 * 30));
  see("CLOSED");
  CHECK(seen() == "WORKING SHIPPED IN_TRANSIT DELIVERED CLOSED ");
}

TEST_CASE("what is held until a time that no right clock can have set is held for minutes, what is held rightly stays") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  const auto held_for = [&] { return t.count("SELECT lease_until FROM runs") - to_us(t.clock.now()); };
  const auto shorten = [&] { REQUIRE(t.write([](store::Tx& tx) -> Result<bool> { return store::shorten_holds(tx), true; })); };
  const std::int64_t lease = to_us(Instant(std::chrono::seconds(30)));
  shorten();
  CHECK(held_for() == lease);
  t.clock.jump(-std::chrono::hours(24 * 20));
  shorten();
  CHECK(held_for() > lease);
  CHECK(held_for() <= to_us(Instant(std::chrono::minutes(2))));
  CHECK(t.write([&](store::Tx& tx) { return store::renew(tx, fence, store::kRunLease); }));   // its holder's it stays
}

TEST_SUITE_END();
