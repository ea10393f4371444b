// SPDX-License-Identifier: Apache-2.0
// Answers of Amazon's APIs and its notifications, and tables of policy.
#include <array>
#include <fstream>
#include <map>

#include "detect/policy.hpp"
#include "fuzz/targets.hpp"
#include "sim/simulator.hpp"
#include "spapi/notifications.hpp"
#include "spapi/report_requests.hpp"
#include "support/pages.hpp"

namespace fuzz {
namespace {

using namespace amzsync::base;   // NOLINT: vocabulary

const support::Api& api_of(const Target& target) {
  for (const support::Api& api : support::apis())
    if (target.name.ends_with(api.name)) return api;
  std::abort();
}

/// What the simulator answers to the calls that such pages come from.
std::vector<std::string> simulated(const std::string& api) {
  amzsim::SimSettings settings;
  settings.events = 60;
  settings.skus = 10;
  settings.rate_scale = 0;
  amzsim::Simulator amazon(settings, [] { return *parse_instant("2026-11-23T15:00:00Z"); });
  const auto token = amazon.handle({"POST", "/auth/o2/token", {}, {}, "grant_type=refresh_token&refresh_token=Atzr%7Csim-seller-1&client_id=c&client_secret=s"});
  const std::string access(std::string(JsonDocument::parse(token.body)->root()["access_token"].text()));
  using Query = std::vector<std::pair<std::string, std::string>>;
  static const std::map<std::string, std::pair<std::string, Query>> calls{
      {"listFinancialEvents", {"/finances/v0/financialEvents", {{"PostedAfter", "2026-09-01T00:00:00Z"}, {"PostedBefore", "2026-11-20T00:00:00Z"}}}},
      {"listTransactions", {"/finances/2024-06-19/transactions", {{"postedAfter", "2026-09-01T00:00:00Z"}, {"postedBefore", "2026-11-20T00:00:00Z"}}}},
      {"getInventorySummaries", {"/fba/inventory/v1/summaries", {{"granularityType", "Marketplace"}, {"granularityId", "ATVPDKIKX0DER"}, {"marketplaceIds", "ATVPDKIKX0DER"}, {"details", "true"}}}},
      {"getShipments", {"/fba/inbound/v0/shipments", {{"QueryType", "DATE_RANGE"}, {"LastUpdatedAfter", "2026-09-01T00:00:00Z"}, {"LastUpdatedBefore", "2026-11-20T00:00:00Z"}, {"MarketplaceId", "ATVPDKIKX0DER"}, {"ShipmentStatusList", "CLOSED"}}}},
      {"getShipmentItems", {"/fba/inbound/v0/shipmentItems", {{"QueryType", "DATE_RANGE"}, {"LastUpdatedAfter", "2026-09-01T00:00:00Z"}, {"LastUpdatedBefore", "2026-11-20T00:00:00Z"}, {"MarketplaceId", "ATVPDKIKX0DER"}}}},
      {"getMarketplaceParticipations", {"/sellers/v1/marketplaceParticipations", {}}}};
  const auto call = calls.find(api);
  if (call == calls.end()) return {};
  const auto answer = amazon.handle({"GET", call->second.first, call->second.second, {{"x-amz-access-token", access}}, ""});
  return answer.status == 200 ? std::vector{answer.body} : std::vector<std::string>();
}

std::string feed_page(const Target& target, std::string_view bytes) { return support::read_page(api_of(target), std::string(bytes)).broken; }

std::vector<std::string> pages(const Target& target) {
  const support::Api& api = api_of(target);
  auto seeds = simulated(api.name);
  seeds.push_back(api.page);
  return seeds;
}

/// A report's ways from the request to the address of its document.
std::string feed_report_answer(const Target&, std::string_view bytes) {
  const auto document = JsonDocument::parse(bytes);
  if (!document) return "";
  if (const auto made = amzsync::spapi::decode_created_report(*document); made && made->empty()) return "a report without an id";
  if (const auto report = amzsync::spapi::decode_report(*document); report && report->id.empty()) return "a report that nobody can name";
  if (const auto address = amzsync::spapi::decode_report_document(*document); address && address->empty()) return "a document without an address";
  return "";
}

std::vector<std::string> report_answers(const Target&) {
  return {R"({"reportId":"5"})", R"({"reportDocumentId":"d","url":"https://s3.example/x?sig=1","compressionAlgorithm":"GZIP"})",
          R"({"reportId":"5","reportType":"GET_FBA_REIMBURSEMENTS_DATA","createdTime":"2026-08-05T12:34:56+00:00","processingStatus":"DONE","marketplaceIds":["ATVPDKIKX0DER"],"reportDocumentId":"d"})",
          R"({"reportId":"5","reportType":"X","createdTime":"2026-08-05T12:34:56Z","processingStatus":"FATAL","dataStartTime":"2026-08-01","dataEndTime":"2026-08-05"})"};
}

std::string feed_notification(const Target&, std::string_view bytes) {
  const auto told = amzsync::spapi::decode_notifications(bytes);
  if (!told) return told.code() == Code::invalid_argument ? "" : "refused as " + std::string(code_name(told.code()));
  for (const auto& n : *told)
    if (n.id.empty() || n.type.empty()) return "a notification without id or type";
  return "";
}

std::vector<std::string> notifications(const Target&) {
  const std::string one =
      R"({"NotificationVersion":"1.0","NotificationType":"REPORT_PROCESSING_FINISHED","PayloadVersion":"2020-09-04","EventTime":"2026-08-05T12:34:56Z","Payload":{"reportProcessingFinishedNotification":)"
      R"({"sellerId":"A1","reportId":"5","reportType":"GET_LEDGER_DETAIL_VIEW_DATA","processingStatus":"DONE","reportDocumentId":"d"}},"NotificationMetadata":{"NotificationId":"n-1"}})";
  return {one, R"({"Records":[{"body":"{\"notificationType\":\"TRANSACTION_UPDATE\",\"payload\":{},\"notificationMetadata\":{\"notificationId\":\"n\"}}"}]})", R"({"version":"0","id":"e","detail":)" + one + "}"};
}

constexpr std::array kPolicies{"windows.json", "values.json", "rate_cards.json"};

std::string feed_policy(const Target&, std::string_view bytes) {
  const std::size_t which = take(bytes, kPolicies.size());
  const auto policy = amzsync::detect::Policy::parse({{kPolicies.at(which), std::string(bytes)}});
  if (!policy && policy.error().message.empty()) return "a refusal that says nothing";
  return "";
}

std::vector<std::string> policies(const Target&) {
  std::vector<std::string> seeds;
  for (std::size_t i = 0; i < kPolicies.size(); ++i) {
    std::ifstream file(std::string(AMZSYNC_SOURCE_DIR "/policy/") + kPolicies[i], std::ios::binary);
    seeds.push_back(static_cast<char>(i) + std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()));
  }
  return seeds;
}

}  // namespace

std::vector<Target> answer_targets() {
  std::vector<Target> targets;
  for (const support::Api& api : support::apis()) targets.push_back({"page." + std::string(api.name), &feed_page, &pages});
  targets.push_back({"page.reports", &feed_report_answer, &report_answers});
  targets.push_back({"notification", &feed_notification, &notifications});
  targets.push_back({"policy", &feed_policy, &policies});
  return targets;
}

}  // namespace fuzz
