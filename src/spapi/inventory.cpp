// SPDX-License-Identifier: Apache-2.0
#include "spapi/inventory.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/crypto.hpp"
#include "base/json_writer.hpp"

namespace amzsync::spapi {
namespace {

/// Where each quantity of store::kInventoryQuantities stands, in the same order; the researching ones are looked up by name.
struct Place {
  std::string_view group, field;
};
constexpr std::array<Place, store::kInventoryQuantities.size()> kPlaces{{
    {"", "totalQuantity"},
    {"details", "fulfillableQuantity"},
    {"details", "inboundWorkingQuantity"},
    {"details", "inboundShippedQuantity"},
    {"details", "inboundReceivingQuantity"},
    {"reservedQuantity", "totalReservedQuantity"},
    {"reservedQuantity", "pendingCustomerOrderQuantity"},
    {"reservedQuantity", "pendingTransshipmentQuantity"},
    {"reservedQuantity", "fcProcessingQuantity"},
    {"researchingQuantity", "totalResearchingQuantity"},
    {"researching", "researchingQuantityInShortTerm"},
    {"researching", "researchingQuantityInMidTerm"},
    {"researching", "researchingQuantityInLongTerm"},
    {"unfulfillableQuantity", "totalUnfulfillableQuantity"},
    {"unfulfillableQuantity", "customerDamagedQuantity"},
    {"unfulfillableQuantity", "warehouseDamagedQuantity"},
    {"unfulfillableQuantity", "distributorDamagedQuantity"},
    {"unfulfillableQuantity", "carrierDamagedQuantity"},
    {"unfulfillableQuantity", "defectiveQuantity"},
    {"unfulfillableQuantity", "expiredQuantity"},
}};

Json quantity_at(Json summary, const Place& place) {
  const Json details = summary["inventoryDetails"];
  if (place.group.empty()) return summary[place.field];
  if (place.group == "details") return details[place.field];
  if (place.group != "researching") return details[place.group][place.field];
  for (const Json entry : details["researchingQuantity"]["researchingQuantityBreakdown"])
    if (entry["name"].text() == place.field) return entry["quantity"];
  return {};
}

constexpr std::array<std::string_view, 5> kColumns{"sellerSku", "fnSku", "asin", "condition", "productName"};

bool has_place(std::string_view group, std::string_view field) {
  return std::any_of(kPlaces.begin(), kPlaces.end(), [&](const Place& p) { return p.group == group && p.field == field; });
}

/// Whether all that the terms of a research say is held by their columns.
bool is_plain_breakdown(Json breakdown) {
  if (!breakdown.is_array()) return false;
  std::set<std::string_view> known;
  for (const Json entry : breakdown)
    if (entry.size() == 2 && entry["name"].is_string() && has_place("researching", entry["name"].text()) && entry["quantity"].integer()) known.insert(entry["name"].text());
  return known.size() == breakdown.size();
}

/// Whether a member of a summary, or of a group in its details, is held by a column.
bool in_column(Json member, std::string_view group, bool updated_read) {
  const std::string_view name = member.name();
  if (group.empty() && std::find(kColumns.begin(), kColumns.end(), name) != kColumns.end()) return member.is_string();
  if (group.empty() && name == "lastUpdatedTime") return updated_read;
  if (group == "researchingQuantity" && name == "researchingQuantityBreakdown") return is_plain_breakdown(member);
  return member.integer() && has_place(group, name);
}

/// The group that a member of `group` is, as kPlaces names them.
std::string_view group_of(Json member, std::string_view group) {
  constexpr std::string_view kElsewhere = "elsewhere";
  if (group.empty()) return member.name() == "inventoryDetails" ? "details" : kElsewhere;
  return group == "details" ? member.name() : kElsewhere;
}

/// Writes what no column holds; false when that is nothing.
bool append_rest(std::string& out, Json value, std::string_view group, bool updated_read) {
  if (value.is_null()) return false;
  if (!value.is_object()) {
    append_json(out, value);
    return !value.is_array() || !value.empty();
  }
  const std::size_t start = out.size();
  out += '{';
  bool any = false;
  for (const Json member : value) {
    if (in_column(member, group, updated_read)) continue;
    const std::size_t before = out.size();
    if (any) out += ',';
    append_json_string(out, member.name());
    out += ':';
    if (append_rest(out, member, group_of(member, group), updated_read)) {
      any = true;
    } else {
      out.resize(before);
    }
  }
  out += '}';
  if (!any) out.resize(start);
  return any;
}

store::InventoryItem decode_item(Json summary) {
  store::InventoryItem item;
  const auto text = [&](std::string_view name) { return std::string(summary[name].text()); };
  item.seller_sku = text("sellerSku");
  item.fnsku = text("fnSku");
  item.asin = text("asin");
  item.condition = text("condition");
  item.product_name = text("productName");
  item.last_updated_at = parse_instant(summary["lastUpdatedTime"].text());
  for (std::size_t i = 0; i < kPlaces.size(); ++i) {
    const Json quantity = quantity_at(summary, kPlaces[i]);
    item.quantities[i] = quantity.integer();
    if (quantity.is_null() || item.quantities[i]) continue;
    std::string raw;
    append_json(raw, quantity);
    item.faults.push_back({"quantity_malformed", std::string(kPlaces[i].field), std::move(raw)});
  }
  if (!append_rest(item.detail, summary, {}, item.last_updated_at.has_value())) item.detail = "{}";
  std::string canonical;
  append_canonical(canonical, summary);
  item.content = Hash128::of(canonical);
  return item;
}

}  // namespace

Request get_inventory_summaries(const MarketplaceId& marketplace, const std::string& page_token) {
  Request request;
  request.operation = &kGetInventorySummaries;
  request.path = "/fba/inventory/v1/summaries";
  request.query = {{"granularityType", "Marketplace"}, {"granularityId", marketplace.text()}, {"marketplaceIds", marketplace.text()}, {"details", "true"}};
  if (!page_token.empty()) request.query.push_back({"nextToken", page_token});
  request.has_page_token = !page_token.empty();
  return request;
}

std::size_t skus_of_one_request(std::span<const std::string> skus) {
  constexpr std::size_t kMost = 50, kLongest = 4'000;
  const auto has_comma = [](const std::string& sku) { return sku.find(',') != std::string::npos; };
  if (has_comma(skus.front())) return 1;   // a list is parted by commas
  std::size_t count = 0, length = 0;
  for (const std::string& sku : skus) {
    length += percent_encode(sku).size() + 3;
    if (count == kMost || (count > 0 && length > kLongest) || has_comma(sku)) break;
    ++count;
  }
  return count;
}

Request get_inventory_of(const MarketplaceId& marketplace, std::span<const std::string> skus, const std::string& page_token) {
  Request request = get_inventory_summaries(marketplace, page_token);
  std::string list;
  for (const std::string& sku : skus) list += (list.empty() ? "" : ",") + sku;
  request.query.push_back({skus.size() == 1 ? "sellerSku" : "sellerSkus", std::move(list)});
  return request;
}

Result<InventoryPage> decode_inventory(const JsonDocument& answer) {
  const Json list = answer["payload"]["inventorySummaries"];
  if (!list.is_array()) return Error(Code::bad_answer, "Amazon's answer to getInventorySummaries holds no list.");
  const Json pagination = answer["pagination"];
  if (!pagination.is_null() && !pagination.is_object()) return Error(Code::bad_answer, "pagination is not an object in Amazon's answer.");
  AMZ_TRY(token, page_token_of(pagination["nextToken"]));
  InventoryPage page;
  page.next_token = std::move(token);
  for (const Json summary : list) {
    if (summary.is_object() && !summary["sellerSku"].text().empty()) {
      page.batch.items.push_back(decode_item(summary));
      continue;
    }
    std::string raw;
    append_json(raw, summary);
    page.batch.unreadable.push_back({"summary_without_sku", "inventorySummaries", std::move(raw)});
  }
  return page;
}

}  // namespace amzsync::spapi
