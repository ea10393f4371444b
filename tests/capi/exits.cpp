// SPDX-License-Identifier: Apache-2.0
// A process that exits in the midst of a sync, with its engine open: exits AMAZON_URL DATABASE main|callback|thread EVENTS
// It does so after that many events, on that thread; the engine is closed, too late, by a static object.
#include <amzsync/amzsync.hpp>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace {

std::optional<amzsync::Engine> engine;
std::mutex mutex;
// Never destroyed: callbacks come until the library's threads are stopped, after main has returned, and a thread may still wait.
auto& told = *new std::condition_variable;
auto& how = *new std::string;
int events = 0, most = 0;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  how = argv[3];
  most = std::atoi(argv[4]);
  amzsync::Options options;
  (void)options.set_store(std::string("sqlite:") + argv[2]);
  (void)options.set_app("client", "secret", "app", "https://host.example/callback");
  (void)options.set_master_key("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
  (void)options.set_endpoints(argv[1], argv[1], argv[1]);
  auto opened = amzsync::Engine::open(options);
  if (!opened) return 3;
  engine.emplace(std::move(*opened));
  const auto heard = [](const amzsync_event*) {
    std::unique_lock lock(mutex);
    const bool now = ++events >= most;
    told.notify_all();
    lock.unlock();
    if (now && how == "callback") std::exit(0);
  };
  if (!engine->subscribe("", AMZSYNC_EVENTS_LIVE, heard)) return 4;
  if (!engine->connect("seller", "Atzr|sim-seller-1")) return 5;
  const auto leave = [] {
    std::unique_lock lock(mutex);
    told.wait(lock, [] { return events >= most; });
    lock.unlock();
    std::exit(0);
  };
  if (how == "thread") std::thread(leave).detach();
  std::unique_lock lock(mutex);
  told.wait(lock, [] { return how == "main" && events >= most; });
  return 0;
}
