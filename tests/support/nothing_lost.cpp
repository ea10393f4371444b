// SPDX-License-Identifier: Apache-2.0
#include "support/nothing_lost.hpp"

#include <map>
#include <set>

#include "base/json_writer.hpp"
#include "base/time.hpp"

namespace support {

using namespace amzsync::base;   // NOLINT: vocabulary
namespace store = amzsync::store;

namespace {

/// Values by their meaning: numbers in their shortest form, instants as instants.
using Values = std::multiset<std::string>;

std::string meaning(Json value) {
  if (value.is_number()) {
    std::string text = "number ";
    append_canonical_number(text, value.text());
    return text;
  }
  if (const auto flag = value.boolean()) return *flag ? "true" : "false";
  if (const auto currency = Currency::parse(value.text())) return "text " + std::string(currency->text());   // in capitals
  if (const auto at = parse_instant(value.text()); at && value.text().size() > 8) return "instant " + std::to_string(to_us(*at));
  return "text " + std::string(value.text());
}

/// Whether a name stands again later: the last one is the one that was meant.
bool shadowed(Json object, Json member) { return object.is_object() && object[member.name()].name().data() != member.name().data(); }

void collect(Json value, Values& into) {
  if (value.is_null() || (value.is_string() && value.text().empty())) return;   // an empty text says nothing
  if (value.is_object() || value.is_array()) {
    for (const Json child : value)
      if (!shadowed(value, child)) collect(child, into);
    return;
  }
  into.insert(meaning(value));
}

void collect_text(const std::string& json, Values& into) {
  if (const auto document = JsonDocument::parse(json)) collect(document->root(), into);
}

void add_text(const std::string& text, Values& into) {
  if (text.empty()) return;
  std::string literal;
  append_json_string(literal, text);
  collect_text(literal, into);
}

void add_number(std::int64_t value, Values& into) { into.insert("number " + std::to_string(value)); }

std::vector<std::string> missing(const Values& wanted, Values have) {
  std::vector<std::string> gone;
  for (const std::string& value : wanted) {
    const auto found = have.find(value);
    if (found == have.end()) {
      gone.push_back(value);
    } else {
      have.erase(found);
    }
  }
  return gone;
}

}  // namespace

std::vector<std::string> lost(Json event, const store::MoneyEvent& e, const store::MoneyBatch& batch) {
  Values wanted, have;
  collect(event, wanted);
  collect_text(e.detail, have);
  for (const std::string* column : {&e.order_id, &e.native_id, &e.status, &e.marketplace, &e.description}) add_text(*column, have);
  add_text(batch.types[e.type], have);
  if (e.posted_at) have.insert("instant " + std::to_string(to_us(*e.posted_at)));
  for (const store::Line& line : e.lines) {
    if (line.currency) have.insert("text " + std::string(line.currency->text()));
    if (line.amount) have.insert("number " + format_micros(*line.amount));
    add_text(batch.shapes[line.shape].type, have);
  }
  for (const store::Fault& fault : e.faults) collect_text(fault.raw, have);
  return missing(wanted, std::move(have));
}

std::vector<std::string> lost(Json summary, const store::InventoryItem& item) {
  Values wanted, have;
  collect(summary, wanted);
  collect_text(item.detail, have);
  for (const std::string* column : {&item.seller_sku, &item.fnsku, &item.asin, &item.condition, &item.product_name}) add_text(*column, have);
  for (const auto& quantity : item.quantities)
    if (quantity) add_number(*quantity, have);
  if (item.last_updated_at) have.insert("instant " + std::to_string(to_us(*item.last_updated_at)));
  // The names of the three terms are those of the columns.
  for (const char* term : {"researchingQuantityInShortTerm", "researchingQuantityInMidTerm", "researchingQuantityInLongTerm"}) have.insert(std::string("text ") + term);
  for (const store::Fault& fault : item.faults) collect_text(fault.raw, have);
  return missing(wanted, std::move(have));
}

std::vector<std::string> lost(Json object, const store::ReportRow& row, const store::ReportTable& table) {
  Values wanted, have;
  for (const Json member : object) {
    if (shadowed(object, member)) continue;
    if (member.name() != "ShipFromAddress") {
      collect(member, wanted);
      continue;
    }
    if (!member.is_object()) continue;
    for (const char* part : {"DistrictOrCounty", "City", "StateOrProvinceCode", "CountryCode", "PostalCode"})
      if (member[part].is_string()) collect(member[part], wanted);
  }
  collect_text(row.detail, have);
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const std::string_view column = table.columns[i];
    if (const auto* text = std::get_if<std::string>(&row.values[i])) add_text(*text, have);
    const auto* number = std::get_if<std::int64_t>(&row.values[i]);
    if (!number) continue;
    if (column.ends_with("_day")) {
      have.insert("instant " + std::to_string(to_us(Instant(day_from(*number)))));
    } else if (column.ends_with("_micros")) {
      have.insert("number " + format_micros(Micros{*number}));
    } else if (column == "cases_required") {
      have.insert(*number != 0 ? "true" : "false");
    } else {
      add_number(*number, have);
    }
  }
  for (const store::Fault& fault : row.faults) collect_text(fault.raw, have);
  return missing(wanted, std::move(have));
}

}  // namespace support
