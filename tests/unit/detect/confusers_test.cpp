// SPDX-License-Identifier: Apache-2.0
// What looks like a loss and is none, or is one that was told or paid otherwise: nothing of it may be claimed. Each was claimed once.
#include "unit/detect/sheet.hpp"

using namespace sheet;

namespace {

/// What could be filed: rule, quantity and amount.
std::string claimable(const Sheet& s, const Policy& policy = Policy::embedded()) {
  std::string all;
  for (const Finding& f : s.judged(policy).findings)
    if (f.readiness(s.as_of) == Readiness::claim_ready) all += (all.empty() ? "" : "; ") + std::string(f.rule) + " " + std::to_string(f.quantity) + " " + (f.amount ? format_micros(*f.amount) : "null");
  return all;
}

std::string blocked(const Sheet& s, std::string_view rule) {
  for (const RuleState& state : s.judged().rules)
    if (state.rule == rule) return state.blocked;
  return {};
}

/// All is read but some days of one table.
void without(Sheet& s, Source source, std::initializer_list<std::pair<std::string_view, std::string_view>> read, std::string_view reason = "") {
  s.t.coverage = Coverage();
  for (std::size_t i = 0; i < kSources; ++i)
    if (static_cast<Source>(i) != source) s.t.coverage.add_all(static_cast<Source>(i));
  for (const auto& [from, until] : read) s.t.coverage.add(source, day(from), day(until));
  if (!reason.empty()) s.t.coverage.set_reason(source, std::string(reason));
}

void in_transit(Sheet& s, std::string_view period, int units) { s.t.balances.push_back({900, day(period), s.name("FN1"), Disposition::sellable, units, 0, 0}); }

}  // namespace

TEST_SUITE_BEGIN("detect");

TEST_CASE("a payment that is taken back rightly is no claim") {
  Sheet s;
  SUBCASE("the unit was back before it was paid for") {
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "04-15");
    s.returned("05-01", "O1", "SELLABLE");
    s.moved("05-02", Movement::customer_return, 1);
    s.paid("06-12", "R1", "CustomerReturn", 1, "16.50", "O1");
    s.reversed("06-14", "R2", 1, "R1", "16.50").order = s.name("O1");
    CHECK(claimable(s) == "");
  }
  SUBCASE("but where the unit came back broken by Amazon the payment was right, and is claimed once") {
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "03-15");
    s.returned("04-01", "O1", "DAMAGED");
    s.paid("05-12", "R1", "CustomerReturn", 1, "16.50", "O1");
    s.reversed("06-10", "R2", 1, "R1", "16.50").order = s.name("O1");
    CHECK(claimable(s) == "reimbursement_reversal_unsupported 1 16.5");
  }
  SUBCASE("the shipment was counted in before it was paid for") {
    s.shipment("FBA1", "CLOSED", "03-20");
    s.item("FBA1", "FN1", 100, 100);
    s.moved("03-28", Movement::receipt, 95, "SELLABLE", "FBA1");
    s.moved("05-03", Movement::receipt, 5, "SELLABLE", "FBA1");
    s.paid("05-05", "R1", "Lost_Inbound", 5);
    s.reversed("06-05", "R2", 5, "R1");
    CHECK(claimable(s) == "");
  }
  SUBCASE("a shortage was paid twice") {
    s.shipment("FBA1", "CLOSED", "03-20");
    s.item("FBA1", "FN1", 100, 95);
    s.moved("03-28", Movement::receipt, 95, "SELLABLE", "FBA1");
    s.paid("05-05", "R1", "Lost_Inbound", 5);
    s.paid("05-20", "R1b", "Lost_Inbound", 5);
    s.reversed("06-05", "R2", 5, "R1");
    CHECK(claimable(s) == "");
  }
  SUBCASE("found again, while another loss was paid at that time") {
    s.adjusted("05-01", 'M', -3);
    s.paid("05-05", "R1", "Lost_Warehouse", 3, "10.00");
    s.adjusted("05-30", 'F', 3);
    s.adjusted("06-01", 'M', -3);
    s.paid("06-06", "R3", "Lost_Warehouse", 3, "8.00");
    s.reversed("06-05", "R2", 3, "R1", "10.00");
    CHECK(claimable(s) == "");
  }
  SUBCASE("counted in after it was paid for, of a shipment that is not known any more") {
    s.paid("05-05", "R1", "Lost_Inbound", 5);
    s.moved("05-20", Movement::receipt, 5, "SELLABLE", "FBA1");
    s.reversed("06-05", "R2", 5, "R1");
    CHECK(claimable(s) == "");
  }
  SUBCASE("one payment stands in for one of two that were taken back") {
    s.adjusted("05-01", 'M', -3);
    s.adjusted("05-03", 'M', -3);
    s.paid("05-05", "R1", "Lost_Warehouse", 3, "10.00");
    s.paid("05-06", "R2", "Lost_Warehouse", 3, "10.00");
    s.reversed("06-05", "R3", 3, "R1", "10.00");
    s.reversed("06-06", "R4", 3, "R2", "10.00");
    s.paid("06-07", "R5", "Lost_Warehouse", 3, "8.00");
    CHECK(claimable(s) == "reimbursement_reversal_unsupported 3 30; reimbursement_reversal_unsupported 0 6");
  }
  SUBCASE("paid again at another amount: the difference alone is owed, and a payment stands in for one reversal") {
    s.adjusted("05-01", 'M', -3);
    s.paid("05-05", "R1", "Lost_Warehouse", 3, "10.00");
    s.reversed("06-05", "R2", 3, "R1", "10.00");
    s.paid("06-06", "R3", "Lost_Warehouse", 3, "8.00");
    CHECK(claimable(s) == "reimbursement_reversal_unsupported 0 6");
  }
}

TEST_CASE("one reversal of two lines is two findings, each with its own name") {
  Sheet s;
  s.adjusted("03-10", 'M', -2);
  s.adjusted("03-11", 'E', -1);
  s.adjusted("03-11", 'P', 1, "WAREHOUSE_DAMAGED");
  s.paid("03-20", "R1", "Lost_Warehouse", 2);
  s.paid("03-20", "R1", "Damaged_Warehouse", 1);
  s.reversed("06-05", "R2", 3, "R1");
  const auto found = s.of("reimbursement_reversal_unsupported");
  REQUIRE(found.size() == 2);
  CHECK(finding_id(s.t, found[0]) != finding_id(s.t, found[1]));
}

TEST_CASE("what left one building and is in transit is in transit once") {
  Sheet s;
  SUBCASE("two transfers share what the summary tells") {
    s.moved("03-14", Movement::transfer, -10, "SELLABLE", "X1", "ONT8");
    s.moved("03-20", Movement::transfer, -3, "SELLABLE", "X2", "ONT8");
    s.moved("03-21", Movement::transfer, 7, "SELLABLE", "X1", "PHX6");
    in_transit(s, "06-29", 3);
    CHECK(claimable(s) == "lost_in_fc_transfer 3 24");
  }
  SUBCASE("paid, though no loss was booked") {
    s.moved("03-15", Movement::transfer, -10, "SELLABLE", "X1", "ONT8");
    s.moved("03-22", Movement::transfer, 7, "SELLABLE", "X1", "PHX6");
    in_transit(s, "06-29", 3);
    s.paid("05-01", "R1", "Lost_Warehouse", 3);
    CHECK(claimable(s) == "");
  }
  SUBCASE("one loss explains as many units as it books") {
    s.moved("03-15", Movement::transfer, -3, "SELLABLE", "X1", "ONT8");
    s.moved("03-16", Movement::transfer, -3, "SELLABLE", "X2", "ONT8");
    s.adjusted("04-20", 'M', -3, "SELLABLE", 3, 0);
    in_transit(s, "06-29", 3);
    const auto found = s.of("lost_in_fc_transfer");
    REQUIRE(found.size() == 1);
    CHECK(found[0].quantity == 3);
  }
  SUBCASE("the summary is of a time before it left") {
    s.moved("03-15", Movement::transfer, -10, "SELLABLE", "X1", "ONT8");
    s.moved("03-22", Movement::transfer, 7, "SELLABLE", "X1", "PHX6");
    in_transit(s, "02-28", 3);
    CHECK(claimable(s) == "");
    without(s, Source::ledger_summary, {{"2025-01-01", "03-01"}}, "throttled until 2026-07-01");
    CHECK(claimable(s) == "");
    CHECK(blocked(s, "lost_in_fc_transfer").starts_with("ledger_summary: throttled until 2026-07-01"));
  }
}

TEST_CASE("a return that the ledger books otherwise is in stock") {
  Sheet s;
  s.returned("05-18", "O2", "SELLABLE");
  SUBCASE("as found, of a product that nothing else is known of") { s.adjusted("05-20", 'F', 1); }
  SUBCASE("as given back") { s.adjusted("05-20", 'N', 1); }
  SUBCASE("under the name of another ASIN, after two were merged") { s.moved("05-20", Movement::customer_return, 1).asin = s.name("ASIN-NEW"); }
  CHECK(claimable(s) == "");
}

TEST_CASE("a payment that bears the removal's number pays for the removal") {
  Sheet s;
  SUBCASE("lost on the way") {
    s.removal("RM1", Removal::Type::giving_back, "SELLABLE", 20, 20, 0, "05-01", "05-05");
    s.sent_back("RM1", "05-05", 20);
    s.arrived("RM1", 15);
    SUBCASE("this one's") {
      s.paid("06-01", "R1", "Removal_Order_Lost", 5, "8.00", "RM1");
      CHECK(claimable(s) == "");
    }
    SUBCASE("another one's") {
      s.removal("RM9", Removal::Type::giving_back, "SELLABLE", 5, 5, 0, "05-01", "05-05");
      s.paid("06-01", "R1", "Removal_Order_Lost", 5, "8.00", "RM9");
      CHECK(claimable(s) == "removal_lost 5 40");
    }
    SUBCASE("for nothing said") {
      s.paid("06-01", "R1", "General_Adjustment", 5, "8.00", "RM1");
      CHECK(claimable(s) == "");
    }
  }
  SUBCASE("destroyed instead") {
    s.removal("RM2", Removal::Type::giving_back, "SELLABLE", 10, 6, 4, "05-01", "05-15");
    s.paid("05-25", "R1", "Removal_Order_Damaged", 4, "8.00", "RM2");
    CHECK(claimable(s) == "");
  }
}

TEST_CASE("units of a shipment that were counted in as another product of the ASIN are not short") {
  Sheet s;
  s.shipment("FBA1", "CLOSED", "03-20");
  s.item("FBA1", "FN1", 100, 92);
  s.moved("03-28", Movement::receipt, 92, "SELLABLE", "FBA1");
  LedgerRow& other = s.moved("03-29", Movement::receipt, 8, "SELLABLE", "FBA1");
  SUBCASE("as found by Amazon") {
    other.msku = s.name("Amazon.Found.ASIN1");
    other.fnsku = s.name("FNX");
    CHECK(claimable(s) == "");
  }
  SUBCASE("as a product that was not planned") {
    other.msku = s.name("SKU2");
    other.fnsku = s.name("FN2");
    CHECK(claimable(s) == "");
  }
  SUBCASE("but not as one of another ASIN") {
    other.msku = s.name("SKU2");
    other.fnsku = s.name("FN2");
    other.asin = s.name("ASIN2");
    CHECK(claimable(s) == "inbound_shortage 8 64");
  }
}

TEST_CASE("nothing is claimed before all of it has happened") {
  Sheet s;
  SUBCASE("a shipment that was still counted in until lately") {
    s.shipment("FBA1", "CLOSED", "05-20");
    s.item("FBA1", "FN1", 100, 92);
    s.moved("05-25", Movement::receipt, 80, "SELLABLE", "FBA1");
    s.moved("06-25", Movement::receipt, 12, "SELLABLE", "FBA1");
    says(s.of("inbound_shortage"), {.readiness = "not_mature", .quantity = 8, .from = "07-09"});
  }
  SUBCASE("a unit that came back broken long after its refund") {
    s.sold_as_usual("O3");
    s.refunded_as_usual("O3", "04-10");
    s.returned("06-20", "O3", "DAMAGED");
    says(s.of("return_damage_unpaid"), {.readiness = "not_mature", .quantity = 1, .from = "07-20"});
  }
}

TEST_CASE("cases that were entered as units are not short, and half of what was packed in pairs is") {
  Sheet s;
  s.shipment("FBA1", "CLOSED", "03-20");
  SUBCASE("cases") {
    s.item("FBA1", "FN1", 10, 120).in_case = 12;
    CHECK(s.of("inbound_shortage").empty());
    s.shipment("FBA2", "CLOSED", "03-25");
    s.item("FBA2", "FN1", 100, 92);   // 110 units more than were sent there are no overage
    CHECK(claimable(s) == "inbound_shortage 8 64");
  }
  SUBCASE("half of the units") {
    s.item("FBA1", "FN1", 24, 12).in_case = 2;
    s.moved("03-28", Movement::receipt, 12, "SELLABLE", "FBA1");
    CHECK(claimable(s) == "inbound_shortage 12 96");
  }
}

TEST_CASE("SKUs that share a product are short together") {
  Sheet s;
  s.shipment("FBA1", "CLOSED", "03-20");
  s.item("FBA1", "FN1", 50, 45);
  s.item("FBA1", "FN1", 50, 46).sku = s.name("another SKU");
  s.moved("03-28", Movement::receipt, 91, "SELLABLE", "FBA1");
  CHECK(claimable(s) == "inbound_shortage 9 72");
}

TEST_CASE("a row of the other sign takes back what was booked by mistake") {
  Sheet s;
  SUBCASE("of a disposal") {
    s.adjusted("05-10", 'D', -4);
    s.adjusted("05-11", 'D', 4);
    CHECK(claimable(s) == "");
  }
  SUBCASE("of a damaged receipt") {
    s.t.partnered.push_back({s.name("FBA1"), true});
    s.moved("05-15", Movement::receipt, 3, "CARRIER_DAMAGED", "FBA1");
    s.moved("05-16", Movement::receipt, -3, "CARRIER_DAMAGED", "FBA1");
    s.moved("05-16", Movement::receipt, 3, "SELLABLE", "FBA1");
    CHECK(claimable(s) == "");
  }
  SUBCASE("of a loss, in part") {
    s.adjusted("05-20", 'M', -5);
    s.adjusted("05-21", 'M', 2);
    CHECK(claimable(s) == "lost_warehouse 3 24");
  }
  SUBCASE("of a damage") {
    s.adjusted("05-20", 'E', -2);
    s.adjusted("05-20", 'P', 2, "WAREHOUSE_DAMAGED");
    s.adjusted("05-21", 'E', 2);
    CHECK(claimable(s) == "");
  }
}

TEST_CASE("where Amazon's columns are blank the ledger's own rows say what is left") {
  Sheet s;
  SUBCASE("a unit that was looked at again and is not damaged") {
    s.adjusted("05-25", 'E', -2);
    s.adjusted("05-25", 'P', 2, "WAREHOUSE_DAMAGED");
    s.adjusted("06-01", 'Q', -1, "WAREHOUSE_DAMAGED");
    s.adjusted("06-01", 'P', 1);
    CHECK(claimable(s) == "damaged_warehouse 1 8");
  }
  SUBCASE("a unit that was found before it was booked as lost") {
    s.adjusted("05-15", 'F', 1);
    s.adjusted("05-20", 'M', -1);
    CHECK(s.of("lost_warehouse").empty());   // not even for a person to look at
  }
  SUBCASE("units that Amazon gave in place of the lost ones") {
    s.adjusted("05-20", 'M', -2);
    s.adjusted("05-25", 'N', 2);
    CHECK(s.of("lost_warehouse").empty());
  }
  SUBCASE("damage that was paid as a loss") {
    s.adjusted("05-25", 'E', -2);
    s.adjusted("05-25", 'P', 2, "WAREHOUSE_DAMAGED");
    s.paid("06-03", "R1", "Lost_Warehouse", 2);
    CHECK(s.of("damaged_warehouse").empty());
  }
  SUBCASE("a payment near by that nothing ties to the loss makes it a matter for a person") {
    s.paid("05-20", "R1", "Lost_Warehouse", 2);
    s.adjusted("06-01", 'M', -1, "SELLABLE", 0, 1);
    says(s.of("lost_warehouse"), {.readiness = "review", .quantity = 1, .confidence = 65});
  }
  SUBCASE("of what Amazon's own figure calls open no more is claimed") {
    s.adjusted("05-20", 'M', -5, "SELLABLE", 2, 3);
    CHECK(claimable(s) == "lost_warehouse 3 24");
  }
  SUBCASE("a transfer that arrives under another reference") {
    s.moved("03-15", Movement::transfer, -10, "SELLABLE", "X1", "ONT8");
    s.moved("03-22", Movement::transfer, 10, "SELLABLE", "Y7", "PHX6");
    in_transit(s, "06-29", 10);
    CHECK(claimable(s) == "");
  }
  SUBCASE("a late payment is of the loss that it equals") {
    s.adjusted("05-01", 'M', -3);
    s.adjusted("05-03", 'M', -2);
    s.paid("08-15", "R1", "Lost_Warehouse", 3);
    s.as_of = day("08-30");
    const auto found = s.of("lost_warehouse");
    REQUIRE(found.size() == 1);
    CHECK(found[0].quantity == 2);
    CHECK(format_day(found[0].event) == "2026-05-03");
  }
}

TEST_CASE("what a table did not tell blocks what rests on it, from the day on that it rests on") {
  Sheet s;
  SUBCASE("the ledger after a payment, for its reversal") {
    without(s, Source::ledger, {{"2025-01-01", "03-25"}, {"04-10", "07-01"}});
    s.adjusted("03-10", 'M', -3);
    s.paid("03-20", "R1", "Lost_Warehouse", 3);
    s.reversed("06-05", "R2", 3, "R1");
  }
  SUBCASE("the money of a reversed payment's order") {
    without(s, Source::money, {}, "throttled");
    s.paid("05-20", "R0", "CustomerReturn", 1, "16.50", "O9");
    s.paid("05-28", "R1", "CustomerReturn", 1, "16.50", "O9");
    s.reversed("06-05", "R2", 1, "R1", "16.50").order = s.name("O9");
    const auto found = s.of("reimbursement_reversal_unsupported");
    REQUIRE(found.size() == 1);
    CHECK(found[0].blocked.starts_with("money: throttled"));
  }
  SUBCASE("the day on which an order's second unit was sold") {
    without(s, Source::money, {{"2025-01-01", "04-03"}, {"04-04", "07-01"}});
    s.sold_as_usual("O1", "04-01");
    s.money_of(MoneyKind::refund, "O1", "05-15", 2, {{Part::principal, "-50.00"}, {Part::commission, "7.50"}, {Part::refund_commission, "-1.50"}});
    s.returned("05-20", "O1", "SELLABLE", 2);
    s.moved("05-21", Movement::customer_return, 2);
  }
  SUBCASE("the last days of the payments") {
    without(s, Source::reimbursements, {{"2025-01-01", "06-28"}});
    s.adjusted("06-10", 'M', -5, "SELLABLE", 0, 5);
  }
  SUBCASE("storage fees") {
    without(s, Source::storage_fees, {}, "throttled until 2026-07-01");
    CHECK(blocked(s, "storage_fee_overcharge") == "storage_fees: throttled until 2026-07-01");
  }
  CHECK(claimable(s) == "");
}

TEST_CASE("a refund of several units at a part of their price is a price adjustment") {
  Sheet s;
  s.sold("O1", "04-01", 2, {{Part::principal, "50.00"}, {Part::commission, "-7.50"}, {Part::fulfilment, "-9.50"}});
  s.money_of(MoneyKind::refund, "O1", "04-15", 2, {{Part::principal, "-25.00"}, {Part::commission, "3.75"}, {Part::refund_commission, "-0.75"}});
  CHECK(claimable(s) == "");
}

TEST_CASE("a unit that is refunded a second time is owed since the first") {
  Sheet s;
  s.sold_as_usual("O1");
  s.refunded_as_usual("O1", "04-15");
  s.refunded("O1", "06-10", {{Part::principal, "-25.00"}});
  says(s.of("return_not_received"), {.readiness = "claim_ready", .quantity = 1, .from = "06-14"});
}

TEST_CASE("fees that are right under their own rates are no overcharge") {
  Sheet s;
  SUBCASE("a surcharge that came after the preview") {
    const auto policy = Policy::parse({{"rate_cards.json", R"({"version":"t","storage":[],"fulfilment":[{"id":"TC1","country":"US","from":"2026-01-15","tiers":[{"name":"large standard","most_ounces":32,"fee":5.50}],"surcharges":[{"from":"2026-04-17","factor":1.035}]}],"referral":[]})"}});
    REQUIRE(policy);
    s.t.fee_previews.push_back({901, day("04-10"), day("04-10"), s.name("SKU1"), s.name("FN1"), s.name("ASIN1"), currency("USD"), money("5.50"), money("3.75"), money("25.00"), s.name("large standard"), {}});
    s.sold("O1", "05-10", 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}, {Part::fulfilment, "-5.69"}});
    CHECK(claimable(s, *policy) == "");
  }
  SUBCASE("a rate that has steps") {
    s.t.fee_previews.push_back({901, day("05-10"), day("05-10"), s.name("SKU1"), s.name("FN1"), s.name("ASIN1"), currency("USD"), money("4.75"), money("0.75"), money("14.99"), {}});
    for (int i = 0; i < 10; ++i) s.sold("O" + std::to_string(i), "05-12", 1, {{Part::principal, "24.00"}, {Part::commission, "-4.08"}, {Part::fulfilment, "-4.75"}});
    CHECK(claimable(s) == "");
  }
  SUBCASE("the least fee") {
    s.t.fee_previews.push_back({901, day("05-10"), day("05-10"), s.name("SKU1"), s.name("FN1"), s.name("ASIN1"), currency("USD"), money("4.75"), money("3.75"), money("25.00"), {}});
    s.sold("O1", "05-12", 1, {{Part::principal, "1.00"}, {Part::commission, "-0.30"}, {Part::fulfilment, "-4.75"}});
    CHECK(claimable(s) == "");
  }
  SUBCASE("a tier, however it is written") {
    for (const char* tier : {"STANDARD", "Standard-Size", "Lg-Std-Non-Media", "UsLargeStandardSize", "Large", ""}) {
      CAPTURE(tier);
      StorageFee f;
      f.row = 950;
      f.month = day("05-01");
      f.fnsku = s.name("FN1");
      f.country = s.name("US");
      f.currency = currency("USD");
      f.on_hand = money("1000");
      f.pending = money("0");
      f.item_volume = money("0.0208");
      f.rate = money("0.78");
      f.fee = money("16.22");
      f.volume_units = s.name("cubic feet");
      f.tier = s.name(tier);
      s.t.storage_fees = {f};
      CHECK(claimable(s) == "");
    }
  }
  SUBCASE("a bill that came twice and was given back once") {
    int row = 800;
    for (const auto& [on, amount] : {std::pair{"05-10", "-120.00"}, {"05-12", "-120.00"}, {"05-14", "120.00"}})
      s.t.service_fees.push_back({.row = row++, .posted = day(on), .type = s.name("FBAStorageFee"), .sku = {}, .fnsku = {}, .object = {}, .country = "US", .currency = currency("USD"), .amount = money(amount)});
    CHECK(claimable(s) == "");
  }
  SUBCASE("the same small fee for several SKUs") {
    int row = 800;
    for (const char* sku : {"SKU1", "SKU2", "SKU3"})
      s.t.service_fees.push_back({.row = row++, .posted = day("05-15"), .type = s.name("FBALongTermStorageFee"), .sku = s.name(sku), .fnsku = {}, .object = {}, .country = "US", .currency = currency("USD"), .amount = money("-0.15")});
    CHECK(claimable(s) == "");
  }
}

TEST_CASE("a window is the country's own, and where it stands in for one it says so") {
  Sheet s;
  SUBCASE("India gives thirty days for a removal") {
    s.t.home = "IN";
    s.removal("RM1", Removal::Type::giving_back, "SELLABLE", 20, 20, 0, "05-01", "05-05");
    s.sent_back("RM1", "05-05", 20);
    s.arrived("RM1", 15);
    says(s.of("removal_lost"), {.readiness = "expired", .quantity = 5, .until = "06-04"});
  }
  SUBCASE("Germany's are told of the EU") {
    s.t.home = "DE";
    s.sold_as_usual("O1");
    s.money_rows.back().second.country = "DE";
    s.refunded("O1", "04-15", {{Part::principal, "-25.00"}}).country = "DE";
    const auto found = s.of("return_not_received");
    REQUIRE(found.size() == 1);
    CHECK(found[0].policy == "eu.return.2024");
    CHECK_FALSE(found[0].policy_confirmed);
  }
}

TEST_CASE("a unit that lay where nothing is sold is worth what it is worth at home") {
  Sheet s;
  s.t.home = "DE";
  s.t.costs.clear();
  s.cost("FN1", "01-01", "8.00", "EUR");
  s.adjusted("05-20", 'M', -5, "SELLABLE", 0, 5).country = s.name("CZ");
  CHECK(claimable(s) == "lost_warehouse 5 40");
}

TEST_CASE("why something is no claim is told with the rows that say so") {
  Sheet s;
  const std::int64_t loss = s.adjusted("05-20", 'M', -3).row, payment = s.paid("05-29", "R1", "Lost_Warehouse", 3).row;
  std::vector<Verdict> verdicts;
  detect(s.t, s.ledger, s.orders(), Policy::embedded(), s.as_of, &verdicts);
  const auto of_loss = std::find_if(verdicts.begin(), verdicts.end(), [&](const Verdict& v) { return v.rule == "lost_warehouse" && v.row == RowRef{Source::ledger, loss}; });
  REQUIRE(of_loss != verdicts.end());
  REQUIRE(of_loss->by.size() == 1);
  CHECK(of_loss->by[0].by == RowRef{Source::reimbursements, payment});
  CHECK(of_loss->by[0].units == 3);
}

TEST_SUITE_END();
