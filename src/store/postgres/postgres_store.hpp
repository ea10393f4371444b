// SPDX-License-Identifier: Apache-2.0
// The store in PostgreSQL, for any number of processes on any number of machines: one connection that writes, some that read, one that hears of what others wrote.
// Transactions that write are serialisable, so what holds with one writer at a time holds there too: one that saw what another one wrote meanwhile is done again.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

namespace amzsync::store {

struct PostgresOptions {
  std::string url;                ///< postgresql://…, as libpq takes it (TLS by sslmode); pgbouncer=true behind a pooler by the transaction, replica=HOST:PORT of a copy that follows it, for much reading
  bool server_clock = true;       ///< leases are measured by the server's clock, which all processes share; false: by the given one, for tests
};

/// Connects, and brings the schema up to date; safe while other processes do the same. `writer` runs one job at a time; `readers` may run several.
/// Errors: store_unavailable, store_busy, store_full, store_read_only, store_newer.
Result<std::unique_ptr<Store>> open_postgres_store(const PostgresOptions& options, Executor writer, Executor readers, Clock& clock, Log log);

}  // namespace amzsync::store
