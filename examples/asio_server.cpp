// SPDX-License-Identifier: Apache-2.0
// A server that was there before, on one thread and with coroutines of Asio, takes the engine in: nothing blocks its loop, and no thread waits for a sync.
// Its clients send lines "connect USER REFRESH_TOKEN" or "sync USER", and are told that the sync has begun, and how it ended:
//
//   amzsync-sim --listen 127.0.0.1:8090 &
//   asio-server http://127.0.0.1:8090 asio.db 8091 &
//   printf 'connect anna Atzr|sim-seller-1\n' | nc 127.0.0.1 8091
#include <amzsync/amzsync.hpp>
#include <asio.hpp>
#include <unistd.h>

#include <iostream>
#include <sstream>

namespace {

using asio::awaitable;
using asio::ip::tcp;

/// What `work` gives, which may block, from a thread that is there for such work; the coroutine goes on where it was.
template <class Work>
auto elsewhere(asio::thread_pool& pool, Work work) -> awaitable<decltype(work())> {
  std::optional<decltype(work())> result;   // co_spawn gives only what can be made of nothing
  co_await asio::co_spawn(pool, [&]() -> awaitable<void> { result.emplace(work()); co_return; }, asio::use_awaitable);
  co_return std::move(*result);
}

/// The end of a sync, without a thread that waits for it.
awaitable<amzsync::Expected<amzsync::Answer>> ended(amzsync::Engine& engine, std::string user, std::string sync_id) {
  auto end = engine.sync_end(user, sync_id);
  if (!end) co_return end.error();
  asio::posix::stream_descriptor news(co_await asio::this_coro::executor, ::dup(end->fd()));   // Asio closes what it watches, and that one is the library's
  for (;;) {
    auto status = end->poll();
    if (!status) co_return status.error();
    if (*status) co_return std::move(**status);
    std::error_code failed;
    co_await news.async_wait(news.wait_read, asio::redirect_error(asio::use_awaitable, failed));
  }
}

awaitable<std::string> answer_to(amzsync::Engine& engine, asio::thread_pool& pool, tcp::socket& client, const std::string& line) {
  std::istringstream words(line);
  std::string command, user, token;
  words >> command >> user >> token;
  if (command != "connect" && command != "sync") co_return "say: connect USER REFRESH_TOKEN, or: sync USER\n";
  // To connect asks Amazon; to start a sync writes to the database.
  auto started = co_await elsewhere(pool, [&] { return command == "connect" ? engine.connect(user, token) : engine.sync_start(user); });
  if (!started) co_return started.error().message() + "\n";
  const std::string sync_id(started->sync_id()), begun = sync_id + " has begun\n";
  co_await asio::async_write(client, asio::buffer(begun), asio::use_awaitable);
  auto over = co_await ended(engine, user, sync_id);
  if (!over) co_return over.error().message() + "\n";
  co_return sync_id + " " + std::string(over->status()) + "\n";
}

awaitable<void> serve(amzsync::Engine& engine, asio::thread_pool& pool, tcp::socket client) {
  std::string text;
  std::error_code failed;
  for (;;) {
    const std::size_t size = co_await asio::async_read_until(client, asio::dynamic_buffer(text, 4096), '\n', asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return;
    const std::string answer = co_await answer_to(engine, pool, client, text.substr(0, size - 1));
    text.erase(0, size);
    co_await asio::async_write(client, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return;
  }
}

awaitable<void> accept(amzsync::Engine& engine, asio::thread_pool& pool, tcp::acceptor& acceptor) {
  for (;;) {
    tcp::socket client = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(engine, pool, std::move(client)), asio::detached);
  }
}

int failed(const amzsync::Failure& failure) {
  std::cerr << failure.message() << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: " << argv[0] << " AMAZON_URL DATABASE PORT\n";
    return 2;
  }
  amzsync::Options options;
  if (auto set = options.set_store(std::string("sqlite:") + argv[2]); !set) return failed(set.error());
  if (auto set = options.set_app("amzn1.application-oa2-client.example", "example-secret", "amzn1.sp.solution.example", "https://host.example/callback"); !set) return failed(set.error());
  if (auto set = options.set_master_key("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="); !set) return failed(set.error());
  if (auto set = options.set_endpoints(argv[1], argv[1], argv[1]); !set) return failed(set.error());
  auto engine = amzsync::Engine::open(options);
  if (!engine) return failed(engine.error());

  asio::io_context loop(1);
  asio::thread_pool pool(2);
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), static_cast<asio::ip::port_type>(std::stoi(argv[3]))});
  std::cout << "listening on 127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](std::error_code, int) { loop.stop(); });
  asio::co_spawn(loop, accept(*engine, pool, acceptor), asio::detached);
  loop.run();
  pool.join();
  return 0;
}
