// SPDX-License-Identifier: Apache-2.0
#include "support/swagger.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/json_writer.hpp"
#include "base/time.hpp"

namespace support {
namespace {

// What check() acts on, and what is told to readers alone.
constexpr std::array<std::string_view, 22> kKeywords{"type", "format", "properties", "required", "items", "enum", "additionalProperties", "allOf", "minItems", "maxItems", "minimum", "maximum",
                                                     "maxLength", "pattern", "in", "name", "default", "title", "description", "example", "x-example", "x-docgen-enum-table-extension"};

Json resolve(Json model, Json schema) {
  constexpr std::string_view kHere = "#/definitions/";
  while (schema["$ref"].text().starts_with(kHere)) schema = model["definitions"][schema["$ref"].text().substr(kHere.size())];
  return schema;
}

template <class Test>
bool any(Json list, Test test) {
  for (const Json entry : list)
    if (test(entry)) return true;
  return false;
}
bool has(Json object, std::string_view member) {
  return any(object, [&](Json m) { return m.name() == member; });
}
bool lists(Json array, std::string_view text) {
  return any(array, [&](Json entry) { return entry.text() == text; });
}

/// Whether a schema, or a part of its allOf, knows a member.
bool declares(Json model, Json schema, std::string_view member) {
  schema = resolve(model, schema);
  return has(schema["properties"], member) || any(schema["allOf"], [&](Json part) { return declares(model, part, member); });
}

/// The values of a template's parameters ("/reports/{reportId}"); nullopt: another path.
std::optional<std::map<std::string, std::string>> match(std::string_view pattern, std::string_view path) {
  std::map<std::string, std::string> values;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = pattern.substr(0, pattern.find('/', 1)), given = path.substr(0, path.find('/', 1));
    if (wanted.starts_with("/{")) {
      values.emplace(wanted.substr(2, wanted.size() - 3), given.substr(1));
    } else if (wanted != given) {
      return std::nullopt;
    }
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(given.size());
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return values;
}

/// The text of a parameter as JSON of the type that is due, if it can be read as such; else as a string. Arrays are joined by commas.
std::string as_json(std::string_view text, Json schema) {
  const std::string_view type = schema["type"].text();
  if (type == "array") {
    std::string list;
    for (bool more = !text.empty(); more;) {
      const std::size_t comma = text.find(',');
      list += (list.empty() ? "" : ",") + as_json(text.substr(0, comma), schema["items"]);
      more = comma != std::string_view::npos;
      if (more) text.remove_prefix(comma + 1);
    }
    return "[" + list + "]";
  }
  if (type != "string")
    if (const auto plain = JsonDocument::parse(text); plain && (plain->root().is_number() || plain->root().boolean())) return std::string(text);
  std::string quoted;
  amzsync::base::append_json_string(quoted, text);
  return quoted;
}

}  // namespace

std::optional<JsonDocument> official_model(const std::string& file) {
  const char* told = std::getenv("AMZSYNC_SPAPI_MODELS");
  const std::filesystem::path path = (told ? std::filesystem::path(told) : std::filesystem::path(AMZSYNC_SOURCE_DIR) / ".." / "shared" / "spapi-models" / "models") / file;
  std::ifstream in(path);
  if (!in) {
    MESSAGE("skipped: " << path.string() << " is absent; the official models are not part of the project (set AMZSYNC_SPAPI_MODELS)");
    return std::nullopt;
  }
  std::stringstream text;
  text << in.rdbuf();
  auto model = JsonDocument::parse(text.str());
  REQUIRE(model);
  return std::move(*model);
}

std::optional<Swagger::Operation> Swagger::find(const amzsim::SimRequest& request) const {
  std::string method = request.method;
  for (char& c : method) c = static_cast<char>(c | 0x20);
  for (const JsonDocument& model : models_)
    for (const Json path : model["paths"])
      if (auto values = match(path.name(), request.path); values && has(path, method))
        return Operation{model.root(), path[method], std::string(path[method]["operationId"].text()), std::move(*values)};
  return std::nullopt;
}

void Swagger::request(const amzsim::SimRequest& r) {
  const auto op = find(r);
  if (!op) return blame(r.method + " " + r.path, "no operation");
  bool takes_body = false;
  std::set<std::string_view> known;
  for (const Json parameter : op->item["parameters"]) {
    const std::string_view in = parameter["in"].text();
    const std::string name(parameter["name"].text());
    const bool required = parameter["required"].boolean().value_or(false);
    if (in == "body") {
      takes_body = true;
      const auto body = JsonDocument::parse(r.body);
      if (body) check(op->model, body->root(), parameter["schema"], op->name + " body $");
      if (!body && (required || !r.body.empty())) blame(op->name + " body", r.body.empty() ? "missing" : "is no JSON");
      continue;
    }
    const std::string where = op->name + " " + std::string(in) + " " + name;
    if (in == "query") known.insert(parameter["name"].text());
    std::optional<std::string> value;
    if (in == "query" && r.has_param(name)) value = r.param(name);
    if (in == "header" && r.headers.contains(name)) value = r.header(name);
    if (in == "path") value = op->in_path.at(name);
    if (!value && required) blame(where, "missing");
    if (value) check(op->model, JsonDocument::parse(as_json(*value, parameter))->root(), parameter, where);
  }
  std::set<std::string_view> sent;
  for (const auto& [name, value] : r.query) {
    if (!known.contains(name)) blame(op->name + " query " + name, "not in the model");
    if (!sent.insert(name).second) blame(op->name + " query " + name, "repeated");
  }
  if (!takes_body && !r.body.empty()) blame(op->name + " body", "not in the model");
  if (!r.body.empty() && !lists(op->model["consumes"], r.header("content-type"))) blame(op->name + " header content-type", "\"" + r.header("content-type") + "\"");
}

void Swagger::answer(const amzsim::SimRequest& asked, int status, std::string_view content_type, std::string_view body) {
  const auto op = find(asked);
  if (!op) return;   // the request was blamed
  const std::string where = op->name + " " + std::to_string(status);
  const Json response = op->item["responses"][std::to_string(status)];
  if (response.is_null()) return blame(where, "no such status");
  if (!has(response, "schema")) return body.empty() ? void() : blame(where, "a body");
  const Json produces = has(op->item, "produces") ? op->item["produces"] : op->model["produces"];
  if (!lists(produces, content_type)) blame(where, "content type \"" + std::string(content_type) + "\"");
  const auto document = JsonDocument::parse(body);
  if (!document) return blame(where, "is no JSON");
  check(op->model, document->root(), response["schema"], where + " $");
}

void Swagger::check(Json model, Json value, Json schema, const std::string& where, bool part) {
  schema = resolve(model, schema);
  seen.insert(where);
  for (const Json keyword : schema)
    if (std::find(kKeywords.begin(), kKeywords.end(), keyword.name()) == kKeywords.end()) blame(where, "the model's " + std::string(keyword.name()) + " is not understood here");
  if (value.is_null()) return blame(where, "null");
  for (const Json one : schema["allOf"]) check(model, value, one, where, true);

  const std::string_view type = schema["type"].text();
  const bool fits = type == "string" ? value.is_string() : type == "integer" ? value.integer().has_value() : type == "number" ? value.is_number() : type == "boolean" ? value.boolean().has_value()
                  : type == "array" ? value.is_array() : type == "object" || has(schema, "allOf") ? value.is_object() : false;
  if (!fits) return blame(where, "is no " + std::string(type.empty() ? "object" : type));
  if (has(schema, "enum") && !lists(schema["enum"], value.text())) blame(where, "\"" + std::string(value.text()) + "\" is none of the enum");
  if (value.is_string()) check_text(value.text(), schema, where);
  if (value.is_number()) check_size(std::strtod(std::string(value.text()).c_str(), nullptr), schema["minimum"], schema["maximum"], where);
  if (schema["format"].text() == "int32" && std::abs(value.integer().value_or(0)) > INT32_MAX) blame(where, "is no int32");
  if (value.is_array()) {
    check_size(static_cast<double>(value.size()), schema["minItems"], schema["maxItems"], where);
    for (const Json element : value) check(model, element, schema["items"], where + "[]");
  }
  if (!value.is_object()) return;
  for (const Json name : schema["required"])
    if (!has(value, name.text())) blame(where, "lacks " + std::string(name.text()));
  for (const Json member : value) {
    const std::string place = where + "." + std::string(member.name());
    if (has(schema["properties"], member.name())) {
      check(model, member, schema["properties"][member.name()], place);
    } else if (schema["additionalProperties"].is_object()) {
      check(model, member, schema["additionalProperties"], where + ".*");
    } else if (!part && !declares(model, schema, member.name())) {
      blame(place, "not in the model");
    }
  }
}

void Swagger::check_text(std::string_view text, Json schema, const std::string& where) {
  static const std::regex kDateTime("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)");   // RFC 3339
  const std::string_view format = schema["format"].text();
  if (format == "date-time" && (!std::regex_match(text.begin(), text.end(), kDateTime) || !amzsync::base::parse_instant(text))) blame(where, "is no date-time");
  if (format == "date" && (text.size() != 10 || !amzsync::base::parse_instant(text))) blame(where, "is no date");
  if (has(schema, "pattern") && !std::regex_search(text.begin(), text.end(), std::regex(std::string(schema["pattern"].text())))) blame(where, "is not of the pattern");
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  check_size(static_cast<double>(characters), Json(), schema["maxLength"], where);
}

void Swagger::check_size(double size, Json least, Json most, const std::string& where) {
  if (const auto limit = least.integer(); limit && size < static_cast<double>(*limit)) blame(where, "less than " + std::string(least.text()));
  if (const auto limit = most.integer(); limit && size > static_cast<double>(*limit)) blame(where, "more than " + std::string(most.text()));
}

}  // namespace support
