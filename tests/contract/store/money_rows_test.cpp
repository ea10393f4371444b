// SPDX-License-Identifier: Apache-2.0
#include "store/inventory_rows.hpp"
#include "store/recoveries.hpp"
#include "support/test_store.hpp"

using namespace support;
using store::MoneyStream;

namespace {

const Day kDay = day_of(*parse_instant("2026-11-01"));
const Currency kUsd = *Currency::parse("USD");

/// A batch of events, each with the given number of one-cent lines.
store::MoneyBatch batch(const std::vector<std::pair<std::string, int>>& events, bool credit = false) {
  store::MoneyBatch b;
  b.types = {"AdjustmentEventList"};
  b.shapes = {{"AdjustmentEventList", "AdjustmentAmount", "X", false, false}, {"AdjustmentEventList", "FeeAmount", "F", false, true}};
  b.skus = {"SKU"};
  std::map<std::string, std::uint32_t> seen;
  for (const auto& [name, lines] : events) {
    store::MoneyEvent e;
    e.day = kDay;
    e.identity = e.content = Hash128::of(name);
    e.occurrence = seen[name]++;
    e.type = 0;
    e.order_id = "order-" + name;
    e.detail = "{}";
    for (int i = 0; i < lines; ++i) e.lines.push_back({static_cast<std::uint32_t>(i % 2), i % 3 == 0 ? 0U : store::kNone, kUsd, Micros{10'000}});
    if (credit) e.credits.push_back({kUsd, Micros{1'000'000}});
    b.events.push_back(std::move(e));
  }
  return b;
}
store::Counts store_batch(TestStore& t, const store::Fence& fence, const store::MoneyBatch& b, MoneyStream stream = MoneyStream::financial_events) {
  return *t.in_run(fence, [&](const store::RunTx& run) -> Result<store::Counts> { return store::store_page(run, stream, b, store::Existing::possible); });
}
store::Counts close(TestStore& t, const store::Fence& fence, const store::MoneyBatch& seen_events, MoneyStream stream = MoneyStream::financial_events) {
  store::SeenDay seen;
  seen.day = kDay;
  for (const store::MoneyEvent& e : seen_events.events) {
    ++seen.occurrences[e.identity];
    ++seen.count;
    seen.digest += Hash128::of(std::string(e.identity.view()) + std::to_string(e.occurrence));
  }
  return *t.in_run(fence, [&](const store::RunTx& run) -> Result<store::Counts> { return store::close_day(run, stream, seen, {Instant(kDay) + std::chrono::hours(24), true}); });
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("a day on which money is deferred is not done with before it is released") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  const auto state = [&] { return t.count("SELECT CASE state WHEN 'settled' THEN 1 ELSE 0 END FROM cells WHERE stream='transactions'"); };
  auto deferred = batch({{"a", 1}});
  deferred.events[0].unique_id = true;
  deferred.events[0].status = "Deferred";
  for (int reading = 0; reading < 3; ++reading) {
    store_batch(t, fence, deferred, MoneyStream::transactions);
    close(t, fence, deferred, MoneyStream::transactions);
    CHECK(state() == 0);
  }
  auto released = deferred;
  released.events[0].status = "DEFERRED_RELEASED";
  released.events[0].content = Hash128::of("released");
  for (int reading = 0; reading < 2; ++reading) {
    store_batch(t, fence, released, MoneyStream::transactions);
    close(t, fence, released, MoneyStream::transactions);
  }
  CHECK(state() == 1);
}

TEST_CASE("each day's recoveries come from one source: the best that was read to the day's end, else the one read last") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  // v0 shows 1 dollar that day, 2024-06-19 two, the report three.
  const auto v0 = batch({{"a", 0}}, true), modern = batch({{"a", 0}, {"b", 0}}, true);
  store_batch(t, fence, v0);
  store_batch(t, fence, modern, MoneyStream::transactions);
  CHECK(t.write([&](store::Tx& tx) -> Status {
    tx.run("INSERT INTO reimbursements(user_no, day, identity, occurrence, content, reason, currency, amount_micros, detail, run_no) VALUES(?1, ?2, ?3, 0, ?3, 'Lost_Warehouse', 'USD', 3000000, '{}', 1)", user, kDay, store::Blob{"1"});
    return Done{};
  }));
  const auto read = [&](std::string_view stream, int hours) {
    CHECK(t.write([&](store::Tx& tx) -> Status {
      tx.run("INSERT INTO cells(user_no, stream, day, state, digest, read_until) VALUES(?1, ?2, ?3, 'provisional', ?5, ?4) ON CONFLICT (user_no, stream, day) DO UPDATE SET digest=excluded.digest, read_until=excluded.read_until", user, stream, kDay,
             Instant(kDay) + std::chrono::hours(hours), store::Blob{"0"});
      return Done{};
    }));
  };
  const auto total = [&] { return *t.read([&](store::Tx& tx) -> Result<std::int64_t> { return store::recoveries(tx, user, false).totals.at(0).amount.value / 1'000'000; }); };
  CHECK(total() == 3);   // nothing was read to an end: the best that shows money
  read("financial_events", 10);
  CHECK(total() == 1);
  read("transactions", 12);
  CHECK(total() == 2);   // read later
  read("reimbursements", 8);
  CHECK(total() == 2);
  read("financial_events", 24);
  CHECK(total() == 1);   // the only one that saw the whole day
  read("transactions", 24);
  CHECK(total() == 2);
  read("reimbursements", 24);
  CHECK(total() == 3);
}

TEST_CASE("an equal re-read writes no row, and a row keeps its number") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  const auto b = batch({{"a", 2}, {"a", 2}, {"b", 3}});
  const store::Counts first = store_batch(t, fence, b);
  CHECK(first.added == 3);
  close(t, fence, b);
  const auto ids = t.count("SELECT sum(event_id) FROM financial_events");
  const store::Counts second = store_batch(t, fence, b);
  CHECK(second.added == 0);
  CHECK(second.unchanged == 3);
  CHECK(close(t, fence, b).removed == 0);
  CHECK(t.count("SELECT sum(event_id) FROM financial_events") == ids);
  CHECK(t.count("SELECT count(*) FROM financial_event_lines") == 7);
  CHECK(t.count("SELECT row_count FROM cells") == 3);
}

TEST_CASE("what a complete walk no longer shows is removed with its amounts; twins go one by one") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  const auto b = batch({{"a", 2}, {"a", 2}, {"b", 3}, {"c", 1}}, true);
  store_batch(t, fence, b);
  close(t, fence, b);
  CHECK(t.count("SELECT fee_count FROM cells") == 3);
  const auto less = batch({{"a", 2}, {"c", 1}}, true);
  store_batch(t, fence, less);
  CHECK(close(t, fence, less).removed == 2);
  CHECK(t.count("SELECT count(*) FROM financial_events") == 2);
  CHECK(t.count("SELECT count(*) FROM financial_event_lines") == 3);
  CHECK(t.count("SELECT count(*) FROM credits") == 2);
  CHECK(t.count("SELECT row_count FROM cells") == 2);
  CHECK(t.count("SELECT fee_count FROM cells") == 1);
}

TEST_CASE("what goes in parts is gone as if it had gone at once, and a word without a list removes nothing until it comes again") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  store_batch(t, fence, batch({{"a", 3}, {"b", 3}, {"c", 2}, {"d", 1}, {"e", 4}}));
  close(t, fence, batch({{"a", 3}, {"b", 3}, {"c", 2}, {"d", 1}, {"e", 4}}));
  const auto remove = [&](const store::SeenDay& seen, bool without_list) {
    const store::ClosedDay how{Instant(kDay) + std::chrono::hours(24), false, without_list};
    return t.in_run(fence, [&](const store::RunTx& run) -> Result<store::Counts> { return store::remove_unseen(run, MoneyStream::financial_events, seen, how, 2); })->removed;
  };
  store::SeenDay nothing, one;
  nothing.day = one.day = kDay;
  const auto kept = batch({{"a", 3}});
  one.occurrences[kept.events[0].identity] = 1;
  one.count = 1;
  CHECK(remove(nothing, true) == 0);
  for (const std::int64_t gone : {2, 2, 0}) {
    CHECK(remove(one, false) == gone);
    CHECK(t.count("SELECT sum(row_count) FROM cells") == t.count("SELECT count(*) FROM financial_events"));
    CHECK(t.count("SELECT sum(fee_count) FROM cells") == t.count("SELECT count(*) FROM financial_event_lines l JOIN shapes s ON s.shape_id=l.shape_id WHERE s.fee=1"));
  }
  CHECK(close(t, fence, kept).removed == 0);
  CHECK(t.count("SELECT count(*) FROM financial_events") == 1);
}

TEST_CASE("an answer without a list is believed of no half day, removes no row of a day that it shows in part, and settles nothing") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  const auto close_until = [&](const store::SeenDay& seen, int hour, bool without_list) {
    const store::ClosedDay how{Instant(kDay) + std::chrono::hours(hour), true, without_list};
    REQUIRE(t.in_run(fence, [&](const store::RunTx& run) -> Result<store::Counts> { return store::close_day(run, MoneyStream::financial_events, seen, how); }));
    return t.in_run(fence, [&](const store::RunTx& run) -> Result<store::CellState> { return store::cells(run.tx(), run.user(), "financial_events", kDay, kDay + std::chrono::days(1)).at(0).state; });
  };
  store::SeenDay nothing, half;
  nothing.day = half.day = kDay;
  CHECK(*close_until(nothing, 1, false) == store::CellState::provisional);
  CHECK(*close_until(nothing, 24, true) == store::CellState::assumed);
  CHECK(*close_until(nothing, 24, false) == store::CellState::settled);
  CHECK(*close_until(nothing, 24, true) == store::CellState::provisional);

  const auto all = batch({{"a", 3}, {"b", 3}});
  store_batch(t, fence, all);
  close(t, fence, all);
  half.occurrences[all.events[0].identity] = 1;
  half.count = 1;
  CHECK(*close_until(half, 24, true) == store::CellState::assumed);
  CHECK(t.count("SELECT count(*) FROM financial_events") == 2);
  CHECK(t.count("SELECT by_word FROM cells") == 1);
  CHECK(close(t, fence, batch({{"a", 3}})).removed == 1);
  CHECK(t.count("SELECT by_word FROM cells") == 0);
}

TEST_CASE("a changed transaction keeps its number and gets its new amounts") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  auto b = batch({{"T1", 3}});
  store_batch(t, fence, b, MoneyStream::transactions);
  const auto id = t.count("SELECT event_id FROM transactions");
  b.events[0].content = Hash128::of("T1 released");
  b.events[0].status = "DEFERRED_RELEASED";
  b.events[0].lines.resize(1);
  CHECK(store_batch(t, fence, b, MoneyStream::transactions).changed == 1);
  CHECK(t.count("SELECT event_id FROM transactions WHERE status='DEFERRED_RELEASED'") == id);
  CHECK(t.count("SELECT count(*) FROM transaction_lines") == 1);
}

TEST_CASE("an event with more amounts than a row can number has them all, each with its user") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  const auto b = batch({{"huge", 9'000}, {"small", 1}});
  CHECK(store_batch(t, fence, b).added == 2);
  CHECK(t.count("SELECT count(*) FROM amz_financial_events WHERE user_id='u1'") == 2);
  CHECK(t.count("SELECT count(*) FROM amz_financial_event_lines WHERE user_id='u1'") == 9'001);
  CHECK(t.count("SELECT count(DISTINCT event_id) FROM amz_financial_event_lines") == 2);
  CHECK(t.count("SELECT sum(amount_micros) FROM amz_financial_event_lines") == 9'001 * 10'000);
  close(t, fence, batch({{"small", 1}}));
  CHECK(t.count("SELECT count(*) FROM financial_event_lines") == 1);
  CHECK(t.count("SELECT count(*) FROM financial_events") == 1);
}

TEST_CASE("what could not be read is kept once, however often it is read") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  auto b = batch({{"a", 1}});
  b.events[0].lines[0].amount.reset();
  b.events[0].faults.push_back({"amount_out_of_range", "AdjustmentAmount#0", "1e30"});
  b.unreadable.push_back({"event_is_no_object", "RefundEventList", "5"});
  CHECK(store_batch(t, fence, b).rejected == 2);
  CHECK(store_batch(t, fence, b).rejected == 0);
  CHECK(t.count("SELECT count(*) FROM amz_quarantine WHERE user_id='u1'") == 2);
  CHECK(t.count("SELECT count(*) FROM amz_financial_event_lines WHERE amount_micros IS NULL") == 1);
}

TEST_CASE("a day's recoveries come from one source: the better one that covers it") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  const auto totals = [&] {
    return *t.read([&](store::Tx& tx) -> Result<std::string> {
      std::string text;
      for (const auto& total : store::recoveries(tx, user, false).totals) text += total.currency + " " + format_micros(total.amount) + " " + std::to_string(total.count);
      return text;
    });
  };
  const auto old = batch({{"a", 1}, {"b", 1}}, true);
  store_batch(t, fence, old);
  close(t, fence, old);
  CHECK(totals() == "USD 2 2");
  const auto fresh = batch({{"T1", 1}, {"T2", 1}, {"T3", 1}}, true);
  store_batch(t, fence, fresh, MoneyStream::transactions);   // its walk is not complete: the old source still covers the day
  CHECK(totals() == "USD 2 2");
  close(t, fence, fresh, MoneyStream::transactions);
  CHECK(totals() == "USD 3 3");
}

TEST_CASE("what a report tells of tomorrow is not paid a second time where today's money comes from elsewhere") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  store_batch(t, fence, batch({{"a", 1}}, true), MoneyStream::transactions);   // one dollar, today; the report dates it tomorrow
  const Day tomorrow = kDay + std::chrono::days(1);
  const auto read = [&](std::string_view stream, Day day, int hours) {
    CHECK(t.write([&](store::Tx& tx) -> Status {
      tx.run("INSERT INTO cells(user_no, stream, day, state, digest, read_until) VALUES(?1, ?2, ?3, 'provisional', ?5, ?4) ON CONFLICT (user_no, stream, day) DO UPDATE SET digest=excluded.digest, read_until=excluded.read_until", user, stream, day,
             Instant(kDay) + std::chrono::hours(hours), store::Blob{"0"});
      return Done{};
    }));
  };
  CHECK(t.write([&](store::Tx& tx) -> Status {
    tx.run("INSERT INTO reimbursements(user_no, day, identity, occurrence, content, reason, currency, amount_micros, detail, run_no) VALUES(?1, ?2, ?3, 0, ?3, 'Lost_Warehouse', 'USD', 1000000, '{}', 1)", user, tomorrow, store::Blob{"1"});
    return Done{};
  }));
  const auto total = [&] { return *t.read([&](store::Tx& tx) -> Result<std::int64_t> { return store::recoveries(tx, user, false).totals.at(0).amount.value; }); };
  read("reimbursements", kDay, 18);
  read("reimbursements", tomorrow, 18);
  read("transactions", kDay, 17);
  CHECK(total() == 1'000'000);   // the report's
  read("transactions", kDay, 19);
  CHECK(total() == 1'000'000);   // the transactions'
  read("transactions", kDay, 24);
  read("transactions", tomorrow, 25);
  CHECK(total() == 1'000'000);
}

TEST_CASE("a transaction that Amazon shows under another day than before is paid once") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  auto told = batch({{"T1", 1}, {"T2", 1}}, true);
  for (store::MoneyEvent& e : told.events) {
    e.unique_id = true;
    e.native_id = e.order_id;
  }
  store_batch(t, fence, told, MoneyStream::transactions);
  told.events.pop_back();
  told.events[0].day = kDay + std::chrono::days(9);
  told.events[0].credits[0].amount = Micros{3'000'000};
  store_batch(t, fence, told, MoneyStream::transactions);
  const auto total = *t.read([&](store::Tx& tx) -> Result<store::CurrencyTotal> { return store::recoveries(tx, user, false).totals.at(0); });
  CHECK(total.amount.value == 4'000'000);   // T1 as it was told last, and T2
  CHECK(total.count == 2);
}

TEST_CASE("credits of nothing are no recoveries") {
  TestStore t;
  const UserNo user = t.connected();
  const store::Fence fence = t.running(user);
  auto nothing = batch({{"a", 1}}, true);
  nothing.events[0].credits[0].amount = Micros{0};
  store_batch(t, fence, nothing);
  close(t, fence, nothing);
  CHECK(*t.read([&](store::Tx& tx) -> Result<bool> { return store::recoveries(tx, user, false).totals.empty(); }));
}

TEST_CASE("stock that vanished is closed with its history, and opened again when it comes back") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  const MarketplaceId us("ATVPDKIKX0DER");
  const auto page = [](std::initializer_list<std::pair<const char*, int>> items) {
    store::InventoryBatch b;
    for (const auto& [sku, quantity] : items) {
      store::InventoryItem item;
      item.seller_sku = sku;
      item.quantities[0] = quantity;
      item.detail = "{}";
      item.content = Hash128::of(std::string(sku) + std::to_string(quantity));
      b.items.push_back(item);
    }
    return b;
  };
  const auto walk = [&](const store::InventoryBatch& b) {
    t.clock.jump(std::chrono::hours(1));
    return *t.in_run(fence, [&](const store::RunTx& run) -> Result<store::Counts> {
      store::Counts counts = store::store_inventory_page(run, us, b);
      std::set<std::string> seen;
      for (const auto& item : b.items) seen.insert(item.seller_sku);
      counts += store::close_marketplace(run, us, seen);
      return counts;
    });
  };
  CHECK(walk(page({{"A", 5}, {"B", 7}})).added == 2);
  CHECK(walk(page({{"A", 5}, {"B", 7}})).unchanged == 2);
  const store::Counts gone = walk(page({{"A", 4}}));
  CHECK(gone.changed == 1);
  CHECK(gone.removed == 1);
  CHECK(t.count("SELECT count(*) FROM amz_inventory") == 1);
  CHECK(t.count("SELECT count(*) FROM inventory_history") == 2);
  CHECK(walk(page({{"A", 4}, {"B", 7}})).changed == 1);
  CHECK(t.count("SELECT count(*) FROM amz_inventory") == 2);
}

TEST_CASE("a window of the grid is replaced by its parts") {
  TestStore t;
  const UserNo user = t.connected();
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::store_window(tx, user, "financial_events", {kDay, 8});
    const std::vector<store::Window> parts{{kDay, 4}, {kDay + std::chrono::days(4), 4}};
    store::split_window(tx, user, "financial_events", kDay, parts);
    const auto grid = store::windows(tx, user, "financial_events");
    REQUIRE(grid.size() == 2);
    CHECK(grid[0].days == 4);
    CHECK(grid[1].first == kDay + std::chrono::days(4));
    return Done{};
  }));
}

TEST_CASE("a transaction without a date stays one row whichever window shows it, and moves once it has a date") {
  TestStore t;
  const store::Fence fence = t.running(t.connected());
  const auto shown = [&](Day window, bool dated) {
    auto b = batch({{"undated", 2}}, true);
    store::MoneyEvent& e = b.events[0];
    e.day = window;
    e.dated = dated;
    e.unique_id = true;
    if (dated) e.posted_at = Instant(window) + std::chrono::hours(3);
    CHECK(t.write([&](store::Tx& tx) -> Status {
      if (!dated) (void)store::settle_undated(tx, fence.user, MoneyStream::transactions, b);
      return Done{};
    }));
    return store_batch(t, fence, b, MoneyStream::transactions);
  };
  CHECK(shown(kDay, false).added == 1);
  CHECK(shown(kDay + std::chrono::days(10), false).unchanged == 1);
  // A walk over the day that does not show it takes nothing away.
  CHECK(close(t, fence, batch({}), MoneyStream::transactions).removed == 0);
  CHECK(t.count("SELECT count(*) FROM transactions") == 1);
  CHECK(t.count("SELECT sum(row_count) FROM cells") == 1);

  CHECK(shown(kDay + std::chrono::days(4), true).added == 1);
  CHECK(t.count("SELECT count(*) FROM transactions") == 1);
  CHECK(t.count("SELECT count(*) FROM transaction_lines") == 2);
  CHECK(t.count("SELECT sum(micros) FROM credits") == 1'000'000);
  CHECK(t.count("SELECT row_count FROM cells ORDER BY day LIMIT 1") == 0);
}

TEST_SUITE_END();
