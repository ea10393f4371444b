// SPDX-License-Identifier: Apache-2.0
#include "support/pages.hpp"

#include "spapi/inbound.hpp"
#include "spapi/inventory.hpp"
#include "spapi/report_requests.hpp"
#include "spapi/sellers.hpp"
#include "spapi/transactions.hpp"
#include "spapi/financial_events.hpp"
#include "support/nothing_lost.hpp"

namespace support {

using namespace amzsync::spapi;
namespace store = amzsync::store;

namespace {

const MoneyWindow kWindow{*parse_instant("2026-08-01"), *parse_instant("2026-08-08")};

Result<Account> account_of(const Result<MoneyPage>& page, const std::vector<Json>& rows) {
  if (!page) return page.error();
  Account a{page->batch.events.size(), page->batch.unreadable.size()};
  std::size_t n = 0;
  for (const Json row : rows)
    if (row.is_object() && n < a.stored)
      for (const std::string& value : lost(row, page->batch.events[n++], page->batch)) a.lost += value + '\n';
  return a;
}

Result<Account> read_v0(const JsonDocument& answer) {
  std::vector<Json> rows;
  for (const Json list : answer["payload"]["FinancialEvents"])
    if (list.is_array())
      for (const Json event : list) rows.push_back(event);
  return account_of(decode_financial_events(answer, kWindow), rows);
}
std::size_t received_v0(Json answer) {
  std::size_t n = 0;
  for (const Json list : answer["payload"]["FinancialEvents"]) n += list.is_array() ? list.size() : list.is_null() ? 0 : 1;   // what is no list is one thing that can't be read
  return n;
}

Result<Account> read_modern(const JsonDocument& answer) {
  std::vector<Json> rows;
  for (const Json t : answer["payload"]["transactions"]) rows.push_back(t);
  return account_of(decode_transactions(answer, kWindow), rows);
}

Result<Account> read_inventory(const JsonDocument& answer) {
  const auto page = decode_inventory(answer);
  if (!page) return page.error();
  Account a{page->batch.items.size(), page->batch.unreadable.size()};
  std::size_t n = 0;
  for (const Json row : answer["payload"]["inventorySummaries"])
    if (row.is_object() && !row["sellerSku"].text().empty() && n < a.stored)
      for (const std::string& value : lost(row, page->batch.items[n++])) a.lost += value + '\n';
  return a;
}

Result<Account> read_participations(const JsonDocument& answer) {
  const auto page = decode_participations(answer);
  if (!page) return page.error();
  return Account{page->list.size(), page->unreadable.size()};
}

Result<Account> read_reports(const JsonDocument& answer) {
  const auto reports = decode_reports(answer);
  if (!reports) return reports.error();
  return Account{reports->reports.size(), 0};
}

Result<Account> read_inbound(InboundList list, Json rows, const JsonDocument& answer) {
  const auto page = decode_inbound(list, MarketplaceId("ATVPDKIKX0DER"), answer);
  if (!page) return page.error();
  Account a{page->rows.size(), page->unreadable.size()};
  std::size_t n = 0;
  const std::string_view needed = list == InboundList::shipments ? "ShipmentId" : "SellerSKU";
  for (const Json row : rows)
    if (row.is_object() && row["ShipmentId"].is_string() && !row["ShipmentId"].text().empty() && row[needed].is_string() && !row[needed].text().empty() && n < a.stored)
      for (const std::string& value : lost(row, page->rows[n++], inbound_table(list))) a.lost += value + '\n';
  return a;
}

/// "unread" stands for what Amazon may add, and nobody looks at.
const Api kApis[] = {
    {"listFinancialEvents",
     R"({"payload":{"NextToken":"t","FinancialEvents":{"ShipmentEventList":[{"AmazonOrderId":"111-1234567-1234567","PostedDate":"2026-08-05T12:34:56Z","MarketplaceName":"Amazon.com","ShipmentItemList":[)"
     R"({"SellerSKU":"A","QuantityShipped":2,"ItemChargeList":[{"ChargeType":"Principal","ChargeAmount":{"CurrencyCode":"USD","CurrencyAmount":20.5}}],)"
     R"("ItemFeeList":[{"FeeType":"Commission","FeeAmount":{"CurrencyCode":"USD","CurrencyAmount":-3}}]}],"unread":0}],)"
     R"("AdjustmentEventList":[{"AdjustmentType":"WAREHOUSE_LOST","PostedDate":"2026-08-05T00:00:00Z","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":20},)"
     R"("AdjustmentItemList":[{"Quantity":"2","PerUnitAmount":{"CurrencyCode":"USD","CurrencyAmount":10},"TotalAmount":{"CurrencyCode":"USD","CurrencyAmount":20},"SellerSKU":"S"}]}]},"unread":0},"unread":0})",
     &read_v0, &received_v0},
    {"listTransactions",
     R"({"payload":{"nextToken":"t","transactions":[{"transactionId":"T1","transactionType":"Shipment","transactionStatus":"RELEASED","description":"Order Payment","postedDate":"2026-08-05T12:34:56Z",)"
     R"("totalAmount":{"currencyAmount":10,"currencyCode":"USD"},"marketplaceDetails":{"marketplaceId":"ATVPDKIKX0DER","marketplaceName":"Amazon.com"},)"
     R"("relatedIdentifiers":[{"relatedIdentifierName":"ORDER_ID","relatedIdentifierValue":"111-1234567-1234567"}],"contexts":[{"contextType":"DeferredContext","deferralReason":"DD7"}],)"
     R"("items":[{"description":"d","totalAmount":{"currencyAmount":10,"currencyCode":"USD"},"contexts":[{"contextType":"ProductContext","sku":"S","asin":"B0","quantityShipped":1,"fulfillmentNetwork":"AFN"}],)"
     R"("breakdowns":[{"breakdownType":"ProductCharges","breakdownAmount":{"currencyAmount":10,"currencyCode":"USD"},"breakdowns":null}]}],)"
     R"("breakdowns":[{"breakdownType":"Sales","breakdownAmount":{"currencyAmount":10,"currencyCode":"USD"},"breakdowns":[]}],"unread":0},{"transactionId":"T2","postedDate":"2026-08-06"}],"unread":0},"unread":0})",
     &read_modern, [](Json answer) { return answer["payload"]["transactions"].size(); }},
    {"getInventorySummaries",
     R"({"payload":{"granularity":{"granularityType":"Marketplace","granularityId":"X"},"inventorySummaries":[{"asin":"B0","fnSku":"X0","sellerSku":"00123","condition":"NewItem","lastUpdatedTime":"2026-08-05T01:02:03Z",)"
     R"("productName":"thing","totalQuantity":28,"inventoryDetails":{"fulfillableQuantity":1,"inboundWorkingQuantity":2,"inboundShippedQuantity":3,"inboundReceivingQuantity":4,)"
     R"("reservedQuantity":{"totalReservedQuantity":5,"fcProcessingQuantity":6},"researchingQuantity":{"totalResearchingQuantity":7,)"
     R"("researchingQuantityBreakdown":[{"name":"researchingQuantityInLongTerm","quantity":8}]},"unfulfillableQuantity":{"expiredQuantity":9},"unread":0},"unread":0},{"sellerSku":"B"}]},)"
     R"("pagination":{"nextToken":"t"},"unread":0})",
     &read_inventory, [](Json answer) { return answer["payload"]["inventorySummaries"].size(); }},
    {"getShipments",
     R"({"payload":{"ShipmentData":[{"ShipmentId":"FBA15X","ShipmentName":"FBA 1","ShipmentStatus":"CLOSED","DestinationFulfillmentCenterId":"PHX7","LabelPrepType":"NO_LABEL","AreCasesRequired":true,)"
     R"("ShipFromAddress":{"Name":"N","AddressLine1":"A","City":"Riga","CountryCode":"LV"},"ConfirmedNeedByDate":"2026-08-05","BoxContentsSource":"NONE",)"
     R"("EstimatedBoxContentsFee":{"TotalUnits":10,"FeePerUnit":{"CurrencyCode":"USD","Value":0.1},"TotalFee":{"CurrencyCode":"USD","Value":1.0}},"unread":0},{"ShipmentId":"FBA15Y"}],"NextToken":"t"},"unread":0})",
     [](const JsonDocument& answer) { return read_inbound(InboundList::shipments, answer["payload"]["ShipmentData"], answer); }, [](Json answer) { return answer["payload"]["ShipmentData"].size(); }},
    {"getShipmentItems",
     R"({"payload":{"ItemData":[{"ShipmentId":"FBA15X","SellerSKU":"007","FulfillmentNetworkSKU":"X1","QuantityShipped":9,"QuantityReceived":8,"QuantityInCase":7,"ReleaseDate":"2026-08-05",)"
     R"("PrepDetailsList":[{"PrepInstruction":"Labeling","PrepOwner":"SELLER"}],"unread":0},{"ShipmentId":"FBA15X","SellerSKU":"B","QuantityShipped":1}],"NextToken":"t"},"unread":0})",
     [](const JsonDocument& answer) { return read_inbound(InboundList::items, answer["payload"]["ItemData"], answer); }, [](Json answer) { return answer["payload"]["ItemData"].size(); }},
    {"getMarketplaceParticipations",
     R"({"payload":[{"marketplace":{"id":"ATVPDKIKX0DER","name":"Amazon.com","countryCode":"US","defaultCurrencyCode":"USD","defaultLanguageCode":"en_US","domainName":"www.amazon.com"},"storeName":"Shop",)"
     R"("participation":{"isParticipating":true,"hasSuspendedListings":false},"unread":0}],"unread":0})",
     &read_participations, [](Json answer) { return answer["payload"].size(); }},
    {"getReports",
     R"({"reports":[{"reportId":"5","reportType":"GET_FBA_REIMBURSEMENTS_DATA","createdTime":"2026-08-05T12:34:56+00:00","processingStatus":"DONE","marketplaceIds":["ATVPDKIKX0DER"],)"
     R"("dataStartTime":"2026-08-01T00:00:00+00:00","dataEndTime":"2026-08-05T00:00:00+00:00","reportDocumentId":"d","unread":0}],"nextToken":null,"unread":0})",
     &read_reports, [](Json answer) { return answer["reports"].size(); }},
};

}  // namespace

std::span<const Api> apis() { return kApis; }

Reading read_page(const Api& api, const std::string& text) {
  const auto refusal = [](Code code) { return Reading{true, code == Code::bad_answer ? "" : "refused as " + std::string(code_name(code))}; };
  const auto document = JsonDocument::parse(text);
  if (!document) return refusal(document.code());
  if (!document->root().is_object()) return {true};   // the client takes nothing else for an answer
  const auto read = api.read(*document);
  if (!read) return refusal(read.code());
  const std::size_t received = api.received(document->root());
  if (read->stored + read->unreadable != received) return {false, std::to_string(received) + " came, " + std::to_string(read->stored) + " stored, " + std::to_string(read->unreadable) + " kept as unreadable"};
  return {false, read->lost.empty() ? "" : "lost: " + read->lost};
}

}  // namespace support
