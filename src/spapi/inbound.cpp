// SPDX-License-Identifier: Apache-2.0
#include "spapi/inbound.hpp"

#include <algorithm>
#include <array>

#include "base/crypto.hpp"
#include "base/json_writer.hpp"
#include "base/money.hpp"

namespace amzsync::spapi {
namespace {

enum class Kind : std::uint8_t { text, integer, flag, day, amount, marketplace };
enum class Role : std::uint8_t { identity, content };

/// A column of the table, and where it stands in Amazon's object.
struct Field {
  std::string_view column;
  std::string_view path;   // members with dots between
  Kind kind = Kind::text;
  Role role = Role::content;
};

constexpr std::array kShipmentFields{
    Field{"shipment_id", "ShipmentId", Kind::text, Role::identity},
    Field{"name", "ShipmentName"},
    Field{"status", "ShipmentStatus"},
    Field{"marketplace_id", "", Kind::marketplace},
    Field{"destination_fc", "DestinationFulfillmentCenterId"},
    Field{"ship_from_country", "ShipFromAddress.CountryCode"},
    Field{"label_prep", "LabelPrepType"},
    Field{"cases_required", "AreCasesRequired", Kind::flag},
    Field{"needed_by_day", "ConfirmedNeedByDate", Kind::day},
    Field{"box_contents_source", "BoxContentsSource"},
    Field{"box_contents_units", "EstimatedBoxContentsFee.TotalUnits", Kind::integer},
    Field{"box_contents_fee_micros", "EstimatedBoxContentsFee.TotalFee.Value", Kind::amount},
    Field{"currency", "EstimatedBoxContentsFee.TotalFee.CurrencyCode"},
};
constexpr std::array kItemFields{
    Field{"shipment_id", "ShipmentId", Kind::text, Role::identity},
    Field{"seller_sku", "SellerSKU", Kind::text, Role::identity},
    Field{"fnsku", "FulfillmentNetworkSKU"},   // may come later than the rest
    Field{"quantity_shipped", "QuantityShipped", Kind::integer},
    Field{"quantity_received", "QuantityReceived", Kind::integer},
    Field{"quantity_in_case", "QuantityInCase", Kind::integer},
    Field{"release_day", "ReleaseDate", Kind::day},
};

/// Where the goods come from may be a home: only the region of it is kept.
constexpr std::array<std::string_view, 5> kRegion{"DistrictOrCounty", "City", "StateOrProvinceCode", "CountryCode", "PostalCode"};
constexpr std::string_view kAddress = "ShipFromAddress";

struct Shape {
  std::string_view table, path, list;
  const Operation& operation;
  std::span<const Field> fields;
  std::string_view needed;   // what besides the shipment's id makes a row
};
const Shape& shape_of(InboundList list) {
  static const Shape shipments{"inbound_shipments", "/fba/inbound/v0/shipments", "ShipmentData", kGetShipments, kShipmentFields, "ShipmentId"};
  static const Shape items{"inbound_items", "/fba/inbound/v0/shipmentItems", "ItemData", kGetShipmentItems, kItemFields, "SellerSKU"};
  return list == InboundList::shipments ? shipments : items;
}

Json member_at(Json object, std::string_view path) {
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    object = object[path.substr(0, dot)];
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return object;
}

/// The value, or why it can't be read.
struct Value {
  store::ReportValue value;
  std::string_view fault;
};

Value read(Json value, Kind kind) {
  if (value.is_null()) return {};
  switch (kind) {
    case Kind::text:
      if (!value.is_string()) return {{}, "text_malformed"};
      if (value.text().empty()) return {};
      return {std::string(value.text()), {}};
    case Kind::integer: {
      const auto number = value.integer();
      return number ? Value{*number, {}} : Value{{}, "quantity_malformed"};
    }
    case Kind::flag: {
      const auto flag = value.boolean();
      return flag ? Value{std::int64_t{*flag}, {}} : Value{{}, "flag_malformed"};
    }
    case Kind::day: {
      const auto at = parse_instant(value.text());
      return at ? Value{to_number(day_of(*at)), {}} : Value{{}, "date_unreadable"};
    }
    case Kind::amount: {
      const ParsedAmount parsed = parse_amount(value.text());
      return parsed.fault == AmountFault::none ? Value{parsed.micros.value, {}} : Value{{}, fault_name(parsed.fault)};
    }
    case Kind::marketplace: break;
  }
  return {};
}

std::string json_of(Json value) {
  std::string raw;
  append_json(raw, value);
  return raw;
}

bool is_column(const Shape& shape, std::string_view member) {
  return std::any_of(shape.fields.begin(), shape.fields.end(), [&](const Field& f) { return f.path == member; });
}

/// Everything that has no column of its own.
std::string rest_of(const Shape& shape, Json object) {
  JsonWriter json;
  json.begin_object();
  for (const Json member : object) {
    if ((!member.name().empty() && is_column(shape, member.name())) || member.is_null()) continue;
    if (member.name() != kAddress) {
      json.field_raw(member.name(), json_of(member));
      continue;
    }
    json.key(kAddress).begin_object();
    for (const Json part : member)
      if (std::find(kRegion.begin(), kRegion.end(), part.name()) != kRegion.end() && part.is_string()) json.field_raw(part.name(), json_of(part));
    json.end_object();
  }
  return std::move(json.end_object()).text();
}

void append_value(std::string& text, const store::ReportValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) text += std::to_string(*number);
  if (const auto* said = std::get_if<std::string>(&value)) text += *said;
  text += '\x1f';
}

store::ReportRow decode_row(const Shape& shape, const MarketplaceId& marketplace, Json object) {
  store::ReportRow row;
  row.day = store::kSnapshotDay;
  std::string identity, content;
  for (const Field& field : shape.fields) {
    if (field.kind == Kind::marketplace) {
      row.values.emplace_back(marketplace.text());   // not compared: what several marketplaces show is the same
      continue;
    }
    const Json told = member_at(object, field.path);
    Value value = read(told, field.kind);
    std::string& part = field.role == Role::identity ? identity : content;
    if (!value.fault.empty()) {
      row.faults.push_back({std::string(value.fault), std::string(field.path), json_of(told)});
      append_canonical(part, told);
    }
    append_value(part, value.value);
    row.values.push_back(std::move(value.value));
  }
  row.detail = rest_of(shape, object);
  std::string rest;
  if (const auto parsed = JsonDocument::parse(row.detail)) append_canonical(rest, parsed->root());
  row.identity = Hash128::of(identity);
  row.content = Hash128::of(identity + '\x1e' + content + '\x1e' + rest);
  return row;
}

Request ask(const Shape& shape, const MarketplaceId& marketplace, std::string_view query_type) {
  Request request;
  request.operation = &shape.operation;
  request.path = std::string(shape.path);
  request.query = {{"QueryType", std::string(query_type)}, {"MarketplaceId", marketplace.text()}};
  return request;
}

}  // namespace

Request get_inbound(InboundList list, const MarketplaceId& marketplace, Instant updated_from, Instant updated_until) {
  Request request = ask(shape_of(list), marketplace, "DATE_RANGE");
  request.query.push_back({"LastUpdatedAfter", format_seconds(updated_from)});
  request.query.push_back({"LastUpdatedBefore", format_seconds(updated_until)});
  return request;
}

Request get_more_inbound(InboundList list, const MarketplaceId& marketplace, const std::string& page_token) {
  Request request = ask(shape_of(list), marketplace, "NEXT_TOKEN");
  request.query.push_back({"NextToken", page_token});
  request.has_page_token = true;
  return request;
}

Result<InboundPage> decode_inbound(InboundList list, const MarketplaceId& marketplace, const JsonDocument& answer) {
  const Shape& shape = shape_of(list);
  const Json payload = answer["payload"], data = payload[shape.list];
  const std::string operation(shape.operation.name);
  if (!payload.is_object() || (!data.is_array() && !data.is_null())) return Error(Code::bad_answer, "Amazon's answer to " + operation + " holds no list.");
  AMZ_TRY(token, page_token_of(payload["NextToken"]));
  InboundPage page;
  page.next_token = std::move(token);
  page.empty = data.is_null() && page.next_token.empty();
  const Shape no_columns{{}, {}, {}, shape.operation, {}, {}};
  for (const Json object : data) {
    const auto names = [&](std::string_view member) { return object[member].is_string() && !object[member].text().empty(); };
    if (object.is_object() && names("ShipmentId") && names(shape.needed)) {
      page.rows.push_back(decode_row(shape, marketplace, object));
      continue;
    }
    // Without what names it a thing is no row.
    page.unreadable.push_back({"row_without_id", std::string(shape.list), object.is_object() ? rest_of(no_columns, object) : json_of(object)});
  }
  return page;
}

const store::ReportTable& inbound_table(InboundList list) {
  const auto table_of = [](const Shape& shape) {
    store::ReportTable table{shape.table, {}, {}};
    for (const Field& field : shape.fields) table.columns.push_back(field.column);
    return table;
  };
  static const store::ReportTable shipments = table_of(shape_of(InboundList::shipments)), items = table_of(shape_of(InboundList::items));
  return list == InboundList::shipments ? shipments : items;
}

}  // namespace amzsync::spapi
