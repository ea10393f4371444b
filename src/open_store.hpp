// SPDX-License-Identifier: Apache-2.0
// A database by its name. The only place that names the concrete stores.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "store/store.hpp"

namespace amzsync {
using namespace base;

struct StoreSettings {
  std::string url;                  ///< sqlite:PATH or, in builds with PostgreSQL, postgresql://…
  bool synchronous_full = false;    ///< of SQLite: safe against a loss of power at every commit
};

/// Which kind of database a name means.
enum class StoreKind : std::uint8_t { unknown, sqlite, postgres };
StoreKind store_kind(std::string_view url) noexcept;
/// The names that this build knows, for people.
std::string_view known_stores() noexcept;

/// Opens it, with its schema brought up to date; an SQLite file and its folder are made where there is none. Errors: setting_invalid, store_*.
Result<std::unique_ptr<store::Store>> open_store(const StoreSettings& settings, Executor writer, Executor readers, Clock& clock, const Log& log);

}  // namespace amzsync
