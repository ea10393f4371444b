// SPDX-License-Identifier: Apache-2.0
#include "open_store.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "store/sqlite/sqlite_store.hpp"
#ifdef AMZSYNC_POSTGRES
#include "store/postgres/postgres_store.hpp"
#endif

namespace amzsync {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

/// The database holds sealed tokens and a seller's books: for its owner's eyes. What its owner may not do stays so.
void keep_private(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string file = path + suffix;
    struct stat found {};
    if (::stat(file.c_str(), &found) == 0) ::chmod(file.c_str(), found.st_mode & S_IRWXU);
  }
}

Result<std::unique_ptr<store::Store>> open_sqlite(const StoreSettings& settings, Executor writer, Executor readers, Clock& clock, const Log& log) {
  store::SqliteOptions options;
  options.path = settings.url.substr(kSqlite.size());
  options.synchronous_full = settings.synchronous_full;
  std::error_code failed;
  if (const auto folder = std::filesystem::path(options.path).parent_path(); !folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) return Error(Code::store_unavailable, "The folder of the database " + options.path + " can't be made: " + failed.message() + ".");
  AMZ_TRY(store, store::open_sqlite_store(options, std::move(writer), std::move(readers), clock, log));
  keep_private(options.path);
  return std::move(store);
}

}  // namespace

StoreKind store_kind(std::string_view url) noexcept {
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size()) return StoreKind::sqlite;
#ifdef AMZSYNC_POSTGRES
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return StoreKind::postgres;
#endif
  return StoreKind::unknown;
}

std::string_view known_stores() noexcept {
#ifdef AMZSYNC_POSTGRES
  return "sqlite:PATH or postgresql://…";
#else
  return "sqlite:PATH";
#endif
}

Result<std::unique_ptr<store::Store>> open_store(const StoreSettings& settings, Executor writer, Executor readers, Clock& clock, const Log& log) {
  switch (store_kind(settings.url)) {
    case StoreKind::sqlite: return open_sqlite(settings, std::move(writer), std::move(readers), clock, log);
#ifdef AMZSYNC_POSTGRES
    case StoreKind::postgres: return store::open_postgres_store({.url = settings.url}, std::move(writer), std::move(readers), clock, log);
#endif
    default: break;
  }
  return Error(Code::setting_invalid, "The store must be " + std::string(known_stores()) + "; '" + settings.url.substr(0, settings.url.find("://")) + "' is not supported by this build.");
}

}  // namespace amzsync
