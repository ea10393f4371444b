// SPDX-License-Identifier: Apache-2.0
#include "spapi/financial_events.hpp"

#include <algorithm>
#include <array>

#include "spapi/amounts.hpp"
#include "spapi/reimbursements.hpp"

namespace amzsync::spapi {
namespace {


// Four lists are written in camelCase, the rest in PascalCase; a few name the same thing differently.
constexpr std::array<std::string_view, 4> kDates{"PostedDate", "postedDate", "TransactionPostedDate", "TransactionCreationDate"};
constexpr std::array<std::string_view, 3> kOrderIds{"AmazonOrderId", "OrderId", "SellerOrderId"};
constexpr std::array<std::string_view, 2> kMarketplaces{"MarketplaceName", "MarketplaceId"};
constexpr std::array<std::string_view, 9> kTypes{"AdjustmentType",    "RetrochargeEventType",   "RentalEventType",         "DebtRecoveryType", "SourceBusinessEventType",
                                                 "TransactionType",   "transactionType",        "ProviderTransactionType", "eventType"};
constexpr std::array<std::string_view, 11> kTotals{"AdjustmentAmount", "TotalAmount",    "totalAmount",  "transactionValue", "TransactionAmount", "ReimbursedAmount",
                                                   "RecoveryAmount",   "LoanAmount",     "TotalExpense", "TransferAmount",   "Amount"};

/// Names under which Amazon gives an event, or a part of it, an id of its own.
constexpr std::array<std::string_view, 23> kIds{
    "AmazonOrderId",   "OrderId",        "SellerOrderId",  "OrderItemId",          "OrderAdjustmentItemId",        "TransactionNumber",
    "SAFETClaimId",    "EnrollmentId",   "PaymentEventId", "invoiceId",            "dealId",                       "NetCoTransactionID",
    "MerchantOrderId", "AdjustmentEventId", "TDSOrderId",  "TransactionId",        "TransferId",                   "DisbursementId",
    "CouponId",        "RemovalShipmentItemId", "OriginalRemovalOrderId", "ImagingRequestBillingItemID", "PromotionId"};

/// Amounts that sum or restate others (model: "total amount", "per unit", "base amount"). `only_with`: only when that member
/// holds something, because without it the amount is all there is. `named`: it must hold an amount of that name.
struct TotalRule {
  std::string_view list, path, only_with, named = {};
};
constexpr std::array<TotalRule, 16> kTotalRules{{
    {"AdjustmentEventList", "AdjustmentItemList.PerUnitAmount", ""},
    {"ProductAdsPaymentEventList", "transactionValue", "baseValue"},
    {"SellerDealPaymentEventList", "totalAmount", "feeAmount"},
    {"DebtRecoveryEventList", "RecoveryAmount", "DebtRecoveryItemList", "RecoveryAmount"},
    {"DebtRecoveryEventList", "DebtRecoveryItemList.OriginalAmount", ""},
    {"DebtRecoveryEventList", "ChargeInstrumentList.Amount", ""},
    {"SAFETReimbursementEventList", "ReimbursedAmount", "SAFETReimbursementItemList"},
    {"SellerReviewEnrollmentPaymentEventList", "TotalAmount", "FeeComponent"},
    {"SellerReviewEnrollmentPaymentEventList", "TotalAmount", "ChargeComponent"},
    {"CouponPaymentEventList", "TotalAmount", "FeeComponent"},
    {"CouponPaymentEventList", "TotalAmount", "ChargeComponent"},
    {"AffordabilityExpenseEventList", "TotalExpense", "BaseExpense"},
    {"AffordabilityExpenseReversalEventList", "TotalExpense", "BaseExpense"},
    {"TaxWithholdingEventList", "BaseAmount", ""},
    {"RentalTransactionEventList", "RentalInitialValue", ""},
}};

template <std::size_t N>
Json first_of(Json event, const std::array<std::string_view, N>& names) noexcept {
  for (const std::string_view name : names)
    if (const Json member = event[name]; !member.is_null()) return member;
  return {};
}

bool holds_amount(Json value, std::string_view named) {
  if (is_amount(value)) return named.empty() || value.name() == named;
  if (!value.is_object() && !value.is_array()) return false;
  for (const Json child : value)
    if (holds_amount(child, named)) return true;
  return false;
}

/// Whether the items of an adjustment tell all of its money. Where they don't add up to it, what the adjustment says itself counts.
bool told_by_items(Json adjustment) {
  const Json whole = adjustment["AdjustmentAmount"];
  bool any = false;
  Micros sum{};
  for (const Json item : adjustment["AdjustmentItemList"]) {
    const Json amount = item["TotalAmount"];
    if (!is_amount(amount)) continue;
    any = true;
    if (!is_amount(whole)) continue;   // there is nothing else to go by
    const auto micros = amount_of(amount);
    if (!micros || currency_of(amount) != currency_of(whole)) return false;
    const auto added = add(sum, *micros);
    if (!added) return false;
    sum = *added;
  }
  return any && (!is_amount(whole) || !amount_of(whole) || *amount_of(whole) == sum);
}

bool is_total(Json event, std::string_view list, std::string_view path, Json) {
  if (list == "AdjustmentEventList" && path == "AdjustmentAmount") return told_by_items(event);
  if (list == "AdjustmentEventList" && path == "AdjustmentItemList.TotalAmount") return !told_by_items(event);
  return std::any_of(kTotalRules.begin(), kTotalRules.end(), [&](const TotalRule& rule) {
    return rule.list == list && rule.path == path && (rule.only_with.empty() || holds_amount(event[rule.only_with], rule.named));
  });
}

/// The models name fees in FeeComponents, and a few lists in an amount of their own.
bool is_fee(std::string_view path, std::string_view, std::string_view) {
  const std::size_t dot = path.rfind('.');
  const std::string_view name = dot == std::string_view::npos ? path : path.substr(dot + 1);
  return name == "FeeAmount" || name == "feeAmount" || name == "LiquidationFeeAmount";
}

std::string_view sku_of(Json holder) {
  for (const std::string_view name : {std::string_view("SellerSKU"), std::string_view("SKU")})
    if (const Json sku = holder[name]; sku.is_string()) return sku.text();
  return {};
}

const AmountRules kRules{is_total, is_fee, sku_of};

bool names_id(Json value) {
  if (!value.is_object() && !value.is_array()) return false;
  for (const Json child : value) {
    if (child.is_string() && !child.text().empty() && std::find(kIds.begin(), kIds.end(), child.name()) != kIds.end()) return true;
    if (names_id(child)) return true;
  }
  return false;
}

/// Credited lines are the items of an adjustment; one that its items do not tell wholly is one line itself.
void collect_credits(Json event, store::MoneyEvent& out) {
  if (!is_reimbursement_adjustment(event["AdjustmentType"].text())) return;
  const auto take = [&](Json amount) {
    const auto micros = amount_of(amount);
    const auto currency = currency_of(amount);
    if (micros && currency) out.credits.push_back({*currency, *micros});
  };
  if (!told_by_items(event)) return take(event["AdjustmentAmount"]);
  for (const Json item : event["AdjustmentItemList"]) take(item["TotalAmount"]);
}

Day clamped(Day day, const MoneyWindow& window) {
  const Day last = day_of(window.until - Duration(1));
  return std::clamp(day, day_of(window.from), std::max(last, day_of(window.from)));
}

store::MoneyEvent decode_event(Json event, std::string_view list, const MoneyWindow& window, BatchIndex& index) {
  store::MoneyEvent out;
  std::string canonical(list);
  append_canonical(canonical, event);
  out.identity = out.content = Hash128::of(canonical);
  out.named_by_amazon = names_id(event);
  out.type = index.type(list);

  const Json date = first_of(event, kDates);
  out.posted_at = parse_instant(date.text());
  out.dated = out.posted_at.has_value();
  out.day = out.dated ? clamped(day_of(*out.posted_at), window) : day_of(window.from);
  if (!date.is_null() && !out.dated) {
    std::string raw;
    append_json(raw, date);
    out.faults.push_back({"date_unreadable", std::string(date.name()), std::move(raw)});
  }
  const Json order = first_of(event, kOrderIds);
  const Json marketplace = first_of(event, kMarketplaces);
  const Json type = first_of(event, kTypes);
  out.order_id = std::string(order.text());
  out.marketplace = std::string(marketplace.text());
  out.description = std::string(type.text());
  const Json total = first_of(event, kTotals);
  out.total = amount_of(total);
  out.currency = currency_of(total);

  collect_amounts(event, list, kRules, index, out);
  collect_credits(event, out);
  const auto column = [](Json member, bool kept) { return kept ? member.name() : std::string_view(); };
  out.detail = detail_of(event, {column(order, order.is_string()), column(marketplace, marketplace.is_string()), column(type, type.is_string()), column(date, out.dated)});
  return out;
}

}  // namespace

Request list_financial_events(const MoneyWindow& window, const std::string& page_token, int events_per_page) {
  Request request;
  request.operation = &kListFinancialEvents;
  request.path = "/finances/v0/financialEvents";
  request.query = {{"MaxResultsPerPage", std::to_string(events_per_page)}, {"PostedAfter", format_seconds(window.from)}, {"PostedBefore", format_seconds(window.until)}};
  if (!page_token.empty()) request.query.push_back({"NextToken", page_token});
  request.has_page_token = !page_token.empty();
  return request;
}

Result<std::string> next_financial_events(const JsonDocument& answer) { return page_token_of(answer["payload"]["NextToken"]); }

Result<MoneyPage> decode_financial_events(const JsonDocument& answer, const MoneyWindow& window) {
  const Json payload = answer["payload"];
  if (!payload.is_object()) return Error(Code::bad_answer, "Amazon's answer to listFinancialEvents holds no payload.");
  const Json events = payload["FinancialEvents"];
  if (!events.is_null() && !events.is_object()) return Error(Code::bad_answer, "FinancialEvents is not an object in Amazon's answer.");
  MoneyPage page;
  AMZ_TRY(token, next_financial_events(answer));
  page.next_token = std::move(token);
  page.bare = events.is_null() && page.next_token.empty();
  BatchIndex index(page.batch);
  for (const Json list : events) {
    if (list.is_null()) continue;
    if (!list.is_array()) {
      std::string raw;
      append_json(raw, list);
      page.batch.unreadable.push_back({"list_is_no_array", std::string(list.name()), std::move(raw)});
      continue;
    }
    for (const Json event : list) {
      if (event.is_object()) {
        page.batch.events.push_back(decode_event(event, list.name(), window, index));
        continue;
      }
      std::string raw;
      append_json(raw, event);
      page.batch.unreadable.push_back({"event_is_no_object", std::string(list.name()), std::move(raw)});
    }
  }
  return page;
}

}  // namespace amzsync::spapi
