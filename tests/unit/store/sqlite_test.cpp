// SPDX-License-Identifier: Apache-2.0
#include "support/test_store.hpp"

#include "store/migrations.hpp"

using namespace support;

TEST_SUITE_BEGIN("store");

TEST_CASE("a full disk is told, nothing is half-written, and it goes on when there is room again") {
  TestStore t;
  const auto insert = [](store::Tx& tx) -> Status {
    for (int i = 0; i < 500; ++i) tx.run("INSERT INTO counters VALUES(?1, 1)", "row-" + std::to_string(i));
    return Done{};
  };
  t.files.fail_writes(-1);
  CHECK(t.write(insert).code() == Code::store_full);
  t.files.fail_writes(0);
  CHECK(t.count("SELECT count(*) FROM counters WHERE name LIKE 'row-%'") == 0);
  CHECK(t.write(insert));
  CHECK(t.count("SELECT count(*) FROM counters WHERE name LIKE 'row-%'") == 500);
}

TEST_CASE("a database of a newer version is refused, unless it says that older writers will do") {
  const int newest = store::sqlite_migrations().back().version;
  for (const bool older_will_do : {false, true}) {
    TestStore t;
    CHECK(t.write([&](store::Tx& tx) -> Status {
      tx.run("UPDATE meta SET value=?1 WHERE key='min_writer'", std::to_string(newest + (older_will_do ? 0 : 1)));
      tx.run("PRAGMA user_version=" + std::to_string(newest + 1));
      return Done{};
    }));
    store::SqliteOptions options;
    options.path = "/test.db";
    options.vfs = t.files.name();
    options.lock_path = t.lock_path();
    CHECK(store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log()).code() == (older_will_do ? Code::ok : Code::store_newer));
  }
}

TEST_CASE("what is no database is told as damaged") {
  TestStore t;
  t.store.reset();
  t.files.restore({{"/test.db", std::string(8'192, 'x')}});
  store::SqliteOptions options;
  options.path = "/test.db";
  options.vfs = t.files.name();
  options.lock_path = t.lock_path();
  CHECK(store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log()).code() == Code::store_corrupt);
}

TEST_CASE("every schema step leads from an empty database to the same schema, and names rise") {
  int last = 0;
  for (const store::Migration& m : store::sqlite_migrations()) {
    CHECK(m.version == last + 1);
    last = m.version;
  }
  TestStore t;
  CHECK(t.count("PRAGMA user_version") == last);
  t.reopen();
  CHECK(t.count("PRAGMA user_version") == last);
}

TEST_SUITE_END();
