// SPDX-License-Identifier: Apache-2.0
// One loss is one claim: by one rule, at one value, by the date of its own event; and what looks alike is told apart.
#include "unit/detect/sheet.hpp"

using namespace sheet;

namespace {

std::string claimed(const Sheet& s, const Policy& policy = Policy::embedded()) {
  std::string all;
  for (const Finding& f : s.judged(policy).findings)
    if (f.readiness(s.as_of) == Readiness::claim_ready) all += (all.empty() ? "" : "; ") + std::string(f.rule) + " " + std::to_string(f.quantity) + " " + (f.amount ? format_micros(*f.amount) : "null");
  return all;
}

}  // namespace

TEST_SUITE_BEGIN("detect");

TEST_CASE("a payment for an order that nobody was refunded for is taken back rightly") {
  Sheet s;
  s.sold_as_usual("O1");
  s.paid("05-12", "R1", "CustomerReturn", 1, "16.50", "O1");
  s.reversed("06-10", "R2", 1, "R1", "16.50").order = s.name("O1");
  CHECK(claimed(s) == "");
}

TEST_CASE("what another shop sold is no return of Amazon's") {
  Sheet s;
  s.returned("04-20", "S01-1234567-1234567", "DAMAGED");
  s.returned("04-20", "S01-7654321-7654321", "SELLABLE");
  CHECK(claimed(s) == "");
}

TEST_CASE("a sale without Amazon's fee, of which nothing says who shipped it, is none of Amazon's; a fee in an event of its own says it") {
  Sheet s;
  s.sold("O1", "04-01", 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}});
  s.refunded_as_usual("O1", "04-15");
  SUBCASE("none") { CHECK(claimed(s) == ""); }
  SUBCASE("in an event of its own") {
    s.sold("O1", "04-01", 1, {{Part::fulfilment, "-4.75"}});
    CHECK(claimed(s) == "return_not_received 1 16.5");
  }
  SUBCASE("but the network is said") {
    s.money_rows.front().second.by_amazon = true;
    CHECK(claimed(s) == "return_not_received 1 21.25");
  }
}

TEST_CASE("what a payment lacks of the one that it stands in for is claimed once") {
  Sheet s;
  s.adjusted("03-10", 'M', -3);
  s.paid("03-20", "R1", "Lost_Warehouse", 3, "8.00");
  s.reversed("06-05", "R2", 3, "R1");
  s.paid("06-08", "R3", "Lost_Warehouse", 3, "5.20");
  CHECK(claimed(s) == "reimbursement_reversal_unsupported 0 8.4");
}

TEST_CASE("a commission that was charged twice is not missed a second time in the refund's credit") {
  Sheet s;
  s.sold("O1", "04-25", 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}, {Part::fulfilment, "-4.75"}});
  s.sold("O1", "04-26", 1, {{Part::commission, "-3.75"}});
  s.refunded("O1", "05-05", {{Part::principal, "-25.00"}});
  s.returned("05-20", "O1", "SELLABLE");
  s.moved("05-21", Movement::customer_return, 1);
  CHECK(claimed(s) == "duplicate_fee_charge 0 3.75; refund_commission_credit_missing 0 3");
}

TEST_CASE("a preview of fees is of its own store") {
  Sheet s;
  const auto preview = [&](std::string_view country, std::string_view referral) {
    s.t.fee_previews.push_back({901, day("05-01"), day("05-20"), s.name("SKU1"), s.name("FN1"), s.name("ASIN1"), currency("USD"), money("4.75"), money(referral), money("25.00"), {}, country});
  };
  preview("US", "3.75");
  preview("MX", "3.00");   // which would be taken if it were of any store
  s.sold("O1", "05-12", 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}, {Part::fulfilment, "-4.75"}});
  CHECK(claimed(s) == "");
}

TEST_CASE("a fee that is too high names what it was held against, once a month, and without previews the rules that compare them say so") {
  Sheet s;
  s.t.fee_previews.push_back({901, day("05-01"), day("05-20"), s.name("SKU1"), s.name("FN1"), s.name("ASIN1"), currency("USD"), money("4.75"), money("3.75"), money("25.00"), {}, "US"});
  for (const char* order : {"O1", "O2"}) s.sold(order, "05-12", 1, {{Part::principal, "25.00"}, {Part::commission, "-5.00"}, {Part::fulfilment, "-6.00"}});
  for (const char* rule : {"fulfilment_fee_overcharge", "referral_fee_overcharge"}) {
    CAPTURE(std::string(rule));
    const auto found = s.of(rule);
    REQUIRE(found.size() == 1);
    CHECK(std::count_if(found[0].evidence.begin(), found[0].evidence.end(), [](const Evidence& e) { return e.role() == "charge" && e.row.source() == Source::money; }) == 2);
    CHECK(std::count_if(found[0].evidence.begin(), found[0].evidence.end(), [](const Evidence& e) { return e.role() == "preview" && e.row == RowRef(Source::fee_preview, 901); }) == 1);
  }
  const auto said = [&](std::string_view rule) {
    for (const RuleState& state : s.judged().rules)
      if (state.rule == rule) return state.blocked;
    return std::string("no such rule");
  };
  CHECK(said("referral_fee_overcharge").empty());
  s.t.fee_previews.clear();
  s.t.coverage = Coverage();
  for (std::size_t i = 0; i < kSources; ++i)
    if (static_cast<Source>(i) != Source::fee_preview) s.t.coverage.add_all(static_cast<Source>(i));
  s.t.coverage.set_reason(Source::fee_preview, "unauthorised");
  for (const char* rule : {"fulfilment_fee_overcharge", "referral_fee_overcharge"}) CHECK(said(rule) == "fee_preview: unauthorised; what it tells is not compared");
  CHECK(said("duplicate_fee_charge").empty());
}

TEST_CASE("a unit that is refunded a second time has the date and the credit of its first refund") {
  const auto judged = [](bool twice) {
    Sheet s;
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "04-15");
    s.returned("04-25", "O1", "CARRIER_DAMAGED");
    if (twice) s.refunded_as_usual("O1", "05-20");   // a guarantee claim
    return s.of("return_damage_unpaid");
  };
  const auto once = judged(false), twice = judged(true);
  REQUIRE(once.size() == 1);
  REQUIRE(twice.size() == 1);
  CHECK(twice[0].deadline == once[0].deadline);
  CHECK(twice[0].claimable_from == once[0].claimable_from);
  CHECK(twice[0].amount == once[0].amount);
  CHECK(twice[0].high == once[0].high);
}

TEST_CASE("a payment of no named order is of no order, whichever orders nothing else names") {
  Sheet s;
  s.paid("04-20", "R1", "CustomerReturn", 1);
  s.reversed("05-10", "R2", 1, "R1");
  for (const char* order : {"O1", "O2", "O3"}) s.sold_as_usual(order);
  s.refunded_as_usual("O1", "04-15");
  const auto found = s.of("reimbursement_reversal_unsupported");
  REQUIRE(found.size() == 1);
  CHECK(found[0].readiness(s.as_of) == Readiness::review);
  CHECK(claimed(s) == "return_not_received 1 16.5");
}

TEST_CASE("what comes back broken is of the units that were refunded first, and a later refund moves no date") {
  Sheet s;
  s.sold("O1", "02-10", 2, {{Part::principal, "50.00"}, {Part::commission, "-7.50"}, {Part::fulfilment, "-9.50"}});
  s.refunded_as_usual("O1", "02-20");
  s.returned("03-01", "O1", "DAMAGED");
  const Day before = s.of("return_damage_unpaid").at(0).deadline;
  s.refunded_as_usual("O1", "06-20");
  s.returned("06-25", "O1", "CUSTOMER_DAMAGED");
  const auto found = s.of("return_damage_unpaid");
  REQUIRE(found.size() == 1);
  CHECK(found[0].deadline == before);
}

TEST_CASE("a payment is not too small where nothing was owed, or where it makes good something else") {
  Sheet s;
  s.sold_as_usual("O1");
  SUBCASE("the unit came back") {
    s.refunded_as_usual("O1", "04-15");
    s.returned("04-25", "O1", "CUSTOMER_DAMAGED");
  }
  SUBCASE("nothing was refunded") {}
  SUBCASE("more was given back than was charged") {
    s.refunded("O1", "04-15", {{Part::principal, "-28.00"}, {Part::commission, "3.75"}, {Part::refund_commission, "-0.75"}});
  }
  s.paid("05-28", "R1", "CustomerServiceIssue", 1, "3.00", "O1");
  CHECK(s.of("reimbursement_underpaid").empty());
}

TEST_CASE("the bound of the administration fee is of each unit") {
  for (const bool at_once : {true, false}) {
    CAPTURE(at_once);
    Sheet s;
    s.sold("O1", "04-01", 2, {{Part::principal, "400.00"}, {Part::commission, "-60.00"}, {Part::fulfilment, "-9.50"}});
    for (int i = 0; i < (at_once ? 1 : 2); ++i)
      s.refunded("O1", "04-15", at_once ? std::initializer_list<std::pair<Part, std::string_view>>{{Part::principal, "-400.00"}, {Part::commission, "60.00"}, {Part::refund_commission, "-10.00"}}
                                        : std::initializer_list<std::pair<Part, std::string_view>>{{Part::principal, "-200.00"}, {Part::commission, "30.00"}, {Part::refund_commission, "-5.00"}});
    CHECK(s.of("refund_commission_credit_missing").empty());
  }
}

TEST_CASE("units that arrived damaged are claimed once, whatever is booked of them afterwards") {
  for (const char reason : {'6', 'M', 'E'}) {
    CAPTURE(std::string(1, reason));
    Sheet s;
    s.t.partnered.push_back({s.name("FBA1"), true});
    s.moved("04-01", Movement::receipt, 3, "CARRIER_DAMAGED", "FBA1");
    s.adjusted("04-02", reason, -3, "CARRIER_DAMAGED");
    CHECK(claimed(s) == "damaged_inbound 3 24");
  }
}

TEST_CASE("a shipment was delivered no later than its first receipt, also where it was seen later") {
  Sheet s;
  s.shipment("FBA1", "CLOSED", "06-20");
  s.item("FBA1", "FN1", 100, 92);
  s.moved("03-20", Movement::receipt, 92, "SELLABLE", "FBA1");
  s.paid("05-05", "R1", "Lost_Inbound", 8);
  CHECK(s.of("inbound_shortage").empty());
}

TEST_CASE("units that came in with another shipment, where they were not planned, are not short") {
  Sheet s;
  s.shipment("FBA1", "CLOSED", "03-20");
  s.shipment("FBA2", "CLOSED", "03-22");
  s.item("FBA1", "FN1", 100, 92);
  s.moved("03-20", Movement::receipt, 92, "SELLABLE", "FBA1");
  s.moved("03-24", Movement::receipt, 8, "SELLABLE", "FBA2");
  CHECK(s.of("inbound_shortage").empty());
}

TEST_CASE("of rows that their subject does not tell apart each keeps its name when the other is paid") {
  Sheet s;
  for (int i = 0; i < 2; ++i) s.adjusted("05-01", 'M', -1);
  const auto both = s.of("lost_warehouse");
  REQUIRE(both.size() == 2);
  CHECK(both[0].subject != both[1].subject);
  const std::int64_t first_row = std::min(both[0].evidence[0].row.row(), both[1].evidence[0].row.row());
  s.ledger[0].reconciled = 1;   // Amazon says of the first that it is settled
  s.ledger[0].unreconciled = 0;
  const auto left = s.of("lost_warehouse");
  REQUIRE(left.size() == 1);
  for (const Finding& f : both)
    if (f.evidence[0].row.row() != first_row) CHECK(left[0].subject == f.subject);
}

TEST_CASE("what a reversal claims of one item of an order is claimed of no other") {
  Sheet s;
  const auto other = [&](MoneyItem& m) {
    m.sku = s.name("SKU2");
    m.asin = s.name("ASIN2");
  };
  s.sold_as_usual("O1");
  other(s.sold("O1", "04-01", 1, {{Part::principal, "100.00"}, {Part::commission, "-15.00"}, {Part::fulfilment, "-5.00"}}));
  s.refunded_as_usual("O1", "04-15");
  other(s.refunded("O1", "04-15", {{Part::principal, "-100.00"}, {Part::commission, "15.00"}, {Part::refund_commission, "-3.00"}}));
  Reimbursement& paid = s.paid("04-20", "R1", "CustomerReturn", 1, "80.00", "O1");
  paid.sku = s.name("SKU2");
  paid.fnsku = s.name("FN2");
  paid.asin = s.name("ASIN2");
  Reimbursement& back = s.reversed("05-10", "R2", 1, "R1", "80.00");
  back.sku = s.name("SKU2");
  back.fnsku = s.name("FN2");
  back.asin = s.name("ASIN2");
  CHECK(claimed(s) == "reimbursement_reversal_unsupported 1 80; return_not_received 1 16.5");
}

TEST_CASE("of two items of an ASIN each has the payment that names its SKU") {
  Sheet s;
  s.sold_as_usual("O1");
  s.sold("O1", "04-01", 1, {{Part::principal, "100.00"}, {Part::commission, "-15.00"}, {Part::fulfilment, "-5.00"}}).sku = s.name("SKU2");
  s.refunded_as_usual("O1", "04-15");
  s.refunded("O1", "04-15", {{Part::principal, "-100.00"}, {Part::commission, "15.00"}, {Part::refund_commission, "-3.00"}}).sku = s.name("SKU2");
  s.paid("04-20", "R1", "CustomerReturn", 1, "80.00", "O1").sku = s.name("SKU2");
  CHECK(claimed(s) == "return_not_received 1 16.5");
}

TEST_CASE("a refund of more units than the money tells sales of is no excess") {
  Sheet s;
  s.sold_as_usual("O1");   // the other unit before the history
  for (const char* on : {"04-15", "04-16"}) s.money_of(MoneyKind::refund, "O1", on, 1, {{Part::principal, "-25.00"}, {Part::commission, "3.75"}, {Part::refund_commission, "-0.75"}});
  CHECK(s.of("refund_exceeds_charge").empty());
}

TEST_CASE("a parcel of a removal that nobody has counted is for a person to look at, also beside one that was counted") {
  Sheet s;
  s.removal("RO1", Removal::Type::giving_back, "SELLABLE", 20, 20, 0, "05-10", "05-20");
  s.sent_back("RO1", "05-20", 10);
  s.sent_back("RO1", "05-20", 10);
  s.t.removal_shipments.back().tracking = s.name("1Z-B");
  s.arrived("RO1", 10);
  const auto found = s.of("removal_lost");
  REQUIRE(found.size() == 1);
  CHECK(found[0].quantity == 10);
  CHECK(found[0].readiness(s.as_of) == Readiness::review);
}

TEST_CASE("where units found by ASIN could be of two products, what the other lost is for a person to look at") {
  Sheet s;
  s.adjusted("05-10", 'M', -1);
  LedgerRow& other = s.adjusted("05-20", 'M', -1);
  other.fnsku = s.name("FN2");
  other.msku = s.name("SKU2");
  LedgerRow& found = s.adjusted("06-01", 'F', 1);
  found.fnsku = s.name("ASIN1");
  found.msku = s.name("Amazon.Found.ASIN1");
  const auto left = s.of("lost_warehouse");
  REQUIRE(left.size() == 1);
  CHECK(left[0].readiness(s.as_of) == Readiness::review);
}

TEST_CASE("a return that is not back in stock by its own word, or was paid by it, is not claimed as missing there") {
  Sheet s;
  ReturnRow& r = s.returned("05-18", "O2", "SELLABLE");
  CHECK(s.of("return_not_restocked").at(0).readiness(s.as_of) == Readiness::claim_ready);
  r.said_reimbursed = true;
  CHECK(s.of("return_not_restocked").at(0).readiness(s.as_of) == Readiness::review);
  r.said_pending = true;
  CHECK(s.of("return_not_restocked").empty());
}

TEST_CASE("what was paid for an SKU as another product makes what it lost before a matter for a person") {
  Sheet s;
  s.adjusted("05-01", 'M', -2);
  LedgerRow& relabelled = s.adjusted("05-05", '4', 3);
  relabelled.fnsku = s.name("FN2");
  const auto alone = s.of("lost_warehouse");
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].readiness(s.as_of) == Readiness::claim_ready);
  s.paid("05-20", "R1", "Lost_Warehouse", 2).fnsku = s.name("FN2");
  CHECK(s.of("lost_warehouse").at(0).readiness(s.as_of) == Readiness::review);
}

TEST_CASE("each refunded unit has the date of its own refund") {
  Sheet s;
  s.sold("O1", "01-20", 2, {{Part::principal, "50.00"}, {Part::commission, "-7.50"}, {Part::fulfilment, "-9.50"}});
  s.refunded("O1", "02-10", {{Part::principal, "-25.00"}, {Part::commission, "3.00"}});
  s.refunded("O1", "04-15", {{Part::principal, "-25.00"}, {Part::commission, "3.00"}});
  const auto both = s.of("return_not_received");
  REQUIRE(both.size() == 2);
  says({both[0]}, {.readiness = "expired", .quantity = 1, .amount = "16.50"});
  says({both[1]}, {.readiness = "claim_ready", .quantity = 1, .amount = "16.50", .from = "06-14", .until = "08-13"});
  CHECK(both[0].subject != both[1].subject);
  s.returned("05-20", "O1", "SELLABLE");
  s.moved("05-21", Movement::customer_return, 1);
  CHECK(s.of("return_not_received").size() == 1);
  CHECK(claimed(s) == "return_not_received 1 16.5");   // what came back is of the unit that was refunded first
}

TEST_CASE("a payment that names the SKU alone is for what the SKU was then") {
  Sheet s;
  s.adjusted("05-20", 'M', -2);
  s.paid("05-28", "R1", "Lost_Warehouse", 2).fnsku = {};
  LedgerRow& relabelled = s.moved("06-05", Movement::receipt, 5);
  relabelled.fnsku = s.name("FN2");
  CHECK(claimed(s) == "");
}

TEST_CASE("a disposal is doubtful where units of the product were found, or a payment for nothing said is near") {
  Sheet s;
  s.adjusted("05-20", 'D', -4);
  SUBCASE("found") {
    s.adjusted("05-25", 'F', 4);
    says(s.of("disposed_without_request"), {.readiness = "review", .quantity = 4, .confidence = 50});
  }
  SUBCASE("paid") {
    s.paid("05-25", "R1", "General_Adjustment", 1);
    says(s.of("disposed_without_request"), {.readiness = "review", .quantity = 3, .confidence = 60});
  }
}

TEST_CASE("a row is the other half of one") {
  Sheet s;
  s.adjusted("05-25", 'E', -2);
  s.adjusted("05-25", 'E', -2);
  s.adjusted("05-25", 'P', 2, "WAREHOUSE_DAMAGED");
  const auto both = s.of("damaged_warehouse");
  REQUIRE(both.size() == 2);
  CHECK(both[0].confidence + both[1].confidence == 80 + 70);   // one lacks its other half
  CHECK(both[0].subject != both[1].subject);
}

TEST_CASE("what was found, or booked as returned, by mistake is in stock no more") {
  Sheet s;
  SUBCASE("found") {
    s.adjusted("05-20", 'M', -3);
    s.adjusted("05-22", 'F', 3);
    s.adjusted("05-23", 'F', -1);
    CHECK(claimed(s) == "lost_warehouse 1 8");
  }
  SUBCASE("returned") {
    s.returned("05-18", "O2", "SELLABLE");
    s.moved("05-20", Movement::customer_return, 1);
    s.moved("05-21", Movement::customer_return, -1);
    CHECK(claimed(s) == "return_not_restocked 1 8");
  }
}

TEST_CASE("a return is of one item of its order") {
  Sheet s;
  s.sold_as_usual("O1");
  s.sold("O1", "04-01", 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}, {Part::fulfilment, "-4.75"}}).sku = s.name("SKU2");
  s.refunded_as_usual("O1", "04-15");
  s.refunded("O1", "04-15", {{Part::principal, "-25.00"}, {Part::commission, "3.75"}}).sku = s.name("SKU2");
  s.returned("05-20", "O1", "CUSTOMER_DAMAGED").sku = s.name("SKU2");
  const auto left = s.of("return_not_received");
  REQUIRE(left.size() == 1);
  CHECK(s.t.names.text(left[0].about.sku) == "SKU1");
}

TEST_CASE("the money of a payment on an order is taken once, and what was taken back of it never") {
  Sheet s;
  const auto item = [&](std::string_view sku) {
    s.sold("O1", "04-01", 1, {{Part::principal, "20.00"}, {Part::fulfilment, "-4.75"}}).sku = s.name(sku);
    s.refunded("O1", "05-15", {{Part::principal, "-24.00"}}).sku = s.name(sku);
    s.returned("05-20", "O1", "CUSTOMER_DAMAGED").sku = s.name(sku);
  };
  item("SKU1");
  SUBCASE("once") {
    item("SKU2");
    s.paid("05-25", "R1", "General_Adjustment", 1, "4.00", "O1").sku = {};
    CHECK(claimed(s) == "refund_exceeds_charge 0 4");
  }
  SUBCASE("taken back") {
    s.paid("05-25", "R1", "General_Adjustment", 1, "4.00", "O1");
    s.reversed("05-28", "R2", 1, "R1", "4.00").order = s.name("O1");
    CHECK(s.of("refund_exceeds_charge").size() == 1);
  }
}

TEST_CASE("what Amazon corrected of its fees by a payment is not claimed") {
  const auto policy = Policy::parse({{"rate_cards.json", R"({"version":"t","storage":[],"fulfilment":[{"id":"TC1","country":"US","from":"2026-01-15","tiers":[{"name":"large standard","most_ounces":32,"fee":4.60}],"surcharges":[]}],"referral":[]})"}});
  REQUIRE(policy);
  Sheet s;
  s.t.sizes.push_back({950, s.name("SKU1"), money("8"), money("5"), money("3"), money("14"), s.name("large standard")});
  for (int i = 0; i < 3; ++i) s.sold("O" + std::to_string(i), "05-10", 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}, {Part::fulfilment, "-5.60"}});
  CHECK(claimed(s, *policy) == "fulfilment_fee_overcharge 0 3");
  SUBCASE("for the product") {
    s.paid("06-01", "R1", "FeeCorrection", 0, "2.00").amount = money("2.00");
    CHECK(claimed(s, *policy) == "fulfilment_fee_overcharge 0 1");
  }
  SUBCASE("for an order") {
    s.paid("06-01", "R1", "FeeCorrection", 0, "1.00", "O1").amount = money("1.00");
    CHECK(claimed(s, *policy) == "fulfilment_fee_overcharge 0 2");
  }
}

TEST_CASE("damage of a return counts from the refund, also under another SKU of the ASIN and where the sale is not known") {
  Sheet s;
  SUBCASE("another SKU") {
    s.sold_as_usual("O3");
    s.refunded_as_usual("O3", "04-28");
    s.returned("05-12", "O3", "DAMAGED").sku = s.name("SKU2");
    says(s.of("return_damage_unpaid"), {.readiness = "claim_ready", .quantity = 1, .amount = "16.50", .until = "08-26"});
  }
  SUBCASE("no sale") {
    s.refunded_as_usual("O3", "04-28");
    s.returned("05-12", "O3", "DAMAGED");
    says(s.of("return_damage_unpaid"), {.readiness = "claim_ready", .quantity = 1, .amount = "null", .until = "08-26"});
  }
}

TEST_CASE("a cost is looked for in the currency that was paid in") {
  Sheet s;
  s.cost("FN1", "01-01", "11.00", "CAD");
  Reimbursement& paid = s.paid("05-28", "R1", "Lost_Warehouse", 3, "5.20");
  paid.currency = currency("CAD");
  CHECK(claimed(s) == "reimbursement_underpaid 0 17.4");
}

TEST_CASE("the fee of a unit that was refunded is no overcharge, and of an order that is under way nothing was destroyed") {
  const auto policy = Policy::parse({{"rate_cards.json", R"({"version":"t","storage":[],"fulfilment":[],"referral":[{"id":"RC1","country":"US","category":"*","from":"2026-01-01","least":0.30,"steps":[{"up_to":1000000,"rate":0.15}]}]})"}});
  REQUIRE(policy);
  Sheet s;
  SUBCASE("refunded") {
    s.sold("O1", "05-10", 1, {{Part::principal, "25.00"}, {Part::commission, "-5.00"}, {Part::fulfilment, "-4.75"}});
    CHECK(claimed(s, *policy) == "referral_fee_overcharge 0 1.25");
    s.refunded("O1", "05-12", {{Part::principal, "-25.00"}, {Part::commission, "4.00"}});
    s.returned("05-20", "O1", "CUSTOMER_DAMAGED");
    CHECK(claimed(s, *policy) == "");
  }
  SUBCASE("under way") {
    s.removal("RM1", Removal::Type::giving_back, "SELLABLE", 5, 3, 2, "04-20", "05-20").completed = false;
    CHECK(s.of("removal_disposed_instead_of_returned").empty());
  }
}

TEST_CASE("a payment for a product of which no row is known was more than was owed, and may be taken back") {
  Sheet s;
  s.paid("05-01", "R1", "Lost_Warehouse", 2).fnsku = s.name("FN9");
  s.reversed("06-05", "R2", 2, "R1").fnsku = s.name("FN9");
  CHECK(claimed(s) == "");
}

TEST_CASE("a product has the SKU of its newest row") {
  Sheet s;
  s.moved("03-01", Movement::receipt, 5).msku = s.name("SKU of before");
  s.moved("05-01", Movement::receipt, 5);
  s.adjusted("05-20", 'M', -1).msku = {};
  const auto found = s.of("lost_warehouse");
  REQUIRE(found.size() == 1);
  CHECK(s.t.names.text(found[0].about.sku) == "SKU1");
}

TEST_CASE("receipts of a shipment that came after the payment are of other units") {
  Sheet s;
  s.shipment("FBA1", "CLOSED", "03-20");
  s.item("FBA1", "FN1", 10, 2);
  s.moved("03-25", Movement::receipt, 2, "SELLABLE", "FBA1");
  s.paid("05-01", "R1", "Lost_Inbound", 8);
  s.shipment("FBA2", "CLOSED", "05-20");
  s.item("FBA2", "FN1", 8, 8);
  s.moved("05-22", Movement::receipt, 8, "SELLABLE", "FBA2");
  s.reversed("06-05", "R2", 8, "R1");
  CHECK(claimed(s) == "reimbursement_reversal_unsupported 8 64");
}

TEST_CASE("why something is no finding is told as it is") {
  Sheet s;
  s.adjusted("05-20", 'M', -2, "SELLABLE", 0, 2);
  s.paid("05-28", "R1", "Lost_Warehouse", 2);
  s.adjusted("05-20", 'E', -1);
  s.adjusted("05-20", 'P', 1, "WAREHOUSE_DAMAGED");
  s.sold_as_usual("O1");
  s.returned("05-12", "O2", "CUSTOMER_DAMAGED");
  s.shipment("FBA1", "CLOSED", "03-20");
  s.item("FBA1", "FN1", 10, 8);
  s.paid("05-05", "R2", "Lost_Inbound", 2);
  s.adjusted("05-10", 'M', -3, "SELLABLE", 3, 0).fnsku = s.name("FN2");
  s.adjusted("05-14", 'F', 1).fnsku = s.name("FN2");
  s.adjusted("06-05", 'M', -1, "WAREHOUSE_DAMAGED", 1, 0);
  s.removal("RM1", Removal::Type::giving_back, "Sellable", 10, 10, 0, "05-01", "05-05");
  s.removal("RM2", Removal::Type::disposal, "Sellable", 10, 0, 10, "05-01", "05-05");
  std::vector<Verdict> verdicts;
  (void)detect(s.t, s.ledger, s.orders(), Policy::embedded(), s.as_of, &verdicts);
  const auto told = [&](std::string_view rule, std::string_view reason) { return std::any_of(verdicts.begin(), verdicts.end(), [&](const Verdict& v) { return v.rule == rule && v.reason == reason; }); };
  CHECK(told("lost_warehouse", "all units were found, corrected or paid"));
  CHECK(told("lost_warehouse", "some units were found, corrected or paid; of the others Amazon says that they are reconciled"));
  CHECK(told("lost_warehouse", "the units were booked as damaged before"));
  CHECK(told("removal_disposed_instead_of_returned", "all units were given back, or cancelled"));
  CHECK(told("removal_disposed_instead_of_returned", "the seller had it disposed of"));
  CHECK(told("inbound_shortage", "counted in elsewhere, or paid"));
  CHECK(told("return_not_received", "nothing of it was refunded"));
  CHECK(told("return_damage_unpaid", "the customer, or the seller, had broken it"));
}

TEST_SUITE_END();
