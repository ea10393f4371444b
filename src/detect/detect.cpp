// SPDX-License-Identifier: Apache-2.0
#include "detect/detect.hpp"

#include <algorithm>

namespace amzsync::detect {
namespace {

using std::chrono::days;

constexpr days kLooksBack(60);            // a stream with a gap in these days blocks its rules by name

std::string why_blocked(const Tables& tables, const Policy& policy, const Rule& rule, Day today) {
  if (rule.id == "order_lost_in_delivery" && tables.deliveries.empty()) return "no stream tells how deliveries ended; the host can supply it";
  if (rule.compares && !tables.coverage.any(*rule.compares) && !tables.coverage.reason(*rule.compares).empty())
    return std::string(source_name(*rule.compares)) + ": " + tables.coverage.reason(*rule.compares) + "; what it tells is not compared";
  if (rule.id == "fulfilment_fee_overcharge" && !policy.has_fulfilment_cards()) return "no rate card is known; only Amazon's own previews are compared";
  for (const Need& need : rule.needs) {
    if (!tables.coverage.any(need.source)) {
      const std::string& reason = tables.coverage.reason(need.source);
      return std::string(source_name(need.source)) + (reason.empty() ? ": not read" : ": " + reason);
    }
    if (const auto gap = tables.coverage.missing(need.source, today - kLooksBack, today - days(3)))
      return std::string(source_name(need.source)) + (gap->reason.empty() ? ": not read, " : ": " + gap->reason + ", ") + format_day(gap->from) + " to " + format_day(gap->until);
  }
  return {};
}

}  // namespace

Detector::Detector(const Tables& tables, const Ledger& ledger, const Policy& policy, Day today, std::vector<Verdict>* verdicts, std::function<bool(RowRef)> told_of, std::function<bool()> stopped)
    : stopped_(std::move(stopped)), case_(tables, ledger, policy, today, verdicts, std::move(told_of)) {
  for (const Rule& rule : rules()) judges_.push_back(rule.judge(case_, rule));
}

void Detector::see(std::span<const LedgerRow> rows) {
  if (rows.empty()) return;
  if (const Product* product = case_.product(rows.front().fnsku)) see(*product, rows);
}

void Detector::see(const Product& product, std::span<const LedgerRow> rows) {
  seen_.insert(product.fnsku);
  ProductLedger passing = case_.net_product(product, rows);
  for (const auto& judge : judges_) judge->see(passing);
}

void Detector::see(Order order) {
  // The old source of the money tells no ASIN, by which a return under another SKU is known.
  for (OrderItem& item : order.items)
    if (item.asin.empty()) item.asin = case_.asin_of(item.sku);
  case_.remember(order);
  for (const auto& judge : judges_) judge->see(order);
}

bool Detector::end_next() {
  if (ended() || (stopped_ && stopped_())) return false;
  if (states_.empty()) {
    // Products that were paid for and have no rows of their own.
    for (const Product& product : case_.products)
      if (!seen_.contains(product.fnsku)) see(product, {});
  }
  const Rule& rule = rules()[states_.size()];
  judges_[states_.size()]->end();
  states_.push_back({rule.id, why_blocked(case_.tables, case_.policy, rule, case_.today)});
  return !ended();
}

std::vector<Finding> Detector::take() {
  std::vector<Finding> found(std::make_move_iterator(case_.findings.begin()), std::make_move_iterator(case_.findings.end()));
  case_.findings.clear();
  for (Finding& f : found) std::sort(f.evidence.begin() + (f.evidence.empty() ? 0 : 1), f.evidence.end(), [](const Evidence& a, const Evidence& b) { return std::pair(a.row, a.role()) < std::pair(b.row, b.role()); });
  return found;
}

Detection detect(const Tables& tables, std::vector<LedgerRow> rows, std::vector<Order> orders, const Policy& policy, Day today, std::vector<Verdict>* verdicts) {
  Ledger ledger(tables);
  for (const LedgerRow& row : rows) ledger.add(row);
  ledger.end();
  std::erase_if(rows, [&](const LedgerRow& row) { return Ledger::of_amazon(tables.names, row); });
  std::sort(rows.begin(), rows.end(), [&](const LedgerRow& a, const LedgerRow& b) { return std::make_tuple(tables.names.text(a.fnsku), a.day, a.row) < std::make_tuple(tables.names.text(b.fnsku), b.day, b.row); });
  Detector detector(tables, ledger, policy, today, verdicts);
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    while (end < rows.size() && rows[end].fnsku == rows[begin].fnsku) ++end;
    number_twins(std::span(rows).subspan(begin, end - begin));
    detector.see(std::span(rows).subspan(begin, end - begin));
  }
  for (Order& order : orders) detector.see(std::move(order));
  while (detector.end_next()) {}
  Detection d{detector.take(), detector.states()};
  std::sort(d.findings.begin(), d.findings.end(), [](const Finding& a, const Finding& b) { return std::tie(a.rule, a.variant, a.subject) < std::tie(b.rule, b.variant, b.subject); });
  return d;
}

}  // namespace amzsync::detect
