// SPDX-License-Identifier: Apache-2.0
#include "base/async.hpp"

#include <asio/io_context.hpp>
#include <doctest/doctest.h>

#include <system_error>

#include "base/duty.hpp"
#include "support/allocations.hpp"
#include "world/virtual_clock.hpp"

using namespace amzsync::base;

namespace {

Async<void> pass_through(Gate& gate, CancelToken cancel, std::vector<int>& order, int me, Gate::Pass& kept, bool& holds) {
  Gate::Pass pass = co_await gate.enter(cancel);
  holds = static_cast<bool>(pass);
  if (holds) order.push_back(me);
  kept = std::move(pass);
}

}  // namespace

TEST_SUITE_BEGIN("base");

TEST_CASE("a gate lets its number through, in the order of asking, and forgets who was cancelled") {
  asio::io_context loop;
  Gate gate(1);
  Tasks tasks(loop.get_executor(), Log());
  std::vector<int> order;
  Gate::Pass passes[4];
  bool holds[4] = {};
  CancelSource cancel;
  for (int i = 0; i < 4; ++i) tasks.spawn(pass_through(gate, i == 1 ? cancel.token() : CancelToken(), order, i, passes[i], holds[i]));
  loop.poll();
  loop.restart();
  CHECK(order == std::vector<int>{0});
  cancel.cancel(CancelReason::by_user);
  loop.poll();
  loop.restart();
  CHECK(!holds[1]);
  passes[0].release();
  loop.poll();
  loop.restart();
  CHECK(order == std::vector<int>{0, 2});
  passes[2].release();
  loop.poll();
  CHECK(order == std::vector<int>{0, 2, 3});
}

TEST_CASE("cancelling tells everyone once, also those who leave while it goes on") {
  CancelSource source;
  const CancelToken token = source.token();
  int calls = 0;
  CancelToken::Registration second;
  CancelToken::Registration first = token.on_cancel([&] {
    ++calls;
    second.reset();
  });
  second = token.on_cancel([&] { calls += 10; });
  CancelToken::Registration third = token.on_cancel([&] { ++calls; });
  source.cancel(CancelReason::by_user);
  source.cancel(CancelReason::engine_closing);
  CHECK(calls == 2);
  CHECK(token.reason() == CancelReason::by_user);
}

TEST_CASE("a group of tasks is awaited to its last member") {
  asio::io_context loop;
  Tasks tasks(loop.get_executor(), Log());
  std::vector<Completion<Done>> waiting;
  int ended = 0;
  auto member = [](std::vector<Completion<Done>>& list, int& count) -> Async<void> {
    auto start = [&list](Completion<Done> done) { list.push_back(std::move(done)); };
    co_await await_completion<Done>(std::move(start));
    ++count;
  };
  for (int i = 0; i < 3; ++i) tasks.spawn(member(waiting, ended));
  bool all = false;
  asio::co_spawn(loop, tasks.all_ended(), [&](const std::exception_ptr&) { all = true; });
  const auto poll = [&] {
    loop.restart();
    loop.poll();
  };
  poll();
  REQUIRE(waiting.size() == 3);
  waiting[2](Done{});
  waiting[0](Done{});
  poll();
  CHECK(ended == 2);
  CHECK(!all);
  waiting[1](Done{});
  poll();
  CHECK(all);
}

TEST_CASE("an exception that escapes a task is logged and ends that task alone") {
  asio::io_context loop;
  std::string said;
  const Log log([&](LogLevel, std::string_view, std::span<const LogField> fields) { said = std::get<std::string_view>(fields[0].value); }, LogLevel::error);
  Tasks tasks(loop.get_executor(), log);
  auto thrower = []() -> Async<void> {
    throw std::runtime_error("broken");
    co_return;
  };
  tasks.spawn(thrower());
  loop.run();
  CHECK(said == "broken");
}

namespace {

/// What a coroutine that waits for `start` wakes to.
template <class Start>
Async<void> wait_for(Start start, std::string& woke_to) {
  try {
    const int value = co_await await_completion<int>(std::move(start));
    woke_to = std::to_string(value);
  } catch (const std::bad_alloc&) {
    woke_to = "no memory";
  } catch (const std::system_error& e) {
    woke_to = e.code().message();
  }
}

template <class Start>
std::string outcome_of(Start start) {
  asio::io_context loop;
  Tasks tasks(loop.get_executor(), Log());
  std::string woke_to = "sleeps";
  tasks.spawn(wait_for(std::move(start), woke_to));
  loop.poll();
  return woke_to;
}

}  // namespace

TEST_CASE("who waits wakes to what came first: a value, what kept it from beginning, or that nobody is left who would wake it") {
  CHECK(outcome_of([](Completion<int> done) { done(7); }) == "7");
  CHECK(outcome_of([](Completion<int>) {}) == "no memory");
  const auto no_descriptor = std::make_error_code(std::errc::too_many_files_open);
  CHECK(outcome_of([&](Completion<int>) { throw std::system_error(no_descriptor); }) == no_descriptor.message());
  CHECK(outcome_of([&](Completion<int> done) {
    done(7);
    throw std::system_error(no_descriptor);
  }) == "7");
  Completion<int> kept;
  CHECK(outcome_of([&](Completion<int> done) {
    kept = std::move(done);
    kept = Completion<int>();   // somebody else's
  }) == "no memory");
}

TEST_CASE("whoever waits is woken when the last who could have done so is gone") {
  asio::io_context loop;
  Tasks tasks(loop.get_executor(), Log());
  std::string woke_to = "sleeps";
  auto kept = std::make_unique<Completion<int>>();
  auto keep = [&kept](Completion<int> done) { *kept = std::move(done); };
  tasks.spawn(wait_for(std::move(keep), woke_to));
  loop.poll();
  CHECK(woke_to == "sleeps");
  kept.reset();
  loop.restart();
  loop.poll();
  CHECK(woke_to == "no memory");
}

TEST_CASE("a group is over with its last member, and fails of whatever escaped from one or kept it from starting") {
  asio::io_context loop;
  const auto end_of = [&](Group& group) {
    std::optional<Status> end;
    auto wait = [](Group& g, std::optional<Status>& told) -> Async<void> { told.emplace(co_await g.all_ended()); };
    asio::co_spawn(loop, wait(group, end), [](const std::exception_ptr&) {});
    loop.restart();
    loop.poll();
    REQUIRE(end);
    return *end;
  };
  int ended = 0;
  auto well = [](int& count) -> Async<void> {
    ++count;
    co_return;
  };
  auto broken = []() -> Async<void> {
    throw std::runtime_error("broken");
    co_return;
  };
  Group good(loop.get_executor(), Log());
  for (int i = 0; i < 3; ++i) CHECK(good.spawn([&] { return well(ended); }));
  CHECK(end_of(good));
  CHECK(ended == 3);

  Group bad(loop.get_executor(), Log());
  CHECK(bad.spawn([&] { return broken(); }));
  CHECK(bad.spawn([&] { return well(ended); }));
  const Status end = end_of(bad);
  CHECK(end.code() == Code::internal);
  CHECK(end.error().message.ends_with("broken"));
  CHECK(ended == 4);

  Group poor(loop.get_executor(), Log());
  CHECK(poor.spawn([&] { return well(ended); }));
  {
    const support::Scarcity scarce(0);
    const support::Exposed now;
    CHECK(!poor.spawn([&] { return well(ended); }));
  }
  CHECK(end_of(poor).code() == Code::no_memory);
  CHECK(ended == 5);

  Group nobody(loop.get_executor(), Log());
  CHECK(end_of(nobody));
}

TEST_CASE("a duty that fails is done again, and ends when it is told to") {
  asio::io_context loop;
  world::VirtualClock clock(*parse_instant("2026-11-23T15:00:00Z"));
  Tasks tasks(loop.get_executor(), Log());
  CancelSource life;
  int rounds = 0;
  auto fail = [](int& count) -> Async<void> {
    ++count;
    throw std::runtime_error("broken");
    co_return;
  };
  std::vector<std::string> said;
  const Log log([&](LogLevel, std::string_view, std::span<const LogField> fields) { said.emplace_back(std::get<std::string_view>(fields[0].value)); }, LogLevel::error);
  tasks.spawn(repeat(clock, std::chrono::seconds(5), life.token(), log, [&] { return fail(rounds); }));
  const auto poll = [&] {
    loop.restart();
    loop.poll();
  };
  poll();
  CHECK(rounds == 1);
  for (int more = 2; more <= 4; ++more) {
    clock.move_to(*clock.next());
    poll();
    CHECK(rounds == more);
  }
  CHECK(said.size() == 4);
  bool over = false;
  asio::co_spawn(loop, tasks.all_ended(), [&](const std::exception_ptr&) { over = true; });
  life.cancel(CancelReason::engine_closing);
  poll();
  CHECK(over);
  CHECK(rounds == 4);
}

TEST_SUITE_END();
