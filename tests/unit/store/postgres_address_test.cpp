// SPDX-License-Identifier: Apache-2.0
#ifdef AMZSYNC_POSTGRES
#include <doctest/doctest.h>

#include "store/postgres/connection.hpp"

using amzsync::store::PostgresAddress;

TEST_SUITE_BEGIN("store");

TEST_CASE("a URL says whether a pooler stands before the database, in a word that libpq is not told") {
  const struct {
    const char *url, *plain;
    bool pooled;
  } urls[]{{"postgresql://u@h/d", "postgresql://u@h/d", false},
           {"postgresql://u@h/d?pgbouncer=true", "postgresql://u@h/d", true},
           {"postgresql://u@h/d?pgbouncer=true&sslmode=require", "postgresql://u@h/d?sslmode=require", true},
           {"postgresql://u@h/d?sslmode=require&pgbouncer=true", "postgresql://u@h/d?sslmode=require", true},
           {"postgresql://u@h/d?sslmode=require&pgbouncer=true&connect_timeout=3", "postgresql://u@h/d?sslmode=require&connect_timeout=3", true},
           {"postgresql://u@h/d?pgbouncer=trueish", "postgresql://u@h/d?pgbouncer=trueish", false}};
  for (const auto& u : urls) {
    CAPTURE(std::string(u.url));
    const auto address = PostgresAddress::parse(u.url);
    CHECK(address.url == u.plain);
    CHECK(address.is_pooled == u.pooled);
  }
}

TEST_SUITE_END();
#endif
