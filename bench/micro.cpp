// SPDX-License-Identifier: Apache-2.0
// The small parts that a sync of money spends its time on, each alone, on pages of the simulator's: Google Benchmark, since its figures are what C++ engineers know
// how to read. `scripts/bench micro`. The store is SQLite on a file system in memory, so that no disk is measured.
#include <benchmark/benchmark.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <cstdlib>
#include <iostream>

#include "sim/simulator.hpp"
#include "spapi/financial_events.hpp"
#include "spapi/operations.hpp"
#include "spapi/throttle.hpp"
#include "spapi/transactions.hpp"
#include "store/connections.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/users.hpp"
#include "world/memory_vfs.hpp"
#include "world/virtual_clock.hpp"

namespace {

using namespace amzsync::base;   // NOLINT: vocabulary
namespace spapi = amzsync::spapi;
namespace store = amzsync::store;

const Instant kNow = *parse_instant("2026-11-23T15:00:00Z");
const spapi::MoneyWindow kWindow{kNow - std::chrono::days(60), kNow - std::chrono::days(1)};

template <class T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

/// A full page of one of the two finance APIs.
std::string page_of(const char* path, const char* after, const char* before) {
  amzsim::SimSettings settings;
  settings.rate_scale = 0;
  settings.seams = false;
  amzsim::Simulator amazon(settings, [] { return kNow; });
  amzsim::SimRequest sign_in{"POST", "/auth/o2/token", {}, {{"content-type", "application/x-www-form-urlencoded"}}, "grant_type=refresh_token&client_id=bench&client_secret=bench&refresh_token=Atzr%7Csim-seller-1"};
  const auto token = need(JsonDocument::parse(amazon.handle(sign_in).body));
  amzsim::SimRequest request{"GET", path, {{after, format_seconds(kWindow.from)}, {before, format_seconds(kWindow.until)}}, {{"x-amz-access-token", std::string(token["access_token"].text())}, {"user-agent", "Bench/1 (Language=C++)"}}, {}};
  amzsim::SimAnswer answer = amazon.handle(request);
  if (answer.status != 200) {
    std::cerr << answer.body << '\n';
    std::exit(1);
  }
  return std::move(answer.body);
}

const std::string& events_page() {
  static const std::string page = page_of("/finances/v0/financialEvents", "PostedAfter", "PostedBefore");
  return page;
}
const std::string& transactions_page() {
  static const std::string page = page_of("/finances/2024-06-19/transactions", "postedAfter", "postedBefore");
  return page;
}

void parse(benchmark::State& state) {
  const std::string& page = events_page();
  for (auto _ : state) benchmark::DoNotOptimize(JsonDocument::parse(page));
  state.SetBytesProcessed(static_cast<std::int64_t>(page.size()) * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(parse);

void decode(benchmark::State& state, const std::string& page, Result<spapi::MoneyPage> (*read)(const JsonDocument&, const spapi::MoneyWindow&)) {
  const auto answer = need(JsonDocument::parse(page));
  std::int64_t events = 0;
  for (auto _ : state) events += static_cast<std::int64_t>(need(read(answer, kWindow)).batch.events.size());
  state.SetItemsProcessed(events);
}
BENCHMARK_CAPTURE(decode, financial_events, events_page(), &spapi::decode_financial_events);
BENCHMARK_CAPTURE(decode, transactions, transactions_page(), &spapi::decode_transactions);

/// What an event without an id of Amazon's is known by.
void identity(benchmark::State& state) {
  const auto answer = need(JsonDocument::parse(events_page()));
  const Json list = answer["payload"]["FinancialEvents"]["ShipmentEventList"];
  std::int64_t events = 0;
  for (auto _ : state)
    for (const Json event : list) {
      std::string canonical("ShipmentEventList");
      append_canonical(canonical, event);
      benchmark::DoNotOptimize(Hash128::of(canonical));
      ++events;
    }
  state.SetItemsProcessed(events);
}
BENCHMARK(identity);

void money(benchmark::State& state) {
  constexpr std::array<std::string_view, 8> kAmounts{"1.5", "-0.99", "12345.67", "0", "-4.2", "1e-2", "99.990000", "18"};
  for (auto _ : state)
    for (const std::string_view text : kAmounts) benchmark::DoNotOptimize(parse_amount(text));
  state.SetItemsProcessed(static_cast<std::int64_t>(kAmounts.size()) * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(money);

/// An engine's parts on one thread, where time stands still.
class Engine {
 public:
  Engine() : files_(1), clock(kNow) {
    store::SqliteOptions options;
    options.path = "/bench.db";
    options.vfs = files_.name();
    options.lock_path = "/tmp/amzsync-bench-" + std::to_string(::getpid());
    lock_path_ = options.lock_path;
    store = need(store::open_sqlite_store(options, loop.get_executor(), loop.get_executor(), clock, Log()));
  }
  ~Engine() {
    store.reset();
    ::unlink(lock_path_.c_str());
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  template <class R>
  R await(Async<R> task) {
    std::optional<R> result;
    asio::co_spawn(loop, into(std::move(task), result), [](const std::exception_ptr&) {});
    for (;;) {
      loop.restart();
      loop.poll();
      if (result) return std::move(*result);
      clock.move_to(clock.next().value());   // what it waits for is time
    }
  }
  template <class Work>
  auto write(Work work) {
    return await(store->write(store::Urgency::normal, std::move(work)));
  }
  store::Fence running() {
    return need(write([](store::Tx& tx) -> Result<store::Fence> {
      const UserNo user = store::ensure_user(tx, UserId("bench"));
      store::Authorisation authorisation;
      authorisation.user = user;
      authorisation.region = "na";
      authorisation.seller = SellerId("A1");
      authorisation.sealed_refresh_token = "sealed";
      AMZ_TRY(connection, store::store_authorisation(tx, authorisation));
      (void)connection;
      AMZ_TRY(run, store::trigger(tx, {user, store::Cause::manual, SyncId("sync-1"), "", false}));
      (void)run;
      const auto claimed = store::claim(tx, EngineNo{1}, store::kRunLease);
      if (!claimed) return Code::internal;
      return claimed->fence;
    }));
  }

 private:
  template <class R>
  static Async<void> into(Async<R> task, std::optional<R>& result) {
    result.emplace(co_await std::move(task));
  }
  world::MemoryVfs files_;
  std::string lock_path_;

 public:
  world::VirtualClock clock;
  asio::io_context loop{1};
  std::unique_ptr<store::Store> store;
};

/// A page's transaction: its events with all their amounts, none of which is there yet.
void store_batch(benchmark::State& state) {
  Engine engine;
  const store::Fence fence = engine.running();
  const auto answer = need(JsonDocument::parse(events_page()));
  store::MoneyBatch batch = need(spapi::decode_financial_events(answer, kWindow)).batch;
  std::uint32_t occurrence = 0;
  std::int64_t events = 0;
  for (auto _ : state) {
    ++occurrence;
    for (store::MoneyEvent& event : batch.events) event.occurrence = occurrence;
    const auto stored = engine.write([&](store::Tx& tx) -> Result<store::Counts> {
      AMZ_TRY(run, store::RunTx::enter(tx, fence));
      return store::store_page(run, store::MoneyStream::financial_events, batch, store::Existing::none);
    });
    events += need(stored).added;
  }
  state.SetItemsProcessed(events);
}
BENCHMARK(store_batch);

/// A call's way through the usage plan while it has calls left: the plan belongs to this engine, and is full again each time.
void throttle(benchmark::State& state) {
  Engine engine;
  spapi::Throttle throttle(*engine.store, engine.clock, EngineNo{1});
  const spapi::BucketKey key{"app", "A1", "na", "getInventorySummaries"};
  std::int64_t calls = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(need(engine.await(throttle.acquire(key, spapi::kGetInventorySummaries, CancelToken(), {}))));
    engine.clock.move_to(engine.clock.steady() + std::chrono::seconds(1));
    ++calls;
  }
  state.SetItemsProcessed(calls);
}
BENCHMARK(throttle);

}  // namespace

BENCHMARK_MAIN();
