// SPDX-License-Identifier: Apache-2.0
// Units of orders that were refunded and never came back, came back broken by Amazon, or came back and are not in stock.
// Facts: detection 3, rules 6, 7, 8, 12.
#include <algorithm>

#include "detect/order_units.hpp"
#include "detect/rules.hpp"
#include "spapi/regions.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

Subject about(std::string_view order, const OrderItem& item) { return {.fnsku = {}, .sku = item.sku, .asin = item.asin, .order = std::string(order), .shipment = {}, .removal = {}, .period = {}}; }
std::string subject(const Case& c, std::string_view order, const OrderItem& item) { return "order " + std::string(order) + "|" + std::string(c.text(item.sku)); }

void tell_money(Finding& f, const OrderItem& item) {
  for (const MoneyItem& sale : item.sales) f.evidence.push_back({{Source::money, sale.row}, "sale", sale.quantity.value_or(0)});
  for (const MoneyItem& refund : item.refunds) f.evidence.push_back({{Source::money, refund.row}, "refund", refund.quantity.value_or(0)});
}

/// Payments on the order for units of this item: for returns, and for nothing said. `others`: the order's items; what names the SKU of another is for that.
std::vector<Payment*> paid_on_order(Case& c, Name order, const OrderItem& item, std::span<const OrderItem> others, bool damage) {
  std::vector<Payment*> paid = c.payments_of_order(order);
  std::erase_if(paid, [&](const Payment* p) {
    const Family family = p->line->family;
    const bool fits = family == Family::returned || family == Family::general || (damage && family == Family::damaged);
    const bool of_another = p->line->sku != item.sku && std::any_of(others.begin(), others.end(), [&](const OrderItem& other) { return other.sku == p->line->sku; });
    return !fits || of_another || !same_product(item, p->line->sku, p->line->asin);
  });
  std::stable_sort(paid.begin(), paid.end(), [](const Payment* a, const Payment* b) { return (a->line->family == Family::general) < (b->line->family == Family::general); });
  return paid;
}

/// What rule 11 claims of an item is not claimed once more: so many of these units.
std::int64_t claimed_back(Case& c, Name order, const OrderItem& item, std::int64_t units) {
  const auto owned = order.empty() ? c.reopened_by_order.end() : c.reopened_by_order.find(order);
  if (owned == c.reopened_by_order.end()) return 0;
  std::int64_t taken = 0;
  for (Case::Reopened& r : owned->second) {
    const std::int64_t same = same_product(item, r.sku, r.asin) ? std::min(units - taken, r.units) : 0;
    r.units -= same;
    taken += same;
  }
  return taken;
}

void order_value(Finding& f, const OrderUnits& units) {
  f.amount = units.net(f.quantity);
  f.high = units.high(f.quantity);
  f.currency = units.currency;
  f.basis = f.amount ? Basis::order : Basis::unknown;
}

/// The money must be known from an item's first sale on.
std::vector<std::pair<Source, Day>> from_first_sale(const OrderItem& item) {
  std::vector<std::pair<Source, Day>> from;
  for (const MoneyItem& sale : item.sales)
    if (sale.posted) from.emplace_back(Source::money, *sale.posted);
  return from;
}

/// What of an order's returns is left, while its items take of them.
class ReturnsOfOrder {
 public:
  ReturnsOfOrder(const Case& c, const Order& order) : order_(order) {
    for (const ReturnRow* r : c.returns_of_order(order.name)) rows_.push_back({r, r->quantity});
  }
  /// Units of an item that came back: under its own SKU, and under others of its ASIN what is no other item's own.
  std::vector<std::pair<const ReturnRow*, std::int64_t>> take(const OrderItem& item, std::int64_t units) {
    std::vector<std::pair<const ReturnRow*, std::int64_t>> taken;
    for (const bool own : {true, false})
      for (auto& [row, left] : rows_) {
        const bool of_another = row->sku != item.sku && std::any_of(order_.items.begin(), order_.items.end(), [&, r = row](const OrderItem& i) { return i.sku == r->sku; });
        if ((row->sku == item.sku) != own || of_another || !same_product(item, row->sku, row->asin)) continue;
        const std::int64_t same = std::min(units, left);
        if (same <= 0) continue;
        units -= same;
        left -= same;
        taken.emplace_back(row, same);
      }
    return taken;
  }

 private:
  const Order& order_;
  std::vector<std::pair<const ReturnRow*, std::int64_t>> rows_;
};

/// Rules 6 and 12: refunded, not returned, not paid.
void judge_unreturned(Case& c, const Rule& rule, const Order& order, const OrderItem& item, ReturnsOfOrder& returns, int base, int later) {
  const auto units = order_units(c, item);
  const RowRef first{Source::money, item.refunds.empty() ? 0 : item.refunds.front().row};
  if (!units || units->refunded == 0) {
    if (!item.refunds.empty()) c.no(rule, first, units ? "the refund is a price adjustment" : "the money tells no sale by Amazon to compare with");
    return;
  }
  Finding f;
  f.subject = subject(c, order.id, item);
  f.about = about(order.id, item);
  tell_money(f, item);
  std::int64_t open = units->refunded;
  for (const auto& [row, same] : returns.take(item, open)) {
    open -= same;
    f.netting.push_back({{Source::returns, row->row}, same, "returned"});
  }
  open -= claimed_back(c, order.name, item, open);
  open -= c.take(paid_on_order(c, order.name, item, order.items, false), open, f, "payment");
  if (open <= 0) {
    c.no(rule, first, "returned, or paid", std::move(f.netting));
    return;
  }
  // Each unit has the date of its own refund; what came back, or was paid, is of those that were refunded first.
  std::int64_t settled = units->refunded - open;
  for (const OrderUnits::Refund& refund : units->refunds) {
    const std::int64_t of_it = std::min(settled, refund.units);
    settled -= of_it;
    if (of_it == refund.units) continue;
    Finding one = f;
    if (refund.day != units->refunds.front().day) one.subject += "|" + format_day(refund.day);
    one.quantity = refund.units - of_it;
    order_value(one, *units);
    std::optional<Day> not_before;
    if (later > 0) not_before = refund.day + days(rule.maturity_days + later);
    // A part of the order that was not read may have been another unit.
    c.conclude(rule, std::move(one), {.event = refund.day, .country = units->country, .base = base, .by_id = true, .not_before = not_before, .aged_from = {}, .early = false, .told_from = from_first_sale(item)});
  }
}

/// What became of parcels, where the host told it.
class Deliveries {
 public:
  explicit Deliveries(const Case& c) : case_(c) {
    for (const Delivery& d : c.tables.deliveries) by_order_[d.order].push_back(&d);
  }
  bool none() const { return by_order_.empty(); }
  std::optional<Delivery::State> of(Name order, const OrderItem& item) const {
    std::optional<Delivery::State> state;
    const auto known = by_order_.find(order);
    if (order.empty() || known == by_order_.end()) return state;
    for (const Delivery* d : known->second)
      if (d->sku.empty() || d->sku == item.sku) state = d->state;
    return state;
  }
  bool lost_on_the_way(Name order, const OrderItem& item) const {
    const auto state = of(order, item);
    if (!state || *state == Delivery::State::delivered) return false;
    const auto& returns = case_.returns_of_order(order);
    return std::none_of(returns.begin(), returns.end(), [&](const ReturnRow* r) { return same_product(item, r->sku, r->asin); });
  }

 private:
  const Case& case_;
  std::map<Name, std::vector<const Delivery*>> by_order_;
};

class LostInDelivery final : public Judge {
 public:
  LostInDelivery(Case& c, const Rule& rule) : Judge(c, rule), deliveries_(c) {}
  void see(const Order& order) override {
    if (deliveries_.none()) return;   // without evidence of the delivery the order stays with rule 6 (facts 7.13)
    ReturnsOfOrder returns(case_, order);
    for (const OrderItem& item : order.items)
      if (!item.refunds.empty() && deliveries_.lost_on_the_way(order.name, item)) judge_unreturned(case_, rule_, order, item, returns, 75, deliveries_.of(order.name, item) == Delivery::State::returned_to_sender ? 30 : 0);
  }

 private:
  Deliveries deliveries_;
};

class NotReceived final : public Judge {
 public:
  NotReceived(Case& c, const Rule& rule) : Judge(c, rule), deliveries_(c) {}
  void see(const Order& order) override {
    ReturnsOfOrder returns(case_, order);
    for (const OrderItem& item : order.items) {
      if (!item.refunds.empty() && !deliveries_.lost_on_the_way(order.name, item)) judge_unreturned(case_, rule_, order, item, returns, 70, 0);
      if (item.refunds.empty() && !item.sales.empty() && case_.telling()) case_.no(rule_, {Source::money, item.sales.front().row}, "nothing of it was refunded");
    }
  }

 private:
  Deliveries deliveries_;
};

/// Units that came back broken by Amazon. Payments on the order are looked for as the order passes by; those for damage that no loss of the ledger needed
/// only at the end, for one order after another.
class ReturnDamage final : public Judge {
 public:
  ReturnDamage(Case& c, const Rule& rule) : Judge(c, rule) {
    for (const ReturnRow& r : c.tables.returns)
      if (r.grade == ReturnGrade::amazon_damaged && r.quantity > 0 && !is_of_other_shop(c.text(r.order))) returned_[c.text(r.order)][c.text(r.sku)].rows.push_back(&r);
    for (auto& [order, items] : returned_)
      for (auto& [sku, item] : items) std::sort(item.rows.begin(), item.rows.end(), [](const ReturnRow* a, const ReturnRow* b) { return std::tie(a->day, a->row) < std::tie(b->day, b->row); });
  }

  void see(const Order& order) override {
    const auto known = order.name.empty() ? returned_.end() : returned_.find(case_.text(order.name));
    if (known == returned_.end()) return;
    for (auto& [sku, returned] : known->second) {
      auto sold = std::find_if(order.items.begin(), order.items.end(), [&, name = sku](const OrderItem& i) { return case_.text(i.sku) == name; });
      // It may have come back as another SKU of its ASIN.
      if (sold == order.items.end()) sold = std::find_if(order.items.begin(), order.items.end(), [&, asin = returned.rows.back()->asin](const OrderItem& i) { return !asin.empty() && i.asin == asin; });
      draft(returned, sold == order.items.end() ? nullptr : &*sold, order.items);
    }
  }

  void end() override {
    for (auto& [order, items] : returned_)
      for (auto& [sku, returned] : items) {
        if (!returned.drafted) draft(returned, nullptr, {});
        conclude(returned);
      }
    if (!case_.telling()) return;
    for (const ReturnRow& r : case_.tables.returns) {
      if (is_of_other_shop(case_.text(r.order))) case_.no(rule_, {Source::returns, r.row}, "Amazon only shipped the order, for another shop");
      if (r.grade == ReturnGrade::not_amazons) case_.no(rule_, {Source::returns, r.row}, "the customer, or the seller, had broken it");
    }
  }

 private:
  struct Returned {
    std::vector<const ReturnRow*> rows;
    Finding draft;
    bool drafted = false, said_reimbursed = false;
    std::optional<OrderUnits> units;
    std::optional<Day> refunded_on;
    std::map<Day, std::int64_t> by_refund;   // units, by the day of their own refund
  };

  /// What came back is of the units that were refunded first.
  void date(Returned& returned, const OrderItem& item) const {
    std::vector<Day> refunds;
    for (const OrderUnits::Refund& r : returned.units->refunds) refunds.insert(refunds.end(), static_cast<std::size_t>(r.units), r.day);
    std::size_t n = 0;
    for (const ReturnRow* row : case_.returns_of_order(returned.rows.front()->order)) {
      if (!same_product(item, row->sku, row->asin)) continue;
      const bool broken = std::find(returned.rows.begin(), returned.rows.end(), row) != returned.rows.end();
      for (std::int64_t unit = 0; unit < row->quantity; ++unit, ++n)
        if (broken) ++returned.by_refund[n < refunds.size() ? refunds[n] : refunds.back()];
    }
  }

  void draft(Returned& returned, const OrderItem* sold, std::span<const OrderItem> others) {
    const ReturnRow& last = *returned.rows.back();
    OrderItem item{.sku = last.sku, .asin = last.asin, .sales = {}, .refunds = {}};
    if (sold) item = *sold;
    const std::string_view order = case_.text(last.order);
    returned.units = order_units(case_, item);
    // Where the sale is not known, the first refund is the earliest that it can have been for.
    for (const MoneyItem& refund : item.refunds)
      if (refund.posted && refund[Part::principal].value < 0) returned.refunded_on = std::min(returned.refunded_on.value_or(*refund.posted), *refund.posted);
    if (returned.units && returned.units->refunded > 0) date(returned, item);
    item.sku = last.sku;
    Finding& f = returned.draft;
    f.subject = subject(case_, order, item);
    f.about = about(order, item);
    f.about.fnsku = last.fnsku;
    tell_money(f, item);
    for (const ReturnRow* r : returned.rows) {
      f.quantity += r->quantity;
      f.evidence.push_back({{Source::returns, r->row}, "return", r->quantity});
      returned.said_reimbursed |= r->said_reimbursed;
    }
    f.quantity -= case_.take(paid_on_order(case_, last.order, item, others, true), f.quantity, f, "payment");
    f.quantity -= claimed_back(case_, last.order, item, f.quantity);
    returned.drafted = true;
  }

  void conclude(Returned& returned) {
    const ReturnRow& last = *returned.rows.back();
    Finding f = std::move(returned.draft);
    if (f.quantity > 0) {
      std::vector<Payment*> left = case_.payments_of_product(case_.fnsku_of(last.fnsku, last.sku, last.day), Family::damaged);
      std::erase_if(left, [&](const Payment* p) { return p->line->approved < last.day || p->line->approved - last.day > days(30); });
      if (const std::int64_t taken = case_.take(std::move(left), f.quantity, f, "payment of another kind"); taken > 0) {
        f.quantity -= taken;
        f.terms.push_back({"G2", -10});
      }
    }
    if (f.quantity == 0) return case_.no(rule_, {Source::returns, last.row}, "paid", std::move(f.netting));
    if (returned.said_reimbursed) f.terms.push_back({"X1", -10});
    const auto& units = returned.units;
    if (returned.by_refund.empty()) returned.by_refund[returned.refunded_on.value_or(last.day)] = f.quantity;
    std::int64_t settled = -f.quantity;
    for (const auto& [day, of_it] : returned.by_refund) settled += of_it;
    const Day first = returned.by_refund.begin()->first;
    for (const auto& [day, of_it] : returned.by_refund) {
      const std::int64_t paid = std::min(settled, of_it);
      settled -= paid;
      if (paid == of_it) continue;
      Finding one = f;
      if (day != first) one.subject += "|" + format_day(day);
      one.quantity = of_it - paid;
      if (units) order_value(one, *units);
      case_.conclude(rule_, std::move(one),
                     {.event = day,
                      .country = units ? units->country : case_.tables.home,
                      .base = 80,
                      .by_id = true,
                      .not_before = last.day + days(rule_.maturity_days + (returned.said_reimbursed ? 10 : 0)),
                      .aged_from = last.day,
                      .early = true});
    }
  }

  std::map<std::string_view, std::map<std::string_view, Returned>> returned_;   // by order and SKU
};

/// Customers' returns that the stock does not show. What was found of their products is remembered as they pass by; returns are matched at the end, for they
/// may be booked as another product of the ASIN.
class NotRestocked final : public Judge {
 public:
  NotRestocked(Case& c, const Rule& rule) : Judge(c, rule) {
    if (const spapi::Marketplace* home = spapi::find_marketplace(c.tables.home)) at_home_ = Currency::parse(home->currency);
    for (const auto& [asin, rows] : c.ledger.returns_by_asin())
      for (const BookedReturn& r : rows) booked_[asin].push_back({&r, r.units});
    for (auto& [asin, rows] : booked_)
      for (Booked& b : rows) booked_as_[b.row->fnsku].push_back(&b);   // whatever its ASIN was called then
    for (const ReturnRow& r : c.tables.returns)
      if (r.quantity > 0) returns_.push_back({&r, c.fnsku_of(r.fnsku, r.sku, r.day), asin_of(r), r.quantity, {}});
    std::sort(returns_.begin(), returns_.end(), [](const Returned& a, const Returned& b) { return std::tie(a.row->day, a.row->row) < std::tie(b.row->day, b.row->row); });
    for (const Returned& r : returns_) found_[r.fnsku];
  }

  void see(ProductLedger& product) override {
    const auto known = found_.find(product.product.fnsku);
    if (known == found_.end()) return;
    for (const Credit& credit : product.netting.credits)
      if ((credit.kind == Step::found || credit.kind == Step::ownership) && credit.left > 0) known->second.push_back({credit.row->row, credit.day, credit.left});
  }

  /// A return does not say where it was sold, the money of its order does.
  void see(const Order& order) override {
    if (order.name.empty() || case_.returns_of_order(order.name).empty()) return;
    for (const OrderItem& item : order.items)
      for (const auto* told : {&item.sales, &item.refunds})
        for (const MoneyItem& m : *told)
          if (m.currency && m.currency != at_home_) sold_in_.emplace(std::pair(order.name, item.sku), *m.currency);
  }

  void end() override {
    match();
    for (Returned& r : returns_)
      if (r.row->grade == ReturnGrade::sellable) judge(r);
  }

 private:
  static constexpr days kBefore{3}, kAfter{14}, kAround{30};
  struct Booked {
    const BookedReturn* row;
    std::int64_t left;
  };
  struct Found {
    std::int64_t row;
    Day day;
    std::int64_t left;
  };
  struct Returned {
    const ReturnRow* row;
    Name fnsku, asin;
    std::int64_t open;
    std::vector<Netted> netted;
  };

  /// nullopt: at home, as far as it is known.
  std::optional<Currency> sold_in(const ReturnRow& r) const {
    const auto known = sold_in_.find({r.order, r.sku});
    return known == sold_in_.end() ? std::nullopt : std::optional(known->second);
  }

  Name asin_of(const ReturnRow& r) const {
    if (!r.asin.empty()) return r.asin;
    const Product* product = case_.product(case_.fnsku_of(r.fnsku, r.sku, r.day));
    return product ? product->asin : Name{};
  }

  /// The same condition and building first, then the same product, then whatever of the ASIN came in at the time.
  void match() {
    for (int pass = 0; pass < 4; ++pass)
      for (Returned& returned : returns_) {
        const ReturnRow& r = *returned.row;
        if (returned.open == 0 || (pass == 3 && r.grade != ReturnGrade::sellable)) continue;
        for (Booked* booked : pass < 3 ? same_product_rows(returned) : same_asin_rows(returned)) {
          Booked& b = *booked;
          if (b.left == 0 || b.row->day < r.day - kBefore || b.row->day > r.day + kAfter) continue;
          const bool same_grade = b.row->sellable == (r.grade == ReturnGrade::sellable);
          if (pass < 2 && !same_grade) continue;
          if (pass < 1 && b.row->center != r.center) continue;
          const std::int64_t same = std::min(b.left, returned.open);
          if (same == 0) continue;
          b.left -= same;
          returned.open -= same;
          returned.netted.push_back({{Source::ledger, b.row->row}, same, pass < 3 ? "booked" : "booked as another product of the ASIN"});
        }
      }
  }

  std::vector<Booked*> same_product_rows(const Returned& returned) {
    const auto rows = booked_as_.find(returned.fnsku);
    return rows == booked_as_.end() || returned.fnsku.empty() ? std::vector<Booked*>() : rows->second;
  }
  std::vector<Booked*> same_asin_rows(const Returned& returned) {
    std::vector<Booked*> all;
    if (const auto rows = booked_.find(returned.asin); rows != booked_.end())
      for (Booked& b : rows->second) all.push_back(&b);
    return all;
  }

  void judge(Returned& returned) {
    Case& c = case_;
    const ReturnRow& r = *returned.row;
    const RowRef ref{Source::returns, r.row};
    if (is_of_other_shop(c.text(r.order))) return c.no(rule_, ref, "Amazon only shipped the order, for another shop");
    if (r.said_pending) return c.no(rule_, ref, "by its own word it is not back in stock yet");
    Finding f;
    f.subject = "return " + std::string(c.text(r.order)) + "|" + std::string(c.text(r.sku)) + "|" + format_day(r.day) + "|" + std::string(c.text(r.plate)) + "#" + std::to_string(r.occurrence);
    f.about = {.fnsku = r.fnsku, .sku = r.sku, .asin = r.asin, .order = std::string(c.text(r.order)), .shipment = {}, .removal = {}, .period = {}};
    f.evidence.push_back({ref, "return", r.quantity});
    f.netting = std::move(returned.netted);
    std::int64_t left = returned.open;
    // Booked as found, or as given back by Amazon.
    for (Found& found : found_[returned.fnsku]) {
      if (found.day < r.day - kBefore || found.day > r.day + kAfter) continue;
      const std::int64_t same = std::min(found.left, left);
      if (same <= 0) continue;
      found.left -= same;
      left -= same;
      f.netting.push_back({{Source::ledger, found.row}, same, "booked as found"});
    }
    const OrderItem item{.sku = r.sku, .asin = r.asin, .sales = {}, .refunds = {}};
    std::vector<Payment*> paid = paid_on_order(c, r.order, item, {}, false);
    std::erase_if(paid, [](const Payment* p) { return p->line->family != Family::returned; });
    left -= c.take(std::move(paid), left, f, "payment");
    if (left == 0) return c.no(rule_, ref, "booked in the ledger, or paid", std::move(f.netting));
    f.quantity = left;
    const auto rows = booked_.find(returned.asin);
    const bool surplus = rows != booked_.end() && std::any_of(rows->second.begin(), rows->second.end(), [&](const Booked& b) { return b.left > 0 && b.row->day >= r.day - kAround && b.row->day <= r.day + kAround; });
    if (!surplus) f.terms.push_back({"S1", 15});
    if (r.said_reimbursed) f.terms.push_back({"X1", -10});
    c.set_value(f, c.value_before_order(returned.fnsku, r.sku, r.day, c.tables.home, sold_in(r)));
    c.conclude(rule_, std::move(f), {.event = r.day, .country = c.tables.home, .base = 55, .by_id = false, .not_before = {}, .aged_from = {}, .early = false});
  }

  std::map<Name, std::vector<Booked>> booked_;   // customers' returns in the ledger, by ASIN
  std::map<Name, std::vector<Booked*>> booked_as_;   // the same by FNSKU
  std::vector<Returned> returns_;         // by (day, row)
  std::map<Name, std::vector<Found>> found_;     // by FNSKU
  std::optional<Currency> at_home_;
  std::map<std::pair<Name, Name>, Currency> sold_in_;   // by order and SKU, of those of which units came back to another marketplace than that
};

}  // namespace

std::unique_ptr<Judge> order_lost_in_delivery(Case& c, const Rule& rule) { return std::make_unique<LostInDelivery>(c, rule); }
std::unique_ptr<Judge> return_damage_unpaid(Case& c, const Rule& rule) { return std::make_unique<ReturnDamage>(c, rule); }
std::unique_ptr<Judge> return_not_received(Case& c, const Rule& rule) { return std::make_unique<NotReceived>(c, rule); }
std::unique_ptr<Judge> return_not_restocked(Case& c, const Rule& rule) { return std::make_unique<NotRestocked>(c, rule); }

}  // namespace amzsync::detect
