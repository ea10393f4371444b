// SPDX-License-Identifier: Apache-2.0
// Fees that were charged twice or too high. Facts: detection 3, rules 13 to 16. Charges of one SKU and month are one finding; those that can no
// longer be claimed are told and not summed up.
#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "detect/order_units.hpp"
#include "detect/rules.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr std::int64_t kCents2 = 20'000;

std::string month_of(Day day) { return format_day(day).substr(0, 7); }

/// Sums up charges by SKU, kind and month as the orders pass by, in whatever order they do. There can be many, so they are kept small.
class Months {
 public:
  Months(Case& c, const Rule& rule) : c_(c), rule_(rule) {}

  /// `basis`: what the charge was compared with, where that is a row.
  void add(std::string_view variant, const OrderItem& item, const MoneyItem& sale, std::string_view country, Micros over, std::optional<Evidence> basis) {
    const Day day = *sale.posted;
    const bool open = c_.today <= c_.policy.window(rule_.claim, country, day).latest;
    Month& m = months_[{item.sku, variant, first_of_month(day), *sale.currency}];
    if (m.charges.empty() || std::tie(day, sale.row) < std::tie(m.first, m.first_row)) {
      m.first = day;
      m.first_row = sale.row;
      m.country = country;
      m.asin = item.asin;
    }
    m.charges.push_back({sale.row, static_cast<std::int32_t>(sale.quantity.value_or(0)), open});
    if (open) m.first_open = std::min(m.first_open.value_or(day), day);
    (open ? m.open_sum : m.expired_sum) += over.value;
    if (basis && std::none_of(m.bases.begin(), m.bases.end(), [&](const Evidence& known) { return known.row == basis->row; })) m.bases.push_back(*basis);
  }

  /// What was given back of charges of an SKU since a day, of so much at most; told in the finding.
  using GivenBack = std::function<std::int64_t(Name sku, Currency currency, Day since, std::int64_t most, Finding& f)>;
  void conclude(const std::function<int(std::string_view variant)>& base, const std::function<bool(std::string_view variant)>& review_only, const GivenBack& given_back = {}) {
    while (!months_.empty()) {
      auto month = months_.extract(months_.begin());   // what is concluded makes room
      const auto& [sku, variant, first_day, currency] = month.key();
      Month& m = month.mapped();
      std::sort(m.charges.begin(), m.charges.end(), [](const Charge& a, const Charge& b) { return a.row < b.row; });
      Finding f;
      f.variant = variant;
      f.about = {.fnsku = {}, .sku = sku, .asin = m.asin, .order = {}, .shipment = {}, .removal = {}, .period = month_of(first_day)};
      f.subject = "fees " + std::string(c_.text(sku)) + "|" + f.about.period + "|" + std::string(currency.text());
      f.currency = currency;
      f.basis = Basis::charge;
      std::int64_t sum = m.first_open ? m.open_sum : m.expired_sum;
      if (given_back) sum -= given_back(sku, currency, m.first, sum, f);
      f.amount = Micros{sum};
      f.review_only = review_only(variant);
      f.evidence.reserve(m.charges.size() + m.bases.size());
      for (const Charge& charge : m.charges) f.evidence.push_back({{Source::money, charge.row}, charge.open ? "charge" : "charge out of time", charge.units});
      f.evidence.insert(f.evidence.end(), m.bases.begin(), m.bases.end());
      Case::Grounds grounds{.event = m.first_open.value_or(m.first), .country = m.country, .base = base(variant), .by_id = true, .not_before = {}, .aged_from = {}, .early = false};
      if (variant == "preview" || variant == "wrong_charge") grounds.also = {{Source::fee_preview, 0}};
      if (sum <= 0) {
        c_.no(rule_, f.evidence.front().row, "given back", std::move(f.netting));
        continue;
      }
      c_.conclude(rule_, std::move(f), grounds);
    }
  }

 private:
  struct Charge {
    std::int64_t row;
    std::int32_t units;
    bool open;                            // it can still be claimed
  };
  struct Month {
    Name asin;
    std::string_view country;
    Day first{};
    std::int64_t first_row = 0;
    std::optional<Day> first_open;
    std::int64_t open_sum = 0, expired_sum = 0;
    std::vector<Charge> charges;
    std::vector<Evidence> bases;          // few: rows of one product
  };
  static Day first_of_month(Day day) {
    const std::chrono::year_month_day date(day);
    return Day(date.year() / date.month() / std::chrono::day(1));
  }

  Case& c_;
  const Rule& rule_;
  std::map<std::tuple<Name, std::string_view, Day, Currency>, Month> months_;
};

/// What multiplies a card's fees on a day, in millionths.
std::int64_t surcharge_on(const FulfilmentCard& card, Day day) {
  std::int64_t factor = 1'000'000;
  for (const auto& s : card.surcharges)
    if (s.from <= day && day < s.until) factor = factor * s.factor.value / 1'000'000;
  return factor;
}

/// What a card asks for a unit of this tier and weight on a day; nullopt: it has no such tier.
std::optional<Micros> expected_fee(const FulfilmentCard& card, std::string_view tier, Micros ounces, Day day, Currency currency) {
  for (const auto& t : card.tiers) {
    if (t.name != tier || ounces > t.most_ounces) continue;
    return times(t.fee, Micros{surcharge_on(card, day)}, currency);
  }
  return std::nullopt;
}

/// The weight that counts: of large and bulky goods at least what their volume weighs (139 cubic inches to the pound).
Micros billed_ounces(const SellerSize& size, std::string_view tier) {
  if (tier == "small standard") return size.ounces;
  const auto cubic_inches = static_cast<__int128>(size.longest.value) * size.median.value * size.shortest.value / 1'000'000 / 1'000'000;
  return std::max(size.ounces, Micros{static_cast<std::int64_t>(cubic_inches * 16 / 139)});
}

/// What was told on a day, or last before it, else first after it; how far that is away.
struct NearestPreview {
  const FeePreview* row = nullptr;
  bool later = false;
  days away{};
};
NearestPreview preview_for(const std::map<Name, std::vector<const FeePreview*>>& previews, Name sku, std::string_view country, Day day) {
  NearestPreview found;
  const auto known = previews.find(sku);
  if (known == previews.end()) return found;
  for (const FeePreview* p : known->second) {
    if (!p->country.empty() && p->country != country) continue;   // another store's
    if (p->since <= day) {
      found = {p, false, std::max(days(0), day - p->day)};
    } else if (!found.row) {
      return {p, true, p->since - day};
    }
  }
  return found;
}

std::map<Name, std::vector<const FeePreview*>> previews_by_sku(const Case& c) {
  std::map<Name, std::vector<const FeePreview*>> found;
  for (const FeePreview& p : c.tables.fee_previews) found[p.sku].push_back(&p);
  for (auto& [sku, list] : found) std::sort(list.begin(), list.end(), [](const FeePreview* a, const FeePreview* b) { return std::tie(a->since, a->day, a->row) < std::tie(b->since, b->day, b->row); });
  return found;
}

void judge_twice(Case& c, const Rule& rule, const Order& order, const OrderItem& item) {
  for (const Part part : {Part::fulfilment, Part::commission})
    for (const ChargedTwice& twice : charged_twice(item, part)) {
      std::int64_t given_back = 0;
      for (const MoneyItem& refund : item.refunds)
        if (refund.item == twice.line || refund.item.empty() || twice.line.empty()) given_back += std::max<std::int64_t>(0, refund[part].value);
      for (const MoneyItem* sale : twice.sales) given_back += std::max<std::int64_t>(0, (*sale)[part].value);
      Finding f;
      f.variant = part == Part::fulfilment ? "fulfilment" : "commission";
      f.subject = "order " + order.id + "|" + std::string(twice.line.empty() ? c.text(item.sku) : twice.line);
      f.about = {.fnsku = {}, .sku = item.sku, .asin = item.asin, .order = order.id, .shipment = {}, .removal = {}, .period = {}};
      for (const MoneyItem* sale : twice.sales) f.evidence.push_back({{Source::money, sale->row}, "charge", sale->quantity.value_or(0)});
      const std::int64_t amount = twice.over.value - given_back;
      if (amount <= 0) {
        c.no(rule, f.evidence.front().row, "given back");
        continue;
      }
      const MoneyItem& first = *twice.sales.front();
      f.amount = Micros{amount};
      f.currency = first.currency;
      f.basis = Basis::charge;
      const std::string_view country = first.country.empty() ? c.tables.home : first.country;
      c.conclude(rule, std::move(f), {.event = twice.last, .country = country, .base = 75, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
    }
}

void judge_service_fees(Case& c, const Rule& rule) {
  // Fees of a period: the same sum of the same kind, for the same product and country, twice within twenty days.
  constexpr std::string_view kOncePerPeriod[]{"FBAStorageFee", "FBALongTermStorageFee", "Subscription"};
  std::map<std::tuple<std::string_view, std::string_view, std::string_view, std::string, std::string>, std::vector<const ServiceFee*>> groups;
  for (const ServiceFee& fee : c.tables.service_fees) {
    const bool once = std::find(std::begin(kOncePerPeriod), std::end(kOncePerPeriod), c.text(fee.type)) != std::end(kOncePerPeriod);
    if (!fee.posted || (!once && fee.object.empty())) continue;
    const Name what = !fee.object.empty() ? fee.object : !fee.fnsku.empty() ? fee.fnsku : fee.sku;
    groups[{c.text(fee.type), c.text(what), fee.country, once ? month_of(*fee.posted) : std::string(), std::string(fee.currency.text())}].push_back(&fee);
  }
  for (auto& [key, fees] : groups) {
    std::sort(fees.begin(), fees.end(), [](const ServiceFee* a, const ServiceFee* b) { return std::tie(a->posted, a->row) < std::tie(b->posted, b->row); });
    std::map<std::int64_t, std::vector<const ServiceFee*>> charged;
    std::map<std::int64_t, int> given_back;
    for (const ServiceFee* fee : fees) {
      if (fee->amount.value < 0) charged[-fee->amount.value].push_back(fee);
      if (fee->amount.value > 0) ++given_back[fee->amount.value];
    }
    for (const auto& [sum, twice] : charged)
      for (std::size_t i = 1; i < twice.size(); ++i) {
        const ServiceFee& fee = *twice[i];
        if (*fee.posted - *twice[i - 1]->posted > days(20) || fee.row == twice[i - 1]->row) continue;
        if (given_back[sum] > 0) {
          --given_back[sum];
          c.no(rule, {Source::money, fee.row}, "given back");
          continue;
        }
        Finding f;
        f.variant = "service";
        f.subject = "fee " + std::string(std::get<0>(key)) + "|" + std::string(std::get<1>(key)) + "|" + std::string(fee.country) + "|" + format_day(*fee.posted) + "|" + format_micros({sum}) + "#" + std::to_string(i);
        f.about = {.fnsku = fee.fnsku, .sku = fee.sku, .asin = {}, .order = {}, .shipment = {}, .removal = fee.object, .period = month_of(*fee.posted)};
        f.evidence = {{{Source::money, twice[i - 1]->row}, "charge", 0}, {{Source::money, fee.row}, "charge", 0}};
        f.amount = Micros{sum};
        f.currency = fee.currency;
        f.basis = Basis::charge;
        c.conclude(rule, std::move(f), {.event = *fee.posted, .country = fee.country.empty() ? c.tables.home : fee.country, .base = 75, .by_id = true, .not_before = {}, .aged_from = {}, .early = false});
      }
  }
}

class Duplicates final : public Judge {
 public:
  using Judge::Judge;
  void see(const Order& order) override {
    for (const OrderItem& item : order.items)
      if (item.sales.size() > 1) judge_twice(case_, rule_, order, item);
  }
  void end() override { judge_service_fees(case_, rule_); }
};

/// Payments that correct fees, each of their money once: for an order, or for all orders of a product.
class FeeCredits {
 public:
  explicit FeeCredits(const Case& c) : c_(c) {
    for (const Payment& p : c.payments)
      if (p.line->family == Family::fee && p.line->amount && p.line->currency) credits_.push_back({p.line, p.gross > 0 ? p.line->amount->value * (p.gross - p.reversed) / p.gross : p.line->amount->value});
  }
  /// `order`: empty for those of no order.
  std::int64_t take(Name order, Name sku, Currency currency, Day since, std::int64_t most, std::vector<Netted>& netting) {
    std::int64_t taken = 0;
    for (Credit& credit : credits_) {
      const Reimbursement& line = *credit.line;
      if (credit.left <= 0 || taken >= most || line.order != order || line.currency != currency || line.approved < since) continue;
      const bool of_whole_order = !order.empty() && line.sku.empty() && line.fnsku.empty();
      if (!of_whole_order && line.sku != sku && (!line.sku.empty() || c_.fnsku_of(line) != c_.fnsku_of({}, sku))) continue;
      const std::int64_t here = std::min(credit.left, most - taken);
      credit.left -= here;
      taken += here;
      netting.push_back({{Source::reimbursements, line.row}, 0, "payment"});
    }
    return taken;
  }
  bool none() const { return credits_.empty(); }

 private:
  struct Credit {
    const Reimbursement* line;
    std::int64_t left;
  };
  const Case& c_;
  std::vector<Credit> credits_;
};

class FulfilmentFees final : public Judge {
 public:
  FulfilmentFees(Case& c, const Rule& rule) : Judge(c, rule), previews_(previews_by_sku(c)), months_(c, rule), credits_(c) {
    for (const SellerSize& size : c.tables.sizes) sizes_[size.product] = &size;
  }
  void see(const Order& order) override {
    for (const OrderItem& item : order.items) judge(order.name, item);
  }
  void end() override {
    months_.conclude([](std::string_view v) { return v == "wrong_charge" ? 65 : v == "wrong_size" ? 60 : 50; }, [](std::string_view v) { return v == "preview" || v == "tier_jump"; },
                     [this](Name sku, Currency currency, Day since, std::int64_t most, Finding& f) { return credits_.take({}, sku, currency, since, most, f.netting); });
  }

 private:
  void judge(Name order, const OrderItem& item) {
    Case& c = case_;
    const Rule& rule = rule_;
    const SellerSize* size = nullptr;
    for (const Name product : {item.sku, c.fnsku_of({}, item.sku)})
      if (const auto known = sizes_.find(product); known != sizes_.end()) size = known->second;
    std::int64_t credited = 0;   // to be taken off what this item was overcharged
    for (const MoneyItem& refund : item.refunds) credited += std::max<std::int64_t>(0, refund[Part::fulfilment].value);
    for (const MoneyItem& sale : item.sales) {
      const std::int64_t units = sale.quantity.value_or(0);
      if (!sale.posted || sale.mixed || !sale.currency || units <= 0 || sale[Part::fulfilment].value >= 0) continue;
      if (!sale.tells(Part::principal) || sale[Part::principal].value == 0) continue;   // rule 15 owns those
      const Day day = *sale.posted;
      const std::string_view country = sale.country.empty() ? c.tables.home : sale.country;
      const Currency currency = *sale.currency;
      const std::int64_t fee = -sale[Part::fulfilment].value / units;
      const auto tolerance = [](std::int64_t expected) { return std::max(kCents2, expected / 50); };
      const auto over = [&](std::string_view variant, std::int64_t expected, std::optional<Evidence> basis) {
        if (fee - expected <= tolerance(expected)) return false;
        const std::int64_t sum = (fee - expected) * units;
        std::int64_t back = std::min(sum, credited);
        credited -= back;
        if (!order.empty() && !credits_.none()) {
          std::vector<Netted> told;
          back += credits_.take(order, item.sku, currency, day, sum - back, told);
        }
        if (sum > back) months_.add(variant, item, sale, country, {sum - back}, basis);
        return true;
      };
      const FulfilmentCard* card = c.policy.fulfilment_card(country, day);
      const NearestPreview preview = preview_for(previews_, item.sku, country, day);
      if (card && size) {
        const std::string_view tier = c.text(size->tier);
        if (const auto expected = expected_fee(*card, tier, billed_ounces(*size, tier), day, currency)) {
          if (!over("wrong_size", expected->value, Evidence({Source::supplied, size->row}, "size", 0))) c.no(rule, {Source::money, sale.row}, "the fee of its size");
          continue;
        }
      }
      // What Amazon itself expected. Without a card nothing tells whether rates changed between, so a person must look (facts 7.6).
      if (preview.row && preview.row->fulfilment && preview.row->currency == currency && preview.row->fulfilment->value > 0) {
        std::int64_t expected = preview.row->fulfilment->value;
        // A surcharge that came after the preview is rightly charged.
        if (card) expected = std::max(expected, share_of({expected}, surcharge_on(*card, day), surcharge_on(*card, std::min(day, preview.row->day)), currency).value);
        (void)over(card && !preview.later ? "wrong_charge" : "preview", expected, Evidence({Source::fee_preview, preview.row->row}, "preview", 0));
        continue;
      }
      if (card && !size)
        if (sale.usual_fulfilment) (void)over("tier_jump", *sale.usual_fulfilment, std::nullopt);
    }
  }

  std::map<Name, std::vector<const FeePreview*>> previews_;
  std::map<Name, const SellerSize*> sizes_;
  Months months_;
  FeeCredits credits_;
};

class ReferralFees final : public Judge {
 public:
  ReferralFees(Case& c, const Rule& rule) : Judge(c, rule), previews_(previews_by_sku(c)), months_(c, rule) {}
  void see(const Order& order) override {
    for (const OrderItem& item : order.items) judge(item);
  }
  void end() override {
    months_.conclude([](std::string_view v) { return v == "card" ? 65 : v == "preview" ? 60 : 50; }, [](std::string_view v) { return v == "modal"; });
  }

 private:
  void judge(const OrderItem& item) {
    constexpr std::int64_t kShare = 10'000;   // rates are told in hundredths of a percent
    Case& c = case_;
    const Rule& rule = rule_;
    const auto units_of_order = order_units(c, item);
    for (const MoneyItem& sale : item.sales) {
      const std::int64_t units = sale.quantity.value_or(0), fee = -sale[Part::commission].value;
      if (!sale.posted || sale.mixed || !sale.currency || units <= 0 || fee <= 0 || sale[Part::principal].value <= 0) continue;
      const Day day = *sale.posted;
      const Currency currency = *sale.currency;
      const std::string_view country = sale.country.empty() ? c.tables.home : sale.country;
      const ReferralCard* card = c.policy.referral_card(country, "*", day);
      const NearestPreview preview = preview_for(previews_, item.sku, country, day);
      std::string_view variant;
      std::function<std::int64_t(std::int64_t)> expected;   // of a basis
      if (card) {
        variant = "card";
        expected = [&](std::int64_t basis) {
          std::int64_t each = 0, below = 0;
          const std::int64_t unit = basis / units;
          for (const auto& step : card->steps) {
            const std::int64_t part = std::min(unit, step.up_to.value) - below;
            if (part <= 0) break;
            each += static_cast<std::int64_t>(static_cast<__int128>(part) * step.rate.value / 1'000'000);
            below = step.up_to.value;
          }
          return std::max(round_to_cents({each}, currency).value, card->least.value) * units;
        };
      } else if (tells_rate_of(preview, currency, sale.referral_basis(false) / units)) {
        variant = "preview";
        expected = [&](std::int64_t basis) { return share_of({basis}, preview.row->referral->value, preview.row->price->value, currency).value; };
      } else if (sale.usual_referral) {
        variant = "modal";
        expected = [&, rate = *sale.usual_referral](std::int64_t basis) { return share_of({basis}, rate, kShare, currency).value; };
      } else {
        continue;
      }
      const std::int64_t due = expected(sale.referral_basis(true)), tolerance = std::max(kCents2, due / 100);
      const std::int64_t without = std::max(due, expected(sale.referral_basis(false)));   // who pays for a promotion is not told
      if (fee - due <= tolerance || fee - without <= tolerance) {
        c.no(rule, {Source::money, sale.row}, "the fee of its price");
        continue;
      }
      std::int64_t over = fee - due;
      if (units_of_order && units_of_order->refunded > 0) over = over * (units_of_order->sold - units_of_order->refunded) / units_of_order->sold;
      if (over > 0) months_.add(variant, item, sale, country, {over}, variant == "preview" ? std::optional(Evidence({Source::fee_preview, preview.row->row}, "preview", 0)) : std::nullopt);
    }
  }

  /// Rates have steps and least fees, so a preview tells that of the price that it was made for, and of no other.
  static bool tells_rate_of(const NearestPreview& preview, Currency currency, std::int64_t price) {
    const FeePreview* p = preview.row;
    if (!p || !p->referral || !p->price || p->price->value <= 0 || p->currency != currency) return false;
    return preview.away <= days(7) && std::llabs(price - p->price->value) * 50 <= p->price->value;
  }

  std::map<Name, std::vector<const FeePreview*>> previews_;
  Months months_;
};

/// The class of size that a tier of Amazon's belongs to, however it is written; nullopt: one that is not known.
std::optional<std::string_view> size_class(std::string_view tier) {
  std::string plain;
  for (const char c : tier)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto says = [&](std::string_view word) { return plain.find(word) != std::string::npos; };
  if (says("bulky") || says("oversize") || says("ovsz") || says("xl") || says("extralarge")) return "bulky";
  if (says("standard") || says("std")) return "standard";
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Judge> duplicate_fee_charge(Case& c, const Rule& rule) { return std::make_unique<Duplicates>(c, rule); }
std::unique_ptr<Judge> fulfilment_fee_overcharge(Case& c, const Rule& rule) { return std::make_unique<FulfilmentFees>(c, rule); }
std::unique_ptr<Judge> referral_fee_overcharge(Case& c, const Rule& rule) { return std::make_unique<ReferralFees>(c, rule); }

namespace {

/// The volume that a row was charged for, of so much an item. The report rounds an item's volume, which for many small ones hides cents: where its total
/// is what such an item could add up to, that is the one.
Micros charged_volume(const StorageFee& row, std::int64_t item_volume) {
  const __int128 units = row.on_hand->value - row.pending.value_or(Micros{}).value;
  const Micros volume{static_cast<std::int64_t>(units * item_volume / 1'000'000)};
  if (!row.total_volume || item_volume != row.item_volume->value) return volume;
  const auto rounded = static_cast<std::int64_t>(units * row.volume_step.value / 2'000'000);
  return std::llabs(row.total_volume->value - volume.value) <= rounded ? *row.total_volume : volume;
}

}  // namespace

void storage_fee_overcharge(Case& c, const Rule& rule) {
  constexpr std::int64_t kLeast = 1'000'000;
  std::map<Name, const SellerSize*> sizes;
  for (const SellerSize& size : c.tables.sizes) sizes[size.product] = &size;
  std::map<std::pair<Name, Day>, std::int64_t> balances;   // twice the mean, over all dispositions; below nothing the ledger's balance is no count of units
  for (const BalanceRow& b : c.tables.balances) balances[{b.fnsku, b.period}] += b.starting + b.ending;

  struct Group {
    std::vector<const StorageFee*> rows;
  };
  std::map<std::tuple<std::string_view, Day, Currency>, std::int64_t> by_report, by_money;   // of a country and the month that it is charged in
  for (const StorageFee& fee : c.tables.storage_fees)
    if (fee.fee && fee.currency) by_report[{c.country(fee.country), months_after(fee.month, 1), *fee.currency}] += fee.fee->value;
  for (const ServiceFee& fee : c.tables.service_fees)
    if (c.text(fee.type) == "FBAStorageFee" && fee.posted) {
      const std::chrono::year_month_day date(*fee.posted);
      by_money[{fee.country.empty() ? c.tables.home : fee.country, Day(date.year() / date.month() / std::chrono::day(1)), fee.currency}] -= fee.amount.value;
    }
  std::map<std::tuple<std::string_view, Day, std::string_view>, Group> groups;
  for (const StorageFee& fee : c.tables.storage_fees)
    if (fee.fee && fee.currency && fee.on_hand && fee.item_volume && fee.rate) groups[{c.text(fee.fnsku), fee.month, c.text(fee.country)}].rows.push_back(&fee);
  for (auto& [key, group] : groups) {
    const StorageFee& first = *group.rows.front();
    const std::string_view country = c.country(first.country);
    const Day next = months_after(first.month, 1);
    // The sheet says nothing of when it was charged; the money may.
    Day charged = next + days(14);
    for (const ServiceFee& fee : c.tables.service_fees)
      if (c.text(fee.type) == "FBAStorageFee" && fee.posted && *fee.posted >= next && *fee.posted < months_after(next, 1) && (fee.country.empty() || fee.country == country)) {
        charged = *fee.posted;
        break;
      }
    const SellerSize* size = nullptr;
    for (const Name product : {first.fnsku, c.sku_of(first.fnsku)})
      if (const auto known = sizes.find(product); known != sizes.end()) size = known->second;

    std::int64_t fee = 0, by_sheet = 0, by_rate = 0, by_volume = 0, on_hand = 0;
    bool rate_known = true;
    for (const StorageFee* row : group.rows) {
      const std::int64_t rate = row->rate->value + row->surcharge_rate.value_or(Micros{}).value;
      const auto cost = [&](std::int64_t volume, std::int64_t each) {
        const auto micros = static_cast<__int128>(charged_volume(*row, volume).value) * each / 1'000'000;
        return round_to_cents({static_cast<std::int64_t>(micros)}, *row->currency).value - row->discount.value_or(Micros{}).value;
      };
      fee += row->fee->value;
      on_hand += row->on_hand->value;
      by_sheet += cost(row->item_volume->value, rate);
      const auto size_of = size_class(c.text(row->tier));
      const StorageRate* card = row->dangerous || !size_of ? nullptr : c.policy.storage_rate(country, *size_of, row->month);
      rate_known &= card != nullptr;
      if (card) by_rate += cost(row->item_volume->value, card->rate.value + row->surcharge_rate.value_or(Micros{}).value);
      if (size) {
        const std::string_view units = c.text(row->volume_units);
        const bool metres = units.find("met") != std::string_view::npos;
        const std::int64_t feet = size->cubic_feet().value;
        const std::int64_t volume = metres ? static_cast<std::int64_t>(static_cast<__int128>(feet) * 28'316'847 / 1'000'000'000) : feet;
        by_volume += row->item_volume->value * 10 > volume * 11 ? cost(volume, rate) : cost(row->item_volume->value, rate);
      }
    }
    Finding f;
    f.subject = "storage " + std::string(std::get<0>(key)) + "|" + month_of(first.month) + "|" + std::string(std::get<2>(key));
    f.about = {.fnsku = first.fnsku, .sku = c.sku_of(first.fnsku), .asin = first.asin, .order = {}, .shipment = {}, .removal = {}, .period = month_of(first.month)};
    for (const StorageFee* row : group.rows) f.evidence.push_back({{Source::storage_fees, row->row}, "charge", 0});
    f.currency = first.currency;
    f.basis = Basis::charge;
    int base = 0;
    std::int64_t expected = 0;
    const auto mean = balances.find({first.fnsku, first.month});
    if (fee - by_sheet >= kLeast) {
      f.variant = "arithmetic", base = 70, expected = by_sheet;
    } else if (rate_known && fee - by_rate >= kLeast) {
      f.variant = "rate", base = 65, expected = by_rate;
    } else if (size && fee - by_volume >= kLeast) {
      f.variant = "volume", base = 60, expected = by_volume;
      f.evidence.push_back({{Source::supplied, size->row}, "size", 0});
    } else if (mean != balances.end() && mean->second >= 0 && on_hand * 20 > mean->second * 11'000'000 && on_hand - mean->second * 500'000 >= 1'000'000 && on_hand > 0) {
      f.variant = "quantity", base = 45, f.review_only = true;
      expected = static_cast<std::int64_t>(static_cast<__int128>(fee) * mean->second * 500'000 / on_hand);
      if (fee - expected < kLeast) base = 0;
    }
    if (base == 0) {
      c.no(rule, {Source::storage_fees, first.row}, "charged as the sheet, the rates and the sizes say");
      continue;
    }
    f.amount = round_to_cents({fee - expected}, *first.currency);
    // Where the money shows another sum than the report, the report is not what was charged.
    const auto paid = by_money.find({country, next, *first.currency});
    const std::int64_t reported = by_report[{country, next, *first.currency}];
    if (paid != by_money.end() && paid->second != 0 && std::llabs(paid->second - reported) * 100 > std::llabs(paid->second)) f.terms.push_back({"X1", -10});
    Case::Grounds grounds{.event = charged, .country = country, .base = base, .by_id = true, .not_before = {}, .aged_from = {}, .early = false};
    grounds.told_from = {{Source::storage_fees, first.month}, {Source::ledger_summary, first.month}};
    if (f.variant == "quantity") grounds.also = {{Source::ledger_summary, 0}};
    c.conclude(rule, std::move(f), grounds);
  }
}

}  // namespace amzsync::detect
