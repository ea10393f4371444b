// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_store.hpp"

#include <asio/post.hpp>

#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <random>

#include "base/memory.hpp"
#include "store/copy.hpp"
#include "store/migrations.hpp"
#include "store/postgres/connection.hpp"
#include "store/write_queue.hpp"

namespace amzsync::store {
namespace {

constexpr std::size_t kIdleReaders = 4;
constexpr int kAttempts = 40;                             // at one transaction while the server is away; the later ones wait longer
constexpr int kAttemptsAmongOthers = 400;                 // where others write the same rows all the time, of whom one gets through each time
constexpr Duration kLongestAmongOthers = std::chrono::milliseconds(30);
constexpr int kAttemptsOfCaller = 6;                      // where its own thread waits: one lost idle reader after the other
constexpr int kAttemptsAtKey = 3;                         // where a key was there already
constexpr Duration kFirstPause = std::chrono::milliseconds(1), kLongestPause = std::chrono::milliseconds(200);
constexpr Duration kTellEvery = std::chrono::milliseconds(20);   // other processes of what was written: telling takes a lock of the whole server
constexpr Duration kLookAnyway = std::chrono::seconds(5), kLookDeaf = std::chrono::seconds(1);   // what was told may not have been heard
constexpr Duration kMostAway = std::chrono::seconds(10), kMostAwayOfCaller = std::chrono::seconds(3);   // the same, of a server that is waited for each time
constexpr Duration kGoodbye = std::chrono::seconds(3);    // from then on a close waits for no server that is away
constexpr int kMigrationAttempts = 120;                   // at one step, while others use what it changes
constexpr Duration kMigrationPause = std::chrono::milliseconds(500);
constexpr std::int64_t kNumbersAtOnce = 1'000;
constexpr Duration kBehind = std::chrono::milliseconds(100), kLookAtReplica = std::chrono::milliseconds(2);   // how long a replica may take to follow, looked at so often
constexpr Duration kReplicaAnswers = std::chrono::seconds(2);
constexpr Duration kReplicaRests = std::chrono::seconds(10);   // one that can't be used is left alone for so long
constexpr const char* kWrites = "ISOLATION LEVEL SERIALIZABLE";
constexpr const char* kReads = "ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Of the migration's lock; amzsync in ASCII.
constexpr const char* kSchemaLock = "SET LOCAL statement_timeout=0; SET LOCAL lock_timeout=0; SELECT pg_advisory_xact_lock(27425031213443683)";
/// Whoever reads a table waits behind a step that waits for it: so it soon steps back. What it does once it has the table may take its time.
constexpr const char* kShortWait = "SET LOCAL lock_timeout=500";

using For = PostgresConnection::For;

/// Connections that read, at one address; as many as there are callers, of which some are kept. Any thread.
class Readers {
 public:
  using Opening = std::function<Result<std::unique_ptr<PostgresConnection>>()>;
  explicit Readers(Opening open) : open_(std::move(open)) {}

  Result<std::unique_ptr<PostgresConnection>> borrow() {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    return open_();
  }

  void give_back(std::unique_ptr<PostgresConnection> reader) {
    if (reader->is_lost()) return forget();
    std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleReaders) idle_.push_back(std::move(reader));
  }

  /// What befell one may have befallen all.
  void forget() {
    std::vector<std::unique_ptr<PostgresConnection>> all;
    std::lock_guard lock(mutex_);
    all.swap(idle_);
  }

 private:
  Opening open_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
};

class PostgresStore final : public Store {
 public:
  PostgresStore(const PostgresOptions& options, Executor writer, Executor readers, Clock& clock, Log log)
      : options_(options), address_(PostgresAddress::parse(options.url)), writer_executor_(std::move(writer)), reader_executor_(std::move(readers)), clock_(clock), log_(std::move(log)) {}

  Status open() {
    AMZ_CHECK(connect_writer());
    const char* encoding = PQparameterStatus(writer_->wire().raw(), "server_encoding");
    if (encoding && std::string_view(encoding) != "UTF8" && std::string_view(encoding) != "SQL_ASCII")
      return Error(Code::setting_invalid, std::string("The encoding of the store's database is ") + encoding + "; it must be UTF8.");
    AMZ_CHECK(migrate());
    AMZ_CHECK(put_journal_below());
    if (const auto may = writer_->ask("SELECT has_table_privilege('pg_locks', 'SELECT')"); may && *may == "f")
      log_.warn("The role of the store's URL may not read pg_locks: while another program keeps a transaction open, events wait for its end");
    return listen();
  }

  Result<EngineNo> register_engine() override {
    AMZ_CHECK(writer_->begin(kWrites, For::writing));
    if (Status whole = refuse_half_copied(*writer_); !whole) return roll_back(whole.error());
    const Instant now = writer_->now();
    const auto number = writer_->integer("INSERT INTO engines(opened_at) VALUES(?1) RETURNING engine_no", now);
    if (writer_->error() || !number) return roll_back(writer_->error().value_or(Error(Code::internal)));
    AMZ_CHECK(writer_->exec("COMMIT"));
    {
      std::lock_guard lock(listener_mutex_);
      my_mark_ = "engine_no=" + std::to_string(*number) + " AND opened_at=" + std::to_string(to_us(now));
    }
    return EngineNo{*number};
  }

  /// A process of another machine can't be seen; its leases tell.
  bool engine_may_live(EngineNo) override { return true; }

  std::uint64_t change_counter() override {
    std::lock_guard lock(listener_mutex_);
    const bool hears = listener_ && !listener_->is_lost(), may_hear = !address_.is_pooled;
    if (hears) {
      PGconn* const raw = listener_->wire().raw();
      if (PQconsumeInput(raw) != 0) {
        while (PGnotify* news = PQnotifies(raw)) {
          if (news->be_pid != writer_pid_) ++heard_;   // of our own writing we know
          PQfreemem(news);
        }
      }
    } else if (may_hear && !std::exchange(relistening_, true)) {
      insist([this] { asio::post(reader_executor_, [this] { listen_again(); }); });
    }
    const Steady now = clock_.steady();
    if (now - looked_at_ >= (hears ? kLookAnyway : kLookDeaf) || now >= look_again_at_.load()) {
      looked_at_ = now;
      look_again_at_ = Steady::max();
      ++heard_;
    }
    return heard_;
  }

  void on_commit(std::function<void()> listener) override { on_commit_ = std::move(listener); }

  void hurry() noexcept override { give_up_at_ = clock_.steady() + kGoodbye; }

  void submit_write(Urgency urgency, std::unique_ptr<Job> job) override {
    if (queue_.push(urgency, std::move(job))) insist([this] { asio::post(writer_executor_, [this] { drain(); }); });
  }

  void submit_read(std::unique_ptr<Job> job) override {
    asio::post(reader_executor_, [this, j = std::move(job)] { read(*j, For::reading); });
  }

  void perform_read(Job& job) override { read(job, For::asking); }

  void perform_read_aside(Job& job) override {
    if (auto reader = begin_at_replica()) {
      Status outcome = attempt_read(job, *reader);
      replica_readers_.give_back(std::move(reader));
      if (outcome) return job.finish(std::move(outcome));
      // A replica may break a reading off, to follow; whatever it was, the database itself is asked.
      log_.debug("A replica did not answer; the database is read itself", {{"error", outcome.error().message}});
    }
    perform_read(job);
  }

  /// What is deleted is out of every reader's sight; the server overwrites it when it needs the room. Its files, logs and replicas are its owner's to clean.
  void submit_scrub(Completion<Result<bool>> done) override {
    asio::post(writer_executor_, [d = std::move(done)]() mutable { d(true); });
  }

 private:
  // ---- reading ----

  /// A reader in a transaction. While there is none to be had, as during a restart of the server, it is tried again for a while.
  Result<std::unique_ptr<PostgresConnection>> begin_reading(For what) {
    const int attempts = what == For::asking ? kAttemptsOfCaller : kAttempts;
    const Steady until = clock_.steady() + (what == For::asking ? kMostAwayOfCaller : kMostAway);
    Duration pause = kFirstPause;
    for (int attempt = 1;; ++attempt) {
      auto reader = readers_.borrow();
      Status begun = reader ? (*reader)->begin(kReads, what) : Status(reader.error());
      if (begun) return reader;
      if (attempt >= attempts || clock_.steady() >= until || is_late()) return begun.error();
      // One that was lost while nobody used it is no reason to wait: the next one may be a new one.
      if (reader) continue;
      clock_.block_for(pause);
      pause = std::min(pause * 2, kLongestPause);
    }
  }

  void read(Job& job, For what) {
    auto begun = begin_reading(what);
    if (!begun) return job.finish(begun.error());
    Status outcome = attempt_read(job, **begun);
    readers_.give_back(std::move(*begun));
    job.finish(std::move(outcome));
  }

  Status attempt_read(Job& job, PostgresConnection& reader) {
    Status outcome = reader.oldest_borne() > newest_ ? Status(newer_schema(reader.oldest_borne(), newest_)) : job.attempt(reader);
    if (const auto& error = reader.error()) outcome = *error;
    if (reader.is_kept_back()) look_again_at_ = clock_.steady() + kMostUnderWay;
    (void)reader.exec("ROLLBACK");
    return outcome;
  }

  /// A reader on the replica, in a transaction that sees all that was committed before this call; none: there is no replica, or it can't be used now.
  std::unique_ptr<PostgresConnection> begin_at_replica() {
    if (!replica_ || clock_.steady() < replica_rests_until_.load()) return nullptr;
    auto begun = begin_following();
    if (!begun) {
      constexpr std::string_view kSaid = "The replica can't be used; the database is read itself";
      if (replica_works_.exchange(false)) log_.warn(kSaid, {{"error", begun.error().message}});
      else log_.debug(kSaid, {{"error", begun.error().message}});
      replica_rests_until_ = clock_.steady() + kReplicaRests;
      replica_readers_.forget();
      return nullptr;
    }
    return std::move(*begun);
  }

  /// None, without an error: it follows too slowly just now.
  Result<std::unique_ptr<PostgresConnection>> begin_following() {
    AMZ_TRY(primary, readers_.borrow());
    AMZ_TRY(place, primary->ask("SELECT pg_current_wal_flush_lsn()"));
    readers_.give_back(std::move(primary));
    AMZ_TRY(reader, replica_readers_.borrow());
    // What follows a copy of the database, or another one of that name, lacks what this engine wrote when it was opened.
    const std::string has_come = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN '' WHEN pg_last_wal_replay_lsn() < '" + place + "'::pg_lsn THEN 'behind' WHEN EXISTS(SELECT 1 FROM engines WHERE " +
                                 my_mark() + ") THEN 'there' ELSE 'another' END";
    reader->wire().wait_at_most(kReplicaAnswers);
    for (Duration waited{};; waited += kLookAtReplica) {
      AMZ_TRY(there, reader->ask(has_come));
      if (there.empty()) return Error(Code::store_unavailable, "What the URL calls a replica does not follow another database.");
      if (there == "another") return Error(Code::store_unavailable, "What the URL calls a replica follows another database than the URL's.");
      if (there == "there") break;
      if (waited >= kBehind) {
        replica_readers_.give_back(std::move(reader));
        return std::unique_ptr<PostgresConnection>();
      }
      clock_.block_for(kLookAtReplica);
    }
    AMZ_CHECK(reader->begin(kReads, For::asking));
    replica_works_ = true;
    return std::move(reader);
  }

  // ---- connections ----

  Result<std::unique_ptr<PostgresConnection>> open_connection() { return open_connection(address_); }

  Result<std::unique_ptr<PostgresConnection>> open_connection(const PostgresAddress& address) {
    if (is_late()) return Code::store_unavailable;
    Patience patience;
    patience.is_over = [this] { return is_late(); };
    return PostgresConnection::open(address, clock_, options_.server_clock, std::move(patience), [this](std::string_view name, std::int64_t count) { return take_numbers(name, count); });
  }

  Status connect_writer() {
    writer_.reset();
    AMZ_TRY(writer, open_connection());
    writer_ = std::move(writer);
    std::lock_guard lock(listener_mutex_);
    writer_pid_ = PQbackendPID(writer_->wire().raw());
    return Done{};
  }

  Status listen() {
    if (address_.is_pooled) return Done{};   // a server connection that is given to others hears nothing; who is deaf looks
    AMZ_TRY(listener, open_connection());
    AMZ_CHECK(listener->exec("LISTEN amzsync"));
    std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
    ++heard_;   // of what was told while nobody heard it
    return Done{};
  }

  void listen_again() {
    if (Status listening = listen(); !listening) log_.debug("News of other processes are not heard", {{"error", listening.error().message}});
    std::lock_guard lock(listener_mutex_);
    relistening_ = false;
  }

  // ---- numbers ----

  struct Block {
    std::int64_t next = 0, end = 0;
  };

  /// In blocks, and in transactions of their own: a counter's row would make all that writes wait for each other. 0: the server gives none.
  std::int64_t take_numbers(std::string_view name, std::int64_t count) {
    std::lock_guard lock(numbers_mutex_);
    Block& block = numbers_[std::string(name)];
    if (block.end - block.next < count) {
      constexpr int kTries = 2;   // the connection may have been lost while nobody used it
      block = {};
      for (int i = 0; i < kTries && block.end == 0; ++i) block = next_block(name, std::max(count, kNumbersAtOnce));
      if (block.end == 0) return 0;
    }
    const std::int64_t first = block.next;
    block.next += count;
    return first;
  }

  Block next_block(std::string_view name, std::int64_t many) {
    if (!counters_ || counters_->is_lost()) {
      auto opened = open_connection();
      if (!opened) return {};
      counters_ = std::move(*opened);
    }
    if (!counters_->begin("ISOLATION LEVEL READ COMMITTED", For::counter)) return {};
    const std::int64_t end = counters_->integer("UPDATE counters SET next = next + ?2 WHERE name=?1 RETURNING next", name, many).value_or(0);
    if (end > 0 && counters_->exec("COMMIT")) return Block{end - many, end};
    counters_.reset();   // whatever is wrong with its session, the next has none of it
    return {};
  }

  // ---- writing ----

  void drain() {
    do {
      while (const auto job = queue_.next()) {
        try {
          const std::uint64_t come = queue_.come();
          Status outcome = perform_write(*job);
          const bool is_away = outcome.code() == Code::store_unavailable && !writer_;
          job->finish(outcome);
          if (is_away)
            for (auto& other : queue_.take(come)) other->finish(outcome);
        } catch (const std::bad_alloc&) {
          log_.error("There was no memory to tell what was not written");
          if (writer_ && !writer_->is_lost()) (void)writer_->exec("ROLLBACK");   // where one was begun
        }
      }
      tell_others();
    } while (!queue_.rest());
  }

  Status perform_write(Job& job) {
    Duration pause = kFirstPause;
    Status outcome = Code::store_unavailable;
    std::optional<Steady> until;   // once the server is away
    for (int away = 0, attempt = 0; away < kAttempts && attempt < kAttemptsAmongOthers && (!until || clock_.steady() < *until); ++attempt) {
      bool again = false;
      outcome = attempt_write(job, again);
      if (!writer_ || writer_->is_lost()) {
        ++away;
        if (!until) until = clock_.steady() + kMostAway;
      }
      if (outcome || !again || (attempt + 1 >= kAttemptsAtKey && writer_ && writer_->met_key())) return outcome;
      // Not in step with those that it met: they wait as well.
      clock_.block_for(pause / 2 + std::chrono::duration_cast<Duration>(pause * std::uniform_real_distribution<double>()(chance_)));
      pause = std::min(pause * 2, writer_ && !writer_->is_lost() ? kLongestAmongOthers : kLongestPause);
    }
    return outcome;
  }

  /// `again`: nothing came of it, and it may succeed.
  Status attempt_write(Job& job, bool& again) {
    if (writer_ == nullptr || writer_->is_lost()) {
      if (is_late()) return Code::store_unavailable;
      again = true;
      AMZ_CHECK(connect_writer());
    }
    if (Status begun = writer_->begin(kWrites, For::writing); !begun) {
      again = writer_->is_lost() || writer_->may_try_again();
      return begun;
    }
    if (writer_->oldest_borne() > newest_) return roll_back(newer_schema(writer_->oldest_borne(), newest_));
    Status outcome = job.attempt(*writer_);
    writer_->settle();
    if (const auto& error = writer_->error()) outcome = *error;
    if (!outcome) {
      again = writer_->error().has_value() && (writer_->is_lost() || writer_->may_try_again());
      if (!writer_->is_lost()) (void)writer_->exec("ROLLBACK");
      // A session stays read-only that began while the database was: the next write is for a new one.
      if (outcome.code() == Code::store_read_only) writer_.reset();
      return outcome;
    }
    // A transaction that changed nothing is no news; telling it would have its listener look, commit nothing, and be told again.
    const bool news = writer_->has_written();
    const std::string transaction = writer_->transaction();
    outcome = writer_->exec("COMMIT");
    if (!outcome && writer_->is_lost()) outcome = outcome_of(transaction, again);
    if (!outcome) {
      again |= writer_ && writer_->may_try_again();
      return outcome;
    }
    if (!news) return outcome;
    {
      std::lock_guard lock(listener_mutex_);
      ++heard_;
    }
    owed_ = true;
    if (on_commit_) on_commit_();
    try {
      if (clock_.steady() - told_at_ >= kTellEvery) tell_others();
    } catch (const std::bad_alloc&) {
      // It is written all the same, and they are told later.
    }
    return outcome;
  }

  /// The connection was lost before the server said what became of a commit. Another one can ask.
  Status outcome_of(const std::string& transaction, bool& again) {
    Status unknown = Code::store_unavailable;
    Duration pause = kFirstPause;
    const Steady until = clock_.steady() + kMostAway;
    for (int attempt = 0; attempt < kAttempts && clock_.steady() < until && !is_late(); ++attempt, clock_.block_for(pause), pause = std::min(pause * 2, kLongestPause)) {
      if (Status connected = connect_writer(); !connected) {
        unknown = connected;
        continue;
      }
      const auto status = writer_->ask("SELECT pg_xact_status('" + transaction + "')");
      if (!status) continue;
      if (*status == "committed") return Done{};
      if (*status == "aborted") {
        again = true;
        return Code::store_unavailable;
      }
    }
    return unknown;
  }

  void tell_others() {
    if (!std::exchange(owed_, false) || !writer_) return;   // without a connection nobody can be told; they look anyway
    told_at_ = clock_.steady();
    if (Status told = writer_->exec("NOTIFY amzsync"); !told) log_.debug("Other processes were not told of what was written", {{"error", told.error().message}});
  }

  bool is_late() const noexcept { return clock_.steady() >= give_up_at_.load(); }

  Error roll_back(Error error) {
    (void)writer_->exec("ROLLBACK");
    return error;
  }

  // ---- schema ----

  /// One process at a time; each step in a transaction of its own, so that none holds its locks for long.
  Status migrate() {
    int attempts = 0;
    for (;;) {
      auto more = migrate_a_step();
      if (more) {
        if (!*more) return Done{};
        attempts = 0;
      } else if (more.code() != Code::store_busy) {
        return std::move(more).error();
      } else if (++attempts >= kMigrationAttempts) {
        return Error(Code::store_busy, "The tables are of an older version, and can't be changed while others use them: end their transactions (pg_stat_activity shows them), and start again.");
      } else {
        clock_.block_for(kMigrationPause);
      }
    }
  }

  /// False: there is none left. Errors: store_busy, while others use what it changes.
  Result<bool> migrate_a_step() {
    const auto known = postgres_migrations();
    AMZ_CHECK(writer_->begin("ISOLATION LEVEL READ COMMITTED", For::schema));
    for (const char* sql : {kSchemaLock, kShortWait})
      if (Status done = writer_->exec(sql); !done) return roll_back(done.error());
    const bool fresh = !writer_->integer("SELECT 1 FROM pg_class WHERE oid=to_regclass('meta')").has_value();
    const std::int64_t version = fresh ? 0 : writer_->integer("SELECT value::bigint FROM meta WHERE key='version'").value_or(0);
    const std::int64_t min_writer = fresh ? 0 : writer_->integer("SELECT value::bigint FROM meta WHERE key='min_writer'").value_or(0);
    if (writer_->error()) return roll_back(*writer_->error());
    if (version > newest_ && min_writer > newest_) return roll_back(newer_schema(version, newest_));
    const auto next = std::find_if(known.begin(), known.end(), [&](const Migration& m) { return m.version > version; });
    const bool is_over = next == known.end();
    if (!is_over) {
      if (Status done = writer_->exec(std::string(next->sql).c_str()); !done) return roll_back(done.error());
      writer_->run("INSERT INTO meta(key, value) VALUES('version', ?1) ON CONFLICT (key) DO UPDATE SET value=excluded.value", std::to_string(next->version));
      if (writer_->error()) return roll_back(*writer_->error());
    }
    AMZ_CHECK(writer_->exec("COMMIT"));
    if (!is_over) log_.debug("Database schema migrated", {{"version", next->version}});
    return !is_over;
  }

  /// A dump that was restored into another server holds places that this one has not given out yet: they are put below all that it gives, in their order. Else a reader of all users
  /// would be told of old events again, one day.
  Status put_journal_below() {
    AMZ_CHECK(writer_->begin("ISOLATION LEVEL READ COMMITTED", For::schema));
    if (Status locked = writer_->exec(kSchemaLock); !locked) return roll_back(locked.error());
    const std::int64_t oldest = writer_->integer("SELECT min(journal_no) FROM journal").value_or(0);
    const std::int64_t newest = writer_->integer("SELECT max(journal_no) FROM journal").value_or(0);
    const std::int64_t newest_progress = writer_->integer("SELECT max(version) FROM run_progress").value_or(0);
    // Asked last: others may be writing.
    const std::int64_t to_come = writer_->place_to_come();
    if (newest >= to_come) {
      writer_->run("UPDATE journal SET journal_no = journal_no - ?1", newest - std::min<std::int64_t>(oldest, 0) + 1);
      log_.info("The database was restored from another server's; its events were put before all that are to come");
    }
    if (newest_progress >= to_come) writer_->run("UPDATE run_progress SET version=0");
    if (writer_->error()) return roll_back(*writer_->error());
    return writer_->exec("COMMIT");
  }

  std::string my_mark() {
    std::lock_guard lock(listener_mutex_);
    return my_mark_;
  }

  PostgresOptions options_;
  PostgresAddress address_;
  Executor writer_executor_;
  Executor reader_executor_;
  Clock& clock_;
  Log log_;

  const int newest_ = postgres_migrations().back().version;
  std::unique_ptr<PostgresConnection> writer_;   // the writer's executor only, once open
  bool owed_ = false;                            // others were not told of something yet
  Steady told_at_{};
  std::function<void()> on_commit_;
  std::atomic<Steady> give_up_at_{Steady::max()};

  std::mutex numbers_mutex_;
  std::map<std::string, Block> numbers_;
  std::unique_ptr<PostgresConnection> counters_;

  std::minstd_rand chance_{std::random_device()()};   // of the writer's thread
  WriteQueue queue_;

  Readers readers_{[this] { return open_connection(); }};
  const std::optional<PostgresAddress> replica_ = address_.replica();
  Readers replica_readers_{[this] { return open_connection(*replica_); }};
  std::atomic<Steady> replica_rests_until_{Steady{}};
  std::atomic<bool> replica_works_ = true;

  std::mutex listener_mutex_;
  std::unique_ptr<PostgresConnection> listener_;
  bool relistening_ = false;
  int writer_pid_ = 0;
  std::string my_mark_ = "false";   // the row of this engine, as registered
  std::uint64_t heard_ = 0;
  Steady looked_at_{};
  std::atomic<Steady> look_again_at_{Steady::max()};   // some of what was committed could not be told yet
};

}  // namespace

Result<std::unique_ptr<Store>> open_postgres_store(const PostgresOptions& options, Executor writer, Executor readers, Clock& clock, Log log) {
  auto store = std::make_unique<PostgresStore>(options, std::move(writer), std::move(readers), clock, std::move(log));
  AMZ_CHECK(store->open());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace amzsync::store
