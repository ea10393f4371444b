// SPDX-License-Identifier: Apache-2.0
// Where a PostgreSQL database is: the URL of AMZSYNC_STORE, taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace amzsync::store {
using namespace base;

/// How a database is reached: libpq's URL, and what else our own parameters of it say, which libpq does not know.
struct PostgresAddress {
  std::string url;
  /// `pgbouncer=true` (or 1, yes): a pooler stands before it that gives out server connections by the transaction. Then nothing may be left behind on a connection: no prepared
  /// statements, no settings, no LISTEN.
  bool is_pooled = false;
  /// Where else than the URL says: hosts and ports as libpq takes them, lists by comma; empty: there.
  std::string hosts, ports;

  static PostgresAddress parse(std::string_view url);
  /// Of a copy of the database that follows it (streaming replication): `replica=HOST:PORT,…`, all else as in the URL.
  std::optional<PostgresAddress> replica() const;
  /// Whether libpq can read it. Errors: setting_invalid, in a sentence that shows nothing of what it says.
  Status check() const;

  std::string replica_hosts;   ///< as the URL has them
};

}  // namespace amzsync::store
