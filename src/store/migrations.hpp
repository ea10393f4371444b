// SPDX-License-Identifier: Apache-2.0
// The numbered schema steps of one database, embedded at build time from src/store/schema/<database>/NNNN_*.sql.
#pragma once

#include <span>
#include <string_view>

namespace amzsync::store {

struct Migration {
  int version;
  std::string_view sql;
};

std::span<const Migration> sqlite_migrations();
std::span<const Migration> postgres_migrations();   // in builds with PostgreSQL

}  // namespace amzsync::store
