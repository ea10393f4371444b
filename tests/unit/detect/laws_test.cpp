// SPDX-License-Identifier: Apache-2.0
// Laws of detection over random sheets: units are conserved, the order of rows means nothing, what was not read is never claimed.
#include <algorithm>
#include <random>

#include "detect/netting.hpp"
#include "sim/random.hpp"
#include "unit/detect/sheet.hpp"

using namespace sheet;

namespace {

std::string on(amzsim::Random& random) { return amzsync::base::format_day(day("04-20") + std::chrono::days(random.below(65))); }

/// Losses, damage, found units, payments and reversals of one product, at random.
Sheet random_sheet(std::uint64_t seed) {
  amzsim::Random random(seed);
  Sheet s;
  const bool blank = random.one_in(2);
  for (std::int64_t i = random.between(1, 14); i > 0; --i) {
    const int units = static_cast<int>(random.between(1, 4));
    const auto books = [&](LedgerRow& row) {
      if (blank) return;
      row.reconciled = static_cast<std::int32_t>(random.between(0, units));
      row.unreconciled = units - *row.reconciled;
    };
    switch (random.below(8)) {
      case 0:
      case 1: books(s.adjusted(on(random), 'M', -units)); break;
      case 2: {
        const std::string when = on(random);
        books(s.adjusted(when, 'E', -units));
        s.adjusted(when, 'P', units, "WAREHOUSE_DAMAGED");
        break;
      }
      case 3: s.adjusted(on(random), 'F', units); break;
      case 4: s.adjusted(on(random), 'N', units); break;
      case 5: s.paid(on(random), "R" + std::to_string(random.below(4)), random.one_in(2) ? "Lost_Warehouse" : "Damaged_Warehouse", units); break;
      case 6: s.paid(on(random), "R" + std::to_string(random.below(4)), "General_Adjustment", units); break;
      default: s.reversed(on(random), "X" + std::to_string(i), units, "R" + std::to_string(random.below(4))); break;
    }
  }
  return s;
}

std::string told(const Tables& t, const Finding& f) {
  std::string text = std::string(f.rule) + "|" + f.subject + "|" + std::to_string(f.quantity) + "|" + (f.amount ? format_micros(*f.amount) : "-") + "|" + std::to_string(f.confidence) + "|" + format_day(f.deadline) + f.blocked;
  for (const Evidence& e : f.evidence) text += "," + std::to_string(e.row.row());
  for (const Netted& n : f.netting) text += ";" + std::to_string(n.by.row()) + "x" + std::to_string(n.units);
  return text + finding_id(t, f);
}

}  // namespace

TEST_SUITE_BEGIN("detect");

TEST_CASE("units are conserved: what is lost is found, paid, corrected or open, and no credit gives more than it has") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    const Sheet s = random_sheet(seed);
    Ledger ledger(s.t);
    for (const LedgerRow& row : s.ledger) ledger.add(row);
    ledger.end();
    Case c(s.t, ledger, Policy::embedded(), s.as_of);
    for (const Product& product : c.products) {
      auto rows = s.ledger;
      std::erase_if(rows, [&](const LedgerRow& row) { return row.fnsku != product.fnsku; });
      std::sort(rows.begin(), rows.end(), [](const LedgerRow& a, const LedgerRow& b) { return std::tie(a.day, a.row) < std::tie(b.day, b.row); });
      const Netting n = c.net_product(product, rows).netting;
      std::vector<std::int64_t> of_lot(n.lots.size()), of_credit(n.credits.size());
      for (const Use& u : n.uses) {
        CHECK(u.units > 0);
        of_lot[u.lot] += u.units;
        of_credit[u.credit] += u.units;
      }
      for (std::size_t i = 0; i < n.lots.size(); ++i) CHECK(n.lots[i].units == of_lot[i] + n.lots[i].left);
      for (std::size_t i = 0; i < n.credits.size(); ++i) {
        CHECK(n.credits[i].units == of_credit[i] + n.credits[i].left);
        CHECK(n.credits[i].left >= 0);
      }
    }
    // No unit is claimed by two rules: claims of a product never exceed what it lost and what was taken back.
    std::int64_t claimed = 0, gone = 0;
    for (const Finding& f : s.judged().findings) claimed += f.quantity;
    for (const LedgerRow& r : s.ledger)
      if (r.reason == 'M' || r.reason == 'E') gone -= r.quantity;
    for (const Reimbursement& r : s.t.reimbursements)
      if (r.family == Family::reversal) gone += r.cash;
    CHECK(claimed <= gone);
  }
}

TEST_CASE("the order in which rows stand changes nothing") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Sheet s = random_sheet(seed);
    s.sold_as_usual("O1");
    s.refunded_as_usual("O1", "04-15");
    s.sold_as_usual("O2");
    s.refunded_as_usual("O2", "04-28");
    s.returned("05-12", "O2", "DAMAGED");
    std::vector<std::string> first;
    for (const Finding& f : s.judged().findings) first.push_back(told(s.t, f));
    std::mt19937 order(static_cast<unsigned>(seed));   // NOLINT: repeatable by intent
    std::shuffle(s.ledger.begin(), s.ledger.end(), order);
    std::shuffle(s.t.reimbursements.begin(), s.t.reimbursements.end(), order);
    std::shuffle(s.money_rows.begin(), s.money_rows.end(), order);
    std::vector<std::string> second;
    for (const Finding& f : s.judged().findings) second.push_back(told(s.t, f));
    CHECK(first == second);
    std::vector<Order> orders = s.orders();
    std::shuffle(orders.begin(), orders.end(), order);
    std::vector<std::string> third;
    for (const Finding& f : detect(s.t, s.ledger, std::move(orders), Policy::embedded(), s.as_of).findings) third.push_back(told(s.t, f));
    CHECK(first == third);
  }
}

TEST_CASE("what is usual is the most frequent charge of 180 days, from ten on, where most were charged about that; a day's own sales do not count") {
  amzsim::Random random(5);
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    std::vector<std::pair<Day, std::int64_t>> sales;
    Day on = day("2025-01-01");
    for (int i = 0; i < 300; ++i) {
      on += std::chrono::days(random.below(random.one_in(20) ? 60 : 3));
      sales.emplace_back(on, 1'000 + random.between(0, round % 10) * (round < 20 ? 2 : 30));
    }
    RecentCharges recent;
    for (std::size_t i = 0; i < sales.size(); ++i) {
      std::map<std::int64_t, int> counts;
      int all = 0;
      for (const auto& [when, value] : sales)
        if (when < sales[i].first && sales[i].first - when <= std::chrono::days(180)) {
          ++counts[value];
          ++all;
        }
      std::optional<std::int64_t> expected;
      if (all >= 10) expected = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
      int near = 0;
      for (const auto& [value, count] : counts)
        if (expected && std::abs(value - *expected) * 100 <= *expected) near += count;
      if (near * 2 < all) expected.reset();
      recent.begin(sales[i].first);
      CHECK(recent.usual(RecentCharges::Kind::referral) == expected);
      CHECK(!recent.usual(RecentCharges::Kind::fulfilment));
      recent.add(sales[i].first, {std::nullopt, sales[i].second});
    }
  }
}

TEST_CASE("a detection that is stopped concludes nothing") {
  const Sheet s = random_sheet(3);
  int asked = 0;
  const Ledger ledger(s.t);
  Detector detector(s.t, ledger, Policy::embedded(), s.as_of, nullptr, {}, [&] { return ++asked == 4; });
  while (detector.end_next()) {}
  CHECK(!detector.ended());
  CHECK(asked == 4);
}

TEST_CASE("without any one table nothing that concludes from it is claimed, and the rules say so by name") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    for (const Source missing : {Source::ledger, Source::reimbursements, Source::returns, Source::money}) {
      CAPTURE(seed);
      CAPTURE(std::string(source_name(missing)));
      Sheet s = random_sheet(seed);
      s.sold_as_usual("O1");
      s.refunded_as_usual("O1", "04-15");
      s.t.coverage = Coverage();
      for (std::size_t i = 0; i < kSources; ++i)
        if (static_cast<Source>(i) != missing) s.t.coverage.add_all(static_cast<Source>(i));
      s.t.coverage.set_reason(missing, "throttled until 2026-07-01T00:00:00Z");
      if (missing == Source::ledger) s.ledger.clear();
      if (missing == Source::reimbursements) s.t.reimbursements.clear();
      if (missing == Source::returns) s.t.returns.clear();
      if (missing == Source::money) s.money_rows.clear();
      const Detection d = s.judged();
      for (const RuleState& state : d.rules) {
        const Rule& rule = *find_rule(state.rule);
        const bool needs = std::any_of(rule.needs.begin(), rule.needs.end(), [&](const Need& n) { return n.source == missing; });
        if (!needs) continue;
        CAPTURE(std::string(state.rule));
        CHECK(!state.blocked.empty());
        for (const Finding& f : d.findings)
          if (f.rule == state.rule) CHECK(f.readiness(s.as_of) == Readiness::blocked);
      }
    }
}

TEST_CASE("a gap of a few days in a table blocks what lies over it, and nothing else") {
  Sheet s;
  s.t.coverage = Coverage();
  for (std::size_t i = 0; i < kSources; ++i)
    if (static_cast<Source>(i) != Source::returns) s.t.coverage.add_all(static_cast<Source>(i));
  s.t.coverage.add(Source::returns, day("2025-01-01"), day("05-01"));
  s.t.coverage.add(Source::returns, day("05-11"), day("07-01"));
  s.sold_as_usual("O1");
  s.refunded_as_usual("O1", "04-15");
  s.adjusted("05-20", 'M', -5, "SELLABLE", 0, 5);
  const auto blocked = s.of("return_not_received");
  REQUIRE(blocked.size() == 1);
  CHECK(blocked[0].readiness(s.as_of) == Readiness::blocked);
  CHECK(blocked[0].blocked == "returns was not read, 2026-05-01 to 2026-05-10");
  CHECK(s.of("lost_warehouse")[0].readiness(s.as_of) == Readiness::claim_ready);
}

TEST_CASE("windows: the last day is in time, the next is not; the first day counts") {
  Sheet s;
  s.adjusted("05-20", 'M', -1, "SELLABLE", 0, 1);
  const Finding f = s.of("lost_warehouse")[0];
  CHECK(f.readiness(day("06-03")) == Readiness::not_mature);
  CHECK(f.readiness(day("06-04")) == Readiness::claim_ready);
  CHECK(f.readiness(day("07-19")) == Readiness::claim_ready);
  CHECK(f.readiness(day("07-20")) == Readiness::expired);
  const Policy& p = Policy::embedded();
  CHECK(format_day(p.window(Claim::fc_ops, "US", day("2024-10-20")).latest) == "2024-10-22");   // before the change: by the day before it
  CHECK(format_day(p.window(Claim::fc_ops, "US", day("2022-12-31")).latest) == "2024-06-30");
  CHECK(format_day(p.window(Claim::customer_return, "DE", day("05-01")).latest) == "2026-08-14");
  CHECK(format_day(p.window(Claim::inbound, "AE", day("05-01")).latest) == "2026-06-30");
  CHECK(p.window(Claim::fc_ops, "US", day("05-01")).confirmed);
  CHECK(!p.window(Claim::fc_ops, "JP", day("05-01")).confirmed);
  CHECK(format_day(months_after(day("2026-05-31"), 9)) == "2027-02-28");
}

TEST_CASE("a table of policy that is wrong is refused with the place that is wrong") {
  const auto wrong = Policy::parse({{"windows.json", R"({"version": "x", "windows": [{"id": "a", "claim": "fc_opps", "country": "US", "latest": 60}]})"}});
  REQUIRE(!wrong);
  CHECK(wrong.error().message == "windows.json: a: claim is none that is known: fc_opps.");
  CHECK(!Policy::parse({{"nothing.json", "{}"}}));
  CHECK(!Policy::parse({{"values.json", "{"}}));
}

TEST_CASE("median and rounding") {
  const Currency usd = currency("USD"), jpy = currency("JPY");
  CHECK(median({money("8.00"), money("8.10"), money("7.90")}, usd) == money("8.00"));
  CHECK(median({money("8.00"), money("8.01")}, usd) == money("8.01"));   // half up
  CHECK(round_to_cents(money("4.761"), usd) == money("4.76"));
  CHECK(round_to_cents(money("-0.125"), usd) == money("-0.13"));
  CHECK(round_to_cents(money("10.5"), jpy) == money("11"));
}

TEST_SUITE_END();
