// SPDX-License-Identifier: Apache-2.0
// Moves what an SQLite file holds into a PostgreSQL database, when one machine is not enough any more.
#pragma once

#include <functional>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"

namespace amzsync {
using namespace base;

/// Blocks until all is copied and compared (store::copy_store); the file stays as it was. `progress`: how many rows of a table were copied, now and then, on the
/// calling thread; may be empty. The receipt: {"tables": [{"name", "rows", "copied", "digest"}], "rows", "copied"}.
/// Errors: setting_invalid, not_found where there is no such file, those of the stores.
Result<std::string> migrate(const std::string& from, const std::string& to, const std::function<void(const std::string& table, std::int64_t rows)>& progress, const Log& log);

}  // namespace amzsync
