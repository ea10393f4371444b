// SPDX-License-Identifier: Apache-2.0
// A client of the host's that does what it should not: never answers, answers too late or too much.
#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "capi/http_client.hpp"
#include "world/virtual_clock.hpp"

using namespace amzsync;         // NOLINT
using namespace amzsync::base;   // NOLINT

namespace {

/// The host: keeps what it is to perform, and what it was told to cancel.
struct Host {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<amzsync_exchange*> performing, cancelled;
  int freed = 0;

  amzsync_exchange* await_exchange(std::size_t n = 0) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return performing.size() > n; });
    return performing[n];
  }
  amzsync_exchange* await_cancel() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !cancelled.empty(); });
    return cancelled.front();
  }
};

void keep(void* data, amzsync_exchange* exchange) {
  auto& host = *static_cast<Host*>(data);
  std::lock_guard lock(host.mutex);
  host.performing.push_back(exchange);
  host.changed.notify_all();
}
void note_cancel(void* data, amzsync_exchange* exchange) {
  auto& host = *static_cast<Host*>(data);
  std::lock_guard lock(host.mutex);
  host.cancelled.push_back(exchange);
  host.changed.notify_all();
}

class Lab {
 public:
  Lab() {
    capi::HttpClient client{};
    client.table.size = sizeof client.table;
    client.table.perform = keep;
    client.table.cancel = note_cancel;
    client.data = std::make_shared<capi::HostData>(&host, [](void* data) { ++static_cast<Host*>(data)->freed; });
    client.data->keep();
    transport = std::move(*capi::make_host_transport(loop.get_executor(), clock, std::move(client)));
  }

  Host host;
  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_running{loop.get_executor()};
  world::VirtualClock clock{Instant{}};
  CancelSource cancel;
  std::unique_ptr<net::HttpTransport> transport;
  std::optional<Result<net::HttpResponse>> answer;

  static net::HttpRequest get() {
    net::HttpRequest request;
    request.url = "https://amazon.example/x";
    request.headers = {{"x-amz-access-token", "Atza|secret"}};
    return request;
  }
  void send(net::HttpRequest request) {
    asio::co_spawn(loop, into(std::move(request)), [](const std::exception_ptr& escaped) { CHECK(!escaped); });
    settle();
  }
  /// Does what is to be done now.
  void settle() { loop.poll(); }
  const Result<net::HttpResponse>& await() {
    while (!answer) loop.run_one();
    return *answer;
  }

 private:
  Async<void> into(net::HttpRequest request) {
    answer = co_await transport->send(std::move(request), cancel.token());
  }
};

Async<void> read_all(std::shared_ptr<net::BodyStream> body, std::string& all, bool& over) {
  for (;;) {
    auto piece = co_await body->next();
    if (!piece) break;
    all += *piece;
  }
  over = true;
}

}  // namespace

TEST_SUITE_BEGIN("capi");

TEST_CASE("a client that never answers is given up after its time, told so, and not listened to afterwards") {
  Lab lab;
  lab.send(Lab::get());
  amzsync_exchange* exchange = lab.host.await_exchange();
  CHECK(std::string_view(amzsync_exchange_method(exchange)) == "GET");
  CHECK(amzsync_exchange_timeout_ms(exchange) == 60'000);
  lab.clock.move_to(lab.clock.steady() + std::chrono::seconds(59));
  lab.settle();
  CHECK(!lab.answer);
  lab.clock.move_to(lab.clock.steady() + std::chrono::seconds(1));
  CHECK(lab.await().code() == Code::timeout);
  CHECK(lab.host.await_cancel() == exchange);
  CHECK(amzsync_exchange_is_wanted(exchange) == 0);
  CHECK(amzsync_exchange_answer(exchange, 200) == AMZSYNC_ERROR_CANCELLED);
  lab.transport.reset();   // the engine closes; the host has not finished yet
  CHECK(amzsync_exchange_answer_body(exchange, "late", 4) == AMZSYNC_ERROR_CANCELLED);
  CHECK(lab.host.freed == 0);   // the exchange is still the host's
  amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);
  amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);   // twice harms nothing
  CHECK(lab.host.freed == 1);
}

TEST_CASE("an exchange that is cancelled ends at once, whatever the client does") {
  Lab lab;
  lab.send(Lab::get());
  amzsync_exchange* exchange = lab.host.await_exchange();
  lab.cancel.cancel(CancelReason::by_user);
  CHECK(lab.await().code() == Code::cancelled);
  CHECK(lab.host.await_cancel() == exchange);
  amzsync_exchange_finish(exchange, AMZSYNC_ERROR_NETWORK_ERROR, "cancelled");
}

TEST_CASE("an answer comes as it was told, and one without a status is none") {
  Lab lab;
  lab.send(Lab::get());
  amzsync_exchange* exchange = lab.host.await_exchange();
  const char* value = nullptr;
  CHECK(std::string_view(amzsync_exchange_header(exchange, 0, &value)) == "x-amz-access-token");
  CHECK(std::string_view(value) == "Atza|secret");
  CHECK(amzsync_exchange_header(exchange, 1, &value) == nullptr);
  CHECK(amzsync_exchange_answer(exchange, 100) == AMZSYNC_OK);
  CHECK(amzsync_exchange_answer(exchange, 429) == AMZSYNC_OK);
  CHECK(amzsync_exchange_answer_header(exchange, "X-Amzn-RateLimit-Limit", "0.5") == AMZSYNC_OK);
  CHECK(amzsync_exchange_answer_body(exchange, "{}", 2) == AMZSYNC_OK);
  amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);
  const auto& answer = lab.await();
  REQUIRE(answer);
  CHECK(answer->status == 429);
  CHECK(answer->header("x-amzn-ratelimit-limit") == "0.5");
  CHECK(answer->body == "{}");

  lab.answer.reset();
  lab.send(Lab::get());
  amzsync_exchange_finish(lab.host.await_exchange(1), AMZSYNC_OK, nullptr);
  CHECK(lab.await().code() == Code::network_error);
  CHECK(lab.host.cancelled.empty());
}

TEST_CASE("an answer without end is cut off at the size that the request allows") {
  Lab lab;
  net::HttpRequest request = Lab::get();
  request.max_body = 1'000;
  lab.send(std::move(request));
  amzsync_exchange* exchange = lab.host.await_exchange();
  CHECK(amzsync_exchange_answer(exchange, 200) == AMZSYNC_OK);
  CHECK(amzsync_exchange_answer_body(exchange, std::string(1'000, 'x').c_str(), 1'000) == AMZSYNC_OK);
  CHECK(amzsync_exchange_answer_body(exchange, "x", 1) == AMZSYNC_ERROR_ANSWER_TOO_LARGE);
  CHECK(lab.await().code() == Code::answer_too_large);
  amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);
}

TEST_CASE("an answer of which a part could not be kept is none") {
  Lab lab;
  net::HttpRequest request = Lab::get();
  request.max_body = SIZE_MAX;
  lab.send(std::move(request));
  amzsync_exchange* exchange = lab.host.await_exchange();
  CHECK(amzsync_exchange_answer(exchange, 200) == AMZSYNC_OK);
  CHECK(amzsync_exchange_answer_body(exchange, "{}", 2) == AMZSYNC_OK);
  CHECK(amzsync_exchange_answer_body(exchange, "{}", SIZE_MAX - 2) != AMZSYNC_OK);   // no text can be as long
  amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);
  CHECK(lab.await().code() == Code::no_memory);
}

TEST_CASE("a forked child has no part in an exchange of its parent's, and does not wait for what a thread of it holds") {
  Lab lab;
  lab.send(Lab::get());
  amzsync_exchange* exchange = lab.host.await_exchange();
  const ::pid_t child = ::fork();
  if (child == 0) {
    const bool is_none = amzsync_exchange_answer(exchange, 200) == AMZSYNC_ERROR_INVALID_ARGUMENT && amzsync_exchange_is_wanted(exchange) == 0 && std::string_view(amzsync_exchange_url(exchange)).empty();
    amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);
    ::_exit(is_none ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(amzsync_exchange_answer(exchange, 204) == AMZSYNC_OK);
  amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);
  CHECK(lab.await()->status == 204);
}

TEST_CASE("a long download waits for its reader, and is given up after silence alone") {
  Lab lab;
  net::HttpRequest request = Lab::get();
  request.max_body = 10;   // is not for what is read piece by piece
  request.body_to = std::make_shared<net::BodyStream>();
  const auto body = request.body_to;
  lab.send(std::move(request));
  amzsync_exchange* exchange = lab.host.await_exchange();
  const std::string whole(5'000'000, 'w');
  std::string all;
  bool over = false;
  std::int32_t told = -1;
  std::thread host([&] {
    amzsync_exchange_answer(exchange, 200);
    told = amzsync_exchange_answer_body(exchange, whole.data(), whole.size());
    amzsync_exchange_finish(exchange, AMZSYNC_OK, nullptr);
  });
  while (!body->full()) lab.loop.run_one();
  lab.clock.move_to(lab.clock.steady() + std::chrono::seconds(59));   // since the last piece
  asio::co_spawn(lab.loop, read_all(body, all, over), [](const std::exception_ptr&) {});
  const auto& answer = lab.await();
  while (!over) lab.loop.run_one();
  host.join();
  CHECK(told == AMZSYNC_OK);
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(all == whole);
}

TEST_CASE("the host's client is not asked for what must not be asked") {
  Lab lab;
  net::HttpRequest plain = Lab::get();
  plain.url = "http://amazon.example/";
  lab.send(std::move(plain));
  CHECK(lab.await().code() == Code::invalid_argument);
  lab.answer.reset();
  net::HttpRequest inside = Lab::get();
  inside.url = "https://192.168.0.1/document";
  inside.public_only = true;
  lab.send(std::move(inside));
  CHECK(lab.await().code() == Code::network_error);
  CHECK(lab.host.performing.empty());
}

TEST_SUITE_END();
