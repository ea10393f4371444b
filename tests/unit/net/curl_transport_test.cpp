// SPDX-License-Identifier: Apache-2.0
// The real HTTP client against a real server on loopback.
#include "net/curl_transport.hpp"

#include <asio/io_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "httpd/httpd.hpp"

using namespace amzsync::net;

namespace {

/// Serves until it goes. Paths say how to answer.
class TestServer {
 public:
  TestServer() : server_(httpd::Options{}, [this](httpd::Request request, httpd::Responder responder) { answer(std::move(request), std::move(responder)); }), thread_([this] { server_.run(); }) {}
  ~TestServer() {
    kept_.clear();
    server_.stop();
    thread_.join();
  }
  std::atomic<int> dropped = 0, held = 0;
  /// Answers what was held.
  void answer_held() {
    const std::lock_guard lock(mutex_);
    for (httpd::Responder& responder : kept_) responder.send({201, "text/plain", {}, "late"});
    kept_.clear();
  }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(server_.port()) + path; }

 private:
  void answer(httpd::Request request, httpd::Responder responder) {
    if (request.path == "/echo") {
      std::string body = request.method + " " + request.target + "\n" + request.body + "\n";
      for (const httpd::Header& h : request.headers) body += h.name + "=" + h.value + "\n";
      return responder.send({201, "text/plain", {{"X-One", "1"}, {"x-amzn-RateLimit-Limit", "0.5"}}, body});
    }
    if (request.path == "/error") return responder.send({503, "text/html", {}, "<html>no</html>"});
    if (request.path == "/redirect") return responder.send({302, "", {{"Location", "http://127.0.0.1:1/"}}, ""});
    if (request.path == "/big") return responder.send({200, "text/plain", {}, std::string(300'000, 'x')});
    if (request.path == "/drop") {
      ++dropped;
      return responder.drop();
    }
    if (request.path == "/cut") return responder.send_cut({200, "text/plain", {}, std::string(1'000, 'x')}, 300);
    if (request.path == "/hang") return responder.hang();
    if (request.path == "/held") {
      const std::lock_guard lock(mutex_);
      kept_.push_back(std::move(responder));
      ++held;
      return;
    }
    responder.send({404, "text/plain", {}, ""});
  }
  std::mutex mutex_;
  std::vector<httpd::Responder> kept_;
  httpd::Server server_;
  std::thread thread_;
};

struct Client {
  asio::io_context loop;
  std::unique_ptr<Clock> clock = make_system_clock(loop.get_executor());
  std::unique_ptr<HttpTransport> transport = make_curl_transport(loop.get_executor(), *clock, {});

  Result<HttpResponse> get(const HttpRequest& request, CancelToken cancel = {}) {
    std::optional<Result<HttpResponse>> answer;
    asio::co_spawn(loop, keep(request, std::move(cancel), answer), [](const std::exception_ptr&) {});
    loop.restart();
    while (!answer && loop.run_one() > 0) {
    }
    REQUIRE(answer.has_value());
    return std::move(*answer);
  }
  Async<void> keep(HttpRequest request, CancelToken cancel, std::optional<Result<HttpResponse>>& answer) { answer.emplace(co_await transport->send(std::move(request), std::move(cancel))); }
};

/// While it lives, the process can open so many more descriptors, and no more.
class FewDescriptors {
 public:
  explicit FewDescriptors(int spare) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int top = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    taken_.push_back(top);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(top) + 16;   // there may be room below, too
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) taken_.push_back(fd);
    for (; spare > 0; --spare) give_back();
  }
  ~FewDescriptors() {
    while (!taken_.empty()) give_back();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  void give_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }
  rlimit before_{};
  std::vector<int> taken_;
};

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

}  // namespace

TEST_SUITE_BEGIN("net");

TEST_CASE("an exchange carries method, headers and body there, and status, headers and body back") {
  const TestServer server;
  Client client;
  HttpRequest request = get(server.url("/echo?a=1"));
  request.method = Method::post;
  request.headers = {{"x-amz-access-token", "Atza|x"}, {"user-agent", "test/1 (Language=C++/20)"}};
  request.body = std::string("two\0parts", 9);
  const auto answer = client.get(request);
  REQUIRE(answer);
  CHECK(answer->status == 201);
  CHECK(answer->header("X-AMZN-ratelimit-limit") == "0.5");
  CHECK(answer->body.find("POST /echo?a=1\n" + request.body) == 0);
  CHECK(answer->body.find("x-amz-access-token=Atza|x") != std::string::npos);
  CHECK(answer->body.find("Expect=") == std::string::npos);
}

TEST_CASE("an error status is a finished exchange, and no redirect is followed") {
  const TestServer server;
  Client client;
  CHECK(client.get(get(server.url("/error")))->status == 503);
  CHECK(client.get(get(server.url("/redirect")))->status == 302);
}

TEST_CASE("what is no answer has its reason") {
  const TestServer server;
  Client client;
  CHECK(client.get(get(server.url("/drop"))).code() == Code::network_error);
  CHECK(client.get(get(server.url("/cut"))).code() == Code::network_error);
  CHECK(client.get(get("http://127.0.0.1:1/")).code() == Code::network_error);
  CHECK(client.get(get("http://amazon.example/")).code() == Code::invalid_argument);
  HttpRequest big = get(server.url("/big"));
  big.max_body = 100'000;
  CHECK(client.get(big).code() == Code::answer_too_large);
  HttpRequest slow = get(server.url("/hang"));
  slow.timeout = std::chrono::milliseconds(30);
  CHECK(client.get(slow).code() == Code::timeout);
}

TEST_CASE("what must be public is not had from this machine") {
  const TestServer server;
  Client client;
  HttpRequest request = get(server.url("/echo"));
  CHECK(client.get(request)->status == 201);
  request.public_only = true;
  CHECK(client.get(request).code() == Code::network_error);
}

TEST_CASE("what must be sent once is, also where it breaks on a connection that was kept") {
  TestServer server;
  Client client;
  HttpRequest request = get(server.url("/drop"));
  request.method = Method::post;
  request.body = "make a report";
  request.once = true;
  CHECK(client.get(get(server.url("/echo")))->status == 201);   // the connection is kept
  CHECK(client.get(request).code() == Code::network_error);
  CHECK(server.dropped == 1);
}

/// Stands still until it is told to go on; timers fire when it passes them.
class HandClock final : public Clock {
 public:
  Instant now() const override { return Instant{} + steady_.time_since_epoch(); }
  Steady steady() const override { return steady_; }
  std::unique_ptr<Timer> call_at(Steady at, std::function<void()> fire) override {
    auto timer = std::make_unique<Entry>();
    timer->clock = this;
    timer->place = timers_.emplace(at, std::make_pair(timer.get(), std::move(fire)));
    return timer;
  }
  void advance(Duration span) {
    steady_ += span;
    while (!timers_.empty() && timers_.begin()->first <= steady_) {
      const auto [entry, fire] = std::move(timers_.begin()->second);
      entry->clock = nullptr;
      timers_.erase(timers_.begin());
      fire();
    }
  }

 private:
  struct Entry final : Timer {
    ~Entry() override {
      if (clock) clock->timers_.erase(place);
    }
    HandClock* clock = nullptr;
    std::multimap<Steady, std::pair<Entry*, std::function<void()>>>::iterator place;
  };
  Steady steady_{};
  std::multimap<Steady, std::pair<Entry*, std::function<void()>>> timers_;
};

TEST_CASE("an answer that came while the process stood still is read, however long that was, and one that did not come is not waited for") {
  for (const bool comes : {true, false}) {
    CAPTURE(comes);
    TestServer server;
    Client client;
    HandClock clock;
    client.transport = make_curl_transport(client.loop.get_executor(), clock, {});
    HttpRequest request;
    request.url = server.url("/held");
    request.timeout = std::chrono::seconds(5);
    std::optional<Result<HttpResponse>> answer;
    asio::co_spawn(client.loop, client.keep(request, {}, answer), [](const std::exception_ptr&) {});
    const auto go_on = [&] {
      client.loop.restart();
      client.loop.poll();
    };
    while (server.held == 0) {
      clock.advance(std::chrono::microseconds(1));
      go_on();
    }
    if (comes) server.answer_held();
    clock.advance(std::chrono::minutes(1));   // before anything is read
    CHECK(!answer);
    if (comes) {
      while (!answer) go_on();
      REQUIRE(*answer);
      CHECK((*answer)->body == "late");
    } else {
      go_on();
      CHECK(!answer);
      clock.advance(std::chrono::seconds(2));
      go_on();
      REQUIRE(answer);
      CHECK(answer->code() == Code::timeout);
      server.answer_held();
    }
    client.transport.reset();
  }
}

TEST_CASE("descriptors that run out fail what needs them, and nothing that comes after") {
  const TestServer server;
  for (int spare = 0; spare <= 6; ++spare) {
    CAPTURE(spare);
    Client client;
    CHECK(client.get(get(server.url("/echo")))->status == 201);   // the loop has its own descriptors
    {
      const FewDescriptors few(spare);
      for (int i = 0; i < 3; ++i) {
        HttpRequest request = get(server.url("/hang"));
        request.timeout = std::chrono::milliseconds(30);
        request.once = true;   // by a connection of its own
        CHECK(!client.get(request));
      }
    }
    const auto answer = client.get(get(server.url("/echo")));
    REQUIRE(answer);
    CHECK(answer->status == 201);
  }
}

TEST_CASE("two hundred hanging exchanges are cancelled at once, those that wait in line too, and the client goes on") {
  const TestServer server;
  Client client;
  CancelSource cancel;
  int cancelled = 0;
  auto hang = [](Client& c, std::string url, CancelToken token, int& count) -> Async<void> {
    HttpRequest request;
    request.url = std::move(url);
    const auto answer = co_await c.transport->send(std::move(request), std::move(token));
    if (answer.code() == Code::cancelled) ++count;
  };
  for (int i = 0; i < 200; ++i) asio::co_spawn(client.loop, hang(client, server.url("/hang"), cancel.token(), cancelled), [](const std::exception_ptr&) {});
  const auto timer = client.clock->call_at(client.clock->steady() + std::chrono::milliseconds(50), [&] { cancel.cancel(CancelReason::by_user); });
  while (cancelled < 200 && client.loop.run_one() > 0) {
  }
  CHECK(cancelled == 200);
  CHECK(client.get(get(server.url("/echo")))->status == 201);
}

TEST_SUITE_END();
