// SPDX-License-Identifier: Apache-2.0
#include "base/gunzip.hpp"
#include "base/gzip.hpp"

#include <doctest/doctest.h>

#include "base/charset.hpp"
#include "sim/random.hpp"
#include "sim/reports.hpp"

using namespace amzsync::base;

namespace {

constexpr std::uint64_t kMost = 1U << 20;

/// What comes out when the bytes come in pieces of the given size.
Result<std::string> unpack(std::string_view bytes, std::size_t piece, std::uint64_t most = kMost) {
  std::string text;
  const Gunzip::Out out = [&text](std::string_view got) -> Status {
    text += got;
    return Done{};
  };
  Gunzip gunzip(most);
  for (std::size_t at = 0; at < bytes.size(); at += piece) AMZ_CHECK(gunzip.push(bytes.substr(at, piece), out));
  AMZ_CHECK(gunzip.finish(out));
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("base");

TEST_CASE("packed never, once, twice and in several members, in pieces of any size, the text is the same") {
  amzsim::Random random(11);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += static_cast<char>(random.between(32, 126));
  const std::string once = gzipped(text);
  const std::string members = gzipped(text.substr(0, 7'000)) + gzipped(text.substr(7'000));
  for (const std::string& packed : {text, once, gzipped(once), members})
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4'096}, packed.size()}) {
      const auto unpacked = unpack(packed, piece);
      REQUIRE(unpacked);
      CHECK(*unpacked == text);
    }
  CHECK(*unpack("", 1) == "");
}

TEST_CASE("what was cut off or damaged is told, at every length") {
  const std::string packed = gzipped("The quick brown fox jumps over the lazy dog.");
  for (std::size_t length = 3; length < packed.size(); ++length) {
    CAPTURE(length);
    CHECK(unpack(packed.substr(0, length), 5).code() == Code::bad_answer);
  }
  std::string damaged = packed;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 0x20);   // the checksum
  CHECK(unpack(damaged, 5).code() == Code::bad_answer);
}

TEST_CASE("a bomb ends before it fills the memory") {
  const std::string bomb = gzipped(gzipped(std::string(64U << 20, 'x')));
  CHECK(bomb.size() < 5'000);
  CHECK(unpack(bomb, bomb.size()).code() == Code::answer_too_large);
}

TEST_CASE("each charset becomes UTF-8, and no byte gets lost") {
  CHECK(to_utf8("caf\xE9 \x80 5", Charset::cp1252) == "café € 5");
  CHECK(to_utf8("café", Charset::utf8) == "café");
  CHECK(to_utf8("caf\xE9", Charset::utf8) == "café");   // said to be UTF-8, and is not
  CHECK(to_utf8("\x83\x65\x83\x58\x83\x67", Charset::shift_jis) == "テスト");
  for (int byte = 1; byte < 256; ++byte) CHECK(!to_utf8(std::string(1, static_cast<char>(byte)), Charset::cp1252).empty());
  CHECK(charset_of("text/plain; charset=Cp1252") == Charset::cp1252);
  CHECK(charset_of("text/plain;charset=UTF-8") == Charset::utf8);
  CHECK(charset_of("text/plain; charset=Shift_JIS") == Charset::shift_jis);
  CHECK(!charset_of("binary/octet-stream"));
}

TEST_SUITE_END();
