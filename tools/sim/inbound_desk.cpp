// SPDX-License-Identifier: Apache-2.0
// Fulfillment Inbound v0: shipments and their items, by the time of their last update or by name (facts 3.8).
#include <algorithm>

#include "base/json_writer.hpp"
#include "sim/inbound.hpp"
#include "sim/simulator.hpp"

namespace amzsim {

using namespace amzsync::base;   // NOLINT: vocabulary

namespace {

constexpr std::int64_t kPerPage = 50;
constexpr std::string_view kInvalid = "Invalid Input";   // spelt so by this API

bool listed(const std::string& list, std::string_view name) { return ("," + list + ",").find("," + std::string(name) + ",") != std::string::npos; }

void write_shipment(JsonWriter& json, const Shipment& s) {
  json.begin_object().field("ShipmentId", s.id).field("ShipmentName", s.name).key("ShipFromAddress").begin_object();
  json.field("Name", "A person's name").field("AddressLine1", "A person's street 1").field("City", "Seattle").field("StateOrProvinceCode", "WA").field("CountryCode", "US").field("PostalCode", "98121").end_object();
  json.field("DestinationFulfillmentCenterId", s.fc).field("ShipmentStatus", s.status).field("LabelPrepType", "SELLER_LABEL").field("AreCasesRequired", s.items.front().in_case > 0);
  if (s.has_fee) {
    json.field("ConfirmedNeedByDate", format_day(day_of(s.created + std::chrono::hours(24 * 20)))).field("BoxContentsSource", "NONE").key("EstimatedBoxContentsFee").begin_object().field("TotalUnits", std::int64_t{10});
    for (const auto& [name, value] : {std::pair{"FeePerUnit", Micros{s.fee.value / 10}}, {"TotalFee", s.fee}})
      json.key(name).begin_object().field("CurrencyCode", "USD")   // the model knows this one and GBP
          .field("Value", value).end_object();
    json.end_object();
  }
  json.end_object();
}

void write_item(JsonWriter& json, const Shipment& s, const ShipmentItem& item) {
  json.begin_object().field("ShipmentId", s.id).field("SellerSKU", item.sku).field("FulfillmentNetworkSKU", item.fnsku).field("QuantityShipped", item.shipped).field("QuantityReceived", item.received);
  json.field("QuantityInCase", item.in_case);
  if (item.in_case > 0) json.key("PrepDetailsList").begin_array().begin_object().field("PrepInstruction", "Labeling").field("PrepOwner", "SELLER").end_object().end_array();
  json.end_object();
}

}  // namespace

/// The shipments that a query means, or why it is refused.
std::vector<Shipment> Simulator::shipments_asked_for(int n, const SimRequest& r, std::string& refusal) const {
  std::vector<Shipment> all = shipments(seller(n), now());
  const std::string marketplace = r.param("MarketplaceId"), type = r.param("QueryType");
  std::erase_if(all, [&](const Shipment& s) { return s.marketplace->id != marketplace; });
  if (marketplace.empty()) refusal = "MarketplaceId must be given.";
  if (type == "DATE_RANGE") {
    const auto from = parse_instant(r.param("LastUpdatedAfter")), until = parse_instant(r.param("LastUpdatedBefore"));
    if (!from || !until || *from > *until) refusal = "LastUpdatedAfter and LastUpdatedBefore must be given in order.";
    if (refusal.empty()) std::erase_if(all, [&](const Shipment& s) { return s.updated < *from || s.updated > *until; });
  } else if (type == "SHIPMENT") {
    if (!r.has_param("ShipmentStatusList") && !r.has_param("ShipmentIdList")) refusal = "ShipmentStatusList or ShipmentIdList must be given.";
    if (r.has_param("ShipmentStatusList")) std::erase_if(all, [&](const Shipment& s) { return !listed(r.param("ShipmentStatusList"), s.status); });
    if (r.has_param("ShipmentIdList")) std::erase_if(all, [&](const Shipment& s) { return !listed(r.param("ShipmentIdList"), s.id); });
  } else {
    refusal = "QueryType is not valid.";
  }
  return all;
}

/// The request that a page's token stands for, and how much of its answer was shown.
bool Simulator::go_on(SimRequest& request, std::int64_t& skip) const {
  if (request.param("QueryType") != "NEXT_TOKEN") return true;
  const auto list = list_tokens_.find(request.param("NextToken"));
  if (list == list_tokens_.end() || list->second.first.param("MarketplaceId") != request.param("MarketplaceId") || list->second.first.path != request.path) return false;
  std::tie(request, skip) = list->second;
  return true;
}

SimAnswer Simulator::inbound_shipments(int n, const SimRequest& asked) {
  SimRequest request = asked;
  std::int64_t skip = 0;
  std::string refusal;
  if (!go_on(request, skip)) return error(400, kInvalid, "NextToken is not valid.");
  const std::vector<Shipment> all = shipments_asked_for(n, request, refusal);
  if (!refusal.empty()) return error(400, kInvalid, refusal);
  const auto end = std::min(static_cast<std::int64_t>(all.size()), skip + page_of_most(kPerPage));
  JsonWriter json;
  json.begin_object().key("payload").begin_object().key("ShipmentData").begin_array();
  for (std::int64_t i = skip; i < end; ++i) write_shipment(json, all[static_cast<std::size_t>(i)]);
  json.end_array();
  if (end < static_cast<std::int64_t>(all.size())) json.field("NextToken", remember_list(request, end));
  return Simulator::json(std::move(json.end_object().end_object()).text());
}

SimAnswer Simulator::inbound_items(int n, const SimRequest& asked) {
  SimRequest request = asked;
  std::int64_t skip = 0;
  std::string refusal;
  if (!go_on(request, skip)) return error(400, kInvalid, "NextToken is not valid.");
  if (request.param("QueryType") == "SHIPMENT") return error(400, kInvalid, "QueryType is not valid.");
  const std::vector<Shipment> all = shipments_asked_for(n, request, refusal);
  if (!refusal.empty()) return error(400, kInvalid, refusal);
  std::vector<std::pair<const Shipment*, const ShipmentItem*>> items;
  for (const Shipment& s : all)
    for (const ShipmentItem& item : s.items) items.emplace_back(&s, &item);
  const auto end = std::min(static_cast<std::int64_t>(items.size()), skip + page_of_most(kPerPage));
  JsonWriter json;
  json.begin_object().key("payload").begin_object().key("ItemData").begin_array();
  for (std::int64_t i = skip; i < end; ++i) write_item(json, *items[static_cast<std::size_t>(i)].first, *items[static_cast<std::size_t>(i)].second);
  json.end_array();
  if (end < static_cast<std::int64_t>(items.size())) json.field("NextToken", remember_list(request, end));
  return Simulator::json(std::move(json.end_object().end_object()).text());
}

SimAnswer Simulator::inbound_items_of_shipment(int n, const SimRequest& request) {
  constexpr std::string_view kEnd = "/items";
  if (!request.path.ends_with(kEnd)) return error(403, "MissingAuthenticationToken", "Missing Authentication Token");
  const std::string rest = request.path.substr(0, request.path.size() - kEnd.size()), id = rest.substr(rest.rfind('/') + 1);
  for (const Shipment& s : shipments(seller(n), now())) {
    if (s.id != id) continue;
    JsonWriter json;
    json.begin_object().key("payload").begin_object().key("ItemData").begin_array();
    for (const ShipmentItem& item : s.items) write_item(json, s, item);
    return Simulator::json(std::move(json.end_array().end_object().end_object()).text());
  }
  return error(404, "NotFound", "The shipment was not found.");
}

std::string Simulator::remember_list(const SimRequest& request, std::int64_t shown) {
  const std::string token = "list-" + std::to_string(list_tokens_.size()) + "=+/";
  list_tokens_[token] = {request, shown};
  return token;
}

void Simulator::inbound_truth(int n, Instant until, JsonWriter& json) const {
  std::int64_t items = 0, shipped = 0, received = 0;
  std::map<std::string, std::int64_t> by_status;
  const std::vector<Shipment> all = shipments(seller(n), until);
  for (const Shipment& s : all) {
    ++by_status[std::string(s.status)];
    for (const ShipmentItem& item : s.items) ++items, shipped += item.shipped, received += item.received;
  }
  json.key("inbound").begin_object().field("shipments", static_cast<std::int64_t>(all.size())).field("items", items).field("shipped", shipped).field("received", received);
  json.key("byStatus").begin_object();
  for (const auto& [status, count] : by_status) json.field(status, count);
  json.end_object().end_object();
}

}  // namespace amzsim
