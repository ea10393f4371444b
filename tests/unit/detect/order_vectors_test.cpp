// SPDX-License-Identifier: Apache-2.0
// The worked examples of the specification (detection 3), by rule and number: rules 6 to 12, 17, 18, 20.
#include "unit/detect/sheet.hpp"

using namespace sheet;

TEST_SUITE_BEGIN("detect");

TEST_CASE("return_not_received") {
  Sheet s;
  SUBCASE("v1") {
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "04-15");
    says(s.of("return_not_received"), {.readiness = "claim_ready", .quantity = 1, .amount = "16.50", .from = "06-14", .until = "08-13", .safe = "07-29", .confidence = 85, .high = "21.25"});
  }
  SUBCASE("v2") {
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "04-15");
    s.returned("05-20", "O1", "CUSTOMER_DAMAGED");
    CHECK(s.of("return_not_received").empty());
  }
  SUBCASE("v3") {
    s.sold_as_usual("O1");
    s.refunded("O1", "04-15", {{Part::principal, "-10.00"}});
    CHECK(s.of("return_not_received").empty());
  }
  SUBCASE("v4") {
    s.sold("O1", "04-01", 2, {{Part::principal, "50.00"}, {Part::commission, "-7.50"}, {Part::fulfilment, "-9.50"}});
    s.refunded("O1", "04-15", {{Part::principal, "-50.00"}, {Part::commission, "7.50"}, {Part::refund_commission, "-1.50"}});
    s.returned("05-20", "O1", "SELLABLE");
    says(s.of("return_not_received"), {.readiness = "claim_ready", .quantity = 1, .amount = "16.50"});
  }
  SUBCASE("v5, young") {
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "05-10");
    says(s.of("return_not_received"), {.readiness = "not_mature", .quantity = 1, .from = "07-09"});
  }
  SUBCASE("v5, old") {
    s.sold_as_usual("O1", "02-01");
    s.refunded_as_usual("O1", "02-20");
    says(s.of("return_not_received"), {.readiness = "expired", .quantity = 1, .until = "06-20"});
  }
  SUBCASE("v6") {
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "04-15");
    s.paid("06-16", "R1", "CustomerReturn", 1, "16.50", "O1");
    CHECK(s.of("return_not_received").empty());
  }
}

TEST_CASE("a return under another SKU of the ASIN counts, also where the money tells no ASIN") {
  Sheet s;
  s.sold("O1", "04-01", 1, {{Part::principal, "25.00"}, {Part::fulfilment, "-4.75"}}).asin = {};
  s.refunded("O1", "04-15", {{Part::principal, "-25.00"}}).asin = {};
  s.moved("03-01", Movement::receipt, 1);   // the ledger knows the ASIN of the SKU
  CHECK(s.of("return_not_received").size() == 1);
  s.returned("05-20", "O1", "SELLABLE").sku = s.name("SKU2");
  CHECK(s.of("return_not_received").empty());
}

TEST_CASE("return_not_restocked") {
  Sheet s;
  s.returned("05-18", "O2", "SELLABLE");
  SUBCASE("v1") { says(s.of("return_not_restocked"), {.readiness = "claim_ready", .quantity = 1, .amount = "8.00", .from = "06-17", .until = "07-17", .confidence = 70}); }
  SUBCASE("v2") {
    s.moved("05-20", Movement::customer_return, 1);
    CHECK(s.of("return_not_restocked").empty());
  }
  SUBCASE("v3") {
    s.returned("05-18", "O3", "SELLABLE");
    s.moved("05-21", Movement::customer_return, 2);
    CHECK(s.of("return_not_restocked").empty());
  }
  SUBCASE("v4") {
    LedgerRow& graded = s.moved("05-22", Movement::customer_return, 1);
    graded.msku = s.name("amzn.gr.X");
    graded.fnsku = s.name("FNGR");
    CHECK(s.of("return_not_restocked").empty());
  }
}

TEST_CASE("return_damage_unpaid") {
  Sheet s;
  s.sold_as_usual("O3");
  s.refunded_as_usual("O3", "04-28");
  SUBCASE("v1") {
    s.returned("05-12", "O3", "DAMAGED");
    says(s.of("return_damage_unpaid"), {.readiness = "claim_ready", .quantity = 1, .amount = "16.50", .from = "06-27", .until = "08-26", .safe = "08-11", .confidence = 95});
    CHECK(s.of("return_not_received").empty());
  }
  SUBCASE("v2") {
    s.returned("05-12", "O3", "CUSTOMER_DAMAGED");
    CHECK(s.of("return_damage_unpaid").empty());
  }
  SUBCASE("v3") {
    s.returned("05-12", "O3", "DAMAGED");
    s.paid("05-20", "R1", "CustomerReturn", 1, "16.50", "O3");
    CHECK(s.of("return_damage_unpaid").empty());
  }
}

TEST_CASE("refund_exceeds_charge") {
  Sheet s;
  SUBCASE("v1") {
    s.sold("O1", "05-01", 1, {{Part::principal, "20.00"}, {Part::tax, "1.60"}});
    s.refunded("O1", "05-15", {{Part::principal, "-25.00"}, {Part::tax, "-1.60"}});
    says(s.of("refund_exceeds_charge"), {.readiness = "claim_ready", .quantity = 0, .amount = "5.00", .from = "05-29", .until = "09-12", .confidence = 90});
  }
  SUBCASE("v2") {
    s.sold("O1", "05-01", 1, {{Part::principal, "20.00"}, {Part::shipping, "5.99"}});
    s.refunded("O1", "05-15", {{Part::principal, "-25.99"}});
    CHECK(s.of("refund_exceeds_charge").empty());
  }
  SUBCASE("v3") {
    s.sold("O1", "05-01", 1, {{Part::principal, "20.00"}, {Part::tax, "1.60"}});
    s.refunded("O1", "05-15", {{Part::principal, "-25.00"}, {Part::tax, "-1.60"}});
    s.paid("05-20", "R1", "CustomerServiceIssue", 1, "3.00", "O1");
    says(s.of("refund_exceeds_charge"), {.readiness = "claim_ready", .amount = "2.00"});
  }
  SUBCASE("v4") {
    s.sold("O1", "05-01", 1, {{Part::principal, "20.00"}});
    s.money_of(MoneyKind::refund, "O1", "05-15", {}, {{Part::principal, "-27.00"}}, "CAD");
    CHECK(s.of("refund_exceeds_charge").empty());
  }
}

TEST_CASE("reimbursement_underpaid") {
  Sheet s;
  SUBCASE("v1") {
    s.paid("05-28", "R1", "Lost_Warehouse", 3, "5.20");
    says(s.of("reimbursement_underpaid"), {.readiness = "claim_ready", .quantity = 0, .amount = "8.40", .until = "07-27", .confidence = 85});
  }
  SUBCASE("v2") {
    s.paid("05-28", "R1", "Lost_Warehouse", 3, "7.90");
    CHECK(s.of("reimbursement_underpaid").empty());
  }
  SUBCASE("v3") {
    s.t.costs.clear();
    s.paid("05-01", "R2", "Lost_Warehouse", 1, "8.00");
    s.paid("05-02", "R3", "Lost_Warehouse", 1, "8.10");
    s.paid("05-03", "R4", "Lost_Warehouse", 1, "7.90");
    s.paid("05-28", "R1", "Lost_Warehouse", 3, "5.20");
    says(s.of("reimbursement_underpaid"), {.readiness = "review", .amount = "null", .high = "8.40"});
  }
  SUBCASE("v4") {
    s.cost("FN1", "2025-01-01", "8.00");
    s.paid("2025-02-10", "R1", "Lost_Warehouse", 3, "5.20");
    CHECK(s.of("reimbursement_underpaid").empty());
  }
}

TEST_CASE("reimbursement_reversal_unsupported") {
  Sheet s;
  const auto begin = [&] {
    s.adjusted("03-10", 'M', -3);
    s.paid("03-20", "R1", "Lost_Warehouse", 3);
  };
  SUBCASE("v1") {
    begin();
    s.reversed("06-05", "R2", 3, "R1");
    says(s.of("reimbursement_reversal_unsupported"), {.readiness = "claim_ready", .quantity = 3, .amount = "24.00", .from = "06-19", .until = "08-04", .confidence = 75});
    CHECK(s.of("lost_warehouse").empty());
  }
  SUBCASE("v2") {
    begin();
    s.reversed("06-05", "R2", 3, "R1");
    s.adjusted("05-20", 'F', 2);
    says(s.of("reimbursement_reversal_unsupported"), {.readiness = "claim_ready", .quantity = 1, .amount = "8.00"});
  }
  SUBCASE("v3") {
    begin();
    s.paid("04-01", "R1'", "Lost_Warehouse", 3);
    s.reversed("06-05", "R2", 3, "R1");
    CHECK(s.of("reimbursement_reversal_unsupported").empty());
  }
  SUBCASE("v4") {
    s.paid("05-28", "R1", "CustomerReturn", 1, "16.50", "O9");
    s.reversed("06-05", "R2", 1, "R1", "16.50");
    s.returned("06-01", "O9", "SELLABLE");
    CHECK(s.of("reimbursement_reversal_unsupported").empty());
  }
}

TEST_CASE("order_lost_in_delivery") {
  Sheet s;
  s.sold_as_usual("O4");
  s.refunded_as_usual("O4", "04-25");
  SUBCASE("v1") {
    s.t.deliveries.push_back({1, s.name("O4"), {}, Delivery::State::lost});
    says(s.of("order_lost_in_delivery"), {.readiness = "claim_ready", .quantity = 1, .amount = "16.50", .from = "06-24", .until = "08-23", .safe = "08-08", .confidence = 85});
    CHECK(s.of("return_not_received").empty());
  }
  SUBCASE("v2") {
    s.t.deliveries.push_back({1, s.name("O4"), {}, Delivery::State::lost});
    s.paid("05-10", "R1", "Lost_Outbound", 1, "16.50", "O4");
    CHECK(s.of("order_lost_in_delivery").empty());
  }
  SUBCASE("v3") {
    s.t.deliveries.push_back({1, s.name("O4"), {}, Delivery::State::delivered});
    CHECK(s.of("order_lost_in_delivery").empty());
    CHECK(s.of("return_not_received").size() == 1);
  }
}

TEST_CASE("refund_commission_credit_missing") {
  Sheet s;
  s.sold("O1", "05-01", 1, {{Part::principal, "25.00"}, {Part::commission, "-3.75"}});
  SUBCASE("v1") {
    s.refunded("O1", "05-15", {{Part::principal, "-25.00"}});
    says(s.of("refund_commission_credit_missing"), {.readiness = "claim_ready", .quantity = 0, .amount = "3.00", .until = "08-13", .confidence = 90});
  }
  SUBCASE("v2") {
    s.refunded_as_usual("O1", "05-15");
    CHECK(s.of("refund_commission_credit_missing").empty());
  }
  SUBCASE("v3") {
    s.refunded("O1", "05-15", {{Part::principal, "-25.00"}, {Part::commission, "3.75"}, {Part::refund_commission, "-3.75"}});
    says(s.of("refund_commission_credit_missing"), {.readiness = "claim_ready", .amount = "3.00"});
  }
  SUBCASE("v4") {
    s.refunded("O1", "05-15", {{Part::principal, "-10.00"}, {Part::commission, "1.50"}, {Part::refund_commission, "-0.30"}});
    CHECK(s.of("refund_commission_credit_missing").empty());
  }
}

TEST_CASE("removal_lost") {
  Sheet s;
  SUBCASE("v1") {
    s.removal("RM1", Removal::Type::giving_back, "Sellable", 20, 20, 0, "05-01", "05-05");
    s.sent_back("RM1", "05-05", 20);
    s.arrived("RM1", 15);
    says(s.of("removal_lost"), {.readiness = "claim_ready", .quantity = 5, .amount = "40.00", .from = "05-20", .until = "07-19", .confidence = 85});
  }
  SUBCASE("v2") {
    s.removal("RM1", Removal::Type::giving_back, "Sellable", 20, 20, 0, "05-01", "05-05");
    s.sent_back("RM1", "05-05", 20);
    says(s.of("removal_lost"), {.readiness = "review", .quantity = 20, .confidence = 60});
  }
  SUBCASE("v3") {
    s.removal("RM1", Removal::Type::giving_back, "Sellable", 20, 20, 0, "05-01", "05-05");
    s.sent_back("RM1", "05-05", 20);
    s.arrived("RM1", 15);
    s.paid("06-01", "R1", "Removal_Order_Lost", 5);
    CHECK(s.of("removal_lost").empty());
  }
  SUBCASE("v4") {
    s.removal("RM1", Removal::Type::giving_back, "Sellable", 20, 20, 0, "06-15", "06-20");
    s.sent_back("RM1", "06-20", 20);
    s.arrived("RM1", 0);
    says(s.of("removal_lost"), {.readiness = "not_mature", .quantity = 20, .from = "07-05"});
  }
}

TEST_CASE("removal_disposed_instead_of_returned") {
  Sheet s;
  SUBCASE("v1") {
    s.removal("RM2", Removal::Type::giving_back, "Sellable", 10, 6, 4, "05-01", "05-15");
    says(s.of("removal_disposed_instead_of_returned"), {.readiness = "claim_ready", .quantity = 4, .amount = "32.00", .from = "05-29", .until = "07-14", .confidence = 85});
  }
  SUBCASE("v2") {
    s.removal("RM2", Removal::Type::disposal, "Sellable", 10, 6, 4, "05-01", "05-15");
    CHECK(s.of("removal_disposed_instead_of_returned").empty());
  }
  SUBCASE("v3") {
    s.removal("RM2", Removal::Type::giving_back, "Sellable", 10, 6, 0, "05-01", "05-15").cancelled = 4;
    CHECK(s.of("removal_disposed_instead_of_returned").empty());
  }
  SUBCASE("v4") {
    s.removal("RM2", Removal::Type::giving_back, "Unsellable", 10, 6, 4, "05-01", "05-15");
    says(s.of("removal_disposed_instead_of_returned"), {.readiness = "review", .quantity = 4, .confidence = 65});
  }
}

TEST_SUITE_END();
