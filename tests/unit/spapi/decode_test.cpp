// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "sim/render.hpp"
#include "spapi/inventory.hpp"
#include "spapi/reimbursements.hpp"
#include "spapi/sellers.hpp"
#include "spapi/transactions.hpp"
#include "support/nothing_lost.hpp"

using namespace amzsync::spapi;
namespace store = amzsync::store;

namespace {

const MoneyWindow kWindow{*parse_instant("2026-08-01"), *parse_instant("2026-08-08")};

struct Decoded {
  JsonDocument document;
  MoneyPage page;
};
Decoded v0(const std::string& list, const std::string& event) {
  auto document = JsonDocument::parse(R"({"payload":{"FinancialEvents":{")" + list + R"(":[)" + event + "]}}}");
  REQUIRE(document);
  auto page = decode_financial_events(*document, kWindow);
  REQUIRE(page);
  return {std::move(*document), std::move(*page)};
}
Decoded modern(const std::string& transaction) {
  auto document = JsonDocument::parse(R"({"payload":{"transactions":[)" + transaction + "]}}");
  REQUIRE(document);
  auto page = decode_transactions(*document, kWindow);
  REQUIRE(page);
  return {std::move(*document), std::move(*page)};
}

std::string lines_of(const store::MoneyBatch& batch, std::size_t event = 0) {
  std::string text;
  for (const store::Line& line : batch.events.at(event).lines) {
    const store::Shape& s = batch.shapes[line.shape];
    text += s.path + " " + (s.type.empty() ? "-" : s.type) + " " + (line.amount ? format_micros(*line.amount) : "NULL") + " " + (line.currency ? std::string(line.currency->text()) : "NULL") +
            (s.total ? " total" : "") + (s.fee ? " fee" : "") + (line.sku == store::kNone ? "" : " sku=" + batch.skus[line.sku]) + "\n";
  }
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("spapi");

TEST_CASE("a shipment's amounts are lines with their place, type, kind and SKU") {
  const auto d = v0("ShipmentEventList", R"({"AmazonOrderId":"111-1234567-1234567","MarketplaceName":"Amazon.com","PostedDate":"2026-08-05T12:34:56Z","ShipmentItemList":[
    {"SellerSKU":"A, 1","OrderItemId":"0042","QuantityShipped":2,"ItemChargeList":[{"ChargeType":"Principal","ChargeAmount":{"CurrencyCode":"USD","CurrencyAmount":20.00}}],
     "ItemFeeList":[{"FeeType":"Commission","FeeAmount":{"CurrencyCode":"USD","CurrencyAmount":-3}}],
     "ItemTaxWithheldList":[{"TaxCollectionModel":"MarketplaceFacilitator","TaxesWithheld":[{"ChargeType":"Tax","ChargeAmount":{"CurrencyCode":"USD","CurrencyAmount":-1.5}}]}],
     "CostOfPointsGranted":{"CurrencyCode":"JPY","CurrencyAmount":5}}]})");
  CHECK(lines_of(d.page.batch) ==
        "ShipmentItemList.ItemChargeList.ChargeAmount Principal 20 USD sku=A, 1\n"
        "ShipmentItemList.ItemFeeList.FeeAmount Commission -3 USD fee sku=A, 1\n"
        "ShipmentItemList.ItemTaxWithheldList.TaxesWithheld.ChargeAmount Tax -1.5 USD sku=A, 1\n"
        "ShipmentItemList.CostOfPointsGranted - 5 JPY sku=A, 1\n");
  const store::MoneyEvent& e = d.page.batch.events.at(0);
  CHECK(e.order_id == "111-1234567-1234567");
  CHECK(format_day(e.day) == "2026-08-05");
  CHECK(e.named_by_amazon);
  CHECK(e.detail == R"({"ShipmentItemList":[{"SellerSKU":"A, 1","OrderItemId":"0042","QuantityShipped":2,"ItemTaxWithheldList":[{"TaxCollectionModel":"MarketplaceFacilitator"}]}]})");
}

TEST_CASE("the identity of a v0 event is what it says, not how it is written") {
  const std::string one = R"({"AdjustmentType":"WAREHOUSE_LOST","PostedDate":"2026-08-05T00:00:00Z","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":12.50},"StoreName":null})";
  const std::string same = R"({"AdjustmentAmount":{"CurrencyAmount":125e-1,"CurrencyCode":"USD"},"PostedDate":"2026-08-05T00:00:00Z","AdjustmentType":"WAREHOUSE_LOST","AdjustmentItemList":[]})";
  const std::string other = R"({"AdjustmentType":"WAREHOUSE_LOST","PostedDate":"2026-08-05T00:00:00Z","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":12.51}})";
  const auto identity = [](const std::string& event, const std::string& list) { return v0(list, event).page.batch.events.at(0).identity; };
  CHECK(identity(one, "AdjustmentEventList") == identity(same, "AdjustmentEventList"));
  CHECK(identity(one, "AdjustmentEventList") != identity(other, "AdjustmentEventList"));
  CHECK(identity(one, "AdjustmentEventList") != identity(one, "OtherEventList"));
  CHECK(!v0("AdjustmentEventList", one).page.batch.events.at(0).named_by_amazon);
}

TEST_CASE("an adjustment credits its items; what is no reimbursement credits nothing; a clawback takes back") {
  const auto credits = [](const std::string& type, const std::string& rest) {
    const auto d = v0("AdjustmentEventList", R"({"AdjustmentType":")" + type + R"(","PostedDate":"2026-08-05T00:00:00Z",)" + rest + "}");
    std::vector<std::string> amounts;
    for (const store::Credit& c : d.page.batch.events.at(0).credits) amounts.push_back(format_micros(c.amount));
    return amounts;
  };
  const std::string two = R"("AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":30},"AdjustmentItemList":[{"Quantity":"2","PerUnitAmount":{"CurrencyCode":"USD","CurrencyAmount":10},
    "TotalAmount":{"CurrencyCode":"USD","CurrencyAmount":20}},{"Quantity":"1","TotalAmount":{"CurrencyCode":"USD","CurrencyAmount":10}}])";
  CHECK(credits("WAREHOUSE_DAMAGE", two) == std::vector<std::string>{"20", "10"});
  CHECK(credits("FBAInventoryReimbursement", R"("AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":30})") == std::vector<std::string>{"30"});
  CHECK(credits("MISSING_FROM_INBOUND_CLAWBACK", R"("AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":-4})") == std::vector<std::string>{"-4"});
  for (const char* type : {"ReserveEvent", "PostageBilling_Postage", "LostOrDamagedReimbursement", "ReimbursementClawback", "SOMETHING_NEW", ""}) CHECK(credits(type, two).empty());
  CHECK(is_reimbursement_adjustment("WAREHOUSE_LOST_CLAWBACK"));
  CHECK(!is_reimbursement_adjustment("_CLAWBACK"));
}

TEST_CASE("an adjustment that its items do not add up to counts as it says itself") {
  const auto d = v0("AdjustmentEventList", R"({"AdjustmentType":"WAREHOUSE_LOST","PostedDate":"2026-08-05T00:00:00Z","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":12.50},
    "AdjustmentItemList":[{"Quantity":"1","TotalAmount":{"CurrencyCode":"USD","CurrencyAmount":10}}]})");
  CHECK(lines_of(d.page.batch) == "AdjustmentAmount WAREHOUSE_LOST 12.5 USD\nAdjustmentItemList.TotalAmount - 10 USD total\n");
  REQUIRE(d.page.batch.events[0].credits.size() == 1);
  CHECK(d.page.batch.events[0].credits[0].amount == Micros{12'500'000});
}

TEST_CASE("totals and what restates others are told from components") {
  const auto d = v0("AdjustmentEventList", R"({"AdjustmentType":"WAREHOUSE_LOST","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":20},"AdjustmentItemList":[{"Quantity":"2",
    "PerUnitAmount":{"CurrencyCode":"USD","CurrencyAmount":10},"TotalAmount":{"CurrencyCode":"USD","CurrencyAmount":20},"SellerSKU":"S"}]})");
  CHECK(lines_of(d.page.batch) ==
        "AdjustmentAmount WAREHOUSE_LOST 20 USD total\n"
        "AdjustmentItemList.PerUnitAmount - 10 USD total sku=S\n"
        "AdjustmentItemList.TotalAmount - 20 USD sku=S\n");
  CHECK(lines_of(v0("AdjustmentEventList", R"({"AdjustmentType":"ReserveDebit","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":-5}})").page.batch) == "AdjustmentAmount ReserveDebit -5 USD\n");
}

TEST_CASE("an event without a date belongs to the request's window, one outside it to the nearest day") {
  const auto day = [](const std::string& event) { return v0("ServiceFeeEventList", event).page.batch.events.at(0); };
  const store::MoneyEvent undated = day(R"({"FeeReason":"x","FeeList":[]})");
  CHECK(format_day(undated.day) == "2026-08-01");
  CHECK(!undated.posted_at);
  CHECK(!undated.dated);
  CHECK(format_day(day(R"({"PostedDate":"2026-07-31T23:59:59Z"})").day) == "2026-08-01");
  CHECK(format_day(day(R"({"PostedDate":"2026-08-09T00:00:00Z"})").day) == "2026-08-07");
  const store::MoneyEvent garbled = day(R"({"PostedDate":"yesterday"})");
  CHECK(!garbled.posted_at);
  REQUIRE(garbled.faults.size() == 1);
  CHECK(garbled.faults[0].reason == "date_unreadable");
}

TEST_CASE("an amount that can't be held exactly leaves the event, a NULL and its own text") {
  const auto d = v0("AdjustmentEventList", R"({"AdjustmentType":"X","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":0.1234567},
    "A":{"CurrencyCode":"USD","CurrencyAmount":1e30},"B":{"CurrencyCode":"USD","CurrencyAmount":"12"},"C":{"CurrencyAmount":5},"D":{"CurrencyCode":"USD","CurrencyAmount":null}})");
  CHECK(lines_of(d.page.batch) ==
        "AdjustmentAmount X NULL USD\n"
        "A - NULL USD\n"
        "B - NULL USD\n"
        "C - 5 NULL\n");
  std::vector<std::string> faults;
  for (const store::Fault& f : d.page.batch.events.at(0).faults) faults.push_back(f.reason + " " + f.raw);
  CHECK(faults == std::vector<std::string>{"amount_finer_than_micros 0.1234567", "amount_out_of_range 1e30", "amount_malformed \"12\"", "currency_unreadable null"});
}

TEST_CASE("lists and fields that Amazon adds tomorrow are kept like those of today") {
  const auto d = v0("BrandNewEventList", R"({"postedDate":"2026-08-05T00:00:00Z","NewId":"n-1","NewThing":{"Deep":[{"NewFeeType":"Levy","NewFeeAmount":{"CurrencyCode":"EUR","CurrencyAmount":-0.07}}]}})");
  CHECK(d.page.batch.types.at(0) == "BrandNewEventList");
  CHECK(lines_of(d.page.batch) == "NewThing.Deep.NewFeeAmount Levy -0.07 EUR\n");
  CHECK(support::lost(d.document["payload"]["FinancialEvents"]["BrandNewEventList"].begin().operator*(), d.page.batch.events.at(0), d.page.batch).empty());
}

TEST_CASE("what is no event is kept as it came") {
  auto document = JsonDocument::parse(R"({"payload":{"FinancialEvents":{"RefundEventList":[5,null,"x"],"ChargebackEventList":{"a":1},"ShipmentEventList":null}}})");
  const auto page = decode_financial_events(*document, kWindow);
  REQUIRE(page);
  CHECK(page->batch.events.empty());
  REQUIRE(page->batch.unreadable.size() == 4);
  CHECK(page->batch.unreadable[0].raw == "5");
  CHECK(page->batch.unreadable[3].raw == R"({"a":1})");
}

TEST_CASE("an answer without its envelope is no empty page") {
  for (const char* text : {"{}", R"({"payload":null})", R"({"payload":[]})", R"({"errors":[]})"}) {
    auto document = JsonDocument::parse(text);
    CHECK(decode_financial_events(*document, kWindow).code() == Code::bad_answer);
    CHECK(decode_transactions(*document, kWindow).code() == Code::bad_answer);
    CHECK(decode_inventory(*document).code() == Code::bad_answer);
    CHECK(decode_participations(*document).code() == (std::string_view(text) == R"({"payload":[]})" ? Code::ok : Code::bad_answer));
  }
  // No list is no word that there is nothing: the walk judges what it is.
  auto bare = JsonDocument::parse(R"({"payload":{}})");
  CHECK(decode_financial_events(*bare, kWindow)->bare);
  CHECK(decode_transactions(*bare, kWindow)->bare);
  auto nulls = JsonDocument::parse(R"({"payload":{"transactions":null,"nextToken":null}})");
  CHECK(decode_transactions(*nulls, kWindow)->batch.events.empty());
}

TEST_CASE("a transaction's money is told once, whichever way it is broken down") {
  const std::string head = R"({"transactionId":"T","transactionType":"Shipment","transactionStatus":"RELEASED","postedDate":"2026-08-05T00:00:00Z","totalAmount":{"currencyAmount":10,"currencyCode":"USD"},)";
  const auto component_sum = [](const std::string& t) {
    const auto d = modern(t);
    Micros sum{};
    for (const store::Line& line : d.page.batch.events.at(0).lines)
      if (!d.page.batch.shapes[line.shape].total) sum = *add(sum, *line.amount);
    return format_micros(sum);
  };
  const auto b = [](const char* type, const char* amount, const std::string& children) {
    return std::string(R"({"breakdownType":")") + type + R"(","breakdownAmount":{"currencyAmount":)" + amount + R"(,"currencyCode":"USD"},"breakdowns":)" + children + "}";
  };
  const std::string item_tree = "[" + b("ProductCharges", "12", "[" + b("OurPricePrincipal", "12", "null") + "]") + "," + b("AmazonFees", "-2", "[" + b("Commission", "-2", "[]") + "]") + "]";
  const std::string whole_tree = "[" + b("Sales", "12", "null") + "," + b("Expenses", "-2", "null") + "]";
  const auto item = [](const std::string& tree) { return R"("items":[{"totalAmount":{"currencyAmount":10,"currencyCode":"USD"},"breakdowns":)" + tree + "}]"; };
  CHECK(component_sum(head + item(item_tree) + R"(,"breakdowns":)" + whole_tree + "}") == "10");
  CHECK(component_sum(head + item("null") + R"(,"breakdowns":)" + whole_tree + "}") == "10");
  CHECK(component_sum(head + item(item_tree) + R"(,"breakdowns":null})") == "10");
  CHECK(component_sum(head + item("null") + "}") == "10");
  CHECK(component_sum(head + R"("items":null,"breakdowns":)" + whole_tree + "}") == "10");
  CHECK(component_sum(head + R"("items":[],"breakdowns":{"breakdowns":)" + whole_tree + "}}") == "10");   // the older examples' shape
  CHECK(component_sum(head + R"("items":null,"breakdowns":null})") == "10");
  // Items that do not tell all of it give way to the whole that does.
  const std::string short_item = R"("items":[{"totalAmount":{"currencyAmount":9,"currencyCode":"USD"},"breakdowns":)" + item_tree + "}]";
  CHECK(component_sum(head + short_item + R"(,"breakdowns":)" + whole_tree + "}") == "10");
}

TEST_CASE("only released money counts as recovered, and only that of the reimbursement family") {
  const auto credited = [](const std::string& type, const std::string& status, const std::string& rest) {
    const auto d = modern(R"({"transactionId":"T","transactionType":")" + type + R"(","transactionStatus":")" + status + R"(","postedDate":"2026-08-05T00:00:00Z",)" + rest + "}");
    std::string all;
    for (const store::Credit& c : d.page.batch.events.at(0).credits) all += format_micros(c.amount) + " ";
    return all;
  };
  const std::string total = R"("totalAmount":{"currencyAmount":25,"currencyCode":"USD"})";
  CHECK(credited("FBAInventoryReimbursement", "RELEASED", total) == "25 ");
  CHECK(credited("FBAInventoryReimbursement", "Released", total) == "25 ");
  CHECK(credited("FBAInventoryReimbursement", "DEFERRED", total) == "");
  CHECK(credited("FBAInventoryReimbursement", "DEFERRED_RELEASED", total) == "");
  CHECK(credited("Shipment", "RELEASED", total) == "");
  const std::string items = R"(,"items":[{"totalAmount":{"currencyAmount":15,"currencyCode":"USD"}},{"totalAmount":{"currencyAmount":10,"currencyCode":"USD"}}])";
  CHECK(credited("FBAInventoryReimbursement", "RELEASED", total + items) == "15 10 ");
  const std::string leaf = R"(,"breakdowns":[{"breakdownType":"Sales","breakdownAmount":{"currencyAmount":-25,"currencyCode":"USD"},"breakdowns":[
    {"breakdownType":"FBAReversedReimbursement","breakdownAmount":{"currencyAmount":-25,"currencyCode":"USD"}}]}])";
  CHECK(credited("Adjustment", "RELEASED", R"("totalAmount":{"currencyAmount":-25,"currencyCode":"USD"})" + leaf) == "-25 ");
}

TEST_CASE("the identity of a transaction is its id; without one it is its content") {
  const auto event = [](const std::string& t) { return modern(t).page.batch.events.at(0); };
  const auto deferred = event(R"({"transactionId":"T","transactionStatus":"DEFERRED","postedDate":"2026-08-05T00:00:00Z"})");
  const auto released = event(R"({"transactionId":"T","transactionStatus":"DEFERRED_RELEASED","postedDate":"2026-08-05T00:00:00Z"})");
  CHECK(deferred.identity == released.identity);
  CHECK(deferred.content != released.content);
  CHECK(deferred.unique_id);
  const auto nameless = event(R"({"transactionStatus":"RELEASED","postedDate":"2026-08-05T00:00:00Z"})");
  CHECK(nameless.identity == nameless.content);
  CHECK(!nameless.unique_id);
}

TEST_CASE("stock is read field by field, and what has no column is kept") {
  auto document = JsonDocument::parse(R"({"payload":{"granularity":{"granularityType":"Marketplace","granularityId":"X"},"inventorySummaries":[
    {"asin":"B0","fnSku":"X0","sellerSku":"00123","condition":"NewItem","lastUpdatedTime":"2026-08-05T01:02:03Z","productName":"A \"thing\"","totalQuantity":21,"stores":["HAUL"],"newField":{"a":1},
     "inventoryDetails":{"fulfillableQuantity":1,"inboundWorkingQuantity":2,"inboundShippedQuantity":3,"inboundReceivingQuantity":4,"reservedQuantity":{"totalReservedQuantity":5,"fcProcessingQuantity":6},
      "researchingQuantity":{"totalResearchingQuantity":7,"researchingQuantityBreakdown":[{"name":"researchingQuantityInLongTerm","quantity":8}]},"unfulfillableQuantity":{},"futureSupplyQuantity":{"x":9}}},
    {"sellerSku":"B","totalQuantity":"many"},{"asin":"no sku"}]},"pagination":{"nextToken":"t+/="}})");
  const auto page = decode_inventory(*document);
  REQUIRE(page);
  CHECK(page->next_token == "t+/=");
  REQUIRE(page->batch.items.size() == 2);
  const store::InventoryItem& item = page->batch.items[0];
  CHECK(item.seller_sku == "00123");
  CHECK(item.detail == R"({"stores":["HAUL"],"newField":{"a":1},"inventoryDetails":{"futureSupplyQuantity":{"x":9}}})");
  CHECK(support::lost(*document.operator->()->root()["payload"]["inventorySummaries"].begin(), item).empty());
  CHECK(!item.quantities[13]);   // an empty sub-object is not zero
  REQUIRE(page->batch.items[1].faults.size() == 1);
  CHECK(page->batch.items[1].faults[0].raw == "\"many\"");
  REQUIRE(page->batch.unreadable.size() == 1);
}

TEST_CASE("whatever the simulator tells, the decoders lose none of it") {
  amzsim::SellerSettings settings;
  settings.number = 3;
  settings.events = 1'800;
  settings.end = *parse_instant("2026-08-08");
  settings.history = std::chrono::hours(24 * 7);
  const amzsim::Seller seller(settings);
  for (std::int64_t i = 0; i < seller.fact_count(); ++i) {
    const amzsim::Fact fact = seller.fact(i);
    const auto event = amzsim::render_v0(fact, nullptr);
    CAPTURE(event.json);
    const auto old = v0(std::string(event.list), event.json);
    CHECK(support::lost(*old.document["payload"]["FinancialEvents"][event.list].begin(), old.page.batch.events.at(0), old.page.batch) == std::vector<std::string>{});
    CHECK(old.page.batch.events.at(0).named_by_amazon == event.named);
    const auto transaction = amzsim::render_2024(seller, fact, fact.deferred ? amzsim::Part::deferred : amzsim::Part::only, settings.end, nullptr);
    CAPTURE(transaction.json);
    const auto fresh = modern(transaction.json);
    CHECK(support::lost(*fresh.document["payload"]["transactions"].begin(), fresh.page.batch.events.at(0), fresh.page.batch) == std::vector<std::string>{});
  }
}

TEST_SUITE_END();
