// SPDX-License-Identifier: Apache-2.0
#include "world/world.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <list>

#ifdef AMZSYNC_POSTGRES
#include "store/postgres/postgres_store.hpp"
#endif
#include "store/sqlite/sqlite_store.hpp"
#include "support/allocations.hpp"

namespace world {

namespace events = amzsync::events;
namespace store = amzsync::store;
namespace net = amzsync::net;

namespace {

constexpr const char* kDatabase = "/world.db";
constexpr const char* kAmazon = "https://amazon.sim";
constexpr const char* kRedirect = "https://host.example/callback";

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : random_(seed) {}
  std::string bytes(std::size_t count) override {
    std::string out(count, '\0');
    for (char& c : out) c = static_cast<char>(random_.next());
    return out;
  }

 private:
  amzsim::Random random_;
};

amzsim::SimSettings seeded(amzsim::SimSettings amazon, std::uint64_t seed) {
  amazon.seed = seed;
  amazon.auto_approve = true;
  amazon.base_url = kAmazon;
  return amazon;
}

}  // namespace

Async<Result<CallbackResult>> as_result(Async<CallbackResult> task) {
  CallbackResult outcome = co_await std::move(task);
  co_return outcome;
}

/// The store of one process: counts its calls, and once the process is dead does nothing any more.
class Process::KillableStore final : public store::Store {
 public:
  KillableStore(Process& process, store::Store& inner) : process_(process), world_(process.world_), inner_(inner) {}

  Result<EngineNo> register_engine() override { return inner_.register_engine(); }
  bool engine_may_live(EngineNo engine) override { return inner_.engine_may_live(engine); }
  bool has_room() override { return world_.room_; }
  std::uint64_t change_counter() override { return process_.alive_ ? inner_.change_counter() : 0; }
  void on_commit(std::function<void()> listener) override {
    inner_.on_commit([this, listener] {
      if (process_.alive_) listener();
    });
  }

  void submit_write(store::Urgency urgency, std::unique_ptr<store::Job> job) override {
    if (!reach()) return job->finish(Code::store_unavailable);
    meet(World::Point::store_write, watched(std::move(job)),
         [this, urgency](std::unique_ptr<store::Job> j) { inner_.submit_write(urgency, std::move(j)); });
  }
  void submit_read(std::unique_ptr<store::Job> job) override {
    if (!reach()) return job->finish(Code::store_unavailable);
    meet(World::Point::store_read, watched(std::move(job)),
         [this](std::unique_ptr<store::Job> j) { inner_.submit_read(std::move(j)); });
  }
  void submit_scrub(Completion<Result<bool>> done) override {
    if (!process_.alive_) return done(Code::store_unavailable);
    inner_.submit_scrub(std::move(done));
  }
  void perform_read(store::Job& job) override {
    if (!process_.alive_) return job.finish(Code::store_unavailable);
    inner_.perform_read(job);
  }

 private:
  /// A job of a process that may die before it is done, or right after.
  struct Watched final : store::Job {
    Watched(KillableStore& s, std::unique_ptr<store::Job> j, std::int64_t n) : store(s), job(std::move(j)), number(n) {}
    Status attempt(store::Tx& tx) override { return store.process_.alive_ ? job->attempt(tx) : Status(Code::store_unavailable); }
    void finish(Status outcome) override {
      ++store.world_.store_ends_;
      store.done(number);
      job->finish(store.process_.alive_ ? std::move(outcome) : Status(Code::store_unavailable));
    }
    KillableStore& store;
    std::unique_ptr<store::Job> job;
    std::int64_t number;
  };

  std::shared_ptr<std::unique_ptr<store::Job>> watched(std::unique_ptr<store::Job> job) {
    const support::Sheltered ours;
    return std::make_shared<std::unique_ptr<store::Job>>(std::make_unique<Watched>(*this, std::move(job), world_.store_calls_));
  }

  /// A job meets its fate, and goes on now or later.
  void meet(World::Point point, std::shared_ptr<std::unique_ptr<store::Job>> job, std::function<void(std::unique_ptr<store::Job>)> go_on) {
    const Verdict verdict = process_.judge(static_cast<int>(point));
    if (verdict.error) return (*job)->finish(*verdict.error);
    if (verdict.wait <= Duration::zero()) return go_on(std::move(*job));
    const support::Sheltered ours;
    const auto place = waits_.insert(waits_.end(), nullptr);
    *place = world_.clock_.call_at(world_.clock_.steady() + verdict.wait, [this, job, go_on, place] {
      const auto gone = std::move(*place);   // it is running
      waits_.erase(place);
      go_on(std::move(*job));
    });
  }

  bool due(bool after, std::int64_t call) const {
    const auto& at = world_.kill_at_;
    return at && at->kind == World::CallKind::store && at->after == after && at->call == call;
  }
  /// Counts a call; false when the process is dead, or dies now.
  bool reach() {
    if (!process_.alive_) return false;
    ++world_.store_calls_;
    if (due(false, world_.store_calls_)) world_.kill(process_);
    return process_.alive_;
  }
  void done(std::int64_t call) {
    if (process_.alive_ && due(true, call)) world_.kill(process_);
  }

  Process& process_;
  World& world_;
  store::Store& inner_;
  std::list<std::unique_ptr<Clock::Timer>> waits_;
};

/// The world's clock, as one process hears it: its timers may fire late, and fire at nothing that has an effect once it is dead.
class Process::FatefulClock final : public Clock {
 public:
  explicit FatefulClock(Process& process) : process_(process), clock_(process.world_.clock_) {}
  Instant now() const override { return clock_.now(); }
  Steady steady() const override { return clock_.steady(); }
  std::unique_ptr<Timer> call_at(Steady at, std::function<void()> fire) override {
    auto handle = std::make_unique<Handle>();
    Handle& h = *handle;
    h.timer = clock_.call_at(at, [this, &h, fire = std::move(fire)]() mutable { meet(h, std::move(fire)); });
    return handle;
  }

 private:
  struct Handle final : Timer {
    std::unique_ptr<Timer> timer;
  };
  void meet(Handle& handle, std::function<void()> fire) {
    const Verdict verdict = process_.judge(static_cast<int>(World::Point::timer));
    if (verdict.wait <= Duration::zero()) return fire();   // which may drop the handle
    handle.timer = clock_.call_at(clock_.steady() + verdict.wait, std::move(fire));
  }

  Process& process_;
  Clock& clock_;
};

void Process::stop_listening() {
  if (alive_ && subscription_ != 0) (void)engine_->dispatcher().unsubscribe(std::exchange(subscription_, 0));
}

void Process::hear(const amzsync::events::Item& item) {
  const support::Sheltered ours;
  if (!alive_) return;
  judge(static_cast<int>(World::Point::callback));
  if (item.event.seq > 0) heard_[item.user.text()].push_back(item.event.seq);
}

Process::Verdict Process::judge(int point) {
  const support::Sheltered ours;
  Verdict verdict;
  if (!alive_) return verdict;
  if (world_.fates_) {
    const World::Fate fate = world_.fates_(*this, static_cast<World::Point>(point));
    switch (fate.what) {
      case World::Fate::What::go_on: break;
      case World::Fate::What::fail: verdict.error = fate.code; break;
      case World::Fate::What::delay: verdict.wait = fate.span; break;
      case World::Fate::What::freeze: frozen_until_ = world_.clock_.steady() + fate.span; break;
      case World::Fate::What::die:
        world_.kill(*this);
        verdict.error = Code::store_unavailable;
        break;
    }
  }
  verdict.wait = std::max<Duration>(verdict.wait, frozen_until_ - world_.clock_.steady());
  return verdict;
}

Process::Process(World& world, int number) : world_(world), number_(number) {
  const WorldSettings& s = world.settings_;
  const Log log(
      [this](LogLevel level, std::string_view message, std::span<const LogField> fields) {
        const support::Sheltered ours;
        std::string line = std::string(level_name(level)) + ": " + std::string(message);
        for (const LogField& f : fields) {
          line += " " + std::string(f.name) + "=";
          std::visit([&](const auto& v) {
            if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string_view>) {
              line += v;
            } else {
              line += std::to_string(v);
            }
          }, f.value);
        }
        if (alive_) {
          log_.push_back(line);
          world_.note("log " + std::to_string(number_) + " " + line);
        }
      },
      LogLevel::debug);
  entropy_ = std::make_unique<SeededEntropy>(s.seed * 1'000 + static_cast<std::uint64_t>(number));
  transport_ = std::make_unique<SimTransport>(world.amazon_, world.clock_, s.seed * 77 + static_cast<std::uint64_t>(number));
  transport_->set_observer([this](const net::HttpRequest& request, const Result<net::HttpResponse>& response) {
    const support::Sheltered ours;
    std::string line = "http " + std::to_string(number_) + " " + request.url + " ";
    line += response ? std::to_string(response->status) + " " + std::to_string(response->body.size()) : std::string(response.error().name());
    world_.note(line);
    if (world_.settings_.watch) world_.settings_.watch(request, response);
  });
  database_ = world.open_database(log);
  store_ = std::make_unique<KillableStore>(*this, *database_);
  auto me = store_->register_engine();
  if (!me) throw std::runtime_error("the engine can't be registered: " + me.error().message);

  amzsync::EngineSettings e;
  e.app = {"client", Secret(world_.client_secret_)};
  e.app_settings = {"amzn1.sp.solution.world", kRedirect, kAmazon, false};
  e.lwa_endpoint = kAmazon;
  e.spapi.endpoint = kAmazon;
  e.spapi.region = amzsync::spapi::region_name(s.amazon.region);
  e.spapi.user_agent = "world/1 (Language=C++/20; Platform=Linux/x86_64)";
  e.master_keys = *amzsync::auth::MasterKeys::parse(world.master_keys_);
  e.sync.region = s.amazon.region;
  e.sync.finances = s.finances_v0 ? store::MoneyStream::financial_events : store::MoneyStream::transactions;
  e.sync.named_streams = s.streams;
  e.sync.history_days = s.history_days;
  e.sync.keep_archive = std::chrono::hours(24 * s.archive_days);
  e.sync.archive_pages = s.archive_pages;
  e.sync.policy = s.policy;
  e.sync.sync_every = s.sync_every;
  e.sync.max_active_runs = s.max_active_runs;
  transport_->set_deaf(s.deaf_transport);
  const Executor loop = world.loop_.get_executor();
  clock_ = std::make_unique<FatefulClock>(*this);
  engine_ = std::make_unique<amzsync::Engine>(std::move(e), amzsync::EngineParts{loop, loop, loop, *clock_, *entropy_, *transport_, *transport_, *store_, *me, log, s.token_store});
  engine_->start();
  if (!s.listen) return;
  const auto subscription = engine_->dispatcher().subscribe(std::nullopt, events::Cursor::kLive, [this](const events::Item& item) { hear(item); }, {});
  if (!subscription) throw std::runtime_error("the engine can't be listened to");
  subscription_ = *subscription;
}

Process::~Process() = default;

bool Process::logged(std::string_view line) const {
  return std::any_of(log_.begin(), log_.end(), [&](const std::string& l) { return l.find(line) != std::string::npos; });
}

namespace {

/// A database of the newest schema that holds nothing, as the first engine to open it makes one: to make one anew for each world would take most of the time of many.
std::map<std::string, std::string> make_empty_database() {
  MemoryVfs files(1);
  VirtualClock clock(*parse_instant(WorldSettings().start));
  asio::io_context loop;
  store::SqliteOptions options;
  options.path = kDatabase;
  options.vfs = files.name();
  options.lock_path = "/tmp/amzsync-world-" + std::to_string(::getpid()) + "-empty";
  auto made = store::open_sqlite_store(options, loop.get_executor(), loop.get_executor(), clock, Log());
  if (!made) throw std::runtime_error("no database can be made: " + made.error().message);
  made->reset();
  ::unlink(options.lock_path.c_str());
  return files.snapshot(MemoryVfs::Loss::process);
}

const std::map<std::string, std::string>& empty_database() {
  static const auto files = make_empty_database();
  return files;
}

}  // namespace

World::World(WorldSettings settings)
    : settings_(std::move(settings)), clock_(*parse_instant(settings_.start)), amazon_(seeded(settings_.amazon, settings_.seed), [this] { return clock_.true_now(); }), files_(settings_.seed) {
  static std::atomic<int> number{0};
  lock_path_ = "/tmp/amzsync-world-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
#ifdef AMZSYNC_POSTGRES
  const char* kind = std::getenv("AMZSYNC_TEST_STORE");
  if (kind && std::string_view(kind) == "postgres") schema_.emplace();
#endif
}

World::~World() {
  for (const auto& process : processes_) {
    process->alive_ = false;
    if (process->engine_) bury(*process);
  }
  ::unlink(lock_path_.c_str());
}

Process& World::open() {
  processes_.push_back(std::make_unique<Process>(*this, ++opened_));
  Process& process = *processes_.back();
  const auto guard = [this, &process](std::int64_t number, bool after) {
    if (process.alive_ && kill_at_ && kill_at_->kind == CallKind::http && kill_at_->call == number && kill_at_->after == after) kill(process);
    return process.alive_;
  };
  process.transport_->set_guard(guard, http_calls_);
  process.transport_->set_fates([&process](bool back) {
    const auto verdict = process.judge(static_cast<int>(back ? Point::http_back : Point::http_out));
    return SimTransport::Fate{verdict.wait, verdict.error.has_value()};
  });
  settle();
  return process;
}

/// As a runtime does.
void World::stop(Process& process, std::shared_ptr<bool> stopped) {
  asio::co_spawn(loop_, process.engine_->stop(), [this, &process, stopped](const std::exception_ptr& escaped) {
    *stopped = !escaped;
    if (escaped) stop(process, stopped);
  });
}

/// Lets an engine unwind: a living one as its host would, a dead one without any effect.
void World::bury(Process& process) {
  look_away();   // the last one to close a database folds its log back
  const auto stopped = std::make_shared<bool>(false);
  stop(process, stopped);
  while (poll() || !*stopped) {
    if (*stopped) continue;
    // Whatever it still waits for ends by time alone.
    const auto next = clock_.next();
    if (!next) throw std::runtime_error("an engine does not stop");
    move_to(*next);
  }
  process.engine_->dispatcher().close();
  poll();
  process.engine_.reset();
  process.store_.reset();
  process.database_.reset();
}

void World::close(Process& process) {
  if (!process.engine_) return;
  bury(process);
  process.alive_ = false;
  note("closed " + std::to_string(process.number_));
}

void World::kill(Process& process) {
  const support::Sheltered ours;
  if (!process.alive_) return;
  // It may be inside one of its own calls now: from here on nothing it does has any effect, and it is buried at the next step.
  process.alive_ = false;
  kill_at_.reset();
  note("killed " + std::to_string(process.number_));
}

void World::lose_power() {
  const auto left = files_.snapshot(MemoryVfs::Loss::power);
  for (const auto& process : processes_) kill(*process);
  bury_the_dead();
  files_.restore(left);
  note("power lost");
}

void World::bury_the_dead() {
  if (waiting_ > 0) return;
  for (const auto& process : processes_)
    if (!process->alive_ && process->engine_) bury(*process);
}

/// Whether there was anything to do. What a test exposes to want of memory is what the engines do here.
bool World::poll() {
  for (bool any = false;; any = true) {
    loop_.restart();
    try {
      const support::Exposed engines;
      return loop_.poll() > 0 || any;
    } catch (const std::bad_alloc&) {
      ++escapes_;
    }
  }
}

void World::move_to(Steady at) {
  for (;;) {
    try {
      const support::Exposed engines;
      return clock_.move_to(at);
    } catch (const std::bad_alloc&) {
      ++escapes_;
    }
  }
}

bool World::step() {
  bury_the_dead();
  if (poll()) return true;
  const auto next = clock_.next();
  if (!next) return false;
  move_to(*next);
  return true;
}

void World::settle() {
  do bury_the_dead();
  while (poll());
}

bool World::run_until(const std::function<bool()>& done, Duration within) {
  const Look look(*this);   // what it waits for is asked after every step
  const Steady end = clock_.steady() + within;
  while (!done()) {
    bury_the_dead();
    if (poll()) continue;
    const auto next = clock_.next();
    if (!next || *next > end) return false;
    move_to(*next);
  }
  return true;
}

void World::run_for(Duration span) {
  const Steady end = clock_.steady() + span;
  run_until([] { return false; }, span);
  move_to(end);
  settle();
}

Process& World::pass(Process& process, Duration span) {
  close(process);
  run_for(span);
  return open();
}

Result<amzsync::sync::OAuthCallback> World::agree(Process& process, int n, const std::string& marketplace) {
  auto link = wait(process.engine().triggers().start_consent(user(n), "https://front.example", marketplace));
  if (!link) return link.error();
  net::HttpRequest page;
  page.url = link->url + "&sim_seller=" + std::to_string(n);
  const amzsim::SimAnswer answer = amazon_.handle(to_sim(page));
  net::HttpRequest back;
  for (const auto& [name, value] : answer.headers)
    if (name == "Location") back.url = value;
  const amzsim::SimRequest callback = to_sim(back);
  amzsync::sync::OAuthCallback params;
  params.user = user(n);
  params.state = callback.param("state");
  params.code = Secret(callback.param("spapi_oauth_code"));
  params.seller_id = callback.param("selling_partner_id");
  return params;
}

Result<amzsync::sync::CallbackOutcome> World::connect(Process& process, int n, const std::string& marketplace) {
  AMZ_TRY(params, agree(process, n, marketplace));
  auto outcome = wait(as_result(process.engine().triggers().on_oauth_callback(std::move(params))));
  if (!outcome) return outcome.error();
  if (auto* failure = std::get_if<amzsync::sync::CallbackFailure>(&*outcome)) return failure->error;
  return std::get<amzsync::sync::CallbackOutcome>(*outcome);
}

std::string World::status_of(Process& process, const UserId& user, const SyncId& id) {
  const auto document = process.engine().run_document(user, id);
  if (!document) return std::string(document.error().name());
  const auto parsed = JsonDocument::parse(*document);
  return std::string((*parsed)["status"].text());
}

std::string World::finish(Process& process, const UserId& user, const SyncId& id) {
  std::int64_t asked_after = -1;
  run_until([&] {
    if (!process.alive()) return true;
    // Only what was written can have ended it.
    if (std::exchange(asked_after, store_ends_) == store_ends_) return false;
    const std::string status = status_of(process, user, id);
    return status != "queued" && status != "in_progress" && status != "detecting";
  });
  const auto document = process.engine().run_document(user, id);
  return document ? *document : std::string(document.error().name());
}

std::string World::sync_seller(Process& process, int n) {
  const auto connected = connect(process, n);
  if (!connected) throw std::runtime_error("seller can't be connected: " + connected.error().message);
  return finish(process, user(n), connected->sync_id);
}

std::string World::recoveries(Process& process, const UserId& user) {
  auto answer = wait(process.engine().recoveries(user, false));
  return answer ? *answer : std::string(answer.error().name());
}

JsonDocument World::truth(int seller, bool lines) const { return std::move(*JsonDocument::parse(amazon_.truth(seller, lines))); }

std::unique_ptr<store::Store> World::open_database(const Log& log) {
  const auto open = [&] {
#ifdef AMZSYNC_POSTGRES
    if (schema_) return store::open_postgres_store({.url = schema_->url(), .server_clock = false}, loop_.get_executor(), loop_.get_executor(), clock_, log);
#endif
    store::SqliteOptions options;
    options.path = kDatabase;
    options.vfs = files_.name();
    options.lock_path = lock_path_;
    options.synchronous_full = settings_.synchronous_full;
    return store::open_sqlite_store(options, loop_.get_executor(), loop_.get_executor(), clock_, log);
  };
  const bool first = !on_postgres() && files_.snapshot(MemoryVfs::Loss::process).empty();
  if (first) files_.restore(empty_database());
  auto opened = open();
  if (!opened) throw std::runtime_error("the world's database can't be opened: " + opened.error().message);
  return std::move(*opened);
}

std::vector<std::vector<std::string>> World::sql(const std::string& query) const {
#ifdef AMZSYNC_POSTGRES
  if (schema_) return schema_->rows(query);
#endif
  std::vector<std::vector<std::string>> rows;
  sqlite3*& db = eye_;
  if (!db && sqlite3_open_v2(kDatabase, &db, SQLITE_OPEN_READWRITE, files_.name().c_str()) != SQLITE_OK) throw std::runtime_error("the world's database can't be read");
  // What is asked again and again is prepared once.
  sqlite3_stmt*& statement = questions_[query];
  if (!statement && sqlite3_prepare_v2(db, query.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    const std::string why = sqlite3_errmsg(db);
    look_away();
    throw std::runtime_error(why + ": " + query);
  }
  while (sqlite3_step(statement) == SQLITE_ROW) {
    auto& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      row.emplace_back(text ? text : "NULL");
    }
  }
  sqlite3_reset(statement);
  if (looks_ == 0) look_away();
  return rows;
}

void World::look_away() const {
  for (const auto& [query, statement] : questions_) sqlite3_finalize(statement);
  questions_.clear();
  sqlite3_close(eye_);
  eye_ = nullptr;
}

void World::dump(const std::string& path) const { sql("VACUUM INTO '" + path + "'"); }

std::int64_t World::count(const std::string& query) const {
  const auto rows = sql(query);
  return rows.empty() ? 0 : std::atoll(rows.front().front().c_str());
}

void World::note(const std::string& line) { trace_.push_back(format_instant(clock_.now()) + " " + line); }

std::string World::trace_hash() const {
  std::string all;
  for (const std::string& line : trace_) all += line + '\n';
  for (const auto& row : sql("SELECT user_no, seq, type, payload FROM journal ORDER BY journal_no"))
    for (const std::string& column : row) all += column + '\t';
  const Sha256 digest = sha256(all);
  return hex({reinterpret_cast<const char*>(digest.data()), 16});
}

}  // namespace world
