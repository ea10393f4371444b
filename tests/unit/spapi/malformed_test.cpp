// SPDX-License-Identifier: Apache-2.0
// Answers and documents that are not what they should be. One law for all of them: nothing crashes, and either the whole is refused with an
// error, or every row that came is there or kept as unreadable, no value of it is lost, and an amount that can't be held exactly is NULL and told.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/gunzip.hpp"
#include "base/gzip.hpp"
#include "base/json_writer.hpp"
#include "sim/random.hpp"
#include "sim/reports.hpp"
#include "spapi/inbound.hpp"
#include "spapi/inventory.hpp"
#include "spapi/report_requests.hpp"
#include "spapi/reports/datasets.hpp"
#include "spapi/sellers.hpp"
#include "spapi/transactions.hpp"
#include "support/nothing_lost.hpp"

using namespace amzsync::spapi;
namespace store = amzsync::store;

namespace {

const MoneyWindow kWindow{*parse_instant("2026-08-01"), *parse_instant("2026-08-08")};

// ---- pages of JSON ----

/// What became of a page's rows.
struct Account {
  std::size_t stored = 0, unreadable = 0;
  std::string lost = {};   ///< values of stored rows that are nowhere in what was decoded
};

/// One API: a small page of it, which has everything once, how it is read, and how many rows an answer holds.
struct Api {
  const char* name;
  std::string page;
  Result<Account> (*read)(const JsonDocument&);
  std::size_t (*received)(Json answer);
};

Result<Account> account_of(const Result<MoneyPage>& page, const std::vector<Json>& rows) {
  if (!page) return page.error();
  Account a{page->batch.events.size(), page->batch.unreadable.size()};
  std::size_t n = 0;
  for (const Json row : rows)
    if (row.is_object() && n < a.stored)
      for (const std::string& value : support::lost(row, page->batch.events[n++], page->batch)) a.lost += value + '\n';
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
      for (const std::string& value : support::lost(row, page->batch.items[n++])) a.lost += value + '\n';
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
      for (const std::string& value : support::lost(row, page->rows[n++], inbound_table(list))) a.lost += value + '\n';
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

/// The law, of one answer's text. Whether it was refused is told, so that a table can ask for that.
bool refused(const Api& api, const std::string& text) {
  CAPTURE(text);
  const auto document = JsonDocument::parse(text);
  if (!document) {
    CHECK(document.code() == Code::bad_answer);
    return true;
  }
  if (!document->root().is_object()) return true;   // the client takes nothing else for an answer
  const auto read = api.read(*document);
  if (!read) {
    CHECK(read.code() == Code::bad_answer);
    return true;
  }
  CHECK(read->stored + read->unreadable == api.received(document->root()));
  CHECK(read->lost == "");
  return false;
}

std::size_t values_in(Json value) {
  std::size_t n = 1;
  for (const Json child : value) n += values_in(child);
  return n;
}

/// Writes a value with its n-th part (0 is the whole, in document order) replaced.
void write_changed(std::string& out, Json value, std::size_t& n, const std::string& with) {
  if (n-- == 0) {
    out += with;
    return;
  }
  if (!value.is_object() && !value.is_array()) return append_json(out, value);
  out += value.is_object() ? '{' : '[';
  bool first = true;
  for (const Json child : value) {
    if (!std::exchange(first, false)) out += ',';
    if (value.is_object()) {
      append_json_string(out, child.name());
      out += ':';
    }
    write_changed(out, child, n, with);
  }
  out += value.is_object() ? '}' : ']';
}

std::string replaced(std::string text, std::string_view what, const std::string& with) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

/// A transaction, or an event of v0, and nothing else.
store::MoneyBatch modern(const std::string& transaction) {
  const auto document = JsonDocument::parse(R"({"payload":{"transactions":[)" + transaction + "]}}");
  REQUIRE(document);
  auto page = decode_transactions(*document, kWindow);
  REQUIRE(page);
  return std::move(page->batch);
}
store::MoneyBatch v0(const std::string& list, const std::string& event) {
  const auto document = JsonDocument::parse(R"({"payload":{"FinancialEvents":{")" + list + R"(":[)" + event + "]}}}");
  REQUIRE(document);
  auto page = decode_financial_events(*document, kWindow);
  REQUIRE(page);
  return std::move(page->batch);
}

// ---- documents ----

struct Document {
  std::vector<DecodedRow> rows;
  std::size_t stored = 0, unreadable = 0;
};

/// Reads a document as it comes, in pieces of a size.
Result<Document> read_document(const ReportDataset& dataset, std::string_view bytes, std::size_t piece, Charset charset = Charset::utf8) {
  Document d;
  RowDecoder decoder(dataset, charset);
  TableReader reader;
  bool first = true;
  const TableReader::RowFn row = [&](std::span<const std::string_view> cells, std::string_view line) -> Status {
    if (std::exchange(first, false)) return decoder.header(cells, line);
    d.rows.push_back(decoder.decode(cells));
    ++(d.rows.back().readable ? d.stored : d.unreadable);
    return Done{};
  };
  const Gunzip::Out out = [&](std::string_view text) { return reader.push(text, row); };
  Gunzip gunzip(64U << 20);
  for (std::size_t at = 0; at < bytes.size(); at += piece) AMZ_CHECK(gunzip.push(bytes.substr(at, piece), out));
  AMZ_CHECK(gunzip.finish(out));
  AMZ_CHECK(reader.finish(row));
  return d;
}

const std::string kReimbursementHeader = "approval-date\treimbursement-id\tcase-id\tamazon-order-id\treason\tsku\tfnsku\tasin\tproduct-name\tcurrency-unit\tamount-total\tquantity-reimbursed-cash";
std::string reimbursement(int n, const std::string& title = "A thing") {
  return "2026-03-14T08:49:04+00:00\t" + std::to_string(1'000 + n) + "\t\t\tLost_Warehouse\tSKU-" + std::to_string(n) + "\tX\tB\t" + title + "\tUSD\t" + std::to_string(n) + ".50\t" + std::to_string(n);
}

std::string quoted(std::initializer_list<std::string_view> cells) {
  std::string line;
  for (const std::string_view cell : cells) line += (line.empty() ? "\"" : "\t\"") + std::string(cell) + '"';
  return line;
}
const std::string kLedgerHeader = quoted({"Date", "FNSKU", "ASIN", "MSKU", "Title", "Event Type", "Reference ID", "Quantity", "Fulfillment Center", "Disposition", "Reason", "Country"});
/// The title stands in the file as it is given.
std::string movement(int n, std::string_view title = "A thing") {
  return quoted({"03/14/2026", "X" + std::to_string(n), "B", "SKU", title, "Adjustments", "", std::to_string(n), "PHX7", "SELLABLE", "M", "US"});
}

const store::ReportValue& value(const ReportDataset& dataset, const DecodedRow& row, std::string_view column) {
  for (std::size_t i = 0; i < dataset.columns.size(); ++i)
    if (dataset.columns[i].name == column) return row.row.values.at(i);
  FAIL("no such column");
  return row.row.values.front();
}
std::string text_of(const ReportDataset& dataset, const DecodedRow& row, std::string_view column) {
  const store::ReportValue& v = value(dataset, row, column);
  if (const auto* text = std::get_if<std::string>(&v)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&v)) return std::to_string(*number);
  return "NULL";
}

std::string lines(std::initializer_list<std::string> all, std::string_view end = "\n") {
  std::string text;
  for (const std::string& line : all) text += line + std::string(end);
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("spapi");

TEST_CASE("a page that is cut off at any byte is refused") {
  for (const Api& api : kApis) {
    CAPTURE(std::string(api.name));
    CHECK(!refused(api, api.page));
    for (std::size_t length = 0; length < api.page.size(); ++length) CHECK(refused(api, api.page.substr(0, length)));
  }
}

TEST_CASE("whatever stands in the place of any value of a page, no row and no value gets lost") {
  for (const Api& api : kApis) {
    CAPTURE(std::string(api.name));
    const auto original = JsonDocument::parse(api.page);
    REQUIRE(original);
    for (std::size_t n = 0; n < values_in(original->root()); ++n)
      for (const char* with : {"null", "true", "false", "5", "-0.5", "1e400", "99999999999999999999", "\"\"", "\"text\"", "\"2026-13-45\"", "\"\\u0000\"", "[]", "{}", R"([1,null,"x",[2],{"y":3}])", R"({"a":{"b":[1,"c"]}})"}) {
        std::string text;
        std::size_t left = n;
        write_changed(text, original->root(), left, with);
        refused(api, text);
      }
  }
}

TEST_CASE("a name that stands twice, one value more and a deep value lose nothing") {
  for (const Api& api : kApis) {
    CAPTURE(std::string(api.name));
    // Every member of every object once more, behind itself: the last of a name counts.
    for (std::size_t at = api.page.find("\":"); at != std::string::npos; at = api.page.find("\":", at + 1)) {
      const std::size_t name = api.page.rfind('"', at - 1);
      refused(api, std::string(api.page).insert(name, api.page.substr(name, at - name) + "\":7,"));
      refused(api, std::string(api.page).insert(name, R"("added":{"CurrencyCode":"USD","CurrencyAmount":1,"more":[7]},)"));
    }
    for (const std::size_t depth : {std::size_t{20}, std::size_t{50}}) CHECK(!refused(api, replaced(api.page, "\"unread\":0", "\"unread\":" + std::string(depth, '[') + "8" + std::string(depth, ']'))));
    for (const std::size_t depth : {std::size_t{100}, std::size_t{5'000}, std::size_t{200'000}}) {
      CHECK(refused(api, replaced(api.page, "\"unread\":0", "\"unread\":" + std::string(depth, '[') + std::string(depth, ']'))));
      CHECK(refused(api, replaced(api.page, "\"unread\":0", "\"unread\":" + std::string(depth, '['))));
    }
  }
}

TEST_CASE("an error inside a value that nothing reads refuses the page") {
  for (const Api& api : kApis) {
    CAPTURE(std::string(api.name));
    for (std::size_t at = api.page.find("\"unread\":0"); at != std::string::npos; at = api.page.find("\"unread\":0", at + 1))
      for (const std::string bad : {"tru", "nul", "nulll", "True", "01", "1.", ".5", "+1", "-", "1e", "0x1", "NaN", "nan", "-nan", "Infinity", "-Infinity", "1_000", "'x'", "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00x\"",
                                    "\"a\nb\"", "\"a\tb\"", "\"\xff\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xF5\x80\x80\x80\"", "\"\xE2\x82\"", "\"caf\xE9\"", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{\"a\":1,}", "{\"a\":1]", "[1,]", "[1 2]", "[1}",
                                    "[tru]", "{\"a\":[{\"b\":01}]}", "", "1 2", "\"a\" \"b\"", "\"open"})
        CHECK(refused(api, std::string(api.page).replace(at + 9, 1, bad)));
    // And behind the answer.
    for (const char* more : {"x", "{}", ",", "]", "\"\"", "0"}) CHECK(refused(api, api.page + more));
    CHECK(!refused(api, " \r\n\t" + api.page + "\n \r"));
    CHECK(refused(api, "\xFF\xFE" + api.page));
  }
}

TEST_CASE("an amount is held exactly, or is NULL with its text kept") {
  const struct {
    const char* number;
    const char* exact;    ///< or nullptr
    const char* fault = "";
  } numbers[]{{"1e-2", "0.01"}, {"-0", "0"}, {"-0.0", "0"}, {"0e5", "0"}, {"12345678901.23", "12345678901.23"}, {"1E+3", "1000"}, {"9223372036854.775807", "9223372036854.775807"}, {"0.100000000", "0.1"},
              {"9223372036854.775808", nullptr, "amount_out_of_range"}, {"1e400", nullptr, "amount_out_of_range"}, {"-1e400", nullptr, "amount_out_of_range"}, {"99999999999999999999", nullptr, "amount_out_of_range"},
              {"1e99999999999999999999", nullptr, "amount_out_of_range"}, {"0.1234567", nullptr, "amount_finer_than_micros"}, {"1e-400", nullptr, "amount_finer_than_micros"}, {"1e-7", nullptr, "amount_finer_than_micros"},
              {"\"12.5\"", nullptr, "amount_malformed"}, {"\"\"", nullptr, "amount_malformed"}, {"\"NaN\"", nullptr, "amount_malformed"}, {"true", nullptr, "amount_malformed"}, {"[1]", nullptr, "amount_malformed"},
              {"{\"a\":1}", nullptr, "amount_malformed"}};
  for (const auto& n : numbers) {
    CAPTURE(std::string(n.number));
    const std::string old = R"({"CurrencyCode":"USD","CurrencyAmount":)" + std::string(n.number) + "}", fresh = R"({"currencyAmount":)" + std::string(n.number) + R"(,"currencyCode":"USD"})";
    for (const store::MoneyBatch& batch : {v0("AdjustmentEventList", R"({"AdjustmentType":"WAREHOUSE_LOST","AdjustmentAmount":)" + old + "}"),
                                           modern(R"({"transactionType":"FBAInventoryReimbursement","transactionStatus":"RELEASED","totalAmount":)" + fresh + "}")}) {
      const store::MoneyEvent& e = batch.events.at(0);
      REQUIRE(e.lines.size() == 1);
      CHECK(e.lines[0].amount == e.total);
      CHECK((e.total ? format_micros(*e.total) : "NULL") == (n.exact ? n.exact : "NULL"));
      REQUIRE(e.faults.size() == (n.exact ? 0 : 1));
      if (!n.exact) {
        CHECK(e.faults[0].reason == n.fault);
        CHECK(e.faults[0].raw == n.number);
        CHECK(e.credits.empty());
      }
    }
  }
}

TEST_CASE("what stands where an amount belongs and is none is told") {
  for (const char* wrong : {"5", "-12.30", "\"12.30\"", "true", "[12.30]", "{\"Amount\":12.30,\"CurrencyCode\":\"USD\"}"}) {
    CAPTURE(std::string(wrong));
    const auto told = [](const store::MoneyBatch& batch) {
      const auto& faults = batch.events.at(0).faults;
      return std::count_if(faults.begin(), faults.end(), [](const store::Fault& f) { return f.reason == "amount_malformed"; }) == 1;
    };
    CHECK(told(modern(R"({"transactionId":"T","totalAmount":)" + std::string(wrong) + "}")));
    CHECK(told(modern(R"({"transactionId":"T","items":[{"totalAmount":)" + std::string(wrong) + "}]}")));
    CHECK(told(modern(R"({"transactionId":"T","breakdowns":[{"breakdownType":"Sales","breakdownAmount":)" + std::string(wrong) + "}]}")));
    CHECK(told(v0("AdjustmentEventList", R"({"AdjustmentType":"WAREHOUSE_LOST","AdjustmentAmount":)" + std::string(wrong) + "}")));
    CHECK(told(v0("ShipmentEventList", R"({"ShipmentItemList":[{"ItemFeeList":[{"FeeType":"Commission","FeeAmount":)" + std::string(wrong) + "}]}]}")));
    CHECK(told(v0("RetrochargeEventList", R"({"BaseTax":)" + std::string(wrong) + "}")));
    CHECK(told(v0("ProductAdsPaymentEventList", R"({"transactionValue":)" + std::string(wrong) + "}")));
  }
  // Nothing is no fault.
  for (const char* nothing : {"null", "[]", "{}"}) CHECK(modern(R"({"transactionId":"T","totalAmount":)" + std::string(nothing) + "}").events.at(0).faults.empty());
}

TEST_CASE("an amount that stands twice counts once") {
  const store::MoneyBatch old = v0("AdjustmentEventList", R"({"AdjustmentType":"WAREHOUSE_LOST","AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":1},"AdjustmentAmount":{"CurrencyCode":"USD","CurrencyAmount":2}})");
  const store::MoneyBatch fresh = modern(R"({"totalAmount":{"currencyAmount":1,"currencyCode":"USD"},"totalAmount":{"currencyAmount":2,"currencyCode":"USD"}})");
  for (const store::MoneyBatch* batch : {&old, &fresh}) {
    REQUIRE(batch->events.at(0).lines.size() == 1);
    CHECK(batch->events[0].lines[0].amount == Micros{2'000'000});
    CHECK(batch->events[0].total == Micros{2'000'000});
  }
}

TEST_CASE("a page token that is no text refuses the page, since a walk that ended there would take the rest for gone") {
  for (const char* wrong : {"true", "false", "{}", "[]", "[\"t\"]", "{\"nextToken\":\"t\"}"}) {
    CAPTURE(std::string(wrong));
    for (const Api& api : {kApis[0], kApis[1], kApis[2]}) CHECK(refused(api, replaced(api.page, "oken\":\"t\"", "oken\":" + std::string(wrong))));
    if (std::string_view(wrong) != "{}" && std::string_view(wrong) != "{\"nextToken\":\"t\"}") CHECK(refused(kApis[2], replaced(kApis[2].page, R"({"nextToken":"t"})", wrong)));
  }
  // None at all ends the walk.
  for (const char* none : {"null", "\"\""})
    for (const Api& api : {kApis[0], kApis[1], kApis[2]}) CHECK(!refused(api, replaced(api.page, "oken\":\"t\"", "oken\":" + std::string(none))));
}

TEST_CASE("an answer of stock that tells of errors is no list of all there is") {
  CHECK(refused(kApis[2], replaced(kApis[2].page, "\"payload\"", R"("errors":[{"code":"InternalFailure"}],"payload")")));
  for (const char* none : {"null", "[]"}) CHECK(!refused(kApis[2], replaced(kApis[2].page, "\"payload\"", "\"errors\":" + std::string(none) + ",\"payload\"")));
}

TEST_CASE("quantities that are no whole numbers are NULL with their text kept") {
  const struct {
    const char* number;
    std::optional<std::int64_t> held;
  } numbers[]{{"7", 7}, {"-0", 0}, {"-3", -3}, {"1.5", {}}, {"1e2", {}}, {"99999999999999999999", {}}, {"1e400", {}}, {"\"7\"", {}}, {"true", {}}, {"[7]", {}}, {"{\"value\":7}", {}}};
  for (const auto& n : numbers) {
    CAPTURE(std::string(n.number));
    const auto document = JsonDocument::parse(R"({"payload":{"inventorySummaries":[{"sellerSku":"A","totalQuantity":)" + std::string(n.number) + R"(,"inventoryDetails":{"researchingQuantity":{"researchingQuantityBreakdown":[
      {"name":"researchingQuantityInShortTerm","quantity":)" + n.number + "}]}}}]}}");
    REQUIRE(document);
    const auto page = decode_inventory(*document);
    REQUIRE(page);
    const store::InventoryItem& item = page->batch.items.at(0);
    CHECK(item.quantities[0] == n.held);
    CHECK(item.quantities[10] == n.held);
    CHECK(item.faults.size() == (n.held ? 0 : 2));
    for (const store::Fault& fault : item.faults) CHECK(fault.raw == n.number);
  }
}

TEST_CASE("whether a seller takes part is never guessed") {
  for (const char* wrong : {"\"true\"", "1", "null", "{}", "[true]"}) {
    const auto document = JsonDocument::parse(R"({"payload":[{"marketplace":{"id":"ATVPDKIKX0DER"},"participation":{"isParticipating":)" + std::string(wrong) + "}}]}");
    const auto page = decode_participations(*document);
    REQUIRE(page);
    CHECK(page->list.empty());
    REQUIRE(page->unreadable.size() == 1);
    CHECK(page->unreadable[0].find(wrong) != std::string::npos);
  }
}

TEST_CASE("a report whose document can't be named is no report without data") {
  const auto decode = [](const std::string& id) { return decode_report(*JsonDocument::parse(R"({"reportId":"5","processingStatus":"DONE","reportDocumentId":)" + id + "}")); };
  CHECK(decode("\"d\"")->document_id == "d");
  CHECK(decode("null")->document_id.empty());
  for (const char* wrong : {"true", "{}", "[\"d\"]"}) CHECK(decode(wrong).code() == Code::bad_answer);
  for (const char* no_report : {"{}", R"({"reportId":5,"processingStatus":[]})", R"({"reportId":{},"processingStatus":"DONE"})", R"({"payload":{"reportId":"5","processingStatus":"DONE"}})"}) {
    const auto document = JsonDocument::parse(no_report);
    CHECK(decode_report(*document).code() == Code::bad_answer);
    CHECK(decode_report_document(*document).code() == Code::bad_answer);
  }
  for (const char* no_id : {"{}", R"({"reportId":""})", R"({"reportId":null})", R"({"reportId":["5"]})"}) CHECK(decode_created_report(*JsonDocument::parse(no_id)).code() == Code::bad_answer);
  // A state that is not known is no end.
  CHECK(decode_report(*JsonDocument::parse(R"({"reportId":"5","processingStatus":"SOON"})"))->status == ReportInfo::Status::under_way);
}

TEST_CASE("whatever a plain file holds, each of its lines is a row, or all of it is refused") {
  const std::string h = kReimbursementHeader;
  const struct {
    const char* name;
    std::string text;
    int stored, unreadable;   ///< -1: refused
  } files[]{
      {"lines", lines({h, reimbursement(1), reimbursement(2)}), 2, 0},
      {"lines of Windows", lines({h, reimbursement(1), reimbursement(2)}, "\r\n"), 2, 0},
      {"no line end at the end", h + "\n" + reimbursement(1) + "\n" + reimbursement(2), 2, 0},
      {"empty lines", "\n" + lines({h, "", reimbursement(1), "\r", "", reimbursement(2), "", ""}), 2, 0},
      {"a byte order mark", "\xEF\xBB\xBF" + lines({h, reimbursement(1)}), 1, 0},
      {"nothing", "", 0, 0},
      {"empty lines alone", "\n\r\n\n", 0, 0},
      {"a header alone", lines({h}), 0, 0},
      {"a header alone, without line end", h, 0, 0},
      {"quotes that do not match", lines({h, reimbursement(1, "12\" pan"), reimbursement(2, "\"all of it"), reimbursement(3, "a\"b\"c\""), reimbursement(4, "\""), reimbursement(5)}), 5, 0},
      {"a row with fewer cells", lines({h, reimbursement(1), "2026-03-14T08:49:04+00:00\t77", reimbursement(2)}), 3, 0},
      {"a row with one cell", lines({h, "2026-03-14T08:49:04+00:00", reimbursement(2)}), 2, 0},
      {"a row with more cells", lines({h, reimbursement(1) + "\tmore\t\tand more", reimbursement(2)}), 2, 0},
      {"a row without its date", lines({h, reimbursement(1), "\t77\t\t\tLost_Warehouse", reimbursement(2)}), 2, 1},
      {"dates that are none", lines({h, "yesterday" + reimbursement(1).substr(25), "2026-02-30" + reimbursement(2).substr(25), "03/14/26" + reimbursement(3).substr(25), reimbursement(4)}), 1, 3},
      {"tabs alone", lines({h, "\t\t\t", reimbursement(1)}), 1, 1},
      {"words between the rows", lines({h, reimbursement(1), "Internal error, please try again", reimbursement(2)}), 2, 1},
      {"NUL bytes", lines({h, reimbursement(1, std::string("a\0b", 3)), std::string(40, '\0'), reimbursement(2)}), 2, 1},
      {"two headers", lines({h, h, reimbursement(1)}), 1, 1},
      {"twins", lines({h, reimbursement(1), reimbursement(1)}), 2, 0},
      {"a header in other words", lines({"APPROVAL_DATE\tReimbursement ID\tSKU\tCurrency Unit\t Amount-Total ", "2026-03-14T08:49:04+00:00\t1\tA\tUSD\t1.00"}), 1, 0},
      {"a column twice", lines({h + "\tsku\tnew\tnew", reimbursement(1) + "\tother\t1\t2"}), 1, 0},
      {"a column is missing", lines({"approval-date\tsku\tamount-total", "2026-03-14\tA\t1"}), -1, 0},
      {"an error in place of the header", "Date range exceeded. Report can be requested only upto 30 days", -1, 0},
      {"an error and a line end", "Report generation failed\r\n", -1, 0},
      {"HTML", "<html><body><h1>503</h1></body></html>", -1, 0},
      {"XML", "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>\n", -1, 0},
      {"JSON", "{\"errors\":[{\"code\":\"InternalFailure\"}]}", -1, 0},
      {"commas for tabs", "approval-date,reimbursement-id,sku,currency-unit,amount-total\n2026-03-14,1,A,USD,1.00\n", -1, 0},
      {"NUL bytes alone", std::string(500, '\0'), -1, 0},
      {"random bytes", "\x89PNG\r\n\x1a\n\x01\x02\xff\xfe\t\t\n", -1, 0},
      {"a line without end", lines({h}) + std::string(5U << 20, 'x'), -1, 0},
  };
  for (const auto& f : files)
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{16} << 10}) {
      CAPTURE(std::string(f.name));
      CAPTURE(piece);
      if (piece < 16 && f.text.size() > 100'000) continue;
      const auto read = read_document(kReimbursements, f.text, piece);
      if (f.stored < 0) {
        CHECK(read.code() == Code::bad_answer);
        continue;
      }
      REQUIRE(read);
      CHECK(static_cast<int>(read->stored) == f.stored);
      CHECK(static_cast<int>(read->unreadable) == f.unreadable);
      for (const DecodedRow& row : read->rows)
        if (!row.readable) CHECK(!row.row.faults.at(0).raw.empty());
    }
}

TEST_CASE("a quote that nothing closes swallows no row of a quoted file") {
  const auto rows = [](std::initializer_list<std::string> all) { return lines(all, "\r\n"); };
  const std::string h = kLedgerHeader;
  const struct {
    const char* name;
    std::string text;
    std::vector<std::string> quantities;
    std::vector<std::string> titles;
  } files[]{
      {"as it should be", rows({h, movement(1, "12\"\" pan"), movement(2, "two\nlines"), movement(3, "a\ttab"), movement(4)}), {"1", "2", "3", "4"}, {"12\" pan", "two\nlines", "a\ttab", "A thing"}},
      {"open in the middle", rows({h, movement(1, "12\" pan"), movement(2), movement(3)}), {"1", "2", "3"}, {"12\" pan", "A thing", "A thing"}},
      {"open at the end of a cell", rows({h, movement(1, "Screen 12\""), movement(2), movement(3)}), {"1", "2", "3"}, {"Screen 12\"", "A thing", "A thing"}},
      {"open at the start of a cell", rows({h, movement(1, "\"best\" thing"), movement(2), movement(3, "\"")}), {"1", "2", "3"}, {"\"best\" thing", "A thing", "\""}},
      {"open in two rows", rows({h, movement(1, "Screen 12\""), movement(2), movement(3, "Screen 15\""), movement(4)}), {"1", "2", "3", "4"}, {"Screen 12\"", "A thing", "Screen 15\"", "A thing"}},
      {"open in the last row", rows({h, movement(1), movement(2, "Screen 12\"")}), {"1", "2"}, {"A thing", "Screen 12\""}},
      {"open in the last cell", rows({h, movement(1) + "\t\"12\"\"", movement(2), movement(3)}), {"1", "2", "3"}, {"A thing", "A thing", "A thing"}},
      {"rows that are not quoted", rows({h, "03/14/2026\tX\tB\tSKU\t12\" pan\tAdjustments\t\t1\tPHX7\tSELLABLE\tM\tUS", "03/14/2026\tX\tB\tSKU\t\"pan\tAdjustments\t\t2\tPHX7\tSELLABLE\tM\tUS", movement(3)}),
       {"1", "2", "3"}, {"12\" pan", "pan", "A thing"}},
      {"fewer cells, and more", rows({h, quoted({"03/14/2026", "X1", "B", "SKU", "A thing", "Adjustments", "", "1"}), movement(2) + "\t\"0\"\t\"1\"", movement(3)}), {"1", "2", "3"}, {"A thing", "A thing", "A thing"}},
  };
  for (const auto& f : files)
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, f.text.size()}) {
      CAPTURE(std::string(f.name));
      CAPTURE(piece);
      const auto read = read_document(kLedger, f.text, piece);
      REQUIRE(read);
      std::vector<std::string> quantities, titles;
      for (const DecodedRow& row : read->rows) {
        quantities.push_back(text_of(kLedger, row, "quantity"));
        titles.push_back(text_of(kLedger, row, "title"));
        CHECK(row.readable);
      }
      CHECK(quantities == f.quantities);
      CHECK(titles == f.titles);
    }
  // However many follow, and however many are open.
  std::string many = h + "\n";
  for (int n = 1; n <= 3'000; ++n) many += movement(n, n % 7 == 0 ? "Screen 12\"" : n % 11 == 0 ? "two\nlines" : "A thing") + "\n";
  const auto read = read_document(kLedger, many, 4'096);
  REQUIRE(read);
  REQUIRE(read->stored == 3'000);
  for (std::size_t n = 0; n < 3'000; ++n) CHECK(text_of(kLedger, read->rows[n], "quantity") == std::to_string(n + 1));
}

TEST_CASE("each value of a row is in a column, in the rest, or told: columns that nobody knows, that stand twice, that have no name or a foreign one") {
  const auto read = read_document(kReimbursements, lines({kReimbursementHeader + "\tnew\tnew\t\t\xE6\x97\xA5\xE4\xBB\x98\t\xE7\x90\x86\xE7\x94\xB1\tcolumn19", reimbursement(1) + "\tv1\tv2\tv3\tv4\tv5\tv6\tv7\tv8"}), 64);
  REQUIRE(read);
  REQUIRE(read->stored == 1);
  const auto detail = JsonDocument::parse(read->rows[0].row.detail);
  REQUIRE(detail);
  std::vector<std::string> values;
  for (const Json v : detail->root()) values.emplace_back(v.text());
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<std::string>{"v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"});
  CHECK((*detail)["\xE6\x97\xA5\xE4\xBB\x98"].text() == "v4");
}

TEST_CASE("numbers of a report are read as they are meant, or are NULL with their text kept") {
  const struct {
    const char* text;
    const char* amount;    ///< micros, or the fault
    const char* quantity;
  } numbers[]{{"1.50", "1500000", "number_malformed"},
              {"2", "2000000", "2"},
              {"2.0", "2000000", "2"},
              {"+3", "3000000", "3"},
              {"-3", "-3000000", "-3"},
              {"007", "7000000", "7"},
              {".5", "500000", "number_malformed"},
              {"12,50", "12500000", "number_malformed"},
              {" 4 ", "4000000", "4"},
              {"", "NULL", "NULL"},
              {"--", "NULL", "NULL"},
              // A comma before three digits may part thousands or cents: that is not for us to say.
              {"1,234", "amount_malformed", "number_malformed"},
              {"1,000", "amount_malformed", "number_malformed"},
              {"-1,000", "amount_malformed", "number_malformed"},
              {"0,125", "125000", "number_malformed"},
              {"1,234.56", "1234560000", "number_malformed"},
              {"1.234,56", "1234560000", "number_malformed"},
              {"1,234,567", "1234567000000", "1234567"},
              {"1 234", "amount_malformed", "number_malformed"},
              {"$5", "amount_malformed", "number_malformed"},
              {"5 USD", "amount_malformed", "number_malformed"},
              {"(5)", "amount_malformed", "number_malformed"},
              {"1e400", "amount_out_of_range", "number_malformed"},
              {"99999999999999999999", "amount_out_of_range", "number_malformed"},
              {"0.1234567", "amount_finer_than_micros", "number_malformed"},
              {"NaN", "amount_malformed", "number_malformed"},
              {"-", "amount_malformed", "number_malformed"},
              {"0x10", "amount_malformed", "number_malformed"},
              {"many", "amount_malformed", "number_malformed"}};
  for (const auto& n : numbers) {
    CAPTURE(std::string(n.text));
    const auto read = read_document(kReimbursements, lines({"approval-date\treimbursement-id\tsku\tcurrency-unit\tamount-total\tquantity-reimbursed-cash",
                                                           "2026-03-14\t1\tA\tUSD\t" + std::string(n.text) + "\t" + n.text}),
                                    64);
    REQUIRE(read);
    REQUIRE(read->stored == 1);
    std::map<std::string, const store::Fault*> faults;
    for (const store::Fault& f : read->rows[0].row.faults) faults[f.path] = &f;
    for (const auto& [column, expected] : {std::pair{"amount_micros", n.amount}, {"quantity_cash", n.quantity}}) {
      CAPTURE(std::string(column));
      const std::string held = text_of(kReimbursements, read->rows[0], column);
      if (!faults.contains(column)) {
        CHECK(held == expected);
        continue;
      }
      CHECK(held == "NULL");
      CHECK(faults[column]->reason == expected);
      std::string raw;
      append_json_string(raw, n.text);
      CHECK(faults[column]->raw == raw);
    }
  }
}

TEST_CASE("weights and sizes keep the number that they are") {
  const struct {
    const char* text;
    const char* held;
  } numbers[]{{"1.20", "1.2"}, {"1,250", "1.25"}, {"0,5", "0.5"}, {"12", "12"}, {"-0.0", "0"}, {"--", "NULL"}, {"heavy", "NULL"}, {"1e3", "NULL"}, {"1.2.3", "NULL"}};
  for (const auto& n : numbers) {
    CAPTURE(std::string(n.text));
    const auto read = read_document(kFeePreview, lines({"sku\tcurrency\titem-package-weight", "A\tUSD\t" + std::string(n.text)}), 64);
    REQUIRE(read);
    REQUIRE(read->stored == 1);
    CHECK(text_of(kFeePreview, read->rows[0], "item_package_weight") == n.held);
    CHECK(read->rows[0].row.faults.size() == (std::string_view(n.held) == "NULL" && std::string_view(n.text) != "--" ? 1 : 0));
  }
}

TEST_CASE("identifiers are text, with every zero") {
  const auto read = read_document(kReimbursements, lines({"approval-date\treimbursement-id\tcase-id\tsku\tcurrency-unit\tamount-total", "2026-03-14\t0012\t000\t007\tUSD\t1"}), 64);
  REQUIRE(read);
  REQUIRE(read->stored == 1);
  CHECK(text_of(kReimbursements, read->rows[0], "reimbursement_id") == "0012");
  CHECK(text_of(kReimbursements, read->rows[0], "case_id") == "000");
  CHECK(text_of(kReimbursements, read->rows[0], "sku") == "007");
}

TEST_CASE("every charset's text comes out as it was meant, and bytes that are no text are kept") {
  const auto title = [](std::string_view bytes, Charset charset) {
    const auto read = read_document(kReimbursements, lines({kReimbursementHeader, reimbursement(1, std::string(bytes)), reimbursement(2)}), 5, charset);
    REQUIRE(read);
    CHECK(read->stored == 2);
    return text_of(kReimbursements, read->rows[0], "product_name");
  };
  CHECK(title("caf\xC3\xA9 \xE2\x82\xAC", Charset::utf8) == "café €");
  CHECK(title("caf\xE9 \x80 \x81", Charset::cp1252) == "café € \xC2\x81");
  CHECK(title("\x83\x65\x83\x58\x83\x67\x95\x5C", Charset::shift_jis) == "テスト表");   // its last byte is a backslash elsewhere
  CHECK(title("caf\xE9", Charset::utf8) == "café");                                    // said to be UTF-8, and is not
  CHECK(title("\x83", Charset::shift_jis) == "ƒ");                                     // said to be Shift-JIS, and is cut off
  CHECK(title("caf?", Charset::cp1252) == "caf?");                                     // lost at Amazon's already
  // UTF-16 is none of the three, whichever way round: its NULs would look like a header to who leaves them out.
  const std::string plain = lines({kReimbursementHeader, reimbursement(1)});
  for (const bool little : {false, true})
    for (const bool mark : {false, true}) {
      std::string wide = mark ? (little ? "\xFF\xFE" : "\xFE\xFF") : "";
      for (const char c : plain) little ? wide.append({c, '\0'}) : wide.append({'\0', c});
      for (const Charset charset : {Charset::utf8, Charset::cp1252, Charset::shift_jis}) CHECK(read_document(kReimbursements, wide, 7, charset).code() == Code::bad_answer);
      CHECK(read_document(kFeePreview, lines({"sku\tcurrency", "A\tUSD"}), 7)->stored == 1);
    }
}

TEST_CASE("packed once, twice or in several pieces a document is the same, and one that is cut off is refused") {
  const std::string text = lines({kReimbursementHeader, reimbursement(1), reimbursement(2), reimbursement(3)});
  const std::string once = gzipped(text), twice = gzipped(once);
  for (const std::string& bytes : {text, once, twice, gzipped(twice), gzipped(text.substr(0, 150)) + gzipped(text.substr(150))}) {
    const auto read = read_document(kReimbursements, bytes, 11);
    REQUIRE(read);
    CHECK(read->stored == 3);
  }
  for (const std::string& bytes : {once, twice})
    for (std::size_t length = 1; length < bytes.size(); ++length) {
      CAPTURE(length);
      CHECK(read_document(kReimbursements, bytes.substr(0, length), 11).code() == Code::bad_answer);
    }
  for (std::size_t at = 2; at < once.size(); at += 3) {
    CAPTURE(at);
    std::string damaged = once;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    // What unpacks all the same (a byte of the header that says nothing) has all its rows.
    if (const auto read = read_document(kReimbursements, damaged, 11)) CHECK(read->stored == 3);
  }
}

TEST_CASE("pages and documents with random damage keep the law") {
  amzsim::Random random(12);
  const std::string all_bits = "\n\"\\{}[],:0189.eE+-tfn u\t\xff\xc3\xa9\x80\x01" + std::string(1, '\0');
  const auto damage = [&](std::string text, const std::string& bits) {
    for (std::int64_t n = random.between(1, 4); n > 0; --n) {
      const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size())));
      const char bit = bits[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bits.size())))];
      switch (random.below(3)) {
        case 0: text[at] = bit; break;
        case 1: text.insert(at, 1, bit); break;
        default: text.erase(at, static_cast<std::size_t>(random.between(1, 5)));
      }
    }
    return text;
  };
  for (const Api& api : kApis) {
    CAPTURE(std::string(api.name));
    int good = 0;
    for (int i = 0; i < 3'000; ++i) good += refused(api, damage(api.page, all_bits)) ? 0 : 1;
    CHECK(good > 10);   // some damage does no harm, so the law was put to the test
  }
  for (const ReportDataset* dataset : {&kReimbursements, &kLedger, &kLedgerSummary, &kReturns, &kFeePreview, &kStorageFees, &kRemovals})
    for (const bool quotes : {false, true}) {
      CAPTURE(std::string(dataset->stream));
      CAPTURE(quotes);
      const auto line_of = [&](const auto& cell) {
        std::string line;
        for (const ReportColumn& column : dataset->columns) line += (line.empty() ? "" : "\t") + (quotes ? '"' + std::string(cell(column)) + '"' : std::string(cell(column)));
        return line + "\n";
      };
      const std::string header = line_of([](const ReportColumn& c) { return std::string(c.headers.substr(0, c.headers.find('|'))); });
      std::string rows;
      for (int n = 1; n <= 5; ++n)
        rows += line_of([&](const ReportColumn& c) { return c.kind == CellKind::text ? "text " + std::to_string(n) : c.kind == CellKind::instant || c.kind == CellKind::day ? std::string("2026-03-14") : std::to_string(n); });
      const auto whole = read_document(*dataset, header + rows, 64);
      REQUIRE(whole);
      CHECK(whole->stored == 5);
      for (const DecodedRow& row : whole->rows) CHECK(row.row.faults.empty());
      for (int i = 0; i < 1'500; ++i) {
        const std::string damaged = damage(rows, quotes ? all_bits.substr(1) : all_bits);   // a line break may stand inside quotes
        CAPTURE(damaged);
        const auto read = read_document(*dataset, header + damaged, static_cast<std::size_t>(random.between(1, 40)));
        REQUIRE(read);   // rows refuse no document
        std::size_t all = 0;
        for (std::size_t at = 0; at < damaged.size();) {
          const std::size_t end = std::min(damaged.find('\n', at), damaged.size());
          if (damaged.substr(at, end - at).find_first_not_of('\r') != std::string::npos) ++all;
          at = end + 1;
        }
        CHECK(read->stored + read->unreadable == all);
      }
    }
}

TEST_CASE("European settlements are read: days before months, dots between thousands, ids and dates in the first row alone") {
  const std::string header = "settlement-id\tsettlement-start-date\tsettlement-end-date\tdeposit-date\ttotal-amount\tcurrency\tamount-type\tamount\tposted-date-time";
  const auto document = read_document(kSettlements, header + "\n22\t01.10.2026 00:00:00 UTC\t15.10.2026 08:49:04 UTC\t17.10.2026\t1.234,56\tEUR\t\t\t\n\t\t\t\t\t\tItemPrice\t1.000,00\t03.10.2026 10:11:12 UTC\n"
                                                          "\t\t\t\t\t\tItemPrice\t1,234,567.5\t10/04/2026 10:11:12\n",
                                      4096);
  REQUIRE(document);
  REQUIRE(document->stored == 3);
  const auto number = [&](std::size_t row, std::string_view column) { return std::get<std::int64_t>(value(kSettlements, document->rows[row], column)); };
  CHECK(number(0, "total_amount_micros") == 1'234'560'000);
  CHECK(number(0, "ended_at") == to_us(*parse_instant("2026-10-15T08:49:04Z")));
  CHECK(number(1, "amount_micros") == 1'000'000'000);
  CHECK(number(1, "posted_at") == to_us(*parse_instant("2026-10-03T10:11:12Z")));
  CHECK(number(2, "amount_micros") == 1'234'567'500'000);
  CHECK(number(2, "posted_at") == to_us(*parse_instant("2026-10-04T10:11:12Z")));
  for (const std::size_t row : {0, 1, 2}) {
    CHECK(std::get<std::string>(value(kSettlements, document->rows[row], "settlement_id")) == "22");
    CHECK(document->rows[row].row.faults.empty());
    CHECK(number(row, "line") == static_cast<std::int64_t>(row) + 1);
  }
  // A row that belongs to no settlement is none.
  const auto nameless = read_document(kSettlements, header + "\n\t01.10.2026\t15.10.2026\t\t1\tEUR\t\t\t\n", 4096);
  REQUIRE(nameless);
  CHECK(nameless->stored == 0);
  CHECK(nameless->unreadable == 1);
  // What may be thousands or decimals is not guessed, and what is neither is no number.
  for (const char* odd : {"1,234", "1.2.3", "1,23,456.7", "1.234,56,7"}) {
    CAPTURE(std::string(odd));
    const auto row = read_document(kSettlements, header + "\n22\t\t15.10.2026\t\t" + odd + "\tEUR\t\t\t\n", 4096);
    REQUIRE(row);
    CHECK(row->rows[0].row.faults.size() == 1);
    CHECK(std::holds_alternative<std::monostate>(value(kSettlements, row->rows[0], "total_amount_micros")));
  }
}

TEST_CASE("a month's row belongs to its month, whichever day of it a file writes") {
  const auto summary = read_document(kLedgerSummary, quoted({"Date", "FNSKU", "MSKU", "Disposition", "Starting Warehouse Balance", "Ending Warehouse Balance", "Location"}) + "\n" +
                                                         quoted({"10/31/2026", "X", "M", "SELLABLE", "1", "2", "US"}) + "\n" + quoted({"10/2026", "X", "M", "DEFECTIVE", "1", "2", "US"}) + "\n",
                                     4096);
  REQUIRE(summary);
  REQUIRE(summary->stored == 2);
  for (const DecodedRow& row : summary->rows) CHECK(row.row.day == day_of(*parse_instant("2026-10-01")));
}

TEST_CASE("what a buyer wrote is kept nowhere, however the row is torn") {
  const std::string header = "return-date\torder-id\tsku\tasin\tfnsku\tproduct-name\tquantity\tfulfillment-center-id\tdetailed-disposition\treason\tstatus\tlicense-plate-number\tcustomer-comments";
  const std::string row = "2026-10-01T00:00:00+00:00\t1\tS\tB\tX\tThing\t1\tPHX7\tSELLABLE\tR\tS\tL\t";
  const auto document = read_document(kReturns, header + "\n" + row + "SECRET one\tSECRET two\n" + row + "SECRET\nSECRET line two of it\n", 4096);
  REQUIRE(document);
  CHECK(document->stored == 2);
  CHECK(document->unreadable == 1);
  for (const DecodedRow& of : document->rows) {
    CHECK(of.row.detail.find("SECRET") == std::string::npos);
    for (const store::Fault& fault : of.row.faults) CHECK(fault.raw.find("SECRET") == std::string::npos);
  }
}

TEST_SUITE_END();
