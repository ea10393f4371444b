// SPDX-License-Identifier: Apache-2.0
// The small parts that a sync of money spends its work on, each alone, on full pages of the simulator's. micro.cpp tells how long they take, instructions.cpp how many
// instructions. The store is SQLite on a file system in memory, so that no disk is measured.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <array>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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

namespace amzsync::bench {

using namespace base;   // NOLINT: vocabulary

/// One of them, made ready: it can be run any number of times.
struct Part {
  std::string name;
  std::int64_t items = 0;                 ///< that it handles each time: events, amounts, calls
  std::int64_t bytes = 0;                 ///< that it reads each time; 0: not what it is measured by
  std::function<void()> run;
};

inline const Instant kNow = *parse_instant("2026-11-23T15:00:00Z");
inline const spapi::MoneyWindow kWindow{kNow - std::chrono::days(60), kNow - std::chrono::days(1)};

/// The result is used, as far as a compiler can tell.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

template <class T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

/// A full page of one of the two finance APIs.
inline std::string page_of(const char* path, const char* after, const char* before) {
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

/// An engine's parts on one thread, where time stands still.
class Engine {
 public:
  Engine() : files_(1), clock(kNow) {
    static int engines = 0;
    store::SqliteOptions options;
    options.path = "/bench-" + std::to_string(++engines) + ".db";
    options.vfs = files_.name();
    options.lock_path = "/tmp/amzsync-bench-" + std::to_string(::getpid()) + "-" + std::to_string(engines);
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
      AMZ_TRY(run, store::trigger(tx, {user, store::Cause::manual, SyncId("sync-1"), {}, false}));
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

inline Part parse(const std::string& page) {
  return {"parse", 1, static_cast<std::int64_t>(page.size()), [&page] { keep(JsonDocument::parse(page)); }};
}

using Decode = Result<spapi::MoneyPage> (*)(const JsonDocument&, const spapi::MoneyWindow&);
inline Part decode(std::string name, const std::string& page, Decode read) {
  const auto answer = std::make_shared<JsonDocument>(need(JsonDocument::parse(page)));
  const auto events = static_cast<std::int64_t>(need(read(*answer, kWindow)).batch.events.size());
  return {std::move(name), events, 0, [answer, read] { keep(need(read(*answer, kWindow))); }};
}

/// What an event without an id of Amazon's is known by.
inline Part identity(const std::string& page) {
  const auto answer = std::make_shared<JsonDocument>(need(JsonDocument::parse(page)));
  std::int64_t events = 0;
  for (const Json event : (*answer)["payload"]["FinancialEvents"]["ShipmentEventList"]) {
    (void)event;
    ++events;
  }
  return {"identity", events, 0, [answer] {
            const Json list = (*answer)["payload"]["FinancialEvents"]["ShipmentEventList"];
            for (const Json event : list) {
              std::string canonical("ShipmentEventList");
              append_canonical(canonical, event);
              keep(Hash128::of(canonical));
            }
          }};
}

inline Part money() {
  static constexpr std::array<std::string_view, 8> kAmounts{"1.5", "-0.99", "12345.67", "0", "-4.2", "1e-2", "99.990000", "18"};
  return {"money", kAmounts.size(), 0, [] {
            for (const std::string_view text : kAmounts) keep(parse_amount(text));
          }};
}

/// A page's transaction: its events with all their amounts, none of which is there yet.
inline Part store_batch(const std::string& page) {
  struct State {
    Engine engine;
    store::Fence fence;
    store::MoneyBatch batch;
    std::uint32_t occurrence = 0;
  };
  const auto state = std::make_shared<State>();
  state->fence = state->engine.running();
  state->batch = need(spapi::decode_financial_events(need(JsonDocument::parse(page)), kWindow)).batch;
  return {"store_batch", static_cast<std::int64_t>(state->batch.events.size()), 0, [state] {
            ++state->occurrence;
            for (store::MoneyEvent& event : state->batch.events) event.occurrence = state->occurrence;
            keep(need(state->engine.write([&](store::Tx& tx) -> Result<store::Counts> {
              AMZ_TRY(run, store::RunTx::enter(tx, state->fence));
              return store::store_page(run, store::MoneyStream::financial_events, state->batch, store::Existing::none);
            })));
          }};
}

/// A call's way through the usage plan while it has calls left: the plan belongs to this engine, and is full again each time.
inline Part throttle() {
  struct State {
    Engine engine;
    spapi::Throttle throttle{*engine.store, engine.clock, EngineNo{1}};
  };
  const auto state = std::make_shared<State>();
  return {"throttle", 1, 0, [state] {
            const spapi::BucketKey key{"app", "A1", "na", "getInventorySummaries"};
            keep(need(state->engine.await(state->throttle.acquire(key, spapi::kGetInventorySummaries, CancelToken(), {}))));
            state->engine.clock.move_to(state->engine.clock.steady() + std::chrono::seconds(1));
          }};
}

/// All of them.
inline std::vector<Part> parts() {
  static const std::string events = page_of("/finances/v0/financialEvents", "PostedAfter", "PostedBefore");
  static const std::string transactions = page_of("/finances/2024-06-19/transactions", "postedAfter", "postedBefore");
  return {parse(events),
          decode("decode_financial_events", events, &spapi::decode_financial_events),
          decode("decode_transactions", transactions, &spapi::decode_transactions),
          identity(events),
          money(),
          store_batch(events),
          throttle()};
}

}  // namespace amzsync::bench
