// SPDX-License-Identifier: Apache-2.0
#include "store/erasure.hpp"
#include "support/filled_store.hpp"

using namespace support;

namespace {

store::ErasedRows erase(TestStore& t, UserNo user) {
  store::ErasedRows all;
  for (bool more = true; more;) more = *t.write([&](store::Tx& tx) -> Result<bool> { return store::erase_some(tx, user, all); });
  CHECK((*t.read([](store::Tx& tx) -> Result<std::vector<UserNo>> { return store::erasures_under_way(tx); })).size() == 1);   // until the files are clean
  const auto ended = t.write([&](store::Tx& tx) -> Result<int> { return store::end_erasure(tx, user, all), 0; });
  CHECK(ended);
  return all;
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("an erasure leaves no row in any table, and touches nobody else's") {
  TestStore t;
  const UserNo user = t.connected(), other = t.connected("u2", "A2");
  fill(t, user);
  fill(t, other);
  const auto wrote = t.write([&](store::Tx& tx) -> Result<int> {
    for (const std::string seller : {"A1", "A2"}) tx.run("INSERT INTO buckets(app_id, account, region, operation, level, rate, as_of) VALUES('app', ?1, 'na', 'op', 1.0, 1.0, 0)", seller);
    const auto event = tx.integer("SELECT event_id FROM transactions WHERE user_no=?1", user).value_or(0), others = tx.integer("SELECT event_id FROM transactions WHERE user_no=?1", other).value_or(0);
    for (const auto& [id, of] : {std::pair(event, user), std::pair(others, other)})
      for (int line = 0; line < 3'000; ++line) tx.run("INSERT INTO transaction_lines(line_id, shape_id /*!, user_no */) VALUES(?1, 1 /*!, ?2 */)", id * 4096 + line, of);
    for (const UserNo of : {user, other}) {
      const auto document = tx.integer("SELECT archive_no FROM archive WHERE user_no=?1", of).value_or(0);
      for (int piece = 0; piece < 5; ++piece) tx.run("INSERT INTO archive_pieces(piece_id, bytes /*!, user_no */) VALUES(?1, ?2 /*!, ?3 */)", (document << 20) + piece, store::Blob{"piece"}, of);
      tx.run("INSERT INTO run_streams(run_no, stream, status) SELECT run_no, 'ledger', 'complete' FROM runs WHERE user_no=?1", of);
    }
    return 0;
  });
  REQUIRE(wrote);
  const auto told = t.write([&](store::Tx& tx) -> Result<bool> { return store::remember_notification(tx, "u1\nn-1") && store::remember_notification(tx, "u10\nn-1"); });
  REQUIRE(told);
  const auto before = rows_of(t, other);
  CHECK(*t.write([&](store::Tx& tx) -> Result<std::optional<UserNo>> { return store::begin_erasure(tx, UserId("u1"), "erased:mask"); }) == user);
  CHECK(t.count("SELECT count(*) FROM notifications") == 1);
  // At once nobody finds the user, and the tokens are gone.
  CHECK(t.count("SELECT count(*) FROM users WHERE user_id='u1'") == 0);
  CHECK(t.count("SELECT count(*) FROM connections WHERE refresh_token IS NOT NULL") == 1);
  CHECK((*t.read([](store::Tx& tx) -> Result<std::vector<UserNo>> { return store::erasures_under_way(tx); })).size() == 1);
  const auto erased = erase(t, user);
  CHECK(rows_of(t, user).empty());
  CHECK(rows_of(t, other) == before);
  CHECK(erased.at("transaction_lines") == 3'000);
  CHECK(t.count("SELECT count(*) FROM transaction_lines") == 3'000);
  CHECK(t.count("SELECT count(*) FROM archive_pieces") == 5);
  CHECK(t.count("SELECT count(*) FROM run_streams") == 1);
  CHECK(t.count("SELECT count(*) FROM buckets") == 1);
  CHECK(erased.at("users") == 1);
  CHECK((*t.read([](store::Tx& tx) -> Result<std::vector<UserNo>> { return store::erasures_under_way(tx); })).empty());

  // Whoever comes by that name later is somebody new, with a number that nobody had.
  const UserNo again = t.connected();
  CHECK(again != user);
  CHECK(again.value > other.value);
  CHECK(rows_of(t, again) == std::map<std::string, std::int64_t>{{"connections", 1}, {"users", 1}});
}

TEST_CASE("what was deleted stays in the log for as long as somebody reads what was there before, and not longer") {
  TestStore t;
  const UserNo user = t.connected();
  fill(t, user);
  CHECK(t.scrub());
  auto other = t.open_another();
  const auto reading = other->read_now([&](store::Tx& tx) -> Result<int> {
    CHECK(tx.integer("SELECT count(*) FROM ledger").value_or(0) == 1);
    REQUIRE(t.write([&](store::Tx& in) -> Result<std::optional<UserNo>> { return store::begin_erasure(in, UserId("u1"), "erased:mask"); }));
    erase(t, user);
    CHECK(t.scrub() == !t.is_sqlite());   // PostgreSQL's files are its owner's to clean
    CHECK(tx.integer("SELECT count(*) FROM ledger").value_or(0) == 1);
    return 0;
  });
  CHECK(reading);
  CHECK(t.scrub());
}

TEST_SUITE_END();
