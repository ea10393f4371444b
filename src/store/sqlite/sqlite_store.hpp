// SPDX-License-Identifier: Apache-2.0
// The store in one SQLite file (WAL): one writer with group commit, a pool of readers.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

namespace amzsync::store {

struct SqliteOptions {
  std::string path;
  bool synchronous_full = false;  ///< survive power loss too, at a price per commit
  std::string vfs;                ///< empty: the system's; the tests' world brings its own
  std::string lock_path;          ///< empty: path + "-engines"
};

/// Opens or creates the database and brings its schema up to date. `writer` runs one job at a time; `readers` may run several.
/// Errors: store_unavailable, store_busy, store_full, store_read_only, store_corrupt, store_newer.
Result<std::unique_ptr<Store>> open_sqlite_store(const SqliteOptions& options, Executor writer, Executor readers, Clock& clock, Log log);

}  // namespace amzsync::store
