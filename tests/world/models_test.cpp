// SPDX-License-Identifier: Apache-2.0
// Every request that the library makes and every answer of the simulator, held against Amazon's official models. The models are not part
// of this project; where they are absent the tests say so.
#include <doctest/doctest.h>

#include <span>

#include "spapi/operations.hpp"
#include "support/swagger.hpp"
#include "sync/streams.hpp"
#include "world/checks.hpp"

using namespace world;
using support::Swagger;
namespace spapi = amzsync::spapi;

namespace {

constexpr const char* kModels[] = {
    "finances-api-model/finances_2024-06-19.json",
    "finances-api-model/financesV0.json",
    "fba-inventory-api-model/fbaInventory.json",
    "reports-api-model/reports_2021-06-30.json",
    "sellers-api-model/sellers.json",
    "fulfillment-inbound-api-model/fulfillmentInboundV0.json",
};

constexpr const spapi::Operation* kOperations[] = {&spapi::kGetMarketplaceParticipations, &spapi::kListTransactions, &spapi::kListFinancialEvents, &spapi::kGetInventorySummaries,
                                                   &spapi::kGetShipments, &spapi::kGetShipmentItems, &spapi::kCreateReport, &spapi::kGetReports, &spapi::kGetReport, &spapi::kGetReportDocument};

/// Where the simulator does as Amazon does and not as its model says.
struct Deviation {
  const char* finding;
  const char* source;
};
constexpr Deviation kDeviations[] = {
    // The models know no null; what is read in the wild has it.
    {"listTransactions 200 $.payload.nextToken: null", "facts 3.2: on the last page the token is null"},
    {"listTransactions 200 $.payload.transactions[].breakdowns[].breakdowns: null", "facts 3.2: a breakdown without parts has [] or null"},
    {"listTransactions 200 $.payload.transactions[].breakdowns[].breakdowns[].breakdowns: null", "facts 3.2, the same one level down"},
    {"listTransactions 200 $.payload.transactions[].items[].breakdowns: null", "facts F17 (#4244, #4993 of Amazon's models): a reimbursement is broken down as a whole"},
    {"listTransactions 200 $.payload.transactions[].items[].contexts[].fulfillmentNetwork: null", "facts F17, the same transactions"},
};

std::optional<Swagger> models() {
  Swagger models;
  for (const char* file : kModels) {
    auto model = support::official_model(file);
    if (!model) return std::nullopt;
    models.add(std::move(*model));
  }
  return models;
}

/// Judges every exchange of a world. The token endpoint and the store of documents are in no model.
SimTransport::Observer judge(Swagger& models) {
  return [&models](const amzsync::net::HttpRequest& request, const Result<amzsync::net::HttpResponse>& response) {
    const amzsim::SimRequest call = to_sim(request);
    if (call.path == "/auth/o2/token" || call.path.starts_with("/_docs/")) return;
    models.request(call);
    if (response) models.answer(call, response->status, response->header("Content-Type"), response->body);
  };
}

WorldSettings judged(Swagger& models, bool v0) {
  WorldSettings settings;
  settings.watch = judge(models);
  settings.finances_v0 = v0;
  for (const std::string_view name : amzsync::sync::stream_names())
    if (name != "participations" && name != (v0 ? "transactions" : "financial_events")) settings.streams.emplace_back(name);
  return settings;
}

/// What is against the models and no deviation of the table; a line each.
std::string unexplained(const Swagger& models) {
  std::set<std::string> left = models.findings;
  for (const Deviation& d : kDeviations) left.erase(d.finding);
  std::string text;
  for (const std::string& finding : left) text += (text.empty() ? "" : "\n") + finding;
  return text;
}

amzsim::SimRequest asked(const char* method, const std::string& target, const std::string& body, std::vector<amzsync::net::Header> headers) {
  amzsync::net::HttpRequest http;
  http.url = "https://amazon.sim" + target;
  http.headers = std::move(headers);
  http.body = body;
  amzsim::SimRequest request = to_sim(http);
  request.method = method;
  return request;
}

}  // namespace

TEST_SUITE_BEGIN("models");

TEST_CASE("whole syncs and later ones of a seller in several marketplaces are valid against the official models, but for the deviations listed") {
  auto official = models();
  if (!official) return;
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings = judged(*official, v0);
    settings.amazon.events = 1'700;   // enough for every list of Finances v0
    settings.amazon.skus = 130;
    World world(settings);
    Process& process = world.open();
    CHECK(member(world.sync_seller(process, 3), "status") == "completed");
    world.run_for(std::chrono::hours(24 * 3));
    const auto again = world.wait(process.engine().triggers().start(world.user(3), ""));
    REQUIRE(again);
    CHECK(member(world.finish(process, world.user(3), again->id), "status") == "completed");
  }
  CHECK(unexplained(*official) == "");
  for (const Deviation& d : kDeviations) {
    CAPTURE(std::string(d.source));
    CHECK(official->findings.contains(d.finding));   // one that no longer happens is taken off the list
  }
  // Nothing of it was missed.
  for (const spapi::Operation* operation : kOperations) {
    CAPTURE(std::string(operation->name));
    CHECK(official->seen.contains(std::string(operation->name) + (operation == &spapi::kCreateReport ? " 202 $" : " 200 $")));
  }
  for (const std::string_view list : amzsim::kEventLists) {
    CAPTURE(std::string(list));
    CHECK(official->seen.contains("listFinancialEvents 200 $.payload.FinancialEvents." + std::string(list) + "[]"));
  }
}

TEST_CASE("planted cases are valid against the official models, too") {
  auto official = models();
  if (!official) return;
  for (const bool v0 : {false, true}) {
    CAPTURE(v0);
    WorldSettings settings = judged(*official, v0);
    settings.amazon.events = 300;
    settings.amazon.skus = 30;
    settings.amazon.planted = 200;
    settings.history_days = settings.amazon.history_days = 200;
    World world(settings);
    CHECK(member(world.sync_seller(world.open(), 2), "status") == "completed");
  }
  CHECK(unexplained(*official) == "");
}

TEST_CASE("what is asked after an error, and the error itself, are valid against the official models for every operation and status") {
  auto official = models();
  if (!official) return;
  struct Refusal {
    int status;
    const char* code;
  };
  constexpr Refusal kRefusals[] = {{400, "InvalidInput"}, {403, "Unauthorized"}, {404, "NotFound"}, {429, "QuotaExceeded"}, {500, "InternalFailure"}, {503, "ServiceUnavailable"}};
  for (const Refusal& refusal : kRefusals)
    for (const int after : {0, 1, 2}) {   // a report is looked for and asked for by calls of one path
      CAPTURE(refusal.status);
      CAPTURE(after);
      WorldSettings settings = judged(*official, after == 1);
      settings.streams = {after == 1 ? "financial_events" : "transactions", "inventory", "inbound", "returns"};
      settings.amazon.events = 400;
      settings.amazon.skus = 130;
      settings.history_days = settings.amazon.history_days = 60;
      World world(settings);
      Process& process = world.open();
      const auto fault = [&](const char* path, int calls) {
        amzsim::Fault f;
        f.path = path;
        f.kind = "status";
        f.status = refusal.status;
        f.code = refusal.code;
        f.after = calls;
        world.amazon().add_fault(f);
      };
      if (after == 2) fault("/sellers", 0);
      fault("/finances", after);
      fault("/fba/inventory", after);
      fault("/fba/inbound/v0/shipments", after == 1 ? 1 : 0);
      fault("/fba/inbound/v0/shipmentItems", 0);
      fault("/reports/2021-06-30/reports/", 0);
      fault("/reports/2021-06-30/reports", after);
      fault("/reports/2021-06-30/documents/", 0);
      world.sync_seller(process, 2);
    }
  for (const spapi::Operation* operation : kOperations)
    for (const Refusal& refusal : kRefusals) {
      const std::string answer = std::string(operation->name) + " " + std::to_string(refusal.status) + " $";
      CAPTURE(answer);
      CHECK(official->seen.contains(answer));
    }
  CHECK(unexplained(*official) == "");
}

TEST_CASE("what the simulator itself refuses is refused in the form of the official models") {
  auto official = models();
  if (!official) return;
  World world(WorldSettings{});
  const auto ask = [&](const char* method, const std::string& target, const std::string& token, const std::string& body = "") {
    const amzsim::SimRequest request = asked(method, target, body, {{"user-agent", "test/1 (Language=C++/20)"}, {"x-amz-access-token", token}});
    const amzsim::SimAnswer answer = world.amazon().handle(request);
    official->answer(request, answer.status, answer.content_type, answer.body);
    return answer;
  };
  const std::string form = "grant_type=refresh_token&client_id=c&client_secret=s&refresh_token=" + world.amazon().refresh_token(2);
  const std::string token = member(ask("POST", "/auth/o2/token", "", form).body, "access_token");
  const std::string sellers = "/sellers/v1/marketplaceParticipations", stock = "/fba/inventory/v1/summaries", reports = "/reports/2021-06-30/reports";
  CHECK(ask("GET", sellers, "").status == 403);
  CHECK(ask("GET", "/finances/2024-06-19/transactions", token).status == 400);
  CHECK(ask("GET", "/finances/v0/financialEvents", token).status == 400);
  CHECK(ask("GET", stock, token).status == 400);
  CHECK(ask("GET", stock + "?granularityType=Marketplace&granularityId=A&marketplaceIds=A", token).status == 403);
  CHECK(ask("POST", reports, token, "{}").status == 400);
  CHECK(ask("GET", reports, token).status == 400);
  CHECK(ask("GET", reports + "/none", token).status == 404);
  CHECK(ask("GET", "/reports/2021-06-30/documents/none", token).status == 404);
  for (int call = 0; call < spapi::kGetMarketplaceParticipations.burst; ++call) CHECK(ask("GET", sellers, token).status == 200);
  CHECK(ask("GET", sellers, token).status == 429);
  CHECK(unexplained(*official) == "");
  CHECK(official->seen.contains("getMarketplaceParticipations 429 $"));
}

TEST_CASE("what is altered in a request or an answer is found out") {
  auto official = models();
  if (!official) return;
  constexpr const char *kMoney = "/finances/2024-06-19/transactions", *kReports = "/reports/2021-06-30/reports", *kSellers = "/sellers/v1/marketplaceParticipations";
  struct Case {
    int status;   // 0: a request
    const char *method, *target, *body;
    std::string finding;   // empty: all is as it should be
  };
  const Case requests[] = {
      {0, "GET", "/finances/2024-06-19/transactions?postedAfter=2026-01-01T00%3A00%3A00Z", "", ""},
      {0, "GET", "/finances/2024-06-19/transactions?postedAfter=2026-01-01", "", "listTransactions query postedAfter: is no date-time"},
      {0, "GET", "/finances/2024-06-19/transactions?postedAfter=2026-13-01T00%3A00%3A00Z", "", "listTransactions query postedAfter: is no date-time"},
      {0, "GET", "/finances/2024-06-19/transactions?PostedAfter=2026-01-01T00%3A00%3A00Z", "", "listTransactions query PostedAfter: not in the model"},
      {0, "GET", "/finances/2024-06-19/transactions?nextToken=a&nextToken=b", "", "listTransactions query nextToken: repeated"},
      {0, "POST", kMoney, "", "POST /finances/2024-06-19/transactions: no operation"},
      {0, "GET", "/finances/2024-06-19/transactions/7", "", "GET /finances/2024-06-19/transactions/7: no operation"},
      {0, "GET", "/finances/v0/financialEvents?MaxResultsPerPage=100", "", ""},
      {0, "GET", "/finances/v0/financialEvents?MaxResultsPerPage=101", "", "listFinancialEvents query MaxResultsPerPage: more than 100"},
      {0, "GET", "/finances/v0/financialEvents?MaxResultsPerPage=0", "", "listFinancialEvents query MaxResultsPerPage: less than 1"},
      {0, "GET", "/finances/v0/financialEvents?MaxResultsPerPage=ten", "", "listFinancialEvents query MaxResultsPerPage: is no integer"},
      {0, "GET", "/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=A&marketplaceIds=A&details=true", "", ""},
      {0, "GET", "/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=A", "", "getInventorySummaries query marketplaceIds: missing"},
      {0, "GET", "/fba/inventory/v1/summaries?granularityType=Land&granularityId=A&marketplaceIds=A", "", "getInventorySummaries query granularityType: \"Land\" is none of the enum"},
      {0, "GET", "/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=A&marketplaceIds=A,B", "", "getInventorySummaries query marketplaceIds: more than 1"},
      {0, "GET", "/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=A&marketplaceIds=A&details=yes", "", "getInventorySummaries query details: is no boolean"},
      {0, "GET", "/reports/2021-06-30/reports?reportTypes=A,B&processingStatuses=DONE,FATAL", "", ""},
      {0, "GET", "/reports/2021-06-30/reports?reportTypes=", "", "getReports query reportTypes: less than 1"},
      {0, "GET", "/reports/2021-06-30/reports?processingStatuses=DONE,GONE", "", "getReports query processingStatuses[]: \"GONE\" is none of the enum"},
      {0, "GET", "/reports/2021-06-30/reports/7", "{}", "getReport body: not in the model"},
      {0, "POST", kReports, R"({"reportType":"A","marketplaceIds":["B"],"reportOptions":{"c":"d"}})", ""},
      {0, "POST", kReports, "", "createReport body: missing"},
      {0, "POST", kReports, "{", "createReport body: is no JSON"},
      {0, "POST", kReports, R"({"marketplaceIds":["B"]})", "createReport body $: lacks reportType"},
      {0, "POST", kReports, R"({"reportType":"A","marketplaceIds":[]})", "createReport body $.marketplaceIds: less than 1"},
      {0, "POST", kReports, R"({"reportType":"A","marketplaceIds":["B"],"reportOptions":{"c":1}})", "createReport body $.reportOptions.*: is no string"},
      {0, "POST", kReports, R"({"reportType":"A","marketplaceIds":["B"],"dataEndTime ":"C"})", "createReport body $.dataEndTime : not in the model"},
  };
  const std::string t = "listTransactions 200 $.payload.transactions[]", p = "getMarketplaceParticipations 200 $.payload[]";
  const Case answers[] = {
      {418, "GET", kMoney, "{}", "listTransactions 418: no such status"},
      {200, "GET", kMoney, R"({"payload":)", "listTransactions 200: is no JSON"},
      {404, "GET", kMoney, R"({"errors":[{"code":"A","message":"B"}]})", ""},
      {404, "GET", kMoney, R"({})", "listTransactions 404 $: lacks errors"},
      {404, "GET", kMoney, R"({"errors":[{"code":"A"}]})", "listTransactions 404 $.errors[]: lacks message"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"postedDate":"2026-01-01T00:00:00.5+01:00","totalAmount":{"currencyAmount":-1.5e1},"contexts":[{"contextType":"P"}]}]}})", ""},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"transactionId":1}]}})", t + ".transactionId: is no string"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"transactionId":null}]}})", t + ".transactionId: null"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"invented":"1"}]}})", t + ".invented: not in the model"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"postedDate":"yesterday"}]}})", t + ".postedDate: is no date-time"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"totalAmount":{"currencyAmount":"1.5"}}]}})", t + ".totalAmount.currencyAmount: is no number"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"totalAmount":1.5}]}})", t + ".totalAmount: is no object"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"items":{}}]}})", t + ".items: is no array"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"relatedIdentifiers":[{"relatedIdentifierName":"A"}]}]}})", t + ".relatedIdentifiers[].relatedIdentifierName: \"A\" is none of the enum"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"contexts":[{"sku":"A"}]}]}})", t + ".contexts[]: lacks contextType"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"contexts":[{"contextType":"P","fnsku":"A"}]}]}})", t + ".contexts[].fnsku: not in the model"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"contexts":[{"contextType":"P","quantityShipped":1.5}]}]}})", t + ".contexts[].quantityShipped: is no integer"},
      {200, "GET", kMoney, R"({"payload":{"transactions":[{"contexts":[{"contextType":"P","quantityShipped":3000000000}]}]}})", t + ".contexts[].quantityShipped: is no int32"},
      {200, "GET", kSellers, R"({"payload":[{"storeName":"S","participation":{"isParticipating":"true","hasSuspendedListings":false},"marketplace":{"id":"A","name":"N","countryCode":"US",)"
                             R"("defaultCurrencyCode":"USD","defaultLanguageCode":"en_US","domainName":"d"}}]})", p + ".participation.isParticipating: is no boolean"},
      {200, "GET", kSellers, R"({"payload":[{"storeName":"S","participation":{"isParticipating":true,"hasSuspendedListings":false},"marketplace":{"id":"A","name":"N","countryCode":"usa",)"
                             R"("defaultCurrencyCode":"USD","defaultLanguageCode":"en_US","domainName":"d"}}]})", p + ".marketplace.countryCode: is not of the pattern"},
      {200, "GET", "/fba/inbound/v0/shipments", R"({"payload":{"ShipmentData":[{"AreCasesRequired":true,"ShipFromAddress":{"Name":"N","AddressLine1":"A","City":"More than thirty letters in all")"
                                                R"(,"StateOrProvinceCode":"S","CountryCode":"US","PostalCode":"1"}}]}})",
       "getShipments 200 $.payload.ShipmentData[].ShipFromAddress.City: more than 30"},
  };
  for (const std::span<const Case> cases : {std::span<const Case>(requests), std::span<const Case>(answers)})
    for (const Case& c : cases) {
      CAPTURE(std::string(c.target) + " " + c.body);
      const amzsim::SimRequest request = asked(c.method, c.target, c.status == 0 ? c.body : "", {{"Content-Type", "application/json"}});
      official->findings.clear();
      c.status == 0 ? official->request(request) : official->answer(request, c.status, "application/json", c.body);
      CHECK(unexplained(*official) == c.finding);
    }
}

TEST_SUITE_END();
