// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <doctest/doctest.h>

#include "base/crypto.hpp"
#include "base/json_writer.hpp"
#include "sim/random.hpp"
#include "support/allocations.hpp"

using namespace amzsync::base;

namespace {

std::string canonical(const char* text) {
  auto document = JsonDocument::parse(text);
  REQUIRE(document);
  std::string out;
  append_canonical(out, document->root());
  return out;
}

/// A random value of limited depth, written with random blanks.
std::string random_json(amzsim::Random& r, int depth) {
  const auto blank = [&] { return std::string(static_cast<std::size_t>(r.below(2)), ' '); };
  switch (r.below(depth > 3 ? 4 : 6)) {
    case 0: return "null";
    case 1: return r.one_in(2) ? "true" : "false";
    case 2: return std::to_string(r.between(-1'000'000, 1'000'000)) + (r.one_in(2) ? "." + std::to_string(r.between(1, 999)) : "");
    case 3: {
      std::string text;
      for (std::int64_t i = r.below(6); i > 0; --i) text += "a\"\\\n\xC3\xA9\t"[r.below(4)];
      std::string out;
      append_json_string(out, text);
      return out;
    }
    case 4: {
      std::string out = "[";
      for (std::int64_t i = r.below(4); i > 0; --i) out += (out.size() > 1 ? "," : "") + blank() + random_json(r, depth + 1) + blank();
      return out + "]";
    }
    default: {
      std::string out = "{";
      for (std::int64_t i = r.below(4); i > 0; --i) out += (out.size() > 1 ? "," : "") + blank() + "\"k" + std::to_string(i) + "\":" + blank() + random_json(r, depth + 1);
      return out + "}";
    }
  }
}

}  // namespace

TEST_SUITE_BEGIN("base");

TEST_CASE("a document is read whole, with the text of its numbers") {
  const auto document = JsonDocument::parse(R"( {"a":[1.10, -0.0,1e2],"b":{"c":"x\u00e9\ud83d\ude00\n"},"t":true,"n":null, "a":7 } )");
  REQUIRE(document);
  const Json root = document->root();
  CHECK(root["b"]["c"].text() == "x\xC3\xA9\xF0\x9F\x98\x80\n");
  CHECK(root["a"].integer() == 7);   // the last of a name wins
  CHECK(root["t"].boolean() == true);
  CHECK(root["n"].is_null());
  CHECK(root["nothing"]["below"].is_null());
  CHECK(root.size() == 5);
}

TEST_CASE("anything but one well-formed value is refused, also where nobody would look") {
  for (const char* text : {"", "  ", "{", "[", "{\"a\":1", "[1,2", "{\"a\":1}x", "{\"a\":1}}", "[1 2]", "{\"a\" 1}", "{\"a\":1,}", "[1,]", "[01]", "[1.]", "[.5]", "[+1]", "[1e]", "[-]", "tru", "nul", "{\"unread\":tru}",
                           "{\"unread\":[1,{\"deep\":01}]}", "\"abc", "\"a\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\u12g4\"", "\"a\nb\"", "{\"a\":\"\xff\"}", "<html>", "5 6", "{\"a\":1}{\"b\":2}"}) {
    CAPTURE(text);
    const auto document = JsonDocument::parse(text);
    CHECK(!document);
    if (!document) CHECK(document.code() == Code::bad_answer);
  }
}

TEST_CASE("nesting without end is refused, not followed") {
  CHECK(!JsonDocument::parse(std::string(100'000, '[')));
  CHECK(!JsonDocument::parse(std::string(200, '[') + std::string(200, ']')));
  CHECK(JsonDocument::parse(std::string(60, '[') + std::string(60, ']')));
}

TEST_CASE("two answers that mean the same have the same canonical text") {
  CHECK(canonical(R"({"b":1,"a":{"y":2.50,"x":null}})") == canonical(R"( { "a" : { "y" : 25e-1 } , "b" : 1.0 , "c" : null , "d":[], "e":{"f":{}} } )"));
  CHECK(canonical(R"({"a":[1,null,2]})") != canonical(R"({"a":[1,2]})"));
  // The last of a name that says anything counts; what an array holds keeps its place.
  CHECK(canonical(R"({"b":0,"a":1,"a":2,"a":{"x":[]}})") == R"({"a":2,"b":0})");
  CHECK(canonical(R"({"a":{"x":null},"a":[[null,{}]],"b":[null,{"y":null},[]],"c":[[],false]})") == R"({"c":[[],false]})");
  CHECK(canonical("[0.10,-1.00,100,-0,1200.50,0.0]") == "[0.1,-1,100,0,1200.5,0]");
  CHECK(canonical(R"({"amount":{"v":5,"c":"USD"}})") != canonical(R"({"amount":{"v":999,"c":"EUR"}})"));
  CHECK(canonical("[1.50,1e1,-0.0,0.001,1e-3,123456789012345678901234567890,1e50,1.0e-50]") == "[1.5,10,0,0.001,0.001,123456789012345678901234567890,1e50,1e-50]");
  // Exponents that no number can hold must not become texts that no memory can.
  CHECK(canonical("[10e2147483647,1e2147483647,1e-2147483648,1.5e9223372036854775807,1e99999999999999999999,-2e-99999999999999999999]") ==
        "[1e2147483648,1e2147483647,1e-2147483648,15e999999999999999,1e1000000000000000,-2e-1000000000000000]");
}

TEST_CASE("what is written is read again") {
  amzsim::Random random(3);
  for (int i = 0; i < 3'000; ++i) {
    const std::string text = random_json(random, 0);
    CAPTURE(text);
    const auto document = JsonDocument::parse(text);
    REQUIRE(document);
    std::string compact, twice, first, second;
    append_json(compact, document->root());
    const auto again = JsonDocument::parse(compact);
    REQUIRE(again);
    append_json(twice, again->root());
    CHECK(compact == twice);
    append_canonical(first, document->root());
    append_canonical(second, again->root());
    CHECK(first == second);
  }
}

TEST_CASE("the writer puts commas where they belong and cleans what is not UTF-8") {
  JsonWriter json;
  json.begin_object().field("a", 1).key("b").begin_array().value("x").value(true).begin_object().end_object().null().end_array();
  json.field("m", Micros{-12'340'000}).field_null("n").field("bad", std::string_view("a\xff\x01z")).end_object();
  CHECK(json.text() == R"({"a":1,"b":["x",true,{},null],"m":-12.34,"n":null,"bad":"a?\u0001z"})");
  CHECK(JsonDocument::parse(json.text()));
}

TEST_CASE("a document that there is no memory for is not taken for a broken one") {
  const std::string text = R"({"a":[1,2,{"b":"c"}],"d":"e"})";
  bool read = false;
  for (std::int64_t nth = 0; !read; ++nth) {
    CAPTURE(nth);
    support::Scarcity scarce(nth);
    try {
      const support::Exposed now;
      const auto document = JsonDocument::parse(text);
      read = document && !scarce.refused();
      REQUIRE((read || scarce.refused()));
      REQUIRE(document);
    } catch (const std::bad_alloc&) {
      REQUIRE(scarce.refused());
    }
  }
}

TEST_SUITE_END();
