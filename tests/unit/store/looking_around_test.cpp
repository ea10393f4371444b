// SPDX-License-Identifier: Apache-2.0
// What the engine asks at every commit, and at every claim, is as cheap with a thousand runs as with ten: in steps of SQLite's machine, which no clock measures.
#include <sqlite3.h>

#include <functional>

#include "support/test_store.hpp"

using namespace support;

namespace {

std::int64_t g_steps = 0;

int count_steps(unsigned, void*, void* statement, void*) {
  g_steps += sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP, 1);
  return 0;
}
int watch(sqlite3* db, const char**, const sqlite3_api_routines*) { return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, count_steps, nullptr); }

/// While it lives, every connection that is opened counts its steps.
struct Watching {
  Watching() { sqlite3_auto_extension(entry()); }
  ~Watching() { sqlite3_cancel_auto_extension(entry()); }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
  static void (*entry())() { return reinterpret_cast<void (*)()>(watch); }   // the type that SQLite's documentation has one cast from
};

/// `runs` of a user each, triggered, of which engine 1 holds the first `held`.
struct Busy {
  Watching watching;
  TestStore t;
  Busy(int runs, int held, store::Cause cause) {
    for (int n = 1; n <= runs; ++n) {
      const UserNo user = t.connected("user-" + std::to_string(n), "A" + std::to_string(n));
      REQUIRE(t.write([&](store::Tx& tx) { return store::trigger(tx, {user, cause, SyncId("sync-" + std::to_string(n)), {}, false}); }));
      if (n <= held) claim();
    }
  }
  std::int64_t claim() {
    return steps([&] { REQUIRE(*t.write([](store::Tx& tx) -> Result<bool> { return store::claim(tx, EngineNo{1}, std::chrono::hours(1)).has_value(); })); });
  }
  std::int64_t look() {
    return steps([&] {
      REQUIRE(t.read([](store::Tx& tx) -> Status {
        store::look_for_unheld(tx, EngineNo{1});
        store::cancel_requests(tx, EngineNo{1});
        store::pause_requests(tx, EngineNo{1});
        return Done{};
      }));
    });
  }
  std::int64_t steps(const std::function<void()>& work) {
    g_steps = 0;
    work();
    return g_steps;
  }
};

}  // namespace

TEST_SUITE_BEGIN("store");

TEST_CASE("a look around costs as much when an engine holds a thousand runs as when it holds ten") {
  if (!TestStore::is_sqlite()) return;
  const std::int64_t few = Busy(10, 10, store::Cause::manual).look(), many = Busy(1'000, 1'000, store::Cause::manual).look();
  CHECK(few > 0);
  CHECK(many < 2 * few);
}

TEST_CASE("a claim costs as much when a thousand runs wait as when ten do") {
  if (!TestStore::is_sqlite()) return;
  for (const auto cause : {store::Cause::manual, store::Cause::schedule}) {
    const std::int64_t few = Busy(10, 5, cause).claim(), many = Busy(1'000, 5, cause).claim();
    CHECK(few > 0);
    CHECK(many < 2 * few);
  }
}

TEST_SUITE_END();
