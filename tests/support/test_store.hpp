// SPDX-License-Identifier: Apache-2.0
// A store for tests of what is done with it: everything runs inline, time stands where the test puts it. AMZSYNC_TEST_STORE chooses which: "memory" (SQLite
// on a file system in memory, the default), "file" (SQLite on the system's) or "postgres" (the server that AMZSYNC_TEST_POSTGRES names).
#pragma once

#include <asio/io_context.hpp>
#include <doctest/doctest.h>

#include <cstdlib>

#include "store/connections.hpp"
#include "store/runs.hpp"
#ifdef AMZSYNC_POSTGRES
#include "store/postgres/postgres_store.hpp"
#endif
#include "store/sqlite/sqlite_store.hpp"
#include "store/users.hpp"
#include "support/postgres.hpp"
#include "world/memory_vfs.hpp"
#include "world/virtual_clock.hpp"

namespace support {

using namespace amzsync::base;   // NOLINT: vocabulary
namespace store = amzsync::store;

class TestStore {
 public:
  TestStore() : files(1), clock(*parse_instant("2026-11-23T15:00:00Z")) { reopen(); }
  ~TestStore() {
    store.reset();
    for (const std::string& path : {lock_path(), file_path(), file_path() + "-wal", file_path() + "-shm"}) ::unlink(path.c_str());
  }

  void reopen() {
    store.reset();
    store = open_another();
  }
  /// As another process would.
  std::unique_ptr<store::Store> open_another() { return open_on(loop.get_executor(), loop.get_executor()); }
  std::unique_ptr<store::Store> open_on(Executor writer, Executor readers) {
#ifdef AMZSYNC_POSTGRES
    if (!is_sqlite()) {
      if (!schema_) schema_.emplace();
      auto opened = store::open_postgres_store({.url = schema_->url(), .server_clock = false}, writer, readers, clock, Log());
      REQUIRE_MESSAGE(opened.ok(), (opened ? "" : opened.error().message));
      return std::move(*opened);
    }
#endif
    const bool on_disk = kind() == "file";
    store::SqliteOptions options;
    options.path = on_disk ? file_path() : "/test.db";
    if (!on_disk) options.vfs = files.name();
    options.lock_path = lock_path();
    auto opened = store::open_sqlite_store(options, writer, readers, clock, Log());
    REQUIRE_MESSAGE(opened.ok(), (opened ? "" : opened.error().message));
    return std::move(*opened);
  }
  static std::string_view kind() {
    const char* set = std::getenv("AMZSYNC_TEST_STORE");
    return set ? set : "memory";
  }
  std::string file_path() const { return lock_path() + ".db"; }
  std::string lock_path() const { return "/tmp/amzsync-test-" + std::to_string(::getpid()) + "-" + std::to_string(number_); }

  /// One transaction.
  template <class Work>
  auto write(Work work) {
    return write_by(*store, std::move(work));
  }
  template <class Work>
  auto write_by(store::Store& by, Work work) {
    using R = std::invoke_result_t<Work&, store::Tx&>;
    std::optional<R> result;
    asio::co_spawn(loop, into(by.write(store::Urgency::normal, std::move(work)), result), [](const std::exception_ptr&) {});
    loop.restart();
    loop.poll();
    REQUIRE(result.has_value());
    return std::move(*result);
  }
  /// Whether what was deleted is gone from the files.
  bool scrub() {
    std::optional<Result<bool>> result;
    asio::co_spawn(loop, into(store->scrub(), result), [](const std::exception_ptr&) {});
    loop.restart();
    loop.poll();
    REQUIRE(result.has_value());
    REQUIRE(result->ok());
    return **result;
  }
  template <class Work>
  auto read(Work work) {
    return store->read_now(std::move(work));
  }
  std::int64_t count(const std::string& sql) {
    return *read([&](store::Tx& tx) -> Result<std::int64_t> { return tx.integer(sql).value_or(-1); });
  }

  static bool is_sqlite() { return kind() != "postgres"; }

  /// A connected user.
  UserNo connected(const std::string& name = "u1", const std::string& seller = "A1") {
    return *write([&](store::Tx& tx) -> Result<UserNo> {
      const UserNo user = store::ensure_user(tx, UserId(name));
      store::Authorisation a;
      a.user = user;
      a.region = "na";
      a.seller = SellerId(seller);
      a.sealed_refresh_token = "sealed";
      AMZ_TRY(connection, store::store_authorisation(tx, a));
      return user;
    });
  }
  /// A run of theirs, held by engine 1.
  store::Fence running(UserNo user, const std::string& id = "sync-1") {
    return *write([&](store::Tx& tx) -> Result<store::Fence> {
      AMZ_TRY(run, store::trigger(tx, {user, store::Cause::manual, SyncId(id), {}, false}));
      const auto claimed = store::claim(tx, EngineNo{1}, std::chrono::seconds(30));
      if (!claimed) return Code::internal;
      return claimed->fence;
    });
  }
  /// A write of a run.
  template <class Work>
  auto in_run(const store::Fence& fence, Work work) {
    return write([&](store::Tx& tx) -> std::invoke_result_t<Work&, const store::RunTx&> {
      AMZ_TRY(run, store::RunTx::enter(tx, fence));
      return work(run);
    });
  }

#ifdef AMZSYNC_POSTGRES
  std::optional<support::PostgresSchema> schema_;   // outlives its store
#endif
  world::MemoryVfs files;
  world::VirtualClock clock;
  asio::io_context loop{1};
  std::unique_ptr<store::Store> store;

 private:
  static inline int next_ = 0;
  const int number_ = next_++;
  template <class R>
  static Async<void> into(Async<R> task, std::optional<R>& result) {
    result.emplace(co_await std::move(task));
  }
};

}  // namespace support
