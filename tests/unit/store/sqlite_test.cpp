// SPDX-License-Identifier: Apache-2.0
#include "support/test_store.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "store/migrations.hpp"
#include "store/sqlite/liveness.hpp"

using namespace support;

namespace {

/// No file of this process grows beyond a size while it lives; as where a disk ends, but that the system gives another reason.
class LimitedFiles {
 public:
  explicit LimitedFiles(std::uint64_t size) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = size;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~LimitedFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  LimitedFiles(const LimitedFiles&) = delete;
  LimitedFiles& operator=(const LimitedFiles&) = delete;

 private:
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before_{};
};

}  // namespace

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

TEST_CASE("a limit on the size of files is told as a full disk is, wherever in the files it lies") {
  const std::filesystem::path folder = "/tmp/amzsync-test-" + std::to_string(::getpid()) + "-room";
  std::filesystem::create_directory(folder);
  TestStore t;
  store::SqliteOptions options;
  options.path = folder / "s.db";
  auto opened = store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log());
  REQUIRE(opened);
  t.store = std::move(*opened);
  const auto insert = [](store::Tx& tx) -> Status {
    for (int i = 0; i < 50; ++i) tx.run("INSERT INTO counters VALUES(?1, 1)", "row-" + std::to_string(i) + std::string(300, 'x'));
    return Done{};
  };
  const auto had = std::filesystem::file_size(folder / "s.db-wal");
  REQUIRE(had > 100'000);
  for (const std::uint64_t size : {had, had + 1'000, had + 10'000, had / 2, std::uint64_t{5'000}}) {
    CAPTURE(size);
    {
      const LimitedFiles limited(size);
      CHECK(t.write(insert).code() == Code::store_full);
    }
    CHECK(t.count("SELECT count(*) FROM counters WHERE name LIKE 'row-%'") == 0);
  }
  CHECK(t.write(insert));
  CHECK(t.count("SELECT count(*) FROM counters WHERE name LIKE 'row-%'") == 50);
  t.store.reset();
  std::filesystem::remove_all(folder);
}

TEST_CASE("a database whose file is taken away or replaced beneath the process takes no writes and tells nothing, until it is back") {
  const std::filesystem::path folder = "/tmp/amzsync-test-" + std::to_string(::getpid()) + "-moved", file = folder / "s.db", aside = folder / "aside.db";
  std::filesystem::create_directory(folder);
  TestStore t;
  store::SqliteOptions options;
  options.path = file;
  auto opened = store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log());
  REQUIRE(opened);
  t.store = std::move(*opened);
  REQUIRE(t.store->register_engine());
  const auto insert = [](store::Tx& tx) -> Status {
    tx.run("INSERT INTO counters VALUES('row-' || (SELECT count(*) FROM counters), 1)");
    return Done{};
  };
  const auto look = [](store::Tx& tx) -> Status {
    (void)tx.integer("SELECT count(*) FROM counters");
    return Done{};
  };
  CHECK(t.write(insert));
  std::filesystem::rename(file, aside);
  for (const bool replaced : {false, true}) {
    CAPTURE(replaced);
    if (replaced) std::filesystem::copy_file(aside, file);
    const Status written = t.write(insert);
    CHECK(written.code() == Code::store_unavailable);
    CHECK(written.error().message.find("removed, moved or replaced") != std::string::npos);
    CHECK(t.read(look).code() == Code::store_unavailable);
  }
  std::filesystem::rename(aside, file);
  CHECK(t.write(insert));
  CHECK(t.count("SELECT count(*) FROM counters WHERE name LIKE 'row-%'") == 2);
  // Nor where its log is another's: what is written there is found by nobody. Those that are put back are the same.
  for (const char* part : {"-wal", "-shm"}) {
    CAPTURE(part);
    const std::filesystem::path log = file.string() + part, log_aside = aside.string() + part;
    std::filesystem::rename(log, log_aside);
    CHECK(t.write(insert).code() == Code::store_unavailable);
    std::filesystem::rename(log_aside, log);
    CHECK(t.write(insert));
  }
  t.store.reset();
  std::filesystem::remove_all(folder);
}

namespace {

/// A database in a folder of its own, that an engine has open and has written a row to.
class OnDisk {
 public:
  OnDisk() : folder("/tmp/amzsync-test-" + std::to_string(::getpid()) + "-disk"), file(folder / "s.db"), aside(folder / "aside.db"), log(file.string() + "-wal") {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    REQUIRE(open());
    REQUIRE(t.store->register_engine());
    REQUIRE(insert());
  }
  ~OnDisk() {
    t.store.reset();
    std::filesystem::remove_all(folder);
  }
  Status open() {
    store::SqliteOptions options;
    options.path = file;
    auto opened = store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log());
    if (!opened) return opened.error();
    t.store = std::move(*opened);
    return Done{};
  }
  Status insert() {
    return t.write([](store::Tx& tx) -> Status {
      tx.run("INSERT INTO counters VALUES('row-' || (SELECT count(*) FROM counters), 1)");
      return Done{};
    });
  }
  std::int64_t rows() { return t.count("SELECT count(*) FROM counters WHERE name LIKE 'row-%'"); }
  std::uintmax_t log_size() const { return std::filesystem::exists(log) ? std::filesystem::file_size(log) : 0; }

  TestStore t;
  std::filesystem::path folder, file, aside, log;
};

}  // namespace

TEST_CASE("what was written last is in the file that was open when the process ends, and no log of it is left beside another") {
  for (const bool of_log : {false, true}) {
    CAPTURE(of_log);
    OnDisk disk;
    // Somebody reads, so that SQLite would leave the log to whoever closes last.
    sqlite3* reader = nullptr;
    REQUIRE(sqlite3_open_v2(disk.file.c_str(), &reader, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_exec(reader, "SELECT count(*) FROM meta", nullptr, nullptr, nullptr) == SQLITE_OK);
    if (of_log) {
      std::filesystem::remove(disk.log);
    } else {
      std::filesystem::rename(disk.file, disk.aside);
    }
    disk.t.store.reset();
    CHECK(disk.log_size() == 0);
    sqlite3_close(reader);
    if (!of_log) std::filesystem::rename(disk.aside, disk.file);
    REQUIRE(disk.open());
    CHECK(disk.rows() == 1);
  }
}

TEST_CASE("a log without its database is left as it is: it may be all that there is of one that was moved away") {
  for (const bool empty : {false, true}) {
    CAPTURE(empty);
    OnDisk disk;
    std::filesystem::rename(disk.file, disk.aside);
    if (empty) std::ofstream(disk.file).close();
    const auto before = disk.log_size();
    REQUIRE(before > 0);
    store::SqliteOptions options;
    options.path = disk.file;
    const auto other = store::open_sqlite_store(options, disk.t.loop.get_executor(), disk.t.loop.get_executor(), disk.t.clock, Log());
    CHECK(other.code() == Code::store_unavailable);
    CHECK(other.error().message.find("no database beside it") != std::string::npos);
    CHECK(disk.log_size() == before);
    std::filesystem::rename(disk.aside, disk.file);
    CHECK(disk.insert());
    CHECK(disk.rows() == 2);
  }
}

TEST_CASE("once a page is found damaged nothing more is written, and whoever asks is told") {
  OnDisk disk;
  {
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(disk.file.c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(other);
  }
  const auto size = std::filesystem::file_size(disk.file);
  {
    std::fstream file(disk.file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4'096);
    file << std::string(size - 4'096, 'x');
  }
  const auto look = [](store::Tx& tx) -> Status {
    (void)tx.integer("SELECT count(*) FROM journal");
    return Done{};
  };
  CHECK(disk.t.read(look).code() == Code::store_corrupt);
  const Status refused = disk.insert();
  CHECK(refused.code() == Code::store_corrupt);
  CHECK(refused.error().message.find("Nothing more is written") != std::string::npos);
}

TEST_CASE("the place of an engine goes with its process, whatever children were forked of it") {
  const std::string path = "/tmp/amzsync-test-" + std::to_string(::getpid()) + "-liveness";
  auto mine = store::LivenessFile::open(path), another = store::LivenessFile::open(path);
  REQUIRE(mine);
  REQUIRE(another);
  REQUIRE((*mine)->hold(EngineNo{7}));
  int until[2], ready[2];
  REQUIRE((::pipe(until) == 0 && ::pipe(ready) == 0));
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    ::close(until[1]);
    (void)!::write(ready[1], "r", 1);
    (void)!::read(until[0], &byte, 1);   // lives until its parent says so
    ::_exit(0);
  }
  char byte = 0;
  CHECK(::read(ready[0], &byte, 1) == 1);
  CHECK((*another)->is_held(EngineNo{7}));
  mine->reset();
  CHECK(!(*another)->is_held(EngineNo{7}));
  for (const int fd : {until[0], until[1], ready[0], ready[1]}) ::close(fd);
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  ::unlink(path.c_str());
}

TEST_CASE("engines that open a file by different links meet at one lock file") {
  const std::string folder = "/tmp/amzsync-test-" + std::to_string(::getpid()) + "-links";
  std::filesystem::create_directory(folder);
  std::filesystem::create_symlink("real.db", folder + "/link.db");
  {
    TestStore t;
    store::SqliteOptions options;
    options.path = folder + "/real.db";
    const auto real = store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log());
    options.path = folder + "/link.db";
    const auto link = store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log());
    REQUIRE(real);
    REQUIRE(link);
    const auto first = (*real)->register_engine(), second = (*link)->register_engine();
    REQUIRE(first);
    REQUIRE(second);
    CHECK((*real)->engine_may_live(*second));
    CHECK((*link)->engine_may_live(*first));
  }
  std::filesystem::remove_all(folder);
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

TEST_CASE("a database of another program's is refused and left as it is; one that has only tables of its own beside ours will do") {
  struct Foreign {
    const char* made;
    Code told;
  };
  for (const Foreign& foreign : {Foreign{"CREATE TABLE notes(x); PRAGMA application_id=12345", Code::setting_invalid}, Foreign{"CREATE TABLE notes(x); PRAGMA user_version=7", Code::setting_invalid},
                                 Foreign{"CREATE TABLE users(x)", Code::setting_invalid}, Foreign{"CREATE TABLE notes(x)", Code::ok}}) {
    CAPTURE(foreign.made);
    TestStore t;
    store::SqliteOptions options;
    options.path = "/foreign.db";
    options.vfs = t.files.name();
    options.lock_path = t.lock_path() + "-foreign";
    const auto ask = [&](const std::string& sql) {
      sqlite3* db = nullptr;
      std::string answer;
      REQUIRE(sqlite3_open_v2("/foreign.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, t.files.name().c_str()) == SQLITE_OK);
      const auto keep = [](void* into, int, char** values, char**) { return *static_cast<std::string*>(into) = values[0], 0; };
      CHECK(sqlite3_exec(db, sql.c_str(), keep, &answer, nullptr) == SQLITE_OK);
      sqlite3_close(db);
      return answer;
    };
    ask(foreign.made);
    const auto opened = store::open_sqlite_store(options, t.loop.get_executor(), t.loop.get_executor(), t.clock, Log());
    CHECK(opened.code() == foreign.told);
    if (foreign.told != Code::ok) CHECK(ask("SELECT count(*) FROM sqlite_master") == "1");
    if (std::string_view(foreign.made).find("PRAGMA") != std::string_view::npos) CHECK(ask("PRAGMA journal_mode") == "delete");
    ::unlink(options.lock_path.c_str());
  }
}

TEST_CASE("a write waits ten seconds for another program's lock, and a store that is about to close three in all, however much it has to write") {
  TestStore t;
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open_v2("/test.db", &other, SQLITE_OPEN_READWRITE, t.files.name().c_str()) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  const auto write = [&] { return t.write([](store::Tx& tx) -> Status { return tx.run("UPDATE meta SET value=value"), Done{}; }).code(); };
  auto waited = [&, seen = t.files.waited()]() mutable { return t.files.waited() - std::exchange(seen, t.files.waited()); };
  CHECK(write() == Code::store_busy);
  CHECK(waited() == std::chrono::milliseconds(10'200));
  t.store->hurry();
  for (int i = 0; i < 5; ++i) CHECK(write() == Code::store_busy);
  CHECK(waited() == std::chrono::seconds(3));
  REQUIRE(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  CHECK(write() == Code::ok);
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
