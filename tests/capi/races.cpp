// SPDX-License-Identifier: Apache-2.0
// The contract of callbacks under stress: races AMAZON_URL DATABASE ROUNDS
// In each round threads subscribe, unsubscribe, read and ask while another one closes the engine. Whatever the order: `free_fn` is called once for each subscription,
// nothing is called after the close has returned, and each call ends with a code of the header's. Then: a callback that blocks holds up nobody's stream of events.
#include <amzsync/amzsync.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> failures{0};
void check(bool right, const char* what) {
  if (right) return;
  ++failures;
  std::fprintf(stderr, "%s\n", what);
}

/// One round's engine, as its callbacks see it.
struct Round {
  std::atomic<bool> closed{false};   // the close has returned
  std::atomic<int> subscribed{0}, freed{0}, ends{0};
};
/// A subscription's own data; freed by free_fn.
struct Listener {
  Round* round;
  std::atomic<bool> freed{false};
};

void on_event(void* data, const amzsync_event* event) {
  const auto& listener = *static_cast<Listener*>(data);
  check(!listener.freed, "called after free_fn");
  check(!listener.round->closed, "called after the close");
  if (std::strcmp(amzsync_event_type(event), "engine.closed") == 0) ++listener.round->ends;
}
void on_freed(void* data) {
  auto* listener = static_cast<Listener*>(data);
  check(!listener->freed.exchange(true), "freed twice");
  ++listener->round->freed;
}

amzsync_options* make_options(const std::string& amazon, const std::string& path, int32_t runs) {
  amzsync_options* o = amzsync_options_new();
  const bool is_set = amzsync_options_set_store(o, ("sqlite:" + path).c_str(), nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_app(o, "client", "secret", "app", "https://host.example/callback", nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_master_key(o, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", nullptr) == AMZSYNC_OK &&
                      amzsync_options_set_endpoints(o, amazon.c_str(), amazon.c_str(), nullptr, nullptr) == AMZSYNC_OK && amzsync_options_set_max_runs(o, runs, nullptr) == AMZSYNC_OK;
  check(is_set, "no options");
  return o;
}

void subscribe_and_leave(amzsync_engine* engine, Round& round, std::vector<Listener>& listeners, int first, int step) {
  for (std::size_t n = static_cast<std::size_t>(first); n < listeners.size(); n += static_cast<std::size_t>(step)) {
    Listener& listener = listeners[n];
    int64_t id = 0;
    const int32_t code = amzsync_subscribe(engine, n % 2 ? "seller" : nullptr, n % 4 == 1 ? 0 : AMZSYNC_EVENTS_LIVE, on_event, &listener, on_freed, &id, nullptr);
    check(code == AMZSYNC_OK || code == AMZSYNC_ERROR_CLOSED, "subscribe ends otherwise");
    if (code != AMZSYNC_OK) return;
    ++round.subscribed;
    if (n % 3 == 0) continue;   // the close lets it go
    const int32_t end = amzsync_unsubscribe(engine, id);
    check(end == AMZSYNC_OK || end == AMZSYNC_ERROR_CLOSED || end == AMZSYNC_ERROR_NOT_FOUND, "unsubscribe ends otherwise");
    if (end == AMZSYNC_OK) check(listener.freed, "unsubscribe returned before free_fn");
  }
}

void ask_and_read(amzsync_engine* engine) {
  for (;;) {
    amzsync_answer* answer = nullptr;
    amzsync_events* events = nullptr;
    const int32_t asked = amzsync_status(engine, "seller", &answer, nullptr);
    amzsync_answer_free(answer);
    const int32_t opened = amzsync_events_open(engine, "seller", 0, &events, nullptr);
    amzsync_event* event = nullptr;
    if (opened == AMZSYNC_OK) check(amzsync_events_next(events, 0, &event, nullptr) == AMZSYNC_OK, "a reader keeps the engine open");
    amzsync_event_free(event);
    amzsync_events_close(events);
    check((asked == AMZSYNC_OK || asked == AMZSYNC_ERROR_CLOSED) && (opened == AMZSYNC_OK || opened == AMZSYNC_ERROR_CLOSED), "a read ends otherwise");
    if (asked != AMZSYNC_OK || opened != AMZSYNC_OK) return;
  }
}

void race(const amzsync_options* options, int number) {
  amzsync_engine* engine = nullptr;
  check(amzsync_open(options, &engine, nullptr) == AMZSYNC_OK, "no engine");
  Round round;
  std::vector<Listener> listeners(12);
  for (Listener& l : listeners) l.round = &round;
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) threads.emplace_back([&, n] { subscribe_and_leave(engine, round, listeners, n, 3); });
  threads.emplace_back([&] { ask_and_read(engine); });
  std::thread closer([&] {
    for (int n = 0; n < number % 7; ++n) std::this_thread::yield();   // not always at the same moment
    int32_t code = amzsync_close(engine);
    while (code == AMZSYNC_ERROR_BUSY) code = amzsync_close(engine);   // a reader is open just now
    check(code == AMZSYNC_OK, "the close ends otherwise");
    round.closed = true;
  });
  for (std::thread& t : threads) t.join();
  closer.join();
  check(round.freed == round.subscribed, "free_fn was not called once for each subscription");
}

/// A callback that does not return: who reads the events of others, reads on.
void blocked_callback(const amzsync_options* options) {
  struct Blocker {
    std::mutex mutex;
    std::condition_variable changed;
    bool inside = false, may_go = false;
  } blocker;
  const auto block = [](void* data, const amzsync_event*) {
    auto& b = *static_cast<Blocker*>(data);
    std::unique_lock lock(b.mutex);
    b.inside = true;
    b.changed.notify_all();
    b.changed.wait(lock, [&] { return b.may_go; });
  };
  amzsync_engine* engine = nullptr;
  check(amzsync_open(options, &engine, nullptr) == AMZSYNC_OK, "no engine");
  int64_t id = 0;
  amzsync_answer* first = nullptr;
  check(amzsync_connect(engine, "seller", "Atzr|sim-seller-1", nullptr, &first, nullptr) == AMZSYNC_OK, "not connected");
  amzsync_answer_free(first);
  check(amzsync_subscribe(engine, "seller", 0, block, &blocker, nullptr, &id, nullptr) == AMZSYNC_OK, "not subscribed");
  {
    std::unique_lock lock(blocker.mutex);
    blocker.changed.wait(lock, [&] { return blocker.inside; });
  }
  amzsync_events* events = nullptr;
  amzsync_answer* other = nullptr;
  check(amzsync_events_open(engine, "other", 0, &events, nullptr) == AMZSYNC_OK, "no reader");
  check(amzsync_connect(engine, "other", "Atzr|sim-seller-2", nullptr, &other, nullptr) == AMZSYNC_OK, "the other is not connected");
  amzsync_answer_free(other);
  for (bool over = false; !over;) {
    amzsync_event* event = nullptr;
    if (amzsync_events_next(events, 60'000, &event, nullptr) != AMZSYNC_OK || !event) {
      check(false, "the other's events do not come while a callback blocks");
      break;
    }
    std::size_t size = 0;
    check(amzsync_event_sse(event, &size) && size > 0, "no frame");
    over = std::strcmp(amzsync_event_type(event), "sync.completed") == 0;
    amzsync_event_free(event);
  }
  amzsync_events_close(events);
  {
    std::lock_guard lock(blocker.mutex);
    blocker.may_go = true;
    blocker.changed.notify_all();
  }
  check(amzsync_unsubscribe(engine, id) == AMZSYNC_OK, "not unsubscribed");
  check(amzsync_close(engine) == AMZSYNC_OK, "not closed");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  amzsync_options* options = make_options(argv[1], argv[2], 4);
  blocked_callback(options);
  amzsync_options_free(options);
  options = make_options(argv[1], argv[2], 0);
  const int rounds = std::atoi(argv[3]);
  for (int n = 0; n < rounds; ++n) race(options, n);
  amzsync_options_free(options);
  if (failures == 0) std::printf("%d races, each callback freed once\n", rounds);
  return failures == 0 ? 0 : 1;
}
