// SPDX-License-Identifier: Apache-2.0
#include "spapi/transactions.hpp"

#include <algorithm>

#include "spapi/amounts.hpp"
#include "spapi/reimbursements.hpp"

namespace amzsync::spapi {
namespace {

/// `breakdowns` is an array, or null, or (in older answers) an object around the array.
Json breakdowns_of(Json holder) noexcept {
  const Json value = holder["breakdowns"];
  return value.is_object() ? value["breakdowns"] : value;
}

template <class Visit>
void for_each_leaf(Json breakdowns, const Visit& visit) {
  for (const Json b : breakdowns) {
    const Json children = breakdowns_of(b);
    if (!children.empty()) {
      for_each_leaf(children, visit);
    } else {
      visit(b);
    }
  }
}

/// Where the components of a transaction are. The same money is told twice: broken down as a whole, and item by item.
enum class Components : std::uint8_t { items, whole, total };

struct Sum {
  Micros value;
  bool any = false;
  bool exact = true;
  void take(Json amount) {
    const auto micros = amount_of(amount);
    const auto sum = micros ? add(value, *micros) : std::nullopt;
    exact &= sum.has_value();
    if (sum) value = *sum;
    any = true;
  }
};

Components components_of(Json transaction) {
  Sum items, whole;
  for (const Json item : transaction["items"])
    if (is_amount(item["totalAmount"])) items.take(item["totalAmount"]);
  for_each_leaf(breakdowns_of(transaction), [&](Json leaf) { whole.take(leaf["breakdownAmount"]); });
  if (!items.any) return whole.any ? Components::whole : Components::total;
  if (!whole.any) return Components::items;
  bool items_broken_down = false;
  for (const Json item : transaction["items"]) items_broken_down |= !breakdowns_of(item).empty();
  // The one that says more, provided that it says all of the total.
  const auto total = amount_of(transaction["totalAmount"]);
  const bool items_fit = total && items.exact && items.value == *total;
  const bool whole_fits = total && whole.exact && whole.value == *total;
  if (items_broken_down && (items_fit || !whole_fits)) return Components::items;
  return whole_fits || !items_fit ? Components::whole : Components::items;
}

bool ends_like_fee(std::string_view type) noexcept { return type.ends_with("Fee") || type.ends_with("Fees") || type.ends_with(" fees") || type.ends_with("Commission"); }

/// Breakdown types are an open set; a fee is named so itself (FBAPerUnitFulfillmentFee, Commission) or stands under one that is.
bool is_fee(std::string_view, std::string_view type, std::string_view above) { return ends_like_fee(type) || ends_like_fee(above); }

std::string_view sku_of(Json holder) {
  for (const Json context : holder["contexts"])
    if (const Json sku = context["sku"]; sku.is_string()) return sku.text();
  return {};
}

AmountRules rules_for(Components components) {
  const auto is_total = [components](Json, std::string_view, std::string_view path, Json holder) {
    if (path == "totalAmount") return components != Components::total;
    const bool of_item = path.starts_with("items.");
    if (of_item != (components == Components::items)) return true;
    return !breakdowns_of(holder).empty();
  };
  return {is_total, is_fee, sku_of};
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

/// Money received is what was released: a deferred sale shows up again as a transaction of its own when it is.
bool is_released(std::string_view status) noexcept { return status.empty() || same_word(status, "RELEASED"); }

void collect_credits(Json transaction, Components components, store::MoneyEvent& out) {
  if (!is_released(out.status)) return;
  const auto take = [&](Json amount) {
    const auto micros = amount_of(amount);
    const auto currency = currency_of(amount);
    if (micros && currency && micros->value != 0) out.credits.push_back({*currency, *micros});
  };
  if (is_reimbursement_transaction(transaction["transactionType"].text())) {
    // One credited line per item, where the items tell all of the money; else the transaction is one line.
    Sum items;
    for (const Json item : transaction["items"])
      if (is_amount(item["totalAmount"])) items.take(item["totalAmount"]);
    if (items.any && items.exact && amount_of(transaction["totalAmount"]) == items.value) {
      for (const Json item : transaction["items"]) take(item["totalAmount"]);
    } else {
      take(transaction["totalAmount"]);
    }
    return;
  }
  const auto take_leaf = [&](Json leaf) {
    if (is_reimbursement_breakdown(leaf["breakdownType"].text())) take(leaf["breakdownAmount"]);
  };
  if (components == Components::items) {
    for (const Json item : transaction["items"]) for_each_leaf(breakdowns_of(item), take_leaf);
  } else {
    for_each_leaf(breakdowns_of(transaction), take_leaf);
  }
}

store::MoneyEvent decode_transaction(Json t, const MoneyWindow& window, BatchIndex& index) {
  store::MoneyEvent out;
  std::string canonical;
  append_canonical(canonical, t);
  out.content = Hash128::of(canonical);
  const std::string_view id = t["transactionId"].text();
  out.unique_id = out.named_by_amazon = !id.empty();
  out.identity = out.unique_id ? Hash128::of("transactionId/" + std::string(id)) : out.content;
  out.native_id = std::string(id);
  out.type = index.type(t["transactionType"].text());
  out.status = std::string(t["transactionStatus"].text());
  out.description = std::string(t["description"].text());
  out.marketplace = std::string(t["marketplaceDetails"]["marketplaceId"].text());
  if (out.marketplace.empty()) out.marketplace = std::string(t["sellingPartnerMetadata"]["marketplaceId"].text());
  for (const Json related : t["relatedIdentifiers"])
    if (related["relatedIdentifierName"].text() == "ORDER_ID") out.order_id = std::string(related["relatedIdentifierValue"].text());

  const Json date = t["postedDate"];
  out.posted_at = parse_instant(date.text());
  out.dated = out.posted_at.has_value();
  const Day first = day_of(window.from);
  const Day last = std::max(first, day_of(window.until - Duration(1)));
  out.day = out.dated ? std::clamp(day_of(*out.posted_at), first, last) : first;
  if (!date.is_null() && !out.dated) {
    std::string raw;
    append_json(raw, date);
    out.faults.push_back({"date_unreadable", "postedDate", std::move(raw)});
  }
  out.total = amount_of(t["totalAmount"]);
  out.currency = currency_of(t["totalAmount"]);
  const Components components = components_of(t);
  collect_amounts(t, t["transactionType"].text(), rules_for(components), index, out);
  collect_credits(t, components, out);
  const auto column = [&](std::string_view name) { return t[name].is_string() ? name : std::string_view(); };
  out.detail = detail_of(t, {column("transactionId"), column("transactionType"), column("transactionStatus"), column("description"), out.dated ? "postedDate" : ""});
  return out;
}

}  // namespace

bool is_known_transaction_type(std::string_view type) noexcept {
  constexpr std::string_view kTypes[]{"Shipment", "Refund", "ServiceFee", "ProductAdsPayment", "Transfer", "Adjustment", "FBAInventoryReimbursement", "RemovalShipment", "Retrocharge", "MiscellaneousLedgerAdjustment",
                                      "FTBalanceDeduction", "PayWithAmazon", "GuaranteeClaim", "Chargeback", "DebtRecovery"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

Request list_transactions(const MoneyWindow& window, const std::string& page_token) {
  Request request;
  request.operation = &kListTransactions;
  request.path = "/finances/2024-06-19/transactions";
  request.query = {{"postedAfter", format_seconds(window.from)}, {"postedBefore", format_seconds(window.until)}};
  if (!page_token.empty()) request.query.push_back({"nextToken", page_token});
  request.has_page_token = !page_token.empty();
  return request;
}

Result<std::string> next_transactions(const JsonDocument& answer) { return page_token_of(answer["payload"]["nextToken"]); }

Result<MoneyPage> decode_transactions(const JsonDocument& answer, const MoneyWindow& window) {
  const Json payload = answer["payload"];
  if (!payload.is_object()) return Error(Code::bad_answer, "Amazon's answer to listTransactions holds no payload.");
  const Json list = payload["transactions"];
  if (!list.is_null() && !list.is_array()) return Error(Code::bad_answer, "transactions is not an array in Amazon's answer.");
  MoneyPage page;
  AMZ_TRY(token, next_transactions(answer));
  page.next_token = std::move(token);
  page.bare = list.is_null() && page.next_token.empty();
  BatchIndex index(page.batch);
  for (const Json t : list) {
    if (t.is_object()) {
      page.batch.events.push_back(decode_transaction(t, window, index));
      continue;
    }
    std::string raw;
    append_json(raw, t);
    page.batch.unreadable.push_back({"transaction_is_no_object", "transactions", std::move(raw)});
  }
  return page;
}

}  // namespace amzsync::spapi
