// SPDX-License-Identifier: Apache-2.0
// One seller's tables being judged as of a day: the rows by what they are about, what is left of each payment, what units are worth, and the
// findings so far. The rules (rules_*.cpp) judge this, and the orders that pass by.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>

#include "detect/finding.hpp"
#include "detect/ledger.hpp"
#include "detect/netting.hpp"
#include "detect/orders.hpp"
#include "detect/policy.hpp"

namespace amzsync::detect {

/// A table that a rule concludes from, from so many days before the event on.
struct Need {
  Source source = Source::ledger;
  int days_before = 0;
};

class Case;
struct ProductLedger;
struct Rule;

/// A rule at work on a case.
class Judge {
 public:
  Judge(Case& c, const Rule& rule) : case_(c), rule_(rule) {}
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  virtual ~Judge() = default;
  /// A product with its rows of the ledger. Each that has any, or was paid for, comes once, before the orders. At each the rules judge in the order of their list.
  virtual void see(ProductLedger& product) { (void)product; }
  /// An order, whole; each comes once, before the end, in any order.
  virtual void see(const Order& order) { (void)order; }
  /// What the tables tell. The rules end in the order of their list.
  virtual void end() {}

 protected:
  Case& case_;
  const Rule& rule_;
};

struct Rule {
  std::string_view id;
  int version = 1;
  Claim claim = Claim::unspecified;
  int maturity_days = 0;
  std::vector<Need> needs;
  std::unique_ptr<Judge> (*judge)(Case&, const Rule&);
  std::optional<Source> compares = {};     ///< what tells it of some charges that they are wrong: where that is not read it says so, and judges by what else there is
};

/// One FNSKU.
struct Product {
  Name fnsku, asin;
  std::vector<Payment*> payments;         ///< without an order, of families that ledger losses are paid by
};

/// A product as it passes by.
struct ProductLedger {
  const Product& product;
  std::span<const LedgerRow> rows;        ///< by (day, row); none of customers' returns
  std::vector<FoundByAsin> found_before;  ///< what was found by ASIN, before the product took its own
  Netting netting;
};

/// A line that takes a payment back.
struct Reversal {
  const Reimbursement* line = nullptr;
  Payment* original = nullptr;            ///< nullptr: of nothing that is known
  std::int64_t units = 0;
};

/// What a unit is worth.
struct Value {
  std::optional<Micros> unit, low, high;
  std::optional<Currency> currency;
  Basis basis = Basis::unknown;
};

/// Why something is no finding; told on request.
struct Verdict {
  std::string_view rule;
  RowRef row;
  std::string reason;
  std::vector<Netted> by;
};

class Case {
 public:
  /// `ledger`: all of it, looked through. `today`: the day to judge as of, local to the home marketplace. With `verdicts` what is no finding is told too.
  Case(const Tables& tables, const Ledger& ledger, const Policy& policy, Day today, std::vector<Verdict>* verdicts = nullptr, std::function<bool(RowRef)> told_of = {});

  const Tables& tables;
  const Ledger& ledger;
  const Policy& policy;
  const Day today;
  std::deque<Finding> findings;

  std::vector<Product> products;
  std::vector<Payment> payments;          ///< by the lines of the report
  std::vector<Reversal> reversals;
  /// Units of an order that rule 11 claims.
  struct Reopened {
    Name sku, asin;
    std::int64_t units = 0;
  };
  std::map<Name, std::vector<Reopened>> reopened_by_order;
  std::set<std::int64_t> credited_excess;   ///< rows of payments that rule 9 has taken of
  /// Payments that stand in for others: what they pay less than those, it claims.
  std::set<std::int64_t> paid_again;
  /// Units of a product's shipments that it claims.
  std::map<Name, std::int64_t> reopened_inbound;

  const Product* product(Name fnsku) const;
  /// Nets a product's rows against what it was paid and what was found. Once for each, those that have rows in the order of the FNSKU's text.
  ProductLedger net_product(const Product& product, std::span<const LedgerRow> rows);
  /// Of a line: its own FNSKU, or the one that its SKU had on the day; no day: the one that it had last.
  Name fnsku_of(Name fnsku, Name sku, std::optional<Day> day = {}) const;
  Name fnsku_of(const Reimbursement& line) const { return fnsku_of(line.fnsku, line.sku, line.approved); }
  Name sku_of(Name fnsku) const;
  /// Everything that was paid for units of a product before a customer ordered them, in the order of the report.
  const std::vector<const Reimbursement*>& paid_before_order(Name fnsku) const;
  /// Whether something was paid since for the SKU of a row as another product, which it has become: nothing tells whether that was for this row.
  bool paid_as_another_product(const LedgerRow& lost) const;
  std::vector<Payment*> payments_of_order(Name order);
  /// Without an order, of one family, by the day of their approval; those of which something is left.
  std::vector<Payment*> payments_of_product(Name fnsku, Family family);
  const std::vector<const ReturnRow*>& returns_of_order(Name order) const;
  /// Of an order's SKU the ASIN that the other tables know, where the money tells none.
  Name asin_of(Name sku) const;
  /// Remembers what later values are made of. Before any rule judges the order.
  void remember(const Order& order);
  std::string_view text(Name name) const { return tables.names.text(name); }
  std::string_view country(Name name) const { return name.empty() ? tables.home : text(name); }

  /// Takes up to `units` of what is left of payments, nearest before `day` first where one is given; the units taken, told in the finding.
  std::int64_t take(std::vector<Payment*> from, std::int64_t units, Finding& f, std::string_view step);

  /// A unit before a customer ordered it (detection 3.0).
  /// `in`: what it is to be told in; not given: the currency of the country.
  Value value_before_order(Name fnsku, Name sku, Day event, std::string_view country, std::optional<Currency> in = {}) const;
  void set_value(Finding& f, const Value& value) const;

  struct Grounds {
    Day event{};
    std::string_view country;
    int base = 0;
    bool by_id = false;                   ///< K1: every join is by an id of Amazon's
    std::optional<Day> not_before;        ///< where it matures by more than its event
    std::optional<Day> aged_from;         ///< what T1 counts from, if not the event
    bool early = false;                   ///< the best-supported earliest day will do
    std::vector<std::pair<Source, Day>> told_from = {};   ///< what a table must tell from an earlier day than the event on
    std::vector<Need> also = {};          ///< what it needs beside what its rule does
  };
  /// Dates, confidence and coverage of a draft, which then is a finding; below the least confidence it is none.
  void conclude(const Rule& rule, Finding f, const Grounds& grounds);
  /// Whether anybody asked why something is no finding.
  bool telling() const { return verdicts_ != nullptr; }
  /// `by`: the rows that it was netted by.
  void no(const Rule& rule, RowRef row, std::string reason, std::vector<Netted> by = {});

 private:
  void index_products();
  void index_returns();
  void link_reversals();

  std::unordered_map<std::uint64_t, int> told_;   // findings by rule, variant and subject
  std::vector<Verdict>* verdicts_;
  std::function<bool(RowRef)> told_of_;   // none: of every row
  std::unordered_map<Name, std::size_t, NameHasher> product_by_fnsku_;
  std::unordered_map<Name, Name, NameHasher> fnsku_by_sku_, sku_by_fnsku_, asin_by_sku_;   // where the ledger says nothing
  std::map<Name, std::vector<FoundByAsin>> found_by_asin_;
  std::unordered_map<Name, std::vector<std::size_t>, NameHasher> payments_by_order_, payments_by_fnsku_;
  std::unordered_map<Name, std::vector<const ReturnRow*>, NameHasher> returns_by_order_;
  std::unordered_map<Name, std::vector<const Reimbursement*>, NameHasher> paid_by_fnsku_, paid_by_sku_;   // the latter of SKUs that are another product by now
  /// Of a unit sold before Amazon valued what is lost by what it cost.
  struct PastSale {
    Day day;
    Currency currency;
    std::int64_t principal = 0, fees = 0;
  };
  std::unordered_map<Name, std::vector<PastSale>, NameHasher> past_sales_;
  std::unordered_map<Name, std::vector<const SellerCost*>, NameHasher> costs_;
};

/// A text that names a ledger row for good: not by its number, which a rebuilt store would give anew.
std::string subject_of(const Tables& tables, const LedgerRow& row);
/// Of one product, in order of (day, row): so that each keeps its subject whatever becomes of the others.
void number_twins(std::span<LedgerRow> rows);

/// Of a currency's amounts the middle one; of two middle ones their mean, half up.
Micros median(std::vector<Micros> amounts, Currency currency);

}  // namespace amzsync::detect
