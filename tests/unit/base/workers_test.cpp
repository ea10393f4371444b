// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <pthread.h>

#include <asio/post.hpp>
#include <numeric>
#include <stdexcept>

#include "base/workers.hpp"

using namespace amzsync::base;   // NOLINT

TEST_SUITE_BEGIN("base");

TEST_CASE("one worker does everything in order, and a join waits for all of it") {
  std::vector<int> done, all(1'000);
  std::iota(all.begin(), all.end(), 0);
  Workers workers(1);
  for (const int n : all) asio::post(workers.executor(), [&done, n] { done.push_back(n); });
  REQUIRE(workers.start());
  workers.join();
  CHECK(done == all);
  workers.join();
}

TEST_CASE("what escapes from a step is logged and ends that step alone") {
  std::vector<std::string> logged;
  const auto sink = [&](LogLevel, std::string_view, std::span<const LogField> fields) { logged.emplace_back(std::get<std::string_view>(fields[0].value)); };
  bool went_on = false;
  Workers workers(1);
  REQUIRE(workers.start(Log(sink, LogLevel::debug)));
  asio::post(workers.executor(), [] { throw std::runtime_error("of a step"); });
  asio::post(workers.executor(), [&] { went_on = true; });
  workers.join();
  CHECK(went_on);
  CHECK(logged == std::vector<std::string>{"of a step"});
}

TEST_CASE("a thread that the system does not give is an error") {
  pthread_attr_t usual, impossible;
  REQUIRE(pthread_getattr_default_np(&usual) == 0);
  pthread_attr_init(&impossible);
  pthread_attr_setstacksize(&impossible, std::size_t{1} << 50U);   // no machine has as much
  REQUIRE(pthread_setattr_default_np(&impossible) == 0);
  Workers workers(2);
  const Status started = workers.start();
  pthread_setattr_default_np(&usual);
  pthread_attr_destroy(&usual);
  pthread_attr_destroy(&impossible);
  CHECK(started.code() == Code::no_memory);
  CHECK(started.error().message == "The system gives this process no further thread.");
}

TEST_SUITE_END();
