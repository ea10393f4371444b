// SPDX-License-Identifier: Apache-2.0
// The labelled world: what is planted is served as all else is, and its labels add up.
#include <doctest/doctest.h>

#include <algorithm>

#include "world/checks.hpp"

using namespace world;

namespace {

constexpr std::array kRules{"lost_warehouse", "damaged_warehouse", "lost_in_fc_transfer", "inbound_shortage", "damaged_inbound", "return_not_received", "return_not_restocked", "return_damage_unpaid", "order_lost_in_delivery",
                            "refund_exceeds_charge", "reimbursement_underpaid", "reimbursement_reversal_unsupported", "fulfilment_fee_overcharge", "storage_fee_overcharge", "duplicate_fee_charge",
                            "referral_fee_overcharge", "refund_commission_credit_missing", "removal_lost", "disposed_without_request", "removal_disposed_instead_of_returned"};

WorldSettings planted(std::uint64_t seed, int cases) {
  WorldSettings settings;
  settings.seed = seed;
  settings.amazon.events = 600;
  settings.amazon.skus = 40;
  settings.amazon.planted = cases;
  settings.history_days = settings.amazon.history_days = 210;
  settings.streams = {"transactions", "inventory", "inbound", "reimbursements", "ledger", "ledger_summary", "returns", "removals", "storage_fees", "fee_preview", "settlements"};
  return settings;
}

std::int64_t number_of(const Json& value) { return value.integer().value_or(0); }

}  // namespace

TEST_SUITE_BEGIN("world");

TEST_CASE("planted cases are rows like all others: every stream of a synced seller equals the truth, and a second sync writes nothing") {
  for (const bool v0 : {false, true})
    for (const std::uint64_t seed : {1, 2}) {
      CAPTURE(v0);
      CAPTURE(seed);
      WorldSettings settings = planted(seed, 160);
      settings.finances_v0 = v0;
      if (v0) settings.streams[0] = "financial_events";
      settings.amazon.planted_blank_columns = seed == 2;
      World world(settings);
      Process& process = world.open();
      const int seller = static_cast<int>(seed);
      const std::string run = world.sync_seller(process, seller);
      CAPTURE(run);
      CHECK(member(run, "status") == "completed");
      check_truth(world, process, seller);
      const std::string again = sync_again(world, process, seller);
      const auto document = JsonDocument::parse(again);
      REQUIRE(document);
      for (const Json stream : (*document)["streams"]) {
        CAPTURE(std::string(stream["name"].text()));
        for (const char* count : {"added", "changed", "removed", "rejected"}) CHECK(stream[count].integer() == 0);
      }
      // Amazon's own books, where they are told.
      CHECK(world.count("SELECT count(*) FROM amz_ledger WHERE event_type='Adjustments' AND reason IN ('M','E') AND (unreconciled_quantity IS NULL)<>" + std::to_string(seed == 2)) == 0);
      if (seed == 1) CHECK(world.count("SELECT count(*) FROM amz_ledger WHERE msku LIKE 'SKU-P%' AND unreconciled_quantity>0") > 0);
    }
}

TEST_CASE("a planted world lives: what is planted for later comes when its time has come") {
  WorldSettings settings = planted(3, 120);
  settings.amazon.events = 300;
  check_life(settings, 1);
}

TEST_CASE("every rule has its cases, the same seed gives the same world, and without any there is none") {
  const auto truth_of = [](std::uint64_t seed, int cases, std::vector<std::string> rules = {}) {
    WorldSettings settings = planted(seed, cases);
    settings.amazon.planted_rules = std::move(rules);
    World world(settings);
    return world.amazon().truth(2, true);
  };
  const std::string once = truth_of(5, 200);
  CHECK(once == truth_of(5, 200));
  CHECK(once != truth_of(6, 200));
  const auto document = JsonDocument::parse(once);
  REQUIRE(document);
  std::map<std::string, std::int64_t> cases, owed;
  for (const Json c : (*document)["planted"]["cases"]) {
    ++cases[std::string(c["rule"].text())];
    if (number_of(c["units"]) > 0 || (c["amount"].text() != "0" && !c["amount"].is_null())) ++owed[std::string(c["rule"].text())];
  }
  CHECK(cases.size() == kRules.size());
  for (const char* rule : kRules) {
    CAPTURE(rule);
    CHECK(cases[rule] > 2);
    CHECK(owed[rule] > 0);
  }
  std::int64_t all = 0;
  for (const auto& [rule, count] : cases) all += count;
  CHECK(all > 180);   // the others are still to come

  const auto some = JsonDocument::parse(truth_of(5, 30, {"storage_fee_overcharge"}));
  REQUIRE(some);
  for (const Json c : (*some)["planted"]["cases"]) CHECK(c["rule"].text() == "storage_fee_overcharge");
  const auto none = JsonDocument::parse(truth_of(5, 0));
  REQUIRE(none);
  CHECK((*none)["planted"]["cases"].size() == 0);
  CHECK((*none)["planted"]["costs"].size() == 0);
}

TEST_CASE("labels add up: of all units that were harmed what is not made good is owed, and Amazon pays most by itself") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8})
    for (const amzsim::Region region : {amzsim::Region::na, amzsim::Region::eu, amzsim::Region::fe}) {
      CAPTURE(seed);
      WorldSettings settings = planted(seed, 150);
      settings.amazon.region = region;
      settings.amazon.goes_on = true;
      World world(settings);
      std::int64_t harmed = 0, paid = 0;
      for (const int later : {0, 20, 40, 100}) {
        CAPTURE(later);
        world.amazon().advance(std::chrono::hours(24 * later));
        const JsonDocument truth = world.truth(2);
        harmed = paid = 0;
        const std::string today = std::string(truth["planted"]["asOf"].text()).substr(0, 10);
        for (const Json c : truth["planted"]["cases"]) {
          CAPTURE(std::string(c["rule"].text()));
          CAPTURE(std::string(c["case"].text()));
          std::int64_t sum = 0;
          for (const Json fate : c["fates"]) sum += number_of(fate);
          CHECK(sum == number_of(c["harmed"]));
          CHECK(number_of(c["units"]) == number_of(c["fates"]["open"]) + number_of(c["fates"]["reversed"]));
          CHECK(c["event"].text() <= c["claimableFrom"].text());
          CHECK(c["claimableFrom"].text() <= c["deadline"].text());
          const std::string_view rule = c["rule"].text();
          if (rule != "lost_warehouse" && rule != "damaged_warehouse" && rule != "return_not_received") continue;
          harmed += number_of(c["harmed"]) - number_of(c["fates"]["notCovered"]);
          paid += number_of(c["fates"]["paid"]) + number_of(c["fates"]["paidInUnits"]);
        }
        CHECK(paid * 100 >= harmed * 78);
        CHECK(paid * 100 <= harmed * 92);
      }
    }
}

TEST_SUITE_END();
