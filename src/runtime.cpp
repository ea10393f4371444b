// SPDX-License-Identifier: Apache-2.0
#include "runtime.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "net/curl_transport.hpp"
#include "store/sqlite/sqlite_store.hpp"
#ifdef AMZSYNC_POSTGRES
#include "store/postgres/postgres_store.hpp"
#endif

namespace amzsync {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
#ifdef AMZSYNC_POSTGRES
constexpr std::string_view kStores = "sqlite:PATH or postgresql://…";
bool is_postgres(std::string_view store) noexcept { return store.starts_with("postgresql://") || store.starts_with("postgres://"); }
#else
constexpr std::string_view kStores = "sqlite:PATH";
#endif
constexpr int kMostSignIns = 1'000;   // token calls at once

Result<store::SqliteOptions> sqlite_options(const RuntimeSettings& settings) {
  if (!settings.store.starts_with(kSqlite) || settings.store.size() == kSqlite.size())
    return Error(Code::setting_invalid, "The store must be " + std::string(kStores) + "; '" + settings.store.substr(0, settings.store.find("://")) + "' is not supported by this build.");
  store::SqliteOptions options;
  options.path = settings.store.substr(kSqlite.size());
  options.synchronous_full = settings.synchronous_full;
  std::error_code failed;
  if (const auto folder = std::filesystem::path(options.path).parent_path(); !folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) return Error(Code::store_unavailable, "The folder of the database " + options.path + " can't be made: " + failed.message() + ".");
  return options;
}

/// The database holds sealed tokens and a seller's books: for its owner's eyes.
void keep_private(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) ::chmod((path + suffix).c_str(), S_IRUSR | S_IWUSR);
}

}  // namespace

Runtime::Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::open(RuntimeSettings settings, Log log) {
  auto runtime = std::unique_ptr<Runtime>(new Runtime());
  AMZ_CHECK(runtime->open_parts(std::move(settings), std::move(log)));
  return runtime;
}

Status Runtime::open_parts(RuntimeSettings settings, Log log) {
  clock_ = make_system_clock(loop_.get_executor());
  entropy_ = make_system_entropy();
  net::CurlOptions curl;
  curl.ca_file = settings.ca_file;
  transport_ = net::make_curl_transport(loop_.get_executor(), *clock_, curl);
  curl.max_transfers = kMostSignIns;
  sign_in_ = net::make_curl_transport(loop_.get_executor(), *clock_, curl);
  AMZ_CHECK(open_store(settings, log));
  AMZ_TRY(me, store_->register_engine());
  engine_ = std::make_unique<Engine>(std::move(settings.engine), EngineParts{loop_.get_executor(), work_.get_executor(), dispatcher_.get_executor(), *clock_, *entropy_,
                                                                             *transport_, *sign_in_, *store_, me, std::move(log)});
  loop_thread_ = std::thread([this] { loop_.run(); });
  asio::post(loop_, [this] { engine_->start(); });
  return Done{};
}

Status Runtime::open_store(const RuntimeSettings& settings, const Log& log) {
#ifdef AMZSYNC_POSTGRES
  if (is_postgres(settings.store)) {
    AMZ_TRY(store, store::open_postgres_store({.url = settings.store}, writer_.get_executor(), work_.get_executor(), *clock_, log));
    store_ = std::move(store);
    return Done{};
  }
#endif
  AMZ_TRY(options, sqlite_options(settings));
  AMZ_TRY(store, store::open_sqlite_store(options, writer_.get_executor(), work_.get_executor(), *clock_, log));
  store_ = std::move(store);
  keep_private(options.path);
  return Done{};
}

Async<void> Runtime::stop() {
  co_await engine_->stop();
  co_await calls_.all_ended();
}

Runtime::~Runtime() {
  if (loop_thread_.joinable()) {
    // Stop triggers, cancel, drain the store, join the dispatcher, stop the loop; frames are gone before the store is.
    std::promise<void> stopped;
    asio::co_spawn(loop_.get_executor(), stop(), [&stopped](const std::exception_ptr&) { stopped.set_value(); });
    stopped.get_future().wait();
    engine_->dispatcher().close();
    dispatcher_.join();
    writer_.join();
    work_.join();
    keep_running_.reset();
    loop_.stop();
    loop_thread_.join();
  }
  engine_.reset();
  store_.reset();
  sign_in_.reset();
  transport_.reset();
  clock_.reset();
}

}  // namespace amzsync
