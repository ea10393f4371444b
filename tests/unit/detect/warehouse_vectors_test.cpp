// SPDX-License-Identifier: Apache-2.0
// The worked examples of the specification (detection 3), by rule and number: rules 1, 2, 3, 4, 5, 19.
#include "unit/detect/sheet.hpp"

using namespace sheet;

TEST_SUITE_BEGIN("detect");

TEST_CASE("a payment in units, which the ledger books too, counts once") {
  Sheet s;
  s.adjusted("05-20", 'M', -2);
  s.adjusted("05-22", 'M', -3);
  Reimbursement& r = s.paid("05-26", "R1", "Lost_Warehouse", 0);
  r.inventory = 2;
  s.adjusted("05-27", 'N', 2);
  says(s.of("lost_warehouse"), {.readiness = "claim_ready", .quantity = 3, .amount = "24.00"});
}

TEST_CASE("lost_warehouse") {
  Sheet s;
  SUBCASE("v1") {
    s.adjusted("05-20", 'M', -5, "SELLABLE", 0, 5);
    says(s.of("lost_warehouse"), {.readiness = "claim_ready", .quantity = 5, .amount = "40.00", .from = "06-04", .until = "07-19", .confidence = 90});
  }
  SUBCASE("v2") {
    s.adjusted("05-20", 'M', -5, "SELLABLE", 3, 2);
    s.adjusted("06-02", 'F', 3);
    says(s.of("lost_warehouse"), {.readiness = "claim_ready", .quantity = 2, .amount = "16.00", .confidence = 90});
  }
  SUBCASE("v3") {
    s.adjusted("05-20", 'M', -4, "SELLABLE", 3, 1);
    s.paid("05-28", "R1", "Lost_Warehouse", 3);
    s.adjusted("06-10", 'F', 1);
    s.reversed("06-12", "R2", 1, "R1");
    says(s.of("lost_warehouse"), {.readiness = "claim_ready", .quantity = 1, .amount = "8.00"});
    CHECK(s.of("reimbursement_reversal_unsupported").empty());
  }
  SUBCASE("v4") {
    s.adjusted("04-20", 'M', -2, "SELLABLE", 0, 2);
    says(s.of("lost_warehouse"), {.readiness = "expired", .quantity = 2, .until = "06-19"});
  }
  SUBCASE("v5") {
    s.adjusted("06-25", 'M', -1, "SELLABLE", 0, 1);
    says(s.of("lost_warehouse"), {.readiness = "not_mature", .quantity = 1, .from = "07-10"});
  }
  SUBCASE("v6") {
    s.adjusted("05-20", 'M', -1, "SELLABLE", 1, 0);
    s.adjusted("05-20", 'M', -1, "SELLABLE", 0, 1).occurrence = 1;
    s.paid("05-28", "R1", "Lost_Warehouse", 1);   // once: the store keeps the line of both marketplaces once
    const auto found = s.of("lost_warehouse");
    says(found, {.readiness = "claim_ready", .quantity = 1, .amount = "8.00"});
    CHECK(found[0].subject.ends_with("#1"));
  }
  SUBCASE("v7") {
    s.adjusted("03-01", 'M', -1);
    s.adjusted("05-20", 'M', -1);
    s.adjusted("06-01", 'F', 1);
    const auto found = s.of("lost_warehouse");
    says(found, {.readiness = "expired", .quantity = 1});
    CHECK(found[0].event == day("03-01"));
  }
  SUBCASE("v8") {
    s.adjusted("05-20", 'M', -2);
    s.adjusted("05-22", 'M', -3);
    s.paid("05-29", "R1", "Lost_Warehouse", 5);
    CHECK(s.of("lost_warehouse").empty());
  }
  SUBCASE("v9") {
    s.t.home = "JP";
    s.t.costs.clear();
    s.cost("FN1", "01-01", "1200", "JPY");
    s.adjusted("05-20", 'M', -2, "SELLABLE", 0, 2);
    says(s.of("lost_warehouse"), {.readiness = "claim_ready", .quantity = 2, .amount = "2400"});
  }
}

TEST_CASE("damaged_warehouse") {
  Sheet s;
  const auto damaged = [&](std::optional<int> reconciled, std::optional<int> unreconciled) {
    s.adjusted("05-25", 'E', -2, "SELLABLE", reconciled, unreconciled);
    s.adjusted("05-25", 'P', 2, "WAREHOUSE_DAMAGED");
  };
  SUBCASE("v1") {
    damaged(0, 2);
    says(s.of("damaged_warehouse"), {.readiness = "claim_ready", .quantity = 2, .amount = "16.00", .from = "06-09", .until = "07-24", .confidence = 95});
  }
  SUBCASE("v2") {
    damaged(1, 1);
    s.adjusted("06-01", 'Q', -1, "WAREHOUSE_DAMAGED");
    s.adjusted("06-01", 'P', 1, "SELLABLE");
    says(s.of("damaged_warehouse"), {.readiness = "claim_ready", .quantity = 1, .amount = "8.00"});
  }
  SUBCASE("v3") {
    damaged(2, 0);
    s.paid("06-03", "R1", "Lost_Warehouse", 2);
    CHECK(s.of("damaged_warehouse").empty());
  }
  SUBCASE("v4") {
    s.adjusted("05-25", 'E', -1, "SELLABLE", 0, 1);
    s.adjusted("05-25", 'P', 1, "WAREHOUSE_DAMAGED");
    s.adjusted("06-05", 'M', -1, "WAREHOUSE_DAMAGED");
    s.adjusted("06-07", 'O', -1, "WAREHOUSE_DAMAGED");
    says(s.of("damaged_warehouse"), {.readiness = "claim_ready", .quantity = 1, .amount = "8.00"});
    CHECK(s.of("lost_warehouse").empty());
  }
  SUBCASE("v5") {
    s.adjusted("05-20", 'H', -1, "CUSTOMER_DAMAGED");
    s.adjusted("05-20", 'P', 1, "WAREHOUSE_DAMAGED");
    says(s.of("damaged_warehouse"), {.readiness = "review", .quantity = 1, .confidence = 55});
  }
}

TEST_CASE("lost_in_fc_transfer") {
  Sheet s;
  const auto balance = [&](int in_transit) { s.t.balances.push_back({900, day("06-01"), s.name("FN1"), Disposition::sellable, in_transit, 0, 0}); };
  const auto moves = [&] {
    s.moved("03-15", Movement::transfer, -10, "SELLABLE", "X1", "ONT8");
    s.moved("03-22", Movement::transfer, 7, "SELLABLE", "X1", "PHX6");
  };
  SUBCASE("v1") {
    moves();
    balance(3);
    says(s.of("lost_in_fc_transfer"), {.readiness = "claim_ready", .quantity = 3, .amount = "24.00", .until = "07-13", .confidence = 85});
  }
  SUBCASE("v2") {
    moves();
    balance(3);
    s.adjusted("04-20", 'M', -3);
    CHECK(s.of("lost_in_fc_transfer").empty());
    says(s.of("lost_warehouse"), {.readiness = "expired", .quantity = 3});
  }
  SUBCASE("v3") {
    moves();
    balance(0);
    CHECK(s.of("lost_in_fc_transfer").empty());
  }
  SUBCASE("v4") {
    s.moved("06-10", Movement::transfer, -10, "SELLABLE", "X1", "ONT8");
    balance(10);
    says(s.of("lost_in_fc_transfer"), {.readiness = "not_mature", .quantity = 10, .from = "08-09"});
  }
}

TEST_CASE("inbound_shortage") {
  Sheet s;
  const auto begin = [&](std::string_view status) {
    s.shipment("FBA1", status, "03-20");
    s.item("FBA1", "FN1", 100, 92);
    s.moved("03-28", Movement::receipt, 92, "SELLABLE", "FBA1");
  };
  SUBCASE("v1") {
    begin("CLOSED");
    says(s.of("inbound_shortage"), {.readiness = "claim_ready", .quantity = 8, .amount = "64.00", .from = "04-19", .until = "12-20", .safe = "05-19", .confidence = 80});
  }
  SUBCASE("v2") {
    begin("CLOSED");
    s.item("FBA1", "FN2", 50, 53);
    LedgerRow& other = s.moved("03-28", Movement::receipt, 53, "SELLABLE", "FBA1");
    other.fnsku = s.name("FN2");
    other.msku = s.name("SKU2");
    says(s.of("inbound_shortage"), {.readiness = "claim_ready", .quantity = 5, .amount = "40.00"});
  }
  SUBCASE("v3") {
    begin("CLOSED");
    s.paid("05-05", "R1", "Lost_Inbound", 5);
    says(s.of("inbound_shortage"), {.readiness = "claim_ready", .quantity = 3, .amount = "24.00"});
  }
  SUBCASE("v4, deleted") {
    begin("DELETED");
    CHECK(s.of("inbound_shortage").empty());
  }
  SUBCASE("v4, receiving") {
    begin("RECEIVING");
    says(s.of("inbound_shortage"), {.readiness = "not_mature", .quantity = 8});
  }
}

TEST_CASE("damaged_inbound") {
  Sheet s;
  SUBCASE("v1") {
    s.moved("05-15", Movement::receipt, 3, "CARRIER_DAMAGED", "FBA1");
    s.t.partnered.push_back({s.name("FBA1"), true});
    says(s.of("damaged_inbound"), {.readiness = "claim_ready", .quantity = 3, .amount = "24.00", .from = "06-14", .until = "2027-02-15", .safe = "07-14", .confidence = 75});
  }
  SUBCASE("v2") {
    s.moved("05-15", Movement::receipt, 3, "CARRIER_DAMAGED", "FBA1");
    says(s.of("damaged_inbound"), {.readiness = "review", .quantity = 3, .confidence = 65});
  }
  SUBCASE("v3") {
    s.moved("05-15", Movement::receipt, 3, "DISTRIBUTOR_DAMAGED", "FBA1");
    CHECK(s.of("damaged_inbound").empty());
  }
  SUBCASE("a correction is of one receipt") {
    s.t.partnered.push_back({s.name("FBA1"), true});
    s.moved("05-15", Movement::receipt, 3, "CARRIER_DAMAGED", "FBA1");
    s.moved("05-16", Movement::receipt, 2, "CARRIER_DAMAGED", "FBA1");
    s.adjusted("05-18", 'Q', -4, "CARRIER_DAMAGED");
    says(s.of("damaged_inbound"), {.readiness = "claim_ready", .quantity = 1});
  }
  SUBCASE("payments for shipments go to what is missing first") {
    s.t.partnered.push_back({s.name("FBA1"), true});
    s.moved("05-15", Movement::receipt, 3, "CARRIER_DAMAGED", "FBA1");
    s.shipment("FBA1", "CLOSED", "05-14");
    s.item("FBA1", "FN1", 5, 3);
    s.paid("05-25", "R1", "Damaged_Inbound", 3);
    says(s.of("damaged_inbound"), {.readiness = "claim_ready", .quantity = 2});
    CHECK(s.of("inbound_shortage").empty());
  }
}

TEST_CASE("a unit that was found by ASIN answers for one loss or one reversal, of whichever product") {
  for (const bool of_later : {true, false}) {
    CAPTURE(of_later);
    Sheet s;
    LedgerRow& found = s.adjusted("03-20", 'F', 1);
    found.msku = s.name("Amazon.Found.1");
    found.fnsku = s.name("FN-ANY");
    s.adjusted("03-01", 'M', -1);
    s.paid("03-10", "R1", "Lost_Warehouse", 1);
    s.reversed("03-25", "X1", 1, "R1");
    const Name other = s.name(of_later ? "FN2" : "FN0");
    LedgerRow& loss = s.adjusted("03-15", 'M', -1);
    loss.fnsku = other;
    loss.msku = s.name("SKU2");
    s.moved("03-01", Movement::receipt, 9);
    const auto reversals = s.of("reimbursement_reversal_unsupported"), losses = s.of("lost_warehouse");
    CHECK(reversals.size() + losses.size() == 1);
    CHECK((of_later ? losses : reversals).size() == 1);
  }
}

TEST_CASE("disposed_without_request") {
  Sheet s;
  SUBCASE("v1") {
    s.adjusted("05-20", 'D', -4);
    says(s.of("disposed_without_request"), {.readiness = "claim_ready", .quantity = 4, .amount = "32.00", .from = "06-04", .until = "07-19", .confidence = 70});
  }
  SUBCASE("v2, all ordered") {
    s.adjusted("05-20", 'D', -4);
    s.removal("RM3", Removal::Type::disposal, "Sellable", 4, 0, 4, "05-18", "05-22");
    CHECK(s.of("disposed_without_request").empty());
  }
  SUBCASE("v2, three ordered") {
    s.adjusted("05-20", 'D', -4);
    s.removal("RM3", Removal::Type::disposal, "Sellable", 3, 0, 3, "05-18", "05-22");
    says(s.of("disposed_without_request"), {.readiness = "claim_ready", .quantity = 1});
  }
  SUBCASE("v3") {
    s.adjusted("05-20", 'D', -4, "WAREHOUSE_DAMAGED");
    CHECK(s.of("disposed_without_request").empty());
  }
  SUBCASE("v4") {
    s.adjusted("05-20", 'D', -4, "CUSTOMER_DAMAGED");
    says(s.of("disposed_without_request"), {.readiness = "review", .quantity = 4, .confidence = 45});
  }
}

TEST_SUITE_END();
