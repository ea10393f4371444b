// SPDX-License-Identifier: Apache-2.0
#include "base/async.hpp"

#include <asio/io_context.hpp>
#include <doctest/doctest.h>

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

TEST_SUITE_END();
