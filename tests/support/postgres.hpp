// SPDX-License-Identifier: Apache-2.0
// A schema of its own for a test, in the server that AMZSYNC_TEST_POSTGRES names (tests/host/with_postgres.py starts one). It goes with the test.
#pragma once

#ifdef AMZSYNC_POSTGRES
#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

class PostgresSchema {
 public:
  PostgresSchema() : name_("t" + std::to_string(::getpid()) + "_" + std::to_string(next_++)) {
    // What tests use of SQLite's own functions.
    run("CREATE SCHEMA " + name_ + "; SET search_path=" + name_ + "; CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(encode($1, 'hex')) $$; "
        "CREATE FUNCTION joined(text, text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce($1 || $3, '') || $2 $$; "
        "CREATE AGGREGATE group_concat(text, text) (SFUNC=joined, STYPE=text)");
  }
  ~PostgresSchema() {
    eye_.reset();
    try {
      run("DROP SCHEMA " + name_ + " CASCADE");
    } catch (const std::exception&) {   // NOLINT: it stays; the server is thrown away after the tests
    }
  }
  PostgresSchema(const PostgresSchema&) = delete;
  PostgresSchema& operator=(const PostgresSchema&) = delete;

  /// What a query answers, as text.
  std::vector<std::vector<std::string>> rows(const std::string& sql) const {
    if (!eye_) eye_.reset(PQconnectdb(url().c_str()));
    const std::unique_ptr<PGresult, Clear> result(PQexec(eye_.get(), sql.c_str()));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw std::runtime_error(PQerrorMessage(eye_.get()) + sql);
    std::vector<std::vector<std::string>> rows;
    for (int r = 0; r < PQntuples(result.get()); ++r) {
      auto& row = rows.emplace_back();
      for (int c = 0; c < PQnfields(result.get()); ++c) row.emplace_back(PQgetisnull(result.get(), r, c) != 0 ? "NULL" : PQgetvalue(result.get(), r, c));
    }
    return rows;
  }

  std::string url() const { return base() + (base().find('?') == std::string::npos ? "?" : "&") + "options=-csearch_path%3D" + name_; }

 private:
  struct Clear {
    void operator()(PGresult* r) const { PQclear(r); }
  };
  struct Close {
    void operator()(PGconn* c) const { PQfinish(c); }
  };
  static std::string base() {
    const char* url = std::getenv("AMZSYNC_TEST_POSTGRES");
    if (!url) throw std::runtime_error("AMZSYNC_TEST_POSTGRES does not name a server");
    return url;
  }
  static void run(const std::string& sql) {
    const std::unique_ptr<PGconn, Close> connection(PQconnectdb(base().c_str()));
    const std::unique_ptr<PGresult, Clear> result(PQexec(connection.get(), ("SET client_min_messages=error; " + sql).c_str()));
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  }

  static inline int next_ = 0;
  std::string name_;
  mutable std::unique_ptr<PGconn, Close> eye_;
};

}  // namespace support
#endif
