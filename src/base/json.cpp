// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>

#include "base/crypto.hpp"
#include "base/json_writer.hpp"

namespace amzsync::base {

namespace od = simdjson::ondemand;

/// Nodes stay where they are made; names and texts point into the padded input or into `strings`.
struct JsonDocument::Arena {
  simdjson::padded_string input;
  std::deque<std::string> strings;  // the few that needed unescaping
  std::vector<std::unique_ptr<Json::Node[]>> blocks;
  std::size_t used = kBlock;

  static constexpr std::size_t kBlock = 512;

  Json::Node* make() {
    if (used == kBlock) {
      blocks.push_back(std::make_unique<Json::Node[]>(kBlock));
      used = 0;
    }
    return &blocks.back()[used++];
  }
};

namespace {

/// RFC 8259 section 6.
bool well_formed_number(std::string_view t) noexcept {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t start = i;
    while (i < t.size() && t[i] >= '0' && t[i] <= '9') ++i;
    return i - start;
  };
  if (i < t.size() && t[i] == '-') ++i;
  const std::size_t start = i;
  const std::size_t n = digits();
  if (n == 0 || (n > 1 && t[start] == '0')) return false;
  if (i < t.size() && t[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
    ++i;
    if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == t.size();
}

std::string_view trimmed(std::string_view t) noexcept {
  while (!t.empty() && (t.back() == ' ' || t.back() == '\n' || t.back() == '\r' || t.back() == '\t')) t.remove_suffix(1);
  return t;
}

}  // namespace

struct JsonTreeBuilder {
  static constexpr int kMaxDepth = 64;

  JsonDocument::Arena& arena;
  const char* fault = nullptr;

  bool fail(const char* why) {
    if (!fault) fault = why;
    return false;
  }

  bool text_of(std::string_view source, std::string_view& out) {
    if (plain_in_json(source) == source.size()) {
      out = source;
      return true;
    }
    for (const char c : source)
      if (static_cast<unsigned char>(c) < 0x20) return fail("a control character inside a string");
    return unescape(source, out);
  }

  /// JSON escapes, surrogate pairs included; a lone surrogate is an error as it has no UTF-8 form.
  bool unescape(std::string_view source, std::string_view& out) {
    std::string& text = arena.strings.emplace_back();
    text.reserve(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
      const char c = source[i];
      if (c != '\\') {
        text += c;
        continue;
      }
      if (++i >= source.size()) return fail("an escape is cut off");
      switch (source[i]) {
        case '"': text += '"'; break;
        case '\\': text += '\\'; break;
        case '/': text += '/'; break;
        case 'b': text += '\b'; break;
        case 'f': text += '\f'; break;
        case 'n': text += '\n'; break;
        case 'r': text += '\r'; break;
        case 't': text += '\t'; break;
        case 'u': {
          std::uint32_t code = 0;
          if (!hex4(source, i + 1, code)) return fail("a malformed \\u escape");
          i += 4;
          if (code >= 0xD800 && code <= 0xDBFF) {
            std::uint32_t low = 0;
            if (source.substr(i + 1, 2) != "\\u" || !hex4(source, i + 3, low) || low < 0xDC00 || low > 0xDFFF) return fail("a lone surrogate");
            i += 6;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          } else if (code >= 0xDC00 && code <= 0xDFFF) {
            return fail("a lone surrogate");
          }
          append_utf8(text, code);
          break;
        }
        default: return fail("an unknown escape");
      }
    }
    out = text;
    return true;
  }

  static bool hex4(std::string_view source, std::size_t at, std::uint32_t& value) {
    if (at + 4 > source.size()) return false;
    auto [end, ec] = std::from_chars(source.data() + at, source.data() + at + 4, value, 16);
    return ec == std::errc() && end == source.data() + at + 4;
  }

  static void append_utf8(std::string& text, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6);
      put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    }
  }

  bool scalar(Json::Node& node, std::string_view token) {
    token = trimmed(token);
    if (token.empty()) return fail("a value is missing");
    switch (token.front()) {
      case '"':
        if (token.size() < 2 || token.back() != '"') return fail("a string is cut off");
        node.type = Json::Type::string;
        return text_of(token.substr(1, token.size() - 2), node.text);
      case 't':
      case 'f':
        if (token != "true" && token != "false") return fail("an unknown word");
        node.type = Json::Type::boolean;
        node.flag = token == "true";
        return true;
      case 'n':
        if (token != "null") return fail("an unknown word");
        return true;
      default:
        if (!well_formed_number(token)) return fail("a malformed number");
        node.type = Json::Type::number;
        node.text = token;
        return true;
    }
  }

  bool build(od::value value, Json::Node& node, int depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    od::json_type type;
    if (value.type().get(type)) return fail("a malformed value");
    if (type == od::json_type::object) {
      od::object object;
      if (value.get_object().get(object)) return fail("a malformed object");
      node.type = Json::Type::object;
      const Json::Node** link = &node.first;
      for (auto item : object) {
        od::field field;
        if (std::move(item).get(field)) return fail("a malformed object");
        Json::Node* child = arena.make();
        // The raw key ends at its closing quote, which is the next unescaped one.
        const char* key = field.key().raw();
        std::size_t length = 0;
        while (key[length] != '"') length += key[length] == '\\' ? 2 : 1;
        if (!text_of({key, length}, child->name)) return false;
        if (!build(field.value(), *child, depth + 1)) return false;
        *link = child;
        link = &child->next;
      }
      return true;
    }
    if (type == od::json_type::array) {
      od::array array;
      if (value.get_array().get(array)) return fail("a malformed array");
      node.type = Json::Type::array;
      const Json::Node** link = &node.first;
      for (auto item : array) {
        od::value element;
        if (std::move(item).get(element)) return fail("a malformed array");
        Json::Node* child = arena.make();
        if (!build(element, *child, depth + 1)) return false;
        *link = child;
        link = &child->next;
      }
      return true;
    }
    return scalar(node, value.raw_json_token());
  }
};

JsonDocument::JsonDocument() : arena_(std::make_unique<Arena>()) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string_view text) {
  const auto bad = [](const char* why) { return Error(Code::bad_answer, std::string("The answer is not valid JSON: ") + why + "."); };
  if (trimmed(text).empty()) return bad("it is empty");
  JsonDocument document;
  document.arena_->input = simdjson::padded_string(text);
  if (document.arena_->input.size() != text.size()) throw std::bad_alloc();   // no fault of the text's

  od::parser parser;
  od::document source;
  if (auto error = parser.iterate(document.arena_->input).get(source)) {
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    return bad(simdjson::error_message(error));
  }
  Json::Node* root = document.arena_->make();
  JsonTreeBuilder builder{*document.arena_};

  od::json_type type;
  if (source.type().get(type)) return bad("a malformed value");
  bool built = false;
  if (type == od::json_type::object || type == od::json_type::array) {
    od::value value;
    if (source.get_value().get(value)) return bad("a malformed value");
    built = builder.build(value, *root, 0);
    // On-Demand stops at the end of the value; anything behind it but blanks is an error.
    if (built) {
      const char* end = nullptr;
      if (!source.current_location().get(end) && end) {
        const char* stop = document.arena_->input.data() + document.arena_->input.size();
        if (end < stop && !trimmed(std::string_view(end, static_cast<std::size_t>(stop - end))).empty()) return bad("something follows the document");
      }
    }
  } else {
    std::string_view token = text;
    while (!token.empty() && (token.front() == ' ' || token.front() == '\n' || token.front() == '\r' || token.front() == '\t')) token.remove_prefix(1);
    built = builder.scalar(*root, std::string_view(document.arena_->input.data() + (token.data() - text.data()), token.size()));
  }
  if (!built) return bad(builder.fault ? builder.fault : "a malformed value");
  document.root_ = root;
  return document;
}

namespace {

/// Half pairs of surrogates, by their escapes; a backslash that is itself escaped begins none.
std::string without_lone_surrogates(std::string_view text) {
  const auto code_at = [&](std::size_t at) -> std::optional<std::uint32_t> {
    std::uint32_t code = 0;
    if (text.substr(at, 2) != "\\u" || !JsonTreeBuilder::hex4(text, at + 2, code)) return std::nullopt;
    return code;
  };
  constexpr std::size_t kEscape = 6;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto code = text[i] == '\\' ? code_at(i) : std::nullopt;
    const bool high = code && *code >= 0xD800 && *code <= 0xDBFF, low = code && *code >= 0xDC00 && *code <= 0xDFFF;
    const auto next = high ? code_at(i + kEscape) : std::nullopt;
    std::size_t length = text[i] == '\\' ? (code ? kEscape : 2) : 1;
    if (high && next && *next >= 0xDC00 && *next <= 0xDFFF) {
      length = 2 * kEscape;
    } else if (high || low) {
      out += "\\ufffd";
      i += kEscape;
      continue;
    }
    out += text.substr(i, length);
    i += length;
  }
  return out;
}

}  // namespace

Result<JsonDocument> JsonDocument::parse_mending(std::string_view text) {
  auto document = parse(text);
  if (document) return document;
  auto mended = parse(without_lone_surrogates(storable_utf8(text)));
  return mended ? std::move(mended) : std::move(document);
}

std::optional<std::int64_t> Json::integer() const noexcept {
  if (!is_number()) return std::nullopt;
  std::int64_t value = 0;
  std::string_view t = node_->text;
  // "5.0" is five.
  if (const std::size_t dot = t.find('.'); dot != std::string_view::npos && t.find_first_not_of('0', dot + 1) == std::string_view::npos) t = t.substr(0, dot);
  auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), value);
  if (ec != std::errc() || end != t.data() + t.size()) return std::nullopt;
  return value;
}

std::optional<bool> Json::boolean() const noexcept {
  if (type() != Type::boolean) return std::nullopt;
  return node_->flag;
}

Json Json::operator[](std::string_view member) const noexcept {
  Json found;
  if (is_object())
    for (const Json child : *this)
      if (child.name() == member) found = child;
  return found;
}

std::size_t Json::size() const noexcept {
  std::size_t n = 0;
  for (auto it = begin(); it != end(); ++it) ++n;
  return n;
}

namespace {

/// What is left of a number without the zeros that end its fraction. False: it is long, or has an exponent or zeros before it, and nothing was appended.
bool append_plain_number(std::string& out, std::string_view t) {
  constexpr std::size_t kShort = 32;
  const std::string_view digits = t.starts_with('-') ? t.substr(1) : t;
  const auto is_digit = [&](std::size_t i) { return i < digits.size() && digits[i] >= '0' && digits[i] <= '9'; };
  if (t.size() > kShort || !is_digit(0) || (digits[0] == '0' && is_digit(1)) || t.find_first_of("eE") != std::string_view::npos) return false;
  if (t.find('.') != std::string_view::npos) {
    t = t.substr(0, t.find_last_not_of('0') + 1);
    if (t.back() == '.') t.remove_suffix(1);
  }
  out += t == "-0" ? "0" : t;
  return true;
}

}  // namespace

void append_canonical_number(std::string& out, std::string_view t) {
  if (append_plain_number(out, t)) return;
  const bool negative = !t.empty() && t.front() == '-';
  if (negative) t.remove_prefix(1);
  std::string digits;
  std::int64_t exponent = 0;
  const std::size_t e = t.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view power = t.substr(e + 1);
    if (!power.empty() && power.front() == '+') power.remove_prefix(1);
    constexpr std::int64_t kBeyondAll = 1'000'000'000'000'000;
    if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec != std::errc() || exponent > kBeyondAll || exponent < -kBeyondAll)
      exponent = power.starts_with('-') ? -kBeyondAll : kBeyondAll;
    t = t.substr(0, e);
  }
  for (std::size_t i = 0, point = t.find('.'); i < t.size(); ++i) {
    if (t[i] == '.') continue;
    digits += t[i];
    if (point != std::string_view::npos && i > point) --exponent;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (digits.empty()) {
    out += '0';
    return;
  }
  if (negative) out += '-';
  const auto n = static_cast<std::int64_t>(digits.size());
  constexpr std::int64_t kPlain = 40;  // beyond that the exponent form is shorter, and huge exponents must not make huge texts
  if (exponent >= 0 && n + exponent <= kPlain) {
    out += digits;
    out.append(static_cast<std::size_t>(exponent), '0');
  } else if (exponent < 0 && -exponent < n) {
    out.append(digits, 0, static_cast<std::size_t>(n + exponent));
    out += '.';
    out.append(digits, static_cast<std::size_t>(n + exponent));
  } else if (exponent < 0 && -exponent <= kPlain) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - n), '0');
    out += digits;
  } else {
    out += digits + 'e' + std::to_string(exponent);
  }
}

namespace {

class CanonicalText {
 public:
  explicit CanonicalText(std::string& out) : out_(out) {
    constexpr std::size_t kUsual = 64;
    members_.reserve(kUsual);
  }

  /// Whether the value says anything: null does not, nor an object or array in which nothing does.
  bool value(Json v) {
    switch (v.type()) {
      case Json::Type::null: out_ += "null"; return false;
      case Json::Type::boolean: out_ += *v.boolean() ? "true" : "false"; return true;
      case Json::Type::number: append_canonical_number(out_, v.text()); return true;
      case Json::Type::string: append_json_utf8(out_, v.text()); return true;
      case Json::Type::array: return array(v);
      case Json::Type::object: return object(v);
    }
    return false;
  }

 private:
  /// Places in an array carry meaning, so nothing is left out.
  bool array(Json v) {
    out_ += '[';
    bool first = true, says = false;
    for (const Json element : v) {
      if (!first) out_ += ',';
      first = false;
      says |= value(element);
    }
    out_ += ']';
    return says;
  }

  bool object(Json v) {
    const std::size_t first = members_.size();
    for (const Json member : v)
      if (!member.is_null()) members_.push_back(member);
    const std::size_t end = members_.size();
    sort_by_name(first);
    out_ += '{';
    bool says = false;
    for (std::size_t i = first, next = first; i < end; i = next) {
      while (next < end && members_[next].name() == members_[i].name()) ++next;
      // The last of a name wins, among those that say anything.
      bool told = false;
      for (std::size_t last = next; !told && last-- > i;) told = member(members_[last], says);
      says |= told;
    }
    members_.resize(first);
    out_ += '}';
    return says;
  }

  bool member(Json m, bool after_another) {
    const std::size_t before = out_.size();
    if (after_another) out_ += ',';
    append_json_utf8(out_, m.name());
    out_ += ':';
    if (value(m)) return true;
    out_.resize(before);
    return false;
  }

  /// Keeps equals in their order. Of a few members, without the memory that std::stable_sort asks for.
  void sort_by_name(std::size_t first) {
    constexpr std::ptrdiff_t kFew = 32;
    const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(first), end = members_.end();
    const auto before = [](Json a, Json b) { return a.name() < b.name(); };
    if (end - begin > kFew) return std::stable_sort(begin, end, before);
    for (auto next = begin; next != end; ++next) std::rotate(std::upper_bound(begin, next, *next, before), next, next + 1);
  }

  std::string& out_;
  std::vector<Json> members_;   // of the objects that are being written, the innermost's last
};

}  // namespace

void append_canonical(std::string& out, Json value) { CanonicalText(out).value(value); }

void append_json(std::string& out, Json value) {
  switch (value.type()) {
    case Json::Type::null: out += "null"; return;
    case Json::Type::boolean: out += *value.boolean() ? "true" : "false"; return;
    case Json::Type::number: out += value.text(); return;
    case Json::Type::string: append_json_utf8(out, value.text()); return;
    case Json::Type::array:
    case Json::Type::object: {
      const bool object = value.is_object();
      out += object ? '{' : '[';
      bool first = true;
      for (const Json child : value) {
        if (!first) out += ',';
        first = false;
        if (object) {
          append_json_utf8(out, child.name());
          out += ':';
        }
        append_json(out, child);
      }
      out += object ? '}' : ']';
      return;
    }
  }
}

}  // namespace amzsync::base
