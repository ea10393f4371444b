// SPDX-License-Identifier: Apache-2.0
// Runs under a schedule of faults: at any call of any process to its store or to Amazon the call may fail, come late, lose its answer, or the process stand
// still for longer than its lease, or die, also when a timer of its fires and when it calls the host back; meanwhile triggers of every kind come, users pause, cancel and go, clocks jump. Whatever happens, what the engine
// promises of runs holds. A seed that fails is played again by `scripts/soak fates --seed N`.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "world/checks.hpp"

using namespace world;

namespace {

using What = World::Fate::What;

/// The database itself keeps watch over every write: what breaks a promise is written down.
void watch_promises(World& world) {
  world.sql("CREATE TABLE broken(what TEXT)");
  for (const char* promise : {
           "CREATE TRIGGER progress_falls AFTER UPDATE OF progress ON runs WHEN NEW.progress < OLD.progress BEGIN INSERT INTO broken VALUES('progress fell: ' || OLD.sync_id); END",
           "CREATE TRIGGER end_is_final AFTER UPDATE OF status ON runs WHEN OLD.status IN ('completed','partial','failed','cancelled') AND NEW.status <> OLD.status "
           "BEGIN INSERT INTO broken VALUES('a terminal state changed: ' || OLD.sync_id); END",
           "CREATE TRIGGER nothing_after_the_end AFTER INSERT ON journal WHEN NEW.type LIKE 'sync%' AND json_extract(NEW.payload, '$.syncId') IS NOT NULL AND EXISTS (SELECT 1 FROM journal j WHERE "
           "j.user_no = NEW.user_no AND j.journal_no < NEW.journal_no AND j.type IN ('sync.completed','sync.failed','sync.cancelled') AND json_extract(j.payload, '$.syncId') = "
           "json_extract(NEW.payload, '$.syncId')) BEGIN INSERT INTO broken VALUES('an event after the end: ' || NEW.payload); END",
           "CREATE TRIGGER fences_grow AFTER UPDATE OF fence ON runs WHEN NEW.fence < OLD.fence BEGIN INSERT INTO broken VALUES('a fence fell: ' || OLD.sync_id); END",
           "CREATE TRIGGER held_by_one AFTER UPDATE OF holder ON runs WHEN NEW.holder <> 0 AND OLD.holder <> 0 AND NEW.holder <> OLD.holder AND NEW.fence = OLD.fence "
           "BEGIN INSERT INTO broken VALUES('a run changed hands under one fence: ' || OLD.sync_id); END"})
    world.sql(promise);
}

/// One course of events, made of a seed alone.
class Course {
 public:
  explicit Course(std::uint64_t seed) : random_(seed * 1'000'003), world_(settings(seed)) {}

  void play() {
    open();
    watch_promises(world_);
    world_.set_fates([this](Process&, World::Point point) { return fate(point); });
    CAPTURE(what_happened_);
    const std::int64_t acts = random_.between(3, 14);
    for (std::int64_t i = 0; i < acts; ++i) {
      act();
      world_.run_for(Duration(random_.one_in(4) ? random_.below(4'000'000'000) : random_.below(3'000'000)));
    }
    calm_down();
    CHECK_MESSAGE(world_.run_until([&] { return all_over(world_); }, std::chrono::hours(60)), what_happened_);
    CHECK_MESSAGE(world_.sql("SELECT what FROM broken").empty(), what_happened_);
    check_runs(world_);
    check_triggers();
    check_callbacks();
    check_rows();
  }
  std::int64_t deaths() const noexcept { return deaths_; }
  std::int64_t freezes() const noexcept { return freezes_; }
  std::int64_t failures() const noexcept { return failures_; }

 private:
  static constexpr int kUsers = 2, kMostProcesses = 3;

  WorldSettings settings(std::uint64_t seed) {
    WorldSettings s;
    s.seed = seed;
    s.finances_v0 = random_.one_in(3);
    s.history_days = s.amazon.history_days = static_cast<int>(random_.between(2, 40));
    s.amazon.events = random_.between(0, 250);
    s.amazon.skus = random_.between(0, 70);
    s.amazon.rows_per_page = random_.one_in(3) ? 0 : random_.between(5, 60);
    s.amazon.goes_on = true;
    s.amazon.rate_scale = random_.one_in(2) ? 0 : 1;
    s.max_active_runs = random_.one_in(4) ? 1 : 10;
    s.listen = random_.one_in(8);   // whoever listens looks for news ten times a second, which takes long to play
    if (random_.one_in(3)) s.sync_every = std::chrono::hours(1);
    s.streams = {s.finances_v0 ? "financial_events" : "transactions", "inventory"};
    if (random_.one_in(3)) s.streams.emplace_back("reimbursements");
    return s;
  }

  World::Fate fate(World::Point point) {
    if (calm_ || !random_.one_in(point == World::Point::timer || point == World::Point::callback ? 200 : 40)) return {};
    World::Fate fate;
    switch (random_.below(7)) {
      case 0:
      case 1:
        if (point == World::Point::timer || point == World::Point::callback) break;
        fate.what = What::fail;
        fate.code = random_.one_in(2) ? Code::store_busy : Code::store_full;
        ++failures_;
        break;
      case 2:
      case 3:
        fate.what = What::delay;
        fate.span = Duration(random_.below(5'000'000));
        break;
      case 4:
        fate.what = What::freeze;
        fate.span = std::chrono::seconds(random_.between(1, 90));   // a lease lasts thirty
        ++freezes_;
        break;
      case 5:
        if (random_.one_in(3)) {
          fate.what = What::die;
          ++deaths_;
        }
        break;
      default:
        if (random_.one_in(4)) world_.clock().jump(std::chrono::seconds(random_.between(-4'000, 4'000)));
        break;
    }
    return fate;
  }

  Process& open() {
    processes_.push_back(&world_.open());
    every_process_.push_back(processes_.back());
    return *processes_.back();
  }
  /// Some process that is alive.
  Process& any() {
    const auto forget_the_dead = [this] { std::erase_if(processes_, [](const Process* p) { return !p->alive(); }); };
    for (forget_the_dead(); processes_.empty(); forget_the_dead()) open();   // one may die while it opens
    return *processes_[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(processes_.size())))];
  }

  void close_all() {
    for (Process* process : processes_)
      if (process->alive()) world_.close(*process);
  }

  void accepted(int n, const SyncId& id) { accepted_.push_back({n, id.text()}); }

  /// What somebody does. It may come to nothing: the store is down, the process dies.
  void act() {
    Process& process = any();
    const int n = static_cast<int>(random_.between(1, kUsers));
    const UserId user = world_.user(n);
    auto& triggers = process.engine().triggers();
    const auto kind = random_.below(12);
    what_happened_ += std::to_string(kind) + "/" + std::to_string(n) + " ";
    try {
      switch (kind) {
        case 0:
        case 1:
        case 2:
          if (const auto connected = world_.connect(process, n)) accepted(n, connected->sync_id);
          break;
        case 3:
          if (const auto run = world_.wait(triggers.start(user, random_.one_in(3) ? "inventory" : ""))) accepted(n, run->id);
          break;
        case 4:
          if (const auto used = world_.wait(triggers.use_existing_connection(user)); used && used->sync_id) accepted(n, *used->sync_id);
          break;
        case 5: (void)world_.wait(process.engine().recoveries(user, false)); break;
        case 6: {
          const auto runs = world_.sql("SELECT sync_id FROM runs ORDER BY run_no");
          if (runs.empty()) break;
          const std::string& id = runs[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(runs.size())))][0];
          (void)world_.wait(process.engine().cancel(user, SyncId(id), "chance"));
          break;
        }
        case 7: (void)world_.wait(process.engine().pause(random_.one_in(3) ? std::nullopt : std::optional(user), "chance")); break;
        case 8: (void)world_.wait(process.engine().resume(random_.one_in(3) ? std::nullopt : std::optional(user), "chance")); break;
        case 9:
          if (static_cast<int>(processes_.size()) < kMostProcesses) open();
          break;
        case 10:
          if (random_.one_in(2)) {
            world_.close(process);
          } else {
            world_.kill(process);
          }
          break;
        default:
          if (random_.one_in(3)) (void)world_.wait(process.engine().disconnect(user, "chance"));
          break;
      }
    } catch (const std::runtime_error&) {
      // The task went with its process.
    }
  }

  /// From here on nothing goes wrong any more, and nobody is paused.
  void calm_down() {
    calm_ = true;
    world_.clock().set_right();
    world_.amazon().clear_faults();
    world_.run_for(std::chrono::minutes(2));   // what is frozen comes to
    Process& process = any();
    REQUIRE(world_.wait(process.engine().resume(std::nullopt, "the test")));
    for (int n = 1; n <= kUsers; ++n) (void)world_.wait(process.engine().resume(world_.user(n), "the test"));
  }

  /// Each accepted trigger leads to a run that is over now.
  void check_triggers() {
    for (const auto& [n, id] : accepted_) {
      CAPTURE(id);
      const auto run = world_.sql("SELECT r.status, u.user_id FROM runs r JOIN users u ON u.user_no=r.user_no WHERE r.sync_id='" + id + "'");
      REQUIRE(run.size() == 1);
      CHECK(run[0][1] == world_.user(n).text());
      CHECK_MESSAGE((run[0][0] == "completed" || run[0][0] == "partial" || run[0][0] == "failed" || run[0][0] == "cancelled"), what_happened_);
    }
    CHECK(world_.count("SELECT count(*) FROM runs WHERE run_again IS NOT NULL AND status NOT IN ('completed','partial','failed','cancelled')") == 0);
  }

  /// A host that listens hears each event once and in order, and of those since its process opened misses none that it lived to see.
  void check_callbacks() {
    world_.run_for(std::chrono::seconds(1));
    for (const Process* process : every_process_)
      for (const auto& [user, numbers] : process->heard()) {
        CAPTURE(user);
        for (std::size_t i = 1; i < numbers.size(); ++i) CHECK_MESSAGE(numbers[i] == numbers[i - 1] + 1, what_happened_);
        // A process looks for what others commit ten times a second.
        const std::string seen = std::to_string(to_us(world_.clock().now() - std::chrono::milliseconds(150)));
        if (process->alive()) CHECK(numbers.back() >= world_.count("SELECT max(seq) FROM journal j JOIN users u ON u.user_no=j.user_no WHERE u.user_id='" + user + "' AND j.at<" + seen));
      }
    for (Process* process : every_process_) process->stop_listening();
  }

  /// Whoever is connected in the end has all rows after one more sync, each once.
  void check_rows() {
    // Until everything is due again, whatever was read while the clock was wrong.
    REQUIRE(world_.wait(any().engine().pause(std::nullopt, "the test")));
    if (!random_.one_in(8)) close_all();   // idle days with an engine open take longer to play than all the rest
    // On the hour: Amazon's facts change at half past.
    const Instant due = std::chrono::ceil<std::chrono::hours>(world_.clock().now() + std::chrono::hours(24 * 3));
    world_.run_for(due - world_.clock().now());
    Process& process = any();
    REQUIRE(world_.wait(process.engine().resume(std::nullopt, "the test")));
    for (int n = 1; n <= kUsers; ++n) {
      if (world_.count("SELECT count(*) FROM connections c JOIN users u ON u.user_no=c.user_no WHERE c.state='connected' AND u.user_id='" + world_.user(n).text() + "'") == 0) continue;
      const auto again = world_.wait(process.engine().triggers().start(world_.user(n), ""));
      REQUIRE_MESSAGE(again, what_happened_);
      const std::string run = world_.finish(process, world_.user(n), again->id);
      CAPTURE(run);
      CHECK_MESSAGE(member(run, "status") == "completed", what_happened_);
      check_truth(world_, process, n);
    }
  }

  amzsim::Random random_;
  World world_;
  std::vector<Process*> processes_, every_process_;
  std::vector<std::pair<int, std::string>> accepted_;
  std::string what_happened_;
  bool calm_ = false;
  std::int64_t deaths_ = 0, freezes_ = 0, failures_ = 0;
};

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text ? std::optional(std::strtoull(text, nullptr, 10)) : std::nullopt;
}

}  // namespace

TEST_SUITE_BEGIN("fates");

TEST_CASE("whatever fails, freezes or dies at whatever call: no trigger is lost, no sync runs twice, every one ends once, and the rows are true") {
#ifdef AMZSYNC_SANITIZED
  constexpr std::uint64_t kFixed = 30;
#else
  constexpr std::uint64_t kFixed = 300;
#endif
  const auto one = number_from("AMZSYNC_SEED");
  const std::uint64_t first = one.value_or(number_from("AMZSYNC_FROM").value_or(1)), rounds = one ? 1 : number_from("AMZSYNC_ROUNDS").value_or(kFixed);
  std::int64_t deaths = 0, freezes = 0, failures = 0;
  const auto play = [&](std::uint64_t seed) {
    INFO("scripts/soak fates --seed " << seed);
    Course course(seed);
    course.play();
    deaths += course.deaths();
    freezes += course.freezes();
    failures += course.failures();
  };
  for (std::uint64_t seed = first; seed < first + rounds; ++seed) play(seed);
  // And one that nobody has seen yet.
  if (!one) play(std::random_device()() + 1'000'000ULL);
  MESSAGE(rounds << " schedules: " << deaths << " deaths, " << freezes << " processes that stood still, " << failures << " calls that failed");
}

TEST_CASE("what passes while a milestone is on its way to the database does not take its place: seed 8920, in which one of 90 was never told") {
  Course course(8920);
  course.play();
}

TEST_CASE("a worker that stands still for longer than its lease, at any call, writes nothing any more and undoes nothing of the one that took over") {
  const auto settings = [] {
    WorldSettings s;
    s.amazon.events = 120;
    s.amazon.skus = 60;
    s.history_days = s.amazon.history_days = 30;
    s.streams = {"transactions", "inventory"};
    return s;
  };
  std::int64_t calls = 0;
  const auto play = [&](std::int64_t frozen_at) {
    CAPTURE(frozen_at);
    World world(settings());
    Process& first = world.open();
    Process& second = world.open();
    watch_promises(world);
    std::int64_t call = 0;
    bool counting = false;
    world.set_fates([&](Process& process, World::Point) {
      World::Fate fate;
      if (!counting || &process != &first) return fate;
      if (++call == frozen_at) {
        fate.what = What::freeze;
        fate.span = std::chrono::seconds(90);
      }
      return fate;
    });
    const auto connected = world.connect(first, 1);
    REQUIRE(connected);
    counting = true;
    CHECK(world.run_until([&] { return all_over(world); }, std::chrono::minutes(30)));
    world.run_for(std::chrono::minutes(3));   // what was frozen has come to
    CHECK(world.status_of(second, world.user(1), connected->sync_id) == "completed");
    CHECK(world.sql("SELECT what FROM broken").empty());
    check_truth(world, second, 1);
    calls = call;
  };
  play(0);
  const std::int64_t all = calls;
#ifdef AMZSYNC_SANITIZED
  constexpr std::int64_t kStride = 17;
#else
  constexpr std::int64_t kStride = 1;
#endif
  for (std::int64_t at = 1; at <= all; at += kStride) play(at);
  MESSAGE("stood still at each of " << all << " calls");
}

TEST_SUITE_END();
