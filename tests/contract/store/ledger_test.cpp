// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "detect/ledger_reader.hpp"
#include "sim/random.hpp"
#include "store/report_rows.hpp"
#include "support/test_store.hpp"

using namespace support;
namespace detect = amzsync::detect;

namespace {

const Day kDay = day_of(*parse_instant("2026-11-01"));
const store::ReportTable kTable{"ledger", {"ledger_day", "fnsku", "asin", "msku", "event_type", "reference_id", "quantity", "disposition", "reason"}};

struct Wrote {
  Day day;
  std::string fnsku, msku, event, reference;
  std::int64_t quantity;
};

class Rows {
 public:
  void add(Wrote w) {
    store::ReportRow row;
    row.day = w.day;
    row.identity = row.content = Hash128::of("row " + std::to_string(wrote.size()));
    row.values = {to_number(w.day), w.fnsku, "ASIN " + w.fnsku, w.msku, w.event, w.reference, w.quantity, std::string("SELLABLE"), std::string("M")};
    row.detail = "{}";
    rows.push_back(std::move(row));
    wrote.push_back(std::move(w));
  }
  void store(TestStore& t, UserNo user, const std::string& run_id) {
    std::vector<store::RowChange> changes;
    for (const store::ReportRow& row : rows) changes.push_back({&row, 0, std::nullopt});
    REQUIRE(t.in_run(t.running(user, run_id), [&](const store::RunTx& run) -> Result<store::Counts> { return store::write_report_rows(run, kTable, changes); }));
  }
  std::vector<store::ReportRow> rows;
  std::vector<Wrote> wrote;
};

/// Each product's rows as (day, quantity), and what was kept of the whole.
struct Read {
  std::map<std::string, std::vector<std::pair<Day, std::int64_t>>> products;
  std::vector<std::string> order;
  detect::Tables tables;
  std::optional<detect::Ledger> ledger;
};

void read_all(TestStore& t, UserNo user, Read& to) {
  to.ledger.emplace(to.tables);
  detect::LedgerReader reader(user, to.tables);
  while (*t.read([&](store::Tx& tx) -> Result<bool> { return reader.look(tx, *to.ledger); })) {}
  to.ledger->end();
  for (bool more = true; more;) {
    const auto products = *t.read([&](store::Tx& tx) -> Result<std::optional<std::vector<std::vector<detect::LedgerRow>>>> { return reader.next(tx); });
    more = products.has_value();
    if (!more) break;
    for (const auto& rows : *products) {
      REQUIRE(!rows.empty());
      const std::string fnsku(to.tables.names.text(rows.front().fnsku));
      CHECK(!to.products.contains(fnsku));   // never in two halves
      to.order.push_back(fnsku);
      for (const detect::LedgerRow& row : rows) {
        CHECK(row.fnsku == rows.front().fnsku);
        to.products[fnsku].emplace_back(row.day, row.quantity);
      }
    }
  }
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("products are read whole, each once, in order of their names, their rows in order of days, and nobody else's") {
  TestStore t;
  const UserNo user = t.connected(), other = t.connected("u2", "A2");
  amzsim::Random random(3);
  Rows rows, others;
  // More than are read at once; days in any order, so that rows do not lie in it either.
  for (int i = 0; i < 12'000; ++i) {
    const std::string product = std::to_string(random.below(random.one_in(3) ? 4 : 60));
    constexpr const char* kEvents[]{"Adjustments", "WhseTransfers", "Receipts", "Adjustments", "Shipments", "CustomerReturns", "VendorReturns"};
    rows.add({kDay - std::chrono::days(random.below(400)), "X" + product, "SKU " + product, kEvents[random.below(7)], "ref " + std::to_string(i), i + 1});
  }
  rows.add({kDay, "X7", "Amazon.Found.1", "Adjustments", "", 900'001});
  rows.add({kDay, "XS", "SKU S", "Shipments", "", -1});
  others.add({kDay, "X1", "SKU 1", "Adjustments", "", 900'002});
  rows.store(t, user, "sync-1");
  others.store(t, other, "sync-2");

  std::map<std::string, std::vector<std::pair<Day, std::int64_t>>> expected;
  for (const Wrote& w : rows.wrote)
    if ((w.event == "Adjustments" || w.event == "WhseTransfers" || w.event == "Receipts") && !w.msku.starts_with("Amazon.Found.")) expected[w.fnsku].emplace_back(w.day, w.quantity);
  for (auto& [fnsku, list] : expected) std::sort(list.begin(), list.end());   // quantities grow with the rows' numbers
  Read read;
  read_all(t, user, read);
  CHECK(read.products == expected);
  CHECK(std::is_sorted(read.order.begin(), read.order.end()));
  Read of_other;
  read_all(t, other, of_other);
  CHECK(of_other.products.size() == 1);
  Read of_none;
  read_all(t, t.connected("u3", "A3"), of_none);
  CHECK(of_none.products.empty());
}

TEST_CASE("of the whole ledger it is known which SKU is which product last, what came in for shipments, and what was found by ASIN") {
  TestStore t;
  const UserNo user = t.connected();
  Rows rows;
  const auto on = [](int day) { return kDay + std::chrono::days(day); };
  rows.add({on(2), "X2", "SKU", "Receipts", "FBA1", 5});
  rows.add({on(1), "X1", "SKU", "Receipts", "FBA1", 7});
  rows.add({on(3), "X2", "SKU", "Receipts", "FBA1", -1});
  rows.add({on(3), "X2", "SKU", "Receipts", "of another system", 40});
  rows.add({on(0), "X2", "an older SKU", "Adjustments", "", -1});
  rows.add({on(4), "X9", "Amazon.Found.1", "Adjustments", "", 3});
  rows.add({on(4), "X2", "SKU", "CustomerReturns", "", 1});
  rows.add({on(90), "X2", "SKU", "CustomerReturns", "", 1});
  rows.store(t, user, "sync-1");
  Read read;
  auto& names = read.tables.names;
  detect::InboundShipment shipment;
  shipment.id = names.of("FBA1");
  read.tables.inbound_shipments.push_back(shipment);
  detect::ReturnRow returned;
  returned.day = on(10);
  read.tables.returns.push_back(returned);
  read_all(t, user, read);
  const detect::Ledger& ledger = *read.ledger;
  CHECK(ledger.fnsku_of(names.find("SKU")) == names.find("X2"));
  CHECK(ledger.sku_of(names.find("X2")) == names.find("SKU"));
  CHECK(ledger.fnsku_of(names.find("an older SKU")) == names.find("X2"));
  CHECK(ledger.asin_of(names.find("X1")) == names.find("ASIN X1"));
  const detect::Receipts* receipts = ledger.receipts(names.find("FBA1"), names.find("X2"));
  REQUIRE(receipts);
  CHECK(receipts->units == 4);
  CHECK(receipts->first == on(2));
  CHECK(receipts->last == on(3));
  CHECK(names.find("of another system").empty());   // kept nowhere: there can be as many as rows
  REQUIRE(ledger.returns_by_asin().size() == 1);
  CHECK(ledger.returns_by_asin().at(names.find("ASIN X2")).size() == 1);   // the other one is near no return
  CHECK(!ledger.products().contains(names.find("X9")));
}

TEST_SUITE_END();
