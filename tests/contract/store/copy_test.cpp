// SPDX-License-Identifier: Apache-2.0
// Whatever breaks a copy off, it goes on from there, and nobody works on half of it.
#include "store/copy.hpp"

#include "base/workers.hpp"
#include "support/filled_store.hpp"
#include "support/losing_store.hpp"

using namespace support;

namespace {

/// Every kind of value, several rows of a table and texts that not every database can hold.
void put_much(TestStore& t) {
  const UserNo user = t.connected(), other = t.connected("u2", "A2");
  fill(t, user);
  fill(t, other);
  const auto wrote = t.write([&](store::Tx& tx) -> Result<int> {
    const auto event = tx.integer("SELECT event_id FROM transactions WHERE user_no=?1", user).value_or(0);
    for (int line = 0; line < 1'000; ++line)
      tx.run("INSERT INTO transaction_lines(line_id, shape_id, micros /*!, user_no */) VALUES(?1, 1, ?2 /*!, ?3 */)", event * 4096 + line, line % 3 == 0 ? std::optional<int>() : std::optional(-line), user);
    tx.run("INSERT INTO buckets(app_id, account, region, operation, level, rate, as_of) VALUES('app', 'A1', 'na', 'op', 0.125, 2.5, 0)");
    tx.run("UPDATE ledger SET title=?2 WHERE user_no=?1", user, std::string_view("a\0b \xFF \xF0\x9F\x98\x80", 10));
    for (int n = 0; n < 5; ++n) tx.run("INSERT INTO journal(user_no, seq, type, payload, at) VALUES(?1, ?2, 'x', '{}', 0)", user, 100 + n);
    (void)tx.take_numbers("event", 70);
    return 0;
  });
  REQUIRE(wrote);
}

using Copied = Result<std::vector<store::CopiedTable>>;
Copied copy(TestStore& from, TestStore& to, int writes = 1'000'000, const std::function<void(const std::string& table, std::int64_t rows)>& progress = {}) {
  Workers there(1), here(1);
  REQUIRE(there.start());
  REQUIRE(here.start());
  const auto opened = to.open_on(there.executor(), there.executor());
  LosingStore target(*opened, writes);
  const auto source = from.open_on(here.executor(), here.executor());   // as another process has it open
  auto copied = store::copy_store(*source, target, progress);
  there.join();   // before the stores go that they work for
  here.join();
  return copied;
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("a copy holds all that there is, and its numbers go on above") {
  TestStore from, to;
  put_much(from);
  const auto engine = from.store->register_engine();
  REQUIRE(engine);
  // Whoever works on it would change what was copied already.
  CHECK(copy(from, to).code() == Code::store_busy);
  CHECK(to.count("SELECT count(*) FROM users") == 0);
  const auto closed = from.write([&](store::Tx& tx) -> Result<int> { return store::close_engine(tx, *engine), 0; });
  REQUIRE(closed);
  REQUIRE(copy(from, to));
  for (const UserNo user : {UserNo{1}, UserNo{2}}) CHECK(rows_of(to, user) == rows_of(from, user));
  CHECK(to.count("SELECT count(*) FROM transaction_lines WHERE micros IS NULL") == from.count("SELECT count(*) FROM transaction_lines WHERE micros IS NULL"));
  CHECK(to.count("SELECT count(*) FROM buckets WHERE level=0.125 AND rate=2.5") == 1);
  CHECK(to.count("SELECT next FROM counters WHERE name='event'") == from.count("SELECT next FROM counters WHERE name='event'"));
  // A number that a row, an engine or a user had is nobody else's.
  CHECK(to.store->register_engine()->value > engine->value);
  const auto next = *to.write([&](store::Tx& tx) -> Result<std::int64_t> {
    return tx.integer("INSERT INTO skus(user_no, sku) VALUES(1, 'another') RETURNING sku_id").value_or(0);
  });
  CHECK(next > to.count("SELECT max(sku_id) FROM skus WHERE sku<>'another'"));
  CHECK(to.connected("u3", "A3").value > 2);
}

TEST_CASE("of two copies into one database the later one goes on, and the first is told") {
  TestStore from, other, to;
  put_much(from);
  fill(other, other.connected("u9", "A9"));
  std::optional<Copied> later;
  const auto meanwhile = [&](const std::string&, std::int64_t) {
    if (!later) later = copy(other, to);
  };
  CHECK(copy(from, to, 1'000'000, meanwhile).code() == Code::store_busy);
  REQUIRE(later);
  CHECK(*later);
}

TEST_CASE("a copy that is broken off anywhere goes on there, and until then nobody opens it") {
  TestStore from;
  put_much(from);
  bool over = false;
  for (const int writes : {1, 7, 25, 300}) {
    CAPTURE(writes);
    TestStore to;
    const auto broken = copy(from, to, writes);
    over = broken.ok();
    if (!over) {
      CHECK(broken.code() == Code::store_unavailable);
      CHECK(to.store->register_engine().code() == Code::store_busy);
    }
    const auto whole = copy(from, to);
    if (over) {
      CHECK(whole.code() == Code::store_busy);   // it holds users, and is nobody's half copy
      continue;
    }
    REQUIRE(whole);
    CHECK(to.store->register_engine().ok());
    CHECK(rows_of(to, UserNo{1}) == rows_of(from, UserNo{1}));
    CHECK(to.count("SELECT count(*) FROM transaction_lines") == from.count("SELECT count(*) FROM transaction_lines"));
  }
}

TEST_CASE("what differs in the copy is copied again") {
  TestStore from, to;
  put_much(from);
  REQUIRE_FALSE(copy(from, to, 25));   // some tables are there
  const auto changed = to.write([](store::Tx& tx) -> Result<std::int64_t> { return tx.run("UPDATE connections SET state='pending' WHERE user_no=1"); });
  REQUIRE(changed);
  CHECK(*changed == 1);
  REQUIRE(copy(from, to));
  CHECK(to.count("SELECT count(*) FROM connections WHERE state='connected'") == 2);
}

TEST_SUITE_END();
