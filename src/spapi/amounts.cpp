// SPDX-License-Identifier: Apache-2.0
#include "spapi/amounts.hpp"

#include <algorithm>
#include <array>

#include "base/json_writer.hpp"

namespace amzsync::spapi {
namespace {

/// The member of the first name; where there is none, that of the second.
Json either(Json holder, std::string_view first, std::string_view second) noexcept {
  Json one, other;
  if (!holder.is_object()) return one;
  for (const Json member : holder) {
    if (member.name() == first) {
      one = member;
    } else if (member.name() == second) {
      other = member;
    }
  }
  return one.is_null() ? other : one;
}
Json number_in(Json value) noexcept { return either(value, "CurrencyAmount", "currencyAmount"); }
Json code_in(Json value) noexcept { return either(value, "CurrencyCode", "currencyCode"); }
bool is_part_of_amount(std::string_view name) noexcept { return name == "CurrencyAmount" || name == "currencyAmount" || name == "CurrencyCode" || name == "currencyCode"; }

// Amounts in the models whose names do not say so; all others, and no other members, end in "Amount".
constexpr std::array<std::string_view, 20> kAmounts{"BaseExpense",  "TaxTypeCGST",  "TaxTypeSGST",       "TaxTypeIGST",         "TotalExpense",          "OverPaymentCredit",  "baseValue",
                                                    "taxValue",     "transactionValue", "Revenue",       "TaxWithheld",         "RevenueAdjustment",     "TaxAmountAdjustment", "TaxWithheldAdjustment",
                                                    "BaseTax",      "ShippingTax",  "RentalInitialValue", "RentalReimbursement", "CostOfPointsGranted",   "CostOfPointsReturned"};
bool names_amount(std::string_view name) noexcept { return name.ends_with("Amount") || std::find(kAmounts.begin(), kAmounts.end(), name) != kAmounts.end(); }

/// Whether a later member of the same name stands in the object: the last one counts.
bool is_shadowed(Json holder, Json member) noexcept { return holder[member.name()].name().data() != member.name().data(); }

/// "FeeAmount" → "Fee": what is left of an amount's name is the stem that its type's name starts with.
std::string_view stem_of(std::string_view name) noexcept {
  for (const std::string_view ending : {std::string_view("Amount"), std::string_view("Value")})
    if (name.size() > ending.size() && name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  return {};
}

bool names_type_of(std::string_view type_name, std::string_view stem) noexcept {
  return !stem.empty() && type_name.size() == stem.size() + 4 && type_name.starts_with(stem) && type_name.ends_with("Type");
}

/// The type named beside an amount: FeeType beside FeeAmount, breakdownType beside breakdownAmount.
std::string_view type_beside(Json holder, std::string_view amount_name) noexcept {
  const std::string_view stem = stem_of(amount_name);
  if (stem.empty()) return {};
  std::string_view type;
  for (const Json member : holder)
    if (names_type_of(member.name(), stem) && member.is_string()) type = member.text();
  return type;
}

class Collector {
 public:
  Collector(Json event, std::string_view list, const AmountRules& rules, BatchIndex& index, store::MoneyEvent& out)
      : event_(event), list_(list), rules_(rules), index_(index), out_(out) {}

  void object(Json holder, std::uint32_t sku, std::string_view above) {
    if (const std::string_view own = rules_.sku_of(holder); !own.empty()) sku = index_.sku(own);
    std::string_view own_type;  // the type of an amount that stands directly in this object
    for (const Json member : holder)
      if (own_type.empty() && is_amount(member)) own_type = type_beside(holder, member.name());
    // The sum of a breakdown comes before what it is the sum of, in whatever order the answer has them.
    const bool in_order = holder["breakdowns"].is_null();
    for (const bool own : {true, false}) {
      if (in_order && !own) break;   // all was one pass
      for (const Json member : holder) {
        const bool structured = member.is_object() || member.is_array();
        const bool lone = !structured && !member.is_null() && names_amount(member.name()) && !is_part_of_amount(member.name());
        if ((!structured && !lone) || (!in_order && (lone || is_amount(member)) != own) || is_shadowed(holder, member)) continue;
        const std::size_t length = path_.size();
        if (!path_.empty()) path_ += '.';
        path_ += member.name();
        if (lone) {
          fault("amount_malformed", member);
        } else if (is_amount(member)) {
          amount(member, holder, sku, above);
        } else {
          inside(member, sku, own_type);
        }
        path_.resize(length);
      }
    }
  }

 private:
  void inside(Json value, std::uint32_t sku, std::string_view above) {
    if (value.is_object()) {
      object(value, sku, above);
      return;
    }
    for (const Json element : value) {
      if (is_amount(element)) {
        amount(element, Json(), sku, above);
      } else if (element.is_object() || element.is_array()) {
        inside(element, sku, above);
      } else if (!element.is_null() && names_amount(value.name())) {
        fault("amount_malformed", element);
      }
    }
  }

  void amount(Json value, Json holder, std::uint32_t sku, std::string_view above) {
    store::Line line;
    const std::string_view type = type_beside(holder, value.name());
    const bool total = rules_.is_total(event_, list_, path_, holder);
    line.shape = index_.shape(list_, path_, type, total, [&] { return !total && rules_.is_fee(path_, type, above); });
    line.sku = sku;
    line.currency = currency_of(value);
    line.amount = read_number(number_in(value));
    if (!line.currency) fault("currency_unreadable", code_in(value));
    out_.lines.push_back(line);
    constexpr std::size_t kParts = 2;
    if (value.size() > kParts) object(value, sku, {});   // what else it may hold
  }

  std::optional<Micros> read_number(Json number) {
    if (!number.is_number()) {
      fault("amount_malformed", number);
      return std::nullopt;
    }
    const ParsedAmount parsed = parse_amount(number.text());
    if (parsed.fault == AmountFault::none) return parsed.micros;
    fault(fault_name(parsed.fault), number);
    return std::nullopt;
  }

  void fault(std::string_view reason, Json raw) {
    std::string text;
    append_json(text, raw);
    // The line's number tells two equal faults of one event apart.
    out_.faults.push_back({std::string(reason), path_ + '#' + std::to_string(out_.lines.size()), std::move(text)});
  }

  Json event_;
  std::string_view list_;
  const AmountRules& rules_;
  BatchIndex& index_;
  store::MoneyEvent& out_;
  std::string path_;
};

/// Whether a member is the type named beside an amount: then the amount's line tells it.
bool told_by_a_line(Json holder, Json member) {
  if (!member.is_string() || !member.name().ends_with("Type")) return false;
  for (const Json other : holder)
    if (names_type_of(member.name(), stem_of(other.name())) && is_amount(other)) return true;
  return false;
}

/// Writes what is left of a value; false when nothing is. `is_event`: it is no amount itself, whatever it holds.
bool append_rest(std::string& out, Json value, std::initializer_list<std::string_view> without, bool is_event = false) {
  if (value.is_null()) return false;
  if (!value.is_object() && !value.is_array()) {
    append_json(out, value);
    return true;
  }
  const std::size_t start = out.size();
  const bool object = value.is_object(), amount = !is_event && is_amount(value);
  out += object ? '{' : '[';
  bool any = false;
  for (const Json child : value) {
    if (object && ((!child.name().empty() && std::find(without.begin(), without.end(), child.name()) != without.end()) || (amount && is_part_of_amount(child.name())) || told_by_a_line(value, child))) continue;
    const std::size_t before = out.size();
    if (any) out += ',';
    if (object) {
      append_json_utf8(out, child.name());
      out += ':';
    }
    if (append_rest(out, child, {})) {
      any = true;
    } else {
      out.resize(before);
    }
  }
  if (!any) {
    out.resize(start);
    return false;
  }
  out += object ? '}' : ']';
  return true;
}

}  // namespace

bool is_amount(Json value) noexcept { return value.is_object() && !number_in(value).is_null(); }

std::optional<Micros> amount_of(Json value) noexcept {
  const Json number = number_in(value);
  if (!number.is_number()) return std::nullopt;
  const ParsedAmount parsed = parse_amount(number.text());
  return parsed.fault == AmountFault::none ? std::optional(parsed.micros) : std::nullopt;
}

std::optional<Currency> currency_of(Json value) noexcept { return Currency::parse(code_in(value).text()); }

std::pair<std::uint32_t, bool> BatchIndex::number_of(Numbers& numbers, std::string_view text) {
  if (const auto known = numbers.find(text); known != numbers.end()) return {known->second, false};
  const auto number = static_cast<std::uint32_t>(numbers.size());
  numbers.emplace(text, number);
  return {number, true};
}

std::uint32_t BatchIndex::type(std::string_view name) {
  const auto [number, added] = number_of(types_, name);
  if (added) batch_.types.emplace_back(name);
  return number;
}

std::uint32_t BatchIndex::sku(std::string_view text) {
  const auto [number, added] = number_of(skus_, text);
  if (added) batch_.skus.emplace_back(text);
  return number;
}

void collect_amounts(Json event, std::string_view list, const AmountRules& rules, BatchIndex& index, store::MoneyEvent& out) {
  Collector(event, list, rules, index, out).object(event, store::kNone, {});
}

std::string detail_of(Json event, std::initializer_list<std::string_view> columns) {
  std::string out;
  if (!append_rest(out, event, columns, true)) return "{}";
  return out;
}

}  // namespace amzsync::spapi
