// SPDX-License-Identifier: Apache-2.0
// The money of a seller's orders. There can be millions of them, so they are no table: they are judged one by one, each whole, and forgotten.
#pragma once

#include <array>
#include <map>

#include "detect/tables.hpp"

namespace amzsync::detect {

enum class MoneyKind : std::uint8_t { sale, refund };
/// Of the money of an order's item: what each sum is of. Credits to the seller are positive.
enum class Part : std::uint8_t { principal, shipping, gift_wrap, tax, promotion, goodwill, commission, refund_commission, fulfilment, other };
constexpr std::size_t kParts = 10;

/// What one event tells of one item of an order.
struct MoneyItem {
  std::int64_t row = 0;                   ///< the event's
  std::optional<Day> posted;              ///< local
  MoneyKind kind = MoneyKind::sale;
  std::string item;                       ///< Amazon's number of the order's line; empty: not told
  Name sku, asin;
  std::string_view country;               ///< of the marketplace; empty: unknown
  std::optional<Currency> currency;
  std::optional<std::int64_t> quantity;   ///< QuantityShipped
  std::array<Micros, kParts> amounts{};
  std::uint16_t told = 0;                 ///< bit of each part that the event tells
  /// Whether it was sold at Amazon and fulfilled by it; nullopt: not told. Then its fee tells, which only what Amazon ships has.
  std::optional<bool> by_amazon;
  bool mixed = false;                     ///< amounts in several currencies, or one that can't be held exactly: nothing is concluded from it
  /// What sales of the SKU were mostly charged in the 180 days before, where enough of them are known: micros of fulfilment for a unit, and
  /// hundredths of a percent of the price for the referral.
  std::optional<std::int64_t> usual_fulfilment, usual_referral;

  bool tells(Part part) const noexcept { return told >> static_cast<unsigned>(part) & 1U; }
  Micros operator[](Part part) const noexcept { return amounts[static_cast<std::size_t>(part)]; }
  void put(Part part, Micros amount) noexcept;
  /// What a referral fee is taken of.
  std::int64_t referral_basis(bool with_promotion) const noexcept;
  /// In hundredths of a percent of that, half up; nullopt: nothing to take it of, or no fee.
  std::optional<std::int64_t> referral_rate() const noexcept;
};

/// What happened to one SKU of one order.
struct OrderItem {
  Name sku, asin;
  std::vector<MoneyItem> sales, refunds;  ///< by (day, row)
};

struct Order {
  std::string id;
  Name name;                              ///< empty: no table speaks of it
  std::vector<OrderItem> items;           ///< by SKU
};

/// Puts what events tell together by order.
class OrderBook {
 public:
  explicit OrderBook(const Names& names) : names_(names) {}
  /// Money of no order is left out.
  void add(std::string_view order, MoneyItem item);
  /// All of them, by id; the book is empty then.
  std::vector<Order> take();

 private:
  const Names& names_;
  std::map<std::string, std::map<Name, OrderItem>, std::less<>> orders_;
};

}  // namespace amzsync::detect
