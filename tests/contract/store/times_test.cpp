// SPDX-License-Identifier: Apache-2.0
#include "store/times.hpp"

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

TEST_SUITE_END();
