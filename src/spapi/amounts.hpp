// SPDX-License-Identifier: Apache-2.0
// Finds every money amount of an event, wherever Amazon's model puts it, and makes a line of each. One walker for both finance
// APIs and for fields and lists that do not exist yet: an amount is an object with a CurrencyAmount.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.hpp"
#include "store/money_rows.hpp"

namespace amzsync::spapi {
using namespace base;

/// `{"CurrencyCode":"USD","CurrencyAmount":1.5}`, in either API's spelling.
bool is_amount(Json value) noexcept;
std::optional<Micros> amount_of(Json value) noexcept;
std::optional<Currency> currency_of(Json value) noexcept;

/// Gives the batch's small numbers to texts and shapes.
class BatchIndex {
 public:
  explicit BatchIndex(store::MoneyBatch& batch) : batch_(batch) {}
  std::uint32_t type(std::string_view name);
  std::uint32_t sku(std::string_view text);
  /// `is_fee` is asked of a shape that is new.
  template <class IsFee>
  std::uint32_t shape(std::string_view list, std::string_view path, std::string_view type, bool total, const IsFee& is_fee) {
    key_.assign(list).append(1, '\0').append(path).append(1, '\0').append(type).append(1, total ? '\1' : '\0');
    const auto [number, added] = number_of(shapes_, key_);
    if (added) batch_.shapes.push_back({std::string(list), std::string(path), std::string(type), total, is_fee()});
    return number;
  }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Numbers = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;
  /// The text's number, the next one where it had none; whether it is new.
  static std::pair<std::uint32_t, bool> number_of(Numbers& numbers, std::string_view text);

  store::MoneyBatch& batch_;
  Numbers types_, skus_, shapes_;
  std::string key_;
};

/// What an API's events look like to the walker.
struct AmountRules {
  /// Whether the amount at `path` sums or restates others of `event`, so that it must not be added to them.
  std::function<bool(Json event, std::string_view list, std::string_view path, Json amount_holder)> is_total;
  /// Whether an amount is a fee: `type` is the type named beside it, `above` the type named one level up.
  std::function<bool(std::string_view path, std::string_view type, std::string_view above)> is_fee;
  /// The SKU that everything inside `holder` belongs to; empty when it names none.
  std::function<std::string_view(Json holder)> sku_of;
};

/// Adds a line (and a fault where the number can't be held exactly) for every amount inside `event`.
void collect_amounts(Json event, std::string_view list, const AmountRules& rules, BatchIndex& index, store::MoneyEvent& out);

/// JSON of everything in `event` that is no amount, no type named beside one, no member of `columns`, and says something.
std::string detail_of(Json event, std::initializer_list<std::string_view> columns);

}  // namespace amzsync::spapi
