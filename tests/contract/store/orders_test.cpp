// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "detect/order_reader.hpp"
#include "sim/random.hpp"
#include "spapi/transactions.hpp"
#include "support/test_store.hpp"

using namespace support;
using store::MoneyStream;
namespace detect = amzsync::detect;

namespace {

const Day kDay = day_of(*parse_instant("2026-11-01"));
const Currency kUsd = *Currency::parse("USD");

/// What was stored, told as plainly as can be: of each order and SKU the sums of its sales and refunds.
struct Told {
  std::map<std::string, std::map<std::string, std::vector<std::int64_t>>> orders;
  std::int64_t fees = 0;
};

class Money {
 public:
  explicit Money(MoneyStream stream) : v0_(stream == MoneyStream::financial_events) {
    batch.types = v0_ ? std::vector<std::string>{"ShipmentEventList", "RefundEventList", "ServiceFeeEventList", "AdjustmentEventList"} : std::vector<std::string>{"Shipment", "Refund", "ServiceFee", "Other"};
    for (std::size_t i = 0; i < batch.types.size(); ++i) batch.shapes.push_back({batch.types[i], "Charge", i == 2 ? "Subscription" : "Principal", false, i == 2});
  }
  void event(Day day, std::uint32_t type, const std::string& order, const std::map<std::string, std::vector<std::int64_t>>& amounts, std::string_view status = "RELEASED") {
    store::MoneyEvent e;
    e.day = day;
    e.identity = e.content = Hash128::of("event " + std::to_string(++number_));
    e.type = type;
    e.posted_at = Instant(day) + std::chrono::hours(20);
    e.order_id = order;
    if (!v0_) e.status = std::string(status);
    e.detail = "{}";
    for (const auto& [sku, list] : amounts) {
      const auto known = std::find(batch.skus.begin(), batch.skus.end(), sku);
      const auto place = static_cast<std::uint32_t>(known - batch.skus.begin());
      if (known == batch.skus.end()) batch.skus.push_back(sku);
      for (const std::int64_t amount : list) e.lines.push_back({type, place, kUsd, Micros{amount}});
      if (type < 2 && status == "RELEASED" && !order.empty()) {
        std::int64_t sum = 0;
        for (const std::int64_t amount : list) sum += amount;
        told.orders[order][sku].push_back(sum);
      }
      if (type == 2) told.fees += static_cast<std::int64_t>(list.size());
    }
    batch.events.push_back(std::move(e));
  }
  store::MoneyBatch batch;
  Told told;

 private:
  bool v0_;
  int number_ = 0;
};

Told read_all(TestStore& t, UserNo user, MoneyStream stream, Day today) {
  detect::Tables tables;
  tables.home = "US";
  detect::OrderReader reader(user, stream, tables, today);
  Told told;
  for (bool more = true; more;) {
    const auto orders = *t.read([&](store::Tx& tx) -> Result<std::optional<std::vector<detect::Order>>> { return reader.next(tx); });
    more = orders.has_value();
    if (!more) break;
    for (const detect::Order& order : *orders) {
      CAPTURE(order.id);
      CHECK(!told.orders.contains(order.id));   // never in two halves
      for (const detect::OrderItem& item : order.items)
        for (const auto* list : {&item.sales, &item.refunds})
          for (const detect::MoneyItem& m : *list) told.orders[order.id][std::string(tables.names.text(item.sku))].push_back(m[detect::Part::principal].value);
    }
  }
  told.fees = static_cast<std::int64_t>(tables.service_fees.size());
  return told;
}

void sort_all(Told& told) {
  for (auto& [order, items] : told.orders)
    for (auto& [sku, sums] : items) std::sort(sums.begin(), sums.end());
}

}  // namespace

TEST_SUITE_BEGIN("contract");

TEST_CASE("orders are read whole, each once, however their events lie apart, and nobody else's") {
  for (const MoneyStream stream : {MoneyStream::transactions, MoneyStream::financial_events}) {
    TestStore t;
    const UserNo user = t.connected(), other = t.connected("u2", "A2");
    amzsim::Random random(stream == MoneyStream::transactions ? 1 : 2);
    Money money(stream), others(stream);
    for (int i = 0; i < 1'500; ++i) {
      const std::string order = "order-" + std::to_string(i);
      const Day sold = kDay - std::chrono::days(random.below(300));
      std::map<std::string, std::vector<std::int64_t>> items{{"SKU-" + std::to_string(random.below(7)), {random.between(1, 99) * 10'000}}};
      if (random.one_in(5)) items["SKU-" + std::to_string(random.below(7))].push_back(10'000);
      money.event(sold, 0, order, items);
      if (random.one_in(4)) money.event(sold + std::chrono::days(random.below(60)), 1, order, {{items.begin()->first, {-10'000}}});
      if (random.one_in(9)) money.event(sold + std::chrono::days(1), 0, order, items);
    }
    money.event(kDay, 0, "", {{"SKU-1", {10'000}}});
    money.event(kDay, 3, "order-1", {{"SKU-1", {10'000}}});
    money.event(kDay, 2, "", {{"SKU-1", {-10'000}}});
    if (stream == MoneyStream::transactions) money.event(kDay, 0, "order-2", {{"SKU-1", {990'000}}}, "DEFERRED_RELEASED");
    // More amounts than one row of the store holds.
    money.event(kDay, 0, "long", {{"SKU-1", std::vector<std::int64_t>(9'000, 10'000)}});
    money.event(kDay - std::chrono::days(449), 0, "old", {{"SKU-1", {10'000}}});
    money.event(kDay - std::chrono::days(460), 0, "too old", {{"SKU-1", {10'000}}});
    money.told.orders.erase("too old");
    others.event(kDay, 0, "order-1", {{"SKU-1", {770'000}}});
    const auto store_of = [&](UserNo of, const std::string& id, const Money& m) {
      const store::Fence fence = t.running(of, id);
      REQUIRE(t.in_run(fence, [&](const store::RunTx& run) -> Result<store::Counts> { return store::store_page(run, stream, m.batch, store::Existing::possible); }));
    };
    store_of(user, "sync-1", money);
    store_of(other, "sync-2", others);
    Told told = read_all(t, user, stream, kDay);
    sort_all(told);
    sort_all(money.told);
    CHECK(told.orders.size() == money.told.orders.size());
    CHECK(told.orders == money.told.orders);
    CHECK(told.fees == 1);
    CHECK(read_all(t, other, stream, kDay).orders.size() == 1);
    CHECK(read_all(t, t.connected("u3", "A3"), stream, kDay).orders.empty());
  }
}

TEST_CASE("the newer source's own names are told apart, and a fee that is told as base and tax is one fee") {
  TestStore t;
  const UserNo user = t.connected();
  // As Finances 2024-06-19 tells a sale (facts: spapi 3.2), the sums behind what they are the sums of.
  const auto answer = JsonDocument::parse(
      R"({"payload":{"transactions":[{"transactionId":"T1","transactionType":"Shipment","transactionStatus":"RELEASED","postedDate":"2026-10-01T00:00:00Z","marketplaceDetails":{"marketplaceId":"A1PA6795UKMFR9"},)"
      R"("relatedIdentifiers":[{"relatedIdentifierName":"ORDER_ID","relatedIdentifierValue":"111-1"}],"totalAmount":{"currencyAmount":13.80,"currencyCode":"EUR"},"items":[{)"
      R"("totalAmount":{"currencyAmount":13.80,"currencyCode":"EUR"},"contexts":[{"contextType":"ProductContext","sku":"S","asin":"B0","quantityShipped":1,"fulfillmentNetwork":null}],"breakdowns":[)"
      R"({"breakdowns":[{"breakdownType":"OurPricePrincipal","breakdownAmount":{"currencyAmount":20,"currencyCode":"EUR"}},{"breakdownType":"OurPriceTax","breakdownAmount":{"currencyAmount":3,"currencyCode":"EUR"}},)"
      R"({"breakdownType":"OurPriceDiscount","breakdownAmount":{"currencyAmount":-1,"currencyCode":"EUR"}},{"breakdownType":"ShippingPrincipal","breakdownAmount":{"currencyAmount":2,"currencyCode":"EUR"}}],)"
      R"("breakdownType":"ProductCharges","breakdownAmount":{"currencyAmount":24,"currencyCode":"EUR"}},)"
      R"({"breakdowns":[{"breakdowns":[{"breakdownType":"Base","breakdownAmount":{"currencyAmount":-3,"currencyCode":"EUR"}},{"breakdownType":"Tax","breakdownAmount":{"currencyAmount":-0.60,"currencyCode":"EUR"}}],)"
      R"("breakdownType":"Commission","breakdownAmount":{"currencyAmount":-3.60,"currencyCode":"EUR"}},)"
      R"({"breakdowns":[{"breakdownType":"Base","breakdownAmount":{"currencyAmount":-5.50,"currencyCode":"EUR"}},{"breakdownType":"Tax","breakdownAmount":{"currencyAmount":-1.10,"currencyCode":"EUR"}}],)"
      R"("breakdownType":"FBAPerUnitFulfillmentFee","breakdownAmount":{"currencyAmount":-6.60,"currencyCode":"EUR"}}],"breakdownType":"AmazonFees","breakdownAmount":{"currencyAmount":-10.20,"currencyCode":"EUR"}}]}]}]}})");
  REQUIRE(answer);
  const auto page = amzsync::spapi::decode_transactions(*answer, {*parse_instant("2026-10-01"), *parse_instant("2026-10-02")});
  REQUIRE(page);
  const store::Fence fence = t.running(user);
  REQUIRE(t.in_run(fence, [&](const store::RunTx& run) -> Result<int> { return store::store_page(run, MoneyStream::transactions, page->batch, store::Existing::possible), 0; }));
  detect::Tables tables;
  tables.home = "DE";
  detect::OrderReader reader(user, MoneyStream::transactions, tables, day_of(*parse_instant("2026-11-01")));
  std::vector<detect::MoneyItem> sales;
  for (bool more = true; more;) {
    const auto orders = *t.read([&](store::Tx& tx) -> Result<std::optional<std::vector<detect::Order>>> { return reader.next(tx); });
    more = orders.has_value();
    if (more)
      for (const detect::Order& order : *orders)
        for (const detect::OrderItem& item : order.items) sales.insert(sales.end(), item.sales.begin(), item.sales.end());
  }
  REQUIRE(sales.size() == 1);
  using detect::Part;
  const std::map<Part, std::int64_t> expected{{Part::principal, 20'000'000}, {Part::tax, 3'000'000}, {Part::promotion, -1'000'000}, {Part::shipping, 2'000'000}, {Part::commission, -3'600'000}, {Part::fulfilment, -6'600'000}};
  for (const auto& [part, amount] : expected) {
    CAPTURE(static_cast<int>(part));
    CHECK(sales[0][part].value == amount);
  }
}

TEST_SUITE_END();
