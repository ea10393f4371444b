// SPDX-License-Identifier: Apache-2.0
// The worked examples of the specification (detection 3), by rule and number: rules 13 to 16.
#include "unit/detect/sheet.hpp"

using namespace sheet;

namespace {

/// The test card TC1, and a referral card of 15 % with a least fee.
Policy with_cards() {
  auto policy = Policy::parse({{"rate_cards.json", R"({
    "version": "test",
    "storage": [{"id": "s", "country": "US", "from": "2024-04-01", "tier": "standard", "months": [1,2,3,4,5,6,7,8,9], "rate": 0.78, "volume_units": "cubic feet"}],
    "fulfilment": [{"id": "TC1", "country": "US", "from": "2026-01-15",
      "tiers": [{"name": "large standard", "most_ounces": 16, "fee": 4.60}, {"name": "large standard", "most_ounces": 32, "fee": 5.50}],
      "surcharges": [{"from": "2026-04-17", "factor": 1.035}]}],
    "referral": [{"id": "R15", "country": "US", "category": "*", "from": "2026-01-01", "steps": [{"rate": 0.15}], "least": 0.30}]
  })"}});
  REQUIRE(policy);
  return std::move(*policy);
}

void measured(Sheet& s, std::string_view longest, std::string_view median, std::string_view shortest, std::string_view ounces) {
  s.t.sizes.push_back({1, s.name("SKU1"), money(longest), money(median), money(shortest), money(ounces), s.name("large standard")});
}

}  // namespace

TEST_SUITE_BEGIN("detect");

TEST_CASE("fulfilment_fee_overcharge") {
  Sheet s;
  const Policy policy = with_cards();
  measured(s, "6", "4", "2", "14");
  const auto charge = [&](const std::string& order, std::string_view on, int units, std::string_view fee) { s.sold(order, on, units, {{Part::principal, "25.00"}, {Part::fulfilment, fee}}); };
  SUBCASE("v1") {
    for (int i = 1; i <= 10; ++i) charge("O" + std::to_string(i), i < 10 ? "05-0" + std::to_string(i) : "05-10", 1, "-5.69");
    const auto found = s.of("fulfilment_fee_overcharge", policy);
    says(found, {.readiness = "claim_ready", .amount = "9.30", .until = "07-30", .confidence = 75});
    CHECK(std::count_if(found[0].evidence.begin(), found[0].evidence.end(), [](const Evidence& e) { return e.role() == "size" && e.row.source() == Source::supplied; }) == 1);
  }
  SUBCASE("v2") {
    charge("O1", "05-01", 1, "-4.76");
    CHECK(s.of("fulfilment_fee_overcharge", policy).empty());
  }
  SUBCASE("v3") {
    charge("O1", "05-01", 2, "-9.52");
    CHECK(s.of("fulfilment_fee_overcharge", policy).empty());
  }
  SUBCASE("v4") {
    charge("O1", "03-10", 1, "-5.50");
    says(s.of("fulfilment_fee_overcharge", policy), {.readiness = "expired", .until = "06-08"});
  }
  SUBCASE("without a card it is told, by the rule's name, that nothing can be said") {
    charge("O1", "05-01", 1, "-5.69");
    const Detection d = s.judged();
    CHECK(d.findings.empty());
    for (const RuleState& r : d.rules) {
      CAPTURE(std::string(r.rule));
      const bool blocked = r.rule == "fulfilment_fee_overcharge" || r.rule == "order_lost_in_delivery";
      CHECK(r.blocked.empty() == !blocked);
    }
  }
}

TEST_CASE("storage_fee_overcharge") {
  Sheet s;
  measured(s, "8.43", "5.81", "0.73", "14");
  const auto row = [&](std::string_view volume, std::string_view fee, std::optional<std::string_view> surcharge = {}) {
    StorageFee f;
    f.row = 1;
    f.month = day("05-01");
    f.fnsku = s.name("FN1");
    f.country = s.name("US");
    f.currency = currency("USD");
    f.on_hand = money("100");
    f.pending = money("0");
    f.rate = money("0.78");
    f.item_volume = money(volume);
    f.fee = money(fee);
    f.volume_units = s.name("cubic feet");
    if (surcharge) f.surcharge_rate = money(*surcharge);
    s.t.storage_fees.push_back(f);
    s.moved("05-01", Movement::receipt, 1);   // so that the SKU of the FNSKU is known
    s.t.service_fees.push_back({.row = 2, .posted = day("06-12"), .type = s.name("FBAStorageFee"), .sku = {}, .fnsku = {}, .object = {}, .country = "US", .currency = currency("USD"), .amount = Micros{-money(fee).value}});
  };
  SUBCASE("v1") {
    row("0.0408", "3.18");
    says(s.of("storage_fee_overcharge"), {.readiness = "claim_ready", .amount = "1.57", .until = "09-10", .confidence = 75});
  }
  SUBCASE("v2") {
    row("0.0208", "1.62");
    CHECK(s.of("storage_fee_overcharge").empty());
  }
  SUBCASE("v3") {
    row("0.0208", "5.00");
    says(s.of("storage_fee_overcharge"), {.readiness = "claim_ready", .amount = "3.38", .confidence = 85});
  }
  SUBCASE("v1 where the money shows another sum than the report") {
    row("0.0408", "3.18");
    s.t.service_fees.front().amount = money("-103.18");
    says(s.of("storage_fee_overcharge"), {.readiness = "review", .amount = "1.57", .confidence = 65});
  }
  SUBCASE("v4") {
    row("0.0208", "2.54", "0.44");
    CHECK(s.of("storage_fee_overcharge").empty());
  }
  SUBCASE("an item's volume is rounded, and the total is what was charged for") {
    row("0.0012", "38.69");
    StorageFee& fee = s.t.storage_fees.front();
    fee.on_hand = money("40000");
    fee.volume_step = money("0.0001");
    fee.total_volume = money("49.60");
    SUBCASE("which such items can add up to") { CHECK(s.of("storage_fee_overcharge").empty()); }
    SUBCASE("which they can't") {
      fee.volume_step = money("0.00001");
      says(s.of("storage_fee_overcharge"), {.readiness = "claim_ready", .amount = "1.25", .confidence = 85});
    }
  }
  SUBCASE("more was charged for than there was") {
    row("0.0295", "2.30");
    s.t.balances.push_back({3, day("05-01"), s.name("FN1"), Disposition::sellable, 0, 8, 12});
    says(s.of("storage_fee_overcharge"), {.readiness = "review", .amount = "2.07", .confidence = 60});
  }
  SUBCASE("a balance below nothing is none") {
    row("0.0295", "2.30");
    s.t.balances.push_back({3, day("05-01"), s.name("FN1"), Disposition::sellable, 0, 8, -70});
    CHECK(s.of("storage_fee_overcharge").empty());
  }
}

TEST_CASE("duplicate_fee_charge") {
  Sheet s;
  SUBCASE("v1") {
    s.sold("O5", "05-12", 1, {{Part::principal, "25.00"}, {Part::fulfilment, "-4.76"}});
    s.sold("O5", "05-13", 1, {{Part::fulfilment, "-4.76"}});
    says(s.of("duplicate_fee_charge"), {.readiness = "claim_ready", .amount = "4.76", .until = "08-11", .confidence = 90});
  }
  SUBCASE("v2") {
    s.sold("O6", "05-12", 1, {{Part::principal, "25.00"}, {Part::fulfilment, "-4.76"}});
    s.sold("O6", "05-13", 1, {{Part::principal, "25.00"}, {Part::fulfilment, "-4.76"}});
    CHECK(s.of("duplicate_fee_charge").empty());
  }
  SUBCASE("v3") {
    s.sold("O5", "05-12", 1, {{Part::principal, "25.00"}, {Part::fulfilment, "-4.76"}});
    s.sold("O5", "05-13", 1, {{Part::fulfilment, "-4.76"}});
    s.refunded("O5", "05-20", {{Part::fulfilment, "4.76"}});
    CHECK(s.of("duplicate_fee_charge").empty());
  }
  SUBCASE("v4") {
    for (const char* country : {"US", "CA"}) s.t.service_fees.push_back({.row = country[0], .posted = day("06-10"), .type = s.name("FBAStorageFee"), .sku = {}, .fnsku = {}, .object = {}, .country = country, .currency = currency("USD"), .amount = money("-120.00")});
    CHECK(s.of("duplicate_fee_charge").empty());
  }
  SUBCASE("the same country twice") {
    for (const std::int64_t row : {1, 2}) s.t.service_fees.push_back({.row = row, .posted = day("05-10"), .type = s.name("FBAStorageFee"), .sku = {}, .fnsku = {}, .object = {}, .country = "US", .currency = currency("USD"), .amount = money("-120.00")});
    says(s.of("duplicate_fee_charge"), {.readiness = "claim_ready", .amount = "120.00"});
  }
}

TEST_CASE("referral_fee_overcharge") {
  Sheet s;
  const Policy policy = with_cards();
  SUBCASE("v1") {
    s.sold("O1", "05-15", 1, {{Part::principal, "40.00"}, {Part::commission, "-6.80"}});
    says(s.of("referral_fee_overcharge", policy), {.readiness = "claim_ready", .amount = "0.80", .until = "08-13", .confidence = 80});
  }
  SUBCASE("v2") {
    s.sold("O1", "05-15", 1, {{Part::principal, "1.00"}, {Part::commission, "-0.30"}});
    CHECK(s.of("referral_fee_overcharge", policy).empty());
  }
  SUBCASE("v3") {
    s.sold("O1", "05-15", 1, {{Part::principal, "40.00"}, {Part::tax, "3.20"}, {Part::commission, "-6.48"}});
    says(s.of("referral_fee_overcharge", policy), {.readiness = "claim_ready", .amount = "0.48"});
  }
  SUBCASE("v4") {
    for (int i = 0; i < 25; ++i) s.sold("P" + std::to_string(i), "04-10", 1, {{Part::principal, "40.00"}, {Part::commission, "-3.20"}});
    s.sold("O1", "05-15", 1, {{Part::principal, "40.00"}, {Part::commission, "-6.00"}});
    says(s.of("referral_fee_overcharge"), {.readiness = "review", .amount = "2.80"});
  }
}

TEST_SUITE_END();
