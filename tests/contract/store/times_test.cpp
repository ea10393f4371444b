// SPDX-License-Identifier: Apache-2.0
#include "store/times.hpp"

#include "store/app_secrets.hpp"
#include "store/connections.hpp"
#include "store/report_jobs.hpp"
#include "support/test_store.hpp"

using namespace support;

TEST_SUITE_BEGIN("contract");

TEST_CASE("instants that only a wrong clock can have noted are put right, whoever opens the database next; others stay") {
  for (const auto ahead : {std::chrono::seconds(20), std::chrono::seconds(86'400)}) {
    CAPTURE(ahead.count());
    TestStore t;
    const Instant now = t.clock.now();
    const bool wrong = ahead > store::kStepsBack;
    UserNo user{};
    REQUIRE(t.write([&](store::Tx& tx) -> Status {
      user = store::ensure_user(tx, UserId("u"));
      store::Authorisation a;
      a.user = user;
      a.region = "na";
      a.seller = SellerId("A1");
      a.sealed_refresh_token = "sealed";
      AMZ_TRY(connection, store::store_authorisation(tx, a));
      store::plan_next_sync(tx, connection.number, now + std::chrono::hours(6), store::Plan::replace);
      store::set_cool_down(tx, user, "LEDGER", store::CoolDown{now + std::chrono::hours(4), 1, "no"});
      tx.run("INSERT INTO cells(user_no, stream, day, state, digest, read_at, read_until) VALUES(?1, 'ledger', 20000, 'provisional', ?2, ?3, ?3), (?1, 'ledger', 20001, 'provisional', ?2, ?4, ?4)", user,
             store::Blob{"0123456789abcdef"}, now, now + ahead);
      tx.run("INSERT INTO archive(user_no, stream, run_no, from_day, until_day, content_type, marketplace, read_until, at) VALUES(?1, 'ledger', 1, 20000, 20001, '', '', ?2, ?2)", user, now + ahead);
      return Done{};
    }));
    const auto was_ahead = [&] { return *t.read([](store::Tx& tx) -> Result<bool> { return store::clock_was_ahead(tx); }); };
    CHECK(!was_ahead());
    t.clock.jump(ahead);
    REQUIRE(t.store->register_engine());
    t.clock.jump(-ahead);
    CHECK(was_ahead() == wrong);
    REQUIRE(t.store->register_engine());
    CHECK(!was_ahead());
    CHECK(t.count("SELECT count(*) FROM cells WHERE read_at IS NOT NULL AND read_until IS NOT NULL") == (wrong ? 1 : 2));
    CHECK(t.count("SELECT count(*) FROM cells WHERE digest IS NOT NULL") == 2);
    CHECK(t.count("SELECT count(*) FROM archive WHERE read_until>" + std::to_string(to_us(now))) == (wrong ? 0 : 1));
    CHECK(t.count("SELECT count(*) FROM report_pauses") == (wrong ? 0 : 1));
    CHECK(t.count("SELECT count(*) FROM connections WHERE next_sync_at IS NOT NULL") == (wrong ? 0 : 1));
  }
}

TEST_CASE("a run puts the times of its own user right: of what a shipment was by a wrong clock the last stays") {
  TestStore t;
  const UserNo mine = t.connected("mine"), other = t.connected("other", "A2");
  const Instant now = t.clock.now(), to_come = now + std::chrono::hours(24 * 20);
  REQUIRE(t.write([&](store::Tx& tx) -> Status {
    for (const UserNo user : {mine, other}) {
      tx.run("INSERT INTO cells(user_no, stream, day, state, digest, read_at, read_until) VALUES(?1, 'ledger', 20000, 'provisional', ?2, ?3, ?3)", user, store::Blob{"0123456789abcdef"}, to_come);
      for (const auto& [hours, status] : {std::pair(-24, "WORKING"), std::pair(480, "SHIPPED"), std::pair(481, "IN_TRANSIT")})
        tx.run("INSERT INTO inbound_statuses(user_no, shipment_row, seen_at, status, run_no) VALUES(?1, 7, ?2, ?3, 1)", user, now + std::chrono::hours(hours), status);
    }
    return Done{};
  }));
  const auto was_ahead = [&](UserNo user) { return *t.read([user](store::Tx& tx) -> Result<bool> { return store::clock_was_ahead(tx, user); }); };
  CHECK(was_ahead(mine));
  REQUIRE(t.in_run(t.running(mine), [](const store::RunTx& run) -> Result<bool> { return store::put_times_right(run), true; }));
  CHECK(!was_ahead(mine));
  CHECK(was_ahead(other));
  const auto statuses = [&](UserNo user) {
    return *t.read([&](store::Tx& tx) -> Result<std::string> {
      std::string all;
      store::Rows r = tx.rows("SELECT status, seen_at FROM inbound_statuses WHERE user_no=?1 ORDER BY seen_at", user);
      while (r.next()) all += r.text(0) + (r.instant(1) > now ? "(to come) " : " ");
      return all;
    });
  };
  CHECK(statuses(mine) == "WORKING IN_TRANSIT ");
  CHECK(statuses(other) == "WORKING SHIPPED(to come) IN_TRANSIT(to come) ");
}

TEST_CASE("clocks that differ by hours, Amazon's, a host's and the database's, make no wrong times") {
  TestStore t;
  const UserNo user = t.connected("u");
  REQUIRE(t.write([&](store::Tx& tx) -> Status {
    tx.run("INSERT INTO cells(user_no, stream, day, state, digest, read_at, read_until) VALUES(?1, 'ledger', 20000, 'provisional', ?2, ?3, ?4)", user, store::Blob{"0123456789abcdef"}, t.clock.now(),
           t.clock.now() + std::chrono::hours(3));
    store::set_cool_down(tx, user, "LEDGER", store::CoolDown{t.clock.now() + std::chrono::hours(27), 1, "no"});   // as a host says whose clock is ahead of the database's
    return Done{};
  }));
  CHECK(!*t.read([user](store::Tx& tx) -> Result<bool> { return store::clock_was_ahead(tx, user); }));
}

TEST_CASE("what was told too early, by a clock that was ahead, is told in its time") {
  constexpr Duration kLife = std::chrono::hours(24 * 365);
  TestStore t;
  const UserNo user = t.connected("u");
  const auto told = [&](int left) {
    return t.write([&](store::Tx& tx) -> Result<std::size_t> { return store::take_expiring(tx, left, tx.now() - kLife + std::chrono::hours(24 * left), 10).size(); });
  };
  const Hash128 secret = Hash128::of("s");
  const auto told_of_secret = [&](int left) { return t.write([&](store::Tx& tx) -> Result<std::size_t> { return store::take_users_to_warn(tx, secret, left, 10).size(); }); };
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
  const auto due = notified();
  REQUIRE(due);
  CHECK(*due <= t.clock.now() + std::chrono::minutes(5));
}

TEST_SUITE_END();
