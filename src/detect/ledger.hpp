// SPDX-License-Identifier: Apache-2.0
// What is kept of a seller's inventory ledger while the seller is judged: which SKU is which product, and of the rows that are matched across products the
// little that matching takes. Everything else is read a product at a time (ledger_reader.hpp).
#pragma once

#include <ranges>
#include <set>

#include "detect/tables.hpp"

namespace amzsync::detect {

/// Units of an FNSKU that were counted in for a shipment.
struct Receipts {
  std::int64_t units = 0;
  Day first{}, last{};
  std::int64_t row = 0;                   ///< the first of its rows
  Name asin;
};

/// A customer's return as the ledger books it.
struct BookedReturn {
  std::int64_t row = 0;
  Day day{};
  Name fnsku, center;
  std::int32_t units = 0;
  bool sellable = false;
};

class Ledger {
 public:
  /// `tables`: all others, whole, and outliving it.
  explicit Ledger(const Tables& tables);

  /// Every row once, in any order.
  void add(const LedgerRow& row);
  /// After the last one.
  void end();

  /// Units that Amazon found and books under an SKU of its own are of no product.
  static bool of_amazon(const Names& names, const LedgerRow& row) { return names.text(row.msku).starts_with("Amazon.Found."); }

  /// What its rows of that day say, or last before it, else first after it; empty where none says anything. No day: the newest.
  Name fnsku_of(Name sku, std::optional<Day> day = {}) const;
  /// What the newest row says of it; empty where none says anything.
  Name asin_of_sku(Name sku) const { return said(asin_by_sku_, sku); }
  Name sku_of(Name fnsku) const { return said(sku_by_fnsku_, fnsku); }
  Name asin_of(Name fnsku) const { return said(asin_by_fnsku_, fnsku); }
  const std::set<Name>& products() const { return products_; }
  const std::map<Name, std::vector<LedgerRow>>& found_by_asin() const { return found_; }   ///< by (day, row)
  /// nullptr: nothing.
  const Receipts* receipts(Name shipment, Name fnsku) const;
  /// Of a shipment everything that was counted in, by (shipment, FNSKU), units that Amazon books under an SKU of its own among them.
  auto receipts_of(Name shipment) const { return std::ranges::subrange(receipts_.lower_bound({shipment, Name{}}), receipts_.lower_bound({Name{shipment.value + 1}, Name{}})); }
  /// Of an ASIN, about the days of customers' returns; by (day, row).
  const std::map<Name, std::vector<BookedReturn>>& returns_by_asin() const { return returns_; }

 private:
  struct Said {
    Day day{};
    std::int64_t row = 0;
    Name what;
  };
  using ByName = std::unordered_map<Name, Said, NameHasher>;
  static void hear(ByName& all, Name of, const LedgerRow& row, Name what);
  static Name said(const ByName& all, Name of);

  const Tables& tables_;
  std::set<Name> products_, shipments_;
  /// An SKU is relabelled now and then.
  struct Label {
    Name fnsku;
    Day first{}, last{};
    std::int64_t last_row = 0;
  };
  std::unordered_map<Name, std::vector<Label>, NameHasher> labels_;   // by SKU
  ByName asin_by_sku_, sku_by_fnsku_, asin_by_fnsku_;
  std::map<Name, std::vector<LedgerRow>> found_;
  std::map<std::pair<Name, Name>, Receipts> receipts_;   // by shipment and FNSKU
  std::map<Name, std::vector<BookedReturn>> returns_;
  std::vector<Day> return_days_;          // of the returns' report
};

}  // namespace amzsync::detect
