// SPDX-License-Identifier: Apache-2.0
#include "detect/case.hpp"

#include <algorithm>

#include "spapi/regions.hpp"

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr days kObserved(180);            // how far back payments show what a unit is worth
constexpr int kAgedDays = 16;             // beyond maturity, after which what would have come has come (T1)

/// The last days of a table are never whole: Amazon tells money up to 48 hours late (Finances 2024-06-19), and a report is made once a day.
days never_whole(Source source) { return days(source == Source::money ? 3 : 2); }

bool before_order(const Reimbursement& r) {
  return r.family == Family::lost || r.family == Family::damaged || r.family == Family::inbound || r.family == Family::removal;
}

}  // namespace

Case::Case(const Tables& t, const Ledger& l, const Policy& p, Day as_of, std::vector<Verdict>* verdicts, std::function<bool(RowRef)> told_of)
    : tables(t), ledger(l), policy(p), today(as_of), verdicts_(verdicts), told_of_(std::move(told_of)) {
  for (const SellerCost& cost : t.costs) costs_[cost.product].push_back(&cost);
  for (const auto& [asin, rows] : l.found_by_asin())
    for (const LedgerRow& row : rows) found_by_asin_[asin].push_back({&row, row.quantity});
  index_products();
  index_returns();
  link_reversals();
}

void Case::index_products() {
  const auto at = [&](Name fnsku) -> Product& {
    const auto [place, fresh] = product_by_fnsku_.emplace(fnsku, products.size());
    if (fresh) products.push_back({.fnsku = fnsku, .asin = ledger.asin_of(fnsku), .payments = {}});
    return products[place->second];
  };
  for (const Name fnsku : ledger.products()) at(fnsku);
  // Products that the ledger does not know by now.
  for (const FeePreview& preview : tables.fee_previews) {
    if (!preview.asin.empty()) asin_by_sku_.emplace(preview.sku, preview.asin);
    if (!preview.sku.empty() && !preview.fnsku.empty()) {
      fnsku_by_sku_.emplace(preview.sku, preview.fnsku);
      sku_by_fnsku_.emplace(preview.fnsku, preview.sku);
    }
  }
  std::set<Name> removal_orders;
  for (const Removal& r : tables.removals) removal_orders.insert(r.order);
  payments.reserve(tables.reimbursements.size());
  for (const Reimbursement& line : tables.reimbursements) {
    const Name fnsku = fnsku_of(line);
    if (!line.sku.empty() && !line.fnsku.empty()) {
      fnsku_by_sku_.emplace(line.sku, line.fnsku);
      sku_by_fnsku_.emplace(line.fnsku, line.sku);
    }
    if (line.family == Family::reversal) continue;
    // Of an SKU that is another product by now it may be for what it was before.
    if (!line.sku.empty() && line.order.empty() && before_order(line) && ledger.fnsku_of(line.sku) != ledger.fnsku_of(line.sku, Day{})) paid_by_sku_[line.sku].push_back(&line);
    const std::int64_t units = line.cash + line.inventory;
    payments.push_back({&line, units, 0, units});
    // Only of what is paid for an order it names one; a line for a removal or a shipment may bear the number of that.
    const bool of_order = !line.order.empty() && line.family != Family::removal && line.family != Family::inbound && !removal_orders.contains(line.order);
    if (of_order) {
      payments_by_order_[line.order].push_back(payments.size() - 1);
    } else {
      payments_by_fnsku_[fnsku].push_back(payments.size() - 1);
    }
    if (before_order(line)) paid_by_fnsku_[fnsku].push_back(&line);
    const bool of_ledger = line.family == Family::lost || line.family == Family::damaged || line.family == Family::general;
    if (of_ledger && !of_order) {
      Product& product = at(fnsku);
      if (product.asin.empty()) product.asin = line.asin;
      product.payments.push_back(&payments.back());
    }
  }
  for (Product& product : products)
    std::sort(product.payments.begin(), product.payments.end(), [](const Payment* a, const Payment* b) { return std::tie(a->line->approved, a->line->row) < std::tie(b->line->approved, b->line->row); });
}

ProductLedger Case::net_product(const Product& product, std::span<const LedgerRow> rows) {
  ProductLedger p{.product = product, .rows = rows, .found_before = {}, .netting = {}};
  std::span<FoundByAsin> shared;
  if (const auto found = found_by_asin_.find(product.asin); found != found_by_asin_.end()) shared = found->second;
  p.found_before.assign(shared.begin(), shared.end());
  p.netting = net(rows, shared, product.payments, false);
  for (const Credit& credit : p.netting.credits)
    if (credit.payment) credit.payment->left = credit.left;
  // Which of several products it was nobody can tell.
  for (const FoundByAsin& f : p.found_before)
    for (Lot& lot : p.netting.lots)
      if (f.left < f.row->quantity && lot.kind == Lot::Kind::lost && lot.left > 0 && lot.row->day <= f.row->day) lot.found_elsewhere = true;
  return p;
}

bool Case::paid_as_another_product(const LedgerRow& lost) const {
  const auto known = paid_by_sku_.find(lost.msku);
  if (known == paid_by_sku_.end()) return false;
  return std::any_of(known->second.begin(), known->second.end(), [&](const Reimbursement* line) {
    return fnsku_of(*line) != lost.fnsku && line->approved >= lost.day && (line->asin.empty() || lost.asin.empty() || line->asin == lost.asin);
  });
}

void number_twins(std::span<LedgerRow> rows) {
  const auto told = [](const LedgerRow& r) { return std::tie(r.quantity, r.occurrence, r.reason, r.disposition, r.center, r.msku, r.reference); };
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    while (end < rows.size() && rows[end].day == rows[begin].day) ++end;
    if (end - begin == 1) continue;
    std::map<decltype(told(rows.front())), std::uint32_t> before;   // a day can have any number of rows
    for (LedgerRow& row : rows.subspan(begin, end - begin)) row.twin = before[told(row)]++;
  }
}

void Case::remember(const Order& order) {
  for (const OrderItem& item : order.items)
    for (const MoneyItem& sale : item.sales) {
      const std::int64_t units = sale.quantity.value_or(0);
      if (sale.mixed || !sale.currency || !sale.posted || *sale.posted >= policy.sourcing_cost_since() || units <= 0 || !sale.tells(Part::principal)) continue;
      past_sales_[item.sku].push_back({*sale.posted, *sale.currency, sale[Part::principal].value / units, (sale[Part::commission].value + sale[Part::fulfilment].value) / units});
    }
}

void Case::index_returns() {
  for (const ReturnRow& row : tables.returns)
    if (!row.order.empty()) returns_by_order_[row.order].push_back(&row);
  for (auto& [order, rows] : returns_by_order_) std::sort(rows.begin(), rows.end(), [](const ReturnRow* a, const ReturnRow* b) { return std::tie(a->day, a->row) < std::tie(b->day, b->row); });
}

/// Each reversal takes back units of the line that it names: the one of the same product, of the same amount per unit first (detection 3.0, step 0).
void Case::link_reversals() {
  std::unordered_map<Name, std::vector<Payment*>, NameHasher> by_id;
  for (Payment& p : payments) by_id[p.line->id].push_back(&p);
  std::vector<const Reimbursement*> lines;
  for (const Reimbursement& line : tables.reimbursements)
    if (line.family == Family::reversal) lines.push_back(&line);
  std::sort(lines.begin(), lines.end(), [](const Reimbursement* a, const Reimbursement* b) { return std::tie(a->approved, a->row) < std::tie(b->approved, b->row); });
  for (const Reimbursement* line : lines) {
    std::int64_t left = line->cash != 0 ? line->cash : line->inventory;
    auto originals = line->original_id.empty() ? std::vector<Payment*>() : by_id[line->original_id];
    std::erase_if(originals, [&](const Payment* p) {
      const bool tells = !line->fnsku.empty() || !line->sku.empty();
      const bool same = (!line->fnsku.empty() && p->line->fnsku == line->fnsku) || (!line->sku.empty() && p->line->sku == line->sku);
      return tells && !same;
    });
    std::stable_sort(originals.begin(), originals.end(), [&](const Payment* a, const Payment* b) {
      const bool equal_a = a->line->per_unit == line->per_unit, equal_b = b->line->per_unit == line->per_unit;
      return equal_a != equal_b ? equal_a : a->line->row < b->line->row;
    });
    for (Payment* p : originals) {
      const std::int64_t units = std::min(left, p->gross - p->reversed);
      if (units <= 0) continue;
      p->reversed += units;
      p->left -= units;
      left -= units;
      reversals.push_back({line, p, units});
    }
    if (left > 0) reversals.push_back({line, nullptr, left});
  }
}

const Product* Case::product(Name fnsku) const {
  const auto found = product_by_fnsku_.find(fnsku);
  return found == product_by_fnsku_.end() ? nullptr : &products[found->second];
}

Name Case::asin_of(Name sku) const {
  if (const Name asin = ledger.asin_of_sku(sku); !asin.empty()) return asin;
  const auto known = asin_by_sku_.find(sku);
  return known == asin_by_sku_.end() ? Name{} : known->second;
}

const std::vector<const Reimbursement*>& Case::paid_before_order(Name fnsku) const {
  static const std::vector<const Reimbursement*> none;
  const auto found = paid_by_fnsku_.find(fnsku);
  return found == paid_by_fnsku_.end() ? none : found->second;
}

Name Case::fnsku_of(Name fnsku, Name sku, std::optional<Day> day) const {
  if (!fnsku.empty()) return fnsku;
  if (const Name said = ledger.fnsku_of(sku, day); !said.empty()) return said;
  const auto found = fnsku_by_sku_.find(sku);
  return found == fnsku_by_sku_.end() ? Name{} : found->second;
}

Name Case::sku_of(Name fnsku) const {
  if (const Name sku = ledger.sku_of(fnsku); !sku.empty()) return sku;
  const auto found = sku_by_fnsku_.find(fnsku);
  return found == sku_by_fnsku_.end() ? Name{} : found->second;
}

std::vector<Payment*> Case::payments_of_order(Name order) {
  std::vector<Payment*> found;
  if (const auto at = payments_by_order_.find(order); at != payments_by_order_.end())
    for (const std::size_t i : at->second) found.push_back(&payments[i]);
  return found;
}

std::vector<Payment*> Case::payments_of_product(Name fnsku, Family family) {
  std::vector<Payment*> found;
  if (const auto at = payments_by_fnsku_.find(fnsku); at != payments_by_fnsku_.end())
    for (const std::size_t i : at->second)
      if (payments[i].line->family == family && payments[i].left > 0) found.push_back(&payments[i]);
  std::sort(found.begin(), found.end(), [](const Payment* a, const Payment* b) { return std::tie(a->line->approved, a->line->row) < std::tie(b->line->approved, b->line->row); });
  return found;
}

const std::vector<const ReturnRow*>& Case::returns_of_order(Name order) const {
  static const std::vector<const ReturnRow*> none;
  const auto found = returns_by_order_.find(order);
  return found == returns_by_order_.end() ? none : found->second;
}

std::int64_t Case::take(std::vector<Payment*> from, std::int64_t units, Finding& f, std::string_view step) {
  std::int64_t taken = 0;
  for (Payment* p : from) {
    const std::int64_t here = std::min(units - taken, p->left);
    if (here <= 0) continue;
    p->left -= here;
    taken += here;
    f.netting.push_back({{Source::reimbursements, p->line->row}, here, step});
  }
  return taken;
}

Value Case::value_before_order(Name fnsku, Name sku, Day event, std::string_view where, std::optional<Currency> in) const {
  Value value;
  // Units lie in countries, too, where nothing is sold; they are valued as at home.
  const spapi::Marketplace* marketplace = spapi::find_marketplace(where);
  if (!marketplace) marketplace = spapi::find_marketplace(tables.home);
  value.currency = in ? in : marketplace ? Currency::parse(marketplace->currency) : std::nullopt;
  const auto capped = [&](Micros amount) {
    const auto cap = value.currency ? policy.unit_cap(*value.currency) : std::nullopt;
    return cap ? std::min(amount, *cap) : amount;
  };
  if (event < policy.sourcing_cost_since()) {
    // What it sold for before, less what Amazon would have kept.
    std::vector<Micros> principals, fees;
    if (const auto sales = past_sales_.find(sku); !sku.empty() && sales != past_sales_.end())
      for (const PastSale& sale : sales->second) {
        if (sale.currency != value.currency || sale.day >= event || event - sale.day > days(90)) continue;
        principals.push_back({sale.principal});
        fees.push_back({sale.fees});
      }
    if (principals.empty() || !value.currency) return value;
    value.unit = capped(round_to_cents({median(principals, *value.currency).value + median(fees, *value.currency).value}, *value.currency));
    value.basis = Basis::proceeds;
    return value;
  }
  const SellerCost* best = nullptr;
  for (const Name product : {fnsku, sku.empty() ? sku_of(fnsku) : sku}) {
    const auto known = costs_.find(product);
    if (product.empty() || known == costs_.end()) continue;
    for (const SellerCost* cost : known->second) {
      if (cost->from > event) continue;
      const bool ours = cost->currency == value.currency, best_ours = best && best->currency == value.currency;
      if (!best || (ours && !best_ours) || (ours == best_ours && best->from <= cost->from)) best = cost;
    }
  }
  if (best) {
    if (best->currency != value.currency) return value;   // no rate is supplied
    value.unit = capped(best->amount);
    value.basis = Basis::seller_cost;
    return value;
  }
  std::vector<Micros> seen;
  for (const Reimbursement* line : paid_before_order(fnsku))
      if (line->approved <= event && event - line->approved <= kObserved && line->approved >= policy.sourcing_cost_since() && line->currency == value.currency && line->per_unit && line->per_unit->value > 0)
        seen.push_back(*line->per_unit);
  if (seen.size() < 2 || !value.currency) return value;
  value.unit = capped(median(seen, *value.currency));
  value.low = capped(*std::min_element(seen.begin(), seen.end()));
  value.high = capped(*std::max_element(seen.begin(), seen.end()));
  value.basis = Basis::observed;
  return value;
}

void Case::set_value(Finding& f, const Value& value) const {
  f.basis = value.basis;
  f.currency = value.currency;
  const auto all = [&](const std::optional<Micros>& unit) { return unit ? std::optional(Micros{unit->value * f.quantity}) : std::nullopt; };
  f.amount = all(value.unit);
  f.low = all(value.low);
  f.high = all(value.high);
}

void Case::conclude(const Rule& rule, Finding f, const Grounds& g) {
  f.rule = rule.id;
  f.rule_version = rule.version;
  f.event = g.event;
  const Window window = policy.window(rule.claim, g.country, g.event);
  f.policy = window.policy;
  f.policy_confirmed = window.confirmed;
  f.claimable_from = std::max(g.early ? window.earliest : window.safe_earliest, g.event + days(rule.maturity_days));
  if (g.not_before) f.claimable_from = std::max(f.claimable_from, *g.not_before);
  f.deadline = window.latest;
  f.deadline_safe = window.safe_latest;

  if (g.by_id) f.terms.push_back({"K1", 10});
  if (today - g.aged_from.value_or(g.event) >= days(rule.maturity_days + kAgedDays)) f.terms.push_back({"T1", 5});
  f.confidence = g.base;
  for (const Term& term : f.terms) f.confidence += term.delta;
  f.confidence = std::clamp(f.confidence, 0, 100);
  if (f.confidence < kLeastConfidence) return no(rule, f.evidence.empty() ? RowRef{} : f.evidence.front().row, "not sure enough to be told");

  std::vector<Need> needs = rule.needs;
  needs.insert(needs.end(), g.also.begin(), g.also.end());
  for (const Need& need : needs) {
    Day from = g.event;
    for (const auto& [source, day] : g.told_from)
      if (source == need.source) from = std::min(from, day);
    f.review_only = f.review_only || tables.coverage.any_in_part(need.source, from - days(need.days_before), today);
    if (const auto gap = tables.coverage.missing(need.source, from - days(need.days_before), today - never_whole(need.source))) {
      f.blocked = std::string(source_name(gap->source)) + (gap->reason.empty() ? " was not read" : ": " + gap->reason) + ", " + format_day(gap->from) + " to " + format_day(gap->until);
      break;
    }
  }
  // Rows that differ in nothing a subject tells (a time of day) are findings of their own.
  const std::uint64_t name = std::hash<std::string>()(std::string(f.rule) + '\n' + std::string(f.variant) + '\n' + f.subject);
  if (const int before = told_[name]++; before > 0) f.subject += "~" + std::to_string(before + 1);
  findings.push_back(std::move(f));
}

void Case::no(const Rule& rule, RowRef row, std::string reason, std::vector<Netted> by) {
  if (verdicts_ && (!told_of_ || told_of_(row))) verdicts_->push_back({rule.id, row, std::move(reason), std::move(by)});
}

std::string subject_of(const Tables& t, const LedgerRow& r) {
  const auto& n = t.names;
  std::string text = "ledger " + format_day(r.day);
  for (const Name name : {r.fnsku, r.msku, r.center}) text += "|" + std::string(n.text(name));
  text += "|" + r.reference + "|" + std::string(disposition_name(r.disposition)) + "|" + (r.reason ? std::string(1, r.reason) : std::string()) + "|" + std::to_string(r.quantity) + "#" + std::to_string(r.occurrence);
  if (r.twin > 0) text += "~" + std::to_string(r.twin + 1);
  return text;
}

Micros median(std::vector<Micros> amounts, Currency currency) {
  std::sort(amounts.begin(), amounts.end());
  const std::size_t middle = amounts.size() / 2;
  if (amounts.size() % 2 == 1) return amounts[middle];
  return share_of({amounts[middle - 1].value + amounts[middle].value}, 1, 2, currency);
}

}  // namespace amzsync::detect
