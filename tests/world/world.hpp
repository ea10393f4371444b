// SPDX-License-Identifier: Apache-2.0
// The world of the tests: a virtual clock that moves only when nothing else can, the simulator of Amazon inside the process,
// SQLite on a file system in memory, and as many engines as a test wants. The same seed takes the same course, which the trace's
// hash shows. An engine can be killed at any call to the store or to Amazon; the database then is what a killed process leaves.
#pragma once

#include <asio/io_context.hpp>

#include <map>

#include "engine.hpp"
#include "support/postgres.hpp"
#include "world/memory_vfs.hpp"
#include "world/sim_transport.hpp"

namespace world {

struct WorldSettings {
  std::uint64_t seed = 1;
  amzsim::SimSettings amazon;                 ///< its seed is the world's
  std::string start = "2026-11-23T15:00:00Z";
  bool finances_v0 = false;
  int history_days = 540;
  int archive_days = 90;
  bool archive_pages = false;
  std::shared_ptr<const amzsync::detect::Policy> policy;
  Duration sync_every{};                      ///< zero: only when a test asks
  int max_active_runs = 10'000;
  bool listen = false;                        ///< a callback hears of everything, from the opening of each process on
  bool deaf_transport = false;                ///< what hangs is not given up after its time, as by a broken HTTP client
  std::vector<std::string> streams;
  amzsync::auth::TokenStore* token_store = nullptr;   ///< the host's
  bool synchronous_full = false;
  SimTransport::Observer watch;               ///< told of every exchange
};

class World;

using CallbackResult = std::variant<amzsync::sync::CallbackOutcome, amzsync::sync::CallbackFailure>;
Async<Result<CallbackResult>> as_result(Async<CallbackResult> task);

/// An engine of this world, with what it stands on.
class Process {
 public:
  Process(World& world, int number);
  ~Process();

  amzsync::Engine& engine() { return *engine_; }
  bool alive() const noexcept { return alive_; }
  const std::vector<std::string>& log() const noexcept { return log_; }
  bool logged(std::string_view line) const;
  /// Durable events by user, as the callback was told of them.
  const std::map<std::string, std::vector<std::int64_t>>& heard() const noexcept { return heard_; }
  void stop_listening();

 private:
  friend class World;
  class KillableStore;
  class FatefulClock;
  /// Applies what fate has for a call: how long it has to wait, or the error that it ends with.
  struct Verdict {
    Duration wait{};
    std::optional<Code> error;
  };
  Verdict judge(int point);
  void hear(const amzsync::events::Item& item);
  World& world_;
  int number_;
  bool alive_ = true;
  Steady frozen_until_{};
  std::vector<std::string> log_;
  std::map<std::string, std::vector<std::int64_t>> heard_;
  std::int64_t subscription_ = 0;
  std::unique_ptr<Entropy> entropy_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<amzsync::store::Store> database_;
  std::unique_ptr<amzsync::store::Store> store_;
  std::unique_ptr<SimTransport> transport_;
  std::unique_ptr<amzsync::Engine> engine_;
};

class World {
 public:
  explicit World(WorldSettings settings);
  ~World();

  VirtualClock& clock() noexcept { return clock_; }
  amzsim::Simulator& amazon() noexcept { return amazon_; }
  MemoryVfs& files() noexcept { return files_; }
  const WorldSettings& settings() const noexcept { return settings_; }
  bool on_postgres() const noexcept {
#ifdef AMZSYNC_POSTGRES
    return schema_.has_value();
#else
    return false;
#endif
  }

  /// Opens an engine on the world's database.
  Process& open();
  /// Closes it as a host does.
  void close(Process& process);
  /// It is gone, at once: nothing that it still does has any effect.
  void kill(Process& process);
  /// All engines are gone, and so is what was written but not synced.
  void lose_power();

  /// The engine that opens next dies at its n-th call (1 = first) of the kind, before or after the call has had its effect.
  enum class CallKind { store, http };
  struct KillAt {
    CallKind kind = CallKind::store;
    std::int64_t call = 0;
    bool after = false;
  };
  void kill_at(KillAt when) { kill_at_ = when; }

  /// What a schedule of faults lets happen at each call of each process: to its store (before it is done), to Amazon before it goes out, or when its
  /// answer is there; when a timer of its fires, and when it calls the host back (where the settings say that it listens), which both can't fail.
  enum class Point { store_write, store_read, http_out, http_back, timer, callback };
  struct Fate {
    enum class What {
      go_on,
      fail,     ///< the call, with `code`, and without effect; an answer that is there is lost
      delay,    ///< this call, by `span`
      freeze,   ///< the whole process stands still for `span`, as if it were stopped
      die       ///< the process, at once
    } what = What::go_on;
    Duration span{};
    Code code = Code::store_busy;
  };
  using Fates = std::function<Fate(Process& process, Point point)>;
  void set_fates(Fates fates) { fates_ = std::move(fates); }
  /// The keys of the engines that are opened from now on.
  void use_master_keys(std::string keys) { master_keys_ = std::move(keys); }
  void use_history(int days) { settings_.history_days = days; }
  void use_client_secret(std::string secret) { client_secret_ = std::move(secret); }
  void use_streams(std::vector<std::string> streams) { settings_.streams = std::move(streams); }
  void use_token_store(amzsync::auth::TokenStore* tokens) { settings_.token_store = tokens; }
  /// Whether the disk has any to spare.
  void set_room(bool room) { room_ = room; }
  std::int64_t store_calls() const noexcept { return store_calls_; }
  std::int64_t http_calls() const noexcept { return http_calls_; }

  /// Runs until nothing is left to do now; time stands still.
  void settle();
  /// Runs, moving time on, until `done` holds. False: nothing happens any more, or `within` has passed.
  bool run_until(const std::function<bool()>& done, Duration within = std::chrono::hours(24 * 30));
  void run_for(Duration span);
  /// The same while no engine is open, which is soon over: `process` is closed before, the one that is told opened after it.
  Process& pass(Process& process, Duration span);

  /// Runs a coroutine to its end.
  template <class T>
  T wait(Async<T> task) {
    std::optional<T> value;
    std::exception_ptr escaped;
    asio::co_spawn(loop_, into(std::move(task), value, escaped), [](const std::exception_ptr&) {});
    ++waiting_;   // the engine of a process that dies meanwhile stays until the task has ended with it
    run_until([&] { return value || escaped; });
    --waiting_;
    if (escaped) std::rethrow_exception(escaped);
    if (!value) throw std::runtime_error("the world stands still and the task has not ended");
    return std::move(*value);
  }

  /// Begins a coroutine that nobody waits for yet; what it comes to is there once it has ended.
  template <class T>
  std::shared_ptr<std::optional<T>> begin(Async<T> task) {
    struct Begun {
      std::optional<T> value;
      std::exception_ptr escaped;
    };
    const auto begun = std::make_shared<Begun>();
    asio::co_spawn(loop_, into(std::move(task), begun->value, begun->escaped), [begun](const std::exception_ptr&) {});
    return {begun, &begun->value};
  }

  // What tests do all the time.
  UserId user(int n) const { return UserId("user-" + std::to_string(n)); }
  /// The consent trip of seller n until Amazon has sent the browser back.
  Result<amzsync::sync::OAuthCallback> agree(Process& process, int n, const std::string& marketplace = "");
  /// The whole consent trip of seller n, who may choose where to sign in; the sync's id.
  Result<amzsync::sync::CallbackOutcome> connect(Process& process, int n, const std::string& marketplace = "");
  std::string status_of(Process& process, const UserId& user, const SyncId& id);
  /// Waits for a sync to be over; its document.
  std::string finish(Process& process, const UserId& user, const SyncId& id);
  /// connect + finish
  std::string sync_seller(Process& process, int n);
  std::string recoveries(Process& process, const UserId& user);
  JsonDocument truth(int seller, bool lines = false) const;
  /// A file with the database as it is, for looking into it by hand.
  void dump(const std::string& path) const;

  /// While one of these lives, queries share a connection: to read the schema anew for each takes most of the time of many.
  class Look {
   public:
    explicit Look(const World& world) : world_(world) { ++world_.looks_; }
    Look(const Look&) = delete;
    Look& operator=(const Look&) = delete;
    ~Look() {
      if (--world_.looks_ == 0) world_.look_away();
    }

   private:
    const World& world_;
  };
  /// A query on the database, by a connection that none of the processes has.
  std::vector<std::vector<std::string>> sql(const std::string& query) const;
  std::int64_t count(const std::string& query) const;

  /// How often what was at its turn on the loop ended by want of memory (support/allocations.hpp), as the threads of a runtime live through it.
  int escapes() const noexcept { return escapes_; }

  /// Hash of all that happened: calls, answers, log lines, journal.
  std::string trace_hash() const;
  void note(const std::string& line);
  const std::vector<std::string>& trace() const noexcept { return trace_; }

 private:
  friend class Process;
  friend class Process::KillableStore;
  bool step();
  bool poll();
  void move_to(Steady at);
  template <class T>
  static Async<void> into(Async<T> task, std::optional<T>& value, std::exception_ptr& escaped) {
    try {
      value.emplace(co_await std::move(task));
    } catch (...) {
      escaped = std::current_exception();
    }
  }
  void stop(Process& process, std::shared_ptr<bool> stopped);
  void bury(Process& process);
  void bury_the_dead();
  void look_away() const;
  std::unique_ptr<amzsync::store::Store> open_database(const Log& log);

#ifdef AMZSYNC_POSTGRES
  std::optional<support::PostgresSchema> schema_;   // where the tests are to run on PostgreSQL; outlives all processes
#endif
  WorldSettings settings_;
  VirtualClock clock_;
  amzsim::Simulator amazon_;
  MemoryVfs files_;
  mutable sqlite3* eye_ = nullptr;   // open while anybody looks
  mutable std::map<std::string, sqlite3_stmt*> questions_;
  mutable int looks_ = 0;
  bool room_ = true;
  std::string master_keys_ = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
  std::string client_secret_ = "client-secret";
  std::string lock_path_;
  asio::io_context loop_{1};
  std::vector<std::unique_ptr<Process>> processes_;
  std::optional<KillAt> kill_at_;
  Fates fates_;
  std::int64_t store_calls_ = 0, http_calls_ = 0, store_ends_ = 0;
  int opened_ = 0, waiting_ = 0, escapes_ = 0;
  std::vector<std::string> trace_;
};

}  // namespace world
