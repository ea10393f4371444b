// SPDX-License-Identifier: Apache-2.0
#include "base/money.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "sim/random.hpp"

using namespace amzsync::base;

TEST_SUITE_BEGIN("base");

TEST_CASE("a number's text is read exactly, whatever way it is written") {
  struct Row {
    const char* text;
    std::int64_t micros;
  };
  for (const Row& row : {Row{"0", 0}, {"-0", 0}, {"-0.0", 0}, {"1", 1'000'000}, {"12.34", 12'340'000}, {"-12.34", -12'340'000}, {"1e-2", 10'000}, {"1E+3", 1'000'000'000},
                         {"12345678901.23", 12'345'678'901'230'000}, {"0.000001", 1}, {"1.10e1", 11'000'000}, {"9223372036854.775807", std::numeric_limits<std::int64_t>::max()},
                         {"-9223372036854.775807", -std::numeric_limits<std::int64_t>::max()}, {"100000000000000000000e-20", 1'000'000}, {"0e999999999", 0}, {"5.0000000000", 5'000'000}}) {
    CAPTURE(row.text);
    const ParsedAmount parsed = parse_amount(row.text);
    CHECK(parsed.fault == AmountFault::none);
    CHECK(parsed.micros.value == row.micros);
  }
}

TEST_CASE("what can't be held exactly is said, never rounded") {
  for (const char* text : {"0.0000001", "1.2345678", "1e-7", "0.10000000000000000000000000001"}) {
    CAPTURE(text);
    CHECK(parse_amount(text).fault == AmountFault::finer_than_micros);
  }
  for (const char* text : {"9223372036854.775808", "1e13", "1e400", "99999999999999999999999", "1e999999999999"}) {
    CAPTURE(text);
    CHECK(parse_amount(text).fault == AmountFault::out_of_range);
  }
  for (const char* text : {"", "-", "1.", ".5", "01", "1e", "1e+", "+1", "1,5", "0x10", "NaN", "1 ", " 1", "--1", "1.2.3", "\"1\""}) {
    CAPTURE(text);
    CHECK(parse_amount(text).fault == AmountFault::malformed);
  }
}

TEST_CASE("printing and reading an amount gives the same amount") {
  amzsim::Random random(11);
  for (int i = 0; i < 20'000; ++i) {
    const Micros amount{static_cast<std::int64_t>(random.next()) >> random.below(60)};
    if (amount.value == std::numeric_limits<std::int64_t>::min()) continue;
    const std::string text = format_micros(amount);
    CAPTURE(text);
    const ParsedAmount parsed = parse_amount(text);
    CHECK(parsed.fault == AmountFault::none);
    CHECK(parsed.micros == amount);
  }
  CHECK(format_micros(Micros{-500'000}) == "-0.5");
  CHECK(format_micros(Micros{std::numeric_limits<std::int64_t>::min()}) == "-9223372036854.775808");
}

TEST_CASE("a sum that leaves the range is no sum") {
  const Micros most{std::numeric_limits<std::int64_t>::max()};
  CHECK(add(most, Micros{-1})->value == most.value - 1);
  CHECK(!add(most, Micros{1}));
}

TEST_CASE("a currency is three letters and nothing else") {
  CHECK(Currency::parse("usd")->text() == "USD");
  for (const char* text : {"", "US", "USDX", "U1D", "ÜSD", "U D"}) CHECK(!Currency::parse(text));
}

TEST_SUITE_END();
