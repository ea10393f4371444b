// SPDX-License-Identifier: Apache-2.0
#include "sim/planted.hpp"

#include <algorithm>
#include <map>

#include "sim/planting.hpp"

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr std::int64_t kFirstNumber = 1'000'000'000'000;   // of planted facts, beyond every other's
constexpr std::int64_t kRoutinePerCent = 35;                // of the cases: what Amazon pays by itself
constexpr std::int64_t kPaidPerCent = 85;                   // of the units that are lost, damaged or not returned

std::vector<Scenario> all_scenarios(const SellerSettings& settings, const std::vector<const Marketplace*>& marketplaces) {
  const bool two = std::any_of(marketplaces.begin(), marketplaces.end(), [&](const Marketplace* m) { return m->currency != marketplaces.front()->currency; });
  const bool dollars = marketplaces.front()->currency == "USD";
  std::vector<Scenario> all;
  for (const auto& some : {lost_scenarios(), damage_scenarios(), reimbursement_scenarios(), inbound_scenarios(), return_scenarios(), delivery_scenarios(), money_scenarios(), fee_scenarios(), removal_scenarios()})
    for (const Scenario& s : some) {
      if ((s.needs == Scenario::Needs::two_currencies && !two) || (s.needs == Scenario::Needs::dollars && !dollars)) continue;
      if (!settings.planted_rules.empty() && std::find(settings.planted_rules.begin(), settings.planted_rules.end(), s.rule) == settings.planted_rules.end()) continue;
      all.push_back(s);
    }
  return all;
}

/// The plain one of each rule first, then the others in an order of the seed's, and all of it again as often as needed.
std::vector<Scenario> deck(std::vector<Scenario> all, std::int64_t size, Random random) {
  std::vector<Scenario> cards;
  if (all.empty()) return cards;
  while (static_cast<std::int64_t>(cards.size()) < size) {
    std::vector<Scenario> plain, others;
    for (const Scenario& s : all) {
      const bool known = std::any_of(plain.begin(), plain.end(), [&](const Scenario& p) { return p.rule == s.rule; });
      (known ? others : plain).push_back(s);
    }
    for (std::size_t i = others.size(); i > 1; --i) std::swap(others[i - 1], others[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
    cards.insert(cards.end(), plain.begin(), plain.end());
    cards.insert(cards.end(), others.begin(), others.end());
  }
  cards.resize(static_cast<std::size_t>(size));
  return cards;
}

bool is_routine(std::string_view rule) { return rule == "lost_warehouse" || rule == "damaged_warehouse" || rule == "return_not_received"; }

/// How many more units Amazon must have paid by itself, for the share to be as it mostly is.
std::int64_t units_to_pay(const PlantedWorld& world) {
  std::int64_t all = 0, paid = 0;
  for (const PlantedCase& c : world.cases) {
    if (!is_routine(c.rule)) continue;
    for (const PlantedUnit& unit : c.units) {
      const Fate end = unit.course.back().second;
      if (end == Fate::not_covered) continue;
      ++all;
      if (end == Fate::paid || end == Fate::paid_in_units) ++paid;
    }
  }
  return std::max<std::int64_t>(0, (kPaidPerCent * all - 100 * paid) / (100 - kPaidPerCent));
}

void plant_routine(PlantedWorld& world, const SellerSettings& settings, const std::vector<const Marketplace*>& marketplaces, const std::vector<std::string>& rules, std::int64_t count) {
  struct Routine {
    std::string_view rule;
    void (*tell)(Planting& p, std::int64_t units);
  };
  constexpr std::array kTurns{Routine{"lost_warehouse", &tell_routine_loss}, Routine{"damaged_warehouse", &tell_routine_damage}, Routine{"lost_warehouse", &tell_routine_loss},
                              Routine{"return_not_received", &tell_routine_return}};
  std::vector<Routine> turns;
  for (const Routine& turn : kTurns)
    if (std::find(rules.begin(), rules.end(), turn.rule) != rules.end()) turns.push_back(turn);
  std::int64_t left = units_to_pay(world);
  const auto turn_of = [&](std::int64_t i) { return turns[static_cast<std::size_t>(i) % turns.size()]; };
  for (std::int64_t i = 0; i < count; ++i) {
    const Routine turn = turn_of(i);
    Planting p(world, settings, marketplaces, 1'000'000 + i, std::string(turn.rule), "paid_by_itself");
    // An order has few units, so the rest falls to the others.
    std::int64_t others = 0;
    for (std::int64_t j = i; j < count; ++j) others += turn_of(j).rule == "return_not_received" ? 0 : 1;
    const std::int64_t units = turn.rule == "return_not_received" || others == 0 ? p.r.between(1, 3) : std::max<std::int64_t>(1, left / others);
    turn.tell(p, units);
    left -= units;
    p.finish();
  }
}

/// What the seller's other products cost to store, each.
constexpr std::int64_t kOwnOnHandTenths = 145, kOwnVolume = 1157, kOwnSheets = 40;

/// The monthly bill, which says what the report's rows add up to.
void bill_storage(PlantedWorld& world, const SellerSettings& settings, const std::vector<const Marketplace*>& marketplaces) {
  const std::chrono::year_month_day first(day_of(settings.end - settings.history)), last(day_of(settings.end));
  const auto until = last.year() / last.month() + std::chrono::months(settings.goes_on ? 12 : 0);
  for (auto month = first.year() / first.month() + std::chrono::months(1); month < until; month += std::chrono::months(1))
    for (const Marketplace* m : marketplaces) {
      const Day day(month / std::chrono::day(1));
      std::int64_t micros = m == marketplaces.front() ? own_storage_fee(*m, day).value * std::min(settings.skus, kOwnSheets) : 0;
      for (const StorageRow& row : world.storage)
        if (row.month == day && row.country == m->country) micros += row.fee.value;
      if (micros == 0) continue;
      Fact f;
      f.kind = FactKind::service_fee;
      f.posted = Instant(months_after(day, 1) + days(11)) + hours(10);
      f.marketplace = m;
      f.planted = true;
      f.items = {{.sku = "", .fnsku = "", .asin = "", .order_item_id = "", .quantity = 1, .charges = {}, .fees = {{"FBAStorageFee", Micros{-micros}}}, .promotions = {}}};
      world.facts.push_back(std::move(f));
    }
}

}  // namespace

std::string_view fate_name(Fate fate) noexcept {
  constexpr std::array<std::string_view, kFates> kNames{"open", "found", "paid", "paidInUnits", "cameBack", "corrected", "askedFor", "notCovered", "reversed"};
  return kNames[static_cast<std::size_t>(fate)];
}

std::int64_t fulfilment_fee(Instant at, std::int64_t ounces) {
  // Large standard size; since the seventeenth of April three and a half per cent more.
  const bool dearer = at >= Instant(Day(std::chrono::year(2026) / 4 / 17));
  return ounces <= 16 ? (dearer ? 476 : 460) : (dearer ? 569 : 550);
}

std::int64_t storage_rate(Day month) {
  const std::chrono::year_month_day date(month);
  return date.month() >= std::chrono::October ? 240 : 78;
}

Micros own_storage_fee(const Marketplace& marketplace, Day month) {
  const std::int64_t cents = (kOwnOnHandTenths * kOwnVolume * storage_rate(month) + 50'000) / 100'000;
  return planted_money(cents, marketplace.currency);
}

PlantedWorld plant(const SellerSettings& settings, const std::vector<const Marketplace*>& marketplaces) {
  PlantedWorld world;
  world.currency = marketplaces.front()->currency;
  world.start = settings.end;
  world.blank_columns = settings.planted_blank_columns;
  world.opened = day_of(settings.end - settings.history);
  if (settings.planted <= 0 || settings.history < days(kLeastHistoryDays)) return world;
  const std::vector<Scenario> all = all_scenarios(settings, marketplaces);
  std::vector<std::string> rules;
  for (const Scenario& s : all) rules.emplace_back(s.rule);
  const bool with_routine = std::any_of(rules.begin(), rules.end(), is_routine);
  const std::int64_t routine = with_routine ? settings.planted * kRoutinePerCent / 100 : 0;
  std::int64_t number = 0;
  for (const Scenario& s : deck(all, settings.planted - routine, Random::at(settings.seed, 21, settings.number))) {
    Planting p(world, settings, marketplaces, number++, std::string(s.rule), std::string(s.name));
    s.tell(p);
    p.finish();
  }
  if (with_routine) plant_routine(world, settings, marketplaces, rules, routine);
  bill_storage(world, settings, marketplaces);
  std::stable_sort(world.facts.begin(), world.facts.end(), [](const Fact& a, const Fact& b) { return a.posted < b.posted; });
  for (std::size_t i = 0; i < world.facts.size(); ++i) world.facts[i].number = kFirstNumber + static_cast<std::int64_t>(i);
  return world;
}

Instant PlantedWorld::visible(Instant at) const { return at <= start ? at : std::chrono::ceil<hours>(at) + minutes(30); }

std::array<std::int64_t, kFates> PlantedWorld::fates(const PlantedCase& c, Instant now) const {
  std::array<std::int64_t, kFates> counts{};
  for (const PlantedUnit& unit : c.units) {
    std::optional<Fate> fate;
    for (const auto& [at, met] : unit.course)
      if (happened(at, now)) fate = met;
    if (fate) ++counts[static_cast<std::size_t>(*fate)];
  }
  return counts;
}

std::int64_t PlantedWorld::reconciled(const LedgerRow& row, Instant now) const {
  if (row.units.empty()) return row.reconciled ? std::abs(row.quantity) : 0;
  std::int64_t settled = 0;
  for (const auto& [of, unit] : row.units) {
    const auto& course = cases[of].units[unit].course;
    // Once settled it stays so in Amazon's books, whatever comes after.
    settled += std::any_of(course.begin(), course.end(), [&](const auto& step) { return step.second != Fate::open && happened(step.first, now); }) ? 1 : 0;
  }
  return settled;
}

void add_planted(const PlantedWorld& world, Instant now, std::vector<Shipment>& shipments) {
  for (const PlantedShipment& planted : world.shipments) {
    if (!world.happened(planted.states.front().first, now)) continue;
    Shipment s;
    s.id = planted.id;
    s.name = planted.name;
    s.fc = planted.fc;
    s.marketplace = planted.marketplace;
    s.created = s.updated = world.visible(planted.states.front().first);
    const auto update = [&](Instant at) { s.updated = std::max(s.updated, world.visible(at)); };
    for (const auto& [at, state] : planted.states)
      if (world.happened(at, now)) s.status = state, update(at);
    for (const PlantedShipment::Item& planted_item : planted.items) {
      ShipmentItem item{planted_item.sku, planted_item.fnsku, planted_item.shipped, 0, planted_item.in_case};
      for (const auto& [at, units] : planted_item.received)
        if (world.happened(at, now)) item.received += units, update(at);
      s.items.push_back(std::move(item));
    }
    shipments.push_back(std::move(s));
  }
}

std::vector<PlantedBalance> planted_balances(const PlantedWorld& world, Day month) {
  constexpr std::int64_t kFirstStock = 400;
  const Day next = months_after(month, 1);
  if (next < day_of(world.start) - days(240)) return {};   // nothing happened yet
  std::map<std::array<std::string, 4>, PlantedBalance> lines;
  const auto line = [&](const std::string& fnsku, const std::string& sku, const std::string& disposition, std::string_view country) -> PlantedBalance& {
    return lines[{fnsku, sku, disposition, std::string(country)}];
  };
  for (const PlantedProduct& p : world.products) line(p.fnsku, p.sku, "SELLABLE", p.marketplace->country) = {.fnsku = p.fnsku, .asin = p.asin, .sku = p.sku, .disposition = "SELLABLE", .country = std::string(p.marketplace->country), .starting = kFirstStock};
  for (const LedgerRow& row : world.ledger) {
    const Day day = day_of(row.at - hours(7));   // as the ledger's own
    if (day >= next) continue;
    PlantedBalance& b = line(row.fnsku, row.sku, row.disposition, row.country);
    if (b.fnsku.empty()) b = {.fnsku = row.fnsku, .asin = row.asin, .sku = row.sku, .disposition = row.disposition, .country = row.country};
    b.in_transit += row.in_transit;
    std::int64_t& sum = day < month                  ? b.starting
                        : row.event == "Receipts"        ? b.receipts
                        : row.event == "Shipments"       ? b.shipments
                        : row.event == "CustomerReturns" ? b.returns
                        : row.event == "VendorReturns"   ? b.vendor_returns
                        : row.event == "WhseTransfers"   ? b.transfers
                        : row.reason == "F"              ? b.found
                        : row.reason == "M" || row.reason == "5" ? b.lost
                        : row.reason == "D" || row.reason == "G" ? b.disposed
                        : row.reason.size() == 1 && std::string_view("E67HKU").find(row.reason) != std::string_view::npos ? b.damaged : b.other;
    sum += row.quantity;
  }
  std::vector<PlantedBalance> all;
  for (auto& [key, b] : lines) all.push_back(std::move(b));
  return all;
}

}  // namespace amzsim
