// SPDX-License-Identifier: Apache-2.0
#include "sim/render.hpp"

#include "base/crypto.hpp"
#include "base/json_writer.hpp"

namespace amzsim {

using amzsync::base::format_instant;
using amzsync::base::format_seconds;
using amzsync::base::JsonWriter;

const std::array<std::string_view, 34> kEventLists{
    "ShipmentEventList",
    "ShipmentSettleEventList",
    "RefundEventList",
    "GuaranteeClaimEventList",
    "ChargebackEventList",
    "EBTRefundReimbursementOnlyEventList",
    "PayWithAmazonEventList",
    "ServiceProviderCreditEventList",
    "RetrochargeEventList",
    "RentalTransactionEventList",
    "ProductAdsPaymentEventList",
    "ServiceFeeEventList",
    "SellerDealPaymentEventList",
    "DebtRecoveryEventList",
    "LoanServicingEventList",
    "AdjustmentEventList",
    "SAFETReimbursementEventList",
    "SellerReviewEnrollmentPaymentEventList",
    "FBALiquidationEventList",
    "CouponPaymentEventList",
    "ImagingServicesFeeEventList",
    "NetworkComminglingTransactionEventList",
    "AffordabilityExpenseEventList",
    "AffordabilityExpenseReversalEventList",
    "RemovalShipmentEventList",
    "RemovalShipmentAdjustmentEventList",
    "TrialShipmentEventList",
    "TDSReimbursementEventList",
    "AdhocDisbursementEventList",
    "TaxWithholdingEventList",
    "ChargeRefundEventList",
    "FailedAdhocDisbursementEventList",
    "ValueAddedServiceChargeEventList",
    "CapacityReservationBillingEventList",
};

namespace {

std::string domain_of(const Marketplace& m) {
  return "A" + std::string(m.site.substr(1));
}

/// Writes a payload and tells each amount with its place.
class Teller {
 public:
  Teller(std::string_view list, std::string_view currency, const AmountListener& listener, bool camel)
      : list_(list), currency_(currency), listener_(listener), camel_(camel) {}

  Teller& object(std::string_view name) {
    enter(name);
    json_.begin_object();
    return *this;
  }
  Teller& element() {
    json_.begin_object();
    path_.emplace_back();
    return *this;
  }
  Teller& end() {
    json_.end_object();
    path_.pop_back();
    return *this;
  }
  Teller& array(std::string_view name) {
    enter(name);
    json_.begin_array();
    return *this;
  }
  Teller& end_array() {
    json_.end_array();
    path_.pop_back();
    return *this;
  }
  template <class Value>
  Teller& field(std::string_view name, const Value& value) {
    json_.field(name, value);
    return *this;
  }
  Teller& null(std::string_view name) {
    json_.field_null(name);
    return *this;
  }
  Teller& amount(std::string_view name, Micros value, std::string_view type = {}, bool fee = false) {
    json_.key(name).begin_object();
    json_.field(camel_ ? "currencyCode" : "CurrencyCode", currency_).field(camel_ ? "currencyAmount" : "CurrencyAmount", value).end_object();
    if (listener_) {
      std::string path;
      for (const std::string_view part : path_)
        if (!part.empty()) (path += part) += '.';
      listener_({list_, path + std::string(name), std::string(type), std::string(currency_), value, fee});
    }
    return *this;
  }
  /// {FeeType, FeeAmount}, {ChargeType, ChargeAmount}
  Teller& component(std::string_view name, const Component& c, bool fee) {
    object(name);
    return typed(c, fee).end();
  }
  Teller& typed(const Component& c, bool fee) {
    return fee ? field("FeeType", c.type).amount("FeeAmount", c.amount, c.type, true) : field("ChargeType", c.type).amount("ChargeAmount", c.amount, c.type);
  }
  Teller& components(std::string_view name, const std::vector<Component>& list, bool fee) {
    array(name);
    for (const Component& c : list) element().typed(c, fee).end();
    return end_array();
  }
  std::string finish() {
    json_.end_object();
    return std::move(json_).text();
  }
  Teller& begin() {
    json_.begin_object();
    return *this;
  }

 private:
  void enter(std::string_view name) {
    json_.key(name);
    path_.push_back(name);
  }
  JsonWriter json_;
  std::string_view list_;
  std::string_view currency_;
  const AmountListener& listener_;
  bool camel_;
  std::vector<std::string_view> path_;
};

std::string asin_of(const FactItem& item) { return item.asin.empty() ? "B0SIM" : item.asin; }

/// Orders: the same shape for sales and for refunds, whose lists are called Adjustment.
void shipment_event(Teller& t, const Fact& f, bool refund) {
  t.field("AmazonOrderId", f.order_id).field("SellerOrderId", f.order_id).field("MarketplaceName", domain_of(*f.marketplace)).field("PostedDate", format_seconds(f.posted));
  t.array(refund ? "ShipmentItemAdjustmentList" : "ShipmentItemList");
  for (const FactItem& item : f.items) {
    t.element().field("SellerSKU", item.sku).field("OrderItemId", item.order_item_id);
    if (refund) t.field("OrderAdjustmentItemId", "A" + item.order_item_id);
    t.field("QuantityShipped", item.quantity);
    t.components(refund ? "ItemChargeAdjustmentList" : "ItemChargeList", item.charges, false);
    t.components(refund ? "ItemFeeAdjustmentList" : "ItemFeeList", item.fees, true);
    if (!item.promotions.empty()) {
      t.array(refund ? "PromotionAdjustmentList" : "PromotionList");
      for (const Component& p : item.promotions) t.element().field("PromotionType", p.type).field("PromotionId", "promo-" + item.order_item_id).amount("PromotionAmount", p.amount, p.type).end();
      t.end_array();
    }
    if (item.quantity > 2 && item.charges.size() > 1) {
      t.array("ItemTaxWithheldList").element().field("TaxCollectionModel", "MarketplaceFacilitator").array("TaxesWithheld").element();
      t.typed({"MarketplaceFacilitatorTax-Principal", Micros{-item.charges.at(1).amount.value}}, false).end().end_array().end().end_array();
    }
    t.end();
  }
  t.end_array();
}

void adjustment_event(Teller& t, const Fact& f) {
  t.field("AdjustmentType", f.adjustment_type).field("PostedDate", format_seconds(f.posted)).amount("AdjustmentAmount", f.total(), f.adjustment_type);
  if (f.kind != FactKind::reimbursement) return;   // a reserve has no items
  t.array("AdjustmentItemList");
  for (const FactItem& item : f.items) {
    const Micros all = item.charges.front().amount;
    t.element().field("Quantity", std::to_string(item.quantity)).amount("PerUnitAmount", Micros{all.value / item.quantity}).amount("TotalAmount", all);
    t.field("SellerSKU", item.sku).field("FnSKU", item.fnsku.empty() ? "X" + item.sku.substr(0, 9) : item.fnsku).field("ASIN", asin_of(item));
    if (f.named) t.field("TransactionNumber", "TN" + item.order_item_id);
    t.end();
  }
  t.end_array();
}

/// The lists that hardly any seller sees, each with every amount that its model has.
void rare_event(Teller& t, std::string_view list, const Fact& f) {
  const Micros a = f.items.front().charges.front().amount;
  const Micros b{a.value / 3 / 10'000 * 10'000};
  const Micros sum{a.value + b.value};
  const std::string date = format_seconds(f.posted);
  const std::string& order = f.order_id;
  const FactItem& item = f.items.front();
  const Component fee{"FBAServiceFee", a}, charge{"Principal", b};

  if (list == "ShipmentSettleEventList" || list == "ShipmentEventList") return shipment_event(t, f, false);
  if (list == "GuaranteeClaimEventList" || list == "ChargebackEventList" || list == "RefundEventList") return shipment_event(t, f, true);
  if (list == "EBTRefundReimbursementOnlyEventList") {
    t.field("OrderId", order).field("PostedDate", date).amount("Amount", a);
  } else if (list == "PayWithAmazonEventList") {
    t.field("SellerOrderId", order).field("TransactionPostedDate", date).field("BusinessObjectType", "PaymentContract").field("SalesChannel", "www.shop.example");
    t.component("Charge", charge, false).components("FeeList", {fee}, true).field("PaymentAmountType", "Sales").field("AmountDescription", "Sale").field("FulfillmentChannel", "MFN").field("StoreName", "Shop");
  } else if (list == "ServiceProviderCreditEventList") {
    t.field("ProviderTransactionType", "ProviderCredit").field("SellerOrderId", order).field("MarketplaceId", f.marketplace->id).field("MarketplaceCountryCode", f.marketplace->country);
    t.field("SellerId", "S1").field("ProviderId", "P1").amount("TransactionAmount", a).field("TransactionCreationDate", date);
  } else if (list == "RetrochargeEventList") {
    t.field("RetrochargeEventType", "Retrocharge").field("AmazonOrderId", order).field("PostedDate", date).amount("BaseTax", a).amount("ShippingTax", b).field("MarketplaceName", domain_of(*f.marketplace));
    t.array("RetrochargeTaxWithheldList").element().field("TaxCollectionModel", "MarketplaceFacilitator").array("TaxesWithheld").element().typed(charge, false).end().end_array().end().end_array();
  } else if (list == "RentalTransactionEventList") {
    t.field("AmazonOrderId", order).field("RentalEventType", "RentalCustomerPayment-Buyout").field("ExtensionLength", 12).field("PostedDate", date);
    t.components("RentalChargeList", {charge}, false).components("RentalFeeList", {fee}, true).field("MarketplaceName", domain_of(*f.marketplace)).amount("RentalInitialValue", sum).amount("RentalReimbursement", b);
  } else if (list == "SellerDealPaymentEventList") {
    t.field("postedDate", date).field("dealId", "deal-" + order).field("dealDescription", "Deal").field("eventType", "SellerDealComplete").field("feeType", "RunLightningDealFee");
    t.amount("feeAmount", a, "RunLightningDealFee", true).amount("taxAmount", b).amount("totalAmount", sum);
  } else if (list == "DebtRecoveryEventList") {
    t.field("DebtRecoveryType", "DebtPayment").amount("RecoveryAmount", a).amount("OverPaymentCredit", b).array("DebtRecoveryItemList").element().amount("RecoveryAmount", a).amount("OriginalAmount", sum);
    t.field("GroupBeginDate", date).field("GroupEndDate", date).end().end_array().array("ChargeInstrumentList").element().field("Description", "Card").field("Tail", "0042").amount("Amount", a).end().end_array();
  } else if (list == "LoanServicingEventList") {
    t.amount("LoanAmount", a).field("SourceBusinessEventType", "LoanPayment");
  } else if (list == "SAFETReimbursementEventList") {
    t.field("PostedDate", date).field("SAFETClaimId", "SAFE-" + order).amount("ReimbursedAmount", a).field("ReasonCode", "12").array("SAFETReimbursementItemList").element();
    t.components("itemChargeList", {{"Principal", a}}, false).field("productDescription", "A thing").field("quantity", "1").end().end_array();
  } else if (list == "SellerReviewEnrollmentPaymentEventList") {
    t.field("PostedDate", date).field("EnrollmentId", "enrol-" + order).field("ParentASIN", "B0PARENT").component("FeeComponent", fee, true).component("ChargeComponent", charge, false).amount("TotalAmount", sum);
  } else if (list == "FBALiquidationEventList") {
    t.field("PostedDate", date).field("OriginalRemovalOrderId", "rem-" + order).amount("LiquidationProceedsAmount", a).amount("LiquidationFeeAmount", b, {}, true);
  } else if (list == "CouponPaymentEventList") {
    t.field("PostedDate", date).field("CouponId", "coupon").field("SellerCouponDescription", "Save").field("ClipOrRedemptionCount", 12).field("PaymentEventId", "pay-" + order);
    t.component("FeeComponent", fee, true).component("ChargeComponent", charge, false).amount("TotalAmount", sum);
  } else if (list == "ImagingServicesFeeEventList") {
    t.field("ImagingRequestBillingItemID", "img-" + order).field("ASIN", "B0IMG").field("PostedDate", date).components("FeeList", {fee}, true);
  } else if (list == "NetworkComminglingTransactionEventList") {
    t.field("TransactionType", "NetCo").field("PostedDate", date).field("NetCoTransactionID", "net-" + order).field("SwapReason", "swap").field("ASIN", "B0NET").field("MarketplaceId", f.marketplace->id);
    t.amount("TaxExclusiveAmount", a).amount("TaxAmount", b);
  } else if (list == "AffordabilityExpenseEventList" || list == "AffordabilityExpenseReversalEventList") {
    t.field("AmazonOrderId", order).field("PostedDate", date).field("MarketplaceId", f.marketplace->id).field("TransactionType", "Charge").amount("BaseExpense", a).amount("TaxTypeCGST", b);
    t.amount("TaxTypeSGST", Micros{}).amount("TaxTypeIGST", Micros{}).amount("TotalExpense", sum);
  } else if (list == "RemovalShipmentEventList") {
    t.field("PostedDate", date).field("MerchantOrderId", "mo-" + order).field("OrderId", order).field("TransactionType", "WHOLESALE_LIQUIDATION").array("RemovalShipmentItemList").element();
    t.field("RemovalShipmentItemId", "ri-" + item.order_item_id).field("TaxCollectionModel", "Standard").field("FulfillmentNetworkSKU", "X00REM").field("Quantity", 2);
    t.amount("Revenue", a).amount("FeeAmount", b, {}, true).amount("TaxAmount", Micros{}).amount("TaxWithheld", Micros{}).end().end_array();
  } else if (list == "RemovalShipmentAdjustmentEventList") {
    t.field("PostedDate", date).field("AdjustmentEventId", "ae-" + order).field("MerchantOrderId", "mo-" + order).field("OrderId", order).field("TransactionType", "WHOLESALE_LIQUIDATION");
    t.array("RemovalShipmentItemAdjustmentList").element().field("RemovalShipmentItemId", "ri-" + item.order_item_id).field("FulfillmentNetworkSKU", "X00REM").field("AdjustedQuantity", 1);
    t.amount("RevenueAdjustment", a).amount("TaxAmountAdjustment", b).amount("TaxWithheldAdjustment", Micros{}).end().end_array();
  } else if (list == "TrialShipmentEventList") {
    t.field("AmazonOrderId", order).field("FinancialEventGroupId", "grp").field("PostedDate", date).field("SKU", item.sku).components("FeeList", {fee}, true);
  } else if (list == "TDSReimbursementEventList") {
    t.field("PostedDate", date).field("TDSOrderId", "tds-" + order).amount("ReimbursedAmount", a);
  } else if (list == "AdhocDisbursementEventList") {
    t.field("TransactionType", "Disburse to Amazon Gift Card balance").field("PostedDate", date).field("TransactionId", "ad-" + order).amount("TransactionAmount", a, "Disburse to Amazon Gift Card balance");
  } else if (list == "TaxWithholdingEventList") {
    t.field("PostedDate", date).amount("BaseAmount", sum).amount("WithheldAmount", b).object("TaxWithholdingPeriod").field("StartDate", date).field("EndDate", date).end();
  } else if (list == "ChargeRefundEventList") {
    t.field("PostedDate", date).field("ReasonCode", "POS_REPLACE_REFUND").field("ReasonCodeDescription", order).array("ChargeRefundTransactions").element().amount("ChargeAmount", a, "Subscription").field("ChargeType", "Subscription").end().end_array();
  } else if (list == "FailedAdhocDisbursementEventList") {
    t.field("FundsTransfersType", "refund").field("TransferId", "tr-" + order).field("DisbursementId", "di-" + order).field("PaymentDisbursementType", "CREDIT_CARD").field("Status", "FAILED").amount("TransferAmount", a).field("PostedDate", date);
  } else {  // ValueAddedServiceChargeEventList, CapacityReservationBillingEventList
    t.field("TransactionType", "Other").field("PostedDate", date).field("Description", order).amount("TransactionAmount", a, "Other");
  }
}

/// Lists for facts of kind rare: every one that the other kinds do not fill.
std::string_view rare_list(const Fact& f) {
  static const std::vector<std::string_view> rare = [] {
    std::vector<std::string_view> lists;
    for (const std::string_view list : kEventLists)
      if (list != "ShipmentEventList" && list != "RefundEventList" && list != "ServiceFeeEventList" && list != "AdjustmentEventList" && list != "ProductAdsPaymentEventList") lists.push_back(list);
    return lists;
  }();
  return rare[static_cast<std::size_t>(f.rare_list) % rare.size()];
}

std::string_view list_of(const Fact& f) {
  switch (f.kind) {
    case FactKind::shipment: return "ShipmentEventList";
    case FactKind::refund: return "RefundEventList";
    case FactKind::service_fee: return "ServiceFeeEventList";
    case FactKind::reimbursement:
    case FactKind::other_adjustment: return "AdjustmentEventList";
    case FactKind::ads: return "ProductAdsPaymentEventList";
    case FactKind::rare: return rare_list(f);
  }
  return {};
}

/// Which member of a v0 event is an order's id, by list.
/// The inbound shipment that a fee is for, which v0 tells in the place of an order's id; empty: an order's fee.
std::string shipment_of(const Fact& f) { return f.number % 2 == 0 && !f.planted ? "FBA15" + f.order_id.substr(12) : std::string(); }

std::string order_of(std::string_view list, const Fact& f) {
  for (const std::string_view with : {"ShipmentEventList", "ShipmentSettleEventList", "RefundEventList", "GuaranteeClaimEventList", "ChargebackEventList", "EBTRefundReimbursementOnlyEventList",
                                      "PayWithAmazonEventList", "ServiceProviderCreditEventList", "RetrochargeEventList", "RentalTransactionEventList", "AffordabilityExpenseEventList",
                                      "AffordabilityExpenseReversalEventList", "RemovalShipmentEventList", "RemovalShipmentAdjustmentEventList", "TrialShipmentEventList"})
    if (list == with) return f.order_id;
  if (list == "ServiceFeeEventList" && f.named && !f.planted && shipment_of(f).empty()) return f.order_id;
  return {};
}

}  // namespace

RenderedEvent render_v0(const Fact& f, const AmountListener& listener) {
  RenderedEvent event;
  event.list = list_of(f);
  event.order_id = order_of(event.list, f);
  Teller t(event.list, f.marketplace->currency, listener, false);
  t.begin();
  switch (f.kind) {
    case FactKind::shipment: shipment_event(t, f, false); break;
    case FactKind::refund: shipment_event(t, f, true); break;
    case FactKind::service_fee:
      // No date, no marketplace; the order id may be a shipment's.
      if (f.planted) {
        t.field("FeeReason", "FBA fee").components("FeeList", f.items.front().fees, true);
        break;
      }
      if (f.named) t.field("AmazonOrderId", shipment_of(f).empty() ? f.order_id : shipment_of(f));
      t.field("FeeReason", "FBA fee").components("FeeList", f.items.front().fees, true).field("SellerSKU", f.items.front().sku).field("ASIN", "B0SIM");
      break;
    case FactKind::reimbursement:
    case FactKind::other_adjustment: adjustment_event(t, f); break;
    case FactKind::ads: {
      const Micros all = f.total();
      const Micros tax{all.value / 11 / 10'000 * 10'000};
      t.field("postedDate", format_seconds(f.posted)).field("transactionType", "charge").field("invoiceId", "INV-" + f.order_id);
      t.amount("baseValue", Micros{all.value - tax.value}).amount("taxValue", tax).amount("transactionValue", all, "charge");
      break;
    }
    case FactKind::rare: rare_event(t, event.list, f); break;
  }
  // An adjustment without items, a loan and the like carry no id at all, so equal ones would be twins.
  event.named = f.named && f.kind != FactKind::other_adjustment && !(f.planted && f.kind == FactKind::service_fee) &&
                (f.kind != FactKind::rare || !(event.list == "DebtRecoveryEventList" || event.list == "LoanServicingEventList" || event.list == "TaxWithholdingEventList" ||
                                               event.list == "ChargeRefundEventList" || event.list == "ValueAddedServiceChargeEventList" || event.list == "CapacityReservationBillingEventList"));
  event.json = t.finish();
  return event;
}

std::string transaction_id(const Seller& seller, std::int64_t number, Part part) {
  const std::string name = seller.id() + "/" + std::to_string(number) + "/" + std::to_string(static_cast<int>(part));
  const auto digest = amzsync::base::sha256(name);
  std::string id = amzsync::base::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
  while (!id.empty() && id.back() == '=') id.pop_back();
  for (char& c : id) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return id;
}

namespace {

/// What the newer source calls what the older one calls otherwise (facts: spapi 3.2).
std::string_view leaf_name(std::string_view type) {
  constexpr std::pair<std::string_view, std::string_view> kNames[]{{"Principal", "OurPricePrincipal"}, {"Tax", "OurPriceTax"}, {"ShippingCharge", "ShippingPrincipal"}, {"GiftWrap", "GiftwrapPrincipal"}, {"Goodwill", "GoodwillPrincipal"}};
  for (const auto& [old, now] : kNames)
    if (old == type) return now;
  return type.starts_with("Promotion") ? "OurPriceDiscount" : type;
}

}  // namespace

RenderedTransaction render_2024(const Seller& seller, const Fact& f, Part part, Instant now, const AmountListener& listener) {
  RenderedTransaction out;
  std::string description;
  switch (f.kind) {
    case FactKind::shipment: out.type = "Shipment"; description = "Order Payment"; break;
    case FactKind::refund: out.type = "Refund"; description = "Refund Order"; break;
    case FactKind::service_fee: out.type = "ServiceFee"; description = "FBAStorageBilling"; break;
    case FactKind::reimbursement: out.type = f.total().value < 0 ? "Adjustment" : "FBAInventoryReimbursement"; description = f.adjustment_type; break;
    case FactKind::other_adjustment: out.type = "Adjustment"; description = f.adjustment_type; break;
    case FactKind::ads: out.type = "ProductAdsPayment"; description = "Ads"; break;
    case FactKind::rare: out.type = "MiscellaneousLedgerAdjustment"; description = "Other"; break;
  }
  const bool order = f.kind == FactKind::shipment || f.kind == FactKind::refund;
  if (order) out.order_id = f.order_id;
  const bool was_released = part == Part::deferred && f.was_released(now);
  const std::string id = transaction_id(seller, f.number, part);

  Teller t(out.type, f.marketplace->currency, listener, true);
  t.begin();
  t.object("sellingPartnerMetadata").field("sellingPartnerId", seller.id()).field("accountType", "Standard Orders").field("marketplaceId", f.marketplace->id).end();
  t.array("relatedIdentifiers");
  const auto related = [&](std::string_view name, const std::string& value) { t.element().field("relatedIdentifierName", name).field("relatedIdentifierValue", value).end(); };
  if (order) related("ORDER_ID", f.order_id);
  related("FINANCIAL_EVENT_GROUP_ID", "group-" + std::to_string(f.number / 1000));
  if (was_released) related("RELEASE_TRANSACTION_ID", transaction_id(seller, f.number, Part::released));
  if (part == Part::released) related("DEFERRED_TRANSACTION_ID", transaction_id(seller, f.number, Part::deferred));
  t.end_array();
  t.field("transactionType", out.type).field("transactionId", id);
  t.field("transactionStatus", part == Part::deferred ? (was_released ? "DEFERRED_RELEASED" : "DEFERRED") : "RELEASED");
  t.field("description", description).field("postedDate", format_seconds(part == Part::released ? f.released : f.posted));
  t.amount("totalAmount", f.total());
  t.object("marketplaceDetails").field("marketplaceId", f.marketplace->id).field("marketplaceName", domain_of(*f.marketplace)).end();

  if (f.kind == FactKind::reimbursement) {
    // Broken down as a whole; the items say how much and nothing more (facts F17).
    const std::string leaf = f.total().value < 0 ? "FBAReversedReimbursement" : "FBAInventoryReimbursement";
    t.array("items");
    for (const FactItem& item : f.items) {
      t.element().field("description", "Product").amount("totalAmount", item.charges.front().amount).null("breakdowns");
      t.array("contexts").element().field("contextType", "ProductContext").field("asin", asin_of(item)).field("sku", item.sku).field("quantityShipped", item.quantity).null("fulfillmentNetwork").end().end_array();
      t.end();
    }
    t.end_array();
    t.array("breakdowns").element().field("breakdownType", "Sales").amount("breakdownAmount", f.total(), "Sales").array("breakdowns");
    t.element().field("breakdownType", leaf).amount("breakdownAmount", f.total(), leaf).null("breakdowns").end().end_array().end().end_array();
    out.json = t.finish();
    return out;
  }

  Micros charges{}, fees{};
  t.array("items");
  for (const FactItem& item : f.items) {
    Micros own{}, own_fees{};
    for (const auto* list : {&item.charges, &item.promotions})
      for (const Component& c : *list) own.value += c.amount.value;
    for (const Component& c : item.fees) own_fees.value += c.amount.value;
    charges.value += own.value;
    fees.value += own_fees.value;
    t.element().field("description", "Product").amount("totalAmount", Micros{own.value + own_fees.value});
    t.array("breakdowns");
    const auto branch = [&](std::string_view name, Micros sum, const std::vector<const std::vector<Component>*>& lists, bool fee) {
      bool any = false;
      for (const auto* list : lists) any |= !list->empty();
      if (!any) return;
      t.element().field("breakdownType", name).amount("breakdownAmount", sum, name).array("breakdowns");
      for (const auto* list : lists)
        for (const Component& c : *list) t.element().field("breakdownType", leaf_name(c.type)).amount("breakdownAmount", c.amount, leaf_name(c.type), fee).array("breakdowns").end_array().end();
      t.end_array().end();
    };
    branch("ProductCharges", own, {&item.charges, &item.promotions}, false);
    branch("AmazonFees", own_fees, {&item.fees}, true);
    t.end_array();
    t.array("contexts").element().field("contextType", "ProductContext").field("asin", asin_of(item)).field("sku", item.sku).field("quantityShipped", item.quantity).field("fulfillmentNetwork", "AFN").end().end_array();
    t.end();
  }
  t.end_array();
  t.array("breakdowns");
  t.element().field("breakdownType", "Sales").amount("breakdownAmount", charges, "Sales").null("breakdowns").end();
  t.element().field("breakdownType", "Expenses").amount("breakdownAmount", fees, "Expenses").null("breakdowns").end();
  t.end_array();
  if (part != Part::only && part == Part::deferred)
    t.array("contexts").element().field("contextType", "DeferredContext").field("deferralReason", "DD7").field("maturityDate", format_seconds(f.released)).end().end_array();
  out.json = t.finish();
  return out;
}

std::vector<Micros> credited_lines(const Fact& f) {
  std::vector<Micros> lines;
  if (f.kind != FactKind::reimbursement) return lines;
  for (const FactItem& item : f.items) lines.push_back(item.charges.front().amount);
  return lines;
}

}  // namespace amzsim
