// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"

#include <doctest/doctest.h>

#include "net/retry.hpp"

using namespace amzsync::net;

TEST_SUITE_BEGIN("net");

TEST_CASE("a secret only goes out over https, or to this machine") {
  for (const char* good : {"https://api.amazon.com/auth/o2/token", "https://x", "HTTPS://x/", "http://127.0.0.1:8090", "http://127.0.0.1", "http://localhost:1/x", "http://[::1]:8/x", "http://127.9.8.7/"}) {
    CAPTURE(good);
    CHECK(is_safe_url(good));
  }
  for (const char* bad : {"", "http://api.amazon.com", "http://127.0.0.1.evil.example/", "http://localhost.evil.example", "ftp://127.0.0.1", "http://127.0.0.1@evil.example/", "https://a b", "//x", "https://",
                          "http://1270.0.0.1", "http://127.0.0.1:99x/", "https://user:pass@host/", "file:///etc/passwd", "http://127.0.0.1\\@evil.example/"}) {
    CAPTURE(bad);
    CHECK(!is_safe_url(bad));
  }
}

TEST_CASE("an origin is scheme, host and port, however the URL is written") {
  CHECK(origin_of("https://App.Example:443/x?y#z") == "https://app.example");
  CHECK(origin_of("http://app.example:80") == "http://app.example");
  CHECK(origin_of("http://app.example:8080/") == "http://app.example:8080");
  CHECK(origin_of("https://evil.example/https://app.example") == "https://evil.example");
  CHECK(origin_of("app.example") == "");
}

TEST_CASE("an address that can't be a public one is told by its looks, however it is written") {
  for (const char* good : {"https://bucket.s3.amazonaws.com/x?y", "https://52.94.236.248/", "https://[2600:1f18::1]:443/x", "https://amazonaws.com./"}) {
    CAPTURE(good);
    CHECK(may_be_public(good));
  }
  for (const char* bad : {"https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/", "https://localhost/", "https://intranet/", "https://a.localhost/",
                          "https://metadata.google.internal/", "https://printer.local/", "https://127.1/", "https://10.0.0.01/", "https://0x7f.0.0.1/", "https://127.0.0.1./", "https://2130706433/", "", "https://"}) {
    CAPTURE(bad);
    CHECK_FALSE(may_be_public(bad));
  }
}

TEST_CASE("queries are encoded by RFC 3986, page tokens too") {
  CHECK(query_string({}) == "");
  CHECK(query_string({{"a", "x y"}, {"token", "a+b/c=d,e"}}) == "?a=x%20y&token=a%2Bb%2Fc%3Dd%2Ce");
}

TEST_CASE("one table says which answers are worth a repetition") {
  for (const int status : {200, 202, 204}) CHECK(classify(status) == Outcome::success);
  CHECK(classify(429) == Outcome::throttled);
  for (const int status : {500, 502, 503, 504, 408, 425}) CHECK(classify(status) == Outcome::transient);
  for (const int status : {401, 403}) CHECK(classify(status) == Outcome::denied);
  for (const int status : {301, 400, 404, 409, 413, 415}) CHECK(classify(status) == Outcome::rejected);
  CHECK(classify(Error(Code::timeout)) == Outcome::transient);
  CHECK(classify(Error(Code::cancelled)) == Outcome::rejected);
}

TEST_CASE("waits grow, are spread, and never pass the cap; a budget ends, and successes fill it slowly") {
  const auto entropy = make_system_entropy();
  const Backoff backoff{std::chrono::seconds(1), std::chrono::seconds(8)};
  for (int attempt = 0; attempt < 12; ++attempt)
    for (int i = 0; i < 50; ++i) {
      const Duration wait = backoff.wait(attempt, *entropy);
      CHECK(wait > Duration::zero());
      CHECK(wait <= std::min<Duration>(std::chrono::seconds(1LL << std::min(attempt, 10)), std::chrono::seconds(8)));
    }
  RetryBudget budget(2);
  CHECK(budget.take());
  CHECK(budget.take());
  CHECK(!budget.take());
  CHECK(budget.spent());
  for (int i = 0; i < 20; ++i) budget.reward();
  CHECK(budget.take());
  CHECK(!budget.take());
}

TEST_SUITE_END();
