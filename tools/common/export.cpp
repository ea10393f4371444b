// SPDX-License-Identifier: Apache-2.0
#include "common/export.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace amzsync_tools {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string csv_cell(const Json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : value.is_null() ? "" : dump(value);
  // What somebody else wrote is no formula, whatever program opens the file.
  if (value.is_string() && !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) text.insert(0, 1, '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char ch : text) quoted += ch == '"' ? "\"\"" : std::string(1, ch);
  return quoted + "\"";
}

/// Packets for claims: each finding with the rows that a person needs to file it; as CSV a line each, with the rows as JSON in the last cell.
std::optional<amzsync::Failure> write_findings(amzsync::Engine& engine, const Export& what, const Sink& sink) {
  constexpr const char* kColumns[]{"id",      "rule",  "variant", "readiness", "state",   "caseId",     "quantity",       "amount", "amountLow", "amountHigh", "currency",  "basis",     "confidence", "blocked", "eventDate",
                                   "claimableFrom", "deadline", "deadlineSafe", "sku",     "fnsku", "asin", "orderId", "shipmentId", "removalOrderId", "period", "policy",    "openedAt"};
  if (what.csv) {
    std::string names;
    for (const char* column : kColumns) names += std::string(column) + ",";
    if (!sink(names + "rows")) return std::nullopt;
  }
  for (std::int64_t offset = 0;;) {
    const auto page = engine.findings(what.user, what.status, what.rule, 1'000, offset);
    if (!page) return page.error();
    const Json document = Json::parse(page->json());
    for (const Json& f : document["findings"]) {
      const auto why = engine.explain(what.user, f["id"].get<std::string>());
      if (!why) return why.error();
      const Json rows = Json::parse(why->json()).value("rows", Json::array());
      std::string line;
      if (what.csv) {
        for (const char* column : kColumns) line += (f.contains(column) && !f[column].is_null() ? csv_cell(f[column]) : std::string()) + ",";
        line += csv_cell(dump(rows));
      } else {
        line = dump(Json{{"finding", f}, {"rows", rows}});
      }
      if (!sink(line)) return std::nullopt;
    }
    offset += static_cast<std::int64_t>(document["findings"].size());
    if (document["findings"].empty() || offset >= document["total"].get<std::int64_t>()) return std::nullopt;
  }
}

}  // namespace

std::string datasets(const Export& what) { return what.what == "all" ? "" : what.what; }

std::string refuse(const Export& what) {
  if (what.what == "findings") return what.since ? "findings have no changes feed: leave out since" : "";
  if (what.csv && (what.since || datasets(what).empty() || what.what.find(',') != std::string::npos)) return "CSV is for the rows of one dataset, or for findings, and not for changes";
  return {};
}

std::optional<amzsync::Failure> write_export(amzsync::Engine& engine, const Export& what, const Sink& sink, const std::function<void()>& on_gap) {
  if (what.what == "findings") return write_findings(engine, what, sink);
  auto changes = engine.changes(what.user, datasets(what), what.since.value_or(0));
  if (!changes) return changes.error();
  if (changes->gap() && on_gap) on_gap();
  bool header = false;
  for (;;) {
    const auto next = changes->next();
    if (!next) return next.error();
    if (!*next) break;
    if (what.since) {
      if (!sink(std::string(**next))) return std::nullopt;
      continue;
    }
    const Json change = Json::parse(**next);
    if (change["seq"] != 0) break;           // what was there was told; what changed while it was is for those who follow the changes
    if (!change.contains("row")) continue;   // went while we read
    const Json& row = change["row"];
    if (!what.csv) {
      if (!sink(dump(Json{{"stream", change["stream"]}, {"row", row}}))) return std::nullopt;
      continue;
    }
    std::string line, names;
    for (const auto& [name, value] : row.items()) {
      names += (names.empty() ? "" : ",") + csv_cell(name);
      line += (line.empty() ? "" : ",") + csv_cell(value);
    }
    if (!std::exchange(header, true) && !sink(names)) return std::nullopt;
    if (!sink(line)) return std::nullopt;
  }
  if (what.since) sink(dump(Json{{"position", changes->position()}}));
  return std::nullopt;
}

}  // namespace amzsync_tools
