// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <asio/post.hpp>
#include <atomic>
#include <filesystem>
#include <mutex>

#include "base/memory.hpp"
#include "store/copy.hpp"
#include "store/migrations.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/liveness.hpp"
#include "store/write_queue.hpp"

namespace amzsync::store {
namespace {

/// How long one group commit collects jobs. It bounds how long another process waits for the lock (design 14).
constexpr Duration kBatchTime = std::chrono::milliseconds(5);

class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteOptions& options, Executor writer, Executor readers, Clock& clock, Log log)
      : options_(options), writer_executor_(std::move(writer)), reader_executor_(std::move(readers)), clock_(clock), log_(std::move(log)) {}

  /// The engine has drained the writer before; what was never attempted is dropped with its waiting coroutine.
  ~SqliteStore() override { save_log(); }

  Status open() {
    Status opened = open_all();
    if (!opened && opened.code() == Code::store_unavailable && lies_where_nobody_writes()) return Code::store_read_only;
    // What SQLite can't open for want of room it calls trouble with the disk.
    constexpr std::uint64_t kLittle = 1U << 20;
    const auto disk = disk_of_database();
    if (!opened && opened.code() == Code::store_unavailable && disk && disk->room < kLittle) return Code::store_full;
    return opened;
  }

  Status open_all() {
    AMZ_CHECK(refuse_log_alone());
    AMZ_TRY(writer, SqliteConnection::open(options_.path, options_.vfs, SqliteConnection::Mode::writer, clock_));
    writer_ = std::move(writer);
    AMZ_CHECK(refuse_foreign());
    AMZ_CHECK(writer_->exec("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA journal_size_limit=16777216; PRAGMA secure_delete=ON"));
    AMZ_CHECK(writer_->exec(options_.synchronous_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
    AMZ_CHECK(writer_->keep_log_short());
    AMZ_CHECK(migrate());
    AMZ_TRY(watcher, open_reader());
    watcher_ = std::move(watcher);
    AMZ_TRY(liveness, LivenessFile::open(lock_path()));
    liveness_ = std::move(liveness);
    return Done{};
  }

  Result<EngineNo> register_engine() override {
    // Numbers are never given twice (AUTOINCREMENT), so a held place can only be this engine's.
    AMZ_CHECK(begin_immediate());
    writer_->start_attempt();
    if (Status whole = refuse_half_copied(*writer_); !whole) return roll_back(whole.error());
    const auto number = writer_->integer("INSERT INTO engines(opened_at) VALUES(?1) RETURNING engine_no", writer_->now());
    if (writer_->error() || !number) return roll_back(writer_->error().value_or(Error(Code::internal)));
    const EngineNo engine{*number};
    // Before the commit: nobody may see an engine that does not hold its place yet.
    if (Status held = liveness_->hold(engine); !held) return roll_back(held.error());
    AMZ_CHECK(writer_->exec("COMMIT"));
    std::error_code nowhere;
    path_ = std::filesystem::absolute(options_.path, nowhere).string();
    if (!nowhere) places_ = places_of_files();   // the log is there by now
    return engine;
  }

  void hurry() noexcept override { writer_->hurry(); }

  bool engine_may_live(EngineNo engine) override { return liveness_->is_held(engine); }

  /// What is spared is much on a large disk. On a small one it is no less than a group commit may take, twice: in the log, and where the log is written back to.
  bool has_room() override {
    constexpr std::uint64_t kMost = 64U << 20, kLeast = 16U << 20, kShare = 20;
    const auto disk = disk_of_database();
    return !disk || disk->room >= std::clamp(disk->size / kShare, kLeast, kMost) + disk->log;
  }

  std::uint64_t change_counter() override {
    std::lock_guard lock(watcher_mutex_);
    watcher_->start_attempt();
    const auto version = watcher_->integer("PRAGMA data_version");
    return static_cast<std::uint64_t>(version.value_or(0));
  }

  void on_commit(std::function<void()> listener) override { on_commit_ = std::move(listener); }

  void submit_write(Urgency urgency, std::unique_ptr<Job> job) override {
    if (queue_.push(urgency, std::move(job))) insist([this] { asio::post(writer_executor_, [this] { drain(); }); });
  }

  /// What is deleted is overwritten in the database itself (secure_delete); the log still holds it until all of it is written back and cut off.
  void submit_scrub(Completion<Result<bool>> done) override {
    asio::post(writer_executor_, [this, d = std::move(done)]() mutable { d(writer_->cut_log()); });
  }

  void submit_read(std::unique_ptr<Job> job) override {
    asio::post(reader_executor_, [this, j = std::move(job)] { perform_read(*j); });
  }

  void perform_read(Job& job) override {
    if (Status there = in_place(); !there) return job.finish(there);
    auto borrowed = borrow_reader();
    if (!borrowed) {
      watch_for_damage(borrowed.error());
      return job.finish(borrowed.error());
    }
    SqliteConnection& reader = **borrowed;
    Status outcome = reader.exec("BEGIN");
    if (outcome) {
      outcome = refuse_newer(reader, "min_reader");
      if (outcome) outcome = job.attempt(reader);
      if (const auto& error = reader.error()) outcome = *error;
      (void)reader.exec("ROLLBACK");
    }
    // One that could not end its transaction is of no use to the next.
    if (sqlite3_get_autocommit(reader.raw()) != 0) give_back(std::move(*borrowed));
    watch_for_damage(outcome);
    job.finish(std::move(outcome));
  }

 private:
  /// Beside the file itself, by whatever links it is opened: SQLite follows them too, and all engines must meet at one.
  std::string lock_path() const {
    return options_.lock_path.empty() ? real_path() + "-engines" : options_.lock_path;
  }
  std::string real_path() const {
    std::error_code failed;
    const auto real = std::filesystem::weakly_canonical(options_.path, failed);
    return failed ? options_.path : real.string();
  }
  using Place = std::pair<dev_t, ino_t>;
  /// Of the database, its log and the log's index, by their names; nothing where they are no files of the system's.
  std::vector<std::optional<Place>> places_of_files() const {
    std::vector<std::optional<Place>> places;
    if (!options_.vfs.empty()) return places;
    const std::string real = sqlite3_db_filename(writer_->raw(), "main");   // where the others lie, if a link leads there
    for (const std::string& path : {path_, real + "-wal", real + "-shm"}) {
      struct stat file {};
      places.push_back(::stat(path.c_str(), &file) == 0 ? std::optional(Place{file.st_dev, file.st_ino}) : std::nullopt);
    }
    return places;
  }
  /// A file that is open lives on without its name, or under another: what is written there nobody else will find, nor we after the next start.
  bool has_names() const { return places_.empty() || places_of_files() == places_; }
  Status in_place() const {
    if (damaged_) return Error(Code::store_corrupt, "The database file was found damaged. Nothing more is written to it: stop all processes that use it, put a whole one in its place, and start them again.");
    if (has_names()) return Done{};
    return Error(Code::store_unavailable, "The database's file, or its log, was removed, moved or replaced while this process had it open. Stop all processes that use it, not by force, see that it is the one that is meant, and start them again.");
  }

  /// At the end what was written last may be in the log alone. SQLite itself writes it back only where the names still lead to the files; else nobody would find it once
  /// it is closed, or somebody would beside another database.
  void save_log() noexcept {
    try {
      if (!writer_ || has_names()) return;
      const auto saved = writer_->save_log();
      if (!saved) log_.error("The database's file was moved, removed or replaced, and what was written last could not be put into it", {{"error", saved.error().message}});
      if (saved) log_.warn("The database's file, or its log, was moved, removed or replaced; what was written last is in the file that was open, and its log is empty");
    } catch (...) {
      // Without memory nothing can be told.
    }
  }
  /// Whoever writes on makes more of it than what is damaged.
  void watch_for_damage(const Status& outcome) {
    if (!outcome && outcome.code() == Code::store_corrupt && !damaged_.exchange(true)) log_.error("The database is damaged", {{"error", outcome.error().message}});
  }

  /// SQLite takes a log beside an empty database, or none, for a left-over, and empties it: it may be all that there is of a database that was moved away.
  Status refuse_log_alone() const {
    if (!options_.vfs.empty()) return Done{};
    const std::string path = real_path();
    struct stat file {}, log {};
    if (::stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0 || (::stat(path.c_str(), &file) == 0 && file.st_size != 0)) return Done{};
    return Error(Code::store_unavailable, "There is a log (" + path + "-wal), and no database beside it. Put the database back to where it was; only if it is not wanted any more, remove the log too.");
  }

  struct Disk {
    std::uint64_t size = 0, room = 0;   ///< bytes; `room`: by which the database may still grow
    std::uint64_t log = 0;              ///< bytes that it may grow by when the log is written back
  };

  /// On a file system that is read-only SQLite can't open its log, and says no more than that.
  bool lies_where_nobody_writes() const {
    struct statvfs disk {};
    const auto folder = std::filesystem::path(options_.path).parent_path();
    return options_.vfs.empty() && ::statvfs(folder.empty() ? "." : folder.c_str(), &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0;
  }

  /// Nothing where it can't be told; then the writes themselves will tell.
  std::optional<Disk> disk_of_database() const {
    struct statvfs disk {};
    if (!options_.vfs.empty() || ::statvfs(options_.path.c_str(), &disk) != 0) return std::nullopt;
    Disk told{static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize, static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize, writer_ ? writer_->unwritten_log() : 0};
    struct rlimit most {};
    if (::getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY) {
      struct stat file {};
      const std::uint64_t taken = ::stat(options_.path.c_str(), &file) == 0 ? static_cast<std::uint64_t>(file.st_size) : 0;
      told.size = std::min<std::uint64_t>(told.size, most.rlim_cur);
      told.room = std::min(told.room, most.rlim_cur > taken ? most.rlim_cur - taken : 0);
    }
    return told;
  }

  // ---- writing ----

  void drain() {
    do {
      while (auto first = queue_.next()) {
        try {
          run_group(std::move(first));
        } catch (const std::bad_alloc&) {
          log_.error("There was no memory to tell what was not written");
        }
      }
    } while (!queue_.rest());
  }

  /// One commit for as many jobs as come within the batch time. A job that fails is rolled back alone.
  void run_group(std::unique_ptr<Job> job) {
    struct Attempted {
      std::unique_ptr<Job> job;
      Status outcome;
    };
    std::vector<Attempted> group;

    const std::uint64_t come = queue_.come();
    if (Status begun = begin_immediate(); !begun) {
      watch_for_damage(begun);
      job->finish(begun);
      for (auto& other : queue_.take(come)) other->finish(begun);
      return;
    }
    if (Status fits = refuse_newer(*writer_, "min_writer"); !fits) {
      (void)writer_->exec("ROLLBACK");
      watch_for_damage(fits);
      return job->finish(fits);
    }
    const Steady until = clock_.steady() + kBatchTime;
    const auto changes_before = sqlite3_total_changes64(writer_->raw());
    Status whole = Done{};
    try {
      do {
        Status outcome = group.empty() ? attempt(*job) : attempt_apart(*job);
        // The first has nothing before it that must stay; or SQLite itself gave the transaction up.
        const bool broken = !outcome && (group.empty() || sqlite3_get_autocommit(writer_->raw()) != 0);
        watch_for_damage(outcome);
        group.push_back({std::move(job), outcome});
        if (broken) {
          whole = outcome;
          break;
        }
        if (clock_.steady() >= until) break;
        job = queue_.next();
      } while (job);
    } catch (const std::bad_alloc&) {
      whole = Code::no_memory;
      if (job) job->finish(whole);
    }

    if (whole) whole = writer_->exec("COMMIT");
    watch_for_damage(whole);
    if (!whole && sqlite3_get_autocommit(writer_->raw()) == 0) (void)writer_->exec("ROLLBACK");
    // A transaction that changed nothing is no news; telling it would have its listener look, commit nothing, and be told again.
    if (whole && on_commit_ && sqlite3_total_changes64(writer_->raw()) != changes_before) on_commit_();
    for (Attempted& a : group) {
      if (!whole) {
        a.job->finish(whole);
      } else {
        a.job->finish(std::move(a.outcome));
      }
    }
  }

  /// A newer version may have migrated the database while this one has it open, and says how old a writer and how old a reader it bears.
  Status refuse_newer(SqliteConnection& connection, std::string_view bears) {
    connection.start_attempt();
    const auto oldest = connection.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key=?1", bears);
    if (connection.error()) return *connection.error();
    return oldest.value_or(0) > newest_ ? Status(newer_schema(*oldest, newest_)) : Status(Done{});
  }

  Status attempt(Job& job) {
    writer_->start_attempt();
    const Status outcome = job.attempt(*writer_);
    return writer_->error() ? Status(*writer_->error()) : outcome;
  }

  /// Behind a savepoint SQLite keeps a copy of each page that a statement changes, of each statement, in memory until the savepoint is released: much, of a
  /// job that writes much. So it is for those only that share a transaction.
  Status attempt_apart(Job& job) {
    AMZ_CHECK(writer_->exec("SAVEPOINT job"));
    const Status outcome = attempt(job);
    if (outcome) {
      AMZ_CHECK(writer_->exec("RELEASE job"));
    } else if (sqlite3_get_autocommit(writer_->raw()) == 0) {
      AMZ_CHECK(writer_->exec("ROLLBACK TO job; RELEASE job"));
    }
    return outcome;
  }

  Status begin_immediate() {
    if (sqlite3_get_autocommit(writer_->raw()) == 0) AMZ_CHECK(writer_->exec("ROLLBACK"));   // one that could not be ended
    AMZ_CHECK(in_place());
    return writer_->exec("BEGIN IMMEDIATE");
  }

  Error roll_back(Error error) {
    (void)writer_->exec("ROLLBACK");
    return error;
  }

  // ---- reading ----

  Result<std::unique_ptr<SqliteConnection>> open_reader() {
    AMZ_TRY(reader, SqliteConnection::open(options_.path, options_.vfs, SqliteConnection::Mode::reader, clock_));
    AMZ_CHECK(reader->exec("PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2000"));
    return std::move(reader);
  }

  void give_back(std::unique_ptr<SqliteConnection> reader) noexcept {
    try {
      std::lock_guard lock(readers_mutex_);
      idle_readers_.push_back(std::move(reader));
    } catch (const std::bad_alloc&) {
      // The next one opens another.
    }
  }

  Result<std::unique_ptr<SqliteConnection>> borrow_reader() {
    {
      std::lock_guard lock(readers_mutex_);
      if (!idle_readers_.empty()) {
        auto reader = std::move(idle_readers_.back());
        idle_readers_.pop_back();
        return reader;
      }
    }
    return open_reader();
  }

  // ---- schema ----

  /// A file of another program's is left as it is. One that has tables and no other mark may be meant to hold ours beside them.
  Status refuse_foreign() {
    writer_->start_attempt();
    const std::int64_t marks = writer_->integer("PRAGMA application_id").value_or(0) | writer_->integer("PRAGMA user_version").value_or(0);
    const bool ours = writer_->integer("SELECT count(*) FROM sqlite_master WHERE type='table' AND name IN ('meta', 'engines')") == 2;
    const bool empty = writer_->integer("SELECT count(*) FROM sqlite_master") == 0;
    if (writer_->error()) return *writer_->error();
    return ours || empty || marks == 0 ? Status(Done{}) : Status(another_programs());
  }

  static Error another_programs() { return Error(Code::setting_invalid, "The database is another program's. amzsync needs one of its own."); }

  Status migrate() {
    const auto known = sqlite_migrations();
    AMZ_CHECK(begin_immediate());
    writer_->start_attempt();
    const auto version = writer_->integer("PRAGMA user_version").value_or(0);
    if (writer_->error()) return roll_back(*writer_->error());
    const int newest = known.back().version;
    if (version > newest) {
      // The newer version says itself how old a writer it still bears.
      const auto min_writer = writer_->integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key='min_writer'");
      if (writer_->error() || !min_writer || *min_writer > newest) return roll_back(newer_schema(version, newest));
    }
    for (const Migration& m : known) {
      if (m.version <= version) continue;
      if (Status done = writer_->exec(std::string(m.sql).c_str()); !done) {
        const bool in_the_way = version == 0 && done.code() == Code::internal;   // another program's tables, called as ours
        return roll_back(in_the_way ? another_programs() : done.error());
      }
      const std::string stamp = "PRAGMA user_version=" + std::to_string(m.version);
      if (Status done = writer_->exec(stamp.c_str()); !done) return roll_back(done.error());
      log_.debug("Database schema migrated", {{"version", m.version}});
    }
    return writer_->exec("COMMIT");
  }

  SqliteOptions options_;
  Executor writer_executor_;
  Executor reader_executor_;
  Clock& clock_;
  Log log_;

  std::unique_ptr<SqliteConnection> writer_;  // the writer's executor only, once open
  std::string path_;                          // as it was given, whatever the process's folder is later
  std::vector<std::optional<Place>> places_;  // of the files that were opened; once an engine is registered, which is before any are shared with threads
  std::atomic<bool> damaged_ = false;
  const int newest_ = sqlite_migrations().back().version;
  std::unique_ptr<LivenessFile> liveness_;
  std::function<void()> on_commit_;

  WriteQueue queue_;

  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_readers_;

  std::mutex watcher_mutex_;
  std::unique_ptr<SqliteConnection> watcher_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const SqliteOptions& options, Executor writer, Executor readers, Clock& clock, Log log) {
  auto store = std::make_unique<SqliteStore>(options, std::move(writer), std::move(readers), clock, std::move(log));
  AMZ_CHECK(store->open());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace amzsync::store
