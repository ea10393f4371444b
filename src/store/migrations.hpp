// SPDX-License-Identifier: Apache-2.0
// The numbered schema steps of one database, embedded at build time from src/store/schema/<database>/NNNN_*.sql.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace amzsync::store {
using namespace base;

struct Migration {
  int version;
  std::string_view sql;
};

std::span<const Migration> sqlite_migrations();
/// store_newer: the database is of that version, and this program knows only so much.
inline Error newer_schema(std::int64_t version, int known) {
  return Error(Code::store_newer, "The database has schema version " + std::to_string(version) + ", this version of amzsync knows " + std::to_string(known) + ". Please use the newer version of amzsync.");
}
std::span<const Migration> postgres_migrations();   // in builds with PostgreSQL

}  // namespace amzsync::store
