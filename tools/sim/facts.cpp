// SPDX-License-Identifier: Apache-2.0
#include "sim/facts.hpp"

#include <algorithm>
#include <array>

#include "sim/planted.hpp"

namespace amzsim {
namespace {

constexpr std::int64_t kCent = 10'000;   // micros

constexpr std::array<std::string_view, 12> kReimbursements{"FBAInventoryReimbursement", "WAREHOUSE_LOST",       "WAREHOUSE_DAMAGE",  "MISSING_FROM_INBOUND",
                                                           "INBOUND_CARRIER_DAMAGE",    "CUSTOMER_DAMAGE",      "REMOVAL_ORDER_LOST", "MULTICHANNEL_ORDER_LOST",
                                                           "CS_ERROR_ITEMS",            "RE_EVALUATION",        "WAREHOUSE_LOST_MANUAL", "REVERSAL_REIMBURSEMENT"};
constexpr std::array<std::string_view, 5> kOtherAdjustments{"ReserveDebit", "ReserveCredit", "PostageBilling_Postage", "MiscAdjustment", "NonSubscriptionFeeAdj"};
constexpr std::array<std::string_view, 4> kServiceFees{"FBAStorageFee", "FBALongTermStorageFee", "FBARemovalFee", "Subscription"};

std::string digits(std::int64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

/// Cents, or whole units where the currency has no smaller ones.
Micros money(const Marketplace& m, std::int64_t cents) {
  if (m.currency == "JPY") return Micros{cents * 1'000'000};
  return Micros{cents * kCent};
}

/// A fact that is the one before it once more.
bool is_twin(std::int64_t number) { return number % 97 == 13 && number > 0; }

}  // namespace

Micros Fact::total() const {
  std::int64_t sum = 0;
  for (const FactItem& item : items)
    for (const auto* list : {&item.charges, &item.fees, &item.promotions})
      for (const Component& c : *list) sum += c.amount.value;
  return Micros{sum};
}

Seller::Seller(SellerSettings settings) : settings_(std::move(settings)) {
  auto r = Random::at(settings_.seed, 1, settings_.number);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  id_ = "A";
  for (int i = 0; i < 12; ++i) id_ += kAlphabet[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(kAlphabet.size())))];
  // Seller 1 sells in one marketplace, seller 2 in two, and so on: several currencies come with them.
  for (const Marketplace& m : amzsync::spapi::marketplaces())
    if (m.region == settings_.region && static_cast<int>(marketplaces_.size()) < 1 + (settings_.number - 1) % 4) marketplaces_.push_back(&m);
}

const PlantedWorld* Seller::planted() const {
  if (settings_.planted <= 0) return nullptr;
  if (!planted_) {
    planted_ = std::make_shared<const PlantedWorld>(plant(settings_, marketplaces_));
    for (const Fact& f : planted_->facts) planted_places_.push_back(own_first_at(f.posted) + static_cast<std::int64_t>(planted_places_.size()));
  }
  return planted_.get();
}

Seller::Place Seller::place(std::int64_t number) const {
  if (!planted()) return {false, number};
  const auto found = std::lower_bound(planted_places_.begin(), planted_places_.end(), number);
  const auto before = found - planted_places_.begin();
  if (found != planted_places_.end() && *found == number) return {true, before};
  return {false, number - before};
}

std::string Seller::sku(std::int64_t number) const {
  std::string sku = "SKU-" + std::to_string(settings_.number) + "-" + digits(number, 5);
  // Real ones hold commas, quotes, blanks and letters of every language.
  switch (number % 23) {
    case 3: return sku + " blue, large";
    case 7: return sku + "\"5\"";
    case 11: return sku + "-\xC3\xBC\xE6\x97\xA5";
    case 19: return "0" + sku + "+%";
    default: return sku;
  }
}

std::string Seller::fnsku(const std::string& sku) const {
  // Some end within a letter, and then differ by the charset of the file; not so where files are held against each other.
  return "X00" + (settings_.planted > 0 ? sku.substr(sku.find('-') + 1, std::to_string(settings_.number).size() + 6) : sku.substr(4, 9));
}

Instant Seller::posted(std::int64_t number) const {
  const Place at = place(number);
  return at.planted ? planted_->facts[static_cast<std::size_t>(at.number)].posted : own_posted(at.number);
}

Instant Seller::own_posted(std::int64_t number) const {
  if (is_twin(number)) --number;   // in the same second as the one before
  const std::int64_t span = std::chrono::duration_cast<std::chrono::seconds>(settings_.history).count();
  const std::int64_t offset = static_cast<std::int64_t>(static_cast<__int128>(span) * number / std::max<std::int64_t>(1, settings_.events));
  return std::chrono::floor<std::chrono::seconds>(settings_.end - settings_.history) + std::chrono::seconds(offset);
}

bool Seller::shown(std::int64_t place_number, Instant at) const {
  const auto [planted, number] = place(place_number);
  if (planted) return planted_->happened(planted_->facts[static_cast<std::size_t>(number)].posted, at);
  constexpr Duration kLate = std::chrono::hours(30);
  const bool late = (is_twin(number) ? number - 1 : number) % 23 == 5;
  if (!late && number < settings_.events) return true;
  // At half past an hour, so that nothing appears while a sync that began on the hour is under way and its truth is asked for.
  return at >= std::chrono::ceil<std::chrono::hours>(own_posted(number) + (late ? kLate : Duration{})) + std::chrono::minutes(30);
}

std::int64_t Seller::first_at(Instant at) const {
  if (!planted()) return own_first_at(at);
  const auto first = std::lower_bound(planted_->facts.begin(), planted_->facts.end(), at, [](const Fact& f, Instant t) { return f.posted < t; });
  return own_first_at(at) + (first - planted_->facts.begin());
}

std::int64_t Seller::own_first_at(Instant at) const {
  constexpr std::int64_t kLongAfter = 10;   // times the history
  std::int64_t low = 0, high = settings_.goes_on ? settings_.events * kLongAfter : settings_.events;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (own_posted(middle) < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Fact Seller::fact(std::int64_t number) const {
  const Place at = place(number);
  return at.planted ? planted_->facts[static_cast<std::size_t>(at.number)] : own_fact(at.number);
}

/// Where cases are planted nothing else gives a reason for a claim: what is lost is paid, what is refunded was sold and came back, no bill comes twice.
void Seller::make_harmless(Fact& f, std::int64_t original) const {
  const auto tidy_sale = [&](FactItem& item) {
    const Micros price{std::max<std::int64_t>(std::abs(item.charges.front().amount.value), money(*f.marketplace, 1'000).value)};
    const std::int64_t commission = price.value * 15 / 100 / money(*f.marketplace, 1).value * money(*f.marketplace, 1).value;
    item.charges.front().amount = price;
    item.fees = {{"Commission", Micros{-commission}}, {"FBAPerUnitFulfillmentFee", Micros{-money(*f.marketplace, fulfilment_fee(f.posted, kOwnOunces) * item.quantity).value}}};
  };
  switch (f.kind) {
    case FactKind::shipment:
      for (FactItem& item : f.items) tidy_sale(item);
      break;
    case FactKind::refund: {
      // Of the sale right before; where there is none it is a sale itself.
      const Fact sale = original > 0 ? own_fact(original - 1) : Fact{};
      const bool whole = sale.kind == FactKind::shipment && !sale.deferred && sale.items.size() == 1 && sale.number == original - 1 && sale.items.front().charges.size() == 3;
      if (!whole) {
        f.kind = FactKind::shipment;
        for (FactItem& item : f.items) {
          tidy_sale(item);
          item.charges[1].amount = Micros{std::abs(item.charges[1].amount.value)};
        }
        break;
      }
      f.order_id = sale.order_id;
      f.marketplace = sale.marketplace;
      f.items = sale.items;
      FactItem& item = f.items.front();
      for (auto* list : {&item.charges, &item.promotions})
        for (Component& c : *list) c.amount.value = -c.amount.value;
      const std::int64_t cent = money(*f.marketplace, 1).value, credit = -item.fees.front().amount.value;
      std::int64_t kept = (credit / cent * 2 + 5) / 10 * cent;
      if (f.marketplace->currency == "USD") kept = std::min<std::int64_t>(kept, 5'000'000);
      item.fees = {{"Commission", Micros{credit}}, {"RefundCommission", Micros{-kept}}};
      break;
    }
    case FactKind::service_fee:
      if (f.named) {
        // Storage is billed by month (planted.cpp); no two other bills are of one sum, and none ends as a planted one.
        Component& fee = f.items.front().fees.front();
        if (fee.type == "FBAStorageFee") fee.type = "FBARemovalFee";
        fee.amount = Micros{-money(*f.marketplace, 10 + original % 1'900 * 10 + original % 9).value};
        break;
      }
      f.kind = FactKind::reimbursement;   // a bill with a twin would be one that came twice
      [[fallthrough]];
    case FactKind::reimbursement:
      f.adjustment_type = "WAREHOUSE_LOST";
      for (FactItem& item : f.items) {
        std::int64_t hash = 0;
        for (const char c : item.sku) hash = (hash * 31 + static_cast<unsigned char>(c)) % 2'000;
        item.fees.clear();
        item.charges = {{"Reimbursement", Micros{money(*f.marketplace, 300 + hash).value * item.quantity}}};
      }
      break;
    default: break;
  }
}

Fact Seller::own_fact(std::int64_t number) const {
  // A twin has the same content, in the same second, and nothing that would tell the two apart.
  const bool twin = is_twin(number), has_twin = is_twin(number + 1);
  const std::int64_t original = twin ? number - 1 : number;

  auto r = Random::at(settings_.seed, 2, settings_.number, original);
  Fact f;
  f.number = number;
  f.posted = own_posted(original);
  f.marketplace = marketplaces_[static_cast<std::size_t>(r.below(static_cast<std::int64_t>(marketplaces_.size())))];
  f.order_id = digits(r.between(100, 999), 3) + "-" + digits(r.below(10'000'000), 7) + "-" + digits(r.below(10'000'000), 7);
  const auto cents = [&](std::int64_t low, std::int64_t high) { return money(*f.marketplace, r.between(low, high)); };
  const auto minus = [](Micros m) { return Micros{-m.value}; };

  const std::int64_t kind = r.below(100);
  if (twin || has_twin) {
    f.kind = r.one_in(2) ? FactKind::reimbursement : FactKind::service_fee;
    f.named = false;
  } else if (original % 50 == 7) {
    f.kind = FactKind::rare;
    f.rare_list = static_cast<int>(original / 50);
  } else if (kind < 74) {
    f.kind = FactKind::shipment;
  } else if (kind < 82) {
    f.kind = FactKind::refund;
  } else if (kind < 88) {
    f.kind = FactKind::service_fee;
  } else if (kind < 95) {
    f.kind = FactKind::reimbursement;
  } else if (kind < 98) {
    f.kind = FactKind::other_adjustment;
  } else {
    f.kind = FactKind::ads;
  }

  const std::int64_t item_count = f.kind == FactKind::shipment || f.kind == FactKind::reimbursement ? 1 + (r.one_in(6) ? r.between(1, 3) : 0) : 1;
  for (std::int64_t i = 0; i < item_count; ++i) {
    FactItem item;
    item.sku = sku(r.below(settings_.skus));
    item.order_item_id = digits(r.below(100'000'000'000'000), 14);
    item.quantity = r.one_in(5) ? r.between(2, 4) : 1;
    switch (f.kind) {
      case FactKind::shipment: {
        const Micros price = cents(799, 9'999);
        item.charges = {{"Principal", price}, {"Tax", cents(0, 700)}, {"ShippingCharge", cents(0, 599)}};
        item.fees = {{"Commission", minus(Micros{price.value * 15 / 100 / kCent * kCent})}, {"FBAPerUnitFulfillmentFee", minus(cents(250, 900))}};
        if (r.one_in(4)) item.promotions = {{"PromotionMetaDataDefinitionValue", minus(cents(50, 300))}};
        break;
      }
      case FactKind::refund:
        item.charges = {{"Principal", minus(cents(799, 9'999))}, {"Tax", minus(cents(0, 700))}};
        item.fees = {{"Commission", cents(100, 1'400)}, {"RefundCommission", minus(cents(20, 280))}};
        break;
      case FactKind::service_fee: item.fees = {{std::string(kServiceFees[static_cast<std::size_t>(r.below(kServiceFees.size()))]), minus(cents(10, 20'000))}}; break;
      case FactKind::reimbursement: {
        if (i == 0) f.adjustment_type = r.one_in(9) ? "COMPENSATED_CLAWBACK" : std::string(kReimbursements[static_cast<std::size_t>(r.below(kReimbursements.size()))]);
        const Micros unit = cents(300, 6'000);
        const Micros all{unit.value * item.quantity};
        item.charges = {{"Reimbursement", f.adjustment_type == "COMPENSATED_CLAWBACK" ? minus(all) : all}};
        break;
      }
      case FactKind::other_adjustment: {
        f.adjustment_type = kOtherAdjustments[static_cast<std::size_t>(r.below(kOtherAdjustments.size()))];
        const Micros amount = cents(100, 30'000);
        item.charges = {{"Adjustment", f.adjustment_type == "ReserveCredit" ? amount : minus(amount)}};
        break;
      }
      case FactKind::ads: item.fees = {{"Ads", minus(cents(500, 40'000))}}; break;
      case FactKind::rare: item.charges = {{"Rare", cents(-5'000, 5'000)}}; break;
    }
    f.items.push_back(std::move(item));
  }
  if (settings_.planted > 0) make_harmless(f, original);
  if (f.kind == FactKind::shipment && r.one_in(10)) {
    f.deferred = true;
    f.released = std::chrono::ceil<std::chrono::hours>(f.posted + std::chrono::hours(24 * r.between(7, 14))) + std::chrono::minutes(30);   // as what is late
  }
  return f;
}

std::vector<StockRow> stock(const Seller& seller, std::size_t marketplace) {
  std::vector<StockRow> rows;
  const auto& s = seller.settings();
  for (std::int64_t i = 0; i < s.skus; ++i) {
    auto r = Random::at(s.seed, 3, s.number, i, marketplace);
    if (marketplace > 0 && !r.one_in(3)) continue;
    StockRow row;
    row.sku = seller.sku(i);
    row.fnsku = "X00" + digits(i, 7);
    row.asin = "B0" + digits(i * 7919 % 100'000'000, 8);
    row.name = "Product " + std::to_string(i) + (i % 10 == 0 ? " 12\" \"special\"" : "");
    row.fulfillable = r.below(200);
    row.inbound_working = r.one_in(4) ? r.below(50) : 0;
    row.inbound_shipped = r.one_in(4) ? r.below(50) : 0;
    row.inbound_receiving = r.one_in(6) ? r.below(20) : 0;
    row.reserved_orders = r.below(10);
    row.reserved_transfer = r.one_in(3) ? r.below(20) : 0;
    row.reserved_processing = r.one_in(5) ? r.below(5) : 0;
    row.research_short = r.one_in(9) ? r.below(4) : 0;
    row.research_mid = r.one_in(19) ? r.below(3) : 0;
    row.research_long = r.one_in(29) ? r.below(2) : 0;
    row.customer_damaged = r.one_in(7) ? r.below(5) : 0;
    row.warehouse_damaged = r.one_in(9) ? r.below(3) : 0;
    row.carrier_damaged = r.one_in(15) ? r.below(3) : 0;
    row.defective = r.one_in(9) ? r.below(4) : 0;
    rows.push_back(std::move(row));
  }
  rows.resize(rows.size() - std::min(rows.size(), static_cast<std::size_t>(seller.lost_skus())));
  return rows;
}

}  // namespace amzsim
