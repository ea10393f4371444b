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
           {"postgresql://u@h/d?pgbouncer=1&sslmode=require", "postgresql://u@h/d?sslmode=require", true},
           {"postgresql://u@h/d?pgbouncer=false&sslmode=require", "postgresql://u@h/d?sslmode=require", false},
           {"postgresql://u@h/d?pgbouncer=0", "postgresql://u@h/d", false},
           {"postgresql://u@h/d?pgbouncer=trueish", "postgresql://u@h/d?pgbouncer=trueish", false}};
  for (const auto& u : urls) {
    CAPTURE(std::string(u.url));
    const auto address = PostgresAddress::parse(u.url);
    CHECK(address.url == u.plain);
    CHECK(address.is_pooled == u.pooled);
  }
}

TEST_CASE("a URL that can't be read is refused, and nothing of it is shown") {
  CHECK(PostgresAddress::parse("postgresql://u:p%25ss@h/d?sslmode=require").check());
  for (const char* url : {"postgresql://u:se%cret@h/d", "postgresql://u@h/d?secret=1", "postgresql://u:%00secret@h/d", "postgresql://u@[::1/secret", "postgresql://u:secret/x@h/d", "postgresql://u:x@secret@h/d", "postgresql://u@h/d?pgbouncer=on"}) {
    CAPTURE(std::string(url));
    const auto checked = PostgresAddress::parse(url).check();
    REQUIRE_FALSE(checked);
    CHECK(checked.code() == amzsync::base::Code::setting_invalid);
    CHECK(checked.error().message.find("cret") == std::string::npos);
  }
}

TEST_CASE("a URL names a copy of the database to read from, in a word that libpq is not told") {
  CHECK_FALSE(PostgresAddress::parse("postgresql://u@h/d").replica());
  const struct {
    const char *url, *plain, *hosts, *ports;
  } urls[]{{"postgresql://u@h/d?replica=r", "postgresql://u@h/d", "r", "5432"},
           {"postgresql://u@h/d?replica=10.0.0.5:6432", "postgresql://u@h/d", "10.0.0.5", "6432"},
           {"postgresql://u@h/d?sslmode=require&replica=a:1,b,[::1]:3,[fe80::2]&connect_timeout=3", "postgresql://u@h/d?sslmode=require&connect_timeout=3", "a,b,::1,fe80::2", "1,5432,3,5432"},
           {"postgresql://u@h/d?replica=r&pgbouncer=true", "postgresql://u@h/d", "r", "5432"}};
  for (const auto& u : urls) {
    CAPTURE(std::string(u.url));
    const auto address = PostgresAddress::parse(u.url);
    const auto replica = address.replica();
    CHECK(address.hosts.empty());
    REQUIRE(replica);
    CHECK(replica->url == u.plain);
    CHECK(replica->hosts == u.hosts);
    CHECK(replica->ports == u.ports);
    CHECK(replica->is_pooled == address.is_pooled);
  }
}

TEST_SUITE_END();
#endif
