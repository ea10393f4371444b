// SPDX-License-Identifier: Apache-2.0
// Answers that are not what they should be. One law for all of them: nothing crashes, and either the whole is refused with an error, or every row
// that came is there or kept as unreadable, no value of it is lost, and an amount that can't be held exactly is NULL and told.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/json_writer.hpp"
#include "sim/random.hpp"
#include "spapi/financial_events.hpp"
#include "spapi/inventory.hpp"
#include "spapi/report_requests.hpp"
#include "spapi/sellers.hpp"
#include "spapi/transactions.hpp"
#include "support/damage.hpp"
#include "support/pages.hpp"

using namespace amzsync::spapi;
namespace store = amzsync::store;
using support::Api, support::apis;

namespace {

const MoneyWindow kWindow{*parse_instant("2026-08-01"), *parse_instant("2026-08-08")};

/// The law, of one answer's text. Whether it was refused is told, so that a table can ask for that.
bool refused(const Api& api, const std::string& text) {
  CAPTURE(text);
  const support::Reading reading = support::read_page(api, text);
  CHECK(reading.broken == "");
  return reading.refused;
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
}  // namespace

TEST_SUITE_BEGIN("spapi");

TEST_CASE("a page that is cut off at any byte is refused") {
  for (const Api& api : apis()) {
    CAPTURE(std::string(api.name));
    CHECK(!refused(api, api.page));
    for (std::size_t length = 0; length < api.page.size(); ++length) CHECK(refused(api, api.page.substr(0, length)));
  }
}

TEST_CASE("whatever stands in the place of any value of a page, no row and no value gets lost") {
  for (const Api& api : apis()) {
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
  for (const Api& api : apis()) {
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
  for (const Api& api : apis()) {
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
    for (const Api& api : {apis()[0], apis()[1], apis()[2]}) CHECK(refused(api, replaced(api.page, "oken\":\"t\"", "oken\":" + std::string(wrong))));
    if (std::string_view(wrong) != "{}" && std::string_view(wrong) != "{\"nextToken\":\"t\"}") CHECK(refused(apis()[2], replaced(apis()[2].page, R"({"nextToken":"t"})", wrong)));
  }
  // None at all ends the walk.
  for (const char* none : {"null", "\"\""})
    for (const Api& api : {apis()[0], apis()[1], apis()[2]}) CHECK(!refused(api, replaced(api.page, "oken\":\"t\"", "oken\":" + std::string(none))));
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
TEST_CASE("pages with random damage keep the law") {
  amzsim::Random random(12);
  for (const Api& api : apis()) {
    CAPTURE(std::string(api.name));
    int good = 0;
    for (int i = 0; i < 3'000; ++i) good += refused(api, support::damaged(random, api.page, support::kAllBits)) ? 0 : 1;
    CHECK(good > 10);   // some damage does no harm, so the law was put to the test
  }
}

TEST_SUITE_END();
