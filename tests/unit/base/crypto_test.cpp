// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.hpp"

#include <doctest/doctest.h>

#include "base/entropy.hpp"
#include "base/id.hpp"
#include "base/secret.hpp"

using namespace amzsync::base;

TEST_SUITE_BEGIN("base");

TEST_CASE("known hashes and encodings") {
  const Sha256 digest = sha256("abc");
  CHECK(hex({reinterpret_cast<const char*>(digest.data()), 4}) == "ba7816bf");
  CHECK(base64_encode("any carnal pleas") == "YW55IGNhcm5hbCBwbGVhcw==");
  CHECK(base64_decode("YW55IGNhcm5hbCBwbGVhcw==") == "any carnal pleas");
  CHECK(base64_decode("") == "");
  for (const char* text : {"YW5", "YW 5", "YW55\n", "****", "YW55IA="}) CHECK(!base64_decode(text));
  CHECK(percent_encode("a b+c/d=e~%\xC3\xA9") == "a%20b%2Bc%2Fd%3De~%25%C3%A9");
}

TEST_CASE("the sum of hashes does not depend on their order") {
  const Hash128 a = Hash128::of("a"), b = Hash128::of("b"), c = Hash128::of("c");
  Hash128 one, other;
  for (const Hash128& h : {a, b, c, a}) one += h;
  for (const Hash128& h : {c, a, a, b}) other += h;
  CHECK(one == other);
  Hash128 without;
  for (const Hash128& h : {a, b, c}) without += h;
  CHECK(one != without);
}

TEST_CASE("UTF-8 is told from what only looks like it") {
  for (const char* good : {"", "abc", "\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x98\x80"}) CHECK(valid_utf8(good));
  for (const char* bad : {"\xff", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\x80z"}) CHECK(!valid_utf8(bad));
  CHECK(clean_utf8("a\xffz", 10) == "a?z");
  CHECK(clean_utf8("\xE6\x97\xA5\xE6\x97\xA5", 5) == "\xE6\x97\xA5");
}

TEST_CASE("UUIDs sort by their time and are all different") {
  const auto entropy = make_system_entropy();
  const std::string older = entropy->uuid7(from_us(1'700'000'000'000'000)), newer = entropy->uuid7(from_us(1'700'000'000'001'000));
  CHECK(older < newer);
  CHECK(older.size() == 36);
  CHECK(older[14] == '7');
  CHECK(entropy->uuid7(from_us(5)) != entropy->uuid7(from_us(5)));
}

TEST_CASE("a user id is what a host may mean by one") {
  for (const std::string& good : {std::string("u"), std::string("user@example.com"), std::string("\xE6\x97\xA5"), std::string(200, 'x')}) CHECK(parse_user_id(good));
  for (const std::string& bad : {std::string(), std::string(201, 'x'), std::string("a\nb"), std::string(" a"), std::string("a "), std::string("\xff"), std::string("a\0b", 3)}) CHECK(!parse_user_id(bad));
}

TEST_CASE("a secret that was moved from or overwritten leaves nothing behind") {
  Secret secret(std::string("short"));
  const Secret taken = std::move(secret);
  CHECK(secret.empty());   // NOLINT: the moved-from state is what is tested
  CHECK(taken.reveal() == "short");
  std::string buffer = "a longer text that lives on the heap, not in the string itself";
  const char* where = buffer.data();
  const std::size_t size = buffer.size();
  wipe(buffer);
  CHECK(buffer.empty());
  CHECK(std::string_view(where, size).find("heap") == std::string_view::npos);
}

TEST_SUITE_END();
