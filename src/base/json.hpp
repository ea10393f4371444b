// SPDX-License-Identifier: Apache-2.0
// A JSON document read whole and checked whole, with the text of every number kept, because money is read from it.
//
// Why a tree over simdjson's On-Demand parser: On-Demand skips errors in values that nobody visits and yields rows before it
// finds a page truncated; its DOM validates all but turns numbers into doubles. Building the tree visits every value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace amzsync::base {

class JsonDocument;

/// One value of a document; borrowed, valid as long as the document. A missing member reads as null.
class Json {
 public:
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };

  Json() = default;
  Type type() const noexcept { return node_ ? node_->type : Type::null; }
  bool is_null() const noexcept { return type() == Type::null; }
  bool is_object() const noexcept { return type() == Type::object; }
  bool is_array() const noexcept { return type() == Type::array; }
  bool is_string() const noexcept { return type() == Type::string; }
  bool is_number() const noexcept { return type() == Type::number; }

  /// The name under which this value stands in its object; empty in arrays.
  std::string_view name() const noexcept { return node_ ? node_->name : std::string_view(); }
  /// The text of a string (unescaped) or the exact text of a number; empty for everything else.
  std::string_view text() const noexcept { return is_string() || is_number() ? node_->text : std::string_view(); }
  std::optional<std::int64_t> integer() const noexcept;
  std::optional<bool> boolean() const noexcept;

  /// Member by exact name; the last one wins when a name stands twice, as in every parser Amazon's clients use.
  Json operator[](std::string_view member) const noexcept;

  /// Iterates over the elements of an array or the members of an object, in document order.
  class Iterator;
  Iterator begin() const noexcept;
  Iterator end() const noexcept;
  bool empty() const noexcept { return !node_ || !node_->first; }
  std::size_t size() const noexcept;

 private:
  friend class JsonDocument;
  friend struct JsonTreeBuilder;
  struct Node {
    Type type = Type::null;
    bool flag = false;
    std::string_view name;
    std::string_view text;
    const Node* first = nullptr;
    const Node* next = nullptr;
  };
  explicit Json(const Node* node) : node_(node) {}
  const Node* node_ = nullptr;
};

class Json::Iterator {
 public:
  explicit Iterator(const Node* node) : node_(node) {}
  Json operator*() const noexcept { return Json(node_); }
  Iterator& operator++() noexcept {
    node_ = node_->next;
    return *this;
  }
  bool operator==(const Iterator&) const = default;

 private:
  const Node* node_;
};

inline Json::Iterator Json::begin() const noexcept { return Iterator(node_ ? node_->first : nullptr); }
inline Json::Iterator Json::end() const noexcept { return Iterator(nullptr); }

/// Owns a document's memory. Move-only.
class JsonDocument {
 public:
  /// Fails with bad_answer on anything that is not exactly one well-formed JSON value; nesting is limited to 64.
  static Result<JsonDocument> parse(std::string_view text);
  /// The same, but bytes and escapes that are no character (a byte of another charset, half of a surrogate pair) are taken for U+FFFD: one such
  /// character in a title would else keep everything that stands beside it from being read.
  static Result<JsonDocument> parse_mending(std::string_view text);
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  Json root() const noexcept { return Json(root_); }
  Json operator[](std::string_view member) const noexcept { return root()[member]; }

 private:
  struct Arena;
  JsonDocument();
  std::unique_ptr<Arena> arena_;
  const Json::Node* root_ = nullptr;
  friend struct JsonTreeBuilder;
};

/// The canonical text of a value: members sorted by name, numbers in their shortest exact form, no blanks, and nothing
/// written for null, {} or [], so that two answers that mean the same have the same text.
void append_canonical(std::string& out, Json value);
/// A number's shortest exact form: "1.50" → "1.5", "1e1" → "10", "-0.0" → "0".
void append_canonical_number(std::string& out, std::string_view number);
/// Compact JSON of a value as it stands.
void append_json(std::string& out, Json value);

}  // namespace amzsync::base
