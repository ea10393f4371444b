// SPDX-License-Identifier: Apache-2.0
// Amazon's own canned answers: the x-amzn-api-sandbox blocks of the official models. The models are not part of this project;
// where they are absent the tests say so.
#include <doctest/doctest.h>

#include <set>

#include "sim/render.hpp"
#include "spapi/inbound.hpp"
#include "spapi/inventory.hpp"
#include "spapi/sellers.hpp"
#include "spapi/transactions.hpp"
#include "support/nothing_lost.hpp"
#include "support/swagger.hpp"

using namespace amzsync::spapi;

namespace {

/// The canned 200 answers of one operation; nullopt (and a word on it) where the models are absent.
struct Canned {
  JsonDocument model;
  std::vector<Json> answers;
};
std::optional<Canned> canned(const std::string& file, std::string_view path) {
  auto model = support::official_model(file);
  if (!model) return std::nullopt;
  Canned found{std::move(*model), {}};
  for (const Json block : found.model["paths"][path]["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]) found.answers.push_back(block["response"]);
  return found;
}

JsonDocument copy(Json value) {
  std::string text;
  append_json(text, value);
  auto document = JsonDocument::parse(text);
  REQUIRE(document);
  return std::move(*document);
}

const MoneyWindow kAnyTime{*parse_instant("2019-01-01"), *parse_instant("2026-01-01")};

}  // namespace

TEST_SUITE_BEGIN("spapi");

TEST_CASE("official model: listTransactions' canned answers decode with nothing lost") {
  const auto found = canned("finances-api-model/finances_2024-06-19.json", "/finances/2024-06-19/transactions");
  if (!found) return;
  CHECK(!found->answers.empty());
  for (const Json answer : found->answers) {
    const JsonDocument document = copy(answer);
    const auto page = decode_transactions(document, kAnyTime);
    REQUIRE(page);
    CHECK(page->next_token == "Next token value");
    std::size_t n = 0;
    for (const Json t : document["payload"]["transactions"]) {
      CHECK(support::lost(t, page->batch.events.at(n), page->batch) == std::vector<std::string>{});
      ++n;
    }
    CHECK(n == page->batch.events.size());
    CHECK(n > 0);
  }
}

TEST_CASE("official model: listFinancialEvents' canned answers decode with nothing lost") {
  const auto found = canned("finances-api-model/financesV0.json", "/finances/v0/financialEvents");
  if (!found) return;
  CHECK(!found->answers.empty());
  for (const Json answer : found->answers) {
    const JsonDocument document = copy(answer);
    const auto page = decode_financial_events(document, kAnyTime);
    REQUIRE(page);
    std::size_t n = 0;
    for (const Json list : document["payload"]["FinancialEvents"])
      for (const Json event : list) {
        CHECK(support::lost(event, page->batch.events.at(n), page->batch) == std::vector<std::string>{});
        ++n;
      }
    CHECK(n == page->batch.events.size());
    CHECK(page->batch.unreadable.empty());
  }
}

TEST_CASE("official model: getMarketplaceParticipations' canned answer decodes") {
  const auto found = canned("sellers-api-model/sellers.json", "/sellers/v1/marketplaceParticipations");
  if (!found) return;
  CHECK(!found->answers.empty());
  for (const Json answer : found->answers) {
    const JsonDocument document = copy(answer);
    const auto page = decode_participations(document);
    REQUIRE(page);
    REQUIRE(page->list.size() == 1);
    CHECK(page->list[0].marketplace.text() == "ATVPDKIKX0DER");
    CHECK(page->list[0].store_name == "BestSellerStore");
    CHECK(page->list[0].participating);
  }
}

TEST_CASE("official model: the canned answers about shipments to Amazon decode with nothing lost but names and streets") {
  struct List {
    const char* path;
    InboundList list;
    std::string_view rows;
  };
  std::size_t rows = 0;
  for (const List& of : {List{"/fba/inbound/v0/shipments", InboundList::shipments, "ShipmentData"}, {"/fba/inbound/v0/shipmentItems", InboundList::items, "ItemData"}}) {
    const auto found = canned("fulfillment-inbound-api-model/fulfillmentInboundV0.json", of.path);
    if (!found) return;
    CHECK(!found->answers.empty());
    for (const Json answer : found->answers) {
      const JsonDocument document = copy(answer);
      const auto page = decode_inbound(of.list, MarketplaceId("ATVPDKIKX0DER"), document);
      REQUIRE(page);
      CHECK(page->unreadable.empty());
      CHECK(page->rows.size() == document["payload"][of.rows].size());
      std::size_t n = 0;
      for (const Json row : document["payload"][of.rows]) {
        CAPTURE(n);
        CHECK(support::lost(row, page->rows.at(n++), inbound_table(of.list)) == std::vector<std::string>{});
        ++rows;
      }
    }
  }
  CHECK(rows == 3);
}

TEST_CASE("official model: the 34 lists of the simulator are those of Finances v0") {
  const auto found = canned("finances-api-model/financesV0.json", "/finances/v0/financialEvents");
  if (!found) return;
  std::set<std::string> official, ours(amzsim::kEventLists.begin(), amzsim::kEventLists.end());
  for (const Json list : found->model["definitions"]["FinancialEvents"]["properties"]) official.insert(std::string(list.name()));
  CHECK(official == ours);
}

TEST_SUITE_END();
