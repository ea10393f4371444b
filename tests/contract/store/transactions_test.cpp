// SPDX-License-Identifier: Apache-2.0
// What every store promises of transactions and of the engines that use it; the files beside this one hold what is built on them. ctest runs the suite once
// for each store.
#include <asio/thread_pool.hpp>

#include <atomic>
#include <future>
#include <thread>

#include "store/journal.hpp"
#include "support/test_store.hpp"

using namespace support;

TEST_SUITE_BEGIN("contract");

TEST_CASE("a failing statement fails its transaction, whatever follows, and undoes it") {
  TestStore t;
  const Status outcome = t.write([](store::Tx& tx) -> Status {
    tx.run("INSERT INTO counters VALUES('x', 1)");
    tx.run("INSERT INTO no_such_table VALUES(1)");
    CHECK(!tx.integer("SELECT next FROM counters WHERE name='x'"));   // everything after it reads as nothing
    return Done{};
  });
  CHECK(outcome.code() == Code::internal);
  CHECK(t.count("SELECT count(*) FROM counters WHERE name='x'") == 0);
  CHECK(t.write([](store::Tx& tx) -> Status {
    tx.run("INSERT INTO counters VALUES('x', 1)");
    return Done{};
  }));
}

TEST_CASE("in a group commit a job that fails takes nobody with it") {
  TestStore t;
  int good = 0, bad = 0;
  auto job = [](store::Store& s, int n, int& good_count, int& bad_count) -> Async<void> {
    auto work = [n](store::Tx& tx) -> Status {
      tx.run("INSERT INTO counters VALUES(?1, 1)", "job-" + std::to_string(n));
      if (n % 3 == 0) return Code::fenced;
      if (n % 5 == 0) tx.run("SELECT nonsense");
      return Done{};
    };
    const Status outcome = co_await s.write(n % 2 == 0 ? store::Urgency::trigger : store::Urgency::normal, std::move(work));
    ++(outcome ? good_count : bad_count);
  };
  for (int n = 1; n <= 30; ++n) asio::co_spawn(t.loop, job(*t.store, n, good, bad), [](const std::exception_ptr&) {});
  t.loop.restart();
  t.loop.poll();
  CHECK(good == 16);
  CHECK(bad == 14);
  CHECK(t.count("SELECT count(*) FROM counters WHERE name LIKE 'job-%'") == 16);
}

TEST_CASE("an engine's place is held as long as it is open, and its number is never given again") {
  TestStore t;
  const auto first = t.store->register_engine();
  REQUIRE(first);
  const auto other = t.open_another();
  const auto second = other->register_engine();
  REQUIRE(second);
  CHECK(second->value > first->value);
  CHECK(other->engine_may_live(*first));
  CHECK(t.store->engine_may_live(*second));
  t.reopen();
  CHECK(other->engine_may_live(*first) == !t.is_sqlite());   // of another machine nobody can be certain; leases tell
  const auto third = t.store->register_engine();
  CHECK(third->value > second->value);
}

TEST_CASE("reads see what was committed and nothing else, also while somebody writes, and those who write see their own") {
  TestStore t;
  const auto count = [](store::Tx& tx) { return tx.integer("SELECT count(*) FROM counters WHERE name='seen'").value_or(-1); };
  CHECK(t.write([&](store::Tx& tx) -> Status {
    tx.run("INSERT INTO counters VALUES('seen', 1)");
    CHECK(count(tx) == 1);
    CHECK(*t.read([&](store::Tx& reader) -> Result<std::int64_t> { return count(reader); }) == 0);
    return Done{};
  }));
  CHECK(*t.read([&](store::Tx& reader) -> Result<std::int64_t> { return count(reader); }) == 1);
  CHECK(!t.read([](store::Tx& reader) -> Status {
    reader.run("DELETE FROM counters");   // a read can't write
    return Done{};
  }));
  CHECK(t.count("SELECT count(*) FROM counters WHERE name='seen'") == 1);
}

TEST_CASE("triggers are written before everything else that waits") {
  TestStore t;
  std::string order;
  auto job = [](store::Store& s, store::Urgency urgency, std::string name, std::string& into) -> Async<void> {
    auto work = [&into, name](store::Tx&) -> Status {
      into += name;
      return Done{};
    };
    (void)co_await s.write(urgency, std::move(work));
  };
  for (int n = 0; n < 3; ++n) asio::co_spawn(t.loop, job(*t.store, store::Urgency::normal, "n", order), [](const std::exception_ptr&) {});
  for (int n = 0; n < 3; ++n) asio::co_spawn(t.loop, job(*t.store, store::Urgency::trigger, "t", order), [](const std::exception_ptr&) {});
  t.loop.restart();
  t.loop.poll();
  CHECK(order == "tttnnn");
}

TEST_CASE("every commit of anybody shows in the change counter, and our own are told; what changes nothing is no news") {
  TestStore t;
  int told = 0;
  t.store->on_commit([&] { ++told; });
  const auto other = t.open_another();
  const auto put = [](const std::string& name) {
    return [name](store::Tx& tx) -> Status {
      tx.run("INSERT INTO counters VALUES(?1, 1)", name);
      return Done{};
    };
  };
  std::uint64_t last = t.store->change_counter();
  CHECK(t.write(put("ours")));
  CHECK(told == 1);
  CHECK(t.store->change_counter() != last);
  last = t.store->change_counter();
  CHECK(t.write_by(*other, put("theirs")));
  CHECK(told == 1);
  // PostgreSQL's server tells when it comes to it.
  for (int looks = 0; looks < 10'000'000 && t.store->change_counter() == last && !t.is_sqlite(); ++looks) {}
  CHECK(t.store->change_counter() != last);
  last = t.store->change_counter();
  CHECK(t.write([](store::Tx&) -> Status { return Done{}; }));
  CHECK(told == 1);
  CHECK(t.store->change_counter() == last);
}

namespace {

/// Raises the smaller one of two counters, and tells when that is done.
struct Raise final : store::Job {
  explicit Raise(std::promise<Status>& d) : done(d) {}
  Status attempt(store::Tx& tx) override {
    const auto left = tx.integer("SELECT next FROM counters WHERE name='left'").value_or(-1), right = tx.integer("SELECT next FROM counters WHERE name='right'").value_or(-1);
    tx.run("UPDATE counters SET next=?2 WHERE name=?1", left <= right ? "left" : "right", std::min(left, right) + 1);
    return Done{};
  }
  void finish(Status outcome) override { done.set_value(std::move(outcome)); }
  std::promise<Status>& done;
};

}  // namespace

TEST_CASE("what several processes write at the same time comes out as if one had come after the other") {
  TestStore t;
  constexpr int kEach = 50;
  const int processes = t.kind() == "memory" ? 1 : 4;   // files in memory are of one thread
  CHECK(t.write([](store::Tx& tx) -> Status {
    tx.run("INSERT INTO counters VALUES('left', 0)");
    tx.run("INSERT INTO counters VALUES('right', 0)");
    return Done{};
  }));
  std::mutex told;
  std::string failed;
  std::vector<std::thread> threads;
  for (int i = 0; i < processes; ++i) {
    threads.emplace_back([&] {
      asio::thread_pool writer(1), readers(1);
      {
        const auto store = t.open_on(writer.get_executor(), readers.get_executor());
        for (int n = 0; n < kEach; ++n) {
          std::promise<Status> done;
          auto raised = done.get_future();
          store->submit_write(store::Urgency::normal, std::make_unique<Raise>(done));
          if (const Status outcome = raised.get(); !outcome) {
            std::lock_guard lock(told);
            failed += outcome.error().message + "; ";
          }
        }
        writer.join();
      }
      readers.join();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == "");
  // Two that saw the same would have raised the same one, or one each where one was due.
  CHECK(t.count("SELECT next FROM counters WHERE name='left'") == processes * kEach / 2);
  CHECK(t.count("SELECT next FROM counters WHERE name='right'") == processes * kEach / 2);
}

namespace {

/// An event of a user's, by another process, which waits until it is committed.
Status append_elsewhere(TestStore& t, UserNo user) {
  struct Append final : store::Job {
    explicit Append(UserNo u) : user(u) {}
    Status attempt(store::Tx& tx) override { return store::append_event(tx, user, "late or early", "{}"), Done{}; }
    void finish(Status outcome) override { done.set_value(std::move(outcome)); }
    UserNo user;
    std::promise<Status> done;
  };
  asio::thread_pool threads(1);
  const auto other = t.open_on(threads.get_executor(), threads.get_executor());
  auto job = std::make_unique<Append>(user);
  auto done = job->done.get_future();
  other->submit_write(store::Urgency::normal, std::move(job));
  Status outcome = done.get();
  threads.join();
  return outcome;
}

}  // namespace

TEST_CASE("who follows everybody's events misses none that is committed after one that began later") {
  TestStore t;
  const UserNo slow = t.connected("slow", "A1"), quick = t.connected("quick", "A2");
  std::int64_t place = *t.read([](store::Tx& tx) -> Result<std::int64_t> { return store::newest_place(tx); });
  std::vector<std::string> seen;
  const auto follow = [&] {
    const auto events = t.read([&](store::Tx& tx) -> Result<std::vector<store::PlacedEvent>> { return store::all_events_after(tx, place, 100); });
    REQUIRE(events);
    for (const auto& e : *events) {
      seen.push_back(e.user.text());
      place = e.place;
    }
  };
  bool between = t.is_sqlite();   // where one transaction writes at a time, nobody commits in between
  CHECK(t.write([&](store::Tx& tx) -> Status {
    store::append_event(tx, slow, "late or early", "{}");
    if (!std::exchange(between, true)) {
      tx.settle();   // the event has its place
      CHECK(append_elsewhere(t, quick));
      follow();
      CHECK(seen.empty());   // going on to the quick one's place would pass over the slow one's
    }
    return Done{};
  }));
  if (t.is_sqlite()) CHECK(append_elsewhere(t, quick));
  follow();
  CHECK(seen == std::vector<std::string>{"slow", "quick"});
}

TEST_CASE("what is posted is done in its order, before anything else that is asked, and told in that order") {
  TestStore t;
  CHECK(t.write([&](store::Tx& tx) -> Status {
    std::vector<std::int64_t> told;
    for (int n = 0; n < 1'000; ++n) {
      store::Statement& s = tx.statement("INSERT INTO counters VALUES(?1, ?2) ON CONFLICT (name) DO NOTHING RETURNING next");
      store::bind_value(s, 1, "n" + std::to_string(n / 2));
      store::bind_value(s, 2, n);
      s.post([&told](std::optional<std::int64_t> next) { told.push_back(next.value_or(-1)); });
      if (n == 500) CHECK(tx.integer("SELECT count(*) FROM counters WHERE name LIKE 'n%'") == 251);
    }
    tx.settle();
    REQUIRE(told.size() == 1'000);
    for (int n = 0; n < 1'000; ++n) CHECK(told[static_cast<std::size_t>(n)] == (n % 2 == 0 ? n : -1));
    return Done{};
  }));
  // One that fails takes everything back, and what was posted after it does nothing.
  const auto failed = t.write([&](store::Tx& tx) -> Status {
    tx.post("INSERT INTO counters VALUES('kept?', 1)");
    tx.post("INSERT INTO counters VALUES('n0', 1)");
    tx.post("INSERT INTO counters VALUES('after', 1)");
    return Done{};
  });
  CHECK(!failed);
  CHECK(t.count("SELECT count(*) FROM counters WHERE name IN ('kept?', 'after')") == 0);
}

TEST_SUITE_END();
